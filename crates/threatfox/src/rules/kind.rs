//! The kinds of keys.

use serde::Serialize;

use super::Algorithm;

/// The kind of a key. If two kinds share one key, the first in this list wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it.
pub enum Kind {
    Ip,
    Domain,
    UrlHost,
    Url,
    Md5,
    Sha1,
    Sha256,
}

impl Kind {
    /// All kinds, in the order of the summary.
    pub const ALL: [Self; 7] = [
        Self::Ip,
        Self::Domain,
        Self::UrlHost,
        Self::Url,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The name in the feed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Domain => "domain",
            Self::UrlHost => "url_host",
            Self::Url => "url",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// Finds a kind by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is one of the hashes.
    #[must_use]
    pub fn is_hash(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1 | Self::Sha256)
    }

    /// The prefix of the value, so that no hash or URL reads as a number or a bool.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Ip | Self::Domain | Self::UrlHost => "",
            Self::Url => "url:",
            Self::Md5 => "md5:",
            Self::Sha1 => "sha1:",
            Self::Sha256 => "sha256:",
        }
    }

    /// The value of a key of this kind: without its prefix.
    #[must_use]
    pub fn value_of(self, key: &str) -> &str {
        match self.prefix() {
            "" => key,
            prefix => key.strip_prefix(prefix).unwrap_or(key),
        }
    }
}

impl From<Algorithm> for Kind {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5,
            Algorithm::Sha1 => Self::Sha1,
            Algorithm::Sha256 => Self::Sha256,
        }
    }
}
