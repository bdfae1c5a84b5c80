//! The steps of a try, as its request tells them: it is due, it is begun, and it was in vain or not.

use super::{Burden, Fall, Record, Rule, Verdict};
use crate::base::boot::Moment;
use crate::base::error::Kind;
use crate::mission::lease::Lease;
use crate::mission::policy::AutoRevive;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{Meaning, RunNote};

/// Why an agent whose end says so is not started again by itself.
const PERMANENT: &str = "it says that it cannot run as things are, and will say so again";

/// Whether a request is carried out now.
pub fn is_due(revival: &Revival, now: &Moment) -> bool {
    revival.status == Status::Pending && left(revival.not_before.as_ref(), now) == 0
}

/// Milliseconds that a request has to wait yet. A reboot ends every wait: what is wanted is started then, and the clock on
/// the wall, which would be all that is left to go by, may have been set.
pub fn left(wait: Option<&Lease>, now: &Moment) -> u64 {
    let wait = wait.filter(|wait| !wait.is_of_another_boot(now));
    wait.map_or(0, |wait| wait.left(now))
}

/// The wait until a moment of this boot's clock; none if that has come.
pub fn wait_until(at: u64, now: &Moment) -> Option<Lease> {
    let left = at.saturating_sub(now.up).div_ceil(1000);
    (left > 0).then(|| Lease::begin(left, now))
}

/// Takes up a request that nothing holds any more, or that was begun and never started: nobody else is at its agent, so that
/// whoever began it fell in between. Tells if it stands otherwise now.
pub fn take_up(open: &mut Revival, note: &RunNote, now: &Moment) -> bool {
    let is_half = open.status == Status::Running && Some(note.incarnation) < open.incarnation;
    let is_taken = open.status == Status::Held || is_half;
    if is_taken {
        open.become_status(Status::Pending, None, now.wall);
    }
    is_taken
}

/// What stops a request, if something does: the agent itself, or a policy that is not yes.
pub(super) fn refusal(policy: AutoRevive, meaning: Meaning) -> Option<(Status, String)> {
    let (status, why) = match (meaning, policy) {
        (Meaning::Permanent, _) => (Status::PendingApproval, PERMANENT),
        (_, AutoRevive::Yes) => return None,
        (_, AutoRevive::No) => (Status::Suppressed, "auto_revive is no"),
        (_, AutoRevive::Ask) => (Status::PendingApproval, "auto_revive is ask"),
    };
    Some((status, why.to_owned()))
}

/// Holds a request that is due against the policy, and against what the end of the agent's process means: either may have
/// changed while it waited. Tells if that stops it, and then whether nobody asks for the agent again by itself.
pub fn stop(
    open: &mut Revival,
    policy: AutoRevive,
    meaning: Meaning,
    now: &Moment,
) -> Option<bool> {
    let (status, why) = refusal(policy, meaning).filter(|_| !open.is_free)?;
    open.become_status(status, Some(why), now.wall);
    Some(status == Status::Suppressed)
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

/// Whether a try that came to nothing by such an error was one in vain. Whoever has the lock may give it back soon, and what
/// may have happened is looked at again: then nothing is counted.
pub fn counts(kind: Kind) -> bool {
    !matches!(kind, Kind::Busy | Kind::OutcomeUnknown)
}

/// An agent got well by itself while its request waited, which is closed: whoever approved it did so for one that had fallen.
/// Tells if it was.
pub fn recovered(open: &mut Revival, record: &mut Record, now: &Moment) -> bool {
    let is_over = open.status != Status::Running;
    if is_over {
        record.verified(now.up);
        let why = String::from("it is well again by itself");
        open.become_status(Status::Cancelled, Some(why), now.wall);
    }
    is_over
}

/// The life that was begun for a request says that it cannot run as things are: an operator is asked.
pub fn impossible(open: &mut Revival, now: &Moment) {
    open.become_status(
        Status::PendingApproval,
        Some(PERMANENT.to_owned()),
        now.wall,
    );
    open.is_free = false;
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
    // What an operator said is for this incident; what is tried every half hour, is by the policy.
    open.is_free &= open.answered_by.is_some() && !is_quarantined;
    open.not_before = wait_until(at, now);
    is_quarantined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::base::ids::{AgentId, CellId, RevivalId};
    use crate::revival::{Answer, ask};
    use AutoRevive::{Ask, No, Yes};

    const RULE: Rule = Rule {
        policy: Yes,
        retries: 3,
        seed: 7,
    };

    fn now() -> Moment {
        Moment {
            wall: Time::from_unix(1_767_323_045).unwrap(),
            boot: Some(String::from("boot")),
            up: 1_000_000,
        }
    }

    fn request() -> Revival {
        let id = RevivalId::new("rabcde").unwrap();
        let (cell, agent) = (CellId::random(), AgentId::new("agent_001").unwrap());
        Revival::new(&id, &cell, &agent, String::from("it fell"), now().wall)
    }

    /// How a request stands when it is due, under a policy, after an end of that meaning.
    fn stopped(open: &Revival, policy: AutoRevive, meaning: Meaning) -> Status {
        let mut open = open.clone();
        let is_suppressed = stop(&mut open, policy, meaning, &now());
        assert_eq!(
            is_suppressed.unwrap_or_default(),
            open.status == Status::Suppressed
        );
        open.status
    }

    #[test]
    fn a_reboot_ends_the_wait_of_a_request_though_the_clock_was_set_back_by_a_day() {
        let mut open = request();
        open.not_before = wait_until(now().up + 1_800_000, &now());
        let later = |up, boot: &str| Moment {
            wall: Time::from_unix(1_767_323_045 - 86_400).unwrap(),
            boot: Some(boot.to_owned()),
            up,
        };
        assert!(!is_due(&open, &later(now().up + 1_799_999, "boot")));
        assert!(is_due(&open, &later(now().up + 1_800_000, "boot")));
        assert!(is_due(&open, &later(5, "the next")));
    }

    #[test]
    fn a_request_that_waited_is_held_against_the_policy_as_it_is_then() {
        let open = request();
        assert_eq!(stopped(&open, Yes, Meaning::Died), Status::Pending);
        assert_eq!(stopped(&open, Ask, Meaning::Died), Status::PendingApproval);
        assert_eq!(stopped(&open, No, Meaning::Died), Status::Suppressed);
        let never = Meaning::Permanent;
        assert_eq!(stopped(&open, Yes, never), Status::PendingApproval);
    }

    #[test]
    fn what_an_operator_said_is_done_until_the_agent_is_quarantined_and_then_the_policy_counts() {
        let mut approved = request();
        approved.become_status(Status::PendingApproval, None, now().wall);
        let mut record = Record::default();
        Answer::Approve.give(&mut approved, &mut record, String::from("op"), &now());
        let mut own = request();
        ask(&mut own, String::from("op"), &now());
        for mut open in [approved, own] {
            let mut record = Record::default();
            for _ in 0..3 {
                assert_eq!(stopped(&open, No, Meaning::Died), Status::Pending);
                assert!(!in_vain(
                    &mut open,
                    &mut record,
                    "it ended",
                    &Burden::default(),
                    RULE,
                    &now()
                ));
            }
            assert!(in_vain(
                &mut open,
                &mut record,
                "it ended",
                &Burden::default(),
                RULE,
                &now()
            ));
            assert_eq!(stopped(&open, No, Meaning::Died), Status::Suppressed);
            assert_eq!(stopped(&open, Yes, Meaning::Died), Status::Pending);
        }
    }

    #[test]
    fn an_agent_that_asked_to_be_started_again_and_could_not_be_has_fallen() {
        let mut open = request();
        open.is_free = true;
        assert_eq!(stopped(&open, No, Meaning::Restart), Status::Pending);
        in_vain(
            &mut open,
            &mut Record::default(),
            "no program",
            &Burden::default(),
            RULE,
            &now(),
        );
        assert_eq!(stopped(&open, No, Meaning::Restart), Status::Suppressed);
    }

    #[test]
    fn a_life_that_says_never_again_is_no_try_in_vain_and_waits_for_an_operator() {
        let mut open = request();
        ask(&mut open, String::from("op"), &now());
        begin(&mut open, 2, None, &now());
        impossible(&mut open, &now());
        assert_eq!(open.status, Status::PendingApproval);
        assert!(!open.is_free && Answer::Approve.may_be_given(open.status));
    }

    #[test]
    fn the_request_of_an_agent_that_got_well_by_itself_is_over_and_its_incident_in_ten_minutes() {
        let mut record = Record::default();
        record.fell(Fall::Died, 3, 7, now().up);
        let mut open = request();
        assert!(recovered(&mut open, &mut record, &now()));
        assert_eq!(open.status, Status::Cancelled);
        assert!(!record.pass(now().up + 599_999) && record.pass(now().up + 600_000));
        let mut begun = request();
        begin(&mut begun, 2, None, &now());
        assert!(
            !recovered(&mut begun, &mut record, &now()),
            "it has to prove it"
        );
    }
}
