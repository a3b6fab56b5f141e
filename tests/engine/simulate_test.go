package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/file_store/test_utils"
	flows_proto "www.velocidex.com/golang/velociraptor/flows/proto"
	"www.velocidex.com/golang/velociraptor/json"
	"www.velocidex.com/golang/velociraptor/paths"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/utils"
)

// simulated is a hunt that has ended. Rows go straight into the memory: writing this many files the usual way takes minutes there.
type simulated struct {
	artifact string
	daysAgo  int
	clients  int
	findings func(client int) []*ordereddict.Dict // rows of Summary
	coverage func(client int) []*ordereddict.Dict
	failed   func(client int) string // why its search failed, "" if it did not
}

func clientID(client int) string { return fmt.Sprintf("C.%016x", client) }

// finding is a row of Summary.
func finding(client int, process, ioc string, count int, first, last time.Time) *ordereddict.Dict {
	kind := "ip:port"
	if !strings.Contains(ioc, ":") {
		kind = "domain"
	}
	return ordereddict.NewDict().Set("Strength", "strong").Set("Malware", "Family "+ioc[len(ioc)-1:]).Set("IOC", ioc).
		Set("Match", kind).Set("Count", count).Set("First", first).Set("Last", last).Set("Computer", fmt.Sprintf("host-%d", client)).
		Set("Image", `C:\Windows\System32\`+process).Set("User", `NT AUTHORITY\SYSTEM`).Set("IOCType", kind).
		Set("Link", "[1](https://threatfox.abuse.ch/ioc/1/)")
}

// covered is a row of Coverage.
func covered(status string) *ordereddict.Dict {
	return ordereddict.NewDict().Set("Place", "Microsoft-Windows-Sysmon").Set("LogFile", "Sysmon.evtx").Set("Connections", 5).Set("Queries", 0).
		Set("Status", status)
}

// simulate makes a hunt with its results and returns its id.
func (s *EngineSuite) simulate(hunt simulated) (id string) {
	restore := utils.MockTime(&utils.RealClockWithOffset{Duration: -time.Duration(hunt.daysAgo) * 24 * time.Hour})
	id = s.rowsOf(s.query(`SELECT hunt(artifacts=Name, expires=now() + 3600).HuntId AS Id FROM scope()`,
		ordereddict.NewDict().Set("Name", hunt.artifact)))[0]["Id"]
	restore()
	dispatcher, err := services.GetHuntDispatcher(s.ConfigObj)
	s.Require().NoError(err)
	dispatcher.ModifyHuntObject(s.Ctx, id, services.GetHuntOptions{}, func(made *api_proto.Hunt) services.HuntModificationAction {
		made.Stats.TotalClientsScheduled = uint64(hunt.clients)
		return services.HuntPropagateChanges
	})

	files := test_utils.GetMemoryFileStore(s.T(), s.ConfigObj)
	write := func(client, flow, source string, rows []*ordereddict.Dict) {
		if len(rows) == 0 {
			return
		}
		var lines []byte
		for _, row := range rows {
			line, err := json.Marshal(row)
			s.Require().NoError(err)
			lines = append(append(lines, line...), '\n')
		}
		files.Data.Set(s.resultPath(client, flow, hunt.artifact+source).AsClientPath(), lines)
	}
	launcher, err := services.GetLauncher(s.ConfigObj)
	s.Require().NoError(err)
	flow := "F." + strings.TrimPrefix(id, "H.") + ".H"
	var members []byte
	for i := range hunt.clients {
		client := clientID(i)
		members = fmt.Appendf(members, `{"HuntId":%q,"ClientId":%q,"FlowId":%q,"Timestamp":%d,"Participate":true}`+"\n", id, client, flow, time.Now().Unix())
		write(client, flow, "/Summary", hunt.findings(i))
		if hunt.coverage != nil {
			write(client, flow, "/Coverage", hunt.coverage(i))
		}
		if hunt.failed != nil {
			record := &flows_proto.ArtifactCollectorContext{ClientId: client, SessionId: flow, State: flows_proto.ArtifactCollectorContext_FINISHED}
			if why := hunt.failed(i); why != "" {
				record.State, record.Status = flows_proto.ArtifactCollectorContext_ERROR, why
			}
			s.Require().NoError(launcher.Storage().WriteFlow(s.Ctx, s.ConfigObj, record, services.GetFlowOptions{}, utils.SyncCompleter))
		}
	}
	files.Data.Set(paths.NewHuntPathManager(id).Clients().AsClientPath(), members)
	return id
}

// simulateHunt creates a hunt with the results of so many clients, one finding each.
func (s *EngineSuite) simulateHunt(clients int) (id string) {
	return s.simulate(simulated{artifact: hunt, clients: clients, findings: func(i int) []*ordereddict.Dict {
		day := time.Date(2026, 11, 1+i%20, 12, 0, 0, 0, time.UTC)
		return []*ordereddict.Dict{finding(i, "svchost.exe", fmt.Sprintf("203.0.113.%d:443", i%50), 3, day, day)}
	}})
}
