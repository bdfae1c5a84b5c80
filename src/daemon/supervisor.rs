//! What the daemon tells the supervisor that started it, as systemd and its like want it (sd_notify).
//!
//! Without `NOTIFY_SOCKET` in the environment nothing is told to anybody. Whatever the daemon starts must not inherit
//! [`VARIABLES`]: it would speak in the daemon's name.

use crate::base::error::{Error, Kind, Result, in_words};
use crate::base::text;
use sd_notify::NotifyState;
use std::time::Duration;

/// The variables by which a supervisor reaches the process that it started, and no other.
pub const VARIABLES: [&str; 6] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];

/// The most letters of a status: `systemctl status` shows it in one line.
const LONGEST_STATUS: usize = 200;

/// The supervisor of this process; perhaps there is none.
#[derive(Clone, Copy, Debug)]
pub struct Supervisor {
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The supervisor that the environment of this process names.
    pub fn of_process() -> Self {
        let watchdog = sd_notify::watchdog_enabled();
        Supervisor {
            // Nought is how its absence may be written.
            watchdog: watchdog.filter(|limit| !limit.is_zero()),
        }
    }

    /// How long it waits for a sign of life before it ends this process; none if it does not watch.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// The longest pause between two sweeps that keeps the watchdog quiet, where `wanted` is what the config says: half of
    /// the watchdog's limit, since the sweep takes time too.
    pub fn pause(&self, wanted: Duration) -> Duration {
        self.watchdog.map_or(wanted, |limit| wanted.min(limit / 2))
    }

    /// The daemon listens and has seen every cell: who waits for it may go on. Also after a reload.
    pub fn ready(&self, status: &str) -> Result<()> {
        say(&[NotifyState::Ready, NotifyState::Status(&line(status))])
    }

    /// A sweep was finished, which is the only sign of life: a daemon whose listener answers while its sweep hangs is no
    /// watcher any more.
    pub fn swept(&self, status: &str) -> Result<()> {
        say(&[NotifyState::Watchdog, NotifyState::Status(&line(status))])
    }

    /// The config is read anew; [`Supervisor::ready`] follows, whatever comes of it.
    pub fn reloading(&self) -> Result<()> {
        // systemd 253 and newer want the time beside it, to know which reload is answered.
        let now = NotifyState::monotonic_usec_now().map_err(|error| failed(&error))?;
        say(&[NotifyState::Reloading, now])
    }

    /// The daemon ends, in order.
    pub fn stopping(&self, status: &str) -> Result<()> {
        say(&[NotifyState::Stopping, NotifyState::Status(&line(status))])
    }
}

/// A status in one line: what follows a line end would be taken for another message (`MAINPID=1`).
fn line(status: &str) -> String {
    text::cut(&text::shown(status), LONGEST_STATUS).into_owned()
}

fn say(state: &[NotifyState<'_>]) -> Result<()> {
    sd_notify::notify(state).map_err(|error| failed(&error))
}

fn failed(error: &std::io::Error) -> Error {
    let message = format!("the supervisor cannot be told: {}", in_words(error));
    Error::new(Kind::CouldNotTell, message)
        .hint("NOTIFY_SOCKET names the socket on which it should listen")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::process::{Child, Command, Stdio};

    /// Runs a part in a process of its own, with this environment: that of a running test is shared with all others.
    fn run(part: &str, variables: &[(&str, &str)]) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--nocapture",
            "--exact",
            "daemon::supervisor::tests::part",
            part,
        ]);
        for name in VARIABLES {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        command.stdout(Stdio::piped()).spawn().unwrap()
    }

    /// What [`run`] runs. As one test among the others it has no part to play.
    #[test]
    fn part() {
        match std::env::args().next_back().as_deref() {
            Some("a_life") => a_life(),
            Some("alone") => alone(),
            Some("orphaned") => orphaned(),
            _ => {}
        }
    }

    fn ends_well(child: Child) {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }

    #[test]
    fn a_supervisor_hears_of_start_sweep_reload_and_end() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let child = run(
            "a_life",
            &[
                ("NOTIFY_SOCKET", path.to_str().unwrap()),
                ("WATCHDOG_USEC", "30000000"),
            ],
        );
        let heard = || {
            let mut buffer = [0; 4096];
            let length = rustix::io::retry_on_intr(|| {
                rustix::net::recv(&socket, &mut buffer[..], rustix::net::RecvFlags::empty())
            });
            let (length, _) = length.expect("a message");
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(heard(), "READY=1\nSTATUS=2 cells, 5 agents\n");
        assert_eq!(
            heard(),
            "WATCHDOG=1\nSTATUS=mission \"x\\nMAINPID=1\" is unhealthy\n"
        );
        let reload = heard();
        let time = reload.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(time.trim_end().parse::<u64>().unwrap() > 0, "{reload}");
        assert_eq!(heard(), "READY=1\nSTATUS=the config was refused\n");
        assert_eq!(heard(), "STOPPING=1\nSTATUS=asked by SIGTERM\n");
        ends_well(child);
    }

    fn a_life() {
        let supervisor = Supervisor::of_process();
        assert_eq!(supervisor.watchdog(), Some(Duration::from_secs(30)));
        supervisor.ready("2 cells, 5 agents").unwrap();
        supervisor
            .swept("mission \"x\nMAINPID=1\" is unhealthy")
            .unwrap();
        supervisor.reloading().unwrap();
        supervisor.ready("the config was refused").unwrap();
        supervisor.stopping("asked by SIGTERM").unwrap();
    }

    #[test]
    fn without_a_supervisor_nothing_is_told_and_nothing_fails() {
        ends_well(run("alone", &[]));
    }

    fn alone() {
        let supervisor = Supervisor::of_process();
        assert_eq!(supervisor.watchdog(), None);
        let minute = Duration::from_secs(60);
        assert_eq!(supervisor.pause(minute), minute);
        supervisor.ready("").unwrap();
        supervisor.swept("").unwrap();
        supervisor.stopping("").unwrap();
    }

    #[test]
    fn a_supervisor_that_is_gone_is_an_error_and_no_more() {
        ends_well(run(
            "orphaned",
            &[("NOTIFY_SOCKET", "/nowhere/notify"), ("WATCHDOG_USEC", "0")],
        ));
        // What a shell under the service inherits: the variables are of its parent.
        ends_well(run(
            "orphaned",
            &[
                ("NOTIFY_SOCKET", "/nowhere/notify"),
                ("WATCHDOG_USEC", "30000000"),
                ("WATCHDOG_PID", "1"),
            ],
        ));
    }

    fn orphaned() {
        let supervisor = Supervisor::of_process();
        assert_eq!(supervisor.watchdog(), None);
        let error = supervisor.ready("").unwrap_err();
        assert_eq!(error.kind(), Kind::CouldNotTell);
    }

    #[test]
    fn sweeps_come_often_enough_for_the_watchdog() {
        let strict = Supervisor {
            watchdog: Some(Duration::from_secs(20)),
        };
        assert_eq!(
            strict.pause(Duration::from_secs(30)),
            Duration::from_secs(10)
        );
        assert_eq!(strict.pause(Duration::from_secs(3)), Duration::from_secs(3));
    }
}
