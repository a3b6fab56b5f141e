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

// release is the folder that `make pack` writes.
func (s *EngineSuite) release() string {
	dist := s.T().TempDir()
	program, err := filepath.Abs("../../target/release/pack")
	s.Require().NoError(err)
	command := exec.Command(program, "write", "--url-base", "https://downloads.example/v1", "--dist", dist)
	command.Dir = "../.."
	said, err := command.CombinedOutput()
	s.Require().NoError(err, string(said))
	return dist
}

// packed is the zip in it.
func (s *EngineSuite) packed() *zip.ReadCloser {
	zips, err := filepath.Glob(s.release() + "/threatfox-artifacts-*.zip")
	s.Require().NoError(err)
	s.Require().Len(zips, 1)
	pack, err := zip.OpenReader(zips[0])
	s.Require().NoError(err)
	return pack
}

// forgetThePack leaves Velociraptor's own artifacts alone: the suite puts ours in as built-in ones, which no import may replace.
func (s *EngineSuite) forgetThePack() services.RepositoryManager {
	manager, err := services.GetRepositoryManager(s.ConfigObj)
	s.Require().NoError(err)
	manager.SetGlobalRepositoryForTests(s.ConfigObj, manager.NewRepository())
	for _, name := range builtIns {
		s.loadBuiltIn(name)
	}
	return manager
}

// importPack does with the zip what the GUI's "Upload Artifact Pack" does (LoadArtifactPack in the engine's api/artifacts.go): it
// checks each .yaml in an empty repository, then sets it, with the prefix that the user gave. It returns the artifacts' names.
func (s *EngineSuite) importPack() (imported []string) {
	manager := s.forgetThePack()
	pack := s.packed()
	defer pack.Close()
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
	return imported
}

func (s *EngineSuite) TestThePackImportsAsByTheGUI() {
	imported := s.importPack()

	expected := []string{}
	for _, path := range artifactFiles(s.T()) {
		if strings.HasPrefix(nameOf(path), "Generic.") {
			continue // written into those that import it
		}
		expected = append(expected, nameOf(path))
		_, known := s.repository().Get(s.Ctx, s.ConfigObj, nameOf(path))
		s.True(known, path)
	}
	sort.Strings(expected)
	sort.Strings(imported)
	s.Equal(expected, imported)
}

// Who takes a file of the exchange has Velociraptor's own artifacts beside it, and none of ours.
func (s *EngineSuite) TestEachFileForTheExchangeIsSoundAlone() {
	files, err := filepath.Glob(s.release() + "/exchange/*.yaml")
	s.Require().NoError(err)
	s.Require().NotEmpty(files)
	for _, file := range files {
		s.forgetThePack()
		state := s.verify(s.read(file))
		s.Empty(state.Errors, file)
		s.Empty(state.Warnings, file)
	}
}

// The exchange makes a tag of each word after a # in a description, and takes the first paragraph for its list.
func (s *EngineSuite) TestADescriptionForTheExchangeHasNoTagByAccident() {
	files, err := filepath.Glob(s.release() + "/exchange/*.yaml")
	s.Require().NoError(err)
	for _, file := range files {
		artifact, err := s.forgetThePack().NewRepository().LoadYaml(s.read(file), services.ArtifactOptions{ValidateArtifact: true})
		s.Require().NoError(err)
		s.Equal(artifact.Name+".yaml", filepath.Base(file))
		first, _, _ := strings.Cut(artifact.Description, "\n\n")
		s.Less(len(first), 300, file)
		s.NotRegexp(`#[0-9_a-zA-Z]`, artifact.Description, file)
	}
}

func (s *EngineSuite) TestAHuntOfTheExchangeFindsWithNoOtherArtifactOfOurs() {
	manager := s.forgetThePack()
	_, err := manager.SetArtifactFile(s.Ctx, s.ConfigObj, "admin", s.read(s.release()+"/exchange/"+hunt+".yaml"), "")
	s.Require().NoError(err)
	s.Equal(1, strings.Count(s.query(`SELECT name FROM artifact_definitions() WHERE name =~ "ThreatFox"`, nil), "\n"))
	s.NotEmpty(s.hits(s.hunt(s.edgeFeed(), s.edgeLog(), nil)))
}

// nameOf is the name of the artifact in a file of the pack.
func nameOf(path string) string {
	below := strings.TrimPrefix(path, "../../artifacts/")
	return strings.ReplaceAll(strings.TrimSuffix(below, ".yaml"), "/", ".")
}
