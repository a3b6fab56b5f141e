//! Records that are left out: why, how many, and a list of them on request.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use serde::Serialize;

use crate::text::clean;

/// Why a record is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// A number or address that cannot be read.
    BadAddress,
    /// The confidence is not a number from 0 to 100.
    BadConfidence,
    /// A date that cannot be read.
    BadDate,
    /// Not a host name.
    BadDomain,
    /// Not hexadecimal digits of the right number.
    BadHash,
    /// The record's id is not a number.
    BadId,
    /// Not a URL with a host.
    BadUrl,
    /// Deleted at the source since the earlier download: most often a false positive.
    LeftSource,
    /// On abuse.ch's list of false positives.
    FalsePositive,
    /// Fewer fields than the header names, or none at all.
    FieldsMissing,
    /// The name of a file, such as `loader.dll`, where a host should be.
    FileName,
    /// Below the confidence asked for.
    LowConfidence,
    /// A hash that is never an indicator, such as that of the empty file.
    NeverIndicator,
    /// An address or a name that cannot be reached from the internet.
    NotGlobal,
    /// Not UTF-8, or an indicator with U+FFFD in place of a character.
    NotUtf8,
    /// A name of the Tor network, which no DNS knows.
    Onion,
    /// A newer version of the record is there.
    Superseded,
    /// The policy file says so.
    Policy,
    /// A field is over the bound of 64 KiB, or a key over that of a feed.
    TooLarge,
    /// A network of more than 256 addresses.
    NetworkTooLarge,
    /// Its source says that it is not for detection.
    NotForDetection,
    /// A pattern that asks for more than one equal value.
    Pattern,
    /// Not active within the days asked for.
    TooOld,
    /// A type this program does not match.
    UnknownType,
}

impl Reason {
    /// The name in the summary and in the list of rejects.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BadAddress => "bad_address",
            Self::BadConfidence => "bad_confidence",
            Self::BadDate => "bad_date",
            Self::BadDomain => "bad_domain",
            Self::BadHash => "bad_hash",
            Self::BadId => "bad_id",
            Self::BadUrl => "bad_url",
            Self::NeverIndicator => "never_indicator",
            Self::LeftSource => "left_source",
            Self::FalsePositive => "false_positive",
            Self::FieldsMissing => "fields_missing",
            Self::FileName => "file_name",
            Self::LowConfidence => "low_confidence",
            Self::NotGlobal => "not_global",
            Self::NotUtf8 => "not_utf8",
            Self::Onion => "onion",
            Self::Superseded => "superseded",
            Self::Policy => "policy",
            Self::TooLarge => "too_large",
            Self::NetworkTooLarge => "network_too_large",
            Self::NotForDetection => "not_for_detection",
            Self::Pattern => "pattern",
            Self::TooOld => "too_old",
            Self::UnknownType => "unknown_type",
        }
    }

    /// The reject with a detail.
    #[must_use]
    pub fn because(self, detail: impl Into<Cow<'static, str>>) -> Reject {
        Reject {
            reason: self,
            detail: detail.into(),
        }
    }
}

/// A record that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The reason it is counted under.
    pub reason: Reason,
    /// The exact problem.
    pub detail: Cow<'static, str>,
}

impl From<Reason> for Reject {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            detail: Cow::Borrowed(""),
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason.name().replace('_', " "))?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.detail)
        }
    }
}

/// The list of rejects as CSV: `id,ioc,ioc_type,reason,detail`.
pub struct RejectList<W: Write>(csv::Writer<W>);

impl<W: Write> RejectList<W> {
    /// Begins the list with its header.
    pub fn new(writer: W) -> Result<Self, csv::Error> {
        let mut csv = csv::Writer::from_writer(writer);
        csv.write_record(["id", "ioc", "ioc_type", "reason", "detail"])?;
        Ok(Self(csv))
    }

    /// Adds a record.
    pub fn add(
        &mut self,
        id: &str,
        ioc: &str,
        ioc_type: &str,
        reject: &Reject,
    ) -> Result<(), csv::Error> {
        let [id, ioc, ioc_type, detail] = [id, ioc, ioc_type, &reject.detail].map(clean);
        self.0
            .write_record([&*id, &*ioc, &*ioc_type, reject.reason.name(), &*detail])
    }

    /// Ends the list and gives the writer back.
    pub fn finish(self) -> Result<W, std::io::Error> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}
