package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/Velocidex/ordereddict"
	"www.velocidex.com/golang/vfilter"

	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/vql/acl_managers"
	"www.velocidex.com/golang/velociraptor/vtesting"
)

const live = "Windows.Events.ThreatFox"

// watch is Windows.Events.ThreatFox, running.
type watch struct {
	mu   sync.Mutex
	rows []map[string]any
	at   []time.Time
	logs *lockedBuffer
	stop func()
}

type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

// watchLive runs the artifact as a client does, until stop.
func (s *EngineSuite) watchLive(evtx string, more map[string]string) *watch {
	s.T().Helper()
	params := ordereddict.NewDict().Set("EvtxGlob", evtx).Set("AnySystem", "Y").Set("PollSeconds", 1).
		Set("CatchUpHours", "1000000").Set("MaxHitsPerHour", "1000000").Set("RefreshMinutes", "0.01")
	for name, value := range more {
		params.Set(name, value)
	}
	manager, err := services.GetRepositoryManager(s.ConfigObj)
	s.Require().NoError(err)
	w := &watch{logs: &lockedBuffer{}}
	scope := manager.BuildScope(services.ScopeBuilder{
		Config: s.ConfigObj, ACLManager: acl_managers.NullACLManager{}, Logger: log.New(w.logs, "", 0),
		Env: ordereddict.NewDict().Set("Params", params),
	})
	statement, err := vfilter.Parse("SELECT * FROM Artifact.Windows.Events.ThreatFox(`**`=Params)")
	s.Require().NoError(err)

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan bool)
	go func() {
		defer close(ended)
		defer scope.Close()
		for row := range statement.Eval(ctx, scope) {
			line, err := json.Marshal(vfilter.RowToDict(ctx, scope, row))
			if err != nil {
				panic(err)
			}
			decoded := map[string]any{}
			if err := json.Unmarshal(line, &decoded); err != nil {
				panic(err)
			}
			w.mu.Lock()
			w.rows, w.at = append(w.rows, decoded), append(w.at, time.Now())
			w.mu.Unlock()
		}
	}()
	w.stop = sync.OnceFunc(func() { cancel(); <-ended })
	s.T().Cleanup(w.stop)
	return w
}

// hits are the records that were told so far, with their indicators.
func (w *watch) hits() (found []string) {
	for _, row := range w.hitRows() {
		found = append(found, fmt.Sprintf("%v %v", row["RecordID"], row["IOC"]))
	}
	return found
}

// hitRows are the hits that were told so far.
func (w *watch) hitRows() (rows []map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, row := range w.rows {
		if row["_Source"] == live+"/Hits" {
			rows = append(rows, row)
		}
	}
	return rows
}

// told is how many hits were told so far: to ask for hits() again and again takes longer than to tell thousands of them.
func (w *watch) told() (hits int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, row := range w.rows {
		if row["_Source"] == live+"/Hits" {
			hits++
		}
	}
	return hits
}

// publishLive publishes a feed of these indicators as Server.Import.ThreatFox does.
func (s *EngineSuite) publishLive(version string, indicators ...[2]string) {
	s.T().Helper()
	s.publish("ThreatFoxFeed", s.normalize(s.writeExport(indicators)), version)
	s.tellOfFeed(version)
}

// tellOfFeed tells clients that watch of the feed of this version.
func (s *EngineSuite) tellOfFeed(version string) {
	for _, row := range s.rowsOf(s.query(
		`SELECT version AS V, hash AS H, filestore_path AS P FROM inventory() WHERE name = "ThreatFoxFeed"`, nil)) {
		if row["V"] == version {
			state := fmt.Sprintf(`{"version": %q, "sha256": %q, "file": %q}`, version, row["H"], row["P"])
			s.query(`SELECT inventory_add(tool="ThreatFoxFeedState", accessor="data", file=State) FROM scope()`,
				ordereddict.NewDict().Set("State", state))
		}
	}
}

// growingLog is a log of connections, each to one of these addresses in turn, that grows chunk by chunk.
type growingLog struct {
	path   string
	chunks [][]byte
	header []byte
	shown  int
}

// makeGrowingLog makes a log of so many events, one a second until now. None is shown yet; first is the id of the first record.
func (s *EngineSuite) makeGrowingLog(events, first int, addresses ...string) *growingLog {
	return s.makeGrowingLogFrom(time.Now().Add(-time.Duration(events)*time.Second), events, first, addresses...)
}

func (s *EngineSuite) makeGrowingLogFrom(start time.Time, events, first int, addresses ...string) *growingLog {
	made := []map[string]any{}
	for n := range events {
		made = append(made, connection(first+n, start.Add(time.Duration(n)*time.Second), addresses[n%len(addresses)]))
	}
	grown := s.growingLogOf("make_evtx.py", made...)
	s.Require().Greater(len(grown.chunks), 2)
	return grown
}

// connection is an event 3 of Sysmon.
func connection(record int, at time.Time, to string) map[string]any {
	return map[string]any{
		"EventID": 3, "EventRecordID": record, "TimeCreated": at.UTC().Format("2006-01-02T15:04:05.000Z"),
		"EventData": map[string]any{"RuleName": "-", "Image": `C:\evil.exe`, "User": "SYSTEM", "ProcessId": "7", "Protocol": "tcp", "Initiated": "true",
			"SourceIsIpv6": "false", "SourceIp": "10.1.1.1", "SourcePort": "50000", "DestinationIsIpv6": "false",
			"DestinationIp": to, "DestinationHostname": "-", "DestinationPort": "443"},
	}
}

// growingLogOf makes a log of these events with a tool; nothing of it is there yet.
func (s *EngineSuite) growingLogOf(tool string, events ...map[string]any) *growingLog {
	var lines bytes.Buffer
	write := json.NewEncoder(&lines)
	for _, event := range events {
		s.Require().NoError(write.Encode(event))
	}
	source := filepath.Join(s.tempDir(), "events.jsonl")
	s.Require().NoError(os.WriteFile(source, lines.Bytes(), 0o600))
	made, err := os.ReadFile(s.makeLog(tool, source))
	s.Require().NoError(err)

	grown := &growingLog{path: filepath.Join(s.tempDir(), "Sysmon.evtx"), header: made[:4096]}
	grown.header[120] = 1 // dirty, as that of a log in use
	for chunk := range slices.Chunk(made[4096:], 65536) {
		grown.chunks = append(grown.chunks, chunk)
	}
	return grown
}

// show makes the file of the header and the first chunks.
func (l *growingLog) show(s *EngineSuite, chunks int) {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY, 0o600)
	s.Require().NoError(err)
	defer file.Close()
	all := append(bytes.Clone(l.header), bytes.Join(l.chunks[:chunks], nil)...)
	s.Require().NoError(file.Truncate(int64(len(all))))
	_, err = file.Write(all)
	s.Require().NoError(err)
	l.shown = chunks
}

// want are the hits in the chunks shown, as a hunt finds them.
func (s *EngineSuite) want(l *growingLog, feed string) (found []string) {
	for _, hit := range s.hits(s.hunt(feed, l.path, map[string]string{"MinStrength": "medium", "Kinds": `["ip", "domain"]`, "FeedFile": feed})) {
		found = append(found, fmt.Sprintf("%v %v", hit["RecordID"], hit["IOC"]))
	}
	return found
}

// theIndicator is what every second event of the logs here connects to.
var theIndicator = [2]string{"ip:port", "203.0.113.7:443"}

// waitForAllOf waits until each hit of the log was told once, and no other.
func (s *EngineSuite) waitForAllOf(l *growingLog, feed string, watches ...*watch) {
	s.T().Helper()
	want := s.want(l, feed)
	last := watches[len(watches)-1]
	told := func() (got []string) {
		for _, w := range watches {
			got = append(got, w.hits()...)
		}
		return got
	}
	for deadline := time.Now().Add(90 * time.Second); len(told()) < len(want) && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(1500 * time.Millisecond) // for one too many
	got := told()
	slices.Sort(got)
	slices.Sort(want)
	s.Require().NotEmpty(want)
	s.Require().Equal(want, got, last.logs.String())
}

// liveSetup publishes a feed of theIndicator; the feed is for a hunt to compare with.
func (s *EngineSuite) liveSetup() (feed string) {
	s.Ctx = context.Background()
	s.servePublic()
	s.publishLive("1.0.1", theIndicator)
	return s.normalize(s.writeExport([][2]string{theIndicator}))
}

func (s *EngineSuite) TestALogThatGrowsIsWatchedAndEachHitIsToldOnce() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)

	w := s.watchLive(l.path, nil)
	for shown := 1; shown <= len(l.chunks); shown++ {
		l.show(s, shown)
		s.waitForAllOf(l, feed, w)
	}
	w.stop()
	s.NotRegexp(badLog, w.logs.String())
}

func (s *EngineSuite) TestARestartTellsWhatHappenedMeanwhileAndNothingTwice() {
	feed := s.liveSetup()
	l := s.makeGrowingLog(300, 1, "203.0.113.7", "5.1.1.1")
	l.show(s, 1)
	first := s.watchLive(l.path, nil)
	s.waitForAllOf(l, feed, first)
	l.show(s, 2)
	s.waitForAllOf(l, feed, first)
	first.stop()

	l.show(s, len(l.chunks))
	second := s.watchLive(l.path, nil)

	s.waitForAllOf(l, feed, first, second)
	s.NotEmpty(second.hits())
}

func (s *EngineSuite) TestCatchUpHoursBoundsWhatIsReadAtTheStart() {
	s.Ctx = context.Background()
	s.servePublic()
	s.publishLive("1.0.1", theIndicator)
	l := s.makeGrowingLog(300, 1, "203.0.113.7")
	l.show(s, len(l.chunks))

	w := s.watchLive(l.path, map[string]string{"CatchUpHours": "0.02"}) // 72 seconds: an event per second

	vtesting.WaitUntil(30*time.Second, s.T(), func() bool { return len(w.hits()) > 40 })
	time.Sleep(2 * time.Second)
	s.Less(len(w.hits()), 80)
}

// A log that is cleared is smaller, and its record ids go on or begin anew; one that is begun anew has the old one's name.
func (s *EngineSuite) TestALogThatIsClearedOrBegunAnewIsReadOn() {
	feed := s.liveSetup()
	for name, ids := range map[string][2]int{"ids go on": {1, 301}, "ids begin anew": {1001, 1}} {
		before := s.makeGrowingLog(300, ids[0], "203.0.113.7", "5.1.1.1")
		before.show(s, len(before.chunks))
		w := s.watchLive(before.path, map[string]string{"CatchUpHours": "24"})
		s.waitForAllOf(before, feed, w)
		told := len(w.hits())

		after := s.makeGrowingLogFrom(time.Now(), 300, ids[1], "203.0.113.7", "5.1.1.1")
		after.path = before.path
		for shown := 1; shown <= len(after.chunks); shown++ {
			after.show(s, shown)
			want := s.want(after, feed)
			for deadline := time.Now().Add(20 * time.Second); len(w.hits()) < told+len(want) && time.Now().Before(deadline); {
				time.Sleep(50 * time.Millisecond)
			}
			got := w.hits()[told:]
			slices.Sort(got)
			slices.Sort(want)
			s.Require().Equal(want, got, name)
		}
		w.stop()
	}
}
