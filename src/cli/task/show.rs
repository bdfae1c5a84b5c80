//! `mcell task show`.

use super::{as_json, one_or_list, targets, tell_troubles, toned};
use crate::base::clock::Time;
use crate::base::duration::{age, in_words};
use crate::base::error::{Error, Kind};
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::task::{TIMEOUT, Task, TaskStatus};
use crate::ops::task::{Seen, look, not_here};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

/// Show tasks: their fields, what they wait for, what waits for them, and why they are not ready
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task show task_001
  mcell task show task_001 --json | jq .because
  mcell task show \"Example Mission/task_001\"")]
pub(super) struct Show {
    /// The tasks: TASK, or CELL/TASK
    #[arg(required = true, value_name = "TASK", add = complete::tasks())]
    tasks: Vec<String>,
}

struct Shown<'s> {
    tasks: Vec<One<'s>>,
    now: Time,
}

struct One<'s> {
    seen: &'s Seen,
    id: &'s str,
    task: &'s Task,
    because: Vec<String>,
}

impl Serialize for Shown<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        one_or_list(self.tasks.iter().map(One::json).collect()).serialize(out)
    }
}

impl One<'_> {
    fn json(&self) -> Value {
        let mut task = as_json(self.seen.cell.as_str(), self.task);
        let after: Vec<&str> = self.awaited_by().into_iter().map(|(id, _)| id).collect();
        task["ready"] = json!(self.because.is_empty());
        task["because"] = json!(self.because);
        task["awaited_by"] = json!(after);
        task
    }

    fn awaited_by(&self) -> Vec<(&str, &Task)> {
        self.seen.tasks.awaited_by(self.id)
    }

    /// The dependencies with their states.
    fn waits_for(&self) -> Vec<String> {
        let state = |id: &String| match self.seen.tasks.get(id) {
            Some(task) => format!("{id} ({})", task.status.word()),
            None if self.seen.tasks.is_unread(id) => format!("{id} (cannot be read)"),
            None => format!("{id} (not in this cell)"),
        };
        self.task.dependencies.iter().map(state).collect()
    }

    fn words(&self, page: &mut Page, now: Time) {
        let Task {
            title,
            description,
            assigned_to,
            status,
            artifacts,
            ..
        } = self.task;
        let name = page.tone(Tone::Strong, self.id);
        page.line(format_args!("{name}  {}", shown(title)));
        page.field("cell", &self.seen.cell);
        let state = toned(page, *status);
        match (status, self.because.as_slice()) {
            (TaskStatus::Pending, []) => page.field("status", format_args!("{state}, ready")),
            (TaskStatus::Pending, why) => {
                page.field("status", format_args!("{state}, not ready"));
                for why in why {
                    page.field("", format_args!("because {}", shown(why)));
                }
            }
            (TaskStatus::InProgress | TaskStatus::Failed, [why, ..]) => {
                page.field("status", format_args!("{state}: {}", shown(why)));
            }
            _ => page.field("status", state),
        }
        page.field("priority", self.task.priority.word());
        page.field(
            "assigned to",
            assigned_to.as_deref().map_or("nobody".into(), shown),
        );
        list(page, "after", &self.waits_for());
        let before: Vec<String> = self
            .awaited_by()
            .into_iter()
            .map(|(id, task)| format!("{id} ({})", task.status.word()))
            .collect();
        list(page, "before", &before);
        page.field("timeout", in_words(self.task.timeout.unwrap_or(TIMEOUT)));
        if let Some(late) = self.task.overdue(now) {
            let late = page.tone(Tone::Caution, format_args!("{} late", in_words(late)));
            page.field("", late);
        }
        list(page, "needs", &self.task.required_capabilities);
        list(page, "artifacts", artifacts);
        let times = [
            ("created", Some(self.task.created_at)),
            ("started", self.task.started_at),
            ("completed", self.task.completed_at),
        ];
        for (name, time) in times {
            if let Some(time) = time {
                let ago = u64::try_from(now.since(time)).map_or("not yet".into(), age);
                page.field(name, format_args!("{} ({ago})", time.local(now)));
            }
        }
        if let Some(attempts) = self.task.attempts {
            page.field("attempts", attempts);
        }
        if let Some(result) = &self.task.result {
            page.field("result", shown(&result.to_string()));
        }
        if let Some(text) = description.as_deref().filter(|text| !text.is_empty()) {
            page.gap();
            // Lines of a description are lines; whatever else is in it is made safe.
            for line in text.lines() {
                page.line(format_args!("  {}", shown(line)));
            }
        }
    }
}

fn list(page: &mut Page, name: &str, items: &[String]) {
    if !items.is_empty() {
        page.field(name, shown(&items.join(", ")));
    }
}

impl Report for Shown<'_> {
    fn words(&self, page: &mut Page) {
        for (number, one) in self.tasks.iter().enumerate() {
            if number > 0 {
                page.gap();
            }
            one.words(page, self.now);
        }
    }

    fn datum(&self) -> Option<String> {
        let ids: Vec<&str> = self.tasks.iter().map(|one| one.id).collect();
        Some(ids.join("\n"))
    }
}

impl Show {
    /// Shows the tasks.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cells = targets(&context.session, &self.tasks)?;
        let mut seen = Vec::with_capacity(cells.len());
        for (cell, ids) in &cells {
            seen.push((look(&context.session, cell)?, cell, ids));
        }
        let (mut tasks, mut troubles) = (Vec::new(), Vec::new());
        for (seen, cell, ids) in &seen {
            if seen.status.is_none() {
                // The first one: what else is known of these tasks hangs on it.
                troubles.extend(seen.troubles.first().cloned());
            }
            for id in *ids {
                if !seen.shows(id.as_str()) {
                    return Err(Error::refused(format!(
                        "{} may not read {id}",
                        context.session.actor()
                    )));
                }
                let Some(task) = seen.tasks.get(id.as_str()) else {
                    if !seen.tasks.is_unread(id.as_str()) {
                        return Err(not_here(cell, id));
                    }
                    // Its own trouble, not that of others that were not asked for.
                    troubles.push(cell.task(id).err().unwrap_or_else(|| {
                        Error::new(Kind::CouldNotTell, format!("{id} could not be read"))
                            .hint("it can be now: ask again")
                    }));
                    continue;
                };
                tasks.push(One {
                    because: seen.tasks.why_not_ready(id.as_str(), seen.acting_status()),
                    seen,
                    id: id.as_str(),
                    task,
                });
            }
        }
        let shown = Shown {
            tasks,
            now: context.session.env.clock.now(),
        };
        if !shown.tasks.is_empty() {
            context.printer.show(&shown)?;
        }
        Ok(tell_troubles(context, &troubles))
    }
}
