//! `notify_command`: a program that is given the story on its standard input.

use super::Verdict;
use crate::base::error::in_words;
use crate::base::text::shown;
use crate::daemon::story::Story;
use crate::daemon::supervisor;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a running program is looked at, for whether the daemon ends. Its own end is an event.
const LOOK: Duration = Duration::from_millis(100);

/// What must not reach the program. With `MCELL_AGENT` its `mcell` would act as that agent, and be refused.
const UNSET: [&str; 5] = [
    "MCELL_AGENT",
    "MCELL_TOKEN",
    "MCELL_CLAIM",
    "MCELL_INCARNATION",
    "MCELL_SOCKET",
];

/// Runs the program to its end, at most for `deadline`; then it is killed with its group. `must_end` says that the daemon
/// does not wait any longer: it is killed too, and the story is told at the next start.
///
/// It is not run again if it fails. It may have told half of it, and only it knows.
pub(super) fn tell(
    command: &[String],
    story: &Story,
    deadline: Duration,
    must_end: impl Fn() -> bool,
) -> Verdict {
    let Some((program, arguments)) = command.split_first() else {
        return Verdict::Never(String::from("notify_command is empty"));
    };
    let begun = Instant::now();
    let mut child = match prepared(program, arguments, story).spawn() {
        Ok(child) => child,
        Err(error) => {
            return Verdict::Never(format!("it cannot be started: {}", in_words(&error)));
        }
    };
    if let Some(mut keys) = child.stdin.take() {
        // A program that does not read is free not to; the story is shorter than a pipe is deep, so this cannot wait.
        let _ = keys.write_all(story.text().as_bytes());
    }
    let end = end_of(&child);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return judged(status),
            Ok(None) => {}
            Err(error) => {
                return Verdict::Never(format!("it cannot be waited for: {}", in_words(&error)));
            }
        }
        let left = deadline.saturating_sub(begun.elapsed());
        let must_end = must_end();
        if left.is_zero() || must_end {
            kill(&mut child);
            return if must_end {
                Verdict::Interrupted
            } else {
                Verdict::Never(format!(
                    "it did not end within {} s, and was killed",
                    deadline.as_secs_f32()
                ))
            };
        }
        wait(end.as_ref(), left.min(LOOK));
    }
}

fn prepared(program: &str, arguments: &[String], story: &Story) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own: it is ended with all that it started, and a Ctrl-C at the daemon's terminal is not for it.
        .process_group(0);
    for name in supervisor::VARIABLES.iter().chain(&UNSET) {
        command.env_remove(name);
    }
    let at = story.at.to_string();
    let subject = story.subject();
    let texts = [
        // These two are what `mcell` itself reads: a command in the program is about the same cell.
        ("MCELL_ROOT", Some(&story.root)),
        ("MCELL_CELL", story.cell_id.as_ref()),
        ("MCELL_EVENT_ID", Some(&story.id)),
        ("MCELL_EVENT_INCIDENT", Some(&story.incident)),
        ("MCELL_EVENT_AT", Some(&at)),
        ("MCELL_EVENT_HOST", Some(&story.host)),
        ("MCELL_EVENT_SUBJECT", Some(&subject)),
        ("MCELL_EVENT_MISSION", story.mission_name.as_ref()),
        ("MCELL_EVENT_AGENT", story.agent_id.as_ref()),
        ("MCELL_EVENT_FROM", story.from.as_ref()),
        ("MCELL_EVENT_TO", story.to.as_ref()),
        ("MCELL_EVENT_REASON", Some(&story.reason)),
        ("MCELL_EVENT_NEXT", story.next.as_ref()),
        ("MCELL_EVENT_COMMAND", story.command.as_ref()),
    ];
    command.env("MCELL_EVENT", story.event.word());
    for (name, text) in texts {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => command.env(name, &*shown(text)),
            None => command.env_remove(name),
        };
    }
    command
}

/// What tells of the child's end; none on a kernel without it, where it is looked for.
fn end_of(child: &Child) -> Option<OwnedFd> {
    pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok()
}

fn wait(end: Option<&OwnedFd>, time: Duration) {
    let mut fds: Vec<PollFd<'_>> = end
        .map(|end| PollFd::new(end, PollFlags::IN))
        .into_iter()
        .collect();
    let time = Timespec::try_from(time).ok();
    // Interrupted or not: it is looked at again.
    let _ = poll(&mut fds, time.as_ref());
}

/// Kills the child with its group, and takes its end. It is not reaped before, so its number is still its own.
fn kill(child: &mut Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

fn judged(status: ExitStatus) -> Verdict {
    match (status.code(), status.signal()) {
        (Some(0), _) => Verdict::Delivered,
        (Some(code), _) => Verdict::Never(format!("it ended with exit code {code}")),
        (None, Some(signal)) => Verdict::Never(format!("it was ended by signal {signal}")),
        (None, None) => Verdict::Never(String::from("it ended badly")),
    }
}
