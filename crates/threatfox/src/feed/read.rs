//! Reading a feed: each row comes as typed values, or the whole feed is refused with line and field.

use std::fmt::Display;

use super::line::{FieldTexts, Fields, Lines, broken};
use super::{COLUMNS, FeedRow, REQUIRED};
use crate::error::{Error, Place};
use crate::match_key::{Kind, SUBDOMAINS, push_regex};
use crate::record::{THREATFOX, parse_rfc3339};
use crate::source::{Input, MAX_FIELD, refuse_utf16, unpack};
use crate::text::clean;

/// Reads a feed by key, plain or gzipped, and hands over each row and its place. Gives back the number of rows.
///
/// Columns are found by their names; columns that this version does not know are skipped, and those that came later than the
/// first feeds may be missing. That keys are unique is for the taker to see.
///
/// # Errors
/// The input cannot be read, is not a feed, lacks a column, has a field that is not what its column says, or has no row.
/// Also the error of `take`, which ends the reading. Rows may have been handed over by then: do not use them.
pub fn read(
    input: &Input,
    take: &mut dyn FnMut(&FeedRow<'_>, Place) -> Result<(), Error>,
) -> Result<u64, Error> {
    unpack(input, |content, budget| {
        refuse_utf16(input.name(), content)?;
        let mut lines = Lines::new(input.name(), content, budget)?;
        let header = Header::read(&mut lines)?;
        let mut rows = 0;
        let mut fields = Fields::default();
        let mut buffers = Buffers::default();
        while let Some((place, line)) = lines.next()? {
            if line.is_empty() {
                continue;
            }
            let row = fields
                .split(line)
                .and_then(|texts| parse(&header, texts, &mut buffers))
                .map_err(|problem| broken(input.name(), place, problem))?;
            rows += 1;
            take(&row, place)?;
        }
        if rows == 0 {
            return Err(broken(
                input.name(),
                Place::Line(1),
                "no row after the header",
            ));
        }
        Ok(rows)
    })
}

/// Which field has which column.
pub(super) struct Header {
    /// [`usize::MAX`] for a column that the feed has not.
    positions: [usize; COLUMNS.len()],
    len: usize,
}

impl Header {
    fn read(lines: &mut Lines<'_>) -> Result<Self, Error> {
        let name = lines.name;
        let Some((_, line)) = lines.next()? else {
            let name = name.to_owned();
            return Err(Error::Empty { name });
        };
        Self::of(name, line)
    }

    /// Reads the first line of a feed.
    pub fn of(name: &str, line: &str) -> Result<Self, Error> {
        let mut fields = Fields::default();
        let names: Vec<&str> = fields
            .split(line)
            .map(|texts| texts.iter().map(str::trim).collect())
            .unwrap_or_default();
        if !names.contains(&"key") {
            return Err(Error::NotFeed {
                name: name.to_owned(),
                start: clean(line).chars().take(40).collect(),
            });
        }
        let mut positions = [usize::MAX; COLUMNS.len()];
        let mut missing = Vec::new();
        for (n, (column, position)) in COLUMNS.iter().zip(&mut positions).enumerate() {
            match names.iter().position(|name| name == column) {
                Some(found) => *position = found,
                // A line ends before this field: it is empty.
                None if n < REQUIRED => missing.push(*column),
                None => {}
            }
        }
        if missing.is_empty() {
            Ok(Self {
                positions,
                len: names.len(),
            })
        } else {
            Err(Error::MissingColumns {
                name: name.to_owned(),
                columns: missing.join(", "),
            })
        }
    }

    /// Which fields are the key and its kind.
    pub fn key_and_kind(&self) -> (usize, usize) {
        (self.positions[0], self.positions[1])
    }
}

/// What a row borrows beside the line, used again for each.
#[derive(Default)]
struct Buffers {
    ports: Vec<u16>,
    regex: String,
}

/// Reads the values, or says which field is not what it must be.
fn parse<'a>(
    header: &Header,
    texts: FieldTexts<'a>,
    buffers: &'a mut Buffers,
) -> Result<FeedRow<'a>, String> {
    if texts.len() != header.len {
        return Err(format!(
            "{} fields where the header has {}",
            texts.len(),
            header.len
        ));
    }
    if let Some(n) = (0..texts.len()).find(|n| texts.get(*n).len() > MAX_FIELD) {
        return Err(format!(
            "field {} is larger than the bound of 64 KiB",
            n + 1
        ));
    }
    let [
        key,
        kind,
        ioc,
        ioc_type,
        regex,
        ports,
        malware,
        threat_type,
        confidence,
        first_seen,
        last_seen,
        id,
        iocs,
        compromised,
        source,
        link,
        warning,
    ] = header.positions.map(|position| texts.get(position));
    let kind = Kind::from_name(kind).ok_or_else(|| {
        unlike(
            "kind",
            kind,
            "a kind that this version knows; a newer threatfox may have written it",
        )
    })?;
    if key.len() <= kind.prefix().len() || !key.starts_with(kind.prefix()) {
        return Err(unlike(
            "key",
            key,
            format_args!("a key of the kind {}", kind.name()),
        ));
    }
    let exact = is_exact(kind, key, regex, &mut buffers.regex)?;
    read_ports(ports, &mut buffers.ports)?;
    Ok(FeedRow {
        key,
        kind,
        ioc,
        ioc_type,
        exact,
        ports: &buffers.ports,
        malware,
        threat_type,
        confidence: confidence
            .parse()
            .ok()
            .filter(|n| *n <= 100)
            .ok_or_else(|| unlike("confidence", confidence, "a number from 0 to 100"))?,
        first_seen: time("first_seen", first_seen)?,
        last_seen: time("last_seen", last_seen)?,
        id: (!id.is_empty())
            .then(|| id.parse().map_err(|_| unlike("id", id, "a number")))
            .transpose()?,
        iocs: if iocs.is_empty() {
            1
        } else {
            iocs.parse().map_err(|_| unlike("iocs", iocs, "a number"))?
        },
        compromised: match compromised {
            "true" => true,
            "false" | "" => false,
            _ => return Err(unlike("compromised", compromised, "true or false")),
        },
        source: if source.is_empty() { THREATFOX } else { source },
        link,
        warning,
    })
}

/// Whether the regular expression takes the key alone, or also what lies below it. Others are refused, so that every
/// reader of a feed can tell what matches without a regex engine.
fn is_exact(kind: Kind, key: &str, regex: &str, ours: &mut String) -> Result<bool, String> {
    ours.clear();
    push_regex(ours, kind, key, true);
    if regex == ours {
        return Ok(true);
    }
    if kind == Kind::Domain && regex.strip_prefix(SUBDOMAINS) == ours.strip_prefix('^') {
        return Ok(false);
    }
    Err(unlike(
        "regex",
        regex,
        format_args!("the regular expression of its key ({ours})"),
    ))
}

fn read_ports(text: &str, ports: &mut Vec<u16>) -> Result<(), String> {
    ports.clear();
    if text.is_empty() {
        return Ok(());
    }
    for port in text.split(';') {
        ports.push(
            port.parse()
                .map_err(|_| unlike("ports", text, "ports with ; between"))?,
        );
    }
    Ok(())
}

fn time(field: &str, text: &str) -> Result<Option<i64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    parse_rfc3339(text)
        .map(Some)
        .ok_or_else(|| unlike(field, text, "a time such as 2026-03-15T04:01:14Z"))
}

fn unlike(field: &str, text: &str, wanted: impl Display) -> String {
    let text: String = clean(text).chars().take(80).collect();
    format!("field {field}: {text:?} is not {wanted}")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const HEADER: &str = "key,kind,ioc,ioc_type,regex,ports,malware,threat_type,confidence,first_seen,last_seen,id,iocs,compromised";
    const ROW: &str = r"203.0.113.7,ip,203.0.113.7:443,ip:port,^203\.0\.113\.7$,443;8443,X,botnet_cc,75,2026-11-01T00:00:00Z,,7,2,true";

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn keys(content: &[u8]) -> Result<Vec<String>, String> {
        let file = file(content);
        let mut keys = Vec::new();
        let input = Input::labelled(file.path(), "feed.csv");
        read(&input, &mut |row, _| {
            keys.push(format!("{} {:?} {}", row.key, row.ports, row.exact));
            Ok(())
        })
        .map_err(|error| error.to_string())?;
        Ok(keys)
    }

    #[test]
    fn columns_are_found_by_name_and_new_ones_passed_over() {
        let expected = Ok(vec!["203.0.113.7 [443, 8443] true".to_owned()]);
        let newer = format!("new,{HEADER},newer\r\n\"a,\"\"b\",{ROW},z\r\n");
        for content in [
            format!("{HEADER}\n{ROW}\n"),
            format!("\u{feff}{HEADER}\n\n{ROW}"),
            newer,
        ] {
            assert_eq!(keys(content.as_bytes()), expected, "{content}");
        }
    }

    #[test]
    fn a_domain_says_in_its_regular_expression_whether_subdomains_match() {
        let row = |regex: &str| {
            format!("{HEADER}\nevil.example,domain,,,{regex},,,,50,,,,,\n").into_bytes()
        };
        assert_eq!(
            keys(&row(r"(^|\.)evil\.example$")),
            Ok(vec!["evil.example [] false".to_owned()])
        );
        assert_eq!(
            keys(&row(r"^evil\.example$")),
            Ok(vec!["evil.example [] true".to_owned()])
        );
        let error = keys(&row("evil.example")).unwrap_err();
        assert!(
            error.contains("field regex") && error.ends_with("line 2"),
            "{error}"
        );
    }

    #[test]
    fn a_gzipped_feed_reads_as_a_plain_one_and_a_cut_one_fails() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        write!(gz, "{HEADER}\n{ROW}\n").unwrap();
        let packed = gz.finish().unwrap();
        assert_eq!(keys(&packed).map(|keys| keys.len()), Ok(1));
        let error = keys(&packed[..packed.len() - 9]).unwrap_err();
        assert!(error.contains("cannot be read to its end"), "{error}");
    }

    #[test]
    fn what_is_no_feed_is_refused_with_what_to_do() {
        for (content, expected) in [
            (String::new(), "is empty"),
            ("# ThreatFox IOCs\n".to_owned(), "not a feed: "),
            (
                "key,kind,ioc\n".to_owned(),
                "lacks the columns ioc_type, regex, ports, malware",
            ),
            (format!("{HEADER}\n"), "no row after the header"),
            (
                format!("{HEADER}\nevil.example,domain\n"),
                "2 fields where the header has 14: feed.csv, line 2",
            ),
            (format!("{HEADER}\n{}", "x".repeat(300_000)), "256 KiB"),
            (
                format!("{HEADER}\n\"{ROW}\n"),
                "1 fields where the header has 14: feed.csv, line 2",
            ),
        ] {
            let error = keys(content.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let error = keys(b"key,\xff\n").unwrap_err();
        assert!(error.contains("not UTF-8: feed.csv, line 1"), "{error}");
    }

    #[test]
    fn each_field_is_checked_and_named() {
        for (good, bad, expected) in [
            ("7,ip,", "7,ja3,", r#"field kind: "ja3" is not a kind"#),
            ("203.0.113.7,ip,", ",ip,", "field key"),
            ("203.0.113.7,ip,", "203.0.113.7,md5,", "field key"),
            ("443;8443", "443;", "field ports"),
            ("443;8443", "70000", "field ports"),
            (",75,", ",101,", "field confidence"),
            (",75,", ",,", "field confidence"),
            ("2026-11-01T00:00:00Z", "yesterday", "field first_seen"),
            (",7,2,", ",x,2,", "field id"),
            (",7,2,", ",7,-2,", "field iocs"),
            (",true", ",TRUE?", "field compromised"),
        ] {
            let row = ROW.replacen(good, bad, 1);
            let error = keys(format!("{HEADER}\n{ROW}\n{row}\n").as_bytes()).unwrap_err();
            assert!(error.ends_with(": feed.csv, line 3"), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    }
}
