//! What must hold of a root whatever happened to it, once a command went through: nothing half done lies about, the
//! journal is whole and tells the truth, and everybody's rights are as they were.

use crate::fleet::{names, walk};
use mcell::store::journal::sha256;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Everything that is not as it must be, in words; none if the root is sound.
pub(crate) fn flaws(root: &Path) -> Vec<String> {
    let mut flaws = Vec::new();
    for path in walk(root) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".tmp") {
            flaws.push(format!("{} was left", path.display()));
        }
    }
    let half = root.join(".mcell/new");
    if half.exists() && names(&half).is_ok_and(|left| !left.is_empty()) {
        flaws.push(format!("half a cell was left in {}", half.display()));
    }
    for cell in names(root).unwrap_or_default() {
        let cell = root.join(cell);
        if cell.join("cell.json").exists() {
            flaws.extend(journal_flaws(&cell));
            flaws.extend(generation_flaws(&cell));
        }
    }
    flaws
}

/// The journal of a cell: every line parses and carries the hash of the one before, and what the last line about a
/// file says of it is what is there.
pub(crate) fn journal_flaws(cell: &Path) -> Vec<String> {
    let mut flaws = Vec::new();
    let path = cell.join("logs/journal.jsonl");
    let live = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // A cell made by hand, and never written to.
        Err(_) if !cell.join(".mcell/lock").exists() => return flaws,
        Err(error) => return vec![format!("{}: {error}", path.display())],
    };
    // Those with a number come before it, oldest first.
    let mut text: String = names(&cell.join("logs"))
        .unwrap_or_default()
        .iter()
        .filter(|name| name.starts_with("journal.0"))
        .filter_map(|name| std::fs::read_to_string(cell.join("logs").join(name)).ok())
        .collect();
    text.push_str(&live);
    if !text.ends_with('\n') {
        flaws.push(format!("{} ends in a torn line", path.display()));
    }
    let mut prev = String::new();
    let mut after = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{}:{}", path.display(), number + 1);
        match serde_json::from_str::<serde_json::Value>(line) {
            Ok(value) => {
                if value["prev"] != prev.as_str() {
                    flaws.push(format!("{place} does not follow the line before"));
                }
                for file in value["files"].as_array().into_iter().flatten() {
                    let name = file["file"].as_str().unwrap_or_default().to_owned();
                    after.insert(name, file["after"].as_str().map(str::to_owned));
                }
            }
            Err(error) => flaws.push(format!("{place} is no line: {error}")),
        }
        prev = sha256(line.as_bytes());
    }
    for (name, promised) in after {
        let path = cell.join(&name);
        // Of a generation the manifest counts. One that three newer ones made superfluous may be gone.
        let is_generation = name.starts_with(GENERATIONS);
        if is_generation && !path.exists() && newer_than(&path) >= 3 {
            continue;
        }
        let there = match is_generation {
            true => std::fs::read(path.join("manifest.json")).ok(),
            false => std::fs::read(&path).ok(),
        };
        if there.as_deref().map(sha256) != promised {
            flaws.push(format!(
                "{} is not what the journal says",
                cell.join(&name).display()
            ));
        }
    }
    flaws
}

/// Where generations lie in a cell.
const GENERATIONS: &str = ".mcell/checkpoints";

/// How many generations of the same agent are there that are newer than this one.
fn newer_than(generation: &Path) -> usize {
    let number = |name: &str| name.parse::<u64>().expect("a number");
    let own = generation.file_name().expect("a name").to_string_lossy();
    let parent = generation.parent().expect("the agent's folder");
    let others = names(parent).unwrap_or_default();
    let newer = others.iter().filter(|name| number(name) > number(&own));
    newer.count()
}

/// Every generation is whole, held against its manifest by other means than those of the program, and the newest is what
/// the agent's file notes.
pub(crate) fn generation_flaws(cell: &Path) -> Vec<String> {
    let mut flaws = Vec::new();
    let place = cell.join(GENERATIONS);
    for agent in names(&place).unwrap_or_default() {
        for number in names(&place.join(&agent)).unwrap_or_default() {
            let folder = place.join(&agent).join(&number);
            let shown = folder.display();
            let text = std::fs::read(folder.join("manifest.json")).unwrap_or_default();
            let Ok(manifest) = serde_json::from_slice::<serde_json::Value>(&text) else {
                flaws.push(format!("{shown} has no manifest"));
                continue;
            };
            let mut promised = BTreeMap::new();
            for file in manifest["files"].as_array().into_iter().flatten() {
                let name = file["name"].as_str().unwrap_or_default().to_owned();
                promised.insert(name, file["sha256"].as_str().unwrap_or_default().to_owned());
            }
            let mut there = BTreeMap::new();
            for path in walk(&folder).into_iter().filter(|path| path.is_file()) {
                let name = path.strip_prefix(&folder).expect("beneath").display();
                let bytes = std::fs::read(&path).unwrap_or_default();
                there.insert(name.to_string(), sha256(&bytes));
            }
            there.remove("manifest.json");
            if promised != there {
                flaws.push(format!("{shown} is not what its manifest says: {there:?}"));
            }
        }
    }
    flaws
}

/// The mode of everything below a root by its path, for those who share it.
pub(crate) fn modes(root: &Path) -> BTreeMap<String, u32> {
    let below = walk(root).into_iter().skip(1);
    below
        .filter_map(|path| {
            let mode = path.symlink_metadata().ok()?.permissions().mode();
            let name = path.strip_prefix(root).ok()?.display().to_string();
            Some((name, mode & 0o7777))
        })
        .collect()
}
