package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"
)

// made is an event as make_evtx.py and make_wec.py take it.
type made map[string]any

const aMinute = "2026-11-18T08:%02d:%02d.007Z"

// at gives an event a time, in seconds after 08:00.
func (e made) at(seconds int) made {
	e["TimeCreated"] = fmt.Sprintf(aMinute, seconds/60, seconds%60)
	return e
}

// on gives it a computer.
func (e made) on(computer string) made {
	e["Computer"] = computer
	return e
}

// guid is the n-th ProcessGuid.
func guid(n int) string { return fmt.Sprintf("365ABB72-0000-0000-0000-%012X", n) }

const noGuid = "00000000-0000-0000-0000-000000000000"

// created is Sysmon's event of a process that begins.
func created(process string, id int, image, line string) made {
	return made{"EventID": 1, "EventData": made{"ProcessGuid": process, "ProcessId": id, "Image": image, "CommandLine": line, "User": `A\bob`,
		"ParentImage": `C:\Windows\explorer.exe`, "ParentCommandLine": "explorer.exe /of " + line, "ParentUser": `A\bob`}}
}

// connected is Sysmon's event of a connection to the indicator.
func connected(process string, id int, image string) made {
	return made{"EventID": 3, "EventData": made{"ProcessGuid": process, "ProcessId": id, "Image": image, "User": `A\bob`, "Initiated": true,
		"SourceIp": "10.0.0.1", "SourcePort": 50000, "DestinationIp": "203.0.113.7", "DestinationPort": 443}}
}

// security makes an event one of security auditing.
func security(id int, data made) made {
	return made{"EventID": id, "Provider": "Microsoft-Windows-Security-Auditing", "Guid": "{54849625-5478-4994-A5BA-3E3B0328C30D}",
		"Channel": "Security", "EventData": data}
}

// filtered is security auditing's event of a connection to the indicator.
func filtered(id int, image string) made {
	return security(5156, made{"ProcessID": fmt.Sprint(id), "Application": `\device\harddiskvolume3` + image, "Direction": "%%14593",
		"SourceAddress": "10.0.0.1", "SourcePort": "50000", "DestAddress": "203.0.113.7", "DestPort": "443"})
}

// audited is security auditing's event of a process that begins; its ProcessId is the parent's.
func audited(id int, image, line string) made {
	return security(4688, made{"SubjectUserName": "bob", "SubjectDomainName": "A", "NewProcessId": fmt.Sprintf("%#x", id), "NewProcessName": image,
		"ProcessId": "0x10", "CommandLine": line, "ParentProcessName": `C:\Windows\explorer.exe`})
}

// writeEvents writes events for the makers of logs.
func (s *EngineSuite) writeEvents(events ...made) string {
	path := filepath.Join(s.tempDir(), "events.jsonl")
	var lines strings.Builder
	for _, event := range events {
		line, err := json.Marshal(event)
		s.Require().NoError(err)
		lines.Write(append(line, '\n'))
	}
	s.Require().NoError(os.WriteFile(path, []byte(lines.String()), 0o600))
	return path
}

func (s *EngineSuite) c2Feed() string {
	return s.normalize(s.writeExport([][2]string{{"ip:port", "203.0.113.7:443"}}))
}

// processes are the rows of the source Processes, each as one text, in order.
func (s *EngineSuite) processes(got collection) (rows []string) {
	for _, row := range s.rowsOf(got.source["Processes"]) {
		text := fmt.Sprintf("%s %s: %s by %s (%s), %s hits, %s", row["Computer"], row["Image"], row["CommandLine"], row["ParentImage"],
			row["ParentCommandLine"], row["Hits"], row["KnownFrom"])
		rows = append(rows, strings.ReplaceAll(text, "<nil>", ""))
	}
	slices.Sort(rows)
	return rows
}

// huntBoth hunts in both ways, and fails unless they know the same of the processes.
func (s *EngineSuite) huntBoth(feed, logs string, more map[string]string) collection {
	s.T().Helper()
	vql := s.hunt(feed, logs, more)
	native := s.native(s.helper(), feed, logs, more)
	s.NotContains(native.logs, "did not read")
	s.NotRegexp(badLog, native.logs)
	s.ElementsMatch(strings.Split(vql.source["Hits"], "\n"), strings.Split(native.source["Hits"], "\n"))
	s.ElementsMatch(strings.Split(vql.source["Processes"], "\n"), strings.Split(native.source["Processes"], "\n"))
	return vql
}

func (s *EngineSuite) TestTheProcessOfAHitHasItsCommandLineAndItsParent() {
	const host = "WS01.example.test"
	events := s.writeEvents(
		created(guid(1), 4000, `C:\Windows\System32\svchost.exe`, "svchost.exe -k netsvcs").at(0),
		created(guid(8), 4100, `C:\quiet.exe`, "quiet.exe").at(1),
		connected(guid(1), 4000, `C:\Windows\System32\svchost.exe`).at(2),
		connected(guid(1), 4000, `C:\Windows\System32\svchost.exe`).at(3),
		connected(guid(2), 4001, `C:\lost.exe`).at(4),
		created(guid(3), 4002, `C:\curl.exe`, "curl http://203.0.113.7:443/").at(5),
		audited(4096, `C:\x\rat.exe`, "rat.exe -old").at(6),
		audited(4096, `C:\x\other.exe`, "other.exe").at(7),
		audited(4096, `C:\x\rat.exe`, "rat.exe -new").at(8),
		filtered(4096, `\x\rat.exe`).at(9),
		audited(4096, `C:\x\rat.exe`, "rat.exe -later").at(10),
		connected(noGuid, 4000, "<unknown process>").at(11),
		connected(noGuid, 4999, "<unknown process>").at(12),
	)
	want := []string{
		host + ` <unknown process>:  by  (), 1 hits, `,
		host + ` C:\Windows\System32\svchost.exe: svchost.exe -k netsvcs by C:\Windows\explorer.exe (explorer.exe /of svchost.exe -k netsvcs), 1 hits, Sysmon 1`,
		host + ` C:\Windows\System32\svchost.exe: svchost.exe -k netsvcs by C:\Windows\explorer.exe (explorer.exe /of svchost.exe -k netsvcs), 2 hits, Sysmon 1`,
		host + ` C:\curl.exe: curl http://203.0.113.7:443/ by C:\Windows\explorer.exe (explorer.exe /of curl http://203.0.113.7:443/), 1 hits, Sysmon 1`,
		host + ` C:\lost.exe:  by  (), 1 hits, `,
		host + ` C:\x\rat.exe: rat.exe -new by C:\Windows\explorer.exe (), 1 hits, Security 4688`,
	}
	for _, layout := range layouts {
		got := s.huntBoth(s.c2Feed(), s.makeLog(layout, events), nil)
		s.Equal(want, s.processes(got), layout)
		for _, hit := range s.hits(got) {
			if hit["EventID"] == 1.0 {
				s.Equal(`C:\Windows\explorer.exe`, hit["ParentImage"])
				s.Equal("explorer.exe /of curl http://203.0.113.7:443/", hit["ParentCommandLine"])
			}
		}
	}
}

// A collector's log has events of many hosts, and who can write events can write any.
func (s *EngineSuite) TestAProcessIsThatOfItsComputerWhateverTheLogHolds() {
	events := []made{
		created(guid(1), 4000, `C:\a.exe`, "a of ws01").on("WS01.example.test").at(0),
		created(guid(1), 4000, `C:\a.exe`, "a of ws02").on("WS02.example.test").at(0),
		created(guid(2), 4001, `C:\b.exe`, "b").on("ws01.EXAMPLE.test").at(0),
		audited(4096, `C:\c.exe`, "c of ws01").on("WS01.example.test").at(0),
		audited(4096, `C:\c.exe`, "c of ws02").on("WS02.example.test").at(0),
		connected(guid(1), 4000, `C:\a.exe`).on("WS01.example.test").at(1),
		connected(guid(1), 4000, `C:\a.exe`).on("WS02.example.test").at(1),
		connected(guid(2), 4001, `C:\b.exe`).on("WS01.example.test").at(1),
		filtered(4096, `\c.exe`).on("WS02.example.test").at(1),
		// One ProcessGuid that began twenty times: ten are shown.
		connected(guid(3), 4003, `C:\d.exe`).on("WS03.example.test").at(30),
		// One id that is used again: by the last before the first hit, and by those up to the last.
		audited(8192, `C:\e.exe`, "e first").on("WS03.example.test").at(1),
		audited(8192, `C:\e.exe`, "e second").on("WS03.example.test").at(2),
		filtered(8192, `\e.exe`).on("WS03.example.test").at(3),
		audited(8192, `C:\e.exe`, "e third").on("WS03.example.test").at(4),
		filtered(8192, `\e.exe`).on("WS03.example.test").at(5),
		audited(8192, `C:\e.exe`, "e fourth").on("WS03.example.test").at(6),
	}
	for i := range 20 {
		events = append(events, created(guid(3), 4003, `C:\d.exe`, fmt.Sprint("d ", i)).on("WS03.example.test").at(i))
	}
	for _, layout := range layouts {
		rows := s.processes(s.huntBoth(s.c2Feed(), s.makeLog(layout, s.writeEvents(events...)), nil))
		var d, others []string
		for _, row := range rows {
			computer, rest, _ := strings.Cut(row, " ")
			image, rest, _ := strings.Cut(rest, ": ")
			line, _, _ := strings.Cut(rest, " by ")
			if strings.Contains(image, "d.exe") {
				d = append(d, line)
			} else {
				others = append(others, computer[:4]+" "+line)
			}
		}
		s.Len(d, 10, layout)
		s.Equal([]string{"WS01 a of ws01", "WS01 b", "WS02 a of ws02", "WS02 c of ws02", "WS03 e second", "WS03 e third"}, others, layout)
	}
}

func (s *EngineSuite) TestManyHitsOfOneProcessAndManyProcessesAreBounded() {
	s.Ctx = context.Background() // the suite's ends after 60 s
	events := []made{created(guid(1), 4000, `C:\a.exe`, "a")}
	for range 100 {
		events = append(events, connected(guid(1), 4000, `C:\a.exe`))
	}
	for i := range 1050 {
		events = append(events, created(guid(100+i), 5000+i, `C:\b.exe`, "b"), connected(guid(100+i), 5000+i, `C:\b.exe`))
	}
	got := s.huntBoth(s.c2Feed(), s.makeLog("make_evtx.py", s.writeEvents(events...)), map[string]string{"MaxHitsPerIndicator": "1130"})
	rows := s.processes(got)
	s.Len(rows, 1000)
	s.Equal(`WS01.example.test C:\a.exe: a by C:\Windows\explorer.exe (explorer.exe /of a), 100 hits, Sysmon 1`, rows[0])
	s.Contains(got.logs, "51 hits are of more processes than 1,000")
}

func (s *EngineSuite) TestWithoutHitsOrIfNotWantedNothingIsReadAgain() {
	log := s.makeLog("make_evtx.py", s.writeEvents(created(guid(1), 4000, `C:\a.exe`, "a"), connected(guid(1), 4000, `C:\a.exe`)))
	s.Len(s.processes(s.huntBoth(s.c2Feed(), log, nil)), 1)
	s.Empty(s.processes(s.huntBoth(s.c2Feed(), log, map[string]string{"SearchProcesses": "N"})))
	s.Empty(s.processes(s.huntBoth(s.normalize(s.writeExport([][2]string{{"ip:port", "198.51.100.9:443"}})), log, nil)))
}

// The process of a hit of this host may still run: here it is this test.
func (s *EngineSuite) TestTheTrackerKnowsAProcessThatStillRuns() {
	host, err := os.Hostname()
	s.Require().NoError(err)
	program, err := os.Executable()
	s.Require().NoError(err)
	name := filepath.Base(program)
	now := func(event made, host string) made {
		event["TimeCreated"] = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		return event.on(host)
	}
	log := s.makeLog("make_evtx.py", s.writeEvents(
		now(connected(guid(1), os.Getpid(), `C:\`+name), host+".example.test"),
		now(connected(guid(2), os.Getpid(), `C:\other.exe`), host),
		now(connected(guid(3), os.Getpid(), `C:\`+name), "elsewhere"),
		connected(guid(4), os.Getpid(), `C:\`+name).on(host), // before it began
	))
	known := map[string]map[string]string{}
	for _, row := range s.rowsOf(s.huntBoth(s.c2Feed(), log, nil).source["Processes"]) {
		known[row["ProcessGuid"]] = row
	}
	s.Len(known, 4)
	s.Equal("process tracker", known[guid(1)]["KnownFrom"])
	s.Contains(known[guid(1)]["CommandLine"], "-test.") // as this program was called
	s.NotEqual("<nil>", known[guid(1)]["ParentImage"])
	for n := 2; n <= 4; n++ {
		s.Empty(known[guid(n)]["KnownFrom"], n)
	}
}

// 3 names the job's process and owner, of which the old form has the owner alone.
func (s *EngineSuite) TestADownloadByBitsIsThatOfTheProcessAndOwnerOfItsJob() {
	found := map[string]int{}
	for _, hit := range s.hits(s.huntBoth(s.windowsFeed(), sample(s.T(), "evtx-windows/bits*.evtx"), nil)) {
		found[fmt.Sprint(filepath.Base(hit["LogFile"].(string)), " ", hit["EventID"], " ", hit["Image"], " ", hit["User"], " ", hit["ProcessId"])]++
	}
	s.Equal(map[string]int{
		`bits-3-59-60.evtx 59 C:\Windows\System32\bitsadmin.exe OFFSEC\admmig 7680`: 1,
		`bits-3-59-60.evtx 60 C:\Windows\System32\bitsadmin.exe OFFSEC\admmig 7680`: 1,
		`bits-60-download.evtx 59 <nil> OFFSEC\admmig <nil>`:                        1,
		`bits-60-download.evtx 60 <nil> OFFSEC\admmig <nil>`:                        1,
	}, found)
}

func (s *EngineSuite) TestOfSeveralJobsOfBitsADownloadIsThatOfItsOwn() {
	bits := func(id int, data made) made {
		return made{"EventID": id, "Provider": "Microsoft-Windows-Bits-Client", "Guid": "{EF1CC15B-46C1-414E-BB95-E76B077BD51E}",
			"Channel": "Microsoft-Windows-Bits-Client/Operational", "EventData": data}
	}
	job := func(n int, owner, program string) made {
		return bits(3, made{"jobTitle": "same title", "jobId": "{" + guid(n) + "}", "jobOwner": owner, "processPath": program, "processId": "77"})
	}
	download := func(n int, title string) made {
		return bits(59, made{"transferId": "{" + guid(99) + "}", "name": title, "Id": "{" + strings.ToLower(guid(n)) + "}", "url": "http://203.0.113.7:443/x"})
	}
	events := []made{
		job(1, `A\one`, `C:\one.exe`).on("WS01"), job(2, `A\two`, `C:\two.exe`).on("WS01"), job(1, `B\one`, `C:\other.exe`).on("WS02"),
		download(2, "same title").on("WS01"), download(1, "same title").on("WS01"), download(1, "same title").on("WS02"),
		download(3, "same title").on("WS01"), // of a job that began before the log does
		bits(3, made{"string": "old", "string2": `A\old`, "string3": ""}).on("WS01"), download(4, "old").on("WS01"), download(4, "old").on("WS02"),
	}
	for _, layout := range layouts {
		var users []string
		for _, hit := range s.hits(s.huntBoth(s.c2Feed(), s.makeLog(layout, s.writeEvents(events...)), nil)) {
			users = append(users, fmt.Sprint(hit["User"], " ", hit["Image"]))
		}
		s.Equal([]string{`A\two C:\two.exe`, `A\one C:\one.exe`, `B\one C:\other.exe`, "<nil> <nil>", `A\old <nil>`, "<nil> <nil>"}, users, layout)
	}
}

// Connections that are open have a process id, a bare name and this host's name without its domain.
func (s *EngineSuite) TestTheProcessOfAnOpenConnectionIsLookedUpInTheLogsToo() {
	host, err := os.Hostname()
	s.Require().NoError(err)
	s.replaceBuiltIn("Windows.System.DNSCache", `"x.example" AS Name, "10.0.0.1" AS Record, "A" AS RecordType`)
	s.replaceBuiltIn("Windows.Network.Netstat",
		"4000 AS Pid, 'a.exe' AS Name, 'ESTAB' AS Status, '10.0.0.1' AS `Laddr.IP`, 50000 AS `Laddr.Port`, '203.0.113.7' AS `Raddr.IP`, 443 AS `Raddr.Port`")
	log := s.makeLog("make_evtx.py", s.writeEvents(created(guid(1), 4000, `C:\a.exe`, "a").on(host+".example.test"),
		created(guid(2), 4000, `C:\a.exe`, "another").on("other.example.test"), created(guid(3), 4000, `C:\b.exe`, "b").on(host+".example.test")))
	want := []string{host + ` C:\a.exe: a by C:\Windows\explorer.exe (explorer.exe /of a), 1 hits, Sysmon 1`}
	s.Equal(want, s.processes(s.hunt(s.c2Feed(), log, nil)))
	s.Equal(want, s.processes(s.native(s.helper(), s.c2Feed(), log, nil)))
}

func (s *EngineSuite) TestAProcessInSeveralCopiesOfALogIsOneRow() {
	log, err := os.ReadFile(s.makeLog("make_evtx.py", s.writeEvents(
		created(guid(1), 4000, `C:\a.exe`, "a").at(0), connected(guid(1), 4000, `C:\a.exe`).at(1),
		audited(4096, `C:\b.exe`, "b").at(2), filtered(4096, `\b.exe`).at(3))))
	s.Require().NoError(err)
	folder := s.T().TempDir()
	for _, name := range []string{"1.evtx", "2.evtx", "3.evtx"} {
		s.Require().NoError(os.WriteFile(filepath.Join(folder, name), log, 0o600))
	}
	want := []string{
		`WS01.example.test C:\a.exe: a by C:\Windows\explorer.exe (explorer.exe /of a), 1 hits, Sysmon 1`,
		`WS01.example.test C:\b.exe: b by C:\Windows\explorer.exe (), 1 hits, Security 4688`,
	}
	s.Equal(want, s.processes(s.hunt(s.c2Feed(), folder+"/*.evtx", nil)))
	s.Equal(want, s.processes(s.native(s.helper(), s.c2Feed(), folder+"/*.evtx", nil)))
}

// A log may be archived, cleared or damaged between the two readings. What was found before is not lost with it: Processes comes last.
func (s *EngineSuite) TestALogThatHasGoneSinceLeavesTheProcessUnknown() {
	damaged := filepath.Join(s.tempDir(), "damaged.evtx")
	s.Require().NoError(os.WriteFile(damaged, []byte("ElfFile\x00 and no more"), 0o600))
	rows, _ := s.queryWithLogs(`
LET _ <= import(artifact="Generic.ThreatFox.Rules")
LET _ <= import(artifact="Generic.ThreatFox.Logs")
LET _ <= import(artifact="Generic.ThreatFox.Tracker")
LET _ <= import(artifact="Generic.ThreatFox.Processes")
LET Processes <= dict(others=dict(Is=(0, 0, 0)))
LET Hit <= dict(Computer="ws", Image="a.exe", ProcessGuid="365ABB72-0000-0000-0000-000000000001", ProcessId=4, Time=timestamp(epoch=1))
LET Noted <= NotedIn(Processes=Processes, Hit=Hit, Key=ProcessKey(Computer="ws", Guid=Hit.ProcessGuid, Id=4, Image="a.exe"))
SELECT Computer, Image, CommandLine, Hits, KnownFrom
FROM ProcessesOf(Processes=Processes, Logs=to_dict(item={
  SELECT _value AS _key, dict(Path=_value, Accessor="auto", Counts=dict(`+"`Microsoft-Windows-Sysmon`=dict(`3`=(1, 1, 1))"+`)) AS _value FROM foreach(row=Paths)
}))`, ordereddict.NewDict().Set("Paths", []string{damaged, "/gone.evtx"}))
	s.Equal(`{"Computer":"ws","Image":"a.exe","CommandLine":null,"Hits":1,"KnownFrom":""}`+"\n", rows)

	s.huntBoth(s.c2Feed(), s.edgeLog(), nil) // which publishes the tools
	for _, artifact := range []string{hunt, nativeHunt} {
		var sources []string
		for _, compiled := range s.compile(artifact, map[string]string{"FeedFile": "x"}) {
			for _, query := range compiled.Query {
				if query.Name != "" {
					sources = append(sources, query.Name)
				}
			}
		}
		s.Equal([]string{artifact + "/Hits", artifact + "/Summary", artifact + "/Coverage", artifact + "/Processes"}, slices.Compact(sources))
	}
}

// What is watched live is asked of the tracker at once: here the process is this test.
func (s *EngineSuite) TestALiveHitHasTheCommandLineAndParentThatTheTrackerKnows() {
	s.servePublic()
	s.publishLive("1.0.1", [2]string{"ip:port", "203.0.113.7:443"})
	host, err := os.Hostname()
	s.Require().NoError(err)
	program, err := os.Executable()
	s.Require().NoError(err)
	event := connected(guid(1), os.Getpid(), `C:\`+filepath.Base(program)).on(host + ".example.test")
	event["TimeCreated"] = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	other := connected(guid(2), 1, `C:\other.exe`).on(host)
	other["TimeCreated"] = event["TimeCreated"]
	w := s.watchLive(s.makeLog("make_evtx.py", s.writeEvents(event, other)), nil)
	s.Eventually(func() bool { return len(w.hits()) == 2 }, 50*time.Second, 100*time.Millisecond)
	w.stop()
	for _, row := range w.rows {
		switch row["ProcessGuid"] {
		case guid(1):
			s.Contains(row["CommandLine"], "-test.") // as this program was called
			s.NotEmpty(row["ParentImage"])
		case guid(2):
			s.Nil(row["CommandLine"])
			s.Nil(row["ParentImage"])
		}
	}
	s.NotRegexp(badLog, w.logs.String())
}

// Where Windows.Events.TrackProcesses runs, the tracker remembers processes that have ended. An id may have been used again since the hit.
func (s *EngineSuite) TestARealTrackerKnowsAProcessThatHasEnded() {
	host, err := os.Hostname()
	s.Require().NoError(err)
	known := s.query(`
LET _ <= import(artifact="Generic.ThreatFox.Tracker")
LET Tracker <= process_tracker(sync_period=500000, sync_query={
  SELECT *
  FROM chain(
    parent={ SELECT "600" AS id, "1" AS parent_id, timestamp(epoch=1000) AS start_time, dict(Name="cmd.exe", CommandLine="cmd /c a", Username="A\\bob") AS data FROM scope() },
    child={ SELECT "4000" AS id, "600" AS parent_id, timestamp(epoch=2000) AS start_time, dict(Name="a.exe", Exe="C:\\x\\a.exe", CommandLine="a -x", Username="A\\bob") AS data FROM scope() },
    again={ SELECT "700" AS id, "1" AS parent_id, timestamp(epoch=9000) AS start_time, dict(Name="later.exe", CommandLine="later") AS data FROM scope() },
    orphan={ SELECT "4001" AS id, "700" AS parent_id, timestamp(epoch=2000) AS start_time, dict(Name="b.exe", CommandLine="b") AS data FROM scope() })
})
LET Of(Id, Image, Time) = TrackedAs(Hostname=Host, Hit=dict(Computer=Host, ProcessId=Id, Image=Image, Time=timestamp(epoch=Time)))
SELECT Of(Id=4000, Image="C:\\x\\a.exe", Time=3000) AS Child, Of(Id="0xfa0", Image="\\device\\A.EXE", Time=3000).CommandLine AS Hexadecimal,
       Of(Id=4000, Image="a.exe", Time=1500) AS BeforeItBegan, Of(Id=4000, Image="other.exe", Time=3000) AS Another,
       Of(Id=4001, Image="b.exe", Time=3000).ParentImage AS YoungerParent, Of(Id=5, Image="a.exe", Time=3000) AS Unknown
FROM scope()`, ordereddict.NewDict().Set("Host", host))
	s.Equal(`{"Child":{"Image":"C:\\x\\a.exe","CommandLine":"a -x","User":"A\\bob","ParentImage":"cmd.exe","ParentCommandLine":"cmd /c a",`+
		`"ParentUser":"A\\bob","Started":"1970-01-01T00:33:20Z","KnownFrom":"process tracker"},"Hexadecimal":"a -x","BeforeItBegan":null,`+
		`"Another":null,"YoungerParent":null,"Unknown":null}`+"\n", known)
}
