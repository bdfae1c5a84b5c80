//! Reads one mission file strictly: what commands act on must be sound.

use crate::base::document::{Document, Place, place};
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

/// How many bytes of a line an excerpt keeps on each side of its place: a file may be one line of megabytes.
const AROUND: usize = 256;

/// The excerpt of a range of bytes; one that goes on over several lines is underlined on its first.
pub fn excerpt(name: &str, text: &[u8], range: Range<usize>) -> Excerpt {
    let place = place(text, range.start);
    excerpt_at(name, text, range, place)
}

/// The same, where the place of its first byte is known.
pub fn excerpt_at(name: &str, text: &[u8], range: Range<usize>, place: Place) -> Excerpt {
    let at = range.start.min(text.len());
    let near = at.saturating_sub(AROUND);
    let before = text.get(near..at).unwrap_or_default();
    let start = match memchr::memrchr2(b'\n', b'\r', before) {
        Some(end) => near + end + 1,
        None => char_start(text, near, at),
    };
    let after = text
        .get(at..(at + AROUND).min(text.len()))
        .unwrap_or_default();
    let end = at + memchr::memchr2(b'\n', b'\r', after).unwrap_or(after.len());
    let decode = |range: Range<usize>| String::from_utf8_lossy(text.get(range).unwrap_or_default());
    let shown_before = decode(start..at)
        .trim_start_matches('\u{feff}')
        .chars()
        .count();
    let covered = decode(at..range.end.clamp(at, end)).chars().count();
    Excerpt {
        file: name.to_owned(),
        line: place.line,
        column: place.column,
        source: decode(start..end).trim_start_matches('\u{feff}').to_owned(),
        skipped: (place.column - 1).saturating_sub(shown_before),
        width: covered.max(1),
    }
}

/// The first place from `from` on where a character begins.
fn char_start(text: &[u8], from: usize, most: usize) -> usize {
    (from..most)
        .find(|at| text.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80))
        .unwrap_or(most)
}

const LOOK: &str = "`mcell validate` shows everything that is wrong with the cell, and `mcell validate --fix` mends what is safe";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_of_megabytes_only_the_part_around_the_place_is_kept() {
        let text = format!(
            "first\n{}\"culprit\"{}\nlast",
            "ä".repeat(1 << 20),
            "x".repeat(1 << 20)
        );
        let at = text.find("\"culprit").unwrap();
        let excerpt = excerpt("f", text.as_bytes(), at..at + 9);
        assert_eq!(
            (excerpt.line, excerpt.column, excerpt.width),
            (2, (1 << 20) + 1, 9)
        );
        assert!(excerpt.source.len() <= 2 * AROUND);
        let before: String = excerpt
            .source
            .chars()
            .skip(excerpt.column - 1 - excerpt.skipped)
            .take(9)
            .collect();
        assert_eq!(before, "\"culprit\"");
    }

    #[test]
    fn a_lone_carriage_return_ends_a_line() {
        let excerpt = excerpt("f", b"{\r\"a\": x}", 7..8);
        let Excerpt {
            line,
            column,
            source,
            skipped,
            ..
        } = excerpt;
        assert_eq!((line, column, &*source, skipped), (2, 6, "\"a\": x}", 0));
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        let excerpt = excerpt("f", b"\xef\xbb\xbf{}", 3..5);
        assert_eq!(
            (excerpt.source.as_str(), excerpt.column, excerpt.skipped),
            ("{}", 1, 0)
        );
    }

    #[test]
    fn a_place_at_the_end_of_the_text_is_no_panic() {
        for text in ["", "{", "{\n"] {
            excerpt("f", text.as_bytes(), text.len()..text.len() + 1);
        }
    }
}
