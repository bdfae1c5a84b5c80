//! The machine: version, kernel, limits, who runs this.

use super::{Caller, Check};
use crate::store::trial;
use rustix::process::Resource;

/// How many files a process should be able to open: `scan` holds two for each of its workers, the daemon one for each
/// agent that it talks to.
const OPEN_FILES: u64 = 1024;

pub(super) fn look(caller: &Caller, checks: &mut Vec<Check>) {
    checks.push(Check::ok(
        "version",
        format!("mcell {}", env!("CARGO_PKG_VERSION")),
    ));
    checks.push(kernel());
    checks.push(open_files());
    checks.push(who(caller));
}

fn kernel() -> Check {
    let about = rustix::system::uname();
    let name = format!(
        "{} {}",
        about.sysname().to_string_lossy(),
        about.release().to_string_lossy()
    );
    if trial::opens_beneath() {
        Check::ok("kernel", format!("{name}, with openat2"))
    } else {
        Check::warning(
            "kernel",
            format!(
                "{name} has no openat2, or a sandbox forbids it: files are opened one name at a time, as safely but slower"
            ),
        )
    }
}

fn open_files() -> Check {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    match limit.current {
        Some(most) if most < OPEN_FILES => Check::warning(
            "open files",
            format!("a process may open {most} files; {OPEN_FILES} are enough for any root"),
        )
        .command(format!(
            "ulimit -n {}",
            limit.maximum.unwrap_or(OPEN_FILES).min(OPEN_FILES)
        )),
        Some(most) => Check::ok("open files", format!("a process may open {most}")),
        None => Check::ok("open files", "a process may open any number"),
    }
}

fn who(caller: &Caller) -> Check {
    if caller.is_root() {
        Check::warning(
            "user",
            "you are root: what you start from cells that root owns runs as root",
        )
    } else {
        Check::ok("user", format!("{} ({})", caller.name, caller.user))
    }
}
