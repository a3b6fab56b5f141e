package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/vtesting"
)

// The steps of the blog post that this project started from, as its readers do them today: put the helper in, import
// the indicators, compare them with a log in a notebook's cell, and then the same by a hunt.
func (s *EngineSuite) TestTheBlogsStepsFindTheSameByNotebookAndByHunt() {
	s.servePublic()
	api := s.serveThreatfox(iocs(planted["203.0.113.7:4443"], planted["c2.bad-domain.example"], decoys[2], decoys[3]))
	s.enrichmentAsks(api)

	// The helper, and the key.
	got := s.collectOnServer("Server.Import.ThreatFox.Helper", map[string]string{"HelperFile": "file://" + s.helper()})
	s.Empty(got.failed)
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`, ordereddict.NewDict().Set("Key", theKey))

	// A notebook's cell: the blog's join, with an escaped and anchored regex.
	cell := strings.Replace(s.cellOf(notebookGuide, regexCell), sysmonLog, s.edgeLog(), 1)
	byNotebook := map[string]bool{}
	for _, row := range s.rowsOf(s.notebookCell(cell)) {
		byNotebook[s.milliseconds(row["Time"])+" "+strings.ToLower(row["IOC"])] = true
	}
	s.NotEmpty(byNotebook)

	// The feed, once, and a hunt with it.
	s.Equal("published", s.mustRefresh(api, map[string]string{"AuthKey": ""}).Status)
	s.NotEmpty(s.launchHunt())
	byHunt := map[string]bool{}
	result := s.collect(hunt, map[string]string{"EvtxGlob": s.edgeLog(), "DownloadDelay": "0", "MinStrength": "weak"})
	s.Empty(result.failed)
	for _, row := range s.rowsOf(result.source["Hits"]) {
		byHunt[s.milliseconds(row["Time"])+" "+strings.ToLower(row["IOC"])] = true
	}

	for hit := range byNotebook {
		s.True(byHunt[hit], "%s: in the notebook, not in the hunt", hit)
	}
	s.Greater(len(byHunt), len(byNotebook), "the hunt looks at more events than connections")
	s.Equal([]string{`{"days":1,"query":"get_iocs"}`, `{"days":7,"query":"get_iocs"}`}, api.asked(),
		"one request for the cell, one for the feed")
}

// milliseconds is a time as the log has it: parse_evtx gives it as a number whose last digits are lost.
func (s *EngineSuite) milliseconds(text string) string {
	at, err := time.Parse(time.RFC3339Nano, text)
	s.Require().NoError(err)
	return at.Round(time.Millisecond).Format(time.RFC3339Nano)
}

// notebookCell puts VQL into the cell of a new notebook, as the GUI does, and returns its rows as JSON lines.
func (s *EngineSuite) notebookCell(vql string) string {
	s.loadBuiltIn("Notebooks.Default")
	s.loadBuiltIn("Server.Internal.ArtifactDescription")
	manager, err := services.GetNotebookManager(s.ConfigObj)
	s.Require().NoError(err)
	notebook, err := manager.NewNotebook(s.Ctx, "admin", &api_proto.NotebookMetadata{Name: "Blog"})
	s.Require().NoError(err)
	cell, err := manager.UpdateNotebookCell(s.Ctx, notebook, "admin", &api_proto.NotebookCellRequest{
		NotebookId: notebook.NotebookId, CellId: notebook.CellMetadata[0].CellId, Input: vql, Type: "vql"})
	s.Require().NoError(err)
	// The GUI waits some seconds, then asks again: so does this.
	vtesting.WaitUntil(60*time.Second, s.T(), func() bool {
		cell, err = manager.GetNotebookCell(s.Ctx, notebook.NotebookId, cell.CellId, cell.CurrentVersion)
		return err == nil && !cell.Calculating
	})
	s.Empty(cell.Error)
	s.NotRegexp(badLog, fmt.Sprint(cell.Messages))
	return s.query(`SELECT * FROM source(notebook_id=N, notebook_cell_id=C, notebook_cell_version=V)`,
		ordereddict.NewDict().Set("N", notebook.NotebookId).Set("C", cell.CellId).Set("V", cell.CurrentVersion))
}
