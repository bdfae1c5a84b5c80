//! The form of files: JSON, encoding, keys, types, words, ranges. The flaws were found when the sheets were read; each
//! rule here puts one kind of them into words.

mod keys;
mod syntax;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
mod texts;
mod values;

use super::{Facts, Rule};
use crate::base::document::Fault;
use crate::base::finding::{Finding, Severity};
use crate::base::text::{cut, shown};
use crate::mission::shape::lookup::{self, Place};
use crate::mission::shape::{Flaw, Form, Shape};
use crate::mission::sheet::{Record, Sheet, Trouble};
use crate::mission::survey::Survey;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    syntax::NOT_JSON,
    syntax::NOT_UTF8,
    syntax::BYTE_ORDER_MARK,
    keys::DUPLICATE_KEY,
    keys::MISSING_FIELD,
    values::WRONG_TYPE,
    values::UNKNOWN_WORD,
    values::OUT_OF_RANGE,
    keys::UNKNOWN_FIELD,
    values::NOT_A_TIME,
    texts::NOT_AN_ID,
    texts::NOT_A_UUID,
    texts::NOT_A_WORD,
    texts::NOT_A_HASH,
    texts::NOT_AN_AMOUNT,
    texts::NOT_A_CAPABILITY,
    syntax::TOO_DEEP,
    syntax::EMPTY_FILE,
];

/// The first error in the form of one file, if there is any: what stands in the way of acting on it.
pub fn first_error(shape: &'static Shape, file: &str, text: &[u8]) -> Option<Finding> {
    let survey = Survey::of_one(shape, file, text);
    let findings = super::check_family(RULES, &survey);
    findings
        .into_iter()
        .find(|finding| finding.severity == Severity::Error)
}

/// A file with something wrong in its form.
struct Sick<'f> {
    file: &'f str,
    text: &'f [u8],
    shape: &'static Shape,
    trouble: &'f Trouble,
}

impl<'f> Sick<'f> {
    fn of<T: Record>(sheet: &'f Sheet<'_, T>) -> Option<Self> {
        Some(Sick {
            file: &sheet.file,
            text: sheet.text,
            shape: T::SHAPE,
            trouble: sheet.trouble.as_ref()?,
        })
    }

    /// What the tables say about the place of a flaw.
    fn place(&self, flaw: &Flaw) -> Option<Place> {
        lookup::at(self.shape, &flaw.pointer)
    }

    /// A finding of a rule at the value of a flaw.
    fn found(&self, rule: &Rule, flaw: &Flaw, message: String) -> Finding {
        self.found_in(rule, message).value(&flaw.pointer)
    }

    fn found_in(&self, rule: &Rule, message: String) -> Finding {
        Finding::new(rule.code, rule.severity, self.file, message)
    }
}

fn sick<'f>(survey: &'f Survey<'_>) -> impl Iterator<Item = Sick<'f>> {
    let cell = survey.cell.iter().filter_map(Sick::of);
    let agents = survey.agents.iter().filter_map(Sick::of);
    let tasks = survey.tasks.iter().filter_map(Sick::of);
    let isolation = survey.isolation.iter().filter_map(Sick::of);
    let policies = survey.policies.iter().filter_map(Sick::of);
    let permissions = survey.permissions.iter().filter_map(Sick::of);
    cell.chain(agents)
        .chain(tasks)
        .chain(isolation)
        .chain(policies)
        .chain(permissions)
}

/// Every file that is no JSON, with what is wrong.
fn faults<'f>(facts: &Facts<'f, '_>) -> impl Iterator<Item = (Sick<'f>, &'f Fault)> {
    sick(facts.survey).filter_map(|sick| match sick.trouble {
        Trouble::Fault(fault) => Some((sick, fault)),
        Trouble::Flaws(_) => None,
    })
}

/// Does something for every flaw of every file.
fn each_flaw<'f>(facts: &Facts<'f, '_>, mut act: impl FnMut(&Sick<'f>, &'f Flaw)) {
    for sick in sick(facts.survey) {
        if let Trouble::Flaws(flaws) = sick.trouble {
            flaws.iter().for_each(|flaw| act(&sick, flaw));
        }
    }
}

/// A place as a message names it: "`policies.auto_revive`", or "the file".
fn place_named(pointer: &str) -> String {
    if pointer.is_empty() {
        String::from("the file")
    } else {
        quoted(&lookup::name_of(pointer))
    }
}

/// Text from a file as a message shows it: safe, short, and in quotes.
fn quoted(text: &str) -> String {
    format!("`{}`", shown(&cut(text, 60)))
}

/// The words of a list, in a sentence: "high, medium or low".
fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// A value of a form as a person would write it, with the words around it: "one of high, medium or low".
fn an_example(form: &Form) -> String {
    String::from(match form {
        Form::Text(..) | Form::Any => "text in double quotes",
        Form::Word => "one word in double quotes",
        Form::Uuid => "a UUID, such as `uuidgen` prints, in double quotes",
        Form::Time => "a time like \"2026-01-02T03:04:05Z\"",
        Form::Id => "an id like \"agent_001\" or \"task_001\"",
        Form::IdOrAll => "an id like \"task_001\", or \"*\" for all",
        Form::OneOf(words) => return format!("{} in double quotes", alternatives(words)),
        Form::Whole(..) => "a whole number without quotes",
        Form::Flag => "true or false, without quotes",
        Form::Sha256 => "the 64 hex digits that `sha256sum` prints, in double quotes",
        Form::Cores => "an amount like \"2 cores\"",
        Form::Bytes => "an amount like \"4GB\"",
        Form::Capability => "a Linux capability like \"NET_BIND_SERVICE\"",
        Form::List(item) => return format!("a list in [ ], each of it {}", an_example(item)),
        Form::Object(_) | Form::Map(_) => "an object in { }",
    })
}
