package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"www.velocidex.com/golang/velociraptor/vtesting"
)

// watchedWhole is a log all of whose hits were told, and a feed for a hunt to compare with.
func (s *EngineSuite) watchedWhole() (l *growingLog, feed string, w *watch) {
	feed = s.liveSetup()
	l = s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, len(l.chunks))
	w = s.watchLive(l.path, nil)
	s.waitForAllOf(l, feed, w)
	return l, feed, w
}

func (s *EngineSuite) TestManyRestartsTellNothingTwice() {
	l, _, first := s.watchedWhole()
	first.stop()

	for range 3 {
		again := s.watchLive(l.path, nil)
		time.Sleep(5 * time.Second)
		again.stop()
		s.Empty(again.hits())
	}
}

// watch_evtx reads a log from its start once it could not be opened, as one that is renamed and comes back.
func (s *EngineSuite) TestALogThatIsAwayForAMomentTellsNothingTwice() {
	l, feed, w := s.watchedWhole()

	s.Require().NoError(os.Rename(l.path, l.path+".away"))
	time.Sleep(3 * time.Second)
	s.Require().NoError(os.Rename(l.path+".away", l.path))
	time.Sleep(5 * time.Second)

	s.waitForAllOf(l, feed, w)
}

// What is added while a log is first read comes twice: as what it holds, and as what is new. The latter may come after all that is old, on a busy machine.
func (s *EngineSuite) TestAnEventThatTwoReadersReadIsToldOnce() {
	s.Ctx = context.Background()
	rows := s.rowsOf(s.query(`
LET _ <= (import(artifact="Generic.ThreatFox.Rules"), import(artifact="Generic.ThreatFox.Feed"), import(artifact="Generic.ThreatFox.Match"),
          import(artifact="Generic.ThreatFox.Logs"), import(artifact="Generic.ThreatFox.Tracker"), import(artifact="Generic.ThreatFox.Live"))
LET Read(Count, Wait) = SELECT dict(Computer="ws-1", EventRecordID=_value, TimeCreated=dict(SystemTime=1700000000.0 + _value)) AS System, dict() AS Data,
       dict() AS Feed, (_value, 1700000000.0 + _value) AS Is, sleep(ms=Wait) AS Waited
  FROM range(end=Count)
  WHERE Waited
LET EventsFrom(Live, Log, Held, Added, Since) = SELECT * FROM chain(
    held={ SELECT * FROM if(condition=Held, then={ SELECT * FROM Read(Count=3, Wait=1) }) },
    added={ SELECT * FROM if(condition=Added, then={ SELECT * FROM Read(Count=5, Wait=400) }) })
LET ObservablesIn(Feed, Provider, ID, Fields) = ("203.0.113.7", )
LET Happenings(Live) = SELECT * FROM EventsOf(Live=Live, Log=Begun(Live=Live, Path="x"), Path="x", Times=0)
LET HitsToTell(Live, Feed, Event, Observables) = SELECT dict(RecordID=Event.System.EventRecordID, ParentImage="x") AS Hit, 1 AS Count FROM scope()
LET EventOf(System, Data, Path) = dict(System=System)
LET Noted(Live, Line, At) = TRUE
LET Saved(Live) = TRUE
LET Live <= LiveFrom(Wanted=dict(CatchUpHours=1, PollSeconds=0, Told="/no/such"), Saved=dict(), Counted=dict())
SELECT Hit.RecordID AS RecordID FROM LiveHits(Live=Live)`, nil))

	told := []string{}
	for _, row := range rows {
		told = append(told, fmt.Sprint(row["RecordID"]))
	}
	s.Equal([]string{"0", "1", "2", "3", "4"}, told)
}

// A collector's log holds the records of many computers, each with ids of its own. One that is installed anew counts from 1 again.
func (s *EngineSuite) TestACollectorsComputersHaveRecordIdsOfTheirOwn() {
	s.liveSetup()
	at := time.Now().Add(-time.Hour)
	events := []map[string]any{}
	event := func(second, record int, computer string) {
		one := connection(record, at.Add(time.Duration(second)*time.Second), "203.0.113.7")
		one["Computer"] = computer
		events = append(events, one)
	}
	for n := range 200 {
		event(n, 5000+n/10, fmt.Sprintf("ws-%d.corp.example", n%10))
	}
	for n := range 100 {
		event(1000+n, 1+n, "ws-0.corp.example")
	}
	l := s.growingLogOf("make_wec.py", events...)
	l.show(s, 1)

	w := s.watchLive(l.path, nil)
	for shown := 2; shown <= len(l.chunks); shown++ {
		time.Sleep(4 * time.Second)
		l.show(s, shown)
	}

	for deadline := time.Now().Add(20 * time.Second); len(w.hits()) < 300 && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(2 * time.Second)
	s.Len(w.hits(), 300)
}

func (s *EngineSuite) TestNumbersThatMakeNoSenseAreTheDefaults() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, len(l.chunks))

	w := s.watchLive(l.path, map[string]string{"RefreshMinutes": "-1", "PollSeconds": "-1"})

	s.waitForAllOf(l, feed, w)
}

func (s *EngineSuite) TestABookmarkThatMakesNoSenseIsNone() {
	l, feed, first := s.watchedWhole()
	first.stop()
	series := fmt.Sprint(first.rows[0]["Computer"], " Microsoft-Windows-Sysmon/Operational")

	for position, seen := range map[string]string{`["x","y"]`: `[[1],{"a":2},null,""]`, `[9e18,9e18]`: `"x"`, `7`: `{"x":1}`, `null`: `7`} {
		text := fmt.Sprintf(`{"Logs":{%s:{%s:%s}},"Seen":%s}`, quoted(l.path), quoted(series), position, seen)
		for _, name := range []string{"threatfox-live.json", "threatfox-live.json.before"} {
			s.Require().NoError(os.WriteFile(filepath.Join(s.trusted(), name), []byte(text), 0o600))
		}
		w := s.watchLive(l.path, nil)
		s.waitForAllOf(l, feed, w)
		w.stop()
	}
}

// A log is archived by renaming it: it is there under a name that was never read.
func (s *EngineSuite) TestALogThatIsRenamedWhileNothingWatchesIsNotToldAgain() {
	s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7")
	folder := s.tempDir()
	l.path = filepath.Join(folder, "Sysmon.evtx")
	l.show(s, 2)
	first := s.watchLive(folder+"/*.evtx", nil)
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return first.told() == first.records(l, 2) })
	first.stop()
	l.show(s, len(l.chunks))
	s.Require().NoError(os.Rename(l.path, filepath.Join(folder, "Archive.evtx")))

	s.toldWithin(300-first.told(), s.watchLive(folder+"/*.evtx", nil))
}

func (s *EngineSuite) TestAStopWhileOldEventsAreReadLosesNothingAndRepeatsLittle() {
	s.liveSetup()
	l := s.makeGrowingLog(3000, 1, "203.0.113.7")
	l.show(s, len(l.chunks))
	told := map[string]int{}
	for _, enough := range []int{300, 300, 3000} {
		w := s.watchLive(l.path, nil)
		vtesting.WaitUntil(60*time.Second, s.T(), func() bool { return w.told() >= enough || w.told()+len(told) >= 3000 })
		if enough == 3000 {
			time.Sleep(2 * time.Second) // a second row of a hit may come late
		}
		w.stop()
		for _, hit := range w.hits() {
			told[hit]++
		}
	}
	s.Len(told, 3000)
	twice := 0
	for _, times := range told {
		twice += times - 1
	}
	s.LessOrEqual(twice, 2*32, "of those that were on their way")
}

func (s *EngineSuite) TestAStateThatCannotBeSavedIsSaid() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7")
	l.show(s, len(l.chunks))
	for _, name := range []string{"threatfox-live.json", "threatfox-live-told.jsonl", "threatfox-live-counted.json"} {
		s.Require().NoError(os.RemoveAll(filepath.Join(s.trusted(), name)))
		s.Require().NoError(os.Mkdir(filepath.Join(s.trusted(), name), 0o700))
	}

	w := s.watchLive(l.path, map[string]string{"StatusHours": "0.002"})

	s.waitForAllOf(l, feed, w)
	for _, name := range []string{"threatfox-live.json", "threatfox-live-told.jsonl"} { // of what comes after the first nothing is tried
		s.Contains(w.logs.String(), name+" cannot be written")
	}
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return slices.ContainsFunc(w.rows, func(row map[string]any) bool {
			return row["_Source"] == live+"/Status" && row["Status"] == "not known: its state cannot be read"
		})
	})
}

// trusted is the folder where a client keeps its programs, and the artifact its bookmark.
func (s *EngineSuite) trusted() string {
	rows := s.rowsOf(s.query(`SELECT dirname(path=tempdir(remove_last=TRUE)) AS Folder FROM scope()`, nil))
	return rows[0]["Folder"]
}
