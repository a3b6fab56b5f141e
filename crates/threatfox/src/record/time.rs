//! Times as sources write them, as seconds since 1970.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time, date};
use jiff::fmt::temporal::Pieces;

/// The start of 2200, in seconds since 1970. A later time is not a date, but another number.
const TOO_LATE: i64 = 7_258_118_400;

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// Seconds since 1970 and the nanoseconds behind them. Both are below zero before.
pub(crate) type Moment = (i64, i32);

/// Reads `YYYY-MM-DD HH:MM:SS`, with or without ` UTC`, as seconds since 1970. Also what other sources write: without seconds, a
/// date alone, with slashes after the year or without dashes, RFC 3339, seconds or milliseconds since 1970. Nothing before 1970
/// or after 2199 is a date.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let (second, _) = parse_moment(text)?;
    (0..TOO_LATE).contains(&second).then_some(second)
}

/// Reads a time as [`parse_time`] does, of any year up to 9999: with that year people mean "for ever".
pub(crate) fn parse_moment(text: &str) -> Option<Moment> {
    let second = civil_seconds(text.strip_suffix(" UTC").unwrap_or(text), b' ');
    let second = second.or_else(|| other_seconds(text));
    second.map(|second| (second, 0)).or_else(|| rfc3339(text))
}

fn other_seconds(text: &str) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.len() {
            8 => date_seconds(&format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..])),
            9..=11 => text.parse().ok(),
            // Of 12 digits nobody can tell: as milliseconds the last second of 9999 would be a day of 1978.
            13 => text.parse().ok().map(|time: i64| time / 1000),
            _ => None,
        };
    }
    // Of dates with slashes those that begin with the year have one meaning.
    let slashes = text.len() >= 10 && matches!(text.as_bytes(), [_, _, _, _, b'/', _, _, b'/', ..]);
    let text = if slashes {
        text.replacen('/', "-", 2)
    } else {
        text.to_owned()
    };
    match text.len() {
        10 => date_seconds(&text),
        16 => other_time_of_day(&format!("{text}:00")),
        19 => other_time_of_day(&text),
        _ => None,
    }
}

/// By its pieces, as a timestamp of jiff ends a day before 9999 does.
fn rfc3339(text: &str) -> Option<Moment> {
    let text = to_nanoseconds(text);
    let pieces = Pieces::parse(&*text).ok()?;
    let time = pieces.date().to_datetime(pieces.time()?);
    let offset = pieces.to_numeric_offset()?;
    let since = time.duration_since(EPOCH);
    let second = since.as_secs() - i64::from(offset.seconds());
    Some((second, since.subsec_nanos()))
}

/// Cuts what is finer than a nanosecond, which jiff does not read.
fn to_nanoseconds(text: &str) -> Cow<'_, str> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 9 {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{whole}.{}{}", &fraction[..9], &fraction[digits..]))
}

fn other_time_of_day(text: &str) -> Option<i64> {
    civil_seconds(text, b' ').or_else(|| civil_seconds(text, b'T'))
}

fn date_seconds(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    Some(seconds(date.to_datetime(Time::midnight())))
}

/// Reads `YYYY-MM-DDTHH:MM:SSZ`, as a feed has it, as seconds since 1970.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    civil_seconds(text.strip_suffix('Z')?, b'T')
}

/// Reads a date and a time of UTC with `between` between them.
fn civil_seconds(text: &str, between: u8) -> Option<i64> {
    let bytes: &[u8; 19] = text.as_bytes().try_into().ok()?;
    if [bytes[4], bytes[7], bytes[10], bytes[13], bytes[16]] != [b'-', b'-', between, b':', b':'] {
        return None;
    }
    let two = |at: usize| -> Option<i8> {
        let (tens, ones) = (
            bytes[at].wrapping_sub(b'0'),
            bytes[at + 1].wrapping_sub(b'0'),
        );
        (tens < 10 && ones < 10).then(|| i8::try_from(tens * 10 + ones).ok())?
    };
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let date = Date::new(year, two(5)?, two(8)?).ok()?;
    let time = Time::new(two(11)?, two(14)?, two(17)?, 0).ok()?;
    Some(seconds(date.to_datetime(time)))
}

fn seconds(time: DateTime) -> i64 {
    time.duration_since(EPOCH).as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_and_without_utc() {
        assert_eq!(parse_time("1970-01-02 00:00:01"), Some(86_401));
        assert_eq!(
            parse_time("2026-08-15 16:05:07 UTC"),
            parse_time("2026-08-15 16:05:07")
        );
        for text in [
            "",
            "2026-02-30 00:00:00",
            "01/02/2026",
            "20261301",
            "2026-1-2",
            "1969-12-31 23:59:59",
            "2200-01-01",
            "99999999999",
            "253402300799",
            "9999-12-31T23:59:59Z",
            "2026-08-15 25:00:00",
            "２026-08-15 16:05:0",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn dates_of_other_sources_are_read() {
        for (text, second) in [
            ("1970-01-02", 86_400),
            ("1970-01-02T00:00:01Z", 86_401),
            ("1970-01-02T01:00:01.432678+01:00", 86_401),
            ("1970-01-02T00:00:01.123456789012Z", 86_401),
            ("1472541011", 1_472_541_011),
            ("1472541011432", 1_472_541_011),
            ("1970-01-02 00:01", 86_460),
            ("1970-01-02T00:01", 86_460),
            ("1970-01-02T00:00:01", 86_401),
            ("19700102", 86_400),
            ("1970/01/02", 86_400),
            ("1970/01/02 00:00:01", 86_401),
        ] {
            assert_eq!(parse_time(text), Some(second), "{text}");
        }
    }

    #[test]
    fn a_moment_is_read_to_the_last_second_of_9999_and_to_the_nanosecond() {
        let end = 253_402_300_799;
        for (text, moment) in [
            ("9999-12-31T23:59:59Z", (end, 0)),
            ("9999-12-31T23:59:59.999999999999Z", (end, 999_999_999)),
            ("9999-12-31T23:59:59-01:00", (end + 3600, 0)),
            ("9999-12-31", (end - 86_399, 0)),
            ("9999-12-31 23:59:59", (end, 0)),
            ("0001-01-01T00:00:00Z", (-62_135_596_800, 0)),
            ("1970-01-01T00:00:01.000001Z", (1, 1000)),
        ] {
            assert_eq!(parse_moment(text), Some(moment), "{text}");
        }
        for text in [
            "soon",
            "9999-12-32",
            "2026-01-01T00:00:00.5",
            "é.123456789012",
        ] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }
}
