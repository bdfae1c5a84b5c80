//! A loader that knows only the fleet's specification: it goes through the root, takes `*.json`, and parses.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Every mission file below a root by its path there.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What each sheet must have, as the fleet agreed.
const REQUIRED: [(&str, &[&str]); 3] = [
    (
        "cell.json",
        &[
            "cell_id",
            "mission_name",
            "created_at",
            "created_by",
            "status",
            "isolation_level",
        ],
    ),
    ("agents/", &["agent_id", "name", "role", "status"]),
    (
        "tasks/",
        &["task_id", "title", "status", "priority", "created_at"],
    ),
];

/// Reads every cell of a root. An error names what such a tool would stumble over.
pub(crate) fn load(root: &Path) -> Result<Files, String> {
    let mut files = Files::new();
    for cell in names(root)? {
        if cell.starts_with('.') {
            continue;
        }
        let folder = root.join(&cell);
        let mut take = |beneath: String| -> Result<(), String> {
            let path = folder.join(&beneath);
            let text = std::fs::read(&path).map_err(|error| at(&path, error))?;
            let sheet: serde_json::Value =
                serde_json::from_slice(&text).map_err(|error| at(&path, error))?;
            for (part, members) in REQUIRED {
                let lacks = |member: &&&str| sheet.get(member).is_none_or(|value| value.is_null());
                if beneath.starts_with(part)
                    && let Some(member) = members.iter().find(lacks)
                {
                    return Err(at(&path, format!("has no {member}")));
                }
            }
            files.insert(format!("{cell}/{beneath}"), text);
            Ok(())
        };
        take(String::from("cell.json"))?;
        // What agents saved, as a revival of the fleet's own reads it.
        let saved = folder.join("checkpoints");
        for agent in names(&saved).unwrap_or_default() {
            for name in ["state.json", "context.json"] {
                if saved.join(&agent).join(name).exists() {
                    take(format!("checkpoints/{agent}/{name}"))?;
                }
            }
        }
        for part in ["agents", "tasks", "config"] {
            let listed = match names(&folder.join(part)) {
                Ok(listed) => listed,
                // The fleet's recipe makes no config.
                Err(_) if part == "config" && !folder.join(part).exists() => continue,
                Err(error) => return Err(error),
            };
            // As Python's Path.glob("*.json") does: names with a dot first match too.
            for name in listed.iter().filter(|name| name.ends_with(".json")) {
                take(format!("{part}/{name}"))?;
            }
        }
    }
    Ok(files)
}

/// Reads a root that is whole.
#[track_caller]
pub(crate) fn sound(root: &Path) -> Files {
    load(root).unwrap_or_else(|error| panic!("a tool of the fleet stumbles: {error}"))
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| at(folder, error))? {
        let entry = entry.map_err(|error| at(folder, error))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn at(path: &Path, what: impl std::fmt::Display) -> String {
    format!("{}: {what}", path.display())
}

/// Everything below a folder, the folder itself first; links are not followed.
pub(crate) fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_path_buf()];
    let mut next = 0;
    while let Some(path) = all.get(next).cloned() {
        next += 1;
        let is_folder = path.symlink_metadata().is_ok_and(|about| about.is_dir());
        if is_folder {
            match std::fs::read_dir(&path) {
                Ok(entries) => all.extend(entries.flatten().map(|entry| entry.path())),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }
    all
}
