package engine

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"www.velocidex.com/golang/velociraptor/file_store"
	"www.velocidex.com/golang/velociraptor/file_store/test_utils"
	"www.velocidex.com/golang/velociraptor/logging"
	"www.velocidex.com/golang/velociraptor/utils/tempfile"
)

// engineKeeps is how Velociraptor itself writes a redacted parameter into the events of System.Flow.Completion, which
// docs/secrets.md warns of.
const engineKeeps = `"key":"AuthKey","value":"` + theKey + `","comment":"redacted"`

// TearDownTest looks for the Auth-Key in everything that a test has left: the
// file store with its results, logs and uploads, the server's own log, and the
// folder for temporary files with the helper's caches. (The data store is left
// out: administrators give the key to it, as a secret or as server metadata.)
func (s *EngineSuite) TearDownTest() {
	defer s.TestSuite.TearDownTest()

	file_store.FlushFilestore(s.ConfigObj)
	if s.ConfigObj.Datastore.Implementation == "Test" {
		// File by file: one text of all takes minutes with the results of 10,000 clients.
		store := test_utils.GetMemoryFileStore(s.T(), s.ConfigObj)
		for _, name := range store.Data.Keys() {
			stored, _ := store.Get(name)
			text := strings.ReplaceAll(string(stored), engineKeeps, "")
			s.False(strings.Contains(text, theKey), "the Auth-Key is in the file store: %s", name)
		}
	}
	for _, line := range logging.GetMemoryLogs() {
		s.False(strings.Contains(line, theKey), "the Auth-Key is in the server's log: %s", line)
	}
	for _, folder := range []string{tempfile.GetTempDir(), s.ConfigObj.Datastore.Location} {
		s.NoError(filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // what still runs removes its own
			}
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			if about, err := entry.Info(); err == nil && about.Size() > 64<<20 {
				return nil // a log that a test has made, of gigabytes that stand for nothing
			}
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			s.False(bytes.Contains(content, []byte(theKey)) || bytes.Contains(unpacked(content), []byte(theKey)),
				"the Auth-Key is in %s", path)
			return err
		}))
	}
}

// unpacked is what is in a gzip file, as far as it can be read.
func unpacked(content []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	content, _ = io.ReadAll(reader)
	return content
}
