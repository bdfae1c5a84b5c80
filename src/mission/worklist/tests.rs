use super::*;
use serde_json::json;

fn task(id: &str, status: &str, priority: &str, after: &[&str]) -> (String, Task) {
    let task = json!({
        "task_id": id, "title": "T", "status": status, "priority": priority,
        "dependencies": after, "created_at": "2026-01-02T03:04:05Z",
    });
    (id.to_owned(), serde_json::from_value(task).unwrap())
}

fn ids<'l>(list: &[(&'l str, &Task)]) -> Vec<&'l str> {
    list.iter().map(|(id, _)| *id).collect()
}

#[test]
fn urgent_then_old_then_by_id() {
    let mut old = task("d", "pending", "medium", &[]);
    old.1.created_at = crate::base::clock::Time::parse("2025-01-02T03:04:05Z").unwrap();
    let list = Worklist::new(
        vec![
            task("a", "pending", "low", &[]),
            task("c", "pending", "medium", &[]),
            task("b", "pending", "medium", &["done"]),
            old,
            task("e", "pending", "high", &["a"]),
            task("f", "pending", "high", &["gone"]),
            task("done", "completed", "high", &[]),
        ],
        Vec::new(),
    );
    assert_eq!(ids(&list.ready(CellStatus::Active)), ["d", "b", "c", "a"]);
    assert!(list.ready(CellStatus::Paused).is_empty());
}

#[test]
fn what_stands_in_the_way_is_said() {
    let list = Worklist::new(
        vec![
            task("a", "pending", "low", &["a2", "gone", "bad", "a2"]),
            task("a2", "in_progress", "low", &[]),
            task("x", "pending", "low", &["y"]),
            task("y", "pending", "low", &["x"]),
        ],
        vec![String::from("bad")],
    );
    assert_eq!(
        list.why_not_ready("a", CellStatus::Paused),
        [
            "its cell is paused",
            "a2 is in progress",
            "gone is not in this cell",
            "the file of bad cannot be read"
        ]
    );
    assert_eq!(
        list.why_not_ready("x", CellStatus::Active),
        ["it waits for itself: x after y after x", "y is pending"]
    );
}

#[test]
fn what_others_build_on_is_reopened_with_them_or_not_at_all() {
    let list = Worklist::new(
        vec![
            task("a", "completed", "low", &[]),
            task("b", "completed", "low", &["a"]),
            task("c", "pending", "low", &["b"]),
        ],
        Vec::new(),
    );
    let refused = list.require_reopenable(&["a"]).unwrap_err();
    assert!(refused.message().contains("b (completed)"));
    assert!(list.require_reopenable(&["a", "b"]).is_ok());
    assert!(list.require_reopenable(&["b"]).is_ok());
}

#[test]
fn what_others_wait_for_is_removed_with_them_or_not_at_all() {
    let list = Worklist::new(
        vec![
            task("a", "pending", "low", &[]),
            task("b", "pending", "low", &["a", "bad"]),
            task("c", "in_progress", "low", &[]),
        ],
        vec![String::from("bad")],
    );
    for id in ["a", "bad"] {
        let refused = list.require_removable(&[id]).unwrap_err();
        assert!(refused.message().contains("b (pending)"));
    }
    assert!(list.require_removable(&["a", "b"]).is_ok());
    assert!(list.require_removable(&["c"]).is_err());
}
