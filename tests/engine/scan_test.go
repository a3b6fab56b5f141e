package engine

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/Velocidex/ordereddict"
)

// scan runs the helper on a log and returns the path of the events it printed.
func (s *EngineSuite) scan(log string, args ...string) string {
	events := filepath.Join(s.tempDir(), "events.jsonl")
	args = append([]string{"scan", "-o", events, log}, args...)
	output, err := exec.Command(s.helper(), args...).CombinedOutput()
	s.Require().NoError(err, string(output))
	return events
}

func (s *EngineSuite) TestScanGivesEachEventOfSysmonAsParseEvtxDoes() {
	logs, err := filepath.Glob(sample(s.T(), "evtx/*.evtx"))
	s.Require().NoError(err)
	s.Require().NotEmpty(logs)
	for _, log := range logs {
		env := ordereddict.NewDict().Set("Log", log).Set("Events", s.scan(log))
		want := s.query(`SELECT * FROM parse_evtx(filename=Log)
WHERE System.Provider.Name =~ "^(Microsoft-Windows-Sysmon|Linux-Sysmon)$"`, env)
		got := s.query(`SELECT * FROM parse_jsonl(filename=Events)`, env)
		got = strings.ReplaceAll(got, `,"LogFile":`+quoted(log), "")
		want = strings.ReplaceAll(want, `,"Message":""`, "") // where there is no Windows to ask
		s.Equal(strings.Contains(log, "not-sysmon"), want == "", log)
		s.Equal(want, got, log)
	}
}

// largeLog is the log with an answer key behind so many bytes of unused chunks, as in a log that is not full. They take no
// room on the disk.
func (s *EngineSuite) largeLog(unused int64) string {
	s.T().Helper()
	const header = 4096
	edge, err := os.ReadFile(s.edgeLog())
	s.Require().NoError(err)
	path := filepath.Join(s.tempDir(), "large.evtx")
	log, err := os.Create(path)
	s.Require().NoError(err)
	defer log.Close()
	_, err = log.Write(edge[:header])
	s.Require().NoError(err)
	_, err = log.Seek(unused, io.SeekCurrent)
	s.Require().NoError(err)
	_, err = log.Write(edge[header:])
	s.Require().NoError(err)
	return path
}

func (s *EngineSuite) TestScanReadsTheEventsBehindFourGigabytesOfALog() {
	path := s.largeLog(4 << 30)

	want, err := os.ReadFile(s.scan(s.edgeLog()))
	s.Require().NoError(err)
	got, err := os.ReadFile(s.scan(path))
	s.Require().NoError(err)
	s.NotEmpty(want)
	s.Equal(strings.ReplaceAll(string(want), s.edgeLog(), path), string(got))
}
