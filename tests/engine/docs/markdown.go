// Package docs checks the project's documents: their links, and that what they tell people to type can be typed.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Document is a Markdown file, taken apart.
type Document struct {
	Path    string // from the project's folder, with slashes
	Text    []string
	Blocks  []Block
	Links   []Part // the targets of links and pictures
	Spans   []Part // code within a line
	Anchors map[string]bool
	Faults  []Problem // what escapes the checks
}

// Block is a fenced piece of code.
type Block struct {
	Language string
	Line     int // of its first line of code
	Text     string
}

// Part is a piece of a line.
type Part struct {
	Line int
	Text string
}

// Problem is what is wrong in a document, and where.
type Problem struct {
	Path string
	Line int
	What string
}

var (
	link     = regexp.MustCompile(`\]\(([^()\s]+)\)|<(https?://[^>\s]+)>|(?:src|href)="([^"]+)"`)
	span     = regexp.MustCompile("`([^`]+)`")
	heading  = regexp.MustCompile(`^#{1,6} +(.*)$`)
	inLink   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Read takes a Markdown text apart.
func Read(path, text string) Document {
	document := Document{Path: path, Text: strings.Split(text, "\n"), Anchors: map[string]bool{}}
	var block *Block
	for i, line := range document.Text {
		number := i + 1
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && block == nil:
			block = &Block{Language: fence, Line: number + 1}
		case isFence:
			document.Blocks = append(document.Blocks, *block)
			block = nil
		case block != nil:
			block.Text += line + "\n"
		default:
			document.readLine(number, line)
			// Code that is only indented has no language, so nothing would check it.
			if strings.HasPrefix(line, "    ") && (i == 0 || document.Text[i-1] == "") {
				document.Faults = append(document.Faults,
					Problem{path, number, "code by indentation: put it between ``` and name its language"})
			}
		}
	}
	if block != nil {
		document.Faults = append(document.Faults, Problem{path, block.Line, "the block is not closed"})
	}
	return document
}

func (d *Document) readLine(number int, line string) {
	if found := heading.FindStringSubmatch(line); found != nil {
		d.Anchors[anchor(found[1])] = true
	}
	for _, found := range span.FindAllStringSubmatch(line, -1) {
		d.Spans = append(d.Spans, Part{number, found[1]})
	}
	for _, found := range link.FindAllStringSubmatch(span.ReplaceAllString(line, "code"), -1) {
		d.Links = append(d.Links, Part{number, found[1] + found[2] + found[3]})
	}
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	text := strings.ToLower(inLink.ReplaceAllString(heading, "$1"))
	return strings.ReplaceAll(noAnchor.ReplaceAllString(text, ""), " ", "-")
}

// built are the folders that hold nothing of ours.
var built = map[string]bool{"target": true, "vendor": true, "dist": true, ".git": true}

// ReadAll takes every Markdown file of a project apart.
func ReadAll(top string) (documents []Document, err error) {
	err = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && built[entry.Name()] {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".md") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, path)
		documents = append(documents, Read(filepath.ToSlash(name), string(text)))
		return err
	})
	return documents, err
}
