//! When to ask again: after connect errors, 429 and 5xx, a bounded number of times, and when the server says.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;

/// How one try ended, where it did not end well.
#[derive(Debug)]
pub(super) enum Failure<E> {
    /// It would end the same way again.
    Final(E),
    /// Another try may succeed, after the wait the server asked for, if it did.
    Again(E, Option<Duration>),
}

/// How often and how long to try.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retries {
    /// Tries in all, the first included.
    pub tries: usize,
    /// No try begins later than this after the first one.
    pub within: Duration,
    /// The first wait; it doubles from one to the next, and a random part of itself is added.
    pub first_wait: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            tries: 5,
            within: Duration::from_secs(120),
            first_wait: Duration::from_secs(2),
        }
    }
}

impl Retries {
    /// Calls `attempt` until it succeeds, fails for good, or the bounds are reached. `before_wait` hears of each retry.
    ///
    /// The wait is the server's where it names one, and then without jitter added below it: asking early counts against us.
    /// A wait that leads past the bound is not begun; the error then carries it.
    pub(super) fn run<T, E>(
        self,
        mut attempt: impl FnMut() -> Result<T, Failure<E>>,
        mut before_wait: impl FnMut(&E, Duration),
    ) -> Result<T, (E, Option<Duration>)> {
        let start = Instant::now();
        let mut waits = ExponentialBuilder::default()
            .with_min_delay(self.first_wait)
            .with_jitter()
            .with_max_times(self.tries.saturating_sub(1))
            .build();
        loop {
            let (error, asked) = match attempt() {
                Ok(value) => return Ok(value),
                Err(Failure::Final(error)) => return Err((error, None)),
                Err(Failure::Again(error, asked)) => (error, asked),
            };
            let Some(planned) = waits.next() else {
                return Err((error, asked));
            };
            let wait = asked.unwrap_or(planned);
            if start.elapsed().saturating_add(wait) > self.within {
                return Err((error, asked));
            }
            before_wait(&error, wait);
            std::thread::sleep(wait);
        }
    }
}

/// The wait that a `Retry-After` header names, in seconds or as an HTTP date (RFC 9110 section 10.2.3).
/// A date in the past means no wait; anything else is ignored.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = http_date(value)?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// A date as HTTP headers have it (RFC 9110 section 5.6.7).
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    Some(jiff::fmt::rfc2822::parse(value).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Retries = Retries {
        tries: 5,
        within: Duration::from_secs(120),
        first_wait: Duration::from_millis(1),
    };

    fn fail_times(
        times: usize,
        asked: Option<Duration>,
    ) -> impl FnMut() -> Result<usize, Failure<&'static str>> {
        let mut tries = 0;
        move || {
            tries += 1;
            if tries > times {
                Ok(tries)
            } else {
                Err(Failure::Again("busy", asked))
            }
        }
    }

    #[test]
    fn four_failures_are_survived_and_the_fifth_is_reported() {
        let mut told = 0;
        assert_eq!(QUICK.run(fail_times(4, None), |_, _| told += 1), Ok(5));
        assert_eq!(told, 4);
        assert_eq!(
            QUICK.run(fail_times(5, None), |_, _| ()),
            Err(("busy", None))
        );
    }

    #[test]
    fn a_final_failure_is_not_tried_again() {
        let mut tries = 0;
        let result: Result<(), _> = QUICK.run(
            || {
                tries += 1;
                Err(Failure::Final("wrong key"))
            },
            |_, _| (),
        );
        assert_eq!((result, tries), (Err(("wrong key", None)), 1));
    }

    #[test]
    fn the_servers_wait_is_kept_and_one_past_the_bound_is_not_begun() {
        let wait = Duration::from_millis(40);
        let mut waits = Vec::new();
        let start = Instant::now();
        assert_eq!(
            QUICK.run(fail_times(2, Some(wait)), |_, wait| waits.push(wait)),
            Ok(3)
        );
        assert_eq!(waits, [wait; 2]);
        assert!(start.elapsed() >= wait * 2);

        let hour = Some(Duration::from_secs(3600));
        let start = Instant::now();
        assert_eq!(
            QUICK.run(fail_times(9, hour), |_, _| ()),
            Err(("busy", hour))
        );
        assert!(start.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn waits_grow_and_differ_from_run_to_run() {
        let waits = || {
            let mut waits = Vec::new();
            let _ = QUICK.run(fail_times(9, None), |_, wait| waits.push(wait));
            waits
        };
        let (one, two) = (waits(), waits());
        assert_eq!(one.len(), 4);
        assert!(one[3] >= Duration::from_millis(8) && one[3] <= Duration::from_millis(16));
        assert_ne!(one, two);
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let read = |text| retry_after(text, now);
        assert_eq!(read("30"), Some(Duration::from_secs(30)));
        assert_eq!(
            read("Tue, 24 Nov 2026 10:00:30 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(read("Tue, 24 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-5"), None);
    }
}
