package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sebdah/goldie/v2"

	_ "www.velocidex.com/golang/velociraptor/accessors/raw_registry"
	_ "www.velocidex.com/golang/velociraptor/vql/parsers/sql"
)

const filesHunt = "Windows.Detection.ThreatFox.Files"

// Where browsers keep their histories below a user's folder.
const (
	chromeHistory = "AppData/Local/Google/Chrome/User Data/%s/History"
	edgeHistory   = "AppData/Local/Microsoft/Edge/User Data/%s/History"
	firefoxPlaces = "AppData/Roaming/Mozilla/Firefox/Profiles/%s/places.sqlite"
)

// files runs the hunt on a disk, a folder with the folder Users, with a feed of these indicators, and fails on a bad log line.
func (s *EngineSuite) files(disk string, indicators [][2]string, more map[string]string) collection {
	s.T().Helper()
	got := s.filesThatMayFail(disk, indicators, more)
	s.Empty(got.failed)
	s.NotRegexp(badLog, got.logs)
	return got
}

func (s *EngineSuite) filesThatMayFail(disk string, indicators [][2]string, more map[string]string) collection {
	s.T().Helper()
	s.servePublic()
	s.publish("ThreatFoxFeed", s.normalize(s.writeExport(indicators)), "1.0.1")
	params := filesParameters(disk)
	for name, value := range more {
		params[name] = value
	}
	return s.collect(filesHunt, params)
}

func filesParameters(disk string) map[string]string {
	return map[string]string{"MinStrength": "weak", "DownloadDelay": "0", "Accessor": "file", "AmcacheGlob": disk + "/Amcache.hve",
		"UserFolders": disk + "/Users/*", "FileGlob": disk + "/Users/*/{Downloads,Desktop}/**"}
}

// told are hits in short: place, match, indicator.
func told(hits []map[string]any) (texts []string) {
	for _, hit := range hits {
		texts = append(texts, fmt.Sprintf("%v: %v %v", hit["Place"], hit["Match"], hit["IOC"]))
	}
	return texts
}

// sorted are the lines of a text in order: folders are read in any.
func sorted(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

// coverageOf is by "place file": status and rows.
func (s *EngineSuite) coverageOf(got collection, disk string) map[string]string {
	rows := map[string]string{}
	for _, row := range s.hits(collection{source: map[string]string{"Hits": got.source["Coverage"]}}) {
		name := fmt.Sprintf("%v %v", row["Place"], strings.TrimPrefix(row["LogFile"].(string), disk+"/"))
		rows[name] = fmt.Sprintf("%v %v", row["Status"], row["Rows"])
	}
	return rows
}

// amcache is a real hive, which comes with the engine's own tests.
func (s *EngineSuite) amcache(disk string) {
	hive, err := os.ReadFile(filepath.Join(os.Getenv("VELOCIRAPTOR_MODULE_DIR"), "artifacts/testdata/files/Amcache.hve"))
	s.Require().NoError(err)
	s.Require().NoError(os.WriteFile(disk+"/Amcache.hve", hive, 0o600))
}

func sha256Of(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// everything is a disk on which each place remembers something, and the indicators for it.
func (s *EngineSuite) everything() (disk string, indicators [][2]string) {
	disk = s.tempDir()
	s.amcache(disk)
	alice, bob := disk+"/Users/alice/", disk+"/Users/bob/"

	chrome := s.database(fmt.Sprintf(alice+chromeHistory, "Default"), chromiumSchema)
	defer chrome.Close()
	s.visitChromium(chrome, "https://www.good.example/", 9)
	s.visitChromium(chrome, "http://c2.bad-domain.example/panel?id=1", 2)
	s.visitChromium(chrome, "http://site.example/kit/a.php", 1)
	s.do(chrome, `INSERT INTO visits(url, visit_time, originator_cache_guid) SELECT max(id), ?, 'another device' FROM urls`, chromiumTime(browsed))
	s.downloadChromium(chrome, `C:\Users\alice\Downloads\setup.exe`, nil, "http://ads.example/click", "http://redirect.example/go", "http://203.0.113.7:4443/setup.exe")

	second := s.database(fmt.Sprintf(alice+chromeHistory, "Profile 2"), chromiumSchema)
	defer second.Close()
	hash, err := hex.DecodeString(sha256Of("kit"))
	s.Require().NoError(err)
	s.downloadChromium(second, `C:\Users\alice\Downloads\kit.zip`, hash, "", "https://www.good.example/kit.zip")

	edge := s.database(fmt.Sprintf(bob+edgeHistory, "Default"), chromiumSchema)
	defer edge.Close()
	s.visitChromium(edge, "https://sub.c2.bad-domain.example/", 1)

	firefox := s.database(fmt.Sprintf(bob+firefoxPlaces, "x1.default-release"), firefoxSchema)
	defer firefox.Close()
	s.visitFirefox(firefox, "http://203.0.113.7/", 1, 0)
	s.downloadFirefox(firefox, "file:///C:/Users/bob/Downloads/my%20file.exe", "http://site.example/kit/a.php", "http://ads.example/click")

	s.mark(bob+"Downloads/evil.exe", "evil", []byte("[ZoneTransfer]\r\nZoneId=3\r\nReferrerUrl=http://ads.example/click\r\nHostUrl=http://site.example/kit/a.php\r\n"))
	s.mark(bob+"Desktop/deep/er/kit.zip", "kit", []byte("[ZoneTransfer]\r\nZoneId=3\r\n"))
	s.mark(bob+"Downloads/good.exe", "good", []byte("[ZoneTransfer]\r\nZoneId=3\r\nHostUrl=https://www.good.example/good.exe\r\n"))

	return disk, [][2]string{
		{"domain", "c2.bad-domain.example"}, {"url", "http://site.example/kit/a.php"}, {"ip:port", "203.0.113.7:4443"},
		{"domain", "ads.example"}, {"domain", "redirect.example"}, {"sha256", sha256Of("kit")}, {"sha1", "08cc2e8dca652bdda1acca9c446560d4bc1bcdf9"},
	}
}

func (s *EngineSuite) TestFilesRememberVisitsDownloadsMarksAndPrograms() {
	disk, indicators := s.everything()
	got := s.files(disk, indicators, nil)

	// A mark's time is its file's.
	host, err := os.Hostname()
	s.Require().NoError(err)
	text := strings.NewReplacer(disk, "C:", fmt.Sprintf(`"Computer":%q`, host), `"Computer":"WS01"`).Replace(got.source["Hits"])
	rows := sorted(text)
	for i, row := range rows {
		if strings.Contains(row, `"Place":"Mark of the web"`) {
			rows[i] = regexp.MustCompile(`"Time":"[^"]*"`).ReplaceAllString(row, `"Time":"of the file"`)
		}
	}
	slices.Sort(rows)
	goldie.New(s.T(), goldie.WithFixtureDir("testdata/golden"), goldie.WithNameSuffix(".jsonl")).Assert(s.T(), "files", []byte(strings.Join(rows, "\n")+"\n"))

	s.Equal(map[string]string{
		"Mark of the web Users/*/{Downloads,Desktop}/**":                                 "searched 3",
		"Browser history Users/alice/" + fmt.Sprintf(chromeHistory, "Default"):           "searched 3",
		"Browser download Users/alice/" + fmt.Sprintf(chromeHistory, "Default"):          "searched 1",
		"Browser history Users/alice/" + fmt.Sprintf(chromeHistory, "Profile 2"):         "searched 0",
		"Browser download Users/alice/" + fmt.Sprintf(chromeHistory, "Profile 2"):        "searched 1",
		"Browser history Users/bob/" + fmt.Sprintf(edgeHistory, "Default"):               "searched 1",
		"Browser download Users/bob/" + fmt.Sprintf(edgeHistory, "Default"):              "searched 0",
		"Browser history Users/bob/" + fmt.Sprintf(firefoxPlaces, "x1.default-release"):  "searched 3",
		"Browser download Users/bob/" + fmt.Sprintf(firefoxPlaces, "x1.default-release"): "searched 1",
		"Windows.Detection.Amcache Amcache.hve":                                          "searched 85",
	}, s.coverageOf(got, disk))
}

// Each form has an address of its own, so that none is found by another's.
// hash() of a file over its bound is that of the beginning, which may be an indicator's.
// A browser that runs locks its database, and what is new stands in the log beside it.
// filesBelow are the files below a folder and what is in them.
// The engine's own tests have a history that Chrome made, and a hive that Windows made: counts and values are read here without VQL.
func (s *EngineSuite) TestARealHistoryAndARealAmcacheAreRead() {
	disk := s.tempDir()
	s.amcache(disk)
	path := disk + "/Users/u/" + fmt.Sprintf(chromeHistory, "Default")
	s.Require().NoError(os.MkdirAll(filepath.Dir(path), 0o700))
	s.Require().NoError(os.WriteFile(path, []byte(s.read(filepath.Join(os.Getenv("VELOCIRAPTOR_MODULE_DIR"), "artifacts/testdata/files/ChromeHistory.sqlite"))), 0o600))
	db := s.database(path, "")
	visits := 0
	s.Require().NoError(db.QueryRow(`SELECT count(*) FROM visits AS V JOIN urls AS U ON U.id = V.url WHERE U.url = 'https://www.google.com/'`).Scan(&visits))
	s.Require().NoError(db.Close())
	s.Require().NotZero(visits)
	// The hive has the hash of cmd.exe as UTF-16, behind four zeros.
	cmd := "08cc2e8dca652bdda1acca9c446560d4bc1bcdf9"
	s.Require().Contains(s.read(disk+"/Amcache.hve"), string(wide("0000"+cmd)))

	got := s.files(disk, [][2]string{{"domain", "www.google.com"}, {"sha1", cmd}}, nil)
	found := map[string]int{}
	for _, hit := range told(s.hits(got)) {
		found[hit]++
	}
	s.Equal(map[string]int{"Browser history: visit domain www.google.com": visits, "Windows.Detection.Amcache: sha1 " + cmd: 1}, found)
	s.Contains(got.source["Hits"], `"Path":"c:\\windows\\system32\\cmd.exe"`)
}

func (s *EngineSuite) TestUploadsBringWhatCameFromAnIndicatorWithinTheirLimits() {
	disk := s.tempDir()
	downloads := disk + "/Users/u/Downloads/"
	for i := range 4 {
		s.mark(fmt.Sprint(downloads, i, ".exe"), fmt.Sprint("file ", i), []byte("HostUrl=http://mark.example/\r\n"))
	}
	s.mark(downloads+"large.exe", strings.Repeat("x", 1<<20+1), []byte("HostUrl=http://mark.example/\r\n"))
	s.mark(downloads+"from page.exe", "page", []byte("ReferrerUrl=http://mark.example/\r\n"))
	s.mark(downloads+"hash.exe", "hash", []byte("ZoneId=3\r\n"))
	chrome := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), chromiumSchema)
	s.downloadChromium(chrome, downloads+"gone.exe", nil, "", "http://mark.example/gone.exe")
	s.downloadChromium(chrome, downloads+"hash.exe", nil, "", "http://mark.example/hash.exe")
	s.visitChromium(chrome, "http://mark.example/", 1)
	s.Require().NoError(chrome.Close())
	indicators := [][2]string{{"domain", "mark.example"}, {"sha256", sha256Of("hash")}}

	uploaded := func(more map[string]string) map[string]string {
		more["MaxUploadSize"] = "1"
		got := s.filesThatMayFail(disk, indicators, more)
		s.Empty(got.failed)
		texts := map[string]string{}
		for _, hit := range s.hits(got) {
			texts[filepath.Base(fmt.Sprint(hit["Path"]))] = fmt.Sprint(hit["Uploaded"])
		}
		return texts
	}
	s.Equal(map[string]string{"0.exe": "uploaded", "1.exe": "uploaded", "2.exe": "uploaded", "3.exe": "uploaded", "hash.exe": "uploaded",
		"large.exe": "over MaxUploadSize", "from page.exe": "", "gone.exe": "not there", "<nil>": ""}, uploaded(map[string]string{"UploadHits": "Y"}))
	count := 0
	for _, text := range uploaded(map[string]string{"UploadHits": "Y", "MaxUploads": "2"}) {
		if text == "uploaded" {
			count++
		}
	}
	s.Equal(2, count)
	for name, text := range uploaded(map[string]string{}) {
		s.Empty(text, name)
	}
}

func (s *EngineSuite) TestAFilesHuntThatSearchedNothingOrHasNoFeedFails() {
	disk, indicators := s.everything()
	got := s.filesThatMayFail(s.tempDir(), indicators, nil)
	s.Contains(got.failed, "Nothing was searched")
	s.Equal(5, strings.Count(got.source["Coverage"], `"Status":"not there"`))

	got = s.filesThatMayFail(disk, indicators, map[string]string{"FeedFile": "/does/not/exist.csv"})
	s.Contains(got.logs, "Nothing was searched")
	s.NotEmpty(got.failed)
	s.Empty(s.hits(got))
	s.Equal(5, strings.Count(got.source["Coverage"], `"Status":"not searched: `))

	got = s.filesThatMayFail(disk, indicators, map[string]string{"DateAfter": "2026-11-19T00:00:00Z", "DateBefore": "2026-11-18T00:00:00Z"})
	s.Contains(got.failed, "DateAfter is not before DateBefore")
}

func (s *EngineSuite) TestDatesPlacesAndTheLimitOfAnIndicatorBoundTheHitsOfFiles() {
	disk, indicators := s.everything()
	all := s.files(disk, indicators, nil)
	one := s.files(disk, indicators, map[string]string{"MaxHitsPerIndicator": "1"})
	s.Equal(sorted(all.source["Summary"]), sorted(one.source["Summary"]))
	s.Equal(strings.Count(all.source["Summary"], "\n"), len(s.hits(one)))
	s.Less(len(s.hits(one)), len(s.hits(all)))

	for _, hit := range s.hits(s.files(disk, indicators, map[string]string{"DateBefore": "2026-11-18T07:59:30Z"})) {
		s.Less(hit["Time"], "2026-11-18T07:59:30Z")
	}
	s.Len(s.hits(s.files(disk, indicators, map[string]string{"DateBefore": "9999-12-31T23:59:59Z"})), len(s.hits(all)), "no end")
	edge := s.files(disk, indicators, map[string]string{"Places": `["Edge"]`})
	s.Equal([]string{"Browser history: visit subdomain c2.bad-domain.example"}, told(s.hits(edge)))
	s.Equal(2, strings.Count(edge.source["Coverage"], `"Status"`))
}

// The query leaves out what cannot be an indicator; what a browser would write in another way is found all the same.
func (s *EngineSuite) TestAnOfflineCollectorFindsWhatTheFilesHuntFinds() {
	disk, indicators := s.everything()
	hunted := s.files(disk, indicators, nil)
	parameters := map[string]any{"AnySystem": true}
	for name, value := range filesParameters(disk) {
		parameters[name] = value
	}
	rows, logged := s.runOffline(s.offlineCollector(filesHunt, parameters))

	s.NotRegexp(badLog, logged)
	for _, source := range []string{"Summary", "Hits", "Coverage"} {
		s.NotEmpty(hunted.source[source])
		s.Equal(sorted(hunted.source[source]), sorted(rows[filesHunt+"/"+source]), source)
	}
}
