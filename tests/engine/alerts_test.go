package engine

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	crypto_proto "www.velocidex.com/golang/velociraptor/crypto/proto"
	"www.velocidex.com/golang/velociraptor/file_store"
	"www.velocidex.com/golang/velociraptor/file_store/test_utils"
	flows_proto "www.velocidex.com/golang/velociraptor/flows/proto"
	engine_json "www.velocidex.com/golang/velociraptor/json"
	"www.velocidex.com/golang/velociraptor/logging"
	"www.velocidex.com/golang/velociraptor/paths/artifact_modes"
	artifact_paths "www.velocidex.com/golang/velociraptor/paths/artifacts"
	"www.velocidex.com/golang/velociraptor/result_sets"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/utils"
)

const (
	alerts  = "Server.Alerts.ThreatFox"
	summary = hunt + "/Summary"
	hits    = hunt + "/Hits"
)

// alertsRun has the server run Server.Alerts.ThreatFox, as its event table does. Called again, it is a restart: the
// artifact knows nothing but what is stored.
func (s *EngineSuite) alertsRun(params map[string]string) {
	s.T().Helper()
	s.alertsStop()
	s.ConfigObj.GUI.PublicUrl = "https://velociraptor.example/app/index.html"
	if s.query(`SELECT name FROM artifact_definitions() WHERE name = "Server.Internal.Alerts"`, nil) == "" {
		s.loadBuiltIn("Server.Internal.Alerts")
	}
	all := ordereddict.NewDict().Set("SendSeconds", "0.1").Set("Timeout", "1")
	for name, value := range params {
		all.Set(name, value)
	}
	logging.ClearMemoryLogs()
	s.query(`SELECT add_server_monitoring(artifact="Server.Alerts.ThreatFox", parameters=Params) FROM scope()`,
		ordereddict.NewDict().Set("Params", all))
	s.becomes(func() bool { return s.watches("System.Flow.Completion") > 0 }, "it watches")
}

// watches says how often events of an artifact began to be watched since the engine's log was cleared. The engine clears it too, after 1,000
// lines: clear it first, and do not compare two counts.
func (s *EngineSuite) watches(artifact string) int {
	return strings.Count(strings.Join(logging.GetMemoryLogs(), "\n"), "watch_monitoring plugin: Watching for events from "+artifact)
}

func (s *EngineSuite) alertsStop() {
	s.query(`SELECT rm_server_monitoring(artifact="Server.Alerts.ThreatFox") FROM scope()`, nil)
	time.Sleep(100 * time.Millisecond)
}

func (s *EngineSuite) becomes(condition func() bool, what string) {
	s.T().Helper()
	for end := time.Now().Add(20 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Require().Fail("not within 20 s: "+what, strings.Join(s.alertsLog(), "\n"))
		}
	}
}

// told are the rows of a source of the artifact.
func (s *EngineSuite) told(source string) []map[string]string {
	return s.rowsOf(s.query(`SELECT * FROM source(client_id="server", artifact=Name, start_time=0)`,
		ordereddict.NewDict().Set("Name", alerts+"/"+source)))
}

// raised are the alerts in Server.Internal.Alerts, as JSON.
func (s *EngineSuite) raised() []string {
	text := s.query(`SELECT * FROM source(client_id="server", artifact="Server.Internal.Alerts", start_time=0)`, nil)
	return strings.Split(strings.TrimSpace(text), "\n")[:strings.Count(text, "\n")]
}

// findingsBecome waits until the artifact has so many findings, and a little longer: there must not be more.
func (s *EngineSuite) findingsBecome(count int) []map[string]string {
	s.T().Helper()
	s.becomes(func() bool { return len(s.told("Findings")) >= count }, "findings")
	time.Sleep(300 * time.Millisecond)
	rows := s.told("Findings")
	s.Require().Len(rows, count)
	for _, line := range s.alertsLog() {
		if !strings.Contains(line, `"Level":"ALERT"`) {
			s.NotRegexp(badLog, line)
		}
	}
	return rows
}

// flowEnds stores a collection's results (JSON lines, by source) and says that it has ended, as the server does.
func (s *EngineSuite) flowEnds(client, flow string, results map[string][]string) {
	record := s.flowIsStored(client, flow, results)
	journal, err := services.GetJournal(s.ConfigObj)
	s.Require().NoError(err)
	s.Require().NoError(journal.PushRowsToArtifact(s.Ctx, s.ConfigObj,
		[]*ordereddict.Dict{ordereddict.NewDict().Set("Timestamp", time.Now().Unix()).
			Set("Flow", record).Set("FlowId", flow).Set("ClientId", client)},
		artifact_paths.FLOW_COMPLETION.WithClientId(client)))
}

func (s *EngineSuite) flowIsStored(client, flow string, results map[string][]string) *flows_proto.ArtifactCollectorContext {
	launcher, err := services.GetLauncher(s.ConfigObj)
	s.Require().NoError(err)
	now := uint64(time.Now().UnixMicro())
	record := &flows_proto.ArtifactCollectorContext{
		ClientId: client, SessionId: flow, State: flows_proto.ArtifactCollectorContext_FINISHED,
		CreateTime: now, StartTime: now, ActiveTime: now,
		Request:    &flows_proto.ArtifactCollectorArgs{ClientId: client, Artifacts: []string{hunt}},
		QueryStats: []*crypto_proto.VeloStatus{{LastActive: now, Status: crypto_proto.VeloStatus_OK}},
	}
	for source, rows := range results {
		record.ArtifactsWithResults = append(record.ArtifactsWithResults, source)
		writer, err := result_sets.NewResultSetWriter(file_store.GetFileStore(s.ConfigObj), s.resultPath(client, flow, source),
			engine_json.DefaultEncOpts(), utils.SyncCompleter, result_sets.TruncateMode)
		s.Require().NoError(err)
		s.Require().NoError(writer.WriteJSONL([]byte(strings.Join(rows, "\n")+"\n"), uint64(len(rows))))
		writer.Close()
	}
	storage := launcher.Storage()
	s.Require().NoError(storage.WriteFlow(s.Ctx, s.ConfigObj, record, services.GetFlowOptions{Request: true}, utils.SyncCompleter))
	s.Require().NoError(storage.WriteFlowIndex(s.Ctx, s.ConfigObj, record))
	return record
}

// eventsCome stores rows of an event artifact as the server does.
func (s *EngineSuite) eventsCome(client, artifact string, mode artifact_modes.ArtifactMode, rows ...*ordereddict.Dict) {
	journal, err := services.GetJournal(s.ConfigObj)
	s.Require().NoError(err)
	s.Require().NoError(journal.PushRowsToArtifact(s.Ctx, s.ConfigObj, rows,
		services.JournalOptions{ArtifactName: artifact, ArtifactType: mode, ClientId: client}))
}

// alertedFinding is a row of the hunts' Summary.
func alertedFinding(ioc, strength string) string {
	return fmt.Sprintf(`{"Strength":%q,"Malware":"Test RAT","IOC":%q,"Match":"ip:port","Count":3,"First":"2026-11-20T10:00:00Z",`+
		`"Last":"2026-11-21T10:00:00.5Z","Computer":"ws-1.corp.example","Image":"C:\\Temp\\a.exe","User":"CORP\\ann","IOCType":"ip:port","Link":""}`,
		strength, ioc)
}

func (s *EngineSuite) labelsOf(client string) string {
	return s.query(`SELECT labels FROM clients(client_id=Id)`, ordereddict.NewDict().Set("Id", client))
}

func (s *EngineSuite) TestAFindingIsAlertedOnceWhateverTheHuntsAndRestarts() {
	s.newClient("C.1", "ws-1")
	s.newClient("C.2", "ws-2")
	s.alertsRun(nil)
	both := map[string][]string{
		summary: {alertedFinding("203.0.113.7:443", "strong"), strings.Replace(alertedFinding("203.0.113.7:443", "strong"), "10:00:00Z", "09:00:00Z", 1),
			alertedFinding("203.0.113.8:443", "medium")},
		hits: {`{"Strength":"strong","IOC":"203.0.113.7:443","Time":"2026-11-20T10:00:00Z"}`},
	}

	s.flowEnds("C.1", "F.H1.H", both)
	rows := s.findingsBecome(1)
	for name, value := range map[string]string{
		"Status": "alert", "Strength": "strong", "Host": "ws-1", "IOC": "203.0.113.7:443", "Malware": "Test RAT", "Match": "ip:port",
		"Count": "6", "First": "2026-11-20T09:00:00Z", "Last": "2026-11-21T10:00:00.5Z", "Computer": "ws-1.corp.example",
		"Image": `C:\Temp\a.exe`, "User": `CORP\ann`, "ClientId": "C.1", "FlowId": "F.H1.H", "HuntId": "H.H1", "Source": summary,
		"Link":   "[F.H1.H](https://velociraptor.example/app/index.html?org_id=root#/collected/C.1/F.H1.H/results)",
		"Labels": "[ThreatFoxHit]",
	} {
		s.Equal(value, rows[0][name], name)
	}
	s.becomes(func() bool { return len(s.raised()) == 1 }, "the alert")
	var alert struct {
		Name string         `json:"name"`
		Data map[string]any `json:"event_data"`
	}
	s.Require().NoError(json.Unmarshal([]byte(s.raised()[0]), &alert))
	s.Equal("ThreatFox: 203.0.113.7:443 on ws-1 (C.1)", alert.Name)
	for name, value := range map[string]any{"severity": "high", "client": "C.1", "host": "ws-1", "flow_id": "F.H1.H", "hunt_id": "H.H1",
		"malware": "Test RAT", "count": 6.0, "first": "2026-11-20T09:00:00Z", "last": "2026-11-21T10:00:00.5Z",
		"link": "https://velociraptor.example/app/index.html?org_id=root#/collected/C.1/F.H1.H/results"} {
		s.Equal(value, alert.Data[name], name)
	}
	s.Contains(s.labelsOf("C.1"), "ThreatFoxHit")
	s.NotContains(s.labelsOf("C.1"), "Quarantine")
	s.NotContains(s.labelsOf("C.2"), "ThreatFoxHit")

	s.flowEnds("C.1", "F.H2.H", both)
	s.flowEnds("C.2", "F.2", both)
	s.findingsBecome(2)
	s.alertsRun(nil)
	s.flowEnds("C.1", "F.H3.H", both)
	s.findingsBecome(2)
	s.Len(s.raised(), 2)
}

func (s *EngineSuite) TestFindingsInFilesAreAlertedToo() {
	s.newClient("C.1", "ws-1")
	s.alertsRun(nil)
	s.flowEnds("C.1", "F.1", map[string][]string{filesHunt + "/Summary": {alertedFinding("203.0.113.7:443", "strong")}})
	s.Equal(filesHunt+"/Summary", s.findingsBecome(1)[0]["Source"])
}

func (s *EngineSuite) TestCollectionsThatEndedBeforeTheStartAreLookedAt() {
	s.newClient("C.1", "ws-1")
	s.newClient("C.2", "ws-2")
	s.flowIsStored("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})
	s.collected("C.2", "F.2", summary, 3, alertedFinding("203.0.113.7:443", "strong"))

	s.alertsRun(map[string]string{"CatchUpHours": "0"})
	s.findingsBecome(0)
	s.alertsRun(nil)

	s.Equal("C.1", s.findingsBecome(1)[0]["ClientId"])
}

// A hunt that was stopped has no Summary; the Native hunt has its own; two in one collection are one.
func (s *EngineSuite) TestEachHuntIsReadWithAndWithoutItsSummary() {
	s.newClient("C.1", "ws-1")
	s.alertsRun(map[string]string{"MinStrength": "medium"})
	hit := func(ioc, strength, at string) string {
		return fmt.Sprintf(`{"Strength":%q,"Malware":"Test RAT","IOC":%q,"Match":"ip","Time":%q,"Computer":"ws-1"}`, strength, ioc, at)
	}
	const native = hunt + ".Native"

	s.flowEnds("C.1", "F.1", map[string][]string{
		hits: {hit("203.0.113.7:443", "medium", "2026-11-20T10:00:00Z"), hit("203.0.113.7:443", "strong", "2026-11-20T11:00:00Z"),
			hit("203.0.113.7:443", "weak", "2026-11-20T12:00:00Z")},
		native + "/Summary":                    {alertedFinding("203.0.113.7:443", "strong"), alertedFinding("c2.bad-domain.example", "medium")},
		"Generic.Client.Info/BasicInformation": {`{"IOC":"203.0.113.9:443","Strength":"strong"}`},
	})

	rows := s.findingsBecome(2)
	by := map[string]map[string]string{rows[0]["IOC"]: rows[0], rows[1]["IOC"]: rows[1]}
	s.Equal("medium", by["c2.bad-domain.example"]["Strength"])
	s.Equal("strong", by["203.0.113.7:443"]["Strength"])
	if first := by["203.0.113.7:443"]; first["Source"] == hits {
		s.Equal("2 2026-11-20T10:00:00Z 2026-11-20T11:00:00Z", first["Count"]+" "+first["First"]+" "+first["Last"])
	}
}

func (s *EngineSuite) TestHitsOfTheLiveArtifactAreAlertedAsTheyCome() {
	s.newClient("C.1", "ws-1")
	s.alertsRun(nil)
	s.findingsBecome(0)
	s.becomes(func() bool { return s.watches("Windows.Events.ThreatFox/Hits") > 0 }, "it watches")
	row := func(ioc, strength string) *ordereddict.Dict {
		return ordereddict.NewDict().Set("Strength", strength).Set("Malware", "Test RAT").Set("IOC", ioc).Set("Match", "domain").
			Set("Time", "2026-11-20T10:00:00Z").Set("Computer", "ws-1.corp.example").Set("ClientId", "C.1")
	}

	s.eventsCome("C.1", "Windows.Events.ThreatFox/Hits", artifact_modes.MODE_CLIENT_EVENT, row("c2.bad-domain.example", "strong"),
		row("c2.bad-domain.example", "strong"), row("c3.bad-domain.example", "weak"))

	rows := s.findingsBecome(1)
	s.Equal("alert c2.bad-domain.example ws-1 2026-11-20T10:00:00Z", strings.Join([]string{rows[0]["Status"], rows[0]["IOC"], rows[0]["Host"], rows[0]["First"]}, " "))
	s.Contains(rows[0]["Link"], "#/events/C.1/Windows.Events.ThreatFox")
	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("c2.bad-domain.example", "strong")}})
	s.findingsBecome(1)

	s.alertsStop()
	s.eventsCome("C.1", "Windows.Events.ThreatFox/Hits", artifact_modes.MODE_CLIENT_EVENT, row("c4.bad-domain.example", "strong"))
	s.alertsRun(nil)
	s.Equal("c4.bad-domain.example", s.findingsBecome(2)[1]["IOC"])
}

// alertsLog are the lines that the artifact's queries logged.
func (s *EngineSuite) alertsLog() (lines []string) {
	for _, source := range []string{"Findings", "Messages"} {
		path := artifact_paths.NewArtifactLogPathManagerWithMode(s.ConfigObj, "server", "", alerts+"/"+source, artifact_modes.MODE_SERVER_EVENT)
		reader, err := result_sets.NewTimedResultSetReader(s.Ctx, s.ConfigObj, path)
		s.Require().NoError(err)
		for row := range reader.Rows(s.Ctx) {
			lines = append(lines, row.String())
		}
		reader.Close()
	}
	return lines
}

func (s *EngineSuite) TestOnlyStrongFindingsGetTheQuarantineLabelAndOnlyWhereItIsAskedFor() {
	for _, id := range []string{"C.1", "C.2"} {
		s.newClient(id, "ws")
	}
	s.alertsRun(map[string]string{"QuarantineLabel": "Quarantine", "Label": "", "MinStrength": "weak"})

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong"), alertedFinding("203.0.113.8:443", "strong")}})
	s.flowEnds("C.2", "F.2", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "medium"), alertedFinding("203.0.113.8:443", "weak")}})
	s.findingsBecome(4)

	s.Contains(s.labelsOf("C.1"), `"labels":["Quarantine"]`)
	s.Contains(s.labelsOf("C.2"), `"labels":[]`)
}

func (s *EngineSuite) TestResultsOfOtherVersionsAreToldAndWhatWasDeletedIsLeft() {
	s.newClient("C.1", "ws-1")
	s.newClient("C.2", "ws-2")
	s.alertsRun(map[string]string{"QuarantineLabel": "Quarantine"})
	gone := s.flowIsStored("C.1", "F.GONE", map[string][]string{summary: {alertedFinding("203.0.113.1:443", "strong")}})
	s.query(`SELECT * FROM delete_flow(client_id="C.1", flow_id="F.GONE", really_do_it=TRUE)`, nil)
	journal, err := services.GetJournal(s.ConfigObj)
	s.Require().NoError(err)
	s.Require().NoError(journal.PushRowsToArtifact(s.Ctx, s.ConfigObj, []*ordereddict.Dict{ordereddict.NewDict().
		Set("Flow", gone).Set("FlowId", "F.GONE").Set("ClientId", "C.1")}, artifact_paths.FLOW_COMPLETION.WithClientId("C.1")))

	s.flowEnds("C.1", "F.1", map[string][]string{summary: {`{"Computer":"ws-1","IOC":"203.0.113.2:443","Hits":3}`}})
	s.flowEnds("C.1", "F.2", map[string][]string{hits: {`{"Computer":"ws-1","Indicator":"203.0.113.3:443"}`, `{"a":1}`}})
	// A client that the server no longer knows, whose results are still there.
	s.flowEnds("C.404", "F.3", map[string][]string{summary: {alertedFinding("203.0.113.4:443", "strong")}})

	rows := s.findingsBecome(3)
	sort.Slice(rows, func(i, j int) bool { return rows[i]["FlowId"] < rows[j]["FlowId"] })
	s.Equal("203.0.113.2:443 1 unknown", rows[0]["IOC"]+" "+rows[0]["Count"]+" "+rows[0]["Strength"])
	s.Equal("unknown: the results have no column IOC", rows[1]["IOC"])
	s.Equal("2", rows[1]["Count"])
	s.Contains(s.labelsOf("C.1"), `"labels":["ThreatFoxHit"]`, "nobody is cut off for a strength that is not known")
	s.Equal("C.404 <nil>", rows[2]["ClientId"]+" "+rows[2]["Labels"])
	s.Equal("", s.query(`SELECT * FROM clients(client_id="C.404")`, nil), "no label makes a client anew")
}

func (s *EngineSuite) TestTenThousandFindingsInOneFlowTakeSeconds() {
	s.newClient("C.1", "ws-1")
	s.alertsRun(nil)
	var rows []string
	for i := range 10_000 {
		rows = append(rows, alertedFinding(fmt.Sprintf("host-%d.bad-domain.example", i), "strong"))
	}
	clearPeak()
	peak, cpu, start := peakMiB(), cpuSeconds(), time.Now()

	s.flowEnds("C.1", "F.1", map[string][]string{summary: rows})
	path := artifact_paths.NewArtifactPathManagerWithMode(s.ConfigObj, "server", "", alerts+"/Findings", artifact_modes.MODE_SERVER_EVENT).Path()
	count := 0
	for ; count < 10_000 && time.Since(start) < 50*time.Second; time.Sleep(100 * time.Millisecond) {
		stored, _ := test_utils.GetMemoryFileStore(s.T(), s.ConfigObj).Get(path.AsClientPath())
		count = strings.Count(string(stored), "\n")
	}

	used, more := cpuSeconds()-cpu, peakMiB()-peak
	s.T().Logf("10,000 findings in one flow: %.1f s of processor, %v, %.0f MiB more", used, time.Since(start).Round(time.Second), more)
	s.Equal(10_000, count)
	s.Len(s.raised(), 100)
	s.Less(used, 30.0)
	s.Less(more, 400.0) // behind other tests, whose memory Go has not yet given back, some 100 MiB more than alone
}
