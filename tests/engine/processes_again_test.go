package engine

import (
	"fmt"
	"strings"
)

// Windows uses a process id again. The event of a process that begins can be a hit too.
func (s *EngineSuite) TestAHitOfACreationAndHitsOfItsProcessAreOneRow() {
	const url = " http://203.0.113.7:443/"
	events := s.writeEvents(
		audited(4096, `C:\a.exe`, "a first"+url).at(0),
		filtered(4096, `\a.exe`).at(1),
		audited(4096, `C:\a.exe`, "a second").at(2),
		filtered(4096, `\a.exe`).at(3),
		audited(4100, `C:\t.exe`, "t"+url).at(4),
		filtered(4104, `\other.exe`).at(5),
	)
	const parent = ` by C:\Windows\explorer.exe (), `
	want := []string{
		`WS01.example.test C:\a.exe: a first` + url + parent + "3 hits, Security 4688",
		`WS01.example.test C:\a.exe: a second` + parent + "2 hits, Security 4688",
		`WS01.example.test C:\t.exe: t` + url + parent + "1 hits, Security 4688",
		`WS01.example.test \device\harddiskvolume3\other.exe:  by  (), 1 hits, `,
	}
	for _, layout := range layouts {
		s.Equal(want, s.processes(s.huntBoth(s.c2Feed(), s.makeLog(layout, events), nil)), layout)
	}
}

func (s *EngineSuite) TestTheLastProcessBeforeTheLastHitIsToldHoweverOftenItsIdWasUsed() {
	unknown := connected(noGuid, 4096, "<unknown process>")
	events := []made{audited(4096, `C:\first.exe`, "first").at(0), connected(noGuid, 4096, "<unknown process>").at(1)}
	for i := range 20 {
		events = append(events, audited(4096, fmt.Sprintf(`C:\%d.exe`, i), "other").at(2+i))
	}
	events = append(events, audited(4096, `C:\rat.exe`, "rat").at(40), unknown.at(41))
	got := s.huntBoth(s.c2Feed(), s.makeLog("make_evtx.py", s.writeEvents(events...)), nil)
	rows := s.processes(got)
	s.Len(rows, 12)
	s.Contains(strings.Join(rows, "\n"), `C:\rat.exe: rat `)
	s.Contains(strings.Join(rows, "\n"), `C:\first.exe: first `)
	s.Contains(got.logs, "The ids of 1 processes with hits were used more than ten times")
}

// A program that takes another one's name has another path.
func (s *EngineSuite) TestAProgramOfTheSameNameElsewhereIsAnotherProcess() {
	events := s.writeEvents(
		audited(4096, `C:\Windows\System32\svchost.exe`, "real").at(0),
		audited(4096, `C:\Users\u\svchost.exe`, "fake").at(1),
		filtered(4096, `\windows\system32\svchost.exe`).at(2),
		audited(4100, `\\server\share\x.exe`, "of a share").at(3),
		security(5156, made{"ProcessID": "4100", "Application": `\device\mup\server\share\x.exe`, "Direction": "%%14593",
			"SourceAddress": "10.0.0.1", "SourcePort": "50000", "DestAddress": "203.0.113.7", "DestPort": "443"}).at(4),
	)
	rows := strings.Join(s.processes(s.huntBoth(s.c2Feed(), s.makeLog("make_evtx.py", events), nil)), "\n")
	s.Contains(rows, `C:\Windows\System32\svchost.exe: real `)
	s.NotContains(rows, "fake")
	s.Contains(rows, "of a share")
}

func (s *EngineSuite) TestALineBreakInAProcessLeavesTheSummaryItsColumns() {
	event := connected(guid(1), 4000, "C:\\a\nb.exe").at(0)
	got := s.huntBoth(s.c2Feed(), s.makeLog("make_evtx.py", s.writeEvents(event)), nil)
	rows := s.rowsOf(got.source["Summary"])
	s.Len(rows, 1)
	s.Equal("203.0.113.7:443", rows[0]["IOC"])
	s.Equal("C:\\a\nb.exe", rows[0]["Image"])
	s.Equal(`A\bob`, rows[0]["User"])
}

func (s *EngineSuite) TestProcessesCountOnlyHitsThatAreReported() {
	events := []made{created(guid(1), 4000, `C:\a.exe`, "a").at(0)}
	for i := range 5 {
		events = append(events, connected(guid(1), 4000, `C:\a.exe`).at(1+i))
	}
	rows := s.processes(s.huntBoth(s.c2Feed(), s.makeLog("make_evtx.py", s.writeEvents(events...)), map[string]string{"MaxHitsPerIndicator": "2"}))
	s.Len(rows, 1)
	s.Contains(rows[0], "2 hits")
}
