//! The story of a request to bring an agent back: each step with its moment, to the millisecond, by the clock that nobody
//! can set (docs/revival.md).

use crate::base::boot::Moment;
use crate::base::clock::Time;
use crate::mission::revival::{Revival, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most steps that are kept of one request; beyond that the beginning and the newest stay.
const MOST: usize = 64;
/// How many of the beginning.
const FIRST: usize = 8;

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// The agent fell.
    Fell,
    /// That was noticed, or an operator said so, and it was asked for.
    Asked,
    /// It waits for its time.
    Pending,
    /// It waits for an operator.
    PendingApproval,
    /// It waits for what holds all revivals to end.
    Held,
    /// Another life was begun, and the older one is fenced.
    Begun,
    /// Nothing of the older life is left.
    Stopped,
    /// The new life's process runs.
    Started,
    /// A try came to nothing.
    InVain,
    /// The agent has proved that it lives.
    Revived,
    /// It is given up.
    Failed,
    /// An operator said no.
    Denied,
    /// It was taken back.
    Cancelled,
    /// The policy says no.
    Suppressed,
    /// A step that a newer mcell knows.
    #[serde(other)]
    #[schemars(skip)]
    Other,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What.
    pub step: Did,
    /// When, by the clock on the wall.
    pub at: Time,
    /// Milliseconds since the boot, sleep included.
    pub up: u64,
    /// Which boot that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// Why, or what it came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The life of the agent that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u64>,
    /// The process of that life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The checkpoint that it goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// Younger checkpoints that were passed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<Passed>,
}

/// A checkpoint that is not what was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Passed {
    /// Its number.
    pub checkpoint: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Step {
    /// A step at a moment.
    pub fn new(step: Did, now: &Moment) -> Self {
        Step {
            step,
            at: now.wall,
            up: now.up,
            boot: now.boot.clone(),
            what: None,
            incarnation: None,
            pid: None,
            checkpoint: None,
            passed_over: Vec::new(),
        }
    }

    /// Milliseconds from an earlier step to this one; none if another boot lies between them.
    pub fn since(&self, earlier: &Step) -> Option<u64> {
        let is_one_boot = self.boot.is_some() && self.boot == earlier.boot;
        is_one_boot.then(|| self.up.saturating_sub(earlier.up))
    }
}

impl Revival {
    /// Adds a step.
    pub fn add(&mut self, step: Step) {
        self.steps.push(step);
        if self.steps.len() > MOST {
            self.steps.remove(FIRST);
        }
    }

    /// The newest step of a kind.
    pub fn step(&self, did: Did) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.step == did)
    }

    /// Takes note of how it stands now, if that is another step.
    pub fn note(&mut self, now: &Moment) {
        let last = self.steps.last();
        let was = last.map(|step| step.step);
        let begun = last
            .filter(|step| matches!(step.step, Did::Begun | Did::Stopped | Did::Started))
            .is_some_and(|step| step.incarnation == self.incarnation);
        let is_in_vain = last.is_some_and(|step| step.step == Did::InVain && step.what == self.why);
        let did = match self.status {
            Status::Pending if begun || is_in_vain => Did::InVain,
            Status::Pending => Did::Pending,
            Status::PendingApproval => Did::PendingApproval,
            Status::Held => Did::Held,
            Status::Running if self.started_at.is_some() => Did::Started,
            Status::Running => Did::Begun,
            Status::Revived => Did::Revived,
            Status::Failed => Did::Failed,
            Status::Denied => Did::Denied,
            Status::Cancelled => Did::Cancelled,
            Status::Suppressed => Did::Suppressed,
        };
        let is_said = |why: &Option<String>| {
            // Whoever asked said so; or it is carried out at once, and that says more.
            let asked = last.filter(|last| last.step == Did::Asked);
            asked.is_some_and(|asked| asked.what == *why) || why.is_none()
        };
        let what = match (did, &self.why) {
            (Did::Pending, None) if was == Some(Did::Held) => Some("the hold is over".to_owned()),
            (Did::Pending, why) if self.not_before.is_none() && is_said(why) => return,
            (Did::InVain, None) => Some("whoever began it fell in between".to_owned()),
            (_, why) => why.clone(),
        };
        let mut step = Step {
            what,
            ..Step::new(did, now)
        };
        if matches!(did, Did::Begun | Did::Started | Did::Revived | Did::InVain) {
            step.incarnation = self.incarnation;
        }
        let is_same = |last: &Step| {
            (last.step, &last.what, last.incarnation) == (did, &step.what, step.incarnation)
        };
        if last.is_some_and(is_same) {
            return;
        }
        match did {
            Did::Begun => {
                step.checkpoint = self.checkpoint;
                step.passed_over.clone_from(&self.passed_over);
            }
            Did::Started => step.pid = self.pid,
            _ => {}
        }
        self.add(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{AgentId, CellId, RevivalId};

    fn at(up: u64) -> Moment {
        Moment {
            wall: Time::from_unix(1_767_323_045).unwrap(),
            boot: Some(String::from("one")),
            up,
        }
    }

    fn revival() -> Revival {
        let cell = CellId::new("3d7a1c52-0f5e-4c53-9b1b-6d6f4a3b2c1d").unwrap();
        let agent = AgentId::new("agent_001").unwrap();
        let id = RevivalId::new("rabcde").unwrap();
        let mut revival = Revival::new(&id, &cell, &agent, String::from("it died"), at(0).wall);
        revival.add(Step::new(Did::Fell, &at(0)));
        revival.add(Step::new(Did::Asked, &at(4)));
        revival
    }

    fn stands(revival: &mut Revival, status: Status, why: Option<&str>, up: u64) {
        revival.become_status(status, why.map(str::to_owned), at(up).wall);
        revival.note(&at(up));
    }

    fn told(revival: &Revival) -> Vec<(Did, u64)> {
        let steps = revival.steps.iter();
        steps.map(|step| (step.step, step.up)).collect()
    }

    #[test]
    fn a_story_has_each_step_once_and_in_its_order() {
        let mut revival = revival();
        for life in [5, 7] {
            revival.incarnation = Some(life);
            revival.started_at = None;
            stands(&mut revival, Status::Running, None, 10 * life);
            revival.note(&at(10 * life + 1));
            revival.started_at = Some(at(0).wall);
            revival.note(&at(10 * life + 2));
            if life == 5 {
                stands(&mut revival, Status::Pending, Some("it ended"), 60);
                revival.note(&at(61));
            }
        }
        stands(&mut revival, Status::Revived, None, 90);
        assert_eq!(
            told(&revival),
            [
                (Did::Fell, 0),
                (Did::Asked, 4),
                (Did::Begun, 50),
                (Did::Started, 52),
                (Did::InVain, 60),
                (Did::Begun, 70),
                (Did::Started, 72),
                (Did::Revived, 90),
            ]
        );
        assert_eq!(revival.steps.last().unwrap().incarnation, Some(7));
    }

    #[test]
    fn what_is_waited_for_is_told() {
        let mut revival = revival();
        stands(&mut revival, Status::PendingApproval, Some("ask"), 5);
        stands(
            &mut revival,
            Status::Pending,
            Some("approved by ada"),
            9_000,
        );
        stands(&mut revival, Status::Held, Some("ada holds"), 9_001);
        stands(&mut revival, Status::Pending, None, 9_500);
        let told: Vec<_> = revival.steps.iter().skip(2).collect();
        let whats: Vec<_> = told.iter().map(|step| step.what.as_deref()).collect();
        assert_eq!(
            whats,
            [
                Some("ask"),
                Some("approved by ada"),
                Some("ada holds"),
                Some("the hold is over")
            ]
        );
        assert_eq!(told[1].since(told[0]), Some(8_995));
        let later = Step {
            boot: Some(String::from("two")),
            ..told[3].clone()
        };
        assert_eq!(later.since(told[0]), None);
    }

    #[test]
    fn a_story_without_an_end_keeps_its_beginning_and_its_newest_steps() {
        let mut revival = revival();
        for step in 0..500 {
            stands(
                &mut revival,
                Status::Pending,
                Some(&format!("try {step}")),
                step,
            );
        }
        assert_eq!(revival.steps.len(), MOST);
        assert_eq!(revival.steps[0].step, Did::Fell);
        assert_eq!(revival.steps[MOST - 1].what.as_deref(), Some("try 499"));
    }

    #[test]
    fn a_step_of_a_newer_mcell_is_read() {
        let text = r#"{"step": "sung", "at": "2026-01-02T03:04:05Z", "up": 5}"#;
        let step: Step = serde_json::from_str(text).unwrap();
        assert_eq!(step.step, Did::Other);
    }
}
