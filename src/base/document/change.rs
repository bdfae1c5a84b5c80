//! From one edit to the bytes it replaces.

use std::ops::Range;

use serde_json::{Map, Value};

use super::edit::{Edit, SpliceError};
use super::layout::{Layout, Room, indent_at, opens, room_of};
use super::node::index;
use super::{Document, Fault, FaultKind, Kind, MAX_DEPTH, Node, tokens};

/// What to put in place of which bytes.
pub(super) struct Change {
    range: Range<usize>,
    text: String,
}

impl Change {
    /// The text with this change made.
    pub(super) fn apply(self, text: &str) -> String {
        let before = text.get(..self.range.start).unwrap_or_default();
        let after = text.get(self.range.end..).unwrap_or_default();
        [before, &self.text, after].concat()
    }
}

/// What one edit comes to in this document; nothing if it is so already.
pub(super) fn change(document: &Document<'_>, edit: &Edit) -> Result<Option<Change>, SpliceError> {
    match edit {
        Edit::Set { pointer, value } => set(document, pointer, value),
        Edit::Remove { pointer } => {
            path(pointer)?;
            document.at(pointer).map(remove).transpose()
        }
        Edit::RenameKey { pointer, key } => rename(document, pointer, key),
    }
}

fn path(pointer: &str) -> Result<Vec<String>, SpliceError> {
    let pointer_is_bad = || SpliceError::Pointer {
        pointer: pointer.to_owned(),
    };
    Ok(tokens(pointer).ok_or_else(pointer_is_bad)?.collect())
}

fn set(
    document: &Document<'_>,
    pointer: &str,
    value: &Value,
) -> Result<Option<Change>, SpliceError> {
    let path = path(pointer)?;
    let mut path = path.iter().map(String::as_str);
    let mut node = document.root();
    while let Some(token) = path.next() {
        match node.child(token) {
            Some(child) => node = child,
            None => return add(document, node, token, path, (pointer, value)),
        }
    }
    Ok(replace(document, node, value))
}

fn replace<'a>(document: &Document<'a>, node: Node<'_, 'a>, value: &Value) -> Option<Change> {
    if node.value().as_ref() == Some(value) {
        return None;
    }
    let held_something = !node.is_empty();
    let lines = Room::Lines(indent_at(document, node.range().start));
    let room = match room_of(document, node) {
        _ if held_something && opens(document, node) => lines,
        // What its author kept on one line stays there while it is simple.
        _ if held_something && is_flat(value) => Room::OneLine,
        Room::Lines(_) if node.parent().is_none() && held_something => Room::OneLine,
        room => room,
    };
    Some(Change {
        range: node.range(),
        text: Layout::of(document, node).value(value, room),
    })
}

/// Adds what is missing below `node`: the first missing token, and in it the rest of the path.
fn add<'a, 'p>(
    document: &Document<'a>,
    node: Node<'_, 'a>,
    token: &'p str,
    rest: impl DoubleEndedIterator<Item = &'p str> + ExactSizeIterator,
    (pointer, value): (&str, &Value),
) -> Result<Option<Change>, SpliceError> {
    if rest.len() >= MAX_DEPTH {
        let message = "expected a shorter pointer".to_owned();
        let (kind, offset) = (FaultKind::TooDeep, node.range().start);
        return Err(Fault {
            kind,
            offset,
            message,
        }
        .into());
    }
    let wrap = |inner: Value, key: &str| Value::Object(Map::from_iter([(key.to_owned(), inner)]));
    let value = rest.rev().fold(value.clone(), wrap);
    match node.kind() {
        Kind::Object => Ok(Some(insert(document, node, Some(token), &value))),
        Kind::Array if token == "-" || index(token) == Some(node.len()) => {
            Ok(Some(insert(document, node, None, &value)))
        }
        Kind::Null => Ok(replace(document, node, &wrap(value, token))),
        Kind::Array => Err(SpliceError::Missing {
            pointer: pointer.to_owned(),
        }),
        kind => Err(SpliceError::NotAnObject {
            pointer: node.pointer(),
            kind,
        }),
    }
}

fn insert<'a>(
    document: &Document<'a>,
    node: Node<'_, 'a>,
    key: Option<&str>,
    value: &Value,
) -> Change {
    let layout = Layout::of(document, node);
    if let Some(last) = node.children().last() {
        let room = room_of(document, last);
        let lead = match room {
            // The way the last one follows the one before it says more than any habit.
            Room::OneLine if node.len() > 1 => last.lead().to_owned(),
            room => layout.lead(room),
        };
        let end = last.range().end;
        let text = [",", &lead, &layout.member(key, value, room)].concat();
        return Change {
            range: end..end,
            text,
        };
    }
    let inside = node.range().start + 1..node.range().end - 1;
    if !opens(document, node) {
        let text = layout.member(key, value, Room::OneLine);
        return Change {
            range: inside,
            text,
        };
    }
    let outer = indent_at(document, node.range().start);
    let inner = layout.deeper(outer);
    let room = Room::Lines(&inner);
    let member = layout.member(key, value, room);
    let text = [layout.lead(room), member, layout.lead(Room::Lines(outer))].concat();
    Change {
        range: inside,
        text,
    }
}

/// Takes one comma along, and the line if the member has one to itself.
fn remove(node: Node<'_, '_>) -> Result<Change, SpliceError> {
    let parent = node.parent().ok_or(SpliceError::Root)?;
    let own = node.member_range();
    let before = parent
        .children()
        .take_while(|child| child.range().end <= own.start)
        .last();
    let after = parent
        .children()
        .find(|child| child.range().start >= own.end);
    let range = match (before, after) {
        (None, None) => parent.range().start + 1..parent.range().end - 1,
        (Some(before), None) => before.range().end..own.end,
        // The next one begins a line, this one does not: what is before the next one stays.
        (Some(_), Some(after)) if begins_line(after) && !begins_line(node) => {
            let commas = own.start - node.lead().len();
            commas..after.member_range().start - after.lead().len()
        }
        (_, Some(after)) => own.start..after.member_range().start,
    };
    Ok(Change {
        range,
        text: String::new(),
    })
}

fn begins_line(node: Node<'_, '_>) -> bool {
    node.lead().contains(['\n', '\r'])
}

fn rename(
    document: &Document<'_>,
    pointer: &str,
    key: &str,
) -> Result<Option<Change>, SpliceError> {
    path(pointer)?;
    let missing = || SpliceError::Missing {
        pointer: pointer.to_owned(),
    };
    let node = document.at(pointer).ok_or_else(missing)?;
    let range = node.key_range().ok_or_else(missing)?;
    if node.key().as_deref() == Some(key) {
        return Ok(None);
    }
    match node.parent().and_then(|parent| parent.get(key)) {
        Some(other) => Err(SpliceError::KeyTaken {
            pointer: other.pointer(),
        }),
        None => Ok(Some(Change {
            range,
            text: Value::from(key).to_string(),
        })),
    }
}

/// Whether a value holds neither arrays nor objects that hold something.
fn is_flat(value: &Value) -> bool {
    let holds = |value: &Value| match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(items) => !items.iter().any(holds),
        Value::Object(members) => !members.values().any(holds),
        _ => true,
    }
}
