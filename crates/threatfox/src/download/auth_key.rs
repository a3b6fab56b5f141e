//! The Auth-Key of abuse.ch: read once, sent in one header, shown nowhere.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::DownloadError;

/// Replaces the key in messages.
const REDACTED: &str = "<AUTH-KEY>";

/// No key is this long; a file that is longer was given by mistake.
const MAX_KEY_FILE: u64 = 4096;

/// The personal key that abuse.ch asks for since 2025-06-30, free at <https://auth.abuse.ch/>.
///
/// Neither `Debug` nor any error of this crate shows it, and it is wiped from memory when dropped.
#[derive(Clone)]
pub struct AuthKey(SecretString);

impl AuthKey {
    /// The environment variable the key is read from.
    pub const ENV: &'static str = "THREATFOX_AUTH_KEY";

    /// Takes a key as a user typed it: white space around it is cut off.
    ///
    /// # Errors
    /// [`DownloadError::KeyUnusable`] where nothing is left, or where a character could not stand in an HTTP header.
    pub fn parse(text: &str) -> Result<Self, DownloadError> {
        // Windows editors put a byte order mark before the first character of a file.
        let key = text.trim_start_matches('\u{feff}').trim();
        if key.is_empty() {
            return Err(DownloadError::KeyUnusable("it is empty".into()));
        }
        if let Some(position) = key.chars().position(|c| !c.is_ascii_graphic()) {
            let reason = format!(
                "character {} is a blank, a control character or not ASCII",
                position + 1
            );
            return Err(DownloadError::KeyUnusable(reason));
        }
        Ok(Self(key.into()))
    }

    /// Reads the key from [`AuthKey::ENV`]. Unset and empty are the same: no key, since a caller that
    /// always passes the variable on (Velociraptor's `execve(env=)` does) leaves it empty if there is no key.
    ///
    /// # Errors
    /// [`DownloadError::KeyUnusable`] as in [`AuthKey::parse`].
    pub fn from_env() -> Result<Option<Self>, DownloadError> {
        let Some(value) = std::env::var_os(Self::ENV) else {
            return Ok(None);
        };
        let text = value
            .to_str()
            .ok_or_else(|| DownloadError::KeyUnusable("it is not UTF-8".into()))?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        Self::parse(text).map(Some)
    }

    /// Reads the key from a file that holds nothing else.
    ///
    /// # Errors
    /// [`DownloadError::KeyFile`] where the file can't be read, [`DownloadError::KeyUnusable`] for its content.
    pub fn from_file(path: &Path) -> Result<Self, DownloadError> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(MAX_KEY_FILE + 1).read_to_string(&mut text))
            .map_err(|source| DownloadError::KeyFile {
                path: path.into(),
                source,
            })?;
        if text.len() as u64 > MAX_KEY_FILE {
            let reason = format!("{} is larger than {MAX_KEY_FILE} bytes", path.display());
            return Err(DownloadError::KeyUnusable(reason));
        }
        Self::parse(&text)
    }

    /// `text` with the key replaced, also where it stands percent-encoded as a part of a URL.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let key = self.0.expose_secret();
        let encoded: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        text.replace(key, REDACTED).replace(&encoded, REDACTED)
    }

    /// The value of the header `Auth-Key`, marked so that HTTP code doesn't log it.
    pub(super) fn header(&self) -> Result<HeaderValue, DownloadError> {
        let mut value = HeaderValue::from_str(self.0.expose_secret())
            .map_err(|_| DownloadError::KeyUnusable("it can't stand in a header".into()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The key itself, for the one address that wants it in its path.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef-secret";

    #[test]
    fn a_key_is_trimmed_and_never_shown() {
        let key = AuthKey::parse(&format!("\u{feff} {KEY}\r\n")).unwrap();
        assert_eq!(key.expose(), KEY);
        assert_eq!(format!("{key:?}"), "<AUTH-KEY>");
        assert!(!format!("{:?}", key.header().unwrap()).contains(KEY));
    }

    #[test]
    fn a_key_with_a_blank_or_a_newline_inside_is_refused_without_showing_it() {
        for text in ["", "  \n", "abc def", "abc\ndef", "abc\u{7}", "schlüssel"] {
            let error = AuthKey::parse(text).unwrap_err().to_string();
            assert!(error.contains("Auth-Key"), "{error}");
            assert!(!error.contains("abc"), "{error}");
        }
    }

    #[test]
    fn a_key_file_that_is_missing_or_binary_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(
            AuthKey::from_file(&path)
                .unwrap_err()
                .to_string()
                .contains("key")
        );
        std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
        assert!(AuthKey::from_file(&path).is_err());
        std::fs::write(&path, format!("{KEY}\n")).unwrap();
        assert_eq!(AuthKey::from_file(&path).unwrap().expose(), KEY);
    }

    #[test]
    fn a_key_file_over_the_bound_is_refused_and_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for (length, good) in [(4096, true), (4097, false), (100_000, false)] {
            std::fs::write(&path, "k".repeat(length)).unwrap();
            let result = AuthKey::from_file(&path);
            assert_eq!(result.is_ok(), good, "{length}");
            if let Err(error) = result {
                let error = error.to_string();
                assert!(
                    error.contains("larger than 4096 bytes") && !error.contains("kkk"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn redaction_finds_the_key_plain_and_percent_encoded() {
        let key = AuthKey::parse("a/b+c=d").unwrap();
        let text = key.redact("GET /a%2Fb%2Bc%3Dd/full and a/b+c=d");
        assert_eq!(text, "GET /<AUTH-KEY>/full and <AUTH-KEY>");
    }
}
