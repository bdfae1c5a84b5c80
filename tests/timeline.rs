//! `mcell revival show` tells an incident as it was: what fell, what was restored, what was started, and how long each took.

use crate::crew::{pid, send, world};
use crate::pit::{Daemon, until};
use crate::world::World;
use rustix::process::Signal;
use serde_json::Value;

/// Waits until the only request stands so, and gives its story.
fn story(world: &World, status: &str) -> (String, Value) {
    let id = until(&format!("a request is {status}"), || {
        let listed = world.mcell("revival list --all --json").ok().json();
        let all = listed["revivals"].as_array().unwrap().clone();
        let found = all.into_iter().find(|one| one["status"] == status)?;
        assert!(found["steps"].is_null(), "a list tells no stories: {found}");
        Some(found["id"].as_str().unwrap().to_owned())
    });
    let shown = world.mcell(&format!("revival show {id} --json")).ok();
    (id, shown.json())
}

fn words(story: &Value) -> Vec<&str> {
    let steps = story["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect()
}

fn step<'s>(story: &'s Value, word: &str) -> &'s Value {
    let steps = story["steps"].as_array().unwrap();
    steps
        .iter()
        .find(|step| step["step"] == word)
        .unwrap_or_else(|| panic!("no step {word}: {story}"))
}

fn save(world: &World, text: &str) {
    let folder = world.cell().join("checkpoints/agent_001");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("state.json"), text).unwrap();
    world.mcell("checkpoint save --as agent_001").ok();
}

#[test]
fn a_story_names_the_fall_the_checkpoint_that_was_passed_over_and_how_long_each_step_took() {
    let world = world("exec sleep 1000");
    save(&world, r#"{"step": 1}"#);
    save(&world, r#"{"step": 2}"#);
    let broken = world
        .cell()
        .join(".mcell/checkpoints/agent_001/2/state.json");
    std::fs::set_permissions(&broken, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(&broken, "{}").unwrap();
    let daemon = Daemon::start(&world);
    world.mcell("agent start agent_001").ok();
    let old = pid(&world, "agent_001");
    send(old, Signal::KILL);
    let (id, story) = story(&world, "revived");
    assert_eq!(
        words(&story),
        ["fell", "asked", "begun", "stopped", "started", "revived"]
    );
    let fell = step(&story, "fell");
    assert_eq!(fell["pid"], old);
    assert!(
        fell["what"].as_str().unwrap().contains("SIGKILL"),
        "{story}"
    );
    let begun = step(&story, "begun");
    assert_eq!(begun["checkpoint"], 1);
    assert_eq!(begun["passed_over"][0]["checkpoint"], 2);
    let why = begun["passed_over"][0]["why"].as_str().unwrap();
    assert!(why.contains("state.json is altered"), "{why}");
    assert_eq!(step(&story, "started")["pid"], pid(&world, "agent_001"));
    // Every figure is a measure: they rise, the parts make the whole, and the proof takes the five seconds that it must.
    let steps = story["steps"].as_array().unwrap();
    let mut sum = 0.0;
    for (at, step) in steps.iter().enumerate() {
        sum += step["since_last"].as_f64().unwrap_or(0.0);
        let after = step["after"].as_f64().unwrap();
        assert!(after >= 0.0 && (after - sum).abs() < 0.0005, "{story}");
        assert_eq!(step["since_last"].is_null(), at == 0, "{story}");
    }
    let proved = step(&story, "revived")["since_last"].as_f64().unwrap();
    assert!((4.9..60.0).contains(&proved), "{story}");
    let shown = world.mcell(&format!("revival show {id}")).ok();
    shown
        .shows(&format!(
            "pid {old}, fell: its process ended, and should run: SIGKILL"
        ))
        .shows("that is noticed by daemon")
        .shows("the older life is fenced")
        .shows("begins from checkpoint 1\n")
        .shows("checkpoint 2 is passed over: state.json is altered")
        .shows(&format!("it was started: pid {}", pid(&world, "agent_001")))
        .shows("it has proved that it lives")
        .shows("from the fall to the proof: ");
    daemon.stop();
}

#[test]
fn a_story_tells_what_an_operator_said_and_which_tries_were_in_vain() {
    let world = world("[ -e ready ] && exec sleep 1000; sleep 1; exit 3");
    world.mcell("policy set auto_revive=ask").ok();
    let daemon = Daemon::start(&world);
    world.mcell("agent start agent_001").ok();
    send(pid(&world, "agent_001"), Signal::KILL);
    let (id, _) = story(&world, "pending_approval");
    world.mcell("approve").ok();
    until("a try is in vain", || {
        let shown = world.mcell(&format!("revival show {id} --json")).ok();
        words(&shown.json()).contains(&"in_vain").then_some(())
    });
    std::fs::write(world.home().join("ready"), "").unwrap();
    let (_, told) = story(&world, "revived");
    let words = words(&told);
    assert_eq!(
        words[..7],
        [
            "fell",
            "asked",
            "pending_approval",
            "pending",
            "begun",
            "stopped",
            "started"
        ]
    );
    assert_eq!(words.last(), Some(&"revived"));
    world
        .mcell(&format!("revival show {id}"))
        .ok()
        .shows("waits for an operator: auto_revive is ask")
        .shows("waits: approved by ada")
        .shows("in vain: it ended before it had proved that it lives");
    daemon.stop();
}

#[test]
fn a_request_of_an_older_mcell_is_shown_by_what_it_says() {
    let world = world("exec sleep 1000");
    world.mcell("revive agent_001").ok();
    let (id, _) = story(&world, "revived");
    let file = world
        .cell()
        .join(format!(".mcell/revivals/closed/{id}.json"));
    let mut record: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("steps");
    std::fs::write(&file, record.to_string()).unwrap();
    world
        .mcell(&format!("revival show {id}"))
        .ok()
        .shows("asked for by ada: an operator asks for it")
        .shows("was started")
        .shows("it had proved that it lives");
}
