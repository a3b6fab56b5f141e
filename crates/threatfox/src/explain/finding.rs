//! A record that concerns a value, as a person wants to see it.

use crate::normalize::{Origin, family_of, shown_name};
use crate::record::{Column, DEFAULT_CONFIDENCE, RawRecord};
use crate::reject::Reject;
use crate::rules::{Match, Strength};
use crate::text::clean;

/// A record that concerns the value. Its texts are clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The input that has it.
    pub input: String,
    /// The name of its source, as a feed has it.
    pub source: String,
    /// Its page; empty if it has no page.
    pub link: String,
    /// The indicator, as its source writes it.
    pub ioc: String,
    /// The type of it; of what is left out it may be the source's own name.
    pub ioc_type: String,
    /// The family, as a feed has it. Empty where a record is left out before its family is known.
    pub malware: String,
    /// The confidence, as a feed has it.
    pub confidence: String,
    /// The result of it.
    pub verdict: Verdict,
}

/// The result of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the feed, and the value matches it under this key.
    Matches {
        /// The key.
        key: String,
        /// The kind of match.
        matched: Match,
        /// Its strength, lowered by warnings.
        strength: Strength,
        /// The feed's column `warning`; may be empty.
        warning: String,
    },
    /// It is in the feed, but by the rules the value does not match it; why.
    NoMatch(String),
    /// It is not in the feed.
    Dropped(Reject),
}

impl Finding {
    /// A record of an input, with the key under which it is first looked up.
    pub(super) fn new(input: &str, raw: &RawRecord<'_>, key: &str, verdict: Verdict) -> Self {
        let text = |column| clean(raw.get(column)).into_owned();
        let origin = Origin::of_record(raw);
        let named = [Column::MalwarePrintable, Column::Malware].map(|column| raw.get(column));
        let unsaid = named == ["", ""] && matches!(verdict, Verdict::Dropped(_));
        let confidence = match raw.get(Column::Confidence) {
            "" => DEFAULT_CONFIDENCE.to_string(),
            _ => text(Column::Confidence),
        };
        Self {
            input: clean(input).into_owned(),
            link: origin.page_of(raw.get(Column::Id).parse().ok(), key),
            source: origin.source.into_string(),
            ioc: text(Column::Ioc),
            ioc_type: text(Column::IocType),
            malware: if unsaid {
                String::new()
            } else {
                shown_name(family_of(raw))
            },
            confidence,
            verdict,
        }
    }
}
