package engine

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// helper is the path of the program threatfox, which `make` builds first.
func (s *EngineSuite) helper() string {
	path := os.Getenv("THREATFOX_BIN")
	if path == "" {
		path = "../../target/release/threatfox"
	}
	path, err := filepath.Abs(path)
	s.Require().NoError(err)
	s.Require().FileExists(path, "run `make helper` first")
	return path
}

// normalize makes a feed with the real helper and returns its path. Documentation addresses stay:
// the samples use them.
func (s *EngineSuite) normalize(files ...string) string {
	feed := filepath.Join(s.tempDir(), "threatfox-feed.csv.gz")
	args := append([]string{"normalize", "--allow-private", "-o", feed}, files...)
	output, err := exec.Command(s.helper(), args...).CombinedOutput()
	s.Require().NoError(err, string(output))
	return feed
}

// writeExport writes records as ThreatFox's CSV export has them and returns the file's path. An
// indicator is a kind of synth-edge-shared.indicators.csv and a value.
func (s *EngineSuite) writeExport(indicators [][2]string) string {
	types := map[string]string{"ipv6": "ip:port", "md5": "md5_hash", "sha1": "sha1_hash", "sha256": "sha256_hash"}
	var out strings.Builder
	out.WriteString(`# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias",` +
		`"malware_printable","last_seen_utc","confidence_level","is_compromised","reference","tags","anonymous","reporter"` + "\n")
	for i, indicator := range indicators {
		kind, value := indicator[0], indicator[1]
		if kind == "ipv6" {
			value = "[" + value + "]:0"
		}
		if types[kind] != "" {
			kind = types[kind]
		}
		fmt.Fprintf(&out, `"2026-11-01 00:00:00", "%d", "%s", "%s", "botnet_cc", "win.planted", "None", "Planted", `+
			`"", "100", "False", "None", "None", "0", "test"`+"\n", i+1, value, kind)
	}
	fmt.Fprintf(&out, "# Number of entries: %d", len(indicators))

	path := filepath.Join(s.tempDir(), "export.csv")
	s.Require().NoError(os.WriteFile(path, []byte(out.String()), 0o600))
	return path
}

// readTable reads a CSV, by its path from tests/data, into one map for each row.
func (s *EngineSuite) readTable(name string) (rows []map[string]string) {
	file, err := os.Open(sample(s.T(), name))
	s.Require().NoError(err)
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	s.Require().NoError(err)
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, column := range records[0] {
			row[column] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}
