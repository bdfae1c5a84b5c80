//! Holds cells against every rule, and mends what is safe to mend.

use crate::base::clock::Time;
use crate::base::document::{Document, Edit, Finder, Node, Places, splice};
use crate::base::error::{Error, Excerpt, Result};
use crate::base::finding::{Finding, Mend, Spot};
use crate::base::text::{cut, shown};
use crate::mission::rules;
use crate::mission::survey::Survey;
use crate::ops::find::Scope;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::layout;
use crate::store::read::excerpt_at;
use crate::store::root::Root;
use crate::store::survey::Depth;
use crate::store::walk::{self, Walk, Walked};
use std::collections::BTreeMap;

/// How to validate.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether the rules of resilience look too.
    pub resilience: bool,
    /// Whether cells whose mission is over are held against the rules.
    pub also_over: bool,
}

/// A finding with its place in the source.
#[derive(Clone, Debug)]
pub struct Placed {
    /// What was found.
    pub finding: Finding,
    /// Where; line 0 for a file as a whole.
    pub excerpt: Excerpt,
}

/// What was found in one cell.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The folder's name.
    pub cell: String,
    /// Findings, sorted by file, place and code.
    pub findings: Vec<Placed>,
    /// How many more there were.
    pub left_out: usize,
    /// How many weigh as errors, those left out too.
    pub errors: usize,
    /// How many weigh as warnings, those left out too.
    pub warnings: usize,
    /// Whether a writer was at work while the cell was read.
    pub in_change: bool,
}

/// Holds a cell, or every cell of a root, against the rules. Cells in which nothing was found are left out.
pub fn validate(session: &Session, scope: &Scope, options: Options) -> Result<Vec<Verdict>> {
    match scope {
        Scope::Cell(cell) => {
            let walked = walk::one_cell(cell, how(session), |survey| {
                judge(survey, session.env.clock.now(), options)
            })?;
            Ok(finish(vec![walked]))
        }
        Scope::Root(root) => validate_root(session, root, options),
    }
}

fn how(session: &Session) -> Walk {
    Walk {
        depth: Depth::Thorough,
        locks: true,
        threads: walk::threads(&session.env),
    }
}

fn validate_root(session: &Session, root: &Root, options: Options) -> Result<Vec<Verdict>> {
    let now = session.env.clock.now();
    let walked = walk::each_cell(root, how(session), &*session.progress, |survey| {
        let over = survey
            .cell
            .as_ref()
            .and_then(|sheet| sheet.value.as_ref())
            .is_some_and(|cell| cell.status.is_over());
        if over && !options.also_over {
            None
        } else {
            judge(survey, now, options)
        }
    })?;
    Ok(finish(walked))
}

fn finish(walked: Vec<Walked<Option<Verdict>>>) -> Vec<Verdict> {
    walked
        .into_iter()
        .filter_map(|one| {
            one.made.map(|verdict| Verdict {
                in_change: one.in_change,
                ..verdict
            })
        })
        .collect()
}

/// Every finding in a survey, placed and sorted; none if there is none.
pub fn judge(survey: &Survey<'_>, now: Time, options: Options) -> Option<Verdict> {
    let found = rules::check(survey, now, options.resilience);
    if found.kept.is_empty() {
        return None;
    }
    let mut placed = place_all(survey, found.kept);
    placed.sort_by(|one, other| order(one).cmp(&order(other)));
    placed.dedup_by(|one, other| order(one) == order(other));
    Some(Verdict {
        cell: survey.folder.to_owned(),
        findings: placed,
        left_out: found.left_out,
        errors: found.errors,
        warnings: found.warnings,
        in_change: false,
    })
}

fn order(placed: &Placed) -> (&str, usize, usize, &str, &str) {
    let Placed { finding, excerpt } = placed;
    (
        &finding.file,
        excerpt.line,
        excerpt.column,
        finding.code,
        &finding.message,
    )
}

/// Finds the places of findings; each file is scanned for spans, and walked over for lines, once.
fn place_all(survey: &Survey<'_>, findings: Vec<Finding>) -> Vec<Placed> {
    let mut by_file: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        by_file
            .entry(finding.file.clone())
            .or_default()
            .push(finding);
    }
    let mut placed = Vec::new();
    for (file, findings) in by_file {
        let text = survey.text(&file).unwrap_or_default();
        let document = Document::parse(text).ok();
        let mut finder = document.as_ref().map(Finder::new);
        // What is not there lies in what is: where a key stands twice, more was read than one of the two holds.
        let mut node = |pointer: &str| {
            let finder = finder.as_mut()?;
            std::iter::successors(Some(pointer), |inner| Some(inner.rsplit_once('/')?.0))
                .find_map(|pointer| finder.at(pointer))
        };
        let mut ranged: Vec<_> = findings
            .into_iter()
            .map(|finding| {
                let range = match &finding.spot {
                    Spot::Whole => None,
                    Spot::Bytes(from, width) => Some(*from..from + width),
                    Spot::Value(pointer) => node(pointer).map(Node::range),
                    Spot::Key(pointer) => {
                        node(pointer).map(|node| node.key_range().unwrap_or_else(|| node.range()))
                    }
                };
                (range.filter(|_| !text.is_empty()), finding)
            })
            .collect();
        ranged.sort_by_key(|(range, _)| range.as_ref().map(|range| range.start));
        let mut places = Places::new(text);
        for (range, finding) in ranged {
            let excerpt = match range {
                Some(range) => {
                    let place = places.at(range.start);
                    excerpt_at(&file, text, range, place)
                }
                None => Excerpt {
                    file: file.clone(),
                    line: 0,
                    column: 0,
                    source: String::new(),
                    skipped: 0,
                    width: 1,
                },
            };
            placed.push(Placed { finding, excerpt });
        }
    }
    placed
}

/// Passes over a cell until nothing safe is left to mend, at most so often: one mend can bring another rule to light.
const PASSES: usize = 4;

/// Mends what is safe in one cell, in one change a pass. Gives what was done, a sentence each.
pub fn fix(session: &Session, cell: &OpenCell, options: Options) -> Result<Vec<String>> {
    session.require_operator("mend files")?;
    let mut done = Vec::new();
    // Where nothing can be mended nothing is touched, and no lock is needed.
    let is_mendable = walk::one_cell(cell, how(session), |survey| {
        let found = rules::check(survey, session.env.clock.now(), options.resilience);
        found.kept.iter().any(|finding| finding.mend.is_some())
    })?;
    if !is_mendable.made {
        return Ok(done);
    }
    for _ in 0..PASSES {
        let mut writing = cell.lock_for_writing(
            session.act("validate --fix"),
            session.wait("validate --fix")?,
        )?;
        writing.rotate_journal_beyond(session.journal_most()?);
        done.append(&mut writing.mended);
        let walk = Walk {
            locks: false,
            ..how(session)
        };
        let now = session.env.clock.now();
        let walked = walk::one_cell(cell, walk, |survey| {
            rules::check(survey, now, options.resilience).kept
        })?;
        let mut mends: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for finding in walked
            .made
            .into_iter()
            .filter(|finding| finding.mend.is_some())
        {
            mends.entry(finding.file.clone()).or_default().push(finding);
        }
        let before = done.len();
        for (file, findings) in mends {
            if findings
                .iter()
                .any(|finding| finding.mend == Some(Mend::MakeFolder))
            {
                cell.folder().make_folder(&file)?;
                done.push(format!("made the folder {file}"));
                continue;
            }
            let Some(text) = cell.folder().read(&file)? else {
                continue;
            };
            if let Some(mended) = mend_text(&file, &text, &findings, &mut done) {
                writing.put_text(&file, mended)?;
            }
        }
        let what = in_one_line(done.get(before..).unwrap_or_default());
        if writing.changes_anything() {
            crate::ops::due::look_again(&mut writing)?;
            writing.commit(&what)?;
        } else if done.len() > before {
            writing.note(&what)?;
        }
        if done.len() == before {
            break;
        }
    }
    Ok(done)
}

/// What was done, as the journal says it.
fn in_one_line(done: &[String]) -> String {
    let named: Vec<&str> = done.iter().take(NAMED).map(String::as_str).collect();
    let more = match done.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let named = named.join("; ");
    format!("{}{more}", cut(&shown(&named), 500))
}

/// The most mends that one line of the journal names.
const NAMED: usize = 5;

/// The text of one file with the mends of its findings, if any can be made; adds a sentence each to `done`.
pub fn mend_text(
    file: &str,
    text: &[u8],
    findings: &[Finding],
    done: &mut Vec<String>,
) -> Option<Vec<u8>> {
    if findings
        .iter()
        .any(|finding| finding.mend == Some(Mend::DropByteOrderMark))
    {
        done.push(format!("{file}: took the byte-order mark away"));
        return text.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec);
    }
    let document = Document::parse(text)
        .ok()
        .filter(|document| !document.has_duplicates())?;
    let mut edits = Vec::new();
    let mut words = Vec::new();
    for finding in findings {
        match &finding.mend {
            Some(Mend::Set(pointer, value)) => {
                words.push(format!(
                    "{file}: set {} to {value}",
                    pointer.trim_start_matches('/')
                ));
                edits.push(Edit::Set {
                    pointer: pointer.clone(),
                    value: value.clone(),
                });
            }
            Some(Mend::Remove(pointer)) => {
                words.push(format!(
                    "{file}: removed {}",
                    pointer.trim_start_matches('/')
                ));
                edits.push(Edit::Remove {
                    pointer: pointer.clone(),
                });
            }
            Some(Mend::Rename(pointer, key)) => {
                words.push(format!(
                    "{file}: renamed {} to {key}",
                    pointer.trim_start_matches('/')
                ));
                edits.push(Edit::RenameKey {
                    pointer: pointer.clone(),
                    key: key.clone(),
                });
            }
            _ => {}
        }
    }
    let mended = splice(&document, &edits).ok()?.into_bytes();
    if mended == text {
        return None;
    }
    done.append(&mut words);
    Some(mended)
}

/// Tells whether a folder is a cell but for its cell.json: a root has no agents/ and no tasks/.
fn is_headless(folder: &std::path::Path) -> bool {
    [layout::AGENTS, layout::TASKS]
        .iter()
        .all(|name| rustix::fs::stat(folder.join(name)).is_ok())
}

/// The cell or root that a word of the command line names: a cell, a path to one, a path into one, or a path to a root.
/// The second is the file that is meant, if it is one file.
pub fn target(session: &Session, word: &str) -> Result<(Scope, Option<String>)> {
    let path = session.env.resolve(std::path::Path::new(word));
    let is_path = word.contains('/') || word == "." || word == "..";
    let Ok(real) = path.canonicalize() else {
        if is_path {
            return Err(Error::not_found(format!(
                "there is nothing at {}",
                path.display()
            )));
        }
        return Ok((Scope::Cell(session.open_named(word)?), None));
    };
    if !is_path && !real.is_dir() {
        return Ok((Scope::Cell(session.open_named(word)?), None));
    }
    for folder in real.ancestors() {
        if rustix::fs::stat(folder.join(layout::CELL)).is_ok() {
            let inside = real
                .strip_prefix(folder)
                .ok()
                .and_then(|rest| rest.to_str())
                .filter(|rest| !rest.is_empty());
            return Ok((
                Scope::Cell(OpenCell::open(folder)?),
                inside.map(str::to_owned),
            ));
        }
    }
    if is_path {
        return Ok(match real.ancestors().find(|folder| is_headless(folder)) {
            Some(folder) => (Scope::Cell(OpenCell::open(folder)?), None),
            None => (Scope::Root(Root::open(&real)?), None),
        });
    }
    Ok((Scope::Cell(session.open_named(word)?), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mission::rules::testing::cell;

    #[test]
    fn a_finding_in_a_list_whose_key_stands_twice_has_a_place() {
        let built = cell().file(
            "tasks/task_002.json",
            r#"{"task_id": "task_002", "title": "T", "status": "pending", "priority": "low",
                "dependencies": ["no id"], "dependencies": ["task_001"], "created_at": "2026-01-02T03:04:05Z"}"#,
        );
        let now = Time::parse("2026-01-02T04:00:00Z").unwrap();
        let options = Options {
            resilience: false,
            also_over: false,
        };
        let verdict = judge(&built.survey(), now, options).unwrap();
        for placed in &verdict.findings {
            assert!(
                placed.excerpt.line > 0 || placed.finding.spot == Spot::Whole,
                "{placed:?}"
            );
        }
        assert!(
            verdict
                .findings
                .iter()
                .any(|placed| placed.finding.code == "MC015")
        );
    }
}
