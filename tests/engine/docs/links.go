package docs

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// Names says what the documents may name.
type Names struct {
	Targets map[string]bool // of the Makefile
	Options map[string]bool // of the helper
}

var (
	target       = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	makeSpan     = regexp.MustCompile(`^make ([a-z][a-z-]*)`)
	option       = regexp.MustCompile(`^(--[a-z][a-z-]+)`)
	artifactName = regexp.MustCompile(`\b(?:Server|Windows|Generic|Notebooks)\.(?:[A-Za-z]+\.)?ThreatFox(?:\.[A-Z][A-Za-z]+)*`)
	// Paths in code begin with one of the project's folders.
	ownPath = regexp.MustCompile(`^(?:\.ci|\.github|artifacts|crates|docs|tests|tools)/[\w./%-]*$`)
)

// MakeTargets are the targets of a project's Makefile.
func MakeTargets(top string) (map[string]bool, error) {
	text, err := os.ReadFile(filepath.Join(top, "Makefile"))
	targets := map[string]bool{}
	for _, found := range target.FindAllStringSubmatch(string(text), -1) {
		targets[found[1]] = true
	}
	return targets, err
}

// Check says which links, files, artifacts, targets and options that the documents name are not there.
func Check(top string, documents []Document, names Names) (problems []Problem) {
	anchors := map[string]map[string]bool{}
	for _, document := range documents {
		anchors[document.Path] = document.Anchors
	}
	for _, document := range documents {
		problems = append(problems, document.Faults...)
		report := func(line int, what string, args ...any) {
			problems = append(problems, Problem{document.Path, line, fmt.Sprintf(what, args...)})
		}
		for _, link := range document.Links {
			if fault := linkFault(top, document.Path, link.Text, anchors); fault != "" {
				report(link.Line, "link to %s: %s", link.Text, fault)
			}
		}
		for _, code := range document.Spans {
			if found := makeSpan.FindStringSubmatch(code.Text); found != nil && !names.Targets[found[1]] {
				report(code.Line, "the Makefile has no target %s", found[1])
			}
			if found := option.FindStringSubmatch(code.Text); found != nil && !names.Options[found[1]] {
				report(code.Line, "the helper has no option %s", found[1])
			}
			if ownPath.MatchString(code.Text) && !exists(top, code.Text) {
				report(code.Line, "there is no %s", code.Text)
			}
		}
		for i, line := range document.Text {
			for _, name := range artifactName.FindAllString(line, -1) {
				if !exists(top, "artifacts/"+strings.ReplaceAll(name, ".", "/")+".yaml") {
					report(i+1, "there is no artifact %s", name)
				}
			}
		}
	}
	return problems
}

// linkFault says what is wrong with a link, "" if nothing is. Other sites are not asked.
func linkFault(top, from, link string, anchors map[string]map[string]bool) string {
	address, err := url.Parse(link)
	if err != nil {
		return err.Error()
	}
	if address.Scheme != "" {
		if address.Scheme != "https" || address.Host == "" {
			return "other sites are linked by https"
		}
		return ""
	}
	file := from
	if address.Path != "" {
		file = path.Join(path.Dir(from), address.Path)
	}
	switch {
	case strings.HasPrefix(file, "../") || strings.HasPrefix(address.Path, "/"):
		return "it leaves the project"
	case !exists(top, file):
		return "there is no such file"
	case address.Fragment != "" && !anchors[file][address.Fragment]:
		return "there is no such heading"
	case strings.HasSuffix(file, ".svg"):
		return pictureFault(filepath.Join(top, file))
	}
	return ""
}

func exists(top, file string) bool {
	_, err := os.Stat(filepath.Join(top, filepath.FromSlash(file)))
	return err == nil
}

// pictureFault says why a picture could not be shown.
func pictureFault(file string) string {
	picture, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer picture.Close()
	reader := xml.NewDecoder(picture)
	for {
		if _, err := reader.Token(); err == io.EOF {
			return ""
		} else if err != nil {
			return "no whole SVG: " + err.Error()
		}
	}
}
