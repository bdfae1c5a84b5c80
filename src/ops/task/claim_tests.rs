//! What is promised about claims, on a cell in a folder of its own, with a stepped clock.

use super::*;
use crate::base::error::Kind;
use crate::mission::agent::AgentStatus;
use crate::mission::task::TaskStatus;
use crate::ops::world::World;
use crate::ops::{agent, cell};

struct Crew {
    world: World,
    ada: AgentId,
    bob: AgentId,
}

impl Crew {
    /// Two agents, and tasks that are nobody's.
    fn with_tasks(tasks: usize) -> Self {
        let world = World::new();
        let (ada, bob) = (world.add_agent(), world.add_agent());
        for _ in 0..tasks {
            world.add_task(None);
        }
        Crew { world, ada, bob }
    }

    fn as_agent(&mut self, id: &AgentId) {
        self.world.session.agent = Some(id.clone());
        self.world.session.token = None;
    }

    fn claim(&mut self, id: &AgentId, task: &str, lease: Option<u64>) -> Result<u64> {
        self.as_agent(id);
        let claimed = claim(
            &self.world.session,
            &self.world.cell,
            &TaskId::new(task)?,
            lease,
        )?;
        Ok(claimed.task.claim.unwrap().token)
    }

    fn complete(&mut self, id: &AgentId, task: &str, token: Option<u64>) -> Result<LetGo> {
        self.as_agent(id);
        self.world.session.token = token;
        complete(
            &self.world.session,
            &self.world.cell,
            &TaskId::new(task)?,
            &Yield::default(),
        )
    }

    fn operator(&mut self) {
        self.world.session.agent = None;
    }

    fn status(&self, task: &str) -> TaskStatus {
        let id = TaskId::new(task).unwrap();
        self.world.cell.task(&id).unwrap().unwrap().status
    }

    fn agent(&self, id: &AgentId) -> crate::mission::agent::Agent {
        self.world.cell.agent(id).unwrap().unwrap()
    }
}

#[test]
fn a_claim_is_told_by_task_agent_and_token_and_ends_with_the_work() {
    let mut crew = Crew::with_tasks(1);
    let ada = crew.ada.clone();
    assert_eq!(crew.claim(&ada, "task_001", None).unwrap(), 1);
    let agent = crew.agent(&ada);
    assert_eq!(agent.current_task.as_deref(), Some("task_001"));
    assert_eq!(agent.status, AgentStatus::Active);
    let done = crew.complete(&ada, "task_001", Some(1)).unwrap();
    assert_eq!(done.left, Left::Nothing);
    assert_eq!(done.task.assigned_to.as_deref(), Some(ada.as_str()));
    assert_eq!(done.task.attempts, Some(1));
    assert_eq!(crew.agent(&ada).status, AgentStatus::Idle);
    assert!(!crew.world.text(layout::FENCE).contains("held"));
}

#[test]
fn the_present_holder_claims_again_and_only_its_newest_token_counts() {
    let mut crew = Crew::with_tasks(1);
    let ada = crew.ada.clone();
    let first = crew.claim(&ada, "task_001", None).unwrap();
    let second = crew.claim(&ada, "task_001", None).unwrap();
    assert!(second > first);
    let refused = crew.complete(&ada, "task_001", Some(first)).unwrap_err();
    assert_eq!(refused.kind(), Kind::Fenced);
    crew.complete(&ada, "task_001", Some(second)).unwrap();
}

#[test]
fn a_task_cannot_be_closed_while_what_it_waits_for_is_open() {
    let mut crew = Crew::with_tasks(2);
    let fields = ["dependencies=task_001".parse().unwrap()];
    let second = TaskId::new("task_002").unwrap();
    set(&crew.world.session, &crew.world.cell, &second, &fields).unwrap();
    let ada = crew.ada.clone();
    let refused = crew.claim(&ada, "task_002", None).unwrap_err();
    assert_eq!(refused.message(), "task_002 waits: task_001 is pending");
    // Another tool began it all the same.
    let text = crew.world.text("tasks/task_002.json");
    let text = text.replace("\"pending\"", "\"in_progress\"");
    crew.world.write("tasks/task_002.json", &text);
    crew.operator();
    let session = &crew.world.session;
    let refused = complete(session, &crew.world.cell, &second, &Yield::default()).unwrap_err();
    assert!(
        refused.message().contains("task_001 is pending"),
        "{refused}"
    );
}

#[test]
fn a_stale_claim_was_given_out_again_and_its_old_worker_is_refused() {
    let mut crew = Crew::with_tasks(1);
    let (ada, bob) = (crew.ada.clone(), crew.bob.clone());
    let old = crew.claim(&ada, "task_001", Some(60)).unwrap();
    crew.world.seconds_pass(59);
    assert_eq!(
        crew.claim(&bob, "task_001", None).unwrap_err().kind(),
        Kind::Refused
    );
    crew.world.seconds_pass(1);
    let new = crew.claim(&bob, "task_001", None).unwrap();
    assert!(new > old);
    assert_eq!(
        crew.complete(&ada, "task_001", Some(old))
            .unwrap_err()
            .kind(),
        Kind::Fenced
    );
    assert_eq!(
        crew.complete(&ada, "task_001", None).unwrap_err().kind(),
        Kind::Fenced
    );
    assert_eq!(crew.agent(&ada).current_task, None);
    crew.complete(&bob, "task_001", Some(new)).unwrap();
}

#[test]
fn any_act_of_the_holder_begins_its_lease_anew() {
    let mut crew = Crew::with_tasks(1);
    let ada = crew.ada.clone();
    crew.claim(&ada, "task_001", Some(60)).unwrap();
    crew.world.seconds_pass(50);
    let fields = ["description=halfway".parse().unwrap()];
    let id = TaskId::new("task_001").unwrap();
    set(&crew.world.session, &crew.world.cell, &id, &fields).unwrap();
    crew.world.seconds_pass(50);
    // Whoever writes next would free it.
    crew.operator();
    crew.world.add_task(None);
    assert_eq!(crew.status("task_001"), TaskStatus::InProgress);
    crew.world.seconds_pass(10);
    crew.world.add_task(None);
    assert_eq!(crew.status("task_001"), TaskStatus::Pending);
    let line = crew.world.journal().into_iter().rev().nth(1).unwrap();
    assert_eq!(
        (line.act.as_str(), line.what.as_str()),
        (
            "task release",
            "task_001 is free again: the lease of agent_001 lapsed"
        )
    );
}

#[test]
fn paused_stops_the_clock_of_a_lease() {
    let mut crew = Crew::with_tasks(1);
    let ada = crew.ada.clone();
    crew.claim(&ada, "task_001", Some(60)).unwrap();
    crew.world.seconds_pass(30);
    crew.operator();
    let session = &crew.world.session;
    cell::pause(session, &crew.world.cell, Some(3600), None).unwrap();
    agent::pause(session, &crew.world.cell, &ada, None, None).unwrap();
    crew.world.seconds_pass(7200);
    // The pause of the cell ended by itself; its holder is still paused.
    crew.world.add_task(None);
    assert_eq!(crew.status("task_001"), TaskStatus::InProgress);
    agent::resume(&crew.world.session, &crew.world.cell, &ada).unwrap();
    crew.world.seconds_pass(29);
    crew.world.add_task(None);
    assert_eq!(crew.status("task_001"), TaskStatus::InProgress);
    crew.world.seconds_pass(1);
    crew.world.add_task(None);
    assert_eq!(crew.status("task_001"), TaskStatus::Pending);
}

#[test]
fn paused_stops_the_clock_of_timeouts_too() {
    let mut crew = Crew::with_tasks(1);
    let ada = crew.ada.clone();
    crew.claim(&ada, "task_001", None).unwrap();
    crew.operator();
    let session = &crew.world.session;
    set(
        session,
        &crew.world.cell,
        &TaskId::new("task_001").unwrap(),
        &["timeout=100".parse().unwrap()],
    )
    .unwrap();
    cell::set(session, &crew.world.cell, &["timeout=100".parse().unwrap()]).unwrap();
    crew.world.seconds_pass(60);
    cell::pause(&crew.world.session, &crew.world.cell, None, None).unwrap();
    crew.world.seconds_pass(1000);
    cell::resume(&crew.world.session, &crew.world.cell).unwrap();
    let late = |crew: &Crew| {
        let task = crew
            .world
            .cell
            .task(&TaskId::new("task_001").unwrap())
            .unwrap()
            .unwrap();
        (
            task.overdue(crew.world.now()),
            crew.world.cell.cell().unwrap().overdue(crew.world.now()),
        )
    };
    crew.world.seconds_pass(40);
    assert_eq!(late(&crew), (None, None));
    crew.world.seconds_pass(1);
    assert_eq!(late(&crew), (Some(1), Some(1)));
}

#[test]
fn the_task_of_a_holder_that_is_gone_is_free_again_with_the_next_command() {
    let mut crew = Crew::with_tasks(1);
    let ada = crew.ada.clone();
    crew.claim(&ada, "task_001", None).unwrap();
    crew.world.seconds_pass(86_400);
    crew.operator();
    crew.world.add_task(None);
    assert_eq!(crew.status("task_001"), TaskStatus::InProgress);
    std::fs::remove_file(crew.world.cell.path().join("agents/agent_001.json")).unwrap();
    crew.world.add_task(None);
    assert_eq!(crew.status("task_001"), TaskStatus::Pending);
}

#[test]
fn a_fence_that_is_lost_or_behind_gives_no_token_twice() {
    let mut crew = Crew::with_tasks(2);
    let ada = crew.ada.clone();
    let fence = crew.world.cell.path().join(layout::FENCE);
    let old = std::fs::read(&fence).unwrap();
    let first = crew.claim(&ada, "task_001", None).unwrap();
    std::fs::write(&fence, old).unwrap();
    let second = crew.claim(&ada, "task_001", None).unwrap();
    std::fs::remove_file(&fence).unwrap();
    let third = crew.claim(&ada, "task_001", None).unwrap();
    assert!(first < second && second < third, "{first} {second} {third}");
}

#[test]
fn one_agent_holds_one_task_and_next_gives_it_that_again() {
    let mut crew = Crew::with_tasks(2);
    let ada = crew.ada.clone();
    crew.claim(&ada, "task_001", None).unwrap();
    let refused = crew.claim(&ada, "task_002", None).unwrap_err();
    assert!(
        refused.message().contains("holds task_001 already"),
        "{refused}"
    );
    let again = claim_next(&crew.world.session, &crew.world.cell, None).unwrap();
    assert_eq!(
        (again.task.task_id.as_str(), again.renewed),
        ("task_001", true)
    );
    // One that another tool noted counts as well.
    assert_eq!(again.task.attempts, Some(1));
}

#[test]
fn nothing_to_take_is_a_no_and_not_a_failure() {
    let mut crew = Crew::with_tasks(1);
    let (ada, bob) = (crew.ada.clone(), crew.bob.clone());
    crew.claim(&ada, "task_001", None).unwrap();
    crew.as_agent(&bob);
    let no = claim_next(&crew.world.session, &crew.world.cell, None).unwrap_err();
    assert_eq!(
        (no.kind(), no.message()),
        (Kind::No, "no task is ready; 1 task is not done yet")
    );
    crew.complete(&ada, "task_001", None).unwrap();
    let no = claim_next(&crew.world.session, &crew.world.cell, None).unwrap_err();
    assert_eq!(
        (no.kind(), no.message()),
        (Kind::No, "there is no open task in this cell")
    );
}

#[test]
fn what_failed_is_tried_again_and_what_was_given_back_is_free() {
    let mut crew = Crew::with_tasks(1);
    let (ada, bob) = (crew.ada.clone(), crew.bob.clone());
    let id = TaskId::new("task_001").unwrap();
    crew.claim(&ada, "task_001", None).unwrap();
    let failed = fail(&crew.world.session, &crew.world.cell, &id, "no net").unwrap();
    assert_eq!(failed.task.result, Some("no net".into()));
    assert_eq!(
        crew.world.journal().pop().unwrap().why.as_deref(),
        Some("no net")
    );
    crew.operator();
    retry(
        &crew.world.session,
        &crew.world.cell,
        std::slice::from_ref(&id),
    )
    .unwrap();
    crew.claim(&bob, "task_001", None).unwrap();
    release(&crew.world.session, &crew.world.cell, &id, None).unwrap();
    assert_eq!(crew.status("task_001"), TaskStatus::Pending);
    crew.claim(&ada, "task_001", None).unwrap();
}

#[test]
fn the_last_task_may_complete_the_cell_and_an_agent_that_leads_may_say_so() {
    let mut crew = Crew::with_tasks(1);
    let ada = crew.ada.clone();
    crew.claim(&ada, "task_001", None).unwrap();
    let id = TaskId::new("task_001").unwrap();
    let auto = Yield {
        auto: true,
        ..Yield::default()
    };
    let refused = complete(&crew.world.session, &crew.world.cell, &id, &auto).unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    assert_eq!(crew.status("task_001"), TaskStatus::InProgress);
    crew.operator();
    let done = complete(&crew.world.session, &crew.world.cell, &id, &auto).unwrap();
    assert_eq!(done.left, Left::Completed);
    assert!(crew.world.cell.cell().unwrap().status.is_over());
}
