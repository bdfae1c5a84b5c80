//! `mcell daemon log`: what the daemon of the root said.

use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::cli::lines::print;
use crate::daemon::log::{Level, words};
use crate::store::daemon_log;
use crate::ui::printer::Form;
use clap::Args;
use serde_json::Value;

/// Show what the daemon of this root said
///
/// Its lines are kept under the root, whatever terminal or journal they went to as well. `--json` prints them as they are
/// kept, one object a line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell daemon log
  mcell daemon log -n 100 --follow
  mcell daemon log --json | jq -r 'select(.event == \"agent.changed\").text'")]
pub(super) struct Log {
    /// How many of the last lines
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 20)]
    lines: usize,
    /// Go on with what it says from now on
    #[arg(long, short)]
    follow: bool,
}

impl Log {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let root = context.session.open_root()?;
        let is_json = context.printer.form() == Form::Json;
        // First the place from which to go on: what comes meanwhile is not missed.
        let follow = if self.follow {
            Some(daemon_log::follow(&root)?)
        } else {
            None
        };
        let lines = daemon_log::last(&root, self.lines)?;
        if lines.is_empty() && !self.follow {
            context
                .printer
                .say("No daemon of this root has said anything yet.");
        }
        print(context, &lines, follow, |line| {
            if is_json { line.to_owned() } else { said(line) }
        })
    }
}

/// A line of the file as it was said on stderr.
fn said(line: &str) -> String {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    match (word("at"), word("level").and_then(Level::of), word("text")) {
        (Some(at), Some(level), Some(text)) => words(at, level, text),
        _ => crate::base::text::shown(line).into_owned(),
    }
}
