//! Where the result goes: standard output, or a file that appears whole or not at all.

mod guard;
mod gzip;
mod target;

use std::fs::{self, File};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

pub use guard::{Like, check_like, check_not_read};
pub use target::{is_stdin, same_place};

use crate::error::Error;
use crate::temporary::TemporaryFile;
use crate::text::hex;
use gzip::Gzip;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The number of bytes to write at a time.
const BLOCK: usize = 64 * 1024;
/// The most blocks that may wait for the disk: 1 MiB.
const QUEUE: usize = 16;

/// The place, size and hash of a written output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The file, or `-`.
    pub output: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// An output that is being written. Dropped before [`Output::finish`], the earlier file is unchanged.
pub struct Output {
    path: PathBuf,
    background: Background,
}

enum Stream {
    Plain(Hashing),
    Gzip(Gzip<Hashing>),
}

enum Place {
    Stdout(io::Stdout),
    /// Beside the target, renamed at the end.
    Temporary(TemporaryFile, PathBuf),
    /// A path that is not a regular file (`/dev/null`, a pipe) is written to directly.
    Special(File),
}

impl Output {
    /// Begins an output. `-` is standard output; a name that ends in `.gz` is compressed, without time or name, so that
    /// the same content is the same bytes.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: &Path) -> Result<Self, Error> {
        let error = |source| write_error(path, source);
        let place = if path.as_os_str() == "-" {
            Place::Stdout(io::stdout())
        } else if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            Place::Special(File::options().write(true).open(path).map_err(error)?)
        } else {
            let target = target::followed(path).map_err(error)?;
            Place::Temporary(temporary_beside(&target).map_err(error)?, target)
        };
        let hashing = Hashing {
            place,
            sha256: Sha256::new(),
            bytes: 0,
        };
        let stream = if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
        {
            Stream::Gzip(Gzip::new(hashing))
        } else {
            Stream::Plain(hashing)
        };
        Ok(Self {
            path: path.to_owned(),
            background: Background::start(stream),
        })
    }

    /// Ends the output; the file takes the place of an earlier one.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(self) -> Result<Written, Error> {
        self.complete()?.publish()
    }

    /// Writes all there is. The file has no name yet, so that of several files none appears without the others.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn complete(self) -> Result<Complete, Error> {
        let error = |source| write_error(&self.path, source);
        let mut hashing = self.background.finish().map_err(error)?;
        hashing.flush().map_err(error)?;
        if let Place::Temporary(file, _) = &hashing.place {
            file.file.as_file().sync_all().map_err(error)?;
        }
        Ok(Complete {
            path: self.path,
            hashing,
        })
    }
}

/// An output that is written, but has not taken its place yet. Dropped, the earlier file is unchanged.
pub struct Complete {
    path: PathBuf,
    hashing: Hashing,
}

impl Complete {
    /// Takes the place of an earlier file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn publish(self) -> Result<Written, Error> {
        let Hashing {
            place,
            sha256,
            bytes,
        } = self.hashing;
        if let Place::Temporary(file, target) = place {
            file.persist(&target)
                .map_err(|source| write_error(&self.path, source))?;
        }
        Ok(Written {
            output: self.path.display().to_string(),
            bytes,
            sha256: hex(&sha256.finalize()),
        })
    }
}

fn write_error(path: &Path, source: io::Error) -> Error {
    let path = if path.as_os_str() == "-" {
        "standard output".to_owned()
    } else {
        path.display().to_string()
    };
    Error::Io {
        action: "write",
        path,
        source,
    }
}

/// A new file beside the target, which has the mode of the one it is going to replace.
fn temporary_beside(target: &Path) -> io::Result<TemporaryFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".threatfox-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let earlier = fs::metadata(target).ok().map(|file| file.permissions());
        // Without an earlier one as any new file: the umask of the user decides, not the 0600 of temporary files.
        let mode = if earlier.is_some() { 0o600 } else { 0o666 };
        builder.permissions(fs::Permissions::from_mode(mode));
        let new = TemporaryFile::new(&builder, target::folder(target))?;
        if let Some(permissions) = earlier {
            new.file.as_file().set_permissions(permissions)?;
        }
        Ok(new)
    }
    #[cfg(not(unix))]
    TemporaryFile::new(&builder, target::folder(target))
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.background.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.background.flush()
    }
}

/// Compresses, hashes and writes in a thread of its own, while rows are made.
struct Background {
    /// The bytes that are not written yet.
    block: Vec<u8>,
    blocks: Option<SyncSender<Vec<u8>>>,
    writer: Option<JoinHandle<io::Result<Hashing>>>,
}

impl Background {
    fn start(mut stream: Stream) -> Self {
        let (blocks, received) = mpsc::sync_channel::<Vec<u8>>(QUEUE);
        let writer = thread::spawn(move || {
            for block in received {
                match &mut stream {
                    Stream::Plain(out) => out.write_all(&block)?,
                    Stream::Gzip(out) => out.write_all(&block)?,
                }
            }
            match stream {
                Stream::Plain(out) => Ok(out),
                Stream::Gzip(out) => out.finish(),
            }
        });
        Self {
            block: Vec::with_capacity(BLOCK),
            blocks: Some(blocks),
            writer: Some(writer),
        }
    }

    /// Waits until all is written.
    fn finish(mut self) -> io::Result<Hashing> {
        self.hand_over()?;
        self.join()
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let block = mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        if self
            .blocks
            .as_ref()
            .is_some_and(|blocks| blocks.send(block).is_ok())
        {
            return Ok(());
        }
        // The thread has ended early, so it has an error to tell.
        self.join().and_then(|_| Err(ended()))
    }

    fn join(&mut self) -> io::Result<Hashing> {
        self.blocks = None; // Tells the thread that no more comes.
        let writer = self.writer.take().and_then(|writer| writer.join().ok());
        writer.unwrap_or_else(|| Err(ended()))
    }
}

fn ended() -> io::Error {
    io::Error::other("the output has ended already")
}

impl Write for Background {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK {
            self.hand_over()?;
        }
        let n = buf.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&buf[..n]);
        Ok(n)
    }

    /// Nothing waits for a part of the output; [`Background::finish`] waits for the whole.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Background {
    /// The temporary file of an unfinished output must be gone before the program is.
    fn drop(&mut self) {
        if self.writer.is_some() {
            let _ = self.join();
        }
    }
}

/// Counts and hashes what passes.
struct Hashing {
    place: Place,
    sha256: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = match &mut self.place {
            Place::Stdout(out) => out.write(buf)?,
            Place::Temporary(out, _) => out.file.as_file_mut().write(buf)?,
            Place::Special(out) => out.write(buf)?,
        };
        self.sha256.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.place {
            Place::Stdout(out) => out.flush(),
            Place::Temporary(out, _) => out.file.as_file_mut().flush(),
            Place::Special(out) => out.flush(),
        }
    }
}
