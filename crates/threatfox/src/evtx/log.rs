//! A log file: its header, and its chunks a block at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::CHUNK_SIZE;
use crate::error::Error;

const MAGIC: &[u8] = b"ElfFile\0";
/// The part of the header that is used.
const HEADER: usize = 44;

/// An open log.
pub struct Log {
    file: File,
    path: String,
}

/// A part of a log: chunks, one after another.
#[derive(Default)]
pub struct Block {
    bytes: Vec<u8>,
}

impl Block {
    /// Whether the log had ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes of each chunk.
    #[must_use]
    pub fn chunks(&self) -> &[[u8; CHUNK_SIZE]] {
        self.bytes.as_chunks().0
    }

    /// What the log ends in that is no whole chunk.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.bytes.as_chunks::<CHUNK_SIZE>().1
    }
}

impl Log {
    /// Opens a log. The event log service may be writing to it.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::NoLog`] where the file is none.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let error = |source| Error::Io {
            action: "read",
            path: name.clone(),
            source,
        };
        let mut file = File::open(path).map_err(error)?;
        let mut header = [0; HEADER];
        match file.read_exact(&mut header) {
            Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(error(source));
            }
            _ => {}
        }
        let number = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let (minor, major, first_chunk) = (number(36), number(38), number(40));
        let problem = if !header.starts_with(MAGIC) {
            "it does not begin like a Windows event log".to_owned()
        } else if major != 3 || minor > 2 {
            format!("it has version {major}.{minor}, and only 3.0 to 3.2 are known")
        } else {
            file.seek(SeekFrom::Start(first_chunk.into()))
                .map_err(error)?;
            return Ok(Self { file, path: name });
        };
        Err(Error::NoLog {
            path: name,
            problem,
        })
    }

    /// Reads on. Fills the block, but for the log's end; an empty block is the end.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(&mut self, chunks: usize, block: &mut Block) -> Result<(), Error> {
        block.bytes.clear();
        let limit = (chunks * CHUNK_SIZE) as u64;
        let read = (&mut self.file).take(limit).read_to_end(&mut block.bytes);
        read.map(drop).map_err(|source| Error::Io {
            action: "read",
            path: self.path.clone(),
            source,
        })
    }
}
