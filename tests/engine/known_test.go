package engine

import (
	"fmt"
	"regexp"
	"strings"
)

// How the list of known values calls them, and the kind of the indicator made of one.
var knownKinds = map[string]string{
	"eid3_dst_ip_public": "ip:port", "eid3_dst_hostname": "domain", "eid22_query": "domain",
	"eid22_result_ip_public": "ip:port", "eid22_result_type5": "domain",
	"eid1_md5": "md5", "eid6_md5": "md5", "eid7_md5": "md5", "eid15_md5": "md5", "eid23_md5": "md5", "eid26_md5": "md5", "eid29_md5": "md5",
	"eid1_sha1": "sha1", "eid6_sha1": "sha1", "eid7_sha1": "sha1", "eid15_sha1": "sha1", "eid23_sha1": "sha1", "eid26_sha1": "sha1",
	"eid29_sha1": "sha1", "eid1_sha256": "sha256", "eid7_sha256": "sha256", "eid15_sha256": "sha256", "eid23_sha256": "sha256",
	"eid26_sha256": "sha256", "eid29_sha256": "sha256",
}

// No indicators: the empty file's hashes, and names that are no public host.
var neverKnown = regexp.MustCompile(`^(d41d8cd98f|da39a3ee5e|e3b0c44298)|[^a-z0-9.:-]|^[^.:]*[g-z][^.:]*$|\.arpa$`)

// The values and their counts come from a list made without VQL.
func (s *EngineSuite) TestHuntFindsEveryKnownValueOfEveryRealLogAsOftenAsItIsThere() {
	want, seen := map[string]map[string]int{}, map[[2]string]bool{}
	var indicators [][2]string
	for _, row := range s.readTable("evtx/known-values.csv") {
		kind, value := knownKinds[row["kind"]], strings.TrimSuffix(strings.ToLower(row["value"]), ".")
		if kind == "" || neverKnown.MatchString(value) || kind == "ip:port" && strings.Contains(value, ":") {
			continue
		}
		var count int
		_, err := fmt.Sscan(row["count"], &count)
		s.Require().NoError(err)
		if want[row["file"]] == nil {
			want[row["file"]] = map[string]int{}
		}
		event, _, _ := strings.Cut(strings.TrimPrefix(row["kind"], "eid"), "_")
		want[row["file"]][event+" "+value] += count

		indicator := [2]string{kind, value}
		if kind == "ip:port" {
			indicator[1] += ":1"
		}
		if !seen[indicator] {
			seen[indicator] = true
			indicators = append(indicators, indicator)
		}
	}
	s.Greater(len(indicators), 500)
	feed := s.normalize(s.writeExport(indicators))

	for file, values := range want {
		got := map[string]int{}
		for _, hit := range s.hits(s.hunt(feed, sample(s.T(), "evtx/"+file), nil)) {
			match := fmt.Sprint(hit["Match"])
			if match != "subdomain" && hit["Direction"] != "inbound" && !strings.HasPrefix(match, "command line") {
				got[fmt.Sprint(hit["EventID"], " ", hit["Observable"])]++
			}
		}
		s.Equal(values, got, file)
	}
}
