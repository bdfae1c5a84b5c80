//! `edit`: a copy of a file in the operator's editor, checked, and written only if nobody changed the file meanwhile.

use crate::base::document::Document;
use crate::base::error::{Error, Kind, Result};
use crate::base::ids::CellId;
use crate::base::text::quoted;
use crate::mission::sheet::{Record, stem};
use crate::ops::due;
use crate::ops::session::Session;
use crate::store::cell::OpenCell;
use crate::store::commit::Writing;
use crate::store::folder::Folder;
use crate::store::layout;
use crate::store::read;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Asks whether to edit again what this error is about.
pub type Again<'a> = &'a dyn Fn(&Error) -> Result<bool>;

/// What is edited.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// The act for the journal: "agent edit".
    pub act: &'static str,
    /// The file in the cell.
    pub file: &'s str,
    /// Members that must stay as they are: ids and times of making.
    pub fixed: &'s [&'s str],
}

/// Decides under the lock whether the cell stays sound with what was edited: the record as it was (none if it could not
/// be read) and as it would stand.
pub type Decide<'a, T> = &'a dyn Fn(&Writing<'_>, Option<&T>, &T) -> Result<()>;

/// Opens the operator's editor on a copy of a file, and writes what comes back if it is sound. Tells whether anything
/// changed. No lock is held while the editor runs; what cannot be written stays in the copy, and the error says where.
pub fn edit<T: Record + DeserializeOwned>(
    session: &Session,
    cell: &OpenCell,
    subject: Subject<'_>,
    again: Option<Again<'_>>,
) -> Result<bool> {
    edit_and_decide::<T>(session, cell, subject, again, &|_, _, _| Ok(()))
}

/// Like `edit`, and asks `decide` before anything is written.
pub fn edit_and_decide<T: Record + DeserializeOwned>(
    session: &Session,
    cell: &OpenCell,
    subject: Subject<'_>,
    again: Option<Again<'_>>,
    decide: Decide<'_, T>,
) -> Result<bool> {
    session.require_operator("edit a mission file")?;
    let editor = editor(session)?;
    // What is due anyway (a pause that ended) is written first, so that it does not count as a change meanwhile.
    drop(session.write(cell, subject.act)?);
    let before = cell.folder().read(subject.file)?.ok_or_else(|| {
        Error::not_found(format!(
            "there is no {}",
            cell.folder().path_of(subject.file).display()
        ))
    })?;
    let copy = Copy::make(session, subject.file, &before)?;
    let after = loop {
        if let Err(error) = run(&editor, &copy.path()) {
            copy.remove()?;
            return Err(error);
        }
        let after = copy.read()?;
        if after == before {
            copy.remove()?;
            return Ok(false);
        }
        match check::<T>(cell, &copy, subject, &before, &after) {
            Ok(()) => break after,
            Err(error) => match again {
                // A question that is not answered loses no text either.
                Some(again) if again(&error).map_err(|unanswered| copy.keep(unanswered))? => {}
                _ => return Err(copy.keep(error)),
            },
        }
    };
    match write(session, cell, subject, &before, after, decide) {
        Ok(()) => copy.remove().map(|()| true),
        Err(error) => Err(copy.keep(error)),
    }
}

/// Writes the edited text, unless the file is another one by now.
fn write<T: Record + DeserializeOwned>(
    session: &Session,
    cell: &OpenCell,
    subject: Subject<'_>,
    before: &[u8],
    after: Vec<u8>,
    decide: Decide<'_, T>,
) -> Result<()> {
    let mut writing = session.write(cell, subject.act)?;
    if writing.text(subject.file)?.as_deref() != Some(before) {
        return Err(Error::refused(format!(
            "{} was changed while you edited it, so nothing was written",
            subject.file
        ))
        .hint("look at what changed, and edit it again"));
    }
    // Whoever edits a file that cannot be read is about to mend it.
    let was = writing.read::<T>(subject.file).ok().flatten();
    writing.put_text(subject.file, after)?;
    if let Some(record) = writing.read::<T>(subject.file)? {
        decide(&writing, was.as_ref(), &record)?;
    }
    due::look_again(&mut writing)?;
    writing.commit(&format!("edited {}", subject.file))
}

/// Holds the edited text against the shape, and what must stay against what was there.
fn check<T: Record + DeserializeOwned>(
    cell: &OpenCell,
    copy: &Copy,
    subject: Subject<'_>,
    before: &[u8],
    after: &[u8],
) -> Result<()> {
    read::record::<T>(&copy.folder, &copy.name, after)?;
    let was = Document::parse(before).ok();
    let is = Document::parse(after).map_err(|fault| Error::malformed(fault.to_string()))?;
    let own = match subject.file {
        layout::CELL => cell.id().as_str(),
        file => stem(file),
    };
    for member in subject.fixed {
        let pointer = format!("/{member}");
        let old = was.as_ref().and_then(|text| text.at(&pointer)?.value());
        let new = is.at(&pointer).and_then(|node| node.value());
        // An id that was wrong may be put right, to what its file or folder says.
        let is_own =
            member.ends_with("_id") && new.as_ref().and_then(|id| id.as_str()) == Some(own);
        if old != new && old.is_some() && !is_own {
            let range = is.at(&pointer).map_or(0..1, |node| node.range());
            let path = copy.path().display().to_string();
            return Err(Error::refused(format!("`{member}` must stay as it is"))
                .at(read::excerpt(&path, after, range))
                .hint(match old.as_ref().and_then(|value| value.as_str()) {
                    Some(old) => format!("it was \"{old}\""),
                    None => String::from("put back what was there"),
                }));
        }
    }
    Ok(())
}

/// A copy of a file in a folder that only its owner can enter.
struct Copy {
    folder: Folder,
    name: String,
}

impl Copy {
    fn make(session: &Session, file: &str, text: &[u8]) -> Result<Self> {
        let temp = session
            .env
            .path("TMPDIR")
            .unwrap_or_else(|| PathBuf::from("/tmp"));
        let path = temp.join(format!("mcell-{}", CellId::random()));
        let failed =
            |error| Error::storage(format_args!("make the folder {}", path.display()), error);
        rustix::fs::mkdir(&path, rustix::fs::Mode::RWXU).map_err(failed)?;
        let folder = Folder::open(&path)?
            .ok_or_else(|| Error::bug(format!("{} is gone", path.display())))?;
        let rights = folder
            .rights("")?
            .ok_or_else(|| Error::bug("an open folder has no rights"))?;
        let name = layout::split(file).1.to_owned();
        folder.write_new(&name, text, rights.for_file())?;
        Ok(Copy { folder, name })
    }

    fn path(&self) -> PathBuf {
        self.folder.path_of(&self.name)
    }

    fn read(&self) -> Result<Vec<u8>> {
        self.folder.read(&self.name)?.ok_or_else(|| {
            Error::not_found(format!(
                "the editor left nothing at {}, so nothing was written",
                self.path().display()
            ))
        })
    }

    /// The error with the place where the work is kept.
    fn keep(&self, error: Error) -> Error {
        // Nobody knows whether the new text is in place: the copy is told of all the same.
        let what = match error.kind() {
            Kind::OutcomeUnknown => "a copy of your text is",
            _ => "your text is kept:",
        };
        error.hint(format!(
            "{what} {}",
            quoted(&self.path().display().to_string())
        ))
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "a folder of the session's own, not a mission's; editors leave backups in it"
    )]
    fn remove(&self) -> Result<()> {
        let path = self.folder.path();
        std::fs::remove_dir_all(path)
            .map_err(|error| Error::storage(format_args!("remove {}", path.display()), error))
    }
}

/// The editor's command line: `VISUAL`, else `EDITOR`, else vi if it is there.
fn editor(session: &Session) -> Result<String> {
    for name in ["VISUAL", "EDITOR"] {
        if let Some(editor) = session.env.word(name) {
            return Ok(editor.to_owned());
        }
    }
    // vi without a terminal draws into a pipe; whoever scripts an edit names the editor.
    let is_at_terminal = session.pick.is_some();
    let path = session.env.word("PATH").unwrap_or("/usr/bin:/bin");
    let is_there = |folder: &str| {
        let file = Path::new(folder).join("vi");
        rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
    };
    if is_at_terminal && path.split(':').any(is_there) {
        return Ok(String::from("vi"));
    }
    Err(
        Error::usage("there is no editor: neither VISUAL nor EDITOR is set, and there is no vi at a terminal here")
            .hint("`EDITOR=nano mcell …`, or change single fields with `set FIELD=VALUE`"),
    )
}

/// Runs the editor and waits. A shell takes its command line apart, as git does it: `EDITOR="code --wait"` works.
fn run(editor: &str, file: &Path) -> Result<()> {
    let status = Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("{editor} \"$@\""))
        .arg(editor)
        .arg(file)
        .status()
        .map_err(|error| Error::storage(format_args!("start the editor `{editor}`"), error))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "the editor `{editor}` ended with {status}, so nothing was written"
    ))
    .hint("VISUAL and EDITOR name the editor"))
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests look at files as other tools do"
)]
mod tests {
    use super::*;
    use crate::mission::cell::Cell;
    use crate::ops::world::World;

    const SUBJECT: Subject<'_> = Subject {
        act: "cell edit",
        file: layout::CELL,
        fixed: &["cell_id", "created_at"],
    };

    /// Edits with a line of sed, or any command that takes the file last.
    fn edited(editor: &str) -> (World, Result<bool>) {
        let world = World::new().with(&[("EDITOR", editor)]);
        let done = edit::<Cell>(&world.session, &world.cell, SUBJECT, None);
        (world, done)
    }

    fn kept(error: &Error) -> Option<String> {
        let hint = error.hints().iter().find(|hint| hint.contains("kept"))?;
        std::fs::read_to_string(hint.rsplit(' ').next()?).ok()
    }

    #[test]
    fn a_sound_edit_is_written_and_leaves_no_copy() {
        let (world, done) = edited("sed -i s/Example/Other/");
        assert!(done.unwrap());
        assert_eq!(world.cell.cell().unwrap().mission_name, "Other Mission");
        assert_eq!(world.journal().last().unwrap().act, "cell edit");
        let copies = std::fs::read_dir(world.root().path()).unwrap();
        let left = copies.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("mcell-")
        });
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn an_untouched_copy_changes_nothing() {
        let (world, done) = edited("true");
        assert!(!done.unwrap());
        assert_eq!(world.journal().len(), 1);
    }

    #[test]
    fn what_is_not_sound_is_kept_and_not_written() {
        let (world, done) = edited("sed -i s/active/actve/");
        let error = done.unwrap_err();
        assert_eq!(error.kind(), Kind::Malformed);
        assert!(error.place().is_some() && kept(&error).unwrap().contains("actve"));
        assert!(world.text(layout::CELL).contains("\"active\""));
    }

    #[test]
    fn the_id_and_the_time_of_making_stay() {
        let (_, done) = edited("sed -i s/2026-01/2025-01/");
        assert!(done.unwrap_err().message().contains("`created_at`"));
    }

    #[test]
    fn a_change_meanwhile_is_not_overwritten() {
        let world = World::new();
        let file = world.cell.path().join("cell.json").display().to_string();
        let editor = format!("sed -i s/Example/Mine/ {file}; sed -i s/Example/Yours/");
        let world = world.with(&[("VISUAL", editor.as_str())]);
        let error = edit::<Cell>(&world.session, &world.cell, SUBJECT, None).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(kept(&error).unwrap().contains("Yours Mission"));
        assert_eq!(world.cell.cell().unwrap().mission_name, "Mine Mission");
    }

    #[test]
    fn an_editor_that_fails_changes_nothing() {
        let (world, done) = edited("false");
        assert!(done.is_err());
        assert_eq!(world.journal().len(), 1);
    }
}
