package engine

import (
	"time"

	"github.com/Velocidex/ordereddict"

	actions_proto "www.velocidex.com/golang/velociraptor/actions/proto"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/services/hunt_manager"
)

// client registers a client of this operating system, with or without a label.
func (s *EngineSuite) client(id, system, label string) {
	clients, err := services.GetClientInfoManager(s.ConfigObj)
	s.Require().NoError(err)
	s.Require().NoError(clients.Set(s.Ctx, &services.ClientInfo{ClientInfo: &actions_proto.ClientInfo{ClientId: id, System: system}}))
	if label != "" {
		s.Require().NoError(services.GetLabeler(s.ConfigObj).SetClientLabel(s.Ctx, s.ConfigObj, id, label))
	}
}

// takesPart says why a client does not take part in a hunt, as the server finds when the client asks.
func (s *EngineSuite) takesPart(hunt, client string) error {
	manager, err := hunt_manager.MakeHuntManager(s.ConfigObj)
	s.Require().NoError(err)
	return manager.ProcessParticipationWithError(s.Ctx, s.ConfigObj,
		ordereddict.NewDict().Set("HuntId", hunt).Set("ClientId", client))
}

// Velociraptor drops labels where an operating system is given: such a hunt ran on excluded hosts.
func (s *EngineSuite) TestExcludedLabelsHoldWithAndWithoutOtherLabels() {
	s.publishHelper()
	s.client("C.1001", "windows", "Lab")
	s.client("C.1002", "windows", "Server")
	exports := s.serveExports(threeSources)

	for _, labels := range []string{`[]`, `["Server"]`} {
		rows, logs := s.monitorExports(exports, 1, map[string]string{
			"LaunchHunt": "Y", "Source": "full", "HuntLabels": labels, "HuntExcludeLabels": `["Lab"]`})
		s.Require().NotEmpty(rows[0].HuntId, logs)

		s.ErrorContains(s.takesPart(rows[0].HuntId, "C.1001"), "hunt label does not match", labels)
		s.NoError(s.takesPart(rows[0].HuntId, "C.1002"), labels)

		s.stopHunts()
		exports.answer = func(string) (int, string) { return 200, csvExport(domains(0, 110), time.Now()) }
	}
}

func (s *EngineSuite) TestWithoutLabelsTheMonitorHuntsOnWindowsAlone() {
	s.publishHelper()
	s.client("C.1001", "windows", "")
	s.client("C.1002", "linux", "")

	rows, _ := s.monitorExports(s.serveExports(threeSources), 1, map[string]string{"LaunchHunt": "Y"})

	s.NoError(s.takesPart(rows[0].HuntId, "C.1001"))
	s.ErrorContains(s.takesPart(rows[0].HuntId, "C.1002"), "does not match OS condition")
}

// A list that is not one is read as none: the hunt ran on the hosts that it was to leave out. Parameters that are no JSON were none.
func (s *EngineSuite) TestAHuntWhoseParametersCannotBeUsedIsNotCreated() {
	s.publishHelper()
	exports := s.serveExports(threeSources)
	for name, value := range map[string]string{"HuntExcludeLabels": "Lab", "HuntLabels": `"Server"`, "HuntHours": "0"} {
		rows, logs := s.monitorExports(exports, 1, map[string]string{"LaunchHunt": "Y", "Source": "full", name: value})
		s.Equal("", rows[0].HuntId, name)
		s.Contains(logs, name+" cannot be used: no hunt is created.")
	}
	for value, said := range map[string]string{`{'MinStrength':'strong'}`: "HuntParameters", `{"MinStrenght":"strong"}`: "HuntParameters (MinStrenght)"} {
		rows, logs := s.monitorExports(exports, 1, map[string]string{"LaunchHunt": "Y", "Source": "full", "HuntParameters": value})
		s.Equal("", rows[0].HuntId, value)
		s.Contains(logs, said+" cannot be used: no hunt is created.")
	}
}
