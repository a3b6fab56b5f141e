package engine

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/Velocidex/ordereddict"
	"www.velocidex.com/golang/vfilter"
	"www.velocidex.com/golang/vfilter/arg_parser"

	"www.velocidex.com/golang/velociraptor/config"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/services/orgs"
	vql_subsystem "www.velocidex.com/golang/velociraptor/vql"
	"www.velocidex.com/golang/velociraptor/vql/acl_managers"

	_ "www.velocidex.com/golang/velociraptor/accessors/pipe"
	_ "www.velocidex.com/golang/velociraptor/vql/golang"          // background
	_ "www.velocidex.com/golang/velociraptor/vql/tools/collector" // collect
)

// repack stands in for the function that puts a collector together: the real one writes configuration and tools into a
// copy of Velociraptor's program, and its package brings the libraries of three clouds with it. This one says what it got.
type repack struct{}

type repackArgs struct {
	Target     string   `vfilter:"optional,field=target"`
	Version    string   `vfilter:"optional,field=version"`
	UploadName string   `vfilter:"optional,field=upload_name"`
	Binaries   []string `vfilter:"optional,field=binaries"`
	Config     string   `vfilter:"required,field=config"`
}

func (repack) Call(ctx context.Context, scope vfilter.Scope, args *ordereddict.Dict) vfilter.Any {
	got := &repackArgs{}
	if err := arg_parser.ExtractArgsWithContext(ctx, scope, args, got); err != nil {
		scope.Log("ERROR:repack: %v", err)
		return vfilter.Null{}
	}
	return got
}

func (repack) Info(vfilter.Scope, *vfilter.TypeMap) *vfilter.FunctionInfo {
	return &vfilter.FunctionInfo{Name: "repack"}
}

func init() { vql_subsystem.OverrideFunction(&repack{}) }

// collector is an offline collector: the configuration and the zip of tools that the real one has in itself.
type collector struct{ config, tools, results string }

// offlineCollector imports the pack as the GUI does and has the server build a collector of an artifact as the GUI's
// wizard does.
func (s *EngineSuite) offlineCollector(artifact string, params map[string]any) collector {
	s.T().Helper()
	s.importPack()
	s.loadBuiltIn("Server.Utils.CreateCollector")
	folder := s.T().TempDir()
	made := collector{folder + "/config.json", folder + "/tools.zip", folder + "/Results.zip"}

	parameters, err := json.Marshal(map[string]any{artifact: params})
	s.Require().NoError(err)
	got := s.collectOnServer("Server.Utils.CreateCollector", map[string]string{
		"OS":                     "Generic",
		"artifacts":              `["` + artifact + `"]`,
		"parameters":             string(parameters),
		"opt_output_directory":   folder,
		"opt_filename_template":  "Results",
		"opt_collector_filename": "collector",
	})
	s.Require().Empty(got.failed, got.logs)
	var row struct {
		Repacked struct {
			Config   string
			Binaries []string
		}
	}
	s.Require().NoError(json.Unmarshal([]byte(got.rows), &row), got.rows)
	s.Require().NoError(os.WriteFile(made.config, []byte(row.Repacked.Config), 0o600))
	s.packTools(made.tools, row.Repacked.Binaries)
	return made
}

// packTools puts tools of the inventory into a zip, with the list of them that a collector reads (AppendBinaries in the
// engine's vql/tools/repack.go).
func (s *EngineSuite) packTools(path string, tools []string) {
	file, err := os.Create(path)
	s.Require().NoError(err)
	defer file.Close()
	pack := zip.NewWriter(file)
	list := "ToolName,Filename,ExpectedHash,Size,Version\n"
	for _, tool := range tools {
		copied := filepath.Join(s.T().TempDir(), "tool")
		entry := s.rowsOf(s.query(`LET Entry <= inventory_get(tool=Tool).Definition
SELECT Entry.filename AS Name, Entry.hash AS Hash, Entry.version AS Version FROM scope()
WHERE copy(accessor="fs", filename="/public/" + Entry.filestore_path, dest=File)`,
			ordereddict.NewDict().Set("Tool", tool).Set("File", copied)))[0]
		content := s.read(copied)
		list += fmt.Sprintf("%s,uploads/%s,%s,%d,%s\n", tool, entry["Name"], entry["Hash"], len(content), entry["Version"])
		s.addToZip(pack, "uploads/"+entry["Name"], content)
	}
	s.addToZip(pack, "uploads/inventory.csv", list)
	s.Require().NoError(pack.Close())
}

func (s *EngineSuite) addToZip(pack *zip.Writer, name, content string) {
	writer, err := pack.Create(name)
	s.Require().NoError(err)
	_, err = io.WriteString(writer, content)
	s.Require().NoError(err)
}

// runOffline runs a collector with no server, as Velociraptor's program does with the configuration that it finds in
// itself, and returns the rows of each source and the log.
func (s *EngineSuite) runOffline(made collector) (rows map[string]string, logged string) {
	s.T().Helper()
	s.TearDownTest()
	defer s.SetupTest() // the suite tears down what it set up

	endpoint, err := new(config.Loader).WithFileLoader(made.config).LoadAndValidate()
	s.Require().NoError(err)
	endpoint.Services = services.GenericToolServices()
	config.EmbeddedFile = made.tools
	defer func() { config.EmbeddedFile = "" }()
	services.RegisterOrgManager(nil) // the server's
	running := services.NewServiceManager(context.Background(), endpoint)
	defer running.Close()
	_, err = orgs.NewOrgManager(running.Ctx, &sync.WaitGroup{}, endpoint)
	s.Require().NoError(err)

	manager, err := services.GetRepositoryManager(endpoint)
	s.Require().NoError(err)
	var logs bytes.Buffer
	scope := manager.BuildScope(services.ScopeBuilder{
		Config:     endpoint,
		ACLManager: acl_managers.NullACLManager{},
		Logger:     log.New(&logs, "", 0),
	})
	s.Require().Equal([]string{"artifacts", "collect", "Collector"}, endpoint.Autoexec.Argv[:3])
	statements, err := vfilter.MultiParse(`SELECT * FROM collect(artifacts="Collector", args=dict(Collector=dict()))`)
	s.Require().NoError(err)
	for range statements[0].Eval(running.Ctx, scope) { // the rows are in the container
	}
	scope.Close()
	s.Require().FileExists(made.results, logs.String())
	return s.container(made.results), logs.String()
}

// container is what a collector brings home: the rows of each source.
func (s *EngineSuite) container(path string) map[string]string {
	s.T().Helper()
	reader, err := zip.OpenReader(path)
	s.Require().NoError(err)
	defer reader.Close()
	rows := map[string]string{}
	for _, file := range reader.File {
		name, isResult := strings.CutPrefix(file.Name, "results/")
		name, isRows := strings.CutSuffix(name, ".json")
		if isResult && isRows {
			content, err := file.Open()
			s.Require().NoError(err)
			text, err := io.ReadAll(content)
			s.Require().NoError(err)
			rows[strings.ReplaceAll(name, "%2F", "/")] = string(text)
		}
	}
	return rows
}

func (s *EngineSuite) TestAnOfflineCollectorFindsWhatTheHuntFinds() {
	hunted := s.hunt(s.edgeFeed(), s.edgeLog(), nil)
	made := s.offlineCollector(hunt, map[string]any{"EvtxGlob": s.edgeLog(), "MinStrength": "weak"})

	rows, logged := s.runOffline(made)
	// The collector's own code now and then knows a tool by its hash alone, in this suite on a machine with much to do.
	for n := 0; n < 2 && strings.Contains(logged, "not configured by the server"); n++ {
		s.Require().NoError(os.Remove(made.results))
		rows, logged = s.runOffline(made)
	}

	s.NotRegexp(badLog, logged)
	for _, source := range []string{"Summary", "Hits", "Coverage"} {
		s.NotEmpty(hunted.source[source])
		s.Equal(hunted.source[source], rows[hunt+"/"+source], source)
	}
}
