package docs

import (
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"
)

var (
	folderRow     = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
	folderPicture = regexp.MustCompile(`(?:^|[\s>])((?:\.ci|\.github|[a-z]+/)[\w/-]*)`)
)

// folders are those of the upper two levels, without what is built and what only editors and git keep.
func folders(t *testing.T, top string) (found []string) {
	must(t, filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || path == top {
			return err
		}
		name, err := filepath.Rel(top, path)
		name = filepath.ToSlash(name)
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(name, ".ci") && !strings.HasPrefix(name, ".github")
		if err != nil || built[name] || hidden {
			return fs.SkipDir
		}
		found = append(found, name)
		if strings.Contains(name, "/") {
			return fs.SkipDir
		}
		return nil
	}))
	sort.Strings(found)
	return found
}

func TestTheArchitecturePageNamesEachFolderOfTheUpperTwoLevelsAndNoOther(t *testing.T) {
	page := string(read(t, filepath.Join(top, "docs/architecture.md")))
	_, table, _ := strings.Cut(page, "## Folders\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var named []string
	for _, row := range folderRow.FindAllStringSubmatch(table, -1) {
		named = append(named, row[1])
	}
	sort.Strings(named)
	if expected := folders(t, top); !reflect.DeepEqual(expected, named) {
		t.Errorf("the folders are %v,\ndocs/architecture.md names %v", expected, named)
	}
}

func TestTheArchitecturePictureNamesEachTopFolderAndNoneThatIsMissing(t *testing.T) {
	picture := string(read(t, filepath.Join(top, "docs/pictures/parts.svg")))
	named := map[string]bool{}
	for _, found := range folderPicture.FindAllStringSubmatch(picture, -1) {
		folder := strings.Trim(found[1], "/")
		if !exists(top, folder) {
			t.Errorf("the picture names %s, which does not exist", folder)
		}
		upper, _, _ := strings.Cut(folder, "/")
		named[upper] = true
	}
	for _, folder := range folders(t, top) {
		if !strings.Contains(folder, "/") && !named[folder] {
			t.Errorf("the picture does not name %s", folder)
		}
	}
}
