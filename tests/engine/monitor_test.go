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
	s.Len(api.asked(), 1, "the cache answers for five minutes")
}

// The source fails four times, then comes back.
func (s *EngineSuite) TestTheMonitorAlertsOnceAndRecoversByItself() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`, ordereddict.NewDict().Set("Key", theKey))
	api.failFirst(4)

	rows, logs := s.monitor(api, 6, map[string]string{"AlertAfter": "3"})

	s.Equal(1, strings.Count(logs, "The feed of ThreatFox is not refreshed"), logs)
	s.Contains(logs, `"cause":"threatfox: `)
	var failures []int
	for _, row := range rows {
		failures = append(failures, row.Failures)
	}
	s.Equal([]int{1, 2, 3, 4, 0, 0}, failures)
	s.Equal("published", rows[4].Status)
	s.NotContains(logs, theKey)
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
