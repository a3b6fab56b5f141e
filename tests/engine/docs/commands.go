package docs

import (
	"regexp"
	"strings"
)

// Command is a line that a document tells people to type.
type Command struct {
	Path string
	Line int
	Text string
}

// Commands are the lines of the blocks of shell. A line that ends in a backslash goes on in the next.
func Commands(documents []Document) (commands []Command) {
	for _, document := range documents {
		for _, block := range document.Blocks {
			if block.Language != "sh" {
				continue
			}
			open := false
			for i, line := range strings.Split(block.Text, "\n") {
				text := strings.TrimSpace(line)
				switch {
				case text == "" || strings.HasPrefix(text, "#"):
					continue
				case open:
					commands[len(commands)-1].Text += "\n" + text
				default:
					commands = append(commands, Command{document.Path, block.Line + i, text})
				}
				open = strings.HasSuffix(text, `\`)
			}
		}
	}
	return commands
}

// HelperSpans are the command lines of the helper that stand in a sentence: examples, with words to replace.
func HelperSpans(documents []Document) (commands []Command) {
	placeholder := regexp.MustCompile(`…|\.\.\.`)
	for _, document := range documents {
		for _, code := range document.Spans {
			if strings.HasPrefix(code.Text, "threatfox ") {
				text := placeholder.ReplaceAllString(code.Text, "")
				commands = append(commands, Command{document.Path, code.Line, text})
			}
		}
	}
	return commands
}
