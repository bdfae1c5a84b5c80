//! Findings for people: the sentence, the place with its source line and a caret, the way out.

use crate::base::error::Excerpt;
use crate::base::finding::Severity;
use crate::base::text::{count, shown};
use crate::ops::validate::Verdict;
use crate::ui::page::{Page, Tone};
use crate::ui::trouble;

/// All findings.
pub(super) fn words(verdicts: &[Verdict], is_one_cell: bool, page: &mut Page) {
    for verdict in verdicts {
        if verdict.in_change {
            page.line(format_args!(
                "note: cell {} was in change while it was read",
                shown(&verdict.cell)
            ));
        }
        for placed in &verdict.findings {
            let finding = &placed.finding;
            let tone = match finding.severity {
                Severity::Error => Tone::Bad,
                Severity::Warning => Tone::Caution,
                Severity::Note => Tone::Dim,
            };
            let mark = page.tone(
                tone,
                format_args!("{}[{}]:", finding.severity.word(), finding.code),
            );
            page.line(format_args!("{mark} {}", shown(&finding.message)));
            let file = match (is_one_cell, placed.excerpt.file.as_str()) {
                (true, "") => String::from("."),
                (true, file) => file.to_owned(),
                (false, "") => verdict.cell.clone(),
                (false, file) => format!("{}/{file}", verdict.cell),
            };
            trouble::excerpt(
                &Excerpt {
                    file,
                    ..placed.excerpt.clone()
                },
                tone,
                page,
            );
            trouble::hints(&finding.hints, page);
            page.gap();
        }
        if verdict.left_out > 0 {
            page.line(format_args!(
                "… and {} more in cell {}",
                verdict.left_out,
                shown(&verdict.cell)
            ));
            page.gap();
        }
    }
}

/// "2 errors and 1 warning in 1 cell; `--fix` can mend 1 of them"; none if nothing was found.
pub(super) fn summary(verdicts: &[Verdict]) -> Option<String> {
    let (cells, findings) = (
        verdicts.len(),
        verdicts.iter().flat_map(|verdict| &verdict.findings),
    );
    let mendable = findings
        .filter(|placed| placed.finding.mend.is_some())
        .count();
    let errors: usize = verdicts.iter().map(|verdict| verdict.errors).sum();
    let warnings: usize = verdicts.iter().map(|verdict| verdict.warnings).sum();
    if cells == 0 {
        return None;
    }
    let found = match (errors, warnings) {
        (0, 0) => String::from("Only notes"),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!(
            "{} and {}",
            count(errors, "error"),
            count(warnings, "warning")
        ),
    };
    let mend = if mendable > 0 {
        format!("; `mcell validate --fix` can mend {mendable}")
    } else {
        String::new()
    };
    Some(format!("{found} in {}{mend}", count(cells, "cell")))
}
