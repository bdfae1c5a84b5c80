//! The session that the fleet's pages show.

use super::daemon::Daemon;
use super::wire::Wire;
use crate::world::require;
use std::process::Command;

#[test]
fn the_documented_session_of_the_fleet_works_as_written() {
    if !require("curl") {
        return;
    }
    let daemon = Daemon::start();
    let curl = |arguments: &[&str]| {
        let output = Command::new("curl")
            .arg("-sS")
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let url = |path: &str| format!("http://localhost:{}{path}", daemon.address().port());
    let beat = url("/heartbeat/test_agent");
    let beat = curl(&[
        "-X",
        "POST",
        &beat,
        "-d",
        "{\"metadata\": {\"status\": \"active\"}}",
    ]);
    assert_eq!(
        (&beat["status"], &beat["agent_id"]),
        (&"ok".into(), &"test_agent".into())
    );
    assert_eq!(beat["next_heartbeat"], 30);
    let health = curl(&[&url("/health")]);
    assert_eq!(health["total_agents"], 1);
    assert_eq!(health["agents"]["test_agent"]["status"], "healthy");
    assert_eq!(
        health["agents"]["test_agent"]["metadata"]["status"],
        "active"
    );
    // Over the root's socket too.
    let socket = daemon.file("agents.sock");
    let socket = socket.to_str().unwrap();
    let health = curl(&["--unix-socket", socket, "http://localhost/health"]);
    assert_eq!(health["healthy"], 1);
}

#[test]
fn a_body_that_comes_a_second_later_arrives_whole() {
    let daemon = Daemon::start();
    let mut wire = Wire::call(daemon.address());
    wire.send("POST /heartbeat/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 29\r\n\r\n");
    for _ in 0..20 {
        assert!(wire.is_silent());
    }
    wire.send("{\"metadata\": {\"late\": \"yes\"}}");
    assert!(wire.answer().starts_with("HTTP/1.1 200"));
    wire.send("GET /agent/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(wire.answer().contains("\"metadata\":{\"late\":\"yes\"}"));
}

#[test]
fn the_operators_token_is_for_the_owner_and_the_group() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    let daemon = Daemon::start();
    let mode = |name: &str| {
        let seen = std::fs::symlink_metadata(daemon.file(name)).unwrap();
        (
            seen.permissions().mode() & 0o777,
            seen.file_type().is_socket(),
        )
    };
    assert_eq!(mode("operator.token"), (0o640, false));
    assert_eq!(mode("agents.sock"), (0o660, true));
    let token = std::fs::read_to_string(daemon.file("operator.token")).unwrap();
    let mut wire = Wire::call(daemon.address());
    let ask = |token: &str| {
        format!("GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
    };
    wire.send(ask("guessed"));
    assert!(wire.answer().starts_with("HTTP/1.1 401"));
    wire.send(ask(token.trim()));
    wire.read_until("event: health\ndata: {");
}
