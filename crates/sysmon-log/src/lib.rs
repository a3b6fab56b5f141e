//! Windows event logs, read as Velociraptor's `parse_evtx` reads them: the same records, names and types.
//!
//! The project keeps its own reader for two reasons. It is about four times as fast as the crate `evtx` on a log in which
//! nothing is looked for (docs/native.md has the figures), and its values are those of `parse_evtx`, where that crate gives
//! whole events as JSON or XML text in other forms (times and numbers as text, braces, other nesting). It gains the time
//! by reading an event's id and the few fields that matter in place; only a candidate is built as a whole. The test
//! `tests/same_as_evtx` holds it against that crate on every log of tests/data.
//!
//! A [`Log`] is a header and chunks of 64 KiB; a [`Chunk`] is self-contained and holds records; a record is an
//! [`Event`] in binary XML, nearly always values for a template that the chunk holds once.

mod chunk;
mod cursor;
mod error;
mod event;
mod log;
mod template;
mod text;
mod tree;
mod value;

pub use chunk::{Chunk, Content};
pub use error::Error;
pub use event::Event;
pub use log::{Block, Log};
pub use text::Utf16;
pub use value::{Fields, Value};

/// The size of a chunk in bytes.
pub const CHUNK_SIZE: usize = 0x1_0000;
