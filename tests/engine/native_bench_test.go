package engine

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"
)

// TestBenchmarkTheNativeHunt is how `make bench` times the Native hunt (see bench_native.sh): it is skipped
// unless BENCH_EVTX names a log. Bare parse_evtx and the hunt run in turn; all that a client does counts, but the
// download of feed and helper.
func (s *EngineSuite) TestBenchmarkTheNativeHunt() {
	log := os.Getenv("BENCH_EVTX")
	if log == "" {
		s.T().Skip("run by make bench")
	}
	s.Ctx = context.Background() // the suite's ends after 60 s
	for _, feed := range strings.Fields(os.Getenv("BENCH_FEEDS")) {
		s.native(s.helper(), feed, log, nil)
		const rounds = 5
		var bare, whole, ratios []float64
		rows := 0
		for range rounds {
			start := time.Now()
			s.query(`SELECT count() AS Events FROM parse_evtx(filename=Log) GROUP BY 1`,
				ordereddict.NewDict().Set("Log", log))
			bare = append(bare, time.Since(start).Seconds())

			start = time.Now()
			got := s.collect(nativeHunt, map[string]string{"EvtxGlob": log})
			whole = append(whole, time.Since(start).Seconds())
			s.Require().Empty(got.failed)
			s.NotContains(got.logs, "did not read")
			rows = len(s.hits(got))
			ratios = append(ratios, whole[len(whole)-1]/bare[len(bare)-1])
		}
		s.NotZero(rows)
		fmt.Printf("bench: %s, %d hits\n", feed[strings.LastIndex(feed, "/")+1:], rows)
		for name, figures := range map[string][]float64{"bare parse_evtx, s": bare, "Native hunt, s": whole, "ratio": ratios} {
			slices.Sort(figures)
			fmt.Printf("bench: %-20s min %.3f  median %.3f  max %.3f\n", name, figures[0], figures[rounds/2], figures[rounds-1])
		}
	}
}
