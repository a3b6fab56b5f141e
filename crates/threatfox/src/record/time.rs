//! Times as sources write them, as seconds since 1970.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// The start of 2200, in seconds since 1970. A later time is not a date, but another number.
const TOO_LATE: i64 = 7_258_118_400;

/// Reads `YYYY-MM-DD HH:MM:SS`, with or without ` UTC`, as seconds since 1970. Also what other sources write: without seconds, a
/// date alone, with slashes after the year or without dashes, RFC 3339, seconds or milliseconds since 1970. Nothing before 1970
/// or after 2199 is a date.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let time = civil_seconds(text.strip_suffix(" UTC").unwrap_or(text), b' ');
    let time = time.or_else(|| other_time(text));
    time.filter(|time| (0..TOO_LATE).contains(time))
}

fn other_time(text: &str) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.len() {
            8 => date_seconds(&format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..])),
            9..=11 => text.parse().ok(),
            12..=14 => text.parse().ok().map(|time: i64| time / 1000),
            _ => None,
        };
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_second());
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

fn other_time_of_day(text: &str) -> Option<i64> {
    civil_seconds(text, b' ').or_else(|| civil_seconds(text, b'T'))
}

fn date_seconds(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    let time = TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight()));
    Some(time.ok()?.as_second())
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
    Some(
        TimeZone::UTC
            .to_timestamp(date.to_datetime(time))
            .ok()?
            .as_second(),
    )
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
}
