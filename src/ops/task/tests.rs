//! What is promised about tasks, on a cell in a folder of its own.

use super::*;
use crate::base::error::Kind;
use crate::mission::cell::CellStatus;
use crate::mission::task::TaskStatus;
use crate::ops::set::Assignment;
use crate::ops::world::World;

/// A world with `task_001`, and `task_002` after it.
fn world() -> (World, TaskId, TaskId) {
    let world = World::new();
    let first = world.add_task(None);
    let second = world.add_task(None);
    change(&world, &second, "dependencies=task_001").unwrap();
    (world, first, second)
}

fn change(world: &World, id: &TaskId, field: &str) -> Result<Task> {
    let fields: Vec<Assignment> = vec![field.parse().unwrap()];
    set(&world.session, &world.cell, id, &fields).map(|(_, after)| after)
}

/// Gives a task a state, as another tool of the fleet would.
fn put_status(world: &World, id: &TaskId, status: &str) {
    let file = layout::task(id);
    let text = world.text(&file);
    let completed = match status {
        "completed" => "\"2026-01-02T03:04:05Z\"",
        _ => "null",
    };
    let text = text
        .replace(
            "\"status\": \"pending\"",
            &format!("\"status\": \"{status}\""),
        )
        .replace(
            "\"completed_at\": null",
            &format!("\"completed_at\": {completed}"),
        );
    world.write(&file, &text);
}

#[test]
fn a_dependency_must_be_there_and_make_no_circle() {
    let (world, first, _) = world();
    let refused = change(&world, &first, "dependencies=task_002").unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    assert!(
        refused
            .message()
            .contains("task_001 after task_002 after task_001")
    );
    let refused = change(&world, &first, "dependencies=task_001").unwrap_err();
    assert_eq!(refused.message(), "task_001 cannot depend on itself");
    let refused = change(&world, &first, "dependencies=task_007").unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
    assert!(show(&world.cell, &first).unwrap().dependencies.is_empty());
}

#[test]
fn a_state_is_not_set_by_hand() {
    let (world, first, _) = world();
    for field in [
        "status=completed",
        "task_id=x",
        "claim.agent=agent_001",
        "completed_at=",
    ] {
        assert_eq!(
            change(&world, &first, field).unwrap_err().kind(),
            Kind::Refused
        );
    }
}

#[test]
fn a_task_is_assigned_to_an_agent_of_the_cell_and_not_while_somebody_works_on_it() {
    let (world, first, _) = world();
    let refused = change(&world, &first, "assigned_to=agent_001").unwrap_err();
    assert_eq!(refused.kind(), Kind::NotFound);
    world.add_agent();
    change(&world, &first, "assigned_to=agent_001").unwrap();
    put_status(&world, &first, "in_progress");
    let refused = change(&world, &first, "assigned_to=").unwrap_err();
    assert!(refused.message().starts_with("agent_001 works on task_001"));
}

#[test]
fn an_agent_changes_its_own_task_and_only_a_lead_assigns() {
    let (mut world, first, second) = world();
    let agent = world.add_agent();
    change(&world, &first, "assigned_to=agent_001").unwrap();
    world.add_agent();
    change(&world, &second, "assigned_to=agent_002").unwrap();
    world.session.agent = Some(agent);
    assert_eq!(
        change(&world, &first, "priority=high").unwrap().priority,
        Priority::High
    );
    for (id, field) in [
        (&second, "priority=high"),
        (&first, "assigned_to=agent_002"),
    ] {
        assert_eq!(change(&world, id, field).unwrap_err().kind(), Kind::Refused);
    }
    let lead = world
        .text("agents/agent_001.json")
        .replace("\"write\"", "\"lead\"");
    world.write("agents/agent_001.json", &lead);
    assert!(change(&world, &second, "assigned_to=agent_001").is_ok());
}

#[test]
fn a_completed_task_is_reopened_with_what_was_built_on_it() {
    let (world, first, second) = world();
    put_status(&world, &first, "completed");
    put_status(&world, &second, "failed");
    let alone = reopen(&world.session, &world.cell, std::slice::from_ref(&first)).unwrap_err();
    assert!(alone.kind() == Kind::Refused && alone.message().contains("task_002 (failed)"));
    let both = reopen(&world.session, &world.cell, &[first.clone(), second]).unwrap();
    assert_eq!(both[0].was, TaskStatus::Completed);
    let task = show(&world.cell, &first).unwrap();
    assert!(task.status == TaskStatus::Pending && task.completed_at.is_none());
    let lines = world.journal();
    let last = lines.last().unwrap();
    assert_eq!(
        last.what,
        "reopened task_001 (was completed), task_002 (was failed)"
    );
}

#[test]
fn nothing_names_a_removed_task_and_its_id_is_never_given_again() {
    let (world, first, second) = world();
    world.add_agent();
    world.write(
        "config/permissions.json",
        r#"{"agent_001": {"write": ["task_002"], "read": ["*"]}}"#,
    );
    let agent = world
        .text("agents/agent_001.json")
        .replace("\"current_task\": null", "\"current_task\": \"task_002\"");
    world.write("agents/agent_001.json", &agent);
    let refused = remove(&world.session, &world.cell, std::slice::from_ref(&first)).unwrap_err();
    assert!(refused.message().contains("task_002 (pending)"));
    let before = world.journal().len();
    let removal = remove(&world.session, &world.cell, &[second]).unwrap();
    assert_eq!(world.journal().len(), before + 1);
    assert_eq!(removal.forgotten_by, ["agent_001"]);
    assert_eq!(removal.freed, ["agent_001"]);
    // An empty list still limits; without it the agent could write more than before.
    assert!(
        world
            .text("config/permissions.json")
            .contains("\"write\": []")
    );
    assert!(std::path::Path::new(&removal.tasks[0].trash).is_file());
    assert_eq!(world.add_task(None).as_str(), "task_003");
}

#[test]
fn a_task_that_cannot_be_read_hides_no_other_and_can_be_removed() {
    let (world, first, second) = world();
    world.write("tasks/task_003.json", "{");
    let seen = look(&world.session, &world.cell).unwrap();
    assert_eq!((seen.tasks.all().len(), seen.troubles.len()), (2, 1));
    let ready = seen.tasks.ready(CellStatus::Active);
    assert_eq!(ready[0].0, first.as_str());
    // Whether it depends on another cannot be told.
    assert!(remove(&world.session, &world.cell, &[second]).is_err());
    let broken = TaskId::new("task_003").unwrap();
    assert!(remove(&world.session, &world.cell, &[broken]).is_ok());
}

#[test]
fn an_agent_sees_what_it_may_read() {
    let (mut world, _, _) = world();
    let agent = world.add_agent();
    world.write(
        "config/permissions.json",
        r#"{"agent_001": {"read": ["task_002"]}}"#,
    );
    world.session.agent = Some(agent);
    let seen = look(&world.session, &world.cell).unwrap();
    assert!(!seen.shows("task_001") && seen.shows("task_002"));
    world.session.agent = Some(AgentId::new("agent_009").unwrap());
    assert_eq!(look(&world.session, &world.cell).unwrap().hidden(), 2);
}

#[test]
fn an_edit_is_held_against_the_cell() {
    let (world, first, _) = world();
    let editor = r#"sed -i 's/"dependencies": \[\]/"dependencies": ["task_002"]/'"#;
    let world = world.with(&[("EDITOR", editor)]);
    let refused = edit(&world.session, &world.cell, &first, None).unwrap_err();
    assert!(refused.message().contains("wait for itself"));
    let world = world.with(&[("EDITOR", "sed -i s/Review/Check/")]);
    assert!(edit(&world.session, &world.cell, &first, None).unwrap());
    assert_eq!(show(&world.cell, &first).unwrap().title, "Check");
}
