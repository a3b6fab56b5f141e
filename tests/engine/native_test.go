package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const nativeHunt = "Windows.Detection.ThreatFox.Native"

// helperVersion counts the helpers that tests publish: a version's file stays what it is.
var helperVersion int

// native publishes a feed and a helper and runs the Native hunt as a client does, here on Linux.
func (s *EngineSuite) native(helper, feed, evtx string, more map[string]string) collection {
	s.T().Helper()
	s.declareLinuxHelper()
	s.publishHelperFor("linux", helper)
	return s.nativeAsItIs(helper, feed, evtx, more)
}

// nativeAsItIs runs the Native hunt where the server has the helper for Windows alone.
func (s *EngineSuite) nativeAsItIs(helper, feed, evtx string, more map[string]string) collection {
	s.T().Helper()
	s.servePublic()
	s.publish("ThreatFoxFeed", feed, "1.0.1")
	s.publishHelperFor("windows", helper)
	params := map[string]string{"EvtxGlob": evtx, "MinStrength": "weak", "DownloadDelay": "0"}
	for name, value := range more {
		params[name] = value
	}
	return s.collect(nativeHunt, params)
}

func (s *EngineSuite) publishHelperFor(system, helper string) {
	helperVersion++
	s.publish("ThreatFoxHelper_"+system+"_amd64", helper, fmt.Sprintf("0.1.%d", helperVersion))
}

// declareLinuxHelper makes of the Native hunt what docs/native.md says for Linux.
func (s *EngineSuite) declareLinuxHelper() {
	text, err := os.ReadFile("../../artifacts/Windows/Detection/ThreatFox/Native.yaml")
	s.Require().NoError(err)
	s.LoadArtifacts(strings.Replace(string(text), "\ntools:\n", "\ntools:\n  - name: ThreatFoxHelper_linux_amd64\n    filename: threatfox\n", 1))
}

// script is a helper that a test makes up. It may call the real one as $HELPER.
func (s *EngineSuite) script(lines string) string {
	path := filepath.Join(s.tempDir(), "threatfox")
	text := "#!/bin/sh\nHELPER=" + s.helper() + "\n" + lines + "\n"
	s.Require().NoError(os.WriteFile(path, []byte(text), 0o700))
	return path
}

// knownFeed is a feed of every public address, name and hash of the real logs.
func (s *EngineSuite) knownFeed() string {
	var indicators [][2]string
	for _, row := range s.readTable("evtx/known-values.csv") {
		value := row["value"]
		kind := row["kind"][strings.Index(row["kind"], "_")+1:]
		switch kind {
		case "md5", "sha1", "sha256":
			indicators = append(indicators, [2]string{kind, value})
		case "dst_ip_public", "src_ip_public", "result_ip_public":
			if strings.Contains(value, ":") {
				indicators = append(indicators, [2]string{"ipv6", value})
			} else {
				indicators = append(indicators, [2]string{"ip:port", value + ":443"})
			}
		case "hosturl":
			indicators = append(indicators, [2]string{"url", value})
		case "query", "dst_hostname", "result_type5":
			indicators = append(indicators, [2]string{"domain", value})
		}
	}
	return s.normalize(s.writeExport(indicators))
}

var damagedPart = regexp.MustCompile(`searched, but \d+ chunks and \d+ records are damaged, and `)

func (s *EngineSuite) TestTheNativeHuntHasTheHitsOfTheHuntRowForRow() {
	feeds := map[string]string{"edge": s.edgeFeed(), "known": s.knownFeed()}
	exports, err := filepath.Glob(sample(s.T(), "threatfox/*-*"))
	s.Require().NoError(err)
	for _, export := range exports {
		feeds[filepath.Base(export)] = s.normalize(export)
	}
	logs, err := filepath.Glob(sample(s.T(), "evtx/*.evtx"))
	s.Require().NoError(err)
	all := sample(s.T(), "evtx/*.evtx")
	hits := map[string]int{}
	for name, feed := range feeds {
		more := map[string]string{"FeedFile": feed}
		want := s.huntThatMayFail(feed, all, more)
		got := s.native(s.helper(), feed, all, more)

		s.NotContains(got.logs, "did not read", name)
		s.NotRegexp(badLog, got.logs, name)
		s.Equal(want.failed, got.failed, name)
		hits[name] = strings.Count(want.source["Hits"], "\n")
		for _, log := range logs {
			s.ElementsMatch(linesOf(want.source["Hits"], log), linesOf(got.source["Hits"], log), name)
		}
		s.ElementsMatch(strings.Split(want.source["Summary"], "\n"), strings.Split(got.source["Summary"], "\n"), name)
		// What is damaged the helper alone can say: parse_evtx passes over it.
		covered := slices.Clone(s.coverage(got))
		for i, line := range covered {
			covered[i] = damagedPart.ReplaceAllString(line, "searched, but ")
		}
		s.Equal(s.coverage(want), covered, name)
	}
	s.Len(hits, 5)
	s.Greater(hits["edge"], 40)
	s.Greater(hits["known"], 1000)
}

// linesOf are the rows of a log.
func linesOf(rows, log string) (found []string) {
	for _, row := range strings.Split(rows, "\n") {
		if strings.Contains(row, `"LogFile":`+quoted(log)) {
			found = append(found, row)
		}
	}
	return found
}

// coverage is what a hunt searched, without its times: VQL tells the last to the minute.
func (s *EngineSuite) coverage(got collection) (logs []string) {
	for _, row := range s.rowsOf(got.source["Coverage"]) {
		logs = append(logs, fmt.Sprint(row["LogFile"], row["EventsById"], row["Connections"], row["Queries"],
			row["Place"], row["FeedVersion"], row["FeedKeys"], row["Status"]))
	}
	slices.Sort(logs) // of one log VQL tells the providers in the rules' order, the helper by their names
	return logs
}

func (s *EngineSuite) TestWhereTheHelperFailsTheNativeHuntReadsWithVqlOnceAndSaysSo() {
	want := s.hunt(s.edgeFeed(), s.edgeLog(), nil)
	for name, test := range map[string]struct{ helper, says string }{
		"blocked": {s.edgeLog(), "exec format error"},
		"killed in the middle": {s.script(`for a; do [ "$before" = --output ] && echo '{"half' >"$a"; before=$a; done; kill -9 $$`),
			"it ended with code -1 and said nothing"},
		"another version": {s.script(`echo "unexpected argument '--met'" >&2; exit 2`), "unknown argument"},
		"one log unread":  {s.script(`"$HELPER" "$@" | sed 's/"error":null/"error":"x.evtx is locked"/'`), "x.evtx is locked"},
	} {
		got := s.native(test.helper, s.edgeFeed(), s.edgeLog(), nil)
		s.Empty(got.failed, name)
		s.Contains(got.logs, test.says, name)
		s.Contains(got.logs, "so VQL does", name)
		s.Equal(want.source["Hits"], got.source["Hits"], name)
	}
}

func (s *EngineSuite) TestWithoutAHelperForTheSystemTheNativeHuntIsLaunchedAndReadsWithVql() {
	want := s.hunt(s.edgeFeed(), s.edgeLog(), nil)
	got := s.nativeAsItIs(s.helper(), s.edgeFeed(), s.edgeLog(), nil)
	s.Empty(got.failed)
	s.Contains(got.logs, "so VQL does: its tool cannot be had on this system")
	s.Equal(want.source["Hits"], got.source["Hits"])
}

func (s *EngineSuite) TestTheNativeHuntReadsTheDNSCacheAndTheConnectionsOnce() {
	s.rememberConnections()
	for name, helper := range map[string]string{"read by the helper": s.helper(), "blocked": s.edgeLog()} {
		got := s.native(helper, s.edgeFeed(), s.edgeLog(), nil)
		s.Equal(1, strings.Count(got.logs, "reading the DNS cache"), name)
		s.Equal(1, strings.Count(got.logs, "reading the connections"), name)
		s.Len(linesOf(got.source["Hits"], "DNS client cache"), 2, name)
		s.Len(linesOf(got.source["Hits"], "open connections"), 2, name)
	}
}

func (s *EngineSuite) TestTheNativeHuntTakesTheParametersOfTheHunt() {
	for _, more := range []map[string]string{
		{"MinStrength": "medium"},
		{"IgnoreRegex": `^203\.0\.113\.7`},
		{"DateAfter": "2026-11-18T08:01:00Z", "DateBefore": "2026-11-18T08:05:00Z"},
		{"Kinds": `["ip","url"]`},
		{"MalwareRegex": "Sliver"},
		{"MinConfidence": "101"},
		{"MaxHitsPerIndicator": "1"},
	} {
		want := s.huntThatMayFail(s.edgeFeed(), s.edgeLog(), more)
		got := s.native(s.helper(), s.edgeFeed(), s.edgeLog(), more)
		s.Equal(want.source["Hits"], got.source["Hits"], more)
		s.Equal(want.failed, got.failed, more)
	}
}

// The parameters stand in both artifacts: VQL has no way to share them.
func (s *EngineSuite) TestBothHuntsAskForTheSame() {
	asked := func(name string) map[string]string {
		definition, known := s.repository().Get(s.Ctx, s.ConfigObj, name)
		s.Require().True(known)
		parameters := map[string]string{}
		for _, p := range definition.Parameters {
			parameters[p.Name] = fmt.Sprint(p.Type, p.Default, p.Choices, p.Description)
		}
		delete(parameters, "MaxCpu") // the helper's
		return parameters
	}
	s.Equal(asked(hunt), asked(nativeHunt))
}

func (s *EngineSuite) TestANativeHuntThatSearchedNothingFailsAsTheHuntDoes() {
	for _, test := range []struct{ evtx, feed string }{
		{filepath.Join(s.tempDir(), "*.evtx"), ""},
		{sample(s.T(), "evtx/not-sysmon-security-1-record.evtx"), ""},
		{s.edgeLog(), "/does/not/exist.csv"},
	} {
		more := map[string]string{"FeedFile": test.feed}
		want := s.huntThatMayFail(s.edgeFeed(), test.evtx, more)
		s.NotEmpty(want.failed, test.evtx)
		s.Equal(want.failed, s.native(s.helper(), s.edgeFeed(), test.evtx, more).failed, test.evtx)
	}
}
