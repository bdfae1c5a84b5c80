//! One pass over the bytes: every value with its place, every key that repeats, or the first fault.

use std::borrow::Cow;
use std::ops::Range;

use super::cursor::Cursor;
use super::fault::{Fault, FaultKind};
use super::node::Kind;

/// A text with this many arrays and objects inside one another is refused, as serde_json does.
pub const MAX_DEPTH: usize = 128;

/// One value. Offsets are 32 bits wide: half the memory, and mission files are far smaller.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// Empty for values without a key: a key has two quotes at least.
    key: (u32, u32),
    pub(super) parent: u32,
    /// The first slot that is not inside this one.
    pub(super) after: u32,
}

impl Slot {
    pub(super) fn key(self) -> Option<Range<usize>> {
        let (start, end) = self.key;
        (start < end).then_some(start as usize..end as usize)
    }
}

/// Two slots of one object with the same key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeat {
    pub(super) first: u32,
    pub(super) again: u32,
}

const NO_KEY: (u32, u32) = (0, 0);

pub(super) fn scan(bytes: &[u8]) -> Result<(&str, Vec<Slot>, Vec<Repeat>), Fault> {
    let text = as_text(bytes)?;
    let mut scanner = Scanner {
        text,
        cursor: Cursor { bytes, at: 0 },
        slots: Vec::with_capacity(bytes.len() / 16),
        open: Vec::new(),
        keys: Vec::new(),
        repeats: Vec::new(),
    };
    scanner.document()?;
    let Scanner {
        slots, mut repeats, ..
    } = scanner;
    repeats.sort_unstable_by_key(|repeat| slots.get(repeat.again as usize).map(|slot| slot.key));
    Ok((text, slots, repeats))
}

fn as_text(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        let message = "a byte-order mark comes first, expected JSON";
        return Err(Fault::new(FaultKind::ByteOrderMark, 0, message));
    }
    if u32::try_from(bytes.len()).is_err() {
        return Err(Fault::new(
            FaultKind::TooLong,
            0,
            "expected less than 4 GiB",
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let message = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "expected UTF-8, this looks like UTF-16",
            _ => "expected UTF-8 here",
        };
        Fault::new(FaultKind::NotUtf8, error.valid_up_to(), message)
    })
}

struct Scanner<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    slots: Vec<Slot>,
    /// The arrays and objects that are not closed yet: the stack, so that depth costs no recursion.
    open: Vec<u32>,
    /// The keys of the object being closed; kept for its memory.
    keys: Vec<(Cow<'a, str>, u32)>,
    repeats: Vec<Repeat>,
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<(), Fault> {
        self.cursor.skip_space();
        if self.cursor.peek().is_none() {
            return Err(Fault::new(FaultKind::Empty, 0, "the file is empty"));
        }
        let mut key = NO_KEY;
        loop {
            self.cursor.skip_space();
            let opened = self.value(key)?;
            self.cursor.skip_space();
            if opened && self.cursor.peek() != Some(self.closing()) {
                key = self.key()?;
                continue;
            }
            // A value has ended, or the one just opened is empty: close what closes here.
            loop {
                if self.open.is_empty() {
                    return self.end();
                }
                self.cursor.skip_space();
                match self.cursor.peek() {
                    Some(b',') => break self.cursor.at += 1,
                    Some(byte) if byte == self.closing() => self.close(),
                    _ if self.closing() == b'}' => return Err(self.expected("`,` or `}`")),
                    _ => return Err(self.expected("`,` or `]`")),
                }
            }
            self.cursor.skip_space();
            key = self.key()?;
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.cursor.skip_space();
        match self.cursor.peek() {
            None => Ok(()),
            Some(_) => {
                let message = "expected the end of the file here";
                Err(Fault::new(FaultKind::Trailing, self.cursor.at, message))
            }
        }
    }

    /// Reads a scalar or opens an array or object; tells whether it opened one.
    fn value(&mut self, key: (u32, u32)) -> Result<bool, Fault> {
        let start = self.cursor.at;
        let kind = match self.cursor.peek() {
            Some(b'{') => return self.open(Kind::Object, key),
            Some(b'[') => return self.open(Kind::Array, key),
            Some(b'"') => self.cursor.string().map(|()| Kind::String),
            Some(b'-' | b'0'..=b'9') => self.cursor.number().map(|()| Kind::Number),
            Some(b't') => self.cursor.word("true").map(|()| Kind::Bool(true)),
            Some(b'f') => self.cursor.word("false").map(|()| Kind::Bool(false)),
            Some(b'n') => self.cursor.word("null").map(|()| Kind::Null),
            _ => Err(self.expected("a value")),
        }?;
        self.push(kind, start, key);
        Ok(false)
    }

    fn open(&mut self, kind: Kind, key: (u32, u32)) -> Result<bool, Fault> {
        if self.open.len().saturating_add(1) >= MAX_DEPTH {
            let message = format!("expected less than {MAX_DEPTH} levels of nesting");
            return Err(Fault::new(FaultKind::TooDeep, self.cursor.at, message));
        }
        let index = offset(self.slots.len());
        let start = self.cursor.at;
        self.cursor.at += 1;
        self.push(kind, start, key);
        self.open.push(index);
        Ok(true)
    }

    fn push(&mut self, kind: Kind, start: usize, key: (u32, u32)) {
        self.slots.push(Slot {
            kind,
            start: offset(start),
            end: offset(self.cursor.at),
            key,
            parent: self.open.last().copied().unwrap_or_default(),
            after: offset(self.slots.len().saturating_add(1)),
        });
    }

    fn close(&mut self) {
        self.cursor.at += 1;
        let (end, after) = (offset(self.cursor.at), offset(self.slots.len()));
        let Some(index) = self.open.pop() else { return };
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return;
        };
        (slot.end, slot.after) = (end, after);
        if slot.kind == Kind::Object {
            self.note_repeats(index, after);
        }
    }

    fn note_repeats(&mut self, object: u32, after: u32) {
        let mut next = object.saturating_add(1);
        while next < after {
            let Some(slot) = self.slots.get(next as usize) else {
                break;
            };
            let quoted = slot.key().and_then(|range| self.text.get(range));
            self.keys
                .push((super::node::unquote(quoted.unwrap_or_default()), next));
            next = slot.after.max(next.saturating_add(1));
        }
        self.keys.sort_unstable();
        for same in self.keys.chunk_by(|one, two| one.0 == two.0) {
            if let [(_, first), rest @ ..] = same {
                let first = *first;
                self.repeats
                    .extend(rest.iter().map(|&(_, again)| Repeat { first, again }));
            }
        }
        self.keys.clear();
    }

    /// The byte that closes the innermost open array or object.
    fn closing(&self) -> u8 {
        let top = self.open.last();
        match top.and_then(|&index| self.slots.get(index as usize)) {
            Some(slot) if slot.kind == Kind::Object => b'}',
            _ => b']',
        }
    }

    /// In an object, reads a key and its colon.
    fn key(&mut self) -> Result<(u32, u32), Fault> {
        if self.closing() == b']' {
            return Ok(NO_KEY);
        }
        if self.cursor.peek() != Some(b'"') {
            return Err(self.expected("a key in double quotes"));
        }
        let start = self.cursor.at;
        self.cursor.string()?;
        let key = (offset(start), offset(self.cursor.at));
        self.cursor.skip_space();
        if self.cursor.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.cursor.at += 1;
        Ok(key)
    }

    /// Something else came than what had to; common slips get their own words.
    fn expected(&self, what: &str) -> Fault {
        match self.cursor.peek() {
            None if self.closing() == b'}' => self.cursor.cut("an object"),
            None => self.cursor.cut("an array"),
            Some(b'/' | b'#') => self
                .cursor
                .syntax(format!("expected {what} here, JSON has no comments")),
            Some(b'\'') => self
                .cursor
                .syntax(format!("expected {what} here, not a single quote")),
            Some(end @ (b'}' | b']')) => self
                .cursor
                .syntax(format!("expected {what} here, not `{}`", char::from(end))),
            Some(0) => self
                .cursor
                .syntax(format!("expected {what} here, not a zero byte")),
            Some(_) => self.cursor.syntax(format!("expected {what} here")),
        }
    }
}

/// Fits by the check on the text's length; there are never more values than bytes.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
