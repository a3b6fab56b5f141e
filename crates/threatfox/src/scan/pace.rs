//! How much of the machine a scan takes.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

/// How fast to go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Threads that work at a time.
    pub threads: NonZero<u8>,
    /// The share of one core that may be used on average: 0.5 is half a core. Without, all that the threads get.
    pub max_cpu: Option<f64>,
}

/// A part of the work, after which there may be a pause.
pub(super) struct Turn {
    pace: Pace,
    begun: Instant,
}

impl Pace {
    pub(super) fn begin(self) -> Turn {
        Turn {
            pace: self,
            begun: Instant::now(),
        }
    }

    /// How long to rest after so much work of all threads.
    fn rest(self, worked: Duration) -> Duration {
        let Some(share) = self.max_cpu else {
            return Duration::ZERO;
        };
        let used = worked.as_secs_f64() * f64::from(self.threads.get());
        Duration::try_from_secs_f64(used / share - worked.as_secs_f64()).unwrap_or_default()
    }
}

impl Turn {
    /// Ends the part, and rests.
    pub fn end(self) {
        thread::sleep(self.pace.rest(self.begun.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_rests_as_long_as_its_share_wants() {
        let rest = |threads, max_cpu| {
            let threads = NonZero::new(threads).unwrap();
            Pace { threads, max_cpu }.rest(Duration::from_millis(10))
        };
        assert_eq!(rest(1, None), Duration::ZERO);
        assert_eq!(rest(1, Some(0.5)), Duration::from_millis(10));
        assert_eq!(rest(2, Some(0.5)), Duration::from_millis(30));
        assert_eq!(rest(1, Some(2.0)), Duration::ZERO);
    }
}
