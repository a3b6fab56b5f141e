package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// feedText is the feed of the log with an answer key, as text.
func (s *EngineSuite) feedText() (header string, rows []string) {
	lines := strings.Split(strings.TrimSuffix(s.unzip(s.edgeFeed()), "\n"), "\n")
	return lines[0], lines[1:]
}

// TestTheHuntFindsKeysInEveryPartOfALargeFeed puts thousands of other rows between those that the log meets: VQL reads a feed in
// parts of 64 KiB, which end within a row.
func (s *EngineSuite) TestTheHuntFindsKeysInEveryPartOfALargeFeed() {
	header, rows := s.feedText()
	var feed strings.Builder
	feed.WriteString(header + "\n")
	for i, row := range rows {
		feed.WriteString(row + "\n")
		for j := range 300 {
			fmt.Fprintf(&feed, "other-%d-%d.example,domain,other,domain,^other$,,Other,botnet_cc,90,2026-11-01T00:00:00Z,,1,1,false\n", i, j)
		}
	}
	s.Greater(feed.Len(), 10*65536)

	got := s.hunt(s.writeGzip("feed.csv.gz", feed.String()), s.edgeLog(), nil)

	s.Len(s.hits(got), 47)
	s.Contains(got.source["Coverage"], fmt.Sprintf(`"FeedKeys":%d}`, len(rows)*301))
}

func (s *EngineSuite) TestTheHuntLoadsEachKeyOfTheKindsAskedForFromARealExport() {
	path := s.normalize(sample(s.T(), "threatfox/recent-2026-03-15.csv"))
	kinds := map[string]int{}
	for _, line := range strings.Split(s.unzip(path), "\n")[1:] {
		if fields := strings.Split(line, ","); len(fields) > 1 {
			kinds[fields[1]]++
		}
	}
	s.Greater(len(kinds), 3)
	for kind, keys := range kinds {
		got := s.hunt(path, s.edgeLog(), map[string]string{"Kinds": `["` + kind + `"]`, "MinConfidence": "0"})
		s.Contains(got.source["Coverage"], fmt.Sprintf(`"FeedKeys":%d}`, keys), kind)
	}
}

func (s *EngineSuite) TestTheHuntReadsAFeedWithAnotherSystemsLineEnds() {
	header, rows := s.feedText()
	feed := s.writeGzip("feed.csv.gz", header+"\r\n"+strings.Join(rows, "\r\n")+"\r\n")
	s.Len(s.hits(s.hunt(feed, s.edgeLog(), nil)), 47)
}

func (s *EngineSuite) TestTheHuntReadsAFeedWhoseLastLineDoesNotEnd() {
	header, rows := s.feedText()
	got := s.hunt(s.writeGzip("feed.csv.gz", header+"\n"+strings.Join(rows, "\n")), s.edgeLog(), nil)
	s.Len(s.hits(got), 47)
	s.Contains(got.source["Coverage"], fmt.Sprintf(`"FeedKeys":%d}`, len(rows)))
}

func (s *EngineSuite) TestTheHuntReadsAFeedWithAByteOrderMark() {
	header, rows := s.feedText()
	feed := s.writeGzip("feed.csv.gz", "\ufeff"+header+"\n"+strings.Join(rows, "\n")+"\n")
	s.Len(s.hits(s.hunt(feed, s.edgeLog(), nil)), 47)
}

func (s *EngineSuite) TestAKeyWithABackslashCostsNoOtherKey() {
	header, rows := s.feedText()
	odd := `c:\odd\u0041.example,domain,odd,domain,odd,,Odd,botnet_cc,90,2026-11-01T00:00:00Z,,1,1,false`
	got := s.hunt(s.writeGzip("feed.csv.gz", header+"\n"+odd+"\n"+strings.Join(rows, "\n")+"\n"), s.edgeLog(), nil)
	s.Len(s.hits(got), 47)
	s.Contains(got.source["Coverage"], fmt.Sprintf(`"FeedKeys":%d}`, len(rows)+1))
}

// The helper refuses a line over 256 KiB; in a feed from elsewhere it costs itself alone, and only if its key is met.
func (s *EngineSuite) TestALineThatIsTooLongCostsItselfAlone() {
	header, rows := s.feedText()
	row := func(key, malware string) string {
		return key + ",domain,x,domain,^x$,," + malware + ",botnet_cc,90,2026-11-01T00:00:00Z,,1,1,false\n"
	}
	long := row("long.example", strings.Repeat("M", 5<<20)) + row("long-2.example", strings.Repeat("M", 100_000))
	got := s.hunt(s.writeGzip("feed.csv.gz", header+"\n"+long+strings.Join(rows, "\n")+"\n"), s.edgeLog(), nil)
	s.Len(s.hits(got), 47, "the lines behind it are read")

	key, rest, _ := strings.Cut(rows[0], ",")
	met := key + "," + strings.Replace(rest, ",Planted,", ","+strings.Repeat("M", 300_000)+",", 1)
	got = s.huntThatMayFail(s.writeGzip("met.csv.gz", header+"\n"+met+"\n"+strings.Join(rows[1:], "\n")+"\n"), s.edgeLog(), nil)
	s.Contains(got.failed, "is longer than 256 KiB and was not read")
	s.NotEmpty(s.hits(got))
}

// A damaged file is no feed: gzip tells it by a sum at the end.
func (s *EngineSuite) TestAHuntWithADamagedFeedFails() {
	feed := []byte(s.read(s.edgeFeed()))
	feed[len(feed)-8] ^= 1
	damaged := filepath.Join(s.T().TempDir(), "damaged.csv.gz")
	s.Require().NoError(os.WriteFile(damaged, feed, 0o600))

	got := s.huntThatMayFail(damaged, s.edgeLog(), nil)

	s.Contains(got.failed, "is the file there, and whole?")
	s.Contains(got.source["Coverage"], "not searched")
}

func (s *EngineSuite) unzip(path string) string {
	text, err := exec.Command("gzip", "-dc", path).Output()
	s.Require().NoError(err)
	return string(text)
}
