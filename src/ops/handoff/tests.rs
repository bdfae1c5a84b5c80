//! What is promised about handoffs, on a cell in a folder of its own, with a stepped clock.
#![allow(
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]

use super::*;
use crate::base::error::Kind;
use crate::mission::agent::AgentStatus;
use crate::mission::handoff::DEADLINE;
use crate::mission::task::TaskStatus;
use crate::ops::world::World;
use crate::ops::{agent, cell, policy, task};
use crate::store::handoff::KEPT;

struct Crew {
    world: World,
    ada: AgentId,
    bob: AgentId,
    task: TaskId,
}

impl Crew {
    /// Two agents, and a task that is nobody's.
    fn new() -> Self {
        let world = World::new();
        let (ada, bob) = (world.add_agent(), world.add_agent());
        let task = world.add_task(None);
        Crew {
            world,
            ada,
            bob,
            task,
        }
    }

    /// The same, and the first agent holds the task.
    fn at_work() -> Self {
        let mut crew = Crew::new();
        crew.claim();
        crew
    }

    fn claim(&mut self) -> u64 {
        let ada = self.ada.clone();
        let crew = self.by(Some(&ada));
        let claimed = task::claim(&crew.world.session, &crew.world.cell, &crew.task, None);
        claimed.unwrap().task.claim.unwrap().token
    }

    fn by(&mut self, who: Option<&AgentId>) -> &mut Self {
        self.world.session.agent = who.cloned();
        self.world.session.token = None;
        self
    }

    fn hand_over(&mut self) -> Result<Told> {
        self.by(None);
        let (session, cell) = (&self.world.session, &self.world.cell);
        hand_over(session, cell, &self.task, &self.bob, Some("its trade"))
    }

    fn offer(&mut self) -> Result<Told> {
        let ada = self.ada.clone();
        self.by(Some(&ada)).offer_as_is()
    }

    fn offer_as_is(&self) -> Result<Told> {
        let (session, cell) = (&self.world.session, &self.world.cell);
        offer(session, cell, &self.task, &self.bob, None, DEADLINE)
    }

    fn accept(&mut self, named: &str) -> Result<Told> {
        let bob = self.bob.clone();
        self.by(Some(&bob));
        accept(&self.world.session, &self.world.cell, named, None)
    }

    fn decline(&mut self, who: Option<&AgentId>) -> Result<Told> {
        self.by(who);
        decline(
            &self.world.session,
            &self.world.cell,
            "task_001",
            Some("no"),
        )
    }

    fn policy(&mut self, line: &str) {
        self.by(None);
        let wanted = [line.parse().unwrap()];
        policy::set(&self.world.session, &self.world.cell, &wanted).unwrap();
    }

    fn task(&self) -> Task {
        self.world.cell.task(&self.task).unwrap().unwrap()
    }

    fn agent(&self, id: &AgentId) -> Agent {
        self.world.cell.agent(id).unwrap().unwrap()
    }

    /// Whoever writes next does what is due.
    fn next(&mut self) {
        self.by(None).world.add_task(None);
    }

    fn list(&mut self, all: bool) -> Vec<(HandoffState, Option<String>)> {
        self.by(None);
        self.world.session.cell = Some(self.world.cell.id().to_string());
        let listed = list(&self.world.session, false, all).unwrap();
        assert!(listed.troubles.is_empty());
        let told = listed.handoffs.into_iter();
        told.map(|told| (told.state, told.because)).collect()
    }

    fn waits(&self) -> usize {
        let ids = handoff::ids(&self.world.cell, layout::OFFERS).unwrap();
        let fence = fence::seen(&self.world.cell).unwrap();
        assert_eq!(ids.len(), fence.offers.len());
        ids.len()
    }
}

#[test]
fn an_operator_hands_a_task_over_at_once_and_its_holder_is_fenced() {
    let mut crew = Crew::at_work();
    let told = crew.hand_over().unwrap();
    assert_eq!(
        (told.state, told.from.as_deref(), told.token),
        (HandoffState::Done, Some("agent_001"), Some(1))
    );
    assert_eq!(told.task["status"], "in_progress");
    let task = crew.task();
    assert_eq!(
        (task.status, task.assigned_to.as_deref(), &task.claim),
        (TaskStatus::Pending, Some("agent_002"), &None)
    );
    let ada = crew.ada.clone();
    assert_eq!(crew.agent(&ada).status, AgentStatus::Idle);
    assert_eq!(crew.agent(&ada).current_task, None);
    crew.by(Some(&ada)).world.session.token = Some(1);
    let done = task::Yield::default();
    let late = task::complete(&crew.world.session, &crew.world.cell, &crew.task, &done);
    assert_eq!(late.unwrap_err().kind(), Kind::Fenced);
    let bob = crew.bob.clone();
    crew.by(Some(&bob));
    let claimed = task::claim(&crew.world.session, &crew.world.cell, &crew.task, None).unwrap();
    assert!(claimed.task.claim.unwrap().token > 2);
    assert_eq!(crew.list(true).len(), 1);
}

#[test]
fn a_pending_task_is_assigned_and_only_once() {
    let mut crew = Crew::new();
    let told = crew.hand_over().unwrap();
    assert_eq!(
        (told.from, told.reason.as_deref()),
        (None, Some("its trade"))
    );
    let line = crew.world.journal().pop().unwrap();
    assert_eq!(
        (line.act.as_str(), line.why.as_deref()),
        ("handoff", Some("its trade"))
    );
    assert_eq!(crew.hand_over().unwrap_err().kind(), Kind::Refused);
    let ada = crew.ada.clone();
    crew.by(Some(&ada));
    let (session, cell) = (&crew.world.session, &crew.world.cell);
    let refused = hand_over(session, cell, &crew.task, &crew.ada, None).unwrap_err();
    assert!(refused.message().contains("only an operator"), "{refused}");
}

#[test]
fn what_is_offered_stays_with_its_giver_until_it_is_accepted() {
    let mut crew = Crew::at_work();
    let told = crew.offer().unwrap();
    assert_eq!(told.state, HandoffState::Offered);
    assert_eq!(crew.offer().unwrap(), told);
    assert_eq!(crew.task().holder(), Some("agent_001"));
    let accepted = crew.accept(&told.id).unwrap();
    let claim = accepted.claim.unwrap();
    assert_eq!((claim.agent.as_str(), claim.token), ("agent_002", 2));
    let task = crew.task();
    assert_eq!(task.holder(), Some("agent_002"));
    assert_eq!(task.attempts, Some(1));
    let (ada, bob) = (crew.ada.clone(), crew.bob.clone());
    assert_eq!(crew.agent(&ada).current_task, None);
    assert_eq!(crew.agent(&bob).status, AgentStatus::Active);
    assert_eq!(crew.agent(&bob).current_task.as_deref(), Some("task_001"));
    assert_eq!(crew.waits(), 0);
    // The taker finishes it; the giver cannot any more.
    let done = task::Yield::default();
    crew.by(Some(&ada));
    let late = task::complete(&crew.world.session, &crew.world.cell, &crew.task, &done);
    assert_eq!(late.unwrap_err().kind(), Kind::Fenced);
    crew.by(Some(&bob)).world.session.token = Some(2);
    task::complete(&crew.world.session, &crew.world.cell, &crew.task, &done).unwrap();
}

#[test]
fn a_pending_task_that_an_operator_offers_is_claimed_by_who_accepts() {
    let mut crew = Crew::new();
    crew.by(None).offer_as_is().unwrap();
    crew.accept("task_001").unwrap();
    let task = crew.task();
    assert_eq!(
        (task.status, task.attempts),
        (TaskStatus::InProgress, Some(1))
    );
    assert_eq!(crew.list(true), [(HandoffState::Accepted, None)]);
}

#[test]
fn only_who_holds_a_task_offers_it_and_only_to_one() {
    let mut crew = Crew::at_work();
    let bob = crew.bob.clone();
    let refused = crew.by(Some(&bob)).offer_as_is().unwrap_err();
    assert_eq!(refused.kind(), Kind::Fenced);
    crew.offer().unwrap();
    let eve = crew.by(None).world.add_agent();
    let (session, cell) = (&crew.world.session, &crew.world.cell);
    let refused = offer(session, cell, &crew.task, &eve, None, 60).unwrap_err();
    assert!(refused.message().contains("offered to agent_002 already"));
    crew.by(Some(&eve));
    let refused = accept(&crew.world.session, &crew.world.cell, "task_001", None);
    assert!(refused.unwrap_err().message().contains("not to agent_003"));
}

#[test]
fn it_goes_back_to_its_giver_when_nobody_accepts_in_time() {
    let mut crew = Crew::at_work();
    let told = crew.offer().unwrap();
    crew.world.seconds_pass(DEADLINE - 1);
    crew.next();
    assert_eq!(crew.waits(), 1);
    crew.world.seconds_pass(1);
    assert_eq!(crew.list(false), []);
    let late = crew.accept(&told.id).unwrap_err();
    assert!(late.message().contains("it is expired"), "{late}");
    assert_eq!(crew.task().holder(), Some("agent_001"));
    assert_eq!(
        crew.list(true),
        [(HandoffState::Expired, Some("nobody took it in time".into()))]
    );
    assert_eq!(crew.world.journal().pop().unwrap().act, "handoff close");
    // And it is offered anew.
    assert_ne!(crew.offer().unwrap().id, told.id);
}

#[test]
fn while_the_cell_is_paused_the_deadline_stands_still() {
    let mut crew = Crew::at_work();
    crew.offer().unwrap();
    crew.world.seconds_pass(600);
    crew.by(None);
    cell::pause(&crew.world.session, &crew.world.cell, None, None).unwrap();
    crew.world.seconds_pass(6000);
    let refused = crew.accept("task_001").unwrap_err();
    assert_eq!(refused.message(), "the cell is paused");
    crew.by(None);
    cell::resume(&crew.world.session, &crew.world.cell).unwrap();
    crew.world.seconds_pass(299);
    crew.accept("task_001").unwrap();
}

#[test]
fn an_offer_without_its_object_is_closed_by_whoever_comes_first() {
    let mut crew = Crew::at_work();
    crew.offer().unwrap();
    let done = task::Yield::default();
    task::complete(&crew.world.session, &crew.world.cell, &crew.task, &done).unwrap();
    let refused = crew.accept("task_001").unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound, "{refused}");
    let why = Some(String::from("task_001 is completed"));
    assert_eq!(crew.list(true), [(HandoffState::Withdrawn, why)]);

    let mut crew = Crew::at_work();
    crew.offer().unwrap();
    crew.by(None);
    agent::remove(&crew.world.session, &crew.world.cell, &crew.bob).unwrap();
    crew.next();
    let why = Some(String::from("agent_002 was removed"));
    assert_eq!(crew.list(true), [(HandoffState::Withdrawn, why)]);

    let mut crew = Crew::at_work();
    crew.offer().unwrap();
    crew.hand_over().unwrap();
    assert_eq!(crew.waits(), 0);
    assert_eq!(crew.list(true).len(), 2);
}

#[test]
fn the_taker_declines_and_the_giver_takes_back() {
    let mut crew = Crew::at_work();
    let (ada, bob) = (crew.ada.clone(), crew.bob.clone());
    crew.offer().unwrap();
    let told = crew.decline(Some(&bob)).unwrap();
    assert_eq!(told.state, HandoffState::Declined);
    assert_eq!(crew.task().holder(), Some("agent_001"));
    crew.offer().unwrap();
    assert_eq!(
        crew.decline(Some(&ada)).unwrap().state,
        HandoffState::Withdrawn
    );
    crew.offer().unwrap();
    let eve = crew.by(None).world.add_agent();
    assert_eq!(crew.decline(Some(&eve)).unwrap_err().kind(), Kind::Refused);
    crew.decline(None).unwrap();
    assert_eq!(crew.waits(), 0);
}

#[test]
fn where_the_policy_is_manual_an_operator_agrees_first() {
    let mut crew = Crew::at_work();
    crew.policy("handoff_approval=manual");
    let told = crew.offer().unwrap();
    assert_eq!(told.approval, Approval::Waiting);
    let refused = crew.accept(&told.id).unwrap_err();
    assert!(refused.message().contains("waits for an operator"));
    let bob = crew.bob.clone();
    crew.by(Some(&bob));
    let refused = approve(&crew.world.session, &crew.world.cell, &told.id).unwrap_err();
    assert!(refused.message().contains("only an operator"));
    crew.by(None);
    approve(&crew.world.session, &crew.world.cell, &told.id).unwrap();
    assert_eq!(crew.task().holder(), Some("agent_001"));
    crew.accept(&told.id).unwrap();
}

#[test]
fn each_rule_keeps_a_task_where_it_is_and_says_the_way_out() {
    let refused = |change: &dyn Fn(&mut Crew)| {
        let mut crew = Crew::at_work();
        change(&mut crew);
        let at_once = crew.hand_over().unwrap_err();
        let offered = crew.offer().unwrap_err();
        assert_eq!(at_once.kind(), Kind::Refused);
        assert_eq!(at_once.message(), offered.message());
        assert_eq!(crew.task().holder(), Some("agent_001"));
        (at_once.message().to_owned(), at_once.hints().join("; "))
    };
    let replace = |crew: &Crew, file: &str, from: &str, to: &str| {
        let text = crew.world.text(file);
        assert!(text.contains(from), "{text}");
        crew.world.write(file, &text.replace(from, to));
    };
    let (message, hint) = refused(&|crew| crew.policy("handoff_allowed=false"));
    assert!(message.contains("handoff_allowed is false"), "{message}");
    assert!(hint.contains("mcell policy set handoff_allowed=true"));
    let (message, _) =
        refused(&|crew| replace(crew, "agents/agent_002.json", "\"write\"", "\"audit\""));
    assert!(message.contains("role of agent_002 is audit"), "{message}");
    let (message, _) = refused(&|crew| {
        let all = "{ \"required_capabilities\": [\"haskell\"],";
        replace(
            crew,
            "tasks/task_001.json",
            "{\n  \"task_id\"",
            &format!("{all} \"task_id\""),
        );
    });
    assert!(message.contains("requires haskell"), "{message}");
    let (message, hint) = refused(&|crew| {
        let entry = "{ \"agent_001\": { \"handoff_to\": [\"agent_003\"] } }";
        crew.world.write(layout::PERMISSIONS, entry);
    });
    assert!(message.contains("handoff_to of agent_001 does not name agent_002"));
    assert!(hint.contains("mcell permission grant agent_001 handoff_to agent_002"));
    let (message, hint) = refused(&|crew| {
        let entry = "{ \"agent_002\": { \"handoff_from\": [\"agent_003\"] } }";
        crew.world.write(layout::PERMISSIONS, entry);
    });
    assert!(message.contains("handoff_from of agent_002 does not name agent_001"));
    assert!(hint.contains("mcell permission grant agent_002 handoff_from agent_001"));
    let (message, _) = refused(&|crew| {
        let entry = "{ \"agent_002\": { \"execute\": [\"task_009\"] } }";
        crew.world.write(layout::PERMISSIONS, entry);
    });
    assert!(
        message.contains("agent_002 may not execute task_001"),
        "{message}"
    );
}

#[test]
fn who_is_busy_is_asked_and_accepts_when_it_is_free() {
    let mut crew = Crew::at_work();
    let other = crew.by(None).world.add_task(None);
    let bob = crew.bob.clone();
    crew.by(Some(&bob));
    task::claim(&crew.world.session, &crew.world.cell, &other, None).unwrap();
    crew.offer().unwrap();
    let refused = crew.accept("task_001").unwrap_err();
    assert!(refused.message().contains("holds task_002 already"));
    task::release(&crew.world.session, &crew.world.cell, &other, None).unwrap();
    crew.accept("task_001").unwrap();
}

#[test]
fn the_newest_checkpoint_and_the_artifacts_go_with_the_task() {
    let mut crew = Crew::at_work();
    let manifest = |by: &str| {
        let at = "2026-01-02T03:04:05Z";
        format!(r#"{{"agent": "agent_001", "saved_at": "{at}", "saved_by": "{by}", "files": []}}"#)
    };
    let (old, new) = (manifest("old"), manifest("new"));
    for (number, text) in [
        ("9", &*old),
        ("10", &*new),
        ("tmp", "no number"),
        ("11", "torn"),
    ] {
        let place = crew.world.cell.path().join(layout::GENERATIONS);
        let place = place.join("agent_001").join(number);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join(layout::MANIFEST), text).unwrap();
    }
    let told = crew.offer().unwrap();
    let carried = Carried {
        generation: 10,
        sha256: crate::store::journal::sha256(new.as_bytes()),
    };
    assert_eq!(told.checkpoint, Some(carried));
}

#[test]
fn a_fence_that_is_lost_learns_again_what_is_offered() {
    let mut crew = Crew::at_work();
    crew.offer().unwrap();
    std::fs::remove_file(crew.world.cell.path().join(layout::FENCE)).unwrap();
    crew.accept("task_001").unwrap();
    assert_eq!(crew.waits(), 0);
}

#[test]
fn an_offer_that_cannot_be_read_keeps_nobody_from_writing() {
    let mut crew = Crew::at_work();
    let told = crew.offer().unwrap();
    let file = layout::offer(&HandoffId::new(told.id).unwrap());
    crew.world.write(&file, "{");
    crew.next();
    crew.by(None).world.session.cell = Some(crew.world.cell.id().to_string());
    let listed = list(&crew.world.session, false, false).unwrap();
    assert_eq!((listed.handoffs.len(), listed.troubles.len()), (0, 1));
    crew.offer().unwrap();
}

#[test]
fn the_newest_hundred_that_are_over_are_kept() {
    let mut crew = Crew::at_work();
    let first = crew.offer().unwrap().id;
    crew.decline(None).unwrap();
    for _ in 0..KEPT {
        crew.world.seconds_pass(1);
        crew.offer().unwrap();
        crew.decline(None).unwrap();
    }
    let kept = handoff::ids(&crew.world.cell, layout::HANDOFFS).unwrap();
    assert_eq!(kept.len(), KEPT);
    assert!(!kept.iter().any(|id| id.as_str() == first));
}
