//! Acts of agents.

use super::*;
use serde_json::json;

fn act(pit: &Pit, token: &str, act: &Value) -> Answer {
    pit.post_with(
        token,
        &format!("/cells/{}/acts", pit.cell()),
        &act.to_string(),
    )
}

#[test]
fn an_agent_claims_works_and_completes() {
    let mut pit = Pit::new();
    let agent = pit.start("secret", 1);
    let task = pit.root.add_task(None);
    let claimed = act(
        &pit,
        "secret",
        &json!({"op": "task claim", "next": true, "lease": 600}),
    );
    assert_eq!(claimed.status, 200, "{claimed:?}");
    assert_eq!(claimed.body["cell_id"], pit.cell());
    assert_eq!(claimed.body["task_id"], task.as_str());
    assert_eq!(claimed.body["claim"]["agent"], agent.as_str());
    let token = claimed.body["claim"]["token"].as_u64().unwrap();
    let saved = act(
        &pit,
        "secret",
        &json!({"op": "checkpoint save", "state": {"step": 1}, "context": {}, "token": token}),
    );
    assert_eq!(
        (saved.status, &saved.body["generation"]),
        (200, &Value::from(1)),
        "{saved:?}"
    );
    let done = json!({"op": "task complete", "task": task.as_str(), "token": token, "result": {"passed": 41}});
    let completed = act(&pit, "secret", &done);
    assert_eq!(completed.body["status"], "completed", "{completed:?}");
    assert_eq!(completed.body["result"]["passed"], 41);
    let listed = act(&pit, "secret", &json!({"op": "task list"}));
    assert_eq!(listed.body["tasks"][0]["status"], "completed");
    let line = pit.root.journal().pop().unwrap();
    assert_eq!(line.by, agent.as_str());
}

#[test]
fn what_the_command_refuses_is_refused_with_its_hint() {
    let mut pit = Pit::new();
    pit.start("secret", 1);
    let task = pit.root.add_task(None);
    let first = act(
        &pit,
        "secret",
        &json!({"op": "task claim", "task": task.as_str()}),
    );
    let token = first.body["claim"]["token"].as_u64().unwrap();
    let again = act(
        &pit,
        "secret",
        &json!({"op": "task claim", "task": task.as_str()}),
    );
    assert_eq!(again.status, 200);
    let late = act(
        &pit,
        "secret",
        &json!({"op": "task fail", "task": task.as_str(), "reason": "x", "token": token}),
    );
    assert_eq!((late.status, late.code()), (409, "fenced"));
    let none = act(
        &pit,
        "secret",
        &json!({"op": "task show", "task": "task_999"}),
    );
    assert_eq!((none.status, none.code()), (404, "not_found"));
    assert!(none.body["error"]["hints"].is_array());
    let usage = act(&pit, "secret", &json!({"op": "task claim"}));
    assert_eq!((usage.status, usage.code()), (400, "usage"));
}

#[test]
fn an_act_is_of_the_agent_of_this_cell_that_the_token_is_of() {
    let mut pit = Pit::new();
    pit.start("secret", 1);
    let second = pit.add_cell();
    let body = r#"{"op": "task list"}"#;
    let path = format!("/cells/{}/acts", pit.cell());
    assert_eq!(pit.post(&path, body).status, 401);
    assert_eq!(pit.post_with(OPERATOR, &path, body).status, 401);
    assert_eq!(pit.post_with("secret", &path, body).status, 200);
    let elsewhere = format!("/cells/{second}/acts");
    assert_eq!(pit.post_with("secret", &elsewhere, body).status, 403);
    assert_eq!(
        pit.post_with("secret", "/cells/nothing/acts", body).status,
        403
    );
    for wrong in [
        "",
        "{}",
        "[]",
        r#"{"op": "cell remove"}"#,
        r#"{"op": "task list", "more": 1}"#,
        r#"{"op": "task claim", "next": true, "leese": 1}"#,
    ] {
        assert_eq!(pit.post_with("secret", &path, wrong).status, 400, "{wrong}");
    }
}

#[test]
fn an_act_of_a_life_that_is_over_is_fenced_though_no_sweep_saw_its_end() {
    let mut pit = Pit::new();
    let agent = pit.start("first", 1);
    pit.root.add_task(None);
    pit.note(&agent, "second", 2);
    let claim = json!({"op": "task claim", "next": true});
    let late = act(&pit, "first", &claim);
    assert_eq!((late.status, late.code()), (409, "fenced"));
    assert_eq!(act(&pit, "second", &claim).status, 200);
}

#[test]
fn a_life_that_no_sweep_saw_begin_may_act() {
    let mut pit = Pit::new();
    let agent = pit.start("first", 1);
    pit.note(&agent, "second", 2);
    assert_eq!(
        act(&pit, "second", &json!({"op": "task ready"})).status,
        200
    );
}

#[test]
fn no_path_of_the_daemon_is_read_for_an_agent() {
    let mut pit = Pit::new();
    pit.start("secret", 1);
    let outside = pit.root.root().path().join("outside.txt");
    std::fs::write(&outside, "not for agents").unwrap();
    let name = outside.to_str().unwrap();
    for path in [
        name,
        "/etc/passwd",
        "../../outside.txt",
        "~/x",
        "outside.txt",
        "artifacts/../outside.txt",
    ] {
        let answer = act(
            &pit,
            "secret",
            &json!({"op": "artifact add", "artifacts": [path]}),
        );
        assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
    }
    pit.root.write("artifacts/code/own.rs", "fn main() {}");
    let answer = act(
        &pit,
        "secret",
        &json!({"op": "artifact add", "artifacts": ["code/own.rs"]}),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["artifacts"][0]["change"], "recorded");
    // A link out of the cell is none of its files.
    std::os::unix::fs::symlink("/etc", pit.root.cell.path().join("artifacts/docs/etc")).unwrap();
    let answer = act(
        &pit,
        "secret",
        &json!({"op": "artifact add", "artifacts": ["docs/etc/hostname"]}),
    );
    assert_ne!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_task_is_handed_from_one_agent_to_another() {
    let mut pit = Pit::new();
    pit.start("one", 1);
    let other = pit.start("two", 1);
    let task = pit.root.add_task(None);
    let claimed = act(
        &pit,
        "one",
        &json!({"op": "task claim", "task": task.as_str()}),
    );
    let token = &claimed.body["claim"]["token"];
    let offered = act(
        &pit,
        "one",
        &json!({"op": "handoff", "task": task.as_str(), "agent": other.as_str(), "token": token}),
    );
    assert_eq!(offered.status, 200, "{offered:?}");
    let listed = act(&pit, "two", &json!({"op": "handoff list"}));
    assert_eq!(listed.body["handoffs"][0]["id"], offered.body["id"]);
    let accepted = act(
        &pit,
        "two",
        &json!({"op": "handoff accept", "handoff": offered.body["id"]}),
    );
    assert_eq!(accepted.status, 200, "{accepted:?}");
    assert_eq!(accepted.body["claim"]["agent"], other.as_str());
}
