//! Records that do not have the form of their format. One of them is left out and counted: a single odd submission must not
//! stop all updates. Many of them are a format that has changed, or damage, and then nothing in the file can be trusted.

use crate::error::{Error, Place};
use crate::reject::{Reason, Reject};

/// If more than one record in so many lacks its form, the file is refused.
const ONE_IN: u64 = 10;

/// The reject of a record that has its place alone to be found by.
pub(super) fn reject_at(reason: Reason, place: Place, problem: &str) -> Reject {
    reason.because(format!("{place}: {problem}"))
}

/// Why a record lacks its form.
#[derive(Debug)]
pub(super) struct Problem {
    reason: Reason,
    text: String,
}

impl Problem {
    /// Something else stands in its place.
    pub(super) fn not_an_object() -> Self {
        Self {
            reason: Reason::FieldsMissing,
            text: "not an object with fields".to_owned(),
        }
    }

    /// A field of it, or this one, is larger than the bound.
    pub(super) fn too_large(field: &str) -> Self {
        Self {
            reason: Reason::TooLarge,
            text: format!("{field} is larger than the bound of 64 KiB"),
        }
    }
}

/// The records of a file that lack their form.
#[derive(Debug, Default)]
pub(super) struct Form {
    rejected: u64,
    /// The first of them.
    first: Option<(Place, Reject)>,
}

impl Form {
    /// Counts the record of this number, and gives its reject back.
    pub(super) fn reject_record(&mut self, number: u64, problem: &Problem) -> Reject {
        self.reject(problem.reason, Place::Record(number), &problem.text)
    }

    /// Counts a record, and gives its reject back.
    pub(super) fn reject(&mut self, reason: Reason, place: Place, problem: &str) -> Reject {
        self.rejected += 1;
        let first = || (place, reason.because(problem.to_owned()));
        self.first.get_or_insert_with(first);
        reject_at(reason, place, problem)
    }

    /// Are few enough of so many records without their form?
    ///
    /// # Errors
    /// [`Error::Broken`], with the first of them.
    pub(super) fn check(&self, name: &str, records: u64) -> Result<(), Error> {
        self.check_share(name, records, ONE_IN)
    }

    /// The same where one in so many may lack it.
    pub(super) fn check_share(&self, name: &str, records: u64, one_in: u64) -> Result<(), Error> {
        match &self.first {
            Some((place, reject)) if self.rejected > records / one_in => Err(Error::Broken {
                name: name.to_owned(),
                place: *place,
                problem: format!(
                    "{} (so in {} of {records} records)",
                    reject.detail, self.rejected
                ),
            }),
            _ => Ok(()),
        }
    }
}
