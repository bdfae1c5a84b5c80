//! Any bytes: read as serde_json reads them, every value found again by its pointer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcell::base::document::{Document, Node, line_text, place};

fuzz_target!(|bytes: &[u8]| {
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes);
    match Document::parse(bytes) {
        Ok(document) => {
            if !document.has_duplicates() {
                visit(&document, document.root());
            }
            match theirs {
                Ok(value) => assert_eq!(document.root().value(), Some(value)),
                Err(error) => assert!(error.to_string().starts_with("number out of range")),
            }
        }
        Err(fault) => {
            assert!(theirs.is_err(), "{fault}");
            assert!(fault.offset <= bytes.len());
            let (_, start) = line_text(bytes, fault.offset);
            assert!(start <= bytes.len() && place(bytes, fault.offset).column > 0);
        }
    }
});

fn visit(document: &Document, node: Node) {
    let found = document.at(&node.pointer()).map(|found| found.range());
    assert_eq!(found, Some(node.range()));
    for child in node.items().chain(node.entries().map(|(_, child)| child)) {
        visit(document, child);
    }
}
