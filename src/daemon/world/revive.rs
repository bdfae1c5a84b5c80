//! Who is to be brought back, and how far that is.

use super::World;
use crate::base::boot::{Clocks, Moment};
use crate::health::reason::Idle;
use crate::health::roster::{Slot, Watched};
use crate::health::signs::{Process, Proof};
use crate::health::state::State;
use crate::health::{Up, milliseconds};
use crate::mission::census::OpenRevival;
use crate::mission::revival::Status;
use crate::mission::run::Meaning;
use crate::revival::{self, News};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many agents behind one gateway have yet to prove that they live, at most.
const AT_A_GATEWAY: usize = 2;

/// What is to be done to bring an agent back.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// It fell, and nobody asked for it yet.
    Fallen(News),
    /// Its request is due.
    Carry,
    /// It got well by itself while its request waited.
    Recovered,
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
        let mut unproved = self.unproved();
        for (slot, watched) in self.roster.all() {
            let (is_judged, over) = match watched.case.idle {
                None => (true, None),
                Some(Idle::Ended(meaning)) => (true, Some(meaning)),
                Some(_) => (false, None),
            };
            let is_ours = watched.has_run && watched.cell.is_some() && is_judged;
            let is_dead = watched.case.process == Process::Dead;
            let forgiven = watched.signs.forgiven(clocks.up).filter(|_| !is_dead);
            let is_down = watched.state == State::Unhealthy;
            if is_ours && is_down {
                soonest = [soonest, forgiven].into_iter().flatten().min();
            }
            let has_ended = (is_down && forgiven.is_none()) || over.is_some();
            if !is_ours || (!has_ended && watched.revival.is_none()) {
                continue;
            }
            let is_begun = watched.revival.as_ref().is_some_and(is_begun);
            let held = self.what_holds(watched);
            // Who has begun is one of the crowd, and waits for nobody in it.
            let held = match held {
                None if !is_begun => crowds(watched, &unproved),
                held => held,
            };
            let (now_due, next) = match &watched.revival {
                None => (fallen(watched, held, clocks), None),
                Some(open)
                    if over == Some(Meaning::Finished)
                        || (over.is_some() && is_for_this_life(watched, open)) =>
                {
                    (fallen(watched, held, clocks), None)
                }
                Some(open) => look(watched, open, has_ended, held.is_some(), now, clocks),
            };
            if let (Some(Work::Fallen(_) | Work::Carry), Some(target)) = (&now_due, &watched.target)
            {
                *unproved.entry(Arc::clone(target)).or_default() += 1;
            }
            work.extend(now_due.map(|due| (slot, due)));
            soonest = [soonest, next].into_iter().flatten().min();
        }
        (work, soonest)
    }

    /// How many agents behind each gateway were started, and have yet to prove that they live.
    fn unproved(&self) -> BTreeMap<Arc<str>, usize> {
        let mut unproved = BTreeMap::new();
        for (_, watched) in self.roster.all() {
            let is_begun = watched.revival.as_ref().is_some_and(is_begun);
            // Who is paused proves nothing, and keeps nobody waiting.
            let is_judged = watched.case.idle.is_none();
            if let (true, Some(target)) = (is_begun && is_judged, &watched.target) {
                *unproved.entry(Arc::clone(target)).or_default() += 1;
            }
        }
        unproved
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

/// Whether a life was begun for a request, that has yet to prove that it lives.
fn is_begun(open: &OpenRevival) -> bool {
    open.status == Status::Running
}

/// Whether as many agents as may be come up behind an agent's gateway just now: all that are started at once may be too much
/// for it, and none would ever be well.
fn crowds(watched: &Watched, unproved: &BTreeMap<Arc<str>, usize>) -> Option<String> {
    let target = watched.target.as_ref()?;
    let is_full = unproved
        .get(target)
        .is_some_and(|number| *number >= AT_A_GATEWAY);
    is_full.then(|| {
        format!(
            "{AT_A_GATEWAY} agents behind the gateway at {target} have yet to prove that they live"
        )
    })
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

/// Whether a request waits for what the present life proves, and not for one that was begun and never started.
fn is_for_this_life(watched: &Watched, open: &OpenRevival) -> bool {
    open.status == Status::Running && open.incarnation == Some(watched.signs.incarnation)
}

fn look(
    watched: &Watched,
    open: &OpenRevival,
    has_ended: bool,
    is_held: bool,
    now: &Moment,
    clocks: Clocks,
) -> (Option<Work>, Option<Up>) {
    match (open.status, open.incarnation) {
        (Status::Running, Some(life)) => prove(watched, life, is_held, clocks),
        (Status::Running, None) => (None, None),
        // It waited for so long that it got well, or it may yet: one that is degraded is not touched.
        _ if !has_ended && watched.state == State::Healthy => (Some(Work::Recovered), None),
        _ if !has_ended && !open.is_free => (None, None),
        (Status::Held, _) if !is_held => (Some(Work::Carry), None),
        (Status::Pending, _) if is_held => (None, None),
        (Status::Pending, _) => match revival::left(open.not_before.as_ref(), now) {
            0 => (Some(Work::Carry), None),
            left => (None, Some(clocks.up.saturating_add(left))),
        },
        _ => (None, None),
    }
}

/// How far the life is that was begun for a request.
fn prove(
    watched: &Watched,
    life: u64,
    is_held: bool,
    clocks: Clocks,
) -> (Option<Work>, Option<Up>) {
    let is_dead = watched.case.process == Process::Dead;
    if watched.signs.incarnation < life {
        // Begun and never started. Whoever is at it just now is waited for; if nobody is, whoever began it fell in between,
        // and the older life may live on: it is fenced, and nobody hears it any more.
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
        // What holds revivals may be what its signs wait for: then they are no try in vain.
        Proof::Awaited if clocks.up >= late && is_held => (None, None),
        Proof::Awaited if clocks.up >= late => {
            let is_coming_up = watched.case.says_when_ready && !watched.signs.is_ready();
            let what = if is_coming_up {
                "said that it is ready (READY=1)"
            } else {
                "proved that it lives"
            };
            in_vain(format!(
                "it had not {what} after {} s",
                watched.revive_timeout
            ))
        }
        Proof::Awaited => (None, Some(late)),
    }
}
