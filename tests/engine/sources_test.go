package engine

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"
)

// partOfFeed is what a source has in a feed.
type partOfFeed struct {
	Source, State, Problem string
	Rows                   int
}

const stixReport = `{"type": "bundle", "id": "bundle--1", "objects": [
	{"type": "malware", "id": "malware--1", "name": "Loader"},
	{"type": "relationship", "relationship_type": "indicates", "source_ref": "indicator--1", "target_ref": "malware--1"},
	{"type": "indicator", "id": "indicator--1", "valid_from": "2026-01-01T00:00:00Z",
	 "pattern": "[ipv4-addr:value = '203.0.113.7' AND network-traffic:dst_port = 4443]",
	 "external_references": [{"source_name": "CERT", "url": "https://cert.example/report-7"}]}]}`

const mispEvent = `{"Event": {"info": "Loader again", "Attribute": [
	{"type": "domain", "value": "c2.bad-domain.example", "to_ids": true},
	{"type": "comment", "value": "seen in May", "to_ids": false},
	{"type": "link", "value": "https://misp.example/events/view/7", "to_ids": false}]}}`

const urlhausDump = "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n" +
	`"5","2026-11-02 04:50:08","http://c2.bad-domain.example/x","online","","malware_download","Mozi","https://urlhaus.abuse.ch/url/5/","r"` + "\n" +
	`"6","2026-11-02 04:50:08","http://203.0.113.7:4443/y","online","","malware_download","Mozi","https://urlhaus.abuse.ch/url/6/","r"` + "\n"

// upload writes a file for Server.Import.ThreatFox.
func (s *EngineSuite) upload(name, text string) string {
	path := filepath.Join(s.tempDir(), name)
	s.Require().NoError(os.WriteFile(path, []byte(text), 0o600))
	return "file://" + path
}

// huntWithPublished hunts with the feed that Server.Import.ThreatFox has published.
func (s *EngineSuite) huntWithPublished(evtx string) []map[string]any {
	s.servePublic()
	got := s.collect(hunt, map[string]string{"EvtxGlob": evtx, "MinStrength": "weak", "DownloadDelay": "0"})
	s.Empty(got.failed)
	s.NotRegexp(badLog, got.logs)
	return s.hits(got)
}

// valuesIn are the different values of a field of hits.
func valuesIn(hits []map[string]any, field string) (values []string) {
	seen := map[string]bool{}
	for _, hit := range hits {
		if value, _ := hit[field].(string); !seen[value] {
			seen[value] = true
			values = append(values, value)
		}
	}
	return values
}

func (s *EngineSuite) TestAStixReportIsHuntedAndItsHitsNameSourceAndPage() {
	s.publishHelper()

	row := s.mustRefresh(s.serveThreatfox(""), map[string]string{"ExportFile": s.upload("report.json", stixReport)})

	s.Equal("published", row.Status)
	s.Equal([]partOfFeed{{Source: "stix", State: "new", Rows: 1}}, row.Parts)
	hits := s.huntWithPublished(s.edgeLog())
	s.Require().NotEmpty(hits)
	s.Equal([]string{"stix"}, valuesIn(hits, "Source"))
	s.Equal([]string{"[stix](https://cert.example/report-7)"}, valuesIn(hits, "Link"))
	s.Equal([]string{"Loader"}, valuesIn(hits, "Malware"))
	s.Contains(valuesIn(hits, "Match"), "ip:port")
}

func (s *EngineSuite) TestAMispEventIsHuntedUnderTheNameThatIsGivenToIt() {
	s.publishHelper()

	row := s.mustRefresh(s.serveThreatfox(""), map[string]string{
		"ExportFile": s.upload("event.json", mispEvent), "ExportName": "partner"})

	s.Equal([]int{3, 1}, []int{row.Read, row.Kept})
	hits := s.huntWithPublished(s.edgeLog())
	s.Require().NotEmpty(hits)
	s.Equal([]string{"partner"}, valuesIn(hits, "Source"))
	s.Equal([]string{"[partner](https://misp.example/events/view/7)"}, valuesIn(hits, "Link"))
	s.Subset(valuesIn(hits, "Match"), []string{"domain", "subdomain"})
}

func (s *EngineSuite) TestThreatfoxAndUrlhausAreOneFeedAndOneRowAKey() {
	s.publishHelper()
	urlhaus := http.StatusOK
	exports := s.serveExports(func(path string) (int, string) {
		if path == "urlhaus.csv" {
			return urlhaus, urlhausDump
		}
		return http.StatusOK, csvExport([]string{"c2.bad-domain.example", "other.bad-domain.example"}, time.Now())
	})
	more := map[string]string{"Source": "full", "MoreSources": "urlhaus=" + exports.URL + "urlhaus.csv"}

	row, _ := s.refreshFrom(exports, more)

	s.Equal("published", row.Status, row.Message)
	s.Empty(row.StaleParts)
	hits := s.huntWithPublished(s.edgeLog())
	for _, hit := range hits {
		if hit["IOC"] == "c2.bad-domain.example" {
			s.Equal("threatfox;urlhaus", hit["Source"], hit)
		}
	}
	s.Contains(valuesIn(hits, "Source"), "threatfox;urlhaus")
	s.Contains(valuesIn(hits, "Source"), "urlhaus")
	s.Contains(valuesIn(hits, "Link"), "[urlhaus](https://urlhaus.abuse.ch/url/6/)")
	s.Contains(valuesIn(hits, "Link"), "[1](https://threatfox.abuse.ch/ioc/1/)")

	// One that fails leaves its part, and the row names it. Without a word of it the sources stay.
	urlhaus = http.StatusNotFound
	row, _ = s.refreshFrom(exports, nil)
	s.Equal([]string{"unchanged", "full"}, []string{row.Status, row.FeedSource}, row.Message)
	s.Equal([]string{"urlhaus"}, row.StaleParts)
	s.Contains(row.Message, "warning: urlhaus: its 4 rows of the feed in use stay")
	s.Contains(row.Parts[1].Problem, "HTTP 404")

	row, _ = s.refreshFrom(exports, map[string]string{"MoreSources": "none"})
	s.Equal("published", row.Status, row.Message)
	s.Len(row.Parts, 1)
}

// oldFeed is a feed as a helper before the columns source and link has made it.
func (s *EngineSuite) oldFeed() string {
	path := filepath.Join(s.tempDir(), "old.csv")
	text := strings.Replace(s.unzip(s.edgeFeed()), ",source,link\n", "\n", 1)
	s.Require().NoError(os.WriteFile(path, []byte(strings.ReplaceAll(text, ",threatfox,\n", "\n")), 0o600))
	return path
}

func (s *EngineSuite) TestTheHuntReadsAFeedThatNamesNoSources() {
	feed := s.edgeFeed()
	with := s.hits(s.hunt(feed, s.edgeLog(), nil))
	without := s.hits(s.hunt(feed, s.edgeLog(), map[string]string{"FeedFile": s.oldFeed()}))

	s.Len(with, 47)
	for _, hits := range [][]map[string]any{with, without} {
		s.Equal([]string{"threatfox"}, valuesIn(hits, "Source"))
		for _, hit := range hits {
			delete(hit, "FeedVersion")
		}
	}
	s.Equal(with, without)
}

// The artifacts of commit 412612b stand in testdata.
func (s *EngineSuite) TestTheHuntOfAnEarlierPackReadsAFeedThatNamesSources() {
	old, err := filepath.Glob("testdata/pack-412612b/*.yaml")
	s.Require().NoError(err)
	s.Require().Len(old, 7)
	s.LoadArtifactFiles(old...)
	urlhaus := filepath.Join(s.tempDir(), "urlhaus.csv")
	s.Require().NoError(os.WriteFile(urlhaus, []byte(urlhausDump), 0o600))

	huntWith := func(feed string) collection {
		return s.huntThatMayFail(s.edgeFeed(), s.edgeLog(), map[string]string{"FeedFile": feed})
	}
	before := s.hits(huntWith(s.oldFeed()))
	after := s.hits(huntWith(s.edgeFeed()))
	alone := huntWith(s.normalize(urlhaus))

	s.Greater(len(before), 30)
	s.NotContains(before[0], "Source")
	for _, hit := range append(before, after...) {
		delete(hit, "FeedVersion")
	}
	s.Equal(before, after)
	s.Empty(alone.failed)
	s.NotEmpty(s.hits(alone))
	s.NotContains(alone.source["Hits"], "threatfox.abuse.ch")
}

func (s *EngineSuite) TestTheMonitorAlertsOfASourceThatStaysAway() {
	s.publishHelper()
	gone := s.serveExports(func(string) (int, string) { return http.StatusNotFound, "" })
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`, ordereddict.NewDict().Set("Key", theKey))

	rows, logs := s.monitor(api, 2, map[string]string{"AlertAfter": "2", "MoreSources": "urlhaus=" + gone.URL + "u.csv"})

	s.Equal([]int{1, 2}, []int{rows[0].Failures, rows[1].Failures})
	s.Equal("published", rows[0].Status)
	s.Equal(1, strings.Count(logs, "The feed of ThreatFox is not refreshed"), logs)
	s.Contains(logs, "urlhaus: nothing, as the server answered HTTP 404")
}
