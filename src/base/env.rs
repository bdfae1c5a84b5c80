//! The outside world at one seam: environment, working directory, who runs this. Read once, in `main`.

use crate::base::clock::{Clock, Time};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a command knows of the process it runs in.
#[derive(Clone, Debug, Default)]
pub struct Env {
    variables: HashMap<OsString, OsString>,
    folder: PathBuf,
    /// Where the present comes from (`MCELL_NOW` fixes it, for tests and reproducible output).
    pub clock: Clock,
}

impl Env {
    /// The environment of this process.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        let variables: HashMap<OsString, OsString> = std::env::vars_os().collect();
        // A working directory that was removed under us is no reason to fail before a path is asked for.
        let folder = std::env::current_dir().unwrap_or_default();
        Env::with(variables, folder)
    }

    /// An environment made by hand.
    pub fn with(variables: HashMap<OsString, OsString>, folder: PathBuf) -> Self {
        let mut env = Env {
            variables,
            folder,
            clock: Clock::System,
        };
        if let Some(moment) = env.word("MCELL_NOW").and_then(Time::parse) {
            env.clock = Clock::Fixed(moment);
        }
        env
    }

    /// The same with one more variable.
    #[must_use]
    pub fn and(&self, name: &str, value: impl Into<OsString>) -> Self {
        let mut env = self.clone();
        env.variables.insert(OsString::from(name), value.into());
        env
    }

    /// A variable's text; an empty one, or one that is not UTF-8, is as if not set.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.variables
            .get(std::ffi::OsStr::new(name))?
            .to_str()
            .filter(|text| !text.is_empty())
    }

    /// A variable as a path; an empty one is as if not set.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables
            .get(std::ffi::OsStr::new(name))
            .filter(|text| !text.is_empty())
            .map(PathBuf::from)
    }

    /// The names of all variables that begin so, sorted.
    pub fn names(&self, beginning: &str) -> Vec<String> {
        let names = self.variables.keys().filter_map(|name| name.to_str());
        let mut names: Vec<String> = names
            .filter(|name| name.starts_with(beginning))
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    }

    /// The working directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The user's home, if the environment names one.
    pub fn home(&self) -> Option<PathBuf> {
        self.path("HOME").filter(|home| home.is_absolute())
    }

    /// A path as typed or configured: `~` is the home, and a relative one starts at the working directory.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        let expanded = match (path.strip_prefix("~"), self.home()) {
            (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home,
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_path_buf(),
        };
        if expanded.is_absolute() {
            expanded
        } else {
            self.folder.join(expanded)
        }
    }

    /// Who is typing: the one who called sudo, else the login name, else the number of the user.
    pub fn operator(&self) -> String {
        for name in ["SUDO_USER", "LOGNAME", "USER"] {
            if let Some(who) = self.word(name) {
                return who.to_owned();
            }
        }
        let number = rustix::process::getuid().as_raw();
        login_name(number).unwrap_or_else(|| format!("uid {number}"))
    }
}

/// The login name of a user by /etc/passwd, if it is there.
#[allow(
    clippy::disallowed_methods,
    reason = "a file of the system, not of a mission"
)]
pub fn login_name(user: u32) -> Option<String> {
    name_in(&std::fs::read_to_string("/etc/passwd").ok()?, user)
}

/// The name of a group by /etc/group, if it is there.
#[allow(
    clippy::disallowed_methods,
    reason = "a file of the system, not of a mission"
)]
pub fn group_name(group: u32) -> Option<String> {
    name_in(&std::fs::read_to_string("/etc/group").ok()?, group)
}

fn name_in(table: &str, number: u32) -> Option<String> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(number)).then(|| name.to_owned())
    })
}
