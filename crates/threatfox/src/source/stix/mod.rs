//! STIX 2.0 and 2.1: bundles of JSON. An indicator is its pattern; what it indicates stands in other objects of the bundle.

mod bundle;
mod meaning;
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
        json.starts_with('{')
            && (has(&[
                "\"type\":\"bundle\"",
                "\"id\":\"bundle--",
                "\"spec_version\":\"2.",
            ]) || json.starts_with("{\"objects\":["))
    }

    fn read(
        &self,
        name: &str,
        _: &Reading,
        content: &mut (dyn BufRead + Send),
        sink: &mut dyn Sink,
    ) -> Result<Report, Error> {
        bundle::read(name, content, sink)
    }
}
