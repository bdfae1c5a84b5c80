//! `mcell artifact add`.

use crate::base::ids::TaskId;
use crate::base::text::shown;
use crate::cli::context::Context;
use crate::cli::{Outcome, complete};
use crate::mission::artifact::{Kind, size};
use crate::ops::artifact::{self, Change, NewArtifacts, Placed};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Copy files into the artifacts of a cell, and note hash, size, task and agent of each
///
/// The kind follows from the end of the name: md, txt, pdf, rst and html are docs; json, jsonl, csv, log, xml and sarif are
/// reports; the rest is code. A file that has the name and the content of an artifact changes nothing. An agent adds what
/// came of the task it holds.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell artifact add parser.rs report.md --task task_001
  mcell artifact add out.bin --kind reports --name run/trace.bin
  mcell artifact add report.md --replace --as agent_001
  mcell artifact add report.md -q                      its name: docs/report.md

Exit codes: 5 if another file has the name, or the disk that the cell is allowed is full.")]
pub(super) struct Add {
    /// The files
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// The task that they came of; it notes them too
    #[arg(long, value_name = "TASK", add = complete::tasks())]
    task: Option<TaskId>,
    /// What they are, whatever their names say
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// How the only one is called, with folders if it shall lie in some: parser.rs, code/old/parser.rs
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Put them in the place of others that have their names
    #[arg(long)]
    replace: bool,
}

/// What was added.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct Added {
    /// The folder's name of the cell.
    cell_id: String,
    /// Each file as an artifact.
    artifacts: Vec<Placed>,
}

impl Report for Added {
    fn words(&self, page: &mut Page) {
        for one in &self.artifacts {
            let name = shown(&one.artifact);
            let size = size(one.bytes);
            let of = match &one.task {
                Some(task) => format!(", of {}", shown(task)),
                None => String::new(),
            };
            match one.change {
                Change::Added => page.line(format_args!("Added {name}: {size}{of}")),
                Change::Replaced => page.line(format_args!("Replaced {name}: {size}{of}")),
                Change::Recorded => {
                    page.line(format_args!("Noted {name}, which lay there: {size}{of}"));
                }
                Change::Unchanged => page.line(format_args!(
                    "{name} was there already with the same content: nothing changed in it"
                )),
            }
        }
    }

    fn datum(&self) -> Option<String> {
        let names = self.artifacts.iter().map(|one| one.artifact.as_str());
        Some(names.collect::<Vec<_>>().join("\n"))
    }
}

impl Add {
    /// Adds the files.
    pub(super) fn run(self, context: &Context) -> Outcome {
        let cell = context.session.open_cell()?;
        let new = NewArtifacts {
            files: self.files,
            name: self.name,
            kind: self.kind,
            task: self.task,
            replace: self.replace,
        };
        let artifacts = artifact::add(&context.session, &cell, &new)?;
        context.printer.show(&Added {
            cell_id: cell.id().to_string(),
            artifacts,
        })?;
        Ok(0)
    }
}
