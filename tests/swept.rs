//! The commands that the sweeps go through, and what must hold after each of their runs.

use crate::fleet::{self, Files};
use crate::injection::{Call, Start};
use crate::sound;
use crate::world::{World, words};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

/// The id of the cell that every sweep starts with, and of the one that `init` makes.
const CELL: &str = "3f0d2c6e-8f0b-4c39-9d0e-5f3c3c2a1b00";

/// What a root holds before the command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Before {
    /// Nothing.
    Nothing,
    /// A cell made by mcell, with two agents and two tasks.
    Cell,
    /// The same, and agent_001 holds task_001 by a lease.
    Claimed,
    /// The same, and agent_001 offers it to agent_002.
    Offered,
    /// The same, and agent_001 gave a sign of life that is on file.
    Beaten,
    /// The same cell; agent_001 has three checkpoints, has written on since, and a file to save lies in its folder.
    Saved,
    /// The same, whose journal is full: every line begins a new file.
    FullJournal,
    /// A cell made with `mkdir` and `cat`, which mcell never wrote to.
    HandMade,
}

/// The commands that change something. To sweep one more, add its line.
pub(crate) const WRITERS: &[(Before, &str)] = &[
    (
        Before::Nothing,
        "init First --id 7c9e6679-7425-40de-944b-e07fc1f90ae7",
    ),
    (
        Before::Cell,
        "init Second --id 7c9e6679-7425-40de-944b-e07fc1f90ae7 --like Example",
    ),
    (
        Before::Cell,
        "add-agent --role write --capability plan -- /bin/true",
    ),
    (
        Before::Cell,
        "add-task Swept --priority high --depends-on task_001",
    ),
    (Before::FullJournal, "add-task Swept"),
    (Before::HandMade, "add-task Swept"),
    (Before::HandMade, "add-agent --role read"),
    (Before::Cell, "cell set max_agents=3 mission_name=Swept"),
    (Before::Cell, "cell pause --for 1h"),
    (Before::Cell, "cell complete --force"),
    (Before::Claimed, "cell take-over"),
    (Before::Cell, "cell remove Example --yes"),
    (Before::Cell, "agent set agent_001 name=Swept"),
    (Before::Cell, "agent pause agent_001"),
    (Before::Cell, "agent remove agent_002 --yes"),
    (
        Before::Cell,
        "task set task_001 assigned_to=agent_001 priority=high",
    ),
    (Before::Cell, "task claim task_001 --as agent_002"),
    (Before::Cell, "task claim --next --as agent_001 --lease 10m"),
    (
        Before::Claimed,
        "task complete task_001 --as agent_001 --result done",
    ),
    (Before::Claimed, "task fail task_001 --reason gone"),
    (Before::Claimed, "task release task_001"),
    (Before::Claimed, "cell pause"),
    (Before::Cell, "task assign task_001 task_002 agent_002"),
    (Before::Cell, "task remove task_002 --yes"),
    (
        Before::Cell,
        "artifact add parser.rs --name code/deep/parser.rs --task task_001",
    ),
    (
        Before::Saved,
        "checkpoint save agent_001 --state next.json --artifact notes.md",
    ),
    (Before::Saved, "checkpoint restore agent_001 --generation 1"),
    (Before::Cell, "policy set auto_revive=ask max_retries=5"),
    (Before::Cell, "isolation set level_1"),
    (Before::HandMade, "isolation set level_2 --cpu 2"),
    (
        Before::Cell,
        "permission grant agent_002 read task_001 --only",
    ),
    (Before::Cell, "handoff task_001 agent_002"),
    (Before::Claimed, "handoff task_001 agent_002 --reason Swept"),
    (Before::Offered, "handoff task_001 agent_002"),
    (
        Before::Claimed,
        "handoff task_001 agent_002 --as agent_001 --deadline 1h",
    ),
    (
        Before::Offered,
        "handoff accept task_001 --as agent_002 --lease 1h",
    ),
    (Before::Offered, "handoff decline task_001 --as agent_002"),
    (Before::Offered, "handoff approve task_001"),
];

/// The commands that change nothing: those that look, and those whose answer is no. To sweep one more, add its line.
pub(crate) const READERS: &[(Before, &str)] = &[
    (Before::Cell, "add-task Swept --id task_001"),
    (Before::Cell, "add-task Swept --depends-on task_009"),
    (Before::Cell, "add-agent agent_001 --role read"),
    (Before::Cell, "cell list"),
    (Before::Cell, "cell show"),
    (Before::Cell, "agent list"),
    (Before::Cell, "task list --json"),
    (Before::Claimed, "task claim task_001 --as agent_002"),
    (Before::Claimed, "why task_001"),
    (Before::Beaten, "why agent_001"),
    (Before::Beaten, "health"),
    (Before::Beaten, "health agent_001 --json"),
    (Before::Beaten, "scan -c Example"),
    // What it leaves is no mission file.
    (Before::Cell, "heartbeat agent_001"),
    (Before::Cell, "task ready -q"),
    (Before::Cell, "task show task_002"),
    (Before::Offered, "handoff list --all"),
    (Before::Offered, "handoff accept task_001 --as agent_001"),
    (Before::Offered, "handoff task_001 agent_002 --as agent_001"),
    (Before::HandMade, "scan"),
    (Before::Cell, "status"),
    (Before::Cell, "validate"),
    (Before::Saved, "checkpoint list agent_001"),
    (Before::Saved, "checkpoint verify"),
    (Before::Cell, "log"),
    (Before::FullJournal, "journal verify --files"),
    (Before::Cell, "journal head"),
];

/// One command of the table, ready to be swept.
pub(crate) struct Swept {
    /// The root before it.
    pub(crate) start: Start,
    /// The command.
    pub(crate) words: Vec<String>,
    /// Its calls, from the one on that first names the root.
    pub(crate) calls: Vec<Call>,
    /// The mission files before it.
    pub(crate) old: Files,
    /// The mission files after it.
    pub(crate) new: Files,
}

impl Swept {
    /// Prepares the root, and runs the command once.
    pub(crate) fn new(before: Before, line: &str) -> Self {
        let start = Start::of(world(before));
        let old = files(&start.world.root()).expect("a whole root");
        let words = words(line);
        let (calls, copy, output) = start.record(&words);
        assert!(
            output.status.success(),
            "`mcell {line}` does not work at all:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let new = files(&copy).expect("a whole root");
        assert_ne!(old, new, "`mcell {line}` changes nothing");
        Swept {
            start,
            words,
            calls,
            old,
            new,
        }
    }

    /// What is wrong right after a run that was disturbed: each file is the old or the new one, whole.
    pub(crate) fn torn(&self, copy: &Path) -> Vec<String> {
        match files(copy) {
            Err(error) => vec![error],
            Ok(found) => {
                let names: std::collections::BTreeSet<&String> = self
                    .old
                    .keys()
                    .chain(self.new.keys())
                    .chain(found.keys())
                    .collect();
                names
                    .into_iter()
                    .filter(|name| {
                        let text = found.get(*name);
                        text != self.old.get(*name) && text != self.new.get(*name)
                    })
                    .map(|name| format!("{name} is neither the old nor the new one"))
                    .collect()
            }
        }
    }

    /// Runs the next command, which must work without help, and gives what is wrong then.
    pub(crate) fn after(&self, copy: &Path) -> Vec<String> {
        let init = ["init", "cell remove"]
            .iter()
            .any(|begin| self.words.join(" ").starts_with(begin));
        let next = if init {
            words("init After -q")
        } else {
            words(&format!("-c {CELL} add-task After -q"))
        };
        let said = self.start.run(copy, &next);
        if !said.status.success() {
            return vec![format!("the next command fails: {}", talk(&said))];
        }
        let datum = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        let made = if init {
            format!("{datum}/")
        } else {
            format!("{CELL}/tasks/{datum}.json")
        };
        let mut wrong = sound::flaws(copy);
        match files(copy) {
            Err(error) => wrong.push(error),
            Ok(mut found) => {
                let before = found.len();
                found.retain(|name, _| !name.starts_with(&made));
                if before == found.len() {
                    wrong.push(format!("{made} was said to be made, and is not there"));
                }
                if found != self.old && found != self.new {
                    let found: Vec<&String> = found.keys().collect();
                    wrong.push(format!("the cell is neither old nor new: {found:?}"));
                }
            }
        }
        let expected = self.start.world.root();
        wrong.extend(unshared(&expected, copy));
        wrong
    }
}

/// The mission files, and the handoffs, which are mcell's own. Their ids are drawn by lot: each is called as its task is.
pub(crate) fn files(root: &Path) -> Result<Files, String> {
    let mut files = fleet::load(root)?;
    for folder in ["open", "closed"] {
        let beneath = format!("{CELL}/.mcell/handoffs/{folder}");
        let place = root.join(&beneath);
        if !place.exists() {
            continue;
        }
        for name in fleet::names(&place)? {
            let Some(id) = name.strip_suffix(".json") else {
                return Err(format!("{beneath}/{name} is left"));
            };
            let text =
                std::fs::read_to_string(place.join(&name)).map_err(|error| error.to_string())?;
            let handoff: serde_json::Value = serde_json::from_str(&text)
                .map_err(|error| format!("{beneath}/{name}: {error}"))?;
            let text = text.replace(id, "ID").into_bytes();
            let state = &handoff["state"];
            let is_new = files
                .insert(format!("{beneath}/{} {state}", handoff["task_id"]), text)
                .is_none();
            assert!(is_new, "{beneath} holds two of one task in one state");
        }
    }
    Ok(files)
}

/// What another operator of the root's group could not read or write.
fn unshared(expected: &Path, root: &Path) -> Vec<String> {
    let group = expected.metadata().expect("the root").permissions().mode() & 0o070;
    let wrong = sound::modes(root)
        .into_iter()
        .filter(|(_, mode)| mode & 0o060 != group & 0o060);
    wrong
        .map(|(name, mode)| format!("{name} is closed to the root's group: {mode:o}"))
        .collect()
}

/// What a command said.
pub(crate) fn talk(output: &Output) -> String {
    format!(
        "{} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    )
}

/// A world whose root a group shares, at a fixed time.
pub(crate) fn world(before: Before) -> World {
    let mut world = World::new();
    world.at_time("2026-01-02T03:04:05Z");
    share(&world.root());
    match before {
        Before::Nothing => {}
        Before::Cell | Before::FullJournal => {
            world.run(["init", "Example", "--id", CELL]).ok();
            for role in ["lead", "write"] {
                world.run(["add-agent", "--role", role]).ok();
            }
            for title in ["Code Review", "Testing"] {
                world.run(["add-task", title]).ok();
            }
            std::fs::write(world.home().join("parser.rs"), "fn main() {}\n").expect("a source");
            // Tasks and agents were removed: whoever takes the counters for absent gives an id twice.
            let fence = world.cell().join(".mcell/fence");
            let counters = "{\n  \"token\": 7,\n  \"agent\": 17,\n  \"task\": 92\n}\n";
            std::fs::write(fence, counters).expect("counters");
            if matches!(before, Before::FullJournal) {
                world.set("MCELL_JOURNAL_MAX", "1");
            }
        }
        Before::Claimed => {
            world = self::world(Before::Cell);
            let line = "task claim task_001 --as agent_001 --lease 10m";
            world.mcell(line).ok();
        }
        Before::Offered => {
            world = self::world(Before::Claimed);
            let line = "handoff task_001 agent_002 --as agent_001";
            world.mcell(line).ok();
        }
        Before::Beaten => {
            world = self::world(Before::Claimed);
            let line = "heartbeat agent_001 --status Review";
            world.mcell(line).ok();
        }
        Before::Saved => {
            world = self::world(Before::Cell);
            let own = world.cell().join("checkpoints/agent_001");
            std::fs::create_dir_all(own.join("artifacts")).expect("a folder");
            let write =
                |file: &str, text: &str| std::fs::write(own.join(file), text).expect("a file");
            for step in ["1", "2", "3"] {
                write("state.json", &format!("{{\"step\": {step}}}\n"));
                write("context.json", &format!("{{\"read\": {step}}}\n"));
                write("artifacts/plan.md", step);
                for path in fleet::walk(&own) {
                    share(&path);
                }
                world.run(["checkpoint", "save", "agent_001"]).ok();
            }
            let home = world.home();
            std::fs::write(home.join("next.json"), "{\"step\": 4}\n").expect("a state");
            std::fs::write(home.join("notes.md"), "read it again\n").expect("an artifact");
        }
        Before::HandMade => {
            hand_made(&world.root());
        }
    }
    world
}

/// The fleet's recipe: `mkdir` and `cat`.
pub(crate) fn hand_made(root: &Path) -> PathBuf {
    let cell = root.join(CELL);
    for folder in ["agents", "tasks", "checkpoints", "logs", "artifacts"] {
        std::fs::create_dir_all(cell.join(folder)).expect("a folder");
    }
    let write = |file: &str, text: String| std::fs::write(cell.join(file), text).expect("a file");
    write(
        "cell.json",
        format!(
            "{{\"cell_id\": \"{CELL}\", \"mission_name\": \"By hand\", \"created_at\": \"2026-01-01T00:00:00Z\", \
             \"created_by\": \"ada\", \"status\": \"active\", \"isolation_level\": \"none\"}}\n"
        ),
    );
    write(
        "agents/agent_001.json",
        String::from(
            "{\"agent_id\": \"agent_001\", \"name\": \"Lead\", \"role\": \"lead\", \"status\": \"idle\", \
             \"current_task\": null, \"checkpoint\": null}\n",
        ),
    );
    for path in fleet::walk(&cell) {
        share(&path);
    }
    cell
}

/// Opens a folder or file to its group.
pub(crate) fn share(path: &Path) {
    let mode = if path.is_dir() { 0o2770 } else { 0o660 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("chmod");
}
