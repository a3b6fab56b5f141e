package engine

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"www.velocidex.com/golang/velociraptor/vtesting"
)

// aSmallDisk puts a disk of so many bytes where a client keeps its files.
func (s *EngineSuite) aSmallDisk(size string) (folder string) {
	folder = s.trusted()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size); err != nil {
		s.T().Skipf("to mount a disk that can be full needs root: %v", err)
	}
	s.T().Cleanup(func() { s.NoError(syscall.Unmount(folder, syscall.MNT_DETACH)) })
	return folder
}

// filled takes all the room that a disk has, and gives it back.
func (s *EngineSuite) filled(folder string) (emptied func()) {
	path := filepath.Join(folder, "filler")
	file, err := os.Create(path)
	s.Require().NoError(err)
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
	}
	s.Require().ErrorIs(err, syscall.ENOSPC)
	s.Require().NoError(file.Close())
	return func() { s.Require().NoError(os.Remove(path)) }
}

// aLogElsewhere is a log of 600 connections, each second one with a hit, that is not on the disk which is full.
func (s *EngineSuite) aLogElsewhere(disk string) *growingLog {
	elsewhere, err := os.MkdirTemp(filepath.Dir(disk), "logs")
	s.Require().NoError(err)
	s.T().Cleanup(func() { _ = os.RemoveAll(elsewhere) })
	return s.makeGrowingLog(600, 1, "203.0.113.7", "5.1.1.1").copyTo(filepath.Join(elsewhere, "Sysmon.evtx"))
}

func (s *EngineSuite) TestAFullDiskLosesNoHitAndItGoesOnWhenThereIsRoom() {
	folder := s.aSmallDisk("8m")
	s.liveSetup()
	both := s.normalize(s.writeExport([][2]string{theIndicator, {"ip:port", "5.1.1.1:443"}}))
	l := s.aLogElsewhere(folder)
	w := s.watchLive(l.path, nil)
	shown := func(chunks int) (events int) {
		l.show(s, chunks)
		return w.records(l, chunks)
	}
	s.toldAll((shown(1)+1)/2, 30*time.Second, w) // every second one, from the first on

	emptied := s.filled(folder)
	s.toldAll((shown(2)+1)/2, 30*time.Second, w)
	s.Contains(w.logs.String(), "cannot be written")
	s.publish("ThreatFoxFeed", both, "1.0.2")
	s.tellOfFeed("1.0.2")
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Contains(w.logs.String(), "The feed 1.0.2 could not be downloaded whole") })
	events := shown(3)
	s.toldAll((events+1)/2, 30*time.Second, w)

	emptied()
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { return strings.Contains(w.logs.String(), "The feed 1.0.2 is in use") })
	shown(len(l.chunks))
	s.toldAll((events+1)/2+600-events, 60*time.Second, w) // now all
	w.stop()
	again := s.watchLive(l.path, nil)
	time.Sleep(8 * time.Second)
	s.Empty(again.hits(), "none is told again after a restart")
}

// A file that is written again is empty first, and stays so where there is no room for it.
func (s *EngineSuite) TestAStopWhileTheDiskIsFullForgetsNothingThatWasSaved() {
	folder := s.aSmallDisk("8m")
	s.liveSetup()
	l := s.aLogElsewhere(folder)
	l.show(s, 1)
	w := s.watchLive(l.path, nil)
	saved := w.records(l, 1)
	s.toldAll((saved+1)/2, 30*time.Second, w)
	vtesting.WaitUntil(20*time.Second, s.T(), func() bool { _, err := os.Stat(filepath.Join(folder, "threatfox-live.json.before")); return err == nil })

	emptied := s.filled(folder)
	l.show(s, len(l.chunks))
	s.toldAll(300, 30*time.Second, w)
	vtesting.WaitUntil(90*time.Second, s.T(), func() bool { return strings.Contains(w.logs.String(), "threatfox-live.json cannot be written") })
	w.stop()
	emptied()
	again := s.watchLive(l.path, nil)
	time.Sleep(8 * time.Second)

	for _, hit := range again.hitRows() {
		s.Greater(int(hit["RecordID"].(float64)), saved, "what could not be saved may be told again")
	}
}
