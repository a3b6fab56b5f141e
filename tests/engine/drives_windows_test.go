package engine

import (
	"net"

	"golang.org/x/sys/windows"

	"www.velocidex.com/golang/velociraptor/accessors"
	"www.velocidex.com/golang/velociraptor/accessors/file"
	"www.velocidex.com/golang/vfilter"

	_ "www.velocidex.com/golang/velociraptor/vql/windows" // pslist
)

// The engine asks WMI which drives there are, and a glob begins with that list; its accessor "auto" falls back to "ntfs", which asks
// WMI for shadow copies. Under wine 8 WMI knows no drives, and now and then never answers. So both accessors are the one that uses
// the system's own calls, with the drives that the system names. What reads past the file system cannot be tested under wine.
func init() {
	accessors.Register(withDrives{&file.OSFileSystemAccessor{}, "file"})
	accessors.Register(withDrives{&file.OSFileSystemAccessor{}, "auto"})
}

type withDrives struct {
	*file.OSFileSystemAccessor
	name string
}

func (w withDrives) Describe() *accessors.AccessorDescriptor {
	description := *w.OSFileSystemAccessor.Describe()
	description.Name = w.name
	return &description
}

func (w withDrives) New(scope vfilter.Scope) (accessors.FileSystemAccessor, error) {
	accessor, err := w.OSFileSystemAccessor.New(scope)
	if err != nil {
		return nil, err
	}
	return withDrives{accessor.(*file.OSFileSystemAccessor), w.name}, nil
}

func (w withDrives) ReadDirWithOSPath(path *accessors.OSPath) ([]accessors.FileInfo, error) {
	if len(path.Components) == 0 {
		return drives()
	}
	return w.OSFileSystemAccessor.ReadDirWithOSPath(path)
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

func (s *EngineSuite) TestOnWindowsTheHuntReadsTheOpenConnectionsOfTheSystem() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.Require().NoError(err)
	defer listener.Close()
	connection, err := net.Dial("tcp", listener.Addr().String())
	s.Require().NoError(err)
	defer connection.Close()

	got := s.hunt(s.edgeFeed(), s.edgeLog(), map[string]string{"SearchConnections": "Y"})

	s.Regexp(`"Place":"Windows.Network.Netstat",[^}]*"Connections":[1-9]`, got.source["Coverage"])
}
