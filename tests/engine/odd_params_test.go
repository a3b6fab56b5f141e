package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"
)

// hitsOfBoth are how many hits the two hunts find, which has to be the same.
func (s *EngineSuite) hitsOfBoth(feed, evtx string, more map[string]string) int {
	s.T().Helper()
	vql, native := s.huntThatMayFail(feed, evtx, more), s.native(s.helper(), feed, evtx, more)
	s.Equal(len(s.hits(vql)), len(s.hits(native)), "VQL and Native: %v: %s %s", more, vql.failed, native.failed)
	return len(s.hits(vql))
}

func (s *EngineSuite) TestDatesMayHaveFractionsAndMayBeFarAway() {
	events := []map[string]any{}
	for n := range 6 {
		events = append(events, connection(1+n, time.Date(2026, 11, 18, 8, 0, 7, n*190_000_000, time.UTC), "203.0.113.7"))
	}
	log := s.growingLogOf("make_evtx.py", events...)
	log.show(s, len(log.chunks))
	feed := s.normalize(s.writeExport([][2]string{theIndicator}))

	for _, c := range []struct {
		after, before string
		want          int
	}{
		{"", "2026-11-18T08:00:07.500Z", 3}, {"2026-11-18T08:00:07.500Z", "", 3}, {"2026-11-18T08:00:06.9Z", "2026-11-18T08:00:07.5Z", 3},
		{"2026-11-18T08:00:07Z", "2026-11-18T08:00:07.5Z", 3}, {"2026-11-18T08:00:07.5Z", "2026-11-18T08:00:07Z", 0},
		{"", "2262-04-12T00:00:00Z", 6}, {"", "9999-12-31T23:59:59Z", 6}, {"1601-01-01T00:00:00Z", "", 6}, {"3000-01-01T00:00:00Z", "", 0},
	} {
		more := map[string]string{"DateAfter": c.after, "DateBefore": c.before, "SearchProcesses": "N"}
		s.Equal(c.want, s.hitsOfBoth(feed, log.path, more), "%v", c)
	}
}

// PowerShell and table programs put a byte-order mark in front of what they save.
func (s *EngineSuite) TestAFeedWithAByteOrderMarkIsReadByBothHunts() {
	feed := filepath.Join(s.T().TempDir(), "feed.csv")
	s.Require().NoError(os.WriteFile(feed, append([]byte("\ufeff"), unpacked([]byte(s.read(s.edgeFeed())))...), 0o600))
	s.Equal(len(s.hits(s.hunt(s.edgeFeed(), s.edgeLog(), nil))), s.hitsOfBoth(s.edgeFeed(), s.edgeLog(), map[string]string{"FeedFile": feed}))
}

func (s *EngineSuite) TestTheFolderOfTheLogsIsNoPattern() {
	log, parent := []byte(s.read(s.edgeLog())), s.tempDir()
	for _, name := range []string{"h[1]", "h1", "[2026] ACME", "{a,b}", "a", "50% of all"} {
		s.Require().NoError(os.Mkdir(filepath.Join(parent, name), 0o700))
		s.Require().NoError(os.WriteFile(filepath.Join(parent, name, "Microsoft-Windows-Sysmon%4Operational.evtx"), log, 0o600))
	}
	for _, name := range []string{"h[1]", "[2026] ACME", "{a,b}", "50% of all"} {
		folder := filepath.Join(parent, name)
		more := map[string]string{"EvtxGlob": "", "LogFolder": folder}
		s.Equal(47, s.hitsOfBoth(s.edgeFeed(), "", more), name)
		for _, hit := range s.hits(s.hunt(s.edgeFeed(), "", more)) {
			s.Equal(folder, filepath.Dir(fmt.Sprint(hit["LogFile"])))
		}
	}
}

func (s *EngineSuite) TestParametersThatMakeNoSenseAreSaid() {
	for name, value := range map[string]string{"Kinds": `["IP", "domain"]`, "IgnoreRegex": "(unclosed", "MinStrength": "high"} {
		s.Contains(s.huntThatMayFail(s.edgeFeed(), s.edgeLog(), map[string]string{name: value}).logs, `"level":"WARN","message":"`+name, name)
	}
	for _, limit := range []string{"0", "-5", ""} {
		s.Equal(47, s.hitsOfBoth(s.edgeFeed(), s.edgeLog(), map[string]string{"MaxHitsPerIndicator": limit}), limit)
	}
}

func (s *EngineSuite) TestALookUpTakesTheSpellingsThatTheHelperTakes() {
	values := []string{"c2.bad-domain.example:443", "203.0.113.7:", "203.0.113.7:04443", "[2001:db8::7]", "[2001:db8::7]:0", "c2{.}bad-domain{dot}example", "*.c2.bad-domain.example"}
	s.publishEdgeFeed()
	got := map[string]string{}
	for _, row := range s.rowsOf(s.query(`SELECT * FROM Artifact.Server.Enrichment.ThreatFox(LookIn="feed", IOC=Values)`, ordereddict.NewDict().Set("Values", values))) {
		got[row["Value"]] = row["ioc"]
	}
	said, err := exec.Command(s.helper(), append([]string{"match", "--format", "jsonl", "--feed", s.edgeFeed()}, values...)...).Output()
	s.Require().NoError(err)
	want := map[string]string{}
	for _, row := range s.rowsOf(string(said)) {
		want[row["value"]] = row["ioc"]
	}
	s.Equal(want, got)
	s.Len(got, len(values), strings.Join(values, " "))
}
