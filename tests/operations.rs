//! What docs/operations.md gives to operators works: the units, the alerts, the recipe for tmux.

use crate::world::{World, lacks, require};
use mcell::daemon::metrics::{Metrics, Snapshot};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(page(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn words(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&said).into_owned()
}

/// Holds a unit against systemd, with our program where the unit has it installed.
fn verify(unit: &str, program: &str, mode: &[&str]) {
    let text = read(unit);
    let start = format!("ExecStart={program} daemon\n");
    assert!(text.contains(&start), "{unit} has no {start}");
    let place = tempfile::tempdir().expect("a place");
    let file = place.path().join("mcell-daemon.service");
    let ours = format!("ExecStart={} daemon\n", crate::world::MCELL);
    std::fs::write(&file, text.replace(&start, &ours)).expect("a unit");
    let output = Command::new("systemd-analyze")
        .args(mode)
        .arg("verify")
        .arg(&file)
        // A manager of a user wants to know where its sockets would be; none is made.
        .env("XDG_RUNTIME_DIR", place.path())
        .env("HOME", place.path())
        .output()
        .expect("systemd-analyze");
    let said = words(&output);
    if said.contains("Failed to initialize manager") {
        lacks("systemd-analyze", &format!("it does not work here: {said}"));
        return;
    }
    // What it does not know it only mentions: that is a fault too.
    assert!(
        output.status.success() && said.is_empty(),
        "{unit}:\n{said}"
    );
}

#[test]
fn the_units_are_what_systemd_takes() {
    if !require("systemd-analyze") {
        return;
    }
    verify(
        "systemd/mcell-daemon.service",
        "/usr/local/bin/mcell",
        &["--system"],
    );
    verify(
        "systemd/user/mcell-daemon.service",
        "%h/.cargo/bin/mcell",
        &["--user"],
    );
}

#[test]
fn the_units_say_what_the_daemon_needs() {
    for unit in [
        "systemd/mcell-daemon.service",
        "systemd/user/mcell-daemon.service",
    ] {
        let text = read(unit);
        for line in [
            "Type=notify",
            "KillMode=process",
            "OOMPolicy=continue",
            "Restart=on-failure",
            "WatchdogSec=150",
            "ExecReload=/bin/kill -HUP $MAINPID",
        ] {
            assert!(
                text.lines().any(|other| other == line),
                "{unit} has no {line}"
            );
        }
        // They end rootless podman or bubblewrap, which agents need.
        for setting in [
            "NoNewPrivileges=",
            "PrivateTmp=",
            "PrivateDevices=",
            "PrivateUsers=",
            "Protect",
            "Restrict",
            "SystemCall",
            "LockPersonality=",
            "MemoryDenyWriteExecute=",
            "CapabilityBoundingSet=",
        ] {
            let found = text.lines().find(|line| line.starts_with(setting));
            let is_harmless = found.is_none_or(|line| {
                line.starts_with("ProtectSystem=") || line.starts_with("RestartPrevent")
            });
            assert!(is_harmless, "{unit}: {found:?}");
        }
    }
}

#[test]
fn the_alerts_are_what_prometheus_takes() {
    let files =
        ["alerts.yml", "alerts.test.yml", "scrape.yml"].map(|name| page("prometheus").join(name));
    if require_quietly("promtool") {
        let [alerts, test, scrape] = &files;
        for (words, file) in [
            (["check", "rules"], alerts),
            (["test", "rules"], test),
            (["check", "config"], scrape),
        ] {
            let output = Command::new("promtool").args(words).arg(file).output();
            let output = output.expect("promtool");
            assert!(
                output.status.success(),
                "{words:?}:\n{}",
                self::words(&output)
            );
        }
        return;
    }
    // It is a part of a large package; without it, they are at least YAML.
    let parses = "import sys, yaml\nfor name in sys.argv[1:]: yaml.safe_load(open(name))";
    let output = Command::new("python3").args(["-c", "import yaml"]).output();
    if !output.is_ok_and(|output| output.status.success()) {
        lacks(
            "promtool",
            "there is no promtool here, and no python3 with yaml",
        );
        return;
    }
    let output = Command::new("python3")
        .args(["-c", parses])
        .args(&files)
        .output();
    let output = output.expect("python3");
    assert!(output.status.success(), "{}", words(&output));
}

/// Whether a program is here, where another one would do.
fn require_quietly(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

/// The names of our metrics in a text.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    text.split(|letter| !is_part(letter))
        .filter(|word| word.starts_with("mcell_") && word.len() > 6)
        .map(str::to_owned)
        .collect()
}

#[test]
fn alerts_and_page_name_only_metrics_that_there_are() {
    let world = World::with_cell("Example Mission");
    world.mcell("scan -A --metrics metrics.prom").ok();
    let scan = std::fs::read_to_string(world.home().join("metrics.prom")).expect("metrics");
    let sick = Snapshot {
        cells: vec![("active", 1)],
        unhealthy_in: vec![(String::from("cell"), 1)],
        ..Snapshot::default()
    };
    let daemon = Metrics::new(0).render(&sick).expect("metrics");
    let there = metrics(&(scan + &daemon));
    for name in [
        "prometheus/alerts.yml",
        "prometheus/alerts.test.yml",
        "operations.md",
    ] {
        let missing: Vec<String> = metrics(&read(name)).difference(&there).cloned().collect();
        assert!(
            missing.is_empty(),
            "{name} names {missing:?}, which is not measured"
        );
    }
    let told = metrics(&read("operations.md"));
    let untold: Vec<String> = daemon
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|family| !told.iter().any(|name| name.starts_with(*family)))
        .map(str::to_owned)
        .collect();
    assert!(
        untold.is_empty(),
        "operations.md says nothing of {untold:?}"
    );
}

/// A tmux of this test alone, gone with it.
struct Tmux<'w> {
    world: &'w World,
    socket: PathBuf,
}

impl Tmux<'_> {
    fn run(&self, words: &[&str]) -> Output {
        let mut command = self.world.command("tmux");
        command
            .arg("-S")
            .arg(&self.socket)
            .args(["-f", "/dev/null"]);
        command.args(words).output().expect("tmux")
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "this never came: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_daemon_in_tmux_ends_in_order_with_its_window() {
    if !require("tmux") {
        return;
    }
    let world = World::with_cell("Example Mission");
    let tmux = Tmux {
        world: &world,
        socket: world.place().join("tmux"),
    };
    let line = "mcell daemon --listen 127.0.0.1:0";
    let begun = tmux.run(&["new-session", "-d", "-s", "pit", line]);
    assert!(begun.status.success(), "{}", words(&begun));
    let runs = || world.mcell("daemon status").code == 0;
    until("that it runs", runs);
    tmux.run(&["kill-session", "-t", "pit"]);
    until("that it has ended", || !runs());
    world.mcell("daemon log").ok().shows("stops: ");
    // In order: nobody has to be told that it is missing.
    world.mcell("scan --problems").ok();
}
