package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/file_store/api"
	"www.velocidex.com/golang/velociraptor/file_store/test_utils"
	"www.velocidex.com/golang/velociraptor/json"
	"www.velocidex.com/golang/velociraptor/paths"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/vtesting"
)

const notebookArtifact = "Notebooks.ThreatFox"

// notebook makes a notebook as the GUI does, waits until its cells are worked out, and returns them with
// their rows as JSON lines.
func (s *EngineSuite) notebook(request *api_proto.NotebookMetadata) (cells []*api_proto.NotebookCell, rows []string) {
	s.T().Helper()
	s.loadBuiltIn("Server.Internal.ArtifactDescription") // the template that cells are put into
	manager, err := services.GetNotebookManager(s.ConfigObj)
	s.Require().NoError(err)
	notebook, err := manager.NewNotebook(s.Ctx, "admin", request)
	s.Require().NoError(err)

	for _, summary := range notebook.CellMetadata {
		var cell *api_proto.NotebookCell
		vtesting.WaitUntil(60*time.Second, s.T(), func() bool {
			cell, err = manager.GetNotebookCell(s.Ctx, notebook.NotebookId, summary.CellId, summary.CurrentVersion)
			return err == nil && !cell.Calculating
		})
		cells = append(cells, cell)
		text := ""
		if cell.Type == "vql" {
			text = s.query(`SELECT * FROM source(notebook_id=N, notebook_cell_id=C, notebook_cell_version=V)`,
				ordereddict.NewDict().Set("N", notebook.NotebookId).Set("C", cell.CellId).Set("V", cell.CurrentVersion))
		}
		rows = append(rows, text)
	}
	return cells, rows
}

// simulateHunt creates a hunt with the results of so many clients, one finding each.
func (s *EngineSuite) simulateHunt(clients int) (id string) {
	id = s.launchHunt()
	// Straight into the memory: writing this many files the usual way takes minutes there.
	files := test_utils.GetMemoryFileStore(s.T(), s.ConfigObj)
	write := func(path api.FSPathSpec, rows ...*ordereddict.Dict) {
		var lines []byte
		for _, row := range rows {
			line, err := json.Marshal(row)
			s.Require().NoError(err)
			lines = append(append(lines, line...), '\n')
		}
		files.Data.Set(path.AsClientPath(), lines)
	}
	var members []*ordereddict.Dict
	for i := range clients {
		client, flow := fmt.Sprintf("C.%016x", i), "F."+strings.TrimPrefix(id, "H.")+".H"
		members = append(members, ordereddict.NewDict().Set("HuntId", id).Set("ClientId", client).Set("FlowId", flow).
			Set("Timestamp", time.Now().Unix()).Set("Participate", true))
		day := time.Date(2026, 11, 1+i%20, 12, 0, 0, 0, time.UTC)
		finding := func() *ordereddict.Dict {
			return ordereddict.NewDict().Set("Computer", fmt.Sprintf("host-%d", i)).
				Set("Image", `C:\Windows\System32\svchost.exe`).Set("User", `NT AUTHORITY\SYSTEM`).
				Set("IOC", fmt.Sprintf("203.0.113.%d:443", i%50)).Set("IOCType", "ip:port").Set("Malware", fmt.Sprintf("Family %d", i%7)).
				Set("Strength", "strong").Set("Match", "ip:port")
		}
		write(s.resultPath(client, flow, "Windows.Detection.ThreatFox/Summary"),
			finding().Set("Count", 3).Set("First", day).Set("Last", day).Set("Link", ""))
		write(s.resultPath(client, flow, "Windows.Detection.ThreatFox/Hits"), finding().Set("Time", day).Set("EventID", 3))
	}
	write(paths.NewHuntPathManager(id).Clients(), members...)
	return id
}

func (s *EngineSuite) TestTheNotebookShowsTheFeedAndTheHitsOfAllHunts() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"ip:port", "203.0.113.7:4443"},
		[2]string{"domain", "c2.bad-domain.example"}, [2]string{"domain", "c3.bad-domain.example"}))
	feed := s.mustRefresh(api, nil)
	s.simulateHunt(20)
	s.simulateHunt(21)

	cells, rows := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})

	s.Require().Len(cells, 8)
	for _, cell := range cells {
		s.Empty(cell.Error)
		s.NotRegexp(badLog, strings.Join(cell.Messages, "\n"))
	}
	s.Contains(rows[0], `"Version":"`+feed.Version+`"`)
	s.Contains(rows[0], `"Keys":3`)
	s.Contains(rows[0], `"NewestActivity":"2026-11-24T10:00:00Z"`)
	s.Equal("{\"Kind\":\"domain\",\"Keys\":2}\n{\"Kind\":\"ip\",\"Keys\":1}\n", rows[1])
	s.Contains(rows[2], `{"Malware":"Test","Keys":3}`)
	s.Contains(rows[3], `"Malware":"Test","FirstSeen":"2026-11-24T10:00:00Z"`)
	s.Equal(2, strings.Count(rows[4], "Windows.Detection.ThreatFox"))
	s.Equal(20, strings.Count(rows[5], "\n"), "days")
	s.Contains(rows[5], `{"Day":"2026-11-01T00:00:00Z","Events":9,"Findings":3}`)
	s.Contains(rows[6], `{"Malware":"Family 0","Findings":6}`)
	s.Contains(cells[1].Output, "notebook-bar-chart")
	s.Contains(cells[5].Output, "notebook-time-chart")
	s.Contains(cells[7].Output, "/hunts/new/Windows.Detection.ThreatFox")
	s.Contains(cells[7].Output, "/collected/server/new/Server.Detection.ThreatFox")
	s.Len(api.asked(), 1)
}

// 10,000 clients, in this notebook and in the hunt's own.
func (s *EngineSuite) TestNotebooksOfTenThousandClientsTakeSecondsAndAskNobody() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"ip:port", "203.0.113.7:4443"}))
	s.mustRefresh(api, nil)
	hunt := s.simulateHunt(10_000)

	for name, request := range map[string]*api_proto.NotebookMetadata{
		"all hunts": {Artifacts: []string{notebookArtifact}},
		"the hunt":  {NotebookId: "N." + hunt, Artifacts: []string{"Windows.Detection.ThreatFox"}},
	} {
		cells, rows := s.notebook(request)
		for i, cell := range cells {
			s.Empty(cell.Error, name)
			took := time.Duration(cell.Duration) * time.Second
			s.T().Logf("%s, cell %d: %v, %d rows", name, i, took, strings.Count(rows[i], "\n"))
			s.Less(took, 10*time.Second, "%s, cell %d", name, i)
		}
	}

	s.Len(api.asked(), 1, "one request a refresh")
}

func (s *EngineSuite) TestTheHuntsOwnNotebookShowsHostsFamiliesDaysAndNoise() {
	s.publish("ThreatFoxFeed", s.edgeFeed(), "1.0.1")
	hunt := s.simulateHunt(21)

	cells, rows := s.notebook(&api_proto.NotebookMetadata{
		NotebookId: "N." + hunt, Artifacts: []string{"Windows.Detection.ThreatFox"}})

	for _, cell := range cells {
		s.Empty(cell.Error)
		s.NotRegexp(badLog, strings.Join(cell.Messages, "\n"))
	}
	s.Equal(21, strings.Count(rows[0], "\n"), "findings")
	s.Contains(rows[1], `"Strongest":"strong","Findings":1,"Events":3`)
	s.Contains(rows[2], `{"Malware":"Family 0","Hits":9}`)
	s.Contains(cells[2].Output, "notebook-bar-chart")
	s.Equal(20, strings.Count(rows[3], "\n"), "days")
	s.Contains(cells[3].Output, "notebook-time-chart")
	s.Contains(rows[4], `"Hosts":1,"Events":3,"PolicyLine":"ips: ['203.0.113.0']"`)
}
