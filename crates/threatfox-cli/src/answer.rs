//! An answer, new or from the cache, and the cache it may come from.

use std::path::PathBuf;
use std::time::Duration;

use threatfox::download::{Cache, CacheError, Cached, Download};
use threatfox::source::Input;

use crate::say::say;

/// The cache of a run, if it has one.
pub struct Kept {
    pub cache: Cache,
    /// Younger answers are used without asking.
    pub max_age: Duration,
}

/// The answer to a request.
pub enum Answer {
    /// Just downloaded; the name is that in the cache.
    New(Download, String),
    /// As it was, and may still be.
    Old(Cached),
}

impl Kept {
    pub fn open(folder: Option<PathBuf>, max_age: Duration) -> Result<Option<Self>, CacheError> {
        let Some(folder) = folder else {
            return Ok(None);
        };
        let cache = Cache::open(&folder, || {
            say!("waiting for another run that uses this cache");
        })?;
        Ok(Some(Self { cache, max_age }))
    }
}

/// The cached answer, for reading.
pub fn input_of(cached: &Cached) -> Input {
    Input::labelled(&cached.path, cached.source_name.as_str())
}

impl Answer {
    pub fn input(&self) -> Input {
        match self {
            Self::New(download, _) => {
                Input::labelled(download.file.path(), download.source_name.as_str())
            }
            Self::Old(cached) => input_of(cached),
        }
    }

    /// When it was current, seconds since 1970.
    pub fn fetched(&self) -> i64 {
        match self {
            Self::New(..) => jiff::Timestamp::now().as_second(),
            Self::Old(cached) => cached.fetched(),
        }
    }

    /// Keeps a new answer for the next run. The feed is written by then, so a full cache is a warning.
    pub fn keep(&self, cache: Option<&Kept>) {
        if let (Self::New(download, name), Some(kept)) = (self, cache)
            && let Err(error) = kept.cache.store(name, download)
        {
            say!("warning: the feed is written, but {error}");
        }
    }
}
