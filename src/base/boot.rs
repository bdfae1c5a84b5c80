//! The clock that nobody can set: how long the machine has been up, sleep included, and which boot that was.
//!
//! Leases are measured by it while the boot is the same; the wall clock is for people, and for after a reboot.

use crate::base::clock::{Clock, Time};

/// Now, by both clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What a clock on the wall shows.
    pub wall: Time,
    /// Which boot this is; none where the system does not tell.
    pub boot: Option<String>,
    /// Milliseconds since the boot, sleep included.
    pub up: u64,
}

impl Moment {
    /// Now. Under a fixed clock (tests) the machine was booted in 1970.
    pub fn now(clock: Clock) -> Self {
        match clock {
            Clock::Fixed(wall) => Moment {
                wall,
                boot: Some(String::from("fixed")),
                up: u64::try_from(wall.unix()).unwrap_or(0).saturating_mul(1000),
            },
            Clock::System => Moment {
                wall: clock.now(),
                boot: id().map(str::to_owned),
                up: milliseconds(rustix::time::ClockId::Boottime),
            },
        }
    }

    /// Now by the system's clocks, but for what a clock on the wall shows: that is given.
    pub fn showing(wall: Time) -> Self {
        Moment {
            wall,
            ..Moment::now(Clock::System)
        }
    }
}

/// Three clocks read at one moment: where they disagree, the machine slept or somebody set one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// Milliseconds since the boot, sleep included.
    pub up: u64,
    /// Milliseconds since the boot that the machine was awake.
    pub awake: u64,
    /// Milliseconds since 1970, by the clock on the wall.
    pub wall: i64,
}

impl Clocks {
    /// Now. Under a fixed clock (tests) they agree.
    pub fn now(clock: Clock) -> Self {
        let wall = clock.now().unix_milliseconds();
        let Clock::System = clock else {
            let up = u64::try_from(wall).unwrap_or(0);
            return Clocks {
                up,
                awake: up,
                wall,
            };
        };
        Clocks {
            up: milliseconds(rustix::time::ClockId::Boottime),
            awake: milliseconds(rustix::time::ClockId::Monotonic),
            wall,
        }
    }
}

fn milliseconds(clock: rustix::time::ClockId) -> u64 {
    let time = rustix::time::clock_gettime(clock);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    part(time.tv_sec) * 1000 + part(time.tv_nsec) / 1_000_000
}

/// Which boot this is, in the system's words.
#[allow(
    clippy::disallowed_methods,
    reason = "a file of the system, not of a mission"
)]
pub fn id() -> Option<&'static str> {
    // It stays the same for as long as a process can live.
    static BOOT: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    BOOT.get_or_init(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned())
    })
    .as_deref()
}
