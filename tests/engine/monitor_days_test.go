package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Velocidex/ordereddict"
	"www.velocidex.com/golang/vfilter"

	velo_json "www.velocidex.com/golang/velociraptor/json"
	"www.velocidex.com/golang/velociraptor/utils"
	vql_subsystem "www.velocidex.com/golang/velociraptor/vql"
)

// days is a clock that is some days ahead, for now() and for the engine's services.
type days struct {
	mu    sync.Mutex
	ahead time.Duration
	real  vfilter.FunctionInterface
}

func (d *days) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.ahead)
}

func (d *days) Call(context.Context, vfilter.Scope, *ordereddict.Dict) vfilter.Any {
	return d.now().Unix()
}

func (d *days) Info(scope vfilter.Scope, types *vfilter.TypeMap) *vfilter.FunctionInfo {
	return d.real.Info(scope, types)
}

// Copy keeps the engine from making an empty one.
func (d *days) Copy() vfilter.FunctionInterface { return d }

// next is the same time of the day after, and a minute.
func (d *days) next() {
	d.mu.Lock()
	d.ahead += 24*time.Hour + time.Minute
	ahead := d.ahead
	d.mu.Unlock()
	utils.MockTime(&utils.RealClockWithOffset{Duration: ahead})
}

// setBack is the real time again.
func (d *days) setBack() {
	d.mu.Lock()
	d.ahead = 0
	d.mu.Unlock()
	utils.MockTime(&utils.RealClockWithOffset{})
}

// simulateDays puts a clock of days in the place of the real one until the test ends.
func (s *EngineSuite) simulateDays() *days {
	var logs bytes.Buffer
	scope := s.scopeOf("admin", nil, &logs)
	defer scope.Close()
	now, pres := scope.GetFunction("now")
	s.Require().True(pres)
	clock := &days{real: now}
	vql_subsystem.OverrideFunction(clock)
	restore := utils.MockTime(&utils.RealClockWithOffset{})
	s.T().Cleanup(func() {
		vql_subsystem.OverrideFunction(now)
		restore()
	})
	return clock
}

// running is a monitor in the background.
type running struct {
	rows chan monitored
	logs *bytes.Buffer // once rows is closed
	stop func()
}

// startMonitor runs Server.Monitor.ThreatFox as the server does, without pause, until it is stopped.
func (s *EngineSuite) startMonitor(params *ordereddict.Dict) *running {
	ctx, cancel := context.WithCancel(context.Background())
	run := &running{rows: make(chan monitored, 100), logs: &bytes.Buffer{}, stop: cancel}
	scope := s.scopeOf("VelociraptorServer", ordereddict.NewDict().Set("Params", params), run.logs)
	vql, err := vfilter.Parse("SELECT * FROM Artifact.Server.Monitor.ThreatFox(`**`=Params)")
	s.Require().NoError(err)
	go func() {
		defer close(run.rows)
		defer scope.Close()
		for row := range vql.Eval(ctx, scope) {
			var event monitored
			_ = json.Unmarshal([]byte(velo_json.MustMarshalString(vfilter.RowToDict(ctx, scope, row))), &event)
			run.rows <- event
		}
	}()
	return run
}

// end stops a monitor and returns the rows that were not read yet.
func (r *running) end() (rows []monitored) {
	r.stop()
	for row := range r.rows {
		rows = append(rows, row)
	}
	return rows
}

// The way that docs/install.md and docs/server.md describe, for two weeks: full by hand, then the monitor with its defaults. The
// export grows; two days it cannot be had; one day it has lost most of its data; once the server is started anew in mid-refresh.
func (s *EngineSuite) TestTheMonitorRunsForTwoWeeksByItself() {
	clock := s.simulateDays()
	s.publishHelper()
	day, again := 0, false
	hanging, release := make(chan bool), make(chan bool)
	exports := s.serveExports(func(path string) (int, string) {
		s.Equal("csv/full/", path)
		if again {
			again = false
		} else {
			day++
			clock.next()
			if day == 6 {
				again = true
				hanging <- true
				<-release
				return http.StatusOK, "# half an export"
			}
		}
		switch day {
		case 4, 5:
			return http.StatusOK, "<html><title>Sign in</title></html>"
		case 10:
			return http.StatusOK, csvExport(domains(0, 60), time.Now())
		case 1, 2:
			return http.StatusOK, csvExport(domains(0, 100), time.Now())
		default:
			return http.StatusOK, csvExport(domains(0, 100+10*day), time.Now())
		}
	})
	first, _ := s.refreshFrom(exports, map[string]string{"Source": "full"})
	s.Require().Equal("published", first.Status)

	params := ordereddict.NewDict().Set("RefreshMinutes", "0.001").Set("JitterSeconds", "0").Set("AlertAfter", "2").
		Set("ExportURL", exports.URL).Set("LaunchHunt", "Y")
	started := s.startMonitor(params)
	<-hanging
	rows := started.end()
	close(release)
	anew := s.startMonitor(params)
	for len(rows) < 13 {
		row, ok := <-anew.rows
		s.Require().True(ok, anew.logs.String())
		rows = append(rows, row)
	}
	anew.end()

	var statuses, messages []string
	for _, row := range rows[:13] {
		statuses, messages = append(statuses, row.Status), append(messages, row.Message)
	}
	s.Equal([]string{"unchanged", "published", "failed", "failed", "published", "published", "published", "published", "refused",
		"published", "published", "published", "published"}, statuses, messages)
	logs := started.logs.String() + anew.logs.String()
	s.Equal(1, strings.Count(logs, "The feed of ThreatFox is not refreshed"), "two days in a row, once")
	s.NotContains(logs, "panic")
	s.Equal("full", rows[12].FeedSource)
	s.Equal(240, rows[12].Keys)
	s.dailyHunts(rows[:13])
	left, err := filepath.Glob(filepath.Join(s.serverFolder(), "new-*"))
	s.Require().NoError(err)
	s.Empty(left, "what the restart cut off is cleaned up")
}

// dailyHunts looks at the hunts of such a monitor: one for each new feed, of which the first looks at all events.
func (s *EngineSuite) dailyHunts(rows []monitored) {
	launched := map[string]bool{}
	for _, row := range rows {
		if row.HuntId != "" {
			launched[row.HuntId] = true
		}
	}
	hunts := s.rowsOf(s.query(`
SELECT hunt_id, hunt_description, int(int=create_time) / 1000000 AS Created, int(int=expires) / 1000000 AS Expires
FROM hunts() ORDER BY Created`, nil))
	s.Len(hunts, len(launched), "no hunt but those in the monitor's rows")
	s.Len(hunts, 10, "one for the first feed, and one for each published since")
	for i, hunt := range hunts {
		spec := s.specOf(hunt["hunt_id"])
		if i == 0 {
			s.NotContains(spec, "DateAfter", "the first looks at all")
			s.NotContains(spec, "events since")
			continue
		}
		before := hunts[i-1]
		s.Less(s.number(before["Expires"]), s.number(hunt["Created"]), "two are never open at a time")
		found := regexp.MustCompile(`"key":"DateAfter","value":"([^"]+)"`).FindStringSubmatch(spec)
		s.Require().Len(found, 2, spec)
		after, err := time.Parse(time.RFC3339, found[1])
		s.Require().NoError(err)
		s.InDelta(s.number(before["Created"])-7*86400, float64(after.Unix()), 5, "from the hunt before, and a week more")
		s.Contains(hunt["hunt_description"], "ThreatFox (full), events since "+after.Format(time.DateOnly))
	}
}

func (s *EngineSuite) number(text string) float64 {
	number, err := strconv.ParseFloat(text, 64)
	s.Require().NoError(err)
	return number
}

func (s *EngineSuite) TestAHuntLooksAtAllEventsAgainAfterHuntAllDays() {
	clock := s.simulateDays()
	s.publishHelper()
	day := 0
	exports := s.serveExports(func(string) (int, string) { return http.StatusOK, csvExport(domains(0, 100+day), time.Now()) })
	hunt := func(days int, more map[string]string) string {
		for range days {
			clock.next()
		}
		day++
		params := map[string]string{"LaunchHunt": "Y", "Source": "full"}
		for name, value := range more {
			params[name] = value
		}
		rows, logs := s.monitorExports(exports, 1, params)
		s.Require().NotEmpty(rows[0].HuntId, logs)
		return s.specOf(rows[0].HuntId)
	}

	s.NotContains(hunt(0, nil), "DateAfter", "the first")
	s.Contains(hunt(20, nil), "DateAfter")
	s.NotContains(hunt(11, nil), "DateAfter", "31 days after the first")
	s.Contains(hunt(29, nil), "DateAfter")
	s.NotContains(hunt(1, map[string]string{"HuntOverlapDays": "0"}), "DateAfter", "each looks at all")
	s.Contains(hunt(40, map[string]string{"HuntAllDays": "0"}), "DateAfter", "never again")
}
