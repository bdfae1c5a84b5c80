//! What is wrong with a cell, each with the command to type.

use super::{CellLine, Problem, overdue, short};
use crate::base::clock::Time;
use crate::base::duration::in_words;
use crate::base::text::{count, shown};
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::graph::TaskGraph;
use crate::mission::rules;
use crate::mission::survey::Survey;
use crate::mission::task::TaskStatus;
use crate::ops::health::CellHealth;

/// The most problems of one sort named one by one in a cell.
const MOST: usize = 5;
pub(super) fn find_problems(
    line: &mut CellLine,
    survey: &Survey<'_>,
    graph: &TaskGraph,
    health: &CellHealth,
    now: Time,
) {
    let is_active = line.status.as_deref() == Some(CellStatus::Active.word());
    let cell = shown(survey.folder).into_owned();
    // What people type: the beginning of a UUID names its cell.
    let short = short(&cell);
    let mut problems = Problems {
        cell: &cell,
        found: Vec::new(),
    };
    let errors = rules::check_with(survey, graph, now, false).errors;
    if errors > 0 {
        problems.add(
            "invalid",
            "",
            format!("{} in its files", count(errors, "error")),
            format!("mcell validate {short}"),
        );
    }
    let late = line
        .overdue
        .map(|late| format!("the mission is overdue by {}", in_words(late)));
    if let Some(what) = late {
        problems.add("cell_overdue", "", what, format!("mcell cell show {short}"));
    }
    if let Some(why) = &health.untold {
        problems.add(
            "health_untold",
            "",
            format!("how its agents are cannot be told: {why}"),
            format!("mcell health -c {short}"),
        );
    }
    if is_active {
        let ill = &health.ill;
        problems.some(
            "agent_unhealthy",
            ill.iter().map(|(id, _)| id.as_str()),
            |id| {
                let why = ill.iter().find(|(other, _)| other == id);
                let why = why.map_or("", |(_, why)| why);
                (
                    format!("agent {id} is unhealthy: {why}"),
                    format!("mcell why {short}/{id}"),
                )
            },
        );
    }
    let failed_agents = survey.agents.iter().filter(|sheet| {
        sheet
            .value
            .as_ref()
            .is_some_and(|agent| agent.status == AgentStatus::Failed)
    });
    problems.some(
        "agent_failed",
        failed_agents.map(|sheet| sheet.stem()),
        |id| {
            (
                format!("agent {id} has failed"),
                format!("mcell agent show {short}/{id}"),
            )
        },
    );
    let failed_tasks = survey.tasks.iter().filter(|sheet| {
        sheet
            .value
            .as_ref()
            .is_some_and(|task| task.status == TaskStatus::Failed)
    });
    problems.some(
        "task_failed",
        failed_tasks.map(|sheet| sheet.stem()),
        |id| {
            (
                format!("task {id} has failed"),
                format!("mcell task retry {short}/{id}"),
            )
        },
    );
    if is_active {
        let late = survey
            .tasks
            .iter()
            .filter_map(|sheet| Some((sheet.stem(), overdue(survey, sheet.value.as_ref()?, now)?)));
        let late: Vec<(&str, u64)> = late.collect();
        problems.some("task_overdue", late.iter().map(|(id, _)| *id), |id| {
            let by = late
                .iter()
                .find(|(other, _)| *other == id)
                .map_or(0, |(_, by)| *by);
            (
                format!("task {id} is overdue by {}", in_words(by)),
                format!("mcell task show {short}/{id}"),
            )
        });
    }
    line.problems = problems.found;
}

struct Problems<'c> {
    cell: &'c str,
    found: Vec<Problem>,
}

impl Problems<'_> {
    fn add(&mut self, kind: &str, thing: &str, what: String, command: String) {
        let key = format!("{}/{kind}/{thing}", self.cell)
            .trim_end_matches('/')
            .to_owned();
        self.found.push(Problem { key, what, command });
    }

    /// The first few one by one, the rest as a number.
    fn some<'t>(
        &mut self,
        kind: &str,
        things: impl Iterator<Item = &'t str>,
        words: impl Fn(&str) -> (String, String),
    ) {
        let mut more = 0;
        for (index, thing) in things.enumerate() {
            if index < MOST {
                let (what, command) = words(thing);
                self.add(kind, thing, what, command);
            } else {
                more += 1;
            }
        }
        if more > 0 {
            let (noun, state) = kind.split_once('_').unwrap_or((kind, ""));
            let command = format!("mcell {noun} list -c {}", short(self.cell));
            self.add(
                kind,
                "more",
                format!("{} more {}", count(more, noun), state),
                command,
            );
        }
    }
}
