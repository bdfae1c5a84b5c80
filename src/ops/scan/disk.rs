//! A disk that is full: how full, and what on it is large.

use super::Problem;
use crate::base::text::shown;
use crate::store::fs2::Space;
use crate::store::root::Root;
use std::path::Path;

/// How full the disk may be, in per cent.
pub(super) const FULL: u64 = 90;
/// How many of the largest things are named.
const LARGEST: usize = 3;

/// Says that the disk is full, with the largest things beneath the root and how to prune.
pub(super) fn full_disk(root: &Root, space: Space) -> Problem {
    let largest = largest(root.path());
    let named: Vec<String> = largest
        .iter()
        .map(|(size, path)| format!("{path} ({})", in_bytes(*size)))
        .collect();
    let named = if named.is_empty() {
        String::new()
    } else {
        format!("; largest: {}", named.join(", "))
    };
    Problem {
        key: String::from("disk_full"),
        what: format!(
            "the disk is {} % full, {} left{named}",
            space.full(),
            in_bytes(space.available)
        ),
        command: String::from("mcell cell prune --older-than 0"),
    }
}

/// The largest folders two deep beneath a root, by the bytes of their files.
fn largest(root: &Path) -> Vec<(u64, String)> {
    let mut sizes: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for entry in walkdir::WalkDir::new(root)
        .follow_links(false)
        .same_file_system(true)
        .into_iter()
        .flatten()
    {
        let Ok(about) = entry.metadata() else {
            continue;
        };
        let beneath = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let place: std::path::PathBuf = beneath.components().take(2).collect();
        if about.is_file() {
            *sizes.entry(place.display().to_string()).or_default() += about.len();
        }
    }
    let mut sizes: Vec<(u64, String)> = sizes
        .into_iter()
        .map(|(place, size)| (size, shown(&place).into_owned()))
        .collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    sizes.truncate(LARGEST);
    sizes
}

/// Bytes for people: "4.2 GB".
pub fn in_bytes(bytes: u64) -> String {
    for (unit, size) in [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1000),
    ] {
        if bytes >= size {
            return format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size);
        }
    }
    format!("{bytes} B")
}
