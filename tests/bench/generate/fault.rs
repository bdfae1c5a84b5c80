//! One thing that is wrong with a cell.

use super::cell::{Draft, text};
use super::plan::Plan;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    DanglingTask,
    Cycle,
    BadWord,
    Truncated,
    WrongId,
    DanglingAgent,
}

const ALL: [Fault; 6] = [
    Fault::DanglingTask,
    Fault::Cycle,
    Fault::BadWord,
    Fault::Truncated,
    Fault::WrongId,
    Fault::DanglingAgent,
];

impl Fault {
    /// Each in its turn, so that six bad cells in a row have all of them.
    pub fn of(index: usize) -> Self {
        ALL[index % ALL.len()]
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::DanglingTask => "depends-on-no-task",
            Self::Cycle => "cycle",
            Self::BadWord => "bad-word",
            Self::Truncated => "truncated",
            Self::WrongId => "wrong-id",
            Self::DanglingAgent => "assigned-to-nobody-here",
        }
    }

    /// Puts it into the last tasks, on which nothing else depends; into cell.json where there
    /// are not enough tasks.
    pub fn put_into(self, draft: &mut Draft, plan: &Plan) {
        let [.., before, last] = plan.tasks.as_slice() else {
            return edit(draft, "cell.json", |cell| cell["status"] = json!("running"));
        };
        let file = format!("tasks/{}.json", last.id);
        match self {
            Self::DanglingTask => edit(draft, &file, |task| {
                task["dependencies"] = json!(["task_999999"])
            }),
            Self::Cycle => {
                edit(draft, &file, |task| {
                    task["dependencies"] = json!([before.id])
                });
                let other = format!("tasks/{}.json", before.id);
                edit(draft, &other, |task| {
                    task["dependencies"] = json!([last.id])
                });
            }
            Self::BadWord => edit(draft, &file, |task| task["priority"] = json!("urgent")),
            Self::Truncated => {
                if let Some(text) = draft.json.get_mut(&file) {
                    text.truncate(text.len() / 2);
                }
            }
            Self::WrongId => edit(draft, &file, |task| {
                task["task_id"] = json!(plan.tasks[0].id)
            }),
            Self::DanglingAgent => edit(draft, &file, |task| {
                task["assigned_to"] = json!("agent_999999")
            }),
        }
    }
}

fn edit(draft: &mut Draft, path: &str, change: impl FnOnce(&mut Value)) {
    let file = draft.json.get_mut(path).expect("a file of the draft");
    let mut value = serde_json::from_str(file).expect("what was just written");
    change(&mut value);
    *file = text(&value);
}
