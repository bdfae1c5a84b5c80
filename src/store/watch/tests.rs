//! Whose a watch is; what events mean is tried where they are used, in `daemon/tree`.

use super::*;
use std::fs::{create_dir, rename, write};

struct Place {
    folder: tempfile::TempDir,
    watch: Watch,
}

impl Place {
    fn new(most: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let watch = Watch::of(&root, most).unwrap();
        Place { folder, watch }
    }

    /// A cell with its agents, and nothing else.
    fn make(&self, name: &str) -> CellId {
        create_dir(self.path(name)).unwrap();
        create_dir(self.path(name).join("agents")).unwrap();
        CellId::new(name).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn told(&mut self) -> Vec<String> {
        let changes = self.watch.drain().unwrap();
        changes.cells.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn a_folder_that_two_cells_have_is_told_of_one_and_the_other_is_compared() {
    let mut place = Place::new(usize::MAX);
    let one = place.make("one");
    place.watch.add(&one);
    // As by a bind mount: the same folder under another name.
    rename(place.path("one"), place.path("two")).unwrap();
    let two = CellId::new("two").unwrap();
    place.watch.add(&two);
    assert!(place.watch.tells_of(&two) && !place.watch.tells_of(&one));
    place.told();
    write(place.path("two").join("agents/a.json"), "").unwrap();
    assert_eq!(place.told(), ["two"]);
    // What is taken from the one by then is the other's.
    place.watch.forget(&one);
    write(place.path("two").join("agents/b.json"), "").unwrap();
    assert_eq!(place.told(), ["two"]);
}

#[test]
fn of_a_folder_that_was_replaced_nothing_is_told_any_more() {
    let mut place = Place::new(usize::MAX);
    let one = place.make("one");
    place.watch.add(&one);
    rename(place.path("one").join("agents"), place.path(".before")).unwrap();
    create_dir(place.path("one").join("agents")).unwrap();
    assert_eq!(place.told(), ["one"]);
    place.watch.add(&one);
    place.told();
    write(place.path(".before").join("a.json"), "").unwrap();
    assert!(place.told().is_empty());
    write(place.path("one").join("agents/a.json"), "").unwrap();
    assert_eq!(place.told(), ["one"]);
    place.watch.forget(&one);
    place.told();
    write(place.path("one").join("agents/b.json"), "").unwrap();
    assert!(place.told().is_empty());
}

#[test]
fn what_a_commit_makes_on_its_way_is_nothing() {
    let mut place = Place::new(usize::MAX);
    let one = place.make("one");
    let cell = place.path("one");
    for folder in [".mcell", ".mcell/run"] {
        create_dir(cell.join(folder)).unwrap();
    }
    place.watch.add(&one);
    place.told();
    for name in [
        "agents/.agent_001.json.7-0.tmp",
        ".mcell/lock",
        ".mcell/.fence.7-0.tmp",
        ".mcell/artifacts.json",
        ".mcell/run/.agent_001.beat.tmp",
        "NOTES",
    ] {
        write(cell.join(name), "text").unwrap();
        assert_eq!(place.watch.drain().unwrap(), Changes::default(), "{name}");
    }
    rename(
        cell.join("agents/.agent_001.json.7-0.tmp"),
        cell.join("agents/a.json"),
    )
    .unwrap();
    assert_eq!(place.told(), ["one"]);
}

#[test]
fn a_cell_that_gets_no_watch_takes_none_from_others() {
    // The root's, a whole cell's, and one more.
    let mut place = Place::new(4);
    let (one, two) = (place.make("one"), place.make("two"));
    place.watch.add(&one);
    create_dir(place.path("two").join("tasks")).unwrap();
    place.watch.add(&two);
    assert!(place.watch.tells_of(&one));
    assert_eq!(place.watch.unwatched().iter().collect::<Vec<_>>(), [&two]);
    let complaint = place.watch.complaint().unwrap();
    assert!(
        complaint.contains("files: 1;") && complaint.contains("fs.inotify.max_user_watches"),
        "{complaint}"
    );
    assert_eq!(place.watch.complaint(), None);
    place.told();
    write(place.path("two").join("agents/a.json"), "").unwrap();
    assert!(place.told().is_empty());
    // Where there are some again it is told of again, and a next time that they run out is said.
    place.watch.forget(&one);
    place.watch.add(&two);
    assert!(place.watch.tells_of(&two));
    assert_eq!(place.watch.complaint(), None);
    place.watch.add(&one);
    assert!(place.watch.complaint().is_some());
}

#[test]
fn where_others_may_write_every_cell_is_compared_and_told_of_too() {
    let mut place = Place::new(usize::MAX);
    place.watch.is_shared = true;
    let one = place.make("one");
    place.watch.add(&one);
    assert!(!place.watch.tells_of(&one) && place.watch.unwatched().contains(&one));
    assert!(place.watch.drain().unwrap().root);
    let complaint = place.watch.complaint().unwrap();
    assert!(complaint.contains("other machines"), "{complaint}");
    write(place.path("one").join("agents/a.json"), "").unwrap();
    assert_eq!(place.told(), ["one"]);
}
