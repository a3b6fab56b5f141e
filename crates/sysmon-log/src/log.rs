//! A log file: its header, and its chunks a block at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::CHUNK_SIZE;
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

    /// The end of the log, where it is shorter than a chunk.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        self.bytes.as_chunks::<CHUNK_SIZE>().1
    }
}

impl Log {
    /// Opens a log. The event log service may be writing to it.
    ///
    /// # Errors
    /// [`Error`]: it cannot be read, or is not a log.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let path_text = path.display().to_string();
        let error = |source| Error::Io {
            path: path_text.clone(),
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
        if !header.starts_with(MAGIC) {
            return Err(Error::OtherFile { path: path_text });
        }
        if major != 3 || minor > 2 {
            return Err(Error::OtherVersion {
                path: path_text,
                major,
                minor,
            });
        }
        file.seek(SeekFrom::Start(first_chunk.into()))
            .map_err(error)?;
        Ok(Self {
            file,
            path: path_text,
        })
    }

    /// Reads on. Fills the block, except at the log's end; an empty block is the end.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(&mut self, chunks: usize, block: &mut Block) -> Result<(), Error> {
        block.bytes.clear();
        let limit = (chunks * CHUNK_SIZE) as u64;
        let read = (&mut self.file).take(limit).read_to_end(&mut block.bytes);
        read.map(drop).map_err(|source| Error::Io {
            path: self.path.clone(),
            source,
        })
    }
}
