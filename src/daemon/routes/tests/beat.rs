//! Beats and failures.

use super::*;

#[test]
fn the_documented_session_of_the_fleet_works_as_written() {
    let pit = Pit::new();
    let mut request = pit.request(
        Method::Post,
        "/heartbeat/test_agent",
        r#"{"metadata": {"status": "active"}}"#,
    );
    request.content_type = Some(String::from("application/x-www-form-urlencoded"));
    let beat = pit.ask(&request);
    assert_eq!(beat.status, 200);
    assert_eq!(beat.body["status"], "ok");
    assert_eq!(beat.body["agent_id"], "test_agent");
    assert_eq!(beat.body["next_heartbeat"], 30);
    assert_eq!(beat.body["cell_id"], Value::Null);
    assert!(beat.body["timestamp"].is_f64());
    let health = pit.get("/health").body;
    assert_eq!(health["total_agents"], 1);
    assert_eq!(health["healthy"], 1);
    let agent = &health["agents"]["test_agent"];
    assert_eq!(agent["status"], "healthy");
    assert_eq!(agent["metadata"]["status"], "active");
    assert_eq!(agent["consecutive_failures"], 0);
    assert!(agent["last_heartbeat"].is_f64());
}

#[test]
fn what_is_refused_leaves_no_trace() {
    // The fleet's first listener registered an agent before it looked at the body.
    let pit = Pit::new();
    for body in [
        "[1]",
        "[]",
        "null",
        "\"x\"",
        "{",
        "{} {}",
        "{\"metadata\": [1]}",
        "{\"metadata\": {}, \"metadata\": {}}",
        "{\"incarnation\": -1}",
        "{\"progress\": \"much\"}",
        "{\"quiet_until\": \"later\"}",
        "{\"cell_id\": 1}",
    ] {
        let answer = pit.post("/heartbeat/x", body);
        assert_eq!((answer.status, answer.code()), (400, "bad_body"), "{body}");
    }
    let large = format!("{{\"metadata\": {{\"a\": \"{}\"}}}}", "x".repeat(4096));
    assert_eq!(pit.post("/heartbeat/y", &large).status, 413);
    let half = format!("{{\"metadata\": {{\"NAME\": \"{}\"}}}}", "x".repeat(3000));
    let beat = |name| pit.post("/heartbeat/z", &half.replace("NAME", name)).status;
    assert_eq!([beat("a"), beat("a"), beat("b")], [200, 200, 409]);
    for id in ["", "a%2Fb", "..", ".a", "%C3%A9", "a%20b"] {
        let answer = pit.post(&format!("/heartbeat/{id}"), "");
        assert_eq!((answer.status, answer.code()), (400, "bad_id"), "{id}");
    }
    assert_eq!(pit.get("/agent/x").status, 404);
}

#[test]
fn an_agent_in_several_cells_is_told_by_its_cell() {
    let mut pit = Pit::new();
    pit.root.add_agent();
    let (first, second) = (pit.cell(), pit.add_cell());
    let answer = pit.post("/heartbeat/agent_001", "");
    assert_eq!((answer.status, answer.code()), (409, "ambiguous"));
    let mut candidates: Vec<&str> = answer.body["error"]["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    candidates.sort_unstable();
    let mut wanted = [first.as_str(), second.as_str()];
    wanted.sort_unstable();
    assert_eq!(candidates, wanted);
    let body = format!("{{\"cell_id\": \"{second}\"}}");
    let answer = pit.post("/heartbeat/agent_001", &body);
    assert_eq!(
        (answer.status, &answer.body["cell_id"]),
        (200, &Value::from(second.clone()))
    );
    let answer = pit.post(&format!("/cells/{first}/heartbeat/agent_001"), "");
    assert_eq!(
        (answer.status, &answer.body["cell_id"]),
        (200, &Value::from(first.clone()))
    );
    assert_eq!(
        pit.post(&format!("/cells/{first}/heartbeat/agent_001"), &body)
            .status,
        409
    );
    assert_eq!(
        pit.post(&format!("/cells/{first}/heartbeat/agent_009"), "")
            .status,
        404
    );
    assert_eq!(
        pit.post("/cells/nothing/heartbeat/agent_001", "").status,
        404
    );
    let agents = pit.get("/health").body["agents"].clone();
    assert_eq!(agents[format!("{first}/agent_001")]["status"], "healthy");
    assert_eq!(agents[format!("{second}/agent_001")]["status"], "healthy");
}

#[test]
fn a_failure_is_one_failure_and_contact() {
    let pit = Pit::new();
    assert_eq!(pit.post("/failure/a", "{}").status, 400);
    assert_eq!(pit.post("/failure/a", "").status, 400);
    assert_eq!(
        pit.post("/failure/a", r#"{"error": "the disk is full"}"#)
            .status,
        200
    );
    let agent = pit.get("/agent/a").body;
    assert_eq!(agent["consecutive_failures"], 1);
    assert_eq!(agent["status"], "degraded");
    assert_eq!(agent["error_message"], "the disk is full");
    assert!(agent["last_response"].is_f64() && agent["last_heartbeat"].is_null());
}

#[test]
fn metadata_is_merged_and_null_deletes() {
    let pit = Pit::new();
    pit.post(
        "/heartbeat/a",
        r#"{"metadata": {"a": 1, "b": {"c": 2}}, "status": "at work"}"#,
    );
    pit.post(
        "/heartbeat/a",
        r#"{"metadata": {"a": null, "d": [3]}, "quiet_until": null}"#,
    );
    let metadata = pit.get("/agent/a").body["metadata"].clone();
    assert_eq!(metadata, serde_json::json!({"b": {"c": 2}, "d": [3]}));
}

#[test]
fn what_is_long_is_cut() {
    let pit = Pit::new();
    let error = "é".repeat(20_000);
    pit.post("/failure/a", &format!("{{\"error\": \"{error}\"}}"));
    let kept = pit.get("/agent/a").body["error_message"]
        .as_str()
        .unwrap()
        .chars()
        .count();
    assert!(kept <= 1000, "{kept}");
}
