//! How agents are: as the daemon says, as it wrote down last, or as one look finds.

mod beside;
mod look;
mod recorded;
mod why;

pub use beside::{Beside, CellHealth};
pub use look::{Eye, Look};
pub use recorded::{Note, Recorded};
pub use why::{AgentReasons, Setting, SignalSeen, why};

use crate::base::clock::Time;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::AgentId;
use crate::health::roster::{AgentReport, Overview};
use crate::ops::daemon::Daemon;
use crate::ops::find::Scope;
use crate::ops::session::Session;
use crate::store::health;
use crate::store::root::Root;

/// How it is found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum How {
    /// The daemon is asked if it runs; else whoever asks looks.
    #[default]
    Usual,
    /// Whoever asks looks, and asks the gateways, also if the daemon runs.
    Probe,
    /// What the daemon wrote down last, and nothing else.
    Recorded,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The daemon says so.
    Daemon,
    /// A look found it. It went on from what a daemon wrote down then; none if none did.
    Look(Option<Time>),
    /// The daemon wrote it down then.
    Recorded(Time),
}

/// How the agents of a scope are.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// The same as what the daemon answers, of this scope.
    pub overview: Overview,
    /// Where it comes from.
    pub source: Source,
    /// What could not be read, a sentence each.
    pub troubles: Vec<String>,
    /// What could not be found out, so that the answer may lack something, a sentence each.
    pub untold: Vec<String>,
}

/// Finds out how the agents of a scope are; only of these, if they are named. Exit 8 if the daemon runs and does not answer.
pub fn ask(session: &Session, scope: &Scope, only: Option<&[AgentId]>, how: How) -> Result<Health> {
    let root = root_of(scope)?;
    let mut health = match how {
        How::Recorded => recorded::everything(&root, scope)?,
        How::Probe => Look::at(session, scope, only, Eye::Asks)?.into_health(),
        How::Usual => match Daemon::find(&root)? {
            Some(daemon) => of_daemon(&daemon)?,
            None => Look::at(session, scope, only, Eye::Asks)?.into_health(),
        },
    };
    let is_meant = |agent: &AgentReport| {
        only.is_none_or(|only| only.iter().any(|id| id.as_str() == agent.agent_id))
    };
    health.overview = match (scope, only) {
        (Scope::Root(_), None) => health.overview,
        (Scope::Root(_), Some(_)) => health.overview.only(is_meant, None),
        (Scope::Cell(cell), _) => health.overview.only(is_meant, Some(cell.id().as_str())),
    };
    Ok(health)
}

/// The root that a scope lies in.
pub fn root_of(scope: &Scope) -> Result<Root> {
    match scope {
        Scope::Root(root) => Root::open(root.path()),
        Scope::Cell(cell) => Root::open(cell.path().parent().unwrap_or(cell.path())),
    }
}

fn of_daemon(daemon: &Daemon) -> Result<Health> {
    let answer = daemon.get("/health").map_err(|error| match error.kind() {
        Kind::CouldNotTell => error
            .hint("`--recorded` shows what it wrote down last, `--probe` asks the gateways itself"),
        _ => error,
    })?;
    let overview = serde_json::from_value(answer).map_err(|error| {
        Error::new(
            Kind::CouldNotTell,
            format!("what the daemon answers is not understood: {error}"),
        )
        .hint("is it of another version? `mcell daemon restart` lets the one that is installed take over")
    })?;
    Ok(Health {
        overview,
        source: Source::Daemon,
        troubles: Vec::new(),
        untold: Vec::new(),
    })
}

/// What was written down; what cannot be understood is a trouble.
fn written(root: &Root) -> Result<(Option<crate::health::roster::Record>, Vec<String>)> {
    let (record, lost) = health::read(root)?;
    Ok((record, lost.into_iter().collect()))
}
