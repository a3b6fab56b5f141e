package engine

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Velocidex/ordereddict"

	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/file_store/test_utils"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/services/orgs"
)

// number is a size of the next tests: THREATFOX_CLIENTS=10000 and THREATFOX_KEYS=300000 are what is promised.
func number(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

// fleet simulates so many daily hunts over as many clients as THREATFOX_CLIENTS says, and returns the id of the newest. One client in 20 has a finding
// that all hunts meet, each with another Count (the same with THREATFOX_DIFFER=0), and one in 200 another one that only the newest does. Each client has Coverage.
func (s *EngineSuite) fleet(hunts int) (newest string, findings int) {
	clients, each, differ := number("THREATFOX_CLIENTS", 400), number("THREATFOX_EACH", 20), number("THREATFOX_DIFFER", 1)
	for age := hunts - 1; age >= 0; age-- {
		simulation := simulated{artifact: hunt, daysAgo: age, clients: clients, findings: func(i int) []*ordereddict.Dict {
			if i%each != 0 {
				return nil
			}
			rows := []*ordereddict.Dict{finding(i, "svchost.exe", fmt.Sprintf("203.0.113.%d:443", i/each%50), 3+age*differ, day(1+i%20), day(1+i%20))}
			if age == 0 && i%(10*each) == 0 {
				rows = append(rows, finding(i, "new.exe", "c2-7.bad-domain.example", 3, day(25), day(25)))
			}
			return rows
		}}
		if age == 0 {
			simulation.coverage = func(i int) []*ordereddict.Dict {
				return []*ordereddict.Dict{covered([]string{"searched", "searched, but Sysmon does not log DNS queries (event 22)"}[i%2])}
			}
			simulation.failed = func(i int) string { return []string{"", "No feed."}[max(0, i%20-18)] }
		}
		newest = s.simulate(simulation)
	}
	return newest, (clients+each-1)/each + (clients+10*each-1)/(10*each)
}

// longer starts the engine's services again with more time than the suite's 60 s, and returns what ends them.
func (s *EngineSuite) longer() (end func()) {
	var cancel context.CancelFunc
	s.Ctx, cancel = context.WithTimeout(context.Background(), 15*time.Minute)
	s.Wg = &sync.WaitGroup{}
	s.Require().NoError(orgs.StartTestOrgManager(s.Ctx, s.Wg, s.ConfigObj, s.Services))
	s.Require().NoError(services.GrantRoles(s.ConfigObj, "admin", []string{"administrator"}))
	s.loadPack()
	return cancel
}

// usage is the processor time of this process at a time.
type usage struct {
	at      time.Time
	seconds float64
}

// sampleUsage notes the processor time until it is told to end.
func sampleUsage(end chan bool) (all []usage) {
	for {
		all = append(all, usage{time.Now(), cpuSeconds()})
		select {
		case <-end:
			return append(all, usage{time.Now(), cpuSeconds()})
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// quick fails the test on a cell of a notebook that takes more than 5 seconds, on the clock and of the processors, and prints both: on the clock a cell
// takes longer where other programs have the processors.
func (s *EngineSuite) quick(request *api_proto.NotebookMetadata, findings int) {
	s.T().Helper()
	end, sampled := make(chan bool), make(chan []usage)
	go func() { sampled <- sampleUsage(end) }()
	start := time.Now()
	cells, _ := s.notebook(request)
	close(end)
	samples := <-sampled
	used := samples[0].seconds
	for i, cell := range cells { // they are calculated one after another
		ended := time.Unix(0, cell.Timestamp)
		processors := used
		for _, one := range samples {
			if !one.at.After(ended) {
				processors = one.seconds
			}
		}
		s.T().Logf("cell %d: %v, %.1f s of the processors", i, ended.Sub(start).Round(time.Millisecond), processors-used)
		s.LessOrEqual(min(ended.Sub(start).Seconds(), processors-used), 5.0, "cell %d", i)
		start, used = ended, processors
	}
	all := s.sound(cells[0])
	s.Equal(min(findings, 5000), strings.Count(all[0].rows, "\n"))
	if len(all) > 6 {
		s.T().Logf("%d of %d hunts read, the others had no time", strings.Count(all[6].rows, "\n")-strings.Count(all[6].rows, `"Findings":null`), strings.Count(all[6].rows, "\n"))
	}
	if s.ConfigObj.Datastore.Implementation == "Test" {
		test_utils.GetMemoryFileStore(s.T(), s.ConfigObj).Clear() // printing it takes minutes
	}
}

func (s *EngineSuite) TestEachCellOfTheFleetsNotebookTakesSeconds() {
	defer s.longer()()
	var indicators [][2]string
	for i := range number("THREATFOX_KEYS", 3000) {
		indicators = append(indicators, [2]string{"domain", fmt.Sprintf("c2-%d.bad-domain.example", i)})
	}
	s.publish("ThreatFoxFeed", s.normalize(s.writeExport(indicators)), fmt.Sprintf("1.0.%d", time.Now().Unix()))
	_, findings := s.fleet(14)

	s.quick(&api_proto.NotebookMetadata{Artifacts: []string{notebookArtifact}}, findings)
}

func (s *EngineSuite) TestEachCellOfAHuntsNotebookTakesSeconds() {
	defer s.longer()()
	s.publishEdgeFeed()
	newest, findings := s.fleet(3)

	s.quick(&api_proto.NotebookMetadata{NotebookId: "N." + newest, Artifacts: []string{hunt}}, findings)
}
