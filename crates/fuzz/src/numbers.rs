//! Numbers without order, the same in each run.

/// A generator that needs no seed from outside (xorshift). It must not start at 0.
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number, below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (bound.max(1) as u64)).unwrap_or(0)
    }
}
