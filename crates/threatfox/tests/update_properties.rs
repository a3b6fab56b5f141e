//! What holds of an update, whatever happened at the source: it makes the feed that a new full export would make.

#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::Timestamp;
use proptest::prelude::*;
use threatfox::feed;
use threatfox::normalize::{Filter, KeyStore, Normalizer};
use threatfox::shared_hosts::SharedHosts;
use threatfox::source::{self, Input, Update};
use threatfox::table::Layout;
use threatfox::warning::WarningLists;

const NOW: i64 = 1_795_000_000;
const HOUR: i64 = 3600;
/// The full export is this old, and the answer surely reaches this far back.
const AGE: i64 = 30 * HOUR;
const COVERS: i64 = 48 * HOUR;

/// A record, and its state since the full export.
#[derive(Debug, Clone)]
struct Story {
    id: u64,
    host: String,
    seconds_ago: i64,
    confidence: u8,
    now: Option<u8>,
}

impl Story {
    /// As the source has it now. What was deleted before the time that is surely covered, or changed before the time that
    /// the
    /// answer reaches, is not to be known.
    fn today(&self, reach: i64) -> Option<u8> {
        match self.seconds_ago {
            ..=COVERS => self.now,
            ago if ago <= reach => Some(self.now.unwrap_or(self.confidence)),
            _ => Some(self.confidence),
        }
    }
}

fn export(records: &[(&Story, u8)]) -> tempfile::NamedTempFile {
    let mut text =
        "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"confidence_level\"\n"
            .to_owned();
    for (story, confidence) in records {
        let time = Timestamp::from_second(NOW - story.seconds_ago).unwrap();
        let time = time.strftime("%Y-%m-%d %H:%M:%S");
        let Story { id, host, .. } = story;
        writeln!(
            text,
            r#""{time}", "{id}", "{host}", "domain", "{confidence}""#
        )
        .unwrap();
    }
    write!(text, "# Number of entries: {}", records.len()).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn bytes_of(normalizer: Normalizer<'_, KeyStore>) -> Vec<u8> {
    let Ok((store, counts)) = normalizer.finish() else {
        return Vec::new();
    };
    assert_eq!(
        counts.read,
        counts.kept + counts.dropped.values().sum::<u64>()
    );
    feed::write(&store, &WarningLists::built_in(), Vec::new(), Layout::Csv)
        .unwrap()
        .0
}

fn normalizer() -> Normalizer<'static, KeyStore> {
    let filter = Filter {
        min_confidence: 50,
        ..Filter::default()
    };
    Normalizer::new(filter, SharedHosts::built_in())
}

fn stories() -> impl Strategy<Value = Vec<Story>> {
    let confidence = || prop_oneof![Just(25_u8), Just(75), Just(100)];
    let story = (
        "[a-c]{1,2}\\.example",
        0..100 * HOUR,
        confidence(),
        proptest::option::of(confidence()),
    );
    proptest::collection::vec(story, 1..40).prop_map(|stories| {
        let numbered = (1..).zip(stories);
        let story = |(id, (host, seconds_ago, confidence, now))| Story {
            id,
            host,
            seconds_ago,
            confidence,
            now,
        };
        numbered.map(story).collect()
    })
}

proptest! {
    #[test]
    fn an_export_brought_up_to_date_is_the_export_of_today(stories in stories(), more in 0..24 * HOUR) {
        let then: Vec<_> = stories.iter().filter(|s| s.seconds_ago > AGE).map(|s| (s, s.confidence)).collect();
        // The answer may reach further back than it surely does.
        let reach = COVERS + more;
        let today: Vec<_> = stories.iter().filter_map(|s| Some((s, s.today(reach)?))).collect();
        let news: Vec<_> = today.iter().filter(|(s, _)| s.seconds_ago <= reach).copied().collect();

        let mut whole = normalizer();
        source::read(&Input::new(export(&today).path()), &mut whole).unwrap();

        let mut updated = normalizer();
        let mut update = Update::covering(NOW - COVERS);
        source::read(&Input::new(export(&news).path()), &mut update.newer(&mut updated)).unwrap();
        source::read(&Input::new(export(&then).path()), &mut update.earlier(&mut updated)).unwrap();
        prop_assert_eq!(bytes_of(updated), bytes_of(whole));
    }
}
