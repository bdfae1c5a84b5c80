//! `validate --fix`: it mends what is safe to mend, says what it did, and touches nothing else.

use crate::broken::{Broken, base, code, folders, name, world, world_of};
use crate::world::{Outcome, World};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every file and folder of a cell but what belongs to mcell; a file that cannot be read is there, without a text.
type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

fn tree(cell: &Path) -> Tree {
    let is_own = |path: &Path| path.starts_with(".mcell") || path.starts_with("logs");
    walkdir::WalkDir::new(cell)
        .min_depth(1)
        .into_iter()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let beneath = entry.path().strip_prefix(cell).unwrap().to_owned();
            // A FIFO would wait for a writer, and a gibibyte of nothing is read for nothing.
            let is_small = entry.metadata().is_ok_and(|data| data.len() < 1 << 20);
            let is_text = entry.file_type().is_file() && is_small;
            let text = is_text.then(|| std::fs::read(entry.path()).ok()).flatten();
            (beneath, text)
        })
        .filter(|(path, _)| !is_own(path))
        .collect()
}

fn journal(cell: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(cell.join("logs/journal.jsonl")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn findings(outcome: &Outcome) -> Vec<Value> {
    outcome.json()["findings"].as_array().unwrap().clone()
}

fn fixable(outcome: &Outcome) -> Vec<Value> {
    let mut found = findings(outcome);
    found.retain(|finding| finding["fixable"] == true);
    found
}

/// The byte at a line and a column in characters, both from 1.
fn offset(text: &[u8], line: u64, column: u64) -> usize {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(line as usize - 1).map(str::len).sum();
    let line = lines.next().unwrap();
    before
        + line
            .chars()
            .take(column as usize - 1)
            .map(char::len_utf8)
            .sum::<usize>()
}

/// The bytes that the mend of a finding may change: the value or key that it points at, the list that an item of is
/// named twice, nothing where a field is only put in, and the byte-order mark.
fn span(text: &[u8], finding: &Value) -> std::ops::Range<usize> {
    let line = finding["line"].as_u64().unwrap();
    let at = offset(text, line, finding["column"].as_u64().unwrap());
    let start = match finding["code"].as_str().unwrap() {
        "MC003" => return 0..3,
        "MC005" => return at..text.len(),
        "MC053" => text[..at].iter().rposition(|byte| *byte == b'[').unwrap(),
        _ => at,
    };
    let mut values = serde_json::Deserializer::from_slice(&text[start..]).into_iter::<Value>();
    values.next().unwrap().unwrap();
    start..start + values.byte_offset()
}

/// The part of the old text that is another in the new one.
fn changed(old: &[u8], new: &[u8]) -> std::ops::Range<usize> {
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let before = same(&mut old.iter().zip(new));
    let after = same(&mut old[before..].iter().rev().zip(new[before..].iter().rev()));
    before..old.len() - after
}

#[test]
fn each_mend_removes_its_finding_and_changes_nothing_else() {
    let mut mended = 0;
    for fixture in folders() {
        let (world, broken) = world_of(&fixture);
        let name = name(&fixture);
        if !broken.can_be_shown() {
            continue;
        }
        let mends = fixable(&broken.validate(&world, &["--json"]));
        if mends.is_empty() {
            continue;
        }
        mended += 1;
        let before = tree(&broken.cell);
        let outcome = broken.validate(&world, &["--fix"]);
        for finding in &mends {
            let file = finding["file"].as_str().unwrap();
            let says = |line: &str| line.starts_with("fixed: ") && line.contains(file);
            assert!(outcome.err.lines().any(says), "{name}: {}", outcome.err);
        }
        assert_eq!(
            findings(&broken.validate(&world, &["--json"])),
            Vec::<Value>::new(),
            "{name} is not sound now"
        );
        only_the_mends(name, &before, &tree(&broken.cell), &mends);
        is_told_once(name, &broken.cell, &mends);
        nothing_is_left_to_mend(&world, &broken, name);
    }
    assert!(mended >= 10, "{mended} fixtures have a mend");
}

fn only_the_mends(name: &str, before: &Tree, after: &Tree, mends: &[Value]) {
    for (path, text) in after {
        let of_this = |finding: &&Value| Path::new(finding["file"].as_str().unwrap()) == path;
        let mends: Vec<&Value> = mends.iter().filter(of_this).collect();
        match (before.get(path), text) {
            (Some(old), new) if old == new => assert!(mends.is_empty(), "{name}: {path:?}"),
            (Some(Some(old)), Some(new)) => {
                assert_eq!(mends.len(), 1, "{name}: {path:?} was changed");
                let (span, changed) = (span(old, mends[0]), changed(old, new));
                assert!(
                    span.start <= changed.start && changed.end <= span.end,
                    "{name}: {changed:?} of {path:?} was changed, beyond {span:?}"
                );
                if code(Path::new(name)) == "MC005" {
                    assert!(changed.is_empty(), "{name}: more was done than put in");
                }
            }
            (None, None) => assert_eq!(mends[0]["code"], "MC046", "{name}: {path:?} was made"),
            _ => panic!("{name}: {path:?} was made or removed"),
        }
    }
    for path in before.keys() {
        assert!(after.contains_key(path), "{name}: {path:?} was removed");
    }
}

/// One pass, so one line; a folder that is made is told too, and is no change of a file.
fn is_told_once(name: &str, cell: &Path, mends: &[Value]) {
    let files: Vec<&Value> = mends
        .iter()
        .filter(|finding| finding["code"] != "MC046")
        .map(|finding| &finding["file"])
        .collect();
    let journal = journal(cell);
    let told: Vec<&Value> = journal
        .iter()
        .flat_map(|line| line["files"].as_array().unwrap())
        .map(|file| &file["file"])
        // What mcell keeps for itself is no file of the mission.
        .filter(|file| !file.as_str().unwrap().starts_with(".mcell/"))
        .collect();
    assert_eq!(told, files, "{name}: {journal:?}");
    assert_eq!(journal.len(), 1, "{name}: {journal:?}");
    for line in &journal {
        assert_eq!(
            (&line["act"], &line["by"]),
            (&"validate --fix".into(), &"ada".into())
        );
        let what = line["what"].as_str().unwrap();
        let first = mends[0]["file"].as_str().unwrap();
        assert!(what.contains(first), "{name}: {what}");
    }
}

fn nothing_is_left_to_mend(world: &World, broken: &Broken, name: &str) {
    let (before, told) = (tree(&broken.cell), journal(&broken.cell));
    let outcome = broken.validate(world, &["--fix"]).ok();
    assert_eq!((&*outcome.out, &*outcome.err), ("", ""), "{name}");
    assert_eq!(
        (tree(&broken.cell), journal(&broken.cell)),
        (before, told),
        "{name}"
    );
}

#[test]
fn what_cannot_be_mended_is_not_touched() {
    let mut untouched = 0;
    for fixture in folders() {
        let (world, broken) = world_of(&fixture);
        let name = name(&fixture);
        if !broken.can_be_shown() || !fixable(&broken.validate(&world, &["--json"])).is_empty() {
            continue;
        }
        untouched += 1;
        let (before, said) = (tree(&broken.cell), broken.validate(&world, &[]));
        let outcome = broken.validate(&world, &["--fix"]);
        assert_eq!(
            (&outcome.out, &outcome.err, outcome.code),
            (&said.out, &said.err, said.code),
            "{name}"
        );
        assert_eq!(tree(&broken.cell), before, "{name}");
        assert!(!broken.cell.join(".mcell").exists(), "{name}");
        assert!(journal(&broken.cell).is_empty(), "{name}");
    }
    assert!(untouched >= 60, "{untouched} fixtures have no mend");
}

#[test]
fn a_mend_that_brings_another_rule_to_light_is_mended_too() {
    let world = world();
    let cell = world.root().join(crate::broken::ID);
    base(&cell);
    let task = cell.join("tasks/task_001.json");
    let sound = std::fs::read_to_string(&task).unwrap();
    let broken = sound
        .replace("\"high\"", "\"HIGH\"")
        .replace(": 1800", " :\t\"1800\"");
    std::fs::write(&task, format!("\u{feff}{broken}")).unwrap();
    std::fs::remove_dir(cell.join("checkpoints")).unwrap();
    let outcome = world.mcell("validate -A --fix --json").ok();
    let done = [
        "made the folder checkpoints",
        "tasks/task_001.json: took the byte-order mark away",
        "tasks/task_001.json: set timeout to 1800",
        "tasks/task_001.json: set priority to \"high\"",
    ];
    let done = done.map(|done| format!("{}/{done}", crate::broken::ID));
    assert_eq!(outcome.json()["fixed"], serde_json::json!(done));
    let mended = std::fs::read_to_string(&task).unwrap();
    assert_eq!(mended, sound.replace(": 1800", " :\t1800"));
    let what: Vec<String> = journal(&cell)
        .iter()
        .map(|line| line["what"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        what,
        [
            "made the folder checkpoints; tasks/task_001.json: took the byte-order mark away",
            "tasks/task_001.json: set timeout to 1800; tasks/task_001.json: set priority to \"high\"",
        ]
    );
}

#[test]
fn in_a_root_only_cells_with_something_to_mend_are_touched() {
    let world = world();
    let cells: Vec<PathBuf> = folders()
        .iter()
        .zip(1..)
        .filter(|(fixture, _)| ["MC001", "MC007", "MC012"].contains(&code(fixture)))
        .map(|(fixture, number)| {
            let id = format!("c0ffee00-0000-4000-8000-{number:012}");
            let broken = Broken::lay(fixture, &world.root().join(&id));
            let cell = broken.cell.join("cell.json");
            let text = std::fs::read_to_string(&cell).unwrap();
            std::fs::write(&cell, text.replace(crate::broken::ID, &id)).unwrap();
            broken.cell
        })
        .collect();
    let before: Vec<Tree> = cells.iter().map(|cell| tree(cell)).collect();
    let outcome = world.mcell("validate -A --fix").code(1);
    assert_eq!(outcome.err.matches("fixed: ").count(), 1, "{}", outcome.err);
    let touched: Vec<bool> = cells
        .iter()
        .zip(&before)
        .map(|(cell, before)| tree(cell) != *before)
        .collect();
    assert_eq!(touched.iter().filter(|touched| **touched).count(), 1);
    for (cell, touched) in cells.iter().zip(touched) {
        assert_eq!(cell.join(".mcell").exists(), touched, "{cell:?}");
    }
}

#[test]
fn an_agent_does_not_mend_files() {
    let world = world();
    let cell = world.root().join(crate::broken::ID);
    base(&cell);
    std::fs::remove_dir(cell.join("checkpoints")).unwrap();
    world.mcell("validate -A --fix --as agent_001").code(5);
    assert!(!cell.join("checkpoints").exists());
}
