package engine

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// refreshFrom collects Server.Import.ThreatFox from these exports without a key.
func (s *EngineSuite) refreshFrom(exports *exportServer, params map[string]string) (refreshed, collection) {
	s.T().Helper()
	all := map[string]string{"AuthKey": "", "CacheSeconds": "0"}
	for name, value := range params {
		all[name] = value
	}
	return s.refresh(&threatfoxAPI{URL: exports.URL}, all)
}

// The way that docs/install.md and docs/server.md describe: full by hand, then Source auto.
func (s *EngineSuite) TestARefreshKeepsToTheSourceOfTheFeedInUse() {
	s.publishHelper()
	exports := s.serveExports(threeSources)

	first, _ := s.refreshFrom(exports, map[string]string{"Source": "full"})
	second, _ := s.refreshFrom(exports, nil)

	s.Equal([]string{"published", "full"}, []string{first.Status, first.FeedSource})
	s.Equal([]string{"unchanged", "full"}, []string{second.Status, second.FeedSource}, second.Message)
	s.Equal([]string{"csv/full/", "csv/full/"}, exports.asked())
}

func (s *EngineSuite) TestAnotherSourceIsTakenWithoutForceAndThenKept() {
	s.publishHelper()
	exports := s.serveExports(threeSources)
	s.refreshFrom(exports, map[string]string{"Source": "full"})

	changed, _ := s.refreshFrom(exports, map[string]string{"Source": "recent"})
	kept, _ := s.refreshFrom(exports, nil)

	s.Equal([]string{"published", "recent"}, []string{changed.Status, changed.FeedSource}, changed.Message)
	s.Equal(10, changed.Keys)
	s.Equal([]string{"unchanged", "recent"}, []string{kept.Status, kept.FeedSource}, kept.Message)
}

func (s *EngineSuite) TestAShrinkOfTheSameSourceIsRefusedWhetherItIsNamedOrKept() {
	s.publishHelper()
	names := domains(0, 100)
	exports := s.serveExports(func(string) (int, string) { return http.StatusOK, csvExport(names, time.Now()) })
	first, _ := s.refreshFrom(exports, map[string]string{"Source": "full"})
	names = domains(0, 49)

	for _, source := range []string{"full", "auto"} {
		row, got := s.refreshFrom(exports, map[string]string{"Source": source})

		s.Equal("refused", row.Status, source)
		s.Regexp(`^refused: the new feed has 49 rows, less than half of the 100 in the feed in use.*parameter Force`, row.Message, source)
		s.NotContains(got.failed, s.serverFolder(), source)
		s.Equal(map[string]string{first.Version: first.SHA256}, s.versions("ThreatFoxFeed"), source)
	}
}

// A child organization that cannot reach its own frontend, or a file that somebody deleted.
func (s *EngineSuite) TestAShrinkIsRefusedWhereTheOldFileIsGone() {
	s.publishHelper()
	names := domains(0, 100)
	exports := s.serveExports(func(string) (int, string) { return http.StatusOK, csvExport(names, time.Now()) })
	s.refreshFrom(exports, map[string]string{"Source": "full"})
	s.query(`SELECT file_store_delete(path="/public/" + inventory_get(tool="ThreatFoxFeed").Definition.filestore_path) FROM scope()`, nil)
	names = domains(0, 49)

	refused, _ := s.refreshFrom(exports, nil)
	forced, _ := s.refreshFrom(exports, map[string]string{"Force": "Y"})

	s.Equal("refused", refused.Status)
	s.Contains(refused.Message, "49 rows, less than half of the 100 in the feed in use, whose file cannot be read")
	s.Equal("published", forced.Status)
}

// A feed of an earlier version of the pack, or one that was put in by hand.
func (s *EngineSuite) TestAFeedOfUnknownSourceIsAskedAboutOnce() {
	s.publishHelper()
	var known [][2]string
	for _, name := range domains(0, 100) {
		known = append(known, [2]string{"domain", name})
	}
	s.publish("ThreatFoxFeed", s.normalize(s.writeExport(known)), "1.0.1700000000")
	exports := s.serveExports(threeSources)

	asked, _ := s.refreshFrom(exports, nil)
	s.Equal("refused", asked.Status)
	s.Contains(asked.Message, "It is not known what the feed in use was made of: choose Source once, it is kept then")

	chosen, _ := s.refreshFrom(exports, map[string]string{"Source": "recent"})
	s.Equal("published", chosen.Status, chosen.Message)
	kept, _ := s.refreshFrom(exports, nil)
	s.Equal([]string{"unchanged", "recent"}, []string{kept.Status, kept.FeedSource}, kept.Message)
}

func (s *EngineSuite) TestAnUploadedExportIsComparedWithTheUploadBefore() {
	s.publishHelper()
	exports := s.serveExports(threeSources)
	file := func(count int) string {
		path := filepath.Join(s.T().TempDir(), "full.csv")
		s.Require().NoError(os.WriteFile(path, []byte(csvExport(domains(0, count), time.Now())), 0o600))
		return "file://" + path
	}
	s.refreshFrom(exports, map[string]string{"Source": "full"})

	first, _ := s.refreshFrom(exports, map[string]string{"ExportFile": file(40)})
	s.Equal([]string{"published", "upload"}, []string{first.Status, first.FeedSource}, first.Message)
	second, _ := s.refreshFrom(exports, map[string]string{"ExportFile": file(10)})
	s.Equal("refused", second.Status)
	s.Contains(second.Message, "Force")

	exports.answer = func(path string) (int, string) { return http.StatusOK, jsonExport(domains(90, 10), time.Now()) }
	auto, _ := s.refreshFrom(exports, nil)
	s.Equal("refused", auto.Status)
	s.Contains(auto.Message, "The feed in use was made of an upload: choose Source once, it is kept then")
}

func (s *EngineSuite) TestAnOldExportIsToldOfWhenItIsPublished() {
	s.publishHelper()
	exports := s.serveExports(func(string) (int, string) {
		return http.StatusOK, csvExport(domains(0, 3), time.Now().AddDate(-3, 0, 0))
	})

	row, _ := s.refreshFrom(exports, map[string]string{"Source": "full"})

	s.Equal("published", row.Status)
	s.Regexp(`^The newest indicator is of 20\d\d-.*: newer ones are missed\.`, row.Message)
}

func (s *EngineSuite) TestTheDaysOfTheFeedInUseAreKeptToo() {
	s.publishHelper()
	old, _, _ := strings.Cut(csvExport(domains(0, 100), time.Now().AddDate(0, 0, -60)), "# Number")
	_, young, _ := strings.Cut(csvExport(domains(100, 10), time.Now()), "\n")
	both := old + strings.Replace(young, "entries: 10", "entries: 110", 1)
	exports := s.serveExports(func(string) (int, string) { return http.StatusOK, both })

	first, _ := s.refreshFrom(exports, map[string]string{"Source": "full", "Days": "30"})
	second, _ := s.refreshFrom(exports, nil)

	s.Equal(10, first.Keys)
	s.Equal("unchanged", second.Status, second.Message)
	all, _ := s.refreshFrom(exports, map[string]string{"Source": "full"})
	s.Equal(110, all.Keys)
}

// A failure's row has its cause and nothing else, so that the GUI shows all of it.
func (s *EngineSuite) TestTheRowOfAFailureHasTheCauseFirstAndNoEmptyColumns() {
	s.publishHelper()
	exports := s.serveExports(func(string) (int, string) { return http.StatusOK, "<html><title>Sign in</title></html>" })

	_, got := s.refreshFrom(exports, map[string]string{"Source": "full"})

	s.Regexp(`^\{"Status":"failed","Message":"the server answered with a web page[^{}]*"\}\n$`, got.rows)
	s.Regexp(`^the server answered with a web page`, got.failed)
}
