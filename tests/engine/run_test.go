package engine

import (
	"os"
	"path/filepath"
	"strings"
)

// TestRunTheHuntOnYourLogs is not a test but how `make hunt` runs the hunt (see hunt.sh): it is
// skipped unless HUNT_DIR names the folder for the results.
func (s *EngineSuite) TestRunTheHuntOnYourLogs() {
	folder := os.Getenv("HUNT_DIR")
	if folder == "" {
		s.T().Skip("run by make hunt")
	}
	s.servePublic()
	s.publish("ThreatFoxFeed", os.Getenv("HUNT_FEED"), "1.0.1")

	params := map[string]string{"EvtxGlob": os.Getenv("HUNT_EVTX"), "DownloadDelay": "0", "MinStrength": "medium"}
	for _, arg := range strings.Fields(os.Getenv("HUNT_ARGS")) {
		name, value, _ := strings.Cut(arg, "=")
		params[name] = value
	}
	got := collection{}
	if os.Getenv("HUNT_NATIVE") == "" {
		got = s.collect(hunt, params)
	} else {
		got = s.native(s.helper(), os.Getenv("HUNT_FEED"), os.Getenv("HUNT_EVTX"), params)
	}

	for _, source := range []string{"Summary", "Hits", "Coverage", "Processes"} {
		s.Require().NoError(os.WriteFile(
			filepath.Join(folder, source+".jsonl"), []byte(got.source[source]), 0o600))
	}
	s.Require().NoError(os.WriteFile(filepath.Join(folder, "log.jsonl"), []byte(got.logs), 0o600))
	s.Require().NoError(os.WriteFile(filepath.Join(folder, "failed.txt"), []byte(got.failed), 0o600))
}
