//! The form of files: JSON, encoding, keys, types, words, ranges. The flaws were found when the sheets were read; each
//! rule here puts one kind of them into words.

use super::{Check, Facts, Findings, Rule};
use crate::base::finding::{Finding, Severity};
use crate::mission::shape::{Flaw, FlawKind};
use crate::mission::sheet::Trouble;

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule {
    code: "MC004",
    name: "duplicate-key",
    severity: Severity::Error,
    summary: "No key stands twice in one object.",
    why: "JSON does not say which of the two counts, and readers disagree: what one tool acts on, another never sees.",
    example: r#"{ "status": "pending", "status": "completed" }"#,
    mend: "Remove the one that is wrong. Nothing is mended by itself: only you know which was meant.",
    check: Check::Always(duplicate_key),
}];

fn duplicate_key(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |file, flaw| {
        if let FlawKind::Duplicate(from, width) = &flaw.kind {
            let key = flaw.pointer.rsplit('/').next().unwrap_or_default();
            findings.add(
                Finding::new(
                    "MC004",
                    Severity::Error,
                    file,
                    format!("the key `{key}` stands twice in one object"),
                )
                .bytes(*from, *width)
                .hint("remove the one that is wrong: readers disagree on which counts"),
            );
        }
    });
}

/// A flaw in words. TEMPORARY FRAME: each kind gets its rule.
pub fn finding(file: &str, flaw: &Flaw) -> Finding {
    Finding::new("MC006", Severity::Error, file, format!("{:?}", flaw.kind))
        .value(flaw.pointer.clone())
}

/// Every flaw of every sheet, with its file.
fn each_flaw(facts: &Facts<'_, '_>, mut act: impl FnMut(&str, &Flaw)) {
    each_trouble(facts, |file, trouble| {
        if let Trouble::Flaws(flaws) = trouble {
            flaws.iter().for_each(|flaw| act(file, flaw));
        }
    });
}

/// What is wrong with the form of each sheet, with its file.
fn each_trouble(facts: &Facts<'_, '_>, mut act: impl FnMut(&str, &Trouble)) {
    let survey = facts.survey;
    let mut one = |file: &str, trouble: &Option<Trouble>| {
        if let Some(trouble) = trouble {
            act(file, trouble);
        }
    };
    survey
        .cell
        .iter()
        .for_each(|sheet| one(&sheet.file, &sheet.trouble));
    survey
        .agents
        .iter()
        .for_each(|sheet| one(&sheet.file, &sheet.trouble));
    survey
        .tasks
        .iter()
        .for_each(|sheet| one(&sheet.file, &sheet.trouble));
    survey
        .isolation
        .iter()
        .for_each(|sheet| one(&sheet.file, &sheet.trouble));
    survey
        .policies
        .iter()
        .for_each(|sheet| one(&sheet.file, &sheet.trouble));
    survey
        .permissions
        .iter()
        .for_each(|sheet| one(&sheet.file, &sheet.trouble));
}
