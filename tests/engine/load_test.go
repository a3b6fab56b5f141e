package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	actions_proto "www.velocidex.com/golang/velociraptor/actions/proto"
)

// load is how many events with a hit a log has: a tenth of the whole, which LOAD=1 asks for.
func load() int {
	if os.Getenv("LOAD") != "" {
		return 100_000
	}
	return 10_000
}

// spread is the n-th of many addresses.
func spread(n int) string { return fmt.Sprintf("5.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// loadedLog has a connection in each event: a quarter to one indicator, a quarter to another, and the rest each to an indicator of
// its own. They come in turn.
func (s *EngineSuite) loadedLog(events int) string {
	var lines bytes.Buffer
	write := json.NewEncoder(&lines)
	start := time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)
	for n := range events {
		ip := []string{"203.0.113.7", spread(n), "203.0.113.8", spread(n)}[n%4]
		s.Require().NoError(write.Encode(map[string]any{
			"EventID": 3, "TimeCreated": start.Add(time.Duration(n) * time.Second).Format("2006-01-02T15:04:05.000Z"),
			"EventData": map[string]any{"RuleName": "-", "Image": `C:\evil.exe`, "User": "SYSTEM", "ProcessId": "7", "Protocol": "tcp", "Initiated": "true",
				"SourceIsIpv6": "false", "SourceIp": "10.1.1.1", "SourcePort": "50000", "DestinationIsIpv6": "false", "DestinationIp": ip,
				"DestinationHostname": "-", "DestinationPort": "443"},
		}))
	}
	path := filepath.Join(s.T().TempDir(), "load.jsonl")
	s.Require().NoError(os.WriteFile(path, lines.Bytes(), 0o600))
	return s.makeLog("make_evtx.py", path)
}

// loadedFeed is a feed of all that loadedLog connects to; unrelated, of as many addresses that it does not.
func (s *EngineSuite) loadedFeed(events int) (related, unrelated string) {
	all := [][2]string{{"ip:port", "203.0.113.7:443"}, {"ip:port", "203.0.113.8:443"}}
	others := slices.Clone(all[:0])
	for n := 1; n < events; n += 2 {
		all = append(all, [2]string{"ip:port", spread(n) + ":443"})
		others = append(others, [2]string{"ip:port", "9" + spread(n)[1:] + ":443"})
	}
	return s.normalize(s.writeExport(all)), s.normalize(s.writeExport(others))
}

// measured is what a hunt gives, and what it takes: of the processor, since others may use it too.
func (s *EngineSuite) measured(name, feed, log string) (got collection, seconds, mebibytes float64) {
	clearPeak()
	before, start, cpu := peakMiB(), time.Now(), cpuSeconds()
	got = s.hunt(feed, log, map[string]string{"MinStrength": "medium"})
	seconds, mebibytes = cpuSeconds()-cpu, peakMiB()
	fmt.Printf("load: %-16s %6.1f s, %.1f s of processor, peak %.0f MiB (%.0f before)\n", name, time.Since(start).Seconds(), seconds, mebibytes, before)
	return got, seconds, mebibytes
}

// A tenth by default; LOAD=1 runs the whole: 25,000 connections to each of two indicators, and 50,000 others in as many events.
func (s *EngineSuite) TestTensOfThousandsOfHitsAreCountedExactlyAndTheirRowsAreBounded() {
	s.Ctx = context.Background() // the suite's ends after 60 s
	events := load()
	log := s.loadedLog(events)
	related, unrelated := s.loadedFeed(events)
	_, without, memory := s.measured("without hits", unrelated, log)
	got, with, more := s.measured("with hits", related, log)

	counts, found := map[string]int{}, map[int]int{}
	for _, row := range s.hits(collection{source: map[string]string{"Hits": got.source["Summary"]}}) {
		counts[fmt.Sprint(row["IOC"])] += int(row["Count"].(float64))
		found[int(row["Count"].(float64))]++
	}
	s.Equal(events/4, counts["203.0.113.7:443"])
	s.Equal(events/4, counts["203.0.113.8:443"])
	s.Equal(map[int]int{events / 4: 2, 1: events / 2}, found)

	rows, seen := map[string]int{}, map[string]bool{}
	for _, hit := range s.hits(got) {
		rows[fmt.Sprint(hit["IOC"])]++
		seen[fmt.Sprint(hit["RecordID"], hit["IOC"])] = true
	}
	s.Equal(min(1000, events/4), rows["203.0.113.7:443"])
	s.Equal(min(1000, events/4), rows["203.0.113.8:443"])
	s.Len(rows, events/2+2)
	s.Len(seen, 2*min(1000, events/4)+events/2, "no row is there twice")
	s.Equal(len(seen), strings.Count(got.source["Hits"], "\n"))

	for _, line := range strings.Split(got.logs, "\n") {
		s.Less(len(line), 10_000, "a line of the log")
	}
	coverage := s.hits(collection{source: map[string]string{"Hits": got.source["Coverage"]}})
	s.Require().Len(coverage, 1)
	s.Equal(map[string]any{"3": float64(events)}, coverage[0]["EventsById"])
	s.Equal("2026-11-10T00:00:00Z", coverage[0]["Earliest"])
	// Alarms for what makes it much slower: a tenth takes some ten times the processor time without hits, and three times is what we want. The whole
	// takes twenty times and 570 MiB more: with LOAD=1 they go off.
	s.Less(with, 12*without, "seconds of processor with hits, by those without")
	s.Less(more, memory+300, "MiB with hits, by those without: the rows that the test itself keeps are some of them")
}

// What was found until a collection runs out of time is there, and the log says how far the search came.
func (s *EngineSuite) TestASearchThatRunsOutOfTimeKeepsWhatItFound() {
	if os.Getenv("LOAD") == "" {
		s.T().Skip("it goes by the clock, which a busy machine upsets: LOAD=1 runs it")
	}
	log := s.loadedLog(40_000)
	var indicators [][2]string
	for n := 1; n < 40_000; n += 40 {
		indicators = append(indicators, [2]string{"ip:port", spread(n) + ":443"})
	}
	feed := s.normalize(s.writeExport(indicators))
	s.servePublic()
	s.publish("ThreatFoxFeed", feed, "1.0.1")
	compiled := s.compile(hunt, map[string]string{"EvtxGlob": log, "DownloadDelay": "0"})
	start := time.Now()
	whole := s.runOnClient(compiled)
	taken := time.Since(start)

	for name, stopped := range map[string]func() collection{
		"by its timeout": func() collection {
			timed := slices.Clone(compiled)
			for i, query := range timed {
				copied := &actions_proto.VQLCollectorArgs{Env: query.Env, Query: query.Query, Artifacts: query.Artifacts, Tools: query.Tools,
					MaxRow: query.MaxRow, MaxWait: 1, Timeout: max(1, uint64(taken.Seconds()*0.6))}
				timed[i] = copied
			}
			return s.runOnClient(timed)
		},
		"by the server": func() collection {
			ctx, cancel := context.WithTimeout(context.Background(), taken*6/10)
			defer cancel()
			return s.runOnClientUntil(ctx, compiled)
		},
	} {
		got := stopped()
		all, some := strings.Count(whole.source["Hits"], "\n"), strings.Count(got.source["Hits"], "\n")
		fmt.Printf("load: stopped %s after %.1f s of %.1f: %d of %d rows\n", name, taken.Seconds()*0.6, taken.Seconds(), some, all)
		s.Greater(some, all/20, name)
		s.Less(some, all, name)
		s.True(strings.HasPrefix(whole.source["Hits"], got.source["Hits"]), name)
		s.Regexp(`: searched up to record [123]0000, of 2026-11-10`, got.logs, name)
	}
}
