//! Reads one mission file strictly: what commands act on must be sound.

use crate::base::document::Document;
use crate::base::error::{Error, Excerpt, Result};
use crate::base::finding::{Finding, Spot};
use crate::mission::rules::form;
use crate::mission::shape;
use crate::mission::sheet::{Record, stem};
use crate::store::folder::Folder;
use serde::de::DeserializeOwned;
use std::ops::Range;

/// Reads a record out of the text of a file beneath a cell. Unknown fields are passed over (a newer mcell may know them);
/// anything else that is not as the specification says is an error with its place (exit 4).
pub fn record<T: Record + DeserializeOwned>(cell: &Folder, file: &str, text: &[u8]) -> Result<T> {
    let path = cell.path_of(file).display().to_string();
    sound(&path, file, text).map_err(|error| error.hint(LOOK))
}

/// Reads a record out of a text that people know by this name. `file` gives the stem, where there is one.
pub fn sound<T: Record + DeserializeOwned>(name: &str, file: &str, text: &[u8]) -> Result<T> {
    if let Some(finding) = form::first_error(T::SHAPE, file, text) {
        return Err(refusal(name, text, &finding));
    }
    let document = Document::parse(text).map_err(|fault| {
        Error::malformed(fault.message).at(excerpt(name, text, fault.offset..fault.offset + 1))
    })?;
    let reading = shape::read(&document, T::SHAPE, stem(file));
    T::deserialize(reading.value).map_err(|error| {
        Error::bug(format!(
            "{name} is as its shape says, but not as its type: {error}"
        ))
    })
}

/// A finding as an error with its place.
fn refusal(name: &str, text: &[u8], finding: &Finding) -> Error {
    let document = Document::parse(text).ok();
    let node = |pointer: &str| document.as_ref().and_then(|document| document.at(pointer));
    let range = match &finding.spot {
        Spot::Bytes(from, width) => Some(*from..from + width),
        Spot::Value(pointer) => node(pointer).map(|node| node.range()),
        Spot::Key(pointer) => node(pointer).and_then(|node| node.key_range()),
        Spot::Whole => None,
    };
    let range = range.unwrap_or(0..1);
    let error = Error::malformed(finding.message.clone()).at(excerpt(name, text, range));
    finding
        .hints
        .iter()
        .fold(error, |error, hint| error.hint(hint.clone()))
}

/// The excerpt of a range of bytes; one that goes on over several lines is underlined on its first.
pub fn excerpt(name: &str, text: &[u8], range: Range<usize>) -> Excerpt {
    let place = crate::base::document::place(text, range.start);
    let (source, start) = crate::base::document::line_text(text, range.start);
    let end = range.end.min(start + source.len()).max(range.start);
    let covered = text.get(range.start..end).unwrap_or_default();
    Excerpt {
        file: name.to_owned(),
        line: place.line,
        column: place.column,
        source: source.into_owned(),
        width: String::from_utf8_lossy(covered).chars().count().max(1),
    }
}

const LOOK: &str = "`mcell validate` shows everything that is wrong with the cell, and `mcell validate --fix` mends what is safe";
