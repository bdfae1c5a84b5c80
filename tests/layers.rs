//! The house keeps its shape: imports point down only, and every dependency has its reason.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

/// The layers, lowest first. Those of one rank know nothing of each other.
const LAYERS: [(&str, u8); 12] = [
    ("base", 1),
    ("mission", 2),
    ("health", 3),
    ("revival", 3),
    ("store", 4),
    ("runner", 5),
    ("ops", 6),
    ("daemon", 7),
    ("bridge", 8),
    ("cli", 9),
    ("lib", 10),
    ("main", 11),
];

/// How we speak: it stands on base, and only what speaks stands on it. Use cases give values, and no words.
const UI: &str = "ui";
const SPEAKERS: [&str; 3] = ["daemon", "bridge", "cli"];

fn rank(layer: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(name, _)| *name == layer)
        .map(|(_, rank)| *rank)
}

fn may_use(layer: &str, used: &str) -> bool {
    match (layer, used) {
        _ if layer == used => true,
        (UI, used) => used == "base",
        (layer, UI) => SPEAKERS.contains(&layer),
        // lib.rs has the macros and the map, and main nothing but a call.
        ("lib" | "main", _) => true,
        (layer, used) => rank(layer) > rank(used),
    }
}

fn house() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
}

/// The layer of a file: the first part of its path under src/.
fn layer_of(file: &Path) -> String {
    let beneath = file
        .strip_prefix(house().join("src"))
        .expect("a file of src");
    let first = beneath.components().next().expect("a name").as_os_str();
    Path::new(first).with_extension("").display().to_string()
}

/// The layers that a line names after `crate::`, alone or in braces.
fn named(line: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
            .collect()
    };
    let mut names = Vec::new();
    for rest in line.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => names.push(word(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut is_first = true;
                for (at, letter) in list.char_indices() {
                    if depth == 0 && is_first && letter.is_alphanumeric() {
                        names.push(word(&list[at..]));
                        is_first = false;
                    }
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => is_first = true,
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

#[test]
fn imports_point_down_only() {
    let mut files = Vec::new();
    sources(&house().join("src"), &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let layer = layer_of(file);
        let shown = file
            .strip_prefix(house())
            .expect("a file of the house")
            .display();
        if layer != UI && rank(&layer).is_none() {
            wrong.push(format!(
                "{shown}: src/{layer} has no place among the layers in tests/layers.rs"
            ));
            continue;
        }
        let text = read_to_string(file).expect("a source");
        // A `use` may go over several lines: it is joined, and counts for the line that it begins in.
        let mut open: Option<(usize, String)> = None;
        for (at, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let (number, statement) = match open.take() {
                Some((number, before)) => (number, before + code.trim()),
                None => (at + 1, code.trim().to_owned()),
            };
            if statement.contains("use crate::{") && !statement.contains(';') {
                open = Some((number, statement));
                continue;
            }
            for used in named(&statement) {
                let is_layer = used == UI || rank(&used).is_some();
                if is_layer && !may_use(&layer, &used) {
                    wrong.push(format!(
                        "{shown}:{number}: {layer} uses {used}, which stands above or beside it"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn what_stands_in_braces_is_seen_too() {
    assert_eq!(
        named("use crate::{base::{error, ids}, store};"),
        ["base", "store"]
    );
    assert_eq!(
        named("let x = crate::ui::page() + crate::ops::y();"),
        ["ui", "ops"]
    );
    assert!(may_use("ops", "store") && !may_use("store", "ops"));
    assert!(!may_use("health", "revival") && !may_use("ops", "ui") && may_use("cli", "ui"));
}

/// The names in the sections of Cargo.toml that name dependencies.
fn dependencies() -> Vec<String> {
    let text = read_to_string(house().join("Cargo.toml")).expect("Cargo.toml");
    let mut names = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(section) = line.strip_prefix('[') {
            is_inside = section.trim_end_matches(']').ends_with("dependencies");
        } else if let (true, Some((name, _))) = (is_inside, line.split_once('='))
            && !line.starts_with([' ', '#'])
        {
            names.push(name.trim().to_owned());
        }
    }
    names
}

#[test]
fn every_dependency_has_its_reason_in_the_architecture() {
    let page = read_to_string(house().join("docs/architecture.md")).expect("docs/architecture.md");
    let explained: Vec<&str> = page
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `")?
                .split_once('`')
                .map(|(name, _)| name)
        })
        .collect();
    let there = dependencies();
    assert!(there.len() > 20, "{there:?}");
    for name in &there {
        assert!(
            explained.contains(&name.as_str()),
            "{name} is in Cargo.toml; docs/architecture.md does not say why: give it a line in the table"
        );
    }
    for name in explained {
        assert!(
            there.iter().any(|dependency| dependency == name),
            "{name} has a line in docs/architecture.md, and is not in Cargo.toml"
        );
    }
}

#[test]
fn what_the_house_calls_only_in_one_room_is_called_there_only() {
    let mut files = Vec::new();
    sources(&house().join("src"), &mut files);
    for file in files {
        let text = read_to_string(&file).expect("a source");
        let shown = file.strip_prefix(house()).expect("a file of the house");
        let calls_fs2 = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains("fs2::FileExt") || code.contains("use fs2")
        });
        assert!(
            !calls_fs2 || shown == Path::new("src/store/fs2.rs"),
            "{}: fs2 is called in src/store/fs2.rs only",
            shown.display()
        );
        let is_async = text.lines().any(|line| {
            let code = line.split("//").next().unwrap_or_default();
            ["tokio::", "hyper::", "hyper_util::"]
                .iter()
                .any(|name| code.contains(name))
        });
        assert!(
            !is_async || shown.starts_with("src/daemon/listen"),
            "{}: hyper and tokio are seen by src/daemon/listen only",
            shown.display()
        );
    }
}
