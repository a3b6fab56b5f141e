package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// othersFolders are what somebody else may have put in the place of the server's own folder, and what is said of it.
func (s *EngineSuite) othersFolders() map[string]struct {
	make func(path string) error
	says string
} {
	elsewhere := s.tempDir()
	return map[string]struct {
		make func(path string) error
		says string
	}{
		"another user's": {func(path string) error {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			return os.Chown(path, 12345, 12345)
		}, `it belongs to another user \(uid 12345\): remove it`},
		"a link":                   {func(path string) error { return os.Symlink(elsewhere, path) }, "it is a symbolic link or a file, not a folder: remove it"},
		"a link to nowhere":        {func(path string) error { return os.Symlink(elsewhere+"/none", path) }, "it is a symbolic link or a file"},
		"a file":                   {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "it is a symbolic link or a file"},
		"open to all":              {func(path string) error { return mkdir(path, 0o777) }, `others may enter it or write to it \(mode drwxrwxrwx\).*chmod 700`},
		"open to a group":          {func(path string) error { return mkdir(path, 0o770) }, `others may enter it or write to it \(mode drwxrwx---\)`},
		"readable by others":       {func(path string) error { return mkdir(path, 0o755) }, `others may enter it`},
		"sticky, as a temporary's": {func(path string) error { return mkdir(path, os.ModeSticky|0o777) }, `others may enter it|not a folder`},
	}
}

// mkdir makes a folder with this mode, whatever the umask.
func mkdir(path string, mode os.FileMode) error {
	if err := os.Mkdir(path, mode.Perm()); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// The same bytes there, owned by somebody else, were once run by a server as root.
func (s *EngineSuite) TestNothingIsRunFromAFolderThatAnotherUserMayHaveMade() {
	if os.Getuid() != 0 {
		s.T().Skip("only root can make another user's folder")
	}
	ran := filepath.Join(s.T().TempDir(), "ran")
	s.publishScript(fmt.Sprintf("touch %s", ran))
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey="-") FROM scope()`, nil)
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	folder := s.serverFolder()

	for name, test := range s.othersFolders() {
		s.Require().NoError(os.RemoveAll(folder))
		s.Require().NoError(test.make(folder), name)

		row, got := s.refresh(api, nil)
		s.Equal("failed", row.Status, name)
		s.Regexp("^Nothing was run, since the server's folder "+folder+" is not private: ", row.Message, name)
		s.Regexp(test.says, row.Message, name)
		s.Regexp(test.says, got.failed, name)

		helper := s.collectOnServer("Server.Import.ThreatFox.Helper", map[string]string{"HelperFile": "file://" + s.helper()})
		s.Regexp(test.says, helper.failed, name)
		_, logs := s.queryWithLogs(`SELECT * FROM Artifact.Server.Enrichment.ThreatFox(ApiURL=URL, AuthKey="0123456789abcdef0123456789")`, nil)
		s.Regexp(test.says, logs, name)

		s.NoFileExists(ran, name)
		s.Empty(api.asked(), name)
		s.Empty(s.versions("ThreatFoxFeed"), name)
		entries, _ := os.ReadDir(folder)
		s.Empty(entries, "nothing was written there: %s", name)
	}
}

func (s *EngineSuite) TestWhatTheServerRunsAndKeepsIsInAFolderOfItsOwn() {
	s.publishHelper()
	s.mustRefresh(s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"})), nil)

	info, err := os.Stat(s.serverFolder())
	s.Require().NoError(err)
	s.Equal("drwx------", info.Mode().String())
	s.FileExists(filepath.Join(s.serverFolder(), "threatfox"))
	s.DirExists(filepath.Join(s.serverFolder(), "cache"))
	left, err := filepath.Glob(filepath.Join(s.serverFolder(), "new-*"))
	s.Require().NoError(err)
	s.Empty(left, "the feed is in the inventory now")
	shared := s.rowsOf(s.query(`SELECT OSPath FROM glob(globs="**", root=dirname(path=tempfile()))`, nil))
	for _, row := range shared {
		s.False(strings.Contains(filepath.Base(row["OSPath"]), "threatfox"), row["OSPath"])
	}
}
