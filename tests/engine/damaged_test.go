package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Velocidex/ordereddict"
	"www.velocidex.com/golang/vfilter"

	vql_subsystem "www.velocidex.com/golang/velociraptor/vql"
	"www.velocidex.com/golang/velociraptor/vql/acl_managers"
)

// A log of 1,000 records of which every tenth has one byte changed inside its binary XML.
// crates/threatfox/tests/damaged_records.rs damages the same log in the same way.

// thousandRecords are the first 1,000 records of a real log, and where each begins and ends.
func (s *EngineSuite) thousandRecords() (log []byte, records [][2]int) {
	const logHeader, chunkSize, chunkHeader = 0x1000, 0x10000, 0x200
	log, err := os.ReadFile(sample(s.T(), "evtx/otrf-metasploit-sharpdump.evtx"))
	s.Require().NoError(err)
	left, chunk := uint64(1000), logHeader
	for ; left > 0; chunk += chunkSize {
		first, last := binary.LittleEndian.Uint64(log[chunk+8:]), binary.LittleEndian.Uint64(log[chunk+16:])
		count := min(last-first+1, left)
		binary.LittleEndian.PutUint64(log[chunk+16:], first+count-1)
		at := chunk + chunkHeader
		for range count {
			size := int(binary.LittleEndian.Uint32(log[at+4:]))
			records = append(records, [2]int{at, at + size})
			at += size
		}
		left -= count
	}
	return log[:chunk], records
}

// damage changes one byte in the binary XML of every tenth record.
func damage(log []byte, records [][2]int, seed uint64) {
	const recordHeader = 24
	state := seed*0x9e3779b97f4a7c15 | 1
	below := func(bound int) int {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		return int(state % uint64(bound))
	}
	for n := 9; n < len(records); n += 10 {
		start := records[n][0] + recordHeader
		// The size stands at the record's end once more.
		at := start + below(records[n][1]-4-start)
		log[at] ^= byte(1 + below(255))
	}
}

// recordNumbers counts rows, and those of each record number. Where damage makes parse_evtx read the number as text, the helper may
// still read it as a number: then the row counts, but not its number.
func (s *EngineSuite) recordNumbers(rows string) map[string]int {
	counts := map[string]int{}
	for line := range strings.Lines(rows) {
		var row struct{ Record any }
		s.Require().NoError(json.Unmarshal([]byte(line), &row), line)
		if number, ok := row.Record.(float64); ok {
			counts[fmt.Sprintf("record %.0f", number)]++
		}
		counts["a row"]++
	}
	return counts
}

// ofSysmon are the record numbers of a log's events of Sysmon, by parse_evtx.
const ofSysmon = `SELECT System.EventRecordID AS Record FROM parse_evtx(filename=Log) WHERE System.Provider.Name = "Microsoft-Windows-Sysmon"`

// logAlone names the log that this process shall only read, see parseAlone.
const logAlone = "THREATFOX_TEST_LOG"

func TestMain(m *testing.M) {
	if log := os.Getenv(logAlone); log != "" {
		os.Exit(printRecords(log))
	}
	os.Exit(m.Run())
}

// printRecords writes a row when parse_evtx gives it: this process may end at any time.
func printRecords(log string) int {
	query, err := vfilter.Parse(ofSysmon)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	scope := vql_subsystem.MakeScope().AppendVars(ordereddict.NewDict().
		Set(vql_subsystem.ACL_MANAGER_VAR, acl_managers.NullACLManager{}).Set("Log", log))
	defer scope.Close()
	rows := json.NewEncoder(os.Stdout)
	for row := range query.Eval(context.Background(), scope) {
		if err := rows.Encode(vfilter.RowToDict(context.Background(), scope, row)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// parseAlone is what parse_evtx gives of a damaged log, in a process of its own with 2 GiB of memory, and whether it came to the end. Where damage
// lies before the number of a template's values, Velociraptor 0.77 takes whatever stands there for that number, up to 2^32, and 16 bytes for each.
func (s *EngineSuite) parseAlone(log string) (rows string, whole bool) {
	test, err := os.Executable()
	s.Require().NoError(err)
	command := exec.Command("sh", "-c", `ulimit -v 2097152 && exec "$0"`, test)
	command.Env = append(os.Environ(), logAlone+"="+log)
	var said strings.Builder
	command.Stderr = &said
	output, err := command.Output()
	if err != nil {
		s.Require().Regexp("out of memory|cannot allocate memory", said.String())
	}
	return string(output), err == nil
}

func (s *EngineSuite) TestScanGivesEachEventThatParseEvtxGivesOfADamagedLog() {
	const seeds = 50
	whole, records := s.thousandRecords()
	s.Require().Len(records, 1000)
	s.Ctx = context.Background() // the suite's ends after 60 s
	given, ended := 0, 0
	for seed := range uint64(seeds) {
		log := append([]byte(nil), whole...)
		damage(log, records, seed)
		path := filepath.Join(s.tempDir(), "damaged.evtx")
		s.Require().NoError(os.WriteFile(path, log, 0o600))
		rows, read := s.parseAlone(path)
		want := s.recordNumbers(rows)
		got := s.recordNumbers(s.query(`SELECT System.EventRecordID AS Record FROM parse_jsonl(filename=Events)`,
			ordereddict.NewDict().Set("Events", s.scan(path))))
		for event, count := range want {
			s.GreaterOrEqual(got[event], count, "seed %d: %s is missing", seed, event)
		}
		given += want["a row"]
		if read {
			ended++
		}
	}
	s.Greater(given, seeds*800, "parse_evtx gives most of the events")
	s.Greater(ended, seeds*9/10, "parse_evtx comes to the end of nearly all")
	s.T().Logf("%d seeds: %d events of parse_evtx, which came to the end of %d logs", seeds, given, ended)
}
