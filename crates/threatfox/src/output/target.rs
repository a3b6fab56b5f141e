//! Which file an output is: two paths may lead to one file.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// The most symbolic links to follow, as in Linux.
const MAX_LINKS: usize = 40;

/// The file that a path leads to by symbolic links, whether it is there or not.
pub(super) fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        if !fs::symlink_metadata(&path).is_ok_and(|file| file.is_symlink()) {
            return Ok(path);
        }
        // A link's own path counts from where the link stands.
        path = folder(&path).join(fs::read_link(&path)?);
    }
    Err(io::Error::other("too many symbolic links"))
}

/// The folder that a file stands in.
pub(super) fn folder(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Whether two outputs, given by their names, would go to one file, pipe or terminal. `-` is standard output. What goes to
/// `/dev/null` goes nowhere.
#[must_use]
pub fn same_place(a: &Path, b: &Path) -> bool {
    if is_stdout(a) && is_stdout(b) {
        return true;
    }
    match (metadata(a), metadata(b)) {
        #[cfg(unix)]
        (Some(a), Some(b)) => same_file(&a, &b),
        (Some(_), None) | (None, Some(_)) => false,
        // On Windows the identity of a file is known only after opening it, so the names decide.
        _ => {
            let name = |path| Some(name_of(&followed(path).ok()?));
            name(a).is_some_and(|name_of_a| name(b) == Some(name_of_a))
        }
    }
}

/// Whether standard input is this file, as after `<` in a shell.
#[must_use]
pub fn is_stdin(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let stdin = io::stdin().as_fd().try_clone_to_owned();
        let stdin = stdin.and_then(|stdin| fs::File::from(stdin).metadata());
        let file = fs::metadata(path).ok().filter(Metadata::is_file);
        file.zip(stdin.ok())
            .is_some_and(|(file, stdin)| same_file(&file, &stdin))
    }
    // On Windows standard input does not say which file it is.
    #[cfg(not(unix))]
    {
        _ = path;
        false
    }
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn metadata(path: &Path) -> Option<Metadata> {
    if !is_stdout(path) {
        return fs::metadata(path).ok();
    }
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let stdout = io::stdout().as_fd().try_clone_to_owned().ok()?;
        fs::File::from(stdout).metadata().ok()
    }
    #[cfg(not(unix))]
    None
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |file: &Metadata| (file.dev(), file.ino());
    let nowhere = fs::metadata("/dev/null").is_ok_and(|null| id(&null) == id(a));
    id(a) == id(b) && !nowhere
}

/// The folder by its one true name, and the file's name in it.
fn name_of(path: &Path) -> (PathBuf, Option<std::ffi::OsString>) {
    let folder = folder(path);
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = path.file_name();
    // Windows takes names of another case for the same.
    let name = name.map(|name| {
        if cfg!(windows) {
            name.to_ascii_lowercase()
        } else {
            name.to_owned()
        }
    });
    (folder, name)
}
