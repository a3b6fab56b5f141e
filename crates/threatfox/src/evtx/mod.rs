//! Windows event logs, read as Velociraptor's `parse_evtx` reads them: the same records, names and types.
//!
//! A [`Log`] is a header and chunks of 64 KiB; a [`Chunk`] is self-contained and holds records; a record is an
//! [`Event`] in binary XML, nearly always values for a template that the chunk holds once.
//!
//! The evtx crate reads the same files, but gives whole events as JSON or XML text only, in forms that differ from
//! `parse_evtx` (times and numbers as text, braces, other nesting), and builds each event to tell what it is. Here an
//! event's id and the few fields that matter are read in place; only a candidate is built whole. Tests compare both.

mod chunk;
mod cursor;
mod event;
mod log;
mod template;
mod text;
mod tree;
mod value;

pub use chunk::{Chunk, Content};
pub use event::Event;
pub use log::{Block, Log};
pub use text::Utf16;
pub use value::{Fields, Value};

/// What a chunk takes in a log, in bytes.
pub const CHUNK_SIZE: usize = 0x1_0000;
