// Package engine runs artifacts in Velociraptor's own engine, in the test's
// process: no server, no client, no data store on disk.
package engine

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"log"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Velocidex/ordereddict"
	"github.com/stretchr/testify/suite"
	"www.velocidex.com/golang/vfilter"

	"www.velocidex.com/golang/velociraptor/accessors"
	fs_accessor "www.velocidex.com/golang/velociraptor/accessors/file_store"
	"www.velocidex.com/golang/velociraptor/actions"
	actions_proto "www.velocidex.com/golang/velociraptor/actions/proto"
	"www.velocidex.com/golang/velociraptor/constants"
	crypto_proto "www.velocidex.com/golang/velociraptor/crypto/proto"
	"www.velocidex.com/golang/velociraptor/file_store/test_utils"
	flows_proto "www.velocidex.com/golang/velociraptor/flows/proto"
	"www.velocidex.com/golang/velociraptor/json"
	"www.velocidex.com/golang/velociraptor/responder"
	"www.velocidex.com/golang/velociraptor/services"
	"www.velocidex.com/golang/velociraptor/utils/tempfile"
	"www.velocidex.com/golang/velociraptor/vql/acl_managers"
	"www.velocidex.com/golang/velociraptor/vtesting"

	// What the artifacts use: a package registers its plugins, functions, accessors or result sets when it is imported. All of it at
	// once is velociraptor/vql_plugins, but it takes longer to build and link.
	_ "www.velocidex.com/golang/velociraptor/accessors/data"
	_ "www.velocidex.com/golang/velociraptor/accessors/file"
	_ "www.velocidex.com/golang/velociraptor/accessors/offset"
	_ "www.velocidex.com/golang/velociraptor/accessors/zip"          // gzip
	_ "www.velocidex.com/golang/velociraptor/result_sets/simple"     // flow results
	_ "www.velocidex.com/golang/velociraptor/result_sets/timed"      // event results
	_ "www.velocidex.com/golang/velociraptor/vql/common"             // column_filter
	_ "www.velocidex.com/golang/velociraptor/vql/filesystem"         // tempfile, stat, copy
	_ "www.velocidex.com/golang/velociraptor/vql/functions"          // to_dict, get, hash
	_ "www.velocidex.com/golang/velociraptor/vql/networking"         // http_client
	_ "www.velocidex.com/golang/velociraptor/vql/parsers"            // parse_json
	_ "www.velocidex.com/golang/velociraptor/vql/parsers/csv"        // parse_csv
	_ "www.velocidex.com/golang/velociraptor/vql/parsers/event_logs" // parse_evtx
	_ "www.velocidex.com/golang/velociraptor/vql/protocols"
	_ "www.velocidex.com/golang/velociraptor/vql/server"            // inventory_add
	_ "www.velocidex.com/golang/velociraptor/vql/server/flows"      // source
	_ "www.velocidex.com/golang/velociraptor/vql/server/monitoring" // add_client_monitoring
	_ "www.velocidex.com/golang/velociraptor/vql/server/secrets"    // secret_add
	_ "www.velocidex.com/golang/velociraptor/vql/server/users"      // whoami
	_ "www.velocidex.com/golang/velociraptor/vql/tools"             // query
	_ "www.velocidex.com/golang/velociraptor/vql/tools/lru"         // cache
	_ "www.velocidex.com/golang/velociraptor/vql/tools/process"     // process_tracker_get
	_ "www.velocidex.com/golang/velociraptor/vql/tools/shell"       // execve
)

// badLog matches log lines that a sound query does not cause. In VQL a
// misspelt column, a wrong argument, a missing file or tool or a refused
// permission is a log line and a NULL or no row: the query goes on.
var badLog = regexp.MustCompile(`(?im)^error:|"level":"error"|` +
	`not found|not known|unexpected arg|is required|expecting a |` +
	`permission denied|unable to open|no such file|` +
	`artifact .+ invalid|panic runtime error`)

// artifactFiles are the pack's artifacts.
func artifactFiles(t *testing.T) (paths []string) {
	err := filepath.WalkDir("../../artifacts", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".yaml") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatal("no artifacts: ", err)
	}
	return paths
}

// sample is the path of a file of tests/data.
func sample(t *testing.T, name string) string {
	path, err := filepath.Abs(filepath.Join("../data", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// quoted is a text as JSON has it: a path of Windows has backslashes.
func quoted(text string) string { return json.MustMarshalString(text) }

// builtIns are those of Velociraptor's own artifacts that the pack calls.
var builtIns = []string{"Generic.Utils.FetchBinary", "Windows.System.DNSCache", "Windows.Network.Netstat", "Windows.Detection.Amcache"}

type EngineSuite struct {
	test_utils.TestSuite
}

func TestEngine(t *testing.T) { suite.Run(t, &EngineSuite{}) }

// SetupTest starts the engine's services afresh for each test, with memory
// for a data store and a time limit of 60 s.
func (s *EngineSuite) SetupTest() { s.startEngine("Test") }

// startEngine starts the services with this implementation of the data store.
func (s *EngineSuite) startEngine(store string) {
	s.ConfigObj = s.LoadConfig()
	s.ConfigObj.Datastore.Implementation = store
	s.ConfigObj.Services.HuntDispatcher = true
	s.ConfigObj.Services.ServerArtifacts = true
	s.ConfigObj.Services.ClientMonitoring = true
	s.ConfigObj.Services.MonitoringService = true
	s.ConfigObj.Services.NotebookService = true
	s.ConfigObj.Services.SchedulerService = true
	s.ConfigObj.Datastore.Location = s.tempDir() // in which the folder of the server's artifacts is
	if store != "Test" {
		s.ConfigObj.Datastore.FilestoreDirectory = s.ConfigObj.Datastore.Location
	}
	s.TestSuite.SetupTest()

	s.Require().NoError(services.GrantRoles(s.ConfigObj, "admin", []string{"administrator"}))

	s.loadPack()

	// As a server when it starts.
	accessors.Register(fs_accessor.NewFileStoreFileSystemAccessor(s.ConfigObj))

	// Where tempfile(), tempdir() and FetchBinary's cache go.
	s.Require().NoError(tempfile.SetTempDir(s.tempDir()))
}

// tempDir is a folder that goes with the test. Unlike T.TempDir it waits for what still writes there: the services end on
// their own time; and it goes under wine too.
func (s *EngineSuite) tempDir() string {
	folder, err := os.MkdirTemp("", "engine")
	s.Require().NoError(err)
	s.T().Cleanup(func() {
		s.Eventually(func() bool { return removeAll(folder) == nil }, 10*time.Second, 10*time.Millisecond)
	})
	return folder
}

// --- Helpers ---------------------------------------------------------------

func (s *EngineSuite) repository() services.Repository {
	manager, err := services.GetRepositoryManager(s.ConfigObj)
	s.Require().NoError(err)
	repository, err := manager.GetGlobalRepository(s.ConfigObj)
	s.Require().NoError(err)
	return repository
}

// loadBuiltIn loads one of Velociraptor's own artifacts: the suite starts without them.
func (s *EngineSuite) loadBuiltIn(name string) {
	s.LoadArtifactFiles(filepath.Join(os.Getenv("VELOCIRAPTOR_MODULE_DIR"),
		"artifacts/definitions", strings.ReplaceAll(name, ".", "/")+".yaml"))
}

// loadPack loads the pack's artifacts and those that it calls.
func (s *EngineSuite) loadPack() {
	for _, name := range builtIns {
		s.loadBuiltIn(name)
	}
	s.LoadArtifactFiles(artifactFiles(s.T())...)
	s.LoadArtifacts(s.releasedNotebook())
}

// query runs VQL with all rights and returns its rows as JSON lines. The
// test fails on a log line that badLog matches.
func (s *EngineSuite) query(vql string, env *ordereddict.Dict) string {
	s.T().Helper()
	rows, logs := s.queryWithLogs(vql, env)
	s.NotRegexp(badLog, logs)
	return rows
}

// queryWithLogs is query, with its log.
func (s *EngineSuite) queryWithLogs(vql string, env *ordereddict.Dict) (rows, logged string) {
	s.T().Helper()
	manager, err := services.GetRepositoryManager(s.ConfigObj)
	s.Require().NoError(err)

	var logs bytes.Buffer
	scope := manager.BuildScope(services.ScopeBuilder{
		Config:     s.ConfigObj,
		ACLManager: acl_managers.NullACLManager{},
		Logger:     log.New(&logs, "", 0),
		Env:        env,
	})

	statements, err := vfilter.MultiParse(vql)
	s.Require().NoError(err)

	var out strings.Builder
	for _, statement := range statements {
		for row := range statement.Eval(s.Ctx, scope) {
			line, err := json.Marshal(vfilter.RowToDict(s.Ctx, scope, row))
			s.Require().NoError(err)
			out.Write(append(line, '\n'))
		}
	}
	scope.Close() // before the logs are read: it ends what still runs
	return out.String(), logs.String()
}

// collection is what becomes of an artifact that is collected.
type collection struct {
	rows   string            // JSON lines, of all sources
	source map[string]string // JSON lines, by the source's name
	flow   string            // its id, on the server
	logs   string            // JSON lines
	failed string            // the first error, empty if the collection succeeded
}

// collect compiles an artifact as the server does for a client, and runs the
// result as the client does.
func (s *EngineSuite) collect(artifact string, params map[string]string) collection {
	s.T().Helper()
	return s.runOnClient(s.compile(artifact, params))
}

// compile makes of an artifact what the server sends to a client.
func (s *EngineSuite) compile(artifact string, params map[string]string) []*actions_proto.VQLCollectorArgs {
	s.T().Helper()
	if strings.HasPrefix(artifact, hunt) && params["AnySystem"] == "" {
		params["AnySystem"] = "Y" // the tests' logs were brought to whatever system this is
	}
	if strings.HasPrefix(artifact, hunt) && runtime.GOOS == "windows" {
		withoutLiveState(params)
	}
	request := &flows_proto.ArtifactCollectorArgs{
		ClientId:  "C.1",
		Artifacts: []string{artifact},
		Specs:     []*flows_proto.ArtifactSpec{{Artifact: artifact, Parameters: parameters(params)}},
	}
	service, err := services.GetLauncher(s.ConfigObj)
	s.Require().NoError(err)
	compiled, err := service.CompileCollectorArgs(s.Ctx, s.ConfigObj,
		acl_managers.NullACLManager{}, s.repository(), services.CompilerOptions{}, request)
	s.Require().NoError(err)
	return compiled
}

// withoutLiveState keeps a hunt from what this host remembers, unless a test asks for it: the connections change between two
// hunts, and WMI, which has the DNS client cache, may never answer under wine.
func withoutLiveState(params map[string]string) {
	for _, name := range []string{"SearchDNSCache", "SearchConnections"} {
		if params[name] == "" {
			params[name] = "N"
		}
	}
}

// runOnClient runs what the server has sent.
func (s *EngineSuite) runOnClient(compiled []*actions_proto.VQLCollectorArgs) collection {
	s.T().Helper()
	// Not the suite's context, which ends after 60 s: a log may be large.
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	return s.runOnClientUntil(ctx, compiled)
}

// runOnClientUntil runs what the server has sent until a context ends.
func (s *EngineSuite) runOnClientUntil(ctx context.Context, compiled []*actions_proto.VQLCollectorArgs) collection {
	s.T().Helper()
	client := responder.TestResponderWithFlowId(s.ConfigObj, "F.Test")
	for _, query := range compiled {
		actions.VQLClientAction{}.StartQuery(s.ConfigObj, ctx, client, query)
	}
	// Close() sends what is left of the log in the background and cancels that at once, so that the
	// log's end is lost now and then: send it first.
	client.FlowContext().FlushLogMessages(context.WithoutCancel(ctx))
	client.Close()

	result := collection{source: map[string]string{}}
	for _, message := range s.messagesOf(client) {
		if message.VQLResponse != nil {
			result.rows += message.VQLResponse.JSONLResponse
			name := path.Base(strings.ReplaceAll(message.VQLResponse.Query.Name, ".", "/"))
			result.source[name] += message.VQLResponse.JSONLResponse
		}
		if message.LogMessage != nil {
			result.logs += message.LogMessage.Jsonl
		}
		for _, status := range message.GetFlowStats().GetQueryStatus() {
			if result.failed == "" {
				result.failed = status.ErrorMessage
			}
		}
	}
	return result
}

// messagesOf are a client's messages once all have come: they are sent in the background. The last line of the engine's log is
// "Query Stats". The engine's own WaitForCompletion looks every 50 ms, which the benchmarks would count.
func (s *EngineSuite) messagesOf(client *responder.TestResponderType) (messages []*crypto_proto.VeloMessage) {
	complete, logged := false, false
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		messages = client.Drain.Messages()
		for _, message := range messages {
			complete = complete || message.GetFlowStats().GetFlowComplete()
			logged = logged || strings.Contains(message.GetLogMessage().GetJsonl(), "Query Stats")
		}
		if complete && logged {
			break
		}
	}
	s.Require().True(complete, "the collection has not ended")
	return messages
}

// collectOnServer launches a server artifact as the user admin and waits until it ends.
func (s *EngineSuite) collectOnServer(artifact string, params map[string]string) collection {
	s.T().Helper()
	const server = constants.VELOCIRAPTOR_SERVER_CLIENT_ID

	service, err := services.GetLauncher(s.ConfigObj)
	s.Require().NoError(err)
	flow_id, err := service.ScheduleArtifactCollection(s.Ctx, s.ConfigObj,
		acl_managers.NewServerACLManager(s.ConfigObj, "admin"), s.repository(),
		&flows_proto.ArtifactCollectorArgs{
			Creator:   "admin",
			ClientId:  server,
			Artifacts: []string{artifact},
			Specs:     []*flows_proto.ArtifactSpec{{Artifact: artifact, Parameters: parameters(params)}},
		},
		func() {
			notifier, err := services.GetNotifier(s.ConfigObj)
			if err == nil {
				_ = notifier.NotifyListener(s.Ctx, s.ConfigObj, server, "")
			}
		})
	s.Require().NoError(err)

	result := collection{flow: flow_id}
	vtesting.WaitUntil(60*time.Second, s.T(), func() bool {
		flow, err := service.GetFlowDetails(
			s.Ctx, s.ConfigObj, services.GetFlowOptions{}, server, flow_id)
		if err != nil || flow.Context == nil {
			return false
		}
		if flow.Context.State == flows_proto.ArtifactCollectorContext_ERROR {
			result.failed = flow.Context.Status
		}
		return flow.Context.State != flows_proto.ArtifactCollectorContext_RUNNING
	})

	// A variable named Artifact would hide the namespace of that name.
	env := ordereddict.NewDict().Set("FlowId", flow_id).Set("Name", artifact)
	result.rows = s.query(
		`SELECT * FROM source(client_id="server", flow_id=FlowId, artifact=Name)`, env)
	result.logs = s.query(
		`SELECT * FROM flow_logs(client_id="server", flow_id=FlowId)`, env)
	return result
}

func parameters(params map[string]string) *flows_proto.ArtifactParameters {
	result := &flows_proto.ArtifactParameters{}
	for key, value := range params {
		result.Env = append(result.Env, &actions_proto.VQLEnv{Key: key, Value: value})
	}
	return result
}

// publish adds a file to the inventory as the given version of a tool.
func (s *EngineSuite) publish(tool, file, version string) {
	s.query(`SELECT inventory_add(tool=Tool, file=File, version=Version)
FROM scope()`, ordereddict.NewDict().
		Set("Tool", tool).Set("File", file).Set("Version", version))
}

// writeGzip writes a compressed file to a folder of the test's own.
func (s *EngineSuite) writeGzip(name, text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, text)
	s.Require().NoError(err)
	s.Require().NoError(w.Close())

	path := filepath.Join(s.tempDir(), name)
	s.Require().NoError(os.WriteFile(path, out.Bytes(), 0o600))
	return path
}
