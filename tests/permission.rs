//! What an agent may: each command is a look, or is held against role and permissions. No command is forgotten here.

use crate::fleet;
use crate::world::World;

/// Commands that change nothing in a cell.
const LOOKS: &[&str] = &[
    "scan",
    "health",
    "daemon status",
    "daemon log",
    "daemon config",
    "status",
    "cell list",
    "cell show",
    "cell path",
    "agent list",
    "agent show",
    "agent log",
    "revival list",
    "revival show",
    "task list",
    "task show",
    "task ready",
    "task graph",
    "why",
    "policy show",
    "isolation show",
    "permission show",
    "permission allows",
    "explain",
    "schema",
    "doctor",
    "demo",
    "completions",
    "man",
    "handoff list",
    "checkpoint list",
    "checkpoint show",
    "checkpoint verify",
    "artifact list",
    "artifact verify",
    "journal show",
    "journal verify",
    "journal head",
    "log",
];

/// What any agent may do: it says that it lives, which changes no mission file.
const ITS_OWN: &[&str] = &["heartbeat"];

/// Commands that change something, as an agent may type them whose role is audit; all are refused.
const CHANGES: &[&str] = &[
    "init|Second",
    "add-agent|--role write",
    "add-task|Another",
    "validate|--fix",
    "daemon stop|",
    "daemon restart|",
    "daemon reload|",
    "daemon hold|test",
    "daemon release|",
    "cell set|max_agents=3",
    "cell edit|",
    "cell pause|",
    "cell resume|",
    "cell complete|--force",
    "cell fail|",
    "cell reopen|",
    "cell remove|Example --yes",
    "cell prune|--older-than 0 --yes",
    "agent set|agent_002 name=x",
    "agent edit|agent_002",
    "agent pause|agent_002",
    "agent resume|agent_002",
    "agent start|agent_002",
    "revive|agent_002",
    "drill|agent_002 --yes",
    "revival approve|rabcd",
    "revival deny|rabcd",
    "revival cancel|rabcd",
    "approve|rabcd",
    "deny|rabcd",
    "agent stop|agent_002",
    "agent restart|agent_002",
    "agent remove|agent_002 --yes",
    "task claim|task_001",
    "task complete|task_002",
    "task fail|task_002 --reason x",
    "task release|task_002",
    "task retry|task_003",
    "task assign|task_001 agent_002",
    "task set|task_001 priority=high",
    "task edit|task_001",
    "task reopen|task_003",
    "task remove|task_001 --yes",
    "cell backup|--to .",
    "cell restore|none.mcell.tar.zst",
    "cell take-over|",
    "handoff|task_002 agent_001",
    "handoff accept|task_002",
    "handoff decline|task_002",
    "handoff approve|task_002",
    "checkpoint save|agent_002 --state state.json",
    "checkpoint restore|agent_002",
    "checkpoint prune|agent_002 --yes",
    "artifact add|state.json",
    "artifact collect|",
    "policy set|max_retries=5",
    "isolation set|level_1",
    "permission grant|agent_001 write task_001",
    "permission revoke|agent_002 write task_001",
    "permission reset|agent_002",
];

/// A cell with an auditor, a writer that holds a task, a free task and one that failed.
fn world() -> World {
    let mut world = World::with_cell("Example");
    world.set("EDITOR", "sed -i s/Review/Changed/");
    world.mcell("add-agent --role audit").ok();
    world.mcell("add-agent --role write").ok();
    for title in ["Review", "Held", "Failed"] {
        world.mcell(&format!("add-task {title}")).ok();
    }
    world.mcell("task claim task_003 --as agent_002").ok();
    world.mcell("task fail task_003 --reason test").ok();
    world.mcell("task claim task_002 --as agent_002").ok();
    std::fs::write(world.home().join("state.json"), "{}").unwrap();
    world
        .mcell("checkpoint save agent_002 --state state.json")
        .ok();
    world.mcell("add-agent --role write").ok();
    world
        .mcell("handoff task_002 agent_003 --as agent_002")
        .ok();
    world
}

#[test]
fn every_command_is_a_look_or_is_refused_to_an_auditor_and_changes_nothing() {
    let world = world();
    let before = fleet::load(&world.root()).unwrap();
    let mut wrong = Vec::new();
    for leaf in crate::help::leaves() {
        let words = leaf.join(" ");
        let typed = CHANGES.iter().find_map(|line| {
            let (command, rest) = line.split_once('|')?;
            (command == words).then_some(rest)
        });
        match typed {
            None if LOOKS.contains(&words.as_str()) => {}
            None if ITS_OWN.contains(&words.as_str()) => {
                world.mcell(&format!("--as agent_001 {words}")).ok();
            }
            None => wrong.push(format!(
                "{words}: is it a look, or does it change something?"
            )),
            Some(rest) => {
                let outcome = world.mcell(&format!("--as agent_001 {words} {rest}"));
                if outcome.code != 5 {
                    wrong.push(format!(
                        "{words} {rest}: exit {}, {}",
                        outcome.code, outcome.err
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(fleet::load(&world.root()).unwrap(), before);
}

#[test]
fn allows_answers_by_exit_code_and_says_why() {
    let world = world();
    world
        .mcell("permission allows agent_002 write task_001")
        .ok()
        .shows("assigned to nobody");
    world
        .mcell("permission allows agent_001 write task_001")
        .code(1)
        .shows("its role is audit");
    world
        .mcell("permission grant agent_002 execute task_002 --only")
        .ok();
    world
        .mcell("permission allows agent_002 execute task_001")
        .code(1);
    world.mcell("task release task_002 --as agent_002").ok();
    world
        .mcell("task claim task_001 --as agent_002")
        .code(5)
        .says("does not name task_001");
    world
        .mcell("task claim --next --as agent_002 -q")
        .ok()
        .prints("task_002\n");
}
