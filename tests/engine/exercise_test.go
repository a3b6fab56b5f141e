package engine

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/Velocidex/ordereddict"
)

// The exercise "Add a column to a notebook" of CONTRIBUTING.md, with the lines that stand there.
func (s *EngineSuite) TestTheExerciseAddsAColumnToANotebook() {
	_, exercise, found := strings.Cut(s.read("../../CONTRIBUTING.md"), "## Exercise: add a column to a notebook")
	s.Require().True(found)
	_, diff, _ := strings.Cut(exercise, "```diff\n")
	diff, _, found = strings.Cut(diff, "```")
	s.Require().True(found)

	text, old := s.read("../../artifacts/Notebooks/ThreatFox.yaml"), ""
	for _, line := range strings.Split(strings.TrimSpace(diff), "\n") {
		line = strings.TrimSpace(line)
		if line[0] == '-' {
			old = line[1:]
			continue
		}
		s.Require().Equal(1, strings.Count(text, old), old)
		text = strings.Replace(text, old, line[1:], 1)
	}
	noise := func() string {
		found := ordereddict.NewDict()
		for client, last := range []string{"2026-11-05T12:00:00Z", "2026-11-09T12:00:00Z"} {
			found.Set(clientID(client), ordereddict.NewDict().Set("IOC", "203.0.113.7:443").Set("IOCType", "ip:port").Set("Malware", "Planted").
				Set("ClientId", clientID(client)).Set("Events", 2).Set("Last", last))
		}
		return s.query(`LET _ <= import(artifact="Notebooks.ThreatFox")
SELECT * FROM NoiseTable(Found=Findings)`, ordereddict.NewDict().Set("Findings", found))
	}
	s.NotContains(noise(), `"Last"`)
	path := filepath.Join(s.T().TempDir(), "ThreatFox.yaml")
	s.Require().NoError(os.WriteFile(path, []byte(text), 0o600))
	s.Empty(s.verify(text).Warnings)
	s.LoadArtifactFiles(path)
	s.Contains(noise(), `"Hosts":2,"Events":4,"Last":"2026-11-09T12:00:00Z","PolicyLine":"ips: ['203.0.113.7']"`)
}
