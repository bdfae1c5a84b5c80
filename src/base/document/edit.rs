//! What can be changed in a document, and why it may be refused.

use serde_json::{Map, Value};

use super::{Fault, Kind, push_token};

/// One change to a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Gives a value its place: replaces what is there, or adds it as the last member. Parents that are
    /// missing, or null, become objects; in an array the index `-` or its length adds an item. A value
    /// equal to what serde_json reads there touches nothing.
    Set {
        /// Where.
        pointer: String,
        /// What is to stand there.
        value: Value,
    },
    /// Takes a member or item away; one that is not there touches nothing.
    Remove {
        /// Which.
        pointer: String,
    },
    /// Gives a member another key in the same place.
    RenameKey {
        /// Which member.
        pointer: String,
        /// Its key from now on.
        key: String,
    },
}

/// Why edits cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// A key stands twice: whichever is changed, some reader would see the other.
    #[error("`{pointer}` stands there twice")]
    Duplicate {
        /// Where both are.
        pointer: String,
    },
    /// A pointer is neither empty nor begins with `/`.
    #[error("expected a JSON pointer, not `{pointer}`")]
    Pointer {
        /// What was given.
        pointer: String,
    },
    /// Something is to be put inside a scalar.
    #[error("expected an object at `{pointer}`, found {}", .kind.words())]
    NotAnObject {
        /// Where the scalar stands.
        pointer: String,
        /// What it is.
        kind: Kind,
    },
    /// An item is to be set behind the end of its array, or a member is to be renamed that is not there.
    #[error("nothing stands at `{pointer}`")]
    Missing {
        /// What was given.
        pointer: String,
    },
    /// A member is to get a key that another one has.
    #[error("`{pointer}` is already there")]
    KeyTaken {
        /// Where the other one stands.
        pointer: String,
    },
    /// The whole document is to be removed.
    #[error("a document cannot be removed from itself")]
    Root,
    /// What came out would not be read back: it is too deep or too long.
    #[error("the rewritten text would not be read back: {0}")]
    Unreadable(#[from] Fault),
}

/// The edits that turn `before` into `after`, both serialised forms of one type, `before` being what
/// was read from the document to be rewritten.
///
/// Objects are compared member by member, so members the type does not know stay as they are, also in an
/// object that was left out of `before` for holding defaults only. Arrays and scalars are replaced whole.
pub fn edits_between(before: &Value, after: &Value) -> Vec<Edit> {
    let mut edits = Vec::new();
    compare(&mut String::new(), Some(before), after, &mut edits);
    edits
}

fn compare(at: &mut String, before: Option<&Value>, after: &Value, edits: &mut Vec<Edit>) {
    let (old, new) = match (before, after) {
        (Some(before), after) if before == after => return,
        (Some(Value::Object(old)), Value::Object(new)) => (old, new),
        (None, Value::Object(new)) if !new.is_empty() => (&Map::new(), new),
        _ => {
            let (pointer, value) = (at.clone(), after.clone());
            return edits.push(Edit::Set { pointer, value });
        }
    };
    let length = at.len();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        push_token(at, key);
        let pointer = at.clone();
        edits.push(Edit::Remove { pointer });
        at.truncate(length);
    }
    for (key, value) in new {
        push_token(at, key);
        compare(at, old.get(key), value, edits);
        at.truncate(length);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Document, splice};
    use super::*;
    use serde_json::json;

    #[test]
    fn members_the_type_does_not_know_stay() {
        let text =
            r#"{"x": 1E5, "a": 1, "sub": {"y": [ ], "b": 2}, "hidden": {"z": 0}, "gone": 1}"#;
        let before = json!({"a": 1, "sub": {"b": 2}, "gone": 1});
        let after = json!({"a": 1, "sub": {"b": 3}, "hidden": {"c": 4}, "new/": {}});
        let document = Document::parse(text.as_bytes()).unwrap();
        let edited = splice(&document, &edits_between(&before, &after)).unwrap();
        let expected = r#"{"x": 1E5, "a": 1, "sub": {"y": [ ], "b": 3}, "hidden": {"z": 0, "c": 4}, "new/": {}}"#;
        assert_eq!(edited, expected);
    }

    #[test]
    fn what_is_equal_needs_no_edit() {
        let value = json!({"a": [1, {"b": null}], "c": {}});
        assert_eq!(edits_between(&value, &value.clone()), []);
    }
}
