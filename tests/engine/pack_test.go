package engine

import (
	"archive/zip"
	"io"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	"www.velocidex.com/golang/velociraptor/services"
)

// packed is the zip that `make pack` writes.
func (s *EngineSuite) packed() *zip.ReadCloser {
	dist := s.T().TempDir()
	program, err := filepath.Abs("../../target/release/pack")
	s.Require().NoError(err)
	command := exec.Command(program, "write", "--url-base", "https://downloads.example/v1", "--dist", dist)
	command.Dir = "../.."
	said, err := command.CombinedOutput()
	s.Require().NoError(err, string(said))

	zips, err := filepath.Glob(dist + "/threatfox-artifacts-*.zip")
	s.Require().NoError(err)
	s.Require().Len(zips, 1)
	pack, err := zip.OpenReader(zips[0])
	s.Require().NoError(err)
	return pack
}

// The GUI's "Upload Artifact Pack" (LoadArtifactPack in the engine's api/artifacts.go) does the same with each .yaml of
// the zip: it checks it in an empty repository, then sets it, with the prefix that the user gave.
func (s *EngineSuite) TestThePackImportsAsByTheGUI() {
	manager, err := services.GetRepositoryManager(s.ConfigObj)
	s.Require().NoError(err)
	// The suite has put the artifacts in as built-in ones, which no import may replace: begin with none.
	manager.SetGlobalRepositoryForTests(s.ConfigObj, manager.NewRepository())

	pack := s.packed()
	defer pack.Close()
	imported := []string{}
	for _, file := range pack.File {
		s.Require().True(strings.HasSuffix(file.Name, ".yaml"), file.Name)
		content, err := file.Open()
		s.Require().NoError(err)
		definition, err := io.ReadAll(content)
		s.Require().NoError(err)

		_, err = manager.NewRepository().LoadYaml(string(definition),
			services.ArtifactOptions{ValidateArtifact: true})
		s.Require().NoError(err, file.Name)
		artifact, err := manager.SetArtifactFile(s.Ctx, s.ConfigObj, "admin", string(definition), "")
		s.Require().NoError(err, file.Name)
		imported = append(imported, artifact.Name)
	}

	expected := []string{}
	for _, path := range artifactFiles(s.T()) {
		expected = append(expected, nameOf(path))
		_, known := s.repository().Get(s.Ctx, s.ConfigObj, nameOf(path))
		s.True(known, path)
	}
	sort.Strings(expected)
	sort.Strings(imported)
	s.Equal(expected, imported)

	// And out again, by the guide's cell.
	removed := s.query(s.cellOf("../../docs/install.md", "artifact_delete"), nil)
	s.Equal(len(expected), strings.Count(removed, `"Deleted":"`), removed)
	s.Empty(s.query(`SELECT name FROM artifact_definitions() WHERE name =~ "ThreatFox"`, nil))
}

// nameOf is the name of the artifact in a file of the pack.
func nameOf(path string) string {
	below := strings.TrimPrefix(path, "../../artifacts/")
	return strings.ReplaceAll(strings.TrimSuffix(below, ".yaml"), "/", ".")
}
