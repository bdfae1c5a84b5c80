//! `mcell daemon config`: what the daemon runs by, where it comes from, and whether it is sound.

use crate::base::error::Error;
use crate::base::exit;
use crate::base::finding::Severity;
use crate::base::text::{count, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::config::{self, Effective, Finding};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use crate::ui::table::Table;
use crate::ui::trouble;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Show what the daemon runs by, and where each value comes from
///
/// --create writes a config with every key and its default, and never over one that is there. --check says everything that
/// is wrong with one, and exits 1 if it has errors. The keys are in docs/config.md.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell daemon config
  mcell daemon config --json | jq '.values[\"health.interval\"].value'
  mcell daemon config --create
  mcell daemon config --check --config /etc/lazarus/config.json")]
pub(super) struct ConfigCommand {
    /// Write a config with the defaults
    #[arg(long, conflicts_with = "check")]
    create: bool,
    /// Say everything that is wrong with the config
    #[arg(long)]
    check: bool,
    /// The config [default: MCELL_CONFIG, ~/.lazarus/config.json, /etc/lazarus/config.json]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    config: Option<PathBuf>,
}

impl ConfigCommand {
    pub(super) fn run(self, context: &Context) -> Outcome {
        let file = self.config.as_deref();
        if self.create {
            return create(context, file);
        }
        if self.check {
            return check(context, file);
        }
        let (effective, reading) = config::effective(&context.session, file)?;
        for warning in &reading.warnings {
            context.printer.warn(&shown(&warning.trouble.to_string()));
        }
        context.printer.show(&effective)?;
        Ok(exit::DONE)
    }
}

/// Makes a config, and says where.
pub(super) fn create(context: &Context, file: Option<&Path>) -> Outcome {
    context.session.require_operator("make a config")?;
    let file = config::create(&context.session.env, file)?;
    context.printer.show(&MadeConfig { file })?;
    Ok(exit::DONE)
}

fn check(context: &Context, file: Option<&Path>) -> Outcome {
    let env = &context.session.env;
    let checked = match config::check(env, file)? {
        Some((file, findings)) => Checked::of(file, findings),
        None => Checked {
            searched: config::searched(env),
            ..Checked::default()
        },
    };
    context.printer.show(&checked)?;
    Ok(if checked.errors == 0 {
        exit::DONE
    } else {
        exit::NO
    })
}

impl Report for Effective {
    fn words(&self, page: &mut Page) {
        let mut table = Table::new(["KEY", "VALUE", "FROM"]);
        for (key, stated) in &self.values {
            table.row([
                (*key).to_owned(),
                in_words(&stated.value),
                stated.source.clone(),
            ]);
        }
        page.table(table);
        if self.file.is_none() {
            page.line(format_args!(
                "There is no config, and none is needed; `mcell daemon config --create` makes {}",
                either(&self.searched)
            ));
        }
    }

    fn datum(&self) -> Option<String> {
        let lines = self.values.iter();
        let lines = lines.map(|(key, stated)| format!("{key}={}", in_words(&stated.value)));
        Some(lines.collect::<Vec<_>>().join("\n"))
    }
}

/// A value on one line.
fn in_words(value: &Value) -> String {
    match value {
        Value::Null => String::from("(none)"),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => String::from("(none)"),
        other => other.to_string(),
    }
}

fn either(files: &[PathBuf]) -> String {
    let files = files.iter().map(|file| file.display().to_string());
    files.collect::<Vec<_>>().join(" or ")
}

/// A config that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MadeConfig {
    /// The file.
    pub file: PathBuf,
}

impl Report for MadeConfig {
    fn words(&self, page: &mut Page) {
        page.line(format_args!(
            "Made {}, with the defaults",
            shown(&self.file.display().to_string())
        ));
    }

    fn datum(&self) -> Option<String> {
        Some(self.file.display().to_string())
    }
}

/// A config that was checked.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Checked {
    /// The file; null if there is none.
    pub file: Option<PathBuf>,
    /// Without an error the daemon runs by it.
    pub errors: usize,
    /// What is probably not meant.
    pub warnings: usize,
    /// All of it, in the order of the text.
    pub findings: Vec<Found>,
    #[serde(skip)]
    troubles: Vec<Finding>,
    #[serde(skip)]
    searched: Vec<PathBuf>,
}

/// One thing that is wrong with a config.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Found {
    /// error, or warning.
    pub severity: &'static str,
    /// What it is.
    pub message: String,
    /// Ways out.
    pub hints: Vec<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
}

impl Checked {
    fn of(file: PathBuf, troubles: Vec<Finding>) -> Self {
        let number = |severity| {
            let of_it = troubles.iter().filter(|found| found.severity == severity);
            of_it.count()
        };
        let found = |finding: &Finding| {
            let trouble: &Error = &finding.trouble;
            Found {
                severity: finding.severity.word(),
                message: trouble.message().to_owned(),
                hints: trouble.hints().to_vec(),
                line: trouble.place().map(|place| place.line),
                column: trouble.place().map(|place| place.column),
            }
        };
        Checked {
            file: Some(file),
            errors: number(Severity::Error),
            warnings: number(Severity::Warning),
            findings: troubles.iter().map(found).collect(),
            troubles,
            searched: Vec::new(),
        }
    }
}

impl Report for Checked {
    fn words(&self, page: &mut Page) {
        let Some(file) = &self.file else {
            page.line(format_args!(
                "There is no config, neither {}: the defaults count",
                self.searched
                    .iter()
                    .map(|file| file.display().to_string())
                    .collect::<Vec<_>>()
                    .join(" nor ")
            ));
            return;
        };
        for finding in &self.troubles {
            let tone = match finding.severity {
                Severity::Error => Tone::Bad,
                _ => Tone::Caution,
            };
            let mark = page.tone(tone, format_args!("{}:", finding.severity.word()));
            page.line(format_args!("{mark} {}", shown(finding.trouble.message())));
            if let Some(place) = finding.trouble.place() {
                trouble::excerpt(place, tone, page);
            }
            trouble::hints(finding.trouble.hints(), page);
            page.gap();
        }
        let file = file.display().to_string();
        let file = shown(&file);
        page.line(match (self.errors, self.warnings) {
            (0, 0) => format!("{file} is sound"),
            (0, warnings) => format!("{file} can be run by: {}", count(warnings, "warning")),
            (errors, 0) => format!("{file} has {}", count(errors, "error")),
            (errors, warnings) => format!(
                "{file} has {} and {}",
                count(errors, "error"),
                count(warnings, "warning")
            ),
        });
    }

    fn datum(&self) -> Option<String> {
        self.file.as_ref().map(|file| file.display().to_string())
    }
}
