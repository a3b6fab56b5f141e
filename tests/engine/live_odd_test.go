package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// A collector's log holds the records of many computers, each with ids of its own. One that is installed anew counts from 1 again.
func (s *EngineSuite) TestACollectorsComputersHaveRecordIdsOfTheirOwn() {
	s.liveSetup()
	var lines bytes.Buffer
	write := json.NewEncoder(&lines)
	at := time.Now().UTC().Add(-time.Hour)
	event := func(second, record int, computer string) {
		s.Require().NoError(write.Encode(map[string]any{
			"EventID": 3, "EventRecordID": record, "Computer": computer,
			"TimeCreated": at.Add(time.Duration(second) * time.Second).Format("2006-01-02T15:04:05.000Z"),
			"EventData": map[string]any{"Image": `C:\evil.exe`, "User": "SYSTEM", "Protocol": "tcp", "Initiated": "true",
				"SourceIp": "10.1.1.1", "DestinationIp": "203.0.113.7", "DestinationPort": "443"},
		}))
	}
	for n := range 200 {
		event(n, 5000+n/10, fmt.Sprintf("ws-%d.corp.example", n%10))
	}
	for n := range 100 {
		event(1000+n, 1+n, "ws-0.corp.example")
	}
	source := filepath.Join(s.T().TempDir(), "events.jsonl")
	s.Require().NoError(os.WriteFile(source, lines.Bytes(), 0o600))
	made, err := os.ReadFile(s.makeLog("make_wec.py", source))
	s.Require().NoError(err)
	l := &growingLog{path: filepath.Join(s.tempDir(), "Forwarded.evtx"), header: made[:4096]}
	for chunk := range slices.Chunk(made[4096:], 65536) {
		l.chunks = append(l.chunks, chunk)
	}
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
	computer := fmt.Sprint(first.rows[0]["Computer"])

	for _, position := range []string{`["x","y"]`, `[9e18,9e18]`, `7`, `null`} {
		text := fmt.Sprintf(`{"Logs":{%s:{%s:%s}}}`, quoted(l.path), quoted(computer), position)
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
