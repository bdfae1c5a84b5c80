//! `mcell checkpoint save`.

use super::{holds, target};
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::ops::checkpoint::{self, Gift, NewCheckpoint, Saved};
use crate::store::incoming::read_source;
use crate::store::layout;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Save a checkpoint of an agent
///
/// What is not given is taken from checkpoints/AGENT/ in the cell, where agents write. An agent saves its own; one that
/// holds a task with the token of its claim. When the new one has been read back, the generations before the last three
/// are deleted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell checkpoint save --as agent_001
  mcell checkpoint save agent_001 --state state.json --context context.json --artifact plan.md
  ./state.sh | mcell checkpoint save --as agent_001 --state -")]
pub(super) struct Save {
    /// The agent: AGENT, or CELL/AGENT [default: the one who acts]
    #[arg(value_name = "AGENT", add = complete::agents())]
    agent: Option<String>,
    /// The state, a JSON object; - is standard input
    #[arg(long, value_name = "FILE|-", value_hint = clap::ValueHint::FilePath)]
    state: Option<PathBuf>,
    /// The context, a JSON object; - is standard input
    #[arg(long, value_name = "FILE|-", value_hint = clap::ValueHint::FilePath)]
    context: Option<PathBuf>,
    /// A file to save with them, beside those in checkpoints/AGENT/artifacts/
    #[arg(long = "artifact", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    artifacts: Vec<PathBuf>,
}

impl Report for Saved {
    fn words(&self, page: &mut Page) {
        let (number, agent) = (self.generation, &self.agent_id);
        let holds = holds(&self.manifest);
        page.line(format_args!(
            "Saved checkpoint {number} of {agent}: {holds}"
        ));
        if let Some(task) = &self.manifest.task {
            page.line(format_args!("  at work on {}", shown(task)));
        }
        if !self.left_out.is_empty() {
            let names = self.left_out.join(", ");
            page.line(format_args!(
                "  not saved, since only plain files are: {}",
                shown(&names)
            ));
        }
        if !self.dropped.is_empty() {
            let dropped: Vec<String> = self.dropped.iter().map(u64::to_string).collect();
            page.line(format_args!("  deleted: checkpoint {}", dropped.join(", ")));
        }
    }

    fn datum(&self) -> Option<String> {
        Some(self.generation.to_string())
    }
}

impl Save {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let named = match (&self.agent, &context.session.agent) {
            (Some(named), _) => named.clone(),
            (None, Some(acting)) => acting.to_string(),
            (None, None) => {
                return Err(Error::usage("the checkpoint of which agent? say it")
                    .hint("`mcell checkpoint save AGENT`, or `--as AGENT`"));
            }
        };
        let is_stdin = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
        if is_stdin(&self.state) && is_stdin(&self.context) {
            return Err(
                Error::usage("only one of them can come from standard input")
                    .hint("put the other one into a file"),
            );
        }
        let (cell, agent) = target(context, &named)?;
        let resolve = |path: &Path| context.session.env.resolve(path);
        let given = |path: Option<&PathBuf>| path.map(|path| gift(path, resolve)).transpose();
        let new = NewCheckpoint {
            state: given(self.state.as_ref())?,
            context: given(self.context.as_ref())?,
            artifacts: self.artifacts.iter().map(|path| resolve(path)).collect(),
        };
        let saved = checkpoint::save(&context.session, &cell, &agent, &new)?;
        context.printer.show(&saved)?;
        Ok(crate::base::exit::DONE)
    }
}

fn gift(path: &Path, resolve: impl Fn(&Path) -> PathBuf) -> Result<Gift> {
    if path != Path::new("-") {
        return Ok(Gift {
            name: path.display().to_string(),
            text: read_source(&resolve(path))?,
        });
    }
    let mut text = Vec::new();
    std::io::stdin()
        .lock()
        .take(layout::LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| Error::storage("read standard input", error))?;
    Ok(Gift {
        name: String::from("standard input"),
        text,
    })
}
