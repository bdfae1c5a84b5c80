//! Handoffs, as agents and operators type them.

use crate::world::{MCELL, World};
use std::process::{Child, Stdio};

/// A cell with two agents and a task that the first one holds, with token 1.
fn at_work() -> World {
    let mut world = World::with_cell("Example Mission");
    world.at_time("2026-01-02T03:04:05Z");
    world.mcell("add-agent --role write").ok();
    world.mcell("add-agent --role write").ok();
    world.mcell("add-task 'Code Review'").ok();
    world.mcell("task claim task_001 --as agent_001").ok();
    world
}

/// What a task's file says of who has it: state, assignee, holder, token.
fn task(world: &World) -> (String, String, String, u64) {
    let task = world.mcell("task show task_001 --json").ok().json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    (
        text(&task["status"]),
        text(&task["assigned_to"]),
        text(&task["claim"]["agent"]),
        task["claim"]["token"].as_u64().unwrap_or(0),
    )
}

#[test]
fn an_operator_hands_over_at_once_and_the_old_holder_is_fenced() {
    let world = at_work();
    world
        .mcell("handoff task_001 agent_002 --reason 'the tests are its trade'")
        .ok()
        .prints(
            "Handed task_001 from agent_001 to agent_002 (h[..])\n\
             It is pending; agent_002 takes it with `mcell task claim task_001`\n",
        );
    assert_eq!(
        task(&world),
        ("pending".into(), "agent_002".into(), "-".into(), 0)
    );
    world
        .mcell("task complete task_001 --as agent_001 --token 1")
        .code(5)
        .says("task_001");
    let failed = world
        .mcell("task complete task_001 --as agent_001 --token 1 --json")
        .code(5);
    assert!(failed.err.contains("\"fenced\""), "{}", failed.err);
    world.mcell("task claim task_001 --as agent_002").ok();
    world.mcell("task complete task_001 --as agent_002").ok();
    world.mcell("handoff list").ok().prints("");
    let over = world.mcell("handoff list --all --json").ok().json();
    let one = &over["handoffs"][0];
    assert_eq!(one["state"], "done");
    assert_eq!(one["reason"], "the tests are its trade");
    assert_eq!(one["task"]["claim"]["token"], 1);
    world.mcell("validate").ok();
}

#[test]
fn from_agent_to_agent_it_is_offered_and_accepted() {
    let world = at_work();
    let id = world
        .mcell("handoff task_001 agent_002 --as agent_001 -q")
        .ok();
    let id = id.datum().to_owned();
    assert_eq!(task(&world).2, "agent_001");
    world
        .mcell("handoff list")
        .ok()
        .shows(&id)
        .shows("offered")
        .shows("03:19");
    world
        .mcell("handoff accept task_001 --as agent_001")
        .code(5)
        .says("offered to agent_002");
    world
        .mcell(&format!("handoff accept {id} --as agent_002"))
        .ok()
        .prints(
            "Handed task_001 from agent_001 to agent_002 (h[..])\n\
             Token 2, until it is done or the agent is gone\n",
        );
    assert_eq!(
        task(&world),
        (
            "in_progress".into(),
            "agent_002".into(),
            "agent_002".into(),
            2
        )
    );
    world
        .mcell("task complete task_001 --as agent_001 --token 1")
        .code(5);
    world
        .mcell("task complete task_001 --as agent_002 --token 2")
        .ok();
    world.mcell("validate").ok();
}

#[test]
fn what_is_declined_or_late_stays_with_its_giver() {
    let mut world = at_work();
    world
        .mcell("handoff task_001 agent_002 --as agent_001")
        .ok();
    world
        .mcell("handoff decline task_001 --as agent_002 --reason 'no time'")
        .ok()
        .prints("agent_002 declined: task_001 from agent_001 to agent_002 (h[..])\n");
    world
        .mcell("handoff task_001 agent_002 --as agent_001 --deadline 10m")
        .ok();
    world.at_time("2026-01-02T03:14:05Z");
    world
        .mcell("handoff accept task_001 --as agent_002")
        .code(3)
        .says("is expired: nobody took it in time")
        .says("task_001 is offered to nobody");
    assert_eq!(task(&world).2, "agent_001");
    world
        .mcell("task complete task_001 --as agent_001 --token 1")
        .ok();
    let states = world.mcell("handoff list --all --json").ok().json();
    let states: Vec<_> = states["handoffs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["state"].as_str().expect("a state"))
        .collect();
    assert_eq!(states, ["declined", "expired"]);
}

#[test]
fn an_operator_approves_where_the_policy_says_so() {
    let world = at_work();
    world.mcell("policy set handoff_approval=manual").ok();
    world
        .mcell("handoff task_001 agent_002 --as agent_001")
        .ok()
        .shows("An operator must agree first: `mcell handoff approve h");
    world.mcell("handoff list").ok().shows("needs approval");
    world
        .mcell("handoff accept task_001 --as agent_002")
        .code(5)
        .says("mcell handoff approve h");
    world
        .mcell("handoff approve task_001 --as agent_002")
        .code(5)
        .says("only an operator");
    world
        .mcell("status")
        .shows("task_001 is offered to agent_002, if you agree  # mcell handoff approve ");
    world.mcell("handoff approve task_001").ok();
    world.mcell("handoff accept task_001 --as agent_002").ok();
}

#[test]
fn an_offer_of_a_task_that_its_giver_completed_is_over() {
    let world = at_work();
    world
        .mcell("handoff task_001 agent_002 --as agent_001")
        .ok();
    world.mcell("task complete task_001 --as agent_001").ok();
    world.mcell("handoff list").ok().prints("");
    world
        .mcell("handoff accept task_001 --as agent_002")
        .code(3)
        .says("is withdrawn: task_001 is completed");
    assert_eq!(task(&world).0, "completed");
}

#[test]
fn of_all_who_answer_an_offer_at_once_exactly_one_is_heard() {
    for _ in 0..5 {
        let world = at_work();
        world
            .mcell("handoff task_001 agent_002 --as agent_001")
            .ok();
        let answers = [
            ["accept", "task_001", "--as", "agent_002"],
            ["accept", "task_001", "--as", "agent_002"],
            ["decline", "task_001", "--as", "agent_002"],
            ["decline", "task_001", "--as", "agent_001"],
        ];
        let running: Vec<Child> = answers
            .iter()
            .map(|answer| {
                let mut command = world.command(MCELL);
                command.arg("handoff").args(answer).arg("-q");
                command.stdout(Stdio::null()).stderr(Stdio::null());
                command.spawn().expect("mcell starts")
            })
            .collect();
        let ended = running.into_iter().map(|mut child| child.wait());
        let codes: Vec<_> = ended.map(|end| end.expect("an end").code()).collect();
        let heard = codes.iter().filter(|code| **code == Some(0)).count();
        assert_eq!(heard, 1, "{codes:?}");
        let accepted = codes.iter().take(2).any(|code| *code == Some(0));
        let (status, _, holder, token) = task(&world);
        let wanted = match accepted {
            true => ("agent_002", 2),
            false => ("agent_001", 1),
        };
        assert_eq!(
            (status.as_str(), holder.as_str(), token),
            ("in_progress", wanted.0, wanted.1)
        );
        world.mcell("validate").ok();
    }
}

#[test]
fn what_is_typed_wrong_is_told() {
    let world = at_work();
    world.mcell("handoff").code(2);
    world.mcell("handoff task_001").code(2);
    world
        .mcell("handoff task_001 agent_002 --deadline 5m")
        .code(2)
        .says("--offer");
    world.mcell("handoff task_001 agent_009").code(3);
    world.mcell("handoff task_009 agent_001").code(3);
    world
        .mcell("handoff accept task_001 --as agent_002")
        .code(3)
        .says("task_001 is offered to nobody");
    world
        .mcell("handoff task_001 agent_001")
        .code(5)
        .says("agent_001 holds task_001 already");
    world
        .mcell("handoff task_001 agent_002 --as agent_001 --token 9")
        .code(5);
}
