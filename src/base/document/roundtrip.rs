//! Whatever a file looks like, it survives a rewrite of one value byte for byte.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::{Document, Edit, Kind, Node, edits_between, splice};

fn space() -> impl Strategy<Value = String> {
    select(vec!["", "", " ", "\n", "\r\n  ", "\t", "\n\n    ", " \n\t"]).prop_map(str::to_owned)
}

/// Keys that differ once decoded.
const KEYS: [&str; 8] = [
    "a",
    "b/c",
    "m~n",
    "\\u00e9",
    "\\ud83d\\udc1d",
    "ü",
    "\\\"",
    "",
];

const SCALARS: [&str; 14] = [
    "1E5",
    "-0",
    "0.10",
    "18446744073709551616",
    "1e-7",
    "12",
    "true",
    "false",
    "null",
    "\"\"",
    "\"\\u00e9 é\"",
    "\"{,}[:]\"",
    "\"\\\\\\\"\"",
    "\"\\/\\n🐝\"",
];

fn json_text() -> impl Strategy<Value = String> {
    let scalar = select(SCALARS.to_vec()).prop_map(str::to_owned);
    scalar.prop_recursive(5, 40, 6, |inner| {
        let item = (space(), inner.clone(), space()).prop_map(|(a, b, c)| [a, b, c].concat());
        let items = prop::collection::vec(item, 0..5);
        let array = (space(), items).prop_map(|(inside, items)| match &items[..] {
            [] => format!("[{inside}]"),
            _ => format!("[{}]", items.join(",")),
        });
        prop_oneof![array, object(inner)]
    })
}

fn object(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (
        select(KEYS.to_vec()),
        space(),
        space(),
        space(),
        inner,
        space(),
    );
    (space(), prop::collection::vec(member, 0..6)).prop_map(|(inside, members)| {
        let mut seen = HashSet::new();
        let members: Vec<_> = members
            .into_iter()
            .filter(|member| seen.insert(member.0))
            .map(|(key, a, b, c, value, d)| format!("{a}\"{key}\"{b}:{c}{value}{d}"))
            .collect();
        match &members[..] {
            [] => format!("{{{inside}}}"),
            _ => format!("{{{}}}", members.join(",")),
        }
    })
}

fn new_value() -> impl Strategy<Value = Value> {
    select(vec![
        json!("new \n é"),
        json!(41),
        json!(-2.5),
        json!({}),
        json!([[], {"k": [1, {"l": null}]}]),
        json!({"k": {"a": [1, 2]}, "l": true}),
    ])
}

fn all<'d, 'a>(document: &'d Document<'a>) -> Vec<Node<'d, 'a>> {
    document.nodes().collect()
}

/// The source of every scalar and key, in order.
fn words(document: &Document) -> Vec<String> {
    let of = |node: Node| {
        let key = node
            .key_range()
            .map(|range| document.text()[range].to_owned());
        let scalar = !matches!(node.kind(), Kind::Array | Kind::Object);
        key.into_iter()
            .chain(scalar.then(|| node.raw().to_owned()))
            .collect::<Vec<_>>()
    };
    document.nodes().flat_map(of).collect()
}

fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn setting_a_value_changes_its_bytes_only(text in json_text(), which: Index, value in new_value()) {
        let document = Document::parse(text.as_bytes()).unwrap();
        let node = *which.get(&all(&document));
        let pointer = node.pointer();
        let edit = Edit::Set { pointer: pointer.clone(), value: value.clone() };
        let edited = splice(&document, std::slice::from_ref(&edit)).unwrap();
        let range = node.range();
        prop_assert!(edited.starts_with(&text[..range.start]) && edited.ends_with(&text[range.end..]));
        let mut expected = value_of(&text);
        *expected.pointer_mut(&pointer).unwrap() = value;
        prop_assert_eq!(value_of(&edited), expected);
        let again = Document::parse(edited.as_bytes()).unwrap();
        prop_assert_eq!(splice(&again, &[edit]).unwrap(), edited.clone());
    }

    #[test]
    fn adding_a_member_keeps_every_byte(text in json_text(), which: Index, value in new_value()) {
        let document = Document::parse(text.as_bytes()).unwrap();
        let objects: Vec<_> = document.nodes().filter(|node| node.kind() == Kind::Object).collect();
        prop_assume!(!objects.is_empty());
        let node = *which.get(&objects);
        let pointer = format!("{}/new key", node.pointer());
        let edited = splice(&document, &[Edit::Set { pointer: pointer.clone(), value: value.clone() }]).unwrap();
        let at = node.children().last().map_or(node.range().start + 1, |last| last.range().end);
        let rest = if node.is_empty() { node.range().end - 1 } else { at };
        prop_assert!(edited.starts_with(&text[..at]) && edited.ends_with(&text[rest..]));
        prop_assert_eq!(value_of(&edited).pointer(&pointer).cloned(), Some(value));
        // Taken away again, the old text is back, but for the white space of what was empty.
        let added = Document::parse(edited.as_bytes()).unwrap();
        let back = splice(&added, &[Edit::Remove { pointer }]).unwrap();
        prop_assert_eq!(&back[..at], &text[..at]);
        prop_assert_eq!(&back[back.len() - (text.len() - rest)..], &text[rest..]);
        prop_assert_eq!(value_of(&back), value_of(&text));
    }

    #[test]
    fn removing_keeps_every_other_word(text in json_text(), which: Index) {
        let document = Document::parse(text.as_bytes()).unwrap();
        let node = *which.get(&all(&document));
        prop_assume!(node.parent().is_some());
        let edited = splice(&document, &[Edit::Remove { pointer: node.pointer() }]).unwrap();
        let gone: Vec<_> = words(&Document::parse(node.raw().as_bytes()).unwrap());
        let gone = gone.len() + usize::from(node.key_range().is_some());
        let after = Document::parse(edited.as_bytes()).unwrap();
        let (old, new) = (words(&document), words(&after));
        let same = old.iter().zip(&new).take_while(|(one, two)| one == two).count();
        prop_assert_eq!(new.len() + gone, old.len());
        prop_assert!(new[same..].iter().rev().eq(old.iter().rev().take(new.len() - same)));
        prop_assert_eq!(all(&after).len() + all(&Document::parse(node.raw().as_bytes()).unwrap()).len(), all(&document).len());
        prop_assert!(edited.len() < text.len());
    }

    #[test]
    fn the_edits_between_two_values_lead_from_one_to_the_other(one in json_text(), two in json_text()) {
        let document = Document::parse(one.as_bytes()).unwrap();
        let (before, after) = (value_of(&one), value_of(&two));
        let edited = splice(&document, &edits_between(&before, &after)).unwrap();
        prop_assert_eq!(value_of(&edited), after);
        prop_assert_eq!(splice(&document, &edits_between(&before, &before)).unwrap(), one.clone());
    }
}
