//! Artifacts of a cell, below the command line: what happens between a copy and its lock.
#![allow(clippy::disallowed_methods, reason = "tests make the trees they read")]

use super::{Change, NewArtifacts, add, collect, prepare, stage, verify};
use crate::base::error::Kind;
use crate::ops::world::World;
use crate::store::layout;
use std::path::PathBuf;

fn file(world: &World, name: &str, text: &str) -> PathBuf {
    let path = world.root().path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn new(file: &std::path::Path) -> NewArtifacts {
    NewArtifacts {
        files: vec![file.to_path_buf()],
        ..NewArtifacts::default()
    }
}

fn incoming(world: &World) -> usize {
    let folder = world.cell.folder();
    folder.list(layout::INCOMING).unwrap().unwrap().len()
}

#[test]
fn what_another_put_there_during_the_copy_is_not_written_over() {
    let world = World::new();
    let (session, cell) = (&world.session, &world.cell);
    let source = file(&world, "x.rs", "one");
    let prepared = prepare(session, cell, std::slice::from_ref(&source), None, None).unwrap();
    assert_eq!(incoming(&world), 1);
    file(&world, "x.rs", "two");
    add(session, cell, &new(&source)).unwrap();
    let mut writing = session.write(cell, "artifact add").unwrap();
    let refused = stage(&mut writing, prepared, None, None, false).unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused, "{refused}");
    drop(writing);
    assert_eq!(world.text("artifacts/code/x.rs"), "two");
    assert_eq!(incoming(&world), 0, "a copy that is not wanted is gone");
}

#[test]
fn what_changed_in_its_place_since_it_was_seen_is_read_again() {
    let world = World::new();
    let (session, cell) = (&world.session, &world.cell);
    world.write("artifacts/code/x.rs", "one");
    let prepared = prepare(session, cell, &["code/x.rs".into()], None, None).unwrap();
    world.write("artifacts/code/x.rs", "other");
    let mut writing = session.write(cell, "artifact add").unwrap();
    let placed = stage(&mut writing, prepared, None, None, false).unwrap();
    assert_eq!((placed[0].change, placed[0].bytes), (Change::Recorded, 5));
    writing.commit("noted").unwrap();
    drop(writing);
    assert!(verify(cell).unwrap().is_sound());
}

#[test]
fn what_is_not_what_was_noted_is_noted_anew_only_where_that_is_wanted() {
    let world = World::new();
    let (session, cell) = (&world.session, &world.cell);
    add(session, cell, &new(&file(&world, "x.rs", "one"))).unwrap();
    world.write("artifacts/code/x.rs", "altered");
    let named = new("code/x.rs".as_ref());
    let refused = add(session, cell, &named).unwrap_err();
    assert!(
        refused.message().contains("not what was noted"),
        "{refused}"
    );
    let replace = NewArtifacts {
        replace: true,
        ..named
    };
    assert_eq!(
        add(session, cell, &replace).unwrap()[0].change,
        Change::Recorded
    );
    assert!(verify(cell).unwrap().is_sound());
}

#[test]
fn notes_that_cannot_be_read_are_never_taken_for_absent() {
    let world = World::new();
    let (session, cell) = (&world.session, &world.cell);
    let source = file(&world, "x.rs", "one");
    add(session, cell, &new(&source)).unwrap();
    world.write(layout::ARTIFACT_NOTES, "{");
    for error in [
        add(session, cell, &new(&file(&world, "y.rs", "two"))).unwrap_err(),
        collect(session, cell, &[]).unwrap_err(),
        verify(cell).unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Malformed, "{error}");
    }
    assert_eq!(world.text(layout::ARTIFACT_NOTES), "{");
    std::fs::remove_file(cell.path().join(layout::ARTIFACT_NOTES)).unwrap();
    let collected = collect(session, cell, &[]).unwrap();
    assert_eq!(collected.recorded, ["code/x.rs"]);
}

#[test]
fn what_is_collected_again_comes_back_where_it_was_lost() {
    let world = World::new();
    let (session, cell) = (&world.session, &world.cell);
    let agent = world.add_agent();
    let saved = layout::saved_artifacts(&agent);
    std::fs::create_dir_all(cell.path().join(&saved)).unwrap();
    world.write(&format!("{saved}/x.rs"), "one");
    assert_eq!(collect(session, cell, &[]).unwrap().collected.len(), 1);
    assert_eq!(collect(session, cell, &[]).unwrap().unchanged, 1);
    std::fs::remove_file(cell.path().join("artifacts/code/x.rs")).unwrap();
    assert_eq!(collect(session, cell, &[]).unwrap().collected.len(), 1);
    assert!(verify(cell).unwrap().is_sound());
}
