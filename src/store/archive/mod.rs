//! A backup: one file, tar in zstd, that holds a whole cell and what each of its files must be (docs/backup.md).
//!
//! The same cell gives the same bytes: entries sorted by path, no times, no owners, nothing of the machine. The first entry
//! says what it is, the last one lists every file with its size and hash.

mod gather;
mod new_file;
mod pack;
mod pipe;
mod place;
mod tape;
mod unpack;
mod verify;

pub use gather::{Gathered, gather};
pub use new_file::NewBackup;
pub use pack::{Packed, pack};
pub use unpack::{Target, Unpacked, unpack};

use serde::{Deserialize, Serialize};

/// The first entry.
pub const LABEL: &str = "mcell-backup.json";
/// The last entry.
pub const CONTENTS: &str = "mcell-manifest.json";
/// The form of the backup that this mcell writes, and the highest that it reads.
pub const FORMAT: u64 = 1;
/// How a backup's name ends.
pub const SUFFIX: &str = ".mcell.tar.zst";

/// zstd's level.
const LEVEL: i32 = 3;
/// Bytes that go from one thread to the next at once.
const CHUNK: usize = 1 << 20;
/// Bytes of a tar record.
const RECORD: usize = 512;

/// The first entry: what a backup is of. No times: the same cell gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The form of the backup.
    pub format: u64,
    /// The id of the cell.
    pub cell_id: String,
    /// The mission's name, if cell.json could be read.
    #[serde(default)]
    pub mission_name: Option<String>,
    /// The version of mcell that wrote it.
    pub mcell: String,
}

/// The last entry: what every file must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Every file, sorted by path.
    pub files: Vec<Listed>,
    /// The hash of the journal's last line, in hex; empty without one.
    pub journal_head: String,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its path in the cell.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of them, in hex.
    pub sha256: String,
    /// How many entries it has, if more than one: it changed while it was read, and was read again. The last counts.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
    /// Whether it went on changing all the time: it may be of two moments.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

const fn once() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_once(times: &u32) -> bool {
    *times == 1
}
