//! The JSON Schemas: of mission files, and of what commands print.

use crate::world::{World, checked_in, checked_in_folder};
use serde_json::Value;

#[test]
fn the_checked_in_schemas_are_those_that_mcell_makes() {
    let world = World::new();
    let made = world.mcell("schema --all made --json").ok().json();
    let files = made["files"].as_array().expect("a list of files");
    let names: Vec<&str> = files
        .iter()
        .map(|file| file.as_str().expect("a name"))
        .collect();
    assert!(names.contains(&"task.json") && names.contains(&"output.scan.json"));
    for name in &names {
        let text = std::fs::read_to_string(world.home().join("made").join(name)).expect("a schema");
        checked_in(&format!("docs/schema/{name}"), &text);
    }
    checked_in_folder("docs/schema", &names);
}

/// The same schema, in which no object may have a field that is not named: one that the schema forgot would pass unseen.
fn closed(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(members) => {
            for value in members.values_mut() {
                *value = closed(value.take());
            }
            if members.contains_key("properties") && members.contains_key("type") {
                let closes = || Value::Bool(false);
                members.entry("additionalProperties").or_insert_with(closes);
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = closed(item.take());
            }
        }
        _ => {}
    }
    schema
}

#[track_caller]
fn assert_is_as_said(world: &World, name: &str, printed: &Value) {
    let schema = world.mcell(&format!("schema {name}")).ok().json();
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    let judge = jsonschema::validator_for(&closed(schema)).expect("a schema");
    let faults: Vec<String> = judge
        .iter_errors(printed)
        .map(|error| error.to_string())
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:?}\n{printed:#}");
}

/// What is typed, in this order; the name of the schema is made of the words before the first `|`.
const TYPED: &[&str] = &[
    "add-agent|--role write --capability coding -- sh -c true",
    "add-agent|--role lead",
    "add-task|'Code Review' --assign agent_001 --timeout 1h",
    "add-task|Testing --depends-on task_001",
    "add-task|Deploy",
    "status|",
    "cell list|",
    "cell show|",
    "cell path|",
    "cell set|timeout=8h policies.auto_revive=ask",
    "cell pause|--for 1h",
    "cell resume|",
    "cell edit|",
    "agent list|",
    "agent show|agent_001",
    "agent show|agent_001 agent_002",
    "agent set|agent_001 name=Coder health.timeout=5m",
    "agent pause|agent_001 --for 1h",
    "agent resume|agent_001",
    "agent edit|agent_001",
    "task list|",
    "task ready|",
    "task show|task_002",
    "task show|task_001 task_002",
    "task set|task_001 priority=high",
    "task assign|task_001 agent_001",
    "task claim|--next --as agent_001 --lease 1h",
    "why|task_001",
    "why|agent_001",
    "why|agent_001 task_001",
    "heartbeat|agent_001",
    "health|",
    "task fail|task_001 --reason why",
    "task retry|task_001",
    "task claim|task_001 --as agent_001",
    "task release|task_001",
    "task claim|task_001 --as agent_001",
    "task complete|task_001 --result done",
    "task reopen|task_001",
    "task edit|task_001",
    "task graph|",
    "handoff|task_001 agent_002 --offer --reason why",
    "handoff list|",
    "handoff approve|task_001",
    "handoff accept|task_001 --as agent_002 --lease 1h",
    "handoff|task_001 agent_001",
    "handoff|task_001 agent_002 --offer",
    "handoff decline|task_001",
    "handoff list|--all",
    "artifact add|x.rs --task task_001",
    "artifact add|x.rs --replace",
    "artifact list|",
    "artifact verify|",
    "artifact collect|",
    "checkpoint save|agent_001 --state state.json --artifact state.json",
    "checkpoint list|",
    "checkpoint show|agent_001",
    "checkpoint verify|",
    "checkpoint restore|agent_001",
    "checkpoint prune|agent_001 --keep 1 --yes",
    "policy show|",
    "policy set|max_retries=5 substitute_agents=agent_002",
    "isolation show|",
    "isolation set|mount --memory 4GB --capability KILL --writable /srv",
    "permission grant|agent_001 write task_003",
    "permission show|",
    "permission allows|agent_001 write task_003",
    "permission revoke|agent_001 write task_003",
    "permission reset|agent_001",
    "task remove|task_003 --yes",
    "task remove|task_001 task_002 --yes",
    "agent remove|agent_002 --yes",
    "isolation set|none",
    "agent start|agent_001",
    "agent restart|agent_001",
    "agent log|agent_001",
    "agent stop|agent_001",
    "journal show|--since 1h -n 5",
    "log|--kind task",
    "journal verify|--files",
    "journal head|",
    "cell complete|",
    "cell reopen|",
    "cell fail|",
    "cell prune|--dry-run --older-than 0",
    "cell backup|.. -o kept.zst",
    "cell restore|kept.zst --as-copy",
    "cell take-over|..",
    "daemon config|",
    "doctor|",
    "demo|",
    "explain|MC004",
    "schema|",
    "man|--all pages",
    "cell remove|.. --yes",
];

#[test]
fn what_commands_print_is_what_their_schemas_say() {
    let mut world = World::new();
    world.set("EDITOR", "true");
    std::fs::write(world.home().join("x.rs"), "fn main() {}").expect("a source");
    std::fs::write(world.home().join("state.json"), "{}").expect("a state");
    let made = world.mcell("init 'Example Mission' --json").ok().json();
    assert_is_as_said(&world, "output.init", &made);
    for typed in TYPED {
        let (command, rest) = typed.split_once('|').expect("a command and the rest");
        let rest = rest.replace("..", made["cell_id"].as_str().expect("an id"));
        let printed = world.mcell(&format!("--json {command} {rest}"));
        let name = format!("output.{}", command.replace(' ', "."));
        assert_is_as_said(&world, &name, &printed.json());
    }
}

/// What is typed where agents fell and wait for an operator, in this order: `ID` is the request of one that waits.
const FALLEN: &[&str] = &[
    "revival list|",
    "revival show|ID",
    "revival deny|ID",
    "revive|agent_001 --no-wait",
    "revival cancel|ID",
    "revive|agent_001 --no-wait",
    "revival approve|ID",
    "approve|ID",
    "deny|ID",
];

#[test]
fn what_is_said_of_revivals_is_what_their_schemas_say() {
    let world = World::with_cell("Example Mission");
    world.mcell("add-agent --role write -- sh -c 'exit 1'").ok();
    world.mcell("policy set auto_revive=ask").ok();
    let daemon = crate::pit::Daemon::start(&world);
    world.mcell("agent start agent_001").ok();
    let waiting = || {
        let listed = world.mcell("revival list --json").ok().json();
        let newest = listed["revivals"].as_array()?.last()?;
        Some(newest["id"].as_str()?.to_owned())
    };
    let mut id = crate::pit::until("a request waits", waiting);
    drop(daemon);
    for typed in FALLEN {
        let (command, rest) = typed.split_once('|').expect("a command and the rest");
        id = waiting().unwrap_or(id);
        let line = format!("--json {command} {}", rest.replace("ID", &id));
        let name = format!("output.{}", command.replace(' ', "."));
        let outcome = world.mcell(&line);
        // What is approved can only be denied if it waits again.
        if outcome.code == 5 {
            let error = serde_json::from_str(&outcome.err).expect("an error as JSON");
            assert_is_as_said(&world, "output.error", &error);
        } else {
            assert_is_as_said(&world, &name, &outcome.ok().json());
        }
    }
}

/// What is typed while a daemon runs, in this order.
const DAEMON: &[&str] = &[
    "daemon status|",
    "heartbeat|agent_001",
    "health|",
    "why|agent_001",
    "status|",
    "daemon hold|--for 10m test",
    "daemon release|",
    "daemon reload|",
    "daemon log|-n 1",
    "daemon restart|",
    "daemon stop|",
];

#[test]
fn what_commands_print_while_a_daemon_runs_is_what_their_schemas_say() {
    let world = World::with_cell("Example Mission");
    world.mcell("add-agent --role write").ok();
    let daemon = crate::pit::Daemon::start(&world);
    for typed in DAEMON {
        let (command, rest) = typed.split_once('|').expect("a command and the rest");
        let printed = world.mcell(&format!("--json {command} {rest}"));
        let name = format!("output.{}", command.replace(' ', "."));
        assert_is_as_said(&world, &name, &printed.json());
    }
    drop(daemon);
}

/// The same, of an agent that runs.
const RUNNING: &[&str] = &["drill|agent_001 --yes"];

#[test]
fn what_is_said_of_agents_that_run_is_what_their_schemas_say() {
    let world = crate::crew::world("exec sleep 1000");
    let daemon = crate::pit::Daemon::start(&world);
    world.mcell("agent start agent_001").ok();
    let plan = world.mcell("--json drill agent_001 --dry-run").ok().json();
    assert_is_as_said(&world, "output.drill.plan", &plan);
    for typed in RUNNING {
        let (command, rest) = typed.split_once('|').expect("a command and the rest");
        let printed = world.mcell(&format!("--json {command} {rest}")).ok();
        let name = format!("output.{}", command.replace(' ', "."));
        assert_is_as_said(&world, &name, &printed.json());
    }
    drop(daemon);
}

#[test]
fn every_command_has_a_schema_and_every_schema_is_held_against_its_command() {
    let mut missing = Vec::new();
    let world = World::new();
    for leaf in crate::help::leaves() {
        let name = format!("output.{}", leaf.join("."));
        let is_text = name == "output.completions";
        if !is_text && world.mcell(&format!("schema {name}")).code != 0 {
            missing.push(name);
        }
        let words = leaf.join(" ");
        let typed = |typed: &&str| typed.split('|').next() == Some(&words);
        let elsewhere = ["init", "scan", "validate", "completions"];
        let is_told = DAEMON.iter().chain(FALLEN).chain(RUNNING).any(typed);
        if !TYPED.iter().any(typed) && !is_told && !elsewhere.contains(&words.as_str()) {
            missing.push(format!("{words}: not typed in this test"));
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn what_is_wrong_is_printed_as_the_schemas_say() {
    let world = World::with_cell("Example Mission");
    world.mcell("add-task 'Code Review'").ok();
    world.mcell("add-agent --role write -- sh -c true").ok();
    let file = world.cell().join("tasks/task_001.json");
    let task = std::fs::read_to_string(&file)
        .expect("a task")
        .replace("pending", "pendant");
    std::fs::write(&file, task).expect("a broken task");
    for (name, command) in [
        ("output.status", "status"),
        ("output.scan", "scan"),
        ("output.scan.problems", "scan --problems"),
        ("output.scan.changes", "scan --changes"),
        ("output.validate", "validate"),
        ("output.explain.list", "explain"),
        ("output.cell.list", "cell list"),
        ("output.cell.show", "cell show"),
        ("output.agent.start.plan", "agent start agent_001 --dry-run"),
        ("output.daemon.config.create", "daemon config --create"),
        ("output.daemon.config.check", "daemon config --check"),
    ] {
        let printed = world.mcell(&format!("{command} --json")).json();
        assert_is_as_said(&world, name, &printed);
    }
    let failed = world
        .mcell("add-task --depends-on task_009 X --json")
        .code(3);
    let error = serde_json::from_str(&failed.err).expect("an error as JSON");
    assert_is_as_said(&world, "output.error", &error);
}

#[test]
fn a_wrong_name_is_answered_with_the_one_that_was_meant() {
    let world = World::new();
    world.mcell("schema tasks").code(3).says("is `task` meant?");
    world
        .mcell("schema")
        .ok()
        .shows("tasks/<task_id>.json")
        .shows("output.error");
}
