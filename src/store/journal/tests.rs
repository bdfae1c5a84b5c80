//! What crashes, strangers and length do to a journal.
#![allow(clippy::disallowed_methods, reason = "tests make the trees they read")]

use super::*;
use crate::base::error::Kind;

fn line(what: &str, prev: &str) -> Line {
    let at = Time::parse("2026-01-02T03:04:05Z").unwrap();
    Line {
        at,
        by: "ana".into(),
        act: "test".into(),
        what: what.into(),
        why: None,
        request: None,
        token: None,
        files: Vec::new(),
        prev: prev.into(),
    }
}

fn cell() -> (tempfile::TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("logs")).unwrap();
    let folder = Folder::open(place.path()).unwrap().unwrap();
    (place, folder)
}

#[test]
fn a_line_cut_short_by_a_crash_is_cut_by_the_next_writer() {
    let (place, folder) = cell();
    let mut journal = Journal::read_end(&folder).unwrap();
    journal.append(&folder, &line("one", "")).unwrap();
    let path = place.path().join(layout::JOURNAL);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], b"{\"at\":\"20"].concat()).unwrap();
    let mut journal = Journal::read_end(&folder).unwrap();
    assert_eq!(journal.last.as_ref().unwrap().what, "one");
    assert!(journal.cut_torn_line(&folder).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), whole);
}

#[test]
fn each_line_carries_the_hash_of_the_one_before() {
    let (place, folder) = cell();
    for number in 0..3 {
        let mut journal = Journal::read_end(&folder).unwrap();
        let next = line(&"long ".repeat(number * 3000), journal.prev());
        journal.append(&folder, &next).unwrap();
    }
    let text = std::fs::read_to_string(place.path().join(layout::JOURNAL)).unwrap();
    let mut prev = String::new();
    for line in text.lines() {
        assert_eq!(serde_json::from_str::<Line>(line).unwrap().prev, prev);
        prev = sha256(line.as_bytes());
    }
}

#[test]
fn a_journal_that_is_one_torn_line_is_empty() {
    let (place, folder) = cell();
    std::fs::write(place.path().join(layout::JOURNAL), "{\"at").unwrap();
    let mut journal = Journal::read_end(&folder).unwrap();
    assert!(journal.last.is_none() && journal.cut_torn_line(&folder).unwrap());
    journal.append(&folder, &line("one", "")).unwrap();
    assert_eq!(
        Journal::read_end(&folder).unwrap().last.unwrap().what,
        "one"
    );
}

/// Writes so many lines, each as another command would, with room for about two in a file.
fn write_in_small_files(folder: &Folder, lines: usize) {
    for number in 0..lines {
        let mut journal = Journal::read_end(folder).unwrap();
        journal.rotate_beyond(300);
        let next = line(&format!("number {number}"), journal.prev());
        journal.append(folder, &next).unwrap();
    }
}

/// What each line says, of all files; the chain must hold.
fn chain(folder: &Folder) -> Vec<String> {
    let mut lines = Lines::of(folder).unwrap();
    let (mut said, mut prev) = (Vec::new(), String::new());
    while let Some(raw) = lines.next().unwrap() {
        assert!(!raw.is_torn && !raw.is_too_long);
        let line: Line = serde_json::from_slice(raw.text).unwrap();
        assert_eq!(line.prev, prev, "{}:{}", raw.file, raw.number);
        prev = sha256(raw.text);
        said.push(line.what);
    }
    said
}

fn numbered(lines: usize) -> Vec<String> {
    (0..lines)
        .map(|number| format!("number {number}"))
        .collect()
}

#[test]
fn a_full_file_is_rotated_and_the_chain_goes_on() {
    let (place, folder) = cell();
    write_in_small_files(&folder, 9);
    let files = rotation::rotated(&folder).unwrap();
    assert_eq!(files.first().unwrap(), "logs/journal.000001.jsonl");
    assert!(files.len() >= 3, "{files:?}");
    for file in files.iter().map(String::as_str).chain([layout::JOURNAL]) {
        let size = std::fs::metadata(place.path().join(file)).unwrap().len();
        assert!(size > 0 && size <= 300, "{file}: {size}");
    }
    assert_eq!(chain(&folder), numbered(9));
}

#[test]
fn a_crash_anywhere_in_a_rotation_loses_no_line_and_breaks_no_chain() {
    for live in [None, Some(""), Some("{\"at\":\"20")] {
        let (place, folder) = cell();
        write_in_small_files(&folder, 3);
        rotation::rotate(&folder).unwrap();
        if let Some(text) = live {
            std::fs::write(place.path().join(layout::JOURNAL), text).unwrap();
        }
        let mut journal = Journal::read_end(&folder).unwrap();
        assert_eq!(journal.last.as_ref().unwrap().what, "number 2", "{live:?}");
        let is_torn = live.is_some_and(|text| !text.is_empty());
        assert_eq!(journal.cut_torn_line(&folder).unwrap(), is_torn);
        let next = line("number 3", journal.prev());
        journal.append(&folder, &next).unwrap();
        assert_eq!(chain(&folder), numbered(4), "{live:?}");
        journal.take_back(&folder).unwrap();
        let journal = Journal::read_end(&folder).unwrap();
        assert_eq!(journal.last.unwrap().what, "number 2", "{live:?}");
    }
}

#[test]
fn a_number_that_is_taken_is_not_replaced() {
    let (place, folder) = cell();
    write_in_small_files(&folder, 1);
    // As large as numbers get, and names that are none.
    for name in ["journal.000007.jsonl", "journal.7.jsonl", "journal.x.jsonl"] {
        std::fs::write(place.path().join("logs").join(name), "").unwrap();
    }
    rotation::rotate(&folder).unwrap();
    let files = rotation::rotated(&folder).unwrap();
    assert_eq!(
        files,
        ["logs/journal.000007.jsonl", "logs/journal.000008.jsonl"]
    );
    assert_eq!(chain(&folder), numbered(1));
}

#[test]
fn what_is_rotated_while_it_is_read_is_read_once() {
    let (_place, folder) = cell();
    write_in_small_files(&folder, 3);
    let mut lines = Lines::of(&folder).unwrap();
    write_in_small_files(&folder, 9);
    let mut count = 0;
    while lines.next().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 3);
    let mark = lines.mark().unwrap();
    let mut more = Lines::of(&folder).unwrap().behind(mark);
    let mut said = Vec::new();
    while let Some(raw) = more.next().unwrap() {
        said.push(serde_json::from_slice::<Line>(raw.text).unwrap().what);
    }
    assert_eq!(said, numbered(9));
}

#[test]
fn a_long_line_is_read_whole_and_one_beyond_the_limit_is_passed_over() {
    let (place, folder) = cell();
    let path = place.path().join(layout::JOURNAL);
    let whole = "x".repeat(LONGEST);
    std::fs::write(&path, format!("short\n{whole}\n{whole}yy\nlast\ntorn")).unwrap();
    let mut lines = Lines::of(&folder).unwrap();
    let mut seen = Vec::new();
    while let Some(raw) = lines.next().unwrap() {
        seen.push((raw.number, raw.text.len(), raw.is_too_long, raw.is_torn));
    }
    let wanted = [
        (1, 5, false, false),
        (2, LONGEST, false, false),
        (3, 0, true, false),
        (4, 4, false, false),
        (5, 4, false, true),
    ];
    assert_eq!(seen, wanted);
}

#[test]
fn a_line_that_nobody_could_read_is_not_written() {
    let (place, folder) = cell();
    let mut journal = Journal::read_end(&folder).unwrap();
    let refused = journal.append(&folder, &line(&"x".repeat(LONGEST), ""));
    assert_eq!(refused.unwrap_err().kind(), Kind::Refused);
    assert!(!place.path().join(layout::JOURNAL).exists());
}
