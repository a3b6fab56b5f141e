package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// feedSeen is a feed of these exports' records.
func (s *EngineSuite) feedSeen(exports ...string) string {
	var files []string
	for i, text := range exports {
		path := filepath.Join(s.tempDir(), fmt.Sprintf("export-%d.csv", i))
		s.Require().NoError(os.WriteFile(path, []byte(text), 0o600))
		files = append(files, path)
	}
	return s.normalize(files...)
}

// An export of 2023 that is published today is not young.
func (s *EngineSuite) TestAFeedIsAsOldAsItsNewestIndicator() {
	daysAgo := func(days int) time.Time { return time.Now().AddDate(0, 0, -days) }
	old := csvExport(domains(0, 500), daysAgo(1100))
	for name, test := range map[string]struct {
		feed, maxAge string
		warns        bool
	}{
		"old":                 {s.feedSeen(old), "", true},
		"just too old":        {s.feedSeen(csvExport(domains(0, 3), daysAgo(16))), "", true},
		"young enough":        {s.feedSeen(csvExport(domains(0, 3), daysAgo(13))), "", false},
		"one of many is":      {s.feedSeen(old, csvExport(domains(500, 1), daysAgo(2))), "", false},
		"old, and no warning": {s.feedSeen(old), "0", false},
	} {
		params := map[string]string{"MinStrength": "weak"}
		if test.maxAge != "" {
			params["MaxFeedAge"] = test.maxAge
		}
		vql := s.hunt(test.feed, s.edgeLog(), params)
		native := s.native(s.helper(), test.feed, s.edgeLog(), params)
		for _, logs := range []string{vql.logs, native.logs} {
			if !test.warns {
				s.NotContains(logs, "MaxFeedAge", name)
				continue
			}
			s.Regexp(`The feed \([^)]*\) is of 20\d\d-.*, older than MaxFeedAge \(14 days\)`, logs, name)
		}
	}
}
