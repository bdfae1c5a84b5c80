//! `mcell validate`: hold cells against every rule.

mod github;
mod sarif;
mod text;

use crate::base::error::{Kind, Result};
use crate::base::exit;
use crate::base::finding::Severity;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::find::Scope;
use crate::ops::validate::{self, Options, Placed, Verdict};
use crate::store::cell::OpenCell;
use crate::ui::printer::Form;
use clap::{Args, ValueEnum};
use serde::Serialize;

/// Hold cells against every rule
///
/// Without an argument: the cell you stand in, else every cell of the root. Prints nothing where nothing is wrong. Exits 1
/// if there is an error; warnings and notes leave it at 0.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell validate
  mcell validate \"Example Mission\" --fix
  mcell validate -A --all --format sarif > mcell.sarif
  mcell validate tasks/task_001.json
  mcell explain MC012")]
pub struct Validate {
    /// Cells, paths to cells or to files in them, or a path to a root
    #[arg(value_name = "CELL|PATH", value_hint = clap::ValueHint::AnyPath, add = crate::cli::complete::cells())]
    targets: Vec<String>,
    /// Mend what is safe to mend: missing folders, names of fields, forms of times, defaults
    #[arg(long)]
    fix: bool,
    /// Also say what is stuck if any one agent is lost
    #[arg(long)]
    resilience: bool,
    /// Also cells whose mission is completed or failed
    #[arg(long)]
    all: bool,
    /// How findings are printed
    #[arg(long, value_name = "FORM", default_value = "text")]
    format: Format,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the source line and a caret
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub and Gitea actions
    Github,
}

/// Everything that was found: what `--json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Found {
    /// Findings, by cell, file and place.
    pub findings: Vec<FoundOne>,
    /// How many errors.
    pub errors: usize,
    /// How many warnings.
    pub warnings: usize,
    /// What `--fix` did.
    pub fixed: Vec<String>,
}

/// One finding.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct FoundOne {
    /// The cell's folder.
    pub cell_id: String,
    /// The rule's code.
    pub code: &'static str,
    /// error, warning or note.
    pub severity: &'static str,
    /// What is wrong.
    pub message: String,
    /// The file in the cell.
    pub file: String,
    /// The line, from 1; null for the file as a whole.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// Ways out.
    pub hints: Vec<String>,
    /// Whether `--fix` can mend it.
    pub fixable: bool,
}

impl FoundOne {
    fn of(cell: &str, placed: &Placed) -> Self {
        let Placed { finding, excerpt } = placed;
        let is_placed = excerpt.line > 0;
        FoundOne {
            cell_id: cell.to_owned(),
            code: finding.code,
            severity: finding.severity.word(),
            message: finding.message.clone(),
            file: finding.file.clone(),
            line: is_placed.then_some(excerpt.line),
            column: is_placed.then_some(excerpt.column),
            hints: finding.hints.clone(),
            fixable: finding.mend.is_some(),
        }
    }
}

impl Validate {
    /// Validates.
    pub fn run(self, context: &Context) -> Outcome {
        let session = &context.session;
        let options = Options {
            resilience: self.resilience,
            also_over: self.all,
        };
        let targets = self.scopes(context)?;
        let mut fixed = Vec::new();
        if self.fix {
            for (scope, _) in &targets {
                fixed.append(&mut fix(context, scope, options)?);
            }
        }
        let mut verdicts = Vec::new();
        for (scope, file) in &targets {
            let mut found = validate::validate(session, scope, options)?;
            if let Some(file) = file {
                found.iter_mut().for_each(|verdict| only(verdict, file));
                found.retain(|verdict| !verdict.findings.is_empty());
            }
            verdicts.append(&mut found);
        }
        self.print(context, &targets, &verdicts, fixed)?;
        let errors: usize = verdicts.iter().map(|verdict| verdict.errors).sum();
        Ok(if errors > 0 { exit::NO } else { exit::DONE })
    }

    fn scopes(&self, context: &Context) -> Result<Vec<(Scope, Option<String>)>> {
        if self.targets.is_empty() {
            return Ok(vec![(context.session.scope(context.all_cells)?, None)]);
        }
        self.targets
            .iter()
            .map(|target| validate::target(&context.session, target))
            .collect()
    }

    fn print(
        &self,
        context: &Context,
        targets: &[(Scope, Option<String>)],
        verdicts: &[Verdict],
        fixed: Vec<String>,
    ) -> Result<()> {
        let printer = &context.printer;
        let format = if printer.form() == Form::Json {
            Format::Json
        } else {
            self.format
        };
        match format {
            Format::Json => {
                let all = verdicts.iter().flat_map(|verdict| {
                    verdict
                        .findings
                        .iter()
                        .map(|placed| FoundOne::of(&verdict.cell, placed))
                });
                let found = Found {
                    findings: all.collect(),
                    errors: verdicts.iter().map(|verdict| verdict.errors).sum(),
                    warnings: verdicts.iter().map(|verdict| verdict.warnings).sum(),
                    fixed,
                };
                printer.text(&format!(
                    "{}\n",
                    serde_json::to_string_pretty(&found).unwrap_or_default()
                ))
            }
            Format::Sarif => printer.text(&sarif::log(verdicts)),
            Format::Github => printer.text(&github::commands(verdicts)),
            Format::Text => {
                for one in &fixed {
                    printer.say(&format!("fixed: {}", crate::base::text::shown(one)));
                }
                let is_one_cell = matches!(targets, [(Scope::Cell(_), _)]);
                if printer.form() == Form::Words {
                    let mut page = printer.page();
                    text::words(verdicts, is_one_cell, &mut page);
                    printer.text(&page.into_text())?;
                }
                if let Some(summary) = text::summary(verdicts) {
                    printer.say(&summary);
                }
                Ok(())
            }
        }
    }
}

/// Keeps what was found in one file.
fn only(verdict: &mut Verdict, file: &str) {
    let inside = format!("{file}/");
    verdict
        .findings
        .retain(|placed| placed.finding.file == file || placed.finding.file.starts_with(&inside));
    let count = |severity| {
        verdict
            .findings
            .iter()
            .filter(|placed| placed.finding.severity == severity)
            .count()
    };
    (verdict.errors, verdict.warnings) = (count(Severity::Error), count(Severity::Warning));
}

/// Mends a cell, or those cells of a root in which something was found.
fn fix(context: &Context, scope: &Scope, options: Options) -> Result<Vec<String>> {
    // Also where there is nothing to mend.
    context.session.require_operator("mend files")?;
    match scope {
        Scope::Cell(cell) => validate::fix(&context.session, cell, options),
        Scope::Root(root) => {
            let mut done = Vec::new();
            for verdict in validate::validate(&context.session, scope, options)? {
                if !verdict
                    .findings
                    .iter()
                    .any(|placed| placed.finding.mend.is_some())
                {
                    continue;
                }
                let cell = match OpenCell::open(&root.path().join(&verdict.cell)) {
                    Err(error) if error.kind() == Kind::NotFound => continue,
                    opened => opened?,
                };
                let mended = validate::fix(&context.session, &cell, options)?;
                done.extend(
                    mended
                        .into_iter()
                        .map(|one| format!("{}/{one}", verdict.cell)),
                );
            }
            Ok(done)
        }
    }
}
