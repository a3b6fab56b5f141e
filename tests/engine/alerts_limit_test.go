package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/paths/artifact_modes"
)

// findingsAgo stores what the artifact found some hours before this one.
func (s *EngineSuite) findingsAgo(hours int, status string, count int) {
	var earlier []*ordereddict.Dict
	for i := range count {
		row := ordereddict.NewDict().Set("Status", status).Set("Key", fmt.Sprint("C.9\n", status, hours, i)).
			Set("Told", time.Now().Add(-time.Duration(hours)*time.Hour).Unix())
		for _, name := range []string{"Strength", "Malware", "Match", "IOC", "Host", "ClientId", "Count", "First", "Last", "Link"} {
			row.Set(name, "-")
		}
		earlier = append(earlier, row)
	}
	s.eventsCome("server", alerts+"/Findings", artifact_modes.MODE_SERVER_EVENT, earlier...)
}

// fiveFindingsAnHourAgo are two with an alert and three over the limit.
func (s *EngineSuite) fiveFindingsAnHourAgo() {
	s.findingsAgo(1, "alert", 2)
	s.findingsAgo(1, "over limit", 3)
}

func (s *EngineSuite) TestFindingsOverTheLimitKeepTheirRowsAndAreToldAsANumber() {
	s.newClient("C.1", "ws-1")
	s.fiveFindingsAnHourAgo()
	s.alertsRun(map[string]string{"MaxAlertsPerHour": "2"})
	var rows []string
	for i := range 5 {
		rows = append(rows, alertedFinding(fmt.Sprintf("203.0.113.%d:443", i), "strong"))
	}

	s.flowEnds("C.1", "F.1", map[string][]string{summary: rows})

	status := map[string]int{}
	for _, row := range s.findingsBecome(5 + 5 + 1)[5:] {
		status[row["Status"]]++
		if row["Status"] == "limit" {
			s.Equal("3", row["Count"])
		}
	}
	s.Equal(map[string]int{"alert": 2, "over limit": 3, "limit": 1}, status)
	s.Len(s.raised(), 3)
	s.Contains(strings.Join(s.raised(), "\n"), "ThreatFox: 3 more findings than MaxAlertsPerHour")
	s.alertsRun(map[string]string{"MaxAlertsPerHour": "2"})
	s.findingsBecome(11)
}

func (s *EngineSuite) TestFindingsOverTheLimitAreToldOnceWhateverTheLimitIsNowAndHoweverLongTheServerWasDown() {
	for _, hours := range []int{1, 25, 24 * 40} {
		s.findingsAgo(hours, "alert", 2)
		s.findingsAgo(hours, "over limit", 3)
	}
	hook := s.webHook()
	params := map[string]string{"MaxAlertsPerHour": "100", "WebhookURL": hook.URL}
	s.alertsRun(params)

	for _, row := range s.findingsBecome(3*5 + 3)[3*5:] {
		s.Equal("limit 3", row["Status"]+" "+row["Count"])
	}
	s.Len(s.raised(), 3)
	s.becomes(func() bool {
		_, got := hook.got()
		return strings.Count(strings.Join(got, ""), "3 more findings from") == 3
	}, "the message")

	s.alertsRun(params)
	time.Sleep(time.Second)
	s.findingsBecome(3*5 + 3)
}

func (s *EngineSuite) TestFindingsThatHadTheirAlertAreNotOverALowerLimit() {
	s.findingsAgo(1, "alert", 5)
	s.alertsRun(map[string]string{"MaxAlertsPerHour": "2"})
	time.Sleep(time.Second)
	s.findingsBecome(5)
	s.Empty(s.raised())
}
