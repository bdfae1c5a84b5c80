//! Texts that have a form of their own: ids, words, hashes, amounts, capabilities.

use super::super::{Check, Facts, Findings, Rule};
use super::{each_flaw, place_named, quoted};
use crate::base::finding::{Mend, Severity};
use crate::base::ids::is_uuid;
use crate::base::text::{cut, shown};
use crate::mission::shape::FlawKind;
use serde_json::Value;

const WHAT_AN_ID_IS: &str =
    "write 1 to 128 letters, digits, `.`, `_` or `-`, the first a letter or digit";

pub(super) const NOT_AN_ID: Rule = Rule {
    code: "MC011",
    name: "not-an-id",
    severity: Severity::Error,
    summary: "Every id of an agent or task is one that can be a file's name.",
    why: "An id becomes the name of a file, so it is 1 to 128 letters, digits, `.`, `_` and `-`, and begins with a letter \
          or digit. An id such as `../../etc/passwd` would leave the cell; mcell never makes a path of what is not an \
          id.",
    example: r#"{ "task_id": "task_001", "assigned_to": "agent 1", "dependencies": ["../task_000"] }"#,
    mend: "Write the id of the agent or task that is meant: the name of its file without `.json`. Write null or leave the \
           field out for none.",
    check: Check::Always(not_an_id),
};

fn not_an_id(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::NotAnId(text) = &flaw.kind else {
            return;
        };
        let said = quoted(text);
        let place = sick.place(flaw);
        let is_key = place.is_some_and(|place| place.key_is_data);
        let finding = if is_key {
            let message = format!("the key {said} cannot be the id of an agent");
            sick.found_in(&NOT_AN_ID, message).key(&flaw.pointer)
        } else if text.is_empty() {
            let message = format!(
                "{} is empty, which is not an id",
                place_named(&flaw.pointer)
            );
            sick.found(&NOT_AN_ID, flaw, message)
        } else {
            let message = format!(
                "{} is {said}, which is not an id",
                place_named(&flaw.pointer)
            );
            sick.found(&NOT_AN_ID, flaw, message)
        };
        let may_be_null = place
            .and_then(|place| place.field)
            .is_some_and(|field| !field.required);
        findings.add(match (text.is_empty(), may_be_null) {
            (true, true) => finding.hint("write null if nothing is meant"),
            _ => finding.hint(WHAT_AN_ID_IS),
        });
    });
}

pub(super) const NOT_A_UUID: Rule = Rule {
    code: "MC060",
    name: "not-a-uuid",
    severity: Severity::Error,
    summary: "The id of a cell is a UUID.",
    why: "Cells of many machines meet in one fleet, and a UUID is what keeps them apart without asking anybody. The \
          folder's name is what counts; `cell_id` repeats it for tools that see only the file.",
    example: r#"{ "cell_id": "mission-1", "mission_name": "Example Mission" }"#,
    mend: "Write the folder's name, or what `uuidgen` prints where that is no UUID either. `mcell validate --fix` writes \
           the folder's name if it is one.",
    check: Check::Always(not_a_uuid),
};

fn not_a_uuid(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::NotAUuid(text) = &flaw.kind else {
            return;
        };
        let (place, said) = (place_named(&flaw.pointer), quoted(text));
        let message = format!("{place} is {said}, which is not a UUID");
        let finding = sick.found(&NOT_A_UUID, flaw, message);
        let folder = facts.survey.folder;
        findings.add(if is_uuid(folder) {
            finding
                .hint(format!("write the folder's name, \"{folder}\""))
                .mend(Mend::Set(flaw.pointer.clone(), Value::from(folder)))
        } else {
            finding.hint("write what `uuidgen` prints, and give the folder the same name")
        });
    });
}

pub(super) const NOT_A_WORD: Rule = Rule {
    code: "MC061",
    name: "not-a-word",
    severity: Severity::Error,
    summary: "A capability, a signal, a user, a variable's name is one word.",
    why: "These are compared and handed on letter by letter: `write code` never equals `write-code`, and a user with a \
          space in the name does not exist. A word has 1 to 200 characters and no white space or control characters.",
    example: r#"{ "agent_id": "agent_001", "capabilities": ["write code", ""] }"#,
    mend: "Write one word, for instance with `-` for the space, the same wherever it is compared: capabilities of agents \
           and `required_capabilities` of tasks.",
    check: Check::Always(not_a_word),
};

fn not_a_word(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::NotAWord(text) = &flaw.kind else {
            return;
        };
        let place = place_named(&flaw.pointer);
        let joined = text.split_whitespace().collect::<Vec<_>>().join("-");
        let (message, hint) = if text.is_empty() {
            (
                format!("{place} is empty"),
                String::from("write one word, or remove it"),
            )
        } else if text.chars().count() > 200 {
            (
                format!("{place} has more than 200 characters"),
                String::from("write a shorter word"),
            )
        } else {
            (
                format!("{place} is {}, which is not one word", quoted(text)),
                format!(
                    "write it without white space, like \"{}\"",
                    shown(&cut(&joined, 60))
                ),
            )
        };
        findings.add(sick.found(&NOT_A_WORD, flaw, message).hint(hint));
    });
}

pub(super) const NOT_A_HASH: Rule = Rule {
    code: "MC062",
    name: "not-a-hash",
    severity: Severity::Error,
    summary: "The hash of a checkpoint is a SHA-256 in lower-case hex.",
    why: "Before an agent is brought back, its context.json is hashed and compared with this. What is not 64 lower-case \
          hex digits never equals anything, so a good checkpoint would be taken for a damaged one.",
    example: r#"{ "checkpoint": { "context_hash": "sha256:9F86D081…" } }"#,
    mend: "Write what `sha256sum checkpoints/AGENT/context.json` prints, without a prefix, or null if there is none.",
    check: Check::Always(not_a_hash),
};

fn not_a_hash(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        if flaw.kind == FlawKind::NotAHash {
            let place = place_named(&flaw.pointer);
            let message = format!("{place} is not the 64 lower-case hex digits of a SHA-256");
            findings.add(
                sick.found(&NOT_A_HASH, flaw, message)
                    .hint("write what `sha256sum` prints for context.json, or null"),
            );
        }
    });
}

pub(super) const NOT_AN_AMOUNT: Rule = Rule {
    code: "MC063",
    name: "not-an-amount",
    severity: Severity::Error,
    summary: "Every resource limit is an amount with a unit that is known.",
    why: "A limit that cannot be read cannot be kept. Cores are written \"2 cores\", \
          \"0.5 cores\" or \"1500m\"; memory and disk \"4GB\", \"512MB\" or \"10GiB\", where GB counts in thousands and \
          GiB in 1024s.",
    example: r#"{ "resource_limits": { "cpu": "2 cpus", "memory": "lots" } }"#,
    mend: "Write a number above zero and one of these units. Nothing is mended by itself.",
    check: Check::Always(not_an_amount),
};

fn not_an_amount(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::NotAnAmount(why) = &flaw.kind else {
            return;
        };
        // The reason and the form to write come last, so they stay where a hostile text is long.
        let (why, form) = why.rsplit_once("; ").unwrap_or((why, "write an amount"));
        let why = why.rsplit_once(": ").map_or(why, |(_, why)| why);
        let place = place_named(&flaw.pointer);
        let message = format!("{place} is not an amount: {}", shown(&cut(why, 100)));
        let form = format!("write {}", form.trim_start_matches("write it like "));
        findings.add(sick.found(&NOT_AN_AMOUNT, flaw, message).hint(form));
    });
}

pub(super) const NOT_A_CAPABILITY: Rule = Rule {
    code: "MC064",
    name: "not-a-capability",
    severity: Severity::Error,
    summary: "Every entry of `security_context.capabilities` is a Linux capability.",
    why: "These are rights that the kernel gives to a process, named in capabilities(7); a name it does not know cannot be \
          granted, so the agent would not start. What an agent is good at stands in its own file, under `capabilities`.",
    example: r#"{ "security_context": { "capabilities": ["NET_BIND", "CAP_CHOWN"] } }"#,
    mend: "Write a name of capabilities(7), with or without `CAP_`, or remove the entry.",
    check: Check::Always(not_a_capability),
};

fn not_a_capability(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_flaw(facts, |sick, flaw| {
        let FlawKind::NotACapability(text, nearest) = &flaw.kind else {
            return;
        };
        let (place, said) = (place_named(&flaw.pointer), quoted(text));
        let message = format!("{place} is {said}, which is not a Linux capability");
        findings.add(
            sick.found(&NOT_A_CAPABILITY, flaw, message)
                .hint(match nearest {
                    Some(name) => format!("did you mean \"{name}\"?"),
                    None => String::from("write a name of capabilities(7), or remove it"),
                }),
        );
    });
}
