//! What happens next to an agent, and when.

use super::at;
use crate::base::boot::Clocks;
use crate::base::clock::Time;
use crate::base::text::count;
use crate::health::reason::{Idle, Reason};
use crate::health::roster::Watched;
use crate::health::state::{State, Verdict};
use crate::mission::cell::CellStatus;
use crate::mission::revival::Status;
use crate::mission::run::Meaning;

/// What happens next, and when if that is known. `cell`: what people call its cell.
pub(super) fn of(
    watched: &Watched,
    verdict: &Verdict<'_>,
    cell: &str,
    now: Clocks,
) -> (String, Option<Time>) {
    let agent = &watched.agent;
    let settings = &watched.case.settings;
    let signs = &watched.signs;
    let later = |words: String| (words, None);
    if let Some(revival) = of_revival(watched, verdict, cell) {
        return revival;
    }
    match &verdict.reason {
        Reason::NotJudged(idle) => later(of_idle(*idle, cell, agent.as_str())),
        Reason::Quiet(_) => {
            let until = signs.quiet(now.up).and_then(|until| at(until, now));
            (String::from("silence counts again"), until)
        }
        Reason::Grace(..) | Reason::AsBefore(..) => {
            let until = signs.grace(now.up).and_then(|(_, until)| at(until, now));
            (String::from("what is missing counts"), until)
        }
        Reason::NothingDue => later(format!(
            "nothing: from its first beat on beats are due, or at once by `mcell agent set {cell}/{agent} health.expect=heartbeat`"
        )),
        Reason::Unheard(..) => later(String::from("nothing: nobody listens; `mcell daemon` does")),
        Reason::NotReady(_) => later(String::from(
            "healthy when it says READY=1 over NOTIFY_SOCKET",
        )),
        Reason::ProcessOnly => later(String::from("unhealthy as soon as its process ends")),
        Reason::Died => later(String::from("healthy when its process runs again")),
        Reason::Silent(..) | Reason::Down(..) => {
            let good = signs_in_words(settings.success_threshold);
            later(format!("healthy again after {good} in a row"))
        }
        Reason::Recovering(_, good, of) => later(format!(
            "healthy after {} more",
            signs_in_words(of.saturating_sub(*good))
        )),
        Reason::Failing(_, bad, of) => later(format!(
            "unhealthy after {} in a row; a good sign makes it healthy",
            count(
                usize::try_from(of.saturating_sub(*bad)).unwrap_or(usize::MAX),
                "more failure"
            )
        )),
        Reason::SaysSo(_) => later(String::from(
            "healthy when its gateway says that it is well",
        )),
        Reason::Awaited(..) | Reason::Well(..) | Reason::Missing(..) => match verdict.next {
            Some((up, state)) => (
                format!("{}, if it gives no sign before", state.word()),
                at(up, now),
            ),
            None => later(format!(
                "its gateway is asked every {} s",
                settings.interval
            )),
        },
    }
}

/// What comes of the revival of an agent, where one is asked for or would be.
fn of_revival(
    watched: &Watched,
    verdict: &Verdict<'_>,
    cell: &str,
) -> Option<(String, Option<Time>)> {
    let agent = &watched.agent;
    if let Some(open) = &watched.revival {
        let id = &open.id;
        let then = open.not_before.as_ref().map(|wait| wait.expires_at);
        return Some(match open.status {
            Status::PendingApproval => (format!("nothing until `mcell approve {id}`"), None),
            Status::Held => (format!("its revival {id}, when the hold is over"), None),
            Status::Running => (
                format!("it has to prove that it lives; its revival is {id}"),
                None,
            ),
            _ => (format!("its revival {id}"), then),
        });
    }
    let is_ours = watched.has_run && watched.case.idle.is_none();
    if !is_ours || verdict.state != State::Unhealthy {
        return None;
    }
    let words = if watched.is_suppressed {
        format!("nothing until `mcell revive {cell}/{agent}`")
    } else {
        String::from("a revival, as the policy auto_revive of its cell says")
    };
    Some((words, None))
}

fn signs_in_words(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), "good sign")
}

fn of_idle(idle: Idle, cell: &str, agent: &str) -> String {
    match idle {
        Idle::AgentPaused => format!("nothing until `mcell agent resume {cell}/{agent}`"),
        Idle::Cell(Some(CellStatus::Paused)) => {
            format!("nothing until `mcell cell resume {cell}`")
        }
        Idle::Cell(Some(_)) => String::from("nothing: its mission is over"),
        Idle::Cell(None) => {
            format!("nothing until its cell.json can be read: `mcell validate {cell}`")
        }
        Idle::NotWanted => String::from("nothing: mcell is not to keep it running"),
        Idle::InHand => String::from("how it is, as soon as that is done"),
        Idle::Ended(Meaning::Restart) => String::from("it is started again, by the daemon"),
        Idle::Ended(_) => String::from("nothing: the daemon notes that it is not wanted any more"),
    }
}
