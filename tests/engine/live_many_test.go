package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/vtesting"
)

// toldAll waits until so many hits were told, a little longer for one too many, and fails if one was told twice or is missing.
func (s *EngineSuite) toldAll(want int, within time.Duration, w *watch) {
	s.T().Helper()
	for deadline := time.Now().Add(within); w.told() < want && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(2 * time.Second)
	s.Require().Equal(want, w.told(), "%.2000s", w.logs.String())
}

// copyTo makes the same log elsewhere.
func (l *growingLog) copyTo(path string) *growingLog {
	return &growingLog{path: path, header: l.header, chunks: l.chunks}
}

func (s *EngineSuite) TestAHundredAndFiftyLogsAreWatchedAtOnce() {
	s.liveSetup()
	l := s.makeGrowingLog(40000, 1, "203.0.113.7", "5.1.1.1", "5.1.1.2", "5.1.1.3", "5.1.1.4", "5.1.1.5", "5.1.1.6", "5.1.1.7", "5.1.1.8", "5.1.1.9")
	s.Require().GreaterOrEqual(len(l.chunks), 300)
	folder := s.tempDir()
	var logs []*growingLog
	for n := range 150 {
		logs = append(logs, l.copyTo(filepath.Join(folder, fmt.Sprintf("%d.evtx", n))))
		logs[n].chunks = l.chunks[2*n : 2*n+2] // no event is in two logs
		logs[n].show(s, 1)
	}
	feed, every := s.normalize(s.writeExport([][2]string{theIndicator})), map[string]string{"MaxHitsPerIndicator": "1000000"}
	w := s.watchLive(folder+"/*.evtx", nil)
	s.toldAll(len(s.hits(s.hunt(feed, folder+"/*.evtx", every))), 90*time.Second, w)

	for _, one := range logs {
		one.show(s, 2)
	}

	s.toldAll(len(s.hits(s.hunt(feed, folder+"/*.evtx", every))), 90*time.Second, w)
}

// Each log that is read used to save the state of all: 900 logs kept it busy for minutes, and a hit had to wait.
func (s *EngineSuite) TestALogThatAppearsBesideHundredsIsReadAtOnce() {
	s.liveSetup()
	quiet := s.growingLogOf("make_evtx.py", connection(1, time.Now().Add(-time.Hour), "5.1.1.1"))
	folder := s.tempDir()
	for n := range 700 {
		quiet.copyTo(filepath.Join(folder, fmt.Sprintf("%d.evtx", n))).show(s, 1)
	}
	later := s.makeGrowingLog(300, 1, "203.0.113.7")
	w := s.watchLive(folder+"/*.evtx", map[string]string{"PollSeconds": "5"})
	vtesting.WaitUntil(60*time.Second, s.T(), func() bool { return strings.Count(w.logs.String(), "Registering watcher") == 700 })
	time.Sleep(7 * time.Second) // now what they hold is read

	later.copyTo(filepath.Join(folder, "Later.evtx")).show(s, 1)

	s.toldAll((&watch{}).records(later, 1), 60*time.Second, w)
}

func (s *EngineSuite) TestTwentyQuickStartsLoseNoHit() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)
	watches := []*watch{}
	for n := range 20 {
		watches = append(watches, s.watchLive(l.path, nil))
		time.Sleep(300 * time.Millisecond)
		watches[n].stop()
	}
	l.show(s, len(l.chunks))

	watches = append(watches, s.watchLive(l.path, nil))

	s.waitForAllOf(l, feed, watches...)
}

// THREATFOX_HITS=20000 is what was measured.
func (s *EngineSuite) TestThousandsOfHitsAtOnceAreAllToldOnce() {
	s.liveSetup()
	hits := number("THREATFOX_HITS", 2000)
	l := s.makeGrowingLog(hits, 1, "203.0.113.7")
	l.show(s, 1)
	w := s.watchLive(l.path, nil)
	s.toldAll((&watch{}).records(l, 1), 2*time.Minute, w)
	clearPeak()
	before, cpu, start := peakMiB(), cpuSeconds(), time.Now()

	l.show(s, len(l.chunks))

	s.toldAll(hits, 9*time.Minute, w)
	s.T().Logf("%d hits at once: %v, %.0f µs of the processor each, %.0f MiB more", hits, time.Since(start).Round(time.Second),
		(cpuSeconds()-cpu)*1e6/float64(hits), peakMiB()-before)
}

// With the default limits a flood is two rows: its first hit, and at the end of the hour the number of the others. THREATFOX_HITS=100000 is what was measured.
func (s *EngineSuite) TestAFloodOfHitsIsCountedInLittleMemory() {
	s.liveSetup()
	hits := number("THREATFOX_HITS", 2000)
	l := s.makeGrowingLog(hits, 1, "203.0.113.7")
	l.show(s, 1)
	w := s.watchLive(l.path, map[string]string{"MaxHitsPerHour": "1", "TellMinutes": "0.1"})
	s.toldAll(1, 2*time.Minute, w)
	clearPeak()
	before, cpu, start := peakMiB(), cpuSeconds(), time.Now()

	l.show(s, len(l.chunks))

	counted := func() (all float64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, row := range w.rows {
			if row["_Source"] == live+"/Hits" {
				all += row["Count"].(float64)
			}
		}
		return all
	}
	vtesting.WaitUntil(9*time.Minute, s.T(), func() bool { return counted() >= float64(hits) })
	s.T().Logf("a flood of %d hits at once: told in %v, %.0f µs of the processor each, %.0f MiB more", hits, time.Since(start).Round(time.Second),
		(cpuSeconds()-cpu)*1e6/float64(hits), peakMiB()-before)
	time.Sleep(2 * time.Second)
	s.Equal(float64(hits), counted(), "each once")
	s.Less(w.told(), 40)
}

// A collector of 5,000 computers that log the same: each hit costs the same as on a host of its own.
func (s *EngineSuite) TestAHitOfACollectorOfThousandsOfComputersCostsNoMore() {
	s.liveSetup()
	const computers = 5000
	var lines bytes.Buffer
	write := json.NewEncoder(&lines)
	at := time.Now().UTC().Add(-3 * time.Hour)
	for n := range computers + 400 {
		address := "5.1.1.1"
		if n >= computers {
			address = "203.0.113.7"
		}
		s.Require().NoError(write.Encode(map[string]any{
			"EventID": 3, "EventRecordID": 1 + n, "Computer": fmt.Sprintf("ws-%d.corp.example", n%computers),
			"TimeCreated": at.Add(time.Duration(n) * time.Second).Format("2006-01-02T15:04:05.000Z"),
			"EventData": map[string]any{"Image": `C:\evil.exe`, "User": "SYSTEM", "Protocol": "tcp", "Initiated": "true",
				"SourceIp": "10.1.1.1", "DestinationIp": address, "DestinationPort": "443"},
		}))
	}
	source := filepath.Join(s.T().TempDir(), "events.jsonl")
	s.Require().NoError(os.WriteFile(source, lines.Bytes(), 0o600))
	made, err := os.ReadFile(s.makeLog("make_wec.py", source))
	s.Require().NoError(err)
	l := &growingLog{path: filepath.Join(s.tempDir(), "Forwarded.evtx"), header: made[:4096]}
	for chunk := range slices.Chunk(made[4096:], 65536) {
		l.chunks = append(l.chunks, chunk)
	}
	l.show(s, len(l.chunks)-20)
	w := s.watchLive(l.path, nil)
	vtesting.WaitUntil(60*time.Second, s.T(), func() bool { return strings.Contains(s.bookmark(), "ws-4000.") })
	told := len(w.hits())
	start, cpu := time.Now(), cpuSeconds()

	l.show(s, len(l.chunks))

	for deadline := time.Now().Add(120 * time.Second); len(w.hits()) < 400 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	took, used := time.Since(start), cpuSeconds()-cpu
	s.T().Logf("%d hits of a collector of %d computers: %v, %.1f ms of the processor each", len(w.hits())-told, computers, took.Round(time.Millisecond),
		used*1e3/float64(400-told))
	s.toldAll(400, time.Second, w)
	s.Less(used/float64(400-told), 0.01)
	w.stop()
	again := s.watchLive(l.path, nil)
	time.Sleep(8 * time.Second)
	s.Empty(again.hits(), "none is told again after a restart")
}

// bookmark is what the artifact has saved.
func (s *EngineSuite) bookmark() string {
	text, _ := os.ReadFile(filepath.Join(s.trusted(), "threatfox-live.json"))
	return string(text)
}

func (s *EngineSuite) TestAnotherQueryThatWatchesTheSameLogTakesNothingAway() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)
	other := make(chan bool)
	stop := s.startQuery(`SELECT * FROM watch_evtx(filename=Log)`, ordereddict.NewDict().Set("Log", l.path).Set("EVTX_FREQUENCY", 1), other)
	w := s.watchLive(l.path, nil)
	l.show(s, 2)
	s.waitForAllOf(l, feed, w)
	stop()
	<-other
	l.show(s, len(l.chunks))

	s.waitForAllOf(l, feed, w)
}

// feedIsRefused publishes a text as a feed, and waits until the one in use stays.
func (s *EngineSuite) feedIsRefused(w *watch, version, text string) {
	s.publish("ThreatFoxFeed", s.writeGzip("feed.csv.gz", text), version)
	faults := strings.Count(w.logs.String(), "The feed in use stays.")
	s.tellOfFeed(version)
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Count(w.logs.String(), "The feed in use stays.") > faults })
}

func (s *EngineSuite) TestAFeedThatIsNoneLeavesTheOneInUse() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)
	w := s.watchLive(l.path, nil)
	s.waitForAllOf(l, feed, w)
	header, _, _ := strings.Cut(s.unzip(feed), "\n")
	for n, text := range []string{header + "\n", "", "a,b\n1,2\n", "key,kind\n203.0.113.9,ip\n", strings.Repeat("x", 1<<20), header + "\n\"203.0.113.9\",ip,x\n"} {
		s.feedIsRefused(w, fmt.Sprintf("1.0.%d", 10+n), text)
	}

	l.show(s, len(l.chunks))

	s.waitForAllOf(l, feed, w)
}

// What the caches know of a version is not what its next content says.
func (s *EngineSuite) TestAVersionWithAnotherContentIsAnotherFeed() {
	s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "203.0.113.8")
	l.show(s, 1)
	w := s.watchLive(l.path, nil)
	s.waitForAllOf(l, s.normalize(s.writeExport([][2]string{theIndicator})), w)
	told := len(w.hits())

	s.publishLive("1.0.1", theIndicator, [2]string{"ip:port", "203.0.113.8:443"})
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Count(w.logs.String(), "is in use") == 2 })
	l.show(s, 2)

	s.toldAll(told+(&watch{}).records(l, 2)-(&watch{}).records(l, 1), 20*time.Second, w)
}
