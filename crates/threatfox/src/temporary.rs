//! Temporary files and folders: gone when dropped, and also where the program is interrupted, as no destructor runs then.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{Builder, NamedTempFile, TempDir};

/// Everything temporary that is there now.
static LIVING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn living() -> MutexGuard<'static, Vec<PathBuf>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every temporary file and folder. Only right before the end of the program: later calls
/// that make one block forever.
pub fn remove_all() {
    let living = living();
    for path in living.iter() {
        // Nothing more can be done about one that stays.
        let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
    }
    std::mem::forget(living);
}

/// The place in the list of a file or folder that is there.
#[derive(Debug)]
struct Entry(PathBuf);

impl Drop for Entry {
    fn drop(&mut self) {
        living().retain(|path| *path != self.0);
    }
}

/// A file that is written whole before it gets its name.
#[derive(Debug)]
pub(crate) struct TemporaryFile {
    pub file: NamedTempFile,
    // After the file: it leaves the list once it is gone.
    _entry: Entry,
}

impl TemporaryFile {
    /// Makes the file where the builder says and in the folder, so that it can be renamed there.
    pub fn new(builder: &Builder<'_, '_>, folder: &Path) -> io::Result<Self> {
        // Held until the file is in the list: an interruption must not come between.
        let mut living = living();
        let file = builder.tempfile_in(folder).map_err(system_error)?;
        living.push(file.path().to_owned());
        let entry = Entry(file.path().to_owned());
        Ok(Self {
            file,
            _entry: entry,
        })
    }

    /// Gives the file its name; an earlier one of that name is replaced.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        self.file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// The system's words. The tempfile crate appends the name of the temporary file, which means nothing to a user, and keeps
/// its
/// cause to itself.
pub(crate) fn system_error(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((words, _)) => io::Error::new(error.kind(), words),
        None => error,
    }
}

/// A folder for what a run downloads.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: TempDir,
    _entry: Entry,
}

impl TemporaryFolder {
    /// Makes the folder in the system's one for temporary files. Only its owner may enter.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn new() -> io::Result<Self> {
        let mut living = living();
        let folder = Builder::new()
            .prefix("threatfox-")
            .tempdir()
            .map_err(system_error)?;
        living.push(folder.path().to_owned());
        let entry = Entry(folder.path().to_owned());
        Ok(Self {
            folder,
            _entry: entry,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_or_named_leaves_the_list() {
        let home = tempfile::tempdir().unwrap();
        let listed = |path: &Path| living().iter().any(|living| living == path);
        let file = TemporaryFile::new(&Builder::new(), home.path()).unwrap();
        let (dropped, folder) = (file.file.path().to_owned(), TemporaryFolder::new().unwrap());
        let path = folder.path().to_owned();
        assert!(listed(&dropped) && listed(&path));
        drop((file, folder));
        assert!(!listed(&dropped) && !listed(&path) && !path.exists());
        let file = TemporaryFile::new(&Builder::new(), home.path()).unwrap();
        let named = file.file.path().to_owned();
        file.persist(&home.path().join("feed.csv")).unwrap();
        assert!(!listed(&named) && home.path().join("feed.csv").exists());
    }
}
