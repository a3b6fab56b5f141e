package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/acls"
	acl_proto "www.velocidex.com/golang/velociraptor/acls/proto"
	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/vtesting"

	_ "www.velocidex.com/golang/velociraptor/vql/common" // clock
)

// monitored is an event of Server.Monitor.ThreatFox.
type monitored struct {
	refreshed
	Failures int
	HuntId   string
}

// monitor runs Server.Monitor.ThreatFox for so many events, without pause.
func (s *EngineSuite) monitor(api *threatfoxAPI, events int, params map[string]string) (rows []monitored, logs string) {
	s.T().Helper()
	text, logs := s.queryWithLogs(
		fmt.Sprintf("SELECT * FROM Artifact.Server.Monitor.ThreatFox(`**`=Params) LIMIT %d", events),
		ordereddict.NewDict().Set("Params", s.monitorParameters(api, params)))
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var row monitored
		s.Require().NoError(json.Unmarshal([]byte(line), &row), line)
		rows = append(rows, row)
	}
	return rows, logs
}

// monitorExports runs it from these exports, which it asks each time.
func (s *EngineSuite) monitorExports(exports *exportServer, events int, params map[string]string) ([]monitored, string) {
	s.T().Helper()
	return s.monitor(&threatfoxAPI{URL: exports.URL}, events, params)
}

func (s *EngineSuite) monitorParameters(api *threatfoxAPI, params map[string]string) *ordereddict.Dict {
	all := ordereddict.NewDict().Set("RefreshMinutes", "0.001").Set("JitterSeconds", "0").
		Set("ApiURL", api.URL).Set("ExportURL", api.URL)
	for name, value := range params {
		all.Set(name, value)
	}
	return all
}

func (s *EngineSuite) TestTheMonitorRefreshesAtItsStartAndThenOnAClock() {
	s.publishHelper()
	s.grantSecret(s.helper(), "VelociraptorServer")
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.query(`
SELECT add_server_monitoring(artifact="Server.Monitor.ThreatFox", parameters=Params) FROM scope()`,
		ordereddict.NewDict().Set("Params", s.monitorParameters(api, map[string]string{"Secret": "ThreatFox"})))

	vtesting.WaitUntil(30*time.Second, s.T(), func() bool {
		rows := s.query(`SELECT Status FROM source(client_id="server", artifact="Server.Monitor.ThreatFox", start_time=0)`, nil)
		return strings.HasPrefix(rows, `{"Status":"published"}`+"\n"+`{"Status":"unchanged"}`)
	})

	s.Len(s.versions("ThreatFoxFeed"), 1)
	s.GreaterOrEqual(len(api.asked()), 2, "a period has passed")
}

// The source fails four times, then comes back.
func (s *EngineSuite) TestTheMonitorAlertsOnceAndRecoversByItself() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`, ordereddict.NewDict().Set("Key", theKey))
	api.failFirst(4)

	rows, logs := s.monitor(api, 6, map[string]string{"AlertAfter": "3"})

	s.Equal(1, strings.Count(logs, "The feed of ThreatFox is not refreshed"), logs)
	s.Contains(logs, `"cause":"ThreatFox answers for 1 to 7 days only`)
	var failures []int
	for _, row := range rows {
		failures = append(failures, row.Failures)
	}
	s.Equal([]int{1, 2, 3, 4, 0, 0}, failures)
	s.Equal("published", rows[4].Status)
	s.NotContains(logs, theKey)
}

// Velociraptor leaves out an alert of the same name within two hours unless it is told not to.
func (s *EngineSuite) TestEachOutageHasAnAlertOfItsOwn() {
	s.publishHelper()
	asked := 0
	exports := s.serveExports(func(string) (int, string) {
		asked++
		if asked%3 == 0 {
			return 200, csvExport(domains(0, 100), time.Now())
		}
		return 404, "gone"
	})

	rows, logs := s.monitorExports(exports, 6, map[string]string{"Source": "full", "AlertAfter": "2"})

	s.Equal(2, rows[4].Failures)
	s.Equal(2, strings.Count(logs, `ALERT:{"name":"The feed of ThreatFox is not refreshed"`), logs)
}

// The count of failures is in the monitor's own results: a server that is started anew each night still raises the alert, once.
func (s *EngineSuite) TestAMonitorThatIsStartedAnewGoesOnCountingFailures() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`, ordereddict.NewDict().Set("Key", theKey))
	api.failFirst(1000)
	failures := func() (all []string) {
		for _, row := range s.rowsOf(s.query(`SELECT Failures FROM source(client_id="server", artifact="Server.Monitor.ThreatFox", start_time=0)`, nil)) {
			all = append(all, row["Failures"])
		}
		return all
	}

	for starts := range 4 {
		s.query(`SELECT add_server_monitoring(artifact="Server.Monitor.ThreatFox", parameters=Params) FROM scope()`,
			ordereddict.NewDict().Set("Params", s.monitorParameters(api, map[string]string{"AlertAfter": "3", "RefreshMinutes": "60"})))
		vtesting.WaitUntil(30*time.Second, s.T(), func() bool { return len(failures()) > starts })
		s.query(`SELECT rm_server_monitoring(artifact="Server.Monitor.ThreatFox") FROM scope()`, nil)
	}

	s.Equal([]string{"1", "2", "3", "4"}, failures())
	alerted := s.query(`SELECT Alerted FROM source(client_id="server", artifact="Server.Monitor.ThreatFox", start_time=0) WHERE Alerted`, nil)
	s.Equal(1, strings.Count(alerted, "\n"), alerted)
}

func (s *EngineSuite) TestTheMonitorSaysThatItMayRunNoPrograms() {
	s.publishHelper()
	acls.SetLockdownToken(&acl_proto.ApiClientACL{Execve: true, ServerAdmin: true})
	s.T().Cleanup(func() { acls.SetLockdownToken(nil) })

	rows, logs := s.queryAs("VelociraptorServer", "SELECT Status, Message FROM Artifact.Server.Monitor.ThreatFox() LIMIT 1")

	s.Contains(rows, "is the server in lockdown?")
	s.Contains(logs, "permission denied EXECVE")
}

func (s *EngineSuite) TestTheMonitorHuntsOnceWithANewFeedAndNeverTwiceAtATime() {
	s.publishHelper()
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`, ordereddict.NewDict().Set("Key", theKey))
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	params := map[string]string{"LaunchHunt": "Y", "HuntLabels": `["Server"]`, "HuntExcludeLabels": `["Lab"]`,
		"HuntParameters": `{"MinStrength":"strong"}`, "HuntCpuLimit": "15", "HuntHours": "12"}

	rows, _ := s.monitor(api, 2, params)
	s.NotEmpty(rows[0].HuntId)
	s.Empty(rows[1].HuntId, "the feed has not changed")
	hunt := s.query(`SELECT * FROM hunts(hunt_id=Id)`, ordereddict.NewDict().Set("Id", rows[0].HuntId))
	for _, part := range []string{`"label":["Server"]`, `"excluded_labels":{"label":["Lab"]}`, `"MinStrength","value":"strong"`,
		`"cpu_limit":15`, `"state":"RUNNING"`} {
		s.Contains(hunt, part)
	}

	api.answer(iocs([2]string{"domain", "c2.bad-domain.example"}, [2]string{"domain", "c3.bad-domain.example"}))
	s.cacheExpires()
	rows, _ = s.monitor(api, 1, params)
	s.Equal("published", rows[0].Status)
	s.Empty(rows[0].HuntId, "the last hunt is open")

	s.stopHunts()
	rows, _ = s.monitor(api, 2, params)
	s.NotEmpty(rows[0].HuntId)
	s.Empty(rows[1].HuntId)

	s.stopHunts()
	rows, _ = s.monitor(api, 1, params)
	s.Empty(rows[0].HuntId, "the feed has not changed since the last hunt")
}

// stopHunts ends all hunts, as an administrator does in the GUI.
func (s *EngineSuite) stopHunts() {
	dispatcher, err := services.GetHuntDispatcher(s.ConfigObj)
	s.Require().NoError(err)
	for _, row := range s.rowsOf(s.query(`SELECT hunt_id FROM hunts()`, nil)) {
		dispatcher.ModifyHuntObject(s.Ctx, row["hunt_id"], services.GetHuntOptions{}, func(hunt *api_proto.Hunt) services.HuntModificationAction {
			hunt.State = api_proto.Hunt_STOPPED
			return services.HuntPropagateChanges
		})
	}
}

// oneHunt is the only hunt there is, as JSON.
func (s *EngineSuite) oneHunt() string {
	s.T().Helper()
	hunts := strings.Split(strings.TrimSpace(s.query(`SELECT * FROM hunts()`, nil)), "\n")
	s.Require().Len(hunts, 1)
	return hunts[0]
}

// specOf is what a hunt was asked for, and its description.
func (s *EngineSuite) specOf(hunt string) string {
	return s.query(`SELECT hunt_description, start_request.specs AS Specs FROM hunts(hunt_id=Id)`, ordereddict.NewDict().Set("Id", hunt))
}

// A second monitor is a copy of the artifact, or one that is started before the first has ended.
func (s *EngineSuite) TestTwoMonitorsAtOnceMakeOneHuntAndOneDownload() {
	s.publishHelper()
	exports := s.serveExports(threeSources)
	params := ordereddict.NewDict().Set("RefreshMinutes", "10").Set("JitterSeconds", "0").
		Set("Source", "full").Set("ExportURL", exports.URL).Set("LaunchHunt", "Y")

	var monitors []*running
	for range 3 {
		monitors = append(monitors, s.startMonitor(params))
	}
	var hunts []string
	for _, monitor := range monitors {
		row, ok := <-monitor.rows
		s.True(ok)
		s.Regexp("published|unchanged", row.Status, row.Message)
		if row.HuntId != "" {
			hunts = append(hunts, row.HuntId)
		}
	}
	for _, monitor := range monitors {
		monitor.end()
	}

	s.Equal([]string{"csv/full/"}, exports.asked())
	s.Len(hunts, 1)
	s.Contains(s.oneHunt(), hunts[0])
}

func (s *EngineSuite) TestAHuntThatWasDeletedIsNotCreatedAgainBeforeTheNextFeed() {
	s.publishHelper()
	exports := s.serveExports(threeSources)
	params := map[string]string{"LaunchHunt": "Y", "Source": "full"}
	rows, _ := s.monitorExports(exports, 1, params)
	s.Require().NotEmpty(rows[0].HuntId)
	s.query(`SELECT * FROM hunt_delete(hunt_id=Id, really_do_it=TRUE)`, ordereddict.NewDict().Set("Id", rows[0].HuntId))
	vtesting.WaitUntil(10*time.Second, s.T(), func() bool { return s.query(`SELECT hunt_id FROM hunts() WHERE NOT state =~ "DELETED"`, nil) == "" })

	rows, logs := s.monitorExports(exports, 2, params)
	s.Equal([]string{"unchanged", "unchanged"}, []string{rows[0].Status, rows[1].Status}, logs)
	s.Equal([]string{"", ""}, []string{rows[0].HuntId, rows[1].HuntId})

	time.Sleep(11 * time.Second) // so long a new hunt may not be in the list yet, and the first claim counts
	exports.answer = func(string) (int, string) { return 200, csvExport(domains(0, 110), time.Now()) }
	rows, _ = s.monitorExports(exports, 1, params)
	s.Equal("published", rows[0].Status)
	s.NotEmpty(rows[0].HuntId)
}

func (s *EngineSuite) TestAHuntLooksAtAllEventsAgainWhereTheFeedHasAnotherSource() {
	s.publishHelper()
	exports := s.serveExports(threeSources)
	s.monitorExports(exports, 1, map[string]string{"LaunchHunt": "Y", "Source": "recent"})
	s.stopHunts()

	rows, logs := s.monitorExports(exports, 1, map[string]string{"LaunchHunt": "Y", "Source": "full"})

	s.Equal("full", rows[0].FeedSource)
	s.Require().NotEmpty(rows[0].HuntId, logs)
	s.Contains(s.specOf(rows[0].HuntId), `ThreatFox (full), feed 1.0.`)
	s.NotContains(s.specOf(rows[0].HuntId), "DateAfter")
}

func (s *EngineSuite) TestHuntParametersMayNameADateOfTheirOwn() {
	s.publishHelper()
	exports := s.serveExports(threeSources)
	params := map[string]string{"LaunchHunt": "Y", "Source": "full", "HuntParameters": `{"DateAfter":"2026-01-02T00:00:00Z"}`}
	s.monitorExports(exports, 1, params)
	s.stopHunts()
	exports.answer = func(string) (int, string) { return 200, csvExport(domains(0, 110), time.Now()) }

	rows, logs := s.monitorExports(exports, 1, params)

	s.Require().NotEmpty(rows[0].HuntId, logs)
	s.Regexp(`"key":"DateAfter","value":"2026-01-02.00:00:00`, s.specOf(rows[0].HuntId))
}
