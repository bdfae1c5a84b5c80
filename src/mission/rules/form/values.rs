//! Types, words, numbers, times.

use super::super::{Check, Facts, Findings, Rule};
use super::{alternatives, an_example, each_flaw, place_named, quoted};
use crate::base::finding::{Mend, Severity};
use crate::base::text::is_same_word;
use crate::mission::shape::{FlawKind, Form};
use serde_json::Value;

pub(super) const WRONG_TYPE: Rule = Rule {
    code: "MC006",
    name: "wrong-type",
    severity: Severity::Error,
    summary: "Every value has the type that the specification says.",
    why: "A reader that expects a list and finds text stops, or takes every letter for an item. Mostly it is a number or \
          `true` in quotes, or one name where a list of names should be. A field that need not be there may also be \
          null.",
    example: r#"{ "task_id": "task_001", "timeout": "1800", "dependencies": "task_000" }"#,
    mend: "Write the value in its type. `mcell validate --fix` does so where the meaning is clear: \"1800\" becomes 1800, \
           \"true\" becomes true, \"task_000\" becomes [\"task_000\"], and true becomes \"yes\" where yes and no are the \
           words.",
    check: Check::Always(wrong_type),
};

fn wrong_type(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::WrongType(expected, found, clear) = &flaw.kind else {
            return;
        };
        let place = place_named(&flaw.pointer);
        let mut finding = sick.found(
            &WRONG_TYPE,
            flaw,
            format!("{place} should be {expected}, not {found}"),
        );
        if let Some(value) = clear {
            finding = finding
                .hint(format!("write {value}"))
                .mend(Mend::Set(flaw.pointer.clone(), value.clone()));
        } else if let Some(place) = sick.place(flaw) {
            let mut hint = format!("write {}", an_example(&place.form));
            if let Some(field) = place.field.filter(|field| !field.required) {
                hint.push_str(match field.default {
                    "" | "null" => ", or remove the field",
                    _ => ", or remove the field: then its default counts",
                });
            }
            finding = finding.hint(hint);
        }
        findings.add(finding);
    });
}

pub(super) const UNKNOWN_WORD: Rule = Rule {
    code: "MC007",
    name: "unknown-word",
    severity: Severity::Error,
    summary: "A field that knows a few words holds one of them.",
    why: "Tools compare these words letter by letter. A task whose status is `done` is neither completed nor pending for \
          them: it is never picked up, and what depends on it waits for ever.",
    example: r#"{ "task_id": "task_001", "status": "in-progress" }"#,
    mend: "Write one of the words. `mcell validate --fix` does so where only case, dashes or spaces differ.",
    check: Check::Always(unknown_word),
};

fn unknown_word(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::NotOneOf(words, found, nearest) = &flaw.kind else {
            return;
        };
        let (place, said) = (place_named(&flaw.pointer), quoted(found));
        let message = format!("{place} is {said}, not {}", alternatives(words));
        let finding = sick.found(&UNKNOWN_WORD, flaw, message);
        let same = words.iter().find(|word| is_same_word(found, word));
        findings.add(match (same, nearest.or_else(|| synonym(found, words))) {
            (Some(word), _) => finding
                .hint(format!("write \"{word}\""))
                .mend(Mend::Set(flaw.pointer.clone(), Value::from(*word))),
            (None, Some(word)) => finding.hint(format!("did you mean \"{word}\"?")),
            (None, None) => finding.hint(format!("write {}", alternatives(words))),
        });
    });
}

/// What other trackers say for a word of the fleet. Only a hint is made of it: `done` may be a review away from
/// `completed`.
fn synonym(found: &str, words: &'static [&'static str]) -> Option<&'static str> {
    let folded = found.trim().to_lowercase().replace(['-', ' '], "_");
    let meant: &[&str] = match folded.as_str() {
        "done" | "complete" | "finished" | "closed" => &["completed"],
        "todo" | "open" | "new" | "queued" | "waiting" => &["pending", "idle", "active"],
        "running" | "started" | "busy" | "wip" | "doing" => &["in_progress", "active"],
        "error" | "cancelled" | "canceled" | "dead" => &["failed"],
        "critical" | "urgent" | "highest" => &["high"],
        "normal" | "default" => &["medium"],
        "lowest" | "minor" => &["low"],
        "writer" | "worker" | "coder" | "developer" => &["write"],
        "reader" | "viewer" => &["read"],
        "leader" | "coordinator" | "orchestrator" => &["lead"],
        "auditor" | "reviewer" => &["audit"],
        "0" | "off" => &["none"],
        "1" | "process" => &["level_1"],
        "2" | "mount" => &["level_2"],
        "3" | "podman" => &["level_3"],
        "true" | "always" => &["yes"],
        "false" | "never" => &["no"],
        "prompt" => &["ask"],
        _ => return None,
    };
    words.iter().copied().find(|word| meant.contains(word))
}

pub(super) const OUT_OF_RANGE: Rule = Rule {
    code: "MC008",
    name: "out-of-range",
    severity: Severity::Error,
    summary: "Every number and every text is neither too small nor too large.",
    why: "A timeout of 0 kills work before it begins, a negative one is never over, and a title of a megabyte fills every \
          table and log it is shown in. Durations are whole seconds; the most is a hundred years.",
    example: r#"{ "mission_name": "", "max_agents": 0, "timeout": 1.5 }"#,
    mend: "Write a value in the range that the message names. Nothing is mended by itself.",
    check: Check::Always(out_of_range),
};

fn out_of_range(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::OutOfRange(words) = &flaw.kind else {
            return;
        };
        let message = format!("{}: {words}", place_named(&flaw.pointer));
        let mut finding = sick.found(&OUT_OF_RANGE, flaw, message);
        if let Some(place) = sick.place(flaw) {
            let way = match place.form {
                Form::Whole(least, u64::MAX) => format!("write a whole number of {least} or more"),
                Form::Whole(least, most) => {
                    format!("write a whole number from {least} to {most}")
                }
                Form::Text(least, most) => format!("write {least} to {most} characters"),
                _ => String::from("write a value in that range"),
            };
            let default = place.field.filter(|field| !field.required);
            let default = default.map_or("", |field| field.default);
            finding = finding.hint(match default {
                "" | "null" => way,
                default => format!("{way}, or remove the field: then {default} counts"),
            });
        }
        findings.add(finding);
    });
}

pub(super) const NOT_A_TIME: Rule = Rule {
    code: "MC010",
    name: "not-a-time",
    severity: Severity::Error,
    summary: "Every time is written as RFC 3339 says, with its offset.",
    why: "A time without an offset is another moment on each machine, and one in another form is read by one tool and \
          refused by the next. Any offset is read; UTC with `Z` is what mcell writes.",
    example: r#"{ "created_at": "2026-01-02 03:04:05" }"#,
    mend: "Write it like \"2026-01-02T03:04:05Z\"; `date -u +%FT%TZ` prints the present. `mcell validate --fix` rewrites \
           the usual other forms (a space for the T, no seconds, a day alone, seconds since 1970) and takes a missing \
           offset for UTC.",
    check: Check::Always(not_a_time),
};

fn not_a_time(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::NotATime(text, meant) = &flaw.kind else {
            return;
        };
        let (place, said) = (place_named(&flaw.pointer), quoted(text));
        let message = format!("{place} is {said}, which is not a time as RFC 3339 writes it");
        let finding = sick.found(&NOT_A_TIME, flaw, message);
        findings.add(match meant {
            Some(time) => finding.hint(format!("write \"{time}\"")).mend(Mend::Set(
                flaw.pointer.clone(),
                Value::from(time.to_string()),
            )),
            None => finding.hint(
                "write it like \"2026-01-02T03:04:05Z\": `date -u +%FT%TZ` prints the present",
            ),
        });
    });
}
