//! Agents of no cell, and how agents and cells are shown.

use super::*;

#[test]
fn agents_of_no_cell_come_and_go() {
    let pit = Pit::new();
    let put = |body| pit.ask(&pit.request(Method::Put, "/agent/a", body));
    assert_eq!(put("").status, 201);
    let answer = put(r#"{"metadata": {"role": "lead"}}"#);
    assert_eq!(
        (answer.status, &answer.body["metadata"]["role"]),
        (200, &Value::from("lead"))
    );
    assert_eq!(answer.body["status"], "unknown");
    assert_eq!(put("[]").status, 400);
    assert_eq!(
        pit.ask(&pit.request(Method::Put, "/agent/.a", "")).status,
        400
    );
    let delete = || pit.ask(&pit.request(Method::Delete, "/agent/a", ""));
    assert_eq!(delete().status, 200);
    assert_eq!(delete().status, 404);
    assert_eq!(pit.get("/agent/a").status, 404);
}

#[test]
fn what_is_too_much_registers_nobody() {
    let pit = Pit::new();
    let body = format!("{{\"metadata\": {{\"a\": \"{}\"}}}}", "x".repeat(5000));
    assert_eq!(
        pit.ask(&pit.request(Method::Put, "/agent/a", &body)).status,
        413
    );
    assert_eq!(pit.get("/agent/a").status, 404);
}

#[test]
fn agents_of_cells_do_not_go_by_http() {
    let mut pit = Pit::new();
    let agent = pit.root.add_agent();
    pit.sweep();
    for method in [Method::Put, Method::Delete] {
        let answer = pit.ask(&pit.request(method, &format!("/agent/{agent}"), ""));
        assert_eq!((answer.status, answer.code()), (409, "in_a_cell"));
    }
    assert_eq!(pit.get(&format!("/agent/{agent}")).status, 200);
}

#[test]
fn a_cell_is_shown_with_its_agents() {
    let mut pit = Pit::new();
    let agent = pit.root.add_agent();
    pit.sweep();
    let cell = pit.cell();
    let list = pit.get("/cells").body;
    assert_eq!(list["cells"][0]["cell_id"], cell.as_str());
    let shown = pit.get(&format!("/cells/{cell}")).body;
    assert_eq!(shown["mission_name"], "Example Mission");
    assert_eq!(shown["agents"][agent.as_str()]["agent_id"], agent.as_str());
    assert_eq!(shown["troubles"], serde_json::json!([]));
    assert_eq!(pit.get("/cells/nothing").status, 404);
    let path = format!("/cells/{cell}/agent/{agent}");
    assert_eq!(pit.get(&path).body["cell_id"], cell.as_str());
    assert_eq!(pit.get(&format!("/cells/{cell}/agent/nobody")).status, 404);
}
