//! The same cases go to the tables, the JSON Schemas and the types: all three must call the same ones sound.

use super::{
    AGENT, ALL, CELL, FlawKind, ISOLATION, PERMISSIONS, POLICIES, Shape, TASK, read, schema,
};
use crate::base::document::Document;
use crate::base::text::Text;
use crate::mission::agent::Agent;
use crate::mission::cell::Cell;
use crate::mission::isolation::Isolation;
use crate::mission::permission::Permissions;
use crate::mission::policy::Policies;
use crate::mission::sheet::{Record, Sheet, Trouble};
use crate::mission::task::Task;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// A sound document of each kind, with everything in it that may be.
fn whole(shape: &Shape) -> Value {
    match shape.name {
        "cell" => json!({
            "cell_id": "0b7a3f8e-5c1d-4e2a-9f60-1a2b3c4d5e6f", "mission_name": "Example Mission",
            "created_at": "2026-01-02T03:04:05Z", "created_by": "ada", "status": "active",
            "isolation_level": "level_2", "max_agents": 10, "timeout": 3600,
            "policies": {"auto_revive": "ask", "handoff_allowed": true, "checkpoint_interval": 300},
            "paused_until": "2026-01-02T03:04:05+01:00"}),
        "agent" => json!({
            "agent_id": "agent_001", "name": "Worker", "role": "write", "capabilities": ["code", "naïve"],
            "gateway": "http://localhost:1", "status": "active", "current_task": "task_001",
            "checkpoint": {"last_checkpoint": "2026-01-02T03:04:05.25Z", "context_hash": "0".repeat(64), "artifacts": ["a b"]},
            "run": {"command": ["/bin/true", ""], "fresh_command": ["x"], "cwd": "/", "env": {"A": "", "b c": "d"},
                "env_file": "/x", "restart": "on-failure", "stop_signal": "SIGINT", "stop_timeout": 0, "notify": true,
                "checkpoint": ["c"], "restart_exit_codes": [0, 255], "permanent_exit_codes": [78]},
            "health": {"expect": ["heartbeat", "notify", "output", "probe"], "interval": 1, "timeout": 300,
                "output_timeout": 5, "failure_threshold": 3, "success_threshold": 2, "grace": 0, "probe_url": "u"},
            "paused_until": null}),
        "task" => json!({
            "task_id": "task_001", "title": "First", "description": "At\nlength", "assigned_to": "agent_001",
            "status": "in_progress", "priority": "high", "dependencies": ["task_000"], "artifacts": ["docs/a.md"],
            "timeout": 1800, "created_at": "2026-01-02T03:04:05Z", "completed_at": null,
            "started_at": "2026-01-02T03:04:05Z", "attempts": 1,
            "claim": {"agent": "agent_001", "token": 18446744073709551615u64, "expires_at": "2026-01-02T03:04:05Z"},
            "result": {"any": [1, null]}, "required_capabilities": ["code"]}),
        "isolation" => json!({
            "level": "level_3", "mount_namespaces": true, "network_isolation": false,
            "resource_limits": {"cpu": "2 cores", "memory": "4GB", "disk": "10 GiB"},
            "security_context": {"user": "hermes", "group": "hermes", "capabilities": ["CAP_CHOWN", "net_raw"]},
            "image": "alpine", "read_only_paths": ["/usr"], "writable_paths": ["/tmp"], "environment": ["PATH"]}),
        "policies" => json!({
            "auto_revive": "yes", "revive_timeout": 300, "substitute_agents": ["agent_002"], "handoff_allowed": true,
            "handoff_approval": "manual", "checkpoint_required": false, "max_retries": 0}),
        _ => json!({
            "agent_001": {"read": ["*"], "write": ["task_001"], "execute": [], "handoff_to": ["agent_002"],
                "handoff_from": ["*"]},
            "7": {}}),
    }
}

/// A whole document with one value put at a pointer; `gone` takes the member out.
fn with(shape: &Shape, pointer: &str, value: &Value) -> Value {
    let mut document = whole(shape);
    let (above, key) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(above) {
        Some(Value::Object(members)) if value == "gone" => drop(members.shift_remove(key)),
        Some(Value::Object(members)) => drop(members.insert(key.into(), value.clone())),
        _ => *document.pointer_mut(pointer).expect(pointer) = value.clone(),
    }
    document
}

type Changes = Vec<(&'static Shape, &'static str, Value)>;

/// What is sound in a place, as JSON.
fn sound() -> Changes {
    vec![
        (&CELL, "/policies", json!("gone")),
        (&CELL, "/policies", json!({})),
        (&CELL, "/policies/auto_revive", json!(null)),
        (&CELL, "/max_agents", json!(1_000_000)),
        (&CELL, "/timeout", json!("gone")),
        (&CELL, "/mission_name", json!("é".repeat(200))),
        (
            &CELL,
            "/cell_id",
            json!("0B7A3F8E-5C1D-4E2A-9F60-1A2B3C4D5E6F"),
        ),
        (
            &CELL,
            "/cell_id",
            json!("00000000-0000-0000-0000-000000000000"),
        ),
        (&CELL, "/created_at", json!("2026-01-02t03:04:05z")),
        (&CELL, "/created_at", json!("2024-02-29T23:59:60Z")),
        (&CELL, "/notes", json!({"of": "another tool"})),
        (&AGENT, "/run", json!("gone")),
        (&AGENT, "/checkpoint", json!(null)),
        (&AGENT, "/checkpoint", json!({})),
        (&AGENT, "/capabilities", json!([])),
        (&AGENT, "/capabilities/0", json!("é".repeat(200))),
        (&AGENT, "/run/env", json!({})),
        (&AGENT, "/run/command", json!([])),
        (&AGENT, "/run/unknown", json!(1)),
        (&TASK, "/completed_at", json!("gone")),
        (&TASK, "/description", json!("")),
        (&TASK, "/assigned_to", json!("A.b-c_9")),
        (&TASK, "/dependencies", json!(["x".repeat(128)])),
        (&TASK, "/result", json!(1e300)),
        (&TASK, "/claim/expires_at", json!(null)),
        (&TASK, "/claim/token", json!(0)),
        (&ISOLATION, "/resource_limits", json!({})),
        (&ISOLATION, "/resource_limits/cpu", json!("1500m")),
        (&ISOLATION, "/resource_limits/cpu", json!(" 0.5 Cores ")),
        (&ISOLATION, "/resource_limits/cpu", json!("1.2500")),
        (&ISOLATION, "/resource_limits/memory", json!("1048576")),
        (&ISOLATION, "/resource_limits/memory", json!("4g")),
        (&ISOLATION, "/resource_limits/memory", json!("1.5KiB")),
        (&ISOLATION, "/resource_limits/disk", json!("7 bytes")),
        (
            &ISOLATION,
            "/security_context/capabilities",
            json!(["Sys_Admin"]),
        ),
        (&POLICIES, "/substitute_agents", json!([])),
        (&POLICIES, "/max_retries", json!(1000)),
        (&POLICIES, "/auto_revive", json!("gone")),
        (&PERMISSIONS, "/agent_001", json!({})),
        (&PERMISSIONS, "/agent_001/read", json!(null)),
        (
            &PERMISSIONS,
            "/agent_002",
            json!({"read": ["*", "task_001"], "other": 1}),
        ),
    ]
}

/// What is broken in a place, as JSON.
fn broken() -> Changes {
    vec![
        (&CELL, "/cell_id", json!("gone")),
        (&CELL, "/cell_id", json!("0b7a3f8e5c1d4e2a9f601a2b3c4d5e6f")),
        (
            &CELL,
            "/cell_id",
            json!("{0b7a3f8e-5c1d-4e2a-9f60-1a2b3c4d5e6f}"),
        ),
        (&CELL, "/mission_name", json!("")),
        (&CELL, "/mission_name", json!("x".repeat(201))),
        (&CELL, "/created_at", json!("2026-01-02 03:04:05")),
        (&CELL, "/created_at", json!("2026-02-30T03:04:05Z")),
        (&CELL, "/created_at", json!("2026-01-02 03:04:05Z")),
        (&CELL, "/created_at", json!("2026-01-02T03:04:05+24:00")),
        (&CELL, "/created_at", json!("2026-01-02T03:04:05 Z")),
        (&CELL, "/created_at", json!("2026-01-02T12:00:60Z")),
        (&CELL, "/created_at", json!("+12026-01-02T03:04:05Z")),
        (&CELL, "/created_at", json!("2026-01-02T03:04:05")),
        (&CELL, "/created_at", json!(1767323045)),
        (&CELL, "/status", json!("done")),
        (&CELL, "/status", json!(null)),
        (&CELL, "/status", json!({"active": null})),
        (&CELL, "/isolation_level", json!(2)),
        (&CELL, "/max_agents", json!(0)),
        (&CELL, "/max_agents", json!(-1)),
        (&CELL, "/max_agents", json!("10")),
        (&CELL, "/timeout", json!(1.5)),
        (&CELL, "/policies", json!(["yes", true, 300])),
        (&CELL, "/policies/auto_revive", json!(true)),
        (&CELL, "/policies/handoff_allowed", json!("true")),
        (&AGENT, "/agent_id", json!("../x")),
        (&AGENT, "/name", json!("gone")),
        (&AGENT, "/role", json!("Lead")),
        (&AGENT, "/capabilities", json!("code")),
        (&AGENT, "/capabilities/0", json!("two words")),
        (&AGENT, "/capabilities/0", json!("thin\u{2009}space")),
        (&AGENT, "/capabilities/0", json!("")),
        (&AGENT, "/capabilities/0", json!(null)),
        (&AGENT, "/capabilities/0", json!("x".repeat(201))),
        (&AGENT, "/current_task", json!("")),
        (&AGENT, "/checkpoint", json!([null, null, []])),
        (&AGENT, "/checkpoint/context_hash", json!("A".repeat(64))),
        (&AGENT, "/checkpoint/last_checkpoint", json!("now")),
        (&AGENT, "/run", json!({})),
        (&AGENT, "/run/command", json!("/bin/true")),
        (&AGENT, "/run/env/A", json!(1)),
        (&AGENT, "/run/restart_exit_codes", json!([256])),
        (&AGENT, "/run/restart", json!("on_failure")),
        (&AGENT, "/health/expect/0", json!("pulse")),
        (&AGENT, "/health/interval", json!(86_401)),
        (&TASK, "/task_id", json!("x".repeat(129))),
        (&TASK, "/title", json!("x".repeat(1001))),
        (&TASK, "/title", json!(["First"])),
        (&TASK, "/assigned_to", json!("agent 1")),
        (&TASK, "/status", json!("in-progress")),
        (&TASK, "/priority", json!("gone")),
        (&TASK, "/dependencies", json!(["task_000", 7])),
        (&TASK, "/dependencies", json!({})),
        (&TASK, "/artifacts/0", json!("")),
        (&TASK, "/timeout", json!(0)),
        (&TASK, "/completed_at", json!("")),
        (&TASK, "/attempts", json!(-1)),
        (&TASK, "/claim", json!(["agent_001", 1, null])),
        (&TASK, "/claim/token", json!("gone")),
        (&TASK, "/claim/token", json!(1.8446744073709552e19)),
        (&TASK, "/required_capabilities/0", json!("a\tb")),
        (&ISOLATION, "/level", json!("gone")),
        (&ISOLATION, "/mount_namespaces", json!(1)),
        (&ISOLATION, "/resource_limits", json!(["2 cores"])),
        (&ISOLATION, "/resource_limits/cpu", json!(2)),
        (&ISOLATION, "/resource_limits/cpu", json!("2 cpus")),
        (&ISOLATION, "/resource_limits/cpu", json!("0 cores")),
        (&ISOLATION, "/resource_limits/cpu", json!("0.0005 cores")),
        (&ISOLATION, "/resource_limits/cpu", json!("0.5m")),
        (&ISOLATION, "/resource_limits/memory", json!("lots")),
        (&ISOLATION, "/resource_limits/memory", json!("0GB")),
        (&ISOLATION, "/resource_limits/memory", json!("4iB")),
        (&ISOLATION, "/resource_limits/memory", json!("4GBB")),
        (&ISOLATION, "/resource_limits/disk", json!("-4GB")),
        (&ISOLATION, "/resource_limits/disk", json!("5.GB")),
        (&ISOLATION, "/security_context/user", json!("")),
        (
            &ISOLATION,
            "/security_context/capabilities",
            json!(["CAP_FLY"]),
        ),
        (
            &ISOLATION,
            "/security_context/capabilities",
            json!(["ſyslog"]),
        ),
        (&ISOLATION, "/environment", json!(["A B"])),
        (&POLICIES, "/auto_revive", json!("maybe")),
        (&POLICIES, "/revive_timeout", json!(0)),
        (&POLICIES, "/substitute_agents", json!("agent_002")),
        (&POLICIES, "/handoff_approval", json!({"auto": null})),
        (&POLICIES, "/checkpoint_required", json!("no")),
        (&POLICIES, "/max_retries", json!(1001)),
        (&PERMISSIONS, "/agent 1", json!({})),
        (&PERMISSIONS, "/agent_001", json!(null)),
        (
            &PERMISSIONS,
            "/agent_001",
            json!([["*"], null, null, null, null]),
        ),
        (&PERMISSIONS, "/agent_001/read", json!("*")),
        (&PERMISSIONS, "/agent_001/write/0", json!("**")),
    ]
}

/// Whether the tables find no error in a text.
fn table_takes(shape: &'static Shape, text: &str) -> bool {
    let document = Document::parse(text.as_bytes()).expect("JSON");
    let flaws = read(&document, shape, "stem").flaws;
    flaws
        .iter()
        .all(|flaw| matches!(flaw.kind, FlawKind::Unknown(..)))
}

fn schema_takes(shape: &'static Shape, document: &Value) -> bool {
    let schema = schema::schema(shape);
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    let validator = options.should_validate_formats(true).build(&schema);
    validator.expect("a schema").is_valid(document)
}

/// What a sheet makes of a text: whether it holds a value, and whether it has an error.
fn sheet_says(shape: &Shape, text: &str) -> (bool, bool) {
    fn of<'a, T: Record + Deserialize<'a>>(text: &'a str) -> (bool, bool) {
        let sheet = Sheet::<T>::read("stem.json", text.as_bytes());
        let is_flaw = |trouble: &Trouble| match trouble {
            Trouble::Fault(_) => true,
            Trouble::Flaws(flaws) => flaws
                .iter()
                .any(|flaw| !matches!(flaw.kind, FlawKind::Unknown(..))),
        };
        (
            sheet.value.is_some(),
            sheet.trouble.as_ref().is_some_and(is_flaw),
        )
    }
    match shape.name {
        "cell" => of::<Cell<Text<'_>>>(text),
        "agent" => of::<Agent<Text<'_>>>(text),
        "task" => of::<Task<Text<'_>>>(text),
        "isolation" => of::<Isolation<Text<'_>>>(text),
        "policies" => of::<Policies<Text<'_>>>(text),
        _ => of::<Permissions<Text<'_>>>(text),
    }
}

fn all_agree(shape: &'static Shape, document: &Value, is_sound: bool) {
    let text = document.to_string();
    assert_eq!(table_takes(shape, &text), is_sound, "the table of {text}");
    assert_eq!(
        schema_takes(shape, document),
        is_sound,
        "the schema of {text}"
    );
    assert_eq!(
        sheet_says(shape, &text),
        (true, !is_sound),
        "the type of {text}"
    );
}

#[test]
fn tables_schemas_and_types_agree_on_every_case() {
    for shape in ALL {
        all_agree(shape, &whole(shape), true);
    }
    all_agree(&POLICIES, &json!({}), true);
    all_agree(&PERMISSIONS, &json!({}), true);
    for (cases, is_sound) in [(sound(), true), (broken(), false)] {
        for (shape, pointer, value) in cases {
            all_agree(shape, &with(shape, pointer, &value), is_sound);
        }
    }
}

#[test]
fn every_field_agrees_on_null_on_absence_and_on_other_types() {
    let odd = [
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!(0),
        json!(true),
        json!("gone"),
    ];
    for shape in ALL {
        for pointer in pointers(&whole(shape)) {
            for value in &odd {
                let document = with(shape, &pointer, value);
                let text = document.to_string();
                let is_sound = table_takes(shape, &text);
                all_agree(shape, &document, is_sound);
            }
        }
    }
}

#[test]
fn a_document_of_another_kind_is_refused_and_still_read() {
    for shape in ALL {
        for text in ["[]", "7", "\"x\"", "null"] {
            assert!(
                !table_takes(shape, text) && sheet_says(shape, text) == (true, true),
                "{text}"
            );
            let document = serde_json::from_str(text).expect("JSON");
            assert!(!schema_takes(shape, &document), "{text}");
        }
    }
}

#[test]
fn what_a_schema_cannot_say_is_known() {
    let unsaid = [
        (&TASK, "/timeout", "300.0"),
        (&TASK, "/result", r#"{"a": 1, "a": 2}"#),
        (&ISOLATION, "/resource_limits/memory", r#""99999999PB""#),
        (&ISOLATION, "/resource_limits/memory", r#""0.0001KB""#),
        (&ISOLATION, "/resource_limits/cpu", r#""99999999 cores""#),
    ];
    for (shape, pointer, value) in unsaid {
        let marked = with(shape, pointer, &json!("HERE")).to_string();
        let text = marked.replace("\"HERE\"", value);
        let document = serde_json::from_str(&text).expect("JSON");
        assert!(schema_takes(shape, &document), "{text}");
        assert!(!table_takes(shape, &text), "{text}");
        assert_eq!(sheet_says(shape, &text), (true, true), "{text}");
    }
}

/// Every place in a document below its root.
fn pointers(document: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        let below: Vec<_> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| (key.clone(), value))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, v)| (i.to_string(), v))
                .collect(),
            _ => return,
        };
        for (key, value) in below {
            let pointer = format!("{at}/{key}");
            walk(value, &pointer, found);
            found.push(pointer);
        }
    }
    let mut found = Vec::new();
    walk(document, "", &mut found);
    found
}

fn any_json() -> impl Strategy<Value = Value> {
    let words =
        "agent_001|task_001|\\*|yes|active|pending|idle|high|none|4GB|2 cores|\\PC{0,9}|[ -~]{0,9}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3i64..400).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{1,6}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The quick look of the good path never says yes where the tables find an error, and what is flawed is still read.
    #[test]
    fn the_quick_look_never_lets_an_error_pass(
        kind in 0..ALL.len(), place in any::<prop::sample::Index>(), value in any_json(),
        extra in prop::option::of(("[a-z_]{1,12}", any_json())),
    ) {
        let shape = ALL[kind];
        let all = pointers(&whole(shape));
        let mut document = with(shape, &all[place.index(all.len())], &value);
        if let (Some((key, value)), Value::Object(members)) = (extra, &mut document) {
            members.insert(key, value);
        }
        let text = document.to_string();
        let is_sound = table_takes(shape, &text);
        prop_assert_eq!(sheet_says(shape, &text), (true, !is_sound), "{}", text);
    }
}
