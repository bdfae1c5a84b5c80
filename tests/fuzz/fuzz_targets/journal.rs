//! Any bytes as the journal of a cell: what its end is, and that whoever writes next stays in the cell and can go on.
//!
//! The first byte is how many times 64 bytes stand before the rest, so that the end is looked for in several windows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcell::base::clock::Time;
use mcell::store::cell::OpenCell;
use mcell::store::commit::Act;
use mcell::store::folder::Folder;
use mcell::store::journal::{Journal, Line, sha256};
use mcell::store::layout;
use mcell::store::lock::Wait;
use std::fs;
use std::path::Path;

const TASK: &[u8] = b"{}\n";

fuzz_target!(|bytes: &[u8]| {
    let Some((pad, rest)) = bytes.split_first() else {
        return;
    };
    let mut text = vec![b' '; usize::from(*pad) * 64];
    text.extend_from_slice(rest);
    let place = tempfile::tempdir().expect("a place");
    let cell = place.path().join("root/cell");
    build(&cell);
    let path = cell.join(layout::JOURNAL);
    fs::write(&path, &text).expect("a journal");
    end(&cell, &path, &text);
    fs::write(&path, &text).expect("a journal");
    next_writer(place.path(), &cell);
});

fn build(cell: &Path) {
    for folder in ["agents", "tasks", "logs", "config", ".mcell"] {
        fs::create_dir_all(cell.join(folder)).expect("a folder");
    }
    let other = cell.with_file_name("other");
    fs::create_dir_all(other.join("tasks")).expect("a folder");
    for (file, text) in [
        ("cell.json", TASK),
        ("tasks/task_001.json", TASK),
        // Temps that a line may name: one that holds what it promises, one of a removal.
        ("tasks/.task_001.json.1-0.tmp", b"{\"new\": 1}\n"),
        ("tasks/.task_002.json.1-1.tmp", b""),
    ] {
        fs::write(cell.join(file), text).expect("a file");
    }
    fs::write(other.join("tasks/task_001.json"), b"other").expect("a file");
}

/// The last whole line, read the plain way.
fn end(cell: &Path, path: &Path, text: &[u8]) {
    let folder = Folder::open(cell).expect("a folder").expect("a folder");
    let mut journal = Journal::read_end(&folder).expect("any bytes are a journal");
    let whole = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let lines = text.get(..whole).unwrap_or_default();
    let last = lines.strip_suffix(b"\n").map(|lines| {
        lines
            .rsplit(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default()
    });
    assert_eq!(journal.prev(), last.map(sha256).unwrap_or_default());
    let line = last.and_then(|last| serde_json::from_slice::<Line>(last).ok());
    assert_eq!(journal.last, line);
    assert_eq!(
        journal.cut_torn_line(&folder).expect("cut"),
        whole < text.len()
    );
    let next = Line {
        at: now(),
        by: "ada".to_owned(),
        act: "test".to_owned(),
        what: "went on".to_owned(),
        why: None,
        request: None,
        token: None,
        files: Vec::new(),
        prev: journal.prev().to_owned(),
    };
    journal.append(&folder, &next).expect("appended");
    let after = fs::read(path).expect("a journal");
    assert!(after.starts_with(lines) && after.ends_with(b"\n"));
    let again = Journal::read_end(&folder).expect("a journal");
    assert_eq!(again.last, Some(next));
    journal.take_back(&folder).expect("taken back");
    assert_eq!(fs::read(path).expect("a journal"), lines);
    if let Some(line) = line {
        let written = serde_json::to_vec(&line).expect("a line");
        assert!(!written.contains(&b'\n'));
        let read = serde_json::from_slice::<Line>(&written).expect("what is written is read");
        assert_eq!(serde_json::to_vec(&read).expect("a line"), written);
    }
}

/// A journal that someone wrote by hand must not reach what is not the cell's.
fn next_writer(place: &Path, cell: &Path) {
    let open = OpenCell::open(cell).expect("a cell");
    let act = Act {
        name: "test",
        by: "ada".to_owned(),
        at: now(),
        why: None,
        request: None,
    };
    if let Ok(mut writing) = open.lock_for_writing(act, Wait::quietly("test")) {
        writing
            .put_text("tasks/task_009.json", b"{}\n".to_vec())
            .expect("staged");
        writing
            .commit("went on")
            .expect("who got the lock can write");
        let text = fs::read(cell.join("tasks/task_009.json")).expect("a file");
        assert_eq!(text, TASK);
    }
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let root = place.join("root");
    assert_eq!(names(place), ["root"]);
    assert!(
        names(&root)
            .iter()
            .all(|name| name == ".mcell" || name == "cell" || name == "other")
    );
    assert_eq!(names(&root.join("other")), ["tasks"]);
    assert_eq!(names(&root.join("other/tasks")), ["task_001.json"]);
    assert_eq!(
        fs::read(root.join("other/tasks/task_001.json")).expect("a file"),
        b"other"
    );
    if root.join(".mcell").exists() {
        assert!(
            names(&root.join(".mcell"))
                .iter()
                .all(|name| name == "trash")
        );
    }
    let log = fs::read_to_string(cell.join(layout::MISSION_LOG)).unwrap_or_default();
    assert!(!log.contains(|letter: char| letter.is_control() && letter != '\n'));
    assert!(log.lines().count() <= 2);
}

fn now() -> Time {
    Time::parse("2026-01-02T04:00:00Z").expect("a time")
}
