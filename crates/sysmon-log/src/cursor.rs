//! Reading numbers, text and names from a chunk. Past the chunk's end all is zero, so reading never fails.

use std::rc::Rc;

use crate::CHUNK_SIZE;
use crate::chunk::Chunk;
use crate::text::Utf16;

/// Reads a chunk from an offset on.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'c> {
    bytes: &'c [u8; CHUNK_SIZE],
    pub at: usize,
}

impl<'c> Cursor<'c> {
    pub fn new(bytes: &'c [u8; CHUNK_SIZE], at: usize) -> Self {
        Self { bytes, at }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let bytes = self.take(N);
        bytes.first_chunk().copied().unwrap_or([0; N])
    }

    pub fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// So many bytes, or none where the chunk ends before.
    pub fn take(&mut self, count: usize) -> &'c [u8] {
        let end = self.at.saturating_add(count);
        let bytes = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        bytes
    }

    /// Text behind its length in code units.
    pub fn counted_text(&mut self) -> Option<Utf16<'c>> {
        let units = usize::from(self.u16());
        Utf16::new(self.take(units * 2))
    }

    /// A reference to a name, behind which the name itself may lie.
    pub fn name(&mut self, chunk: &Chunk<'c>) -> Rc<str> {
        let offset = self.u32() as usize;
        // In front of the text: the next name of its bucket and a hash.
        let text = offset.saturating_add(6);
        if offset == self.at {
            self.at = text;
            let units = usize::from(self.u16());
            self.take((units + 1) * 2); // It ends in a zero.
        }
        chunk.name(text)
    }
}
