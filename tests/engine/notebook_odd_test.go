package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

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

// The Monitor's own rhythm: a hunt of some days, one over all events, and again one of some days.
func (s *EngineSuite) TestAFindingIsThatOfAllHuntsThatMetItAlsoOfOneInTheMiddle() {
	s.publishEdgeFeed()
	var ids []string
	for i, daysAgo := range []int{20, 15, 10, 0} {
		ids = append(ids, s.simulate(simulated{artifact: hunt, daysAgo: daysAgo, clients: 2, findings: func(client int) []*ordereddict.Dict {
			row := finding(client, fmt.Sprintf("%d.exe", client), "203.0.113.7:443", 2, day(10), day(11)).Set("Strength", "weak")
			switch {
			case client == 1 && i == 0:
				return nil
			case client == 0 && i == 1:
				row.Set("Strength", "strong").Set("First", day(2)).Set("Last", day(12)).Set("Count", 500)
			case i == 2:
				row.Set("Strength", "medium").Set("First", day(5)).Set("Last", day(20)).Set("Count", 9)
			}
			return []*ordereddict.Dict{row}
		}}))
	}

	all := s.sound(s.fleetsNotebook()[0])

	found := s.byProcess(all[0])
	s.Require().Len(found, 2)
	for process, want := range map[string]string{
		"0.exe": "strong 2026-11-02T12:00:00Z 2026-11-20T12:00:00Z",
		"1.exe": "medium 2026-11-05T12:00:00Z 2026-11-20T12:00:00Z",
	} {
		row := found[process]
		s.Equal(want, row["Strength"]+" "+row["First"]+" "+row["Last"])
	}
	for client, process := range []string{"0.exe", "1.exe"} {
		s.Contains(found[process]["Hunt"], "["+ids[client]+"]", "the oldest that met it")
		s.Contains(found[process]["Process"], "/F."+strings.TrimPrefix(ids[client], "H.")+".H")
	}
	hosts := s.rowsOf(all[1].rows)
	s.Equal([]string{"strong", "500", "0", "medium", "9", "0"},
		[]string{hosts[0]["Strongest"], hosts[0]["Events"], hosts[0]["New"], hosts[1]["Strongest"], hosts[1]["Events"], hosts[1]["New"]})
}

// A host with a wrong clock, or a hostile row.
func (s *EngineSuite) TestTheChartOfDaysEndsAtTheLatestThatIsNotInTheFuture() {
	s.publishEdgeFeed()
	odd := []any{time.Now().AddDate(1, 0, 0), "9999-99-99", "zzz", ordereddict.NewDict().Set("a", 1), "", nil}
	s.simulate(simulated{artifact: hunt, clients: 4 + len(odd), findings: func(client int) []*ordereddict.Dict {
		row := finding(client, "evil.exe", "203.0.113.7:443", 3, day(10+client), day(10+client))
		if client >= 4 {
			row.Set("First", odd[client-4]).Set("Last", odd[client-4])
		}
		return []*ordereddict.Dict{row}
	}})

	all := s.sound(s.fleetsNotebook()[0])

	bars := s.rowsOf(all[4].rows)
	s.Require().Len(bars, 60)
	for i := range 4 {
		s.Equal(map[string]string{"_name": fmt.Sprintf("2026-11-%d", 10+i), "First": "1", "Last": "1"}, bars[56+i])
	}
	s.Contains(all[5].rows, fmt.Sprintf(`"Day":"%d-`, time.Now().Year()+1), "the table has it")
}

func (s *EngineSuite) TestAHostHasEachFamilyOnce() {
	s.publishEdgeFeed()
	s.simulate(simulated{artifact: hunt, clients: 1, findings: func(int) (rows []*ordereddict.Dict) {
		for i, ioc := range []string{"203.0.113.7:443", "203.0.113.8:443", "c2.bad-domain.example", "203.0.113.9:443"} {
			rows = append(rows, finding(0, fmt.Sprintf("%d.exe", i), ioc, 3, day(1+i), day(2+i)))
		}
		return rows
	}})

	hosts := s.rowsOf(s.sound(s.fleetsNotebook()[0])[1].rows)

	s.Require().Len(hosts, 1)
	s.Equal([]string{"Family 3, Family e", "4", "0", "12", "2026-11-01T12:00:00Z", "2026-11-05T12:00:00Z"},
		[]string{hosts[0]["Malware"], hosts[0]["Findings"], hosts[0]["New"], hosts[0]["Events"], hosts[0]["First"], hosts[0]["Last"]})
}
