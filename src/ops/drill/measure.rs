//! How far an agent is that was broken: by the story of the request that the daemon makes.

use super::{Plan, in_seconds};
use crate::base::boot::Moment;
use crate::base::error::Result;
use crate::base::ids::{AgentId, RevivalId};
use crate::mission::revival::{Revival, Status};
use crate::mission::timeline::{Did, Step};
use crate::ops::run::State;
use crate::store::cell::OpenCell;
use crate::store::{layout, revival};
use rustix::event::poll;
use rustix::time::Timespec;
use std::time::Instant;

/// How the waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The agent has proved that it lives, in time.
    Back,
    /// It has not.
    Late,
    /// Somebody said no to its revival.
    Refused,
    /// Whoever waited wants to go.
    Interrupted,
}

/// Seconds from the blow to what followed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// That it fell was noticed.
    pub(super) noticed: Option<f64>,
    /// Its new process ran.
    pub(super) started: Option<f64>,
    /// It had proved that it lives.
    pub(super) verified: Option<f64>,
}

impl Figures {
    /// By the story of a request. A step of another boot gives none.
    pub(super) fn of(request: &Revival, struck: &Moment) -> Self {
        let blow = Step::new(Did::Fell, struck);
        #[allow(
            clippy::cast_precision_loss,
            reason = "milliseconds of a drill are far below 2^53"
        )]
        let after = |did| {
            let milliseconds = request.step(did)?.since(&blow)?;
            Some(milliseconds as f64 / 1000.0)
        };
        Figures {
            noticed: after(Did::Asked),
            started: after(Did::Started),
            verified: after(Did::Revived),
        }
    }
}

/// Follows what becomes of an agent that was broken, until it is back or its time is over.
pub(super) fn follow(
    cell: &OpenCell,
    id: &AgentId,
    plan: &Plan,
    struck: &Moment,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<(Seen, Option<Revival>)> {
    let end = in_seconds(plan.target);
    let mut name = None;
    loop {
        let is_over = Instant::now() >= end;
        if name.is_none() {
            name = request_of(cell, id, plan, is_over)?;
        }
        let request = match &name {
            Some(name) => revival::read(cell, name)?,
            None => None,
        };
        let status = request.as_ref().map(|request| request.status);
        if let (Some(Status::Revived), Some(request)) = (status, &request) {
            #[allow(
                clippy::cast_precision_loss,
                reason = "seconds of a drill are far below 2^53"
            )]
            let is_late = Figures::of(request, struck)
                .verified
                .is_some_and(|after| after > plan.target as f64);
            let seen = if is_late { Seen::Late } else { Seen::Back };
            return Ok((seen, Some(request.clone())));
        }
        if status.is_some_and(|status| !status.is_open()) {
            return Ok((Seen::Refused, request));
        }
        if is_interrupted() {
            return Ok((Seen::Interrupted, request));
        }
        if is_over {
            return Ok((Seen::Late, request));
        }
        let step = Timespec {
            tv_sec: 0,
            tv_nsec: 20_000_000,
        };
        // A signal may end it before.
        _ = poll(&mut [], Some(&step));
    }
}

/// The request that was made for the life that was broken. `all`: also among those that are over.
fn request_of(cell: &OpenCell, id: &AgentId, plan: &Plan, all: bool) -> Result<Option<RevivalId>> {
    let mut names: Vec<RevivalId> = State::seen(cell, id)?.revival().into_iter().collect();
    if all {
        names.extend(revival::ids(cell, layout::REVIVALS)?);
    }
    for name in names {
        let request = revival::read(cell, &name)?;
        let is_it = |request: &Revival| {
            let fell = request.step(Did::Fell);
            request.agent_id == id.as_str()
                && fell.is_some_and(|fell| fell.incarnation == Some(plan.incarnation))
        };
        if request.as_ref().is_some_and(is_it) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
