package engine

import (
	"os"
	"os/exec"
	"path/filepath"
)

func (s *EngineSuite) TestTheNotebooksTableOfSightingsIsWhatTheHelperTakes() {
	rows := s.query(`LET _ <= import(artifact="Generic.ThreatFox.Published") LET _ <= import(artifact="Notebooks.ThreatFox")
LET Finding(IOC, Strength, At, Events) = dict(IOC=IOC, Malware="X", Strength=Strength, First=timestamp(epoch=At), Last=timestamp(epoch=At + 60), Events=Events)
SELECT * FROM SightingsTable(Found=dict(
  a=Finding(IOC="203.0.113.7:443", Strength="strong", At=1794988807, Events=2),
  b=Finding(IOC="203.0.113.7:443", Strength="strong", At=1794989807, Events=3),
  c=Finding(IOC="203.0.113.7:443", Strength="weak", At=1794989807, Events=4)))`, nil)
	s.Equal(`{"IOC":"203.0.113.7:443","Malware":"X","Strength":"strong","Count":5,"First":"2026-11-18T08:00:07Z","Last":"2026-11-18T08:17:47Z"}
{"IOC":"203.0.113.7:443","Malware":"X","Strength":"weak","Count":4,"First":"2026-11-18T08:16:47Z","Last":"2026-11-18T08:17:47Z"}
`, rows)

	table, stix := filepath.Join(s.tempDir(), "table.json"), filepath.Join(s.tempDir(), "stix.json")
	s.Require().NoError(os.WriteFile(table, []byte(rows), 0o600))
	said, err := exec.Command(s.helper(), "sightings", table, "--stix", stix).CombinedOutput()
	s.Require().NoError(err, string(said))
	s.Contains(string(said), "1 indicators in 5 hits; of 2 rows 1 weaker")
}
