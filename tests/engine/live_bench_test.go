package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/vtesting"
)

// TestBenchmarkLive is how `make bench` measures the live artifact (see bench_live.sh): a log grows by 50 events per second for
// BENCH_SECONDS. It is skipped unless BENCH_EVTX names the log whose events are shown.
func (s *EngineSuite) TestBenchmarkLive() {
	seconds, err := strconv.Atoi(os.Getenv("BENCH_SECONDS"))
	if err != nil {
		s.T().Skip("run by make bench")
	}
	s.Ctx = context.Background()
	s.servePublic()
	s.publish("ThreatFoxFeed", os.Getenv("BENCH_FEED"), "1.0.1")
	s.tellOfFeed("1.0.1")
	l := s.growingFrom(os.Getenv("BENCH_EVTX"))

	idle := peakMiB()
	fmt.Printf("live: %-18s %8s %14s %12s %12s %12s\n", "", "events", "CPU, µs/event", "start, MiB", "end, MiB", "peak, MiB")
	s.growAt(l, seconds, "bare watch_evtx", func() {
		go s.queryWithLogs(`SELECT count() AS N FROM watch_evtx(filename=Log) WHERE N < 0`, ordereddict.NewDict().Set("Log", l.path).Set("EVTX_FREQUENCY", 5))
		time.Sleep(3 * time.Second)
	})
	fmt.Printf("live: %.0f MiB before anything ran\n", idle)

	var w *watch
	l.path = filepath.Join(s.tempDir(), "Live.evtx")
	shown := s.growAt(l, seconds, "live", func() {
		w = s.watchLive(l.path, map[string]string{"CatchUpHours": "0", "RefreshMinutes": "10", "PollSeconds": "5", "MaxHitsPerHour": "1000000"})
		l.show(s, 1)
		vtesting.WaitUntil(60*time.Second, s.T(), func() bool { return w.kept(l.path) })
		time.Sleep(7 * time.Second)
	})
	want := s.want(l, os.Getenv("BENCH_FEED"))
	want = slices.DeleteFunc(want, func(hit string) bool {
		record := 0
		_, _ = fmt.Sscan(hit, &record)
		return record <= w.records(l, 1)
	})
	s.Require().NotEmpty(want, "the log had no hit in this time: SECONDS_LIVE is too short")
	vtesting.WaitUntil(60*time.Second, s.T(), func() bool { return len(w.hits()) >= len(want) })
	got := w.hits()
	slices.Sort(got)
	slices.Sort(want)
	s.Equal(want, got)
	fmt.Printf("live: %d of %d hits told in %d chunks, each once\n", len(got), len(want), shown)
}

// growingFrom is a log that grows by the chunks of another.
func (s *EngineSuite) growingFrom(log string) *growingLog {
	made, err := os.ReadFile(log)
	s.Require().NoError(err)
	grown := &growingLog{path: filepath.Join(s.tempDir(), "Bare.evtx"), header: made[:4096]}
	for chunk := range slices.Chunk(made[4096:], 65536) {
		grown.chunks = append(grown.chunks, chunk)
	}
	return grown
}

// growAt shows a chunk each time that as many events are due, measures that, and returns how many chunks were shown.
func (s *EngineSuite) growAt(l *growingLog, seconds int, name string, start func()) int {
	l.show(s, 1)
	start()
	clearPeak()
	first, begun, before := peakMiB(), time.Now(), cpuSeconds()
	w := &watch{}
	events := 0
	for shown := 2; shown <= len(l.chunks) && events < 50*seconds; shown++ {
		events = w.records(l, shown) - w.records(l, 1)
		time.Sleep(time.Until(begun.Add(time.Duration(events) * time.Second / 50)))
		l.append(s, shown)
	}
	time.Sleep(7 * time.Second) // one look at the log more
	used, peak := cpuSeconds()-before, peakMiB()
	clearPeak()
	fmt.Printf("live: %-18s %8d %14.0f %12.0f %12.0f %12.0f\n", name, events, used*1e6/float64(events), first, peakMiB(), peak)
	return l.shown
}

// append shows one more chunk.
func (l *growingLog) append(s *EngineSuite, shown int) {
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND, 0o600)
	s.Require().NoError(err)
	defer file.Close()
	_, err = file.Write(l.chunks[shown-1])
	s.Require().NoError(err)
	l.shown = shown
}

// kept is whether it has noted how far it read this log.
func (w *watch) kept(log string) bool {
	entries, _ := filepath.Glob(filepath.Join(os.TempDir(), "*", "threatfox-live.json"))
	for _, entry := range entries {
		if text, err := os.ReadFile(entry); err == nil && strings.Contains(string(text), quoted(log)) {
			return true
		}
	}
	return false
}
