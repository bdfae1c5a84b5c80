//! Looks whether this machine and this root are as mcell needs them, and says what to type where they are not.

mod cells;
mod machine;
mod root;
mod user;

use crate::base::error::Error;
use crate::base::exit;
use crate::ops::session::Session;
use schemars::JsonSchema;
use serde::Serialize;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but is probably not what was meant.
    Warning,
    /// Could not be looked at.
    Unknown,
    /// Does not work, or is not safe.
    Problem,
}

impl Verdict {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Unknown => "unknown",
            Verdict::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What: a word that stays the same.
    pub name: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub why: String,
    /// The commands to type.
    pub commands: Vec<String>,
}

impl Check {
    fn new(name: &'static str, verdict: Verdict, why: impl Into<String>) -> Self {
        Check {
            name,
            verdict,
            why: why.into(),
            commands: Vec::new(),
        }
    }

    fn ok(name: &'static str, why: impl Into<String>) -> Self {
        Check::new(name, Verdict::Ok, why)
    }

    fn warning(name: &'static str, why: impl Into<String>) -> Self {
        Check::new(name, Verdict::Warning, why)
    }

    fn problem(name: &'static str, why: impl Into<String>) -> Self {
        Check::new(name, Verdict::Problem, why)
    }

    /// A look that failed.
    fn unknown(name: &'static str, error: &Error) -> Self {
        Check::new(name, Verdict::Unknown, error.message())
    }

    /// Adds a command to type.
    fn command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Examination {
    /// The version of mcell.
    pub version: &'static str,
    /// The root that is meant; null where even that cannot be told.
    pub root: Option<String>,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Examination {
    /// How many checks came to this.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count()
    }

    /// The exit code: "no" where there is a problem, "could not tell" where only a look failed.
    pub fn exit(&self) -> u8 {
        match self.checks.iter().map(|check| check.verdict).max() {
            Some(Verdict::Problem) => exit::NO,
            Some(Verdict::Unknown) => exit::COULD_NOT_TELL,
            _ => exit::DONE,
        }
    }
}

/// Who asks: whose files would be started, and which rights count.
struct Caller {
    user: u32,
    name: String,
}

impl Caller {
    fn of_process() -> Self {
        let user = rustix::process::geteuid().as_raw();
        Caller {
            user,
            name: user_name(user),
        }
    }

    fn is_root(&self) -> bool {
        self.user == 0
    }

    /// Whether what this user owns may be started by the caller.
    fn trusts(&self, owner: u32) -> bool {
        owner == self.user || owner == 0
    }
}

fn user_name(user: u32) -> String {
    crate::base::env::login_name(user).unwrap_or_else(|| user.to_string())
}

fn group_name(group: u32) -> String {
    crate::base::env::group_name(group).unwrap_or_else(|| group.to_string())
}

/// Looks at everything. What cannot be looked at is said, and never stops the rest.
pub fn examine(session: &Session) -> Examination {
    let caller = Caller::of_process();
    let mut checks = Vec::new();
    machine::look(&caller, &mut checks);
    user::look(session, &mut checks);
    let root = root::look(session, &caller, &mut checks);
    Examination {
        version: env!("CARGO_PKG_VERSION"),
        root,
        checks,
    }
}
