//! Cells, agents and roots that come and go.

use super::*;
use crate::ops::{agent, cell};

#[test]
fn a_cell_that_is_removed_and_put_back_goes_and_comes() {
    let mut yard = Yard::new();
    let id = yard.id();
    let removed = cell::remove(&yard.world.session, &yard.world.cell).unwrap();
    let refreshed = yard.refresh();
    assert_eq!(
        (refreshed.went, refreshed.is_full),
        (BTreeSet::from([id]), false)
    );
    assert!(yard.tree.cells().is_empty() && yard.tree.troubles().next().is_none());
    let undo: Vec<&str> = removed.undo.split(' ').collect();
    let [_, from, to] = undo.as_slice() else {
        panic!("{undo:?}")
    };
    std::fs::rename(from, to).unwrap();
    assert!(yard.sees_the_cell_change());
    // Its watches came back with it.
    yard.world.add_agent();
    assert!(yard.sees_the_cell_change());
}

#[test]
fn a_cell_that_gets_another_name_is_another_cell() {
    let mut yard = Yard::new();
    // One name sorts before the other, then after it: what is watched anew is not unwatched by what is gone.
    for (from, to) in [("m", "z"), ("z", "a"), ("a", "m")] {
        let root = yard.root();
        if from == "m" {
            by_hand(&root, "m");
            yard.refresh();
        }
        std::fs::rename(root.join(from), root.join(to)).unwrap();
        let refreshed = yard.refresh();
        let names =
            |ids: &BTreeSet<CellId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (names(&refreshed.went), names(&refreshed.changed)),
            (vec![from.into()], vec![to.into()])
        );
        assert!(yard.tree.watch.as_ref().unwrap().unwatched().is_empty());
        std::fs::write(root.join(to).join("agents/b.json"), agent_json("b")).unwrap();
        assert_eq!(names(&yard.refresh().changed), [to]);
        std::fs::remove_file(root.join(to).join("agents/b.json")).unwrap();
        assert_eq!(names(&yard.refresh().changed), [to]);
    }
}

#[test]
fn two_cells_that_change_places_keep_their_watches() {
    let mut yard = Yard::new();
    let root = yard.root();
    by_hand(&root, "one");
    by_hand(&root, "two");
    std::fs::write(root.join("two/agents/only.json"), agent_json("only")).unwrap();
    yard.refresh();
    std::fs::rename(root.join("one"), root.join(".between")).unwrap();
    std::fs::rename(root.join("two"), root.join("one")).unwrap();
    std::fs::rename(root.join(".between"), root.join("two")).unwrap();
    yard.is_as_the_disk();
    for name in ["one", "two"] {
        std::fs::write(
            root.join(name).join("agents/later.json"),
            agent_json("later"),
        )
        .unwrap();
        let id = CellId::new(name).unwrap();
        assert_eq!(yard.refresh().changed, BTreeSet::from([id]));
    }
}

#[test]
fn an_agent_that_is_removed_is_forgotten() {
    let mut yard = Yard::new();
    let id = yard.agent().id.clone();
    agent::remove(&yard.world.session, &yard.world.cell, &id).unwrap();
    assert!(yard.sees_the_cell_change());
    assert!(yard.census().agents.is_empty());
    yard.world.add_agent();
    yard.refresh();
    std::fs::remove_dir_all(yard.path("agents")).unwrap();
    assert!(yard.sees_the_cell_change());
    assert!(yard.census().agents.is_empty() && yard.census().troubles.is_empty());
}

#[test]
fn a_cell_made_by_hand_is_one_as_soon_as_it_has_its_file() {
    let mut yard = Yard::new();
    let cell = yard.root().join("3f0d2c6e-8f0b-4c39-9d0e-5f3c3c2a1b00");
    std::fs::create_dir(&cell).unwrap();
    yard.refresh();
    let troubles: Vec<String> = yard.tree.troubles().collect();
    assert!(
        matches!(troubles.as_slice(), [one] if one.ends_with("is no cell: it has no cell.json")),
        "{troubles:?}"
    );
    std::fs::write(
        cell.join("cell.json"),
        cell_json("3f0d2c6e-8f0b-4c39-9d0e-5f3c3c2a1b00"),
    )
    .unwrap();
    assert_eq!(yard.refresh().changed.len(), 1);
    assert_eq!(yard.tree.troubles().count(), 0);
    std::fs::remove_file(cell.join("cell.json")).unwrap();
    assert_eq!(yard.refresh().went.len(), 1);
}

#[test]
fn a_root_that_is_gone_takes_nothing_with_it() {
    let mut yard = Yard::new();
    let known = yard.tree.cells().clone();
    // A tree of its own, since the world's folder has to stay.
    let place = tempfile::tempdir().unwrap();
    let (root, aside) = (place.path().join("root"), place.path().join("aside"));
    std::fs::create_dir(&root).unwrap();
    by_hand(&root, "one");
    yard.tree = Tree::open(&root, EVERY).unwrap();
    yard.refresh();
    assert_eq!(yard.tree.cells().len(), 1);
    std::fs::rename(&root, &aside).unwrap();
    for _ in 0..2 {
        let gone = yard.tree.refresh(&yard.moment()).unwrap_err();
        assert!(
            gone.message()
                .ends_with("is gone: it was removed, renamed or unmounted"),
            "{gone}"
        );
        assert_eq!(yard.tree.cells().len(), 1);
    }
    // As a mount point without its disk is.
    std::fs::create_dir(&root).unwrap();
    let gone = yard.tree.refresh(&yard.moment()).unwrap_err();
    assert!(
        gone.message().contains("an empty folder lies in its place"),
        "{gone}"
    );
    assert_eq!(yard.tree.cells().len(), 1);
    std::fs::remove_dir(&root).unwrap();
    by_hand(&aside, "two");
    std::fs::rename(&aside, &root).unwrap();
    let back = yard.refresh();
    assert!(back.is_full && back.went.is_empty());
    assert_eq!(back.changed, BTreeSet::from([CellId::new("two").unwrap()]));
    std::fs::write(root.join("two/agents/b.json"), agent_json("b")).unwrap();
    assert_eq!(yard.refresh().changed.len(), 1);
    assert_eq!(known.len(), 1);
}

#[test]
fn a_root_that_another_takes_the_place_of_is_that_other_one() {
    let place = tempfile::tempdir().unwrap();
    let (root, other) = (place.path().join("root"), place.path().join("other"));
    for (folder, name) in [(&root, "one"), (&other, "two")] {
        std::fs::create_dir(folder).unwrap();
        by_hand(folder, name);
    }
    let mut yard = Yard::new();
    // By a link, which leads to the other one afterwards.
    let link = place.path().join("link");
    std::os::unix::fs::symlink(&root, &link).unwrap();
    yard.tree = Tree::open(&link, EVERY).unwrap();
    yard.refresh();
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&other, &link).unwrap();
    let refreshed = yard.refresh();
    assert_eq!((refreshed.changed.len(), refreshed.went.len()), (1, 1));
}
