//! `mcell explain`: what a rule of validate asks, and why.

use crate::base::error::{Error, Result};
use crate::base::exit;
use crate::base::text::{nearest, shown};
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::mission::rules::{self, Check, Rule, page};
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use clap::Args;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use schemars::JsonSchema;
use serde::Serialize;

/// Say what a rule asks, and why
///
/// Without a rule, lists them all.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  mcell explain MC012
  mcell explain 12 duplicate-key
  mcell explain --json | jq -r '.rules[] | select(.severity == \"error\") | .code'")]
pub struct Explain {
    /// Its code or its name: MC012, 12, duplicate-key
    #[arg(value_name = "RULE", add = ArgValueCandidates::new(candidates))]
    rules: Vec<String>,
}

/// One rule.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Explained {
    /// Its code.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// error, warning or note: how much a finding of it usually weighs.
    pub severity: &'static str,
    /// Whether it is only looked for under `--resilience`.
    pub resilience: bool,
    /// What it asks.
    pub summary: &'static str,
    /// Why.
    pub why: &'static str,
    /// A piece of a file that breaks it.
    pub example: &'static str,
    /// The way out.
    pub mend: &'static str,
    #[serde(skip)]
    rule: Shown,
}

/// The rule itself, for its page of words.
#[derive(Debug)]
struct Shown(&'static Rule);

/// Several rules.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rules {
    /// By code.
    pub rules: Vec<Explained>,
    /// Whether each is shown whole; else one line each.
    #[serde(skip)]
    whole: bool,
}

impl Explained {
    fn of(rule: &'static Rule) -> Self {
        Explained {
            code: rule.code,
            name: rule.name,
            severity: rule.severity.word(),
            resilience: matches!(rule.check, Check::Resilience(_)),
            summary: rule.summary,
            why: rule.why,
            example: rule.example,
            mend: rule.mend,
            rule: Shown(rule),
        }
    }
}

impl Report for Explained {
    fn words(&self, page: &mut Page) {
        page.raw(&page::explain(self.rule.0));
    }

    fn datum(&self) -> Option<String> {
        Some(self.code.to_owned())
    }
}

impl Report for Rules {
    fn words(&self, page: &mut Page) {
        if self.whole {
            for (at, rule) in self.rules.iter().enumerate() {
                if at > 0 {
                    page.gap();
                }
                rule.words(page);
            }
            return;
        }
        let mut table = Table::new(["CODE", "NAME", "WEIGHT", "ASKS"]);
        for rule in &self.rules {
            table.row([
                rule.code.to_owned(),
                rule.name.to_owned(),
                rule.severity.to_owned(),
                rule.summary.to_owned(),
            ]);
        }
        page.table(table);
    }

    fn datum(&self) -> Option<String> {
        let codes: Vec<&str> = self.rules.iter().map(|rule| rule.code).collect();
        Some(codes.join("\n"))
    }
}

impl Explain {
    /// Explains.
    pub fn run(self, context: &Context) -> Outcome {
        let mut rules = if self.rules.is_empty() {
            let mut all: Vec<Explained> = rules::all().map(Explained::of).collect();
            all.sort_by_key(|rule| rule.code);
            all
        } else {
            let asked = self.rules.iter().map(|typed| find(typed));
            asked
                .map(|rule| rule.map(Explained::of))
                .collect::<Result<_>>()?
        };
        match (self.rules.len(), rules.pop()) {
            (1, Some(rule)) => context.printer.show(&rule)?,
            (asked, last) => {
                rules.extend(last);
                let whole = asked > 0;
                context.printer.show(&Rules { rules, whole })?;
            }
        }
        Ok(exit::DONE)
    }
}

fn find(typed: &str) -> Result<&'static Rule> {
    if let Some(rule) = rules::find(typed) {
        return Ok(rule);
    }
    let error = Error::not_found(format!("there is no rule `{}`", shown(typed)));
    let names = rules::all().flat_map(|rule| [rule.name, rule.code]);
    Err(match nearest(typed, names).and_then(rules::find) {
        Some(rule) => error.hint(format!("is {} ({}) meant?", rule.code, rule.name)),
        None => error.hint("`mcell explain` lists them"),
    })
}

fn candidates() -> Vec<CompletionCandidate> {
    let mut all: Vec<&Rule> = rules::all().collect();
    all.sort_by_key(|rule| rule.code);
    let all = all.into_iter();
    all.map(|rule| CompletionCandidate::new(rule.code).help(Some(rule.name.into())))
        .collect()
}
