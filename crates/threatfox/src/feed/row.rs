//! A row of the feed as typed values.

use crate::match_key::{Kind, push_regex};
use crate::record::THREATFOX_PAGE;

/// A row of the feed: what is known of one key. The texts are clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedRow<'a> {
    /// What is looked up, with its prefix. Unique in a feed.
    pub key: &'a str,
    /// What the key is.
    pub kind: Kind,
    /// The newest indicator behind the key, as ThreatFox writes it; empty for hashes.
    pub ioc: &'a str,
    /// ThreatFox's type of the indicator; any text in a list made by hand.
    pub ioc_type: &'a str,
    /// Whether a name below the key must not match.
    pub exact: bool,
    /// The ports of the indicators, ascending.
    pub ports: &'a [u16],
    /// Families, with `;` between.
    pub malware: &'a str,
    /// Threat types, with `;` between.
    pub threat_type: &'a str,
    /// The highest confidence, 0 to 100.
    pub confidence: u8,
    /// The earliest first seen, seconds since 1970.
    pub first_seen: Option<i64>,
    /// The latest last seen, seconds since 1970.
    pub last_seen: Option<i64>,
    /// ThreatFox's number of its newest record; none where ThreatFox has not the key.
    pub id: Option<u64>,
    /// How many records were merged.
    pub iocs: u64,
    /// Whether ThreatFox says that the host is a compromised legitimate one.
    pub compromised: bool,
    /// The names of all sources that have it, with `;` between.
    pub source: &'a str,
    /// The page that says more; empty where that is ThreatFox's, which follows from `id`.
    pub link: &'a str,
    /// The warning lists that the key is in, and what the policy says of it, with `;` between: see
    /// [`limit`](crate::warning::limit).
    pub warning: &'a str,
}

impl FeedRow<'_> {
    /// The indicator to show: for a hash, which has no `ioc` of its own, its digits.
    #[must_use]
    pub fn indicator(&self) -> &str {
        if self.ioc.is_empty() {
            self.kind.value_of(self.key)
        } else {
            self.ioc
        }
    }

    /// The regular expression for a join with `=~`.
    #[must_use]
    pub fn regex(&self) -> String {
        let mut regex = String::new();
        push_regex(&mut regex, self.kind, self.key, self.exact);
        regex
    }

    /// The page of the newest record.
    #[must_use]
    pub fn page(&self) -> Option<String> {
        if !self.link.is_empty() {
            return Some(self.link.to_owned());
        }
        self.id
            .map(|id| THREATFOX_PAGE.replace("{id}", &id.to_string()))
    }
}
