//! The file that a new output replaces. Only its like is replaced, and a feed only by one of at least half its rows:
//! less is a source that lost its data more often than a world that lost its malware.

use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use super::Shape;
use crate::error::{Error, Refusal};
use crate::source::{FEED_START, Input, unpack};
use crate::text::clean;

/// Enough of a file to tell what it is.
const START: u64 = 4096;

/// The file that an output replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    /// No rows that could be lost: no file, an empty one, a pipe.
    Free,
    /// A feed, or rows by IOC.
    Feed {
        /// The file.
        path: PathBuf,
        /// How many rows can be read from it.
        rows: u64,
        /// Why no more can.
        damage: Option<String>,
    },
}

impl Earlier {
    /// Looks at the file, if there is one.
    ///
    /// # Errors
    /// [`Error::Refused`] where it holds anything else than what is to replace it, [`Error::Io`].
    pub fn look(path: &Path, shape: Shape) -> Result<Self, Error> {
        if path.as_os_str() == "-" || !fs::metadata(path).is_ok_and(|file| file.is_file()) {
            return Ok(Self::Free);
        }
        let (content, rows, damage) = match unpack(&Input::new(path), |file, _| Ok(read(file))) {
            Err(Error::Empty { .. }) => return Ok(Self::Free),
            // A zip is not a feed; what is gzipped is read as far as possible.
            Err(Error::Unreadable { .. } | Error::Incomplete { .. }) => {
                (Content::Other("PK".to_owned()), 0, None)
            }
            other => other?,
        };
        let feed = || Self::Feed {
            path: path.to_owned(),
            rows,
            damage: damage.as_ref().map(ToString::to_string),
        };
        let found = match (shape, content) {
            // An output whose start cannot be read needs no protection.
            (_, Content::Unreadable)
            | (Shape::ByKey, Content::Feed)
            | (Shape::ByIoc, Content::Rows) => return Ok(feed()),
            (_, Content::Feed) => "a feed by key".to_owned(),
            (_, Content::Rows) => "rows by IOC".to_owned(),
            (_, Content::Other(start)) => format!("something else (it begins with {start:?})"),
        };
        let wanted = match shape {
            Shape::ByKey => "a feed by key",
            Shape::ByIoc => "rows by IOC",
        };
        Err(Error::Refused(Refusal::DifferentKind {
            path: path.to_owned(),
            found,
            wanted,
        }))
    }

    /// May an output of so many rows replace it?
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub fn check(&self, new: u64) -> Result<(), Error> {
        match self {
            Self::Feed { path, rows, .. } if new < rows.div_ceil(2) => {
                Err(Error::Refused(Refusal::Shrunk {
                    path: path.clone(),
                    old: *rows,
                    new,
                }))
            }
            _ => Ok(()),
        }
    }
}

enum Content {
    Feed,
    Rows,
    Other(String),
    Unreadable,
}

/// Tells what a file is from its start, and counts its rows: a row is a line, as no text of ours has a line break. Not by
/// [`super::read`], as rows count that another version wrote too, and those before some damage.
fn read(file: &mut dyn BufRead) -> (Content, u64, Option<io::Error>) {
    let mut start = Vec::new();
    let begun = file.take(START).read_to_end(&mut start);
    let text = String::from_utf8_lossy(&start);
    let text = text.trim_start_matches('\u{feff}');
    let csv = text.starts_with(FEED_START) || text.starts_with("ioc,ioc_type,");
    let content = if text.starts_with(FEED_START) || text.starts_with(r#"{"key":""#) {
        Content::Feed
    } else if csv || text.starts_with(r#"{"ioc":""#) {
        Content::Rows
    } else if start.is_empty() {
        Content::Unreadable
    } else {
        Content::Other(clean(text).chars().take(40).collect())
    };
    let mut lines = count_lines(&start);
    let mut last = start.last().copied();
    let damage = begun.err().or_else(|| {
        loop {
            let count = match file.fill_buf() {
                // Each line of ours has an end.
                Ok([]) => return last.filter(|last| *last != b'\n').map(|_| cut()),
                Ok(block) => {
                    lines += count_lines(block);
                    last = block.last().copied();
                    block.len()
                }
                Err(error) => return Some(error),
            };
            file.consume(count);
        }
    });
    (content, lines.saturating_sub(u64::from(csv)), damage)
}

fn cut() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "it ends in the middle of a line",
    )
}

fn count_lines(block: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', block).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(content: impl AsRef<[u8]>, shape: Shape) -> Result<Earlier, Error> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        Earlier::look(file.path(), shape)
    }

    fn feed(rows: usize) -> String {
        super::super::COLUMNS.join(",") + "\n" + &"evil.example,domain\n".repeat(rows)
    }

    #[test]
    fn half_of_the_rows_may_go_and_no_more() {
        let file = look(feed(9), Shape::ByKey).unwrap();
        assert!(matches!(
            &file,
            Earlier::Feed {
                rows: 9,
                damage: None,
                ..
            }
        ));
        assert!(file.check(5).is_ok() && file.check(100).is_ok());
        let refusal = file.check(4).unwrap_err().to_string();
        for words in ["4 rows", "the 9 in", "stays"] {
            assert!(refusal.contains(words), "{refusal}");
        }
        assert!(look(feed(8), Shape::ByKey).unwrap().check(4).is_ok());
    }

    #[test]
    fn a_feed_of_another_version_counts_too() {
        for content in [
            "key,kind,brand_new\na,b,c\nd,e,f\n",
            "{\"key\":\"a\"}\n{\"key\":\"b\"}\n",
        ] {
            let earlier = look(content, Shape::ByKey).unwrap();
            assert!(
                matches!(earlier, Earlier::Feed { rows: 2, .. }),
                "{earlier:?}"
            );
        }
    }

    #[test]
    fn what_is_not_its_like_is_not_replaced() {
        let rows = crate::rows::COLUMNS.join(",") + "\n";
        for (content, shape, says) in [
            (
                rows.as_str(),
                Shape::ByKey,
                "rows by IOC, not a feed by key",
            ),
            ("{\"ioc\":\"a\"}\n", Shape::ByKey, "rows by IOC, not"),
            (&feed(1), Shape::ByIoc, "a feed by key, not rows by IOC"),
            ("root:x:0:0\n", Shape::ByKey, "begins with \"root:x:0:0\""),
            ("PK\u{3}\u{4}half a zip", Shape::ByKey, "begins with \"PK\""),
        ] {
            let refusal = look(content, shape).unwrap_err().to_string();
            assert!(refusal.contains(says), "{refusal}");
        }
    }

    #[test]
    fn rows_by_ioc_are_counted_too_in_each_format() {
        let csv = crate::rows::COLUMNS.join(",") + "\n" + &"evil.example,domain\n".repeat(9);
        for content in [csv, "{\"ioc\":\"a\"}\n".repeat(9)] {
            let earlier = look(content, Shape::ByIoc).unwrap();
            assert!(earlier.check(4).is_err() && earlier.check(5).is_ok());
        }
    }

    #[test]
    fn nothing_empty_files_and_devices_protect_nothing() {
        assert_eq!(look("", Shape::ByKey).unwrap(), Earlier::Free);
        for path in ["-", "/dev/null", "/nonexistent/feed.csv"] {
            assert_eq!(
                Earlier::look(Path::new(path), Shape::ByKey).unwrap(),
                Earlier::Free
            );
        }
    }

    #[test]
    fn of_a_damaged_feed_the_rows_before_the_damage_count() {
        use std::io::Write;
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        gz.write_all(feed(10_000).as_bytes()).unwrap();
        let gz = gz.finish().unwrap();
        let cut = look(&gz[..gz.len() / 2], Shape::ByKey).unwrap();
        let Earlier::Feed {
            rows,
            damage: Some(_),
            ..
        } = cut
        else {
            panic!("{cut:?}")
        };
        assert!((1000..10_000).contains(&rows), "{rows}");
        let whole = feed(9);
        let plain = look(&whole[..whole.len() - 5], Shape::ByKey).unwrap();
        assert!(
            matches!(
                plain,
                Earlier::Feed {
                    rows: 8,
                    damage: Some(_),
                    ..
                }
            ),
            "{plain:?}"
        );
        let broken = look(b"\x1f\x8bnonsense", Shape::ByKey).unwrap();
        assert!(matches!(
            broken,
            Earlier::Feed {
                rows: 0,
                damage: Some(_),
                ..
            }
        ));
    }
}
