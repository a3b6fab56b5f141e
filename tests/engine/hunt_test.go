package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sebdah/goldie/v2"
)

const hunt = "Windows.Detection.ThreatFox"

// hunt publishes a feed as the tool ThreatFoxFeed, runs the hunt as a client does, the download of
// the tool included, and fails on a bad log line.
func (s *EngineSuite) hunt(feed, evtx string, more map[string]string) collection {
	s.T().Helper()
	got := s.huntThatMayFail(feed, evtx, more)
	s.Empty(got.failed)
	s.NotRegexp(badLog, got.logs)
	return got
}

func (s *EngineSuite) huntThatMayFail(feed, evtx string, more map[string]string) collection {
	s.T().Helper()
	s.servePublic()
	s.publish("ThreatFoxFeed", feed, "1.0.1")
	params := map[string]string{"EvtxGlob": evtx, "MinStrength": "weak", "DownloadDelay": "0"}
	for name, value := range more {
		params[name] = value
	}
	return s.collect(hunt, params)
}

// hits are the rows of the source Hits.
func (s *EngineSuite) hits(got collection) (rows []map[string]any) {
	for _, line := range strings.Split(strings.TrimSpace(got.source["Hits"]), "\n") {
		if line == "" {
			continue
		}
		row := map[string]any{}
		s.Require().NoError(json.Unmarshal([]byte(line), &row))
		rows = append(rows, row)
	}
	return rows
}

// edgeFeed is a feed of the 23 indicators of the log with an answer key.
func (s *EngineSuite) edgeFeed() string {
	var indicators [][2]string
	for _, row := range s.readTable("evtx/synth-edge-shared.indicators.csv") {
		indicators = append(indicators, [2]string{row["indicator_kind"], row["indicator"]})
	}
	return s.normalize(s.writeExport(indicators))
}

func (s *EngineSuite) edgeLog() string { return sample(s.T(), "evtx/synth-edge-shared.evtx") }

func (s *EngineSuite) TestHuntFindsExactlyTheRowsOfTheAnswerKey() {
	var want, got []string
	for _, row := range s.readTable("evtx/synth-edge-shared.key.csv") {
		if row["expect"] == "match" {
			want = append(want, fmt.Sprintf("%s %s %s", row["record_id"], row["match_kind"], row["strength"]))
		}
	}

	result := s.hunt(s.edgeFeed(), s.edgeLog(), nil)

	for _, hit := range s.hits(result) {
		got = append(got, fmt.Sprintf("%v %v %v", hit["RecordID"], hit["Match"], hit["Strength"]))
	}
	s.Len(want, 46)
	// The key is older than the role of a referrer, which record 62 has.
	s.Equal(want, slices.DeleteFunc(slices.Clone(got), func(hit string) bool { return hit == "62 referrer domain medium" }))
	s.Len(got, 47)

	goldie.New(s.T(), goldie.WithFixtureDir("testdata/golden"), goldie.WithNameSuffix(".jsonl")).Assert(
		s.T(), "hunt_edge", []byte(strings.ReplaceAll(result.source["Hits"], quoted(s.edgeLog()), `"/synth-edge-shared.evtx"`)))
}

// Of the API and of VQL anything may come: what is no strength must not be silence.
func (s *EngineSuite) TestAStrengthThatIsNoneReportsAllHitsAndSaysSo() {
	hits := func(strength string) (int, string) {
		got := s.huntThatMayFail(s.edgeFeed(), s.edgeLog(), map[string]string{"MinStrength": strength})
		return len(s.hits(got)), got.logs
	}
	weak, _ := hits("weak")
	medium, _ := hits("medium")
	s.Greater(weak, medium)

	capital, _ := hits("Medium")
	misspelt, said := hits("mediun")

	s.Equal(medium, capital)
	s.Equal(weak, misspelt)
	s.Contains(said, "not mediun: all hits are reported")
}

func (s *EngineSuite) TestHuntHidesWeakMatchesByDefault() {
	got := s.hunt(s.edgeFeed(), s.edgeLog(), map[string]string{"MinStrength": "medium"})
	s.Len(s.hits(got), 46)
	s.NotContains(got.source["Hits"], "fault")
}

func (s *EngineSuite) TestIgnoreRegexLeavesOutANoisyAddress() {
	got := s.hunt(s.edgeFeed(), s.edgeLog(), map[string]string{"IgnoreRegex": `^203\.0\.113\.7`})
	for _, hit := range s.hits(got) {
		s.NotEqual("203.0.113.7:4443", hit["IOC"])
	}
	s.Len(s.hits(got), 31)
}

func (s *EngineSuite) TestDatesLimitTheEvents() {
	got := s.hunt(s.edgeFeed(), s.edgeLog(), map[string]string{"DateAfter": "2026-11-18T08:01:00Z"})
	s.NotEmpty(s.hits(got))
	for _, hit := range s.hits(got) {
		s.GreaterOrEqual(hit["Time"], "2026-11-18T08:01:00Z")
	}
}

func (s *EngineSuite) TestMalwareRegexAndMinConfidenceChooseIndicators() {
	got := s.huntThatMayFail(s.edgeFeed(), s.edgeLog(), map[string]string{"MalwareRegex": "Sliver"})
	s.Contains(got.failed, "No indicator of")
}

func (s *EngineSuite) TestSummaryCountsEventsByProcessAndIndicator() {
	got := s.hunt(s.edgeFeed(), s.edgeLog(), nil)
	s.Contains(got.source["Summary"], `"IOC":"c2.bad-domain.example"`)
	s.Contains(got.source["Summary"], `"Count":4`)
}

func (s *EngineSuite) TestCoverageCountsTheEventsReadById() {
	got := s.hunt(s.edgeFeed(), s.edgeLog(), nil)
	s.Contains(got.source["Coverage"], `"3":61`) // 63 in the key, one of Linux-Sysmon and one of another provider
	s.Contains(got.source["Coverage"], `"Status":"searched"`)
	s.Contains(got.source["Coverage"], `"FeedVersion":"1.0.1"`)
}

func (s *EngineSuite) TestALogBehindALinkIsReadToItsEnd() {
	log := sample(s.T(), "evtx/sysmon6-issue_43.evtx")
	link := filepath.Join(s.tempDir(), "link.evtx")
	s.Require().NoError(os.Symlink(log, link))
	feed := s.edgeFeed()

	want := s.hunt(feed, log, nil).source["Coverage"]
	got := s.hunt(feed, link, nil).source["Coverage"]

	s.Contains(want, `"1":356,`)
	s.Equal(strings.ReplaceAll(want, log, link), got)
}

func (s *EngineSuite) TestTheHuntReadsTheEventsBehindUnusedMegabytesOfALog() {
	path := s.largeLog(300 << 20)
	feed := s.edgeFeed()

	want := s.hunt(feed, s.edgeLog(), nil).source["Hits"]
	got := s.hunt(feed, path, nil).source["Hits"]

	s.NotEmpty(want)
	s.Equal(strings.ReplaceAll(want, s.edgeLog(), path), got)
}

// The values and counts come from a list made without VQL.
func (s *EngineSuite) TestHuntFindsEveryKnownAddressOfARealLog() {
	var indicators [][2]string
	want := map[string]int{}
	for _, row := range s.readTable("evtx/known-values.csv") {
		if row["file"] == "sysmon6-issue_43.evtx" && row["kind"] == "eid3_dst_ip_public" && !strings.Contains(row["value"], ":") {
			indicators = append(indicators, [2]string{"ip:port", row["value"] + ":1"})
			var count int
			_, err := fmt.Sscan(row["count"], &count)
			s.Require().NoError(err)
			want[row["value"]] = count
		}
	}
	s.Require().Len(want, 34)

	got := map[string]int{}
	for _, hit := range s.hits(s.hunt(s.normalize(s.writeExport(indicators)),
		sample(s.T(), "evtx/sysmon6-issue_43.evtx"), nil)) {
		if hit["Direction"] == "outbound" {
			got[hit["Observable"].(string)]++
		}
	}
	s.Equal(want, got)
}

func (s *EngineSuite) TestAnEmptyHostNameMatchesNothing() {
	feed := s.normalize(s.writeExport([][2]string{{"domain", "unrelated.example"}}))
	for _, log := range []string{"sysmon6-issue_43", "otrf-covenant-dcom-iertutil", "otrf-metasploit-sharpdump"} {
		s.Empty(s.hits(s.hunt(feed, sample(s.T(), "evtx/"+log+".evtx"), nil)), log)
	}
}

func (s *EngineSuite) TestARealExportHasNoHitInAnyRealLogOfYearsBefore() {
	feed := s.normalize(sample(s.T(), "threatfox/recent-2026-03-15.csv"))
	got := s.huntThatMayFail(feed, sample(s.T(), "evtx")+"/*.evtx", nil)
	s.Empty(got.failed)
	for _, hit := range s.hits(got) {
		s.Contains(hit["LogFile"], "synth-edge", "a log that was made for this project may hold anything")
	}
	s.Equal(8, strings.Count(got.source["Coverage"], `"LogFile"`), "seven logs, one of two providers")
}

func (s *EngineSuite) TestAnUnreadableLogIsReportedAndTheOthersAreSearched() {
	folder := s.tempDir()
	edge, err := os.ReadFile(s.edgeLog())
	s.Require().NoError(err)
	other, err := os.ReadFile(sample(s.T(), "evtx/not-sysmon-security-1-record.evtx"))
	s.Require().NoError(err)
	for name, data := range map[string][]byte{
		"edge.evtx": edge, "empty.evtx": nil, "text.evtx": []byte("no log"),
		"cut.evtx": edge[:100_000], "security.evtx": other,
	} {
		s.Require().NoError(os.WriteFile(filepath.Join(folder, name), data, 0o600))
	}

	got := s.huntThatMayFail(s.edgeFeed(), folder+"/*.evtx", nil)

	s.Empty(got.failed)
	for _, name := range []string{"empty", "text", "security"} {
		s.Regexp(name+`\.evtx: no event of the rules was read`, got.logs)
	}
	whole, cut := 0, 0
	for _, hit := range s.hits(got) {
		switch filepath.Base(hit["LogFile"].(string)) {
		case "edge.evtx":
			whole++
		case "cut.evtx":
			cut++
		}
	}
	s.Equal(47, whole+cut) // what both hold counts once
	s.NotZero(cut)
	s.NotZero(whole)
	for _, name := range []string{"edge", "empty", "text", "cut", "security"} {
		s.Contains(got.source["Coverage"], name+".evtx")
	}
}

func (s *EngineSuite) TestAHuntThatSearchedNothingFails() {
	for name, test := range map[string]struct{ evtx, says string }{
		"no log":     {filepath.Join(s.tempDir(), "*.evtx"), "No log matches"},
		"not Sysmon": {sample(s.T(), "evtx/not-sysmon-security-1-record.evtx"), "No event of the rules was read"},
	} {
		got := s.huntThatMayFail(s.edgeFeed(), test.evtx, nil)
		s.Contains(got.failed, test.says, name)
		s.Empty(s.hits(got), name)
	}
}

func (s *EngineSuite) TestAHuntWithAnotherFileForAFeedFails() {
	other := filepath.Join(s.tempDir(), "other.csv")
	s.Require().NoError(os.WriteFile(other, []byte("key,ioc\n203.0.113.7,x\n"), 0o600))
	got := s.huntThatMayFail(other, s.edgeLog(), nil)
	s.Contains(got.failed, "is not a feed of this pack's version: it lacks the columns key, kind, ioc, ioc_type, regex")
	s.Contains(got.source["Coverage"], "not searched")

	empty := filepath.Join(s.tempDir(), "empty.csv")
	s.Require().NoError(os.WriteFile(empty, nil, 0o600))
	s.NotEmpty(s.huntThatMayFail(empty, s.edgeLog(), nil).failed)
}

// rand() of a negative number ends the whole process, a client's or the server's.
func (s *EngineSuite) TestADelayThatIsNegativeIsNone() {
	s.publish("ThreatFoxFeed", s.edgeFeed(), "1.0.2")
	s.servePublic()
	s.publishHelper()
	s.Empty(s.collect(hunt, map[string]string{"EvtxGlob": s.edgeLog(), "DownloadDelay": "-1", "MaxFeedAge": "0"}).failed)
	rows, _ := s.monitorExports(s.serveExports(threeSources), 2, map[string]string{"JitterSeconds": "-1", "RefreshMinutes": "0.01", "Source": "full"})
	s.Len(rows, 2)
}

// As CHANGELOG.md promises: a later version may put a column behind the last one.
func (s *EngineSuite) TestTheHuntReadsAFeedThatALaterVersionMade() {
	later := filepath.Join(s.tempDir(), "later.csv")
	first, rows, _ := strings.Cut(s.unzip(s.edgeFeed()), "\n")
	s.Require().NoError(os.WriteFile(later, []byte(first+",later\n"+strings.ReplaceAll(rows, "\n", ",x\n")), 0o600))

	s.Len(s.hits(s.hunt(s.edgeFeed(), s.edgeLog(), map[string]string{"FeedFile": later})), 47)
}

func (s *EngineSuite) TestAHuntWithoutItsFeedIsRefusedOrFails() {
	got := s.huntThatMayFail(s.edgeFeed(), s.edgeLog(), map[string]string{"FeedFile": "/does/not/exist.csv"})
	s.NotEmpty(got.failed)

	s.publish("ThreatFoxFeed", s.edgeFeed(), "1.0.2")
	s.ConfigObj.Client.ServerUrls = []string{"http://127.0.0.1:1/"}
	got = s.collect(hunt, map[string]string{"EvtxGlob": s.edgeLog(), "DownloadDelay": "0"})
	s.Contains(got.failed, "tool ThreatFoxFeed not available")
	s.Contains(got.logs, "Nothing was searched")
}
