//! What the demo does, in order.

/// What a step runs.
pub(super) enum Run {
    /// This program, with a line of arguments.
    Mcell(&'static [&'static str]),
    /// A shell, in the folder of the cell.
    Shell(&'static str),
    /// This program, beside the demo until that ends.
    Start(&'static [&'static str]),
    /// This program, again and again until it ends as it must.
    Await(&'static [&'static str]),
    /// The same, until what it says is so.
    Until(&'static [&'static str], fn(&str) -> bool),
    /// The end of what was started so, as a machine without memory would end it.
    Kill(&'static [&'static str]),
    /// The same of the process of an agent that mcell started.
    KillAgent(&'static str),
    /// The story of the agent that was killed, once it is back.
    Story,
    /// The folder of the cell of this mission.
    Enter(&'static str),
}

/// One step.
pub(super) struct Step {
    /// Why; empty where the one before said it.
    pub(super) why: &'static str,
    /// What.
    pub(super) run: Run,
    /// The exit codes that it may end with.
    pub(super) ends: &'static [u8],
}

const fn mcell(why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        why,
        run: Run::Mcell(arguments),
        ends: &[0],
    }
}

/// A look at everything: the disk may be nearly full, or a mission late, and that is no fault of the demo.
const fn look(why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        ends: &[0, 1],
        ..mcell(why, arguments)
    }
}

/// A step that must say no.
const fn says_no(why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        ends: &[1],
        ..mcell(why, arguments)
    }
}

/// A step that must be refused.
const fn refused(why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        ends: &[5],
        ..mcell(why, arguments)
    }
}

/// A step that starts something, and does not wait for its end.
const fn start(why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        why,
        run: Run::Start(arguments),
        ends: &[0],
    }
}

/// A step that is tried until it ends so.
const fn until(ends: &'static [u8], why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        why,
        run: Run::Await(arguments),
        ends,
    }
}

/// A step that is tried until what it says is so.
const fn until_said(
    is_so: fn(&str) -> bool,
    why: &'static str,
    arguments: &'static [&'static str],
) -> Step {
    Step {
        why,
        run: Run::Until(arguments, is_so),
        ends: &[0],
    }
}

/// A step that goes somewhere, kills an agent, or tells of one.
const fn bare(why: &'static str, run: Run) -> Step {
    Step {
        why,
        run,
        ends: &[0],
    }
}

/// A step that kills what was started so.
const fn kill(why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        why,
        run: Run::Kill(arguments),
        ends: &[0],
    }
}

const fn shell(why: &'static str, line: &'static str) -> Step {
    Step {
        why,
        run: Run::Shell(line),
        ends: &[0],
    }
}

/// What an agent writes down half-way.
const NOTES: &str =
    r#"mkdir -p checkpoints/agent_002; echo '{"step": 2}' > checkpoints/agent_002/state.json"#;
/// What comes of the work, outside of the cell.
const WORK: &str = "echo 'built, 0 warnings' > ../../build.log";

/// A slip of the hand: a field's name, and a time as some other tools write it.
const SLIP: &str = r#"sed -i 's/"title"/"titel"/; s/T\(..:..:..\)Z/ \1/' tasks/task_003.json"#;

/// The daemon: at a port that is free.
const DAEMON: &[&str] = &["daemon", "--listen", "127.0.0.1:0"];
/// Two agents at work, for whom a beat a second is all there is to do.
const BEATS_1: &[&str] = &["heartbeat", "agent_001", "--every", "1s"];
const BEATS_2: &[&str] = &["heartbeat", "agent_002", "--every", "1s"];

/// A program that works, for whoever is started.
const WORKER: &str = "../../work.sh";

fn is_at_its_fourth_step(said: &str) -> bool {
    said.contains("step 4 ")
}

fn is_all_done(said: &str) -> bool {
    !said.contains("in_progress") && !said.contains("pending")
}

#[rustfmt::skip] // One step a line: this is a table.
pub(super) const STEPS: &[Step] = &[
    mcell("A mission is a folder. Make one.", &["init", "Example Mission", "--timeout", "8h"]),
    mcell("Who works on it:", &["add-agent", "--role", "lead", "--name", "Planner"]),
    mcell("", &["add-agent", "--role", "write", "--name", "Builder", "--capability", "rust"]),
    mcell("", &["add-agent", "--role", "audit", "--name", "Reviewer"]),
    mcell("What is to be done, and after what:", &["add-task", "Write the plan", "--assign", "agent_001", "--priority", "high"]),
    mcell("", &["add-task", "Build it", "--depends-on", "task_001", "--timeout", "2h"]),
    mcell("", &["add-task", "Document it", "--depends-on", "task_001"]),
    mcell("", &["add-task", "Test it", "--depends-on", "task_002"]),
    mcell("", &["add-task", "Publish it", "--depends-on", "task_003,task_004"]),
    mcell("Is everything as it should be? No line means yes.", &["validate"]),
    look("All cells at a glance, and how the tasks hang together:", &["scan"]),
    mcell("", &["task", "graph"]),
    shell("Files are edited by hand, and hands slip.", SLIP),
    says_no("", &["validate"]),
    says_no("", &["scan", "--problems"]),
    mcell("What is safe to mend is mended:", &["validate", "--fix"]),
    look("", &["scan"]),
    start("A daemon watches over agents. (The demo's config is impatient: in earnest silence may last five minutes.)", DAEMON),
    until(&[0], "", &["daemon", "status"]),
    start("Agents beat:", BEATS_1),
    start("", BEATS_2),
    until(&[0], "", &["health", "--strict", "agent_001", "agent_002"]),
    kill("One of them is killed. It falls silent, and that is seen:", BEATS_2),
    until(&[1], "", &["health", "agent_001", "agent_002"]),
    mcell("", &["why", "agent_002"]),
    mcell("", &["daemon", "log", "-n", "4"]),
    mcell("Agents take what is ready. Of many who want a task, one gets it.", &["task", "claim", "--next", "--as", "agent_001"]),
    refused("", &["task", "claim", "task_001", "--as", "agent_002"]),
    mcell("", &["task", "complete", "task_001", "--result", "three steps", "--as", "agent_001"]),
    mcell("What waited for it can go on, here for ten minutes without a sign:", &["task", "claim", "--next", "--lease", "10m", "--as", "agent_002"]),
    shell("What an agent knows is saved out of its own reach:", NOTES),
    mcell("", &["checkpoint", "save", "--as", "agent_002"]),
    mcell("It hands the task on, with the checkpoint; the other takes it:", &["handoff", "task_002", "agent_001", "--reason", "it needs the plan", "--as", "agent_002"]),
    mcell("", &["handoff", "accept", "task_002", "--as", "agent_001"]),
    refused("Whoever had it before changes nothing any more:", &["task", "complete", "task_002", "--as", "agent_002"]),
    shell("", WORK),
    mcell("", &["task", "complete", "task_002", "--artifact", "../../build.log", "--as", "agent_001"]),
    mcell("Two work through the rest:", &["task", "claim", "--next", "--as", "agent_001"]),
    mcell("", &["task", "claim", "--next", "--as", "agent_002"]),
    mcell("", &["task", "complete", "task_003", "--as", "agent_001"]),
    mcell("", &["why", "task_005"]),
    mcell("", &["task", "complete", "task_004", "--as", "agent_002"]),
    mcell("", &["task", "claim", "--next", "--as", "agent_001"]),
    mcell("", &["task", "complete", "task_005", "--auto", "--as", "agent_001"]),
    mcell("Every change is in the journal, each line chained to the one before:", &["log", "-n", "5"]),
    mcell("", &["journal", "verify"]),
    mcell("A cell is one file, if it must be:", &["cell", "backup", "--to", "../.."]),
    mcell("Agents may be programs that mcell starts. Three of them, on a mission of their own:", &["init", "Night Shift", "--timeout", "8h"]),
    bare("", Run::Enter("Night Shift")),
    shell("", "cat ../../work.sh"),
    mcell("", &["add-agent", "--role", "write", "--name", "Ada", "--", WORKER]),
    mcell("", &["add-agent", "--role", "write", "--name", "Bob", "--", WORKER]),
    mcell("", &["add-agent", "--role", "write", "--name", "Cleo", "--", WORKER]),
    mcell("", &["add-task", "Count the primes", "--assign", "agent_001"]),
    mcell("", &["add-task", "Count them too", "--assign", "agent_002"]),
    mcell("", &["add-task", "Count them once more", "--assign", "agent_003"]),
    mcell("", &["agent", "start", "agent_001", "agent_002", "agent_003"]),
    until_said(is_at_its_fourth_step, "They work. One is killed in the middle of it:", &["agent", "log", "agent_002"]),
    bare("", Run::KillAgent("agent_002")),
    bare("It is seen, and brought back from what it saved:", Run::Story),
    until_said(is_all_done, "It goes on where it was, and comes to the same number as the others:", &["task", "list"]),
    mcell("", &["agent", "log", "agent_002"]),
    mcell("", &["checkpoint", "show", "agent_002", "--file", "state"]),
    mcell("", &["checkpoint", "show", "agent_001", "--file", "state"]),
    mcell("", &["daemon", "stop"]),
];
