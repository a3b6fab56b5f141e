package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/file_store"
	"www.velocidex.com/golang/velociraptor/file_store/api"
	flows_proto "www.velocidex.com/golang/velociraptor/flows/proto"
	"www.velocidex.com/golang/velociraptor/json"
	artifact_paths "www.velocidex.com/golang/velociraptor/paths/artifacts"
	"www.velocidex.com/golang/velociraptor/result_sets"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/utils"
)

const retroHunt = "Server.Detection.ThreatFox"

// resultPath is where a source's rows of a flow are kept.
func (s *EngineSuite) resultPath(client, flow, source string) api.FSPathSpec {
	manager, err := artifact_paths.NewArtifactPathManager(s.Ctx, s.ConfigObj, client, flow, source)
	s.Require().NoError(err)
	return manager.Path()
}

// collected records a collection that has ended, so many days ago, with these rows (JSON lines).
func (s *EngineSuite) collected(client, flow, artifact string, daysAgo int, rows ...string) {
	launcher, err := services.GetLauncher(s.ConfigObj)
	s.Require().NoError(err)
	created := uint64(time.Now().AddDate(0, 0, -daysAgo).UnixMicro())
	record := &flows_proto.ArtifactCollectorContext{
		ClientId: client, SessionId: flow, State: flows_proto.ArtifactCollectorContext_FINISHED,
		CreateTime: created, StartTime: created, ArtifactsWithResults: []string{artifact},
		TotalCollectedRows: uint64(len(rows)),
		Request:            &flows_proto.ArtifactCollectorArgs{ClientId: client, Artifacts: []string{artifact}},
	}
	storage := launcher.Storage()
	s.Require().NoError(storage.WriteFlow(s.Ctx, s.ConfigObj, record, services.GetFlowOptions{Request: true}, utils.SyncCompleter))
	s.Require().NoError(storage.WriteFlowIndex(s.Ctx, s.ConfigObj, record))

	writer, err := result_sets.NewResultSetWriter(file_store.GetFileStore(s.ConfigObj), s.resultPath(client, flow, artifact),
		json.DefaultEncOpts(), utils.SyncCompleter, result_sets.TruncateMode)
	s.Require().NoError(err)
	s.Require().NoError(writer.WriteJSONL([]byte(strings.Join(rows, "\n")+"\n"), uint64(len(rows))))
	writer.Close()
}

// newClient enrols a client.
func (s *EngineSuite) newClient(id, host string) {
	s.query(`SELECT client_create(client_id=Id, os="windows", hostname=Host) FROM scope()`,
		ordereddict.NewDict().Set("Id", id).Set("Host", host))
}

func (s *EngineSuite) TestTheRetroHuntFindsTodaysIndicatorsInWhatWasCollected() {
	s.publishEdgeFeed()
	for _, builtIn := range []string{"Windows.Network.Netstat", "Windows.System.DNSCache", "Windows.EventLogs.Evtx"} {
		s.loadBuiltIn(builtIn)
	}
	s.newClient("C.1000000000000001", "alpha")
	s.newClient("C.1000000000000002", "beta")
	s.collected("C.1000000000000001", "F.Netstat", "Windows.Network.Netstat", 3,
		`{"Pid":7,"Name":"evil.exe","Laddr.IP":"10.0.0.2","Laddr.Port":5000,"Raddr.IP":"203.0.113.7","Raddr.Port":4443}`,
		`{"Pid":8,"Name":"good.exe","Laddr.IP":"10.0.0.2","Laddr.Port":5001,"Raddr.IP":"203.0.113.70","Raddr.Port":4443}`)
	s.collected("C.1000000000000002", "F.Names", "Windows.System.DNSCache", 3,
		`{"Name":"www.C2.bad-domain.example","Record":"192.0.2.55","RecordType":"A"}`,
		`{"Name":"harmless.example","Record":"203.0.113.7","RecordType":"A"}`,
		`{"Name":"other.example","Record":"192.0.2.56","RecordType":"A"}`)
	s.collected("C.1000000000000002", "F.Old", "Windows.System.DNSCache", 90, `{"Name":"c2.bad-domain.example"}`)

	got := s.collectOnServer(retroHunt, nil)

	s.Empty(got.failed)
	s.NotRegexp(badLog, got.logs)
	var hits []string
	for _, row := range s.rowsOf(s.sourceOf(got, retroHunt, "Hits")) {
		hits = append(hits, fmt.Sprint(row["Computer"], " ", row["FlowId"], " ", row["Image"], " ", row["Match"], " ", row["Strength"], " ", row["IOC"]))
	}
	s.ElementsMatch([]string{
		"alpha F.Netstat evil.exe ip:port strong 203.0.113.7:4443",
		"beta F.Names <nil> subdomain medium c2.bad-domain.example",
		"beta F.Names <nil> dns answer medium 203.0.113.7:4443",
	}, hits)
	s.Contains(s.sourceOf(got, retroHunt, "Coverage"), `"Result":"Windows.System.DNSCache","Collections":1,"Rows":3`)
	s.Equal(3, strings.Count(s.sourceOf(got, retroHunt, "Summary"), "\n"))
}

// All that a hunt on the endpoint finds in its Sysmon log is found in the events that were collected from it.
func (s *EngineSuite) TestTheRetroHuntGivesSysmonEventsTheHuntsVerdict() {
	s.publishEdgeFeed()
	s.loadBuiltIn("Windows.EventLogs.Evtx")
	s.newClient("C.1000000000000001", "alpha")
	events := s.query(`SELECT *, System.EventID.Value AS EventID, System.Channel AS Channel FROM parse_evtx(filename=Log)`,
		ordereddict.NewDict().Set("Log", s.edgeLog()))
	s.collected("C.1000000000000001", "F.Events", "Windows.EventLogs.Evtx", 1, strings.Split(strings.TrimSpace(events), "\n")...)
	var want, got []string
	for _, row := range s.readTable("evtx/synth-edge-shared.key.csv") {
		if row["expect"] == "match" {
			want = append(want, fmt.Sprintf("%s %s %s", row["record_id"], row["match_kind"], row["strength"]))
		}
	}

	result := s.collectOnServer(retroHunt, map[string]string{"MinStrength": "weak"})

	s.Empty(result.failed)
	for _, row := range s.rowsOf(s.sourceOf(result, retroHunt, "Hits")) {
		got = append(got, fmt.Sprintf("%s %s %s", row["RecordID"], row["Match"], row["Strength"]))
	}
	s.ElementsMatch(append(want, "62 referrer domain medium"), got) // the key is older than this role
}

func (s *EngineSuite) TestARetroHuntThatSearchedNothingFails() {
	got := s.collectOnServer(retroHunt, nil)
	s.Contains(got.failed, "There is no feed: publish one with Server.Import.ThreatFox")

	s.publishEdgeFeed()
	got = s.collectOnServer(retroHunt, nil)
	s.Contains(got.failed, "Nothing that Places names was collected within 30 days")
}
