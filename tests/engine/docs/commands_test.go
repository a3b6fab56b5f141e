package docs

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// notRun are the commands of the documents that this test does not run, by how they begin, and why. Each is still read by the
// shell, by make (-n) and by the helper (--help): a wrong target or option is found.
var notRun = []struct{ begins, why string }{
	{"make demo", "builds the engine; run by .ci/run"},
	{"make lint", "run by .ci/run"},
	{"make test", "runs this test; run by .ci/run"},
	{"make hunt", "builds the engine; make demo runs the same script"},
	{"make pack", "writes dist/ of the project; its program is run by tests of its own"},
	{"make verify-dist", "the same"},
	{"make hooks", "changes the reader's repository"},
	{"make msrv", "fetches another compiler"},
	{"make deny", "wants cargo-deny"},
	{"cargo run", "builds the helper anew"},
	{"python3 tests/tools/make_evtx.py", "needs the exercise's files; its lines are tested by crates/pack/tests/exercise.rs"},
	{"cargo test", "runs tests of this suite"},
	{"tests/engine/test.sh", "runs tests of this suite"},
	{"threatfox scan Sysmon.evtx | jq", "wants jq"},
	{"curl ", "asks abuse.ch"},
	{"threatfox fetch --source full,urlhaus,", "asks other servers of abuse.ch"},
	{"gh ", "asks GitHub"},
	{"cosign ", "wants cosign and a signed release"},
	{"velociraptor ", "needs an installed server"},
}

// why says why a command is not run, "" if it is.
func why(command string) string {
	for _, entry := range notRun {
		if strings.HasPrefix(command, entry.begins) {
			return entry.why
		}
	}
	return ""
}

func TestEveryCommandOfTheDocumentsRuns(t *testing.T) {
	documents := allDocuments(t)
	shell := newShell(t)
	for _, command := range Commands(documents) {
		run := shell.run
		if why(command.Text) != "" {
			run = shell.parse
		}
		if said, err := run(t, command.Text); err != nil {
			t.Errorf("%s:%d: %s: %v\n%s", command.Path, command.Line, command.Text, err, said)
		}
	}
	for _, command := range HelperSpans(documents) {
		if said, err := shell.parse(t, command.Text); err != nil {
			t.Errorf("%s:%d: %s: %v\n%s", command.Path, command.Line, command.Text, err, said)
		}
	}
}

func TestEveryExceptionIsOfACommandInTheDocuments(t *testing.T) {
	commands := Commands(allDocuments(t))
	for _, entry := range notRun {
		used := false
		for _, command := range commands {
			used = used || strings.HasPrefix(command.Text, entry.begins)
		}
		if !used || entry.why == "" {
			t.Errorf("no document has %q, or the reason is missing", entry.begins)
		}
	}
}

// docs/hunting.md shows the columns, and then a row of each kind.
func TestTheExampleOfAFeedIsOneThatTheHelperReads(t *testing.T) {
	shell := newShell(t)
	feed := ""
	for _, document := range allDocuments(t) {
		for _, block := range document.Blocks {
			if document.Path == "docs/hunting.md" && block.Language == "csv" {
				feed += block.Text
			}
		}
	}
	must(t, os.WriteFile(filepath.Join(shell.samples, "own.csv"), []byte(feed), 0o600))
	for value, match := range map[string]string{
		"203.0.113.7:4443": "ip:port", "c2.bad.example": "domain", "site.example": "url host",
		"http://site.example/a": "url", "45c4710edc62df311612101b9160c7e1": "md5",
	} {
		said, err := shell.run(t, "threatfox match --feed own.csv "+value)
		if err != nil || !strings.Contains(said, ","+match+",") {
			t.Errorf("%s is no %s by docs/hunting.md: %v\n%s", value, match, err, said)
		}
	}
}

func TestAWrongCommandIsFound(t *testing.T) {
	shell := newShell(t)
	for _, command := range []string{
		"threatfox match --fed threatfox-feed.csv.gz 203.0.113.7", "threatfox norm export.csv",
		"threatfox match --feed gone.csv 203.0.113.7", "gone", "threatfox match 'a",
	} {
		if _, err := shell.run(t, command); err == nil {
			t.Errorf("%s: runs", command)
		}
	}
	for _, command := range []string{
		"threatfox search --limit many win.mirai", "threatfox gone", "make gone", "make hunt EVTX='a",
	} {
		if _, err := shell.parse(t, command); err == nil {
			t.Errorf("%s: is accepted", command)
		}
	}
}

// shell runs commands as a reader would, among files of the names that the documents use.
type shell struct {
	project string
	samples string // a folder with the files, copied for each command
	real    string // a folder with the helper, which asks a local server
	parsing string // a folder with programs that only read their arguments
}

func newShell(t *testing.T) shell {
	project, err := filepath.Abs(top)
	must(t, err)
	s := shell{project, t.TempDir(), t.TempDir(), t.TempDir()}
	program, server := helper(t), serve(t, project)

	// fetch and search are the commands that ask somebody.
	s.script(t, s.real, "threatfox", `case "$1" in fetch | search)
  exec `+program+` "$@" --api-url `+server+` --export-url `+server+` --hunting-url `+server+` ;;
esac
exec `+program+` "$@"`)
	s.script(t, s.parsing, "threatfox", `exec `+program+` "$@" --help >/dev/null`)
	// Without the variables of the make that runs this test.
	s.script(t, s.parsing, "make", `PATH='`+os.Getenv("PATH")+`'
exec env -i PATH="$PATH" make -n -C `+project+` "$@" >/dev/null`)

	data := filepath.Join(project, "tests/data")
	export := read(t, filepath.Join(data, "threatfox/recent-2026-03-15.csv"))
	log := read(t, filepath.Join(data, "evtx/synth-edge-shared.evtx"))
	for name, content := range map[string][]byte{
		"export.csv": export, "full.csv.zip": zipped(t, export), "Sysmon.evtx": log, "archive/2026/Sysmon.evtx": log,
		"values.txt": []byte("203.0.113.7:443\nhxxps://evil[.]example/gate.php\n"), "policy.yaml": []byte(example(t, "docs/policy.md", "yaml")),
		"our-lists/partners.json": []byte(example(t, "docs/warning-lists.md", "json")),
		"hits.jsonl":              []byte(`{"Strength":"strong","Malware":"X","IOC":"203.0.113.7:443","Time":"2026-11-18T08:00:07.007Z"}` + "\n"),
		"partner.csv":             []byte("indicator,kind,family,day\nevil.example,FQDN,Loader,2026-11-01\n"),
		"urlhaus.csv":             read(t, filepath.Join(data, "feeds/urlhaus-first-400-lines.csv")), "list.txt": read(t, filepath.Join(data, "feeds/plain.txt")),
		"event.json": read(t, filepath.Join(data, "feeds/misp-event.json")), "report.json": read(t, filepath.Join(data, "feeds/stix-apt1.json")),
	} {
		file := filepath.Join(s.samples, name)
		must(t, os.MkdirAll(filepath.Dir(file), 0o700))
		must(t, os.WriteFile(file, content, 0o600))
	}
	pack := exec.Command(filepath.Join(project, "target/release/pack"), "write", "--dist", filepath.Join(s.samples, "dist"))
	pack.Dir = project
	said, err := pack.CombinedOutput()
	if err != nil {
		t.Fatalf("run `make test-docs`: %v: %s", err, said)
	}
	planted := filepath.Join(data, "demo/planted.csv")
	for _, feed := range []string{"feed.csv", "threatfox-feed.csv.gz"} {
		said, err := exec.Command(program, "normalize", planted, "-o", filepath.Join(s.samples, feed)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	return s
}

// example is the first block of a language in a document.
func example(t *testing.T, path, language string) string {
	for _, document := range allDocuments(t) {
		for _, block := range document.Blocks {
			if document.Path == path && block.Language == language {
				return block.Text
			}
		}
	}
	t.Fatal(path, "has no example")
	return ""
}

func (s shell) script(t *testing.T, folder, name, text string) {
	must(t, os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700))
}

// run types a command among the samples; it may write there.
func (s shell) run(t *testing.T, command string) (said string, err error) {
	return s.start(t, command, s.real+":/usr/bin:/bin")
}

// parse has the shell, make and the helper read a command. Other programs in it are not started.
func (s shell) parse(t *testing.T, command string) (said string, err error) {
	first, _, _ := strings.Cut(command, " ")
	if first != "threatfox" && first != "make" {
		command = "if false; then " + command + "\nfi"
	}
	command, _, _ = strings.Cut(command, " | ")
	return s.start(t, command, s.parsing)
}

func (s shell) start(t *testing.T, command, path string) (string, error) {
	folder := t.TempDir()
	must(t, os.CopyFS(folder, os.DirFS(s.samples)))
	started := exec.Command("/bin/bash", "-euo", "pipefail", "-c", command)
	started.Dir = folder
	started.Env = []string{"PATH=" + path, "HOME=" + folder, "THREATFOX_AUTH_KEY=key-of-the-tests"}
	said, err := started.CombinedOutput()
	return string(said), err
}

// serve answers as ThreatFox does: an export to each GET, a list of IOCs to each POST.
func serve(t *testing.T, project string) string {
	data := filepath.Join(project, "tests/data/threatfox")
	csv, json := read(t, filepath.Join(data, "recent-2026-03-15.csv")), read(t, filepath.Join(data, "recent-2026-07-24.json.gz"))
	var records []string
	for _, host := range []string{"c1", "c2", "c3"} {
		records = append(records, `{"id":"1","ioc":"`+host+`.bad.example","ioc_type":"domain","threat_type":"botnet_cc",`+
			`"malware":"win.test","malware_printable":"Test","confidence_level":100,"first_seen":"2026-11-24 10:00:00 UTC",`+
			`"last_seen":null,"reporter":"abuse_ch","reference":null,"tags":["test"]}`)
	}
	answer := `{"query_status":"ok","data":[` + strings.Join(records, ",") + `]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			_, _ = io.WriteString(w, answer)
		case strings.HasPrefix(r.URL.Path, "/json/"):
			reader, err := gzip.NewReader(bytes.NewReader(json))
			if err == nil {
				_, _ = io.Copy(w, reader)
			}
		default:
			_, _ = w.Write(csv)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/"
}

func zipped(t *testing.T, export []byte) []byte {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	file, err := archive.Create("full.csv")
	must(t, err)
	_, err = file.Write(export)
	must(t, err)
	must(t, archive.Close())
	return out.Bytes()
}

func read(t *testing.T, path string) []byte {
	content, err := os.ReadFile(path)
	must(t, err)
	return content
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
