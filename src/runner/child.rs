//! The processes that a runner starts: its agent, and the command that makes that save its state.

use super::order::Order;
use crate::base::error::{Error, Result, in_words};
use rustix::process::Pid;
use std::io::PipeReader;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// A process that leads a group of its own.
#[derive(Debug)]
pub(super) struct Child {
    /// Its number.
    pub(super) pid: Pid,
    /// What it says on stdout, and on stderr where that is apart.
    pub(super) output: PipeReader,
    /// What it says on stderr, where that is apart.
    pub(super) errors: Option<PipeReader>,
}

/// Starts a program in the environment of an order, with that much more. `is_apart`: its stderr is not mixed with its stdout.
pub(super) fn spawn(
    command: &[String],
    order: &Order,
    more: &[(&'static str, String)],
    is_apart: bool,
) -> Result<Child> {
    let [program, arguments @ ..] = command else {
        return Err(Error::bug("an order without a command"));
    };
    let cannot = |error| Error::storage("make a pipe", error);
    let pipe = || {
        let (output, said) = std::io::pipe().map_err(cannot)?;
        rustix::io::ioctl_fionbio(&output, true).map_err(|error| cannot(error.into()))?;
        Ok::<_, Error>((output, said))
    };
    let (output, stdout) = pipe()?;
    let (errors, stderr) = if is_apart {
        let (errors, stderr) = pipe()?;
        (Some(errors), stderr)
    } else {
        (None, stdout.try_clone().map_err(cannot)?)
    };
    let own = order.environment.iter();
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(own.map(|(name, value)| (name, value)))
        .envs(more.iter().map(|(name, value)| (name, value)))
        .current_dir(&order.cwd)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .spawn();
    let child = child.map_err(|error| {
        let told = format!("{program}: {}", in_words(&error));
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
                Error::refused(told)
            }
            _ => Error::storage(format_args!("start {program}"), error),
        }
    })?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::bug("a process has no number"))?;
    Ok(Child {
        pid,
        output,
        errors,
    })
}
