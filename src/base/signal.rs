//! Signals by the names that files and people give them.

use rustix::process::Signal;

/// Every signal that can be named, without its `SIG`.
pub const SIGNALS: [(&str, Signal); 31] = [
    ("HUP", Signal::HUP),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("ILL", Signal::ILL),
    ("TRAP", Signal::TRAP),
    ("ABRT", Signal::ABORT),
    ("BUS", Signal::BUS),
    ("FPE", Signal::FPE),
    ("KILL", Signal::KILL),
    ("USR1", Signal::USR1),
    ("SEGV", Signal::SEGV),
    ("USR2", Signal::USR2),
    ("PIPE", Signal::PIPE),
    ("ALRM", Signal::ALARM),
    ("TERM", Signal::TERM),
    ("STKFLT", Signal::STKFLT),
    ("CHLD", Signal::CHILD),
    ("CONT", Signal::CONT),
    ("STOP", Signal::STOP),
    ("TSTP", Signal::TSTP),
    ("TTIN", Signal::TTIN),
    ("TTOU", Signal::TTOU),
    ("URG", Signal::URG),
    ("XCPU", Signal::XCPU),
    ("XFSZ", Signal::XFSZ),
    ("VTALRM", Signal::VTALARM),
    ("PROF", Signal::PROF),
    ("WINCH", Signal::WINCH),
    ("IO", Signal::IO),
    ("PWR", Signal::POWER),
    ("SYS", Signal::SYS),
];

/// The signal of a name, with or without `SIG`; case counts.
pub fn named(name: &str) -> Option<Signal> {
    let name = name.strip_prefix("SIG").unwrap_or(name);
    let found = SIGNALS.iter().find(|(known, _)| *known == name);
    found.map(|(_, signal)| *signal)
}

/// What a signal is called, as the system tells it of a process that ended by it.
pub fn word(number: i32) -> String {
    let found = SIGNALS.iter().find(|(_, signal)| signal.as_raw() == number);
    match found {
        Some((name, _)) => format!("SIG{name}"),
        None => format!("signal {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_its_name_with_and_without_sig() {
        assert_eq!(named("SIGTERM"), Some(Signal::TERM));
        assert_eq!(named("USR1"), Some(Signal::USR1));
        assert_eq!(named("sigterm"), None);
        assert_eq!(named(""), None);
        for (name, signal) in SIGNALS {
            assert_eq!(word(signal.as_raw()), format!("SIG{name}"));
        }
        assert_eq!(word(40), "signal 40");
    }
}
