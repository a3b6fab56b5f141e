//! Looking observables up in a feed: the [`Index`] holds the feed in little memory, the [`Matcher`] finds what an event
//! or a value matches, by the [`rules`](crate::rules).

mod index;
mod matcher;
mod trial;
mod value;

pub use index::Index;
pub use matcher::{Hit, Matcher};
pub(crate) use trial::why_never;
pub use trial::{Feed, Wanted};
pub use value::TypedValue;
