//! Real gateways of hermes-agent, as the daemon meets them, set up as docs/hermes.md says.
//!
//! They run where there is a `hermes`, in PATH or as `MCELL_HERMES` names it. Each has a profile of its own in the home of
//! its test, on loopback, and talks to nobody.

mod revival;

use crate::changes::{events, until_it_becomes};
use crate::curl::http;
use crate::pit::{Daemon, Life, Ours, until};
use crate::world::{World, lacks, require};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};
use rustix::process::Signal;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

const PAGE: &str = include_str!("../docs/hermes.md");
const WRONG: &str = "00000000000000000000000000000000";
const SOUND: &str = "model: none-is-called\nsecurity:\n  tirith_enabled: false\n";
const WITHOUT_A_MODEL: &str = "security:\n  tirith_enabled: false\n";

/// The program, if it is here and is what we mean: other programs have this name too.
fn hermes() -> Option<PathBuf> {
    let named = std::env::var_os("MCELL_HERMES").map(PathBuf::from);
    if (named.is_none() && !require("hermes")) || !require("openssl") {
        return None;
    }
    let program = named.unwrap_or_else(|| PathBuf::from("hermes"));
    let said = std::process::Command::new(&program)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    let said = match said {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => error.to_string(),
    };
    let why = || format!("{} is no hermes-agent: {said}", program.display());
    (said.contains("Hermes Agent") || lacks("hermes", &why())).then_some(program)
}

/// A port that nobody else is given: bound and not listening, so that a gateway that shares it may.
struct Port {
    number: u16,
    _held: OwnedFd,
}

impl Port {
    fn free() -> Self {
        let held = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        sockopt::set_socket_reuseaddr(&held, true).expect("a port that is shared");
        bind(&held, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let address = SocketAddr::try_from(getsockname(&held).expect("its number"));
        Port {
            number: address.expect("an address").port(),
            _held: held,
        }
    }
}

/// A block of the page that has this in it.
fn block(kind: &str, part: &str) -> String {
    let fence = format!("```{kind}\n");
    let mut blocks = PAGE.split(&fence).skip(1);
    let block = blocks.find_map(|rest| {
        let (block, _) = rest.split_once("```")?;
        block.contains(part).then_some(block)
    });
    block.expect("a block of docs/hermes.md").to_owned()
}

/// A world with an agent whose gateway is a real one.
struct Place {
    // Before the world: it writes there until it ends.
    gateway: Ours,
    world: World,
    port: Port,
    program: PathBuf,
}

impl Place {
    /// One whose profile has this config.
    fn new(profile: &str) -> Option<Self> {
        let program = hermes()?;
        let world = World::with_cell("Example Mission");
        let disk = rustix::fs::statvfs(world.place()).expect("the disk");
        if (disk.f_blocks - disk.f_bfree) * 10 >= disk.f_blocks * 9 {
            lacks(
                "hermes",
                "the disk is full to 90 %, and so no gateway is well",
            );
            return None;
        }
        let port = Port::free();
        let folder = world.home().join(".hermes/profiles/coder");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("config.yaml"), profile).expect("a profile");
        world.shell(&block("sh", "openssl rand")).ok();
        world.shell(&block("sh", "mcell add-agent")).ok();
        let mut place = Place {
            gateway: start(&world, &program, &port),
            world,
            port,
            program,
        };
        place.configure(|_| ());
        place.until_it_listens();
        Some(place)
    }

    /// Writes the config of the page, where the gateway really is, with what this changes.
    fn configure(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let page = self.on_its_port(&block("json", "gateways"));
        let mut config: serde_json::Value = serde_json::from_str(&page).expect("JSON");
        config["poll_interval"] = 1.into();
        config["health"] = serde_json::json!({"interval": 1, "probe_timeout": 1});
        change(&mut config);
        std::fs::write(
            self.world.home().join(".lazarus/config.json"),
            config.to_string(),
        )
        .expect("a config");
    }

    fn on_its_port(&self, text: &str) -> String {
        text.replace("8642", &self.port.number.to_string())
    }

    /// The file that the daemon reads the key from.
    fn key(&self) -> PathBuf {
        self.world.home().join(".lazarus/gateway_1.key")
    }

    fn of_profile(&self, file: &str) -> String {
        let profile = self.world.home().join(".hermes/profiles/coder");
        std::fs::read_to_string(profile.join(file)).unwrap_or_default()
    }

    fn until_it_listens(&mut self) {
        until("the gateway runs", || {
            if let Some(status) = self.gateway.ended() {
                panic!("the gateway {status}; it says:\n{}", self.gateway.said());
            }
            // It writes that last: until then it may listen and say that it is not well.
            let state = self.of_profile("gateway_state.json");
            let runs = state.contains("\"gateway_state\":\"running\"");
            (runs && TcpStream::connect(("127.0.0.1", self.port.number)).is_ok()).then_some(())
        });
    }

    fn kill(&mut self) {
        self.gateway.signal(Signal::KILL);
        self.gateway.wait();
    }

    fn start_again(&mut self) {
        self.gateway = start(&self.world, &self.program, &self.port);
    }

    /// Waits until the agent is in this state, and gives the last change.
    fn until_it_becomes(&self, state: &str) -> String {
        let mut changes = until_it_becomes(&self.world, state);
        changes.pop().expect("a change")
    }
}

/// Starts the gateway by the command of the page, as one process.
fn start(world: &World, program: &std::path::Path, port: &Port) -> Ours {
    let exec = format!("exec '{}' gateway run", program.display());
    let line = block("sh", "\\\nhermes gateway run")
        .replace("8642", &port.number.to_string())
        .replace("hermes gateway run", &exec);
    let mut command = world.command("sh");
    command.args(["-c", &line]).stdout(Stdio::null());
    Ours::start(world, command)
}

#[track_caller]
fn tells(change: &str, wanted: &str) {
    assert!(change.contains(wanted), "`{change}` is not: {wanted}");
}

#[test]
fn a_hermes_gateway_is_probed_frozen_seen_thawed_seen() {
    let Some(place) = Place::new(SOUND) else {
        return;
    };
    let daemon = Daemon::start(&place.world);
    let well = place.until_it_becomes("healthy");
    tells(&well, "-> healthy: its gateway answered");
    let agent = http(&format!("{}/agent/coder", daemon.url()), None);
    assert_eq!(agent["status"], "healthy", "{agent}");
    until("the gateway says who asked for what", || {
        let log = place.of_profile("logs/agent.log");
        let asked = |path: &str| {
            let line = log
                .lines()
                .find(|line| line.contains(&format!("\"GET {path} HTTP/1.1\" 200")));
            line.is_some_and(|line| line.contains("mcell/"))
        };
        (asked("/health/detailed") && asked("/v1/models")).then_some(())
    });

    place.gateway.signal(Signal::STOP);
    let fell = until_it_becomes(&place.world, "unhealthy");
    let last: Vec<&str> = fell.iter().rev().take(2).map(String::as_str).collect();
    tells(
        last[0],
        "degraded -> unhealthy: 3 probes in a row failed: no answer within 1 s",
    );
    tells(
        last[1],
        "healthy -> degraded: 1 probe failed, unhealthy at 3: no answer within 1 s",
    );
    let agent = http(&format!("{}/agent/coder", daemon.url()), None);
    assert_eq!(agent["status"], "unhealthy", "{agent}");

    place.gateway.signal(Signal::CONT);
    let rose = until_it_becomes(&place.world, "healthy");
    let last: Vec<&str> = rose.iter().rev().take(2).map(String::as_str).collect();
    tells(last[0], "degraded -> healthy: its gateway answered");
    tells(
        last[1],
        "unhealthy -> degraded: recovering: 1 good of 2, by each answer of its gateway",
    );
    daemon.stop();
}

#[test]
fn a_hermes_gateway_that_was_killed_is_seen_though_its_files_say_that_it_runs() {
    let Some(mut place) = Place::new(SOUND) else {
        return;
    };
    let daemon = Daemon::start(&place.world);
    place.until_it_becomes("healthy");
    place.kill();
    let fell = place.until_it_becomes("unhealthy");
    tells(&fell, "3 probes in a row failed: refuses connections");
    let left = place.of_profile("gateway_state.json");
    assert!(left.contains("\"gateway_state\":\"running\""), "{left}");
    place.start_again();
    place.until_it_becomes("healthy");
    daemon.stop();
}

#[test]
fn a_key_that_a_hermes_gateway_does_not_take_is_a_failed_probe() {
    let Some(place) = Place::new(SOUND) else {
        return;
    };
    let daemon = Daemon::start(&place.world);
    place.until_it_becomes("healthy");
    let key = std::fs::read_to_string(place.key()).expect("a key");
    let meta = std::fs::metadata(place.key()).expect("a key");
    assert_eq!(
        (key.trim().len(), meta.permissions().mode() & 0o777),
        (32, 0o600)
    );
    std::fs::write(place.key(), WRONG).expect("a key");
    let fell = place.until_it_becomes("unhealthy");
    tells(
        &fell,
        "3 probes in a row failed: answered 401: its key is not taken",
    );
    // Without one it is asked what everybody may ask.
    std::fs::remove_file(place.key()).expect("a key that was there");
    place.until_it_becomes("healthy");
    let notes = events(&place.world, "probe.note");
    assert_eq!(notes.len(), 1, "{notes:?}");
    let log = place.world.mcell("daemon log -n 1000 --json").ok();
    log.hides(WRONG).hides(key.trim());
    daemon.stop();
}

#[test]
fn a_hermes_gateway_of_another_process_or_profile_is_not_the_agents_own() {
    let Some(place) = Place::new(SOUND) else {
        return;
    };
    let pid = place.gateway.pid();
    let life = Life::of(&place.world.cell(), "coder", 1);
    life.runs_as(pid);
    let daemon = Daemon::start(&place.world);
    place.until_it_becomes("healthy");

    life.runs_as(1);
    let fell = place.until_it_becomes("unhealthy");
    tells(
        &fell,
        &format!("another gateway answers: its pid is {pid}, not 1"),
    );
    life.runs_as(pid);
    place.until_it_becomes("healthy");
    life.runs_as(1);
    place.until_it_becomes("unhealthy");
    // The note of a run that is over says nothing of who answers now.
    life.end();
    place.until_it_becomes("healthy");

    place.configure(|config| config["gateways"]["gateway_1"]["profile"] = "tester".into());
    place.world.mcell("daemon reload").ok();
    let fell = place.until_it_becomes("unhealthy");
    tells(
        &fell,
        "another gateway answers: it is `coder`, not `tester`",
    );
    place.configure(|_| ());
    place.world.mcell("daemon reload").ok();
    place.until_it_becomes("healthy");
    daemon.stop();
}

#[test]
fn a_hermes_gateway_without_a_model_is_degraded_and_no_more_also_after_it_was_frozen() {
    let Some(place) = Place::new(WITHOUT_A_MODEL) else {
        return;
    };
    // Else it would be in grace until a good answer comes.
    place.configure(|config| config["health"]["grace"] = 0.into());
    let daemon = Daemon::start(&place.world);
    let says = "-> degraded: its gateway answers, and says degraded";
    tells(&place.until_it_becomes("degraded"), says);
    if require("curl") {
        let asked = place
            .world
            .shell(&place.on_its_port(&block("sh", "health/detailed")));
        asked.ok().shows(r#""model": {"status": "degraded"}"#);
    }
    place.gateway.signal(Signal::STOP);
    place.until_it_becomes("unhealthy");
    place.gateway.signal(Signal::CONT);
    tells(&place.until_it_becomes("degraded"), says);
    let profile = place
        .world
        .home()
        .join(".hermes/profiles/coder/config.yaml");
    std::fs::write(profile, SOUND).expect("a profile");
    place.until_it_becomes("healthy");
    daemon.stop();
}
