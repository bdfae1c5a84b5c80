//! What changes is seen, what does not change is not read.

use super::*;
use crate::base::ids::TaskId;
use crate::mission::agent::AgentStatus;
use crate::mission::beat::Kind as Sign;
use crate::mission::cell::CellStatus;
use crate::mission::census::Due;
use crate::mission::run::RunNote;
use crate::ops::{agent, cell, task};

#[test]
fn an_unchanged_root_is_read_once() {
    let mut yard = Yard::new();
    assert_eq!(yard.refresh(), Refreshed::default());
    assert_eq!(yard.refresh(), Refreshed::default());
    yard.up += u64::try_from(EVERY.as_millis()).unwrap();
    let again = yard.refresh();
    assert!(again.is_full && again.changed.is_empty() && again.went.is_empty());
}

#[test]
fn looking_wakes_nobody() {
    let mut yard = Yard::new();
    std::fs::create_dir_all(yard.path(".mcell/run")).unwrap();
    std::fs::write(yard.path(".mcell/run/agent_001.lock"), "").unwrap();
    std::fs::write(yard.path(".mcell/run/agent_001.json"), "{}").unwrap();
    yard.refresh();
    yard.refresh();
    assert!(!yard.is_woken());
    yard.is_as_the_disk();
    cell::glance(&yard.world.cell);
    drop(yard.world.cell.view().unwrap());
    assert!(!yard.is_woken());
}

#[test]
fn a_lock_taken_and_given_back_changes_nothing() {
    let mut yard = Yard::new();
    let act = yard.world.session.act("test");
    let wait = yard.world.session.wait("test").unwrap();
    drop(yard.world.cell.lock_for_writing(act, wait).unwrap());
    assert_eq!(yard.refresh(), Refreshed::default());
}

#[test]
fn what_commands_do_is_seen() {
    let mut yard = Yard::new();
    let id = yard.agent().id.clone();
    let task = yard.world.add_task(Some(&id));
    yard.refresh();
    assert_eq!(yard.agent().status, AgentStatus::Idle);

    yard.world.session.agent = Some(id.clone());
    task::claim(&yard.world.session, &yard.world.cell, &task, Some(60)).unwrap();
    assert!(yard.sees_the_cell_change());
    assert_eq!(yard.agent().current_task.as_deref(), Some(task.as_str()));
    assert_eq!(yard.agent().task_timeout, Some(1800));
    let due = &yard.census().due;
    assert!(matches!(due.as_slice(), [Due::Lapse(lease)] if lease.seconds == 60));

    yard.world.session.agent = None;
    agent::pause(&yard.world.session, &yard.world.cell, &id, Some(600), None).unwrap();
    assert!(yard.sees_the_cell_change());
    assert_eq!(yard.agent().status, AgentStatus::Paused);
    assert!(yard.census().due.contains(&Due::Wake(wall().plus(600))));

    cell::pause(&yard.world.session, &yard.world.cell, None, None).unwrap();
    assert!(yard.sees_the_cell_change());
    assert_eq!(yard.census().status, Some(CellStatus::Paused));
    yard.is_as_the_disk();
}

#[test]
fn what_is_written_by_hand_is_seen() {
    let mut yard = Yard::new();
    let text = std::fs::read_to_string(yard.path("agents/agent_001.json")).unwrap();
    let watched = text.replacen(
        '{',
        r#"{"gateway": "127.0.0.1:1", "health": {"interval": 7},"#,
        1,
    );
    let watched = watched.replacen(r#""gateway": null,"#, "", 1);
    std::fs::write(yard.path("agents/agent_001.json"), watched).unwrap();
    assert!(yard.sees_the_cell_change());
    assert_eq!(yard.agent().gateway.as_deref(), Some("127.0.0.1:1"));
    assert_eq!(yard.agent().watch.as_ref().unwrap().interval, Some(7));

    let cell = std::fs::read_to_string(yard.path("cell.json")).unwrap();
    std::fs::write(
        yard.path("cell.json"),
        cell.replace("Example Mission", "Another"),
    )
    .unwrap();
    assert!(yard.sees_the_cell_change());
    assert_eq!(yard.census().mission_name, "Another");
}

#[test]
fn how_long_a_task_may_take_is_seen_when_it_changes() {
    let mut yard = Yard::new();
    let id = yard.agent().id.clone();
    let task: TaskId = yard.world.add_task(None);
    yard.world.session.agent = Some(id);
    task::claim(&yard.world.session, &yard.world.cell, &task, None).unwrap();
    yard.refresh();
    let file = format!("tasks/{task}.json");
    let text = std::fs::read_to_string(yard.path(&file)).unwrap();
    assert!(text.contains(r#""timeout": 1800"#), "{text}");
    std::fs::write(yard.path(&file), text.replace(": 1800", ": 77")).unwrap();
    yard.refresh();
    assert_eq!(yard.agent().task_timeout, Some(77));
}

#[test]
fn a_run_that_begins_later_is_seen() {
    let mut yard = Yard::new();
    let (run, states) = (yard.path(".mcell/run"), yard.path(".mcell/agents"));
    std::fs::create_dir_all(&run).unwrap();
    std::fs::create_dir_all(&states).unwrap();
    assert_eq!(yard.refresh().changed, BTreeSet::new());
    std::fs::write(
        states.join("agent_001.json"),
        r#"{"wanted": "running", "failures": 3}"#,
    )
    .unwrap();
    assert!(yard.sees_the_cell_change());
    assert!(yard.agent().is_wanted && !yard.agent().is_alive);

    let lock = std::fs::File::create(run.join("agent_001.lock")).unwrap();
    assert!(crate::store::fs2::try_lock(&lock, true).unwrap());
    let note = r#"{"incarnation": 4, "pid": 77, "token_sha256": "ab", "new": "later"}"#;
    std::fs::write(run.join("agent_001.json"), note).unwrap();
    assert!(yard.sees_the_cell_change());
    assert!(yard.agent().is_alive);
    let note = RunNote {
        incarnation: 4,
        token_sha256: Some(String::from("ab")),
        pid: Some(77),
        ..RunNote::default()
    };
    assert_eq!(yard.agent().run, Some(note));

    drop(lock);
    assert!(yard.sees_the_cell_change());
    assert!(!yard.agent().is_alive && yard.agent().run.is_some());
    std::fs::write(states.join("agent_001.json"), r#"{"wanted": "stopped"}"#).unwrap();
    assert!(yard.sees_the_cell_change());
    assert!(!yard.agent().is_wanted);
}

#[test]
fn a_folder_and_what_is_in_it_may_come_at_once() {
    let mut yard = Yard::new();
    std::fs::create_dir_all(yard.path(".mcell/run")).unwrap();
    std::fs::write(
        yard.path(".mcell/run/agent_001.json"),
        r#"{"incarnation": 2}"#,
    )
    .unwrap();
    assert!(yard.sees_the_cell_change());
    // Another folder in the place of one that was watched.
    std::fs::rename(yard.path("agents"), yard.path("before")).unwrap();
    std::fs::create_dir(yard.path("agents")).unwrap();
    std::fs::write(yard.path("agents/agent_007.json"), agent_json("agent_007")).unwrap();
    assert!(yard.sees_the_cell_change());
    assert_eq!(yard.agent().id.as_str(), "agent_007");
    std::fs::write(yard.path("agents/agent_008.json"), agent_json("agent_008")).unwrap();
    assert!(yard.sees_the_cell_change());
    // The other one is nobody's now.
    std::fs::write(yard.path("before/agent_009.json"), agent_json("agent_009")).unwrap();
    assert_eq!(yard.refresh(), Refreshed::default());
}

fn beat(up: u64, kind: Sign) -> Beat {
    Beat {
        up,
        boot: None,
        incarnation: None,
        kind,
        says: crate::mission::beat::Says::Lives,
        status: None,
        progress: None,
        quiet_until: None,
        metadata: serde_json::Map::new(),
    }
}

#[test]
fn a_beat_is_heard_once() {
    let mut yard = Yard::new();
    let (id, agent) = (yard.id(), yard.agent().id.clone());
    let give = |yard: &Yard, beat: &Beat| {
        crate::store::beat::write(yard.world.cell.folder(), &agent, beat).unwrap();
    };
    let heard = |beat: Beat| Heard {
        cell: id.clone(),
        agent: agent.clone(),
        beat,
    };
    // The first one makes folder and file.
    give(&yard, &beat(1, Sign::Heartbeat));
    assert_eq!(yard.refresh().beats, [heard(beat(1, Sign::Heartbeat))]);
    assert_eq!(yard.refresh(), Refreshed::default());
    give(&yard, &beat(2, Sign::Heartbeat));
    give(&yard, &beat(3, Sign::Output));
    assert_eq!(
        yard.refresh().beats,
        [
            heard(beat(2, Sign::Heartbeat)),
            heard(beat(3, Sign::Output))
        ]
    );
    // A census for another reason, and a full one, do not say it again.
    yard.world.add_agent();
    assert!(yard.refresh().beats.is_empty());
    yard.up += u64::try_from(EVERY.as_millis()).unwrap();
    assert!(yard.refresh().beats.is_empty());
    // Half a write, and somebody else's, are none.
    std::fs::write(yard.path(".mcell/run/agent_001.beat"), "{\"up\":9").unwrap();
    std::fs::write(yard.path(".mcell/run/nobody.beat"), "x").unwrap();
    assert_eq!(yard.refresh(), Refreshed::default());
}

#[test]
fn a_file_of_beats_has_the_rights_of_its_folder() {
    use std::os::unix::fs::PermissionsExt;
    let yard = Yard::new();
    let agent = yard.agent().id.clone();
    crate::store::beat::write(yard.world.cell.folder(), &agent, &beat(1, Sign::Notify)).unwrap();
    let about = std::fs::metadata(yard.path(".mcell/run/agent_001.beat")).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o640);
    assert_eq!(
        crate::store::beat::read(yard.world.cell.folder(), &agent).unwrap(),
        [beat(1, Sign::Notify)]
    );
}
