package engine

import (
	"context"
	"fmt"
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
		compiled := s.compile(nativeHunt, map[string]string{"EvtxGlob": log})
		hits := 0
		fmt.Printf("bench: %s\n", filepath.Base(feed))
		measure(5, []way{s.bareParse(log), {"Native hunt", func() {
			got := s.runOnClient(compiled)
			s.Require().Empty(got.failed)
			s.NotContains(got.logs, "did not read")
			hits = len(s.hits(got))
		}}})
		s.NotZero(hits)
		fmt.Printf("bench: %d hits\n", hits)
	}
}
