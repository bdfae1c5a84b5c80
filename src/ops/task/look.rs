//! Looks at tasks: of one cell, or of every cell of a root. What cannot be read is named and never hides the rest.

use crate::base::error::{Error, Kind, Result};
use crate::base::ids::CellId;
use crate::mission::cell::CellStatus;
use crate::mission::worklist::Worklist;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;

/// The tasks of one cell as they were seen.
#[derive(Debug)]
pub struct Seen {
    /// The cell.
    pub cell: CellId,
    /// Its state; none if its cell.json cannot be read.
    pub status: Option<CellStatus>,
    /// Its tasks.
    pub tasks: Worklist,
    /// What could not be read.
    pub troubles: Vec<Error>,
    /// Ids that the acting agent may not read; empty for an operator.
    hidden: Vec<String>,
}

impl Seen {
    /// The state that decides whether tasks are ready. A cell whose state cannot be read starts nothing.
    pub fn acting_status(&self) -> CellStatus {
        self.status.unwrap_or(CellStatus::Paused)
    }

    /// Tells whether the one who looks may see a task.
    pub fn shows(&self, id: &str) -> bool {
        !self.hidden.iter().any(|hidden| hidden == id)
    }

    /// How many tasks the one who looks may not see.
    pub fn hidden(&self) -> usize {
        self.hidden.len()
    }
}

/// Looks at the tasks of one cell.
pub fn look(session: &Session, cell: &OpenCell) -> Result<Seen> {
    let view = cell.view()?;
    if view.in_change {
        (session.tell)(&format!(
            "cell {} is being changed; what is shown may be of two moments",
            cell.id()
        ));
    }
    let mut troubles = Vec::new();
    let status = match cell.cell() {
        Ok(cell) => Some(cell.status),
        Err(error) if error.kind() == Kind::NotFound => return Err(error),
        Err(error) => {
            troubles.push(error);
            None
        }
    };
    let (mut tasks, mut unread) = (Vec::new(), Vec::new());
    for id in cell.task_ids()? {
        match cell.task(&id) {
            Ok(Some(task)) => tasks.push((id.to_string(), task)),
            // Removed between the list and the look.
            Ok(None) => {}
            Err(error) => {
                troubles.push(error);
                unread.push(id.to_string());
            }
        }
    }
    let tasks = Worklist::new(tasks, unread);
    let hidden = hidden_from(session, cell, &tasks)?;
    Ok(Seen {
        cell: cell.id().clone(),
        status,
        tasks,
        troubles,
        hidden,
    })
}

/// Looks at the tasks of the cell that is meant, else of every cell of the root that is not over (`all`: of those too).
/// Cells that cannot be read at all are among the troubles of the others.
pub fn look_around(
    session: &Session,
    everywhere: bool,
    all: bool,
) -> Result<(Vec<Seen>, Vec<Error>)> {
    session.look_around(everywhere, all, |cell| look(session, cell))
}

/// The tasks that the acting agent may not read: all of them in a cell that it is not in.
fn hidden_from(session: &Session, cell: &OpenCell, tasks: &Worklist) -> Result<Vec<String>> {
    let sight = session.sight(cell)?;
    let every = tasks.all().map(|(id, _)| id);
    let hidden = every.filter(|task| !sight.task(task));
    Ok(hidden.map(str::to_owned).collect())
}
