//! What an output may replace: a file that begins as it does, and none that the run reads.

use std::fs;
use std::io::{BufRead, Read};
use std::path::Path;

use super::{is_stdin, same_place};
use crate::error::{Error, Refusal};
use crate::source::{Input, unpack};

/// A kind of output, by how it begins.
#[derive(Debug, Clone, Copy)]
pub struct Like {
    /// What it is.
    pub name: &'static str,
    /// How it may begin.
    pub starts: &'static [&'static str],
}

/// Checks that an output takes the place of its like, of an empty file or of none.
///
/// # Errors
/// [`Error::Refused`] for any other file.
pub fn check_like(path: &Path, like: Like) -> Result<(), Error> {
    if path.as_os_str() == "-" || !fs::metadata(path).is_ok_and(|file| file.is_file()) {
        return Ok(());
    }
    let start = |content: &mut (dyn BufRead + Send)| {
        let mut start = Vec::new();
        // What cannot be read has no start.
        _ = content.take(64).read_to_end(&mut start);
        start
    };
    let found = unpack(&Input::new(path), |content, _| Ok(start(content)));
    let alike = match &found {
        Ok(found) => like
            .starts
            .iter()
            .any(|start| found.is_empty() || found.starts_with(start.as_bytes())),
        Err(error) => matches!(error, Error::Empty { .. }),
    };
    if alike {
        return Ok(());
    }
    Err(Error::Refused(Refusal::NotLike {
        path: path.to_owned(),
        wanted: like.name,
    }))
}

/// Checks that an output takes the place of no file that the run reads.
///
/// # Errors
/// [`Error::Refused`].
pub fn check_not_read<'a>(
    path: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Error> {
    let stream = |path: &Path| path.as_os_str() == "-";
    let read = |input: &Path| {
        if stream(input) {
            is_stdin(path)
        } else {
            same_place(path, input)
        }
    };
    if !stream(path) && inputs.into_iter().any(read) {
        let path = path.to_owned();
        return Err(Error::Refused(Refusal::IsRead { path }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Like = Like {
        name: "a list",
        starts: &["id,ioc,"],
    };

    #[test]
    fn only_its_like_and_what_is_empty_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for (content, free) in [
            ("", true),
            ("id,ioc,reason\n", true),
            ("key,kind\n", false),
            ("id", false),
            ("PK\u{3}\u{4}half a zip", false),
        ] {
            fs::write(&path, content).unwrap();
            let checked = check_like(&path, LIST);
            assert_eq!(checked.is_ok(), free, "{content}");
            if let Err(error) = checked {
                assert!(error.to_string().contains("not a list, and stays"));
            }
        }
        for path in ["-", "/dev/null", "/nonexistent/list"] {
            assert!(check_like(Path::new(path), LIST).is_ok(), "{path}");
        }
    }

    #[test]
    fn what_is_read_is_not_replaced_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "").unwrap();
        let other = folder.path().join(".").join("x");
        assert!(check_not_read(&path, [Path::new("-"), &*other]).is_err());
        assert!(check_not_read(Path::new("-"), [Path::new("-")]).is_ok());
        let next = folder.path().join("y");
        assert!(check_not_read(&path, [&*next]).is_ok());
    }
}
