//! What a crash, a neighbour or a stranger may leave, and what the next writer makes of it. The sweeps under `tests/` go
//! through whole commands; here are the cases that they cannot reach.
#![allow(clippy::disallowed_methods, reason = "tests make the trees they read")]

use crate::base::clock::Time;
use crate::base::error::Kind;
use crate::base::ids::CellId;
use crate::store::cell::OpenCell;
use crate::store::commit::{Act, Writing};
use crate::store::folder::Folder;
use crate::store::journal::{Change, Journal, Line, sha256};
use crate::store::layout;
use crate::store::lock::{self, Wait};
use crate::store::root::{NewFile, Root};
use crate::store::survey::Depth;
use crate::store::walk::{Walk, each_cell};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

const ID: &str = "3f0d2c6e-8f0b-4c39-9d0e-5f3c3c2a1b00";

fn act() -> Act {
    Act {
        name: "test",
        by: "ada".into(),
        at: Time::parse("2026-01-02T03:04:05Z").unwrap(),
        why: None,
        request: None,
    }
}

fn line(files: Vec<Change>, prev: &str) -> Line {
    Line {
        at: act().at,
        by: "ada".into(),
        act: "test".into(),
        what: "did it".into(),
        why: None,
        request: None,
        token: None,
        files,
        prev: prev.into(),
    }
}

/// A root that a group shares, with one cell in it.
struct Place {
    place: tempfile::TempDir,
    cell: OpenCell,
}

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let shared = std::fs::Permissions::from_mode(0o2770);
        std::fs::set_permissions(place.path(), shared).unwrap();
        let root = Root::open(place.path()).unwrap();
        let held = root.lock(Wait::quietly("test")).unwrap();
        let files = vec![NewFile {
            file: layout::CELL.into(),
            text: b"{}\n".to_vec(),
        }];
        let id = CellId::new(ID).unwrap();
        let cell = root
            .make_cell(&held, &id, &files, line(Vec::new(), ""))
            .unwrap();
        Place { place, cell }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.place
            .path()
            .canonicalize()
            .unwrap()
            .join(ID)
            .join(file)
    }

    fn write(&self) -> Writing<'_> {
        let wait = Wait::quietly("test");
        self.cell.lock_for_writing(act(), wait).unwrap()
    }

    fn put(&self, file: &str, text: &str) {
        let mut writing = self.write();
        writing.put_text(file, text.into()).unwrap();
        writing.commit("put").unwrap();
    }

    /// Leaves what a writer leaves that was cut off after its line was written and before its rename.
    fn cut_off_after_the_line(&self, file: &str, text: &str) {
        let mut journal = Journal::read_end(self.cell.folder()).unwrap();
        let (folder, name) = layout::split(file);
        let temp = layout::join(folder, &format!(".{name}.1-0.tmp"));
        std::fs::write(self.path(&temp), text).unwrap();
        let change = Change {
            file: file.into(),
            temp: Some(temp),
            trash: None,
            before: None,
            after: Some(sha256(text.as_bytes())),
        };
        let line = line(vec![change], journal.prev());
        journal.append(self.cell.folder(), &line).unwrap();
    }

    fn mode(&self, file: &str) -> u32 {
        let about = self.path(file).symlink_metadata().unwrap();
        about.permissions().mode() & 0o7777
    }
}

#[test]
fn a_line_that_was_written_is_finished_even_if_the_lock_says_that_all_is_well() {
    // A disk unplugged and plugged in again: the lock's note is not fsynced, and the system has the same boot.
    let place = Place::new();
    place.put("tasks/task_001.json", "{}");
    place.cut_off_after_the_line("tasks/task_002.json", "{\"new\": 1}");
    let writing = place.write();
    assert_eq!(writing.mended, ["finished what a crash cut short: did it"]);
    let text = std::fs::read_to_string(place.path("tasks/task_002.json")).unwrap();
    assert_eq!(text, "{\"new\": 1}");
}

#[test]
fn what_was_taken_out_of_the_trash_again_is_not_removed_a_second_time() {
    let place = Place::new();
    place.put("tasks/task_001.json", "{}");
    let mut writing = place.write();
    let trash = format!("{}/one", layout::TRASH);
    writing.remove("tasks/task_001.json", &trash).unwrap();
    writing.commit("removed").unwrap();
    drop(writing);
    let thrown = place.path("..").join(&trash);
    assert!(thrown.exists() && !place.path("tasks/task_001.json").exists());
    // `mv` is how the command itself says that it comes back; then the system is started anew.
    std::fs::rename(&thrown, place.path("tasks/task_001.json")).unwrap();
    std::fs::write(place.path(layout::LOCK), "free of-another-boot").unwrap();
    place.put("tasks/task_002.json", "{}");
    assert!(place.path("tasks/task_001.json").exists());
}

#[test]
fn a_removal_that_was_written_down_is_finished() {
    let place = Place::new();
    place.put("tasks/task_001.json", "{}");
    let mut journal = Journal::read_end(place.cell.folder()).unwrap();
    let temp = "tasks/.task_001.json.1-0.tmp";
    std::fs::write(place.path(temp), "").unwrap();
    let trash = format!("{}/one", layout::TRASH);
    let change = Change {
        file: "tasks/task_001.json".into(),
        temp: Some(temp.into()),
        trash: Some(trash.clone()),
        before: Some(sha256(b"{}")),
        after: None,
    };
    let line = line(vec![change], journal.prev());
    journal.append(place.cell.folder(), &line).unwrap();
    drop(place.write());
    assert!(place.path("..").join(&trash).exists());
    assert!(!place.path(temp).exists() && !place.path("tasks/task_001.json").exists());
}

#[test]
fn a_line_by_hand_that_is_finished_is_told_in_one_line() {
    let place = Place::new();
    let temp = "tasks/.task_001.json.1-0.tmp";
    std::fs::write(place.path(temp), "{}").unwrap();
    let mut journal = Journal::read_end(place.cell.folder()).unwrap();
    let change = Change {
        file: "tasks/task_001.json".into(),
        temp: Some(temp.into()),
        trash: None,
        before: None,
        after: Some(sha256(b"{}")),
    };
    let line = Line {
        act: "a\nb".into(),
        ..line(vec![change], journal.prev())
    };
    journal.append(place.cell.folder(), &line).unwrap();
    drop(place.write());
    let log = std::fs::read_to_string(place.path(layout::MISSION_LOG)).unwrap();
    assert!(log.ends_with(" ada a\\nb: did it\n"), "{log}");
}

#[test]
fn who_fails_to_mend_leaves_that_to_the_next() {
    let place = Place::new();
    place.put("tasks/task_001.json", "{}");
    std::fs::write(place.path(layout::LOCK), "{\"pid\":1,\"act\":\"killed\"}").unwrap();
    std::fs::write(place.path("tasks/.task_009.json.1-0.tmp"), "{").unwrap();
    // The first one stumbles: the journal is no file for now.
    let journal = place.path(layout::JOURNAL);
    let aside = place.path("logs/aside");
    std::fs::rename(&journal, &aside).unwrap();
    std::fs::create_dir(&journal).unwrap();
    let wait = Wait::quietly("test");
    assert!(place.cell.lock_for_writing(act(), wait).is_err());
    std::fs::remove_dir(&journal).unwrap();
    std::fs::rename(&aside, &journal).unwrap();
    drop(place.write());
    assert!(!place.path("tasks/.task_009.json.1-0.tmp").exists());
}

#[test]
fn a_temp_of_a_killed_writer_with_the_same_number_is_in_nobodys_way() {
    let place = Place::new();
    let temp = format!("tasks/.task_001.json.{}-0.tmp", std::process::id());
    place.put("agents/agent_001.json", "{}");
    std::fs::write(place.path(&temp), "torn").unwrap();
    place.put("tasks/task_001.json", "{}");
    let text = std::fs::read_to_string(place.path("tasks/task_001.json")).unwrap();
    assert_eq!(text, "{}");
    assert!(!place.path(&temp).exists());
}

#[test]
fn what_somebody_removed_keeps_nobody_from_writing() {
    for gone in ["logs", "tasks", "config", ".mcell", "agents"] {
        let place = Place::new();
        place.put("tasks/task_001.json", "{}");
        place.cut_off_after_the_line("tasks/task_002.json", "{}");
        std::fs::remove_dir_all(place.path(gone)).unwrap();
        place.put("tasks/task_003.json", "{}");
        place.put("agents/agent_001.json", "{}");
        assert!(place.path("tasks/task_003.json").exists(), "{gone}");
        assert_eq!(
            place.path("tasks/task_002.json").exists(),
            !["logs", "tasks"].contains(&gone),
            "{gone}"
        );
        assert_eq!(place.mode("tasks"), 0o2770, "{gone}");
        assert_eq!(place.mode(layout::JOURNAL), 0o660, "{gone}");
        assert_eq!(place.mode(layout::LOCK), 0o660, "{gone}");
    }
}

#[test]
fn a_folder_that_is_called_like_a_temp_keeps_nobody_from_writing() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("tasks/.mine.tmp")).unwrap();
    std::fs::write(place.path("tasks/.mine.tmp/note"), "keep").unwrap();
    std::fs::create_dir(place.path(".config.7-new0.tmp")).unwrap();
    place.put("tasks/task_001.json", "{}");
    assert!(place.path("tasks/.mine.tmp/note").exists());
    assert!(!place.path(".config.7-new0.tmp").exists());
}

#[test]
fn a_cell_that_was_removed_while_one_waited_is_not_written_to() {
    let place = Place::new();
    place.put("tasks/task_001.json", "{}");
    let held = lock::exclusive(place.cell.folder(), layout::LOCK, Wait::quietly("test")).unwrap();
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| {
            let other = place.cell.lock_for_writing(act(), Wait::quietly("test"));
            other.map(|_| ()).unwrap_err().kind()
        });
        std::fs::rename(place.path(""), place.place.path().join("gone")).unwrap();
        drop(held);
        assert_eq!(waiting.join().unwrap(), Kind::NotFound);
    });
}

/// Looks until the kernel's table has one that waits for the lock of a file.
fn until_one_waits_for(path: &std::path::Path) {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{} ", std::fs::metadata(path).unwrap().ino());
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        let table = std::fs::read_to_string("/proc/locks").unwrap();
        let waits = |line: &str| line.contains("->") && line.contains(&inode);
        if table.lines().any(waits) {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "nobody waits");
        std::thread::yield_now();
    }
}

#[test]
fn a_lock_file_that_was_replaced_while_one_waited_lets_in_one_at_a_time() {
    let place = Place::new();
    place.put("tasks/task_001.json", "{}");
    let folder = place.cell.folder();
    let quick = |patience| Wait {
        patience: Duration::from_millis(patience),
        ..Wait::quietly("test")
    };
    let first = lock::exclusive(folder, layout::LOCK, quick(10_000)).unwrap();
    std::thread::scope(|threads| {
        let waiting =
            threads.spawn(|| lock::exclusive(folder, layout::LOCK, quick(10_000)).unwrap());
        until_one_waits_for(&place.path(layout::LOCK));
        std::fs::remove_file(place.path(layout::LOCK)).unwrap();
        let second = lock::exclusive(folder, layout::LOCK, quick(10_000)).unwrap();
        drop(first);
        assert!(!waiting.is_finished(), "two hold the lock");
        drop(second);
        let third = waiting.join().unwrap();
        let fourth = lock::exclusive(folder, layout::LOCK, quick(50)).unwrap_err();
        assert_eq!(fourth.kind(), Kind::Busy);
        drop(third);
    });
}

#[test]
fn a_line_taken_back_leaves_the_journal_as_it_was() {
    let place = Place::new();
    place.put("tasks/task_001.json", "{}");
    let path = place.path(layout::JOURNAL);
    let before = std::fs::read(&path).unwrap();
    let cell = place.cell.folder();
    let mut journal = Journal::read_end(cell).unwrap();
    let (prev, last) = (journal.prev().to_owned(), journal.last.clone());
    journal.append(cell, &line(Vec::new(), &prev)).unwrap();
    assert_ne!(journal.prev(), prev);
    journal.take_back(cell).unwrap();
    assert_eq!((journal.prev(), &journal.last), (prev.as_str(), &last));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn new_names_have_their_rights_from_the_first_moment_on() {
    let place = Place::new();
    let folder = Folder::open(&place.path("")).unwrap().unwrap();
    folder.make_folder("artifacts/more").unwrap();
    folder.make_file("artifacts/more/log").unwrap();
    assert_eq!(place.mode("artifacts/more"), 0o2770);
    assert_eq!(place.mode("artifacts/more/log"), 0o660);
    // Again: nothing happens.
    std::fs::write(place.path("artifacts/more/log"), "kept").unwrap();
    folder.make_file("artifacts/more/log").unwrap();
    folder.make_folder("artifacts/more").unwrap();
    let text = std::fs::read_to_string(place.path("artifacts/more/log")).unwrap();
    assert_eq!(text, "kept");
    assert_eq!(folder.list("artifacts/more").unwrap().unwrap().len(), 1);
}

#[test]
fn a_walk_tells_of_each_cell_once_and_then_that_it_is_over() {
    let place = Place::new();
    let root = Root::open(place.place.path()).unwrap();
    let walk = Walk {
        depth: Depth::Quick,
        locks: false,
        threads: Some(2),
    };
    let told = std::sync::Mutex::new(Vec::new());
    let tell = |done, all| told.lock().unwrap().push((done, all));
    let walked = each_cell(&root, walk, &tell, |survey| survey.folder.to_owned()).unwrap();
    assert_eq!(walked.len(), 1);
    assert_eq!(*told.lock().unwrap(), [(0, 1), (1, 1)]);
}

#[test]
fn a_journal_written_by_a_stranger_moves_nothing_out_of_the_trash_or_the_cell() {
    for (file, trash) in [
        ("tasks/task_001.json", ".mcell/trash/../../out.json"),
        ("tasks/task_001.json", "/tmp/mcell-out.json"),
        ("tasks/../tasks/task_001.json", ".mcell/trash/out.json"),
    ] {
        let place = Place::new();
        place.put("tasks/task_001.json", "{}");
        let (folder, name) = layout::split(file);
        let temp = layout::join(folder, &format!(".{name}.1-0.tmp"));
        std::fs::write(place.path(&temp), "").unwrap();
        let cell = place.cell.folder();
        let mut journal = Journal::read_end(cell).unwrap();
        let change = Change {
            file: file.into(),
            temp: Some(temp.clone()),
            trash: Some(trash.into()),
            before: Some(sha256(b"{}")),
            after: None,
        };
        let prev = journal.prev().to_owned();
        journal.append(cell, &line(vec![change], &prev)).unwrap();
        drop(place.write());
        assert!(place.path("tasks/task_001.json").exists(), "{trash}");
        assert!(!place.place.path().join("out.json").exists());
        assert!(!std::path::Path::new("/tmp/mcell-out.json").exists());
    }
}

/// One of mcell's own records, put, with the line of its going written and its marker there.
fn cut_off_before_it_goes(place: &Place, file: &str, text: &str) -> String {
    let temp = format!("{}/.habcde.json.1-0.tmp", layout::INCOMING);
    std::fs::create_dir_all(place.path(layout::INCOMING)).unwrap();
    std::fs::write(place.path(&temp), "").unwrap();
    let mut journal = Journal::read_end(place.cell.folder()).unwrap();
    let change = Change {
        file: file.into(),
        temp: Some(temp.clone()),
        trash: None,
        before: Some(sha256(text.as_bytes())),
        after: None,
    };
    let line = line(vec![change], journal.prev());
    journal.append(place.cell.folder(), &line).unwrap();
    temp
}

const OFFER: &str = ".mcell/handoffs/open/habcde.json";

#[test]
fn a_record_goes_from_one_folder_to_another_in_one_commit() {
    let place = Place::new();
    place.put(OFFER, "{}");
    let mut writing = place.write();
    let over = OFFER.replace("open", "closed");
    writing.put_text(&over, b"{}".to_vec()).unwrap();
    writing.take_away(OFFER).unwrap();
    assert_eq!(writing.text(OFFER).unwrap(), None);
    writing.commit("closed").unwrap();
    assert!(place.path(&over).exists() && !place.path(OFFER).exists());
    assert_eq!(
        std::fs::read_dir(place.path(layout::INCOMING))
            .unwrap()
            .count(),
        0
    );
    // What is not there changes nothing, and what is a mission's goes to the trash only.
    writing.take_away(OFFER).unwrap();
    assert!(!writing.changes_anything());
    assert!(writing.take_away("tasks/task_001.json").is_err());
    drop(writing);
    assert!(place.write().mended.is_empty());
}

#[test]
fn a_record_whose_going_was_written_down_goes() {
    let place = Place::new();
    place.put(OFFER, "{}");
    let temp = cut_off_before_it_goes(&place, OFFER, "{}");
    assert_eq!(
        place.write().mended,
        ["finished what a crash cut short: did it"]
    );
    assert!(!place.path(OFFER).exists() && !place.path(&temp).exists());
    assert!(place.write().mended.is_empty());
}

#[test]
fn a_record_that_went_leaves_only_its_marker_to_sweep() {
    let place = Place::new();
    place.put(OFFER, "{}");
    let temp = cut_off_before_it_goes(&place, OFFER, "{}");
    std::fs::remove_file(place.path(OFFER)).unwrap();
    drop(place.write());
    assert!(!place.path(&temp).exists());
}

#[test]
fn a_marker_without_a_line_removes_nothing() {
    let place = Place::new();
    place.put(OFFER, "{}");
    let temp = format!("{}/.habcde.json.1-0.tmp", layout::INCOMING);
    std::fs::create_dir_all(place.path(layout::INCOMING)).unwrap();
    std::fs::write(place.path(&temp), "").unwrap();
    std::fs::write(place.path(layout::LOCK), "{\"pid\":1,\"act\":\"killed\"}").unwrap();
    drop(place.write());
    assert!(place.path(OFFER).exists() && !place.path(&temp).exists());
}

#[test]
fn a_line_by_hand_removes_only_what_may_go_and_only_as_it_was() {
    for (file, there) in [
        ("tasks/task_001.json", "{}"),
        (".mcell/fence", "{}"),
        (".mcell/handoffs/open/../closed/habcde.json", "{}"),
        (OFFER, "{\"newer\": 1}"),
    ] {
        let place = Place::new();
        place.put("tasks/task_001.json", "{}");
        place.put(".mcell/fence", "{}");
        place.put(".mcell/handoffs/closed/habcde.json", "{}");
        place.put(OFFER, there);
        cut_off_before_it_goes(&place, file, "{}");
        drop(place.write());
        assert!(place.path(file).exists(), "{file}");
    }
}

#[test]
fn what_the_last_line_before_a_rotation_promises_is_still_done() {
    let place = Place::new();
    place.put("tasks/task_001.json", "{}");
    place.cut_off_after_the_line("tasks/task_001.json", "{ }");
    let rotated = place.path(&layout::rotated_journal(1));
    std::fs::rename(place.path(layout::JOURNAL), &rotated).unwrap();
    drop(place.write());
    let text = std::fs::read_to_string(place.path("tasks/task_001.json")).unwrap();
    assert_eq!(text, "{ }");
}

#[test]
fn a_fence_that_is_lost_is_made_of_the_whole_journal() {
    let place = Place::new();
    for number in [7, 3] {
        let mut writing = place.write();
        writing.rotate_journal_beyond(0);
        let task = format!("tasks/task_00{number}.json");
        writing.put_text(&task, b"{}".to_vec()).unwrap();
        writing.commit("did it").unwrap();
        drop(writing);
        std::fs::remove_file(place.path(&task)).unwrap();
    }
    assert!(place.path(&layout::rotated_journal(2)).exists());
    let _ = std::fs::remove_file(place.path(layout::FENCE));
    let fence = crate::store::fence::read(&place.write()).unwrap();
    assert_eq!(fence.task, 7);
}
