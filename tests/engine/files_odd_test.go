package engine

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"strings"

	"github.com/Velocidex/ordereddict"

	_ "www.velocidex.com/golang/velociraptor/accessors/ntfs"
)

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

// What the tests stand in for: on an NTFS disk (the engine's own tests have one) a stream is a file beside its own, with a name that
// begins with that.
func (s *EngineSuite) TestAStreamOnAnNTFSDiskIsSeenAsAFileOfTheStreamsName() {
	rows := s.query(`SELECT Name, read_file(filename=OSPath, accessor="raw_ntfs", length=7) AS Stream,
  stat(filename=OSPath.Dirname + (regex_replace(source=OSPath.Basename, re=":goodbye\\.txt$", replace=""), ), accessor="raw_ntfs").Mode.IsRegular AS File,
  Btime.Year AS Made
FROM glob(globs="/**", root=pathspec(DelegateAccessor="file", DelegatePath=Disk), accessor="raw_ntfs")
WHERE Name =~ ":goodbye\\.txt$"`, ordereddict.NewDict().Set("Disk", filepath.Join(os.Getenv("VELOCIRAPTOR_MODULE_DIR"), "artifacts/testdata/files/test.ntfs.dd")))
	s.Equal(`{"Name":"Hello world text document.txt:goodbye.txt","Stream":"Goodbye","File":true,"Made":2018}`+"\n", rows)
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

func (s *EngineSuite) TestADamagedAmcacheIsAnErrorRow() {
	disk, indicators := s.everything()
	s.Require().NoError(os.WriteFile(disk+"/Amcache.hve", []byte("regf"+strings.Repeat("x", 9000)), 0o600))
	got := s.filesThatMayFail(disk, indicators, nil)
	s.Empty(got.failed)
	s.Equal("error: no entry could be read 0", s.coverageOf(got, disk)["Windows.Detection.Amcache Amcache.hve"])
	s.NotEmpty(s.hits(got))
}

func (s *EngineSuite) TestAPageIsFoundHoweverItsURLIsWritten() {
	disk := s.tempDir()
	db := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), chromiumSchema)
	urls := []string{
		"http://site.example/a,b?c=\"d\"", "http://site.example/a,b?c=\"d\"#part", "http://site.example:80/a,b?c=\"d\"", "http://site.example./a,b?c=\"d\"",
		"HTTP://Site.Example/a,b?c=\"d\"", "http://user:pass@c2.bad-domain.example/", "https://c2.bad-domain.example", "https://C2.bad-domain.example:8443/x",
		"http://[64:ff9b::cb00:7107]:4443/", "http://203.0.113.7:4443/?x=http://c2.bad-domain.example/", "https://deep.c2.bad-domain.example./", "http://c2.bad-domain.example?x",
		"coap+tcp://c2.bad-domain.example/", "http://c2.bad-domain.example:/x",
	}
	for _, url := range urls {
		s.visitChromium(db, url, 1)
	}
	for _, url := range []string{"about:blank", "data:text/html,http://c2.bad-domain.example/", "https://www.good.example/?u=http://c2.bad-domain.example/",
		"https://xc2.bad-domain.example/", "file:///C:/c2.bad-domain.example", "", "://", "https://"} {
		s.visitChromium(db, url, 1)
	}
	s.Require().NoError(db.Close())
	got := s.files(disk, [][2]string{{"domain", "c2.bad-domain.example"}, {"url", "http://site.example/a,b?c=%22d%22"}, {"ip:port", "203.0.113.7:4443"}},
		map[string]string{"Kinds": `["url", "domain", "ip"]`})
	var found []string
	for _, hit := range s.hits(got) {
		found = append(found, hit["URL"].(string))
	}
	s.ElementsMatch(urls, found)
}

func (s *EngineSuite) TestAHistoryOfAMillionPagesIsReadInBoundedMemory() {
	s.Ctx = context.Background()    // the suite's ends after 60 s
	pages, visits := 50_000, 10_500 // the engine reads a query that it has to keep once more from row 10,001 on
	if os.Getenv("LOAD") != "" {
		pages = 1_000_000
	}
	disk := s.tempDir()
	db := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), chromiumSchema)
	s.do(db, `INSERT INTO urls(url, last_visit_time) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT 'https://www' || (i % 5000) || '.good.example/a/page/' || i || '?of=' || i, 13400000000000000 + i FROM n`, pages)
	s.visitChromium(db, "http://c2.bad-domain.example/", 1)
	s.do(db, `INSERT INTO visits(url, visit_time) SELECT (SELECT max(id) FROM urls), last_visit_time FROM urls LIMIT ?`, visits-1)
	s.Require().NoError(db.Close())

	clearPeak()
	before, cpu := peakMiB(), cpuSeconds()
	got := s.files(disk, [][2]string{{"domain", "c2.bad-domain.example"}, {"url", "http://site.example/a"}}, map[string]string{"Places": `["Chrome"]`})
	fmt.Printf("files: %d pages, %.1f s of processor, peak %.0f MiB (%.0f before)\n", pages, cpuSeconds()-cpu, peakMiB(), before)
	s.Len(s.hits(got), 1000, "MaxHitsPerIndicator")
	s.Contains(got.source["Summary"], fmt.Sprintf(`"Count":%d`, visits))
	s.Contains(got.source["Coverage"], fmt.Sprintf(`"Rows":%d`, pages+1))
	s.Less(peakMiB(), before+200)
}
