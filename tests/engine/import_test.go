package engine

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/vtesting"
)

const importFeed = "Server.Import.ThreatFox"

// refreshed is the row of Server.Import.ThreatFox.
type refreshed struct {
	Status, Message, Version, SHA256 string
	FeedSource                       string
	Keys, Read, Kept, Bytes          int
	KeysByKind, Dropped              map[string]int
	NewestActivity                   string
	Deleted                          []string
	Parts                            []partOfFeed
	StaleParts                       []string
}

// refresh collects Server.Import.ThreatFox from this API with theKey, unless the parameters say another.
func (s *EngineSuite) refresh(api *threatfoxAPI, params map[string]string) (row refreshed, got collection) {
	s.T().Helper()
	all := map[string]string{"ApiURL": api.URL, "ExportURL": api.URL, "AuthKey": theKey, "AllowPrivate": "Y"}
	for name, value := range params {
		all[name] = value
	}
	got = s.collectOnServer(importFeed, all)
	s.NotContains(got.rows+got.logs+got.failed, theKey)
	s.Require().NoError(json.Unmarshal([]byte(got.rows), &row), got.rows)
	return row, got
}

// mustRefresh is a refresh that leaves no error and no bad log line.
func (s *EngineSuite) mustRefresh(api *threatfoxAPI, params map[string]string) refreshed {
	s.T().Helper()
	row, got := s.refresh(api, params)
	s.Empty(got.failed)
	s.NotRegexp(badLog, strings.ReplaceAll(got.logs, "Tool ThreatFoxFeed not declared in inventory", ""))
	return row
}

// answer has the API give another answer from now on.
func (a *threatfoxAPI) answer(body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.body = body
}

// versions are those of a tool in the inventory, with their hashes.
func (s *EngineSuite) versions(tool string) map[string]string {
	found := map[string]string{}
	for _, row := range s.rowsOf(s.query(
		`SELECT version AS V, hash AS H FROM inventory() WHERE name = Tool AND H`,
		ordereddict.NewDict().Set("Tool", tool))) {
		found[row["V"]] = row["H"]
	}
	return found
}

// cacheExpires has the next refresh ask again.
func (s *EngineSuite) cacheExpires() {
	s.Require().NoError(os.RemoveAll(filepath.Join(s.serverFolder(), "cache")))
}

func (s *EngineSuite) TestARefreshPublishesAFeedAndSaysWhatIsInIt() {
	s.publishHelper()
	api := s.serveThreatfox(iocs(
		[2]string{"ip:port", "203.0.113.7:4443"},
		[2]string{"domain", "c2.bad-domain.example"},
		[2]string{"domain", "not a domain"}))

	row := s.mustRefresh(api, nil)

	s.Equal("published", row.Status)
	s.Regexp(`^1\.0\.\d{10}$`, row.Version)
	s.Equal(map[string]int{"ip": 1, "domain": 1}, row.KeysByKind)
	s.Equal([]int{3, 2, 2}, []int{row.Read, row.Kept, row.Keys})
	s.Len(row.Dropped, 1)
	s.NotZero(row.Bytes)
	s.Equal("2026-11-24T10:00:00Z", row.NewestActivity)
	s.Equal(map[string]string{row.Version: row.SHA256}, s.versions("ThreatFoxFeed"))
	s.Equal([]string{`{"days":7,"query":"get_iocs"}`}, api.asked())
}

func (s *EngineSuite) TestAnUnchangedFeedIsNotPublishedAgain() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	first := s.mustRefresh(api, nil)
	s.cacheExpires()

	second := s.mustRefresh(api, nil)

	s.Equal("unchanged", second.Status)
	s.Equal(first.Version, second.Version)
	s.Len(s.versions("ThreatFoxFeed"), 1)
	s.Len(api.asked(), 2, "one request a refresh")
}

// The issue that hunts pin a tool's hash when they are created: an overwritten file breaks them.
func (s *EngineSuite) TestAChangedFeedIsANewVersionAndAnOldHuntStillGetsItsOwn() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	first := s.mustRefresh(api, nil)
	old := s.launchHunt()
	api.answer(iocs([2]string{"domain", "c2.bad-domain.example"}, [2]string{"domain", "c3.bad-domain.example"}))
	s.cacheExpires()

	second := s.mustRefresh(api, nil)

	s.Equal("published", second.Status)
	s.NotEqual(first.Version, second.Version)
	s.Equal(first.SHA256, s.feedOfHunt(old))
	s.Equal(second.SHA256, s.feedOfHunt(s.launchHunt()))
}

// launchHunt creates a hunt and returns its id.
func (s *EngineSuite) launchHunt() string {
	return s.rowsOf(s.query(
		`SELECT hunt(artifacts="Windows.Detection.ThreatFox", expires=now() + 3600).HuntId AS Id FROM scope()`, nil))[0]["Id"]
}

// feedOfHunt downloads the feed as a client of this hunt does and returns its hash.
func (s *EngineSuite) feedOfHunt(id string) string {
	s.T().Helper()
	url := s.rowsOf(s.query(`
SELECT value AS URL
FROM foreach(row={
    SELECT start_request.compiled_collector_args[0].env AS Env FROM hunts(hunt_id=Id)
  }, query={ SELECT * FROM foreach(row=Env) })
WHERE key = "Tool_ThreatFoxFeed_URL"`, ordereddict.NewDict().Set("Id", id)))[0]["URL"]
	response, err := http.Get(url)
	s.Require().NoError(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	s.Require().NoError(err)
	return fmt.Sprintf("%x", sha256.Sum256(body))
}

func (s *EngineSuite) TestFilesThatNoHuntNeedsAnyMoreAreDeleted() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "new.bad-domain.example"}))
	daysAgo := func(days int) string { return fmt.Sprintf("1.0.%d", time.Now().Unix()-int64(days)*86400) }
	var versions []string
	hunts := map[int]string{}
	for i, days := range []int{30, 20, 10, 9, 2} {
		feed := s.normalize(s.writeExport([][2]string{{"domain", fmt.Sprintf("c2-%d.bad-domain.example", i)}}))
		versions = append(versions, daysAgo(days))
		s.publish("ThreatFoxFeed", feed, versions[i])
		if days == 20 {
			hunts[days] = s.launchHunt()
		}
	}

	row := s.mustRefresh(api, map[string]string{"KeepDays": "7"})

	s.Equal([]string{versions[0], versions[2]}, row.Deleted)
	s.Equal(s.versions("ThreatFoxFeed")[versions[1]], s.feedOfHunt(hunts[20]))
	s.cacheExpires()
	s.Empty(s.mustRefresh(api, map[string]string{"KeepDays": "7"}).Deleted)
}

func (s *EngineSuite) TestAFeedThatShrinksByMoreThanHalfIsRefusedUnlessForced() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c1.bad-domain.example"},
		[2]string{"domain", "c2.bad-domain.example"}, [2]string{"domain", "c3.bad-domain.example"}))
	first := s.mustRefresh(api, nil)
	api.answer(iocs([2]string{"domain", "c1.bad-domain.example"}))
	s.cacheExpires()

	row, got := s.refresh(api, nil)
	s.Equal("refused", row.Status)
	s.Contains(got.failed, "Force")
	s.Equal(map[string]string{first.Version: first.SHA256}, s.versions("ThreatFoxFeed"))

	s.Equal("published", s.mustRefresh(api, map[string]string{"Force": "Y"}).Status)
}

func (s *EngineSuite) TestTwoRefreshesAtOnceAskOnceAndPublishOneFeed() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))

	var wait sync.WaitGroup
	rows := make([]refreshed, 2)
	for i := range rows {
		wait.Add(1)
		go func() {
			defer wait.Done()
			rows[i] = s.mustRefresh(api, nil)
		}()
	}
	wait.Wait()

	s.Len(api.asked(), 1)
	s.Equal(rows[0].SHA256, rows[1].SHA256)
	s.Contains(rows[0].Status+rows[1].Status, "published")
	for _, hash := range s.versions("ThreatFoxFeed") {
		s.Equal(rows[0].SHA256, hash)
	}
}

func (s *EngineSuite) TestAnUploadedExportMakesTheFeedWithoutANetwork() {
	s.publishHelper()
	api := s.serveThreatfox("")

	row := s.mustRefresh(api, map[string]string{
		"ExportFile": "file://" + sample(s.T(), "threatfox/recent-2026-03-15.csv")})

	s.Equal("published", row.Status)
	s.Greater(row.Keys, 1000)
	s.Empty(api.asked())
}

func (s *EngineSuite) TestARefreshUsesASecret() {
	s.grantSecret(s.publishHelper(), "admin")
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))

	row := s.mustRefresh(api, map[string]string{"Secret": "ThreatFox", "AuthKey": ""})

	s.Equal("published", row.Status)
}

func (s *EngineSuite) TestARefreshLeavesOutWhatThePolicyNamesAndWhatAbuseChRemoved() {
	s.publishHelper()
	api := s.serveThreatfox(iocs(
		[2]string{"domain", "c2.bad-domain.example"},
		[2]string{"domain", "intranet.example"},
		[2]string{"domain", "removed.example"}))
	removed := s.serveThreatfox(`{"1":{"time_stamp":"2026-11-24 12:00:00 UTC","platform":"ThreatFox",` +
		`"entry_type":"domain","entry_value":"removed.example","removed_by":"admin","removal_notes":"Not malicious"}}`)

	row := s.mustRefresh(api, map[string]string{
		"Policy":         "ignore:\n  domains: [intranet.example]\n",
		"FalsePositives": "Y",
		"HuntingURL":     removed.URL})

	s.Equal(map[string]int{"domain": 1}, row.KeysByKind)
	s.Equal(map[string]int{"policy": 1, "false_positive": 1}, row.Dropped)
	s.Len(removed.asked(), 1)
}

func (s *EngineSuite) TestAPolicyThatIsNotUnderstoodStopsTheRefreshWithItsLine() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))

	row, got := s.refresh(api, map[string]string{"Policy": "ignore:\n  domain: [intranet.example]\n"})

	s.Equal("failed", row.Status)
	s.Regexp(`(?s)unknown field .domain..* at line 2.*parameter Policy`, got.failed)
}

// grantSecret adds the Execve secret ThreatFox, which runs the helper with theKey, and shares it.
func (s *EngineSuite) grantSecret(helper, user string) {
	s.query(`
LET _ <= secret_add(type="Execve Secrets", name="ThreatFox", secret=dict(
    prefix_commandline=Helper, env="THREATFOX_AUTH_KEY: " + Key))
SELECT secret_modify(type="Execve Secrets", name="ThreatFox", add_users=User)
FROM scope()`, ordereddict.NewDict().Set("Helper", helper).Set("Key", theKey).Set("User", user))
}

// A client's event table names the feed's version that was newest when the table was made.
func (s *EngineSuite) TestClientEventTablesTakeTheNewFeedWhenAsked() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.LoadArtifacts(`
name: Custom.Watch.ThreatFox
type: CLIENT_EVENT
tools:
  - name: ThreatFoxFeed
sources:
  - query: SELECT * FROM info()
`)
	s.mustRefresh(api, nil)
	s.query(`SELECT add_client_monitoring(artifact="Custom.Watch.ThreatFox", label="all") FROM scope()`, nil)
	manager, err := services.ClientEventManager(s.ConfigObj)
	s.Require().NoError(err)
	table := func() string {
		message := manager.GetClientUpdateEventTableMessage(s.Ctx, s.ConfigObj, "C.1")
		text, err := json.Marshal(message)
		s.Require().NoError(err)
		return string(text)
	}

	for _, update := range []string{"N", "Y"} {
		api.answer(iocs([2]string{"domain", "of-" + update + ".bad-domain.example"}))
		s.cacheExpires()
		row := s.mustRefresh(api, map[string]string{"UpdateEventTables": update})
		s.Equal("published", row.Status)
		if update == "N" {
			s.NotContains(table(), row.SHA256)
			continue
		}
		vtesting.WaitUntil(10*time.Second, s.T(), func() bool { return strings.Contains(table(), row.SHA256) })
	}
}
