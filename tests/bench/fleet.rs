//! A fleet that beats: every agent of a root once in a while, spread evenly, each cell over one connection of its own.

use crate::report::Result;
use crate::wire::{Wire, beat};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// The agents of a root.
pub struct Fleet {
    /// By cell: its connection, and the beat of each of its agents.
    cells: Vec<(Wire, Vec<Vec<u8>>)>,
}

/// What became of a replay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Replayed {
    /// Beats that were sent and answered by 200.
    pub sent: u64,
    /// How long the slowest answer took.
    pub slowest: Duration,
}

impl Fleet {
    /// All agents of a root, who speak to this address.
    pub fn of(root: &Path, address: SocketAddr) -> Result<Self> {
        let mut cells = Vec::new();
        for cell in names(root)? {
            let agents = names(&root.join(&cell).join("agents"))?;
            let paths = agents
                .iter()
                .map(|agent| format!("/cells/{cell}/heartbeat/{agent}"));
            cells.push((Wire::to(address), paths.map(|path| beat(&path)).collect()));
        }
        Ok(Self { cells })
    }

    pub fn agents(&self) -> usize {
        self.cells.iter().map(|(_, beats)| beats.len()).sum()
    }

    /// Has the agents beat one after the other, one each `pause`, in so many beats: the first of each cell, then the
    /// second. Who is late because an answer was makes up for it.
    pub fn replay(&mut self, beats: usize, pause: Duration) -> Result<Replayed> {
        let mut replayed = Replayed::default();
        let mut due = Instant::now();
        let most = self
            .cells
            .iter()
            .map(|(_, beats)| beats.len())
            .max()
            .unwrap_or(0);
        for agent in (0..most).cycle() {
            for (wire, own) in &mut self.cells {
                if replayed.sent == beats as u64 {
                    return Ok(replayed);
                }
                let Some(request) = own.get(agent) else {
                    continue;
                };
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                due += pause;
                let begun = Instant::now();
                let (status, said) = wire.ask(request)?;
                if status != 200 {
                    return Err(format!("a beat was answered by {status} {said}").into());
                }
                replayed.sent += 1;
                replayed.slowest = replayed.slowest.max(begun.elapsed());
            }
        }
        Err("there is nobody in the fleet".to_owned().into())
    }
}

/// The names in a folder, without those of files' kinds and what begins with a dot, in order.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir()? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name.strip_suffix(".json").unwrap_or(&name).to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
