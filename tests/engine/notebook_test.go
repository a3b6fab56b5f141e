package engine

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/json"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/vtesting"
)

const notebookArtifact = "Notebooks.ThreatFox"

// notebook makes a notebook as the GUI does, waits until its cells are worked out, and returns them with
// their rows as JSON lines.
func (s *EngineSuite) notebook(request *api_proto.NotebookMetadata) (cells []*api_proto.NotebookCell, rows []string) {
	s.T().Helper()
	s.loadBuiltIn("Server.Internal.ArtifactDescription") // the template that cells are put into
	manager, err := services.GetNotebookManager(s.ConfigObj)
	s.Require().NoError(err)
	notebook, err := manager.NewNotebook(s.Ctx, "admin", request)
	s.Require().NoError(err)

	for _, summary := range notebook.CellMetadata {
		var cell *api_proto.NotebookCell
		vtesting.WaitUntil(60*time.Second, s.T(), func() bool {
			cell, err = manager.GetNotebookCell(s.Ctx, notebook.NotebookId, summary.CellId, summary.CurrentVersion)
			return err == nil && !cell.Calculating
		})
		cells = append(cells, cell)
		text := ""
		if cell.Type == "vql" {
			text = s.query(`SELECT * FROM source(notebook_id=N, notebook_cell_id=C, notebook_cell_version=V)`,
				ordereddict.NewDict().Set("N", notebook.NotebookId).Set("C", cell.CellId).Set("V", cell.CurrentVersion))
		}
		rows = append(rows, text)
	}
	return cells, rows
}

// shown is a table or chart of a cell: the element that the GUI draws, whose parameters say which of the cell's result sets it shows.
type shown struct {
	element string
	rows    string // JSON lines
}

var element = regexp.MustCompile(`<(velo-csv-viewer|notebook-[a-z]+-chart)[^>]* params=["']([^"']*)["']`)

// shownIn returns the tables and charts in a cell's HTML, in their order.
func (s *EngineSuite) shownIn(cell *api_proto.NotebookCell) (all []shown) {
	s.T().Helper()
	for _, match := range element.FindAllStringSubmatch(cell.Output, -1) {
		text, err := url.QueryUnescape(html.UnescapeString(match[2]))
		s.Require().NoError(err)
		var params map[string]any
		s.Require().NoError(json.Unmarshal([]byte(text), &params), text)
		all = append(all, shown{match[1], s.query(`SELECT * FROM source(notebook_id=N, notebook_cell_id=C, notebook_cell_version=V, notebook_cell_table=T)`,
			ordereddict.NewDict().Set("N", params["notebook_id"]).Set("C", cell.CellId).Set("V", cell.CurrentVersion).Set("T", params["table_id"]))})
	}
	return all
}

// sound fails the test on a cell that failed, prints its markdown or has an unnamed chart or too wide a table, and returns what it shows.
func (s *EngineSuite) sound(cell *api_proto.NotebookCell) []shown {
	s.T().Helper()
	s.Empty(cell.Error)
	s.NotRegexp(badLog, strings.Join(cell.Messages, "\n"))
	s.NotRegexp(`(?m)>?\s*#`, regexp.MustCompile(`params=["'][^"']*["']|href="[^"]*"`).ReplaceAllString(cell.Output, ""), "a literal #")
	all := s.shownIn(cell)
	for _, one := range all {
		first, _, _ := strings.Cut(one.rows, "\n")
		if strings.HasPrefix(one.element, "notebook-") {
			s.True(first == "" || strings.HasPrefix(first, `{"_name":"`), "a chart without names: %s", first)
			continue
		}
		columns := 0
		for _, row := range s.rowsOf(first) {
			for name := range row {
				if !strings.HasPrefix(name, "_") {
					columns++
				}
			}
		}
		s.LessOrEqual(columns, 8, first)
	}
	return all
}

func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

// threeHunts are over the same logs: the first by the Native hunt, 20 days ago. One finding is in all of them, one only in the newest.
func (s *EngineSuite) threeHunts() (ids []string) {
	s.publish("ThreatFoxHelper_windows_amd64", s.edgeFeed(), "1.0.0") // without it a Native hunt is refused
	for i, daysAgo := range []int{20, 10, 0} {
		artifact := hunt
		if i == 0 {
			artifact = nativeHunt
		}
		ids = append(ids, s.simulate(simulated{artifact: artifact, daysAgo: daysAgo, clients: 3,
			findings: func(client int) (rows []*ordereddict.Dict) {
				if client == 0 {
					rows = append(rows, finding(0, "old.exe", "203.0.113.7:443", 5+i, day(1), day(3+i)))
				}
				if client == 1 && i == 0 {
					rows = append(rows, finding(1, "gone.exe", "c2.bad-domain.example", 1, day(1), day(1)))
				}
				if client == 1 && i == 2 {
					rows = append(rows, finding(1, "new.exe", "203.0.113.7:443", 1, day(9), day(9)))
				}
				return rows
			},
			coverage: func(client int) []*ordereddict.Dict {
				if client == 2 {
					return []*ordereddict.Dict{covered("searched, but Sysmon does not log DNS queries (event 22)")}
				}
				return []*ordereddict.Dict{covered("searched")}
			},
			failed: func(client int) string {
				if client == 1 {
					return "No feed: the tool ThreatFoxFeed could not be fetched.\nMore"
				}
				return ""
			}}))
	}
	return ids
}

func (s *EngineSuite) TestAFindingIsCountedOnceHoweverManyHuntsMeetIt() {
	s.publishHelper()
	s.mustRefresh(s.serveThreatfox(iocs([2]string{"ip:port", "203.0.113.7:4443"})), nil)
	ids := s.threeHunts()

	cells, _ := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})

	shown := s.sound(cells[0])
	findings := s.rowsOf(shown[0].rows)
	s.Require().Len(findings, 3)
	s.Equal([]string{"2026-11-09T12:00:00Z", "2026-11-05T12:00:00Z", "2026-11-01T12:00:00Z"},
		[]string{findings[0]["Last"], findings[1]["Last"], findings[2]["Last"]}, "of findings as strong the newest first")
	byProcess := map[string]map[string]string{}
	for _, row := range findings {
		byProcess[regexp.MustCompile(`^\[([^\]]*)\]`).FindStringSubmatch(row["Process"])[1]] = row
	}
	s.Equal("2026-11-01T12:00:00Z 2026-11-05T12:00:00Z strong 203.0.113.7:443", byProcess["old.exe"]["First"]+" "+
		byProcess["old.exe"]["Last"]+" "+byProcess["old.exe"]["Strength"]+" "+byProcess["old.exe"]["IOC"])
	s.Contains(byProcess["old.exe"]["Hunt"], "["+ids[0]+"]", "the hunt that met it first")
	s.Contains(byProcess["old.exe"]["Hunt"], "/hunts/"+ids[0])
	s.Contains(byProcess["old.exe"]["Host"], "/host/"+clientID(0))
	s.Contains(byProcess["old.exe"]["Process"], "/collected/"+clientID(0)+"/F."+strings.TrimPrefix(ids[0], "H.")+".H")
	s.Contains(byProcess["new.exe"]["Hunt"], "[new: "+ids[2]+"]")
	s.Contains(byProcess["gone.exe"]["Hunt"], "["+ids[0]+"]")

	hosts := s.rowsOf(shown[1].rows)
	s.Equal([]string{"2", "1", "2"}, []string{hosts[0]["Findings"], hosts[0]["New"], hosts[0]["Events"]})
	s.Equal([]string{"1", "0", "7"}, []string{hosts[1]["Findings"], hosts[1]["New"], hosts[1]["Events"]}, "events are not added up over hunts")
	s.Equal("{\"_name\":\"Family 3\",\"Hosts\":2,\"Findings\":2}\n{\"_name\":\"Family e\",\"Hosts\":1,\"Findings\":1}\n", shown[2].rows)
	s.Contains(shown[3].rows, `{"Malware":"Family 3","Hosts":2,"Findings":2,"Events":8,"Strongest":"strong","First":"2026-11-01T12:00:00Z","Last":"2026-11-09T12:00:00Z"`)
	s.Equal("{\"Day\":\"2026-11-09\",\"First\":1,\"Last\":1}\n{\"Day\":\"2026-11-05\",\"First\":0,\"Last\":1}\n"+
		"{\"Day\":\"2026-11-01\",\"First\":2,\"Last\":1}\n", shown[5].rows)
	hunts := s.rowsOf(shown[6].rows)
	s.Require().Len(hunts, 3)
	s.Equal([]string{hunt, "1", nativeHunt, "2"}, []string{hunts[0]["HuntArtifact"], hunts[0]["Findings"], hunts[2]["HuntArtifact"], hunts[2]["Findings"]})

	s.Contains(s.sound(cells[1])[0].rows, `{"IOC":"203.0.113.7:443","Malware":"Family 3","Hosts":2,"Events":8,"PolicyLine":"ips: ['203.0.113.7']"}`)

	unsearched := s.rowsOf(s.sound(cells[2])[0].rows)
	s.Require().Len(unsearched, 2)
	s.Equal("failed: No feed: the tool ThreatFoxFeed could not be fetched.", unsearched[0]["Why"])
	s.Contains(unsearched[0]["Flow"], "/collected/"+clientID(1))
	s.Equal("searched, but Sysmon does not log DNS queries (event 22)", unsearched[1]["Why"])
}

// A day without hits is a bar of nothing, not a line from the day before to the day after.
func (s *EngineSuite) TestDaysWithoutFindingsAreDrawnEmpty() {
	s.publishEdgeFeed()
	s.threeHunts()

	cells, _ := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})

	chart := s.shownIn(cells[0])[4]
	s.Equal("notebook-bar-chart", chart.element)
	bars := s.rowsOf(chart.rows)
	s.Require().Len(bars, 60)
	s.Equal(map[string]string{"_name": "2026-11-09", "First": "1", "Last": "1"}, bars[59])
	s.Equal(map[string]string{"_name": "2026-11-08", "First": "0", "Last": "0"}, bars[58])
	s.Equal(map[string]string{"_name": "2026-11-01", "First": "2", "Last": "1"}, bars[51])
}

func (s *EngineSuite) TestBothHuntsNotebooksShowTheirFindingsAndWhatTheHuntBeforeHadNot() {
	s.publishEdgeFeed()
	ids := s.threeHunts()

	cells, _ := s.notebook(&api_proto.NotebookMetadata{NotebookId: "N." + ids[2], Artifacts: []string{hunt}})

	s.Require().Len(cells, 3)
	shown := s.sound(cells[0])
	s.Len(s.rowsOf(shown[0].rows), 2)
	s.Regexp(`new.exe.*\[new: `+ids[2], shown[0].rows)
	s.Regexp(`old.exe.*\[`+ids[1], shown[0].rows)
	s.Contains(s.sound(cells[1])[0].rows, `"Hosts":2,"Events":8`)
	s.Len(s.rowsOf(s.sound(cells[2])[0].rows), 2)

	cells, _ = s.notebook(&api_proto.NotebookMetadata{NotebookId: "N." + ids[0], Artifacts: []string{nativeHunt}})

	s.Require().Len(cells, 3)
	shown = s.sound(cells[0])
	s.Len(s.rowsOf(shown[0].rows), 2)
	s.NotContains(shown[0].rows, "new: ", "there is no hunt before")
	s.Contains(cells[0].Output, "Findings of "+nativeHunt)
}

func (s *EngineSuite) TestFindingsInFilesStandBesideTheOthers() {
	s.publishEdgeFeed()
	s.simulateHunt(1)
	day := time.Date(2026, 11, 12, 12, 0, 0, 0, time.UTC)
	id := s.simulate(simulated{artifact: filesHunt, clients: 1, findings: func(i int) []*ordereddict.Dict {
		return []*ordereddict.Dict{finding(i, "", "c2.bad-domain.example", 2, day, day)}
	}, coverage: func(int) []*ordereddict.Dict {
		return []*ordereddict.Dict{covered("searched"), covered("not there"), covered("error: damaged")}
	}})

	cells, _ := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})
	s.Len(s.rowsOf(s.sound(cells[0])[0].rows), 2)

	cells, _ = s.notebook(&api_proto.NotebookMetadata{NotebookId: "N." + id, Artifacts: []string{filesHunt}})
	s.Require().Len(cells, 3)
	s.Contains(s.sound(cells[0])[0].rows, "c2.bad-domain.example")
	unread := s.rowsOf(s.sound(cells[2])[0].rows)
	s.Require().Len(unread, 1, "what is not there is no fault")
	s.Equal("error: damaged", unread[0]["Why"])
}

// The hunts' notebooks are one set of cells, and so are their queries: those that Notebooks.ThreatFox exports.
func (s *EngineSuite) TestBothHuntsHaveTheSameCells() {
	cells := func(path, name string) string {
		_, text, found := strings.Cut(s.read("../../artifacts/"+path), "    notebook:\n")
		s.Require().True(found, path)
		text, _, _ = strings.Cut(text, "  - name: Summary\n")
		return strings.ReplaceAll(text, name, "HUNT")
	}

	s.Equal(cells("Windows/Detection/ThreatFox.yaml", hunt), cells("Windows/Detection/ThreatFox/Native.yaml", nativeHunt))
}

func (s *EngineSuite) TestACollectionsNotebookShowsItsFindings() {
	s.publishEdgeFeed()
	s.newClient(clientID(1), "host-1")
	id := s.threeHunts()[2]
	flow := "F." + strings.TrimPrefix(id, "H.") + ".H"

	cells, _ := s.notebook(&api_proto.NotebookMetadata{NotebookId: "N." + flow + "-" + clientID(1), Artifacts: []string{hunt}})

	shown := s.sound(cells[0])
	s.Equal(1, strings.Count(shown[0].rows, "\n"), shown[0].rows)
	s.Contains(shown[0].rows, "new.exe")
	s.Contains(s.sound(cells[2])[0].rows, "failed: No feed")
}

// Live events have the columns of Hits: an event each, with a Time.
func (s *EngineSuite) TestLiveEventsBecomeFindingsWithTheSameQueries() {
	s.newClient(clientID(1), "host-1")
	event := func(ioc string, at time.Time) *ordereddict.Dict {
		return ordereddict.NewDict().Set("Strength", "medium").Set("Malware", "Family").Set("IOC", ioc).Set("Match", "ip").Set("Time", at).
			Set("Computer", "host-1").Set("Image", `C:\evil.exe`).Set("User", "u").Set("IOCType", "ip:port")
	}
	journal, err := services.GetJournal(s.ConfigObj)
	s.Require().NoError(err)
	s.Require().NoError(journal.PushRowsToArtifact(s.Ctx, s.ConfigObj, []*ordereddict.Dict{
		event("203.0.113.7:443", day(1)), event("203.0.113.7:443", day(4)), event("203.0.113.8:443", day(2)),
	}, services.JournalOptions{ArtifactName: live + "/Hits", ClientId: clientID(1)}))

	rows := s.query(`
LET _ <= import(artifact="Notebooks.ThreatFox")
SELECT _value.IOC AS IOC, _value.Events AS Events, _value.First AS First, _value.Last AS Last, _value.Strength AS Strength, _value.HuntId AS Hunt
FROM items(item=FindingsAt(Places=PlacesHere(Name="Windows.Events.ThreatFox")))
ORDER BY IOC`, ordereddict.NewDict().Set("ClientId", clientID(1)))

	s.Equal(`{"IOC":"203.0.113.7:443","Events":2,"First":"2026-11-01T12:00:00Z","Last":"2026-11-04T12:00:00Z","Strength":"medium","Hunt":"live"}`+"\n"+
		`{"IOC":"203.0.113.8:443","Events":1,"First":"2026-11-02T12:00:00Z","Last":"2026-11-02T12:00:00Z","Strength":"medium","Hunt":"live"}`+"\n", rows)
}

func (s *EngineSuite) TestResultsOfAnOlderPackWithOtherColumnsDoNotBreakTheNotebook() {
	s.publishEdgeFeed()
	s.simulate(simulated{artifact: hunt, clients: 1, findings: func(int) []*ordereddict.Dict {
		return []*ordereddict.Dict{ordereddict.NewDict().Set("Computer", "old-host").Set("Image", `C:\old.exe`).Set("User", "u").
			Set("IOC", "203.0.113.7:443").Set("Malware", "Family").Set("First", day(1)).Set("Last", day(2)).Set("Number", 3)}
	}, coverage: func(int) []*ordereddict.Dict {
		return []*ordereddict.Dict{ordereddict.NewDict().Set("Log", "x").Set("Events", 3)}
	}})

	cells, _ := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})

	for _, cell := range cells {
		s.sound(cell)
	}
	s.Contains(s.shownIn(cells[0])[0].rows, "203.0.113.7:443")
}

// A client sends what it likes, also under the names that our queries use.
func (s *EngineSuite) TestRowsOfAHuntThatMakeNoSenseSpeakForTheirClientAlone() {
	s.publishEdgeFeed()
	s.newClient(clientID(0), "host-0")
	other := ordereddict.NewDict().Set("ClientId", clientID(7)).Set("FlowId", "F.OTHER").Set("HuntId", "H.OTHER").Set("Created", 1).Set("Wanted", true).Set("Live", true)
	odd := func(image string) *ordereddict.Dict {
		row := finding(0, image, "203.0.113.7:443", 3, day(1), day(2))
		for _, name := range []string{"Place", "Places", "Of", "Lacking", "Met", "Links", "Ranks", "Strengths", "_value", "Z", "F"} {
			row.Set(name, other)
		}
		return row.Set("ClientId", clientID(7)).Set("FlowId", "F.OTHER").Set("HuntId", "H.OTHER").Set("_key", "x").Set("Sent", "x").Set("Results", "x")
	}
	id := s.simulate(simulated{artifact: hunt, clients: 1, findings: func(int) []*ordereddict.Dict {
		rows := []*ordereddict.Dict{odd("evil.exe"), ordereddict.NewDict(), odd("x](https://evil.example) [y")}
		for _, value := range []any{nil, "many", -7, 1e300, []string{"a"}, ordereddict.NewDict().Set("a", 1)} {
			row := odd("odd.exe")
			for _, name := range []string{"Count", "First", "Strength", "Malware", "User"} {
				row.Set(name, value)
			}
			rows = append(rows, row)
		}
		return rows
	}, coverage: func(int) []*ordereddict.Dict {
		return []*ordereddict.Dict{odd("x").Set("Status", "searched, but Sysmon is odd").Set("LogFile", "Sysmon.evtx"), ordereddict.NewDict()}
	}, failed: func(int) string { return "" }})

	flow := "F." + strings.TrimPrefix(id, "H.") + ".H"
	for _, request := range []*api_proto.NotebookMetadata{
		{Name: "ThreatFox", Artifacts: []string{notebookArtifact}},
		{NotebookId: "N." + id, Artifacts: []string{hunt}},
		{NotebookId: "N." + flow + "-" + clientID(0), Artifacts: []string{hunt}},
	} {
		cells, _ := s.notebook(request)
		for _, cell := range cells {
			s.Empty(cell.Error)
			for _, table := range s.shownIn(cell) {
				s.NotContains(table.rows, clientID(7), "a client speaks for itself alone")
				s.NotContains(table.rows, "OTHER")
				s.NotContains(table.rows, "](https://evil")
			}
		}
		s.Contains(s.shownIn(cells[0])[0].rows, "[evil.exe](")
		s.Contains(s.shownIn(cells[0])[0].rows, "/host/"+clientID(0))
		s.NotContains(s.shownIn(cells[0])[1].rows, `"Events":null`, "one number that is none leaves the sum of the others")
		s.Contains(s.shownIn(cells[2])[0].rows, "Sysmon is odd")
	}
}

func (s *EngineSuite) TestANotebookWithoutHuntsOrFeedIsEmptyAndDoesNotFail() {
	cells, _ := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})

	for _, cell := range cells {
		s.Empty(cell.Error)
		s.NotRegexp(badLog, strings.Join(cell.Messages, "\n"))
	}
}

func (s *EngineSuite) TestTheNotebookShowsTheFeedLast() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"ip:port", "203.0.113.7:4443"},
		[2]string{"domain", "c2.bad-domain.example"}, [2]string{"domain", "c3.bad-domain.example"}))
	feed := s.mustRefresh(api, nil)

	cells, _ := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})

	s.Require().Len(cells, 6)
	shown := s.sound(cells[5])
	s.Contains(shown[0].rows, `"Version":"`+feed.Version+`"`)
	s.Contains(shown[0].rows, `"Keys":3`)
	s.Contains(shown[0].rows, `"NewestActivity":"2026-11-24T10:00:00Z"`)
	s.Equal("{\"_name\":\"domain\",\"Keys\":2}\n{\"_name\":\"ip\",\"Keys\":1}\n", shown[1].rows)
	s.Contains(shown[3].rows, `{"Source":"threatfox","Keys":3,"NewestActivity":"2026-11-24T10:00:00Z","AgeInDays":`)
	s.Contains(cells[4].Output, "/hunts/new/Windows.Detection.ThreatFox")
	s.Contains(cells[4].Output, "/collected/server/new/Server.Detection.ThreatFox")
	s.Len(api.asked(), 1, "a notebook asks nobody")

	definition, _ := s.repository().Get(s.Ctx, s.ConfigObj, notebookArtifact)
	suggested := definition.Sources[0].Notebook
	families := suggested[len(suggested)-1] // it reads the feed, and waits for somebody to ask for it
	s.Equal("vql_suggestion", families.Type)
	rows := s.query(`LET _ <= import(artifact="Generic.ThreatFox.Published") LET _ <= import(artifact="Notebooks.ThreatFox") `+families.Template, nil)
	s.Equal(`{"Malware":"Test","Keys":3,"FirstSeen":"2026-11-24T10:00:00Z","LastActive":"2026-11-24T10:00:00Z"}`+"\n", rows)
}
