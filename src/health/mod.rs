//! What the signs of an agent mean: healthy, degraded, unhealthy, unknown, and why. Pure: no disk, no net, no clock.

pub mod incident;
pub mod probe;
