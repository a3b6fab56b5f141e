//! One module a subcommand, and what several of them share.

pub mod feed;
pub mod normalize;

/// The exit code of an error: 1, or 3 where a safety check refused.
pub fn exit_code(_error: &anyhow::Error) -> u8 {
    1
}
