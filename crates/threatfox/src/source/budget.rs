//! The limit of unpacked input, by its packed size: a small file cannot fill the memory.
//!
//! All that a reader keeps grows with the records it takes and with their text, so both are bounded here, for every reader.
//! Real exports unpack to 20 times their size and have 26 packed bytes per record; ones invented by counting up have 80
//! times
//! and 5 bytes. A file that is not packed is its own bound.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;

/// Whatever the input, it may unpack to so much.
pub(crate) const FREE_BYTES: u64 = 1 << 20;
/// And to so many times what is packed.
pub(crate) const RATIO: u64 = 100;
/// Whatever the input, it may have so many records.
const FREE_RECORDS: u64 = 10_000;

/// The packed bytes that were read so far.
#[derive(Debug, Default)]
pub(crate) struct Budget(AtomicU64);

impl Budget {
    /// For input that is not packed.
    pub(super) fn unbounded() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }

    /// For input that is packed in so many bytes.
    pub(super) fn of(packed: u64) -> Self {
        Self(AtomicU64::new(packed))
    }

    fn packed(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn check_bytes(&self, unpacked: u64) -> io::Result<()> {
        let packed = self.packed();
        if unpacked <= packed.saturating_mul(RATIO).saturating_add(FREE_BYTES) {
            return Ok(());
        }
        Err(too_large(format!(
            "it unpacks to more than {RATIO} times its size ({packed} bytes)"
        )))
    }

    /// May the input have so many records, rows or entries?
    ///
    /// # Errors
    /// [`Error::Unreadable`]: a packed record takes a byte at least.
    pub(crate) fn check_records(&self, name: &str, records: u64) -> Result<(), Error> {
        let packed = self.packed();
        if records <= packed.saturating_add(FREE_RECORDS) {
            return Ok(());
        }
        Err(Error::Unreadable {
            name: name.to_owned(),
            source: io::Error::other(format!(
                "{records} records are more than {packed} packed bytes can hold"
            )),
        })
    }
}

fn too_large(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, problem)
}

/// Counts the packed bytes that are read.
pub(super) struct Packed<'a, R> {
    pub inner: R,
    pub budget: &'a Budget,
}

impl<R: Read> Read for Packed<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.budget.0.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Fails where more comes out than the budget or a fixed bound lets.
pub(super) struct Bounded<'a, R> {
    inner: R,
    budget: &'a Budget,
    bound: u64,
    unpacked: u64,
}

impl<'a, R> Bounded<'a, R> {
    pub(super) fn new(inner: R, bound: u64, budget: &'a Budget) -> Self {
        Self {
            inner,
            budget,
            bound,
            unpacked: 0,
        }
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.unpacked += n as u64;
        if self.unpacked > self.bound {
            return Err(too_large(format!(
                "it unpacks to more than the bound of {} MiB",
                self.bound >> 20
            )));
        }
        self.budget.check_bytes(self.unpacked)?;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_stops_at_the_bound() {
        let mut out = Vec::new();
        let budget = Budget::unbounded();
        let error = Bounded::new(io::repeat(0).take(2 << 20), 1 << 20, &budget)
            .read_to_end(&mut out)
            .unwrap_err();
        assert!(error.to_string().contains("bound of 1 MiB"));
        assert!(out.len() <= 1 << 20);
    }

    #[test]
    fn what_comes_out_is_measured_by_what_went_in() {
        let budget = Budget::of(1000);
        let allowed = FREE_BYTES + 1000 * RATIO;
        let read = |bytes| {
            io::copy(
                &mut Bounded::new(io::repeat(0).take(bytes), u64::MAX, &budget),
                &mut io::sink(),
            )
        };
        assert_eq!(read(allowed).unwrap(), allowed);
        let error = read(allowed + 1).unwrap_err().to_string();
        assert!(error.contains("100 times its size (1000 bytes)"), "{error}");
        assert!(budget.check_records("x", FREE_RECORDS + 1000).is_ok());
        assert!(budget.check_records("x", FREE_RECORDS + 1001).is_err());
    }

    #[test]
    fn a_file_that_is_not_packed_may_hold_anything() {
        let budget = Budget::unbounded();
        assert!(budget.check_records("x", u64::MAX).is_ok());
        assert!(budget.check_bytes(u64::MAX).is_ok());
    }
}
