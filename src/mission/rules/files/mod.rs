//! Files and folders: what is missing, stray, linked, special, too large, unreadable, or writable by everybody. The
//! oddities were seen when the cell was read; each rule here puts one kind of them into words.

mod kinds;
mod names;
mod presence;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

use super::{Facts, Findings, Rule};
use crate::base::finding::Finding;
use crate::base::text::shown;
use crate::mission::survey::OddityKind;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    kinds::LINK,
    kinds::SPECIAL_FILE,
    kinds::TOO_LARGE,
    kinds::WORLD_WRITABLE,
    names::STRAY_FILE,
    names::NAME_NOT_UTF8,
    presence::MISSING_FOLDER,
    presence::MISSING_CELL_FILE,
    kinds::FILE_OR_FOLDER,
    names::NAME_NOT_AN_ID,
    kinds::UNREADABLE,
    presence::LEFT_TEMP,
    names::FOLDER_NOT_A_UUID,
];

/// Adds what a rule says about each oddity that it knows: a message and the ways out.
fn each_oddity(
    facts: &Facts<'_, '_>,
    findings: &mut Findings,
    rule: &Rule,
    say: impl Fn(&str, &OddityKind) -> Option<(String, String)>,
) {
    for oddity in &facts.survey.oddities {
        if let Some((message, hint)) = say(&oddity.path, &oddity.kind) {
            let finding = Finding::new(rule.code, rule.severity, oddity.path.as_str(), message);
            findings.add(finding.hint(hint));
        }
    }
}

/// A path as a shell takes it for one word, and as a terminal may show it.
fn for_shell(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if !path.is_empty() && !path.starts_with('-') && path.bytes().all(is_plain) {
        return path.to_owned();
    }
    let path = shown(path).replace('\'', r"'\''");
    if path.starts_with('-') {
        format!("'./{path}'")
    } else {
        format!("'{path}'")
    }
}
