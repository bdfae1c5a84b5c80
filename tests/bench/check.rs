//! What `cargo test --benches` runs: the yardsticks themselves, on a root of a moment.

use crate::floor;
use crate::generate::{self, Recipe};
use crate::options::Size;
use crate::report::Result;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The generator gives the same bytes with any number of threads, and the floor sees all it made.
pub fn everything() -> Result<bool> {
    let recipe = Recipe {
        size: Size {
            cells: 12,
            agents: 4,
            tasks: 10,
            seed: 7,
        },
        bad: 0.5,
    };
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
    println!("the generator and the floor agree: {seen:?}; the races are run by `cargo bench`");
    Ok(true)
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
