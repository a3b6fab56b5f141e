package engine

import (
	"net/http"
	"path/filepath"
	"time"

	"github.com/Velocidex/ordereddict"

	api_proto "www.velocidex.com/golang/velociraptor/api/proto"
	"www.velocidex.com/golang/velociraptor/services"
)

// inChildOrg does something as in the GUI of a child organization, in which admin is an administrator.
func (s *EngineSuite) inChildOrg(id string, do func()) {
	s.T().Helper()
	orgs, err := services.GetOrgManager()
	s.Require().NoError(err)
	record, err := orgs.CreateNewOrg("Child "+id, id, services.RandomNonce)
	s.Require().NoError(err)
	child, err := orgs.GetOrgConfig(record.Id)
	s.Require().NoError(err)
	s.Require().NoError(services.GrantRoles(child, "admin", []string{"administrator"}))

	root := s.ConfigObj
	child.Client.ServerUrls = root.Client.ServerUrls
	s.ConfigObj = child
	defer func() { s.ConfigObj = root }()
	s.loadPack()
	do()
}

// onDisk starts the engine anew with a file store on the disk, as a server has: the one in memory is the same for all organizations.
func (s *EngineSuite) onDisk() {
	s.TearDownTest()
	s.startEngine("FileBaseDataStore")
}

func (s *EngineSuite) TestAChildOrgRefreshesAFeedOfItsOwn() {
	s.onDisk()
	exports := s.serveExports(threeSources)
	s.servePublic()
	s.publish("ThreatFoxHelper_linux_amd64", s.helper(), "1.0.0")
	root, _ := s.refreshFrom(exports, map[string]string{"Source": "full"})
	s.Require().Equal("published", root.Status, root.Message)
	rootFolder := s.serverFolder()

	s.inChildOrg("OCHILD", func() {
		row, _ := s.refreshFrom(exports, nil)
		s.Equal("failed", row.Status)
		s.Regexp(`^The helper was not run: the tool ThreatFoxHelper_linux_amd64 is not in the inventory .*each organization has its own`, row.Message)

		got := s.collectOnServer("Server.Import.ThreatFox.Helper", map[string]string{"HelperFile": "file://" + s.helper()})
		s.Empty(got.failed)
		first, got := s.refreshFrom(exports, map[string]string{"Source": "full"})
		s.Require().Equal([]string{"published", "full"}, []string{first.Status, first.FeedSource}, got.logs)
		second, _ := s.refreshFrom(exports, nil)
		s.Equal([]string{"unchanged", "full"}, []string{second.Status, second.FeedSource}, second.Message)
		s.NotEqual(rootFolder, s.serverFolder())
		s.FileExists(filepath.Join(s.serverFolder(), "threatfox"))

		exports.answer = func(string) (int, string) { return http.StatusOK, csvExport(domains(0, 40), time.Now()) }
		third, _ := s.refreshFrom(exports, nil)
		s.Equal("refused", third.Status, "it is compared with the feed in use: %s", third.Message)
		rows, logs := s.queryAs("admin", `SELECT hunt(artifacts="Windows.Detection.ThreatFox", expires=now() + 3600).HuntId AS Id FROM scope()`)
		s.Require().Contains(rows, `"Id":"H.`, logs)
		s.Equal(first.SHA256, s.feedOfHunt(s.rowsOf(rows)[0]["Id"]), logs)
	})
	s.Equal(map[string]string{root.Version: root.SHA256}, s.versions("ThreatFoxFeed"), "the root's is as it was")
}

// A child's files lie in the root's file store, which the child cannot read by the accessor fs.
func (s *EngineSuite) TestAChildOrgDeletesItsOutdatedFeeds() {
	s.onDisk()
	exports := s.serveExports(threeSources)
	s.servePublic()
	s.inChildOrg("OCHILD", func() {
		s.publish("ThreatFoxHelper_linux_amd64", s.helper(), "1.0.0")
		for _, version := range []string{"1.0.1700000000", "1.0.1700000001"} {
			s.publish("ThreatFoxFeed", s.normalize(s.writeExport([][2]string{{"domain", "old.bad-domain.example"}})), version)
		}
		file := filepath.Join(s.ConfigObj.Datastore.FilestoreDirectory, "..", "..", "public", s.rowsOf(s.query(
			`SELECT filestore_path AS Path FROM inventory() WHERE name = "ThreatFoxFeed" AND get(field="version") = "1.0.1700000000"`, nil))[0]["Path"])
		s.Require().FileExists(file)

		row, got := s.refreshFrom(exports, map[string]string{"Source": "full"})

		s.Equal("published", row.Status, got.logs)
		s.Equal([]string{"1.0.1700000000"}, row.Deleted)
		s.NoFileExists(file, got.logs)
	})
}

// Look-ups in a child organization are in the feed of its own, which lies in the root's file store; the root's does not count.
func (s *EngineSuite) TestAChildOrgLooksUpInTheFeedOfItsOwn() {
	s.onDisk()
	s.servePublic()
	s.publish("ThreatFoxFeed", s.normalize(s.writeExport([][2]string{{"domain", "root.bad-domain.example"}})), "1.0.1700000000")
	lookUp := func(value string) string {
		rows, _ := s.queryWithLogs(`SELECT ioc FROM Artifact.Server.Enrichment.ThreatFox(LookIn="feed", IOC=Value)`, ordereddict.NewDict().Set("Value", value))
		return rows
	}
	s.Contains(lookUp("root.bad-domain.example"), "root.bad-domain.example")

	s.inChildOrg("OCHILD", func() {
		got := s.collectOnServer(enrichment, map[string]string{"IOC": "root.bad-domain.example", "LookIn": "feed"})
		s.Contains(got.failed, "There is no feed: publish one with Server.Import.ThreatFox in this organization")

		s.publish("ThreatFoxFeed", s.normalize(s.writeExport([][2]string{{"domain", "child.bad-domain.example"}})), "1.0.1700000001")

		s.Contains(lookUp("child.bad-domain.example"), "child.bad-domain.example")
		s.Empty(lookUp("root.bad-domain.example"))
		s.newClient("C.1000000000000001", "alpha")
		s.loadBuiltIn("Windows.System.DNSCache")
		s.collected("C.1000000000000001", "F.DNS", "Windows.System.DNSCache", 3, `{"Name":"child.bad-domain.example","Record":"","RecordType":"A"}`)
		hits, _ := s.retroHits(map[string]string{})
		s.Len(hits, 1, "the retro hunt")
		rows := s.query(`LET _ <= import(artifact="Notebooks.ThreatFox") SELECT * FROM FeedRows`, nil)
		s.Contains(rows, "child.bad-domain.example", "the notebook")
		cells, _ := s.notebook(&api_proto.NotebookMetadata{Name: "ThreatFox", Artifacts: []string{notebookArtifact}})
		s.Contains(s.sound(cells[len(cells)-1])[0].rows, `"Version":"1.0.1700000001"`)
	})
}
