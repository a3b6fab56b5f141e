package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	crypto_proto "www.velocidex.com/golang/velociraptor/crypto/proto"
	"www.velocidex.com/golang/velociraptor/file_store"
	"www.velocidex.com/golang/velociraptor/file_store/api"
	"www.velocidex.com/golang/velociraptor/file_store/path_specs"
	flows_proto "www.velocidex.com/golang/velociraptor/flows/proto"
	"www.velocidex.com/golang/velociraptor/json"
	"www.velocidex.com/golang/velociraptor/paths"
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

// retroHits runs the retro hunt and returns its hits, each as client, artifact, program, match, strength and indicator.
func (s *EngineSuite) retroHits(params map[string]string) (hits []string, got collection) {
	s.T().Helper()
	got = s.collectOnServer(retroHunt, params)
	s.Empty(got.failed)
	s.NotRegexp(badLog, got.logs)
	for _, row := range s.rowsOf(s.sourceOf(got, retroHunt, "Hits")) {
		hits = append(hits, fmt.Sprint(row["Computer"], " ", row["LogFile"], " ", row["Image"], " ", row["Match"], " ", row["Strength"], " ", row["IOC"]))
	}
	return hits, got
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
		`{"Name":"alias.example","Record":"c2.bad-domain.example","RecordType":"CNAME"}`,
		`{"Name":"other.example","Record":"192.0.2.56","RecordType":"A"}`)
	s.collected("C.1000000000000002", "F.Old", "Windows.System.DNSCache", 90, `{"Name":"c2.bad-domain.example"}`)

	hits, got := s.retroHits(nil)

	s.ElementsMatch([]string{
		"alpha Windows.Network.Netstat evil.exe ip:port strong 203.0.113.7:4443",
		"beta Windows.System.DNSCache <nil> subdomain medium c2.bad-domain.example",
		"beta Windows.System.DNSCache <nil> dns answer medium 203.0.113.7:4443",
		"beta Windows.System.DNSCache <nil> dns answer medium c2.bad-domain.example",
	}, hits)
	s.Contains(s.sourceOf(got, retroHunt, "Coverage"), `"Result":"Windows.System.DNSCache","Collections":1,"Rows":4`)
	summary := s.rowsOf(s.sourceOf(got, retroHunt, "Summary"))
	s.Len(summary, 3)
	for _, row := range summary {
		if row["IOC"] == "c2.bad-domain.example" {
			s.Equal([]string{"C.1000000000000002", "2"}, []string{row["ClientId"], row["Count"]})
		}
	}
}

func (s *EngineSuite) TestAReverseLookUpIsNoContactInTheRetroHunt() {
	s.publishEdgeFeed()
	s.loadBuiltIn("Windows.System.DNSCache")
	s.newClient("C.1000000000000001", "alpha")
	s.collected("C.1000000000000001", "F.Names", "Windows.System.DNSCache", 3,
		`{"Name":"7.113.0.203.in-addr.arpa","Record":"c2.bad-domain.example","RecordType":"PTR"}`,
		`{"Name":"7.113.0.203.in-addr.arpa.","Record":"c2.bad-domain.example"}`,
		`{"Name":"text.example","Record":"203.0.113.7","RecordType":"TXT"}`)

	hits, _ := s.retroHits(nil)

	s.Empty(hits)
}

// An event keeps its time, computer and record, whichever artifact collected it, and counts once however many did.
func (s *EngineSuite) TestTheRetroHuntCountsAnEventOnceWithItsOwnTimeAndComputer() {
	s.publishEdgeFeed()
	s.loadBuiltIn("Windows.EventLogs.Evtx")
	s.LoadArtifacts("name: Windows.EventLogs.EvtxHunter\nsources:\n  - query: SELECT * FROM scope()\n") // its imports need more built-ins
	s.newClient("C.1000000000000001", "collector")
	evtx := `{"System":{"Provider":{"Name":"Microsoft-Windows-Sysmon"},"EventID":{"Value":22},"EventRecordID":77,"TimeCreated":{"SystemTime":1793880000.5},"Computer":"alpha"},` +
		`"EventData":{"QueryName":"c2.bad-domain.example","QueryResults":"-","Image":"C:\\e.exe"},"EventID":22,"Channel":"Microsoft-Windows-Sysmon/Operational"}`
	hunter := `{"EventTime":"2026-11-05T12:00:00Z","Computer":"alpha","Channel":"Microsoft-Windows-Sysmon/Operational","Provider":"Microsoft-Windows-Sysmon","EventID":22,` +
		`"EventRecordID":78,"UserSID":"S-1-5-18","EventData":{"QueryName":"c2.bad-domain.example","QueryResults":"-","Image":"C:\\e.exe"}}`
	s.collected("C.1000000000000001", "F.Evtx1", "Windows.EventLogs.Evtx", 1, evtx)
	s.collected("C.1000000000000001", "F.Evtx2", "Windows.EventLogs.Evtx", 2, evtx)
	s.collected("C.1000000000000001", "F.Hunter", "Windows.EventLogs.EvtxHunter", 1, hunter)

	_, got := s.retroHits(nil)

	var events []string
	for _, row := range s.rowsOf(s.sourceOf(got, retroHunt, "Hits")) {
		events = append(events, row["Computer"]+" "+row["RecordID"]+" "+row["Time"])
	}
	s.ElementsMatch([]string{"alpha 77 2026-11-05T12:00:00.5Z", "alpha 78 2026-11-05T12:00:00Z"}, events)
	s.Contains(s.sourceOf(got, retroHunt, "Summary"), `"Count":2`)
}

// uploaded records a collection that uploaded these files.
func (s *EngineSuite) uploaded(client, flow string, files map[string]string) {
	launcher, err := services.GetLauncher(s.ConfigObj)
	s.Require().NoError(err)
	created := uint64(time.Now().AddDate(0, 0, -1).UnixMicro())
	record := &flows_proto.ArtifactCollectorContext{
		ClientId: client, SessionId: flow, State: flows_proto.ArtifactCollectorContext_FINISHED, CreateTime: created, StartTime: created,
		QueryStats: []*crypto_proto.VeloStatus{{Status: crypto_proto.VeloStatus_OK, UploadedFiles: int64(len(files))}}, // flows() adds these up
		Request:    &flows_proto.ArtifactCollectorArgs{ClientId: client, Artifacts: []string{"Windows.Triage"}},
	}
	s.Require().NoError(launcher.Storage().WriteFlow(s.Ctx, s.ConfigObj, record, services.GetFlowOptions{Request: true}, utils.SyncCompleter))
	s.Require().NoError(launcher.Storage().WriteFlowIndex(s.Ctx, s.ConfigObj, record))

	store := file_store.GetFileStore(s.ConfigObj)
	writer, err := result_sets.NewResultSetWriter(store, paths.NewFlowPathManager(client, flow).UploadMetadata(),
		json.DefaultEncOpts(), utils.SyncCompleter, result_sets.TruncateMode)
	s.Require().NoError(err)
	for name, content := range files {
		components := []string{"clients", client, "collections", flow, "uploads", "auto", name}
		out, err := store.WriteFile(path_specs.NewUnsafeFilestorePath(components...).SetType(api.PATH_TYPE_FILESTORE_ANY))
		s.Require().NoError(err)
		_, err = out.Write([]byte(content))
		s.Require().NoError(err)
		s.Require().NoError(out.Close())
		writer.Write(ordereddict.NewDict().Set("started", "x").Set("vfs_path", `C:\`+name).Set("_Components", components).
			Set("file_size", len(content)).Set("uploaded_size", len(content)))
	}
	writer.Close()
}

// What a triage collection uploaded is read by the helper, and by VQL where there is none: the same events.
func (s *EngineSuite) TestTheRetroHuntReadsUploadedEventLogs() {
	s.publishEdgeFeed()
	s.newClient("C.1000000000000001", "alpha")
	s.uploaded("C.1000000000000001", "F.Triage", map[string]string{
		"Sysmon.evtx": s.read(s.edgeLog()), "Broken.evtx": "no log", "notes.txt": "203.0.113.7",
	})
	var want []string
	for _, row := range s.readTable("evtx/synth-edge-shared.key.csv") {
		if row["expect"] == "match" {
			want = append(want, fmt.Sprintf("%s %s %s", row["record_id"], row["match_kind"], row["strength"]))
		}
	}
	want = append(want, "62 referrer domain medium") // the key is older than this role

	for _, name := range []string{"VQL", "the helper"} {
		says := "The helper did not read the uploaded logs, so VQL does"
		if name == "the helper" {
			s.publishHelper()
			says = `.evtx, so VQL does: ` // of the broken one
		}

		got := s.collectOnServer(retroHunt, map[string]string{"MinStrength": "weak"})

		s.Empty(got.failed, name)
		s.Contains(got.logs, says, name)
		var hits []string
		for _, row := range s.rowsOf(s.sourceOf(got, retroHunt, "Hits")) {
			hits = append(hits, fmt.Sprintf("%s %s %s", row["RecordID"], row["Match"], row["Strength"]))
			s.Equal([]string{`C:\Sysmon.evtx`, "C.1000000000000001", "F.Triage"}, []string{row["LogFile"], row["ClientId"], row["FlowId"]})
		}
		s.ElementsMatch(want, hits, name)
		s.Contains(s.sourceOf(got, retroHunt, "Coverage"), `"Result":"uploaded event logs","Collections":1,"Rows":2`)
	}

	got := s.collectOnServer(retroHunt, map[string]string{"SearchUploads": "N"})
	s.Contains(got.failed, "so nothing was searched: collect Windows.Network.Netstat")
}

// The pack's own results are no place, and a place's row may lack what its line names.
func (s *EngineSuite) TestTheRetroHuntReadsRowsWithOtherColumns() {
	s.publishEdgeFeed()
	s.loadBuiltIn("Windows.Network.Netstat")
	s.newClient("C.1000000000000001", "alpha")
	s.collected("C.1000000000000001", "F.Odd", "Windows.Network.Netstat", 1,
		`{"Place":"x","Row":1,"Host":"h","EventData":"text","System":"text","Raddr":{"IP":"203.0.113.7","Port":4443}}`, `{"Name":["a"],"Raddr.IP":null}`, `{}`)

	hits, _ := s.retroHits(nil)

	s.Equal([]string{"alpha Windows.Network.Netstat <nil> ip:port strong 203.0.113.7:4443"}, hits)
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
	s.Contains(got.failed, "Nothing that Places names was collected within 30 days, so nothing was searched: collect Windows.Network.Netstat")
}
