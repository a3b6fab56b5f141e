package engine

import "strings"

// docs/lab.md: a planted feed, a log that was brought to a Linux client.
func (s *EngineSuite) TestTheLabWithLinuxAloneHasHits() {
	s.publishHelper()
	row, got := s.refresh(s.serveThreatfox(""), map[string]string{
		"ExportFile": "file://" + sample(s.T(), "demo/planted.csv"), "AuthKey": "", "AllowPrivate": "N"})
	s.Empty(got.failed)
	s.Equal([]string{"published", "upload"}, []string{row.Status, row.FeedSource})

	result := s.collect(hunt, map[string]string{
		"EvtxGlob": sample(s.T(), "evtx") + "/sysmon6-*.evtx", "AnySystem": "Y", "MaxFeedAge": "0", "DownloadDelay": "0"})

	s.Empty(result.failed)
	s.Contains(result.source["Hits"], "PLANTED for the demo")
	s.NotContains(result.logs, "MaxFeedAge")
	page := s.read("../../docs/lab.md")
	for _, word := range []string{"`AnySystem` | on", "`MaxFeedAge` | 0", "`EvtxGlob` | `/opt/lab/*.evtx`", "`PLANTED for the demo`", "tests/data/demo/planted.csv"} {
		s.True(strings.Contains(page, word), word)
	}
}
