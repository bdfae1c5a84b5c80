//! What a tree sees of a real root, and that it sees it without being asked to look everywhere.

mod ends;
mod events;
mod faults;
mod random;

use super::*;
use crate::base::clock::Time;
use crate::mission::census::AgentCensus;
use crate::ops::world::World;
use rustix::event::{PollFd, PollFlags, poll};

/// A root with one cell and one agent, and a tree that was read once.
struct Yard {
    world: World,
    tree: Tree,
    up: u64,
}

impl Yard {
    fn new() -> Self {
        Yard::with_most(usize::MAX)
    }

    /// With no more watches than this.
    fn with_most(most: usize) -> Self {
        let world = World::in_memory();
        world.add_agent();
        let tree = Tree::open(world.root().path(), EVERY).unwrap();
        let tree = Tree { most, ..tree };
        let mut yard = Yard { world, tree, up: 0 };
        assert!(yard.refresh().is_full);
        yard
    }

    fn moment(&self) -> Moment {
        Moment {
            wall: self.world.now(),
            boot: Some(String::from("one")),
            up: self.up,
        }
    }

    fn refresh(&mut self) -> Refreshed {
        self.up += 1000;
        self.tree.refresh(&self.moment()).unwrap()
    }

    /// The cell that the world has.
    fn id(&self) -> CellId {
        self.world.cell.id().clone()
    }

    fn path(&self, file: &str) -> PathBuf {
        self.world.cell.path().join(file)
    }

    fn root(&self) -> PathBuf {
        self.world.root().path().to_path_buf()
    }

    fn census(&self) -> &CellCensus {
        self.tree.cells().get(&self.id()).unwrap()
    }

    fn agent(&self) -> &AgentCensus {
        self.census().agents.first().unwrap()
    }

    /// Refreshes by what events tell, and gives whether that was the world's cell, and nothing else.
    fn sees_the_cell_change(&mut self) -> bool {
        let refreshed = self.refresh();
        let only = BTreeSet::from([self.id()]);
        !refreshed.is_full && refreshed.changed == only && refreshed.went.is_empty()
    }

    /// Refreshes, and holds the tree against one that is read from nothing.
    fn is_as_the_disk(&mut self) {
        self.refresh();
        let mut fresh = Tree::open(&self.root(), EVERY).unwrap();
        fresh.refresh(&self.moment()).unwrap();
        assert_eq!(self.tree.cells, fresh.cells);
        assert_eq!(self.tree.strange, fresh.strange);
        let known: Vec<_> = self
            .tree
            .heard
            .iter()
            .filter(|(_, of_cell)| !of_cell.is_empty())
            .collect();
        let there: Vec<_> = fresh
            .heard
            .iter()
            .filter(|(_, of_cell)| !of_cell.is_empty())
            .collect();
        assert_eq!(known, there);
    }

    fn is_woken(&self) -> bool {
        let fd = self.tree.fd().unwrap();
        let at_once = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(
            &mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)],
            Some(&at_once),
        )
        .unwrap()
            > 0
    }
}

/// A cell made by hand, as the fleet's recipe has it.
fn by_hand(root: &Path, name: &str) -> PathBuf {
    let cell = root.join(name);
    std::fs::create_dir(&cell).unwrap();
    std::fs::write(cell.join("cell.json"), cell_json(name)).unwrap();
    std::fs::create_dir(cell.join("agents")).unwrap();
    std::fs::write(cell.join("agents/agent_001.json"), agent_json("agent_001")).unwrap();
    cell
}

fn cell_json(id: &str) -> String {
    format!(
        r#"{{"cell_id":"{id}","mission_name":"By Hand","created_at":"2026-01-02T03:04:05Z","created_by":"ada","status":"active","isolation_level":"none"}}"#
    )
}

fn agent_json(id: &str) -> String {
    format!(
        r#"{{"agent_id":"{id}","name":"Ada","role":"write","status":"idle","current_task":null,"checkpoint":null}}"#
    )
}

fn wall() -> Time {
    Time::parse("2026-01-02T03:04:05Z").unwrap()
}
