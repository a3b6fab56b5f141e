//! Looking values up in a feed: the [`Index`] holds the feed in little memory, the [`Matcher`] finds what matches a
//! value, by the [`rules`].

mod index;
mod matcher;
mod refang;
pub mod rules;
mod value;

pub use index::Index;
pub use matcher::{Hit, Matcher};
pub use refang::refang;
pub use value::read_value;
