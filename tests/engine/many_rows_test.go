package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/vtesting"
)

// many is more rows than array() takes: above 10,000 Velociraptor 0.77 never ends, and takes memory until there is none.
const many = 10_500

// thousandsOf replaces an artifact of Velociraptor's by one that has many rows, and one more.
func (s *EngineSuite) thousandsOf(name, row, last string) {
	s.LoadArtifacts(fmt.Sprintf("name: %s\nsources:\n  - query: |\n      SELECT * FROM chain(many={ SELECT %s FROM range(end=%d) }, last={ SELECT %s FROM scope() })\n",
		name, row, many, last))
}

func (s *EngineSuite) TestAHostWithThousandsOfConnectionsAndNamesIsSearched() {
	s.thousandsOf("Windows.System.DNSCache", `format(format="host-%v.example", args=_value) AS Name, "192.0.2.1" AS Record, "A" AS RecordType`,
		`"c2.bad-domain.example" AS Name, "192.0.2.1" AS Record, "A" AS RecordType`)
	s.thousandsOf("Windows.Network.Netstat", "4 AS Pid, 'a.exe' AS Name, 'ESTAB' AS Status, '10.0.0.1' AS `Laddr.IP`, _value AS `Laddr.Port`, '192.0.2.1' AS `Raddr.IP`, 443 AS `Raddr.Port`",
		"5 AS Pid, 'evil.exe' AS Name, 'ESTAB' AS Status, '10.0.0.1' AS `Laddr.IP`, 1 AS `Laddr.Port`, '203.0.113.7' AS `Raddr.IP`, 4443 AS `Raddr.Port`")

	for name, got := range map[string]collection{"VQL": s.hunt(s.edgeFeed(), s.edgeLog(), nil), "Native": s.native(s.helper(), s.edgeFeed(), s.edgeLog(), nil)} {
		found := []string{}
		for _, hit := range s.hits(got) {
			if hit["LogFile"] == "DNS client cache" || hit["LogFile"] == "open connections" {
				found = append(found, fmt.Sprint(hit["LogFile"], ": ", hit["IOC"]))
			}
		}
		s.ElementsMatch([]string{"DNS client cache: c2.bad-domain.example", "open connections: 203.0.113.7:4443"}, found, name)
		s.Contains(got.source["Coverage"], fmt.Sprintf(`"Connections":%d`, many+1), name)
	}
}

func (s *EngineSuite) TestAFeedOfAnyAgeMayBeAskedFor() {
	s.NotContains(s.hunt(s.edgeFeed(), s.edgeLog(), map[string]string{"MaxFeedAge": "36500"}).logs, "MaxFeedAge")
}

func (s *EngineSuite) TestAWarningListMayHaveThousandsOfValues() {
	s.publishHelper()
	rows := strings.Builder{}
	rows.WriteString("List,Type,Value\n")
	for n := range many {
		fmt.Fprintf(&rows, "ours,hostname,host-%d.example\n", n)
	}
	export := s.upload("list.txt", "other.example\nhost-10499.example\n")
	s.Equal("published", s.mustRefresh(s.serveThreatfox(""), map[string]string{"ExportFile": export, "WarningLists": rows.String()}).Status)
	s.Equal([]string{"host-10499.example ours"}, s.warningsOf())
}

// A row that was collected, or a script, may hold what it likes.
func (s *EngineSuite) TestATextMayHoldThousandsOfIndicatorsOrHashes() {
	indicators, names, hashes := [][2]string{}, []string{}, []string{}
	for n := range many {
		indicators = append(indicators, [2]string{"domain", fmt.Sprintf("host-%d.example", n)})
		names = append(names, indicators[n][1])
		hashes = append(hashes, fmt.Sprintf("%032x", n))
	}

	rows := s.rowsOf(s.query(`
LET _ <= (import(artifact="Generic.ThreatFox.Rules"), import(artifact="Generic.ThreatFox.Feed"), import(artifact="Generic.ThreatFox.Match"),
          import(artifact="Generic.ThreatFox.Collected"))
LET Feed <= SearchFor(MinStrength="weak", IgnoreRegex="", Feed=LoadFeed(File=File, Accessor="auto", Copy=Copy, Name="mine", Kinds=("domain", ), MinConfidence=0, MalwareRegex="."))
LET Found <= ObservablesIn(Feed=Feed, Provider="Microsoft-Windows-PowerShell", ID="4104", Fields=dict(ScriptBlockText=Names, MessageNumber="1", MessageTotal="1"))
SELECT len(list=Found) AS Found, len(list=Strongest(Feed=Feed, Observables=Found + Found)) AS Strongest, len(list=split(string=HashesIn(Value=Hashes), sep=",")) AS Hashes
FROM scope()`, ordereddict.NewDict().Set("File", s.normalize(s.writeExport(indicators))).Set("Copy", filepath.Join(s.T().TempDir(), "feed.csv")).
		Set("Names", strings.Join(names, " ")).Set("Hashes", hashes).
		Set("HashNames", ordereddict.NewDict().Set("32", "md5"))))

	s.Equal([]map[string]string{{"Found": "10000", "Strongest": "10000", "Hashes": fmt.Sprint(many)}}, rows)
}

// The state has the events with a hit, and what was reported since it was saved stands in a file of lines.
func (s *EngineSuite) TestAHostWithThousandsOfHitsIsWatchedOn() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)
	told := strings.Builder{}
	for n := range many {
		fmt.Fprintf(&told, `{"Log":%q,"Series":"another","At":[1,1],"Event":"an earlier event %d"}`+"\n", l.path, n)
	}
	s.Require().NoError(os.WriteFile(filepath.Join(s.trusted(), "threatfox-live-told.jsonl"), []byte(told.String()), 0o600))
	w := s.watchLive(l.path, nil)
	s.waitForAllOf(l, feed, w)
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Contains(s.bookmark(), fmt.Sprint("an earlier event ", many-1)) })

	l.show(s, len(l.chunks))

	s.waitForAllOf(l, feed, w)
}
