//! `mcell task set`.

use super::as_json;
use crate::base::error::{Error, Result};
use crate::base::ids::TaskId;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::task::Task;
use crate::ops::set::Assignment;
use crate::ops::task;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

/// Set fields of a task
///
/// Fields: title, description, assigned_to, priority, dependencies, artifacts, timeout, required_capabilities, result.
/// Lists are said whole, with commas; `FIELD=` empties a field.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell task set task_001 priority=high timeout=2h
  mcell task set task_003 dependencies=task_001,task_002
  mcell task set task_003 assigned_to=agent_002
  mcell task set task_003 assigned_to=            nobody's again")]
pub(super) struct Set {
    /// The task: TASK, or CELL/TASK
    #[arg(add = complete::tasks())]
    task: String,
    /// What to set
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
}

/// The task as it now stands.
#[derive(Debug)]
struct Changed {
    cell: String,
    task: Task,
    fields: Vec<(String, String)>,
}

impl Serialize for Changed {
    fn serialize<S: serde::Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        as_json(&self.cell, &self.task).serialize(out)
    }
}

impl Report for Changed {
    fn words(&self, page: &mut Page) {
        let id = &self.task.task_id;
        if self.fields.is_empty() {
            return page.line(format_args!("{id} is so already: nothing changed"));
        }
        page.line(format_args!("Changed {id}"));
        for (name, value) in &self.fields {
            page.field(name, crate::base::text::shown(value));
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.task.task_id.clone())
    }
}

impl Changed {
    /// What a change did to a task, field by field.
    fn between(cell: String, before: &Task, task: Task) -> Self {
        let old = serde_json::to_value(before).unwrap_or_default();
        let new = serde_json::to_value(&task).unwrap_or_default();
        let mut fields = Vec::new();
        if let (Value::Object(old), Value::Object(new)) = (old, new) {
            let names = new
                .keys()
                .chain(old.keys().filter(|name| !new.contains_key(*name)));
            for name in names {
                let (was, is) = (old.get(name), new.get(name));
                if was != is {
                    fields.push((name.clone(), format!("{} → {}", plain(was), plain(is))));
                }
            }
        }
        Changed { cell, task, fields }
    }
}

/// A value as people read it: text without quotes, lists with commas.
fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::from("(none)"),
        Some(Value::String(text)) if text.is_empty() => String::from("(empty)"),
        Some(Value::String(text)) => crate::base::text::cut(text, 60).into_owned(),
        Some(Value::Array(items)) if items.is_empty() => String::from("(none)"),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| plain(Some(item)))
            .collect::<Vec<_>>()
            .join(", "),
        Some(other) => other.to_string(),
    }
}

impl Set {
    /// Sets the fields.
    pub(super) fn run(self, context: &Context) -> Outcome {
        if self.task.contains('=') {
            return Err(Error::usage("which task shall be changed?")
                .hint("`mcell task set task_001 FIELD=VALUE`"));
        }
        if self.fields.is_empty() {
            return Err(Error::usage("nothing was said to set")
                .hint(format!("`mcell task set {} priority=high`", self.task)));
        }
        let (cell, id) = context.session.split(&self.task)?;
        let id = TaskId::new(id)?;
        let fields: Vec<Assignment> = self
            .fields
            .iter()
            .map(|word| word.parse())
            .collect::<Result<_>>()?;
        let (before, after) = task::set(&context.session, &cell, &id, &fields)?;
        let report = Changed::between(cell.id().to_string(), &before, after);
        context.printer.show(&report)?;
        Ok(0)
    }
}
