//! The keys of objects: twice, not there, not known.

use super::super::{Check, Facts, Findings, Rule};
use super::{an_example, each_flaw, place_named, quoted};
use crate::base::finding::{Mend, Severity};
use crate::base::ids::is_uuid;
use crate::mission::shape::{FlawKind, lookup};
use serde_json::Value;

pub(super) const DUPLICATE_KEY: Rule = Rule {
    code: "MC004",
    name: "duplicate-key",
    severity: Severity::Error,
    summary: "No key stands twice in one object.",
    why: "JSON does not say which of the two counts, and readers disagree: what one tool acts on, another never sees. \
          mcell reads the last, as Python does, and refuses to write to such a file.",
    example: r#"{ "status": "pending", "status": "completed" }"#,
    mend: "Remove the one that is wrong. Nothing is mended by itself, because only you know which was meant.",
    check: Check::Always(duplicate_key),
};

fn duplicate_key(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::Duplicate(from, width) = &flaw.kind else {
            return;
        };
        let place = place_named(&flaw.pointer);
        let message = format!("the key {place} stands here for the second time");
        findings.add(
            sick.found_in(&DUPLICATE_KEY, message)
                .bytes(*from, *width)
                .hint("remove the one that is wrong: readers disagree on which counts"),
        );
    });
}

pub(super) const MISSING_FIELD: Rule = Rule {
    code: "MC005",
    name: "missing-field",
    severity: Severity::Error,
    summary: "Every field that the specification asks for is there.",
    why: "The fleet's tools read these fields without asking whether they are there: a loader stops at a task that has no \
          `status`. Which fields must be there is in docs/mission-cell-spec.md and in the JSON Schemas.",
    example: r#"{ "task_id": "task_001", "title": "Write the report" }"#,
    mend: "Add the field. `mcell validate --fix` does so where there is a value that means what the lack of one meant: \
           the id from the file's name, `status`, `priority`, `isolation_level`. Nobody can guess a title, a role or a \
           time.",
    check: Check::Always(missing_field),
};

fn missing_field(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::Missing(name, filling) = &flaw.kind else {
            return;
        };
        let pointer = format!("{}/{name}", flaw.pointer);
        let message = match flaw.pointer.as_str() {
            "" => format!("the field `{name}` is missing"),
            above => format!("the field `{name}` of {} is missing", place_named(above)),
        };
        let mut finding = sick.found(&MISSING_FIELD, flaw, message);
        let folder = facts.survey.folder;
        let filling = filling
            .clone()
            .or_else(|| (*name == "cell_id" && is_uuid(folder)).then(|| Value::from(folder)));
        if let Some(value) = filling {
            finding = finding
                .hint(format!("write `\"{name}\": {value}`"))
                .mend(Mend::Set(pointer, value));
        } else if let Some(place) = lookup::at(sick.shape, &pointer) {
            let about = place.field.map_or("", |field| field.about);
            let example = an_example(&place.form);
            finding = finding.hint(format!("write `\"{name}\"` with {example}: {about}"));
        }
        findings.add(finding);
    });
}

pub(super) const UNKNOWN_FIELD: Rule = Rule {
    code: "MC009",
    name: "unknown-field",
    severity: Severity::Warning,
    summary: "Every field is one that the specification or mcell knows.",
    why: "A field that nobody knows is nearly always a known one with a slip in its name, and then the value that was \
          meant to count does not. It is only a warning, because other tools may keep notes of their own there; mcell \
          leaves them as they are whenever it writes the file.",
    example: r#"{ "task_id": "task_001", "asigned_to": "agent_001" }"#,
    mend: "Give it the name that was meant, or leave it if another tool put it there. `mcell validate --fix` renames a \
           field only where the name is one slip away from a known one, that one is not there, and the value would be \
           sound in it.",
    check: Check::Always(unknown_field),
};

fn unknown_field(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::Unknown(meant, is_surely) = flaw.kind else {
            return;
        };
        let (above, _) = flaw.pointer.rsplit_once('/').unwrap_or_default();
        let name = quoted(&lookup::key_of(&flaw.pointer));
        let message = match above {
            "" => format!("{} has no field {name}", article(sick.shape.name)),
            _ => format!("{} has no field {name}", place_named(above)),
        };
        let mut finding = sick.found(&UNKNOWN_FIELD, flaw, message).key(&flaw.pointer);
        finding = match meant {
            Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
            None => finding.hint("remove it, or leave it if another tool put it there"),
        };
        if let (Some(meant), true) = (meant, is_surely) {
            finding = finding.mend(Mend::Rename(flaw.pointer.clone(), meant.to_owned()));
        }
        findings.add(finding);
    });
}

/// The noun of a file with its article: "a task".
fn article(noun: &str) -> String {
    match noun {
        "agent" => format!("an {noun}"),
        "cell" | "task" => format!("a {noun}"),
        _ => format!("the {noun} file"),
    }
}
