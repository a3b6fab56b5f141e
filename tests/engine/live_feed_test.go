package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/vtesting"
)

func (s *EngineSuite) TestANewFeedIsTakenIntoUseWithoutARestartAndABrokenOneIsNot() {
	s.Ctx = context.Background()
	s.servePublic()
	s.publishLive("1.0.1", theIndicator)
	l := s.makeGrowingLog(600, 1, "203.0.113.7", "203.0.113.8", "203.0.113.9", "5.1.1.1")
	l.show(s, 1)
	w := s.watchLive(l.path, nil)
	uses := func(version string) {
		s.T().Helper()
		vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Contains(w.logs.String(), "The feed "+version+" is in use") })
	}
	told := func(ioc string) (records []int) {
		for _, hit := range w.hits() {
			if record := 0; strings.HasSuffix(hit, ioc) {
				_, _ = fmt.Sscan(hit, &record)
				records = append(records, record)
			}
		}
		return records
	}
	uses("1.0.1")
	s.waitForAllOf(l, s.normalize(s.writeExport([][2]string{theIndicator})), w)

	s.publishLive("1.0.2", theIndicator, [2]string{"ip:port", "203.0.113.8:443"})
	uses("1.0.2")
	first := w.records(l, 1)
	l.show(s, 2)
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return len(told("203.0.113.8:443")) > 0 })

	// The file is not what the server says: cut on its way.
	s.query(`SELECT inventory_add(tool="ThreatFoxFeedState", accessor="data", file=State) FROM scope()`, ordereddict.NewDict().Set("State",
		`{"version": "1.0.3", "sha256": "`+strings.Repeat("0", 64)+`", "file": "abc"}`))
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Contains(w.logs.String(), "The feed 1.0.3 could not be downloaded whole") })
	l.show(s, 3)

	s.publishLive("1.0.4", theIndicator, [2]string{"ip:port", "203.0.113.9:443"})
	uses("1.0.4")
	l.show(s, len(l.chunks))

	all := s.want(l, s.normalize(s.writeExport([][2]string{theIndicator})))
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return len(told("203.0.113.7:443")) == len(all) })
	time.Sleep(2 * time.Second)
	s.Len(told("203.0.113.7:443"), len(all), "no hit lost")
	s.NotEmpty(told("203.0.113.9:443"))
	for _, record := range told("203.0.113.8:443") {
		s.Greater(record, first)
	}
	s.Equal(1, strings.Count(w.logs.String(), "could not be downloaded whole"))
}

// records is the last record id in the first chunks.
func (w *watch) records(l *growingLog, chunks int) int {
	return int(binary.LittleEndian.Uint64(l.chunks[chunks-1][32:])) // LastEventRecordIdentifier
}

func (s *EngineSuite) TestWithoutAFeedItWaitsSaysSoAndStartsByItself() {
	s.Ctx = context.Background()
	s.servePublic()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)
	w := s.watchLive(l.path, nil)
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Contains(w.logs.String(), "No feed yet") })
	time.Sleep(3 * time.Second)
	s.Equal(1, strings.Count(w.logs.String(), "No feed yet"), "once per hour")

	s.publishLive("1.0.1", theIndicator)
	l.show(s, 2)

	s.waitForAllOf(l, s.normalize(s.writeExport([][2]string{theIndicator})), w)
}

func (s *EngineSuite) TestALogThatAppearsLaterIsWatchedFromThenOn() {
	s.Ctx = context.Background()
	s.servePublic()
	s.publishLive("1.0.1", theIndicator)
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	w := s.watchLive(l.path, nil)
	time.Sleep(2 * time.Second)

	l.show(s, 2)

	s.waitForAllOf(l, s.normalize(s.writeExport([][2]string{theIndicator})), w)
}

func (s *EngineSuite) TestOneProcessThatCallsHomeAllDayIsOneRowPerHourAndLimitsSayWhatTheyCut() {
	s.Ctx = context.Background()
	s.servePublic()
	s.publishLive("1.0.1", theIndicator, [2]string{"ip:port", "203.0.113.8:443"}, [2]string{"ip:port", "203.0.113.9:443"})
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "203.0.113.8", "203.0.113.9")
	l.show(s, len(l.chunks))

	w := s.watchLive(l.path, map[string]string{"MaxHitsPerHour": "1", "MaxFindingsPerHour": "2", "TellMinutes": "0.1"})

	vtesting.WaitUntil(100*time.Second, s.T(), func() bool { return len(w.hits()) >= 4 })
	w.stop()
	counts := map[string]float64{}
	for _, row := range w.hitRows() {
		counts[fmt.Sprint(row["IOC"])] += row["Count"].(float64)
	}
	s.Equal(map[string]float64{"203.0.113.7:443": 100, "203.0.113.8:443": 100}, counts)
	s.Contains(w.logs.String(), "100 hits of the last hour are not told")
}

// What is only counted is told at the end of its hour, whatever stops the artifact until then, and once.
func (s *EngineSuite) TestARestartKeepsTheCountsOfItsHour() {
	s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7")
	l.show(s, len(l.chunks))
	first := s.watchLive(l.path, map[string]string{"MaxHitsPerHour": "1"})
	counted := filepath.Join(s.trusted(), "threatfox-live-counted.json")
	vtesting.WaitUntil(60*time.Second, s.T(), func() bool {
		text, _ := os.ReadFile(counted)
		return regexp.MustCompile(`"Is":\s*\[\s*300,`).Match(text)
	})
	first.stop()
	s.Len(first.hits(), 1)
	kept, err := os.ReadFile(counted)
	s.Require().NoError(err)

	second := s.watchLive(l.path, map[string]string{"MaxHitsPerHour": "1", "TellMinutes": "0.01"})
	vtesting.WaitUntil(100*time.Second, s.T(), func() bool { return len(second.hits()) > 0 })
	second.stop()

	s.Len(second.hits(), 1)
	s.Equal(299.0, second.hitRows()[0]["Count"])
	s.Equal(first.hitRows()[0]["IOC"], second.hitRows()[0]["IOC"])
	for _, odd := range []string{`7`, `{"Held":[1,"x",null],"Cut":"x","Hour":{}}`, `{"Held":{"x":{"Is":[-1,{"IOC":"x"}]},"y":{"Is":["many",7]},"z":9}}`, string(kept[:200])} {
		s.Require().NoError(os.WriteFile(counted, []byte(odd), 0o600))
		w := s.watchLive(l.path, map[string]string{"MaxHitsPerHour": "1"})
		vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Contains(w.logs.String(), "is in use") })
		w.stop()
		s.Empty(w.hits(), odd)
		s.NotRegexp(badLog, w.logs.String(), odd)
	}
}

func (s *EngineSuite) TestStatusSaysThatAHostIsWatchedAndWhatItLogs() {
	s.Ctx = context.Background()
	s.servePublic()
	s.publishLive("1.0.1", theIndicator)
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)

	w := s.watchLive(l.path, map[string]string{"StatusHours": "0.002"})

	var status map[string]any
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, row := range w.rows {
			if row["_Source"] == live+"/Status" && row["FeedKeys"] == 1.0 && strings.Contains(fmt.Sprint(row["Events"]), "3:") {
				status = row
			}
		}
		return status != nil
	})
	s.Equal("watched", status["Status"])
	s.Equal("1.0.1", status["FeedVersion"])
	s.Equal([]any{l.path}, status["Logs"])
	s.Contains(fmt.Sprint(status["Events"]), "Microsoft-Windows-Sysmon:map[3:")
	s.Greater(status["Connections"], 50.0)
	s.Equal(0.0, status["Queries"])
	s.Greater(status["MemoryMiB"], 10.0)
}

// BITS has an event 3 too: a host that logs nothing else has no connections.
func (s *EngineSuite) TestStatusCountsConnectionsAndQueriesByTheirProvider() {
	s.Equal(`{"Bits":0,"Connections":12,"Queries":9,"None":0}`+"\n", s.query(`
		LET _ <= import(artifact="Generic.ThreatFox.Live")
		LET Bits = dict(`+"`Microsoft-Windows-Bits-Client`=dict(`3`=(50, ), `22`=(50, ))"+`)
		LET Many = dict(One=Bits + dict(`+"`Microsoft-Windows-Sysmon`=dict(`3`=(7, ), `22`=(4, ))"+`),
			Two=dict(`+"`Microsoft-Windows-Security-Auditing`=dict(`5156`=(5, )), `Microsoft-Windows-DNS-Client`=dict(`3008`=(5, ))"+`))
		SELECT SeenOf(Events=dict(One=Bits), Sysmon="3", Other="5156") AS Bits, SeenOf(Events=Many, Sysmon="3", Other="5156") AS Connections,
			SeenOf(Events=Many, Sysmon="22", Other="3008") AS Queries, SeenOf(Events=NULL, Sysmon="3", Other="5156") AS None
		FROM scope()`, nil))
}

// What a client would be sent does not change with the feed: a client whose event queries change starts all of them anew.
func (s *EngineSuite) TestPublishingAFeedLeavesTheEventTableAsItIs() {
	s.servePublic()
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	table := func() string {
		text, err := json.Marshal(s.compile(live, map[string]string{}))
		s.Require().NoError(err)
		return string(text)
	}
	without := table() // a feed need not be there
	s.mustRefresh(api, nil)
	first := table()
	api.answer(iocs([2]string{"domain", "c2.bad-domain.example"}, [2]string{"domain", "c3.bad-domain.example"}))
	s.cacheExpires()
	version := s.mustRefresh(api, nil).Version
	second := table()

	s.Equal(without, first)
	s.Equal(first, second)
	s.Contains(first, "ThreatFoxFeedState_URL")
	state := s.query(`SELECT read_file(accessor="fs", filename="/public/" + filestore_path) AS Said FROM inventory() WHERE name = "ThreatFoxFeedState"`, nil)
	s.Contains(state, version)
}
