//! `mcell cell show`: a page on a cell.

use crate::base::clock::Time;
use crate::base::duration::{Seconds, age, in_words};
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::several::{cells, each};
use crate::cli::{Outcome, complete};
use crate::mission::cell::CellStatus;
use crate::ops::cell::{self, Agents, Shown, Tasks};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;
use serde::{Serialize, Serializer};

/// Show cells: what they say, what is in them, and the policies that count
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell cell show
  mcell cell show \"Example Mission\"
  mcell cell show --json | jq .policies.auto_revive")]
pub(super) struct Show {
    /// A path, an id, the beginning of one, or a part of the mission's name [default: the one that is meant]
    #[arg(value_name = "CELL", add = complete::cells())]
    named: Vec<String>,
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let now = context.session.env.clock.now();
        let cells = cells(context, &self.named)?;
        each(context, "cells", &cells, |cell| {
            let shown = cell::show(cell)?;
            if shown.in_change {
                context
                    .printer
                    .say("somebody is writing to this cell: what is shown may be of two moments");
            }
            if shown.unread > 0 {
                context.printer.warn("some files cannot be read, and are not counted: `mcell validate` says what is wrong with them");
            }
            Ok(PageOf { shown, now })
        })
    }
}

struct PageOf {
    shown: Shown,
    now: Time,
}

impl Serialize for PageOf {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(out)
    }
}

impl Report for PageOf {
    fn words(&self, page: &mut Page) {
        let Shown {
            cell_id,
            path,
            cell,
            agents,
            tasks,
            ..
        } = &self.shown;
        let title = page.tone(Tone::Strong, shown(&cell.mission_name));
        page.line(title);
        page.field("cell", cell_id);
        page.field("path", shown(path));
        page.field("status", self.status());
        let old = u64::try_from(self.now.since(cell.created_at)).unwrap_or(0);
        page.field(
            "made",
            format_args!(
                "{} by {} ({})",
                cell.created_at.local(self.now),
                shown(&cell.created_by),
                age(old)
            ),
        );
        if let Some(seconds) = cell.timeout {
            page.field("timeout", self.timeout(seconds));
        }
        page.field("isolation", cell.isolation_level.word());
        page.field("agents", agents_in_words(agents, cell.max_agents()));
        page.field("tasks", tasks_in_words(tasks));
        page.gap();
        page.table(crate::cli::policy::table(&self.shown.policies));
    }

    fn datum(&self) -> Option<String> {
        Some(self.shown.cell_id.clone())
    }
}

impl PageOf {
    fn status(&self) -> String {
        let cell = &self.shown.cell;
        match cell
            .paused_until
            .filter(|_| cell.status == CellStatus::Paused)
        {
            Some(until) => {
                let left = u64::try_from(until.since(self.now)).unwrap_or(0);
                let local = until.local(self.now);
                format!("paused until {local}, in {}", in_words(left))
            }
            None => cell.status.word().to_owned(),
        }
    }

    fn timeout(&self, seconds: u64) -> String {
        let cell = &self.shown.cell;
        match cell.overdue(self.now) {
            Some(late) => format!("{}, late by {}", Seconds(seconds), in_words(late)),
            None => Seconds(seconds).to_string(),
        }
    }
}

fn agents_in_words(agents: &Agents, most: u64) -> String {
    let states = [
        (agents.idle, "idle"),
        (agents.active, "active"),
        (agents.paused, "paused"),
        (agents.failed, "failed"),
    ];
    format!(
        "{} of at most {most}{}",
        agents.total,
        parts(agents.total, &states)
    )
}

fn tasks_in_words(tasks: &Tasks) -> String {
    let states = [
        (tasks.pending, "pending"),
        (tasks.in_progress, "in progress"),
        (tasks.completed, "completed"),
        (tasks.failed, "failed"),
    ];
    format!("{}{}", tasks.total, parts(tasks.total, &states))
}

/// The states that occur: ": 1 idle, 2 active"; files that cannot be read are in none of them.
fn parts(total: usize, states: &[(usize, &str)]) -> String {
    let known: usize = states.iter().map(|(number, _)| number).sum();
    let unreadable = (total.saturating_sub(known), "unreadable");
    let parts: Vec<String> = states
        .iter()
        .chain([&unreadable])
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    }
}
