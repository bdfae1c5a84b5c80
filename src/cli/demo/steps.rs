//! What the demo does, in order.

/// What a step runs.
pub(super) enum Run {
    /// This program, with a line of arguments.
    Mcell(&'static [&'static str]),
    /// A shell, in the folder of the cell.
    Shell(&'static str),
}

/// One step.
pub(super) struct Step {
    /// Why; empty where the one before said it.
    pub(super) why: &'static str,
    /// What.
    pub(super) run: Run,
    /// The exit code that it must end with.
    pub(super) ends: u8,
}

const fn mcell(why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        why,
        run: Run::Mcell(arguments),
        ends: 0,
    }
}

/// A step that must say no.
const fn says_no(why: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        ends: 1,
        ..mcell(why, arguments)
    }
}

/// A slip of the hand: a field's name, and a time as some other tools write it.
const SLIP: &str = r#"sed -i 's/"title"/"titel"/; s/T\(..:..:..\)Z/ \1/' tasks/task_003.json"#;

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
    mcell("All cells at a glance, and how the tasks hang together:", &["scan"]),
    mcell("", &["task", "graph"]),
    Step { why: "Files are edited by hand, and hands slip.", run: Run::Shell(SLIP), ends: 0 },
    says_no("", &["validate"]),
    says_no("", &["scan", "--problems"]),
    mcell("What is safe to mend is mended:", &["validate", "--fix"]),
    mcell("", &["scan"]),
];
