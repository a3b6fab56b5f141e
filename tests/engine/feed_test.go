package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/Velocidex/ordereddict"
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

	s.Len(s.hits(got), 46)
	s.Contains(got.source["Coverage"], fmt.Sprintf(`"FeedKeys":%d,`, len(rows)*301))
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
		s.Contains(got.source["Coverage"], fmt.Sprintf(`"FeedKeys":%d,`, keys), kind)
	}
}

func (s *EngineSuite) TestTheHuntReadsAFeedWithAnotherSystemsLineEnds() {
	header, rows := s.feedText()
	feed := s.writeGzip("feed.csv.gz", header+"\r\n"+strings.Join(rows, "\r\n")+"\r\n")
	s.Len(s.hits(s.hunt(feed, s.edgeLog(), nil)), 46)
}

func (s *EngineSuite) TestTheHuntWarnsOfAFeedWhoseLastLineDoesNotEnd() {
	header, rows := s.feedText()
	got := s.hunt(s.writeGzip("feed.csv.gz", header+"\n"+strings.Join(rows, "\n")), s.edgeLog(), nil)
	s.Len(s.hits(got), 46)
	s.Contains(got.logs, "the last line does not end")
}

func (s *EngineSuite) TestAKeyWithABackslashCostsNoOtherKey() {
	header, rows := s.feedText()
	odd := `c:\odd\u0041.example,domain,odd,domain,odd,,Odd,botnet_cc,90,2026-11-01T00:00:00Z,,1,1,false`
	got := s.hunt(s.writeGzip("feed.csv.gz", header+"\n"+odd+"\n"+strings.Join(rows, "\n")+"\n"), s.edgeLog(), nil)
	s.Len(s.hits(got), 46)
	s.Contains(got.source["Coverage"], fmt.Sprintf(`"FeedKeys":%d,`, len(rows)+1))
}

func (s *EngineSuite) TestALineOverFourMegabytesIsCutAndTheHuntSaysSo() {
	header, rows := s.feedText()
	long := "long.example,domain,x,domain,x,," + strings.Repeat("M", 5<<20) + ",botnet_cc,90,2026-11-01T00:00:00Z,,1,1,false"
	got := s.huntThatMayFail(s.writeGzip("feed.csv.gz", header+"\n"+long+"\n"+strings.Join(rows, "\n")+"\n"), s.edgeLog(), nil)
	s.Contains(got.failed, "a line longer than 4 MiB was cut")
	s.Len(s.hits(got), 46, "the lines behind it are read")
}

// A damaged file is no feed: gzip tells it by a sum at the end.
func (s *EngineSuite) TestAHuntWithADamagedFeedFails() {
	feed := []byte(s.read(s.edgeFeed()))
	feed[len(feed)-8] ^= 1
	damaged := filepath.Join(s.T().TempDir(), "damaged.csv.gz")
	s.Require().NoError(os.WriteFile(damaged, feed, 0o600))

	got := s.huntThatMayFail(damaged, s.edgeLog(), nil)

	s.Contains(got.failed, "is the file damaged?")
	s.Contains(got.source["Coverage"], "not searched")
}

// Another hunt may fetch a newer feed while this one reads a log: what Feed says of it is then wrong.
func (s *EngineSuite) TestAFeedThatChangesDuringTheSearchIsToldAsAnError() {
	search := func(addresses ...string) (rows, logs string) {
		return s.queryWithLogs(`
LET _ <= import(artifact="Generic.ThreatFox.Spelling")
LET _ <= import(artifact="Generic.ThreatFox.Feed")
LET _ <= import(artifact="Generic.ThreatFox.Join")
LET FeedHeader <= FeedHead[0].Line
LET Search <= NewSearch
LET Feed <= FeedKeysIn(Kinds=("ip", ), Workers=1) + dict(`+"`203.0.113.99`"+`=0)
LET Connections = SELECT "log" AS Log, dict(Initiated=TRUE, DestinationIp=_value, DestinationPort=1) AS _Data,
       dict(Computer="pc", EventID=dict(Value=3), EventRecordID=1, TimeCreated=dict(SystemTime=1)) AS System
  FROM foreach(row=Remotes)
SELECT IOC FROM HitsIn(Events=(Connections, ), Workers=1)`,
			ordereddict.NewDict().Set("File", s.edgeFeed()).Set("Remotes", addresses).Set("FeedVersion", "1").
				Set("MinConfidence", 50).Set("MinStrength", "weak").Set("MalwareRegex", ".").Set("IgnoreRegex", ""))
	}
	rows, logs := search("203.0.113.7")
	s.Contains(rows, "203.0.113.7:4443")
	s.NotContains(logs, "ERROR")

	rows, logs = search("203.0.113.99", "203.0.113.7")
	s.Equal(1, strings.Count(rows, "IOC"))
	s.Contains(rows, "203.0.113.7:4443", "what is still there is found")
	s.Regexp("ERROR:.* changed while it was searched for", logs)
}

func (s *EngineSuite) unzip(path string) string {
	text, err := exec.Command("gzip", "-dc", path).Output()
	s.Require().NoError(err)
	return string(text)
}
