package engine

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// exportServer stands in for ThreatFox's open exports.
type exportServer struct {
	URL string

	mu     sync.Mutex
	answer func(path string) (status int, body string)
	paths  []string
}

// serveExports starts a server of exports. The answer to a path such as csv/full/ is made anew for each request, one at a time.
func (s *EngineSuite) serveExports(answer func(path string) (status int, body string)) *exportServer {
	exports := &exportServer{answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		exports.mu.Lock()
		defer exports.mu.Unlock()
		path := strings.TrimPrefix(r.URL.Path, "/")
		exports.paths = append(exports.paths, path)
		status, body := exports.answer(path)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	s.T().Cleanup(server.Close)
	exports.URL = server.URL + "/"
	return exports
}

// asked returns the paths of the requests so far.
func (e *exportServer) asked() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string{}, e.paths...)
}

// domains are so many names, the first with this number.
func domains(first, count int) (names []string) {
	for i := range count {
		names = append(names, fmt.Sprintf("c%d.bad-domain.example", first+i))
	}
	return names
}

// csvExport is the full export with these names, first seen on that day.
func csvExport(names []string, seen time.Time) string {
	var out strings.Builder
	out.WriteString(`# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias",` +
		`"malware_printable","last_seen_utc","confidence_level","is_compromised","reference","tags","anonymous","reporter"` + "\n")
	for i, name := range names {
		fmt.Fprintf(&out, `"%s 00:00:00", "%d", "%s", "domain", "botnet_cc", "win.test", "None", "Test", "", "100", "False", "None", "None", "0", "test"`+"\n",
			seen.UTC().Format(time.DateOnly), i+1, name)
	}
	fmt.Fprintf(&out, "# Number of entries: %d", len(names))
	return out.String()
}

// jsonExport is the recent export with these names, first seen on that day.
func jsonExport(names []string, seen time.Time) string {
	var records []string
	for i, name := range names {
		records = append(records, fmt.Sprintf(`"%d":[{"ioc_value":%q,"ioc_type":"domain","threat_type":"botnet_cc","malware":"win.test",`+
			`"malware_alias":null,"malware_printable":"Test","first_seen_utc":"%s 00:00:00","last_seen_utc":null,"confidence_level":100,`+
			`"is_compromised":false,"reference":null,"tags":null,"anonymous":0,"reporter":"test"}]`,
			i+1, name, seen.UTC().Format(time.DateOnly)))
	}
	return "{" + strings.Join(records, ",") + "}"
}

// threeSources has a hundred names in the full export and ten in the recent one.
func threeSources(path string) (int, string) {
	if path == "csv/full/" {
		return http.StatusOK, csvExport(domains(0, 100), time.Now())
	}
	return http.StatusOK, jsonExport(domains(90, 10), time.Now())
}
