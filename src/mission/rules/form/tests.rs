//! What each rule of form says about a file that breaks it, and what it would mend.

use super::super::testing::{FOLDER, cell};
use super::*;
use crate::base::finding::{Mend, Severity, Spot};
use serde_json::{Value, json};

/// What is found in a sound task with members set.
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
        "this is not JSON: expected a key in double quotes here, not `}`"
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
    assert!(found.hints[0].contains("LATIN1"));
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
    let all = cell();
    let text = r#"{"title": "a", "priority": "low"}"#;
    let found = all.file("tasks/task_001.json", text).all();
    let said: Vec<_> = found
        .iter()
        .map(|one| (one.code, &*one.message, &one.mend))
        .collect();
    assert_eq!(
        said,
        [
            (
                "MC005",
                "the field `task_id` is missing",
                &set("/task_id", json!("task_001"))
            ),
            (
                "MC005",
                "the field `status` is missing",
                &set("/status", json!("pending"))
            ),
            ("MC005", "the field `created_at` is missing", &None),
        ]
    );
    assert_eq!(found[1].hints, [r#"write `"status": "pending"`"#]);
    assert_eq!(
        found[2].hints,
        [r#"write `"created_at"` with a time like "2026-01-02T03:04:05Z": when it was made"#]
    );
    let found = cell().file("cell.json", "{}").of("MC005");
    assert_eq!(found[0].mend, set("/cell_id", json!(FOLDER)));
    let nested = cell().agent("agent_001", json!({"run": {}})).only();
    assert_eq!(nested.message, "the field `command` of `run` is missing");
}

#[test]
fn a_type_is_mended_where_the_meaning_is_clear() {
    let found = task_with(json!({"timeout": "1800"}));
    assert_eq!(
        (found.code, found.mend),
        ("MC006", set("/timeout", json!(1800)))
    );
    assert_eq!(
        found.message,
        "`timeout` should be a whole number, not a string"
    );
    let found = task_with(json!({"artifacts": "report.md"}));
    assert_eq!(found.mend, set("/artifacts", json!(["report.md"])));
    let found = cell().policies(json!({"auto_revive": false})).only();
    assert_eq!(found.mend, set("/auto_revive", json!("no")));
    let found = cell().policies(json!({"handoff_allowed": "no"})).only();
    assert_eq!(found.mend, set("/handoff_allowed", json!(false)));

    let found = task_with(json!({"title": null}));
    assert_eq!(found.message, "`title` should be text, not null");
    let found = task_with(json!({"timeout": []}));
    assert_eq!(
        (&*found.hints[0], found.mend),
        (
            "write a whole number without quotes, or remove the field: then its default counts",
            None
        )
    );
    let found = task_with(json!({"dependencies": [7]}));
    assert_eq!(
        found.message,
        "`dependencies[0]` should be an id in quotes, not a number"
    );
    let found = cell().file("config/policies.json", "[]").only();
    assert_eq!(found.message, "the file should be an object, not an array");
}

#[test]
fn a_word_is_mended_only_in_its_spelling() {
    let found = task_with(json!({"priority": "High "}));
    assert_eq!(
        (found.code, found.mend),
        ("MC007", set("/priority", json!("high")))
    );
    let found = task_with(json!({"status": "done"}));
    assert_eq!(
        (&*found.message, &*found.hints[0], found.mend),
        (
            "`status` is `done`, not pending, in_progress, completed or failed",
            "did you mean \"completed\"?",
            None
        )
    );
    let found = cell().cell(json!({"isolation_level": "strict"})).only();
    assert_eq!(found.hints, ["write none, level_1, level_2 or level_3"]);
}

#[test]
fn ranges_are_named() {
    let found = cell().cell(json!({"max_agents": 0})).only();
    assert_eq!(found.code, "MC008");
    assert_eq!(
        found.message,
        "`max_agents`: 0 is not a whole number from 1 to 1000000"
    );
    assert_eq!(
        found.hints,
        ["write a whole number from 1 to 1000000, or remove the field: then 10 counts"]
    );
    let found = task_with(json!({"attempts": -1}));
    assert_eq!(
        found.message,
        "`attempts`: -1 is not a whole number of 0 or more"
    );
    let found = cell().cell(json!({"mission_name": ""})).only();
    assert_eq!(found.message, "`mission_name`: the text is empty");
    let found = task_with(json!({"title": "x".repeat(1001)}));
    assert_eq!(
        found.message,
        "`title`: the text has 1001 characters, at most 1000 may be"
    );
}

#[test]
fn a_field_is_renamed_only_where_it_is_surely_meant() {
    let text = r#"{"task_id": "task_001", "title": "a", "status": "pending", "priority": "low",
        "created_at": "2026-01-02T03:00:00Z", "WITH": 1}"#;
    let with = |member: &str| broken(text.replace(r#""WITH": 1"#, member));

    let found = with(r#""assigned_too": null"#);
    assert_eq!((found.code, found.severity), ("MC009", Severity::Warning));
    assert_eq!(found.spot, Spot::Key("/assigned_too".into()));
    assert_eq!(found.message, "a task has no field `assigned_too`");
    assert_eq!(found.hints, ["did you mean `assigned_to`?"]);
    let rename = Mend::Rename("/assigned_too".into(), "assigned_to".into());
    assert_eq!(found.mend, Some(rename));
    // Two letters away, and it may well be a note of another tool.
    let found = with(r#""completed_by": "2026-01-02T03:00:00Z""#);
    assert_eq!(
        (&*found.hints[0], found.mend),
        ("did you mean `completed_at`?", None)
    );
    // The value would not be sound there.
    assert_eq!(with(r#""complete_at": "10 %""#).mend, None);
    // The known one is there.
    assert_eq!(with(r#""Title": "b""#).mend, None);
    let found = with(r#""x-jira": {"deep": 1}"#);
    assert_eq!(
        found.hints,
        ["remove it, or leave it if another tool put it there"]
    );
    let found = cell()
        .cell(json!({"policies": {"auto-revive": "yes"}}))
        .only();
    assert_eq!(found.message, "`policies` has no field `auto-revive`");
    assert!(found.mend.is_some());
}

#[test]
fn a_time_is_rewritten_where_it_can_be_guessed() {
    let found = task_with(json!({"created_at": "2026-01-02 03:00:00"}));
    assert_eq!(
        (found.code, found.mend),
        ("MC010", set("/created_at", json!("2026-01-02T03:00:00Z")))
    );
    let found = task_with(json!({"created_at": "yester\u{1b}day"}));
    assert_eq!(
        (&*found.message, found.mend),
        (
            "`created_at` is `yester\\u{1b}day`, which is not a time as RFC 3339 writes it",
            None
        )
    );
}

#[test]
fn ids_are_checked_as_values_and_as_keys() {
    let found = task_with(json!({"dependencies": ["../../etc/passwd"]}));
    assert_eq!(
        (found.code, found.spot),
        ("MC011", Spot::Value("/dependencies/0".into()))
    );
    assert_eq!(
        found.message,
        "`dependencies[0]` is `../../etc/passwd`, which is not an id"
    );
    let found = task_with(json!({"assigned_to": ""}));
    assert_eq!(found.hints, ["write null if nothing is meant"]);
    let found = cell()
        .permissions(json!({"agent 1": {"read": ["*"]}}))
        .only();
    assert_eq!(
        (found.code, found.spot),
        ("MC011", Spot::Key("/agent 1".into()))
    );
}

#[test]
fn texts_with_a_form_of_their_own() {
    let found = cell().cell(json!({"cell_id": "mission-1"})).only();
    assert_eq!(
        (found.code, found.mend),
        ("MC060", set("/cell_id", json!(FOLDER)))
    );
    let found = cell()
        .agent("agent_001", json!({"capabilities": ["write code"]}))
        .only();
    assert_eq!(
        (found.code, &*found.hints[0]),
        ("MC061", "write it without white space, like \"write-code\"")
    );
    let checkpoint = json!({"checkpoint": {"context_hash": "sha256:abc"}});
    let found = cell().agent("agent_001", checkpoint).only();
    assert_eq!(found.code, "MC062");
    let limits = json!({"level": "none", "resource_limits": {"cpu": "2 cpus"}});
    let found = cell().isolation(limits).only();
    assert_eq!(
        (found.code, &*found.message),
        (
            "MC063",
            "`resource_limits.cpu` is not an amount: its unit is not known"
        )
    );
    assert_eq!(found.hints, [r#"write "2 cores", "0.5 cores" or "1500m""#]);
    let context = json!({"level": "none", "security_context": {"capabilities": ["NET_BIND", "cap_chown", "NET_ADMN", "planning"]}});
    let found = cell().isolation(context).all();
    let hints: Vec<_> = found.iter().map(|one| (one.code, &*one.hints[0])).collect();
    assert_eq!(
        hints,
        [
            ("MC064", "did you mean \"NET_BIND_SERVICE\"?"),
            ("MC064", "did you mean \"NET_ADMIN\"?"),
            ("MC064", "write a name of capabilities(7), or remove it"),
        ]
    );
}

#[test]
fn a_hostile_file_is_named_in_bounded_time() {
    let many = vec!["1"; 1_000_000].join(",");
    let text = format!(
        r#"{{"task_id": "task_001", "title": "a", "status": "pending", "priority": "low",
        "created_at": "2026-01-02T03:00:00Z", "dependencies": [{many}]}}"#
    );
    let built = cell().file("tasks/task_001.json", text);
    assert_eq!(built.codes().len(), 1000);
    let long = "x".repeat(4_000_000);
    let found = broken(format!(
        r#"{{"task_id": "task_001", "title": "a", "status": "pending", "priority": "low",
        "created_at": "2026-01-02T03:00:00Z", "{long}": 1}}"#
    ));
    assert!(found.message.len() < 200 && found.code == "MC009");
}

#[test]
fn every_message_is_one_lower_case_sentence() {
    let built = cell()
        .file(
            "cell.json",
            r#"{"cell_id": "x", "status": "On", "timeout": -1, "x": 1, "x": 2}"#,
        )
        .file("tasks/task_001.json", r#"{"created_at": 7, "claim": {}}"#)
        .file("agents/agent_001.json", "nil");
    for found in built.all() {
        let text = &found.message;
        assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
        assert!(!text.starts_with(char::is_uppercase), "{text}");
        assert!(
            !found.hints.is_empty() || found.code == "MC001",
            "{found:?}"
        );
    }
}

#[test]
fn no_error_hides_behind_a_thousand_fields_that_nobody_knows() {
    let unknown: Vec<String> = (0..1500).map(|at| format!("\"u{at}\": 1")).collect();
    let text = format!(
        r#"{{{}, "task_id": "task_001", "title": "x", "status": 5, "priority": "low", "created_at": "soon"}}"#,
        unknown.join(",")
    );
    let shape = &crate::mission::shape::TASK;
    let first = first_error(shape, "tasks/task_001.json", text.as_bytes());
    assert_eq!(first.map(|found| found.code), Some("MC006"));
    let built = cell().file("tasks/task_001.json", text);
    let found = built.all();
    let errors = found
        .iter()
        .filter(|found| found.severity == Severity::Error);
    assert_eq!(
        errors.map(|found| found.code).collect::<Vec<_>>(),
        ["MC006", "MC010"]
    );
    assert_eq!(found.len(), crate::mission::rules::MOST);
}
