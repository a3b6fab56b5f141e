package engine

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"
)

const installer = "Server.Import.ThreatFox.Pack"

// texts are a pack's artifacts by their path in the zip.
type texts map[string]string

// textsOf reads a pack.
func (s *EngineSuite) textsOf(pack string) texts {
	reader, err := zip.OpenReader(pack)
	s.Require().NoError(err)
	defer reader.Close()
	found := texts{}
	for _, file := range reader.File {
		content, err := file.Open()
		s.Require().NoError(err)
		text, err := io.ReadAll(content)
		s.Require().NoError(err)
		found[file.Name] = string(text)
	}
	return found
}

// zipOf writes a zip and returns its path.
func (s *EngineSuite) zipOf(files texts) string {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file, err := w.Create(name)
		s.Require().NoError(err)
		_, err = io.WriteString(file, files[name])
		s.Require().NoError(err)
	}
	s.Require().NoError(w.Close())
	path := filepath.Join(s.T().TempDir(), "pack.zip")
	s.Require().NoError(os.WriteFile(path, out.Bytes(), 0o600))
	return path
}

var stamp = regexp.MustCompile(`\n# threatfox-pack .*\n$`)

// stamped are artifacts as a release of this version has them.
func stamped(files texts, version string) texts {
	made := texts{}
	for name, text := range files {
		text = strings.TrimSpace(stamp.ReplaceAllString(text, ""))
		made[name] = fmt.Sprintf("%s\n# threatfox-pack version=%s artifacts=%d sha256=%x\n", text, version, len(files), sha256.Sum256([]byte(text)))
	}
	return made
}

// with are the same texts with one more or another; without has one less.
func (t texts) with(name, text string) texts {
	changed := maps.Clone(t)
	changed[name] = text
	return changed
}

func (t texts) without(name string) texts {
	changed := maps.Clone(t)
	delete(changed, name)
	return changed
}

// serverWithInstaller has the installer alone, as somebody has it who took it from the exchange. It returns the release's folder and its pack.
func (s *EngineSuite) serverWithInstaller() (dist, pack string) {
	s.Ctx = context.Background() // the suite's ends after 60 s
	manager := s.forgetThePack()
	dist = s.release()
	_, err := manager.SetArtifactFile(s.Ctx, s.ConfigObj, "admin", s.read(dist+"/exchange/"+installer+".yaml"), "")
	s.Require().NoError(err)
	zips, err := filepath.Glob(dist + "/threatfox-artifacts-*.zip")
	s.Require().NoError(err)
	s.Require().Len(zips, 1)
	return dist, zips[0]
}

// serve is a server with TLS that has a folder, and the parameters to install from it.
func (s *EngineSuite) serve(folder string) map[string]string {
	server := httptest.NewTLSServer(http.FileServer(http.Dir(folder)))
	s.T().Cleanup(server.Close)
	certificate := filepath.Join(s.T().TempDir(), "ca.pem")
	s.Require().NoError(os.WriteFile(certificate,
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	return map[string]string{"ReleaseURL": server.URL + "/", "CaFile": certificate}
}

// install runs the installer with success and returns the artifacts by their status, and the rows' messages.
func (s *EngineSuite) install(params map[string]string) (byStatus map[string][]string, messages map[string]string) {
	s.T().Helper()
	got := s.collectOnServer(installer, params)
	s.Require().Empty(got.failed, got.logs)
	byStatus, messages = map[string][]string{}, map[string]string{}
	for _, row := range s.rowsOf(got.rows) {
		byStatus[row["Status"]] = append(byStatus[row["Status"]], row["Artifact"])
		messages[row["Artifact"]] = row["Message"]
	}
	return byStatus, messages
}

// refuses runs the installer, which must fail for a reason and change nothing.
func (s *EngineSuite) refuses(params map[string]string, reason, about string) {
	s.T().Helper()
	before := s.definitions()
	got := s.collectOnServer(installer, params)
	s.Regexp("(?s)"+reason, got.failed, about)
	rows := s.rowsOf(got.rows)
	s.Require().Len(rows, 1, about)
	s.Equal("failed", rows[0]["Status"], about)
	s.Regexp("(?s)"+reason, rows[0]["Message"], about)
	s.True(maps.Equal(before, s.definitions()), about)
}

// definitions are all artifacts of the server, by name.
func (s *EngineSuite) definitions() map[string]string {
	found := map[string]string{}
	for _, row := range s.rowsOf(s.query(`SELECT name, raw FROM artifact_definitions()`, nil)) {
		found[row["name"]] = row["raw"]
	}
	return found
}

// The paths of artifacts in shortPack.
const notebook, importer = "artifacts/Notebooks/ThreatFox.yaml", "artifacts/Server/Import/ThreatFox.yaml"

// small is a text for an artifact of that name: those of the release take seconds to check.
func small(name, query string) string {
	return fmt.Sprintf("name: %s\ntype: SERVER\ndescription: |\n  Small.\nsources:\n  - query: |\n      %s\n", name, query)
}

// shortPack is a server with the installer and a pack of three small artifacts. The installer has no stamp, so that no pack removes it.
func (s *EngineSuite) shortPack() texts {
	s.serverWithInstaller()
	s.edit(installer, "\n# threatfox-pack", "\n# by hand")
	pack := texts{}
	for _, path := range []string{notebook, importer, "artifacts/Server/Import/ThreatFox/Helper.yaml"} {
		pack[path] = small(nameOf("../../"+path), "SELECT * FROM info()")
	}
	return stamped(pack, "0.1.0")
}

func (s *EngineSuite) edit(name, old, new string) {
	text := s.definitions()[name]
	s.Require().Contains(text, old)
	s.query(`SELECT artifact_set(definition=Text).name FROM scope()`, ordereddict.NewDict().Set("Text", strings.Replace(text, old, new, 1)))
}

// The release without the artifacts that search logs: the engine takes a second to check each of these.
func (s *EngineSuite) TestTheInstallerTakesARelease() {
	_, pack := s.serverWithInstaller()
	released := s.textsOf(pack)
	maps.DeleteFunc(released, func(_, text string) bool { return len(text) > 50_000 })
	released = stamped(released, "0.1.0")
	s.Require().Len(released, 6)
	folder := s.T().TempDir()
	content := []byte(s.read(s.zipOf(released)))
	s.Require().NoError(os.WriteFile(filepath.Join(folder, filepath.Base(pack)), content, 0o600))
	s.Require().NoError(os.WriteFile(filepath.Join(folder, "SHA256SUMS"),
		fmt.Appendf(nil, "%064d  exchange/other.yaml\n%x  %s\n", 0, sha256.Sum256(content), filepath.Base(pack)), 0o600))

	got, _ := s.install(s.serve(folder))
	s.Len(got["new"], 5)
	s.Equal([]string{installer}, got["unchanged"])
	s.Len(got, 2)
	definitions := s.definitions()
	for name, text := range released {
		s.True(text == definitions[nameOf("../../"+name)], name)
	}
}

func (s *EngineSuite) TestTheUninstallationNamesWhatItLeaves() {
	const live = "Windows.Events.ThreatFox"
	pack := s.shortPack().with("artifacts/Windows/Events/ThreatFox.yaml",
		strings.Replace(small(live, "SELECT * FROM info()"), "SERVER", "CLIENT_EVENT", 1))
	s.install(map[string]string{"PackFile": "file://" + s.zipOf(stamped(pack, "0.1.0"))})
	s.query(`SELECT inventory_add(tool="ThreatFoxFeed", file=File, version="1.0.1") FROM scope()`,
		ordereddict.NewDict().Set("File", s.writeGzip("feed.csv.gz", "key")))
	s.query(`SELECT server_set_metadata(metadata=dict(ThreatFoxAuthKey="0123456789abcdef")) FROM scope()`, nil)
	for _, name := range []string{"Generic.Client.Stats", "Windows.Remediation.Quarantine", "Windows.Remediation.QuarantineMonitor"} {
		s.loadBuiltIn(name) // the clients' table has it from the start
	}
	s.Eventually(func() bool { // the service may still be making its first table, which it puts in the place of this one
		return strings.Contains(s.query(`LET _ <= add_client_monitoring(artifact=Name, label="all") LET _ <= sleep(ms=200) SELECT get_client_monitoring() FROM scope()`,
			ordereddict.NewDict().Set("Name", live)), live)
	}, 20*time.Second, time.Second)

	got, messages := s.install(map[string]string{"Action": "uninstall"})
	s.Len(got["removed"], 4)
	s.Subset(got["left"], []string{"ThreatFoxFeed", "ThreatFoxAuthKey", live, installer})
	s.Contains(messages[live], "clients' event table")
	left := slices.DeleteFunc(slices.Collect(maps.Keys(s.definitions())), func(name string) bool { return !strings.Contains(name, "ThreatFox") })
	s.Equal([]string{installer}, left)
}

func (s *EngineSuite) TestAComparisonChangesNothingAndAnUpdateSaysWhatItDid() {
	now := s.shortPack()
	old := now.without(importer).with(notebook, strings.Replace(now[notebook], "Small.", "Old.", 1)).
		with("artifacts/Server/Old/ThreatFox.yaml", small("Server.Old.ThreatFox", "SELECT * FROM info()"))
	got, _ := s.install(map[string]string{"PackFile": "file://" + s.zipOf(stamped(old, "0.0.9"))})
	s.Len(got["new"], 3)

	before := s.definitions()
	path := s.zipOf(now)
	sum := fmt.Sprintf("%X", sha256.Sum256([]byte(s.read(path))))
	would, messages := s.install(map[string]string{"PackFile": "file://" + path, "Action": "compare"})
	s.Equal("Not done: Action is compare.", messages["Notebooks.ThreatFox"])
	s.True(maps.Equal(before, s.definitions()))

	got, _ = s.install(map[string]string{"PackFile": "file://" + path, "PackSHA256": sum + "  threatfox-artifacts-0.1.0.zip\n"})
	s.Equal(would, got)
	s.Equal([]string{"Server.Import.ThreatFox"}, got["new"])
	s.Equal([]string{"Notebooks.ThreatFox"}, got["updated"])
	s.Equal([]string{"Server.Old.ThreatFox"}, got["removed"])
	s.Len(got["unchanged"], 1)
	s.NotContains(s.definitions(), "Server.Old.ThreatFox")
	s.True(now[notebook] == s.definitions()["Notebooks.ThreatFox"])

	again, _ := s.install(map[string]string{"PackFile": "file://" + path})
	s.Len(again["unchanged"], 3)
	s.Len(again, 1)
}

func (s *EngineSuite) TestArtifactsEditedByHandAreReplacedByForceAlone() {
	params := map[string]string{"PackFile": "file://" + s.zipOf(s.shortPack())}
	s.install(params)
	s.edit("Notebooks.ThreatFox", "description: |", "description: |\n  Ours.")
	s.edit("Server.Import.ThreatFox", "name: Server", "name: Custom.Server")
	s.refuses(params, `Edited by hand .*Notebooks\.ThreatFox\. Save`, "edited")
	s.refuses(map[string]string{"Action": "uninstall"}, `Edited by hand`, "edited")

	s.edit("Notebooks.ThreatFox", "\n# threatfox-pack", "\n# by hand")
	s.refuses(params, `come from somebody else: Notebooks\.ThreatFox`, "foreign")

	params["Force"] = "Y"
	got, messages := s.install(params)
	s.Equal([]string{"Notebooks.ThreatFox"}, got["updated"])
	s.Contains(messages["Notebooks.ThreatFox"], "foreign")
	s.Contains(s.definitions(), "Custom.Server.Import.ThreatFox")
}

// A copy under another name of ours has the line of the release, and looks as an edited artifact does.
func (s *EngineSuite) TestACopyOfAUsersStaysWhateverItsName() {
	params := map[string]string{"PackFile": "file://" + s.zipOf(s.shortPack()), "Force": "Y"}
	s.install(params)
	s.edit("Notebooks.ThreatFox", "name: Notebooks.ThreatFox", "name: My.Notebooks.ThreatFox")

	got, _ := s.install(map[string]string{"PackFile": params["PackFile"]})
	s.Len(got["unchanged"], 3)
	got, _ = s.install(params)
	s.Len(got["unchanged"], 3)
	s.Contains(s.definitions(), "My.Notebooks.ThreatFox")
	s.refuses(map[string]string{"Action": "uninstall"}, `Edited by hand .*: My\.Notebooks\.ThreatFox\. Save them under names that begin with Custom`, "a copy")
}

// Each is refused with a reason, and nothing is changed.
func (s *EngineSuite) TestWhatIsNotAPackIsRefused() {
	now := s.shortPack()
	pack := s.zipOf(now)
	s.install(map[string]string{"PackFile": "file://" + pack})
	written := func(content string) string {
		path := filepath.Join(s.T().TempDir(), "file.zip")
		s.Require().NoError(os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	whole := s.read(pack)
	many := maps.Clone(now)
	for n := range 60 {
		many[fmt.Sprintf("artifacts/%d.yaml", n)] = "name: X"
	}

	for about, test := range map[string][2]string{
		"a text":           {written("# not a zip"), "not a zip file, or it was cut off"},
		"empty":            {written(""), "not a zip file, or it was cut off"},
		"cut":              {written(whole[:len(whole)-1000]), "not a zip file, or it was cut off"},
		"another zip":      {s.zipOf(texts{"readme.txt": "Hello"}), "not a pack of this project: /readme.txt"},
		"of the exchange":  {s.zipOf(texts{"Notebooks.ThreatFox.yaml": now[notebook]}), `not a pack: /Notebooks\.ThreatFox\.yaml`},
		"changed":          {s.zipOf(now.with(notebook, strings.Replace(now[notebook], "Small", "Changed", 1))), "changed or damaged: /" + notebook},
		"incomplete":       {s.zipOf(now.without(notebook)), "incomplete: it has 2 of 3"},
		"mixed":            {s.zipOf(now.with(notebook, stamped(now, "0.2.0")[notebook])), "mixes releases"},
		"older":            {s.zipOf(stamped(now, "0.0.9")), `of version 0\.0\.9, older than 0\.1\.0`},
		"path":             {s.zipOf(stamped(now.with("artifacts/../../../etc/ThreatFox.yaml", now[notebook]), "0.2.0")), `not a pack: \S*/etc/ThreatFox`},
		"another's name":   {s.zipOf(stamped(now.with("artifacts/Windows/System/DNSCache.yaml", "name: Windows.System.DNSCache\n"), "0.2.0")), "not a pack: /artifacts/Windows/System/DNSCache"},
		"a user's name":    {s.zipOf(stamped(now.with("artifacts/Custom/Server/ThreatFox.yaml", small("Custom.Server.ThreatFox", "SELECT * FROM info()")), "0.2.0")), "not a pack: /artifacts/Custom/Server/ThreatFox"},
		"another case":     {s.zipOf(stamped(now.with("artifacts/Server/threatfox.yaml", small("Server.threatfox", "SELECT * FROM info()")), "0.2.0")), "not a pack: /artifacts/Server/threatfox"},
		"no YAML":          {s.zipOf(stamped(now.with("artifacts/Server/Bad/ThreatFox.yaml", "name: [Server"), "0.2.0")), "not a pack: /artifacts/Server/Bad/ThreatFox"},
		"too many files":   {s.zipOf(many), "more than 50 files"},
		"a bomb":           {s.zipOf(now.with("artifacts/Server/Bomb/ThreatFox.yaml", strings.Repeat("#", 50_000_000))), "larger than 1000000 bytes"},
		"too large":        {written(strings.Repeat("x", 4_000_001)), "larger than 4000000 bytes"},
		"a later VQL":      {s.zipOf(stamped(now.with("artifacts/Server/New/ThreatFox.yaml", small("Server.New.ThreatFox", "SELECT * FROM of_the_future()")), "0.2.0")), "does not fit this Velociraptor .*Server.New.ThreatFox.*of_the_future"},
		"a file not there": {"/nowhere/pack.zip", "could not be read"},
	} {
		s.refuses(map[string]string{"PackFile": "file://" + test[0]}, test[1], about)
	}
	s.refuses(map[string]string{}, "No file arrived in PackFile", "nothing given")
	s.refuses(map[string]string{"PackFile": "file://" + pack, "Action": "Compare"}, "Action is compare, install or uninstall, not Compare", "no action")
	s.refuses(map[string]string{"ReleaseURL": "https://me:secret@downloads.example/v1/"}, "without a name and password", "a password")
	s.refuses(map[string]string{"PackFile": "file://" + pack, "ReleaseURL": "https://downloads.example/v1"}, "not both", "two packs")
	s.refuses(map[string]string{"PackFile": "file://" + pack, "PackSHA256": strings.Repeat("0", 64)}, "not PackSHA256", "another sum")

	s.definitionsAreBuiltIn("Notebooks.ThreatFox", now[notebook])
	s.refuses(map[string]string{"PackFile": "file://" + pack}, "server's program.*Notebooks.ThreatFox", "built in")
}

// definitionsAreBuiltIn puts an artifact in as one of the server's own.
func (s *EngineSuite) definitionsAreBuiltIn(name, text string) {
	path := filepath.Join(s.T().TempDir(), name+".yaml")
	s.Require().NoError(os.WriteFile(path, []byte(text), 0o600))
	s.LoadArtifactFiles(path)
}

func (s *EngineSuite) TestADownloadIsRefusedUnlessTLSAndTheSumAreRight() {
	dist, pack := s.serverWithInstaller()
	params := s.serve(dist)
	get := func(name, value string) map[string]string {
		changed := maps.Clone(params)
		changed[name] = value
		return changed
	}
	url := params["ReleaseURL"]
	s.refuses(get("ReleaseURL", strings.Replace(url, "https", "http", 1)), "not the https address", "no TLS")
	s.refuses(get("ReleaseURL", url+"?x=1"), "not the https address", "no folder")
	s.refuses(map[string]string{"ReleaseURL": url}, "SHA256SUMS cannot be had: .*certificate", "an unknown certificate")
	s.refuses(get("ReleaseURL", url+"v9"), "SHA256SUMS cannot be had: the server answers 404", "no such release")
	s.refuses(get("ReleaseURL", url+"exchange"), "cannot be had: the server answers 404", "another folder")

	whole := s.read(pack)
	s.Require().NoError(os.WriteFile(pack, []byte(whole[:len(whole)-10]), 0o600))
	s.refuses(params, "as in SHA256SUMS: it was cut off or changed", "cut")
	s.Require().NoError(os.WriteFile(pack, []byte(whole+strings.Repeat("x", 5_000_000)), 0o600))
	s.refuses(params, "larger than 4000000 bytes|as in SHA256SUMS: it was cut off or changed", "too large: no more is read")
	s.Require().NoError(os.Remove(pack))
	s.refuses(params, `zip cannot be had: the server answers 404`, "no pack")
	sums := filepath.Join(dist, "SHA256SUMS")
	s.Require().NoError(os.WriteFile(sums, []byte("<html>Log in</html>"), 0o600))
	s.refuses(params, "SHA256SUMS names no threatfox-artifacts", "a page")

	other := s.zipOf(stamped(s.textsOf(s.zipOf(texts{"artifacts/Server/Import/ThreatFox/Pack.yaml": s.definitions()[installer]})), "0.3.0"))
	name := "threatfox-artifacts-0.2.0.zip"
	s.Require().NoError(os.WriteFile(filepath.Join(dist, name), []byte(s.read(other)), 0o600))
	s.Require().NoError(os.WriteFile(sums, fmt.Appendf(nil, "%x  %s\n", sha256.Sum256([]byte(s.read(other))), name), 0o600))
	s.refuses(params, `of version 0\.3\.0, not 0\.2\.0 as its name says`, "another version")
}
