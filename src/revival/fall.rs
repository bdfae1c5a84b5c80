//! An agent fell: what that means, and the request that is made for it.

use super::steps::{refusal, wait_until};
use super::{Burden, Fall, Record, Verdict};
use crate::base::boot::Moment;
use crate::mission::drill::Drill;
use crate::mission::policy::AutoRevive;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{Meaning, RunNote, Terms};

/// What is known of a fall.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Why the agent counts as fallen, in a sentence.
    pub reason: String,
    /// Whether it does though its process lives: it is silent, or its gateway fails.
    pub is_silent: bool,
    /// What holds revivals, if something does: of those alone that are silent.
    pub held: Option<String>,
}

/// Why an agent is started again.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// Whether the machine was started again since: what is wanted is started, as it was before.
    pub is_of_another_boot: bool,
    /// What the end of its process means.
    pub meaning: Meaning,
    /// That in a sentence.
    pub reason: String,
    /// Whether somebody broke it on purpose.
    pub is_drill: bool,
    /// What the life that fell went on from and worked on, as far as it is known.
    pub burden: Burden,
}

impl Cause {
    /// The cause of a fall, by what its runner noted. `begun`: the last life that was begun. `lives`: whether its process
    /// does.
    pub fn of(
        news: &News,
        ends: &Terms,
        note: &RunNote,
        begun: Option<u64>,
        lives: bool,
        now: &Moment,
    ) -> Self {
        Cause {
            is_of_another_boot: !lives && note.boot.is_some() && note.boot != now.boot,
            meaning: meaning(ends, note, begun, lives),
            reason: match note.end.filter(|_| !lives) {
                Some(end) => format!("{}: {end}", news.reason),
                None => news.reason.clone(),
            },
            is_drill: false,
            burden: Burden::default(),
        }
    }

    /// The same of an agent that was broken on purpose: however it ended, that was no end of its own, and it does not count
    /// against it.
    #[must_use]
    pub fn of_drill(self, drill: &Drill) -> Self {
        Cause {
            meaning: Meaning::Died,
            reason: format!("{drill}: {}", self.reason),
            is_drill: true,
            ..self
        }
    }

    /// Whether this is another matter than what its open request is for: its life ended in its own way before it had proved
    /// anything, and that is no try in vain.
    pub fn ends(&self, open: &Revival, note: &RunNote) -> bool {
        self.meaning == Meaning::Restart
            && open.status == Status::Running
            && open.incarnation == Some(note.incarnation)
    }
}

/// What it means that an agent fell, by what its runner noted. How the life before ended says nothing of one that was begun
/// since.
pub fn meaning(ends: &Terms, note: &RunNote, begun: Option<u64>, lives: bool) -> Meaning {
    let is_of_the_last = begun.is_none_or(|begun| note.incarnation >= begun);
    match note.end {
        Some(end) if is_of_the_last && !lives && !end.is_ordered => ends.meaning(&end),
        // It was begun and never started, or its runner was killed, or was told to stop it by somebody who did not say that it is not wanted.
        _ => Meaning::Died,
    }
}

/// What a cell says of revivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The policy that counts.
    pub policy: AutoRevive,
    /// How many tries may be in vain after the first.
    pub retries: u64,
    /// By which chance lengthens a wait.
    pub seed: u64,
}

/// A request that is not filed yet, and what is to be remembered with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The request.
    pub revival: Revival,
    /// What is to be remembered of the agent.
    pub record: Record,
    /// Whether nobody asks for it again by itself.
    pub is_suppressed: bool,
    /// Whether it is given up for a while from now on.
    pub is_quarantined: bool,
}

impl Draft {
    /// What becomes of a new request, `revival`, for an agent of which `record` is remembered.
    pub fn make(
        revival: Revival,
        record: Record,
        cause: &Cause,
        news: &News,
        rule: Rule,
        now: &Moment,
    ) -> Self {
        let mut draft = Draft {
            revival,
            record,
            is_suppressed: false,
            is_quarantined: false,
        };
        draft.revival.is_drill = cause.is_drill;
        if cause.is_of_another_boot {
            draft.revival.why = Some(String::from("the machine was started again"));
            draft.revival.is_free = true;
            return draft;
        }
        let how = match cause.meaning {
            Meaning::Restart => Fall::Asked,
            _ => Fall::Died,
        };
        let verdict = if cause.is_drill {
            Verdict::Try(now.up)
        } else {
            draft.record.fell(how, rule.retries, rule.seed, now.up)
        };
        let (at, asked_itself) = match verdict {
            Verdict::Start(at) => (at, true),
            Verdict::Try(at) => (at, false),
            Verdict::Quarantine(at) => {
                draft.is_quarantined = true;
                draft.revival.why = Some(String::from(
                    "quarantined: it falls again and again; it is tried every half hour",
                ));
                (at, false)
            }
        };
        draft.revival.not_before = wait_until(at, now);
        draft.revival.is_free = asked_itself;
        let suspect = if cause.meaning == Meaning::Died && news.held.is_none() {
            draft.record.suspects.failed(&cause.burden)
        } else {
            None
        };
        let stood = stands(rule.policy, cause.meaning, asked_itself, news);
        let suspect = suspect.map(|why| (Status::PendingApproval, why));
        if let Some((status, why)) = stood.or(suspect) {
            draft.is_suppressed = status == Status::Suppressed;
            draft.revival.become_status(status, Some(why), now.wall);
        }
        draft
    }
}

/// How a new request stands, if it is not simply to be carried out.
fn stands(
    policy: AutoRevive,
    meaning: Meaning,
    asked_itself: bool,
    news: &News,
) -> Option<(Status, String)> {
    if asked_itself {
        return None;
    }
    let held = || Some((Status::Held, news.held.clone()?));
    refusal(policy, meaning).or_else(held)
}
