//! A drill: one agent is broken on purpose, and it is measured when that is noticed, when its new process runs, and when it
//! has proved that it lives. It leaves nothing as it broke it (docs/drill.md).

mod look;
mod measure;
mod mend;

pub use look::look;
pub use mend::Mended;

use crate::base::boot::Moment;
use crate::base::clock::Clock;
use crate::base::duration::in_words;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::base::process::Process;
use crate::mission::drill::{Blow, Drill};
use crate::mission::lease::Lease;
use crate::mission::run::Identity;
use crate::ops::run::State;
use crate::ops::session::Session;
use crate::runner::Handle;
use crate::store::cell::OpenCell;
use crate::store::run;
use measure::{Figures, Seen};
use rustix::process::Signal;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Seconds beyond its target for which a drill speaks for its agent, if whoever began it falls.
const BEYOND: u64 = 10;

/// What a drill would do, and by what it would be noticed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Plan {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// The agent.
    pub agent_id: String,
    /// How it is broken.
    pub kill: Blow,
    /// Seconds it may take until it has proved that it lives.
    pub target: u64,
    /// The process that is broken.
    pub pid: u32,
    /// The life that this is.
    pub incarnation: u64,
    /// By what it is noticed.
    pub noticed_by: String,
    /// Seconds until then, at most; null: at once.
    pub noticed_within: Option<u64>,
    #[serde(skip)]
    process: Identity,
}

/// What came of a drill. Times are seconds since the blow; null where it did not come to that.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Drilled {
    /// The folder's name of its cell.
    pub cell_id: String,
    /// The agent.
    pub agent_id: String,
    /// How it was broken.
    pub kill: Blow,
    /// The process that was broken.
    pub pid: u32,
    /// The life that this was.
    pub incarnation: u64,
    /// Seconds it might take until it had proved that it lives.
    pub target: u64,
    /// Whether it took no longer.
    pub met: bool,
    /// When that it fell was noticed.
    pub noticed_after: Option<f64>,
    /// When its new process ran.
    pub started_after: Option<f64>,
    /// When it had proved that it lives.
    pub verified_after: Option<f64>,
    /// The request to bring it back, for `mcell revival show`.
    pub revival: Option<String>,
    /// The process that was started.
    pub new_pid: Option<u32>,
    /// The life that this is.
    pub new_incarnation: Option<u64>,
    /// How it came to be as it was.
    pub mended: Mended,
    /// What came of it, in a sentence.
    pub outcome: String,
}

/// Carries out a drill. `is_interrupted`: whether somebody wants it to end at once. Whatever becomes of it, the agent is not
/// left standing still, and one that nobody brings back is brought back here.
pub fn drill(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    plan: &Plan,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<Drilled> {
    let (handle, mut drill, struck) = strike(session, cell, id, plan)?;
    let seen = measure::follow(cell, id, plan, &struck, is_interrupted);
    // What could not be seen is mended all the same.
    let end = seen.as_ref().map_or(Seen::Late, |(end, _)| *end);
    let request = seen.as_ref().ok().and_then(|(_, request)| request.clone());
    let outcome = match &end {
        Seen::Back => {
            let request = request.as_ref();
            let figures = request.map(|request| Figures::of(request, &struck));
            match figures.and_then(|figures| figures.verified) {
                Some(after) => format!("it was back after {after:.3} s"),
                None => String::from("it was back"),
            }
        }
        Seen::Late => format!("it was not back in {}", in_words(plan.target)),
        Seen::Refused => String::from("its revival was refused"),
        Seen::Interrupted => String::from("the drill was interrupted"),
    };
    drill.outcome = Some(outcome.clone());
    // First, so that whoever is still down is told of as down.
    let noted = note(session, cell, id, &drill, "drill ended", |drill| {
        format!("{drill} of {id} is over: {outcome}")
    });
    let mended = mend::mend(session, cell, id, plan, &handle, end);
    noted?;
    let (mended, late) = mended?;
    seen?;
    let request = late.or(request);
    let figures = request
        .as_ref()
        .map_or_else(Figures::default, |request| Figures::of(request, &struck));
    Ok(Drilled {
        cell_id: plan.cell_id.clone(),
        agent_id: plan.agent_id.clone(),
        kill: plan.kill,
        pid: plan.pid,
        incarnation: plan.incarnation,
        target: plan.target,
        met: end == Seen::Back,
        noticed_after: figures.noticed,
        started_after: figures.started,
        verified_after: figures.verified,
        new_pid: request.as_ref().and_then(|request| request.pid),
        new_incarnation: request.as_ref().and_then(|request| request.incarnation),
        revival: request.map(|request| request.id),
        mended,
        outcome,
    })
}

/// Writes down that a drill begins, and breaks the agent: the very process that was looked at, held by its handle. Gives
/// when that was.
fn strike(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    plan: &Plan,
) -> Result<(Handle, Drill, Moment)> {
    // Nobody starts or stops it in between.
    let _acting = run::act(cell.folder(), id, session.wait("drill")?)?;
    let gone = || {
        Error::refused(format!("{id} is not what it was: pid {} is over", plan.pid))
            .hint(format!("`mcell why {id}` tells how it is"))
    };
    let storage = |error| Error::storage(format_args!("break {id}"), error);
    let pid = i32::try_from(plan.pid).map_err(|_| gone())?;
    let process = Process::of(pid).map_err(storage)?;
    let process = process.filter(|process| process.started == plan.process.started);
    let handle = Handle::of(process.ok_or_else(gone)?).map_err(storage)?;
    let handle = handle.ok_or_else(gone)?;
    let now = session.moment();
    let mut drill = Drill {
        by: session.actor(),
        blow: plan.kill,
        began_at: now.wall,
        incarnation: plan.incarnation,
        target: plan.target,
        until: Lease::begin(plan.target.saturating_add(BEYOND), &now),
        outcome: None,
    };
    note(session, cell, id, &drill, "drill began", |drill| {
        let (pid, life) = (plan.pid, plan.incarnation);
        let target = in_words(plan.target);
        format!("{drill}: pid {pid} of {id}, incarnation {life}, is broken; target {target}")
    })?;
    let signal = match plan.kill {
        Blow::Term => Signal::TERM,
        Blow::Kill => Signal::KILL,
        Blow::Stop => Signal::STOP,
    };
    let struck = Moment::now(Clock::System);
    if let Err(error) = handle.signal(signal) {
        drill.outcome = Some(String::from("it could not be broken"));
        note(session, cell, id, &drill, "drill ended", |drill| {
            format!("{drill} of {id} is over: it could not be broken")
        })?;
        return Err(match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                Error::refused(format!("{id} runs as another user"))
                    .hint("ask its owner, or use sudo")
            }
            _ => storage(error),
        });
    }
    Ok((handle, drill, struck))
}

/// Writes down how a drill stands.
fn note(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    drill: &Drill,
    act: &'static str,
    words: impl Fn(&Drill) -> String,
) -> Result<()> {
    let mut writing = session.write(cell, act)?;
    let mut state = State::read(&writing, id)?;
    state.exercise(drill)?;
    state.put(&mut writing, id)?;
    writing.commit(&words(drill))
}

/// The end of a span of seconds from now.
fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}
