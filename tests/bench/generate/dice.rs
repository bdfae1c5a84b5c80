//! Chance that is the same everywhere: splitmix64, a dozen lines that need no crate and whose
//! numbers no new version of a crate can change.

/// One stream of numbers.
pub struct Dice(u64);

impl Dice {
    /// The stream of one cell. Two cells of one seed, and one cell of two seeds, differ.
    pub fn thrown(seed: u64, index: u64) -> Self {
        let mut dice = Self(seed);
        Self(dice.next() ^ index.wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// As `below`, for seconds.
    pub fn seconds(&mut self, end: usize) -> i64 {
        self.below(end) as i64
    }

    /// Yes, in `share` of all throws.
    pub fn chance(&mut self, share: f64) -> bool {
        ((self.next() >> 11) as f64) < share * (1_u64 << 53) as f64
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// `count` different ones, in the order in which they stand; all, if there are fewer.
    pub fn sample<T: Copy>(&mut self, of: &[T], count: usize) -> Vec<T> {
        let mut wanted = count.min(of.len());
        let mut chosen = Vec::with_capacity(wanted);
        for (at, one) in of.iter().enumerate() {
            if self.below(of.len() - at) < wanted {
                chosen.push(*one);
                wanted -= 1;
            }
        }
        chosen
    }
}
