//! Which paths a backup may have: those of a cell, and of these only what travels.

use crate::store::layout;

/// The folders of a cell that travel, with all that is in them.
pub(super) const TREES: [&str; 6] = [
    layout::AGENTS,
    layout::TASKS,
    layout::CHECKPOINTS,
    layout::LOGS,
    layout::ARTIFACTS,
    layout::CONFIG,
];
/// What of mcell's own travels with all that is in it.
pub(super) const OWN_TREES: [&str; 3] = [
    layout::GENERATIONS,
    layout::HANDOFF_PLACE,
    layout::AGENT_STATES,
];
/// Files of mcell's own that travel.
pub(super) const OWN_FILES: [&str; 2] = [layout::FENCE, layout::ARTIFACT_NOTES];
/// How the name of a secret ends that lets somebody act.
pub(super) const TOKEN: &str = ".token";
/// The most bytes of a path.
pub(super) const LONGEST: usize = 4095;

/// What is wrong with a path, if it is none that an entry of a backup may have.
pub(super) fn fault(path: &str, is_folder: bool) -> Option<&'static str> {
    if path.starts_with('/') {
        return Some("is an absolute path");
    }
    if path.len() > LONGEST || path.contains('\0') {
        return Some("cannot be a path");
    }
    for part in path.split('/') {
        match part {
            ".." => return Some("leads out of the cell"),
            "" | "." => return Some("is not a clean path"),
            _ if part.len() > 255 => return Some("cannot be a path"),
            _ => {}
        }
    }
    if path.ends_with(TOKEN) {
        return Some("is a secret, which no backup holds");
    }
    let is_part = if is_folder {
        path == layout::RUNTIME || is_in(path, &TREES, true) || is_in(path, &OWN_TREES, true)
    } else {
        path == layout::CELL
            || OWN_FILES.contains(&path)
            || is_in(path, &TREES, false)
            || is_in(path, &OWN_TREES, false)
    };
    (!is_part).then_some("is no part of a cell that travels")
}

fn is_in(path: &str, trees: &[&str], or_itself: bool) -> bool {
    trees.iter().any(|tree| {
        path.strip_prefix(tree)
            .is_some_and(|rest| rest.starts_with('/') || (or_itself && rest.is_empty()))
    })
}

/// Tells whether a folder is one that agents write to without the lock.
pub(super) fn is_live(path: &str) -> bool {
    let mut parts = path.split('/');
    match parts.next() {
        Some(layout::ARTIFACTS) => true,
        Some(layout::CHECKPOINTS) => parts.nth(1) == Some(layout::ARTIFACTS),
        _ => false,
    }
}

/// Tells whether a file is one that is read whole, and so may have 16 MiB at most.
pub(super) fn is_record(path: &str) -> bool {
    let (folder, _) = layout::split(path);
    let of_handoff = path.starts_with(layout::HANDOFF_PLACE);
    let records = [
        "",
        layout::AGENTS,
        layout::TASKS,
        layout::CONFIG,
        layout::RUNTIME,
    ];
    records.contains(&folder) || folder == layout::AGENT_STATES || of_handoff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_cell_pass() {
        for path in [
            "cell.json",
            "agents/agent_001.json",
            "artifacts/code/a b.rs",
            "logs/journal.1.jsonl",
            ".mcell/fence",
            ".mcell/checkpoints/agent_001/1/manifest.json",
        ] {
            assert_eq!(fault(path, false), None, "{path}");
        }
        for path in ["artifacts", "artifacts/x", ".mcell", ".mcell/agents"] {
            assert_eq!(fault(path, true), None, "{path}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_or_do_not_travel_do_not_pass() {
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "artifacts/../../x",
            "artifacts/./x",
            "artifacts//x",
            "artifacts/x/",
            "artifacts",
            "artifactsx/y",
            ".mcell/lock",
            ".mcell/host",
            ".mcell/run/agent_001.json",
            "logs/operator.token",
            "other.json",
        ] {
            assert!(fault(path, false).is_some(), "{path}");
        }
        assert!(fault(".mcell/run", true).is_some());
        assert!(fault("artifacts/a\0b", false).is_some());
        assert!(fault(&format!("artifacts/{}", "x".repeat(256)), false).is_some());
    }

    #[test]
    fn what_agents_write_is_live() {
        assert!(is_live("artifacts/code/x") && is_live("checkpoints/agent_001/artifacts"));
        assert!(!is_live("checkpoints/agent_001/state.json") && !is_live("tasks/artifacts"));
    }
}
