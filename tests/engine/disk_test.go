package engine

import (
	"strings"
	"syscall"

	"www.velocidex.com/golang/velociraptor/file_store"
	"www.velocidex.com/golang/velociraptor/file_store/api"
)

// fullDisk is a file store in which no tool can be written to its end.
type fullDisk struct{ api.FileStore }

type fullFile struct{ api.FileWriter }

func (f fullDisk) WriteFile(path api.FSPathSpec) (api.FileWriter, error) {
	file, err := f.FileStore.WriteFile(path)
	if err == nil && strings.HasPrefix(path.AsClientPath(), "/public/") {
		return fullFile{file}, nil
	}
	return file, err
}

// Write takes the first bytes, as a disk does that is about to be full.
func (f fullFile) Write(data []byte) (int, error) {
	n, _ := f.FileWriter.Write(data[:min(10, len(data))])
	return n, syscall.ENOSPC
}

func (s *EngineSuite) TestAFullDiskLeavesTheFeedThatIsPublished() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	first := s.mustRefresh(api, nil)
	api.answer(iocs([2]string{"domain", "c3.bad-domain.example"}))
	s.cacheExpires()
	files := file_store.GetFileStore(s.ConfigObj)
	file_store.OverrideFilestoreImplementation(s.ConfigObj, fullDisk{files})

	row, got := s.refresh(api, nil)
	file_store.OverrideFilestoreImplementation(s.ConfigObj, files)

	s.Equal("failed", row.Status)
	s.Contains(row.Message, "the lines above say what failed")
	s.Contains(got.logs, "no space left on device")
	s.Equal(map[string]string{first.Version: first.SHA256}, s.versions("ThreatFoxFeed"))
	s.Equal(first.SHA256, s.feedOfHunt(s.launchHunt()))

	s.Equal("published", s.mustRefresh(api, nil).Status)
}
