//! Who is to be brought back, and how far that is.

use super::World;
use crate::base::boot::{Clocks, Moment};
use crate::health::reason::Idle;
use crate::health::roster::{Slot, Watched};
use crate::health::signs::{Process, Proof};
use crate::health::state::State;
use crate::health::{Up, milliseconds};
use crate::mission::census::OpenRevival;
use crate::mission::lease::Lease;
use crate::mission::revival::Status;
use crate::mission::run::Meaning;
use crate::ops::revival::News;

/// What is to be done to bring an agent back.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// It fell, and nobody asked for it yet.
    Fallen(News),
    /// Its request is due.
    Carry,
    /// The life that was begun for its request has proved that it lives.
    Revived(u64),
    /// It was in vain, for this reason.
    InVain(u64, String),
}

impl World {
    /// What is to be done now to bring agents back, and when there is more to do if nothing happens until then.
    pub(super) fn revivals(&self, now: &Moment, clocks: Clocks) -> (Vec<(Slot, Work)>, Option<Up>) {
        let mut work = Vec::new();
        let mut soonest: Option<Up> = None;
        for (slot, watched) in self.roster.all() {
            let (is_judged, over) = match watched.case.idle {
                None => (true, None),
                Some(Idle::Ended(meaning)) => (true, Some(meaning)),
                Some(_) => (false, None),
            };
            let is_ours = watched.has_run && watched.cell.is_some() && is_judged;
            let has_ended = watched.state == State::Unhealthy || over.is_some();
            if !is_ours || (!has_ended && watched.revival.is_none()) {
                continue;
            }
            let held = self.what_holds(watched);
            let (now_due, next) = match &watched.revival {
                None => (fallen(watched, held, clocks), None),
                Some(open)
                    if over == Some(Meaning::Finished)
                        || (over.is_some() && open.status == Status::Running) =>
                {
                    (fallen(watched, held, clocks), None)
                }
                Some(open) => look(watched, open, held.is_some(), now, clocks),
            };
            work.extend(now_due.map(|due| (slot, due)));
            soonest = [soonest, next].into_iter().flatten().min();
        }
        (work, soonest)
    }

    /// What holds the revival of an agent, if something does. The end of a process that mcell started is nobody's doubt:
    /// only an operator holds that up.
    fn what_holds(&self, watched: &Watched) -> Option<String> {
        if let Some(hold) = &self.operators_hold {
            return Some(hold.to_string());
        }
        if watched.case.process == Process::Dead {
            return None;
        }
        if let Some(hold) = &self.mass.hold {
            return Some(hold.to_string());
        }
        let target = watched.target.as_deref()?;
        let is_held = self.held_gateways().any(|held| held == target);
        is_held.then(|| format!("the gateway at {target} answers none of the agents that share it"))
    }
}

fn fallen(watched: &Watched, held: Option<String>, clocks: Clocks) -> Option<Work> {
    if watched.is_suppressed && watched.case.idle.is_none() {
        return None;
    }
    Some(Work::Fallen(News {
        reason: watched.verdict(clocks.up).reason.to_string(),
        is_silent: watched.case.process != Process::Dead,
        held,
    }))
}

fn look(
    watched: &Watched,
    open: &OpenRevival,
    is_held: bool,
    now: &Moment,
    clocks: Clocks,
) -> (Option<Work>, Option<Up>) {
    match (open.status, open.incarnation) {
        (Status::Held, _) if !is_held => (Some(Work::Carry), None),
        (Status::Pending, _) if is_held => (None, None),
        (Status::Pending, _) => match left(open.not_before.as_ref(), now) {
            0 => (Some(Work::Carry), None),
            left => (None, Some(clocks.up.saturating_add(left))),
        },
        (Status::Running, Some(life)) => prove(watched, life, clocks),
        _ => (None, None),
    }
}

fn left(wait: Option<&Lease>, now: &Moment) -> u64 {
    wait.map_or(0, |wait| wait.left(now))
}

/// How far the life is that was begun for a request.
fn prove(watched: &Watched, life: u64, clocks: Clocks) -> (Option<Work>, Option<Up>) {
    let is_dead = watched.case.process == Process::Dead;
    if watched.signs.incarnation < life {
        // Begun and never started: whoever began it fell in between, and what may still live is an older life. One that is
        // just being started is not taken up twice: whoever acts on it holds it.
        return (Some(Work::Carry), None);
    }
    if watched.signs.incarnation > life {
        return (None, None);
    }
    let in_vain = |why: String| (Some(Work::InVain(life, why)), None);
    if is_dead {
        return in_vain(String::from("it ended before it had proved that it lives"));
    }
    let late = watched
        .signs
        .begun()
        .saturating_add(milliseconds(watched.revive_timeout));
    match watched.signs.proof(&watched.case, clocks.up) {
        Proof::Given => (Some(Work::Revived(life)), None),
        Proof::At(at) => (None, Some(at.min(late))),
        Proof::Awaited if clocks.up >= late => in_vain(format!(
            "it had not proved that it lives after {} s",
            watched.revive_timeout
        )),
        Proof::Awaited => (None, Some(late)),
    }
}
