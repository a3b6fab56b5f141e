package engine

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/Velocidex/ordereddict"
)

// TestBenchmarkTheHunt is how `make bench` times the hunt (see bench.sh): it is skipped unless
// BENCH_EVTX names a log. All ways that BENCH_WAYS matches run in turn, in one process, on one core; the feed's loading counts, its
// download does not.
func (s *EngineSuite) TestBenchmarkTheHunt() {
	log := os.Getenv("BENCH_EVTX")
	if log == "" {
		s.T().Skip("run by make bench")
	}
	s.Ctx = context.Background()                    // the suite's ends after 60 s
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // one core, as an endpoint that must not feel the hunt
	feed := os.Getenv("BENCH_FEED")
	s.publish("ThreatFoxFeed", feed, "1.0.1")
	rounds, err := strconv.Atoi(os.Getenv("BENCH_ROUNDS"))
	s.Require().NoError(err)

	hits := 0
	hunts := func(log string, more map[string]string) func() {
		params := map[string]string{"EvtxGlob": log, "FeedFile": feed, "MaxFeedAge": "0",
			"SearchDNSCache": "N", "SearchConnections": "N", "SearchProcesses": "N"}
		for name, value := range more {
			params[name] = value
		}
		compiled := s.compile(hunt, params) // by the server: no cost of the endpoint's
		return func() {
			got := s.runOnClient(compiled)
			if params["EvtxGlob"] != noLog {
				s.Require().Empty(got.failed)
				hits = len(s.hits(got))
				s.Require().NotZero(hits)
			}
		}
	}
	measure(rounds, only(os.Getenv("BENCH_WAYS"), []way{
		s.bareParse(log),
		{"hunt, all kinds", hunts(log, nil)},
		{"hunt, and who the hits were", hunts(log, map[string]string{"SearchProcesses": "Y"})}, // which reads the log twice
		{"hunt, ip+domain+url_host", hunts(log, map[string]string{"Kinds": `["ip", "domain", "url_host"]`})},
		{"hunt, a hit of each finding", hunts(log, map[string]string{"MaxHitsPerIndicator": "1"})}, // the test keeps the rows
		{"the feed alone", hunts(noLog, nil)},                                                      // which ends in ERROR: nothing to search
	}))
	if hits > 0 {
		fmt.Printf("bench: %d hits of the last hunt\n", hits)
	}
}

const noLog = "/nonexistent.evtx"

// way is something to measure.
type way struct {
	name string
	run  func()
}

// only keeps the ways whose name matches.
func only(names string, ways []way) []way {
	return slices.DeleteFunc(ways, func(w way) bool { return !regexp.MustCompile(names).MatchString(w.name) })
}

// bareParse is what all hunts are measured by: reading the log's events, and nothing more.
func (s *EngineSuite) bareParse(log string) way {
	return way{"bare parse_evtx", func() {
		s.query(`SELECT count() AS Events FROM parse_evtx(filename=Log) GROUP BY 1`,
			ordereddict.NewDict().Set("Log", log))
	}}
}

// measure runs the ways in turn, so many times each, and prints them beside the first.
func measure(rounds int, ways []way) {
	wall, cpu, memory := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for range rounds {
		for _, way := range ways {
			clearPeak()
			start, before := time.Now(), cpuSeconds()
			way.run()
			wall[way.name] = append(wall[way.name], time.Since(start).Seconds())
			cpu[way.name] = append(cpu[way.name], cpuSeconds()-before)
			memory[way.name] = append(memory[way.name], peakMiB())
		}
	}

	fmt.Printf("bench: %-28s %8s %8s %9s %8s %9s %10s\n", "", "min, s", "median", "x bare", "CPU, s", "x bare", "peak, MiB")
	bare, bareCPU := slices.Min(wall[ways[0].name]), slices.Min(cpu[ways[0].name])
	for _, way := range ways {
		fastest, least := slices.Min(wall[way.name]), slices.Min(cpu[way.name])
		fmt.Printf("bench: %-28s %8.2f %8.2f %9.2f %8.2f %9.2f %10.0f\n", way.name, fastest, median(wall[way.name]),
			fastest/bare, least, least/bareCPU, slices.Max(memory[way.name]))
	}
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}
