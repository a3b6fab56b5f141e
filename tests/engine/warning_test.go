package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// warnedOf are indicators that a warning list or the policy speaks of, and one of which neither does. Addresses are real: the
// lists have no others.
var warnedOf = [][2]string{
	{"ip:port", "1.1.1.1:443"},
	{"ip:port", "104.16.1.2:443"},
	{"ip:port", "104.244.13.1:443"},
	{"domain", "noisy.example"},
	{"domain", "c2.evil.example"},
	{"url", "http://1.1.1.1:8080/x"},
}

// warnedFeed is their feed, with a policy that lets hits of one be medium at most.
func (s *EngineSuite) warnedFeed() string {
	policy := filepath.Join(s.tempDir(), "policy.yaml")
	s.Require().NoError(os.WriteFile(policy, []byte("weaken:\n  medium:\n    domains: [noisy.example]\n"), 0o600))
	feed := filepath.Join(s.tempDir(), "threatfox-feed.csv.gz")
	output, err := exec.Command(s.helper(), "normalize", "--policy", policy, "-o", feed, s.writeExport(warnedOf)).CombinedOutput()
	s.Require().NoError(err, string(output))
	s.Contains(string(output), "rows with a warning: cloudflare 1, policy: domains noisy.example (medium) 1, sinkholes (informs) 1, "+
		"well-known-resolvers 1")
	return feed
}

// warnedLog is a log of a contact with each.
func (s *EngineSuite) warnedLog() (log string, events []string) {
	event := func(id int, fields map[string]any) {
		line, err := json.Marshal(map[string]any{"EventID": id, "TimeCreated": "2026-11-18T08:00:00.007Z", "EventData": fields})
		s.Require().NoError(err)
		events = append(events, string(line))
	}
	for _, address := range []string{"1.1.1.1", "104.16.1.2", "104.244.13.1"} {
		event(3, map[string]any{"Initiated": "true", "DestinationIp": address, "DestinationPort": 443})
	}
	for _, name := range []string{"noisy.example", "www.noisy.example", "c2.evil.example"} {
		event(22, map[string]any{"QueryName": name})
	}
	path := filepath.Join(s.tempDir(), "events.jsonl")
	s.Require().NoError(os.WriteFile(path, []byte(strings.Join(events, "\n")+"\n"), 0o600))
	return s.makeLog(layouts[0], path), append([]string{""}, events...)
}

func saidOf(hits []map[string]any) (said []string) {
	for _, hit := range hits {
		said = append(said, fmt.Sprintf("%v: %v %v: %v", hit["RecordID"], hit["Match"], hit["Strength"], hit["Warning"]))
	}
	return said
}

func (s *EngineSuite) TestAHitOfWhatIsInAWarningListIsWeakInEachEngineAndSaysWhichList() {
	feed := s.warnedFeed()
	log, events := s.warnedLog()

	found, hits := s.differencesIn(feed, log, events)

	s.Empty(found)
	s.Equal([]string{
		"1: ip:port weak: well-known-resolvers",
		"2: ip:port weak: cloudflare",
		"3: ip:port strong: sinkholes (informs)",
		"4: domain medium: policy: domains noisy.example (medium)",
		"5: subdomain medium: policy: domains noisy.example (medium)",
		"6: domain strong: ",
	}, saidOf(hits))
	got := s.hunt(feed, log, map[string]string{"MinStrength": "medium"})
	s.Len(s.hits(got), 4, "a weak one is left out as ever")
	s.Contains(got.source["Summary"], `"Warning":"sinkholes (informs)"`)
}

func (s *EngineSuite) TestAFeedWithoutTheColumnOfWarningsHuntsAsItDid() {
	lines := strings.Split(strings.TrimSuffix(s.unzip(s.warnedFeed()), "\n"), "\n")
	for i, line := range lines {
		lines[i] = line[:strings.LastIndex(line, ",")]
	}
	feed := s.writeGzip("feed.csv.gz", strings.Join(lines, "\n")+"\n")
	log, events := s.warnedLog()

	found, hits := s.differencesIn(feed, log, events)

	s.Empty(found)
	s.Equal([]string{
		"1: ip:port strong: ", "2: ip:port strong: ", "3: ip:port strong: ", "4: domain strong: ", "5: subdomain medium: ", "6: domain strong: ",
	}, saidOf(hits))
}

func (s *EngineSuite) TestALookUpOnTheServerIsAsWeakAsAHit() {
	s.publish("ThreatFoxFeed", s.warnedFeed(), "1.0.5")

	rows := s.rowsOf(s.query(`SELECT * FROM Artifact.Server.Enrichment.ThreatFox(LookIn="feed", IOC=("1.1.1.1:443", "noisy.example"))`, nil))

	var said []string
	for _, row := range rows {
		said = append(said, row["Value"]+" "+row["Strength"]+" "+row["warning"])
	}
	s.Equal([]string{"1.1.1.1:443 weak well-known-resolvers", "noisy.example medium policy: domains noisy.example (medium)"}, said)
}

func (s *EngineSuite) TestWhatThreatFoxAnswersSaysWhichWarningListItIsIn() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"ip:port", "1.1.1.1:443"}, [2]string{"domain", "c2.evil.example"}))

	for _, params := range []map[string]string{{}, {"IOC": "1.1.1.1 c2.evil.example"}} {
		said := map[string]string{}
		for _, row := range s.rowsOf(s.enrich(api, params).rows) {
			said[row["ioc"]] = row["warning"]
		}
		s.Equal(map[string]string{"1.1.1.1:443": "well-known-resolvers", "c2.evil.example": ""}, said, params)
	}
}

// warningsOf are the keys of the published feed that have a warning.
func (s *EngineSuite) warningsOf() (said []string) {
	for _, row := range s.rowsOf(s.query(`SELECT key, warning FROM foreach(row={
		SELECT "/public/" + inventory_get(tool="ThreatFoxFeed").Definition.filestore_path AS Path FROM scope()
	}, query={
		SELECT * FROM parse_csv(accessor="data", filename=gunzip(string=read_file(accessor="fs", filename=Path)))
	}) WHERE warning`, nil)) {
		said = append(said, row["key"]+" "+row["warning"])
	}
	return said
}

func (s *EngineSuite) TestTheWarningListsOfAnImportJoinAndReplaceThoseBuiltIn() {
	s.publishHelper()
	export := s.upload("list.txt", "1.1.1.1\n104.16.1.2\n198.41.5.7\nhttp://tinyurl.com/x\nwww.partner.example\nother.example\n")
	refresh := func(lists string) refreshed {
		return s.mustRefresh(s.serveThreatfox(""), map[string]string{"ExportFile": export, "WarningLists": lists})
	}

	s.Equal("published", refresh("").Status)
	s.Equal([]string{"1.1.1.1 well-known-resolvers", "104.16.1.2 cloudflare", "url:http://tinyurl.com/x url-shortener"}, s.warningsOf())

	s.Equal("published", refresh("List,Type,Value\n"+
		"partners,hostname,partner.example\n"+
		"our-proxies,cidr,198.41.5.0/24\n"+
		"our-proxies,cidr,1.1.1.1\n"+
		"url-shortener,hostname,\n").Status)
	s.Equal([]string{"1.1.1.1 our-proxies;well-known-resolvers", "104.16.1.2 cloudflare", "198.41.5.7 our-proxies", "www.partner.example partners"},
		s.warningsOf())

	row, _ := s.refresh(s.serveThreatfox(""), map[string]string{"ExportFile": export, "WarningLists": "List,Type,Value\nour-proxies,cidr,somewhere\n"})
	s.Equal("failed", row.Status)
	s.Contains(row.Message, `"somewhere" is neither an address nor a network`)
	s.Contains(row.Message, "the rows of the parameter WarningLists")
}
