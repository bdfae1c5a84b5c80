//! `mcell schema`: the JSON Schemas of mission files, and of what commands print under `--json`.

use crate::base::error::Error;
use crate::base::exit;
use crate::base::text::{nearest, shown};
use crate::cli::context::Context;
use crate::cli::man::Written;
use crate::cli::{Outcome, demo, explain, init, status, validate};
use crate::mission::shape;
use crate::ops::{changes, doctor, export, scan};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use std::path::PathBuf;

/// Print the JSON Schema of a file, or of what a command prints
///
/// Draft 2020-12. Without a name, lists them. The shapes only ever grow: a field is never taken away and never changes its
/// meaning.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  mcell schema task > task.schema.json
  mcell schema output.scan | jq .properties
  mcell schema --all schemas/")]
pub struct Schema {
    /// Its name: cell, agent, task, …, output.scan
    #[arg(add = ArgValueCandidates::new(candidates))]
    name: Option<String>,
    /// Write every schema into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with = "name")]
    all: Option<PathBuf>,
}

/// What a command prints under `--json`.
struct Output {
    name: &'static str,
    about: &'static str,
    schema: fn(&mut SchemaGenerator) -> schemars::Schema,
}

const fn output<T: JsonSchema>(name: &'static str, about: &'static str) -> Output {
    Output {
        name,
        about,
        schema: |maker| maker.root_schema_for::<T>(),
    }
}

/// One line a command, in the order of `mcell --help`.
const OUTPUTS: &[Output] = &[
    output::<init::Made>("output.init", "What `mcell init --json` prints."),
    output::<status::Overview>("output.status", "What `mcell status --json` prints."),
    output::<scan::Scan>("output.scan", "What `mcell scan --json` prints."),
    output::<changes::Changes>(
        "output.scan.changes",
        "What `mcell scan --changes --json` prints.",
    ),
    output::<validate::Found>("output.validate", "What `mcell validate --json` prints."),
    output::<explain::Explained>("output.explain", "What `mcell explain RULE --json` prints."),
    output::<explain::Rules>("output.explain.list", "What `mcell explain --json` prints."),
    output::<doctor::Examination>("output.doctor", "What `mcell doctor --json` prints."),
    output::<demo::Shown>("output.demo", "What `mcell demo --json` prints."),
    output::<List>("output.schema", "What `mcell schema --json` prints."),
    output::<Written>("output.man", "What `mcell man --all DIR --json` prints."),
    output::<Failure>(
        "output.error",
        "What every command prints on stderr when it fails under `--json`.",
    ),
];

/// A failed command.
#[derive(Debug, Serialize, JsonSchema)]
struct Failure {
    /// What went wrong.
    error: Trouble,
}

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
struct Trouble {
    /// The kind: one word for each exit code (docs/exit-codes.md).
    code: String,
    /// What stands in the way.
    message: String,
    /// Ways out.
    hints: Vec<String>,
    /// Where in a file, if in one.
    place: Option<Place>,
}

/// A place in a file.
#[derive(Debug, Serialize, JsonSchema)]
struct Place {
    /// The file.
    file: String,
    /// The line, from 1; 0 for the file as a whole.
    line: u64,
    /// The column in characters, from 1.
    column: u64,
}

/// Every schema.
#[derive(Debug, Serialize, JsonSchema)]
pub struct List {
    /// Those of files first.
    pub schemas: Vec<Line>,
}

/// One schema.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// What it describes.
    pub about: String,
}

impl Report for List {
    fn words(&self, page: &mut Page) {
        let mut table = Table::new(["NAME", "WHAT IT DESCRIBES"]);
        for line in &self.schemas {
            table.row([line.name.clone(), line.about.clone()]);
        }
        page.table(table);
    }

    fn datum(&self) -> Option<String> {
        let names: Vec<&str> = self.schemas.iter().map(|line| line.name.as_str()).collect();
        Some(names.join("\n"))
    }
}

fn list() -> Vec<Line> {
    let files = shape::ALL.iter().map(|shape| Line {
        name: shape.name.to_owned(),
        about: format!("{}: {}", shape.file, shape.about),
    });
    let outputs = OUTPUTS.iter().map(|output| Line {
        name: output.name.to_owned(),
        about: output.about.to_owned(),
    });
    files.chain(outputs).collect()
}

fn candidates() -> Vec<CompletionCandidate> {
    let lines = list().into_iter();
    lines
        .map(|line| CompletionCandidate::new(line.name).help(Some(line.about.into())))
        .collect()
}

/// The text of a schema; none if there is none of that name.
fn text(name: &str) -> Option<String> {
    if let Some(shape) = shape::ALL.iter().find(|shape| shape.name == name) {
        return Some(shape::schema::text(shape));
    }
    let output = OUTPUTS.iter().find(|output| output.name == name)?;
    let mut maker = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut schema = (output.schema)(&mut maker);
    schema.insert("$id".to_owned(), format!("urn:mcell:schema:{name}").into());
    schema.insert("title".to_owned(), name.into());
    schema.insert("description".to_owned(), output.about.into());
    let mut text = serde_json::to_string_pretty(&schema).ok()?;
    text.push('\n');
    Some(text)
}

/// Every schema, by the name of its file.
fn pages() -> Vec<export::Page> {
    list()
        .into_iter()
        .filter_map(|line| Some((format!("{}.json", line.name), text(&line.name)?)))
        .collect()
}

impl Schema {
    /// Prints one, lists them, or writes them all.
    pub fn run(self, context: &Context) -> Outcome {
        if let Some(folder) = &self.all {
            return Written::write(context, folder, &pages());
        }
        let Some(name) = self.name else {
            context.printer.show(&List { schemas: list() })?;
            return Ok(exit::DONE);
        };
        if let Some(text) = text(&name) {
            context.printer.text(&text)?;
            return Ok(exit::DONE);
        }
        let error = Error::not_found(format!("there is no schema `{}`", shown(&name)));
        let known = list();
        let names = known.iter().map(|line| line.name.as_str());
        Err(match nearest(&name, names) {
            Some(meant) => error.hint(format!("is `{meant}` meant?")),
            None => error.hint("`mcell schema` lists them"),
        })
    }
}
