//! Who is believed.

use super::*;

#[test]
fn an_agent_that_was_started_with_a_token_beats_with_it() {
    let mut pit = Pit::new();
    let agent = pit.start("secret", 3);
    let path = format!("/heartbeat/{agent}");
    let answer = pit.post(&path, "");
    assert_eq!((answer.status, answer.code()), (401, "unauthorized"));
    assert_eq!(
        answer.headers,
        [("www-authenticate", String::from("Bearer"))]
    );
    assert_eq!(pit.post_with("guessed", &path, "").status, 401);
    let answer = pit.post_with("secret", &path, "");
    assert_eq!(
        (answer.status, &answer.body["incarnation"]),
        (200, &Value::from(3))
    );
    // The operator's token is not the agent's; a failure may be reported by it all the same.
    assert_eq!(pit.post_with(OPERATOR, &path, "").status, 403);
    let failure = format!("/failure/{agent}");
    let body = r#"{"error": "x"}"#;
    assert_eq!(pit.post(&failure, body).status, 401);
    assert_eq!(pit.post_with(OPERATOR, &failure, body).status, 200);
    assert_eq!(pit.post_with("secret", &failure, body).status, 200);
}

#[test]
fn a_token_speaks_for_one_agent_only() {
    let mut pit = Pit::new();
    let agent = pit.start("secret", 1);
    let other = pit.root.add_agent();
    pit.sweep();
    for path in [
        format!("/heartbeat/{other}"),
        String::from("/heartbeat/stray"),
        format!("/cells/elsewhere/heartbeat/{agent}"),
    ] {
        let answer = pit.post_with("secret", &path, "");
        assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{path}");
    }
    let elsewhere = r#"{"cell_id": "elsewhere"}"#;
    assert_eq!(
        pit.post_with("secret", &format!("/heartbeat/{agent}"), elsewhere)
            .status,
        403
    );
    // Nor does a token that nobody has speak for who has none.
    assert_eq!(
        pit.post_with("guessed", &format!("/heartbeat/{other}"), "")
            .status,
        401
    );
    assert_eq!(pit.post_with("guessed", "/heartbeat/stray", "").status, 401);
    assert_eq!(pit.post(&format!("/heartbeat/{other}"), "").status, 200);
}

#[test]
fn a_token_tells_which_agent_of_several_cells_it_is() {
    let mut pit = Pit::new();
    let agent = pit.start("secret", 1);
    pit.add_cell();
    let path = format!("/heartbeat/{agent}");
    assert_eq!(pit.post(&path, "").status, 409);
    let answer = pit.post_with("secret", &path, "");
    assert_eq!(
        (answer.status, &answer.body["cell_id"]),
        (200, &Value::from(pit.cell()))
    );
    assert_eq!(pit.post_with("guessed", &path, "").status, 401);
    assert_eq!(pit.post_with(OPERATOR, &path, "").status, 409);
}

#[test]
fn a_life_that_is_over_is_fenced_and_a_new_one_is_found_on_disk() {
    let mut pit = Pit::new();
    let agent = pit.start("first", 1);
    let path = format!("/heartbeat/{agent}");
    assert_eq!(pit.post_with("first", &path, "").status, 200);
    // Started anew; no sweep has seen it yet.
    pit.note(&agent, "second", 2);
    let answer = pit.post_with("second", &path, "");
    assert_eq!(
        (answer.status, &answer.body["incarnation"]),
        (200, &Value::from(2))
    );
    let answer = pit.post_with("first", &path, "");
    assert_eq!((answer.status, answer.code()), (409, "fenced"));
    // What is of an older life says so itself.
    let answer = pit.post_with("second", &path, r#"{"incarnation": 1}"#);
    assert_eq!((answer.status, answer.code()), (409, "fenced"));
    // The sweep finds what is known already.
    pit.sweep();
    assert_eq!(pit.post_with("second", &path, "").status, 200);
    assert_eq!(pit.post_with("first", &path, "").status, 409);
}

#[test]
fn guessing_costs_one_look_at_the_disk_a_second() {
    let mut pit = Pit::new();
    let agent = pit.start("first", 1);
    let path = format!("/heartbeat/{agent}");
    assert_eq!(pit.post_with("guessed", &path, "").status, 401);
    pit.note(&agent, "second", 2);
    let front = &pit.routes.0;
    let looked = front.looked.load(Ordering::Relaxed);
    while pit.post_with("second", &path, "").status != 200 {
        let now = front.desk.moment().up;
        assert!(now < looked + 30_000, "it is found within a second or so");
    }
    assert!(front.looked.load(Ordering::Relaxed) >= looked + 1000);
}
