package engine

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// TestBenchmarkTheNativeHunt is how `make bench` times the Native hunt (see bench_native.sh): it is skipped
// unless BENCH_EVTX names a log. Bare parse_evtx and the hunt run in turn; all that a client does counts, but the
// download of feed and helper. The helper's memory is not in the peak: bench_scan.py has it.
func (s *EngineSuite) TestBenchmarkTheNativeHunt() {
	log := os.Getenv("BENCH_EVTX")
	if log == "" {
		s.T().Skip("run by make bench")
	}
	s.Ctx = context.Background() // the suite's ends after 60 s
	for _, feed := range strings.Fields(os.Getenv("BENCH_FEEDS")) {
		s.native(s.helper(), feed, log, nil)
		hits := map[string]int{}
		hunts := func(name string, more map[string]string) way {
			params := map[string]string{"EvtxGlob": log, "MaxFeedAge": "0"} // as in TestBenchmarkTheHunt: the feed's days are of the past
			maps.Copy(params, more)
			compiled := s.compile(nativeHunt, params)
			return way{name, func() {
				got := s.runOnClient(compiled)
				s.Require().Empty(got.failed)
				s.NotContains(got.logs, "did not read")
				hits[name] = len(s.hits(got))
			}}
		}
		fmt.Printf("bench: %s\n", filepath.Base(feed))
		measure(5, []way{
			s.bareParse(log),
			hunts("Native hunt", nil),
			hunts("Native hunt, no Processes", map[string]string{"SearchProcesses": "N"}),
			hunts("Native hunt, nothing is met", map[string]string{"FeedFile": os.Getenv("BENCH_UNMET")}),
		})
		s.NotZero(hits["Native hunt"])
		s.Zero(hits["Native hunt, nothing is met"])
		fmt.Printf("bench: %d hits\n", hits["Native hunt"])
	}
}
