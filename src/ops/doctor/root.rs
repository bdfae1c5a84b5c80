//! The root: whether it is there and why that one, its rights, its lock, its disk.

use super::{Caller, Check, cells, group_name, user_name};
use crate::base::error::Kind;
use crate::base::text::quoted;
use crate::ops::find::RootChoice;
use crate::ops::init::sudo_line;
use crate::ops::session::Session;
use crate::store::folder::{Folder, Rights};
use crate::store::fs2;
use crate::store::layout;
use crate::store::root::Root;
use crate::store::trial;
use rustix::fs::{Access, OFlags};
use std::path::Path;

/// How full the disk may be, in per cent; `scan` reports the same.
const FULL: u64 = 90;
/// How many bytes should be free: one commit of the largest file, and its journal.
const LITTLE: u64 = 64 << 20;

/// Gives the root that is meant.
pub(super) fn look(session: &Session, caller: &Caller, checks: &mut Vec<Check>) -> Option<String> {
    let choice = match session.root_choice() {
        Ok(choice) => choice,
        // The config is to blame, and its own check has said so.
        Err(error) => {
            checks.push(Check::unknown("root", &error));
            return None;
        }
    };
    let path = choice.path.display().to_string();
    match Root::open(&choice.path) {
        Ok(root) => {
            checks.push(Check::ok("root", format!("{path}, by {}", choice.why)));
            there(&root, caller, checks);
        }
        Err(error) if error.kind() == Kind::NotFound => checks.push(not_there(&choice)),
        Err(error) => checks.push(
            Check::problem(
                "root",
                format!("{} (chosen by {})", error.message(), choice.why),
            )
            .command(format!("ls -ld {}", quoted(&path))),
        ),
    }
    Some(path)
}

fn not_there(choice: &RootChoice) -> Check {
    let path = choice.path.display();
    let why = format!("there is no {path} yet (chosen by {})", choice.why);
    let above = choice.path.ancestors().skip(1).find(|above| above.exists());
    if above.is_some_and(may_change) {
        Check::warning("root", format!("{why}; the first `init` makes it"))
            .command("mcell init \"Example Mission\"")
    } else {
        Check::warning("root", format!("{why}, and you cannot make it"))
            .command(sudo_line(&choice.path))
            .command("mcell --root ~/missions init \"Example Mission\"")
    }
}

fn may_change(folder: &Path) -> bool {
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn there(root: &Root, caller: &Caller, checks: &mut Vec<Check>) {
    let folder = root.folder();
    let rights = match folder.rights("") {
        Ok(Some(rights)) => rights,
        Ok(None) => return,
        Err(error) => return checks.push(Check::unknown("rights", &error)),
    };
    root_rights(root.path(), rights, caller, checks);
    runtime(folder, rights, caller, checks);
    file_system(folder, checks);
    disk(root.path(), checks);
    cells::look(root, rights, caller, checks);
}

fn in_words(rights: Rights) -> String {
    format!(
        "{}:{} {:04o}",
        user_name(rights.owner),
        group_name(rights.group),
        rights.mode
    )
}

fn root_rights(path: &Path, rights: Rights, caller: &Caller, checks: &mut Vec<Check>) {
    const NAME: &str = "rights";
    let before = checks.len();
    let word = quoted(&path.display().to_string());
    if rights.mode & 0o002 != 0 {
        let why = format!(
            "everyone may write in {} ({}): nothing would be started from here",
            path.display(),
            in_words(rights)
        );
        checks.push(Check::problem(NAME, why).command(format!("chmod o-w {word}")));
    }
    if !caller.trusts(rights.owner) {
        let why = format!(
            "{} belongs to {}, neither you nor root: nothing would be started from here",
            path.display(),
            user_name(rights.owner)
        );
        let check = if caller.is_root() {
            Check::warning(NAME, why)
        } else {
            Check::problem(NAME, why)
        };
        checks.push(check.command(format!("sudo chown {} {word}", caller.name)));
    }
    if rights.mode & 0o020 != 0 && rights.mode & 0o2000 == 0 {
        let why = format!(
            "the group {} shares {}, but what other tools make there does not take that group",
            group_name(rights.group),
            path.display()
        );
        checks.push(Check::warning(NAME, why).command(format!("chmod g+s {word}")));
    }
    if !may_change(path) {
        let why = format!(
            "you may look at {} ({}), and not make cells in it",
            path.display(),
            in_words(rights)
        );
        let check = Check::warning(NAME, why);
        checks.push(if rights.mode & 0o020 != 0 {
            check.command(format!(
                "sudo usermod -aG {} {}",
                group_name(rights.group),
                caller.name
            ))
        } else {
            check.command(sudo_line(path))
        });
    }
    if checks.len() == before {
        let shared = if rights.mode & 0o020 != 0 {
            format!(", shared by the group {}", group_name(rights.group))
        } else {
            String::new()
        };
        checks.push(Check::ok(NAME, format!("{}{shared}", in_words(rights))));
    }
}

/// The root's own folder and its lock.
fn runtime(folder: &Folder, root: Rights, caller: &Caller, checks: &mut Vec<Check>) {
    const NAME: &str = "root's own";
    let path = folder.path_of(layout::RUNTIME);
    let word = quoted(&path.display().to_string());
    let rights = match folder.rights(layout::RUNTIME) {
        Ok(Some(rights)) => rights,
        Ok(None) => {
            return checks.push(Check::ok(NAME, "no .mcell yet; the first `init` makes it"));
        }
        Err(error) => return checks.push(Check::unknown(NAME, &error)),
    };
    let before = checks.len();
    let is_shared = root.mode & 0o020 != 0;
    if rights.mode & 0o002 != 0 {
        let why = format!(
            "everyone may write in {} ({})",
            path.display(),
            in_words(rights)
        );
        checks.push(Check::problem(NAME, why).command(format!("chmod o-w {word}")));
    }
    if rights.mode & 0o020 != 0 && rights.group != root.group {
        let why = format!(
            "the group {} may write in {}, and the root is not that group's",
            group_name(rights.group),
            path.display()
        );
        let line = format!("sudo chgrp -R {} {word}", group_name(root.group));
        checks.push(Check::problem(NAME, why).command(line));
    }
    if is_shared && (rights.mode & 0o2070 != 0o2070 || rights.group != root.group) {
        let why = format!(
            "the group {} shares the root, and not {} ({}): its members cannot make cells",
            group_name(root.group),
            path.display(),
            in_words(rights)
        );
        let line = format!(
            "sudo chgrp -R {} {word} && sudo chmod -R g+rwX {word} && sudo chmod g+s {word}",
            group_name(root.group)
        );
        checks.push(Check::warning(NAME, why).command(line));
    }
    match folder.open_file(layout::LOCK, OFlags::RDWR) {
        Ok(_) => {}
        Err(error) if may_change(folder.path()) => checks.push(
            Check::problem(
                NAME,
                format!("the lock cannot be taken: {}", error.message()),
            )
            .command(format!("sudo chown -R {} {word}", caller.name)),
        ),
        // Who may not make cells needs no lock; that was said.
        Err(_) => {}
    }
    if checks.len() == before {
        checks.push(Check::ok(NAME, format!(".mcell {}", in_words(rights))));
    }
}

fn file_system(folder: &Folder, checks: &mut Vec<Check>) {
    const NAME: &str = "file system";
    checks.push(match trial::try_out(folder) {
        Ok(None) => Check::ok(NAME, "not tried: that needs a root's own folder to write in"),
        Ok(Some(trial)) if !trial.locks => Check::problem(
            NAME,
            format!(
                "locks do not keep others out on {}: two writers would lose each other's changes",
                folder.path().display()
            ),
        )
        .command("mcell --root ~/missions init \"Example Mission\"   # on a local disk"),
        Ok(Some(trial)) if !trial.renames_new => Check::warning(
            NAME,
            "it cannot rename without replacing; the lock stands in for that, as long as every writer is mcell",
        ),
        Ok(Some(_)) => Check::ok(NAME, "locks, renames and syncs work (tried)"),
        Err(error) => Check::problem(NAME, error.message())
            .command(format!("df -h {}", quoted(&folder.path().display().to_string()))),
    });
}

fn disk(path: &Path, checks: &mut Vec<Check>) {
    const NAME: &str = "disk";
    let space = match fs2::space(path) {
        Ok(space) => space,
        Err(error) => {
            let error = crate::base::error::Error::storage("look at the free space", error);
            return checks.push(Check::unknown(NAME, &error));
        }
    };
    let why = format!(
        "{} MiB free of {} MiB",
        space.available >> 20,
        space.total >> 20
    );
    checks.push(if space.available < LITTLE {
        Check::problem(NAME, why).command("mcell cell prune")
    } else if space.full() >= FULL {
        Check::warning(NAME, format!("{why}: {} % full", space.full())).command("mcell cell prune")
    } else {
        Check::ok(NAME, why)
    });
    let files = rustix::fs::statvfs(path)
        .ok()
        .filter(|about| about.f_files > 0);
    if let Some(about) = files.filter(|about| about.f_favail < about.f_files / 100) {
        let why = format!(
            "room for {} more files of {}",
            about.f_favail, about.f_files
        );
        checks.push(Check::warning(NAME, why).command("mcell cell prune"));
    }
}
