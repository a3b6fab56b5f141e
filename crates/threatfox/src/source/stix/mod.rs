//! STIX 2.0 and 2.1: bundles of JSON, and what TAXII answers. An indicator is its pattern; what it indicates stands in other
//! objects of the bundle.

mod bundle;
mod known;
mod meaning;
mod object;
mod pattern;
mod tokens;

use std::io::BufRead;

use super::{Reading, Report, Sink, Source};
use crate::error::Error;

/// <https://docs.oasis-open.org/cti/stix/v2.1/stix-v2.1.html>.
pub(super) struct Stix;

impl Source for Stix {
    fn name(&self) -> &'static str {
        "stix"
    }

    fn recognizes(&self, start: &str) -> bool {
        let json: String = start.chars().filter(|c| !c.is_whitespace()).collect();
        let has = |texts: &[&str]| texts.iter().any(|text| json.contains(text));
        // An envelope of TAXII may be empty: it says then whether there is more.
        let envelope = ["{\"objects\":[", "{\"more\":"];
        json.starts_with(['{', '['])
            && (has(&[
                "\"type\":\"bundle\"",
                "\"id\":\"bundle--",
                "\"spec_version\":\"2.",
                "\"type\":\"indicator\"",
                "\"id\":\"indicator--",
            ]) || envelope.iter().any(|start| json.starts_with(start)))
    }

    fn read(
        &self,
        name: &str,
        reading: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        bundle::read(name, reading.now(), content, sink)
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::record::{Column, RawRecord};
    use crate::reject::Reject;
    use crate::source::{Input, Reading, Sink, read};

    /// What is left out, and why.
    #[derive(Default)]
    struct LeftOut(Vec<String>);

    impl Sink for LeftOut {
        fn record(&mut self, _: &RawRecord<'_>) -> Result<(), Error> {
            Ok(())
        }

        fn unreadable(&mut self, raw: &RawRecord<'_>, reject: &Reject) -> Result<(), Error> {
            let ioc = raw.get(Column::Ioc);
            self.0.push(format!("{ioc}: {reject}"));
            Ok(())
        }
    }

    #[test]
    fn an_indicator_is_over_at_the_second_until_which_it_is_valid() {
        let bundle = br#"{"type": "bundle", "objects": [{"type": "indicator", "id": "indicator--1",
            "pattern": "[domain-name:value = 'a.example']", "valid_until": "2026-11-01T00:00:00Z"}]}"#;
        let end = 1_793_491_200;
        for (now, expected) in [
            (end - 1, &[][..]),
            (
                end,
                &["a.example: not for detection: valid until 2026-11-01T00:00:00Z"],
            ),
        ] {
            let input = Input::of_bytes(bundle, "input").read_as(Reading {
                now: Some(now),
                ..Reading::default()
            });
            let mut left_out = LeftOut::default();
            read(&input, &mut left_out).unwrap();
            assert_eq!(left_out.0, expected, "{now}");
        }
    }
}
