//! What stands in the way of a backup from outside, in words (exit 4, unless the disk is to blame).

use crate::base::error::{Error, Kind, Result};
use crate::base::text::shown;
use crate::store::archive::verify::broken;
use tar::EntryType;

pub(super) fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let path = String::from_utf8_lossy(error.as_bytes()).into_owned();
        broken(format!("the path {} is not UTF-8", shown(&path)))
    })
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(name: &str, text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|error| broken(format!("{name} cannot be read: {error}")))
}

pub(super) fn unreadable(error: std::io::Error) -> Error {
    // tar and zstd speak of what they read; only the system has a number.
    if error.raw_os_error().is_some() {
        return Error::storage("read the backup", error);
    }
    broken(crate::base::error::in_words(&error))
}

/// What stands in the way of a path is the backup's own.
pub(super) fn clash(path: &str, error: Error) -> Error {
    match error.message() {
        message if message.contains("exists") => broken(format!(
            "{} is in it as a file and as a folder",
            shown(path)
        )),
        _ if error.kind() == Kind::Malformed => broken(format!(
            "{} lies in something that is no folder",
            shown(path)
        )),
        _ => error,
    }
}

pub(super) fn word(sort: EntryType) -> &'static str {
    match sort {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a FIFO",
        _ => "of a sort that no backup has",
    }
}
