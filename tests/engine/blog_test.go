package engine

import (
	"encoding/csv"
	"fmt"
	"net"
	"os"
	"regexp"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/json"
)

// blogCell is the notebook cell of the blog post that this project started from, word for word.
const blogCell = `LET TFData <= SELECT ioc, ioc_type FROM Artifact.Server.Enrichment.ThreatFox()
LET IpConns = SELECT timestamp(epoch=System.TimeCreated.SystemTime) AS Time, System.Computer AS Computer, EventData.DestinationIp AS DestIp, EventData.DestinationHostname As DestHost FROM parse_evtx(filename="C:\\Windows\\System32\\winevt\\Logs\\Microsoft-Windows-Sysmon%4Operational.evtx") WHERE System.EventID.Value = 3 AND DestIp != '34.36.95.252' 

SELECT * FROM foreach(row=IpConns, query={SELECT Time, str(str=ioc) AS IOC, ioc_type, str(str=DestIp) AS DstIP, str(str=DestHost) As DstHost FROM foreach(row=TFData)}) WHERE IOC =~ DstIP OR DstHost =~ IOC`

// builtInCell compares by IN with an array, as Velociraptor's own artifacts take lists of IOCs. It is kind to
// that way: the ports are cut off, without which no address would ever be equal.
const builtInCell = `LET TFData <= SELECT ioc, ioc_type FROM Artifact.Server.Enrichment.ThreatFox()
LET Values <= SELECT if(condition=ioc_type = "ip:port", then=regex_replace(source=ioc, re=":[0-9]+$", replace=""), else=ioc) AS Value FROM TFData
LET Wanted <= Values.Value
SELECT timestamp(epoch=System.TimeCreated.SystemTime) AS Time, if(condition=EventData.DestinationIp IN Wanted, then=EventData.DestinationIp, else=EventData.DestinationHostname) AS IOC
FROM parse_evtx(filename="C:\\Windows\\System32\\winevt\\Logs\\Microsoft-Windows-Sysmon%4Operational.evtx")
WHERE System.EventID.Value = 3 AND (EventData.DestinationIp IN Wanted OR EventData.DestinationHostname IN Wanted)`

// notebookGuide has the cells to copy; each is known by a piece of its text.
const (
	notebookGuide = "../../docs/notebook.md"
	regexCell     = "compared by regex"
	dictCell      = "looked up by key"
	lookupCell    = "one look at the published feed"
)

// sysmonLog is where the cells look for the log, as VQL spells it.
const sysmonLog = `C:\\Windows\\System32\\winevt\\Logs\\Microsoft-Windows-Sysmon%4Operational.evtx`

const edgeLog = "evtx/synth-edge-shared.evtx"

// planted are the IOCs that the log's answer key knows, by the key's spelling.
var planted = map[string][2]string{
	"203.0.113.7:4443":      {"ip:port", "203.0.113.7:4443"},
	"c2.bad-domain.example": {"domain", "C2.Bad-Domain.example"},
	"2001:db8::7":           {"ip:port", "[2001:db8::7]:443"},
	"xn--bcher-kva.example": {"domain", "xn--bcher-kva.example"},
}

// decoys are IOCs that no connection of the log is to, though their text says so to a careless eye.
var decoys = [][2]string{
	{"url", "http://url-host.example/x"},
	{"ip:port", "203.0.113.77:80"},                           // 203.0.113.7 is a part of it
	{"url", "http://redirect.example/?to=93.184.215.14"},     // names a harmless address of the log
	{"url", "http://url-host.example/c2.bad-domain.example"}, // names the domain
	{"domain", "2.bad-domain.example"},                       // a part of c2.bad-domain.example
	{"domain", "c2-bad-domain.example"},                      // a dot, taken for any character, matches
	{"domain", "bad-domain.example.decoy.example"},           // the domain's text, then more
	{"md5_hash", "83f19f1e5a4c954c9ff549dac313dd29"},         // of a process, not a connection
	{"ip:port", "93.18.0.1:443"},                             // of a neighbour
	{"domain", "corp.example"},                               // the computers' own
	{"ip:port", "198.51.100.14:443"},                         // a documentation address
	{"url", "http://203.0.113.79/gate"},                      // 203.0.113.7 is a part of it
}

// event is a connection of the log by its answer key.
type event struct{ record, kind, indicator string }

// edgeEvents returns the connections (event 3) that match, by record, and the records by time.
func (s *EngineSuite) edgeEvents() (truth map[string]event, records map[string][]string) {
	file, err := os.Open(sample(s.T(), strings.Replace(edgeLog, ".evtx", ".key.csv", 1)))
	s.Require().NoError(err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	s.Require().NoError(err)

	truth = map[string]event{}
	for _, row := range rows[1:] {
		if row[1] == "3" && row[3] == "match" {
			truth[row[0]] = event{row[0], row[4], row[7]}
		}
	}

	records = map[string][]string{}
	for _, row := range s.rowsOf(s.query(`
SELECT str(str=System.EventRecordID) AS Record,
       timestamp(epoch=System.TimeCreated.SystemTime) AS Time
FROM parse_evtx(filename=Log)
WHERE System.EventID.Value = 3`, ordereddict.NewDict().Set("Log", sample(s.T(), edgeLog)))) {
		records[row["Time"]] = append(records[row["Time"]], row["Record"])
	}
	return truth, records
}

// rowsOf reads JSON lines; each value becomes text.
func (s *EngineSuite) rowsOf(lines string) (rows []map[string]string) {
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		if line == "" {
			continue
		}
		var row map[string]any
		s.Require().NoError(json.Unmarshal([]byte(line), &row))
		texts := map[string]string{}
		for name, value := range row {
			texts[name] = fmt.Sprint(value)
		}
		rows = append(rows, texts)
	}
	return rows
}

// verdict is how a cell's rows compare with the answer key.
type verdict struct {
	found  map[string]bool // records with their own IOC
	false_ []string        // rows that are no match, as "record IOC"
	double int             // rows that say again what another row said
	took   time.Duration
	logs   string
}

// noEventData is what EventData.X logs for an event without EventData, which the log has; only
// the blog's cell and the built-in way write so.
var noEventData = regexp.MustCompile(`(?m)^ERROR:While resolving EventData\.\w+ Symbol EventData not found.*$`)

// runCell runs a cell against the log and judges its rows.
func (s *EngineSuite) runCell(cell string, truth map[string]event, records map[string][]string) verdict {
	s.T().Helper()
	s.Require().Equal(1, strings.Count(cell, sysmonLog))
	cell = strings.Replace(cell, sysmonLog, sample(s.T(), edgeLog), 1)

	start := time.Now()
	lines, logs := s.queryWithLogs(cell, nil)
	rows := s.rowsOf(lines)
	result := verdict{found: map[string]bool{}, took: time.Since(start), logs: logs}

	for _, row := range rows {
		s.Require().Len(records[row["Time"]], 1, "the log's times are unique: %v", row)
		result.judge(records[row["Time"]][0], row["IOC"], truth)
	}
	return result
}

// runHunt runs the whole hunt with its defaults and judges its rows of event 3.
func (s *EngineSuite) runHunt(feed string, truth map[string]event) verdict {
	s.T().Helper()
	start := time.Now()
	got := s.hunt(feed, sample(s.T(), edgeLog), map[string]string{"MinStrength": "medium"})
	result := verdict{found: map[string]bool{}, took: time.Since(start), logs: got.logs}
	for _, hit := range s.hits(got) {
		if fmt.Sprint(hit["EventID"]) == "3" {
			result.judge(fmt.Sprint(hit["RecordID"]), fmt.Sprint(hit["IOC"]), truth)
		}
	}
	return result
}

// judge counts one row: a record and the IOC that it is said to hold, for ip:port with or without the port.
func (v *verdict) judge(record, ioc string, truth map[string]event) {
	match, isMatch := truth[record]
	own := planted[match.indicator][1]
	address, _, _ := net.SplitHostPort(own)
	switch {
	case !isMatch || !strings.EqualFold(own, ioc) && ioc != address:
		v.false_ = append(v.false_, record+" "+ioc)
	case v.found[record]:
		v.double++
	default:
		v.found[record] = true
	}
}

// The blog's cell, the built-in way, the two cells that take its place and the hunt, side by side: `make compare`
// prints the table.
func (s *EngineSuite) TestTheBlogsCellAndItsReplacements() {
	s.publishHelper()
	values := append([][2]string{}, decoys...)
	for _, ioc := range planted {
		values = append(values, ioc)
	}
	for i := range 500 { // what else a day brings
		values = append(values, [2]string{"domain", fmt.Sprintf("other-%d.bad-domain.test", i)})
	}
	s.enrichmentAsks(s.serveThreatfox(iocs(values...)))
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`,
		ordereddict.NewDict().Set("Key", theKey))
	s.query(`SELECT * FROM Artifact.Server.Enrichment.ThreatFox()`, nil) // into the cache

	truth, records := s.edgeEvents()
	exact, below := map[string]bool{}, map[string]bool{}
	for record, event := range truth {
		switch event.kind {
		case "ip:port", "ip", "domain":
			exact[record] = true
			below[record] = true
		case "subdomain":
			below[record] = true
		}
	}

	regex, dict := s.cellOf(notebookGuide, regexCell), s.cellOf(notebookGuide, dictCell)
	s.Equal(blogCell, strings.TrimSuffix(s.cellOf(notebookGuide, blogCell[:40]), "\n"), "the guide has the blog's cell word for word")

	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "way\ttrue hits of %d\tmissed\tfalse hits\ttime\t\n", len(truth))
	verdicts := map[string]verdict{}
	ways := []string{"blog", "built-in IN", "regex", "dict", "hunt"}
	cells := map[string]string{
		"blog": blogCell, "built-in IN": builtInCell, "regex": regex, "dict": dict,
	}
	for _, way := range ways {
		var v verdict
		if way == "hunt" {
			v = s.runHunt(s.normalize(s.writeExport(values)), truth)
		} else {
			v = s.runCell(cells[way], truth, records)
		}
		verdicts[way] = v
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%v\t\n", way, len(v.found),
			len(truth)-len(v.found), len(v.false_), v.took.Round(time.Millisecond))
	}
	s.Require().NoError(out.Flush())
	for _, way := range ways {
		var missed []string
		for record, event := range truth {
			if !verdicts[way].found[record] {
				missed = append(missed, record+" "+event.kind)
			}
		}
		sort.Strings(missed)
		fmt.Fprintf(&table, "%s missed: %q, false: %q\n", way, missed, verdicts[way].false_)
	}
	for _, line := range strings.Split(strings.TrimRight(table.String(), "\n"), "\n") {
		fmt.Println("compare:", line)
	}

	s.Equal(below, verdicts["regex"].found)
	s.Empty(verdicts["regex"].false_)
	s.Equal(exact, verdicts["dict"].found)
	s.Empty(verdicts["dict"].false_)
	for record, event := range truth {
		_, isPlanted := planted[event.indicator]
		s.Equal(isPlanted && event.kind != "ip (ipv6 fault)" && event.kind != "url host",
			verdicts["hunt"].found[record], "%s %s", record, event.kind)
	}
	s.Empty(verdicts["hunt"].false_)
	s.Less(len(verdicts["built-in IN"].found), len(verdicts["hunt"].found))
	s.Zero(verdicts["regex"].double + verdicts["dict"].double)

	s.NotRegexp(badLog, verdicts["regex"].logs)
	s.NotRegexp(badLog, verdicts["dict"].logs)
	s.NotRegexp(badLog, noEventData.ReplaceAllString(verdicts["blog"].logs, ""))
	s.NotRegexp(badLog, noEventData.ReplaceAllString(verdicts["built-in IN"].logs, ""))
	s.NotEmpty(verdicts["blog"].found)
	s.NotEmpty(verdicts["blog"].false_, "the decoys fool a cell that compares the IOC's text")
}
