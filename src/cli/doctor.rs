//! `mcell doctor`: whether this machine and this root are as mcell needs them.

use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::doctor::{self, Examination, Verdict};
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use clap::Args;

/// Check this machine, the root and its rights
///
/// Says for each check whether it is ok, a warning or a problem, why, and what to type. Changes nothing. Exits 1 if there is
/// a problem, and 8 if something could not be looked at.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  mcell doctor
  mcell doctor --root /srv/missions
  mcell doctor --json | jq '.checks[] | select(.verdict != \"ok\")'")]
pub struct Doctor {}

impl Report for Examination {
    fn words(&self, page: &mut Page) {
        for check in &self.checks {
            let tone = match check.verdict {
                Verdict::Ok => Tone::Good,
                Verdict::Warning | Verdict::Unknown => Tone::Caution,
                Verdict::Problem => Tone::Bad,
            };
            let word = page.tone(tone, format_args!("{:<7}", check.verdict.word()));
            page.line(format_args!(
                "{word}  {:<11}  {}",
                check.name,
                crate::base::text::shown(&check.why)
            ));
            for command in &check.commands {
                let command = page.tone(Tone::Command, crate::base::text::shown(command));
                page.line(format_args!("{:22}$ {command}", ""));
            }
        }
        page.line(summary(self));
    }

    fn datum(&self) -> Option<String> {
        let worst = self.checks.iter().map(|check| check.verdict).max();
        worst.map(|verdict| verdict.word().to_owned())
    }
}

fn summary(examination: &Examination) -> String {
    use crate::base::text::count;
    let parts: Vec<String> = [
        (Verdict::Problem, "problem"),
        (Verdict::Warning, "warning"),
        (Verdict::Unknown, "unknown"),
    ]
    .into_iter()
    .map(|(verdict, noun)| (examination.count(verdict), noun))
    .filter(|(number, _)| *number > 0)
    .map(|(number, noun)| count(number, noun))
    .collect();
    if parts.is_empty() {
        String::from("Everything is well.")
    } else {
        format!("{}.", parts.join(", "))
    }
}

impl Doctor {
    /// Looks, and says what it found.
    pub fn run(self, context: &Context) -> Outcome {
        let examination = doctor::examine(&context.session);
        context.printer.show(&examination)?;
        Ok(examination.exit())
    }
}
