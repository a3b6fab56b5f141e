//! Earlier answers, kept in a private folder: so that what has not changed is not sent again, and two runs at once ask once.
//!
//! Only answers that proved good are to be stored, since a stored one is used again without a look at the server.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Download, Validators};
use crate::temporary::TemporaryFile;

/// Why a cache can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The folder could be read or changed by others.
    #[error("won't use {} as a cache: {reason}", folder.display())]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
        /// The problem.
        reason: &'static str,
    },
    /// The file system refused.
    #[error("can't use the cache at {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The folder, locked against other runs until this is dropped.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    _lock: File,
}

/// An earlier answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// The file that holds it. It stays in place while the cache is locked.
    pub path: PathBuf,
    /// The request and its address.
    pub source_name: String,
    /// The validators: with them the server says whether the answer has changed.
    pub validators: Validators,
    /// When it was current, seconds since 1970.
    fetched: i64,
    sha256: String,
}

/// The data stored with an answer.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    source_name: String,
    validators: Validators,
    /// Of the answer, lower-case hexadecimal.
    sha256: String,
    /// Seconds since 1970.
    fetched: i64,
}

impl Cache {
    /// Opens the folder, makes it if need be, and waits for another run that has it locked (`waiting` is called once then).
    ///
    /// # Errors
    /// [`CacheError::NotPrivate`] for a symbolic link, another user's folder, or one that others may enter (unix).
    pub fn open(folder: &Path, waiting: impl FnOnce()) -> Result<Self, CacheError> {
        let io_error = |path: &Path| {
            let path = path.to_owned();
            move |source| CacheError::Io { path, source }
        };
        make_private(folder).map_err(io_error(folder))?;
        check_private(folder)?;
        let path = folder.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io_error(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                lock.lock().map_err(io_error(&path))?;
            }
            Err(TryLockError::Error(error)) => return Err(io_error(&path)(error)),
        }
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// The answer kept under a name. One that is damaged is as if it were not there.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Cached> {
        let note: Note = serde_json::from_slice(&fs::read(self.note(name)).ok()?).ok()?;
        let path = self.data(name);
        let whole = sha256_of(&path).is_ok_and(|sha256| sha256 == note.sha256);
        whole.then_some(Cached {
            path,
            source_name: note.source_name,
            validators: note.validators,
            fetched: note.fetched,
            sha256: note.sha256,
        })
    }

    /// Keeps a good answer under a name.
    ///
    /// # Errors
    /// [`CacheError::Io`]; an earlier answer may be gone then, but never half of one is kept.
    pub fn store(&self, name: &str, download: &Download) -> Result<(), CacheError> {
        let (data, note) = (self.data(name), self.note(name));
        let io_error = |source| CacheError::Io {
            path: data.clone(),
            source,
        };
        // Without its note the answer is not there, so that old and new are never mixed.
        match fs::remove_file(&note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(error)),
            _ => {}
        }
        let mut from = download.file.reopen().map_err(io_error)?;
        from.rewind().map_err(io_error)?;
        self.write(&data, &mut from).map_err(io_error)?;
        let note = || -> io::Result<Note> {
            Ok(Note {
                source_name: download.source_name.clone(),
                validators: download.validators.clone(),
                sha256: sha256_of(&data)?,
                fetched: now(),
            })
        };
        note()
            .and_then(|note| self.write_note(name, &note))
            .map_err(io_error)
    }

    /// The server said that the answer is still the newest: its age counts from now.
    ///
    /// # Errors
    /// [`CacheError::Io`].
    pub fn still_good(&self, name: &str, cached: &Cached) -> Result<(), CacheError> {
        let note = Note {
            source_name: cached.source_name.clone(),
            validators: cached.validators.clone(),
            sha256: cached.sha256.clone(),
            fetched: now(),
        };
        self.write_note(name, &note)
            .map_err(|source| CacheError::Io {
                path: self.note(name),
                source,
            })
    }

    fn write_note(&self, name: &str, note: &Note) -> io::Result<()> {
        self.write(&self.note(name), &mut serde_json::to_vec(note)?.as_slice())
    }

    fn write(&self, path: &Path, content: &mut dyn io::Read) -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("new-");
        let mut new = TemporaryFile::new(&builder, &self.folder)?;
        io::copy(content, new.file.as_file_mut())?;
        new.file.as_file_mut().flush()?;
        new.persist(path)
    }

    fn data(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.data"))
    }

    fn note(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

impl Cached {
    /// When it was current, seconds since 1970.
    #[must_use]
    pub fn fetched(&self) -> i64 {
        self.fetched
    }

    /// How long ago that was. A time that lies ahead (the clock was set back) says nothing.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let seconds = u64::try_from(now() - self.fetched).ok();
        seconds.map(Duration::from_secs)
    }

    /// Is it younger than this?
    #[must_use]
    pub fn is_fresh(&self, max_age: Duration) -> bool {
        self.age().is_some_and(|age| age < max_age)
    }
}

/// The hash of a file, not of what a link leads to.
fn sha256_of(path: &Path) -> io::Result<String> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let (mut file, mut sha256) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(crate::text::hex(&sha256.finalize())),
            count => sha256.update(&buffer[..count]),
        }
    }
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn check_private(folder: &Path) -> Result<(), CacheError> {
    let metadata = fs::symlink_metadata(folder).map_err(|source| CacheError::Io {
        path: folder.into(),
        source,
    })?;
    let refuse = |reason| {
        Err(CacheError::NotPrivate {
            folder: folder.into(),
            reason,
        })
    };
    if !metadata.is_dir() {
        return refuse("it is a symbolic link or a file");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return refuse("it belongs to another user");
        }
        if metadata.mode() & 0o077 != 0 {
            return refuse("others may enter it");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn download(text: &str) -> Download {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let validators = Validators {
            etag: Some("\"1\"".into()),
            last_modified: None,
        };
        Download {
            file,
            bytes: text.len() as u64,
            source_name: "test".into(),
            validators,
        }
    }

    #[test]
    fn what_is_stored_is_found_again_with_its_age() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::open(&home.path().join("a/cache"), || ()).unwrap();
        assert_eq!(cache.find("x"), None);
        cache.store("x", &download("old")).unwrap();
        cache.store("x", &download("newer")).unwrap();
        let cached = cache.find("x").unwrap();
        assert_eq!(fs::read_to_string(&cached.path).unwrap(), "newer");
        assert_eq!(cached.validators.etag.as_deref(), Some("\"1\""));
        assert!(cached.is_fresh(Duration::from_secs(60)) && !cached.is_fresh(Duration::ZERO));
        let ahead = Cached {
            fetched: now() + 3600,
            ..cached
        };
        assert!(
            !ahead.is_fresh(Duration::from_secs(60)),
            "the clock was set back"
        );
    }

    #[test]
    fn a_damaged_entry_is_none() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::open(&home.path().join("cache"), || ()).unwrap();
        cache.store("x", &download("whole")).unwrap();
        fs::write(cache.data("x"), "whale").unwrap();
        assert_eq!(cache.find("x"), None);
        cache.store("x", &download("whole")).unwrap();
        fs::write(cache.note("x"), "{").unwrap();
        assert_eq!(cache.find("x"), None);
    }

    #[test]
    fn a_second_run_waits_for_the_first() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("cache");
        let first = Cache::open(&folder, || ()).unwrap();
        let (told, tell) = std::sync::mpsc::channel();
        let second =
            std::thread::spawn(move || Cache::open(&folder, || told.send(()).unwrap()).is_ok());
        tell.recv().unwrap();
        assert!(!second.is_finished());
        drop(first);
        assert!(second.join().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_of_another_user_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let theirs = if rustix::process::geteuid().is_root() {
            let theirs = home.path().join("theirs");
            make_private(&theirs).unwrap();
            std::os::unix::fs::chown(&theirs, Some(65534), None).unwrap();
            theirs
        } else {
            PathBuf::from("/usr")
        };
        let error = Cache::open(&theirs, || ()).unwrap_err().to_string();
        assert!(error.contains("belongs to another user"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_a_file_and_an_open_folder_are_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().unwrap();
        let (open, link, file) = (
            home.path().join("open"),
            home.path().join("link"),
            home.path().join("file"),
        );
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let private = home.path().join("private");
        drop(Cache::open(&private, || ()).unwrap());
        symlink(&private, &link).unwrap();
        fs::write(&file, "").unwrap();
        for (folder, says) in [
            (&open, "others may enter"),
            (&link, "symbolic link"),
            (&file, "file"),
        ] {
            let error = Cache::open(folder, || ()).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
