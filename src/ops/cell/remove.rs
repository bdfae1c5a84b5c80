//! Cells go to the trash, and the trash is emptied.

use crate::base::error::{Error, Result};
use crate::base::text::listed;
use crate::ops::run;
use crate::ops::session::Session;
use crate::ops::trash::{self, Removed, Thrown};
use crate::store::cell::OpenCell;
use crate::store::root::Root;

/// Moves a cell to the trash of its root, whatever state it is in, and says how to undo it.
pub fn remove(session: &Session, cell: &OpenCell) -> Result<Removed> {
    session.require_operator("remove a cell")?;
    let root = trash::root_of(cell)?;
    let held = root.lock(session.wait("cell remove")?)?;
    // Whoever writes to it now finishes first.
    let mut writing = session.write(cell, "cell remove")?;
    refuse_running(cell)?;
    let place = root.trash_cell(&held, cell.id(), writing.now())?;
    // The rename was the act; that its journal goes without the line is no reason to say that it failed.
    let _ = writing.note("removed the cell");
    let from = root.path().join(cell.id().as_str());
    Ok(Removed::new(cell.id().as_str(), root.path(), &place, &from))
}

/// The ground is not taken from under what runs on it.
fn refuse_running(cell: &OpenCell) -> Result<()> {
    let running = run::running(cell)?;
    if running.is_empty() {
        return Ok(());
    }
    let verb = if running.len() == 1 { "runs" } else { "run" };
    Err(Error::refused(format!("{} {verb} in it", listed(&running)))
        .hint("`--stop` stops what runs, and then removes the cell"))
}

/// What `prune` would delete: what has lain in the trash for longer than so many seconds.
pub fn to_prune(session: &Session, root: &Root, older_than: u64) -> Result<Vec<Thrown>> {
    trash::due(root, older_than, session.env.clock.now())
}

/// Deletes what has lain in the trash for longer than so many seconds, and gives what is gone.
pub fn prune(session: &Session, root: &Root, older_than: u64) -> Result<Vec<Thrown>> {
    session.require_operator("empty the trash")?;
    let held = root.lock(session.wait("cell prune")?)?;
    let due = to_prune(session, root, older_than)?;
    trash::empty(root, &held, &due)?;
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Kind;
    use crate::ops::world::World;

    #[test]
    fn a_removed_cell_lies_in_the_trash_until_it_is_old() {
        let mut world = World::new();
        world.add_agent();
        let removed = remove(&world.session, &world.cell).unwrap();
        assert!(
            removed.undo.starts_with("mv ") && removed.undo.ends_with(world.cell.id().as_str())
        );
        let root = world.root();
        assert!(root.cell_ids().unwrap().is_empty());
        world.seconds_pass(trash::KEPT - 1);
        assert!(
            prune(&world.session, &root, trash::KEPT)
                .unwrap()
                .is_empty()
        );
        world.seconds_pass(1);
        assert_eq!(prune(&world.session, &root, trash::KEPT).unwrap().len(), 1);
        assert!(trash::list(&root).unwrap().is_empty());
    }

    #[test]
    fn a_writer_that_waited_does_not_write_to_the_trash() {
        let world = World::new();
        remove(&world.session, &world.cell).unwrap();
        let error = world.session.write(&world.cell, "task set").unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
    }

    #[test]
    fn a_cell_that_cannot_be_read_can_be_removed() {
        let world = World::new();
        world.write("cell.json", "{");
        assert!(remove(&world.session, &world.cell).is_ok());
    }
}
