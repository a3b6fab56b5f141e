//! Compression that every reader of ours undoes: a file that unpacks to too many times its size is refused as a bomb.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use crate::source::{FREE_BYTES, RATIO};

/// A gzip stream. Where it packs nearly as well as a reader bears, a block is written as it is, in a member of its own: the
/// members of a stream read as one.
pub(super) struct Gzip<W: Write> {
    encoder: Option<Box<GzEncoder<Counted<W>>>>,
    unpacked: u64,
}

/// Counts what is written.
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Gzip<W> {
    pub fn new(inner: W) -> Self {
        let counted = Counted { inner, bytes: 0 };
        Self {
            encoder: Some(member(counted, Compression::new(6))),
            unpacked: 0,
        }
    }

    /// Writes a block.
    pub fn write_all(&mut self, block: &[u8]) -> io::Result<()> {
        self.unpacked += block.len() as u64;
        let encoder = self.encoder.as_mut().ok_or_else(super::ended)?;
        // Half of what is borne, as a reader sees the packed bytes later than they are counted.
        let borne = encoder.get_ref().bytes * (RATIO / 2) + FREE_BYTES / 2;
        if self.unpacked <= borne {
            return encoder.write_all(block);
        }
        let counted = self.end_member()?;
        let mut stored = member(counted, Compression::none());
        stored.write_all(block)?;
        self.encoder = Some(member(stored.finish()?, Compression::new(6)));
        Ok(())
    }

    /// Ends the stream.
    pub fn finish(mut self) -> io::Result<W> {
        Ok(self.end_member()?.inner)
    }

    fn end_member(&mut self) -> io::Result<Counted<W>> {
        let encoder = self.encoder.take().ok_or_else(super::ended)?;
        encoder.finish()
    }
}

/// Begins a member, without time or name.
fn member<W: Write>(out: W, level: Compression) -> Box<GzEncoder<W>> {
    Box::new(GzBuilder::new().write(out, level))
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
