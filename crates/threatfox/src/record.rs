//! A record of any source: first as text under known names, then as values.

mod time;

pub(crate) use time::{Moment, parse_moment};
pub use time::{parse_rfc3339, parse_time};

use crate::ioc::{Ioc, IocType, Parsed};
use crate::reject::{Reason, Reject};

/// The name of the source ThreatFox. A feed that names no sources is of it alone.
pub const THREATFOX: &str = "threatfox";

/// ThreatFox's page of a record. A feed has the number in place of it.
pub const THREATFOX_PAGE: &str = "https://threatfox.abuse.ch/ioc/{id}/";

/// ThreatFox's own word where no family is known. Hunts leave out what has none, by their `MalwareRegex`.
pub const UNKNOWN_MALWARE: &str = "Unknown malware";

/// The columns of a record, under one name for all sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The names are ThreatFox's own.
pub enum Column {
    Id,
    Ioc,
    IocType,
    ThreatType,
    Malware,
    MalwarePrintable,
    FirstSeen,
    LastSeen,
    Confidence,
    Compromised,
    Reference,
    Tags,
    Reporter,
    /// The tags of what the record is a part of, such as an event: they hold for all of its records. They stand apart, as a copy in
    /// each record would cost memory without end.
    SharedTags,
    /// A port that stands beside the indicator.
    Port,
    /// The name of the source.
    Source,
    /// The page that says more; `{id}` and `{hash}` in it stand for the record's number and the digits of its hash.
    Link,
}

impl Column {
    /// How many there are.
    pub const COUNT: usize = 17;

    /// All of them, in their order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Id,
        Self::Ioc,
        Self::IocType,
        Self::ThreatType,
        Self::Malware,
        Self::MalwarePrintable,
        Self::FirstSeen,
        Self::LastSeen,
        Self::Confidence,
        Self::Compromised,
        Self::Reference,
        Self::Tags,
        Self::Reporter,
        Self::SharedTags,
        Self::Port,
        Self::Source,
        Self::Link,
    ];

    /// Its name in the JSON export.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "ioc_id",
            Self::Ioc => "ioc_value",
            Self::IocType => "ioc_type",
            Self::ThreatType => "threat_type",
            Self::Malware => "malware",
            Self::MalwarePrintable => "malware_printable",
            Self::FirstSeen => "first_seen_utc",
            Self::LastSeen => "last_seen_utc",
            Self::Confidence => "confidence_level",
            Self::Compromised => "is_compromised",
            Self::Reference => "reference",
            Self::Tags => "tags",
            Self::Reporter => "reporter",
            Self::SharedTags => "shared_tags",
            Self::Port => "port",
            Self::Source => "source",
            Self::Link => "link",
        }
    }
}

/// A record as text. Missing, `null`, empty and `None` are all the empty text.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawRecord<'a> {
    texts: [&'a str; Column::COUNT],
}

impl<'a> RawRecord<'a> {
    /// Sets a column.
    pub fn set(&mut self, column: Column, text: &'a str) {
        let text = text.trim_ascii();
        self.texts[column as usize] = if matches!(text, "None" | "null") {
            ""
        } else {
            text
        };
    }

    /// Says whose record it is.
    pub fn set_source(&mut self, name: &'a str) {
        self.texts[Column::Source as usize] = name;
    }

    /// The text of a column.
    #[must_use]
    pub fn get(&self, column: Column) -> &'a str {
        self.texts[column as usize]
    }
}

/// A record whose values are all valid. The texts are as the source writes them: clean them before showing.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// The source's number of the record, if it numbers them.
    pub id: Option<u64>,
    /// The type of the indicator, by ThreatFox's names.
    pub ioc_type: IocType,
    /// The indicator.
    pub ioc: Ioc<'a>,
    /// Whether something was cut off the indicator.
    pub repaired: bool,
    /// First seen, seconds since 1970, if the source says it. ThreatFox always does.
    pub first_seen: Option<i64>,
    /// Last seen, seconds since 1970. It may lie before `first_seen`.
    pub last_seen: Option<i64>,
    /// 0 to 100.
    pub confidence: u8,
    /// Whether the host is a compromised legitimate one.
    pub compromised: bool,
    /// The record it was read from.
    pub raw: RawRecord<'a>,
}

impl<'a> Record<'a> {
    /// Reads the values.
    ///
    /// # Errors
    /// The reject to count.
    pub fn parse(raw: &RawRecord<'a>) -> Result<Self, Reject> {
        let ioc_type = raw.get(Column::IocType);
        let ioc_type = IocType::from_name(ioc_type)
            .ok_or_else(|| Reason::UnknownType.because(ioc_type.to_owned()))?;
        let Parsed { ioc, repaired } = Ioc::parse(ioc_type, raw.get(Column::Ioc))?;
        let time = |column, name| match raw.get(column) {
            // Tools that have no time write 0 for it.
            "" | "0" => Ok(None),
            text => parse_time(text).map(Some).ok_or_else(|| bad_date(name)),
        };
        Ok(Self {
            id: raw.get(Column::Id).parse().ok(),
            ioc_type,
            ioc: with_port(ioc, raw.get(Column::Port))?,
            repaired,
            first_seen: time(Column::FirstSeen, "first_seen")?,
            last_seen: time(Column::LastSeen, "last_seen")?,
            confidence: parse_confidence(raw.get(Column::Confidence))?,
            compromised: raw.get(Column::Compromised).eq_ignore_ascii_case("true"),
            raw: *raw,
        })
    }

    /// The later of first and last seen: ThreatFox's own clock for expiry.
    #[must_use]
    pub fn activity(&self) -> Option<i64> {
        self.first_seen.max(self.last_seen)
    }
}

/// Adds the port that stands beside an address or a network, where it has none itself.
fn with_port<'a>(mut ioc: Ioc<'a>, text: &str) -> Result<Ioc<'a>, Reject> {
    if let Ioc::Address(_, port @ None) | Ioc::Network(_, port @ None) = &mut ioc
        && !text.is_empty()
    {
        let number: u16 = text
            .parse()
            .map_err(|_| Reason::BadAddress.because("the port is not a number up to 65535"))?;
        *port = (number != 0).then_some(number);
    }
    Ok(ioc)
}

fn bad_date(field: &str) -> Reject {
    Reason::BadDate.because(format!("{field} is not a date from 1970 to 2199"))
}

/// ThreatFox documents it as the confidence of a submission that states none; other sources have the same.
pub(crate) const DEFAULT_CONFIDENCE: u8 = 50;

/// Others write `85.0` or `90%` too.
pub(crate) fn parse_confidence(text: &str) -> Result<u8, Reject> {
    if text.is_empty() {
        return Ok(DEFAULT_CONFIDENCE);
    }
    let plain = text.parse().ok().or_else(|| written_out(text));
    plain
        .filter(|n| *n <= 100)
        .ok_or_else(|| Reason::BadConfidence.because("not a number from 0 to 100"))
}

/// A number with a decimal point or a percent sign. `0.9` is ambiguous (90 or 1) and not read.
fn written_out(text: &str) -> Option<u8> {
    let number = text.strip_suffix('%').map_or(text, str::trim_end);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if decimals.is_empty() || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole = whole.parse().ok()?;
    let exact = decimals.bytes().all(|b| b == b'0');
    let fraction = text == number && (whole == 0 && !exact || whole == 1);
    // 100 is the most, so nothing may be over it.
    (!fraction && (whole < 100 || exact)).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw<'a>(changes: &[(Column, &'a str)]) -> RawRecord<'a> {
        let mut raw = RawRecord::default();
        for (column, text) in [
            (Column::Id, "7"),
            (Column::Ioc, "evil.example"),
            (Column::IocType, "domain"),
            (Column::FirstSeen, "2026-03-15 04:01:14"),
        ]
        .iter()
        .chain(changes)
        {
            raw.set(*column, text);
        }
        raw
    }

    #[test]
    fn a_port_beside_an_address_belongs_to_it() {
        let with = |value, port| {
            let columns = [
                (Column::IocType, "ip:port"),
                (Column::Ioc, value),
                (Column::Port, port),
            ];
            Record::parse(&raw(&columns)).map(|record| record.ioc)
        };
        let ip = "203.0.113.7".parse().unwrap();
        assert_eq!(with("203.0.113.7", "443"), Ok(Ioc::Address(ip, Some(443))));
        assert_eq!(
            with("203.0.113.7:80", "443"),
            Ok(Ioc::Address(ip, Some(80)))
        );
        assert_eq!(
            with("203.0.113.0/31", "443"),
            Ok(Ioc::Network("203.0.113.0/31".parse().unwrap(), Some(443)))
        );
        assert_eq!(with("203.0.113.7", "0"), Ok(Ioc::Address(ip, None)));
        assert_eq!(
            with("203.0.113.7", "70000").unwrap_err().reason,
            Reason::BadAddress
        );
    }

    #[test]
    fn null_none_and_empty_all_mean_none() {
        for text in ["", "None", "null", " "] {
            let record =
                Record::parse(&raw(&[(Column::LastSeen, text), (Column::Reference, text)]))
                    .unwrap();
            assert_eq!(
                (record.last_seen, record.raw.get(Column::Reference)),
                (None, "")
            );
        }
    }

    #[test]
    fn a_last_seen_before_the_first_is_no_fault_and_the_later_one_counts() {
        let record = Record::parse(&raw(&[(Column::LastSeen, "2026-03-14 00:00:00 UTC")])).unwrap();
        assert!(record.last_seen < record.first_seen);
        assert_eq!(record.activity(), record.first_seen);
    }

    #[test]
    fn compromised_is_read_in_every_spelling_and_may_be_missing() {
        for (text, expected) in [
            ("True", true),
            ("true", true),
            ("False", false),
            ("", false),
        ] {
            assert_eq!(
                Record::parse(&raw(&[(Column::Compromised, text)]))
                    .unwrap()
                    .compromised,
                expected
            );
        }
    }

    #[test]
    fn a_confidence_is_read_in_the_spellings_that_have_one_meaning() {
        for (text, confidence) in [
            ("", Some(50)),
            ("85", Some(85)),
            ("85.0", Some(85)),
            ("85.5", Some(85)),
            ("90%", Some(90)),
            ("0.5 %", Some(0)),
            ("100.0", Some(100)),
            ("0.0", Some(0)),
            ("0.9", None),
            ("1.0", None),
            ("100.5", None),
            ("101%", None),
            ("-1", None),
            ("high", None),
            ("85.", None),
            ("8.5.0", None),
        ] {
            assert_eq!(parse_confidence(text).ok(), confidence, "{text}");
        }
    }

    #[test]
    fn bad_values_are_rejects_with_a_reason() {
        for (column, text, reason) in [
            (Column::FirstSeen, "yesterday", Reason::BadDate),
            (Column::LastSeen, "0000-00-00 00:00:00", Reason::BadDate),
            (Column::Confidence, "101", Reason::BadConfidence),
            (Column::Confidence, "high", Reason::BadConfidence),
            (Column::IocType, "envelope_from", Reason::UnknownType),
        ] {
            assert_eq!(
                Record::parse(&raw(&[(column, text)])).unwrap_err().reason,
                reason
            );
        }
    }
}
