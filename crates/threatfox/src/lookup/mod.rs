//! Looking values up in a feed: the [`Index`] holds the feed in little memory, the [`Matcher`] finds what matches a
//! value, by the [`rules`].

mod index;
mod matcher;
pub mod rules;

pub use index::Index;
pub use matcher::{Hit, Matcher};
