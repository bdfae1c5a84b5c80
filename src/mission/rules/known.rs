//! What several families ask of a survey before they say anything: does it exist, can it be trusted, where does it stand.

use super::Facts;
use crate::base::text::{cut, nearest, shown};
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::policy::Effective;
use crate::mission::shape::FlawKind;
use crate::mission::sheet::{AgentSheet, Sheet, TaskSheet, Trouble};
use crate::mission::survey::{OddityKind, Survey};
use crate::mission::task::TaskStatus;

/// Tells whether an agent is in the cell, be its file readable or not.
pub(super) fn has_agent(survey: &Survey<'_>, id: &str) -> bool {
    survey.agent_at(id).is_some() || is_hidden(survey, "agents", id)
}

/// Tells whether a task is in the cell, be its file readable or not.
pub(super) fn has_task(survey: &Survey<'_>, id: &str) -> bool {
    survey.task_at(id).is_some() || is_hidden(survey, "tasks", id)
}

/// Tells whether something odd stands where the file would be, or keeps its whole folder from being read: then nobody
/// can say that it is not there.
fn is_hidden(survey: &Survey<'_>, folder: &str, id: &str) -> bool {
    survey.oddities.iter().any(|odd| {
        let Some(rest) = odd.path.strip_prefix(folder) else {
            return false;
        };
        if rest.is_empty() {
            return !matches!(
                odd.kind,
                OddityKind::MissingFolder | OddityKind::WorldWritable(_)
            );
        }
        rest.strip_prefix('/')
            .and_then(|name| name.strip_suffix(".json"))
            == Some(id)
    })
}

/// Tells whether nothing at a pointer or beneath it has a flaw.
pub(super) fn is_sound<T>(sheet: &Sheet<'_, T>, pointer: &str) -> bool {
    let Some(Trouble::Flaws(flaws)) = &sheet.trouble else {
        return sheet.trouble.is_none();
    };
    sheet.trusts(pointer)
        && !flaws.iter().any(|flaw| {
            let below = flaw.pointer.strip_prefix(pointer);
            below.is_some_and(|below| below.starts_with('/') || below.is_empty())
        })
}

/// The most flaws of a file that are counted to tell where an item stands. A hostile one can hold a million of each, so
/// beyond that the list as a whole is pointed at.
const MOST_FLAWS: usize = 200;

/// The pointer of an item of a list. Items with a flaw were left out of the list as read, so those are counted in.
pub(super) fn item<T>(sheet: &Sheet<'_, T>, list: &str, index: usize) -> String {
    let mut index = index;
    if let Some(Trouble::Flaws(flaws)) = &sheet.trouble {
        if flaws.len() > MOST_FLAWS {
            return list.to_owned();
        }
        let left_out = flaws.iter().filter_map(|flaw| {
            let name = flaw.pointer.strip_prefix(list)?.strip_prefix('/')?;
            match flaw.kind {
                FlawKind::Duplicate(..) => None,
                _ => name.parse::<usize>().ok(),
            }
        });
        let mut left_out: Vec<usize> = left_out.collect();
        left_out.sort_unstable();
        left_out.dedup();
        for out in left_out {
            index += usize::from(out <= index);
        }
    }
    format!("{list}/{index}")
}

/// A text of a file as a message may show it: safe, and of bounded length.
pub(super) fn said(text: &str) -> String {
    cut(&shown(text), MOST_SHOWN).into_owned()
}

const MOST_SHOWN: usize = 120;

/// A name as it stands in a pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Guesses what an id that is not there was meant to be. Each guess costs a look at every id of the cell, so a rule makes
/// a few of them only.
pub(super) struct Guesses(usize);

impl Guesses {
    /// As many as a rule makes.
    pub(super) const fn few() -> Self {
        Guesses(20)
    }

    /// The way out: the id that was probably meant, or else the other one.
    pub(super) fn way_out<'c>(
        &mut self,
        id: &str,
        candidates: impl IntoIterator<Item = &'c str>,
        otherwise: impl FnOnce() -> String,
    ) -> String {
        let meant = self.0.checked_sub(1).and_then(|left| {
            self.0 = left;
            meant(id, candidates)
        });
        meant.map_or_else(otherwise, |meant| format!("did you mean `{meant}`?"))
    }
}

/// The id most like one that is not there, if it was probably meant. Ids that differ in their number only are as like as
/// any two of them, so none of those is meant.
fn meant<'c>(id: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let is_other_number = |other: &str| {
        let (name, number) = numbered(id);
        let (other, others) = numbered(other);
        name == other && number.is_some() && others.is_some() && number != others
    };
    let candidates = candidates
        .into_iter()
        .filter(|other| !is_other_number(other));
    nearest(id, candidates)
}

/// An id in two parts: "task_" and 7 of "task_007".
fn numbered(id: &str) -> (&str, Option<u64>) {
    let name = id.trim_end_matches(|letter: char| letter.is_ascii_digit());
    (
        name,
        id.get(name.len()..).and_then(|number| number.parse().ok()),
    )
}

/// The state of a task, if it can be trusted.
pub(super) fn task_status(sheet: &TaskSheet<'_>) -> Option<TaskStatus> {
    let task = sheet.value.as_ref()?;
    sheet.trusts("/status").then_some(task.status)
}

/// The state of an agent, if it can be trusted.
pub(super) fn agent_status(sheet: &AgentSheet<'_>) -> Option<AgentStatus> {
    let agent = sheet.value.as_ref()?;
    sheet.trusts("/status").then_some(agent.status)
}

/// Who holds a task in progress, if that can be trusted.
pub(super) fn holder<'t>(sheet: &'t TaskSheet<'_>) -> Option<&'t str> {
    let task = sheet.value.as_ref()?;
    let sound = sheet.trusts("/status") && is_sound(sheet, "/claim");
    task.holder().filter(|_| sound)
}

/// The pointer of what says who holds a task.
pub(super) fn holder_pointer(sheet: &TaskSheet<'_>) -> &'static str {
    match sheet.value.as_ref().and_then(|task| task.claim.as_ref()) {
        Some(_) => "/claim/agent",
        None => "/assigned_to",
    }
}

/// The state of the cell, if it can be trusted.
pub(super) fn cell_status(facts: &Facts<'_, '_>) -> Option<CellStatus> {
    let sheet = facts.survey.cell.as_ref()?;
    let cell = sheet.value.as_ref()?;
    sheet.trusts("/status").then_some(cell.status)
}

/// Tells whether the mission goes on: what is still to be done matters only then.
pub(super) fn goes_on(facts: &Facts<'_, '_>) -> bool {
    cell_status(facts).is_none_or(|status| !status.is_over())
}

/// Tells whether agents of the cell may hand tasks on.
pub(super) fn handoff_allowed(facts: &Facts<'_, '_>) -> bool {
    let config = facts.survey.policies.as_ref();
    let config = config.and_then(|sheet| sheet.value.as_ref());
    let cell = facts.survey.cell.as_ref();
    match cell.and_then(|sheet| sheet.value.as_ref()) {
        Some(cell) => Effective::of(cell, config).handoff_allowed.value,
        None => config
            .and_then(|config| config.handoff_allowed)
            .unwrap_or(true),
    }
}

/// Tells whether a task is still to be done.
pub(super) fn is_open(status: TaskStatus) -> bool {
    matches!(status, TaskStatus::Pending | TaskStatus::InProgress)
}

/// The most ids named in one message.
const NAMED: usize = 4;

/// The first few of many ids: "`a`, `b` and 3 more".
pub(super) fn few<'i>(ids: impl IntoIterator<Item = &'i str>) -> String {
    let mut ids = ids.into_iter();
    let named: Vec<String> = ids
        .by_ref()
        .take(NAMED)
        .map(|id| format!("`{id}`"))
        .collect();
    let left = ids.count();
    match (named.as_slice(), left) {
        ([before @ .., last], 0) if !before.is_empty() => {
            format!("{} and {last}", before.join(", "))
        }
        (_, 0) => named.concat(),
        _ => format!("{} and {left} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::cell;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_file_that_cannot_be_read_is_still_there() {
        let built = cell()
            .odd("agents/agent_001.json", OddityKind::Link)
            .odd("tasks", OddityKind::Unreadable("no rights".into()));
        let survey = built.survey();
        assert!(has_agent(&survey, "agent_001") && !has_agent(&survey, "agent_002"));
        assert!(has_task(&survey, "task_001"));
        let built = cell().odd("tasks", OddityKind::MissingFolder);
        assert!(!has_task(&built.survey(), "task_001"));
    }

    #[test]
    fn an_item_stands_where_it_stands_in_the_file() {
        let built = cell().task(
            "task_001",
            json!({"dependencies": ["no id", "a", 5, "b", "c"]}),
        );
        let survey = built.survey();
        let sheet = survey.task("task_001").unwrap();
        let dependencies = &sheet.value.as_ref().unwrap().dependencies;
        assert_eq!(dependencies.len(), 3);
        let at = |index| item(sheet, "/dependencies", index);
        assert_eq!(
            [at(0), at(1), at(2)],
            ["/dependencies/1", "/dependencies/3", "/dependencies/4"]
        );
        assert!(!is_sound(sheet, "/dependencies") && is_sound(sheet, "/artifacts"));
    }

    #[test]
    fn another_number_is_not_what_was_meant() {
        let ids = ["task_001", "task_002", "review"];
        assert_eq!(meant("task_0001", ids), Some("task_001"));
        assert_eq!(meant("taks_002", ids), Some("task_002"));
        assert_eq!(meant("reviw", ids), Some("review"));
        assert_eq!(meant("task_009", ids), None);
    }

    #[test]
    fn only_a_few_of_many_are_named() {
        assert_eq!(few(["a"]), "`a`");
        assert_eq!(few(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(
            few(["a", "b", "c", "d", "e", "f"]),
            "`a`, `b`, `c`, `d` and 2 more"
        );
    }
}
