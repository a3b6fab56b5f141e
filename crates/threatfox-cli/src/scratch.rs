//! A folder for what a run downloads, which is gone after it, also where the run is interrupted.

use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;

/// What a shell reports for a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// The folder. Open it once a run.
pub struct Scratch(TempDir);

impl Scratch {
    /// Makes the folder and sees to it that SIGINT, SIGTERM and the closing of a console remove it: a signal ends the
    /// program without running destructors.
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("threatfox-")
            .tempdir()
            .with_context(|| {
                let place = std::env::temp_dir();
                format!(
                    "can't make a temporary folder in {}: set TMPDIR to one you may write to",
                    place.display()
                )
            })?;
        let path = folder.path().to_owned();
        ctrlc::set_handler(move || {
            // Nothing more can be done about a folder that stays.
            let _ = std::fs::remove_dir_all(&path);
            std::process::exit(INTERRUPTED);
        })
        .context("can't prepare for being interrupted")?;
        Ok(Self(folder))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
