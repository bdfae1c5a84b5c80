//! Each rule has a folder under fixtures/broken that breaks it, and the words that `validate` must find for it.

use crate::world::World;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const ID: &str = "c0ffee00-0000-4000-8000-000000000001";

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

/// Lays a tree over another; files named in `leave` are left out.
pub(crate) fn lay(from: &Path, over: &Path, leave: &[&str]) {
    for entry in walkdir::WalkDir::new(from).min_depth(1) {
        let entry = entry.unwrap();
        let beneath = entry.path().strip_prefix(from).unwrap();
        if leave.iter().any(|name| beneath == Path::new(name)) {
            continue;
        }
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(over.join(beneath)).unwrap();
        } else {
            std::fs::copy(entry.path(), over.join(beneath)).unwrap();
        }
    }
}

/// A sound cell, with the folders that a repository cannot hold.
pub(crate) fn base(cell: &Path) {
    for folder in [
        "agents",
        "tasks",
        "checkpoints",
        "logs",
        "artifacts",
        "config",
    ] {
        std::fs::create_dir_all(cell.join(folder)).unwrap();
    }
    lay(&fixtures("base"), cell, &[]);
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap())
        .collect()
}

/// What a repository cannot hold. Gives the arguments for validate.
fn make(fixture: &Path, cell: &mut PathBuf) -> Vec<String> {
    let Ok(acts) = std::fs::read_to_string(fixture.join("make")) else {
        return Vec::new();
    };
    let mut arguments = Vec::new();
    for act in acts.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = act.split_whitespace().collect();
        let path = |word: &str| cell.join(word);
        match words.as_slice() {
            ["rm", at] if path(at).is_dir() => std::fs::remove_dir_all(path(at)).unwrap(),
            ["rm", at] => std::fs::remove_file(path(at)).unwrap(),
            ["mkdir", at] => std::fs::create_dir_all(path(at)).unwrap(),
            ["link", target, at] => symlink(target, path(at)).unwrap(),
            ["fifo", at] => {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                rustix::fs::mknodat(
                    rustix::fs::CWD,
                    path(at),
                    rustix::fs::FileType::Fifo,
                    mode,
                    0,
                )
                .unwrap();
            }
            ["chmod", mode, at] => {
                let mode = u32::from_str_radix(mode, 8).unwrap();
                std::fs::set_permissions(path(at), std::fs::Permissions::from_mode(mode)).unwrap();
            }
            ["large", bytes, at] => std::fs::File::create(path(at))
                .unwrap()
                .set_len(bytes.parse().unwrap())
                .unwrap(),
            ["bytes", hex, at] => std::fs::write(path(at), unhex(hex)).unwrap(),
            ["name", hex, folder] => {
                std::fs::write(path(folder).join(OsStr::from_bytes(&unhex(hex))), "{}").unwrap();
            }
            ["folder", name] => {
                let renamed = cell.parent().unwrap().join(name);
                std::fs::rename(&cell, &renamed).unwrap();
                *cell = renamed;
            }
            ["argument", word] => arguments.push((*word).to_owned()),
            other => panic!("{}: no act {other:?}", fixture.display()),
        }
    }
    arguments
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(fixtures("broken"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

#[test]
fn each_broken_cell_is_told_in_its_words() {
    let bless = std::env::var_os("MCELL_BLESS").is_some();
    let mut differ = Vec::new();
    for fixture in folders() {
        let mut world = World::new();
        world.at_time("2026-01-03T00:00:00Z");
        let mut cell = world.root().join(ID);
        base(&cell);
        lay(&fixture, &cell, &["make", "expected"]);
        let arguments = make(&fixture, &mut cell);
        let mut line = vec![
            String::from("validate"),
            cell.display().to_string(),
            String::from("--all"),
        ];
        line.extend(arguments);
        let outcome = world.run(line);
        let said = outcome
            .out
            .replace(&world.root().display().to_string(), "ROOT");
        let code = fixture
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .get(..5)
            .unwrap()
            .to_owned();
        let name = fixture.display();
        assert!(
            said.contains(&format!("[{code}]")),
            "{name} is not found: {said}{}",
            outcome.err
        );
        assert_eq!(
            outcome.code,
            i32::from(said.contains("error[")),
            "{name}: the exit code"
        );
        let expected = fixture.join("expected");
        if bless {
            std::fs::write(&expected, &said).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted != said {
            differ.push(format!("{name}:\n--- expected\n{wanted}+++ said\n{said}"));
        }
        // Made unreadable, it could not be removed.
        let _ = std::fs::set_permissions(&cell, std::fs::Permissions::from_mode(0o755));
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn every_rule_has_a_folder_that_breaks_it() {
    let covered: BTreeSet<String> = folders()
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.get(..5).map(str::to_owned))
        .collect();
    let missing: Vec<&str> = mcell::mission::rules::all()
        .map(|rule| rule.code)
        .filter(|code| !covered.contains(*code))
        .collect();
    assert!(missing.is_empty(), "no fixture for {missing:?}");
    assert!(covered.len() >= 45, "{} rules", covered.len());
}

#[test]
fn a_sound_cell_gives_not_a_line() {
    let world = World::new();
    base(&world.root().join(ID));
    let outcome = world.mcell("validate -A").ok();
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
}
