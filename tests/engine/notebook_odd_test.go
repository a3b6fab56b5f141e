package engine

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/Velocidex/ordereddict"

	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/file_store/test_utils"
	"www.velocidex.com/golang/velociraptor/services"
)

// A collection that was stopped has Hits and no Summary, which is made at its end.
func (s *EngineSuite) TestHitsOfAHuntThatWasStoppedAreInTheNotebooks() {
	s.publishEdgeFeed()
	s.newClient(clientID(0), "host-0")
	s.newClient(clientID(1), "host-1")
	id := s.simulate(simulated{artifact: hunt, clients: 2, findings: func(client int) []*ordereddict.Dict {
		if client == 0 {
			return nil
		}
		return []*ordereddict.Dict{finding(1, "whole.exe", "203.0.113.7:443", 5, day(1), day(2))}
	}, failed: func(int) string { return "timeout" }})
	dispatcher, err := services.GetHuntDispatcher(s.ConfigObj)
	s.Require().NoError(err)
	dispatcher.ModifyHuntObject(s.Ctx, id, services.GetHuntOptions{}, func(made *api_proto.Hunt) services.HuntModificationAction {
		made.Stats.TotalClientsWithErrors = 2
		return services.HuntPropagateChanges
	})
	flow := "F." + strings.TrimPrefix(id, "H.") + ".H"
	files := test_utils.GetMemoryFileStore(s.T(), s.ConfigObj)
	for client, process := range []string{"stopped.exe", "whole.exe"} {
		var lines []byte
		for n := range 2 {
			line, err := liveHit(client, process, "203.0.113.7:443", 1, day(1+n)).MarshalJSON()
			s.Require().NoError(err)
			lines = append(append(lines, line...), '\n')
		}
		files.Data.Set(s.resultPath(clientID(client), flow, hunt+"/Hits").AsClientPath(), lines)
	}

	for _, request := range []*api_proto.NotebookMetadata{
		{Name: "ThreatFox", Artifacts: []string{notebookArtifact}},
		{NotebookId: "N." + id, Artifacts: []string{hunt}},
		{NotebookId: "N." + flow + "-" + clientID(0), Artifacts: []string{hunt}},
		{NotebookId: "N." + flow + "-" + clientID(1), Artifacts: []string{hunt}},
	} {
		cells, _ := s.notebook(request)
		all := s.sound(cells[0])
		found := s.byProcess(all[0])
		ofBoth := !strings.HasPrefix(request.NotebookId, "N.F.")
		if ofBoth || strings.HasSuffix(request.NotebookId, clientID(0)) {
			s.Require().Contains(found, "stopped.exe", request.NotebookId)
			s.Equal("2026-11-01T12:00:00Z 2026-11-02T12:00:00Z strong", found["stopped.exe"]["First"]+" "+found["stopped.exe"]["Last"]+" "+found["stopped.exe"]["Strength"])
			s.Contains(found["stopped.exe"]["Host"], "/host/"+clientID(0))
		}
		if ofBoth {
			s.Len(found, 2)
			s.Contains(all[1].rows, `"Events":5`, "a Summary counts more than the Hits that were kept")
		}
	}
}

func (s *EngineSuite) TestAHostsNameMakesNoLinkWhereItsSearchFailed() {
	s.publishEdgeFeed()
	s.newClient(clientID(0), "x](javascript:alert(1)) [y")
	s.simulate(simulated{artifact: hunt, clients: 2, findings: func(int) []*ordereddict.Dict { return nil }, failed: func(int) string { return "No feed." }})

	hosts := s.rowsOf(s.sound(s.fleetsNotebook()[2])[0].rows)

	s.Require().Len(hosts, 2)
	for _, host := range hosts {
		s.NotContains(host["Host"], "](javascript")
		s.Regexp(`^\[(x__javascript:alert_1__ _y|`+clientID(1)+`)\]\(http`, host["Host"])
	}
}

func (s *EngineSuite) TestAPolicyLineHoldsAnIndicatorWithQuotationMarks() {
	s.publishEdgeFeed()
	s.simulate(simulated{artifact: hunt, clients: 1, findings: func(int) (rows []*ordereddict.Dict) {
		for _, url := range []string{"http://a.example/it's", "http://a.example/'", "http://a.example/`x`|\"y\"\\"} {
			rows = append(rows, finding(0, "evil.exe", url, 1, day(1), day(1)).Set("IOCType", "url"))
		}
		return rows
	}})

	lines := s.rowsOf(s.sound(s.fleetsNotebook()[1])[0].rows)

	s.Require().Len(lines, 3)
	for _, row := range lines {
		folder := s.tempDir()
		policy := filepath.Join(folder, "policy.yaml")
		s.Require().NoError(os.WriteFile(policy, []byte("ignore:\n  "+row["PolicyLine"]+"\n"), 0o600))
		output, err := exec.Command(s.helper(), "normalize", "--policy", policy, "-o", filepath.Join(folder, "feed.csv.gz"),
			s.writeExport([][2]string{{"url", row["IOC"]}, {"domain", "c2.bad-domain.example"}})).CombinedOutput()
		s.NoError(err, "%s: %s", row["PolicyLine"], output)
	}
}
