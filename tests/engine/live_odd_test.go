package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
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
       dict(A="203.0.113.7") AS Observables, (_value, 1700000000.0 + _value) AS Is, sleep(ms=Wait) AS Waited
  FROM range(end=Count)
  WHERE Waited
LET OldEvents(Live, Log, Path, Since) = SELECT * FROM Read(Count=3, Wait=1)
LET NewEvents(Live, Log, Path, Times) = SELECT * FROM Read(Count=5, Wait=200)
LET Happenings(Live) = SELECT * FROM EventsOf(Live=Live, Log=Begun(Live=Live, Path="x"), Path="x", Times=0)
LET HitsToTell(Live, Feed, Event, Observables) = SELECT dict(RecordID=Event.System.EventRecordID, ParentImage="x") AS Hit, 1 AS Count FROM scope()
LET EventOf(System, Data, Path) = dict(System=System)
LET Noted(Live, Path, Series, At) = TRUE
LET Saved(Live) = TRUE
LET Live <= LiveFrom(Wanted=dict(CatchUpHours=1, Told="/no/such"), Saved=dict(), Counted=dict())
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

	for _, position := range []string{`["x","y"]`, `[9e18,9e18]`, `7`, `null`} {
		text := fmt.Sprintf(`{"Logs":{%s:{%s:%s}}}`, quoted(l.path), quoted(series), position)
		s.Require().NoError(os.WriteFile(filepath.Join(s.trusted(), "threatfox-live.json"), []byte(text), 0o600))
		w := s.watchLive(l.path, nil)
		s.waitForAllOf(l, feed, w)
		w.stop()
	}
}

// trusted is the folder where a client keeps its programs, and the artifact its bookmark.
func (s *EngineSuite) trusted() string {
	rows := s.rowsOf(s.query(`SELECT dirname(path=tempdir(remove_last=TRUE)) AS Folder FROM scope()`, nil))
	return rows[0]["Folder"]
}
