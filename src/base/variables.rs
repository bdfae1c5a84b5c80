//! The environment variables that count, in one table: for the manual page, and for doctor.

/// A variable of the environment.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence without a full stop.
    pub about: &'static str,
}

const fn variable(name: &'static str, about: &'static str) -> Variable {
    Variable { name, about }
}

/// Every variable that changes what a command does.
pub const ALL: [Variable; 14] = [
    variable(
        "MCELL_ROOT",
        "The folder of all cells, where --root is not given",
    ),
    variable(
        "MCELL_CELL",
        "The cell that is meant, where --cell is not given",
    ),
    variable(
        "MCELL_AGENT",
        "The agent that acts, where --as is not given; its permissions count",
    ),
    variable(
        "MCELL_CONFIG",
        "The config file, instead of ~/.lazarus/config.json and /etc/lazarus/config.json",
    ),
    variable(
        "MCELL_LOCK_TIMEOUT",
        "How many seconds to wait since a lock last changed hands; 10 if not set",
    ),
    variable(
        "MCELL_JOURNAL_MAX",
        "How many bytes logs/journal.jsonl may have before a new file begins; 16 MiB if not set",
    ),
    variable(
        "MCELL_THREADS",
        "How many threads read cells; made of the machine's processors if not set",
    ),
    variable(
        "MCELL_NOW",
        "The present, RFC 3339: for tests, and for output that can be repeated",
    ),
    variable(
        "MCELL_COMPLETE_VERSION",
        "Set by completion scripts: the version that made them",
    ),
    variable(
        "COMPLETE",
        "Set by completion scripts: the shell that asks mcell for completions",
    ),
    variable(
        "NO_COLOR",
        "Not empty: no colour, unless --color says otherwise",
    ),
    variable("VISUAL", "The editor of the edit commands"),
    variable(
        "EDITOR",
        "The editor of the edit commands, where VISUAL is not set",
    ),
    variable("HOME", "Where ~ leads to, and .lazarus/config.json lies"),
];
