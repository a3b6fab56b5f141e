package engine

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// layouts are the tools that write events as a host logs them, and as a collector stores forwarded ones.
var layouts = []string{"make_evtx.py", "make_wec.py"}

// allHits is a limit that no finding reaches: the library's judge has none.
const allHits = "1000000"

// verdicts are what a way of searching says: each hit as one text, and how often it has said so.
type verdicts map[string]int

func verdictsOf(hits []map[string]any) verdicts {
	found := verdicts{}
	for _, hit := range hits {
		found[fmt.Sprintf("%v %v: %v, %v, as %q, warning %q", hit["RecordID"], hit["Match"], hit["IOC"], hit["Strength"],
			hit["Observable"], hit["Warning"])]++
	}
	return found
}

// differences are the hits that one has more often than the other, each with the event it is of.
func differences(name string, want, got verdicts, events []string) (found []string) {
	all := verdicts{}
	for hit, count := range want {
		all[hit] -= count
	}
	for hit, count := range got {
		all[hit] += count
	}
	for hit, more := range all {
		if more != 0 {
			number, _, _ := strings.Cut(hit, " ")
			record, _ := strconv.Atoi(number)
			found = append(found, fmt.Sprintf("%s has %+d of %s in %s", name, more, hit, events[record]))
		}
	}
	slices.Sort(found)
	return found
}

// judged are the hits that the library's own judge finds in a log.
func (s *EngineSuite) judged(feed, log string) []map[string]any {
	path := filepath.Join(s.T().TempDir(), "hits.jsonl")
	output, err := exec.Command(s.helper(), "scan", "--feed", feed, "--hits", path,
		"--min-strength", "weak", "--min-confidence", "50", log).CombinedOutput()
	s.Require().NoError(err, string(output))
	hits, err := os.ReadFile(path)
	s.Require().NoError(err)
	return s.hits(collection{source: map[string]string{"Hits": string(hits)}})
}

// differencesIn searches a log in all ways, and says where VQL and Native differ from the library's judge. The hits are VQL's.
func (s *EngineSuite) differencesIn(feed, log string, events []string) (found []string, hits []map[string]any) {
	more := map[string]string{"MaxHitsPerIndicator": allHits}
	want := verdictsOf(s.judged(feed, log))
	vql := s.hunt(feed, log, more)
	hits = s.hits(vql)
	found = differences("VQL", want, verdictsOf(hits), events)

	native := s.native(s.helper(), feed, log, more)
	s.NotContains(native.logs, "did not read")
	s.NotRegexp(badLog, native.logs)
	return append(found, differences("Native", want, verdictsOf(s.hits(native)), events)...), hits
}

// rolesOf are the roles that a number of event has in places.csv.
func (s *EngineSuite) rolesOf() map[string][]string {
	roles := map[string][]string{}
	for _, place := range s.readTable("../../rules/places.csv") {
		for _, id := range strings.Split(place["event_id"], "|") {
			roles[id] = append(roles[id], place["role"])
		}
	}
	return roles
}

// kindOf is what a hit says of the kind of its key, where several kinds of a role have one name.
func kindOf(hit map[string]any) string {
	ioc, observable := fmt.Sprint(hit["IOC"]), fmt.Sprint(hit["Observable"])
	switch {
	case hit["IOCType"] != "ip:port" && ioc == observable:
		return "domain"
	case hit["IOCType"] != "ip:port":
		return "subdomain"
	case hit["Match"] == "inbound" && strings.HasSuffix(ioc, fmt.Sprint(":", hit["SrcPort"])):
		return "ip:port"
	}
	return "ip"
}

// SEED makes others than those of every day.
func (s *EngineSuite) TestTheEnginesGiveTheSameHitsForThousandsOfMadeUpEvents() {
	feed := s.normalize(s.writeExport(oddIndicators))
	seed, err := strconv.ParseInt(cmp.Or(os.Getenv("SEED"), "20261129"), 10, 64)
	s.Require().NoError(err)
	path, events := s.oddEvents(seed, 3000)
	for _, layout := range layouts {
		found, hits := s.differencesIn(feed, s.makeLog(layout, path), events)
		s.Empty(found[:min(len(found), 40)], "%d differences in what %s writes", len(found), layout)

		if os.Getenv("SEED") != "" {
			continue // this seed's events were looked through: they have enough of each
		}
		s.Greater(len(hits), 1500, layout)
		roles, counts := s.rolesOf(), map[string]int{}
		for _, hit := range hits {
			for _, row := range s.readTable("../../rules/matches.csv") {
				of := row["role"] + " " + row["kind"]
				several := slices.Contains([]string{"inbound", "dns answer"}, row["match"])
				if row["match"] == hit["Match"] && slices.Contains(roles[fmt.Sprint(hit["EventID"])], row["role"]) &&
					(!several || row["kind"] == kindOf(hit)) {
					counts[of]++
				}
			}
		}
		for _, row := range s.readTable("../../rules/matches.csv") {
			if of := row["role"] + " " + row["kind"]; row["role"] != "visit" && row["role"] != "script" { // which Sysmon does not log
				s.GreaterOrEqual(counts[of], 5, "%s in what %s writes", of, layout)
			}
		}
	}
}

// What else would show that the comparison compares anything?
func (s *EngineSuite) TestAPlantedDifferenceInAReaderIsNoticed() {
	feed := s.normalize(s.writeExport(oddIndicators))
	path, events := s.oddEvents(7, 400)
	log := s.makeLog(layouts[0], path)
	text, err := os.ReadFile("../../artifacts/Generic/ThreatFox/Match.yaml")
	s.Require().NoError(err)

	for _, change := range [][2]string{
		{"`=`=\":\", ", ""},                            // a hash behind its name and an equals sign
		{"^64:ff9b::", "^65:::"},                       // NAT64
		{"`=\";NAME \",", "`=\";\","},                  // a CNAME among answers
		{"[.:!?&*]+$", "[:!?&*]+$"},                    // a full stop behind a URL
		{"join(array=Labels[n:]", "join(array=Labels"}, // the domains above a name
	} {
		spelling, other := change[0], change[1]
		planted := strings.Replace(string(text), spelling, other, 1)
		s.Require().NotEqual(string(text), planted, spelling)
		s.LoadArtifacts(planted)
		found, _ := s.differencesIn(feed, log, events)
		s.NotEmpty(found, spelling)
	}
	s.LoadArtifacts(string(text))
	found, _ := s.differencesIn(feed, log, events)
	s.Empty(found)
}
