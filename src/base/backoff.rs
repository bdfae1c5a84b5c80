//! How long to wait before trying again: twice as long each time up to a cap, and a little more by chance.

use std::time::Duration;

/// By how much chance lengthens a wait at most, in per cent: what failed together does not come back together.
const JITTER: u64 = 25;

/// Waits that double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// After any number of failures, before chance is added.
    pub cap: Duration,
}

impl Backoff {
    /// The wait after so many failures in a row (from 1): at least `first · 2ⁿ⁻¹` or the cap, at most a quarter more. The
    /// same seed gives the same waits.
    pub fn wait(&self, failures: u32, seed: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(63);
        let doubled = millis(self.first).saturating_mul(1 << doublings);
        let wait = doubled.min(millis(self.cap));
        let part = mixed(seed ^ u64::from(failures)) % (JITTER + 1);
        Duration::from_millis(wait.saturating_add(wait / 100 * part + wait % 100 * part / 100))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A seed made of words: different ones for different names, the same one for the same.
pub fn seed(words: &[&str]) -> u64 {
    // FNV-1a. The end of a word counts too: "a", "bc" is not "ab", "c".
    let bytes = words
        .iter()
        .flat_map(|word| word.bytes().map(u64::from).chain([0x100]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ byte).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The last step of splitmix64: numbers that lie close together come to lie far apart.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(1),
        cap: Duration::from_secs(300),
    };

    #[test]
    fn waits_double_up_to_the_cap_and_are_never_shorter() {
        let steps = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300];
        for seed in 0..1_000 {
            for (failures, step) in (1..).zip(steps) {
                let wait = BACKOFF.wait(failures, seed).as_millis();
                let least = step * 1_000;
                assert!(
                    (least..=least * 5 / 4).contains(&wait),
                    "{failures}: {wait} ms"
                );
            }
        }
    }

    #[test]
    fn no_number_of_failures_is_too_many() {
        for failures in [0, 64, 65, u32::MAX] {
            let wait = BACKOFF.wait(failures, 7);
            assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_secs(375));
        }
        let endless = Backoff {
            first: Duration::MAX,
            cap: Duration::MAX,
        };
        assert!(endless.wait(9, 7) > Duration::from_secs(1 << 40));
    }

    #[test]
    fn the_same_seed_waits_the_same_and_others_do_not() {
        let waits = |seed: u64| (1..=12).map(|failures| BACKOFF.wait(failures, seed)).sum();
        let of: fn(&[&str]) -> u64 = seed;
        let sums: Vec<Duration> = (0..100).map(waits).collect();
        assert_eq!(sums, (0..100).map(waits).collect::<Vec<_>>());
        let distinct: std::collections::BTreeSet<_> = sums.iter().collect();
        assert!(distinct.len() > 90, "{}", distinct.len());
        assert_ne!(of(&["a", "bc"]), of(&["ab", "c"]));
        assert_eq!(of(&["a", "bc"]), of(&["a", "bc"]));
    }
}
