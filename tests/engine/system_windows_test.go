package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

// clearPeak gives unused memory back to the system. Windows counts a process's peak once and for all: to compare two ways, run
// each in a process of its own.
func clearPeak() { debug.FreeOSMemory() }

var processMemory = windows.NewLazySystemDLL("kernel32.dll").NewProc("K32GetProcessMemoryInfo")

// peakMiB is the most memory that this process has held, 0 where the system does not say.
func peakMiB() float64 {
	var counters struct { // PROCESS_MEMORY_COUNTERS
		size, pageFaults           uint32
		peakWorkingSet, workingSet uintptr
		pools                      [4]uintptr
		pagefile, peakPagefile     uintptr
	}
	counters.size = uint32(unsafe.Sizeof(counters))
	known, _, _ := processMemory.Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&counters)), uintptr(counters.size))
	if known == 0 {
		return 0
	}
	return float64(counters.peakWorkingSet) / (1 << 20)
}

// cpuSeconds is the processor time that this process has used.
func cpuSeconds() float64 {
	var created, ended, kernel, user windows.Filetime
	if windows.GetProcessTimes(windows.CurrentProcess(), &created, &ended, &kernel, &user) != nil {
		return 0
	}
	ticks := func(t windows.Filetime) float64 { return float64(t.HighDateTime)*(1<<32) + float64(t.LowDateTime) }
	return (ticks(kernel) + ticks(user)) / 1e7
}

// removeAll does without os.RemoveAll, which cannot remove a folder that has files under wine 8.
func removeAll(folder string) error {
	var paths []string
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	for _, path := range slices.Backward(paths) {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
