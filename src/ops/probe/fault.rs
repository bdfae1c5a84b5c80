//! Why there was no answer, and whose fault it is.

use super::answer::visible;
use std::io::ErrorKind;
use std::time::Duration;
use ureq::Error;

/// Why there was no answer, in words.
#[derive(Debug)]
pub(super) enum Fault {
    /// The gateway's, or of the way there: it failed.
    Theirs(String),
    /// Our own: nothing is known of the gateway.
    Ours(String),
}

impl Fault {
    /// Nothing was heard in time.
    pub(super) fn silence(patience: Duration) -> Self {
        Fault::Theirs(format!("no answer within {}", in_words(patience)))
    }

    /// What went wrong before an answer began.
    pub(super) fn of(error: Error, patience: Duration) -> Self {
        let theirs = |why: &str| Fault::Theirs(why.to_owned());
        match error {
            Error::Timeout(ureq::Timeout::Resolve) => theirs("its host was not found in time"),
            Error::Timeout(_) => Fault::silence(patience),
            Error::HostNotFound => theirs("its host is not known"),
            Error::Io(error) => Fault::of_io(&error, "the connection broke off before an answer"),
            Error::Protocol(_) | Error::LargeResponseHeader(..) => {
                theirs("what answers does not speak HTTP")
            }
            Error::Rustls(error) => Fault::Theirs(format!("TLS: {}", visible(&error.to_string()))),
            Error::Http(error) => Fault::Ours(format!("the question cannot be put: {error}")),
            other => Fault::Theirs(visible(&other.to_string())),
        }
    }

    /// What went wrong within an answer.
    pub(super) fn within(error: std::io::Error, patience: Duration) -> Self {
        match Error::from(error) {
            Error::Timeout(_) => Fault::Theirs(format!(
                "its answer was not whole within {}",
                in_words(patience)
            )),
            Error::Io(error) => Fault::of_io(&error, "its answer broke off"),
            Error::Protocol(_) => Fault::Theirs(String::from("its answer is not HTTP to the end")),
            other => Fault::of(other, patience),
        }
    }

    fn of_io(error: &std::io::Error, broke_off: &str) -> Self {
        use rustix::io::Errno;
        // What we have run out of, or may not do, says nothing of the gateway.
        const OURS: [Errno; 7] = [
            Errno::MFILE,
            Errno::NFILE,
            Errno::NOMEM,
            Errno::NOBUFS,
            Errno::ADDRNOTAVAIL,
            Errno::ACCESS,
            Errno::NAMETOOLONG,
        ];
        if let Some(number) = Errno::from_io_error(error)
            && OURS.contains(&number)
        {
            return Fault::Ours(format!("cannot connect: {error}"));
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => Fault::Theirs(String::from("refuses connections")),
            ErrorKind::NotFound => Fault::Theirs(String::from("there is no socket file")),
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::UnexpectedEof
            | ErrorKind::BrokenPipe => Fault::Theirs(broke_off.to_owned()),
            ErrorKind::InvalidData => Fault::Theirs(visible(&format!("TLS: {error}"))),
            _ => Fault::Theirs(visible(&error.to_string())),
        }
    }
}

/// A time as people read it: probes have seconds, tests less.
fn in_words(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (seconds, 0) => format!("{seconds} s"),
        (0, millis) => format!("{millis} ms"),
        (seconds, millis) => format!("{seconds}.{:01} s", millis / 100),
    }
}
