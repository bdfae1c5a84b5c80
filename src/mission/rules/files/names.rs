//! What things are called.

use super::super::{Check, Facts, Findings, Rule};
use super::{each_oddity, for_shell};
use crate::base::finding::{Finding, Severity};
use crate::base::ids::is_uuid;
use crate::base::text::{cut, shown};
use crate::mission::survey::OddityKind;

pub(super) const STRAY_FILE: Rule = Rule {
    code: "MC044",
    name: "stray-file",
    severity: Severity::Warning,
    summary: "Every file stands where the specification has a place for it.",
    why: "Only `*.json` is read in agents/ and tasks/, and only three files in config/. A file with another name is most \
          likely one that was meant to count and does not: `config/policy.json`, `tasks/task_001.json.bak`. Names that \
          begin with a dot are nobody's business and are passed over.",
    example: "config/policy.json",
    mend: "Give it the name that was meant, or move it to artifacts/. Nothing is mended by itself.",
    check: Check::Always(stray_file),
};

fn stray_file(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &STRAY_FILE, |path, kind| {
        let OddityKind::Stray(like) = kind else {
            return None;
        };
        let (folder, _) = path.rsplit_once('/').unwrap_or_default();
        let message = match folder {
            "" => "nothing of this name belongs into a cell, so nobody reads it",
            "config" => "nothing of this name belongs into config/, so nobody reads it",
            _ => "the name does not end in .json, so nobody reads it",
        };
        let hint = match (like, folder) {
            (Some(like), _) => format!("did you mean `{like}`?"),
            (None, "agents" | "tasks") => String::from(
                "if it counts, let its name end in .json; else move it to artifacts/ or remove it",
            ),
            (None, _) => String::from("move it to artifacts/, or remove it"),
        };
        Some((message.into(), hint))
    });
}

pub(super) const NAME_NOT_UTF8: Rule = Rule {
    code: "MC045",
    name: "name-not-utf8",
    severity: Severity::Error,
    summary: "Every file's name is UTF-8.",
    why: "No id can be made of such a name, so nothing can refer to the file and mcell does not read it; some tools of \
          the fleet stop at it. Ids are plain letters, digits, `.`, `_` and `-`.",
    example: r"tasks/pr\xFCfung.json",
    mend: "Give the file another name, for instance with `mv` and the completion of your shell.",
    check: Check::Always(name_not_utf8),
};

fn name_not_utf8(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &NAME_NOT_UTF8, |path, kind| {
        (*kind == OddityKind::NameNotUtf8).then(|| {
            let folder = path.rsplit_once('/').map_or(".", |(folder, _)| folder);
            (
                String::from("the name is not UTF-8, so the file is not read"),
                format!("give it another name: `ls -b {folder}` shows its bytes"),
            )
        })
    });
}

pub(super) const NAME_NOT_AN_ID: Rule = Rule {
    code: "MC049",
    name: "name-not-an-id",
    severity: Severity::Error,
    summary: "The name of an agent's or task's file is its id and `.json`.",
    why: "The name is the id that counts: claims, dependencies and commands refer to it. A name with a space, an umlaut or \
          a leading dash cannot be one, so the file is not read and nothing can refer to it.",
    example: "tasks/my task.json",
    mend: "Rename the file and write the same id into it: 1 to 128 letters, digits, `.`, `_` and `-`, the first a letter \
           or digit.",
    check: Check::Always(name_not_an_id),
};

fn name_not_an_id(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &NAME_NOT_AN_ID, |path, kind| {
        if *kind != OddityKind::NameNotAnId {
            return None;
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.strip_suffix(".json").unwrap_or(name);
        let message = format!(
            "`{}` cannot be an id, so the file is not read",
            shown(&cut(stem, 60))
        );
        let hint = match as_id(stem) {
            Some(id) => format!("rename it to {folder}/{id}.json, and write \"{id}\" into it"),
            None => String::from(
                "rename it: letters, digits, `.`, `_` and `-`, the first a letter or digit",
            ),
        };
        Some((message, hint))
    });
}

/// A name with `_` for all that an id cannot have; none if nothing would be left of it.
fn as_id(name: &str) -> Option<String> {
    let id: String = name
        .chars()
        .map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-') => letter,
            _ => '_',
        })
        .take(100)
        .collect();
    let id = id.trim_start_matches(['.', '-', '_']);
    id.chars()
        .any(|letter| letter.is_ascii_alphanumeric())
        .then(|| id.to_owned())
}

pub(super) const FOLDER_NOT_A_UUID: Rule = Rule {
    code: "MC052",
    name: "folder-not-a-uuid",
    severity: Severity::Warning,
    summary: "The name of a cell's folder is a UUID.",
    why: "The folder's name is the id of the cell everywhere: in commands, over HTTP, in MCELL_CELL. The fleet's tools \
          expect a UUID there, and two machines whose missions are both called `test` could not be told apart.",
    example: "/var/missions/test/",
    mend: "Rename the folder to the UUID that `cell_id` says, with all agents stopped. Nothing is mended by itself, \
           because others may know the cell by this name.",
    check: Check::Always(folder_not_a_uuid),
};

fn folder_not_a_uuid(facts: &Facts<'_, '_>, findings: &mut Findings) {
    let folder = facts.survey.folder;
    if is_uuid(folder) {
        return;
    }
    let stated = facts.survey.cell.as_ref();
    let stated = stated.and_then(|sheet| sheet.value.as_ref());
    let stated = stated.map(|cell| &*cell.cell_id).filter(|id| is_uuid(id));
    let rule = &FOLDER_NOT_A_UUID;
    let message = format!(
        "the folder's name, `{}`, is not a UUID",
        shown(&cut(folder, 60))
    );
    let hint = match stated {
        Some(id) => format!(
            "stop its agents and rename it: `mv {} {id}`",
            for_shell(folder)
        ),
        None => String::from("stop its agents and rename it to what `uuidgen` prints"),
    };
    findings.add(Finding::new(rule.code, rule.severity, "", message).hint(hint));
}
