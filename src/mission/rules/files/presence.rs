//! What is not there, and what is left over.

use super::super::{Check, Facts, Findings, Rule};
use super::each_oddity;
use crate::base::finding::{Finding, Mend, Severity};
use crate::base::text::shown;
use crate::mission::survey::OddityKind;

pub(super) const MISSING_FOLDER: Rule = Rule {
    code: "MC046",
    name: "missing-folder",
    severity: Severity::Warning,
    summary: "A cell has the folders agents, tasks, checkpoints, logs, artifacts and config.",
    why: "The fleet's tools list these folders without asking whether they are there, and stop where one is not. Git and \
          some backup programs leave empty folders out, so a cell that was copied often lacks one.",
    example: "a cell without checkpoints/",
    mend: "Make it. `mcell validate --fix` does, with the owner, group and mode of the cell's folder.",
    check: Check::Always(missing_folder),
};

fn missing_folder(facts: &Facts<'_, '_>, findings: &mut Findings) {
    for oddity in &facts.survey.oddities {
        if oddity.kind == OddityKind::MissingFolder {
            let path = oddity.path.as_str();
            let message = format!("the folder {}/ is missing", shown(path));
            findings.add(
                Finding::new(MISSING_FOLDER.code, MISSING_FOLDER.severity, path, message)
                    .hint(format!("make it: `mkdir {path}`"))
                    .mend(Mend::MakeFolder),
            );
        }
    }
}

pub(super) const MISSING_CELL_FILE: Rule = Rule {
    code: "MC047",
    name: "missing-cell-file",
    severity: Severity::Error,
    summary: "A cell has a cell.json.",
    why: "It names the mission and says whether it goes on. Without it a folder is not a cell for any tool of the fleet: \
          its agents are not watched and its tasks are not given out.",
    example: "a folder with agents/ and tasks/ and no cell.json",
    mend: "Bring it back from a backup, or make it from `mcell schema cell`. If the folder is no cell, move it out of the \
           root.",
    check: Check::Always(missing_cell_file),
};

fn missing_cell_file(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &MISSING_CELL_FILE, |_, kind| {
        (*kind == OddityKind::MissingCell).then(|| {
            (
                String::from("cell.json is missing"),
                String::from(
                    "bring it back from a backup, or move the folder away if it is no cell",
                ),
            )
        })
    });
}

pub(super) const LEFT_TEMP: Rule = Rule {
    code: "MC051",
    name: "left-temp",
    severity: Severity::Note,
    summary: "No temporary file is left of a writer that was killed.",
    why: "mcell writes a new file beside the old one, under a name that begins with a dot and ends in .tmp, and renames it \
          when it is whole. A writer that is killed before leaves it there. Nothing is lost, and no tool reads it.",
    example: "tasks/.task_001.json.4f2a.tmp",
    mend: "Nothing need be done: the next command that writes to the cell finishes or removes it.",
    check: Check::Always(left_temp),
};

fn left_temp(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &LEFT_TEMP, |_, kind| {
        (*kind == OddityKind::LeftTemp).then(|| {
            (
                String::from("a writer that was killed, or is at work now, has left this"),
                String::from("leave it: the next command that writes to the cell clears it away"),
            )
        })
    });
}
