package engine

import (
	"fmt"
	"os"
	"strings"
)

// historyStatus is what Coverage says of the history of a user's browser.
func (s *EngineSuite) historyStatus(got collection, disk, path string) string {
	return s.coverageOf(got, disk)["Browser history Users/u/"+path]
}

func (s *EngineSuite) TestAPageIsFoundWhereItsVisitsCannotBeReadAndCoverageSaysSo() {
	disk := s.tempDir()
	const page = "http://c2.bad-domain.example/"
	statuses := map[string]string{}
	for profile, schema := range map[string]string{
		"no table":  strings.NewReplacer("TABLE visits(", "TABLE visited(", "ON visits(", "ON visited(").Replace(chromiumSchema),
		"no column": strings.ReplaceAll(chromiumSchema, "visit_time INTEGER NOT NULL, from", "visited_at INTEGER NOT NULL, from"),
		"no page":   strings.ReplaceAll(chromiumSchema, "visit_time INTEGER NOT NULL, from", "visited_at INTEGER NOT NULL, from"),
	} {
		path := fmt.Sprintf(chromeHistory, profile)
		db := s.database(disk+"/Users/u/"+path, schema)
		if profile != "no page" {
			s.do(db, `INSERT INTO urls(url, visit_count, last_visit_time) VALUES(?, 1, ?)`, page, chromiumTime(browsed))
		}
		s.Require().NoError(db.Close())
		statuses[path] = fmt.Sprint("error: a schema that this version does not know ", map[bool]int{true: 0, false: 1}[profile == "no page"])
	}
	firefox := s.database(disk+"/Users/u/"+fmt.Sprintf(firefoxPlaces, "p"), strings.ReplaceAll(firefoxSchema, " visit_date", " visited"))
	s.do(firefox, `INSERT INTO moz_places(url, visit_count, last_visit_date) VALUES(?, 1, ?)`, page, browsed.UnixMicro())
	s.do(firefox, `INSERT INTO moz_historyvisits(place_id, visited, visit_type) VALUES(1, ?, 1)`, browsed.UnixMicro())
	s.Require().NoError(firefox.Close())
	statuses[fmt.Sprintf(firefoxPlaces, "p")] = "error: a schema that this version does not know 1"

	path := fmt.Sprintf(chromeHistory, "damaged")
	db := s.database(disk+"/Users/u/"+path, chromiumSchema)
	s.visitChromium(db, page, 1)
	s.do(db, `INSERT INTO visits(url, visit_time) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
		SELECT url, visit_time FROM visits, n`)
	root, size := 0, 0
	s.Require().NoError(db.QueryRow(`SELECT rootpage FROM sqlite_master WHERE name = 'visits'`).Scan(&root))
	s.Require().NoError(db.QueryRow(`PRAGMA page_size`).Scan(&size))
	s.Require().NoError(db.Close())
	content := []byte(s.read(disk + "/Users/u/" + path))
	copy(content[(root-1)*size:], strings.Repeat("\xff", 200))
	s.Require().NoError(os.WriteFile(disk+"/Users/u/"+path, content, 0o600))
	statuses[path] = "error: damaged, read in part 1"

	got := s.filesThatMayFail(disk, [][2]string{{"domain", "c2.bad-domain.example"}}, nil)
	s.Empty(got.failed)
	s.Len(s.hits(got), 4)
	for _, hit := range s.hits(got) {
		s.Equal("visit domain 2026-11-18T08:00:00.007Z", fmt.Sprint(hit["Match"], " ", hit["Time"]), "the page's own last visit")
	}
	for path, status := range statuses {
		s.Equal(status, s.historyStatus(got, disk, path), path)
		s.Contains(got.logs, path+" (Browser history) was not read to its end: ")
	}
}

func (s *EngineSuite) TestAWriteAheadLogThatIsLeftOutIsAnErrorRowAndTheRestIsSearched() {
	disk := s.tempDir()
	for profile, pages := range map[string]int{"large": 2000, "{small}": 1} {
		db := s.database(disk+"/Users/u/"+fmt.Sprintf(firefoxPlaces, profile), "PRAGMA wal_autocheckpoint = 0;"+firefoxSchema)
		defer db.Close()
		s.visitFirefox(db, "http://c2.bad-domain.example/old", 1, 0)
		s.do(db, `PRAGMA wal_checkpoint(TRUNCATE)`)
		s.visitFirefox(db, "http://c2.bad-domain.example/new", 1, 0)
		s.do(db, `INSERT INTO moz_places(url) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT 'http://www.good.example/' || hex(zeroblob(450)) || i FROM n`, pages)
	}
	got := s.filesThatMayFail(disk, [][2]string{{"domain", "c2.bad-domain.example"}}, map[string]string{"MaxDatabaseSize": "1", "Places": `["Firefox"]`})
	s.Empty(got.failed, "what is there was searched")
	s.Len(s.hits(got), 3)
	large := fmt.Sprintf(firefoxPlaces, "large")
	s.Equal("error: read without its -wal: no rights, or larger than MaxDatabaseSize 1", s.historyStatus(got, disk, large))
	s.Equal("error: read without its -wal: no rights, or larger than MaxDatabaseSize 0", s.coverageOf(got, disk)["Browser download Users/u/"+large])
	s.Contains(got.logs, large+" (Browser history) was not read to its end: read without its -wal: ")
	s.Equal("searched 3", s.historyStatus(got, disk, fmt.Sprintf(firefoxPlaces, "{small}")))

	s.Require().NoError(os.RemoveAll(disk + "/Users/u/" + strings.TrimSuffix(fmt.Sprintf(firefoxPlaces, "{small}"), "/places.sqlite")))
	got = s.filesThatMayFail(disk, [][2]string{{"domain", "c2.bad-domain.example"}}, map[string]string{"MaxDatabaseSize": "1", "Places": `["Firefox"]`})
	s.Empty(got.failed, "nothing was searched is not true")
}

// without are pages and downloads that have no usable time, or no visit.
func (s *EngineSuite) without() (disk string, urls []string) {
	disk = s.tempDir()
	chrome := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), chromiumSchema)
	for name, time := range map[string]any{"zero": 0, "negative": -5, "huge": int64(1) << 62, "text": "abc", "1970": int64(11_644_473_600_000_000)} {
		url := "http://c2.bad-domain.example/" + name
		page := s.do(chrome, `INSERT INTO urls(url, last_visit_time) VALUES(?, 5)`, url+"/visit")
		s.do(chrome, `INSERT INTO visits(url, visit_time) VALUES(?, ?)`, page, time)
		s.downloadChromium(chrome, `C:\a.exe`, nil, "", url+"/download")
		s.do(chrome, `UPDATE downloads SET start_time = ? WHERE id = (SELECT max(id) FROM downloads)`, time)
		urls = append(urls, url+"/visit", url+"/download")
		if name != "zero" {
			s.do(chrome, `INSERT INTO urls(url, last_visit_time) VALUES(?, ?)`, url+"/page", time)
			urls = append(urls, url+"/page")
		}
	}
	s.do(chrome, `INSERT INTO urls(url, last_visit_time) VALUES('http://c2.bad-domain.example/never/visited', 0)`)
	s.do(chrome, `INSERT INTO urls(url, last_visit_time) VALUES('http://c2.bad-domain.example/of/another/device', 5)`)
	s.do(chrome, `INSERT INTO visits(url, visit_time, originator_cache_guid) SELECT max(id), 5, 'another device' FROM urls`)
	s.Require().NoError(chrome.Close())

	firefox := s.database(disk+"/Users/u/"+fmt.Sprintf(firefoxPlaces, "p"), firefoxSchema)
	s.do(firefox, `INSERT INTO moz_places(url) VALUES('http://c2.bad-domain.example/never/visited')`)
	for name, time := range map[string]any{"null": nil, "none": 0, "below": -5, "word": "abc"} {
		url := "http://c2.bad-domain.example/" + name
		page := s.do(firefox, `INSERT INTO moz_places(url, last_visit_date) VALUES(?, 5)`, url+"/visit")
		s.do(firefox, `INSERT INTO moz_historyvisits(place_id, visit_date, visit_type) VALUES(?, ?, 1)`, page, time)
		s.downloadFirefox(firefox, "file:///C:/a.exe", url+"/download", "http://page.example/")
		s.do(firefox, `UPDATE moz_annos SET dateAdded = ? WHERE place_id = (SELECT max(id) FROM moz_places)`, time)
		urls = append(urls, url+"/visit", url+"/download")
	}
	s.Require().NoError(firefox.Close())
	return disk, urls
}

func (s *EngineSuite) TestWhatHasNoUsableTimeIsAHitWithoutOneUnlessADateIsAskedFor() {
	disk, urls := s.without()
	domain := [][2]string{{"domain", "c2.bad-domain.example"}}
	got := s.files(disk, domain, nil)
	var found []string
	for _, hit := range s.hits(got) {
		found = append(found, hit["URL"].(string))
		s.Nil(hit["Time"], hit["URL"])
	}
	s.ElementsMatch(urls, found)
	s.Contains(got.source["Summary"], fmt.Sprintf(`"Count":%d,"First":null,"Last":null`, len(urls)))
	s.NotContains(got.source["Coverage"], `"Earliest":"1`)

	for _, limit := range []string{"DateAfter", "DateBefore"} {
		s.Empty(s.hits(s.files(disk, domain, map[string]string{limit: "2026-11-01T00:00:00Z"})), limit)
	}

	chrome := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), "")
	s.visitChromium(chrome, "http://c2.bad-domain.example/", 2)
	s.Require().NoError(chrome.Close())
	for _, places := range []string{`["Chrome"]`, `["Chrome", "Firefox"]`} {
		s.Contains(s.files(disk, domain, map[string]string{"Places": places}).source["Summary"],
			`"First":"2026-11-18T07:59:00.007Z","Last":"2026-11-18T08:00:00.007Z"`, "of those that have one")
	}
}

func (s *EngineSuite) TestADownloadOfFirefoxThatHasNoTargetIsADownload() {
	disk := s.tempDir()
	firefox := s.database(disk+"/Users/u/"+fmt.Sprintf(firefoxPlaces, "p"), firefoxSchema)
	s.visitFirefox(firefox, "http://c2.bad-domain.example/a.exe", 7, int(s.visitFirefox(firefox, "http://page.example/", 1, 0)))
	s.downloadFirefox(firefox, "file:///C:/b.exe", "http://c2.bad-domain.example/b.exe", "http://page.example/")
	s.Require().NoError(firefox.Close())
	got := s.files(disk, [][2]string{{"domain", "c2.bad-domain.example"}, {"domain", "page.example"}}, nil)
	found := map[string]int{}
	for _, hit := range s.hits(got) {
		found[fmt.Sprint(hit["Place"], ": ", hit["Match"], " ", hit["URL"], " ", hit["Path"], " ", hit["Time"])]++
	}
	const at = " 2026-11-18T08:00:00.007Z"
	s.Equal(map[string]int{
		"Browser download: domain http://c2.bad-domain.example/a.exe " + at:                  1,
		"Browser download: referrer domain http://c2.bad-domain.example/a.exe " + at:         1,
		`Browser download: domain http://c2.bad-domain.example/b.exe C:\b.exe` + at:          1,
		`Browser download: referrer domain http://c2.bad-domain.example/b.exe C:\b.exe` + at: 1,
		"Browser history: visit domain http://page.example/ <nil>" + at:                      2,
	}, found)
	s.Equal("searched 2", s.coverageOf(got, disk)["Browser download Users/u/"+fmt.Sprintf(firefoxPlaces, "p")])
}

func (s *EngineSuite) TestAnAddressWithinAnotherSchemeIsFound() {
	disk := s.tempDir()
	urls := []string{"blob:https://c2.bad-domain.example/0a-1b", "view-source:http://site.example/a.php", "filesystem:https://c2.bad-domain.example/temporary/x",
		"view-source:blob:https://c2.bad-domain.example/", "BLOB:https://C2.bad-domain.example/"}
	chrome := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), chromiumSchema)
	expected := []string{}
	for i, url := range urls {
		s.visitChromium(chrome, url, 1)
		s.downloadChromium(chrome, `C:\a.exe`, nil, "", url)
		s.downloadChromium(chrome, `C:\b.exe`, nil, url, "http://www.good.example/")
		s.mark(fmt.Sprint(disk, "/Users/u/Downloads/", i), "", []byte("ReferrerUrl="+url+"\r\nHostUrl=https://www.good.example/\r\n"))
		s.mark(fmt.Sprint(disk, "/Users/u/Desktop/", i), "", []byte("HostUrl="+url+"\r\n"))
		what := map[bool]string{true: "url http://site.example/a.php", false: "domain c2.bad-domain.example"}[i == 1]
		expected = append(expected, "Browser history: visit "+what, "Browser download: "+what, "Browser download: referrer "+what,
			"Mark of the web: referrer "+what, "Mark of the web: "+what)
	}
	s.visitChromium(chrome, "data:text/html,http://c2.bad-domain.example/", 1)
	s.visitChromium(chrome, "https://www.good.example/?u=blob:https://c2.bad-domain.example/", 1)
	s.Require().NoError(chrome.Close())
	got := s.files(disk, [][2]string{{"domain", "c2.bad-domain.example"}, {"url", "http://site.example/a.php"}}, nil)
	s.ElementsMatch(expected, told(s.hits(got)))
	for _, hit := range s.hits(got) {
		if hit["Place"] == "Browser history" {
			s.Contains(urls, hit["URL"], "in full")
		}
	}
}
