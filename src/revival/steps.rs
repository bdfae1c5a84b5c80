//! The steps of a try, as its request tells them: it is due, it is begun, and it was in vain or not.

use super::{Burden, Fall, Record, Rule, Verdict};
use crate::base::boot::Moment;
use crate::mission::lease::Lease;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::RunNote;

/// Whether a request is carried out now.
pub fn is_due(revival: &Revival, now: &Moment) -> bool {
    let is_over = |wait: &Lease| wait.has_lapsed(now);
    revival.status == Status::Pending && revival.not_before.as_ref().is_none_or(is_over)
}

/// The wait until a moment of this boot's clock; none if that has come.
pub fn wait_until(at: u64, now: &Moment) -> Option<Lease> {
    let left = at.saturating_sub(now.up).div_ceil(1000);
    (left > 0).then(|| Lease::begin(left, now))
}

/// Takes up a request that nothing holds any more, or that was begun and never started: whoever began it fell in between.
/// Tells if it stands otherwise now.
pub fn take_up(open: &mut Revival, note: &RunNote, lives: bool, now: &Moment) -> bool {
    let is_half =
        open.status == Status::Running && Some(note.incarnation) < open.incarnation && !lives;
    let is_taken = open.status == Status::Held || is_half;
    if is_taken {
        open.become_status(Status::Pending, None, now.wall);
    }
    is_taken
}

/// Another life is begun for a request, from that generation of its checkpoint.
pub fn begin(open: &mut Revival, life: u64, checkpoint: Option<u64>, now: &Moment) {
    open.become_status(Status::Running, None, now.wall);
    (open.incarnation, open.checkpoint) = (Some(life), checkpoint);
    (open.started_at, open.pid) = (None, None);
}

/// Whether a request waits for what this life proves.
pub fn awaits(open: &Revival, life: u64) -> bool {
    open.status == Status::Running && open.incarnation == Some(life)
}

/// The life that was begun has proved that it lives.
pub fn verified(open: &mut Revival, record: &mut Record, now: &Moment) {
    // A drill whose first try verifies leaves nothing to be remembered.
    if !open.is_drill || record.is_open {
        record.verified(now.up);
    }
    open.become_status(Status::Revived, None, now.wall);
}

/// A try was in vain: its request waits for the next, or for an operator if the life that was begun failed under what made
/// others fail. Tells if its agent is given up for a while from now on.
pub fn in_vain(
    open: &mut Revival,
    record: &mut Record,
    why: &str,
    burden: &Burden,
    rule: Rule,
    now: &Moment,
) -> bool {
    // The one that was open when an older daemon fell may have been forgotten.
    record.is_open = true;
    let (at, is_quarantined) = match record.fell(Fall::InVain, rule.retries, rule.seed, now.up) {
        Verdict::Try(at) | Verdict::Start(at) => (at, false),
        Verdict::Quarantine(at) => (at, true),
    };
    let why = if is_quarantined {
        format!("quarantined, tried every half hour: {why}")
    } else {
        why.to_owned()
    };
    let (status, why) = match record.suspects.failed(burden) {
        Some(suspect) => (Status::PendingApproval, format!("{why}; {suspect}")),
        None => (Status::Pending, why),
    };
    open.become_status(status, Some(why), now.wall);
    open.not_before = wait_until(at, now);
    is_quarantined
}
