//! Whose word it is that something is started: nothing is, from a root, cell or file that others than its operators may
//! write.

use crate::base::env::login_name;
use crate::base::error::{Error, Result};
use crate::base::ids::AgentId;
use crate::store::cell::OpenCell;
use crate::store::folder::{Folder, Rights};
use crate::store::layout;
use std::path::Path;

/// Refuses to start anything from a place that belongs to neither this user nor root, or that more than the root's group
/// may write (exit 5).
pub(super) fn require_own(cell: &OpenCell, agent: &AgentId) -> Result<()> {
    let root = cell.root_folder()?;
    let own = rustix::process::geteuid().as_raw();
    let group = rights(&root, "")?.group;
    let judge = |folder: &Folder, beneath: &str| {
        let rights = rights(folder, beneath)?;
        require(&folder.path_of(beneath), rights, own, group)
    };
    judge(&root, "")?;
    for place in ["", layout::CELL, layout::AGENTS] {
        judge(cell.folder(), place)?;
    }
    judge(cell.folder(), &layout::agent(agent))?;
    if cell.folder().stat(layout::CONFIG)?.is_some() {
        judge(cell.folder(), layout::CONFIG)?;
    }
    // An agent of a cell is its owner's, also where root starts it; becoming that user is part of isolation.
    let owner = rights(cell.folder(), "")?.owner;
    if own == 0 && owner != 0 {
        return Err(Error::refused(format!(
            "the cell belongs to {}, and this mcell cannot start an agent as another user yet",
            name(owner)
        ))
        .hint(format!(
            "start it as that user: `sudo -u {} mcell agent start {agent}`",
            name(owner)
        )));
    }
    Ok(())
}

fn rights(folder: &Folder, beneath: &str) -> Result<Rights> {
    folder.rights(beneath)?.ok_or_else(|| {
        Error::not_found(format!("there is no {}", folder.path_of(beneath).display()))
    })
}

fn require(path: &Path, rights: Rights, own: u32, group: u32) -> Result<()> {
    let shown = path.display();
    if rights.owner != own && rights.owner != 0 {
        return Err(Error::refused(format!(
            "nothing is started from {shown}: it belongs to {}, who is neither you nor root",
            name(rights.owner)
        ))
        .hint(format!(
            "if you trust it: `sudo chown {} {shown}`",
            name(own)
        )));
    }
    let is_anybodys = rights.mode & 0o002 != 0;
    let is_another_groups = rights.mode & 0o020 != 0 && rights.group != group;
    if is_anybodys || is_another_groups {
        let (who, mend) = if is_anybodys {
            ("everybody", "o-w")
        } else {
            ("a group that is not the root's", "g-w")
        };
        return Err(Error::refused(format!(
            "nothing is started from {shown}: {who} may write it"
        ))
        .hint(format!("`chmod {mend} {shown}`")));
    }
    Ok(())
}

fn name(user: u32) -> String {
    login_name(user).unwrap_or_else(|| user.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operators_may_write_where_something_is_started_from() {
        let judge = |owner, group, mode| {
            let rights = Rights { owner, group, mode };
            require(Path::new("/missions"), rights, 1000, 50)
        };
        for (owner, group, mode) in [(1000, 1, 0o755), (0, 0, 0o755), (1000, 50, 0o2770)] {
            judge(owner, group, mode).unwrap();
        }
        for (owner, group, mode, told) in [
            (1001, 50, 0o755, "chown"),
            (1000, 50, 0o777, "chmod o-w"),
            (1000, 51, 0o775, "chmod g-w"),
        ] {
            let error = judge(owner, group, mode).unwrap_err();
            assert!(
                error.hints().iter().any(|hint| hint.contains(told)),
                "{error}"
            );
        }
    }
}
