//! serde_json is the measure of what a JSON document is.

use super::{Document, FaultKind, Kind, MAX_DEPTH, Node};
use proptest::prelude::*;
use serde_json::Value;

const MISSION: &str = "{\r\n\t\"cell_id\": \"é🐝\\ud83d\\udc1d\\n\", \"n\": [-0, 1.5e-3, 1E5, []],\n \"p\":{\"a\":true,\"b\":null,\"c\":false} }\n";

fn rebuilt(node: Node) -> Value {
    match node.kind() {
        Kind::Array => node.items().map(rebuilt).collect(),
        Kind::Object => {
            let members = node
                .entries()
                .map(|(key, child)| (key.into_owned(), rebuilt(child)));
            Value::Object(members.collect())
        }
        _ => node.value().unwrap(),
    }
}

/// serde_json is the measure, but for numbers it cannot hold.
fn agrees(text: &[u8]) {
    let theirs = serde_json::from_slice::<Value>(text);
    match (Document::parse(text), theirs) {
        (Ok(document), Ok(value)) => assert_eq!(rebuilt(document.root()), value),
        (Err(fault), Err(_)) => assert!(fault.offset <= text.len(), "{fault:?}"),
        (Ok(_), Err(error)) if error.to_string().starts_with("number out of range") => {}
        (ours, theirs) => panic!(
            "{:?}: ours {ours:?}, theirs {theirs:?}",
            String::from_utf8_lossy(text)
        ),
    }
}

#[test]
fn odd_texts_are_judged_as_serde_json_judges_them() {
    let odd = r#"
            null|tru|truex|nul|-|-0|-01|00|1.|.5|1.e1|1e|1e+|1E-07|1e999|-1e999|+1|0x1|1_0|Infinity|-Infinity
            18446744073709551616|""|"|"\|"\"|"\q"|"\u12"|"\u12G4"|"\ud800"|"\udc00"|"\ud800\udc00"|"\ud800\u0041"
            "\ud800\|"\ud800\u|"\ud800x"|"\udbff\udfff"|"\u0000"|"\/"|'a'|[|]|[]|[ ]|[,]|[1,]|[1,,2]|[1 2]|{|}|{}|{ }
            {,}|{"a"}|{"a":}|{"a":1,}|{"a":1,"a":2}|{"a" :1 , "b": [ ] }|{1:2}|{a:1}|{"a":1]|[1}|[]]|1 2|{}x|/**/1|1//|#
            {"":{"":[]}}|[[],[[]],{}]|[nullnull]|["a""b"]|{"a":1:2}|[1:2]|{"a",1}"#;
    for text in odd.split(['|', '\n']).map(str::trim) {
        agrees(text.as_bytes());
        agrees(format!(" [{text}] ").as_bytes());
        agrees(format!("{{\"k\":\t{text}\r\n}}").as_bytes());
    }
    for bytes in [
        &b"\x0b1"[..],
        b"\x0c",
        b"\xc2\xa01",
        b"\"\x7f\"",
        b"\"\x1f\"",
        b"\"\xed\xa0\x80\"",
        b"1\0",
    ] {
        agrees(bytes);
    }
}

#[test]
fn depth_ends_where_serde_json_ends_it_and_at_once() {
    for depth in [126, 127, 128, 129] {
        agrees(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
        agrees(format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)).as_bytes());
    }
    let fault = Document::parse("[".repeat(10_000).as_bytes()).unwrap_err();
    assert_eq!(
        (fault.kind, fault.offset),
        (FaultKind::TooDeep, MAX_DEPTH - 1)
    );
}

#[test]
fn no_change_of_one_byte_and_no_cut_is_judged_otherwise_or_panics() {
    let text = MISSION.as_bytes();
    agrees(text);
    for at in 0..text.len() {
        agrees(&text[..at]);
        agrees(&[&text[..at], &text[at + 1..]].concat());
        for byte in 0..=255 {
            agrees(&[&text[..at], &[byte], &text[at + 1..]].concat());
        }
    }
}

proptest! {
    #[test]
    fn soup_of_json_pieces_is_judged_as_serde_json_judges_it(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\\n\"", "1", "-2.5e3", "true", "null", " ", "\n", "\"", "\\", "é",
        ]), 0..12)
    ) {
        agrees(pieces.concat().as_bytes());
    }

    #[test]
    fn any_bytes_are_judged_as_serde_json_judges_them(bytes: Vec<u8>) {
        agrees(&bytes);
    }
}
