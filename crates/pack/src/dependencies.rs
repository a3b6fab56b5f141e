//! The dependencies of the workspace, as `cargo metadata` lists them.

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};

/// The packages that are built for a target, in the versions of `Cargo.lock`.
pub fn of_target(target: &str) -> Result<Metadata> {
    let platform = ["--locked", "--filter-platform", target];
    ask(MetadataCommand::new().other_options(platform.map(str::to_owned)))
}

/// The workspace's own packages, with what their manifests name.
pub fn of_workspace() -> Result<Metadata> {
    let locked = ["--locked".to_owned()];
    ask(MetadataCommand::new().no_deps().other_options(locked))
}

fn ask(command: &MetadataCommand) -> Result<Metadata> {
    command
        .exec()
        .context("cargo does not say what the workspace is built from")
}
