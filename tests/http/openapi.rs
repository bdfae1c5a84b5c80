//! docs/openapi.yaml says what the daemon does: schemathesis makes requests of it, sound ones and others, and holds the
//! answers against it. `tests/http/schemathesis.sh` installs it and runs these.

use super::daemon::Daemon;
use crate::world::require;
use sha2::{Digest, Sha256};
use std::path::Path;

/// The token that agent_001 was started with.
const TOKEN: &str = "the token of agent_001";

/// A daemon of a cell with two agents and a task; one agent runs.
fn daemon() -> Daemon {
    let daemon = Daemon::start();
    for line in [
        "add-agent --role write",
        "add-agent --role write",
        "add-task 'Code Review'",
        "add-task 'Another one'",
    ] {
        daemon.world.mcell(line).ok();
    }
    let hash: String = Sha256::digest(TOKEN)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let run = daemon.world.cell().join(".mcell/run");
    std::fs::create_dir_all(&run).unwrap();
    let note = format!("{{\"incarnation\": 1, \"token_sha256\": \"{hash}\"}}");
    std::fs::write(run.join("agent_001.json"), note).unwrap();
    daemon
}

/// Lets schemathesis ask the daemon with all its checks.
fn ask(daemon: &Daemon, arguments: &[&str], config: &str) {
    let place = daemon.world.place();
    std::fs::write(place.join("schemathesis.toml"), config).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.yaml");
    let output = daemon
        .world
        .command("schemathesis")
        .current_dir(&place)
        .arg("run")
        .arg(page)
        .args(["--url", &format!("http://{}", daemon.address())])
        .args(["--checks", "all", "--continue-on-failure", "--no-color"])
        .args(["--seed", "1", "--request-timeout", "10"])
        .args(["--max-examples", "50"])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{err}\n{}", daemon.said());
}

/// With a header that says who asks, and without the stream of events, which does not end.
fn as_bearer(header: &str) -> [&str; 4] {
    ["-H", header, "--exclude-path", "/events"]
}

#[test]
fn whoever_comes_without_a_token_gets_what_the_page_says() {
    if !require("schemathesis") {
        return;
    }
    ask(&daemon(), &[], "");
}

#[test]
fn an_operator_gets_what_the_page_says() {
    if !require("schemathesis") {
        return;
    }
    let daemon = daemon();
    let token = std::fs::read_to_string(daemon.file("operator.token")).unwrap();
    let header = format!("Authorization: Bearer {}", token.trim());
    ask(&daemon, &as_bearer(&header), "");
}

#[test]
fn an_agent_gets_what_the_page_says() {
    if !require("schemathesis") {
        return;
    }
    let daemon = daemon();
    let cell = daemon.world.cell();
    let cell = cell.file_name().unwrap().to_str().unwrap();
    let header = format!("Authorization: Bearer {TOKEN}");
    let config = format!("[parameters]\ncell_id = \"{cell}\"\nagent_id = \"agent_001\"\n");
    ask(&daemon, &as_bearer(&header), &config);
}
