//! The same cases go to the tables, the JSON Schemas and the types: all three must call the same ones sound.

mod cases;

use super::{ALL, FlawKind, ISOLATION, PERMISSIONS, POLICIES, Shape, TASK, read, schema};
use crate::base::document::Document;
use crate::base::text::Text;
use crate::mission::agent::Agent;
use crate::mission::cell::Cell;
use crate::mission::isolation::Isolation;
use crate::mission::permission::Permissions;
use crate::mission::policy::Policies;
use crate::mission::sheet::{Record, Sheet, Trouble};
use crate::mission::task::Task;
use cases::{broken, sound, whole};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// A whole document with one value put at a pointer; `gone` takes the member out.
fn with(shape: &Shape, pointer: &str, value: &Value) -> Value {
    let mut document = whole(shape);
    let (above, key) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(above) {
        Some(Value::Object(members)) if value == "gone" => drop(members.shift_remove(key)),
        Some(Value::Object(members)) => drop(members.insert(key.into(), value.clone())),
        _ => *document.pointer_mut(pointer).expect(pointer) = value.clone(),
    }
    document
}

/// Whether the tables find no error in a text.
fn table_takes(shape: &'static Shape, text: &str) -> bool {
    let document = Document::parse(text.as_bytes()).expect("JSON");
    let flaws = read(&document, shape, "stem").flaws;
    flaws
        .iter()
        .all(|flaw| matches!(flaw.kind, FlawKind::Unknown(..)))
}

fn schema_takes(shape: &'static Shape, document: &Value) -> bool {
    let schema = schema::schema(shape);
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    let validator = options.should_validate_formats(true).build(&schema);
    validator.expect("a schema").is_valid(document)
}

/// What a sheet makes of a text: whether it holds a value, and whether it has an error.
fn sheet_says(shape: &Shape, text: &str) -> (bool, bool) {
    fn of<'a, T: Record + Deserialize<'a>>(text: &'a str) -> (bool, bool) {
        let sheet = Sheet::<T>::read("stem.json", text.as_bytes());
        let is_flaw = |trouble: &Trouble| match trouble {
            Trouble::Fault(_) => true,
            Trouble::Flaws(flaws) => flaws
                .iter()
                .any(|flaw| !matches!(flaw.kind, FlawKind::Unknown(..))),
        };
        (
            sheet.value.is_some(),
            sheet.trouble.as_ref().is_some_and(is_flaw),
        )
    }
    match shape.name {
        "cell" => of::<Cell<Text<'_>>>(text),
        "agent" => of::<Agent<Text<'_>>>(text),
        "task" => of::<Task<Text<'_>>>(text),
        "isolation" => of::<Isolation<Text<'_>>>(text),
        "policies" => of::<Policies<Text<'_>>>(text),
        _ => of::<Permissions<Text<'_>>>(text),
    }
}

fn all_agree(shape: &'static Shape, document: &Value, is_sound: bool) {
    let text = document.to_string();
    assert_eq!(table_takes(shape, &text), is_sound, "the table of {text}");
    assert_eq!(
        schema_takes(shape, document),
        is_sound,
        "the schema of {text}"
    );
    assert_eq!(
        sheet_says(shape, &text),
        (true, !is_sound),
        "the type of {text}"
    );
}

#[test]
fn tables_schemas_and_types_agree_on_every_case() {
    for shape in ALL {
        all_agree(shape, &whole(shape), true);
    }
    all_agree(&POLICIES, &json!({}), true);
    all_agree(&PERMISSIONS, &json!({}), true);
    for (cases, is_sound) in [(sound(), true), (broken(), false)] {
        for (shape, pointer, value) in cases {
            all_agree(shape, &with(shape, pointer, &value), is_sound);
        }
    }
}

#[test]
fn every_field_agrees_on_null_on_absence_and_on_other_types() {
    let odd = [
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!(0),
        json!(true),
        json!("gone"),
    ];
    for shape in ALL {
        for pointer in pointers(&whole(shape)) {
            for value in &odd {
                let document = with(shape, &pointer, value);
                let text = document.to_string();
                let is_sound = table_takes(shape, &text);
                all_agree(shape, &document, is_sound);
            }
        }
    }
}

#[test]
fn a_document_of_another_kind_is_refused_and_still_read() {
    for shape in ALL {
        for text in ["[]", "7", "\"x\"", "null"] {
            assert!(
                !table_takes(shape, text) && sheet_says(shape, text) == (true, true),
                "{text}"
            );
            let document = serde_json::from_str(text).expect("JSON");
            assert!(!schema_takes(shape, &document), "{text}");
        }
    }
}

#[test]
fn what_a_schema_cannot_say_is_known() {
    let unsaid = [
        (&TASK, "/timeout", "300.0"),
        (&TASK, "/result", r#"{"a": 1, "a": 2}"#),
        (&ISOLATION, "/resource_limits/memory", r#""99999999PB""#),
        (&ISOLATION, "/resource_limits/memory", r#""0.0001KB""#),
        (&ISOLATION, "/resource_limits/cpu", r#""99999999 cores""#),
    ];
    for (shape, pointer, value) in unsaid {
        let marked = with(shape, pointer, &json!("HERE")).to_string();
        let text = marked.replace("\"HERE\"", value);
        let document = serde_json::from_str(&text).expect("JSON");
        assert!(schema_takes(shape, &document), "{text}");
        assert!(!table_takes(shape, &text), "{text}");
        assert_eq!(sheet_says(shape, &text), (true, true), "{text}");
    }
}

/// Every place in a document below its root.
fn pointers(document: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        let below: Vec<_> = match value {
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| (key.clone(), value))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(i, v)| (i.to_string(), v))
                .collect(),
            _ => return,
        };
        for (key, value) in below {
            let pointer = format!("{at}/{key}");
            walk(value, &pointer, found);
            found.push(pointer);
        }
    }
    let mut found = Vec::new();
    walk(document, "", &mut found);
    found
}

fn any_json() -> impl Strategy<Value = Value> {
    let words =
        "agent_001|task_001|\\*|yes|active|pending|idle|high|none|4GB|2 cores|\\PC{0,9}|[ -~]{0,9}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3i64..400).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[a-z_]{1,6}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The quick look of the good path never says yes where the tables find an error, and what is flawed is still read.
    #[test]
    fn the_quick_look_never_lets_an_error_pass(
        kind in 0..ALL.len(), place in any::<prop::sample::Index>(), value in any_json(),
        extra in prop::option::of(("[a-z_]{1,12}", any_json())),
    ) {
        let shape = ALL[kind];
        let all = pointers(&whole(shape));
        let mut document = with(shape, &all[place.index(all.len())], &value);
        if let (Some((key, value)), Value::Object(members)) = (extra, &mut document) {
            members.insert(key, value);
        }
        let text = document.to_string();
        let is_sound = table_takes(shape, &text);
        prop_assert_eq!(sheet_says(shape, &text), (true, !is_sound), "{}", text);
    }
}
