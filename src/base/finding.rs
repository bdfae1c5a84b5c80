//! What validate finds: a rule broken at a place, in words, with the way out.

use serde::Serialize;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The cell breaks the specification or cannot work; `validate` exits 1.
    Error,
    /// Something is probably not what was meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word shown.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// Which part of a file a finding points at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot {
    /// The file (or folder) as a whole.
    Whole,
    /// The value at a JSON pointer.
    Value(String),
    /// The key of the member at a JSON pointer.
    Key(String),
    /// The bytes from an offset on (a syntax fault has no pointer), and how many.
    Bytes(usize, usize),
}

/// A mend that is safe: it changes a form, never a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mend {
    /// Set the value at a pointer.
    Set(String, serde_json::Value),
    /// Remove the member at a pointer.
    Remove(String),
    /// Give the member at a pointer another name.
    Rename(String, String),
    /// Make the missing folder.
    MakeFolder,
    /// Take the byte-order mark away.
    DropByteOrderMark,
}

/// A rule broken at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's code, `MC012`.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// The file or folder, relative to the cell; empty for the cell itself.
    pub file: String,
    /// Where in the file.
    pub spot: Spot,
    /// One lower-case sentence without a full stop.
    pub message: String,
    /// Ways out.
    pub hints: Vec<String>,
    /// What `--fix` may do.
    pub mend: Option<Mend>,
}

impl Finding {
    /// A finding of a rule in a file as a whole.
    pub fn new(
        code: &'static str,
        severity: Severity,
        file: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Finding {
            code,
            severity,
            file: file.into(),
            spot: Spot::Whole,
            message: message.into(),
            hints: Vec::new(),
            mend: None,
        }
    }

    /// Points at the value at a JSON pointer.
    #[must_use]
    pub fn value(mut self, pointer: impl Into<String>) -> Self {
        self.spot = Spot::Value(pointer.into());
        self
    }

    /// Points at the key of the member at a JSON pointer.
    #[must_use]
    pub fn key(mut self, pointer: impl Into<String>) -> Self {
        self.spot = Spot::Key(pointer.into());
        self
    }

    /// Points at bytes.
    #[must_use]
    pub fn bytes(mut self, from: usize, width: usize) -> Self {
        self.spot = Spot::Bytes(from, width);
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what `--fix` may do.
    #[must_use]
    pub fn mend(mut self, mend: Mend) -> Self {
        self.mend = Some(mend);
        self
    }
}
