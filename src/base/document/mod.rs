//! JSON text in, places out, rewrites as splices.
//!
//! One scanner serves the place of everything (findings point at a line), duplicate keys (serde_json
//! keeps the last and says nothing) and rewrites (only the changed bytes are replaced). It takes what
//! `serde_json::from_slice::<Value>` takes, with two differences: duplicate keys are recorded, and a
//! number too large for an f64 (`1e999`) is a number, since it is one by its syntax.

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod agreement;
mod change;
mod cursor;
mod edit;
mod fault;
mod finder;
mod layout;
mod node;
mod place;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod roundtrip;
mod scan;
mod splice;

use std::ops::Range;

pub use edit::{Edit, SpliceError, edits_between};
pub use fault::{Fault, FaultKind};
pub use finder::Finder;
pub use node::{Kind, Node};
pub use place::{Place, Places, line_text, place};
pub use scan::MAX_DEPTH;
pub use splice::splice;

use scan::{Repeat, Slot};

/// A JSON text with the place of everything in it.
pub struct Document<'a> {
    text: &'a str,
    /// Every value, in the order of the text; the root comes first.
    slots: Vec<Slot>,
    repeats: Vec<Repeat>,
}

/// A key that stands twice in one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The JSON pointer that both members answer to.
    pub pointer: String,
    /// The bytes of the key where it stands first, quotes included.
    pub first: Range<usize>,
    /// The bytes of the key where it stands again, quotes included.
    pub again: Range<usize>,
}

impl<'a> Document<'a> {
    /// Reads any bytes; what is no JSON text is a [`Fault`] with its offset.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        let (text, slots, repeats) = scan::scan(bytes)?;
        Ok(Self {
            text,
            slots,
            repeats,
        })
    }

    /// The whole text, as it was given.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_, 'a> {
        Node::new(self, 0)
    }

    /// The value at an RFC 6901 pointer; `""` is the root. Of duplicate keys the last counts, as in
    /// serde_json.
    pub fn at(&self, pointer: &str) -> Option<Node<'_, 'a>> {
        tokens(pointer)?.try_fold(self.root(), |node, token| node.child(&token))
    }

    /// Whether any object holds a key twice.
    pub fn has_duplicates(&self) -> bool {
        !self.repeats.is_empty()
    }

    /// Every repeated key, in the order of the text; a key that stands three times comes twice.
    ///
    /// Pointers are made only as they are asked for: in a hostile file all of them together are far
    /// larger than the file.
    pub fn duplicates(&self) -> impl ExactSizeIterator<Item = Duplicate> + '_ {
        self.repeats.iter().map(|repeat| {
            let again = Node::new(self, repeat.again);
            Duplicate {
                pointer: again.pointer(),
                first: Node::new(self, repeat.first).key_range().unwrap_or(0..0),
                again: again.key_range().unwrap_or(0..0),
            }
        })
    }

    fn nodes(&self) -> impl Iterator<Item = Node<'_, 'a>> {
        (0..)
            .zip(&self.slots)
            .map(|(index, _)| Node::new(self, index))
    }

    fn slot(&self, index: u32) -> Slot {
        self.slots.get(index as usize).copied().unwrap_or_default()
    }

    fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }
}

impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.text.len())
            .field("values", &self.slots.len())
            .field("duplicates", &self.repeats.len())
            .finish()
    }
}

/// The reference tokens of a pointer, decoded; `None` if it is neither empty nor begins with `/`.
fn tokens(pointer: &str) -> Option<impl Iterator<Item = String>> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    let decode = |token: &str| token.replace("~1", "/").replace("~0", "~");
    Some(pointer.split('/').skip(1).map(decode))
}

/// Adds one reference token to a pointer, encoded.
pub(crate) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for letter in token.chars() {
        match letter {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
