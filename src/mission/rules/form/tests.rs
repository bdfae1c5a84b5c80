//! What each rule of form says about a file that breaks it, and what it would mend.

use super::super::testing::{FOLDER, cell};
use super::*;
use crate::base::finding::{Mend, Severity, Spot};
use serde_json::{Value, json};

/// A sound task with one piece of its text replaced.
fn task_with(with: Value) -> Finding {
    cell().task("task_001", with).only()
}

fn set(pointer: &str, value: Value) -> Option<Mend> {
    Some(Mend::Set(pointer.into(), value))
}

fn broken(text: impl AsRef<[u8]>) -> Finding {
    cell().file("tasks/task_001.json", text).only()
}

#[test]
fn a_sound_cell_has_no_findings_of_form() {
    let recipe = r#"{"cell_id": "0b7a3f8e-5c1d-4e2a-9f60-1a2b3c4d5e6f", "mission_name": "Example Mission",
        "created_at": "2026-01-02T03:00:00Z", "created_by": "agent_001", "status": "active", "isolation_level": "none"}"#;
    let agent = r#"{"agent_id": "agent_001", "name": "Lead", "role": "lead", "capabilities": ["plan"],
        "gateway": null, "status": "idle", "current_task": null, "checkpoint": null}"#;
    let task = r#"{"task_id": "task_001", "title": "First", "description": "", "assigned_to": "agent_001",
        "status": "pending", "priority": "high", "dependencies": [], "artifacts": [], "timeout": 1800,
        "created_at": "2026-01-02T03:00:00+01:00"}"#;
    let built = cell()
        .file("cell.json", recipe)
        .file("agents/agent_001.json", agent)
        .file("tasks/task_001.json", task)
        .thorough();
    assert_eq!(built.findings(), []);
}

#[test]
fn what_is_not_json_is_said_at_its_byte() {
    let found = broken(r#"{ "task_id": "task_001", }"#);
    assert_eq!((found.code, found.spot), ("MC001", Spot::Bytes(25, 1)));
    assert_eq!(
        found.message,
        "this is not JSON: expected a key in double quotes here, not the end"
    );
    assert_eq!(
        found.hints,
        ["remove the comma before it, or write what is missing"]
    );

    let found = broken(r#"{ "task_id": "#);
    assert_eq!((found.code, found.hints.len()), ("MC001", 1));
    assert_eq!(found.message, "the file ends in the middle of an object");
    let found = broken("{} {}");
    assert_eq!(
        found.hints,
        ["a file holds one object: remove what comes after it"]
    );
    let found = broken("{'a': 1}");
    assert_eq!(
        found.hints,
        ["write double quotes: JSON knows no single ones"]
    );
}

#[test]
fn encodings_are_told_apart() {
    let found = broken(b"{\"title\": \"Pr\xfcfung\"}");
    assert_eq!((found.code, found.spot), ("MC002", Spot::Bytes(13, 1)));
    assert!(found.hints[0].contains("LATIN1"), "{found:?}");
    let found = broken(b"\xff\xfe{\0}\0");
    assert_eq!(
        (found.code, &*found.message),
        ("MC002", "the file is UTF-16, not UTF-8")
    );
    let found = broken(b"\xef\xbb\xbf{}");
    assert_eq!(
        (found.code, found.mend),
        ("MC003", Some(Mend::DropByteOrderMark))
    );
}

#[test]
fn nothing_and_too_much_nesting_have_their_own_codes() {
    assert_eq!(broken("").message, "the file is empty");
    assert_eq!(broken(" \n").code, "MC066");
    let deep = "[".repeat(10_000);
    assert_eq!(broken(deep).code, "MC065");
}

#[test]
fn a_key_that_stands_twice_is_found_at_its_second_place() {
    let text = r#"{"task_id": "task_001", "title": "a", "status": "pending", "priority": "low",
        "created_at": "2026-01-02T03:00:00Z", "title": "b"}"#;
    let found = broken(text);
    assert_eq!(
        (found.code, &*found.message),
        ("MC004", "the key `title` stands here for the second time")
    );
    let Spot::Bytes(from, width) = found.spot else {
        panic!("{found:?}");
    };
    assert_eq!((&text[from..from + width], found.mend), ("\"title\"", None));
    assert!(from > 80);
}

#[test]
fn what_is_missing_is_filled_only_where_that_is_safe() {
    let found = broken(r#"{"created_at": "2026-01-02T03:00:00Z"}"#.as_bytes().to_vec().as_slice().to_vec().as_slice().split_at(0).1.to_vec().is_empty().then_some("").unwrap_or(
        r#"{"task_id": "task_001", "title": "a", "priority": "low", "created_at": "2026-01-02T03:00:00Z"}"#,
    ));
    assert_eq!(found.message, "the field `status` is missing");
    assert_eq!(found.mend, set("/status", json!("pending")));
    assert_eq!(found.hints, [r#"write `"status": "pending"`"#]);
}
