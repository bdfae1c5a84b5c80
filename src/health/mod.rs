//! What the signs of an agent mean: healthy, degraded, unhealthy, unknown, and why. Pure: no disk, no net, no clock.
//!
//! Time is milliseconds of the boot's clock, which nobody can set and which goes on while the machine sleeps.

pub mod incident;
pub mod mass;
pub mod pace;
pub mod probe;
pub mod reason;
pub mod roster;
pub mod settings;
pub mod signs;
pub mod state;
pub mod streak;
#[cfg(test)]
mod tests;

/// Milliseconds since the boot, sleep included.
pub type Up = u64;

/// Seconds as milliseconds.
pub(crate) const fn milliseconds(seconds: u64) -> Up {
    seconds.saturating_mul(1000)
}
