package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
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
	if runtime.GOOS == "windows" {
		s.T().Skip("the engine is built without SQLite there")
	}
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

// coverage is by "place file": status and rows.
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

	// Folders are read in any order, and a mark's time is its file's.
	host, err := os.Hostname()
	s.Require().NoError(err)
	text := strings.NewReplacer(disk, "C:", fmt.Sprintf(`"Computer":%q`, host), `"Computer":"WS01"`).Replace(got.source["Hits"])
	rows := strings.Split(strings.TrimSpace(text), "\n")
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
func (s *EngineSuite) TestAMarkOfTheWebIsReadInEveryFormThatIsWritten() {
	host := func(name string) string { return "HostUrl=http://mark.example/" + name }
	const zone, page = "[ZoneTransfer]\r\nZoneId=3\r\n", "ReferrerUrl=http://page.example/"
	forms := map[string][]byte{
		"as Windows":      []byte(zone + page + "\r\n" + host("windows") + "\r\n"),
		"host first":      []byte(host("host") + "\r\n" + page + "\r\n" + zone),
		"line feeds":      []byte("[ZoneTransfer]\nZoneId=3\n" + host("line") + "\n" + page),
		"blank lines":     []byte("\r\n\r\n[ZoneTransfer]\r\n\r\nZoneId=3\r\n\r\n" + page + "\r\n\r\n" + host("blank") + "\r\n\r\n"),
		"indented":        []byte("[ZoneTransfer]\r\n  " + host("indented") + "  \r\n\t" + page),
		"small letters":   []byte("[zonetransfer]\r\nhosturl=http://mark.example/small\r\nreferrerurl=http://page.example/"),
		"UTF-8 mark":      []byte("\xef\xbb\xbf" + host("utf8") + "\r\n" + page),
		"final NUL":       []byte(zone + page + "\r\n" + host("nul") + "\x00"),
		"UTF-16 mark":     append([]byte{0xff, 0xfe}, wide(host("bom")+"\r\n"+zone+page+"\r\n")...),
		"UTF-16":          wide(zone + page + "\r\n" + host("wide") + "\r\n"),
		"UTF-16 and half": append(wide(zone+page+"\r\n"+host("half")+"\r\n"), 0),
		"other fields":    []byte("[ZoneTransfer]\r\nLastWriterPackageFamilyName=x\r\nAppZoneId=4\r\n" + host("other") + "\r\nHostIpAddress=198.51.100.1\r\n" + page),
	}
	disk := s.tempDir()
	for name, mark := range forms {
		s.mark(disk+"/Users/u/Downloads/"+name, "file", mark)
	}
	got := s.files(disk, [][2]string{{"domain", "mark.example"}, {"domain", "page.example"}}, map[string]string{"Places": `["Marks"]`})

	found := map[string][]string{}
	for _, hit := range s.hits(got) {
		name := filepath.Base(hit["Path"].(string))
		found[name] = append(found[name], hit["Match"].(string))
		s.Contains(hit["URL"], "http://mark.example/", name)
		s.Equal("u", hit["User"])
	}
	s.Len(found, len(forms))
	for name, matches := range found {
		s.ElementsMatch([]string{"domain", "referrer domain"}, matches, name)
	}
}

func (s *EngineSuite) TestAMarkThatIsLargeOrNoTextIsReadUpToABoundAndTheOthersAreFound() {
	disk := s.tempDir()
	downloads := disk + "/Users/u/Downloads/"
	noise := make([]byte, 1<<20)
	rand.New(rand.NewSource(1)).Read(noise)
	long := strings.Repeat("x", 1<<20)
	s.mark(downloads+"begins", "", []byte("HostUrl=http://mark.example/begins\r\n"+long))
	s.mark(downloads+"ends", "", []byte(long+"\r\nHostUrl=http://mark.example/ends\r\n"))
	s.mark(downloads+"one URL", "", []byte("HostUrl=http://mark.example/"+long))
	s.mark(downloads+"binary", "", noise)
	s.mark(downloads+"empty", "", nil)
	s.mark(downloads+"good", "", []byte("[ZoneTransfer]\r\nHostUrl=http://mark.example/good\r\n"))
	got := s.files(disk, [][2]string{{"domain", "mark.example"}}, map[string]string{"Places": `["Marks"]`})

	var found []string
	for _, hit := range s.hits(got) {
		found = append(found, filepath.Base(hit["Path"].(string)))
		s.LessOrEqual(len(hit["URL"].(string)), 65536)
	}
	s.ElementsMatch([]string{"begins", "one URL", "good"}, found)
	s.Equal("searched 6", s.coverageOf(got, disk)["Mark of the web Users/*/{Downloads,Desktop}/**"])
}

// hash() of a file over its bound is that of the beginning, which may be an indicator's.
func (s *EngineSuite) TestAFileOverTheBoundIsNotHashedAndCoverageCountsIt() {
	disk := s.tempDir()
	downloads := disk + "/Users/u/Downloads/"
	zone := []byte("[ZoneTransfer]\r\nZoneId=3\r\n")
	large := strings.Repeat("x", 1<<20+1)
	s.mark(downloads+"large.exe", large, zone)
	s.mark(downloads+"small.exe", large[:1<<20], zone)
	s.mark(downloads+"gone.exe", "", zone)
	s.Require().NoError(os.Remove(downloads + "gone.exe"))
	indicators := [][2]string{{"sha256", sha256Of(large)}, {"sha256", sha256Of(large[:1<<20])}, {"sha256", sha256Of("")}}
	got := s.files(disk, indicators, map[string]string{"Places": `["Marks"]`, "MaxHashSize": "1"})

	s.Require().Len(s.hits(got), 1)
	s.Contains(s.hits(got)[0]["Path"], "small.exe")
	s.Contains(got.source["Coverage"], `"Rows":3,"NotHashed":2`)
}

func (s *EngineSuite) TestADatabaseThatCannotBeReadIsAnErrorRowAndTheOthersAreSearched() {
	disk := s.tempDir()
	history := func(profile string) string { return disk + "/Users/u/" + fmt.Sprintf(chromeHistory, profile) }
	make1 := func(profile string, pages int) []byte {
		db := s.database(history(profile), chromiumSchema)
		s.do(db, `INSERT INTO urls(url, last_visit_time) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT 'https://www.good.example/' || i, 13400000000000000 FROM n`, pages)
		s.visitChromium(db, "http://c2.bad-domain.example/", 1)
		s.Require().NoError(db.Close())
		return []byte(s.read(history(profile)))
	}
	make1("good", 10)
	damaged := make1("damaged", 20_000)
	copy(damaged[len(damaged)/2:], make([]byte, 1<<17))
	cut := make1("cut", 20_000)
	for profile, content := range map[string][]byte{
		"damaged": damaged, "cut": cut[:len(cut)/2], "empty": nil, "text": []byte("no database"),
		"encrypted": []byte(sha256Of("a") + strings.Repeat(sha256Of("b"), 1000)),
		"header":    append([]byte("SQLite format 3\x00"), strings.Repeat(sha256Of("b"), 1000)...),
	} {
		s.Require().NoError(os.MkdirAll(filepath.Dir(history(profile)), 0o700))
		s.Require().NoError(os.WriteFile(history(profile), content, 0o600))
	}
	future := s.database(history("future"), strings.ReplaceAll(chromiumSchema, "urls", "pages"))
	s.Require().NoError(future.Close())
	large := s.database(history("large"), chromiumSchema)
	s.do(large, `INSERT INTO meta VALUES('blob', zeroblob(3000000))`)
	s.Require().NoError(large.Close())

	got := s.filesThatMayFail(disk, [][2]string{{"domain", "c2.bad-domain.example"}}, map[string]string{"MaxDatabaseSize": "2"})
	s.Empty(got.failed)
	s.Contains(told(s.hits(got)), "Browser history: visit domain c2.bad-domain.example")
	coverage := s.coverageOf(got, disk)
	for profile, status := range map[string]string{
		"good": "searched 11", "damaged": "error: damaged, read in part 0", "cut": "error: damaged 0",
		"empty": "error: not a database, or encrypted 0", "text": "error: not a database, or encrypted 0",
		"encrypted": "error: not a database, or encrypted 0", "header": "error: damaged 0",
		"future": "error: a schema that this version does not know 0",
		"large":  "error: not copied: no rights, or larger than MaxDatabaseSize 0",
	} {
		s.Equal(status, coverage["Browser history Users/u/"+fmt.Sprintf(chromeHistory, profile)], profile)
		if profile != "good" {
			s.Contains(got.logs, fmt.Sprintf(chromeHistory, profile)+" (Browser history) was not read to its end: ", profile)
		}
	}
	s.Equal("searched 0", coverage["Browser download Users/u/"+fmt.Sprintf(chromeHistory, "future")], "what is as it was is read")
	s.Equal("not there 0", coverage["Windows.Detection.Amcache Amcache.hve"])
	s.Equal("not there 0", coverage["Browser history Users/*/AppData/Roaming/Mozilla/Firefox/Profiles/*/places.sqlite"])
}

// A browser that runs locks its database, and what is new stands in the log beside it.
func (s *EngineSuite) TestWhatARunningBrowserHasNotYetPutIntoItsDatabaseIsFound() {
	disk := s.tempDir()
	places := s.database(disk+"/Users/u/"+fmt.Sprintf(firefoxPlaces, "p"), "PRAGMA locking_mode = EXCLUSIVE; PRAGMA wal_autocheckpoint = 0;"+firefoxSchema)
	defer places.Close()
	s.visitFirefox(places, "http://c2.bad-domain.example/", 1, 0)
	chrome := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), "PRAGMA locking_mode = EXCLUSIVE;"+chromiumSchema)
	defer chrome.Close()
	s.visitChromium(chrome, "http://site.example/a.php", 1)
	before := s.filesBelow(disk)

	got := s.files(disk, [][2]string{{"domain", "c2.bad-domain.example"}, {"url", "http://site.example/a.php"}}, nil)
	s.ElementsMatch([]string{"Browser history: visit domain c2.bad-domain.example", "Browser history: visit url http://site.example/a.php"}, told(s.hits(got)))
	s.Equal(before, s.filesBelow(disk), "the browser's own files are as they were")
}

// filesBelow are the files below a folder and what is in them.
func (s *EngineSuite) filesBelow(folder string) map[string]string {
	files := map[string]string{}
	s.Require().NoError(filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files[path] = sha256Of(s.read(path))
		}
		return err
	}))
	return files
}

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

func (s *EngineSuite) TestADamagedAmcacheIsAnErrorRow() {
	disk, indicators := s.everything()
	s.Require().NoError(os.WriteFile(disk+"/Amcache.hve", []byte("regf"+strings.Repeat("x", 9000)), 0o600))
	got := s.filesThatMayFail(disk, indicators, nil)
	s.Empty(got.failed)
	s.Equal("error: no entry could be read 0", s.coverageOf(got, disk)["Windows.Detection.Amcache Amcache.hve"])
	s.NotEmpty(s.hits(got))
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
	s.Equal(all.source["Summary"], one.source["Summary"])
	s.Equal(strings.Count(all.source["Summary"], "\n"), len(s.hits(one)))
	s.Less(len(s.hits(one)), len(s.hits(all)))

	for _, hit := range s.hits(s.files(disk, indicators, map[string]string{"DateBefore": "2026-11-18T07:59:30Z"})) {
		s.Less(hit["Time"], "2026-11-18T07:59:30Z")
	}
	edge := s.files(disk, indicators, map[string]string{"Places": `["Edge"]`})
	s.Equal([]string{"Browser history: visit subdomain c2.bad-domain.example"}, told(s.hits(edge)))
	s.Equal(2, strings.Count(edge.source["Coverage"], `"Status"`))
}

func (s *EngineSuite) TestAHistoryOfAMillionPagesIsReadInBoundedMemory() {
	s.Ctx = context.Background() // the suite's ends after 60 s
	pages := 50_000
	if os.Getenv("LOAD") != "" {
		pages = 1_000_000
	}
	disk := s.tempDir()
	db := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), chromiumSchema)
	s.do(db, `INSERT INTO urls(url, last_visit_time) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT 'https://www' || (i % 30000) || '.good.example/a/page/' || i || '?of=' || i, 13400000000000000 + i FROM n`, pages)
	s.visitChromium(db, "http://c2.bad-domain.example/", 3)
	s.Require().NoError(db.Close())

	clearPeak()
	before, cpu := peakMiB(), cpuSeconds()
	got := s.files(disk, [][2]string{{"domain", "c2.bad-domain.example"}, {"url", "http://site.example/a"}}, map[string]string{"Places": `["Chrome"]`})
	fmt.Printf("files: %d pages, %.1f s of processor, peak %.0f MiB (%.0f before)\n", pages, cpuSeconds()-cpu, peakMiB(), before)
	s.Len(s.hits(got), 3)
	s.Contains(got.source["Coverage"], fmt.Sprintf(`"Rows":%d`, pages+1))
	s.Less(peakMiB(), before+200)
}

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
		s.Equal(hunted.source[source], rows[filesHunt+"/"+source], source)
	}
}
