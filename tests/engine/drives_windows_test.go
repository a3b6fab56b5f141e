package engine

import (
	"golang.org/x/sys/windows"

	"www.velocidex.com/golang/velociraptor/accessors"
	"www.velocidex.com/golang/velociraptor/accessors/file"
	"www.velocidex.com/golang/vfilter"

	// What the accessor "auto" falls back to, and what the hunts call on Windows alone.
	_ "www.velocidex.com/golang/velociraptor/accessors/ntfs"
	_ "www.velocidex.com/golang/velociraptor/vql/windows"     // pslist
	_ "www.velocidex.com/golang/velociraptor/vql/windows/wmi" // wmi
)

// The engine asks WMI which drives there are, and a glob begins with that list. Under wine WMI does not answer, and every glob
// would be empty. So the accessors get the drives that the system names; all else is the engine's own.
func init() {
	accessors.Register(withDrives{&file.AutoFilesystemAccessor{}})
	accessors.Register(withDrives{&file.OSFileSystemAccessor{}})
}

type windowsAccessor interface {
	accessors.FileSystemAccessor
	accessors.RawFileAPIAccessor
	GetCanonicalFilename(path *accessors.OSPath) string
}

type withDrives struct{ windowsAccessor }

func (w withDrives) New(scope vfilter.Scope) (accessors.FileSystemAccessor, error) {
	accessor, err := w.windowsAccessor.New(scope)
	if err != nil {
		return nil, err
	}
	return withDrives{accessor.(windowsAccessor)}, nil
}

func (w withDrives) ReadDirWithOSPath(path *accessors.OSPath) ([]accessors.FileInfo, error) {
	if len(path.Components) == 0 {
		return drives()
	}
	return w.windowsAccessor.ReadDirWithOSPath(path)
}

func drives() (found []accessors.FileInfo, err error) {
	letters, err := windows.GetLogicalDrives()
	if err != nil {
		return nil, err
	}
	for i := range 26 {
		if letters&(1<<i) == 0 {
			continue
		}
		path, err := accessors.NewWindowsOSPath(string(rune('A'+i)) + ":")
		if err != nil {
			return nil, err
		}
		found = append(found, &accessors.VirtualFileInfo{IsDir_: true, Path: path})
	}
	return found, nil
}
