//! Asking only for what is new since the last full export in the cache.
//!
//! The export is the base: it alone has everything, and shows what was deleted. It is brought up to date by one answer that
//! reaches back past it. So there is never a chain of small answers, and a base that is too old is downloaded again.

use std::time::Duration;

use jiff::Timestamp;
use threatfox::download::{Cached, Days, Period, Request};

use super::choice::{Choice, Exports};

const DAY: u64 = 24 * 60 * 60;

/// The period that the recent export covers for certain: 48 hours, less a margin for its production and for wrong clocks.
const RECENT: Duration = Duration::from_secs(40 * 60 * 60);

/// The download to make, and its use.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// It is the feed.
    Whole(Choice),
    /// It is the news since the base.
    Update {
        choice: Choice,
        base: Cached,
        /// Records first seen within this time before the answer are certainly in it.
        covers: Duration,
    },
}

impl Plan {
    pub fn choice(&self) -> &Choice {
        match self {
            Self::Whole(choice) | Self::Update { choice, .. } => choice,
        }
    }
}

/// Plans from the full export in the cache, if there is one. One younger than `fresh` is used as it is.
pub fn plan(base: Option<Cached>, fresh: Duration, exports: Exports, has_key: bool) -> Plan {
    let whole = |why| {
        let reason = format!("--since-last: the full export in the cache {why}");
        Plan::Whole(Choice::new(exports.of(Period::Full), reason))
    };
    let Some(base) = base else {
        return whole("is not there yet");
    };
    let Some(age) = base.age() else {
        return whole("is from the future, so the clock was set back");
    };
    if age < fresh {
        return whole("is fresh");
    }
    // The API has no answer by type.
    let (request, covers) = if has_key && exports.only.is_none() {
        let Some(answer) = iocs_since(age) else {
            return whole("is too old for the 7 days of the API");
        };
        answer
    } else if age <= RECENT {
        (exports.of(Period::Recent), RECENT)
    } else {
        return whole("is too old for the 48 hours of the recent export");
    };
    let from = Timestamp::from_second(base.fetched());
    let from = from.map_or_else(|_| String::new(), |time| time.to_string());
    let reason = format!("--since-last: what is new since the full export of {from} in the cache");
    Plan::Update {
        choice: Choice::new(request, reason),
        base,
        covers,
    }
}

/// Whether the API counts its days from now or from midnight is not known, so the first one may be a part of a day only.
fn iocs_since(age: Duration) -> Option<(Request, Duration)> {
    let whole_days = age.as_secs().div_ceil(DAY).max(1);
    let days = u32::try_from(whole_days + 1).ok()?;
    let days = Days::new(days).ok()?;
    Some((Request::Iocs(days), Duration::from_secs(whole_days * DAY)))
}
