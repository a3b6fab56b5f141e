package engine

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/services/launcher"

	"threatfox/tests/engine/docs"
)

// verifyCell says what the engine finds wrong in VQL without running it: its grammar, plugins, functions, artifacts and their
// arguments.
func (s *EngineSuite) verifyCell(vql string) (faults []string) {
	state := launcher.NewAnalysisState("cell")
	for _, err := range launcher.VerifyVQL(s.Ctx, s.ConfigObj, vql, s.repository(), state) {
		faults = append(faults, err.Error())
	}
	return append(append(faults, state.Errors...), state.Warnings...)
}

func (s *EngineSuite) TestEveryCellOfTheDocumentsIsSoundVQL() {
	documents, err := docs.ReadAll("../..")
	s.Require().NoError(err)
	cells := 0
	for _, document := range documents {
		for _, block := range document.Blocks {
			if block.Language == "vql" {
				cells++
				s.Empty(s.verifyCell(block.Text), "%s:%d", document.Path, block.Line)
			}
		}
	}
	s.Greater(cells, 5)
}

func (s *EngineSuite) TestAFaultyCellIsFound() {
	for _, cell := range []string{
		"SELECT FROM", "SELECT * FROM gone()", "SELECT gone() FROM scope()", "SELECT * FROM parse_evtx(file='x')",
		"SELECT * FROM Artifact.Server.Enrichment.ThreatFox(Dayz=1)", "SELECT * FROM Artifact.Server.Enrichment.Gone()",
	} {
		s.NotEmpty(s.verifyCell(cell), cell)
	}
}

// As an analyst does: copy the cell, put in a log or hunt of one's own.
func (s *EngineSuite) TestEveryCellOfTheNotebookGuideGivesRows() {
	s.publishHelper()
	s.enrichmentAsks(s.serveThreatfox(iocs(planted["203.0.113.7:4443"], planted["c2.bad-domain.example"])))
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`, ordereddict.NewDict().Set("Key", theKey))
	s.publishEdgeFeed()
	own := strings.NewReplacer(sysmonLog, filepath.ToSlash(s.edgeLog()), "H.1234567890ABC", s.simulateHunt(3))

	for _, block := range docs.Read(notebookGuide, s.read(notebookGuide)).Blocks {
		rows, logs := s.queryWithLogs(own.Replace(block.Text), nil)
		s.NotEmpty(rows, "%s:%d", notebookGuide, block.Line)
		s.NotRegexp(badLog, noEventData.ReplaceAllString(logs, ""), "%s:%d", notebookGuide, block.Line)
	}
}

// The names of buttons and menus in the guide are those of the GUI, whose source comes with the engine.
func (s *EngineSuite) TestTheInstallationGuideUsesTheGUIsNames() {
	gui := ""
	engine := os.Getenv("VELOCIRAPTOR_MODULE_DIR")
	for _, folder := range []string{"gui/velociraptor/src/components", "artifacts/definitions/Server/Internal"} {
		s.Require().NoError(filepath.WalkDir(filepath.Join(engine, folder), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				gui += s.read(path)
			}
			return err
		}))
	}
	names := regexp.MustCompile(`(?:^|[^*])\*([A-Z][A-Za-z ]+)\*(?:[^*]|$)`).FindAllStringSubmatch(s.read("../../docs/install.md"), -1)
	s.Greater(len(names), 15)
	for _, name := range names {
		s.Regexp(`["'>]`+regexp.QuoteMeta(name[1])+`["'<]`, gui, name[1])
	}
}
