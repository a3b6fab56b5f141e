package engine

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/Velocidex/ordereddict"

	"www.velocidex.com/golang/velociraptor/services"
)

// A place of the artifact, a row as that artifact gives it, and the hit.
var collectedRows = []struct{ result, row, hit string }{
	{"Windows.Network.NetstatEnriched/Netstat", `{"Path":"C:\\evil.exe","Username":"u","CommandLine":"evil.exe","Hash":{"MD5":"00"},"Raddr":"203.0.113.7","Rport":4443}`,
		`C:\evil.exe ip:port strong 203.0.113.7:4443`},
	{"Linux.Network.Netstat/TCP4", `{"State":"Established","ProcessInfo":{"Command":"evil","CommandLine":"evil -x"},"RemoteAddr":"203.0.113.7","RemotePort":4443}`,
		`evil ip:port strong 203.0.113.7:4443`},
	{"Linux.Network.NetstatEnriched", `{"Raddr":"203.0.113.7","Rport":4443,"ProcInfo":{"Exe":"/tmp/evil","CommandLine":"evil"}}`, `/tmp/evil ip:port strong 203.0.113.7:4443`},
	{"MacOS.Network.Netstat", `{"Raddr":"203.0.113.7","Rport":80,"ProcInfo":{"Exe":"/tmp/evil"}}`, `/tmp/evil ip medium 203.0.113.7:4443`},
	{"Windows.System.Pslist", `{"Exe":"C:\\evil.exe","Username":"u","CommandLine":"","Hash":{"MD5":"83F19F1E5A4C954C9FF549DAC313DD29"}}`,
		`C:\evil.exe md5 strong 83f19f1e5a4c954c9ff549dac313dd29`},
	{"Linux.Sys.Pslist", `{"Exe":"/tmp/evil","Username":"u","CommandLine":"curl http://c2.bad-domain.example/x","Hash":{"MD5":"00"}}`,
		`/tmp/evil command line domain medium c2.bad-domain.example`},
	{"Windows.Detection.Amcache", `{"EntryPath":"c:\\evil.exe","SHA1":"83f19f1e5a4c954c9ff549dac313dd2900000000","KeyMTime":"2026-11-05T12:00:00Z"}`, ""},
	{"Windows.Analysis.EvidenceOfDownload", `{"DownloadedFilePath":"C:\\x.iso","Mtime":"2026-11-05T12:00:00Z","FileHash":{"MD5":"83f19f1e5a4c954c9ff549dac313dd29"},"HostUrl":"https://c2.bad-domain.example/x"}`,
		`C:\x.iso domain strong c2.bad-domain.example|C:\x.iso md5 strong 83f19f1e5a4c954c9ff549dac313dd29`},
	{"Windows.ETW.DNS", `{"EventTime":"2026-11-05T12:00:00Z","Query":"harmless.example","Type":"A","Answer":"type: 5 c2.bad-domain.example;::ffff:192.0.2.1;","Process":{"Exe":"C:\\evil.exe"}}`,
		`C:\evil.exe dns answer medium c2.bad-domain.example`},
	{"Windows.ETW.DNSQueriesServer", `{"TimeStamp":"2026-11-05T12:00:00Z","QNAME":"c2.bad-domain.example."}`, `<nil> domain strong c2.bad-domain.example`},
	{"Windows.ETW.EdgeURLs", `{"Timestamp":"2026-11-05T12:00:00Z","URL":"https://c2.bad-domain.example/","ProcInfo":{"Exe":"C:\\e.exe"}}`, `C:\e.exe domain strong c2.bad-domain.example`},
	{"Windows.ETW.KernelNetwork", `{"_System":{"TimeStamp":"2026-11-05T12:00:00Z"},"ProcInfo":{"Exe":"C:\\e.exe"},"EventData":{"daddr":"203.0.113.7","dport":4443}}`,
		`C:\e.exe ip:port strong 203.0.113.7:4443`},
	{"Windows.Events.ProcessCreation", `{"Timestamp":"2026-11-05T12:00:00Z","Name":"e.exe","CommandLine":"e.exe c2.bad-domain.example"}`, `e.exe command line domain medium c2.bad-domain.example`},
	{"Windows.Sysinternals.SysmonLogForward", `{"ID":22,"Timestamp":"2026-11-05T12:00:00Z","EventData":{"QueryName":"c2.bad-domain.example","QueryResults":"-","Image":"C:\\e.exe"}}`,
		`C:\e.exe domain strong c2.bad-domain.example`},
	{"Linux.Events.DNS", `{"Timestamp":"2026-11-05T12:00:00Z","ProcessName":"evil","name":["harmless.example"],"type":["A"],"IP":[null,"203.0.113.7"]}`,
		`evil dns answer medium 203.0.113.7:4443`},
	{"Linux.Events.HTTPConnections", `{"Timestamp":"2026-11-05T12:00:00Z","ProcessName":"curl","dest_ip":"203.0.113.7","dest_port":4443,"host":"c2.bad-domain.example"}`,
		`curl domain strong c2.bad-domain.example|curl ip:port strong 203.0.113.7:4443`},
}

// Each line of Places, with a row as the artifact has it: of a collection, or of what client monitoring sent.
func (s *EngineSuite) TestTheRetroHuntReadsEachPlaceOfCollectionsAndOfClientMonitoring() {
	s.publishEdgeFeed()
	s.newClient("C.1000000000000001", "alpha")
	journal, err := services.GetJournal(s.ConfigObj)
	s.Require().NoError(err)
	var want []string
	for i, place := range collectedRows {
		name, _, _ := strings.Cut(place.result, "/")
		s.loadBuiltIn(name)
		if definition, _ := s.repository().Get(s.Ctx, s.ConfigObj, name); strings.EqualFold(definition.Type, "client_event") {
			row := ordereddict.NewDict()
			s.Require().NoError(row.UnmarshalJSON([]byte(place.row)))
			s.Require().NoError(journal.PushRowsToArtifact(s.Ctx, s.ConfigObj, []*ordereddict.Dict{row},
				services.JournalOptions{ArtifactName: place.result, ClientId: "C.1000000000000001"}))
		} else {
			s.collected("C.1000000000000001", fmt.Sprintf("F.Place%d", i), place.result, 1, place.row)
		}
		for _, hit := range strings.Split(place.hit, "|") {
			if hit != "" {
				want = append(want, "alpha "+place.result+" "+hit)
			}
		}
	}

	hits, got := s.retroHits(nil)

	s.ElementsMatch(want, hits)
	coverage := s.sourceOf(got, retroHunt, "Coverage")
	for _, place := range collectedRows {
		s.Contains(coverage, `"Result":"`+place.result+`","Collections":1,"Rows":1`)
	}
	for _, row := range s.rowsOf(s.sourceOf(got, retroHunt, "Hits")) {
		if strings.Contains(row["LogFile"], "ETW") || strings.Contains(row["LogFile"], "Events") || strings.Contains(row["LogFile"], "Sysmon") {
			s.Equal("2026-11-05T12:00:00Z", row["Time"], row["LogFile"])
		}
	}
}

// The columns that Places names are those of the artifacts in Velociraptor's own source.
func (s *EngineSuite) TestEachColumnOfPlacesIsAColumnOfItsArtifact() {
	definition, _ := s.repository().Get(s.Ctx, s.ConfigObj, retroHunt)
	var places []map[string]string
	for _, parameter := range definition.Parameters {
		if parameter.Name == "Places" {
			places = s.rowsOf(s.query(`SELECT * FROM parse_csv(accessor="data", filename=Text)`, ordereddict.NewDict().Set("Text", parameter.Default)))
		}
	}
	s.Greater(len(places), 15)
	for _, place := range places {
		name := strings.NewReplacer("^", "", "$", "", `\`, "", "(Hunter)?", "").Replace(place["Artifact"])
		name, source, _ := strings.Cut(name, "/")
		s.loadBuiltIn(name)
		artifact, found := s.repository().Get(s.Ctx, s.ConfigObj, name)
		s.Require().True(found, name)
		query, sources := "", []string{}
		for _, one := range artifact.Sources {
			query += one.Query
			sources = append(sources, one.Name)
			s.Regexp(place["Artifact"], strings.TrimSuffix(name+"/"+one.Name, "/"))
		}
		if source != "" {
			s.Contains(sources, source)
		}
		for kind, column := range place {
			if kind == "Artifact" || kind == "Provider" || column == "" || column == "<nil>" {
				continue
			}
			first, _, _ := strings.Cut(column, ".")
			s.Regexp(`(?im)(\bAS\s+`+regexp.QuoteMeta(first)+`\b|(^|[\s,])`+regexp.QuoteMeta(column)+`\s*(,|$|\n)|(^|[\s,])`+regexp.QuoteMeta(first)+`\s*(,|$|\n|\s+FROM))`, query, "%s: %s", name, column)
		}
	}
}

func (s *EngineSuite) TestTheRetroHuntNamesWhatIsWrongWithPlacesAndLabel() {
	s.publishEdgeFeed()
	s.loadBuiltIn("Windows.System.DNSCache")
	s.newClient("C.1000000000000001", "alpha")
	s.collected("C.1000000000000001", "F.Names", "Windows.System.DNSCache", 3, `{"Name":"c2.bad-domain.example","Record":"192.0.2.55","RecordType":"A"}`)
	const good = "Windows.System.DNSCache,Name\n"
	for _, one := range []struct {
		name, value string
		want        []string
		hits        int
	}{
		{"Places", "Artifact,Host\n" + good + "Linux.Network,Name\n", nil, 1},
		{"Places", "Artifact,Host\n(((,Name\n", []string{`The regex "(((" is not valid: line 2 of Places.`}, 0},
		{"Places", "Artifact,Host\n" + good + "a)(b,Name\nLinux[,Name\n*,Name\n",
			[]string{`"a)(b" is not valid: line 3 of`, `"Linux[" is not valid: line 4 of`, `"*" is not valid: line 5 of`}, 1},
		{"Places", "Artifact,Host\n,Name\n" + good, []string{"The column Artifact is missing or empty: line 2 of Places."}, 1},
		{"Places", "garbage", []string{"Places has no line that names an artifact"}, 0},
		{"Places", "", []string{"Places has no line that names an artifact"}, 0},
		{"Places", "Name,Host\n" + good, []string{`The column "Name" is unknown: first line of Places.`, "The column Artifact is missing or empty: line 2 of Places."}, 0},
		{"Places", "Artifact,Hots\n" + good, []string{`The column "Hots" is unknown: first line of Places.`}, 0},
		{"Places", "Artifact,Host,Remark\nWindows.System.DNSCache,Name,ours\n", nil, 1},
		{"Label", "None", []string{`No client has the label "None": Label. Nothing was searched`}, 0},
	} {
		got := s.collectOnServer(retroHunt, map[string]string{one.name: one.value})

		s.Equal(len(one.want) == 0, got.failed == "", "%q: %s", one.value, got.failed)
		for _, want := range one.want {
			s.Contains(strings.ReplaceAll(got.logs, `\"`, `"`), want, "%q", one.value)
		}
		s.NotContains(got.failed+got.logs, "raise Days", "%q", one.value)
		s.Equal(one.hits, strings.Count(s.sourceOf(got, retroHunt, "Hits"), "\n"), "%q", one.value)
	}
}
