package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/paths/artifact_modes"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/utils"
)

// watchedDaysAgo stores rows of a source of the live artifact as the server did so many days ago.
func (s *EngineSuite) watchedDaysAgo(daysAgo, client int, source string, rows ...*ordereddict.Dict) {
	restore := utils.MockTime(&utils.RealClockWithOffset{Duration: -time.Duration(daysAgo) * 24 * time.Hour})
	defer restore()
	s.eventsCome(clientID(client), live+"/"+source, artifact_modes.MODE_CLIENT_EVENT, rows...)
}

// liveHit is a row of Hits of what finding() is a row of Summary of.
func liveHit(client int, process, ioc string, count int, at time.Time) *ordereddict.Dict {
	row := finding(client, process, ioc, count, at, at)
	row.Delete("First")
	row.Delete("Last")
	return row.Set("Time", at).Set("Place", "Microsoft-Windows-Sysmon 3")
}

// status is a row of Status: how many connections and DNS queries a host has seen since the watch began.
func status(said string, connections, queries any) *ordereddict.Dict {
	return ordereddict.NewDict().Set("Computer", "x").Set("Status", said).Set("FeedVersion", "1.0.5").Set("FeedKeys", 7).Set("Hits", 2).
		Set("MemoryMiB", 90).Set("Connections", connections).Set("Queries", queries)
}

func (s *EngineSuite) fleetsNotebook() []*api_proto.NotebookCell {
	s.T().Helper()
	cells, _ := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})
	return cells
}

// byProcess are the rows of the table of findings, by their process.
func (s *EngineSuite) byProcess(table shown) map[string]map[string]string {
	rows := map[string]map[string]string{}
	for _, row := range s.rowsOf(table.rows) {
		name, _, _ := strings.Cut(strings.TrimPrefix(row["Process"], "["), "]")
		s.Require().NotContains(rows, name, "twice")
		rows[name] = row
	}
	return rows
}

func (s *EngineSuite) TestLiveHitsStandBesideHuntsAndEachFindingIsCountedOnce() {
	s.publishEdgeFeed()
	for client := range 3 {
		s.newClient(clientID(client), fmt.Sprintf("host-%d", client))
	}
	ids := s.threeHunts() // the newest has old.exe on host-0 and new.exe on host-1
	s.watchedDaysAgo(5, 1, "Hits", liveHit(1, "new.exe", "203.0.113.7:443", 1, day(8)), liveHit(1, "new.exe", "203.0.113.7:443", 4, day(10)))
	s.watchedDaysAgo(0, 0, "Hits", liveHit(0, "old.exe", "203.0.113.7:443", 1, day(11)), liveHit(0, "live.exe", "203.0.113.9:443", 1, day(12)))

	all := s.sound(s.fleetsNotebook()[0])

	found := s.byProcess(all[0])
	s.Len(found, 4)
	s.Contains(found["new.exe"]["Hunt"], "[live](", "it was met live five days before the newest hunt")
	s.Contains(found["new.exe"]["Hunt"], "#/events/"+clientID(1)+"/"+live)
	s.Equal("2026-11-08T12:00:00Z 2026-11-10T12:00:00Z", found["new.exe"]["First"]+" "+found["new.exe"]["Last"])
	s.Contains(found["old.exe"]["Hunt"], "["+ids[0]+"]")
	s.Equal("2026-11-01T12:00:00Z 2026-11-11T12:00:00Z", found["old.exe"]["First"]+" "+found["old.exe"]["Last"])
	s.Contains(found["live.exe"]["Hunt"], "[new: live](")
	s.Equal("live.exe", found["live.exe"]["Process"], "there is no collection that it leads to")

	events := map[string]string{}
	for _, row := range s.rowsOf(all[1].rows) {
		events[strings.Split(row["Host"], "]")[0]] = row["Findings"] + " " + row["New"] + " " + row["Events"]
	}
	s.Equal(map[string]string{"[host-0": "2 1 8", "[host-1": "2 0 6"}, events, "of a finding the larger of what a hunt counted and what was told live")
	hunts := s.rowsOf(all[6].rows)
	s.Require().Len(hunts, 4)
	s.Equal([]string{live, "2"}, []string{hunts[3]["HuntArtifact"], hunts[3]["Findings"]}, "the findings met first add up")
}

func (s *EngineSuite) TestAHuntsNotebookShowsWhatWasMetLiveSinceTheHuntBefore() {
	s.publishEdgeFeed()
	for client := range 3 {
		s.newClient(clientID(client), fmt.Sprintf("host-%d", client))
	}
	ids := s.threeHunts()
	s.watchedDaysAgo(15, 2, "Hits", liveHit(2, "early.exe", "203.0.113.9:443", 1, day(2)))
	s.watchedDaysAgo(5, 2, "Hits", liveHit(2, "late.exe", "203.0.113.9:443", 1, day(8)))

	cells, _ := s.notebook(&api_proto.NotebookMetadata{NotebookId: "N." + ids[2], Artifacts: []string{hunt}})

	found := s.byProcess(s.sound(cells[0])[0])
	s.Len(found, 3)
	s.Contains(found["late.exe"]["Hunt"], "[live]")
	s.NotContains(found, "early.exe")
	s.Contains(s.sound(cells[1])[0].rows, `"IOC":"203.0.113.9:443"`)
	s.sound(cells[2])
}

func (s *EngineSuite) TestTheNotebookSaysWhichHostsAreReallyWatched() {
	for client := range 7 {
		s.newClient(clientID(client), fmt.Sprintf("host-%d", client))
	}
	s.watchedDaysAgo(5, 0, "Status", status("not watched: no feed", 0, 0))
	s.watchedDaysAgo(0, 0, "Status", status("watched", 7, 2))
	s.watchedDaysAgo(0, 1, "Status", status("watched", 7, 0))
	s.watchedDaysAgo(0, 2, "Status", status("not watched: no feed", 0, 0))
	s.watchedDaysAgo(4, 3, "Status", status("watched", 7, 2))
	s.watchedDaysAgo(60, 4, "Status", status("watched", 7, 2))
	s.watchedDaysAgo(0, 5, "Status", ordereddict.NewDict().Set("Status", "watched").Set("Events", "of another version"))

	all := s.sound(s.fleetsNotebook()[3])

	s.ElementsMatch([]string{`{"Status":"not heard of for two days","Hosts":1}`, `{"Status":"not watched: no feed","Hosts":1}`,
		`{"Status":"seen no connections (event 3) and DNS queries (event 22) since its start","Hosts":1}`,
		`{"Status":"seen no DNS queries (event 22) since its start","Hosts":1}`, `{"Status":"watched","Hosts":1}`,
		`{"Status":"no word: not watched","Hosts":2}`}, strings.Split(strings.TrimSpace(all[0].rows), "\n"))
	hosts := s.rowsOf(all[1].rows)
	s.Require().Len(hosts, 5)
	s.Contains(hosts[0]["Host"], "[host-3](", "those first of which no hits means nothing")
	s.Contains(hosts[4]["Host"], "[host-0](")
	s.Equal("7 2 2 90 1.0.5", strings.Join([]string{hosts[4]["Connections"], hosts[4]["Queries"], hosts[4]["Hits"], hosts[4]["MemoryMiB"], hosts[4]["FeedVersion"]}, " "))
}

// A monitored client sends what it likes.
func (s *EngineSuite) TestLiveRowsThatMakeNoSenseDoNotBreakTheNotebook() {
	s.newClient(clientID(0), "host-0")
	row := func(name string, value any) *ordereddict.Dict {
		return liveHit(0, "evil.exe", "203.0.113.7:443", 1, day(1)).Set(name, value)
	}
	s.watchedDaysAgo(0, 0, "Hits", row("Count", "many"), row("Count", -7), row("Count", 1e300), row("Time", "yesterday"), row("Time", nil), row("IOC", nil),
		row("Image", []string{"a", "b"}), row("Computer", "x](https://evil.example) <script>"), row("Strength", 7), row("Malware", nil),
		row("ClientId", "C.ffffffffffffffff"), row("_ts", "x"), row("Live", "x"), row("At", 7), row("Place", "x"), ordereddict.NewDict())
	s.watchedDaysAgo(0, 0, "Status", ordereddict.NewDict(), status("watched", "x", []string{"y"}), status("watched", -7, 1e300),
		status("x](https://evil.example)", 7, 2).Set("Id", clientID(1)).Set("Name", "other"))

	cells := s.fleetsNotebook()

	for _, cell := range cells {
		s.sound(cell)
	}
	s.Contains(s.shownIn(cells[3])[1].rows, "[host-0](", "a client speaks for itself alone")
	findings := s.byProcessAndHost(s.shownIn(cells[0])[0])
	s.Contains(findings, "evil.exe host-0")
	for _, of := range findings {
		s.Contains(of["Host"], "/host/"+clientID(0), "a client speaks for itself alone")
	}
}

func (s *EngineSuite) byProcessAndHost(table shown) map[string]map[string]string {
	rows := map[string]map[string]string{}
	for _, row := range s.rowsOf(table.rows) {
		name, _, _ := strings.Cut(strings.TrimPrefix(row["Host"], "["), "]")
		rows[row["Process"]+" "+name] = row
	}
	return rows
}

// aWatchedFleet has so many live hits on each client of 20, and a Status row of each client.
func (s *EngineSuite) aWatchedFleet(clients, hits int) {
	journal, err := services.GetJournal(s.ConfigObj)
	s.Require().NoError(err)
	s.query(`SELECT client_create(client_id=format(format="C.%016x", args=_value), os="windows", hostname=format(format="host-%d", args=_value))
FROM range(end=Clients)`, ordereddict.NewDict().Set("Clients", clients))
	for client := range clients {
		id := clientID(client)
		push := func(source string, rows ...*ordereddict.Dict) {
			s.Require().NoError(journal.PushRowsToArtifact(s.Ctx, s.ConfigObj, rows,
				services.JournalOptions{ArtifactName: live + "/" + source, ArtifactType: artifact_modes.MODE_CLIENT_EVENT, ClientId: id}))
		}
		push("Status", status("watched", 7, 2))
		if client%20 == 0 {
			var rows []*ordereddict.Dict
			for hit := range hits {
				rows = append(rows, liveHit(client, "svchost.exe", fmt.Sprintf("203.0.113.%d:443", client/20%50), 1, day(1+hit%20)))
			}
			push("Hits", rows...)
		}
	}
}

// On disk, as a server has it: the file store in memory looks at all files for each folder.
func (s *EngineSuite) TestEachCellOfAWatchedFleetsNotebookTakesSeconds() {
	s.onDisk()
	defer s.longer()()
	clients := number("THREATFOX_CLIENTS", 400)
	s.aWatchedFleet(clients, 20)

	s.quick(&api_proto.NotebookMetadata{Artifacts: []string{notebookArtifact}}, (clients+19)/20)
}

// releasedNotebook is Notebooks.ThreatFox with the exports that it imports in its own, as in the release: import() in a hunt's cell takes an artifact's
// own alone.
func (s *EngineSuite) releasedNotebook() string {
	exports := ""
	for _, name := range []string{"Published", "Watched", "Findings"} {
		_, export, found := strings.Cut(s.read("../../artifacts/Generic/ThreatFox/"+name+".yaml"), "\nexport: |\n")
		s.Require().True(found, name)
		exports += export + "\n"
	}
	return strings.Replace(s.read("../../artifacts/Notebooks/ThreatFox.yaml"), "\nsources:\n", "\n"+exports+"\nsources:\n", 1)
}
