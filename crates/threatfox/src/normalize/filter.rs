//! Which valid records are wanted.

use crate::false_positives::FalsePositives;
use crate::feed::MAX_KEY;
use crate::host::Host;
use crate::ioc::Ioc;
use crate::ip::{Scope, scope};
use crate::match_key::Kind;
use crate::policy::Policy;
use crate::record::{Column, Record};
use crate::reject::{Reason, Reject};
use crate::url::UrlHost;

/// The records to keep. The default keeps everything that can match on the internet.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The least confidence, 0 to 100.
    pub min_confidence: u8,
    /// The oldest activity, seconds since 1970.
    pub active_since: Option<i64>,
    /// Whether addresses of private, documentation and test networks are kept, and names that the public DNS never has.
    pub allow_private: bool,
    /// The organization's policy: what never to match.
    pub policy: Policy,
    /// The indicators that abuse.ch removed.
    pub false_positives: FalsePositives,
}

impl Filter {
    /// Why a record is not wanted, if so.
    #[must_use]
    pub fn check(&self, record: &Record<'_>) -> Option<Reject> {
        if let Some(longest) = longest_text(record).filter(|longest| *longest > MAX_KEY) {
            let detail = format!("a key or an indicator of {longest} bytes: {MAX_KEY} at most");
            return Some(Reason::TooLarge.because(detail));
        }
        if record.confidence < self.min_confidence {
            return Some(Reason::LowConfidence.because(format!(
                "{} is below {}",
                record.confidence, self.min_confidence
            )));
        }
        if self
            .active_since
            .is_some_and(|since| record.activity().is_some_and(|time| time < since))
        {
            return Some(Reason::TooOld.into());
        }
        self.not_global(record)
            .or_else(|| self.policy.check(record))
            .or_else(|| self.false_positives.check(record))
    }

    fn not_global(&self, record: &Record<'_>) -> Option<Reject> {
        match worst_scope(&record.ioc) {
            Some(Scope::Reserved) => {
                Some(Reason::NotGlobal.because("unspecified, multicast or reserved"))
            }
            Some(Scope::Private) if !self.allow_private => {
                Some(Reason::NotGlobal.because("private or documentation"))
            }
            _ => None,
        }
    }
}

/// The bytes of the longest key, or of the indicator as it is written. Nothing where no key can be too long, as nearly always:
/// a URL triples at most, by its escapes, and its host is short.
fn longest_text(record: &Record<'_>) -> Option<usize> {
    let written = record.raw.get(Column::Ioc).len();
    if written <= MAX_KEY / 4 - 100 {
        return None;
    }
    let Ioc::Url(url) = &record.ioc else {
        return Some(written);
    };
    let unicode = url.unicode();
    let spellings = url.spellings().chain(unicode.as_deref()).map(str::len);
    let key = spellings.max()? + Kind::Url.prefix().len();
    Some(key.max(written))
}

/// The scope of an indicator's address or name; of a network that of its first address, or else of its last.
fn worst_scope(ioc: &Ioc<'_>) -> Option<Scope> {
    let of_name = |host: &Host<'_>| host.is_local().then_some(Scope::Private);
    match ioc {
        Ioc::Address(ip, _) => scope(*ip),
        Ioc::Network(network, _) => scope(network.network()).or_else(|| scope(network.broadcast())),
        Ioc::Url(url) => match &url.host {
            UrlHost::Address(ip) => scope(*ip),
            UrlHost::Name(host) => of_name(host),
        },
        Ioc::Domain(host) => of_name(host),
        Ioc::Hash(..) => None,
    }
}
