//! The one judge: the fields of an event or a typed value in, its hits out.

use super::trial::{Feed, Trial, Wanted};
use crate::feed::FeedRow;
use crate::rules::plan::{FieldReader, Plan, Row};
use crate::rules::{Match, Place, Rules, Strength};

/// A row of the feed that matches, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit<'i> {
    /// The row.
    pub row: FeedRow<'i>,
    /// The name of the match, and its strength.
    pub matched: &'i Match,
    /// Its strength: that of the match, or less if the row has a warning.
    pub strength: Strength,
    /// Where the observable stood.
    pub place: &'i Place,
    /// What matched.
    pub observable: String,
}

/// Finds what rows match in a feed; its buffers serve all of them.
#[derive(Debug)]
pub struct Matcher<'i, F> {
    rules: &'i Rules,
    plan: Plan<'i>,
    feed: F,
    wanted: Wanted,
    reader: FieldReader,
}

impl<'i, F: Feed<'i>> Matcher<'i, F> {
    /// A matcher for the wanted rows of a feed.
    #[must_use]
    pub fn new(rules: &'i Rules, feed: F, wanted: Wanted) -> Self {
        Self {
            rules,
            plan: Plan::new(rules),
            feed,
            wanted,
            reader: FieldReader::default(),
        }
    }

    /// The rules that it goes by.
    #[must_use]
    pub fn rules(&self) -> &'i Rules {
        self.rules
    }

    /// The number of a field for [`Row::text`].
    #[must_use]
    pub fn plan(&self) -> &Plan<'i> {
        &self.plan
    }

    /// Adds the hits of an event of a provider, or of a row that is not an event. An indicator hits once: of two ways to
    /// it the strongest counts, of two as strong the first.
    pub fn row(
        &mut self,
        provider: &str,
        event_id: Option<u64>,
        row: &dyn Row,
        hits: &mut Vec<Hit<'i>>,
    ) {
        let Some(provider) = self.plan.provider(provider) else {
            return;
        };
        for step in provider.steps(event_id) {
            if self.reader.holds(step, row) {
                let mut trial = Trial {
                    rules: self.rules,
                    feed: &self.feed,
                    wanted: &self.wanted,
                    place: step.place,
                    best: None,
                    hits,
                };
                self.reader.read(step, row, &mut trial);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Index;
    use super::*;
    use crate::match_key::Kind;

    /// An event in a test: fields with their texts.
    struct Event<'t> {
        plan: Plan<'t>,
        fields: &'t [(&'t str, &'t str)],
    }

    impl Row for Event<'_> {
        fn text(&self, field: usize, text: &mut String) -> bool {
            let name = self.plan.fields()[field];
            let found = self.fields.iter().find(|(known, _)| *known == name);
            found.is_some_and(|(_, value)| {
                text.push_str(value);
                true
            })
        }
    }

    fn index() -> Index {
        let mut index = Index::default();
        for (key, kind, exact, ports) in [
            ("203.0.113.7", Kind::Ip, true, &[443, 8443][..]),
            ("203.0.113.8", Kind::UrlHost, true, &[8080]),
            ("2001:db8::7", Kind::Ip, true, &[443]),
            ("203.0.113.9", Kind::Ip, true, &[443]),
            ("2001:db8::9", Kind::Ip, true, &[443]),
            ("weakened.example", Kind::Domain, false, &[]),
            ("full.weakened.example", Kind::UrlHost, false, &[]),
            ("10.1.2.3", Kind::Ip, true, &[443]),
            ("evil.example", Kind::Domain, false, &[]),
            ("cdn.evil.example", Kind::Domain, true, &[]),
            ("bücher.example", Kind::Domain, false, &[]),
            ("bad.example", Kind::UrlHost, true, &[]),
            ("url:http://bad.example/a", Kind::Url, true, &[]),
            ("md5:45c4710edc62df311612101b9160c7e1", Kind::Md5, true, &[]),
            ("md5:d41d8cd98f00b204e9800998ecf8427e", Kind::Md5, true, &[]),
        ] {
            let row = FeedRow {
                key,
                kind,
                ioc: key,
                ioc_type: "",
                exact,
                ports,
                malware: "",
                threat_type: "",
                confidence: if key == "203.0.113.8" { 25 } else { 100 },
                first_seen: None,
                last_seen: None,
                id: None,
                iocs: 1,
                compromised: false,
                source: "",
                link: "",
                warning: match key {
                    "203.0.113.9" => "cloudflare",
                    "weakened.example" => "policy: tags x (medium)",
                    "2001:db8::9" => "sinkholes (informs)",
                    _ => "",
                },
            };
            assert!(index.insert(&row).unwrap());
        }
        index
    }

    /// The hits of an event of Sysmon, in short.
    fn hits(event_id: u64, fields: &[(&str, &str)]) -> Vec<String> {
        wanted_hits(Wanted::default(), event_id, fields)
    }

    fn wanted_hits(wanted: Wanted, event_id: u64, fields: &[(&str, &str)]) -> Vec<String> {
        let (index, rules) = (index(), Rules::built_in());
        let event = Event {
            plan: Plan::new(rules),
            fields,
        };
        let mut hits = Vec::new();
        let mut matcher = Matcher::new(rules, &index, wanted);
        matcher.row(
            "Microsoft-Windows-Sysmon",
            Some(event_id),
            &event,
            &mut hits,
        );
        let short = |hit: &Hit<'_>| {
            let (name, strength) = (&hit.matched.name, hit.strength.name());
            format!("{name} {strength} {}", hit.observable)
        };
        hits.iter().map(short).collect()
    }

    #[test]
    fn an_address_matches_by_role_and_port() {
        let to = |ip, port| hits(3, &[("DestinationIp", ip), ("DestinationPort", port)]);
        assert_eq!(to("203.0.113.7", "443"), ["ip:port strong 203.0.113.7"]);
        assert_eq!(to("203.0.113.7", "0443"), ["ip medium 203.0.113.7"]);
        assert_eq!(to("203.0.113.7", ""), ["ip medium 203.0.113.7"]);
        assert_eq!(to("203.0.113.8", "8080"), ["url host weak 203.0.113.8"]);
        assert_eq!(to("2001:db8:0:0::7", "443"), ["ip:port strong 2001:db8::7"]);
        assert!(to("10.1.2.3", "443").is_empty());
        assert!(to("203.0.113.70", "443").is_empty());
        let inbound = [
            ("Initiated", "False"),
            ("SourceIp", "203.0.113.7"),
            ("SourcePort", "443"),
            ("DestinationIp", "203.0.113.7"),
        ];
        assert_eq!(hits(3, &inbound), ["inbound medium 203.0.113.7"]);
    }

    #[test]
    fn a_warning_weakens_a_hit_and_one_that_informs_does_not() {
        let to = |ip| hits(3, &[("DestinationIp", ip), ("DestinationPort", "443")]);
        assert_eq!(to("203.0.113.9"), ["ip:port weak 203.0.113.9"]);
        assert_eq!(to("2001:db8::9"), ["ip:port strong 2001:db8::9"]);
        let asked = |name| hits(22, &[("QueryName", name)]);
        assert_eq!(
            asked("weakened.example"),
            ["domain medium weakened.example"]
        );
        // Weaker than a limit is not made stronger, and the strength that is left decides between two.
        assert_eq!(
            asked("full.weakened.example"),
            ["subdomain medium full.weakened.example"]
        );
    }

    #[test]
    fn a_name_matches_itself_and_below_a_domain_that_allows_it() {
        let asked = |name| hits(22, &[("QueryName", name)]);
        assert_eq!(asked("EVIL.example."), ["domain strong evil.example"]);
        assert_eq!(
            asked("a.b.evil.example"),
            ["subdomain medium a.b.evil.example"]
        );
        assert_eq!(
            asked("cdn.evil.example"),
            ["domain strong cdn.evil.example"]
        );
        assert_eq!(asked("BÜCHER.example"), ["domain strong bücher.example"]);
        assert_eq!(asked("bad.example"), ["url host weak bad.example"]);
        for name in [
            "devil.example",
            "example",
            "a.bad.example",
            "evil.example.org",
            "",
            "-",
        ] {
            assert!(asked(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn of_one_observable_the_strongest_match_counts_and_the_more_specific_of_two_as_strong() {
        let line = |text| hits(1, &[("CommandLine", text)]);
        assert_eq!(
            line("curl http://bad.example/a"),
            ["command line url medium http://bad.example/a"]
        );
        assert_eq!(
            line("curl http://bad.example/b"),
            ["command line url host weak bad.example"]
        );
        // The name is a key of its own, and is below another: both are told apart by strength.
        assert_eq!(
            hits(22, &[("QueryName", "x.cdn.evil.example")]),
            ["subdomain medium x.cdn.evil.example"]
        );
    }

    #[test]
    fn of_two_ways_to_an_indicator_the_strongest_counts_and_the_first_of_two_as_strong() {
        let both = [
            ("QueryName", "evil.example"),
            ("QueryResults", "type: 5 a.evil.example;203.0.113.7;"),
        ];
        assert_eq!(
            hits(22, &both),
            [
                "domain strong evil.example",
                "dns answer medium 203.0.113.7"
            ]
        );
        let twice = [(
            "CommandLine",
            "x 203.0.113.7 203.0.113.7:443 y.evil.example evil.example",
        )];
        assert_eq!(
            hits(1, &twice),
            [
                "command line ip:port medium 203.0.113.7",
                "command line subdomain medium y.evil.example"
            ]
        );
    }

    #[test]
    fn hashes_match_in_any_case_and_the_empty_file_never() {
        let file = |text| hits(1, &[("Hashes", text)]);
        assert_eq!(
            file("MD5=45C4710EDC62DF311612101B9160C7E1"),
            ["md5 strong 45c4710edc62df311612101b9160c7e1"]
        );
        assert!(file("MD5=D41D8CD98F00B204E9800998ECF8427E").is_empty());
    }

    #[test]
    fn the_fault_of_an_old_sysmon_is_weak_and_only_an_old_one_has_it() {
        let faulty = [
            ("DestinationIp", "cb00:7107:88e8:f0a8:8033:8ef8:88e8:0"),
            ("DestinationIsIpv6", "true"),
            ("DestinationHostname", "-"),
        ];
        assert_eq!(hits(3, &faulty), ["ip (ipv6 fault) weak 203.0.113.7"]);
        for other in [("RuleName", "-"), ("DestinationHostname", "a.example")] {
            let mut fields = vec![other];
            fields.extend(faulty);
            assert!(hits(3, &fields).is_empty(), "{other:?}");
        }
    }

    #[test]
    fn rows_that_are_not_wanted_are_as_if_the_feed_had_none() {
        let fields = [("DestinationIp", "203.0.113.8")];
        let wanted = |min_confidence, kind| Wanted {
            min_confidence,
            kinds: vec![kind],
        };
        assert_eq!(wanted_hits(wanted(25, Kind::UrlHost), 3, &fields).len(), 1);
        assert!(wanted_hits(wanted(26, Kind::UrlHost), 3, &fields).is_empty());
        assert!(wanted_hits(wanted(0, Kind::Ip), 3, &fields).is_empty());
    }

    #[test]
    fn an_event_without_the_fields_or_of_another_number_is_no_hit() {
        assert!(hits(3, &[]).is_empty());
        assert!(hits(3, &[("QueryName", "evil.example")]).is_empty());
        assert!(hits(24, &[("Hashes", "MD5=45C4710EDC62DF311612101B9160C7E1")]).is_empty());
    }
}
