//! A document, a pointer and a new value, parted by U+0001: what is set is read back, what is not stays.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcell::base::document::{Document, Edit, splice};

fuzz_target!(|input: &str| {
    let mut parts = input.split('\u{1}');
    let (Some(text), Some(pointer), Some(value)) = (parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let (Ok(document), Ok(value)) = (
        Document::parse(text.as_bytes()),
        serde_json::from_str(value),
    ) else {
        return;
    };
    let pointer = pointer.to_owned();
    let old = document.at(&pointer).map(|node| node.range());
    let set = Edit::Set {
        pointer: pointer.clone(),
        value,
    };
    if let Ok(edited) = splice(&document, &[set]) {
        if let Some(old) = old {
            assert!(edited.starts_with(&text[..old.start]) && edited.ends_with(&text[old.end..]));
        }
        let again = Document::parse(edited.as_bytes()).expect("what was written is read back");
        let removed = splice(
            &again,
            &[Edit::Remove {
                pointer: pointer.clone(),
            }],
        );
        assert!(removed.is_ok() || pointer.is_empty() || pointer.ends_with('-'));
    }
    let _ = splice(
        &document,
        &[Edit::RenameKey {
            pointer,
            key: "renamed".to_owned(),
        }],
    );
});
