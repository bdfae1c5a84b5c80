//! Each rule has a folder under fixtures/broken that breaks it, and the words that `validate` must find for it.

use crate::world::{Outcome, World, require};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

pub(crate) const ID: &str = "c0ffee00-0000-4000-8000-000000000001";

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

/// A sound cell over which one fixture is laid.
pub(crate) struct Broken {
    pub(crate) cell: PathBuf,
    /// Further arguments for validate.
    arguments: Vec<String>,
    /// Whether modes must stop the program, as they do not stop root.
    heeds_modes: bool,
}

/// A world at the time of the fixtures, with the cell of one in it.
pub(crate) fn world_of(fixture: &Path) -> (World, Broken) {
    let world = world();
    let cell = Broken::lay(fixture, &world.root().join(ID));
    (world, cell)
}

/// A world at the time of the fixtures.
pub(crate) fn world() -> World {
    let mut world = World::new();
    world.at_time("2026-01-03T00:00:00Z");
    world
}

impl Broken {
    /// Makes the cell of a fixture.
    pub(crate) fn lay(fixture: &Path, cell: &Path) -> Self {
        base(cell);
        lay(fixture, cell, &["make", "expected", "named", "unsaid"]);
        let mut broken = Broken {
            cell: cell.to_owned(),
            arguments: Vec::new(),
            heeds_modes: false,
        };
        let acts = std::fs::read_to_string(fixture.join("make")).unwrap_or_default();
        for act in acts.lines().filter(|line| !line.trim().is_empty()) {
            broken.act(act);
        }
        broken
    }

    /// Does what a line of `make` says.
    fn act(&mut self, act: &str) {
        let cell = self.cell.clone();
        let path = |word: &str| cell.join(word);
        let words: Vec<&str> = act.split_whitespace().collect();
        match words.as_slice() {
            ["rm", at] if path(at).is_dir() => std::fs::remove_dir_all(path(at)).unwrap(),
            ["rm", at] => std::fs::remove_file(path(at)).unwrap(),
            ["mkdir", at] => std::fs::create_dir_all(path(at)).unwrap(),
            ["link", target, at] => symlink(target, path(at)).unwrap(),
            ["fifo", at] => {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                let kind = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, path(at), kind, mode, 0).unwrap();
            }
            ["chmod", mode, at] => chmod(&path(at), u32::from_str_radix(mode, 8).unwrap()),
            ["unreadable", at] => {
                chmod(&path(at), 0);
                self.heeds_modes = true;
            }
            ["large", bytes, at] => std::fs::File::create(path(at))
                .unwrap()
                .set_len(bytes.parse().unwrap())
                .unwrap(),
            ["repeat", count, text, at] => {
                let text = text.repeat(count.parse().unwrap());
                std::fs::write(path(at), text).unwrap();
            }
            ["bytes", hex, at] => std::fs::write(path(at), unhex(hex)).unwrap(),
            ["name", hex, folder] => {
                let name = unhex(hex);
                std::fs::write(path(folder).join(OsStr::from_bytes(&name)), "{}").unwrap();
            }
            ["folder", name] => {
                self.cell = cell.with_file_name(name);
                std::fs::rename(&cell, &self.cell).unwrap();
            }
            ["argument", word] => self.arguments.push((*word).to_owned()),
            _ => panic!("there is no act `{act}`"),
        }
    }

    /// Whether this machine can show it: as root, modes stop a program only once its powers are taken away.
    pub(crate) fn can_be_shown(&self) -> bool {
        !self.needs_setpriv() || require("setpriv")
    }

    fn needs_setpriv(&self) -> bool {
        self.heeds_modes && rustix::process::geteuid().is_root()
    }

    /// Runs `mcell validate CELL --all` with the arguments of the fixture and these.
    pub(crate) fn validate(&self, world: &World, more: &[&str]) -> Outcome {
        let mut line = vec!["validate".to_owned(), self.cell.display().to_string()];
        line.push("--all".to_owned());
        line.extend(self.arguments.iter().cloned());
        line.extend(more.iter().map(|word| (*word).to_owned()));
        if self.needs_setpriv() {
            world.run_without_powers(line)
        } else {
            world.run(line)
        }
    }
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The fixtures, sorted.
pub(crate) fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(fixtures("broken"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// The name of a fixture's folder.
pub(crate) fn name(fixture: &Path) -> &str {
    fixture.file_name().unwrap().to_str().unwrap()
}

/// The code of the rule that a fixture breaks.
pub(crate) fn code(fixture: &Path) -> &str {
    name(fixture).get(..5).unwrap()
}

#[test]
fn each_broken_cell_is_told_in_its_words() {
    let bless = std::env::var_os("MCELL_BLESS").is_some();
    let mut differ = Vec::new();
    for fixture in folders() {
        let (name, code) = (name(&fixture), code(&fixture));
        let (world, broken) = world_of(&fixture);
        if !broken.can_be_shown() {
            continue;
        }
        let outcome = broken.validate(&world, &[]);
        let root = world.root().display().to_string();
        let said = outcome.out.replace(&root, "ROOT");
        assert!(
            said.contains(&format!("[{code}]")),
            "{name} is not found: {said}{}",
            outcome.err
        );
        let is_error = said.contains("error[");
        assert_eq!(
            outcome.code,
            i32::from(is_error),
            "{name}: the exit code\n{said}"
        );
        let expected = fixture.join("expected");
        if bless {
            std::fs::write(&expected, &said).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted != said {
            differ.push(format!("{name}:\n--- expected\n{wanted}+++ said\n{said}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn every_rule_has_a_folder_that_breaks_it() {
    let names: BTreeSet<String> = folders()
        .iter()
        .map(|fixture| name(fixture).split("--").next().unwrap().to_owned())
        .collect();
    let rules: BTreeSet<String> = mcell::mission::rules::all()
        .map(|rule| format!("{}-{}", rule.code, rule.name))
        .collect();
    let missing: Vec<&String> = rules.difference(&names).collect();
    assert!(missing.is_empty(), "no fixture for {missing:?}");
    let of_none: Vec<&String> = names.difference(&rules).collect();
    assert!(of_none.is_empty(), "no rule is called {of_none:?}");
    assert!(rules.len() >= 45, "{} rules", rules.len());
}

#[test]
fn a_sound_cell_gives_not_a_line() {
    let world = World::new();
    base(&world.root().join(ID));
    let outcome = world.mcell("validate -A").ok();
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("", ""));
}

#[test]
fn every_command_that_a_way_out_names_is_there() {
    let world = World::new();
    let mut texts: Vec<String> = folders()
        .iter()
        .map(|fixture| std::fs::read_to_string(fixture.join("expected")).unwrap())
        .collect();
    texts.extend(mcell::mission::rules::all().map(|rule| format!("{} {}", rule.why, rule.mend)));
    let commands: BTreeSet<(String, String)> = texts
        .iter()
        .flat_map(|text| text.split('`').skip(1).step_by(2))
        .filter_map(|code| {
            let mut words = code.strip_prefix("mcell ")?.split(' ');
            Some((
                words.next()?.to_owned(),
                words.next().unwrap_or_default().to_owned(),
            ))
        })
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    for (command, verb) in commands {
        let help = world.mcell(&format!("{command} --help")).ok();
        if help.out.contains("\nCommands:\n") {
            help.shows(&format!("\n  {verb} "));
        }
    }
}
