package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// top is the project's folder.
const top = "../../.."

// helper is the path of the program threatfox, which `make` builds first.
func helper(t *testing.T) string {
	path := os.Getenv("THREATFOX_BIN")
	if path == "" {
		path = filepath.Join(top, "target/release/threatfox")
	}
	path, err := filepath.Abs(path)
	if _, missing := os.Stat(path); err != nil || missing != nil {
		t.Fatal("run `make helper` first: ", err, missing)
	}
	return path
}

// otherOptions are those of other programs that the documents name by themselves.
var otherOptions = []string{}

// names are what the project has to name.
func names(t *testing.T) Names {
	targets, err := MakeTargets(top)
	if err != nil {
		t.Fatal(err)
	}
	options := map[string]bool{"--help": true, "--version": true}
	for _, name := range otherOptions {
		options[name] = true
	}
	for _, command := range []string{"fetch", "normalize", "search", "match", "explain", "scan", "sightings"} {
		help, err := exec.Command(helper(t), command, "--help").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[a-z-]+)`).FindAllSubmatch(help, -1) {
			options[string(found[1])] = true
		}
	}
	return Names{targets, options}
}

func allDocuments(t *testing.T) []Document {
	documents, err := ReadAll(top)
	if err != nil || len(documents) < 10 {
		t.Fatal("can't read the documents: ", len(documents), err)
	}
	return documents
}

func TestEverythingThatTheDocumentsLinkAndNameIsThere(t *testing.T) {
	for _, problem := range Check(top, allDocuments(t), names(t)) {
		t.Errorf("%s:%d: %s", problem.Path, problem.Line, problem.What)
	}
}

// A project of two documents, each line of the first with another fault.
func TestEachFaultIsFoundWithFileAndLine(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"docs/guide.md":    "# One\n\n## A `code`, and more\n",
		"docs/broken.svg":  "<svg><text>",
		"Makefile":         "test: helper ## Test\n",
		"artifacts/x.yaml": "",
	} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	readme := "[right](docs/guide.md#a-code-and-more), `make test`, `docs/guide.md`, `--feed`, <https://site.example/>\n" +
		"[no file](docs/gone.md)\n" +
		"[no heading](docs/guide.md#two)\n" +
		"[its own](#nowhere)\n" +
		"![no picture](docs/broken.svg)\n" +
		"[open](http://site.example)\n" +
		"[out](../secret.md)\n" +
		"`make rest`\n" +
		"`--fed`\n" +
		"`crates/gone`\n" +
		"Server.Import.ThreatFox.Gone\n" +
		"\n" +
		"    threatfox match\n" +
		"```sh\n"
	if err := os.WriteFile(filepath.Join(folder, "README.md"), []byte(readme), 0o600); err != nil {
		t.Fatal(err)
	}
	documents, err := ReadAll(folder)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := MakeTargets(folder)
	if err != nil {
		t.Fatal(err)
	}

	found := map[int]string{}
	for _, problem := range Check(folder, documents, Names{targets, map[string]bool{"--feed": true}}) {
		if problem.Path != "README.md" || found[problem.Line] != "" {
			t.Errorf("unexpected: %v", problem)
		}
		found[problem.Line] = problem.What
	}

	expected := map[int]string{
		2:  "link to docs/gone.md: there is no such file",
		3:  "link to docs/guide.md#two: there is no such heading",
		4:  "link to #nowhere: there is no such heading",
		5:  "link to docs/broken.svg: no whole SVG: XML syntax error on line 1: unexpected EOF",
		6:  "link to http://site.example: other sites are linked by https",
		7:  "link to ../secret.md: it leaves the project",
		8:  "the Makefile has no target rest",
		9:  "the helper has no option --fed",
		10: "there is no crates/gone",
		11: "there is no artifact Server.Import.ThreatFox.Gone",
		13: "code by indentation: put it between ``` and name its language",
		15: "the block is not closed",
	}
	if !reflect.DeepEqual(expected, found) {
		t.Errorf("expected %v,\nfound %v", expected, found)
	}
}
