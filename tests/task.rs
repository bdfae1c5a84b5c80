//! Work: of many who want one task one gets it, and every task is done once, whoever dies on the way.

use crate::sound;
use crate::world::{MCELL, World};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A cell with so many agents that may work.
fn world_with_agents(agents: usize) -> World {
    let world = World::new();
    world
        .mcell(&format!("init Example --max-agents {agents}"))
        .ok();
    for number in 1..=agents {
        world
            .mcell(&format!("add-agent agent_{number:03} --role write"))
            .ok();
    }
    world
}

/// Puts tasks into the cell as another tool of the fleet would: each waits for some of those before it.
fn put_graph(world: &World, tasks: usize) {
    for number in 1..=tasks {
        let waits: BTreeSet<usize> = [
            number / 2,
            number * 7 % number.max(1),
            number.saturating_sub(13),
        ]
        .into_iter()
        .filter(|other| (1..number).contains(other) && number % 5 != 1)
        .collect();
        let waits: Vec<String> = waits
            .iter()
            .map(|other| format!("task_{other:03}"))
            .collect();
        let text = serde_json::json!({
            "task_id": format!("task_{number:03}"), "title": "T", "status": "pending", "priority": "medium",
            "assigned_to": null, "dependencies": waits, "created_at": "2026-01-02T03:04:05Z",
        });
        std::fs::write(
            world.cell().join(format!("tasks/task_{number:03}.json")),
            text.to_string(),
        )
        .unwrap();
    }
}

/// An agent: a process of its own that takes tasks and completes them until it is told that it is over.
const AGENT: &str = r#"
while [ ! -e "$OVER" ]; do
    if task=$(mcell task claim --next $LEASE -q 2>> "$SAID"); then
        mcell task complete "$task" -q >> /dev/null 2>> "$SAID"
    fi
done
"#;

/// The agents at work. They end with the test, however it ends.
struct Shift {
    agents: Vec<Child>,
}

impl Shift {
    fn begin(world: &World, agents: usize, lease: &str) -> Self {
        let start = |number: usize| {
            let mut command: Command = world.command("sh");
            command
                .args(["-c", AGENT])
                .env("MCELL_AGENT", format!("agent_{number:03}"))
                .env("LEASE", lease)
                .env("OVER", world.place().join("over"))
                .env("SAID", world.place().join("said"))
                .stdin(Stdio::null())
                .process_group(0);
            command.spawn().expect("an agent starts")
        };
        Shift {
            agents: (1..=agents).map(start).collect(),
        }
    }

    /// Ends an agent and what it runs, as a crash would.
    fn kill(&mut self, number: usize) {
        let agent = &mut self.agents[number];
        let group = agent.id();
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{group}")])
            .status();
        let _ = agent.wait();
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        for number in 0..self.agents.len() {
            if matches!(self.agents[number].try_wait(), Ok(None)) {
                self.kill(number);
            }
        }
    }
}

/// How many tasks of the cell are completed.
fn completed(world: &World) -> usize {
    let tasks = std::fs::read_dir(world.cell().join("tasks")).unwrap();
    tasks
        .filter(|entry| {
            let path = entry.as_ref().unwrap().path();
            // A temp may go between the listing and here.
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.contains("\"completed\"")
        })
        .count()
}

/// Waits until this holds; what was said when it does not in time.
fn wait_until(world: &World, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        let said = || std::fs::read_to_string(world.place().join("said")).unwrap_or_default();
        assert!(
            began.elapsed() < Duration::from_secs(300),
            "not in time:\n{}",
            said()
        );
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Each task was completed once, after all that it waits for, and the cell is sound.
fn require_done_once(world: &World, tasks: usize) {
    let text = std::fs::read_to_string(world.cell().join("logs/journal.jsonl")).unwrap();
    let mut order: BTreeMap<String, usize> = BTreeMap::new();
    for (place, line) in text.lines().enumerate() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["act"] == "task complete" {
            let task = line["what"]
                .as_str()
                .unwrap()
                .trim_start_matches("completed ")
                .to_owned();
            assert_eq!(
                order.insert(task.clone(), place),
                None,
                "{task} was completed twice"
            );
        }
    }
    assert_eq!(order.len(), tasks);
    for (task, place) in &order {
        let file = world.cell().join(format!("tasks/{task}.json"));
        let record: serde_json::Value =
            serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for other in record["dependencies"].as_array().unwrap() {
            assert!(
                order[other.as_str().unwrap()] < *place,
                "{task} was done before {other}"
            );
        }
    }
    assert_eq!(sound::journal_flaws(&world.cell()), Vec::<String>::new());
    world.mcell("validate").ok();
}

#[test]
fn of_64_agents_who_race_for_a_task_exactly_one_gets_it_in_each_of_50_rounds() {
    let world = world_with_agents(64);
    for round in 1..=50 {
        let task = world
            .mcell(&format!("add-task -q 'Round {round}'"))
            .ok()
            .datum()
            .to_owned();
        let racers: Vec<Child> = (1..=64)
            .map(|number| {
                let mut command = world.command(MCELL);
                command
                    .args([
                        "task",
                        "claim",
                        &task,
                        "-q",
                        "--as",
                        &format!("agent_{number:03}"),
                    ])
                    .stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                command.spawn().expect("mcell starts")
            })
            .collect();
        let ended: Vec<_> = racers
            .into_iter()
            .map(|racer| racer.wait_with_output().unwrap())
            .collect();
        let winners: Vec<usize> = (0..64)
            .filter(|place| ended[*place].status.success())
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        for loser in ended.iter().filter(|output| !output.status.success()) {
            let said = String::from_utf8_lossy(&loser.stderr);
            assert!(
                loser.status.code() == Some(5) && said.contains(" holds "),
                "{said}"
            );
        }
        let shown = world.mcell(&format!("task show {task} --json")).ok().json();
        assert_eq!(
            shown["claim"]["agent"],
            format!("agent_{:03}", winners[0] + 1)
        );
        world.mcell(&format!("task complete {task}")).ok();
    }
}

#[test]
fn sixteen_agents_drain_a_graph_of_500_tasks_and_each_is_done_once() {
    let world = world_with_agents(16);
    put_graph(&world, 500);
    let mut shift = Shift::begin(&world, 16, "");
    wait_until(&world, || completed(&world) == 500);
    std::fs::write(world.place().join("over"), "").unwrap();
    for agent in &mut shift.agents {
        assert!(agent.wait().unwrap().success());
    }
    require_done_once(&world, 500);
}

#[test]
fn agents_are_killed_on_the_way_and_still_each_task_is_done_once() {
    let world = world_with_agents(16);
    put_graph(&world, 500);
    let mut shift = Shift::begin(&world, 16, "--lease 2");
    // One in ten, each in the middle of its work.
    for (number, after) in [(3, 40), (11, 160)] {
        wait_until(&world, || completed(&world) >= after);
        shift.kill(number);
    }
    wait_until(&world, || completed(&world) == 500);
    std::fs::write(world.place().join("over"), "").unwrap();
    drop(shift);
    require_done_once(&world, 500);
}

#[test]
fn beads_3570_an_agent_that_lost_its_claim_is_told_so_and_changes_nothing() {
    let mut world = world_with_agents(2);
    world.at_time("2026-01-02T03:04:05Z");
    world.mcell("add-task Review").ok();
    let claimed = world
        .mcell("task claim task_001 --as agent_001 --lease 60 --json")
        .ok()
        .json();
    let token = claimed["claim"]["token"].as_u64().unwrap();
    world.at_time("2026-01-02T03:05:05Z");
    let again = world
        .mcell("task claim --next --as agent_002 --json")
        .ok()
        .json();
    assert!(again["claim"]["token"].as_u64().unwrap() > token);
    world.set("MCELL_AGENT", "agent_001");
    world.set("MCELL_CLAIM", format!("task_001:{token}"));
    let refused = world.mcell("task complete task_001 --json").code(5);
    let error: serde_json::Value = serde_json::from_str(&refused.err).unwrap();
    assert_eq!(error["error"]["code"], "fenced");
    // Its claim is of that task alone.
    world
        .mcell("task claim --next")
        .code(1)
        .says("no task is ready");
}

#[test]
fn an_agent_may_only_what_its_role_and_permissions_grant() {
    let world = world_with_agents(2);
    world.mcell("cell set max_agents=3").ok();
    world.mcell("add-agent agent_009 --role audit").ok();
    world.mcell("add-task One --assign agent_002").ok();
    world.mcell("add-task Two").ok();
    world
        .mcell("task claim task_001 --as agent_001")
        .code(5)
        .says("assigned to agent_002");
    world
        .mcell("task claim --next --as agent_009")
        .code(1)
        .says("none for agent_009");
    world
        .mcell("task claim task_002 --as agent_009")
        .code(5)
        .says("its role is audit");
    world
        .mcell("task assign task_002 agent_002 --as agent_001")
        .code(5)
        .says("only a lead");
    world
        .mcell("permission allows agent_009 write task_002")
        .code(1)
        .shows("audit");
    world.mcell("task claim task_001").code(2).says("say which");
}

#[test]
fn why_tells_what_stands_in_the_way_and_what_comes_next() {
    let world = world_with_agents(1);
    world.mcell("add-task One").ok();
    world.mcell("add-task Two --depends-on task_001").ok();
    world
        .mcell("why task_002")
        .ok()
        .shows("because task_001 is pending")
        .shows("agent_001 may take it when it is ready");
    world.mcell("task claim task_001 --as agent_001").ok();
    let why = world.mcell("why task_001 --json").ok().json();
    assert_eq!(why["held_by"], "agent_001");
    assert_eq!(why["awaited_by"], serde_json::json!(["task_002"]));
    world
        .mcell("why task_009")
        .code(3)
        .says("there is no agent and no task task_009");
}

#[test]
fn beads_4996_states_are_words() {
    let world = world_with_agents(1);
    world.mcell("add-task One").ok();
    world
        .mcell("task claim task_001 --as agent_001")
        .ok()
        .shows("agent_001 has taken task_001");
    let listed = world.mcell("task list").ok();
    assert!(
        listed.out.is_ascii() && listed.out.contains("in_progress"),
        "{}",
        listed.out
    );
}

#[test]
fn the_last_task_offers_to_complete_the_cell() {
    let world = world_with_agents(1);
    world.mcell("add-task One").ok();
    world.mcell("add-task Two").ok();
    world.mcell("task claim task_001 --as agent_001").ok();
    world
        .mcell("task complete task_001 --as agent_001")
        .ok()
        .hides("last open task");
    world.mcell("task claim task_002 --as agent_001").ok();
    world
        .mcell("task complete task_002 --as agent_001")
        .ok()
        .shows("mcell cell complete");
    world.mcell("task reopen task_002").ok();
    world.mcell("task claim task_002 --as agent_001").ok();
    world
        .mcell("task complete task_002 --auto")
        .ok()
        .shows("the cell is completed");
    world.mcell("cell show").ok().shows("completed");
}
