//! The rules of validate: one function a rule, one stable code a rule, in families of one file each.
//!
//! A rule looks at the facts of one cell and says what it finds. Codes are never reused and never change their meaning;
//! docs/rules.md and `mcell explain` are made from the same table.

mod ability;
pub mod checkpoint;
pub mod crew;
pub mod files;
pub mod form;
pub mod gateway;
pub mod identity;
pub mod isolation;
mod known;
pub mod mention;
pub mod occupation;
pub mod order;
pub mod page;
pub mod permission;
pub mod policy;
pub mod progress;
pub mod proof;
pub mod reference;
pub mod resilience;
pub mod run;
pub mod staffing;
pub mod substitute;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    dead_code
)]
pub(crate) mod testing;
pub mod time;

use crate::base::clock::Time;
use crate::base::finding::{Finding, Severity};
use crate::mission::graph::{Progress, TaskGraph};
use crate::mission::sheet::{AgentSheet, TaskSheet};
use crate::mission::survey::Survey;
use crate::mission::task::TaskStatus;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its code, `MC012`.
    pub code: &'static str,
    /// Its name for SARIF and people, `assigned-to-nobody-here`.
    pub name: &'static str,
    /// How much a finding of it usually weighs.
    pub severity: Severity,
    /// What it asks, in a sentence.
    pub summary: &'static str,
    /// Why it matters and where it comes from, in a paragraph.
    pub why: &'static str,
    /// A piece of a file that breaks it.
    pub example: &'static str,
    /// How to mend that, and what `--fix` does.
    pub mend: &'static str,
    /// What looks for it.
    pub check: Check,
}

/// How a rule looks for what breaks it.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// At the facts of the cell, always.
    Always(fn(&Facts<'_, '_>, &mut Findings)),
    /// At the facts of the cell, only under `--resilience`.
    Resilience(fn(&Facts<'_, '_>, &mut Findings)),
}

/// The families of rules, in the order in which they look.
const FAMILIES: &[&[Rule]] = &[
    form::RULES,
    files::RULES,
    identity::RULES,
    reference::RULES,
    mention::RULES,
    order::RULES,
    progress::RULES,
    occupation::RULES,
    time::RULES,
    crew::RULES,
    policy::RULES,
    isolation::RULES,
    gateway::RULES,
    run::RULES,
    permission::RULES,
    checkpoint::RULES,
    proof::RULES,
    substitute::RULES,
    resilience::RULES,
    staffing::RULES,
];

/// Every rule, by family.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The rule of a code, however it is typed ("mc012", "12"), or of a name.
pub fn find(typed: &str) -> Option<&'static Rule> {
    let typed = typed.trim().to_ascii_lowercase();
    let digits = typed.strip_prefix("mc").unwrap_or(&typed);
    let code = digits
        .parse::<u32>()
        .ok()
        .map(|number| format!("MC{number:03}"));
    all().find(|rule| Some(rule.code) == code.as_deref() || rule.name == typed)
}

/// What rules look at: a survey, and what several of them need worked out once.
#[derive(Debug)]
pub struct Facts<'f, 's> {
    /// The cell as read.
    pub survey: &'f Survey<'s>,
    /// Its tasks as a graph; indices are those of `survey.tasks`, an unknown dependency is an index beyond.
    pub graph: &'f TaskGraph,
    /// The present.
    pub now: Time,
}

impl<'f, 's> Facts<'f, 's> {
    /// The agents that could be read, with their sheets.
    pub fn agents(
        &self,
    ) -> impl Iterator<
        Item = (
            &'f AgentSheet<'s>,
            &'f crate::mission::agent::Agent<crate::base::text::Text<'s>>,
        ),
    > {
        self.survey
            .agents
            .iter()
            .filter_map(|sheet| Some((sheet, sheet.value.as_ref()?)))
    }

    /// The tasks that could be read, with their sheets.
    pub fn tasks(
        &self,
    ) -> impl Iterator<
        Item = (
            &'f TaskSheet<'s>,
            &'f crate::mission::task::Task<crate::base::text::Text<'s>>,
        ),
    > {
        self.survey
            .tasks
            .iter()
            .filter_map(|sheet| Some((sheet, sheet.value.as_ref()?)))
    }

    /// The id and state of the task at an index.
    pub fn task_id(&self, index: u32) -> &'f str {
        self.survey
            .tasks
            .get(index as usize)
            .map_or("", |sheet| sheet.stem())
    }

    /// How far the task at an index is; a task that cannot be read waits.
    pub fn progress(&self, index: u32) -> Progress {
        progress(self.survey, index)
    }
}

/// How far the task at an index is; a task that cannot be read waits.
pub fn progress(survey: &Survey<'_>, index: u32) -> Progress {
    match survey
        .tasks
        .get(index as usize)
        .and_then(|sheet| sheet.value.as_ref())
        .map(|task| task.status)
    {
        Some(TaskStatus::InProgress) => Progress::InProgress,
        Some(TaskStatus::Completed) => Progress::Completed,
        Some(TaskStatus::Failed) => Progress::Failed,
        Some(TaskStatus::Pending) | None => Progress::Pending,
    }
}

/// The graph of a cell's tasks.
pub fn graph_of(survey: &Survey<'_>) -> TaskGraph {
    let mut edges = Vec::new();
    for (index, sheet) in survey.tasks.iter().enumerate() {
        for dependency in sheet.value.iter().flat_map(|task| &task.dependencies) {
            let on = survey
                .task_at(dependency)
                .and_then(|at| u32::try_from(at).ok())
                .unwrap_or(u32::MAX);
            edges.push((u32::try_from(index).unwrap_or(u32::MAX), on));
        }
    }
    TaskGraph::new(survey.tasks.len(), edges.iter().copied())
}

/// Where findings go.
#[derive(Debug, Default)]
pub struct Findings {
    /// The findings that are kept.
    pub kept: Vec<Finding>,
    /// How many more there were.
    pub left_out: usize,
    /// How many weigh as errors, those left out too.
    pub errors: usize,
    /// How many weigh as warnings, those left out too.
    pub warnings: usize,
}

/// The most findings kept of one cell: a hostile one can hold millions.
pub const MOST: usize = 1000;

impl Findings {
    /// Adds one, or only counts it where there are too many. An error is kept rather than what is none.
    pub fn add(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => {}
        }
        if self.kept.len() < MOST {
            return self.kept.push(finding);
        }
        self.left_out += 1;
        let is_error = |finding: &Finding| finding.severity == Severity::Error;
        // With so many errors all that is kept is one.
        if is_error(&finding) && self.errors <= MOST {
            let last = self.kept.iter_mut().rfind(|kept| !is_error(kept));
            if let Some(last) = last {
                *last = finding;
            }
        }
    }
}

/// Everything the rules find in a cell, in no order.
pub fn check(survey: &Survey<'_>, now: Time, resilience: bool) -> Findings {
    check_with(survey, &graph_of(survey), now, resilience)
}

/// The same, where the graph is there already.
pub fn check_with(survey: &Survey<'_>, graph: &TaskGraph, now: Time, resilience: bool) -> Findings {
    let facts = Facts { survey, graph, now };
    let mut findings = Findings::default();
    for rule in all() {
        match rule.check {
            Check::Always(look) => look(&facts, &mut findings),
            Check::Resilience(look) if resilience => look(&facts, &mut findings),
            Check::Resilience(_) => {}
        }
    }
    findings
}

/// What one family finds in a survey of a single file, where the present does not matter.
fn check_family(family: &[Rule], survey: &Survey<'_>) -> Vec<Finding> {
    let graph = TaskGraph::new(0, std::iter::empty());
    let Some(now) = Time::from_unix(0) else {
        return Vec::new();
    };
    let facts = Facts {
        survey,
        graph: &graph,
        now,
    };
    let mut findings = Findings::default();
    for rule in family {
        if let Check::Always(look) = rule.check {
            look(&facts, &mut findings);
        }
    }
    findings.kept
}
