//! Rewrites that touch only what changes.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use super::edit::{Edit, SpliceError};
use super::layout::{Layout, Room, indent_at, opens, room_of};
use super::node::index;
use super::{Document, Fault, FaultKind, Kind, MAX_DEPTH, Node, tokens};

/// Applies edits one after the other and copies everything else byte for byte.
pub fn splice(document: &Document<'_>, edits: &[Edit]) -> Result<String, SpliceError> {
    if let Some(duplicate) = document.duplicates().next() {
        let pointer = duplicate.pointer;
        return Err(SpliceError::Duplicate { pointer });
    }
    let mut text = Cow::Borrowed(document.text());
    for edit in edits {
        // Each edit sees the work of the one before, so those that meet in one new parent need no care.
        let change = match &text {
            Cow::Borrowed(_) => change(document, edit)?,
            Cow::Owned(text) => change(&Document::parse(text.as_bytes())?, edit)?,
        };
        if let Some(change) = change {
            text = Cow::Owned(change.apply(&text));
        }
    }
    Document::parse(text.as_bytes())?;
    Ok(text.into_owned())
}

/// What to put in place of which bytes.
struct Change {
    range: Range<usize>,
    text: String,
}

impl Change {
    fn apply(self, text: &str) -> String {
        let before = text.get(..self.range.start).unwrap_or_default();
        let after = text.get(self.range.end..).unwrap_or_default();
        [before, &self.text, after].concat()
    }
}

fn change(document: &Document<'_>, edit: &Edit) -> Result<Option<Change>, SpliceError> {
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
        (Some(before), Some(after)) if begins_line(after) && !begins_line(node) => {
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edited(text: &str, edits: &[Edit]) -> Result<String, SpliceError> {
        splice(&Document::parse(text.as_bytes()).unwrap(), edits)
    }

    fn set(pointer: &str, value: Value) -> Edit {
        let pointer = pointer.to_owned();
        Edit::Set { pointer, value }
    }

    fn with(text: &str, pointer: &str, value: Value) -> String {
        edited(text, &[set(pointer, value)]).unwrap()
    }

    fn without(text: &str, pointer: &str) -> String {
        let pointer = pointer.to_owned();
        edited(text, &[Edit::Remove { pointer }]).unwrap()
    }

    fn renamed(text: &str, pointer: &str, key: &str) -> Result<String, SpliceError> {
        let (pointer, key) = (pointer.to_owned(), key.to_owned());
        edited(text, &[Edit::RenameKey { pointer, key }])
    }

    const CELL: &str =
        "{\n  \"b\": 1E5,\n\n  \"a\" : \"\\u00e9\",\n  \"p\": {},\n  \"l\": [1,2]\n}";

    #[test]
    fn only_the_bytes_of_the_value_change() {
        assert_eq!(with(CELL, "/b", json!(7)), CELL.replace("1E5", "7"));
        assert_eq!(with(CELL, "/l/1", json!("x")), CELL.replace("2]", "\"x\"]"));
        assert_eq!(
            with(CELL, "/l", json!([1, 2, 3])),
            CELL.replace("[1,2]", "[1, 2, 3]")
        );
    }

    #[test]
    fn an_equal_value_touches_nothing() {
        assert_eq!(with(CELL, "/b", json!(100_000.0)), CELL);
        assert_eq!(with(CELL, "/a", json!("é")), CELL);
        assert_eq!(with(CELL, "/l", json!([1, 2])), CELL);
        assert_eq!(without(CELL, "/x/y"), CELL);
        assert_eq!(renamed(CELL, "/a", "a").unwrap(), CELL);
    }

    #[test]
    fn a_new_member_looks_like_its_neighbours() {
        let cases = [
            (
                "{\n\t\"a\": 1\n}",
                "{\n\t\"a\": 1,\n\t\"n\": {\n\t\t\"k\": [\n\t\t\t2\n\t\t]\n\t}\n}",
            ),
            (
                "{\r\n   \"a\":1\r\n}\r\n",
                "{\r\n   \"a\":1,\r\n   \"n\":{\r\n      \"k\":[\r\n         2\r\n      ]\r\n   }\r\n}\r\n",
            ),
            ("{\"a\":1}", "{\"a\":1,\"n\":{\"k\":[2]}}"),
            ("{\"a\": 1}\n", "{\"a\": 1, \"n\": {\"k\": [2]}}\n"),
            (
                "{ \"a\": 1,\"b\": 2 }",
                "{ \"a\": 1,\"b\": 2,\"n\": {\"k\": [2]} }",
            ),
            ("{}", "{\n  \"n\": {\n    \"k\": [\n      2\n    ]\n  }\n}"),
        ];
        for (text, expected) in cases {
            assert_eq!(with(text, "/n", json!({"k": [2]})), expected);
            assert_eq!(with(text, "/n/k", json!([2])), expected);
        }
    }

    #[test]
    fn an_empty_object_opens_up_where_it_stands_on_its_own_line() {
        let opened = CELL.replace("{},", "{\n    \"x\": true\n  },");
        assert_eq!(with(CELL, "/p/x", json!(true)), opened);
        assert_eq!(with("{\"p\":{}}", "/p/x", json!(1)), "{\"p\":{\"x\":1}}");
        assert_eq!(
            with("{\n  \"l\": [{ }, {}]\n}", "/l/0/x", json!(1)),
            "{\n  \"l\": [{\"x\": 1}, {}]\n}"
        );
    }

    #[test]
    fn several_edits_meet_in_one_new_parent() {
        let edits = [
            set("/policies/auto_revive", json!("ask")),
            set("/policies/deep/er", json!(null)),
            set("/policies/max_retries", json!(3)),
            Edit::Remove {
                pointer: "/a".to_owned(),
            },
        ];
        let expected = "{\n    \"policies\": {\n        \"auto_revive\": \"ask\",\n        \"deep\": {\n            \"er\": null\n        },\n        \"max_retries\": 3\n    }\n}";
        assert_eq!(
            edited("{\n    \"a\": 1\n}", &edits[..3]).unwrap(),
            expected.replacen("{", "{\n    \"a\": 1,", 1)
        );
        assert_eq!(
            with("{\"policies\": null}", "/policies/x", json!(1)),
            "{\"policies\": {\"x\": 1}}"
        );
        assert!(
            !edited("{\n    \"a\": 1\n}", &edits)
                .unwrap()
                .contains("\"a\"")
        );
    }

    #[test]
    fn an_array_takes_items_at_its_end_only() {
        assert_eq!(
            with(CELL, "/l/-", json!(3)),
            CELL.replace("[1,2]", "[1,2,3]")
        );
        assert_eq!(
            with(CELL, "/l/2", json!(3)),
            CELL.replace("[1,2]", "[1,2,3]")
        );
        let refusal = edited(CELL, &[set("/l/3", json!(3))]).unwrap_err();
        assert_eq!(refusal.to_string(), "nothing stands at `/l/3`");
    }

    #[test]
    fn a_removal_takes_one_comma_and_one_line() {
        assert_eq!(without(CELL, "/b"), CELL.replace("\"b\": 1E5,\n\n  ", ""));
        assert_eq!(without(CELL, "/p"), CELL.replace("  \"p\": {},\n", ""));
        assert_eq!(without(CELL, "/l"), CELL.replace(",\n  \"l\": [1,2]", ""));
        assert_eq!(without(CELL, "/l/0"), CELL.replace("[1,2]", "[2]"));
        assert_eq!(without("{\n  \"a\": 1\n}\n", "/a"), "{}\n");
        assert_eq!(without("{ \"a\": 1, \"b\": 2 }", "/a"), "{ \"b\": 2 }");
        assert_eq!(
            without("{\n \"a\": 1, \"b\": 2,\n \"c\": 3\n}", "/b"),
            "{\n \"a\": 1,\n \"c\": 3\n}"
        );
        assert_eq!(
            without("{ \"a\": 1\n, \"b\": 2\n, \"c\": 3 }", "/b"),
            "{ \"a\": 1\n, \"c\": 3 }"
        );
    }

    #[test]
    fn a_key_is_renamed_in_its_place() {
        assert_eq!(
            renamed(CELL, "/a", "\"é").unwrap(),
            CELL.replace("\"a\"", "\"\\\"é\"")
        );
        assert_eq!(
            renamed(CELL, "/a", "b").unwrap_err(),
            SpliceError::KeyTaken {
                pointer: "/b".to_owned()
            }
        );
        assert_eq!(
            renamed(CELL, "/x", "b").unwrap_err(),
            SpliceError::Missing {
                pointer: "/x".to_owned()
            }
        );
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_its_place() {
        let refused = |text: &str, edit: Edit| edited(text, &[edit]).unwrap_err().to_string();
        assert_eq!(
            refused("{\"a\": {\"k\": 1, \"k\": 2}}", set("/b", json!(1))),
            "`/a/k` stands there twice"
        );
        assert_eq!(
            refused(CELL, set("/b/c", json!(1))),
            "expected an object at `/b`, found a number"
        );
        assert_eq!(
            refused(CELL, set("b", json!(1))),
            "expected a JSON pointer, not `b`"
        );
        assert_eq!(
            refused(
                CELL,
                Edit::Remove {
                    pointer: String::new()
                }
            ),
            "a document cannot be removed from itself"
        );
        let deep = (0..MAX_DEPTH).fold(json!(1), |inner, _| json!([inner]));
        assert!(matches!(
            edited(CELL, &[set("/d", deep)]),
            Err(SpliceError::Unreadable(_))
        ));
        assert!(matches!(
            edited(CELL, &[set(&"/d".repeat(100_000), json!(1))]),
            Err(SpliceError::Unreadable(_))
        ));
    }
}
