//! A cell in a folder of its own, for tests of use cases.

use crate::base::clock::{Clock, Time};
use crate::base::env::Env;
use crate::base::ids::{AgentId, TaskId};
use crate::mission::agent::Role;
use crate::ops::agent::NewAgent;
use crate::ops::init::NewCell;
use crate::ops::task::NewTask;
use crate::ops::{Session, agent, init, task};
use crate::store::cell::OpenCell;
use crate::store::root::Root;
use std::collections::HashMap;
use tempfile::TempDir;

/// A root with one cell, "Example Mission", at a fixed moment.
pub(crate) struct World {
    /// The session of an operator called ada.
    pub(crate) session: Session,
    /// The cell.
    pub(crate) cell: OpenCell,
    _folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        World::in_folder(TempDir::new().unwrap())
    }

    /// The same where no disk has to be waited for, if there is such a place: for very many worlds.
    pub(crate) fn in_memory() -> Self {
        World::in_folder(
            TempDir::new_in("/dev/shm")
                .or_else(|_| TempDir::new())
                .unwrap(),
        )
    }

    fn in_folder(folder: TempDir) -> Self {
        let mut session = Session::quiet(env(&folder, &[]));
        session.root = Some(folder.path().to_path_buf());
        let root = Root::open(folder.path()).unwrap();
        let new = NewCell {
            name: String::from("Example Mission"),
            ..NewCell::default()
        };
        let (cell, _) = init::init(&session, &root, &new).unwrap();
        World {
            session,
            cell,
            _folder: folder,
        }
    }

    /// The same world with more in its environment.
    pub(crate) fn with(mut self, variables: &[(&str, &str)]) -> Self {
        self.session.env = env(&self._folder, variables);
        self
    }

    pub(crate) fn root(&self) -> Root {
        self.session.open_root().unwrap()
    }

    pub(crate) fn add_agent(&self) -> AgentId {
        let new = NewAgent {
            id: None,
            role: Role::Write,
            name: None,
            capabilities: Vec::new(),
            gateway: None,
            run: None,
            template: None,
        };
        let agent = agent::add(&self.session, &self.cell, &new).unwrap();
        AgentId::new(agent.agent_id).unwrap()
    }

    pub(crate) fn add_task(&self, assign: Option<&AgentId>) -> TaskId {
        let new = NewTask {
            title: String::from("Review"),
            assign: assign.cloned(),
            ..NewTask::default()
        };
        let task = task::add(&self.session, &self.cell, &new).unwrap();
        TaskId::new(task.task_id).unwrap()
    }

    /// Writes a file of the cell as another tool would.
    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.cell.path().join(file), text).unwrap();
    }

    /// The text of a file of the cell.
    pub(crate) fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.cell.path().join(file)).unwrap()
    }

    /// The lines of the journal.
    pub(crate) fn journal(&self) -> Vec<crate::store::journal::Line> {
        let text = self.text(crate::store::layout::JOURNAL);
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    pub(crate) fn now(&self) -> Time {
        self.session.env.clock.now()
    }

    pub(crate) fn seconds_pass(&mut self, seconds: u64) {
        self.session.env.clock = Clock::Fixed(self.now().plus(seconds));
    }
}

fn env(folder: &TempDir, more: &[(&str, &str)]) -> Env {
    let temp = folder.path().display().to_string();
    let usual = [
        ("MCELL_NOW", "2026-01-02T03:04:05Z"),
        ("USER", "ada"),
        ("HOME", temp.as_str()),
        ("TMPDIR", temp.as_str()),
    ];
    let variables: HashMap<_, _> = usual
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    Env::with(variables, folder.path().to_path_buf())
}
