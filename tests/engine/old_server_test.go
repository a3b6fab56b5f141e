package engine

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/Velocidex/ordereddict"
	"www.velocidex.com/golang/vfilter"

	vql_subsystem "www.velocidex.com/golang/velociraptor/vql"
	"www.velocidex.com/golang/velociraptor/vql/server/hunts"
)

// oldHunts is hunts() as servers before 0.77 have it: without summary.
type oldHunts struct{ hunts.HuntsPlugin }

func (o oldHunts) Call(ctx context.Context, scope vfilter.Scope, args *ordereddict.Dict) <-chan vfilter.Row {
	if _, pres := args.Get("summary"); pres {
		scope.Log("hunts: Unexpected arg summary")
		none := make(chan vfilter.Row)
		close(none)
		return none
	}
	return o.HuntsPlugin.Call(ctx, scope, args)
}

func (o oldHunts) Info(scope vfilter.Scope, types *vfilter.TypeMap) *vfilter.PluginInfo {
	info := o.HuntsPlugin.Info(scope, types)
	info.Version = 0
	return info
}

// oldHunt is hunt() as servers before 0.77 have it: without tags.
type oldHunt struct{ vfilter.FunctionInterface }

func (o oldHunt) Call(ctx context.Context, scope vfilter.Scope, args *ordereddict.Dict) vfilter.Any {
	if _, pres := args.Get("tags"); pres {
		scope.Log("hunt: Unexpected arg tags")
		return vfilter.Null{}
	}
	return o.FunctionInterface.Call(ctx, scope, args)
}

// Copy keeps the engine from making an empty one.
func (o oldHunt) Copy() vfilter.FunctionInterface { return o }

// asBefore077 has hunts() and hunt() as servers of 0.74 to 0.76 have them, until the test ends.
func (s *EngineSuite) asBefore077() {
	var logs bytes.Buffer
	scope := s.scopeOf("admin", nil, &logs)
	defer scope.Close()
	hunt, pres := scope.GetFunction("hunt")
	s.Require().True(pres)
	vql_subsystem.OverridePlugin(oldHunts{})
	vql_subsystem.OverrideFunction(oldHunt{hunt})
	s.T().Cleanup(func() {
		vql_subsystem.OverridePlugin(hunts.HuntsPlugin{})
		vql_subsystem.OverrideFunction(hunt)
	})
}

// On such servers hunts(summary=TRUE) says nothing, and the feeds of open hunts were deleted.
func (s *EngineSuite) TestAServerBefore077KeepsTheFeedsOfOpenHunts() {
	s.asBefore077()
	s.publishHelper()
	daysAgo := func(days int) string { return fmt.Sprintf("1.0.%d", time.Now().Unix()-int64(days)*86400) }
	versions := []string{daysAgo(30), daysAgo(20), daysAgo(10)}
	var pinned string
	for i, version := range versions {
		s.publish("ThreatFoxFeed", s.normalize(s.writeExport([][2]string{{"domain", fmt.Sprintf("c2-%d.bad-domain.example", i)}})), version)
		if i == 1 {
			pinned = s.launchHunt()
		}
	}

	row := s.mustRefresh(s.serveThreatfox(iocs([2]string{"domain", "new.bad-domain.example"})), map[string]string{"KeepDays": "7"})

	s.Equal(versions[:1], row.Deleted)
	s.Equal(s.versions("ThreatFoxFeed")[versions[1]], s.feedOfHunt(pinned))
}

func (s *EngineSuite) TestTheMonitorOfAServerBefore077KnowsItsHuntsByTheirDescription() {
	s.asBefore077()
	s.publishHelper()
	exports := s.serveExports(threeSources)
	params := map[string]string{"LaunchHunt": "Y", "Source": "full"}

	rows, _ := s.monitorExports(exports, 1, params)
	s.NotEmpty(rows[0].HuntId)
	exports.answer = func(string) (int, string) { return 200, csvExport(domains(0, 110), time.Now()) }
	rows, _ = s.monitorExports(exports, 1, params)
	s.Equal("published", rows[0].Status)
	s.Empty(rows[0].HuntId, "the last one is open")
	s.stopHunts()
	rows, _ = s.monitorExports(exports, 1, params)
	s.NotEmpty(rows[0].HuntId)
	s.Len(s.rowsOf(s.query(`SELECT hunt_id FROM hunts()`, nil)), 2)
}
