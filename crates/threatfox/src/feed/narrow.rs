//! The rows of a feed as they stand, for who picks some by their keys and passes them on.

use super::line::{Fields, Lines, broken};
use super::read::Header;
use crate::error::Error;
use crate::source::{Input, unpack};

/// A line of a feed.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    /// The first: the names of the columns.
    Header(&'a str),
    /// A row.
    Row {
        /// What is looked up.
        key: &'a str,
        /// What the key is, as it is written.
        kind: &'a str,
        /// The whole row, without the line's end.
        text: &'a str,
    },
}

/// Hands over each line of a feed, plain or gzipped. Only the columns' names, the keys and the
/// kinds are read.
///
/// # Errors
/// The input cannot be read, is not a feed, lacks a column or has a row whose key cannot be read. Also the error of
/// `take`.
pub fn lines(
    input: &Input,
    take: &mut dyn FnMut(Line<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    unpack(input, |content, budget| {
        let mut lines = Lines::new(input.name(), content, budget)?;
        let Some((_, header)) = lines.next()? else {
            let name = input.name().to_owned();
            return Err(Error::Empty { name });
        };
        let columns = Header::of(input.name(), header)?.key_and_kind();
        take(Line::Header(header))?;
        let mut fields = Fields::default();
        while let Some((place, text)) = lines.next()? {
            if text.is_empty() {
                continue;
            }
            let first = first_two(text).filter(|_| columns == (0, 1));
            let (key, kind) = match first {
                Some(first) => first,
                None => fields
                    .split(text)
                    .map(|texts| (texts.get(columns.0), texts.get(columns.1)))
                    .map_err(|problem| broken(input.name(), place, problem))?,
            };
            if key.is_empty() {
                return Err(broken(input.name(), place, "no key in this row"));
            }
            take(Line::Row { key, kind, text })?;
        }
        Ok(())
    })
}

/// The first two fields, where they have no quotes: nearly always, and then the others need not be looked at.
fn first_two(text: &str) -> Option<(&str, &str)> {
    let first = memchr::memchr2(b',', b'"', text.as_bytes())?;
    let rest = text[first..].strip_prefix(',')?;
    let second = memchr::memchr2(b',', b'"', rest.as_bytes())?;
    rest[second..]
        .starts_with(',')
        .then_some((&text[..first], &rest[..second]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys and kinds of a feed whose header has these columns in front and then all others.
    fn keys(first: &str, rows: &str) -> Result<String, Error> {
        let others = crate::feed::COLUMNS
            .iter()
            .filter(|name| !first.split(',').any(|f| f == **name));
        let header = others.fold(first.to_owned(), |header, name| header + "," + name);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.csv");
        std::fs::write(&path, format!("{header}\n{rows}")).unwrap();
        let mut read = Vec::new();
        lines(&Input::new(&path), &mut |line| {
            if let Line::Row { key, kind, text } = line {
                assert!(rows.lines().any(|row| row == text), "{text}");
                read.push(format!("{kind} {key}"));
            }
            Ok(())
        })?;
        Ok(read.join("; "))
    }

    #[test]
    fn keys_and_kinds_are_read_wherever_their_columns_stand() {
        for (first, rows) in [
            ("key,kind", "a.example,domain,\"x, y\"\n203.0.113.7,ip,z\n"),
            (
                "key,kind",
                "\"a.example\",domain,x\r\n\n203.0.113.7,\"ip\",z",
            ),
            (
                "ioc,key,kind",
                "\"x, y\",a.example,domain\nz,203.0.113.7,ip",
            ),
        ] {
            let read = keys(first, &rows.replace('\r', "")).unwrap();
            assert_eq!(read, "domain a.example; ip 203.0.113.7", "{rows}");
        }
    }

    #[test]
    fn a_row_without_a_key_is_refused_with_its_line() {
        for rows in ["a.example,domain\n,ip,x\n", "a.example,domain\n\"\",ip,x\n"] {
            let error = keys("key,kind", rows).unwrap_err().to_string();
            assert!(error.contains("no key in this row: "), "{error}");
        }
    }
}
