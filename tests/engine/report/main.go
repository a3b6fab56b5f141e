// Command report prints the results of a hunt, JSON lines in a folder, as tables on a terminal.
//
// It exits with 1 if the hunt failed, after printing what there is.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"unicode"
)

// The columns that fit a terminal; the whole rows are in the JSON lines.
var columns = map[string][]string{
	"Summary":  {"Strength", "Match", "IOC", "Malware", "Count", "First", "Computer", "Image", "User"},
	"Hits":     {"Time", "Strength", "Match", "IOC", "Malware", "Image", "DstIP", "DstPort", "DstHost", "RecordID"},
	"Coverage": {"Status", "LogFile", "EventsById", "Earliest", "Latest", "FeedVersion", "FeedKeys"},
}

const mostRows = 25

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: report FOLDER")
		os.Exit(2)
	}
	failed, err := print(os.Stdout, os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
	if failed {
		os.Exit(1)
	}
}

// print writes the tables and the log lines that matter, and says whether the hunt failed.
func print(out io.Writer, folder string) (failed bool, err error) {
	for _, source := range []string{"Summary", "Hits", "Coverage"} {
		rows, err := read(filepath.Join(folder, source+".jsonl"))
		if err != nil {
			return false, err
		}
		table(out, source, rows)
	}
	lines, err := read(filepath.Join(folder, "log.jsonl"))
	if err != nil {
		return false, err
	}
	for _, line := range lines {
		level := text(line["level"])
		if level == "ERROR" || strings.HasPrefix(level, "WARN") {
			fmt.Fprintf(out, "%s: %s\n", level, strings.TrimSpace(text(line["message"])))
		}
	}
	reason, err := os.ReadFile(filepath.Join(folder, "failed.txt"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if len(reason) > 0 {
		fmt.Fprintln(out, "The hunt FAILED:", text(strings.TrimSpace(string(reason))))
	}
	return len(reason) > 0, nil
}

func table(out io.Writer, source string, rows []map[string]any) {
	fmt.Fprintf(out, "\n%s: %d rows\n", source, len(rows))
	if len(rows) == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(columns[source], "\t"))
	for i, row := range rows {
		if i == mostRows {
			break
		}
		var cells []string
		for _, column := range columns[source] {
			cells = append(cells, text(row[column]))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	w.Flush()
	if len(rows) > mostRows {
		fmt.Fprintf(out, "(%d more rows: make hunt OUT=FILE.jsonl writes them all)\n", len(rows)-mostRows)
	}
}

// text is a value as one cell. What a log or a feed holds is not to be trusted with a terminal:
// control characters are left out.
func text(value any) string {
	s, ok := value.(string)
	if !ok && value != nil {
		encoded, _ := json.Marshal(value) // it was decoded from JSON
		s = string(encoded)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

func read(path string) (rows []map[string]any, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a source without rows
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()

	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		row := map[string]any{}
		if err := json.Unmarshal(scanner.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		rows = append(rows, row)
	}
	return rows, scanner.Err()
}
