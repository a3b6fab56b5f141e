package engine

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/acls"
	acl_proto "www.velocidex.com/golang/velociraptor/acls/proto"
	config_proto "www.velocidex.com/golang/velociraptor/config/proto"
	"www.velocidex.com/golang/velociraptor/services"
)

// publishScript puts a shell script in the helper's place.
func (s *EngineSuite) publishScript(script string) {
	path := filepath.Join(s.T().TempDir(), "threatfox")
	s.Require().NoError(os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700))
	s.servePublic()
	s.publish("ThreatFoxHelper_linux_amd64", path, "9.0.0")
}

// publishedFeed refreshes once, well, and returns what was published.
func (s *EngineSuite) publishedFeed() map[string]string {
	s.publishHelper()
	s.mustRefresh(s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"})), nil)
	s.cacheExpires()
	return s.versions("ThreatFoxFeed")
}

func (s *EngineSuite) TestARefreshThatFailsSaysWhyAndLeavesTheFeed() {
	before := s.publishedFeed()
	api := s.serveThreatfox(iocs([2]string{"domain", "c3.bad-domain.example"}))
	page := filepath.Join(s.T().TempDir(), "page.html")
	s.Require().NoError(os.WriteFile(page, []byte("<html><title>Log in</title></html>"), 0o600))

	for name, test := range map[string]struct {
		params map[string]string
		cause  string
	}{
		"wrong key":            {map[string]string{"AuthKey": "fedcba9876543210-a-wrong-key"}, "refused the Auth-Key.*In Velociraptor the key comes from"},
		"no key":               {map[string]string{"AuthKey": "", "Source": "api"}, "needs an Auth-Key.*In Velociraptor the key comes from"},
		"too many days":        {map[string]string{"Days": "9", "Source": "api"}, "1 to 7 days, not 9"},
		"unknown secret":       {map[string]string{"Secret": "Nobody's"}, "Execve secret \"Nobody's\": does it exist, is it shared with admin"},
		"an upload of HTML":    {map[string]string{"ExportFile": "file://" + page}, "web page"},
		"an upload that fails": {map[string]string{"ExportFile": "http://127.0.0.1:1/export.csv"}, "connection refused"},
		"no number":            {map[string]string{"MinConfidence": "101"}, "min-confidence"},
	} {
		row, got := s.refresh(api, test.params)

		s.Equal("failed", row.Status, name)
		s.Regexp("(?s)"+test.cause, row.Message, name)
		s.Regexp("(?s)"+test.cause, got.failed, name)
		s.Equal(before, s.versions("ThreatFoxFeed"), name)
	}
}

func (s *EngineSuite) TestAHelperThatFailsLeavesTheFeed() {
	before := s.publishedFeed()
	api := s.serveThreatfox("")

	for script, want := range map[string][2]string{
		`echo "threatfox: the disk is full" >&2; exit 1`:                  {"failed", "the disk is full"},
		`echo "error: unexpected argument '--summary' found" >&2; exit 2`: {"failed", "of another version than these artifacts"},
		`echo "threatfox: refused: 1 key, 10 before" >&2; exit 3`:         {"refused", "1 key, 10 before"},
		`kill -9 $$`:                        {"failed", "ended with code -1 and said nothing"},
		`exit 0`:                            {"failed", "does not fit the feed"},
		`echo '{"rows":5,"sha256":"12'`:     {"failed", "does not fit the feed"},
		`echo '{"rows":5,"sha256":"1234"}'`: {"failed", "does not fit the feed"},
	} {
		s.publishScript(script)

		row, got := s.refresh(api, nil)

		s.Equal(want[0], row.Status, script)
		s.Contains(row.Message, want[1], script)
		s.Contains(got.failed, want[1], script)
		s.Equal(before, s.versions("ThreatFoxFeed"), script)
	}
}

func (s *EngineSuite) TestARefreshWithoutTheHelperSaysHowToPutItIn() {
	row, got := s.refresh(s.serveThreatfox(""), nil)

	s.Equal("failed", row.Status)
	s.Contains(got.failed, "the tool ThreatFoxHelper_linux_amd64 is not in the inventory (put it there with Server.Import.ThreatFox.Helper)")
}

// A copy that another refresh is making must be neither run nor written over before it is whole.
func (s *EngineSuite) TestARefreshWaitsForTheCopyOfTheHelperThatAnotherIsMaking() {
	helper, err := os.ReadFile(s.publishHelper())
	s.Require().NoError(err)
	s.Require().NoError(os.Mkdir(s.serverFolder(), 0o700))
	copied, err := os.OpenFile(filepath.Join(s.serverFolder(), "threatfox"), os.O_CREATE|os.O_WRONLY, 0o700)
	s.Require().NoError(err)
	_, err = copied.Write(helper[:1000])
	s.Require().NoError(err)
	go func() {
		time.Sleep(500 * time.Millisecond)
		_, _ = copied.Write(helper[1000:])
		_ = copied.Close()
	}()

	row := s.mustRefresh(s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"})), nil)

	s.Equal("published", row.Status)
}

func (s *EngineSuite) TestASecretThatIsNotSharedIsRefused() {
	s.grantSecret(s.publishHelper(), "somebody")

	row, _ := s.refresh(s.serveThreatfox(""), map[string]string{"Secret": "ThreatFox", "AuthKey": ""})

	s.Equal("failed", row.Status)
	s.Contains(row.Message, "is it shared with admin")
}

func (s *EngineSuite) TestARefreshWorksWhereVQLMustUseSecrets() {
	helper := s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.ConfigObj.Security = &config_proto.Security{VqlMustUseSecrets: true}
	s.T().Cleanup(func() { s.ConfigObj.Security = nil })

	row, _ := s.refresh(api, nil)
	s.Equal("failed", row.Status)
	s.Contains(row.Message, "vql_must_use_secrets, which takes a Secret")

	s.grantSecret(helper, "admin")
	s.Equal("published", s.mustRefresh(api, map[string]string{"Secret": "ThreatFox", "AuthKey": ""}).Status)

	row, _ = s.refresh(api, map[string]string{"Secret": "ThreatFox", "ExportFile": "file://" + sample(s.T(), "threatfox/recent-2026-03-15.csv")})
	s.Equal("failed", row.Status)
	s.Contains(row.Message, "ExportFile could not be read")
}

func (s *EngineSuite) TestARefreshIsRefusedWithoutTheRightToRunPrograms() {
	s.Require().NoError(services.GrantRoles(s.ConfigObj, "investigator", []string{"investigator"}))
	_, logs := s.queryAs("investigator", `SELECT * FROM Artifact.Server.Import.ThreatFox()`)
	s.Contains(logs, "PermissionDenied: While collecting artifact (Server.Import.ThreatFox) permission denied EXECVE")

	acls.SetLockdownToken(&acl_proto.ApiClientACL{Execve: true, ServerAdmin: true})
	s.T().Cleanup(func() { acls.SetLockdownToken(nil) })
	_, logs = s.queryAs("VelociraptorServer", `SELECT * FROM Artifact.Server.Import.ThreatFox()`)
	s.Contains(logs, "Server locked down: While collecting artifact (Server.Import.ThreatFox) permission denied EXECVE")
}

func (s *EngineSuite) TestAnInventoryEditedByHandIsMended() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	first := s.mustRefresh(api, nil)

	for name, edit := range map[string]string{
		"another file": `SELECT inventory_add(tool="ThreatFoxFeed", file=Other, version=Version) FROM scope()`,
		"another hash": `SELECT inventory_add(tool="ThreatFoxFeed", hash="12", version=Version) FROM scope()`,
		"a deleted file": `
SELECT file_store_delete(path="/public/" + inventory_get(tool="ThreatFoxFeed").Definition.filestore_path) FROM scope()`,
	} {
		s.query(edit, ordereddict.NewDict().Set("Version", first.Version).
			Set("Other", s.normalize(s.writeExport([][2]string{{"domain", "other.bad-domain.example"}}))))

		row, got := s.refresh(api, nil)

		s.Empty(got.failed, name)
		s.Equal("published", row.Status, name)
		s.NotEqual(first.Version, row.Version, name)
		s.Equal(first.SHA256, s.feedOfHunt(s.launchHunt()), name)
		first = row
	}
}

func (s *EngineSuite) TestAFileThatIsNoFeedIsReplacedOnlyByForce() {
	s.publishHelper()
	s.publish("ThreatFoxFeed", s.writeGzip("threatfox-feed.csv.gz", "name,address\n"), "1.0.5")
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))

	row, _ := s.refresh(api, nil)
	s.Equal("refused", row.Status)
	s.Contains(row.Message, "parameter Force")

	s.Equal("published", s.mustRefresh(api, map[string]string{"Force": "Y"}).Status)
}

func (s *EngineSuite) TestAHigherVersionAddedByHandIsReported() {
	s.publishHelper()
	s.publish("ThreatFoxFeed", s.normalize(s.writeExport([][2]string{{"domain", "other.bad-domain.example"}})), "2.0.0")

	row, _ := s.refresh(s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"})), nil)

	s.Equal("failed", row.Status)
	s.Contains(row.Message, "velociraptor tools rm ThreatFoxFeed")
}

func (s *EngineSuite) TestAHuntIsRefusedUntilAFeedIsPublished() {
	_, logs := s.queryWithLogs(`SELECT hunt(artifacts="Windows.Detection.ThreatFox") FROM scope()`, nil)

	s.Contains(logs, "Tool ThreatFoxFeed has no url defined - upload it manually")
}

// What a server that stops leaves behind must not hinder the next refresh.
func (s *EngineSuite) TestARefreshThatIsCutOffInTheMiddleCanBeDoneAgain() {
	s.publishHelper()
	asked, done := make(chan bool), make(chan bool)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"query_status":"ok","data":[`)
		w.(http.Flusher).Flush()
		asked <- true
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}))
	s.T().Cleanup(slow.Close)
	s.T().Cleanup(func() { close(done) })

	ended := make(chan bool)
	stop := s.startQuery(`SELECT * FROM Artifact.Server.Import.ThreatFox(ApiURL=URL, AuthKey="0123456789abcdef0123456789")`,
		ordereddict.NewDict().Set("URL", slow.URL+"/"), ended)
	<-asked
	stop()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		s.FailNow("the query does not end")
	}
	s.Empty(s.versions("ThreatFoxFeed"))

	row := s.mustRefresh(s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"})), nil)

	s.Equal("published", row.Status)
}

func (s *EngineSuite) TestTheHelperIsPutIntoTheInventory() {
	helper := "file://" + s.helper()
	script := filepath.Join(s.T().TempDir(), "script")
	s.Require().NoError(os.WriteFile(script, []byte("#!/bin/sh\necho threatfox 0.1.0\n"), 0o700))
	elf, err := os.ReadFile("/bin/true")
	s.Require().NoError(err)
	other := filepath.Join(s.T().TempDir(), "true")
	s.Require().NoError(os.WriteFile(other, elf, 0o700))
	exe := filepath.Join(s.T().TempDir(), "threatfox.exe")
	s.Require().NoError(os.WriteFile(exe, []byte("MZ, and so on"), 0o700))
	changed := filepath.Join(s.T().TempDir(), "changed.exe")
	s.Require().NoError(os.WriteFile(changed, []byte("MZ, and otherwise"), 0o700))

	for _, test := range []struct{ name, file, hash, version, says string }{
		{"wrong hash", helper, strings.Repeat("ab", 32), "", `"failed".*has the SHA-256 [0-9a-f]+, not abab`},
		{"wrong version", helper, "", "9.9.9", `"failed".*is version \d+\.\d+\.\d+, not 9.9.9`},
		{"the server's", helper, "", "", `"published".*"ThreatFoxHelper_linux_amd64"`},
		{"again", helper, "", "", `"unchanged"`},
		{"a script", "file://" + script, "", "", `"failed".*no program for Linux`},
		{"another program", "file://" + other, "", "", `"failed".*it is not threatfox`},
		{"nothing", "", "", "", `"failed".*No file arrived in HelperFile: choose it and press Upload`},
		{"Windows' without a version", "file://" + exe, "", "", `"failed".*give it in HelperVersion`},
		{"Windows'", "file://" + exe, "", "0.1.0", `"published".*"ThreatFoxHelper_windows_amd64"`},
		{"another content", "file://" + changed, "", "0.1.0", `"failed".*another program needs another version`},
		{"an older one", "file://" + changed, "", "0.0.9", `"failed".*serves version 0.1.0`},
	} {
		got := s.collectOnServer("Server.Import.ThreatFox.Helper", map[string]string{
			"HelperFile": test.file, "HelperSHA256": test.hash, "HelperVersion": test.version})

		s.Regexp(test.says, got.rows, test.name)
		s.Equal(strings.Contains(test.says, "failed"), got.failed != "", test.name)
	}
}
