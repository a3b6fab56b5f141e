package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/paths/artifact_modes"
)

// oddRows are rows of Summary as no version of the pack writes them: an endpoint sends what it likes.
func oddRows() (rows []string) {
	for _, odd := range []string{`"IOC":["a","b"]`, `"IOC":{"a":"b"}`, `"IOC":7`, `"IOC":null`, `"IOC":""`, `"IOC":"a\nb\nc"`, `"IOC":"[x](https://evil.example)"`,
		`"Strength":["strong"]`, `"Strength":{"a":1}`, `"Strength":7`, `"Strength":"STRONG"`, `"Match":{"a":1}`, `"Count":"many"`, `"Count":[1]`, `"Count":-7`, `"Count":1e300`,
		`"First":"yesterday"`, `"First":[1]`, `"Last":{"a":1}`, `"Last":1e300`, `"Malware":null`, `"Malware":["x"]`, `"Image":7`, `"Key":"x"`, `"Client":"C.2"`, `"ClientId":"C.2"`,
		`"Flow_":"F.X"`, `"Result":"x"`, `"Info":{"os_info":{"hostname":"x"}}`, `"IOC":"` + strings.Repeat("x", 100_000) + `"`} {
		name, _, _ := strings.Cut(odd, ":")
		row := alertedFinding(fmt.Sprintf("odd-%d.bad-domain.example", len(rows)), "strong")
		fields := strings.Split(strings.Trim(row, "{}"), ",")
		kept := []string{odd}
		for _, field := range fields {
			if !strings.HasPrefix(field, name+":") {
				kept = append(kept, field)
			}
		}
		rows = append(rows, "{"+strings.Join(kept, ",")+"}")
	}
	return rows
}

func (s *EngineSuite) TestResultsThatMakeNoSenseHoldUpNoOthers() {
	s.newClient("C.1", "ws-1")
	s.newClient("C.2", "ws-2")
	hook := s.webHook()
	s.alertsRun(map[string]string{"MinStrength": "weak", "WebhookURL": hook.URL, "QuarantineLabel": "Quarantine"})

	for n, row := range oddRows() {
		s.flowEnds("C.1", fmt.Sprintf("F.%d", n), map[string][]string{summary: {row}})
	}
	s.flowEnds("C.1", "F.ALL", map[string][]string{summary: oddRows(), hits: {"7", "[]", `"x"`, "null", "no json"}})
	s.flowEnds("C.1", "F.LAST", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})

	s.becomes(func() bool { return strings.Contains(fmt.Sprint(s.told("Findings")), "203.0.113.7:443") }, "the sound one")
	s.becomes(func() bool {
		_, got := hook.got()
		return strings.Contains(strings.Join(got, ""), "203[.]0[.]113[.]7:443")
	}, "its message")
	for _, row := range s.told("Findings") {
		s.Equal("C.1", row["ClientId"], "a client speaks for itself alone: %.300s", row)
		s.Equal("ws-1", row["Host"])
		s.True(strings.HasPrefix(row["Link"], "["+row["FlowId"]+"]("), "%.300s", row["Link"])
	}
	s.NotContains(s.labelsOf("C.2"), "ThreatFoxHit")
	s.GreaterOrEqual(len(s.told("Findings")), 25)
}

func (s *EngineSuite) TestLiveRowsThatMakeNoSenseHoldUpNoOtherAlerts() {
	s.newClient("C.1", "ws-1")
	s.newClient("C.2", "ws-2")
	s.alertsRun(map[string]string{"MinStrength": "weak"})
	s.becomes(func() bool { return s.watches(live+"/Hits") > 0 }, "it watches")
	row := func(name string, value any) *ordereddict.Dict {
		return ordereddict.NewDict().Set("ClientId", "C.1").Set("Strength", "strong").Set("IOC", "c2.bad-domain.example").Set("Time", "2026-11-20T10:00:00Z").Set(name, value)
	}

	s.eventsCome("C.1", live+"/Hits", artifact_modes.MODE_CLIENT_EVENT, row("IOC", []string{"a"}), row("IOC", ordereddict.NewDict().Set("a", 1)), row("IOC", nil),
		row("Strength", []string{"x"}), row("Strength", 7), row("Time", []string{"x"}), row("Match", []string{"x"}), row("Client", "C.2"), row("Result", 7), row("Live", "x"),
		row("Id", "C.2"), row("Known", true), row("Key", "x"), row("IOC", "203.0.113.7:443"))

	s.becomes(func() bool { return strings.Contains(fmt.Sprint(s.told("Findings")), "203.0.113.7:443") }, "the sound one")
	for _, found := range s.told("Findings") {
		s.Equal("C.1", found["ClientId"])
	}
	s.alertsRun(map[string]string{"MinStrength": "weak"}) // reads them again, by source()
	time.Sleep(2 * time.Second)
	for _, found := range s.told("Findings") {
		s.Equal("C.1", found["ClientId"])
	}
}

// Clients and hunts are deleted while their results are read.
func (s *EngineSuite) TestWhatIsDeletedInMidRunHoldsUpNoOthers() {
	for n := range 20 {
		s.newClient(fmt.Sprintf("C.%d", n), "ws")
	}
	s.alertsRun(map[string]string{"MaxAlertsPerHour": "1000"})
	var rows []string
	for n := range 50 {
		rows = append(rows, alertedFinding(fmt.Sprintf("203.0.113.%d:443", n), "strong"))
	}

	for n := range 20 {
		id := fmt.Sprintf("C.%d", n)
		s.flowEnds(id, "F.H1.H", map[string][]string{summary: rows})
		if n%2 == 0 {
			s.query(`SELECT * FROM delete_flow(client_id=Id, flow_id="F.H1.H", really_do_it=TRUE)`, ordereddict.NewDict().Set("Id", id))
			s.query(`SELECT * FROM client_delete(client_id=Id, really_do_it=TRUE)`, ordereddict.NewDict().Set("Id", id))
		}
	}

	s.becomes(func() bool { return strings.Contains(fmt.Sprint(s.told("Findings")), "ClientId:C.19 ") }, "the last one's")
	by := map[string]int{}
	s.becomes(func() bool {
		by = map[string]int{}
		for _, row := range s.told("Findings") {
			by[row["ClientId"]]++
		}
		return by["C.19"] == 50
	}, "all of the last one's")
	for n := 1; n < 20; n += 2 {
		s.Equal(50, by[fmt.Sprintf("C.%d", n)])
	}
	for n := 0; n < 20; n += 2 {
		s.Empty(s.query(`SELECT * FROM clients(client_id=Id)`, ordereddict.NewDict().Set("Id", fmt.Sprintf("C.%d", n))), "no label makes a client anew")
	}
}

// A number that makes no sense is its default, and the log says so.
func (s *EngineSuite) TestNumbersOfAlertsThatMakeNoSenseAreTheDefaults() {
	s.newClient("C.1", "ws-1")
	hook := s.webHook()
	params := map[string]string{"WebhookURL": hook.URL, "MaxAlertsPerHour": "abc", "RememberDays": "0", "Timeout": "-1", "GiveUpHours": "1e300", "CatchUpHours": "-5"}
	s.alertsRun(params)
	s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong"), alertedFinding("203.0.113.8:443", "strong")}})
	s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row of a message")
	s.alertsRun(params)
	time.Sleep(2 * time.Second) // it looks back after a second

	for _, row := range s.findingsBecome(2) {
		s.Equal("alert", row["Status"])
	}
	s.Equal([]string{"sent web hook 2"}, s.messagesAre())
	log := strings.Join(s.alertsLog(), "\n")
	for name, said := range map[string]string{"MaxAlertsPerHour": "100", "RememberDays": "365", "Timeout": "30", "GiveUpHours": "24", "CatchUpHours": "24"} {
		s.Regexp("is not a number from [01] to 100,000: the parameter "+name+". Its default "+said+" is used", log)
	}
	s.NotContains(log, "the parameter SendSeconds")
}

func (s *EngineSuite) TestTheLeastAndTheMostOfTheNumbersOfAlertsAreTaken() {
	s.newClient("C.1", "ws-1")
	hook := s.webHook()
	for _, numbers := range []map[string]string{
		{"MaxAlertsPerHour": "1", "RememberDays": "1", "Timeout": "1", "GiveUpHours": "0", "CatchUpHours": "0"},
		{"MaxAlertsPerHour": "100000", "RememberDays": "100000", "Timeout": "100000", "GiveUpHours": "100000", "CatchUpHours": "100000"},
	} {
		numbers["WebhookURL"] = hook.URL
		s.alertsRun(numbers)
		s.flowEnds("C.1", "F.1", map[string][]string{summary: {alertedFinding("203.0.113.7:443", "strong")}})
		s.becomes(func() bool { return len(s.messagesAre()) > 0 }, "the row of a message")
		time.Sleep(1500 * time.Millisecond)
		s.findingsBecome(1)
		s.Equal([]string{"sent web hook 1"}, s.messagesAre())
		s.NotContains(strings.Join(s.alertsLog(), "\n"), "is not a number")
	}
}
