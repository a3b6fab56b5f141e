package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/Velocidex/ordereddict"
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
	for _, line := range strings.Split(strings.TrimSpace(rows), "\n") {
		var row struct{ Record any }
		s.Require().NoError(json.Unmarshal([]byte(line), &row), line)
		if number, ok := row.Record.(float64); ok {
			counts[fmt.Sprintf("record %.0f", number)]++
		}
		counts["a row"]++
	}
	return counts
}

// SEEDS says how many logs are damaged, 10 by default: parse_evtx of Velociraptor 0.77 takes more than 12 GiB of memory on one of seeds 12 to 24.
func (s *EngineSuite) TestScanGivesEachEventThatParseEvtxGivesOfADamagedLog() {
	seeds, err := strconv.ParseUint(os.Getenv("SEEDS"), 10, 64)
	if err != nil {
		seeds = 10
	}
	s.Ctx = context.Background() // the suite's ends after 60 s
	const columns = `SELECT System.EventRecordID AS Record FROM `
	whole, records := s.thousandRecords()
	s.Require().Len(records, 1000)
	given := 0
	for seed := range seeds {
		log := append([]byte(nil), whole...)
		damage(log, records, seed)
		path := filepath.Join(s.tempDir(), "damaged.evtx")
		s.Require().NoError(os.WriteFile(path, log, 0o600))
		env := ordereddict.NewDict().Set("Log", path).Set("Events", s.scan(path))
		rows, _ := s.queryWithLogs(columns+`parse_evtx(filename=Log) WHERE System.Provider.Name =~ "^Microsoft-Windows-Sysmon$"`, env)
		want := s.recordNumbers(rows)
		got := s.recordNumbers(s.query(columns+`parse_jsonl(filename=Events)`, env))
		for event, count := range want {
			s.GreaterOrEqual(got[event], count, "seed %d: %s is missing", seed, event)
		}
		given += want["a row"]
	}
	s.Greater(given, int(seeds)*800, "parse_evtx gives most of the events")
}
