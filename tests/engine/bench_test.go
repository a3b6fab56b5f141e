package engine

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/Velocidex/ordereddict"
)

// TestBenchmarkTheHunt is how `make bench` times the hunt (see bench.sh): it is skipped unless
// BENCH_EVTX names a log. Bare parse_evtx and the hunt run in turn, in one process; the feed's
// loading counts, its download does not.
func (s *EngineSuite) TestBenchmarkTheHunt() {
	log := os.Getenv("BENCH_EVTX")
	if log == "" {
		s.T().Skip("run by make bench")
	}
	s.Ctx = context.Background() // the suite's ends after 60 s
	feed := os.Getenv("BENCH_FEED")
	s.publish("ThreatFoxFeed", feed, "1.0.1")

	const rounds = 3
	var bare, whole, ratios []float64
	rows := 0
	for range rounds {
		start := time.Now()
		s.query(`SELECT count() AS Events FROM parse_evtx(filename=Log) GROUP BY 1`,
			ordereddict.NewDict().Set("Log", log))
		bare = append(bare, time.Since(start).Seconds())

		start = time.Now()
		got := s.collect(hunt, map[string]string{"EvtxGlob": log, "FeedFile": feed})
		whole = append(whole, time.Since(start).Seconds())
		s.Require().Empty(got.failed)
		rows = len(s.hits(got))
		ratios = append(ratios, whole[len(whole)-1]/bare[len(bare)-1])
	}
	s.NotZero(rows)
	for name, figures := range map[string][]float64{"bare parse_evtx, s": bare, "hunt, s": whole, "ratio": ratios} {
		slices.Sort(figures)
		fmt.Printf("bench: %-20s min %.2f  median %.2f  max %.2f\n", name, figures[0], figures[rounds/2], figures[rounds-1])
	}
	fmt.Printf("bench: %d hits\n", rows)
}
