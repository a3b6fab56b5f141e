//! Files and standard input, plain, gzipped or zipped: recognized by their first bytes, unpacked within a bound.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use super::budget::{Bounded, Budget, Packed};
use super::{Reading, misp};
use crate::error::Error;

/// Unpacked data may have this many bytes.
const MAX_UNPACKED: u64 = 4 << 30;
/// A zip on standard input is put into a file first; it may have this many bytes.
const MAX_SPOOLED: u64 = 512 << 20;
const BUFFER: usize = 64 * 1024;
const START: u64 = 4096;
/// The byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Something to read, under the name that messages use.
#[derive(Debug, Clone)]
pub struct Input {
    name: String,
    origin: Origin,
    reading: Box<Reading>,
    /// Whether it is one of several that are one source together: then there may be nothing in it.
    is_part: bool,
}

#[derive(Debug, Clone)]
enum Origin {
    Stdin,
    File(PathBuf),
    Memory(Arc<[u8]>),
}

impl Input {
    /// A file, named by its path; `-` is standard input.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        if path.as_os_str() == "-" {
            return Self {
                name: "standard input".to_owned(),
                origin: Origin::Stdin,
                reading: Box::default(),
                is_part: false,
            };
        }
        Self {
            name: path.display().to_string(),
            origin: Origin::File(path.to_owned()),
            reading: Box::default(),
            is_part: false,
        }
    }

    /// The file, or the events of the folder of a MISP feed, which its `manifest.json` names.
    ///
    /// # Errors
    /// The manifest cannot be read, or names something else than files of the folder.
    pub fn all_of(path: &Path) -> Result<Vec<Self>, Error> {
        let manifest = path.join("manifest.json");
        if !manifest.is_file() {
            return Ok(vec![Self::new(path)]);
        }
        let events = misp::events_in(&manifest)?;
        Ok(events
            .into_iter()
            .map(|event| Self {
                is_part: true,
                ..Self::new(&path.join(event))
            })
            .collect())
    }

    /// A file under another name, such as the address it was downloaded from (without any key in it).
    #[must_use]
    pub fn labelled(path: &Path, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            origin: Origin::File(path.to_owned()),
            reading: Box::default(),
            is_part: false,
        }
    }

    /// Bytes that are in memory already, as a file would hold them.
    #[must_use]
    pub fn of_bytes(bytes: &[u8], name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            origin: Origin::Memory(bytes.into()),
            reading: Box::default(),
            is_part: false,
        }
    }

    /// The same, to be read so.
    #[must_use]
    pub fn read_as(mut self, reading: Reading) -> Self {
        self.reading = Box::new(reading);
        self
    }

    /// The file that is read; none for standard input and what is in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            Origin::Stdin | Origin::Memory(_) => None,
        }
    }

    pub(super) fn reading(&self) -> &Reading {
        &self.reading
    }

    pub(super) fn is_part(&self) -> bool {
        self.is_part
    }

    /// The name for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Hands the unpacked content of an input to `read`, and what it may hold.
pub(crate) fn unpack<T>(
    input: &Input,
    read: impl FnOnce(&mut (dyn BufRead + Send), &Budget) -> Result<T, Error>,
) -> Result<T, Error> {
    let io_error = |action| {
        let path = input.name.clone();
        move |source| Error::Io {
            action,
            path,
            source,
        }
    };
    match &input.origin {
        Origin::File(path) => {
            // Windows would say that access is denied.
            if path.is_dir() {
                return Err(io_error("read")(io::ErrorKind::IsADirectory.into()));
            }
            let file = File::open(path).map_err(io_error("open"))?;
            return unpack_file(&input.name, file, read);
        }
        Origin::Memory(bytes) => return unpack_file(&input.name, Cursor::new(bytes), read),
        Origin::Stdin => {}
    }
    let mut stdin = io::stdin();
    let magic = first_bytes(&mut stdin).map_err(io_error("read"))?;
    if !is_zip(&magic) {
        return unpack_stream(&input.name, &magic, stdin, read);
    }
    let mut file = tempfile::tempfile().map_err(io_error("make a temporary file for"))?;
    file.write_all(&magic).map_err(io_error("unpack"))?;
    io::copy(
        &mut Bounded::new(stdin, MAX_SPOOLED, &Budget::unbounded()),
        &mut file,
    )
    .map_err(io_error("unpack"))?;
    file.seek(SeekFrom::Start(0)).map_err(io_error("unpack"))?;
    unpack_zip(&input.name, file, read)
}

fn unpack_file<T>(
    name: &str,
    mut file: impl Read + Seek + Send,
    read: impl FnOnce(&mut (dyn BufRead + Send), &Budget) -> Result<T, Error>,
) -> Result<T, Error> {
    let io_error = |source| Error::Io {
        action: "read",
        path: name.to_owned(),
        source,
    };
    let magic = first_bytes(&mut file).map_err(io_error)?;
    if !is_zip(&magic) {
        return unpack_stream(name, &magic, file, read);
    }
    file.seek(SeekFrom::Start(0)).map_err(io_error)?;
    unpack_zip(name, file, read)
}

fn is_zip(magic: &[u8]) -> bool {
    magic.starts_with(b"PK\x03\x04") || magic.starts_with(b"PK\x05\x06")
}

/// Enough for the magic bytes, and for telling the kind of plain text.
fn first_bytes(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.take(START).read_to_end(&mut start)?;
    Ok(start)
}

fn unpack_stream<T>(
    name: &str,
    magic: &[u8],
    rest: impl Read + Send,
    read: impl FnOnce(&mut (dyn BufRead + Send), &Budget) -> Result<T, Error>,
) -> Result<T, Error> {
    if magic.is_empty() {
        return Err(Error::Empty {
            name: name.to_owned(),
        });
    }
    let whole = Cursor::new(magic).chain(rest);
    if magic.starts_with(&[0x1f, 0x8b]) {
        let budget = Budget::default();
        let content = unpack_gzip(whole, &budget);
        read(&mut BufReader::with_capacity(BUFFER, content), &budget)
    } else {
        let budget = Budget::unbounded();
        read(&mut bounded(whole, &budget), &budget)
    }
}

/// The content of something gzipped, within the budget.
pub(crate) fn unpack_gzip<'b, R: Read + 'b>(
    packed: R,
    budget: &'b Budget,
) -> impl Read + use<'b, R> {
    let packed = Packed {
        inner: packed,
        budget,
    };
    let decoder = MultiGzDecoder::new(BufReader::with_capacity(BUFFER, packed));
    Bounded::new(decoder, MAX_UNPACKED, budget)
}

fn bounded<R: Read>(inner: R, budget: &Budget) -> BufReader<Bounded<'_, R>> {
    BufReader::with_capacity(BUFFER, Bounded::new(inner, MAX_UNPACKED, budget))
}

fn unpack_zip<T>(
    name: &str,
    mut file: impl Read + Seek + Send,
    read: impl FnOnce(&mut (dyn BufRead + Send), &Budget) -> Result<T, Error>,
) -> Result<T, Error> {
    let broken = |source: zip::result::ZipError| Error::Unreadable {
        name: name.to_owned(),
        source: source.into(),
    };
    let size = file
        .seek(SeekFrom::End(0))
        .map_err(|source| broken(source.into()))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    // A folder is an entry too.
    let is_folder =
        |n: usize| matches!(archive.name_for_index(n), Some(Ok(name)) if name.ends_with('/'));
    let files: Vec<usize> = (0..archive.len()).filter(|n| !is_folder(*n)).collect();
    let owned = || name.to_owned();
    let file = match files[..] {
        [] => return Err(Error::Empty { name: owned() }),
        [file] => file,
        _ => {
            let (name, files) = (owned(), files.len());
            return Err(Error::SeveralFiles { name, files });
        }
    };
    let member = archive.by_index(file).map_err(broken)?;
    // The zip says how large its member is, and may lie.
    let budget = Budget::of(member.compressed_size().min(size));
    read(&mut bounded(member, &budget), &budget)
}

/// Refuses UTF-16, as some tools of Windows write it: read as UTF-8 it would be nothing but nonsense.
///
/// # Errors
/// [`Error::Utf16`], or the content cannot be read.
pub(crate) fn refuse_utf16(name: &str, content: &mut dyn BufRead) -> Result<(), Error> {
    let start = content.fill_buf().map_err(|source| Error::Unreadable {
        name: name.to_owned(),
        source,
    })?;
    if is_utf16(start) {
        return Err(Error::Utf16 {
            name: name.to_owned(),
        });
    }
    Ok(())
}

/// By its byte order mark, or by the zero that half of each of the first letters is.
fn is_utf16(text: &[u8]) -> bool {
    let marked = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
    marked
        || matches!(
            text,
            [0, 1..=255, 0, 1..=255, ..] | [1..=255, 0, 1..=255, 0, ..]
        )
}

/// Passes over the byte order mark that some editors put in front of a text.
pub(crate) fn skip_mark(content: &mut dyn BufRead) -> io::Result<()> {
    if content.fill_buf()?.starts_with(MARK) {
        content.consume(MARK.len());
    }
    Ok(())
}
