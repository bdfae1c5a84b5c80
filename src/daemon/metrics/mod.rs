//! What the daemon counts and measures, for `GET /metrics`.
//!
//! Whatever happens often is an atomic number that is only added to. What is so at a moment (agents by state, holds) is
//! not kept here: whoever answers `GET /metrics` looks at the world and gives it as a [`Snapshot`].
//!
//! How many series there are does not grow with the fleet: agents are counted by state for the whole root. A series per
//! cell, or per agent, would be born and die with every mission, and a collector keeps each for weeks. Only the cells in
//! which something is unhealthy have one of their own, so that an alert can name the cell, and of these at most
//! [`MOST_CELLS`]. Who it is says `mcell health`.

pub mod exposition;
#[cfg(test)]
mod tests;

use crate::base::error::Result;
use exposition::{gauges, labels, whole};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most cells that have a series of their own.
pub const MOST_CELLS: usize = 1_000;

/// Upper bounds in seconds: a gateway on loopback answers in one millisecond, and is given five seconds.
const PROBE_BUCKETS: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];
/// Upper bounds in seconds: from a root in which nothing changed to a thousand cells read anew from a cold disk.
const SWEEP_BUCKETS: [f64; 10] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

type Label = [(&'static str, &'static str); 1];

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probed {
    /// Well.
    Good,
    /// In time, with a status that is not well.
    Degraded,
    /// Not in time, or not as it should.
    Failed,
}

/// How one try to tell a story ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was taken.
    Delivered,
    /// It was not, and is tried again.
    Retried,
    /// It was not, and is not tried again.
    GivenUp,
    /// It was never tried to the end: newer stories needed its place.
    Dropped,
}

/// By what a story is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `notify_command`.
    Command,
    /// One of `webhooks`.
    Webhook,
}

/// What is so at the moment of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Milliseconds since the boot.
    pub now: u64,
    /// How many cells there are, by the word of their status; `unreadable` for those without one.
    pub cells: Vec<(&'static str, usize)>,
    /// Agents that are healthy.
    pub healthy: usize,
    /// Agents that are degraded.
    pub degraded: usize,
    /// Agents that are unhealthy.
    pub unhealthy: usize,
    /// Agents of which nothing is known, or nothing is due.
    pub unknown: usize,
    /// Cells with unhealthy agents, and how many each has.
    pub unhealthy_in: Vec<(String, usize)>,
    /// Holds that are in force.
    pub holds: usize,
    /// Stories that wait to be told.
    pub stories: usize,
}

/// The numbers of one daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    beats_accepted: Counter,
    beats_refused: Counter,
    failures: Counter,
    probes: [Histogram; 3],
    sweeps: Histogram,
    connections: Gauge,
    requests: [Counter; 5],
    stories: [[Counter; 4]; 2],
    /// When the last sweep ended, in milliseconds since the boot; at first, when the daemon began.
    swept: AtomicU64,
}

impl Metrics {
    /// All at nought. `now` is in milliseconds since the boot.
    pub fn new(now: u64) -> Self {
        let mut registry = Registry::default();
        // A gauge: collectors that know only the older form stumble over the type "info".
        gauges(
            &mut registry,
            "mcell_build_info",
            "Always 1; the version of mcell that answers",
        )
        .get_or_create(&labels(&[("version", env!("CARGO_PKG_VERSION"))]))
        .set(1);
        let beats = counters(
            &mut registry,
            "mcell_beats",
            "Heartbeats received, by whether they were accepted",
        );
        let failures = Counter::default();
        registry.register(
            "mcell_failures_reported",
            "Failures that were reported of agents",
            failures.clone(),
        );
        let probes = Family::<Label, Histogram, fn() -> Histogram>::new_with_constructor(|| {
            Histogram::new(PROBE_BUCKETS)
        });
        registry.register_with_unit(
            "mcell_probe",
            "How long gateways took to answer, by how they answered",
            Unit::Seconds,
            probes.clone(),
        );
        let sweeps = Histogram::new(SWEEP_BUCKETS);
        registry.register_with_unit(
            "mcell_sweep",
            "How long sweeps took",
            Unit::Seconds,
            sweeps.clone(),
        );
        let connections = Gauge::default();
        registry.register(
            "mcell_http_connections",
            "Connections that are open",
            connections.clone(),
        );
        let requests = counters(
            &mut registry,
            "mcell_http_requests",
            "Requests answered, by the class of their status",
        );
        let stories = Family::<[(&'static str, &'static str); 2], Counter>::default();
        registry.register(
            "mcell_story_deliveries",
            "Tries to tell a story, by the way and by how they ended",
            stories.clone(),
        );
        // Each is made now: a series that appears with its first event has no rise that a collector could see.
        let told = |way| {
            ["delivered", "retried", "given_up", "dropped"]
                .map(|outcome| stories.get_or_create_owned(&[("way", way), ("outcome", outcome)]))
        };
        Metrics {
            beats_accepted: beats.get_or_create_owned(&[("result", "accepted")]),
            beats_refused: beats.get_or_create_owned(&[("result", "refused")]),
            failures,
            probes: ["good", "degraded", "failed"]
                .map(|outcome| probes.get_or_create_owned(&[("outcome", outcome)])),
            sweeps,
            connections,
            requests: ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .map(|class| requests.get_or_create_owned(&[("class", class)])),
            stories: [told("command"), told("webhook")],
            swept: AtomicU64::new(now),
            registry,
        }
    }

    /// A beat came and was believed.
    pub fn beat_accepted(&self) {
        self.beats_accepted.inc();
    }

    /// A beat came and was not believed.
    pub fn beat_refused(&self) {
        self.beats_refused.inc();
    }

    /// Somebody reported a failure of an agent.
    pub fn failure_reported(&self) {
        self.failures.inc();
    }

    /// A gateway was probed.
    pub fn probe(&self, how: Probed, took: Duration) {
        let [good, degraded, failed] = &self.probes;
        let probes = match how {
            Probed::Good => good,
            Probed::Degraded => degraded,
            Probed::Failed => failed,
        };
        probes.observe(took.as_secs_f64());
    }

    /// A sweep was finished, at `now` in milliseconds since the boot.
    pub fn sweep(&self, took: Duration, now: u64) {
        self.sweeps.observe(took.as_secs_f64());
        self.swept.store(now, Ordering::Relaxed);
    }

    /// A connection was accepted.
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// A connection has ended.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// A request was answered with this status.
    pub fn request(&self, status: u16) {
        let class = usize::from(status / 100).wrapping_sub(1);
        if let Some(requests) = self.requests.get(class) {
            requests.inc();
        }
    }

    /// A story was told, or not.
    pub fn story(&self, way: Way, how: Told) {
        let [command, webhook] = &self.stories;
        let [delivered, retried, given_up, dropped] = match way {
            Way::Command => command,
            Way::Webhook => webhook,
        };
        let counter = match how {
            Told::Delivered => delivered,
            Told::Retried => retried,
            Told::GivenUp => given_up,
            Told::Dropped => dropped,
        };
        counter.inc();
    }

    /// Everything as text, see [`exposition::CONTENT_TYPE`].
    pub fn render(&self, snapshot: &Snapshot) -> Result<String> {
        let swept = self.swept.load(Ordering::Relaxed);
        let present = present(snapshot, snapshot.now.saturating_sub(swept));
        exposition::text(&[&self.registry, &present])
    }
}

fn counters(registry: &mut Registry, name: &str, about: &str) -> Family<Label, Counter> {
    let family = Family::<Label, Counter>::default();
    registry.register(name, about, family.clone());
    family
}

/// What is so at this moment, in a registry of its own: two answers at once do not mix.
fn present(snapshot: &Snapshot, since_sweep: u64) -> Registry {
    let mut registry = Registry::default();
    let cells = gauges(&mut registry, "mcell_cells", "Cells by status");
    for (status, number) in &snapshot.cells {
        cells
            .get_or_create(&labels(&[("status", status)]))
            .set(whole(*number));
    }
    let agents = gauges(
        &mut registry,
        "mcell_agents_by_health",
        "Agents by state of health",
    );
    for (state, number) in [
        ("healthy", snapshot.healthy),
        ("degraded", snapshot.degraded),
        ("unhealthy", snapshot.unhealthy),
        ("unknown", snapshot.unknown),
    ] {
        agents
            .get_or_create(&labels(&[("state", state)]))
            .set(whole(number));
    }
    let ill = gauges(
        &mut registry,
        "mcell_cell_agents_unhealthy",
        "Unhealthy agents by cell, of cells that have any",
    );
    for (cell, number) in snapshot.unhealthy_in.iter().take(MOST_CELLS) {
        ill.get_or_create(&labels(&[("cell", cell)]))
            .set(whole(*number));
    }
    for (name, about, number) in [
        (
            "mcell_cells_left_out",
            "Cells with unhealthy agents beyond those that mcell_cell_agents_unhealthy names",
            snapshot.unhealthy_in.len().saturating_sub(MOST_CELLS),
        ),
        (
            "mcell_holds",
            "Holds on revivals that are in force",
            snapshot.holds,
        ),
        (
            "mcell_stories_waiting",
            "Stories that wait to be told",
            snapshot.stories,
        ),
    ] {
        let gauge = Gauge::<i64>::default();
        gauge.set(whole(number));
        registry.register(name, about, gauge);
    }
    let age = Gauge::<f64, AtomicU64>::default();
    age.set(Duration::from_millis(since_sweep).as_secs_f64());
    registry.register_with_unit(
        "mcell_last_sweep_age",
        "Since the last sweep ended; before the first one, since the daemon began",
        Unit::Seconds,
        age,
    );
    registry
}
