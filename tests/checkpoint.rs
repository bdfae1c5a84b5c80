//! Checkpoints: what was saved comes back, what is broken is named, and nothing is lost before the next one is safe.

use crate::world::{MCELL, World};
use crate::{fleet, sound};
use std::path::PathBuf;
use std::process::Stdio;

/// A world with one agent, and files to save in its home.
fn world() -> World {
    let world = World::with_cell("Example Mission");
    world.mcell("add-agent --role write").ok();
    let write = |name: &str, text: &str| std::fs::write(world.home().join(name), text).unwrap();
    write("state.json", "{\"step\": 1}\n");
    write("context.json", "{\"files\": [\"main.rs\"]}\n");
    write("plan.md", "first this, then that\n");
    world
}

fn save(world: &World, step: u32) {
    let text = format!("{{\"step\": {step}}}\n");
    std::fs::write(world.home().join("state.json"), text).unwrap();
    world
        .mcell("checkpoint save agent_001 --state state.json --context context.json")
        .ok();
}

fn generation(world: &World, number: u32) -> PathBuf {
    let place = world.cell().join(".mcell/checkpoints/agent_001");
    place.join(number.to_string())
}

fn own(world: &World, file: &str) -> String {
    let path = world.cell().join("checkpoints/agent_001").join(file);
    std::fs::read_to_string(path).unwrap()
}

#[track_caller]
fn is_sound(world: &World) {
    fleet::sound(&world.root());
    assert_eq!(sound::flaws(&world.root()), Vec::<String>::new());
}

#[test]
fn a_checkpoint_is_saved_from_files_and_noted_in_the_agents_file() {
    let world = world();
    world
        .mcell("checkpoint save agent_001 --state state.json --context context.json --artifact plan.md")
        .ok()
        .prints("Saved checkpoint 1 of agent_001: state.json, context.json, 1 artifact\n")
        .says_nothing();
    for (file, source) in [
        ("state.json", "state.json"),
        ("context.json", "context.json"),
        ("artifacts/plan.md", "plan.md"),
    ] {
        let given = std::fs::read_to_string(world.home().join(source)).unwrap();
        let kept = std::fs::read_to_string(generation(&world, 1).join(file)).unwrap();
        assert_eq!((&own(&world, file), &kept), (&given, &given), "{file}");
    }
    let agent = world.mcell("agent show agent_001 --json").ok().json();
    let sum = world.shell("sha256sum context.json").ok();
    let sum = sum.datum().split_whitespace().next().unwrap().to_owned();
    assert_eq!(agent["checkpoint"]["context_hash"], sum.as_str());
    assert_eq!(agent["checkpoint"]["artifacts"][0], "plan.md");
    world
        .mcell("checkpoint show agent_001 --file state")
        .ok()
        .prints("{\"step\": 1}\n");
    world
        .mcell("checkpoint verify")
        .ok()
        .shows("all are what was saved");
    world.mcell("validate").ok().prints("");
    is_sound(&world);
}

#[test]
fn a_checkpoint_is_saved_from_standard_input_and_from_where_agents_write() {
    let world = world();
    world
        .shell("echo '{\"step\": 7}' | mcell checkpoint save --as agent_001 --state -")
        .ok()
        .shows("Saved checkpoint 1 of agent_001: state.json");
    assert_eq!(own(&world, "state.json"), "{\"step\": 7}\n");
    std::fs::write(
        world.cell().join("checkpoints/agent_001/context.json"),
        "{\"own\": true}",
    )
    .unwrap();
    let saved = world
        .mcell("checkpoint save --as agent_001 --json")
        .ok()
        .json();
    assert_eq!(saved["generation"], 2);
    assert_eq!(saved["manifest"]["saved_by"], "agent_001");
    assert_eq!(saved["manifest"]["files"][1]["name"], "context.json");
    world
        .mcell("checkpoint save agent_001 --state - --context -")
        .code(2);
    world
        .shell("echo '{\"step\": }' | mcell checkpoint save agent_001 --state -")
        .code(4)
        .says("standard input:1:10");
    world
        .shell("echo '[1]' | mcell checkpoint save agent_001 --context -")
        .code(4)
        .says("an object is needed here");
    world.mcell("checkpoint save").code(2);
    world.mcell("checkpoint save agent_009").code(3);
    world
        .mcell("checkpoint save agent_001 --state none.json")
        .code(3);
    is_sound(&world);
}

#[test]
fn nothing_to_save_is_told_and_the_way_out() {
    let world = world();
    world
        .mcell("checkpoint save agent_001")
        .code(3)
        .says("neither state.json nor context.json")
        .says("mcell checkpoint save agent_001 --state FILE");
    world.mcell("checkpoint list").ok().prints("");
    world.mcell("checkpoint verify agent_001").code(3);
    world.mcell("checkpoint restore agent_001").code(3);
    is_sound(&world);
}

#[test]
fn four_saves_keep_three() {
    let world = world();
    for step in 1..=4 {
        save(&world, step);
    }
    world
        .mcell("checkpoint list agent_001 -q")
        .ok()
        .prints("agent_001 2\nagent_001 3\nagent_001 4\n");
    assert!(!generation(&world, 1).exists());
    world
        .mcell("checkpoint restore agent_001 --generation 1")
        .code(3)
        .says("there are 2, 3, 4");
    world.mcell("checkpoint prune agent_001 --keep 1").code(2);
    world
        .mcell("checkpoint prune agent_001 --keep 1 --yes")
        .ok()
        .prints("Deleted checkpoint 2, 3 of agent_001; kept 4\n");
    save(&world, 5);
    world
        .mcell("checkpoint list agent_001 -q")
        .ok()
        .prints("agent_001 4\nagent_001 5\n");
}

#[test]
fn an_altered_byte_is_named_and_nothing_of_it_is_restored() {
    let world = world();
    save(&world, 1);
    save(&world, 2);
    save(&world, 3);
    std::fs::write(
        generation(&world, 3).join("context.json"),
        "{\"files\": [\"main.rz\"]}\n",
    )
    .unwrap();
    world
        .mcell("checkpoint verify agent_001")
        .code(1)
        .shows("checkpoint 3 of agent_001 is broken: context.json is altered\n")
        .shows("3 checkpoints held against the manifests: 1 broken");
    let before = own(&world, "state.json");
    world
        .mcell("checkpoint restore agent_001")
        .code(5)
        .says("context.json is altered")
        .says("mcell checkpoint restore agent_001 --generation 2");
    assert_eq!(own(&world, "state.json"), before);
    world
        .mcell("checkpoint restore agent_001 --generation 2")
        .ok();
    assert_eq!(own(&world, "state.json"), "{\"step\": 2}\n");
    world
        .mcell("checkpoint prune agent_001 --keep 1 --yes")
        .ok()
        .shows("Deleted checkpoint 1 of agent_001; kept 2, 3");
}

#[test]
fn a_torn_one_is_found_whatever_it_lacks() {
    let world = world();
    for step in 1..=3 {
        save(&world, step);
    }
    std::fs::remove_file(generation(&world, 1).join("state.json")).unwrap();
    std::fs::write(
        generation(&world, 2).join("manifest.json"),
        "{\"agent\": \"ag",
    )
    .unwrap();
    std::fs::write(generation(&world, 3).join("more.json"), "{}").unwrap();
    world
        .mcell("checkpoint verify")
        .code(1)
        .shows("checkpoint 1 of agent_001 is broken: state.json is missing")
        .shows("checkpoint 2 of agent_001 is broken: manifest.json cannot be read")
        .shows("checkpoint 3 of agent_001 is broken: more.json was not saved with it");
    world
        .mcell("checkpoint list")
        .ok()
        .shows("its manifest cannot be read");
    world
        .mcell("checkpoint restore agent_001")
        .code(5)
        .says("no checkpoint of agent_001 is good");
    world
        .mcell("checkpoint prune agent_001 --keep 1 --yes")
        .code(5);
    save(&world, 4);
    world
        .mcell("checkpoint verify agent_001 --generation 4")
        .ok();
    world.mcell("checkpoint restore agent_001").ok();
}

#[test]
fn an_older_one_is_restored_whole() {
    let world = world();
    world
        .mcell("checkpoint save agent_001 --state state.json --artifact plan.md")
        .ok();
    let first = world.cell().join("agents/agent_001.json");
    let noted = std::fs::read_to_string(&first).unwrap();
    std::fs::write(world.home().join("plan.md"), "another plan\n").unwrap();
    world
        .mcell("checkpoint save agent_001 --context context.json --artifact plan.md")
        .ok();
    let folder = world.cell().join("checkpoints/agent_001");
    let inode = |path: &PathBuf| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
    let before = inode(&folder);
    world
        .mcell("checkpoint restore agent_001 --generation 1 --json")
        .ok();
    assert_eq!(
        inode(&folder),
        before,
        "a mount of the folder still sees it"
    );
    assert_eq!(own(&world, "artifacts/plan.md"), "first this, then that\n");
    assert!(
        !folder.join("context.json").exists(),
        "it was saved without"
    );
    assert_eq!(std::fs::read_to_string(&first).unwrap(), noted);
    world
        .mcell("checkpoint restore agent_001 --generation 1")
        .ok()
        .shows("already");
    world
        .mcell("checkpoint restore agent_001 --as agent_001")
        .code(5)
        .says("only an operator may restore a checkpoint");
    world.mcell("validate").ok();
    is_sound(&world);
}

#[test]
fn an_agent_that_lost_its_task_saves_nothing() {
    let mut world = world();
    world.mcell("add-agent --role write").ok();
    world.mcell("add-task Review").ok();
    let claimed = world
        .mcell("task claim task_001 --as agent_001 --json")
        .ok()
        .json();
    let token = claimed["claim"]["token"].as_u64().unwrap();
    world
        .mcell(&format!(
            "checkpoint save --as agent_001 --token {token} --state state.json"
        ))
        .ok()
        .shows("at work on task_001");
    world.mcell("task release task_001").ok();
    world.mcell("task claim task_001 --as agent_002").ok();
    world.set("MCELL_CLAIM", format!("task_001:{token}"));
    let refused = world
        .mcell("checkpoint save --as agent_001 --state state.json --json")
        .code(5);
    let error: serde_json::Value = serde_json::from_str(&refused.err).unwrap();
    assert_eq!(error["error"]["code"], "fenced");
    world.unset("MCELL_CLAIM");
    world
        .mcell("checkpoint save agent_002 --as agent_001 --state state.json")
        .code(5)
        .says("its own checkpoint only");
    assert!(!generation(&world, 2).exists());
    is_sound(&world);
}

#[test]
fn saves_at_once_lose_nothing() {
    let world = world();
    let mut running = Vec::new();
    for _ in 0..6 {
        let mut command = world.command(MCELL);
        command
            .args([
                "checkpoint",
                "save",
                "agent_001",
                "--state",
                "state.json",
                "-q",
            ])
            .args(["--artifact", "plan.md"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        running.push(command.spawn().unwrap());
    }
    let mut numbers: Vec<String> = running
        .into_iter()
        .map(|save| {
            let output = save.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{said}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        })
        .collect();
    numbers.sort();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6"]);
    world.mcell("checkpoint verify").ok();
    is_sound(&world);
}

#[test]
fn what_a_killed_save_was_making_is_swept_by_the_next_command() {
    let world = world();
    save(&world, 1);
    let left = world.cell().join(".mcell/incoming/.made.1-0.tmp");
    std::fs::create_dir_all(left.join("artifacts")).unwrap();
    std::fs::write(left.join("state.json"), "{}").unwrap();
    world.mcell("add-task Review").ok();
    is_sound(&world);
}

#[test]
fn what_is_no_plain_file_is_not_followed() {
    let world = world();
    save(&world, 1);
    let own = world.cell().join("checkpoints/agent_001");
    std::fs::create_dir_all(own.join("artifacts/deep")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", own.join("artifacts/link")).unwrap();
    std::fs::write(own.join("artifacts/.half.tmp"), "x").unwrap();
    let saved = world.mcell("checkpoint save agent_001 --json").ok().json();
    assert_eq!(saved["left_out"], serde_json::json!(["deep", "link"]));
    assert_eq!(saved["manifest"]["files"].as_array().unwrap().len(), 2);
    std::fs::remove_file(own.join("state.json")).unwrap();
    std::os::unix::fs::symlink(world.home().join("state.json"), own.join("state.json")).unwrap();
    world
        .mcell("checkpoint save agent_001")
        .code(4)
        .says("is a link");
    world.mcell("checkpoint verify").ok();
}

#[test]
fn a_state_has_its_limit_and_an_artifact_has_none() {
    let world = world();
    let large = format!("{{\"x\": \"{}\"}}", "x".repeat(17 << 20));
    std::fs::write(world.home().join("large.json"), &large).unwrap();
    world
        .mcell("checkpoint save agent_001 --state large.json")
        .code(4)
        .says("too large")
        .says("--artifact FILE");
    world
        .mcell("checkpoint save agent_001 --state state.json --artifact large.json")
        .ok();
    let kept = world
        .cell()
        .join("checkpoints/agent_001/artifacts/large.json");
    std::fs::write(&kept, "lost").unwrap();
    world.mcell("checkpoint restore agent_001").ok();
    assert!(std::fs::read_to_string(&kept).unwrap() == large);
    is_sound(&world);
}
