//! A lease: how long a claim holds unless its holder renews it (docs/task.md).
//!
//! It is measured by the clock of the boot, which no one can set; after a reboot by the wall clock. While its cell or its
//! holder is paused it stands still.

use crate::base::boot::Moment;
use crate::base::clock::Time;
use serde::{Deserialize, Serialize};

/// How long a claim holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Seconds it holds from each act of its holder; 0 where only its end is known any more.
    pub seconds: u64,
    /// The boot that `until` belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// Milliseconds of that boot at which it lapses.
    pub until: u64,
    /// When it lapses by the wall clock.
    pub expires_at: Time,
    /// Milliseconds it has left, while it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
}

impl Lease {
    /// A lease that begins now.
    pub fn begin(seconds: u64, now: &Moment) -> Self {
        let mut lease = Lease {
            seconds,
            boot: None,
            until: 0,
            expires_at: now.wall,
            left: None,
        };
        lease.run(seconds.saturating_mul(1000), now);
        lease
    }

    fn run(&mut self, milliseconds: u64, now: &Moment) {
        self.boot.clone_from(&now.boot);
        self.until = now.up.saturating_add(milliseconds);
        // Whole seconds are all that is shown; it never seems to lapse before it does.
        self.expires_at = now.wall.plus(milliseconds.div_ceil(1000));
    }

    /// Begins anew, as long as it was: its holder gave a sign. One that stands still goes on standing.
    pub fn renew(&mut self, now: &Moment) {
        if self.seconds == 0 {
            // How long it was is lost: a sign must not end it.
            return;
        }
        let whole = self.seconds.saturating_mul(1000);
        self.run(whole, now);
        self.left = self.left.map(|_| whole);
    }

    /// Milliseconds it has left.
    pub fn left(&self, now: &Moment) -> u64 {
        if let Some(left) = self.left {
            return left;
        }
        if self.boot.is_some() && self.boot == now.boot {
            return self.until.saturating_sub(now.up);
        }
        u64::try_from(self.expires_at.since(now.wall))
            .unwrap_or(0)
            .saturating_mul(1000)
    }

    /// Tells whether the machine was started again since it began, as far as that is known.
    pub fn is_of_another_boot(&self, now: &Moment) -> bool {
        self.boot.is_some() && now.boot.is_some() && self.boot != now.boot
    }

    /// Tells whether it has lapsed.
    pub fn has_lapsed(&self, now: &Moment) -> bool {
        self.left(now) == 0 && self.left.is_none()
    }

    /// Lets it stand still.
    pub fn freeze(&mut self, now: &Moment) {
        self.left = Some(self.left(now));
    }

    /// Lets it go on with what it had left.
    pub fn thaw(&mut self, now: &Moment) {
        if let Some(left) = self.left.take() {
            // What had nothing left when it was frozen gets its holder a moment to renew it.
            self.run(left.max(1000), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall: i64, boot: &str, up: u64) -> Moment {
        Moment {
            wall: Time::from_unix(1_767_323_045 + wall).unwrap(),
            boot: Some(boot.into()),
            up,
        }
    }

    #[test]
    fn the_clock_of_the_boot_decides_and_not_the_one_on_the_wall() {
        let lease = Lease::begin(10, &at(0, "one", 5000));
        // Somebody set the wall clock an hour ahead.
        assert!(!lease.has_lapsed(&at(3600, "one", 14_999)));
        assert!(lease.has_lapsed(&at(-3600, "one", 15_000)));
    }

    #[test]
    fn after_a_reboot_the_wall_clock_decides() {
        let lease = Lease::begin(10, &at(0, "one", 5000));
        assert!(!lease.has_lapsed(&at(9, "two", 1_000_000)));
        assert!(lease.has_lapsed(&at(10, "two", 0)));
    }

    #[test]
    fn a_lease_that_stands_still_goes_on_with_what_it_had_left() {
        let mut lease = Lease::begin(10, &at(0, "one", 0));
        lease.freeze(&at(4, "one", 4000));
        assert!(!lease.has_lapsed(&at(9000, "one", 9_000_000)));
        lease.thaw(&at(9000, "one", 9_000_000));
        assert!(!lease.has_lapsed(&at(9005, "one", 9_005_999)));
        assert!(lease.has_lapsed(&at(9006, "one", 9_006_000)));
    }

    #[test]
    fn a_lease_of_which_only_the_end_is_known_is_not_cut_short_by_a_sign() {
        let mut lease = Lease {
            seconds: 0,
            boot: None,
            until: 0,
            expires_at: at(60, "one", 0).wall,
            left: None,
        };
        lease.renew(&at(10, "one", 10_000));
        assert!(!lease.has_lapsed(&at(59, "one", 59_000)));
        assert!(lease.has_lapsed(&at(60, "one", 60_000)));
    }

    #[test]
    fn each_act_of_the_holder_begins_it_anew() {
        let mut lease = Lease::begin(10, &at(0, "one", 0));
        lease.renew(&at(9, "one", 9000));
        assert!(!lease.has_lapsed(&at(18, "one", 18_999)));
        assert_eq!(lease.expires_at, at(19, "one", 0).wall);
    }
}
