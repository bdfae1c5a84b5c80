//! Backups: the same cell gives the same bytes, nothing stops work, and what comes from outside is not believed.

use crate::world::{MCELL, Outcome, World};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tar::{EntryType, Header};

/// A cell with an agent, tasks, a claim and artifacts.
fn world() -> World {
    let world = World::with_cell("Example");
    world.mcell("add-agent --role write").ok();
    world.mcell("add-task One").ok();
    world.mcell("add-task Two").ok();
    world
        .mcell("task claim task_001 --as agent_001 --lease 1h")
        .ok();
    let artifacts = world.cell().join("artifacts");
    std::fs::write(artifacts.join("code/small.rs"), "fn main() {}\n").unwrap();
    std::fs::write(artifacts.join("docs/large.bin"), noise(5 << 20)).unwrap();
    let long = artifacts.join("reports").join("deep/".repeat(30));
    std::fs::create_dir_all(&long).unwrap();
    std::fs::write(long.join("report.md"), "done\n").unwrap();
    world
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0] & 0x3f
    };
    (0..bytes).map(|_| next()).collect()
}

fn backup(world: &World, name: &str) -> PathBuf {
    let file = world.home().join(name);
    world
        .run(["cell", "backup", "-q", "-o", file.to_str().unwrap()])
        .ok();
    file
}

fn restore(world: &World, file: &Path, more: &[&str]) -> Outcome {
    let mut words = vec!["cell", "restore", file.to_str().unwrap(), "-q"];
    words.extend(more);
    world.run(words)
}

/// Every file of a cell but mcell's own, by its path in it.
fn files(cell: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(cell).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    let named = files.map(|entry| {
        let name = entry.path().strip_prefix(cell).unwrap().to_owned();
        (name, std::fs::read(entry.path()).unwrap())
    });
    named
        .filter(|(name, _)| !name.starts_with(".mcell"))
        .collect()
}

/// Every line of a journal carries the hash of the one before. Gives how many there are.
fn chain(cell: &Path) -> usize {
    let text = std::fs::read_to_string(cell.join("logs/journal.jsonl")).unwrap();
    let mut prev = String::new();
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["prev"], prev.as_str(), "{line}");
        prev = Sha256::digest(line.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
    }
    text.lines().count()
}

/// One entry of a backup as it is made by hand.
#[derive(Clone)]
struct Entry {
    sort: EntryType,
    path: Vec<u8>,
    text: Vec<u8>,
    link: &'static str,
}

fn entry(sort: EntryType, path: &str, text: &str) -> Entry {
    Entry {
        sort,
        path: path.into(),
        text: text.into(),
        link: if matches!(sort, EntryType::Symlink | EntryType::Link) {
            "/etc/passwd"
        } else {
            ""
        },
    }
}

fn entries(backup: &Path) -> Vec<Entry> {
    let packed = std::fs::read(backup).unwrap();
    let plain = zstd::decode_all(&packed[..]).unwrap();
    let mut archive = tar::Archive::new(&plain[..]);
    let all = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut text = Vec::new();
        entry.read_to_end(&mut text).unwrap();
        let (sort, path) = (entry.header().entry_type(), entry.path_bytes().into_owned());
        Entry {
            sort,
            path,
            text,
            link: "",
        }
    });
    all.collect()
}

fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut put = |sort, path: &[u8], text: &[u8], link: &str| {
        let mut header = Header::new_gnu();
        header.set_entry_type(sort);
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        if !link.is_empty() {
            header.set_link_name(link).unwrap();
        }
        for (byte, of_path) in header.as_old_mut().name.iter_mut().zip(path) {
            *byte = *of_path;
        }
        header.set_cksum();
        plain.write_all(header.as_bytes()).unwrap();
        plain.write_all(text).unwrap();
        plain.resize(plain.len().next_multiple_of(512), 0);
    };
    for entry in entries {
        if entry.path.len() > 100 {
            put(EntryType::GNULongName, b"././@LongLink", &entry.path, "");
        }
        put(entry.sort, &entry.path, &entry.text, entry.link);
    }
    plain.resize(plain.len() + 1024, 0);
    zstd::encode_all(&plain[..], 1).unwrap()
}

/// What lies under a root, its own things too, except for locks.
fn everything(root: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    entries
        .map(|entry| entry.unwrap().path().strip_prefix(root).unwrap().to_owned())
        .filter(|path| !path.starts_with(".mcell") || path.components().count() > 2)
        .collect()
}

#[test]
fn the_same_cell_gives_the_same_bytes_wherever_and_whosever_it_is() {
    let world = world();
    let one = std::fs::read(backup(&world, "one")).unwrap();
    let again = std::fs::read(backup(&world, "again")).unwrap();
    assert!(one == again, "two backups of one cell differ");
    let is_root = rustix::process::geteuid().is_root();
    for entry in walkdir::WalkDir::new(world.cell()) {
        let path = entry.unwrap().into_path();
        if is_root {
            std::os::unix::fs::chown(&path, Some(1234), Some(1234)).unwrap();
        }
        let then = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        std::fs::File::open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
    }
    let moved = std::fs::read(backup(&world, "moved")).unwrap();
    assert!(one == moved, "owner and times are in the backup");
    let piped = world
        .command(MCELL)
        .args(["cell", "backup", "-o", "-"])
        .output()
        .unwrap();
    assert!(
        piped.status.success() && piped.stdout == one,
        "another one goes to a pipe"
    );
}

#[test]
fn a_removed_cell_comes_back_as_it_was() {
    let world = world();
    std::fs::remove_dir_all(world.cell().join("artifacts/reports")).unwrap();
    world.mcell("task release task_001").ok();
    let (before, cell) = (files(&world.cell()), world.cell());
    let file = backup(&world, "cell.zst");
    restore(&world, &file, &[])
        .code(5)
        .says("lives under")
        .says("--as-copy");
    world.mcell("cell remove Example --yes").ok();
    let id = restore(&world, &file, &[]).ok();
    assert!(cell.ends_with(id.datum()));
    let mut after = files(&world.cell());
    for log in ["logs/journal.jsonl", "logs/mission.log"] {
        let (old, new) = (
            &before[Path::new(log)],
            after.insert(log.into(), Vec::new()).unwrap(),
        );
        assert!(
            new.starts_with(old) && new.len() > old.len(),
            "{log} does not go on"
        );
        after.insert(log.into(), old.clone());
    }
    assert!(before == after, "other files came back");
    chain(&cell);
    world.mcell("validate").ok().prints("");
    assert!(!cell.join("artifacts/reports").exists());
}

#[test]
fn a_copy_has_an_id_of_its_own_and_both_are_sound() {
    let world = world();
    let file = backup(&world, "cell.zst");
    let copy = restore(&world, &file, &["--as-copy"]).ok();
    let copy = world.root().join(copy.datum());
    let text = std::fs::read_to_string(copy.join("cell.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(copy.ends_with(record["cell_id"].as_str().unwrap()));
    chain(&copy);
    world.mcell("validate -A").ok().prints("");
    assert_eq!(
        std::fs::read_dir(world.root().join(".mcell/new"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn whoever_worked_for_the_lost_cell_is_fenced_and_the_holder_goes_on_with_its_new_token() {
    let world = world();
    let state = world.cell().join(".mcell/agents");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(
        state.join("agent_001.json"),
        "{\"incarnation\": 3, \"wanted\": \"running\"}",
    )
    .unwrap();
    let file = backup(&world, "cell.zst");
    // What the lost one went on giving is behind too.
    world.mcell("task claim task_001 --as agent_001").ok();
    let lost = world.mcell("task show task_001 --json").ok().json()["claim"]["token"]
        .as_u64()
        .unwrap();
    world.mcell("cell remove Example --yes").ok();
    restore(&world, &file, &[]).ok();
    world
        .mcell(&format!(
            "task complete task_001 --as agent_001 --token {lost}"
        ))
        .code(5);
    let now = world.mcell("task show task_001 --json").ok().json()["claim"]["token"]
        .as_u64()
        .unwrap();
    assert!(now > lost + 1000, "{now} is not above {lost}");
    let text = std::fs::read_to_string(world.cell().join(".mcell/agents/agent_001.json")).unwrap();
    assert_eq!(
        text,
        format!(
            "{{\"incarnation\": {}, \"wanted\": \"running\"}}",
            3 + (1 << 20)
        )
    );
    world
        .mcell(&format!(
            "task complete task_001 --as agent_001 --token {now}"
        ))
        .ok();
    world.mcell("validate").ok();
}

#[test]
fn a_backup_made_while_agents_run_and_commands_write_is_of_one_moment() {
    let world = World::with_cell("Example");
    let (cell, done) = (world.cell(), AtomicBool::new(false));
    let log = cell.join("artifacts/reports/run.log");
    std::fs::write(&log, noise(3 << 20)).unwrap();
    let mut backups = Vec::new();
    std::thread::scope(|threads| {
        for writer in 0..4 {
            let (world, done) = (&world, &done);
            let command = move |number: usize| {
                let mut command = world.command(MCELL);
                command.args(["add-task", &format!("{writer} {number}"), "-q"]);
                command
            };
            threads.spawn(move || {
                let mut number = 0;
                while !done.load(Ordering::Relaxed) {
                    let output = command(number).output().unwrap();
                    assert!(
                        output.status.success(),
                        "{}",
                        String::from_utf8_lossy(&output.stderr)
                    );
                    number += 1;
                }
            });
        }
        threads.spawn(|| {
            let mut log = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
            while !done.load(Ordering::Relaxed) {
                log.write_all(b"one more line\n").unwrap();
                std::thread::yield_now();
            }
        });
        for number in 0..6 {
            backups.push(backup(&world, &format!("{number}.zst")));
        }
        done.store(true, Ordering::Relaxed);
    });
    let mut lines = Vec::new();
    for file in backups {
        let copy = restore(&world, &file, &["--as-copy"]).ok();
        let copy = world.root().join(copy.datum());
        let journal = chain(&copy);
        let tasks = std::fs::read_dir(copy.join("tasks")).unwrap().count();
        // One line made the cell, one a task, one restored it.
        assert_eq!(journal, tasks + 2, "tasks and journal are of two moments");
        assert!(
            std::fs::read(copy.join("artifacts/reports/run.log"))
                .unwrap()
                .starts_with(&noise(3 << 20))
        );
        lines.push(journal);
    }
    assert!(lines[0] < lines[5], "nobody wrote meanwhile: {lines:?}");
    world.mcell("validate -A").ok().prints("");
}

#[test]
fn secrets_and_what_is_no_file_stay_here() {
    let world = world();
    let cell = world.cell();
    std::fs::write(cell.join("config/agent.env"), "KEY=hunter2").unwrap();
    std::fs::write(cell.join("artifacts/code/env"), "KEY=hunter3").unwrap();
    std::fs::write(cell.join("artifacts/api.token"), "hunter4").unwrap();
    std::fs::write(cell.join(".mcell/host"), "{}").unwrap();
    std::fs::create_dir_all(cell.join(".mcell/run")).unwrap();
    std::fs::write(cell.join(".mcell/run/agent_001.json"), "{}").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", cell.join("artifacts/link")).unwrap();
    std::os::unix::fs::symlink(
        cell.join("artifacts/code/env"),
        world.home().join("linked.env"),
    )
    .unwrap();
    for (role, env_file) in [
        ("read", cell.join("config/agent.env")),
        ("audit", world.home().join("linked.env")),
    ] {
        let env_file = env_file.to_str().unwrap().to_owned();
        world
            .run([
                "add-agent",
                "--role",
                role,
                "--env-file",
                &env_file,
                "--",
                "/bin/true",
            ])
            .ok();
    }
    let file = world.home().join("cell.zst");
    world
        .run(["cell", "backup", "-o", file.to_str().unwrap()])
        .ok()
        .shows("left out artifacts/link: it is a link")
        .shows("left out config/agent.env: it holds the environment")
        .shows("left out artifacts/code/env: it holds the environment")
        .shows("left out artifacts/api.token");
    let inside = entries(&file);
    let names: Vec<String> = inside
        .iter()
        .map(|entry| String::from_utf8(entry.path.clone()).unwrap())
        .collect();
    for entry in &inside {
        assert!(!String::from_utf8_lossy(&entry.text).contains("hunter"));
    }
    for gone in [
        ".mcell/host",
        ".mcell/run",
        ".mcell/lock",
        ".mcell/incoming",
        "link",
    ] {
        assert!(
            !names.iter().any(|name| name.contains(gone)),
            "{gone} travels: {names:?}"
        );
    }
    assert_eq!(
        (names[0].as_str(), names[names.len() - 1].as_str()),
        ("mcell-backup.json", "mcell-manifest.json")
    );
    let mut sorted = names[1..names.len() - 1].to_vec();
    sorted.sort();
    assert_eq!(
        sorted
            .iter()
            .map(|name| name.trim_end_matches('/'))
            .collect::<Vec<_>>(),
        names[1..names.len() - 1]
            .iter()
            .map(|name| name.trim_end_matches('/'))
            .collect::<Vec<_>>()
    );
}

#[test]
fn what_is_wrong_with_a_backup_is_named_and_nothing_of_it_is_left() {
    let world = world();
    let whole = backup(&world, "cell.zst");
    world.mcell("cell remove Example --yes").ok();
    let (good, packed) = (entries(&whole), std::fs::read(&whole).unwrap());
    let before = everything(&world.root());
    let refuse = |name: &str, bytes: &[u8], words: &str| {
        let file = world.home().join(format!("bad-{name}"));
        std::fs::write(&file, bytes).unwrap();
        restore(&world, &file, &[]).code(4).says(words);
        restore(&world, &file, &["--as-copy"]).code(4).says(words);
        assert_eq!(everything(&world.root()), before, "{name} left something");
    };
    let with = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut changed = good.clone();
        change(&mut changed);
        pack(&changed)
    };
    let last = good.len() - 1;
    let insert = |entry: Entry| with(&move |all| all.insert(last, entry.clone()));
    for at in [4, 100, packed.len() / 2, packed.len() - 3] {
        let mut flipped = packed.clone();
        flipped[at] ^= 0x20;
        refuse(&format!("flipped-{at}"), &flipped, "backup");
    }
    for share in [10, 50, 99] {
        refuse("truncated", &packed[..packed.len() * share / 100], "backup");
    }
    refuse("short", &packed[..packed.len() - 1], "backup");
    refuse("text", b"not a backup at all", "the backup is broken");
    refuse("empty", b"", "backup");
    refuse(
        "no-list",
        &with(&|all| drop(all.pop())),
        "without mcell-manifest.json",
    );
    refuse(
        "no-label",
        &with(&|all| drop(all.remove(0))),
        "no backup of a cell",
    );
    refuse(
        "other-bytes",
        &with(&|all| {
            let cell = all
                .iter_mut()
                .find(|entry| entry.path == b"cell.json")
                .unwrap();
            let at = cell
                .text
                .windows(7)
                .position(|part| part == b"Example")
                .unwrap();
            cell.text[at] = b'e';
        }),
        "cell.json is not what was backed up",
    );
    refuse(
        "missing",
        &with(&|all| all.retain(|entry| entry.path != b"tasks/task_001.json")),
        "tasks/task_001.json is missing",
    );
    refuse(
        "twice",
        &insert(entry(
            EntryType::Regular,
            "artifacts/code/small.rs",
            "other",
        )),
        "is in it 2 times",
    );
    refuse(
        "unlisted",
        &insert(entry(EntryType::Regular, "artifacts/more", "x")),
        "artifacts/more is in no list",
    );
    for (path, words) in [
        ("../x", "leads out of the cell"),
        ("artifacts/../../x", "leads out of the cell"),
        ("/tmp/mcell-absolute", "is an absolute path"),
        ("artifacts//x", "is not a clean path"),
        (".mcell/lock", "no part of a cell that travels"),
        (
            ".mcell/run/agent_001.json",
            "no part of a cell that travels",
        ),
        ("other.json", "no part of a cell that travels"),
        ("cell.json/x", "file and as a folder"),
    ] {
        let words = if path == "cell.json/x" {
            "cell.json"
        } else {
            words
        };
        refuse("path", &insert(entry(EntryType::Regular, path, "x")), words);
    }
    for (sort, word) in [
        (EntryType::Symlink, "a symbolic link"),
        (EntryType::Link, "a hard link"),
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a FIFO"),
        (EntryType::XHeader, "of a sort that no backup has"),
        (EntryType::GNUSparse, "the backup is broken"),
    ] {
        refuse("sort", &insert(entry(sort, "artifacts/odd", "")), word);
    }
    let mut not_utf8 = entry(EntryType::Regular, "artifacts/x", "x");
    not_utf8.path = b"artifacts/\xff".to_vec();
    refuse("not-utf8", &insert(not_utf8), "is not UTF-8");
    let large = entry(
        EntryType::Regular,
        "tasks/task_003.json",
        &" ".repeat((16 << 20) + 1),
    );
    refuse("large-record", &insert(large), "a mission file has");
    let tiny: Vec<Entry> = (0..100_000)
        .map(|number| entry(EntryType::Regular, &format!("artifacts/{number}"), ""))
        .collect();
    refuse(
        "tiny",
        &with(&|all| drop(all.splice(last..last, tiny.iter().cloned()))),
        "is in no list",
    );
    // The one that is whole is restored all the same.
    restore(&world, &whole, &[]).ok();
    assert!(!world.place().join("x").exists() && !Path::new("/tmp/mcell-absolute").exists());
}

#[test]
fn a_backup_larger_than_the_disk_has_room_for_is_refused_before_it_is_written() {
    let world = world();
    let good = entries(&backup(&world, "cell.zst"));
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..11].copy_from_slice(b"artifacts/x");
    header.set_size(1 << 60);
    header.set_mode(0o644);
    header.set_cksum();
    let label = zstd::decode_all(&pack(&good[..1])[..]).unwrap();
    let plain = [&label[..label.len() - 1024], header.as_bytes()].concat();
    let file = world.home().join("bomb");
    std::fs::write(&file, zstd::encode_all(&plain[..], 1).unwrap()).unwrap();
    restore(&world, &file, &["--as-copy"])
        .code(7)
        .says("bytes that are free here");
}

#[test]
fn a_restore_killed_at_any_moment_leaves_no_half_cell_and_the_next_one_sweeps() {
    let world = world();
    std::fs::write(
        world.cell().join("artifacts/docs/more.bin"),
        noise(40 << 20),
    )
    .unwrap();
    let file = backup(&world, "cell.zst");
    let before = files(&world.cell());
    world.mcell("cell remove Example --yes").ok();
    let start = || {
        let mut command = world.command(MCELL);
        command.args(["cell", "restore", file.to_str().unwrap(), "-q"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let begun = Instant::now();
    assert!(start().wait().unwrap().success());
    let whole = begun.elapsed();
    let mut killed = 0;
    for moment in 0..20 {
        world.mcell("cell list -q --all").ok();
        if world
            .root()
            .read_dir()
            .unwrap()
            .flatten()
            .any(|entry| entry.path().join("cell.json").exists())
        {
            world.mcell("cell remove Example --yes").ok();
        }
        let mut child = start();
        std::thread::sleep(whole * moment / 20);
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        for entry in world.root().read_dir().unwrap().flatten() {
            if entry.path().join("cell.json").exists() {
                let mut after = files(&entry.path());
                after.retain(|name, _| name.starts_with("artifacts"));
                assert!(
                    after.iter().all(|(name, text)| before[name] == *text),
                    "a half cell is seen"
                );
            }
        }
    }
    assert!(killed >= 10, "it was killed {killed} times only");
    world.mcell("init Other").ok();
    assert_eq!(
        world.root().join(".mcell/new").read_dir().unwrap().count(),
        0
    );
}

#[test]
fn a_cell_that_cannot_be_backed_up_does_not_stop_the_others() {
    let world = world();
    world.mcell("init Second").ok();
    std::fs::create_dir(world.root().join("00000000-0000-4000-8000-000000000000")).unwrap();
    let to = world.home().join("to");
    std::fs::create_dir(&to).unwrap();
    let outcome = world
        .run(["cell", "backup", "-A", "-q", "--to", to.to_str().unwrap()])
        .code(3)
        .says("is no cell");
    assert_eq!(outcome.out.lines().count(), 2);
    assert!(
        outcome
            .out
            .lines()
            .all(|file| Path::new(file).exists() && file.ends_with(".mcell.tar.zst"))
    );
    assert_eq!(to.read_dir().unwrap().count(), 2);
}

#[test]
fn a_file_that_is_there_is_not_replaced_and_agents_may_not() {
    let world = world();
    let file = backup(&world, "cell.zst");
    let file = file.to_str().unwrap();
    world
        .run(["cell", "backup", "-o", file])
        .code(5)
        .says("is there already")
        .says("--force");
    world.run(["cell", "backup", "-o", file, "--force"]).ok();
    for line in [
        "cell backup --as agent_001",
        "cell restore x --as agent_001",
        "cell take-over --as agent_001",
    ] {
        world.mcell(line).code(5).says("only an operator");
    }
    world.mcell("cell restore nothing.zst").code(3);
    let left = world
        .home()
        .read_dir()
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_cell_in_the_hands_of_a_writer_is_waited_for_and_the_writer_named() {
    let mut world = world();
    world.set("MCELL_LOCK_TIMEOUT", "1");
    let lock = std::fs::File::open(world.cell().join(".mcell/lock")).unwrap();
    lock.lock().unwrap();
    world.mcell("cell backup").code(6).says("pid");
    lock.unlock().unwrap();
    world.mcell("cell backup").ok();
}
