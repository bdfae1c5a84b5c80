//! What a stranger, a small system or an unlucky moment may bring.

use super::*;
use crate::store::census::{Look, Seen};
use crate::store::survey::{Depth, Surveyor};
use rustix::fs::{FileType, Mode};

fn fifo(path: &Path) {
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, FileType::Fifo, mode, 0).unwrap();
}

#[test]
fn one_bad_file_never_loses_the_rest() {
    let mut yard = Yard::new();
    yard.world.add_agent();
    let outside = yard.root().join(".outside");
    std::fs::write(&outside, agent_json("agent_009")).unwrap();
    std::fs::create_dir_all(yard.path(".mcell/run")).unwrap();
    std::fs::create_dir_all(yard.path(".mcell/agents/agent_001.json")).unwrap();
    fifo(&yard.path("agents/agent_009.json"));
    fifo(&yard.path(".mcell/run/agent_001.lock"));
    std::os::unix::fs::symlink(&outside, yard.path("agents/agent_010.json")).unwrap();
    std::fs::create_dir(yard.path("agents/agent_011.json")).unwrap();
    std::fs::write(yard.path("agents/agent_012.json"), "{").unwrap();
    std::fs::write(yard.path("agents/-rf.json"), "{}").unwrap();
    std::fs::write(yard.path(".mcell/run/agent_002.json"), "[]").unwrap();
    std::fs::write(yard.path(".mcell/fence"), "{\"held\": 3}").unwrap();
    yard.is_as_the_disk();
    let ids: Vec<&str> = yard
        .census()
        .agents
        .iter()
        .map(|agent| agent.id.as_str())
        .collect();
    assert_eq!(ids, ["agent_001", "agent_002"]);
    let troubles = &yard.census().troubles;
    for (file, why) in [
        ("agents/agent_009.json", "a FIFO"),
        ("agents/agent_010.json", "a symbolic link"),
        ("agents/agent_011.json", "a folder"),
        ("agents/agent_012.json", ": "),
        ("agents/-rf.json", "cannot be an id"),
        (".mcell/run/agent_001.lock", "special file"),
        (".mcell/run/agent_002.json", "cannot be read"),
        (".mcell/fence", "cannot be read"),
    ] {
        let told = troubles
            .iter()
            .any(|trouble| trouble.contains(file) && trouble.contains(why));
        assert!(told, "{file}: {troubles:#?}");
    }
    assert!(yard.census().due.is_empty() && yard.agent().run.is_none());
    // Nothing is started beside what may live.
    assert!(yard.agent().is_alive);
}

#[test]
fn an_agent_that_cannot_be_read_any_more_is_a_trouble() {
    let mut yard = Yard::new();
    std::fs::write(
        yard.path("agents/agent_001.json"),
        "{\"agent_id\": \"agent_001\"}",
    )
    .unwrap();
    assert!(yard.sees_the_cell_change());
    assert!(yard.census().agents.is_empty());
    assert_eq!(yard.census().troubles.len(), 1);
}

#[test]
fn a_cell_whose_file_is_broken_is_one_without_a_state() {
    let mut yard = Yard::new();
    std::fs::write(yard.path("cell.json"), "{").unwrap();
    assert!(yard.sees_the_cell_change());
    assert_eq!(
        (yard.census().status, yard.census().agents.len()),
        (None, 1)
    );
    assert_eq!(yard.tree.troubles().count(), 1);
}

#[test]
fn a_folder_of_rubbish_takes_no_memory() {
    let mut yard = Yard::new();
    for number in 0..500 {
        std::fs::write(yard.path(&format!("agents/bad-{number}.json")), "{").unwrap();
    }
    assert!(yard.sees_the_cell_change());
    assert_eq!(
        (yard.census().troubles.len(), yard.census().agents.len()),
        (21, 1)
    );
}

#[test]
fn what_is_no_cell_is_named_and_not_entered() {
    use std::os::unix::ffi::OsStrExt;
    let mut yard = Yard::new();
    let root = yard.root();
    let other = tempfile::tempdir().unwrap();
    by_hand(other.path(), "one");
    std::os::unix::fs::symlink(other.path().join("one"), root.join("linked")).unwrap();
    std::fs::create_dir(root.join("not an id")).unwrap();
    std::fs::create_dir(root.join(std::ffi::OsStr::from_bytes(b"\xff"))).unwrap();
    fifo(&root.join("pipe"));
    std::fs::write(root.join("README.md"), "").unwrap();
    assert_eq!(yard.refresh(), Refreshed::default());
    assert_eq!(yard.tree.troubles().count(), 4);
    yard.is_as_the_disk();
    // Nor are the folders of a cell that lead elsewhere.
    std::fs::remove_dir_all(yard.path("agents")).unwrap();
    std::os::unix::fs::symlink(other.path().join("one/agents"), yard.path("agents")).unwrap();
    assert!(yard.sees_the_cell_change());
    assert!(yard.census().agents.is_empty());
    std::fs::write(other.path().join("one/agents/b.json"), agent_json("b")).unwrap();
    assert_eq!(yard.refresh(), Refreshed::default());
    for name in ["linked", "pipe"] {
        std::fs::remove_file(root.join(name)).unwrap();
    }
    std::fs::remove_dir(root.join("not an id")).unwrap();
    yard.is_as_the_disk();
}

/// How many events the system keeps.
fn queue() -> usize {
    let text = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    text.trim().parse().unwrap()
}

#[test]
fn events_that_were_lost_are_made_up_for() {
    let mut yard = Yard::new();
    if queue() > 100_000 {
        println!("SKIPPED: {} events are kept", queue());
        return;
    }
    for number in 0..queue() {
        // Names that mean nothing: all that is seen afterwards is seen for the loss.
        std::fs::write(yard.path(&format!("agents/.{}", number % 2)), "").unwrap();
    }
    yard.world.add_agent();
    let refreshed = yard.refresh();
    assert!(refreshed.is_full);
    assert_eq!(refreshed.changed, BTreeSet::from([yard.id()]));
    assert_eq!(yard.refresh(), Refreshed::default());
}

/// With few watches, and with none.
fn short_yards() -> [Yard; 2] {
    [Yard::with_most(5), Yard::with_most(0)]
}

#[test]
fn where_watches_run_out_the_times_of_files_tell() {
    for mut yard in short_yards() {
        // What was just written is read until its time proves something.
        let id = yard.id();
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        while !yard.tree.stamps.contains_key(&id) {
            assert!(std::time::Instant::now() < deadline);
            yard.refresh();
        }
        assert_eq!(yard.refresh(), Refreshed::default());
        yard.world.add_agent();
        assert!(yard.sees_the_cell_change());
        let text = std::fs::read_to_string(yard.path("agents/agent_001.json")).unwrap();
        let text = text.replacen("\"idle\"", "\"failed\"", 1);
        std::fs::write(yard.path("agents/agent_001.json"), text).unwrap();
        assert!(yard.sees_the_cell_change());
        by_hand(&yard.root(), "two");
        assert_eq!(yard.refresh().changed.len(), 1);
        std::fs::remove_dir_all(yard.root().join("two")).unwrap();
        assert_eq!(yard.refresh().went.len(), 1);
        std::fs::create_dir_all(yard.path(".mcell/run")).unwrap();
        std::fs::write(yard.path(".mcell/run/agent_001.lock"), "").unwrap();
        yard.refresh();
        // A lock leaves no time behind: such a cell is read each time.
        let lock = std::fs::File::open(yard.path(".mcell/run/agent_001.lock")).unwrap();
        assert!(crate::store::fs2::try_lock(&lock, true).unwrap());
        assert!(yard.sees_the_cell_change());
        assert!(yard.agent().is_alive);
        drop(lock);
        assert!(yard.sees_the_cell_change());
    }
}

#[test]
fn that_watches_run_out_is_said_once_with_the_way_out() {
    for most in [5, 0] {
        let world = World::in_memory();
        let tree = Tree::open(world.root().path(), EVERY).unwrap();
        let mut tree = Tree { most, ..tree };
        let now = world.session.moment();
        let notes = tree.refresh(&now).unwrap().notes;
        assert!(
            matches!(notes.as_slice(), [note] if note.contains("fs.inotify.max_user_")),
            "{notes:?}"
        );
        by_hand(world.root().path(), "two");
        assert_eq!(tree.refresh(&now).unwrap().notes, [""; 0]);
    }
}

#[test]
fn what_could_not_be_read_for_want_of_descriptors_stays_as_it_was() {
    let mut yard = Yard::new();
    let id = yard.id();
    let before = yard.census().clone();
    let mut refreshed = Refreshed::default();
    yard.tree.take(
        id.as_str(),
        Seen::Untold(String::from("too many open files")),
        &mut refreshed,
    );
    let mut surveyor = Surveyor::new(Depth::Crew);
    let root = yard.world.root();
    let look = crate::store::census::look_up(&mut surveyor, &root, &id, false);
    let Seen::Cell(look) = look else {
        panic!("{look:?}")
    };
    let mut census = look.census.clone();
    census.agents.clear();
    let short = Look {
        census,
        ran_short: true,
        ..*look
    };
    yard.tree
        .take(id.as_str(), Seen::Cell(Box::new(short)), &mut refreshed);
    assert_eq!(refreshed, Refreshed::default());
    assert_eq!(*yard.census(), before);
    assert_eq!(yard.tree.troubles().count(), 1);
    // And is read again, though no event tells of it.
    assert_eq!(yard.refresh(), Refreshed::default());
    assert_eq!(yard.tree.troubles().count(), 0);
    assert!(yard.tree.again.is_empty());
}

#[test]
fn a_runner_that_ends_is_seen_though_its_lock_lingers() {
    let mut yard = Yard::new();
    std::fs::create_dir_all(yard.path(".mcell/run")).unwrap();
    let path = yard.path(".mcell/run/agent_001.lock");
    let handle = std::fs::File::create(&path).unwrap();
    // Who holds it goes without an event: as the kernel closes a file a moment before it lets its lock go.
    let lock = std::fs::File::open(&path).unwrap();
    assert!(crate::store::fs2::try_lock(&lock, true).unwrap());
    assert!(yard.sees_the_cell_change());
    drop(handle);
    assert!(yard.refresh().is_soon && yard.agent().is_alive);
    drop(lock);
    let refreshed = yard.refresh();
    assert!(!yard.agent().is_alive && !refreshed.is_soon);
    assert_eq!(refreshed.changed.len(), 1);
}

#[test]
fn a_lock_of_which_no_event_tells_is_seen_by_the_next_full_look() {
    let mut yard = Yard::new();
    std::fs::create_dir_all(yard.path(".mcell/run")).unwrap();
    let path = yard.path(".mcell/run/agent_001.lock");
    std::fs::write(&path, "").unwrap();
    yard.refresh();
    let lock = std::fs::File::open(&path).unwrap();
    assert!(crate::store::fs2::try_lock(&lock, true).unwrap());
    assert_eq!(yard.refresh(), Refreshed::default());
    yard.up += u64::try_from(EVERY.as_millis()).unwrap();
    assert_eq!(yard.refresh().changed.len(), 1);
    assert!(yard.agent().is_alive);
}
