//! What can go wrong, as a value: a kind (and so an exit code), what stands in the way, and the way out.

use std::fmt;

/// The result of anything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kinds of failure. Each has one exit code and one word; both are public and never change (docs/exit-codes.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The answer is no: not a failure of the command, but not a yes.
    No,
    /// The command line makes no sense.
    Usage,
    /// There is no such cell, agent, task, root or file.
    NotFound,
    /// A file is not what the specification says.
    Malformed,
    /// Policy, permission or state forbids it.
    Refused,
    /// An act with an older token than the present one.
    Fenced,
    /// A lock was not free in time.
    Busy,
    /// The disk or its rights stand in the way.
    Storage,
    /// A remote did not answer as it should, or the truth could not be had.
    CouldNotTell,
    /// It may have happened or not; doing it again is safe.
    OutcomeUnknown,
    /// A defect of mcell.
    Bug,
}

impl Kind {
    /// Every kind, in the order of its exit code.
    pub const ALL: [Kind; 11] = [
        Kind::No,
        Kind::Usage,
        Kind::NotFound,
        Kind::Malformed,
        Kind::Refused,
        Kind::Fenced,
        Kind::Busy,
        Kind::Storage,
        Kind::CouldNotTell,
        Kind::OutcomeUnknown,
        Kind::Bug,
    ];

    /// The exit code of a command that ended this way.
    pub const fn exit(self) -> u8 {
        match self {
            Kind::No => super::exit::NO,
            Kind::Usage => super::exit::USAGE,
            Kind::NotFound => super::exit::NOT_FOUND,
            Kind::Malformed => super::exit::MALFORMED,
            Kind::Refused | Kind::Fenced => super::exit::REFUSED,
            Kind::Busy => super::exit::BUSY,
            Kind::Storage => super::exit::STORAGE,
            Kind::CouldNotTell => super::exit::COULD_NOT_TELL,
            Kind::OutcomeUnknown => super::exit::OUTCOME_UNKNOWN,
            Kind::Bug => super::exit::BUG,
        }
    }

    /// The word that `--json` gives as `code`.
    pub const fn code(self) -> &'static str {
        match self {
            Kind::No => "no",
            Kind::Usage => "usage",
            Kind::NotFound => "not_found",
            Kind::Malformed => "malformed",
            Kind::Refused => "refused",
            Kind::Fenced => "fenced",
            Kind::Busy => "busy",
            Kind::Storage => "storage",
            Kind::CouldNotTell => "could_not_tell",
            Kind::OutcomeUnknown => "outcome_unknown",
            Kind::Bug => "bug",
        }
    }
}

/// A place in a file, with its source line, for a caret under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The file as a person would name it: relative to its cell where it is in one.
    pub file: String,
    /// The line, from 1; 0 means the file as a whole.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The source line, lossily decoded, without its line end; of a long one the part around the place.
    pub source: String,
    /// How many characters of the line are left out before `source`.
    pub skipped: usize,
    /// How many characters the caret underlines (at least 1).
    pub width: usize,
}

/// A refusal: what stands in the way, where, and the way out.
#[derive(Clone, Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone, Debug)]
struct Inner {
    kind: Kind,
    message: String,
    hints: Vec<String>,
    place: Option<Excerpt>,
    passes: bool,
}

impl Error {
    /// An error of a kind, with a message in one lower-case sentence without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                hints: Vec::new(),
                place: None,
                passes: false,
            }),
        }
    }

    /// A command line that makes no sense (exit 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(Kind::Usage, message)
    }

    /// No such thing (exit 3).
    pub fn not_found(message: impl Into<String>) -> Self {
        Error::new(Kind::NotFound, message)
    }

    /// A file that is not what the specification says (exit 4).
    pub fn malformed(message: impl Into<String>) -> Self {
        Error::new(Kind::Malformed, message)
    }

    /// Refused by policy, permission or state (exit 5).
    pub fn refused(message: impl Into<String>) -> Self {
        Error::new(Kind::Refused, message)
    }

    /// A defect of mcell itself (exit 70).
    pub fn bug(message: impl Into<String>) -> Self {
        Error::new(Kind::Bug, message)
            .hint("this is a defect of mcell: please report it with the command you typed")
    }

    /// A failed system call (exit 7), with a hint where the way out is known.
    pub fn storage(doing: impl fmt::Display, error: impl Into<std::io::Error>) -> Self {
        let error = error.into();
        let mut made = Error::new(
            Kind::Storage,
            format!("cannot {doing}: {}", in_words(&error)),
        );
        made.inner.passes = passes(&error);
        match hint_for(&error) {
            Some(hint) => made.hint(hint),
            None => made,
        }
    }

    /// Adds a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hints.push(hint.into());
        self
    }

    /// Adds where in a file it is.
    #[must_use]
    pub fn at(mut self, place: Excerpt) -> Self {
        self.inner.place = Some(place);
        self
    }

    /// Puts words in front of the message: "what: message".
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.inner.message = format!("{what}: {}", self.inner.message);
        self
    }

    /// Says the same with another kind.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.inner.kind = kind;
        self
    }

    /// The kind, and so the exit code.
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// What stands in the way.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The ways out.
    pub fn hints(&self) -> &[String] {
        &self.inner.hints
    }

    /// Whether it says nothing of the file: the system had nothing left to open it with, or the disk did not answer.
    pub fn passes(&self) -> bool {
        self.inner.passes
    }

    /// Where in a file, if in one.
    pub fn place(&self) -> Option<&Excerpt> {
        self.inner.place.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.inner.message)
    }
}

impl std::error::Error for Error {}

/// The system's word for an error, without Rust's "(os error N)".
pub fn in_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::from("unknown error"),
    }
}

/// Whether a failed system call says nothing of what it was about, so that it is to be tried again.
pub fn passes(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let passing = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOMEM,
        Errno::AGAIN,
        Errno::IO,
        Errno::STALE,
        Errno::TIMEDOUT,
    ];
    passing
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn hint_for(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind as E;
    match error.kind() {
        E::PermissionDenied => Some(
            "look at the owner and mode with `ls -ld`, or run as a user who may; `mcell doctor` checks them all",
        ),
        E::StorageFull | E::QuotaExceeded => Some(
            "the disk is full: `mcell scan` names the largest things, `mcell cell prune` empties the trash",
        ),
        E::ReadOnlyFilesystem => {
            Some("the file system is mounted read-only: `mount -o remount,rw` or another `--root`")
        }
        _ if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            Some("this process has too many files open: raise `ulimit -n`")
        }
        _ => None,
    }
}
