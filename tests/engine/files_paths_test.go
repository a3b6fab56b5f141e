package engine

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// A name that begins with a brace is what Velociraptor takes for a path in JSON where it gets a text.
func (s *EngineSuite) TestAMarkedFileIsHashedAndUploadedWhateverItsNameBeginsWith() {
	disk := s.tempDir()
	downloads := disk + "/Users/u/Downloads/"
	names := []string{"{8A69D345-D564-463C-AFF1-A69D9E530F96}.exe", `{"Path":"/etc/passwd"}`, "{8A69D345}/in.exe", "{", "plain.exe", `"quoted".exe`, "back\\slash.exe", "[x]*?.exe",
		" space.exe", "new\nline.exe"}
	for _, name := range names {
		s.mark(downloads+name, "payload", []byte("[ZoneTransfer]\r\nHostUrl=http://mark.example/\r\n"))
	}
	got := s.files(disk, [][2]string{{"sha256", sha256Of("payload")}, {"domain", "mark.example"}},
		map[string]string{"Places": `["Marks"]`, "UploadHits": "Y", "MaxUploads": "100"})

	found := map[string][]string{}
	for _, hit := range s.hits(got) {
		name := strings.TrimPrefix(hit["Path"].(string), downloads)
		found[name] = append(found[name], fmt.Sprint(hit["Match"], " ", hit["Uploaded"]))
		s.Equal(downloads+name+":Zone.Identifier", hit["LogFile"])
	}
	s.Len(found, len(names))
	for _, name := range names {
		s.ElementsMatch([]string{"domain uploaded", "sha256 uploaded"}, found[name], name)
	}
	s.Contains(got.source["Coverage"], fmt.Sprintf(`"Rows":%d,"NotHashed":0`, len(names)))
}

// A user writes the browser's database: what it says is a path has to be one.
func (s *EngineSuite) TestOnlyAPlainFileOfThisHostIsUploadedWhateverADatabaseSays() {
	disk := s.tempDir()
	secret, downloads := disk+"/secret", disk+"/Users/u/Downloads/"
	s.mark(downloads+"good.exe", "good", []byte("HostUrl=http://mark.example/good\r\n"))
	s.Require().NoError(os.WriteFile(secret, []byte("secret"), 0o600))
	for _, name := range []string{"link.exe", "pipe.exe"} {
		s.Require().NoError(os.WriteFile(downloads+name+":Zone.Identifier", []byte("HostUrl=http://mark.example/\r\n"), 0o600))
	}
	s.Require().NoError(os.Symlink(secret, downloads+"link.exe"))
	s.Require().NoError(exec.Command("mkfifo", downloads+"pipe.exe").Run())
	chrome := s.database(disk+"/Users/u/"+fmt.Sprintf(chromeHistory, "p"), chromiumSchema)
	firefox := s.database(disk+"/Users/u/"+fmt.Sprintf(firefoxPlaces, "p"), firefoxSchema)
	expected := map[string]string{downloads + "good.exe": "uploaded", downloads + "link.exe": "not a plain file", downloads + "pipe.exe": "not a plain file"}
	for i, target := range []string{`{"Path":"` + secret + `"}`, `{8A}.exe`, `{"DelegateAccessor":"data","DelegatePath":"x","Path":"/"}`, `\\server\share\a.exe`,
		`\\?\C:\a.exe`, `//server/share/a.exe`, "secret", "../../secret", "C:a.exe", "http://mark.example/"} {
		s.downloadChromium(chrome, target, nil, "", "http://mark.example/")
		s.downloadFirefox(firefox, target, fmt.Sprint("http://mark.example/", i), "http://page.example/")
		expected[target] = "not a local file"
	}
	for target, status := range map[string]string{downloads: "not a plain file", disk + "/none": "not there", `C:\none`: "not there"} {
		s.downloadChromium(chrome, target, nil, "", "http://mark.example/")
		expected[target] = status
	}
	s.Require().NoError(chrome.Close())
	s.Require().NoError(firefox.Close())

	got := s.filesThatMayFail(disk, [][2]string{{"domain", "mark.example"}}, map[string]string{"UploadHits": "Y", "MaxUploads": "100", "MaxHashSize": "0"})
	s.Empty(got.failed)
	uploaded := map[string]string{}
	for _, hit := range s.hits(got) {
		uploaded[fmt.Sprint(hit["Path"])] = fmt.Sprint(hit["Uploaded"])
	}
	s.Equal(expected, uploaded)
}

func (s *EngineSuite) TestThePathOfADownloadIsWhatItsURLSays() {
	disk := s.tempDir()
	firefox := s.database(disk+"/Users/u/"+fmt.Sprintf(firefoxPlaces, "p"), firefoxSchema)
	paths := map[string]string{
		"file:///C:/Users/u/my%20file.exe":       `C:\Users\u\my file.exe`,
		"file:///C:/Users/u/100%.exe":            `C:\Users\u\100%.exe`,
		"file:///C:/Users/u/bad%zz%2.exe":        `C:\Users\u\bad%zz%2.exe`,
		"file:///C:/Users/u/%2541.exe":           `C:\Users\u\%41.exe`,
		"file:///C:/Users/u/a#b?c%23d.exe":       `C:\Users\u\a#b?c#d.exe`,
		"file:///C:/Users/u/%E4%BD%A0.exe":       `C:\Users\u\你.exe`,
		"FILE:///c:/Users/u/large.exe":           `c:\Users\u\large.exe`,
		"file:/C:/one.exe":                       `C:\one.exe`,
		"file://localhost/C:/Users/u/local.exe":  `C:\Users\u\local.exe`,
		"file://server/share/x.exe":              `\\server\share\x.exe`,
		"file://localhost.example/share/x.exe":   `\\localhost.example\share\x.exe`,
		"file:////server/share/y%20z.exe":        `\\server\share\y z.exe`,
		"file://///server/share/five.exe":        `\\server\share\five.exe`,
		"file:///home/u/it.exe":                  `/home/u/it.exe`,
		"file:///home/u/%7B%22Path%22%3A1%7D":    `/home/u/{"Path":1}`,
		"file:{\"Path\":\"/etc/passwd\"}":        `\\{"Path":"\etc\passwd"}`,
		`C:\Users\u\as it is%20.exe`:             `C:\Users\u\as it is%20.exe`,
		"file:///C:/Users/u/control\x01char.exe": "file:///C:/Users/u/control\x01char.exe",
	}
	for url := range paths {
		s.downloadFirefox(firefox, url, "http://mark.example/?"+url, "http://page.example/")
	}
	s.Require().NoError(firefox.Close())
	got := s.filesThatMayFail(disk, [][2]string{{"domain", "mark.example"}}, nil)
	s.Empty(got.failed)
	found := map[string]string{}
	for _, hit := range s.hits(got) {
		found[strings.TrimPrefix(hit["URL"].(string), "http://mark.example/?")] = fmt.Sprint(hit["Path"])
	}
	s.Equal(paths, found)
}
