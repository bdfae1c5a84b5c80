//! Which lines are wanted, and how they are read: to the end, or as they come.

use crate::base::clock::Time;
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, TaskId};
use crate::mission::sheet::stem;
use crate::ops::Session;
use crate::ops::sight::Sight;
use crate::store::cell::OpenCell;
use crate::store::journal::{Line, Lines, Mark, Watch, Woken};
use crate::store::layout;
use rustix::fd::BorrowedFd;

/// Which lines are wanted. What is none wants everything.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Not before.
    pub since: Option<Time>,
    /// Not after.
    pub until: Option<Time>,
    /// What this agent did, and what was done to its files.
    pub agent: Option<AgentId>,
    /// What was done to this task.
    pub task: Option<TaskId>,
    /// A noun ("task") or a whole act ("task claim").
    pub kind: Option<String>,
}

/// One line that is wanted.
#[derive(Debug)]
pub struct Entry<'l> {
    /// What it says.
    pub line: Line,
    /// Its bytes as they stand in the file, without the line end.
    pub text: &'l [u8],
}

/// Who is told.
pub trait Listener {
    /// Is told a line; false when no more is wanted.
    fn hear(&mut self, entry: &Entry<'_>) -> Result<bool>;
    /// Is told that nothing more is there yet; false when no more is wanted.
    fn pause(&mut self) -> Result<bool>;
}

/// What a reading came to.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Where it ended; none if there is no line.
    pub mark: Option<Mark>,
    /// How many lines could not be read.
    pub unreadable: u64,
    /// Whether more was wanted at the end.
    pub is_heard: bool,
}

impl Wanted {
    /// Tells whether a line is wanted.
    pub fn wants(&self, line: &Line) -> bool {
        let mut files = line.files.iter().map(|change| change.file.as_str());
        self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at <= until)
            && self
                .kind
                .as_deref()
                .is_none_or(|kind| is_of(&line.act, kind))
            && self.agent.as_ref().is_none_or(|agent| {
                line.by == agent.as_str() || files.clone().any(|file| is_of_agent(file, agent))
            })
            && self
                .task
                .as_ref()
                .is_none_or(|task| files.any(|file| task_of(file) == Some(task.as_str())))
    }
}

/// "task claim" is of the kinds "task" and "task claim", "add-task" of "task" and "add-task".
fn is_of(act: &str, kind: &str) -> bool {
    let noun = act.split(' ').next().unwrap_or(act);
    act == kind || noun == kind || noun.strip_prefix("add-") == Some(kind)
}

fn task_of(file: &str) -> Option<&str> {
    (layout::split(file).0 == layout::TASKS).then(|| stem(file))
}

/// Its own file, its checkpoints, what it prints, its runtime.
fn is_of_agent(file: &str, agent: &AgentId) -> bool {
    file.split('/').any(|part| {
        part == agent.as_str()
            || part
                .strip_prefix(agent.as_str())
                .is_some_and(|end| [layout::JSON, ".log", ".lock", ".act", ".beat"].contains(&end))
    }) && task_of(file).is_none()
}

/// Tells whether a line may be seen: what the one who looks did itself, or what is about tasks that it may read.
fn is_seen(sight: &Sight, line: &Line) -> bool {
    let is_own = matches!(sight, Sight::Agent(id, ..) if line.by == id.as_str());
    let mut tasks = line.files.iter().filter_map(|change| task_of(&change.file));
    is_own || tasks.all(|task| sight.task(task))
}

/// A journal, the lines of it that are wanted, and what of them may be seen.
#[derive(Debug)]
pub struct Reading<'c> {
    cell: &'c OpenCell,
    wanted: Wanted,
    sight: Sight,
}

impl<'c> Reading<'c> {
    /// Nothing is read yet (exit 5 if the session acts as an agent that is not there).
    pub fn of(session: &Session, cell: &'c OpenCell, wanted: Wanted) -> Result<Self> {
        let sight = session.sight(cell)?;
        if let (Sight::Nothing, Some(id)) = (&sight, &session.agent) {
            return Err(Error::refused(format!("{id} is not an agent of this cell")));
        }
        Ok(Reading {
            cell,
            wanted,
            sight,
        })
    }

    /// Reads every line behind a mark, oldest first.
    pub fn read(&mut self, from: Option<Mark>, listener: &mut dyn Listener) -> Result<Told> {
        let mut lines = {
            // A line in the making may still be taken back.
            let _view = self.cell.view()?;
            let lines = Lines::of(self.cell.folder())?;
            match from {
                Some(mark) => lines.behind(mark),
                None => lines,
            }
        };
        let mut unreadable = 0;
        let mut is_heard = true;
        while is_heard && let Some(raw) = lines.next()? {
            if raw.is_torn {
                // Not there yet, or never: the next writer cuts it.
                continue;
            }
            let Ok(line) = serde_json::from_slice::<Line>(raw.text) else {
                unreadable += 1;
                continue;
            };
            if self.wanted.wants(&line) && is_seen(&self.sight, &line) {
                let text = raw.text;
                is_heard = listener.hear(&Entry { line, text })?;
            }
        }
        Ok(Told {
            mark: lines.mark().or(from),
            unreadable,
            is_heard,
        })
    }

    /// Reads what is there, then on as lines come, until nobody reads `out` any more or the cell is gone (exit 3).
    pub fn follow(&mut self, out: BorrowedFd<'_>, listener: &mut dyn Listener) -> Result<()> {
        // Before the first look: what is written after it wakes us.
        let watch = Watch::of(self.cell.folder())?;
        let mut told = self.read(None, listener)?;
        while told.is_heard && listener.pause()? {
            match watch.wait(out)? {
                Woken::Changed => told = self.read(told.mark, listener)?,
                Woken::Unheard => break,
                Woken::Gone => {
                    return Err(Error::not_found(format!(
                        "the cell at {} was removed or moved",
                        self.cell.path().display()
                    )));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_noun_or_a_whole_act() {
        for (act, kind, wanted) in [
            ("task claim", "task", true),
            ("task claim", "task claim", true),
            ("task claim", "task set", false),
            ("add-task", "task", true),
            ("add-task", "add-task", true),
            ("agent set", "task", false),
            ("tasks", "task", false),
        ] {
            assert_eq!(is_of(act, kind), wanted, "{act} {kind}");
        }
    }

    #[test]
    fn the_files_of_an_agent_are_told_by_their_paths() {
        let agent = AgentId::new("agent_001").unwrap();
        for (file, is_its) in [
            ("agents/agent_001.json", true),
            ("checkpoints/agent_001/context.json", true),
            (".mcell/checkpoints/agent_001/3", true),
            ("logs/agent_001.log", true),
            ("agents/agent_0011.json", false),
            ("tasks/agent_001.json", false),
            ("cell.json", false),
        ] {
            assert_eq!(is_of_agent(file, &agent), is_its, "{file}");
        }
    }
}
