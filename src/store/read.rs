//! Reads one mission file strictly: what commands act on must be sound.

use crate::base::document::Document;
use crate::base::error::{Error, Result};
use crate::mission::rules::form;
use crate::mission::shape;
use crate::mission::sheet::{Record, stem};
use crate::store::commit::excerpt;
use crate::store::folder::Folder;
use serde::de::DeserializeOwned;

/// Reads a record out of the text of a file beneath a cell. Unknown fields are passed over (a newer mcell may know them);
/// anything else that is not as the specification says is an error with its place (exit 4).
pub fn record<T: Record + DeserializeOwned>(cell: &Folder, file: &str, text: &[u8]) -> Result<T> {
    let path = cell.path_of(file).display().to_string();
    let document = Document::parse(text).map_err(|fault| {
        Error::malformed(format!("{file} is not JSON: {fault}"))
            .at(excerpt(&path, text, fault.offset, 1))
            .hint(LOOK)
    })?;
    let reading = shape::read(&document, T::SHAPE, stem(file));
    for flaw in &reading.flaws {
        let finding = form::finding(file, flaw);
        if finding.severity != crate::base::finding::Severity::Error {
            continue;
        }
        let range = document
            .at(&flaw.pointer)
            .map(|node| node.range())
            .unwrap_or(0..1);
        let mut error =
            Error::malformed(finding.message).at(excerpt(&path, text, range.start, range.len()));
        for hint in finding.hints {
            error = error.hint(hint);
        }
        return Err(error.hint(LOOK));
    }
    T::deserialize(reading.value).map_err(|error| {
        Error::bug(format!(
            "{file} is as its shape says, but not as its type: {error}"
        ))
    })
}

const LOOK: &str = "`mcell validate` shows everything that is wrong with the cell, and `mcell validate --fix` mends what is safe";
