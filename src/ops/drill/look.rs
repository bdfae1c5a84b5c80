//! Whether an agent may be broken: somebody has to be there who brings it back, and something that shows that it fell.

use super::Plan;
use crate::base::boot;
use crate::base::duration::in_words;
use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::health::signs::Sort;
use crate::health::state::State as Health;
use crate::mission::drill::Blow;
use crate::mission::policy::AutoRevive;
use crate::mission::run::{Identity, Wanted};
use crate::ops::daemon::Daemon;
use crate::ops::health::{self, AgentReasons, SignalSeen};
use crate::ops::revival::{Terms, rule_of};
use crate::ops::run::{self, State, is_at_home};
use crate::ops::session::Session;
use crate::ops::{config, hold, presence};
use crate::store::cell::OpenCell;
use crate::store::root::Root;
use crate::store::run as lives;
use rustix::event::poll;
use rustix::time::Timespec;
use std::time::Instant;

/// How long the daemon may take to see an agent that was just started, in seconds.
const SEES_WITHIN: u64 = 3;

/// What a drill would do. Nothing is changed. Exit 8 if no daemon runs; exit 5 where nobody would bring the agent back, or
/// nothing would show that it fell.
pub fn look(
    session: &Session,
    cell: &OpenCell,
    id: &AgentId,
    kill: Blow,
    target: u64,
) -> Result<Plan> {
    session.require_operator("break an agent on purpose")?;
    crate::ops::agent::show(cell, id)?;
    let root = Root::open(cell.root_folder()?.path())?;
    Daemon::of(&root)?;
    // What could not be started again is not ended.
    run::look(session, cell, id)?;
    if !is_at_home(session, cell)? {
        return Err(Error::refused(
            "the cell is at home on another host: nobody here would bring it back",
        )
        .hint("`mcell cell take-over` makes this host its home"));
    }
    require_revival(session, cell, &root, id)?;
    let (process, incarnation) = running(cell, id)?;
    require_no_incident(session, cell, id)?;
    let known = known(session, cell, &root, id)?;
    let (noticed_by, noticed_within) = match kill {
        Blow::Term | Blow::Kill => (String::from("the end of its process"), None),
        Blow::Stop => silence(session, id, &known, target)?,
    };
    Ok(Plan {
        cell_id: cell.id().to_string(),
        agent_id: id.to_string(),
        kill,
        target,
        pid: process.pid,
        incarnation,
        noticed_by,
        noticed_within,
        process,
    })
}

/// The environment in which the config is the one that the daemon was started with.
fn env(session: &Session, root: &Root) -> Result<Env> {
    let presence = presence::look(root)?;
    let file = presence.running().and_then(|about| about.config.as_ref());
    Ok(match file {
        Some(file) => session.env.and(config::VARIABLE, file),
        None => session.env.clone(),
    })
}

/// What counts for the daemon's revivals where a cell says nothing.
pub(super) fn terms(session: &Session, root: &Root) -> Result<Terms> {
    let config = config::read(&env(session, root)?, None)?.config;
    Ok(Terms {
        ceiling: config.auto_revive,
        max_retries: config.max_retries,
    })
}

/// Refuses where the daemon would not bring it back by itself.
fn require_revival(session: &Session, cell: &OpenCell, root: &Root, id: &AgentId) -> Result<()> {
    let nobody = |why: String| Error::refused(format!("nobody would bring {id} back: {why}"));
    let terms = terms(session, root)?;
    let of_cell = Terms {
        ceiling: true,
        ..terms
    };
    let policy = rule_of(cell, id, of_cell)?.policy;
    if policy != AutoRevive::Yes {
        let word = if policy == AutoRevive::Ask {
            "ask"
        } else {
            "no"
        };
        return Err(
            nobody(format!("the policy auto_revive of its cell is {word}"))
                .hint("`mcell policy set auto_revive=yes` lets the daemon do it by itself"),
        );
    }
    if !terms.ceiling {
        return Err(
            nobody(String::from("the daemon's own auto_revive is false"))
                .hint("set it to true in the daemon's config, then `mcell daemon reload`"),
        );
    }
    if let Some(hold) = hold::in_force(root, session.env.clock.now())? {
        return Err(nobody(hold.to_string()).hint("`mcell daemon release` ends the hold"));
    }
    if State::seen(cell, id)?.is_suppressed() {
        return Err(
            nobody(String::from("its revival was refused before")).hint(format!(
                "`mcell agent restart {id}` lets it be asked for again"
            )),
        );
    }
    Ok(())
}

/// The process of an agent that runs, and which life that is.
fn running(cell: &OpenCell, id: &AgentId) -> Result<(Identity, u64)> {
    let is_wanted = State::seen(cell, id)?.wanted() == Some(Wanted::Running);
    if !is_wanted || !lives::lives(cell.folder(), id)? {
        return Err(Error::refused(format!("{id} does not run"))
            .hint(format!("`mcell agent start {id}` starts it")));
    }
    let note = lives::read(cell.folder(), id)?.unwrap_or_default();
    let is_of_now = note.boot.as_deref() == boot::id() && note.end.is_none();
    let process = note.process().filter(|_| is_of_now);
    let process = process.ok_or_else(|| {
        Error::refused(format!("{id} runs, and which process it is is not known"))
            .hint(format!("`mcell agent restart {id}` makes it known"))
    })?;
    Ok((process, note.incarnation))
}

/// Refuses to break what is in trouble already, or is broken just now.
fn require_no_incident(session: &Session, cell: &OpenCell, id: &AgentId) -> Result<()> {
    let state = State::seen(cell, id)?;
    let now = session.moment();
    if let Some(drill) = state.drill().filter(|drill| drill.is_on(&now)) {
        return Err(Error::refused(format!("{id} has a drill already: {drill}"))
            .hint("wait until that is over"));
    }
    if let Some(open) = state.revival() {
        return Err(
            Error::refused(format!("{id} is in an incident: {open} is open"))
                .hint(format!("`mcell revival show {open}` tells how far it is")),
        );
    }
    let mut record = state.record(&now);
    record.pass(now.up);
    if record.is_open {
        return Err(Error::refused(format!(
            "{id} is in an incident: it fell, and was not healthy for ten minutes yet"
        ))
        .hint(format!(
            "wait until it was; `mcell why {id}` tells how it is"
        )));
    }
    Ok(())
}

/// What the daemon knows of an agent that is healthy. One that was just started is waited for a moment.
fn known(session: &Session, cell: &OpenCell, root: &Root, id: &AgentId) -> Result<AgentReasons> {
    let end = super::in_seconds(SEES_WITHIN);
    let asking = Session::quiet(env(session, root)?);
    loop {
        let (known, troubles) = health::why(&asking, cell, id)?;
        if known.watched && known.status == Health::Healthy {
            return Ok(known);
        }
        if Instant::now() >= end {
            let word = known.status.word();
            let why = troubles.into_iter().next().unwrap_or(known.reason);
            return Err(Error::refused(format!(
                "{id} is {word}, and only what is healthy is broken: {why}"
            ))
            .hint(format!("`mcell why {id}` tells more")));
        }
        let step = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        _ = poll(&mut [], Some(&step));
    }
}

/// By which sign it would be noticed that an agent stands still, and within how many seconds.
fn silence(
    session: &Session,
    id: &AgentId,
    known: &AgentReasons,
    target: u64,
) -> Result<(String, Option<u64>)> {
    if let Some(hold) = known.holds.first() {
        return Err(Error::refused(format!("its revival would be held: {hold}"))
            .hint("wait until that is over, or drill with `--kill KILL`"));
    }
    if let Some(until) = known.quiet_until {
        let until = until.local(session.env.clock.now());
        return Err(
            Error::refused(format!("{id} announced to be quiet until {until}"))
                .hint("wait until then, or drill with `--kill KILL`"),
        );
    }
    let number = |name: &str| {
        let found = known.settings.iter().find(|one| one.name == name)?;
        found.value.as_u64()
    };
    let by_probes = || Some(number("failure_threshold")?.saturating_mul(number("interval")?));
    let after = |signal: &SignalSeen| match signal.signal {
        Sort::Heartbeat | Sort::Notify | Sort::Output => signal.unhealthy_after,
        Sort::Probe => by_probes(),
        Sort::Process | Sort::Failure => None,
    };
    let due = known.signals.iter().filter(|signal| signal.due);
    let soonest = due
        .filter_map(|signal| Some((after(signal)?, signal.signal)))
        .min_by_key(|(after, _)| *after);
    let Some((after, signal)) = soonest else {
        return Err(Error::refused(format!(
            "nothing would show that {id} stands still: it is watched by its process alone"
        ))
        .hint("drill with `--kill KILL`")
        .hint(format!(
            "or let it beat: `mcell agent set {id} health.expect=heartbeat`"
        )));
    };
    if after >= target {
        return Err(Error::refused(format!(
            "that {id} stands still is seen by its {} after {}, which is no sooner than the target",
            signal.word(),
            in_words(after)
        ))
        .hint(format!(
            "give it more: `--target {}s`",
            after.saturating_mul(2)
        ))
        .hint(format!(
            "or let it be seen sooner: `mcell agent set {id} health.timeout={}`",
            (target / 2).max(1)
        )));
    }
    Ok((format!("its {}", signal.word()), Some(after)))
}
