//! One value of a document and what can be asked of it.

use std::borrow::Cow;
use std::ops::Range;

use super::cursor::is_space;
use super::scan::Slot;
use super::{Document, push_token};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number, however large.
    Number,
    /// A string.
    String,
    /// `[…]`
    Array,
    /// `{…}`
    Object,
}

impl Kind {
    /// The kind in a word with its article, for messages: "an object".
    pub fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// One value of a [`Document`], with its key if it is a member of an object.
#[derive(Clone, Copy)]
pub struct Node<'d, 'a> {
    document: &'d Document<'a>,
    index: u32,
}

impl<'d, 'a> Node<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>, index: u32) -> Self {
        Self { document, index }
    }

    pub(super) fn index(self) -> u32 {
        self.index
    }

    fn slot(self) -> Slot {
        self.document.slot(self.index)
    }

    /// What the value is.
    pub fn kind(self) -> Kind {
        self.slot().kind
    }

    /// The text of the value exactly as it stands in the file.
    pub fn raw(self) -> &'a str {
        self.document.slice(self.range())
    }

    /// The bytes of the value.
    pub fn range(self) -> Range<usize> {
        let slot = self.slot();
        slot.start as usize..slot.end as usize
    }

    /// The bytes of the key with its quotes; `None` for the root and in arrays.
    pub fn key_range(self) -> Option<Range<usize>> {
        self.slot().key()
    }

    /// The key, decoded; `None` for the root and in arrays.
    pub fn key(self) -> Option<Cow<'a, str>> {
        Some(unquote(self.document.slice(self.key_range()?)))
    }

    /// The string's value, borrowed if it holds no escapes.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| unquote(self.raw()))
    }

    /// `true` or `false`.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if it is written as an integer and fits.
    pub fn as_i64(self) -> Option<i64> {
        self.raw().parse().ok()
    }

    /// The number, if it is written as an integer without a sign and fits.
    pub fn as_u64(self) -> Option<u64> {
        self.raw().parse().ok()
    }

    /// The number as the nearest finite f64; `1e999` is `None`.
    pub fn as_f64(self) -> Option<f64> {
        let number: f64 = match self.kind() {
            Kind::Number => self.raw().parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// The value as serde_json reads it; `None` only if it holds a number too large for an f64.
    pub fn value(self) -> Option<serde_json::Value> {
        serde_json::from_str(self.raw()).ok()
    }

    /// The members of an object in the order of the text, duplicates included; none for other kinds.
    pub fn entries(self) -> impl Iterator<Item = (Cow<'a, str>, Self)> {
        self.children()
            .filter_map(|child| Some((child.key()?, child)))
    }

    /// The items of an array in order; none for other kinds.
    pub fn items(self) -> impl Iterator<Item = Self> {
        self.children().filter(|child| child.key_range().is_none())
    }

    /// The member of an object with this key; of duplicates the last.
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries()
            .filter(|(name, _)| name == key)
            .last()
            .map(|(_, child)| child)
    }

    /// How many members or items there are; 0 for what holds none.
    pub fn len(self) -> usize {
        self.children().count()
    }

    /// Whether there are no members or items.
    pub fn is_empty(self) -> bool {
        self.children().next().is_none()
    }

    /// The RFC 6901 pointer of this value; `""` for the root.
    pub fn pointer(self) -> String {
        let above = std::iter::successors(Some(self), |node| node.parent());
        let mut path: Vec<_> = above.collect();
        path.pop();
        let mut pointer = String::new();
        for node in path.iter().rev() {
            match node.key() {
                Some(key) => push_token(&mut pointer, &key),
                None => push_token(&mut pointer, &node.position().to_string()),
            }
        }
        pointer
    }

    /// The object or array that holds this value.
    pub fn parent(self) -> Option<Self> {
        (self.index > 0).then(|| Self::new(self.document, self.slot().parent))
    }

    /// The child one reference token below.
    pub(super) fn child(self, token: &str) -> Option<Self> {
        match self.kind() {
            Kind::Object => self.get(token),
            Kind::Array => self.items().nth(index(token)?),
            _ => None,
        }
    }

    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        let end = self.slot().after;
        let mut next = self.index.saturating_add(1);
        std::iter::from_fn(move || {
            let child = (next < end).then(|| Self::new(self.document, next))?;
            next = child.slot().after.max(next.saturating_add(1));
            Some(child)
        })
    }

    /// The bytes of the member or item: key, colon and value.
    pub(super) fn member_range(self) -> Range<usize> {
        let value = self.range();
        self.key_range().map_or(value.start, |key| key.start)..value.end
    }

    /// The white space before the member or item.
    pub(super) fn lead(self) -> &'a str {
        let before = self.document.slice(0..self.member_range().start);
        let rest = before.trim_end_matches(is_space);
        self.document.slice(rest.len()..before.len())
    }

    fn position(self) -> usize {
        let siblings = self.parent().into_iter().flat_map(Self::children);
        siblings
            .take_while(|child| child.index != self.index)
            .count()
    }
}

impl std::fmt::Debug for Node<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {:?}", self.kind(), self.range())
    }
}

/// The index an array token means; RFC 6901 allows neither signs nor leading zeros.
pub(super) fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    let plain = token == "0" || !token.starts_with('0');
    (digits && plain).then(|| token.parse().ok())?
}

pub(super) fn unquote(quoted: &str) -> Cow<'_, str> {
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    // The scanner has taken every escape, so this cannot fail; if it did, the source is shown as it is.
    serde_json::from_str(quoted).map_or(Cow::Borrowed(inner), Cow::Owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const CELL: &str = "{\n  \"nom\": \"Zoë 🐝\",\n  \"ü\": [1, {\"a/b\": {\"m~n\": -7}}],\n  \"e\\u0301\": 1E5,\n  \"big\": 18446744073709551616\n}";

    #[test]
    fn spans_are_right_in_nested_and_non_ascii_text() {
        let cell = Document::parse(CELL.as_bytes()).unwrap();
        let name = cell.at("/nom").unwrap();
        assert_eq!(name.raw(), "\"Zoë 🐝\"");
        assert_eq!(&CELL[name.range()], name.raw());
        assert_eq!(&CELL[name.key_range().unwrap()], "\"nom\"");
        let deep = cell.at("/ü/1/a~1b/m~0n").unwrap();
        assert_eq!((deep.as_i64(), deep.as_u64()), (Some(-7), None));
        assert_eq!(&CELL[deep.range()], "-7");
        assert_eq!(&CELL[deep.key_range().unwrap()], "\"m~n\"");
        assert_eq!(deep.pointer(), "/ü/1/a~1b/m~0n");
        assert_eq!(cell.root().range(), 0..CELL.len());
    }

    #[test]
    fn values_are_read_without_being_rounded() {
        let cell = Document::parse(CELL.as_bytes()).unwrap();
        let big = cell.at("/big").unwrap();
        assert_eq!((big.as_u64(), big.raw()), (None, "18446744073709551616"));
        assert_eq!(cell.at("/e\u{301}").unwrap().as_f64(), Some(1e5));
        assert!(matches!(
            cell.at("/nom").unwrap().as_str(),
            Some(Cow::Borrowed(_))
        ));
        let huge = Document::parse(b"1e999").unwrap();
        assert_eq!(huge.root().kind(), Kind::Number);
        assert_eq!((huge.root().as_f64(), huge.root().value()), (None, None));
    }

    #[test]
    fn every_node_is_found_again_by_its_pointer() {
        let cell = Document::parse(CELL.as_bytes()).unwrap();
        let mut open = vec![cell.root()];
        while let Some(node) = open.pop() {
            assert_eq!(cell.at(&node.pointer()).unwrap().range(), node.range());
            open.extend(node.children());
        }
        for odd in ["nom", "/ü/01", "/ü/+1", "/ü/2", "/ü/-", "/nom/0", "/"] {
            assert!(cell.at(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn of_duplicates_the_last_counts_and_both_places_are_known() {
        let text = r#"{"a": {"k": 1, "x": [{"k": 0}], "\u006b": 2}, "a": 3, "a": {"k": 4}}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(document.at("/a/k").unwrap().as_i64(), Some(4));
        let found: Vec<_> = document
            .duplicates()
            .map(|d| (d.pointer, d.first.start, &text[d.again]))
            .collect();
        let expected = [
            ("/a/k".to_owned(), 7, "\"\\u006b\""),
            ("/a".to_owned(), 1, "\"a\""),
            ("/a".to_owned(), 1, "\"a\""),
        ];
        assert_eq!(found, expected);
    }
}
