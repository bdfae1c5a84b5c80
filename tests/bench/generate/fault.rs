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
            return set(draft, "cell.json", "status", json!("running"));
        };
        let file = format!("tasks/{}.json", last.id);
        match self {
            Self::DanglingTask => set(draft, &file, "dependencies", json!(["task_999999"])),
            Self::Cycle => {
                let other = format!("tasks/{}.json", before.id);
                set(draft, &file, "dependencies", json!([before.id]));
                set(draft, &other, "dependencies", json!([last.id]));
            }
            Self::BadWord => set(draft, &file, "priority", json!("urgent")),
            Self::Truncated => {
                if let Some(text) = draft.json.get_mut(&file) {
                    text.truncate(text.len() / 2);
                }
            }
            Self::WrongId => set(draft, &file, "task_id", json!(plan.tasks[0].id)),
            Self::DanglingAgent => set(draft, &file, "assigned_to", json!("agent_999999")),
        }
    }
}

fn set(draft: &mut Draft, path: &str, key: &str, to: Value) {
    let file = draft.json.get_mut(path).expect("a file of the draft");
    let mut value: Value = serde_json::from_str(file).expect("what was just written");
    value[key] = to;
    *file = text(&value);
}
