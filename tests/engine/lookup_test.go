package engine

import (
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"

	"github.com/Velocidex/ordereddict"
)

// publishEdgeFeed publishes a feed of the indicators of the log with an answer key.
func (s *EngineSuite) publishEdgeFeed() { s.publish("ThreatFoxFeed", s.edgeFeed(), "1.0.5") }

func (s *EngineSuite) TestEnrichmentLooksValuesUpInTheFeedByTheHuntsRules() {
	s.publishEdgeFeed()
	hash := "83f19f1e5a4c954c9ff549dac313dd29"

	rows := s.rowsOf(s.query(`SELECT * FROM Artifact.Server.Enrichment.ThreatFox(LookIn="feed", IOC=Values, ExchangeColumns=TRUE)`,
		ordereddict.NewDict().Set("Values", []string{"203.0.113.7", "203.0.113.7:4443", "203.0.113.70", "hxxps://c2[.]bad-domain[.]example:8443/x",
			"www.c2.bad-domain.example.", "bad-domain.example", "2001:db8:0::7", "MD5=" + strings.ToUpper(hash), "IMPHASH=" + hash, "10.0.0.1"})))

	got := map[string]string{}
	for _, row := range rows {
		got[row["Value"]] = row["Match"] + " " + row["Strength"] + " " + row["ioc"]
		s.Equal("feed", row["FoundIn"])
		s.Equal([]string{row["ioc"], row["malware"], row["confidence"], row["first_seen"]},
			[]string{row["IOC"], row["Malware"], row["Confidence Level"], row["First Seen"]}, "the exchange's columns")
	}
	s.Equal(map[string]string{
		"203.0.113.7":      "ip medium 203.0.113.7:4443",
		"203.0.113.7:4443": "ip:port strong 203.0.113.7:4443",
		"hxxps://c2[.]bad-domain[.]example:8443/x": "domain strong c2.bad-domain.example",
		"www.c2.bad-domain.example.":               "subdomain medium c2.bad-domain.example",
		"2001:db8:0::7":                            "ip medium [2001:db8::7]:0",
		"MD5=" + strings.ToUpper(hash):             "md5 strong " + hash,
	}, got)
}

func (s *EngineSuite) TestEnrichmentOfHundredsOfValuesAsksOnlyWhatTheFeedLacks() {
	s.publishHelper()
	var indicators [][2]string
	var values []string
	for i := range 300 {
		values = append(values, fmt.Sprintf("c2-%d.bad-domain.example", i))
		indicators = append(indicators, [2]string{"domain", values[i]})
	}
	s.publish("ThreatFoxFeed", s.normalize(s.writeExport(indicators)), "1.0.5")
	api := s.serveThreatfox(iocs([2]string{"ip:port", "198.51.100.99:80"}, [2]string{"ip:port", "198.51.100.9:80"}))

	rows, logs := s.queryWithLogs(`SELECT Value, ioc, FoundIn FROM Artifact.Server.Enrichment.ThreatFox(
  ApiURL=URL, AuthKey=Key, LookIn="feed_then_api", IOC=Values + Values + "198.51.100.9")`,
		ordereddict.NewDict().Set("URL", api.URL).Set("Key", theKey).Set("Values", values))

	s.Equal(300, strings.Count(rows, `"FoundIn":"feed"`))
	s.Contains(rows, `{"Value":"198.51.100.9","ioc":"198.51.100.9:80","FoundIn":"api"}`)
	s.Equal(301, strings.Count(rows, "\n"), "198.51.100.99 is another address")
	s.Len(api.asked(), 1)
	s.NotRegexp(badLog, logs)
}

func (s *EngineSuite) TestEnrichmentCalledForEachRowReadsTheFeedOnceAndAsksOnceAValue() {
	s.publishHelper()
	s.publishEdgeFeed()
	api := s.serveThreatfox(iocs([2]string{"ip:port", "198.51.100.9:80"}))
	env := ordereddict.NewDict().Set("Params", ordereddict.NewDict().
		Set("ApiURL", api.URL).Set("AuthKey", theKey).Set("LookIn", "feed_then_api"))

	rows, logs := s.queryWithLogs(`
SELECT * FROM foreach(
  row=("203.0.113.7", "198.51.100.9", "203.0.113.7", "198.51.100.9", "203.0.113.7", "198.51.100.9"),
  query={ SELECT ioc FROM Artifact.Server.Enrichment.ThreatFox(`+"`**`"+`=Params + dict(IOC=_value)) })`, env)

	s.Equal(3, strings.Count(rows, `{"ioc":"203.0.113.7:4443"}`))
	s.Equal(3, strings.Count(rows, `{"ioc":"198.51.100.9:80"}`))
	s.Len(api.asked(), 1)
	s.NotRegexp(badLog, logs)
}

// The cell of the documentation, on the log with an answer key.
func (s *EngineSuite) TestTheLookUpCellFindsTheAddressesOfALog() {
	s.publishEdgeFeed()
	cell := s.cellOf(notebookGuide, lookupCell)
	s.Require().Equal(1, strings.Count(cell, sysmonLog))

	rows, _ := s.queryWithLogs(strings.Replace(cell, sysmonLog, s.edgeLog(), 1), nil)

	s.Contains(rows, `"DstIP":"203.0.113.7","DstPort":4443,"ioc":"203.0.113.7:4443","malware":"Planted","Match":"ip:port","Strength":"strong"`)
	s.NotContains(rows, "93.184")
}

// A table without rows has a column without values: that is nothing to look up, not the list of today.
func (s *EngineSuite) TestEnrichmentOfNothingAsksNobodyAndFindsNothing() {
	s.publishHelper()
	s.publishEdgeFeed()
	api := s.serveThreatfox(iocs([2]string{"ip:port", "198.51.100.9:80"}))
	env := ordereddict.NewDict().Set("URL", api.URL).Set("Key", theKey)

	for _, call := range []string{`IOC=Nothing.Peer, LookIn="feed"`, `IOC=Nothing.Peer`, `IOC=array()`, `IOC="", LookIn="feed"`, `IOC=" ", LookIn="feed_then_api"`} {
		rows, logs := s.queryWithLogs(`LET Nothing <= SELECT "x" AS Peer FROM scope() WHERE FALSE
SELECT * FROM Artifact.Server.Enrichment.ThreatFox(ApiURL=URL, AuthKey=Key, `+call+`)`, env)

		s.Empty(rows, call)
		s.Contains(logs, "nothing to look up, IOC has no value", call)
	}
	s.Empty(api.asked())
}

// As `threatfox match` reads them.
func (s *EngineSuite) TestAURLWithoutASchemeAndANetworkAreLookedUpAsTheyAreMeant() {
	s.publish("ThreatFoxFeed", s.normalize(s.writeExport([][2]string{{"url", "https://shared.example/evil/x"}, {"ip:port", "198.51.100.1:443"}})), "1.0.6")

	rows, logs := s.queryWithLogs(`SELECT Value, ioc, Strength FROM Artifact.Server.Enrichment.ThreatFox(LookIn="feed",
  IOC=("shared[.]example/evil/x", "shared.example/other", "198.51.100.1:443/x", "198.51.100.0/24", "198.51.100.1/24"))`, nil)

	s.Equal(`{"Value":"shared[.]example/evil/x","ioc":"https://shared.example/evil/x","Strength":"strong"}
{"Value":"shared.example/other","ioc":"https://shared.example/evil/x","Strength":"weak"}
{"Value":"198.51.100.1:443/x","ioc":"198.51.100.1:443","Strength":"strong"}
`, rows)
	s.NotRegexp(badLog, logs)
}

func (s *EngineSuite) TestEnrichmentSaysThatThereIsNoFeed() {
	got := s.collectOnServer(enrichment, map[string]string{"IOC": "203.0.113.7", "LookIn": "feed"})

	s.Contains(got.failed, "There is no feed: publish one with Server.Import.ThreatFox")
}

// `threatfox match` promises the hunt's answers: what the events of the log hold, typed by hand.
func (s *EngineSuite) TestTheHelpersMatchGivesTheHuntsVerdict() {
	// What an event means, not what a value is.
	ofAnEvent := []string{"inbound", "dns answer", "ip (ipv6 fault)", "command line ip:port", "command line url", "referrer domain"}
	feed := s.edgeFeed()
	arguments, want := []string{"match", "--format", "jsonl", "--feed", feed}, []string{}
	for _, hit := range s.rowsOf(s.hunt(feed, s.edgeLog(), nil).source["Hits"]) {
		typed := hit["Observable"]
		switch {
		case slices.Contains(ofAnEvent, hit["Match"]):
			continue
		case hit["EventID"] == "22":
			typed = hit["QueryName"]
		case hit["EventID"] == "3" && hit["Match"] == "subdomain" || hit["Match"] == "domain":
			typed = hit["DstHost"]
		case hit["EventID"] == "3":
			typed = net.JoinHostPort(hit["DstIP"], hit["DstPort"])
		}
		arguments = append(arguments, typed)
		want = append(want, typed+" "+hit["Match"]+" "+hit["Strength"]+" "+hit["IOC"])
	}
	s.Greater(len(want), 30)

	said, err := exec.Command(s.helper(), arguments...).Output()

	s.Require().NoError(err)
	var got []string
	for _, row := range s.rowsOf(string(said)) {
		if strings.HasPrefix(row["value"], "http://") && row["match"] != "url" {
			continue // a URL is looked up by its host too
		}
		got = append(got, row["value"]+" "+row["match"]+" "+row["strength"]+" "+row["ioc"])
	}
	s.Equal(want, got)
}
