//! `mcell daemon status`: whether the root's daemon runs, and how it is.

use crate::base::clock::Time;
use crate::base::duration::age;
use crate::base::error::Result;
use crate::base::exit;
use crate::base::text::{count, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::health::roster::Counts;
use crate::ops::find::Scope;
use crate::ops::hold::{self, Hold};
use crate::ops::presence::{self, About, Presence};
use crate::ops::revival;
use crate::store::health;
use crate::store::root::Root;
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

/// Say whether the daemon of this root runs
///
/// Exits 0 if it does, 1 if not.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell daemon status
  mcell daemon status --json | jq .last_sweep")]
pub(super) struct Status {}

/// Whether a daemon runs, and how it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DaemonStatus {
    /// Whether it runs.
    pub running: bool,
    /// The root.
    pub root: String,
    /// The config it was started with; null: none.
    pub config: Option<String>,
    /// How many cells the root has.
    pub cells: usize,
    /// How many agents it knew at its last sweep.
    pub agents: usize,
    /// Of these, how many were how.
    pub health: Counts,
    /// Revivals that are open.
    pub pending_revivals: usize,
    /// Which mcell it is; null if none ever ran.
    pub version: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// Every address it listens at.
    pub listen: Vec<String>,
    /// When it was started.
    pub started_at: Option<Time>,
    /// When its last sweep ended.
    pub last_sweep: Option<Time>,
    /// Whether it was stopped in order.
    pub stopped: bool,
    /// The operator's hold on revivals that is in force.
    pub hold: Option<Hold>,
    #[serde(skip)]
    now: Option<Time>,
}

impl DaemonStatus {
    fn of(context: &Context, root: &Root) -> Result<Self> {
        let now = context.session.env.clock.now();
        let presence = presence::look(root)?;
        let (running, stopped) = (
            presence.running().is_some(),
            matches!(presence, Presence::Stopped(_)),
        );
        let about: Option<About> = match presence {
            Presence::Never => None,
            Presence::Runs(about) | Presence::Stopped(about) | Presence::Fell(about) => Some(about),
        };
        let mut health = Counts::default();
        let (record, _) = health::read(root)?;
        record
            .iter()
            .flat_map(|record| &record.agents)
            .for_each(|agent| health.add(agent.status()));
        let known = about.clone().unwrap_or_default();
        let scope = Scope::Root(Root::open(root.path())?);
        let open = revival::list(&scope, false)?.revivals;
        Ok(DaemonStatus {
            running,
            root: root.path().display().to_string(),
            config: known.config,
            cells: root.cell_ids()?.len(),
            agents: health.healthy + health.degraded + health.unhealthy + health.unknown,
            health,
            pending_revivals: open.len(),
            version: about.as_ref().map(|about| about.version.clone()),
            pid: about.as_ref().filter(|_| running).map(|about| about.pid),
            listen: known.listen,
            started_at: known.started_at,
            last_sweep: known.last_sweep,
            stopped,
            hold: hold::in_force(root, now)?,
            now: Some(now),
        })
    }
}

impl Report for DaemonStatus {
    fn words(&self, page: &mut Page) {
        let ago = |time: Option<Time>| match (time, self.now) {
            (Some(time), Some(now)) => age(u64::try_from(now.since(time)).unwrap_or(0)),
            _ => String::from("never"),
        };
        let (tone, word) = match (self.running, self.stopped, &self.version) {
            (true, ..) => (Tone::Good, "runs"),
            (_, true, _) => (Tone::Caution, "does not run: it was stopped"),
            (_, _, Some(_)) => (Tone::Bad, "does not run: it was killed, or crashed"),
            (_, _, None) => (Tone::Caution, "does not run, and never did"),
        };
        let word = page.tone(tone, word);
        page.line(format_args!("The daemon of {} {word}.", self.root));
        if let (Some(pid), Some(version)) = (self.pid, &self.version) {
            page.field(
                "process",
                format_args!(
                    "pid {pid}, mcell {}, started {}",
                    shown(version),
                    ago(self.started_at)
                ),
            );
        }
        if self.version.is_some() {
            page.field("last sweep", ago(self.last_sweep));
            if self.pending_revivals > 0 {
                page.field(
                    "revivals",
                    format_args!("{} open: `mcell revival list`", self.pending_revivals),
                );
            }
            let health = &self.health;
            page.field(
                "agents",
                format_args!(
                    "{} in {}: {} healthy, {} degraded, {} unhealthy, {} unknown",
                    self.agents,
                    count(self.cells, "cell"),
                    health.healthy,
                    health.degraded,
                    health.unhealthy,
                    health.unknown
                ),
            );
        }
        if self.running {
            page.field("listens at", shown(&self.listen.join(", ")));
            page.field(
                "config",
                self.config
                    .as_deref()
                    .map_or_else(|| "none: the defaults".into(), shown),
            );
        }
        if let (Some(hold), Some(now)) = (&self.hold, self.now) {
            let until = hold
                .until
                .map_or_else(String::new, |until| format!(", until {}", until.local(now)));
            page.field(
                "held",
                format_args!("{}{until}, by {}", shown(&hold.why), shown(&hold.by)),
            );
        }
        if !self.running {
            page.command("mcell daemon");
        }
    }

    fn datum(&self) -> Option<String> {
        self.pid.map(|pid| pid.to_string())
    }
}

impl Status {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let root = context.session.open_root()?;
        let status = DaemonStatus::of(context, &root)?;
        context.printer.show(&status)?;
        Ok(if status.running { exit::DONE } else { exit::NO })
    }
}
