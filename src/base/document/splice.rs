//! Rewrites that touch only what changes.

use std::borrow::Cow;

use super::Document;
use super::change::change;
use super::edit::{Edit, SpliceError};

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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::MAX_DEPTH;
    use super::*;
    use serde_json::{Value, json};

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
