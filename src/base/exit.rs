//! The exit codes, one public constant each (docs/exit-codes.md). "No" is never mixed with "could not tell".

/// Done, or yes.
pub const DONE: u8 = 0;
/// The answer is no: validate found errors, scan found problems, not allowed.
pub const NO: u8 = 1;
/// The command line makes no sense.
pub const USAGE: u8 = 2;
/// No such cell, agent, task, root.
pub const NOT_FOUND: u8 = 3;
/// A file is not what the specification says.
pub const MALFORMED: u8 = 4;
/// Refused: policy, permission, state, fenced.
pub const REFUSED: u8 = 5;
/// A lock was not free in time.
pub const BUSY: u8 = 6;
/// Disk or rights.
pub const STORAGE: u8 = 7;
/// Could not tell, or a remote did not answer as it should.
pub const COULD_NOT_TELL: u8 = 8;
/// The outcome is unknown; doing it again is safe.
pub const OUTCOME_UNKNOWN: u8 = 9;
/// A defect of mcell.
pub const BUG: u8 = 70;
/// Ended by signal n: this plus n.
pub const SIGNAL: u8 = 128;

/// Every exit code and what it means, for the manual page; docs/exit-codes.md says more.
pub const ALL: [(&str, &str); 12] = [
    ("0", "Done; or the answer is yes"),
    (
        "1",
        "The answer is no: validate found errors, scan found problems, it is not allowed",
    ),
    ("2", "The command line makes no sense"),
    ("3", "There is no such thing"),
    ("4", "A file is not what the specification says"),
    ("5", "Refused: policy, permission or state forbids it"),
    ("6", "A lock was not free in time"),
    ("7", "Disk or rights"),
    ("8", "Could not tell"),
    (
        "9",
        "The outcome is unknown; giving the same command again is safe",
    ),
    ("70", "A bug in mcell"),
    ("128+n", "Ended by signal n"),
];
