package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"
)

// replaceBuiltIn puts an artifact with these rows in the place of one that works on Windows only.
func (s *EngineSuite) replaceBuiltIn(name string, rows ...string) {
	var queries []string
	for i, row := range rows {
		queries = append(queries, fmt.Sprintf("q%d={ SELECT %s FROM scope() }", i, row))
	}
	s.LoadArtifacts("name: " + name + "\nsources:\n  - query: |\n      SELECT * FROM chain(" +
		strings.Join(queries, ", ") + ")\n")
}

func (s *EngineSuite) rememberConnections() {
	s.replaceBuiltIn("Windows.System.DNSCache",
		`"sub.c2.bad-domain.example" AS Name, "93.184.215.14" AS Record, "A" AS RecordType, log(message="reading the DNS cache", dedup=-1) AS _Said`,
		`"cdn.example" AS Name, "203.0.113.7" AS Record, "A" AS RecordType`,
		`"7.113.0.203.in-addr.arpa" AS Name, "c2.bad-domain.example" AS Record, "PTR" AS RecordType`)
	const row = `4 AS Pid, "evil.exe" AS Name, %q AS Status, "10.0.0.1" AS ` + "`Laddr.IP`, %d AS `Laddr.Port`, %q AS `Raddr.IP`, %d AS `Raddr.Port`"
	s.replaceBuiltIn("Windows.Network.Netstat",
		fmt.Sprintf(row, "LISTEN", 445, "0.0.0.0", 0)+`, log(message="reading the connections", dedup=-1) AS _Said`,
		fmt.Sprintf(row, "ESTAB", 50000, "203.0.113.7", 4443),
		fmt.Sprintf(row, "ESTAB", 445, "203.0.113.7", 50001),
		fmt.Sprintf(row, "ESTAB", 50002, "198.51.100.1", 443))
}

func (s *EngineSuite) TestHuntFindsWhatTheDNSCacheAndTheOpenConnectionsRemember() {
	s.rememberConnections()
	got := s.huntThatMayFail(s.edgeFeed(), filepath.Join(s.T().TempDir(), "*.evtx"), nil)

	var found []string
	for _, hit := range s.hits(got) {
		found = append(found, fmt.Sprint(hit["LogFile"], ": ", hit["Match"], " ", hit["IOC"], " ", hit["Image"]))
	}
	s.ElementsMatch([]string{
		"DNS client cache: subdomain c2.bad-domain.example <nil>",
		"DNS client cache: dns answer 203.0.113.7:4443 <nil>",
		"open connections: ip:port 203.0.113.7:4443 evil.exe",
		"open connections: inbound 203.0.113.7:4443 evil.exe",
	}, found)

	s.Empty(got.failed, "something was searched")
	s.Contains(got.logs, "No log matches")
	s.Contains(got.logs, "Only the DNS client cache and the open connections were searched.")
	s.Contains(got.source["Coverage"], `"LogFile":"DNS client cache","EventsById":null,"Connections":null,"Queries":3`)
	s.Contains(got.source["Coverage"], `"LogFile":"open connections","EventsById":null,"Connections":3`)
}

func (s *EngineSuite) TestThePlacesBesideSysmonCanBeSwitchedOff() {
	s.rememberConnections()
	got := s.huntThatMayFail(s.edgeFeed(), filepath.Join(s.T().TempDir(), "*.evtx"),
		map[string]string{"SearchDNSCache": "N", "SearchConnections": "N"})
	s.Empty(s.hits(got))
	s.Contains(got.failed, "Nothing was searched.")
}

func (s *EngineSuite) TestHitsOverTheLimitOfAnIndicatorAreCountedInSummary() {
	all := s.hunt(s.edgeFeed(), s.edgeLog(), nil)
	got := s.hunt(s.edgeFeed(), s.edgeLog(), map[string]string{"MaxHitsPerIndicator": "1"})

	s.Equal(all.source["Summary"], got.source["Summary"])
	s.Equal(strings.Count(all.source["Summary"], "\n"), len(s.hits(got)), "one hit for each finding")
	s.Less(len(s.hits(got)), 47)
}

// Where no indicator has a time, the file says when it came.
func (s *EngineSuite) TestAStaleFeedWithoutTimesIsWarnedOf() {
	text := unpacked([]byte(s.read(s.edgeFeed())))
	feed := s.writeGzip("feed.csv.gz", strings.ReplaceAll(string(text), ",2026-11-01T00:00:00Z", ","))
	params := map[string]string{"FeedFile": feed}
	s.NotContains(s.hunt(s.edgeFeed(), s.edgeLog(), params).logs, "MaxFeedAge")

	old := time.Now().AddDate(0, 0, -15)
	s.Require().NoError(os.Chtimes(feed, old, old))
	s.Contains(s.hunt(s.edgeFeed(), s.edgeLog(), params).logs, "older than MaxFeedAge (14 days)")
	params["MaxFeedAge"] = "0"
	s.NotContains(s.hunt(s.edgeFeed(), s.edgeLog(), params).logs, "MaxFeedAge")
}

func (s *EngineSuite) TestReversedDatesFail() {
	got := s.huntThatMayFail(s.edgeFeed(), s.edgeLog(),
		map[string]string{"DateAfter": "2026-11-19T00:00:00Z", "DateBefore": "2026-11-18T00:00:00Z"})
	s.Contains(got.failed, "DateAfter is not before DateBefore")
	s.Contains(got.source["Coverage"], "not searched")
}

func (s *EngineSuite) TestOnlyTheKindsAskedForAreSearched() {
	got := s.hunt(s.edgeFeed(), s.edgeLog(), map[string]string{"Kinds": `["sha256", "url"]`})
	for _, hit := range s.hits(got) {
		s.Contains([]any{"sha256", "url", "command line url"}, hit["Match"])
	}
	s.Len(s.hits(got), 12)
}

// copiesOfTheLog are a log and copies of it, as archives that overlap the live log.
func (s *EngineSuite) copiesOfTheLog(copies int) (glob string) {
	folder := s.T().TempDir()
	log, err := os.ReadFile(s.edgeLog())
	s.Require().NoError(err)
	for i := range copies {
		s.Require().NoError(os.WriteFile(filepath.Join(folder, fmt.Sprintf("log-%d.evtx", i)), log, 0o600))
	}
	return folder + "/*.evtx"
}

func (s *EngineSuite) TestEventsOfOverlappingLogsCountOnce() {
	logs := s.copiesOfTheLog(16)
	got := s.hunt(s.edgeFeed(), logs, nil)
	s.Len(s.hits(s.native(s.helper(), s.edgeFeed(), logs, nil)), 47)
	s.Equal(47, len(s.hits(got)))
	s.Equal(16, strings.Count(got.source["Coverage"], `"3":61`))
	s.NotContains(got.source["Hits"], `"_`, "only the columns that the hunt promises")
}

// A feed may come from anywhere: what stands in it is text, looked up and compared, never run.
func (s *EngineSuite) TestAHostileFeedDoesNoHarm() {
	header := "key,kind,ioc,ioc_type,regex,ports,malware,threat_type,confidence,first_seen,last_seen,id,iocs,compromised\n"
	row := func(key, kind, regex, malware string) string {
		return key + "," + kind + ",x,domain," + regex + ",," + malware + ",botnet_cc,90,2026-11-01T00:00:00Z,,1,1,false\n"
	}
	feed := s.writeGzip("feed.csv.gz", header+
		row("c2.bad-domain.example", "domain", "(((", "Broken regex")+
		row("203.0.113.7", "ip", ".*", strings.Repeat("M", 1<<17))+
		row("93.184.215.14", "ip", `^203\.0\.113\.7$`, "Another's regex"))
	got := s.huntThatMayFail(feed, s.edgeLog(), nil)
	for _, hit := range s.hits(got) {
		s.Equal("203.0.113.7", hit["Observable"], "only where both key and regex agree")
	}
	s.NotEmpty(s.hits(got))

	quoted := s.writeGzip("quoted.csv.gz", header+row("203.0.113.7", "ip", ".*", "x")+row(`"c2.bad-domain.example"`, "domain", ".*", "x"))
	s.Contains(s.huntThatMayFail(quoted, s.edgeLog(), nil).logs, "has a key in quotation marks, which cannot be looked up")
}

// The loop over a log's events runs in a scope of its own, where the limits of a collection are not known: they count the rows that leave it.
func (s *EngineSuite) TestEveryHundredthEventLeavesTheLoopForTheLimitsOfACollection() {
	rows := s.query(`
LET _ <= import(artifact="Generic.ThreatFox.Rules")
LET _ <= import(artifact="Generic.ThreatFox.Feed")
LET _ <= import(artifact="Generic.ThreatFox.Match")
LET _ <= import(artifact="Generic.ThreatFox.Logs")
LET Logs <= LogsAt(Names=[], Folder="", Globs=Log, Accessor="auto", After="", Before="")
SELECT System.EventRecordID AS Record
FROM EventsToRead(Log=items(item=Logs)[0]._value, Feed=SearchFor(Feed=dict(Name="none", Keys=dict()), MinStrength="weak", IgnoreRegex=""))
WHERE System.EventRecordID`,
		ordereddict.NewDict().Set("Log", sample(s.T(), "evtx/sysmon-omerbenamram-2017.evtx")))
	s.Regexp(`^(\{"Record":[0-9]*00\}\n)+$`, rows)
}
