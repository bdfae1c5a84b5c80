//! A handoff: a task that goes from one agent to another with what belongs to it, and what may happen to it on its way
//! (docs/handoff.md).

use crate::base::boot::Moment;
use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use crate::mission::agent::{Agent, AgentStatus};
use crate::mission::lease::Lease;
use crate::mission::task::{Task, TaskStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Seconds an offer waits for its taker where nobody says otherwise.
pub const DEADLINE: u64 = 900;

/// The state of a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum HandoffState {
    /// Waits for its taker.
    Offered,
    /// The taker took it.
    Accepted,
    /// The taker does not want it.
    Declined,
    /// Nobody took it in time: the task stays with its giver.
    Expired,
    /// Taken back, or without an object any more.
    Withdrawn,
    /// An operator handed the task over at once.
    Done,
}

impl HandoffState {
    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            HandoffState::Offered => "offered",
            HandoffState::Accepted => "accepted",
            HandoffState::Declined => "declined",
            HandoffState::Expired => "expired",
            HandoffState::Withdrawn => "withdrawn",
            HandoffState::Done => "done",
        }
    }
}

/// Whether an operator agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Approval {
    /// Nobody asked for it.
    None,
    /// It is asked for.
    Waiting,
    /// Given.
    Approved,
}

impl Approval {
    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Approval::None => "none",
            Approval::Waiting => "waiting",
            Approval::Approved => "approved",
        }
    }
}

/// The checkpoint that goes with a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Carried {
    /// Its number among the giver's: `.mcell/checkpoints/<agent>/<n>`.
    pub generation: u64,
    /// SHA-256 of its manifest, in hex.
    pub sha256: String,
}

/// One handoff, `.mcell/handoffs/open/<id>.json` while it waits, then `.mcell/handoffs/closed/<id>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Handoff {
    /// Equals the file's stem.
    pub id: String,
    /// The task.
    pub task_id: String,
    /// The agent that gives it; none where nobody holds it.
    pub from: Option<String>,
    /// The agent that shall have it.
    pub to: String,
    /// Who asked for it: an operator's name or an agent's id.
    pub by: String,
    /// Why, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its state.
    pub state: HandoffState,
    /// Whether an operator agreed.
    pub approval: Approval,
    /// When it was asked for.
    pub offered_at: Time,
    /// How long it waits; of one that was done at once there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Lease>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Time>,
    /// Why it was declined or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The giver's token when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// The giver's newest checkpoint, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Carried>,
    /// Names of files that the task has made so far.
    #[serde(default)]
    pub artifacts: Vec<String>,
    /// The task as it stood then.
    pub task: serde_json::Value,
}

/// Why a handoff that waits is over without anybody's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moot {
    /// Its time is over.
    Late,
    /// It has no object any more; why.
    Void(String),
}

impl Moot {
    /// The state it ends in.
    pub const fn state(&self) -> HandoffState {
        match self {
            Moot::Late => HandoffState::Expired,
            Moot::Void(_) => HandoffState::Withdrawn,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Moot::Late => String::from("nobody took it in time"),
            Moot::Void(why) => why.clone(),
        }
    }
}

impl Handoff {
    /// Who gives it, in words.
    pub fn giver(&self) -> &str {
        self.from.as_deref().unwrap_or("nobody")
    }

    /// It is over, as `state` says.
    pub fn close(&mut self, state: HandoffState, because: Option<String>, now: Time) {
        self.state = state;
        self.because = because;
        self.closed_at = Some(now);
    }

    /// An operator agrees; again is no harm.
    pub fn approve(&mut self) -> Result<()> {
        self.require_open()?;
        self.approval = Approval::Approved;
        Ok(())
    }

    /// Its taker takes it. `needs_approval`: what the policy handoff_approval asks for now.
    pub fn accept(&mut self, by: &str, needs_approval: bool, now: Time) -> Result<()> {
        self.require_open()?;
        if self.to != by {
            return Err(Error::refused(format!(
                "{} is offered to {}, not to {by}",
                self.task_id,
                shown(&self.to)
            ))
            .hint(format!(
                "`mcell handoff accept {}` is for `--as {}`",
                self.id, self.to
            )));
        }
        if needs_approval && self.approval != Approval::Approved {
            return Err(Error::refused(format!(
                "the handoff {} waits for an operator: the policy handoff_approval is manual",
                self.id
            ))
            .hint(format!(
                "an operator types `mcell handoff approve {}`",
                self.id
            )));
        }
        self.close(HandoffState::Accepted, None, now);
        Ok(())
    }

    /// Its taker does not want it; its giver, or an operator (`by` none), takes it back.
    pub fn decline(&mut self, by: Option<&str>, reason: Option<&str>, now: Time) -> Result<()> {
        self.require_open()?;
        let state = match by {
            Some(by) if by == self.to => HandoffState::Declined,
            Some(by) if self.from.as_deref() != Some(by) => {
                return Err(Error::refused(format!(
                    "the handoff {} is between {} and {}, and {by} is neither",
                    self.id,
                    shown(self.giver()),
                    shown(&self.to)
                ))
                .hint("leave `--as` and MCELL_AGENT out, if you are an operator"));
            }
            _ => HandoffState::Withdrawn,
        };
        self.close(state, reason.map(str::to_owned), now);
        Ok(())
    }

    /// Refuses what is over already (exit 5).
    pub fn require_open(&self) -> Result<()> {
        if self.state == HandoffState::Offered {
            return Ok(());
        }
        Err(Error::refused(format!(
            "the handoff {} is over: it is {}",
            self.id,
            self.state.word()
        ))
        .hint(format!(
            "`mcell task show {}` tells how the task stands",
            self.task_id
        )))
    }

    /// Why it is over without anybody's word, if it is: the task is done or not its giver's any more, its taker is gone, or
    /// its time is over. The one rule of it.
    pub fn moot(
        &self,
        task: Option<&Task>,
        taker: Option<&Agent>,
        deadline: &Lease,
        now: &Moment,
    ) -> Option<Moot> {
        let void = |why: String| Some(Moot::Void(why));
        let (id, to) = (&self.task_id, shown(&self.to));
        let Some(task) = task else {
            return void(format!("{id} was removed"));
        };
        match &self.from {
            Some(from) if task.holder() != Some(from) => {
                return void(match task.status {
                    TaskStatus::Completed | TaskStatus::Failed => {
                        format!("{id} is {}", task.status.word())
                    }
                    _ => format!("{} does not hold {id} any more", shown(from)),
                });
            }
            None if task.status != TaskStatus::Pending => {
                return void(format!("{id} is {}", task.status.word().replace('_', " ")));
            }
            _ => {}
        }
        match taker.map(|agent| agent.status) {
            None => void(format!("{to} was removed")),
            Some(AgentStatus::Failed) => void(format!("{to} failed")),
            Some(_) => deadline.has_lapsed(now).then_some(Moot::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: u64) -> Moment {
        Moment {
            wall: Time::parse("2026-01-02T03:04:05Z").unwrap().plus(seconds),
            boot: Some("one".into()),
            up: seconds * 1000,
        }
    }

    fn offer(from: Option<&str>) -> Handoff {
        Handoff {
            id: "habcde".into(),
            task_id: "task_001".into(),
            from: from.map(str::to_owned),
            to: "agent_002".into(),
            by: "ada".into(),
            reason: None,
            state: HandoffState::Offered,
            approval: Approval::None,
            offered_at: at(0).wall,
            deadline: Some(Lease::begin(DEADLINE, &at(0))),
            closed_at: None,
            because: None,
            token: Some(3),
            checkpoint: None,
            artifacts: Vec::new(),
            task: json!({}),
        }
    }

    fn task(status: &str, holder: Option<&str>) -> Task {
        let claim = holder.map(|agent| json!({ "agent": agent, "token": 3 }));
        let mut task = json!({
            "task_id": "task_001", "title": "T", "status": status, "priority": "high",
            "created_at": "2026-01-02T03:04:05Z",
        });
        if let Some(claim) = claim {
            task["claim"] = claim;
        }
        serde_json::from_value(task).unwrap()
    }

    fn taker(status: &str) -> Agent {
        serde_json::from_value(
            json!({ "agent_id": "agent_002", "name": "W", "role": "write", "status": status }),
        )
        .unwrap()
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "each call makes what it gives"
    )]
    fn moot(offer: &Handoff, task: Option<Task>, agent: Option<Agent>, late: u64) -> Option<Moot> {
        let deadline = offer.deadline.clone().unwrap();
        offer.moot(task.as_ref(), agent.as_ref(), &deadline, &at(late))
    }

    #[test]
    fn only_its_taker_takes_it_and_only_once() {
        let mut offer = offer(Some("agent_001"));
        assert!(offer.accept("agent_003", false, at(1).wall).is_err());
        assert!(offer.accept("agent_001", false, at(1).wall).is_err());
        offer.accept("agent_002", false, at(1).wall).unwrap();
        assert_eq!(offer.closed_at, Some(at(1).wall));
        let refused = offer.accept("agent_002", false, at(2).wall).unwrap_err();
        assert_eq!(
            refused.message(),
            "the handoff habcde is over: it is accepted"
        );
        assert!(offer.decline(None, None, at(2).wall).is_err());
    }

    #[test]
    fn where_the_policy_is_manual_an_operator_comes_first() {
        let mut offer = offer(Some("agent_001"));
        let refused = offer.accept("agent_002", true, at(1).wall).unwrap_err();
        assert!(refused.hints()[0].contains("mcell handoff approve habcde"));
        offer.approve().unwrap();
        offer.approve().unwrap();
        offer.accept("agent_002", true, at(1).wall).unwrap();
        assert!(offer.approve().is_err());
    }

    #[test]
    fn the_taker_declines_and_the_giver_or_an_operator_takes_back() {
        let declined = |by: Option<&str>| {
            let mut offer = offer(Some("agent_001"));
            offer.decline(by, Some("no time"), at(1).wall)?;
            assert_eq!(offer.because.as_deref(), Some("no time"));
            Ok::<_, Error>(offer.state)
        };
        let state = |by| declined(by).unwrap();
        assert_eq!(state(Some("agent_002")), HandoffState::Declined);
        assert_eq!(state(Some("agent_001")), HandoffState::Withdrawn);
        assert_eq!(state(None), HandoffState::Withdrawn);
        assert!(declined(Some("agent_003")).is_err());
    }

    #[test]
    fn it_waits_until_its_deadline_and_no_longer() {
        let offer = offer(Some("agent_001"));
        let held = || Some(task("in_progress", Some("agent_001")));
        assert_eq!(moot(&offer, held(), Some(taker("idle")), 899), None);
        assert_eq!(
            moot(&offer, held(), Some(taker("idle")), 900),
            Some(Moot::Late)
        );
        assert_eq!(moot(&offer, held(), Some(taker("paused")), 1), None);
    }

    #[test]
    fn without_its_object_it_is_over() {
        let void = |from, task, agent| match moot(&offer(from), task, agent, 1) {
            Some(Moot::Void(why)) => why,
            other => panic!("{other:?}"),
        };
        let (giver, idle) = (Some("agent_001"), || Some(taker("idle")));
        let held = |by| Some(task("in_progress", Some(by)));
        assert_eq!(void(giver, None, idle()), "task_001 was removed");
        let done = Some(task("completed", None));
        assert_eq!(void(giver, done, idle()), "task_001 is completed");
        let lost = "agent_001 does not hold task_001 any more";
        assert_eq!(void(giver, Some(task("pending", None)), idle()), lost);
        assert_eq!(void(giver, held("agent_003"), idle()), lost);
        assert_eq!(
            void(None, held("agent_003"), idle()),
            "task_001 is in progress"
        );
        assert_eq!(
            void(giver, held("agent_001"), None),
            "agent_002 was removed"
        );
        assert_eq!(
            void(giver, held("agent_001"), Some(taker("failed"))),
            "agent_002 failed"
        );
    }
}
