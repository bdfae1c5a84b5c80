//! Byte offsets as people count: lines and columns from one.

use std::borrow::Cow;

/// A place in a text as an editor shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// From one. `\n`, `\r\n` and a lone `\r` end a line.
    pub line: usize,
    /// From one, in characters (Unicode scalar values); a byte-order mark does not count.
    pub column: usize,
}

/// The place of a byte. An offset inside a character means that character, one behind the end the end;
/// what is no UTF-8 counts as the replacement characters it would be shown as.
pub fn place(text: &[u8], offset: usize) -> Place {
    Places::new(text).at(offset)
}

/// The places of many bytes of one text, asked for in ascending order: the text is walked over once.
#[derive(Debug)]
pub struct Places<'t> {
    text: &'t [u8],
    /// The line that was asked for last: its number, where it starts and where it ends.
    line: usize,
    start: usize,
    end: usize,
    /// A character in it, and its column.
    at: usize,
    column: usize,
}

impl<'t> Places<'t> {
    /// Begins at the beginning.
    pub fn new(text: &'t [u8]) -> Self {
        let (start, end) = line_bounds(text, 0);
        Places {
            text,
            line: 1,
            start,
            end,
            at: start,
            column: 1,
        }
    }

    /// The place of a byte, as [`place`] gives it. One that lies before the last costs a new walk.
    pub fn at(&mut self, offset: usize) -> Place {
        if offset < self.at {
            *self = Places::new(self.text);
        }
        if offset > self.end {
            let (start, end) = line_bounds(self.text, offset);
            let between = self.text.get(self.start..start).unwrap_or_default();
            let lines = breaks(between).count();
            if lines > 0 {
                self.line += lines;
                (self.start, self.end, self.at, self.column) = (start, end, start, 1);
            }
        }
        let rest = self.text.get(self.at..self.end).unwrap_or_default();
        for chunk in rest.utf8_chunks() {
            let invalid = Some(chunk.invalid().len()).filter(|&length| length > 0);
            for length in chunk.valid().chars().map(char::len_utf8).chain(invalid) {
                if self.at + length > offset {
                    return self.here();
                }
                self.at += length;
                self.column += 1;
            }
        }
        self.here()
    }

    fn here(&self) -> Place {
        Place {
            line: self.line,
            column: self.column,
        }
    }
}

/// The whole line a byte stands in, without its end and without a byte-order mark, and the offset of
/// its first byte.
pub fn line_text(text: &[u8], offset: usize) -> (Cow<'_, str>, usize) {
    let (start, end) = line_bounds(text, offset);
    let line = text.get(start..end).unwrap_or_default();
    (String::from_utf8_lossy(line), start)
}

fn line_bounds(text: &[u8], offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    if offset > 0 && text.get(offset - 1..=offset) == Some(b"\r\n") {
        // Between the two bytes of one line end.
        offset -= 1;
    }
    let before = text.get(..offset).unwrap_or_default();
    let mark = if text.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let start = memchr::memrchr2(b'\n', b'\r', before).map_or(mark, |at| at + 1);
    let after = text.get(offset.max(start)..).unwrap_or_default();
    let length = memchr::memchr2(b'\n', b'\r', after).unwrap_or(after.len());
    (start, offset.max(start) + length)
}

/// Where line ends end: once for `\r\n`.
fn breaks(text: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr2_iter(b'\n', b'\r', text).filter(|&at| text.get(at..=at + 1) != Some(b"\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &[u8], offset: usize) -> (usize, usize) {
        let Place { line, column } = place(text, offset);
        (line, column)
    }

    #[test]
    fn columns_count_characters() {
        let text = "{\n  \"é🐝\": 1}".as_bytes();
        assert_eq!(at(text, 0), (1, 1));
        assert_eq!(at(text, 1), (1, 2));
        assert_eq!(at(text, 2), (2, 1));
        assert_eq!(at(text, 5), (2, 4));
        assert_eq!(at(text, 6), (2, 4), "inside é");
        assert_eq!(at(text, 7), (2, 5));
        assert_eq!(at(text, 11), (2, 6));
        assert_eq!(at(text, 999), (2, 11));
        assert_eq!(line_text(text, 9), ("  \"é🐝\": 1}".into(), 2));
    }

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let text = b"a\r\nb\rc\n\nd";
        let lines: Vec<_> = (0..=text.len()).map(|offset| at(text, offset)).collect();
        let expected = [
            (1, 1),
            (1, 2),
            (1, 2),
            (2, 1),
            (2, 2),
            (3, 1),
            (3, 2),
            (4, 1),
            (5, 1),
            (5, 2),
        ];
        assert_eq!(lines, expected);
        assert_eq!(line_text(text, 2), ("a".into(), 0));
        assert_eq!(line_text(text, 7), ("".into(), 7));
    }

    #[test]
    fn many_places_are_those_of_each() {
        let text = "\u{feff}a\r\né🐝\rb\n\n\u{fffd}c".as_bytes();
        let text = [text, b"\xff\xe2\x82\r\n\xf0\x9f".as_slice(), text].concat();
        for step in 1..4 {
            let mut places = Places::new(&text);
            for offset in (0..=text.len() + 2).step_by(step) {
                assert_eq!(places.at(offset), place(&text, offset), "{offset}");
            }
            assert_eq!(places.at(1), place(&text, 1));
        }
    }

    #[test]
    fn a_byte_order_mark_and_broken_bytes_have_places() {
        let text = b"\xef\xbb\xbf{\xff\xfe}";
        assert_eq!(at(text, 0), (1, 1));
        assert_eq!(at(text, 3), (1, 1));
        assert_eq!(at(text, 5), (1, 3));
        assert_eq!(at(text, 6), (1, 4));
        assert_eq!(line_text(text, 0), ("{\u{fffd}\u{fffd}}".into(), 3));
        assert_eq!(at(b"", 3), (1, 1));
    }
}
