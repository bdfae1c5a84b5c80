//! What a runner that was killed could not end itself.

use super::tree::{self, Handle};
use crate::base::boot;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::{AgentId, CellId};
use crate::base::process::Process;
use crate::mission::run::RunNote;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long what is killed may take to be over.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ends everything that is left of a run whose runner is dead, and gives how many processes that were: the agent's own
/// process, whatever is in the session that the runner led, whatever has the run's own variables in its environment, and
/// their descendants. What left the session, cleaned its environment and lost its parent is not seen.
/// `folder`: where the cell lies; agents of a copy of it that lies elsewhere are not touched.
pub fn sweep(cell: &CellId, folder: &Path, agent: &AgentId, note: &RunNote) -> Result<usize> {
    if note.boot.as_deref() != boot::id() {
        return Ok(0);
    }
    let storage = |error| Error::storage("end what is left of the agent", error);
    let end = Instant::now() + PATIENCE;
    let mut ended = BTreeSet::new();
    loop {
        let all = tree::all().map_err(storage)?;
        let left = leftovers(&all, note, |pid| {
            tree::environment(pid).is_some_and(|text| {
                is_of(&text, cell, agent, note.incarnation) && !is_of_a_copy(&text, folder)
            })
        });
        let Some(last) = left.last() else {
            return Ok(ended.len());
        };
        let (mut is_any_ours, mut is_any_anothers) = (false, false);
        for process in &left {
            // One that came to its end since it was seen is nobody's any more.
            let Some(handle) = Handle::of(*process).map_err(storage)? else {
                continue;
            };
            match handle.signal(Signal::KILL) {
                Ok(()) => is_any_ours = true,
                Err(_) => is_any_anothers = true,
            }
            ended.insert((process.pid, process.started));
        }
        if (is_any_anothers && !is_any_ours) || Instant::now() >= end {
            let told = format!("pid {} is left of {agent}, and does not end", last.pid);
            return Err(Error::new(Kind::Busy, told)
                .hint("nothing is started beside what still lives: end it, or ask its owner to"));
        }
        if let Some(handle) = Handle::of(*last).map_err(storage)? {
            handle.wait(Duration::from_millis(100)).map_err(storage)?;
        }
    }
}

/// What of all processes is left of a run, parents first.
fn leftovers(all: &[Process], note: &RunNote, has_variables: impl Fn(i32) -> bool) -> Vec<Process> {
    let own = rustix::process::getpid().as_raw_pid();
    let identity = |process: &Process| (process.pid.unsigned_abs(), process.started);
    let runner = note.runner.map(|runner| (runner.pid, runner.started));
    let agent = note.process().map(|agent| (agent.pid, agent.started));
    // A number serves as a session's for as long as anybody is in it. A leader with another beginning than the runner's
    // says that nobody was.
    let is_anothers = all.iter().any(|process| {
        runner.is_some_and(|(pid, started)| {
            process.pid.unsigned_abs() == pid && process.started != started
        })
    });
    let mut found: BTreeSet<i32> = BTreeSet::new();
    for process in all {
        let in_session = runner.is_some_and(|(pid, _)| process.session.unsigned_abs() == pid);
        if Some(identity(process)) == agent
            || (in_session && !is_anothers)
            || has_variables(process.pid)
        {
            found.insert(process.pid);
        }
    }
    loop {
        let known = found.len();
        for process in all {
            if found.contains(&process.parent) {
                found.insert(process.pid);
            }
        }
        if found.len() == known {
            break;
        }
    }
    let is_left =
        |process: &&Process| found.contains(&process.pid) && process.pid != own && process.lives();
    all.iter().filter(is_left).copied().collect()
}

/// What a variable of an environment says.
fn variable<'e>(environment: &'e [u8], name: &str) -> Option<&'e [u8]> {
    let mut variables = environment.split(|byte| *byte == 0);
    variables.find_map(|variable| {
        let rest = variable.strip_prefix(name.as_bytes())?;
        rest.strip_prefix(b"=")
    })
}

/// Whether an environment names the folder of a cell, and that is there and another than this one: a copy has the same id,
/// and counts the lives of its agents from the same number on. A cell that was moved is still the same.
fn is_of_a_copy(environment: &[u8], folder: &Path) -> bool {
    let Some(named) = variable(environment, "MCELL_CELL_DIR") else {
        return false;
    };
    match (rustix::fs::stat(named), rustix::fs::stat(folder)) {
        (Ok(named), Ok(own)) => (named.st_dev, named.st_ino) != (own.st_dev, own.st_ino),
        _ => false,
    }
}

/// Whether an environment is that of one life of an agent.
fn is_of(environment: &[u8], cell: &CellId, agent: &AgentId, incarnation: u64) -> bool {
    let has = |name: &str, value: &str| variable(environment, name) == Some(value.as_bytes());
    has("MCELL_CELL", cell.as_str())
        && has("MCELL_AGENT", agent.as_str())
        && has("MCELL_INCARNATION", &incarnation.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mission::run::Identity;

    fn process(pid: i32, parent: i32, session: i32, started: u64) -> Process {
        Process {
            pid,
            state: b'S',
            parent,
            group: pid,
            session,
            started,
        }
    }

    fn note() -> RunNote {
        RunNote {
            incarnation: 4,
            runner: Some(Identity {
                pid: 100,
                started: 10,
            }),
            pid: Some(101),
            started: Some(11),
            ..RunNote::default()
        }
    }

    fn pids(all: &[Process]) -> Vec<i32> {
        let left = leftovers(all, &note(), |pid| pid == 300);
        left.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn a_runner_that_was_killed_leaves_its_session_its_variables_and_their_children() {
        let all = [
            process(1, 0, 1, 0),
            process(101, 1, 100, 11),
            process(102, 101, 102, 12),
            process(103, 102, 102, 13),
            process(104, 1, 100, 14),
            process(200, 1, 200, 15),
            process(300, 1, 300, 16),
        ];
        assert_eq!(pids(&all), [101, 102, 103, 104, 300]);
    }

    #[test]
    fn a_process_that_took_over_an_old_pid_is_not_of_the_agent() {
        // 101 is another's now, and so is the session 100.
        let all = [
            process(100, 1, 100, 90),
            process(101, 1, 100, 91),
            process(102, 101, 100, 92),
        ];
        assert_eq!(pids(&all), [] as [i32; 0]);
    }

    #[test]
    fn an_agent_of_a_copy_of_the_cell_is_not_meant_and_one_of_a_cell_that_was_moved_is() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = place.path().join(name);
            rustix::fs::mkdir(&path, rustix::fs::Mode::RWXU).unwrap();
            path
        };
        let (own, copy) = (folder("own"), folder("copy"));
        let names_a_copy = |named: &Path| {
            let text = format!("A=1\0MCELL_CELL_DIR={}\0B=2", named.display());
            is_of_a_copy(text.as_bytes(), &own)
        };
        assert!(names_a_copy(&copy));
        assert!(!names_a_copy(&own));
        assert!(!names_a_copy(&place.path().join("before it was moved")));
        assert!(!is_of_a_copy(b"A=1", &own));
    }

    #[test]
    fn variables_tell_one_life_of_one_agent() {
        let cell = CellId::new("3d7a1c52-0f5e-4c53-9b1b-6d6f4a3b2c1d").unwrap();
        let agent = AgentId::new("agent_001").unwrap();
        let of = |text: &str| is_of(text.as_bytes(), &cell, &agent, 4);
        let own = format!("A=1\0MCELL_CELL={cell}\0MCELL_AGENT=agent_001\0MCELL_INCARNATION=4\0");
        assert!(of(&own));
        assert!(!of(&own.replace("INCARNATION=4", "INCARNATION=41")));
        assert!(!of(&own.replace("agent_001", "agent_002")));
        assert!(!of(""));
    }
}
