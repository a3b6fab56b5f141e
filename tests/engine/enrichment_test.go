package engine

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/Velocidex/ordereddict"

	_ "www.velocidex.com/golang/velociraptor/vql/common"         // environ
	_ "www.velocidex.com/golang/velociraptor/vql/server/clients" // server_metadata
)

const enrichment = "Server.Enrichment.ThreatFox"

// theKey is the Auth-Key of the tests, which must appear nowhere.
const theKey = "0123456789abcdef-the-key-0123456789abcdef"

// threatfoxAPI stands in for ThreatFox's API.
type threatfoxAPI struct {
	URL string

	mu       sync.Mutex
	status   int
	body     string
	requests []string // their bodies
	keys     []string
	failing  int // how many requests more to refuse
}

// serveThreatfox starts an API that gives this answer to all who have theKey.
func (s *EngineSuite) serveThreatfox(body string) *threatfoxAPI {
	api := &threatfoxAPI{status: http.StatusOK, body: body}
	server := httptest.NewServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			request, _ := io.ReadAll(r.Body)
			api.mu.Lock()
			defer api.mu.Unlock()
			key := r.Header.Get("Auth-Key")
			api.requests = append(api.requests, string(request))
			api.keys = append(api.keys, key)
			w.Header().Set("Content-Type", "application/json")
			if key != theKey {
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write(s.threatfoxError("http403_unknown_auth_key.json"))
				return
			}
			if api.failing > 0 {
				api.failing--
				_, _ = w.Write(s.threatfoxError("http200_illegal_days.json"))
				return
			}
			w.WriteHeader(api.status)
			_, _ = io.WriteString(w, api.body)
		}))
	s.T().Cleanup(server.Close)
	api.URL = server.URL + "/"
	return api
}

// asked returns the bodies of the requests so far.
func (a *threatfoxAPI) asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string{}, a.requests...)
}

// failFirst refuses the next requests.
func (a *threatfoxAPI) failFirst(requests int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failing = requests
}

// threatfoxError is an answer of the real API, of tests/data.
func (s *EngineSuite) threatfoxError(name string) []byte {
	body, err := os.ReadFile(sample(s.T(), "threatfox/errors/"+name))
	s.Require().NoError(err)
	return body
}

// iocs is an answer of ThreatFox's API with these IOCs, each a type and a value.
func iocs(values ...[2]string) string {
	var rows []string
	for i, v := range values {
		rows = append(rows, fmt.Sprintf(`{"id":"%d","ioc":%q,"ioc_type":%q,`+
			`"threat_type":"botnet_cc","malware":"win.test","malware_printable":"Test",`+
			`"confidence_level":%d,"first_seen":"2026-11-24 10:00:00 UTC","last_seen":null,`+
			`"reporter":"abuse_ch","reference":null,"tags":["test"]}`,
			1000+i, v[1], v[0], 50+i%50))
	}
	return `{"query_status":"ok","data":[` + strings.Join(rows, ",") + `]}`
}

// publishHelper makes the helper available as an administrator would.
func (s *EngineSuite) publishHelper() (helper string) {
	helper = os.Getenv("THREATFOX_BIN")
	if helper == "" {
		helper = "../../target/release/threatfox"
	}
	helper, err := filepath.Abs(helper)
	s.Require().NoError(err)
	_, err = os.Stat(helper)
	s.Require().NoError(err, "build the helper first, or name it in THREATFOX_BIN")

	s.servePublic()
	s.publish("ThreatFoxHelper_linux_amd64", helper, "1.0.0")
	return helper
}

// enrich collects the artifact with theKey, unless the parameters say another.
func (s *EngineSuite) enrich(api *threatfoxAPI, params map[string]string) collection {
	s.T().Helper()
	all := map[string]string{"ApiURL": api.URL, "AuthKey": theKey, "AllowPrivate": "Y"}
	for name, value := range params {
		all[name] = value
	}
	got := s.collectOnServer(enrichment, all)
	s.NotContains(got.rows+got.logs+got.failed, theKey)
	return got
}

func (s *EngineSuite) TestEnrichmentListsIOCs() {
	s.publishHelper()
	api := s.serveThreatfox(iocs(
		[2]string{"ip:port", "203.0.113.7:4443"},
		[2]string{"domain", "C2.Bad-Domain.example"},
		[2]string{"md5_hash", "12345678901234567890123456789e12"}))

	got := s.enrich(api, nil)

	s.Empty(got.failed)
	s.NotRegexp(badLog, got.logs)
	s.Equal([]string{`{"days":1,"query":"get_iocs"}`}, api.asked())
	s.Equal(3, strings.Count(got.rows, "\n"), got.rows)
	s.Contains(got.rows, `{"ioc":"203.0.113.7:4443","ioc_type":"ip:port","key":"203.0.113.7"`)
	s.Contains(got.rows, `"key":"c2.bad-domain.example"`)
	s.Contains(got.rows, `{"ioc":"12345678901234567890123456789e12","ioc_type":"md5_hash"`)
}

// The blog's call, with the key in the server's metadata.
func (s *EngineSuite) TestEnrichmentNeedsNoParametersInANotebook() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))
	s.enrichmentAsks(api)
	s.query(`SELECT server_set_metadata(ThreatFoxAuthKey=Key) FROM scope()`,
		ordereddict.NewDict().Set("Key", theKey))

	rows := s.query(`SELECT ioc, ioc_type FROM Artifact.Server.Enrichment.ThreatFox()`, nil)

	s.Equal("{\"ioc\":\"c2.bad-domain.example\",\"ioc_type\":\"domain\"}\n", rows)
}

// enrichmentAsks has the artifact ask this API where no parameter says which.
func (s *EngineSuite) enrichmentAsks(api *threatfoxAPI) {
	definition, err := os.ReadFile("../../artifacts/Server/Enrichment/ThreatFox.yaml")
	s.Require().NoError(err)
	text := string(definition)
	for name, value := range map[string]string{"ApiURL": api.URL, "AllowPrivate": "Y"} {
		before, after, found := strings.Cut(text, "- name: "+name+"\n")
		s.Require().True(found, name)
		fields, rest, found := strings.Cut(after, "default: ")
		s.Require().True(found, name)
		_, rest, _ = strings.Cut(rest, "\n")
		text = before + "- name: " + name + "\n" + fields + "default: " + value + "\n" + rest
	}
	s.LoadArtifacts(text)
}

func (s *EngineSuite) TestEnrichmentAsksOnceWithinTheCacheTime() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))

	first := s.enrich(api, nil)
	second := s.enrich(api, nil)
	s.Equal(first.rows, second.rows)
	s.Len(api.asked(), 1)

	s.enrich(api, map[string]string{"Days": "3"})
	s.enrich(api, map[string]string{"CacheSeconds": "0"})
	s.Equal([]string{`{"days":1,"query":"get_iocs"}`, `{"days":3,"query":"get_iocs"}`,
		`{"days":1,"query":"get_iocs"}`}, api.asked())
}

func (s *EngineSuite) TestEnrichmentSearches() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"ip:port", "203.0.113.7:4443"}))
	hash := strings.Repeat("ab", 16)

	for _, test := range []struct {
		params  map[string]string
		request []string
	}{
		{map[string]string{"IOC": "203.0.113.7"}, []string{`"search_ioc"`, `"203.0.113.7"`}},
		{map[string]string{"IOC": hash, "IOCType": "Hash"}, []string{`"search_hash"`, hash}},
		{map[string]string{"Query": "search_ioc", "SearchTerm": "-x.example"}, []string{`"search_ioc"`, `"-x.example"`}},
		{map[string]string{"Query": "search_hash", "SearchTerm": hash}, []string{`"search_hash"`, hash}},
		{map[string]string{"Query": "ioc", "SearchTerm": "1000"}, []string{`"ioc"`, `1000`}},
		{map[string]string{"Query": "malwareinfo", "SearchTerm": "AsyncRAT"}, []string{`"malwareinfo"`, `"AsyncRAT"`}},
		{map[string]string{"Query": "taginfo", "SearchTerm": "test"}, []string{`"taginfo"`, `"test"`}},
	} {
		got := s.enrich(api, test.params)

		s.Empty(got.failed)
		s.Equal(1, strings.Count(got.rows, "\n"), "%v: %v", test.params, got)
		asked := api.asked()
		for _, part := range test.request {
			s.Contains(asked[len(asked)-1], part, "%v", test.params)
		}
	}
}

func (s *EngineSuite) TestEnrichmentFiltersByTypeAndConfidence() {
	s.publishHelper()
	api := s.serveThreatfox(iocs( // of confidence 50, 51 and 52
		[2]string{"domain", "a.bad-domain.example"},
		[2]string{"ip:port", "203.0.113.7:4443"},
		[2]string{"domain", "c.bad-domain.example"}))

	got := s.enrich(api, map[string]string{"Types": "^domain$", "MinConfidence": "51"})

	s.Equal(1, strings.Count(got.rows, "\n"), got.rows)
	s.Contains(got.rows, "c.bad-domain.example")
}

// Velociraptor's http_client hands over an answer of this size in pieces.
func (s *EngineSuite) TestEnrichmentReturnsEveryRowOfALargeAnswer() {
	s.publishHelper()
	const count = 40_000
	var values [][2]string
	for i := range count {
		values = append(values, [2]string{"domain", fmt.Sprintf("c2-%d.bad-domain.example", i)})
	}
	body := iocs(values...)
	s.Require().Greater(len(body), 10<<20)

	got := s.enrich(s.serveThreatfox(body), nil)

	s.Empty(got.failed)
	s.Equal(count, strings.Count(got.rows, "\n"))
}

func (s *EngineSuite) TestEnrichmentUsesASecret() {
	s.grantSecret(s.publishHelper(), "admin")
	api := s.serveThreatfox(iocs([2]string{"domain", "c2.bad-domain.example"}))

	got := s.enrich(api, map[string]string{"Secret": "ThreatFox", "AuthKey": ""})

	s.Empty(got.failed)
	s.Equal(1, strings.Count(got.rows, "\n"), got)

	got = s.enrich(api, map[string]string{"Secret": "Nobody's", "AuthKey": ""})
	s.Contains(got.logs, "Nobody's")
	s.Contains(got.failed, "secret")
	s.Empty(got.rows)
}

func (s *EngineSuite) TestEnrichmentSaysWhatWentWrong() {
	s.publishHelper()
	api := s.serveThreatfox(string(s.threatfoxError("http200_illegal_days.json")))
	const wrong = "fedcba9876543210-a-wrong-key"

	for name, test := range map[string]struct {
		params map[string]string
		cause  string
	}{
		"wrong key":      {map[string]string{"AuthKey": wrong}, "Auth-Key"},
		"no key":         {map[string]string{"AuthKey": ""}, "the key comes from the parameter Secret"},
		"refused days":   {nil, "1 to 7 days only"},
		"days":           {map[string]string{"Days": "9"}, "1 to 7 days, not 9"},
		"no number":      {map[string]string{"Days": "two"}, "days"},
		"query":          {map[string]string{"Query": "get_iocz"}, "get_iocz"},
		"no search term": {map[string]string{"Query": "taginfo"}, "needs a SearchTerm"},
		"no CA file":     {map[string]string{"CaFile": "no/such.pem"}, "no/such.pem"},
	} {
		got := s.enrich(api, test.params)

		s.Contains(got.failed, test.cause, name)
		s.NotContains(strings.TrimSpace(got.failed), "\n", "a notebook shows only the first line: %s", name)
		s.NotContains(got.failed, "downloading", name)
		s.Empty(got.rows, name)
		s.NotContains(got.logs+got.failed, wrong, name)
	}
}

func (s *EngineSuite) TestEnrichmentWarnsWhenThereIsNothing() {
	s.publishHelper()
	api := s.serveThreatfox(string(s.threatfoxError("http200_no_result.json")))

	got := s.enrich(api, map[string]string{"IOC": "nothing.example"})

	s.Empty(got.failed)
	s.Empty(got.rows)
	s.Contains(got.logs, "ThreatFox found nothing")
	s.Regexp(`"Level":"WARN"`, got.logs)

	api = s.serveThreatfox(iocs([2]string{"ip:port", "10.0.0.1:443"}))
	got = s.enrich(api, map[string]string{"AllowPrivate": "N"})

	s.Empty(got.failed)
	s.Empty(got.rows)
	s.Regexp(`"Level":"WARN".*no IOC is left.*not_global`, got.logs)
}

// ThreatFox's columns, and those of the exchange's artifact of the same name for queries that were written for it.
func (s *EngineSuite) TestEnrichmentHasEachColumnOnceUnlessTheExchangesAreWanted() {
	s.publishHelper()
	api := s.serveThreatfox(iocs([2]string{"ip:port", "203.0.113.7:4443"}))
	exchange := []string{"IOC", "Malware", "Confidence Level", "Threat Type", "First Seen", "Last Seen", "Reporter", "Tags", "_Content"}

	for _, params := range []map[string]string{nil, {"IOC": "203.0.113.7"}} {
		rows := s.rowsOf(s.enrich(api, params).rows)
		s.Require().Len(rows, 1)
		seen := map[string]bool{}
		for column := range rows[0] {
			s.NotContains(exchange, column)
			s.False(seen[strings.ToLower(column)], column)
			seen[strings.ToLower(column)] = true
		}
	}

	for _, params := range []map[string]string{{"ExchangeColumns": "Y"}, {"ExchangeColumns": "Y", "IOC": "203.0.113.7"}} {
		rows := s.rowsOf(s.enrich(api, params).rows)
		s.Require().Len(rows, 1)
		for _, column := range exchange {
			s.Contains(rows[0], column)
		}
		s.Equal([]string{rows[0]["ioc"], rows[0]["malware_printable"], rows[0]["confidence"]},
			[]string{rows[0]["IOC"], rows[0]["Malware"], rows[0]["Confidence Level"]})
	}
}

// A wrong key is refused once, not once per value.
func (s *EngineSuite) TestAfterAFailureNobodyIsAskedAgain() {
	s.publishHelper()
	api := s.serveThreatfox("")

	got := s.enrich(api, map[string]string{"IOC": "203.0.113.7 203.0.113.8 203.0.113.9", "AuthKey": "fedcba9876543210-a-wrong-key"})

	s.Contains(got.failed, "No answer from ThreatFox: the server refused the Auth-Key")
	s.Len(api.asked(), 1)
}

func (s *EngineSuite) TestEnrichmentReadsTheExportsWithoutAKey() {
	s.publishHelper()
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			paths = append(paths, r.URL.Path)
			http.ServeFile(w, r, sample(s.T(), "threatfox/recent-2026-03-15.csv"))
		}))
	s.T().Cleanup(server.Close)

	for _, query := range []string{"recent", "full"} {
		got := s.collectOnServer(enrichment, map[string]string{
			"Query": query, "ExportURL": server.URL + "/export/"})

		s.Empty(got.failed)
		s.NotRegexp(badLog, got.logs)
		s.Greater(strings.Count(got.rows, "\n"), 1000)
	}
	s.Len(paths, 2)
	s.Contains(paths[0], "/export/json/recent")
	s.Contains(paths[1], "/full")
}

func (s *EngineSuite) TestEnrichmentSaysThatTheHelperIsMissing() {
	_, logs := s.queryWithLogs(`SELECT * FROM Artifact.Server.Enrichment.ThreatFox()`, nil)

	s.Contains(logs, "the tool ThreatFoxHelper_linux_amd64 is not in the inventory (put it there with Server.Import.ThreatFox.Helper)")
}
