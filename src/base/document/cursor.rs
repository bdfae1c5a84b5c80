//! The words of JSON: strings, numbers, names, white space.

use super::fault::{Fault, FaultKind};

/// JSON's white space; Rust's is wider.
pub(super) fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// A place in the bytes that moves on as they are understood.
pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl Cursor<'_> {
    /// Reads a string, escapes checked, from its opening quote.
    pub(super) fn string(&mut self) -> Result<(), Fault> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break self.at += 1,
                Some(b'\\') => self.escape()?,
                Some(b'\n' | b'\r') => {
                    return Err(self.syntax("expected `\"` before the line ends"));
                }
                Some(0..0x20) => {
                    return Err(self.syntax("expected an escape, not a bare control character"));
                }
                Some(_) => self.at += 1,
                None => return Err(self.cut("a string")),
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Fault> {
        match self.ahead(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.hex(2)? {
                0xd800..0xdc00 => self.second_surrogate()?,
                0xdc00..0xe000 => return Err(self.syntax("expected a first surrogate before this")),
                _ => self.at += 6,
            },
            Some(_) => return Err(self.syntax("expected an escape such as `\\n` or `\\\\`")),
            None => return Err(self.cut("a string")),
        }
        Ok(())
    }

    fn second_surrogate(&mut self) -> Result<(), Fault> {
        match (self.ahead(6), self.ahead(7)) {
            (Some(b'\\'), Some(b'u')) if (0xdc00..0xe000).contains(&self.hex(8)?) => {
                self.at += 12;
                Ok(())
            }
            (None, _) | (Some(b'\\'), None) => Err(self.cut("a string")),
            _ => Err(self.syntax("expected a second surrogate after this")),
        }
    }

    /// The four hexadecimal digits that stand `from` bytes ahead.
    fn hex(&self, from: usize) -> Result<u32, Fault> {
        (from..from + 4).try_fold(0, |sum, step| match self.ahead(step) {
            None => Err(self.cut("a string")),
            Some(byte) => match char::from(byte).to_digit(16) {
                Some(digit) => Ok(sum * 16 + digit),
                None => Err(self.syntax("expected four hexadecimal digits after `\\u`")),
            },
        })
    }

    /// Reads a number from its first byte.
    pub(super) fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.syntax("expected no digit after a leading zero"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        match self.peek() {
            _ if self.at > start => Ok(()),
            None => Err(self.cut("a number")),
            Some(_) => Err(self.syntax("expected a digit here")),
        }
    }

    /// Reads `true`, `false` or `null`.
    pub(super) fn word(&mut self, word: &str) -> Result<(), Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        if word.as_bytes().starts_with(rest) {
            return Err(self.cut(&format!("`{word}`")));
        }
        Err(self.syntax(format!("expected `{word}` here")))
    }

    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The byte that comes next.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn ahead(&self, steps: usize) -> Option<u8> {
        self.bytes.get(self.at + steps).copied()
    }

    /// The text ends too early.
    pub(super) fn cut(&self, what: &str) -> Fault {
        let message = format!("the file ends in the middle of {what}");
        Fault::new(FaultKind::Truncated, self.bytes.len(), message)
    }

    /// Something else stands here than what had to.
    pub(super) fn syntax(&self, message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Syntax, self.at, message)
    }
}
