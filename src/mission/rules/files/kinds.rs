//! What things are: links, special files, files that are folders, too large, not to be read, open to everybody.

use super::super::{Check, Facts, Findings, Rule};
use super::{each_oddity, for_shell};
use crate::base::finding::Severity;
use crate::base::text::shown;
use crate::mission::survey::OddityKind;

pub(super) const LINK: Rule = Rule {
    code: "MC040",
    name: "link",
    severity: Severity::Error,
    summary: "No file or folder of the mission is a symbolic link.",
    why: "A link can point out of the cell, at another mission or at a system file, and whoever may write in the cell \
          chooses where. mcell follows none, so what lies behind one does not exist for it, while other tools read it.",
    example: "tasks/task_001.json -> /etc/passwd",
    mend: "Look at what it points at with `ls -l`. Then put a copy of that in the place of the link, or remove the link. \
           Nothing is mended by itself.",
    check: Check::Always(link),
};

fn link(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &LINK, |path, kind| {
        (*kind == OddityKind::Link).then(|| {
            let what = if path.is_empty() { "the cell" } else { "this" };
            (
                format!("{what} is a symbolic link, and links are not followed"),
                String::from("put what it points at in its place, or remove it"),
            )
        })
    });
}

pub(super) const SPECIAL_FILE: Rule = Rule {
    code: "MC041",
    name: "special-file",
    severity: Severity::Error,
    summary: "Every mission file is a regular file.",
    why: "A reader that opens a FIFO waits for ever, and one that opens a device may do what the device does. mcell does \
          not read such files; simpler tools hang on them.",
    example: "agents/agent_009.json is a FIFO (made with mkfifo)",
    mend: "Remove it, and find out who put it there.",
    check: Check::Always(special_file),
};

fn special_file(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &SPECIAL_FILE, |_, kind| {
        (*kind == OddityKind::Special).then(|| {
            (
                String::from("this is a FIFO, a socket or a device, not a file"),
                String::from("remove it: tools that open it may hang"),
            )
        })
    });
}

pub(super) const TOO_LARGE: Rule = Rule {
    code: "MC042",
    name: "too-large",
    severity: Severity::Error,
    summary: "A mission file has at most 16 MiB, all of a cell at most 256 MiB.",
    why: "Every tool reads these files whole, and the daemon again and again. A limit keeps one runaway file from taking \
          the memory of all; a task is a few hundred bytes, so what is larger is not one.",
    example: "tasks/task_001.json with 1 GiB",
    mend: "Move what is large to artifacts/ and name it under `artifacts`. Nothing is mended by itself.",
    check: Check::Always(too_large),
};

fn too_large(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &TOO_LARGE, |_, kind| {
        let message = match kind {
            OddityKind::TooLarge(bytes) => {
                format!("the file has {}, and at most 16 MiB are read", size(*bytes))
            }
            OddityKind::TooMuch => String::from(
                "the files of this cell have more than 256 MiB together, so this one was not read",
            ),
            _ => return None,
        };
        Some((
            message,
            String::from("move what is large to artifacts/ and name it under `artifacts`"),
        ))
    });
}

/// A size as people say it: whole units, rounded down.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

pub(super) const WORLD_WRITABLE: Rule = Rule {
    code: "MC043",
    name: "world-writable",
    severity: Severity::Warning,
    summary: "Not everybody may write a mission file or folder.",
    why: "Who writes an agent's file decides which command is started, so anybody on the machine could run programs as \
          the owner. mcell starts nothing from files with such rights. To share a root among operators give it a group, \
          as docs/mission-cell-spec.md (section 10) shows.",
    example: "agents/agent_001.json with mode 0666",
    mend: "Take the right away with `chmod o-w`.",
    check: Check::Always(world_writable),
};

fn world_writable(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &WORLD_WRITABLE, |path, kind| {
        let OddityKind::WorldWritable(mode) = kind else {
            return None;
        };
        let (what, path) = match path {
            "" => ("the cell's folder", facts.survey.folder),
            path => ("it", path),
        };
        Some((
            format!("everybody may write to {what} (mode {mode:04o})"),
            format!("take that away: `chmod o-w {}`", for_shell(path)),
        ))
    });
}

pub(super) const FILE_OR_FOLDER: Rule = Rule {
    code: "MC048",
    name: "file-or-folder",
    severity: Severity::Error,
    summary: "Files are files, and folders are folders.",
    why: "A folder named tasks/task_001.json cannot be read as a task, and where tasks is a file no task can be. It \
          happens when a copy goes one level too deep or a `mkdir -p` gets a file's name.",
    example: "tasks/task_001.json/ is a folder",
    mend: "Move it away and put the right thing in its place. Nothing is mended by itself.",
    check: Check::Always(file_or_folder),
};

fn file_or_folder(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &FILE_OR_FOLDER, |_, kind| {
        let (message, hint) = match kind {
            OddityKind::FolderForFile => (
                "this is a folder where a file should be",
                "move it away, and look inside for the file that was meant",
            ),
            OddityKind::FileForFolder => (
                "this is a file where a folder should be",
                "move it away and make the folder",
            ),
            _ => return None,
        };
        Some((message.into(), hint.into()))
    });
}

pub(super) const UNREADABLE: Rule = Rule {
    code: "MC050",
    name: "unreadable",
    severity: Severity::Error,
    summary: "Every mission file can be read by whoever works with the cell.",
    why: "What is there and cannot be read is not the same as what is not there: mcell never takes a default in its place, \
          because the next write would then destroy what the file says. Mostly it belongs to another user; else the disk \
          is failing.",
    example: "agents/agent_001.json with mode 0600 and another owner",
    mend: "Give your user or group the right to read it, or look at the disk: `mcell doctor` checks owners and modes.",
    check: Check::Always(unreadable),
};

fn unreadable(facts: &Facts<'_, '_>, findings: &mut Findings) {
    each_oddity(facts, findings, &UNREADABLE, |path, kind| {
        let OddityKind::Unreadable(why) = kind else {
            return None;
        };
        let path = match path {
            "" => facts.survey.folder,
            path => path,
        };
        Some((
            format!("this cannot be read: {}", shown(why)),
            format!(
                "look at it with `ls -ld {}`, or ask `mcell doctor`",
                for_shell(path)
            ),
        ))
    });
}
