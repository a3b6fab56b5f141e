package engine

import (
	"os"
	"strings"

	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/services/launcher"
)

// verify says what `velociraptor artifacts verify` says of a definition.
func (s *EngineSuite) verify(definition string) *launcher.AnalysisState {
	manager, err := services.GetRepositoryManager(s.ConfigObj)
	s.Require().NoError(err)
	repository := manager.NewRepository()
	repository.SetParent(s.repository(), s.ConfigObj)

	artifact, err := repository.LoadYaml(definition,
		services.ArtifactOptions{ValidateArtifact: true})
	s.Require().NoError(err)

	state := launcher.NewAnalysisState(artifact.Name)
	launcher.VerifyArtifact(s.Ctx, s.ConfigObj, repository, artifact, state)
	return state
}

func (s *EngineSuite) TestVerifyFindsNoErrorAndNoWarningInAnyArtifact() {
	for _, path := range artifactFiles(s.T()) {
		definition, err := os.ReadFile(path)
		s.Require().NoError(err)
		state := s.verify(string(definition))
		s.Empty(state.Errors, path)
		s.Empty(state.Warnings, path) // the command line hides these
	}
}

func (s *EngineSuite) TestVerifyFindsAnUnknownArgument() {
	state := s.verify(`
name: Custom.Example.Broken
sources:
  - query: SELECT * FROM parse_evtx(file="x.evtx")
`)
	s.Contains(strings.Join(state.Errors, "\n"), "file")
}
