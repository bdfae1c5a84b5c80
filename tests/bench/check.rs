//! What `cargo test --benches` runs: the yardsticks themselves, on a root of a moment.

use crate::field::Field;
use crate::fleet::Fleet;
use crate::floor;
use crate::generate::{self, Recipe};
use crate::options::{Options, Size};
use crate::race_fleet;
use crate::report::{Result, Trouble};
use crate::server::Server;
use crate::wire::{Wire, beat};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub fn everything(options: &Options) -> Result<bool> {
    generator()?;
    servers(&Field::bare(options)?)?;
    println!("the races are run by `cargo bench`");
    Ok(true)
}

/// The generator gives the same bytes with any number of threads, and the floor sees all it made.
fn generator() -> Result<()> {
    let size = Size {
        cells: 12,
        agents: 4,
        tasks: 10,
        seed: 7,
    };
    let recipe = Recipe::of(size, 0.5);
    let (one, four) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let made = generate::root(one.path(), &recipe, 1)?;
    let again = generate::root(four.path(), &recipe, 4)?;
    if made != again || tree(one.path())? != tree(four.path())? {
        return Err("the same seed gave other bytes".to_owned().into());
    }
    let seen = floor::read(one.path(), 2).map_err(std::io::Error::from)?;
    if (seen.files, seen.bytes) != (made.json_files, made.json_bytes) {
        return Err(format!("made {made:?}, but the floor saw {seen:?}").into());
    }
    println!("the generator and the floor agree: {seen:?}");
    Ok(())
}

/// A small fleet beats, and the daemon has heard and used all that a race asks of it; the others answer a beat too.
fn servers(field: &Field) -> Result<()> {
    let root = field.scratch().join("fleet");
    generate::root(&root, &Recipe::watched(3, 4, 2), 1)?;
    let daemon = Server::daemon(field, &root, "{}")?;
    let mut fleet = Fleet::of(&root, daemon.address())?;
    let sent = fleet.replay(fleet.agents(), Duration::from_millis(1))?.sent;
    let mut wire = Wire::to(daemon.address());
    race_fleet::expect_heard(&daemon, &mut wire, sent)?;
    race_fleet::expect_healthy(&daemon, &mut wire, 12)?;
    println!(
        "{sent} agents beat; the daemon used {:?} and {} KiB",
        daemon.spent()?,
        daemon.peak()?
    );
    for (name, other) in [
        ("nginx", Server::nginx as fn(&Field) -> Result<Server>),
        ("asyncio", Server::asyncio),
    ] {
        match other(field) {
            Ok(server) => {
                let (status, _) = Wire::to(server.address()).ask(&beat("/heartbeat/agent_001"))?;
                println!("{name} answers a beat by {status}");
                if status != 200 {
                    return Err(server.failed("that is no race"));
                }
            }
            Err(trouble @ Trouble::Skipped(_)) => println!("{name}: {trouble}"),
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

/// Every file below a folder, by its path in it.
fn tree(root: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(|entry| entry.ok())
    {
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(root).unwrap_or(entry.path());
            files.insert(name.to_owned(), std::fs::read(entry.path())?);
        }
    }
    Ok(files)
}
