//! What a commit is made of: files as they stand with what is staged, and what is put on top.

use super::{Writing, make_place, pretty};
use crate::base::document::{Document, edits_between, splice};
use crate::base::error::{Error, Kind, Result};
use crate::mission::sheet::Record;
use crate::store::incoming::Incoming;
use crate::store::{layout, read};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Debug)]
pub(super) struct Staged {
    pub(super) file: String,
    pub(super) before: Option<Vec<u8>>,
    pub(super) after: After,
    /// Changed only if something else is.
    pub(super) is_beside: bool,
}

#[derive(Debug)]
pub(super) enum After {
    Text(Vec<u8>),
    /// Goes to the trash: where, relative to the root.
    Trash(String),
    /// Goes for good.
    Gone,
    /// Was made beforehand: where, and its hash.
    Made {
        temp: String,
        sha256: String,
    },
}

impl Writing<'_> {
    /// Reads a record as it stands, with what is staged. None if there is no such file.
    pub fn read<T: Record + DeserializeOwned>(&self, file: &str) -> Result<Option<T>> {
        match self.text(file)? {
            Some(text) => read::record(self.cell.folder(), file, &text).map(Some),
            None => Ok(None),
        }
    }

    /// The same; none also where the file is not sound: that is for validate to name. Any other error is one.
    pub fn read_sound<T: Record + DeserializeOwned>(&self, file: &str) -> Result<Option<T>> {
        self.read(file).or_else(|error| match error.kind() {
            Kind::Malformed => Ok(None),
            _ => Err(error),
        })
    }

    /// The text of a file as it stands, with what is staged.
    pub fn text(&self, file: &str) -> Result<Option<Vec<u8>>> {
        match self.staged.iter().find(|staged| staged.file == file) {
            Some(Staged {
                after: After::Text(text),
                ..
            }) => Ok(Some(text.clone())),
            Some(Staged {
                after: After::Trash(_) | After::Gone,
                ..
            }) => Ok(None),
            Some(Staged {
                after: After::Made { temp, .. },
                ..
            }) => self.cell.folder().read(temp),
            None => self.cell.folder().read(file),
        }
    }

    /// Stages a record: a new file, or a splice of what changed into what is there. Tells whether anything changes.
    pub fn put<T: Record + Serialize + DeserializeOwned>(
        &mut self,
        file: &str,
        record: &T,
    ) -> Result<bool> {
        let text = self.spliced(file, record)?;
        let changes = text.is_some();
        if let Some(text) = text {
            self.stage(file, text);
        }
        Ok(changes)
    }

    /// Stages a record that is changed only if something else is.
    pub fn put_record_beside<T: Record + Serialize + DeserializeOwned>(
        &mut self,
        file: &str,
        record: &T,
    ) -> Result<()> {
        match self.spliced(file, record)? {
            Some(text) => self.put_beside(file, text),
            None => Ok(()),
        }
    }

    /// The text of a file with a record in it; none if it says so already.
    fn spliced<T: Record + Serialize + DeserializeOwned>(
        &self,
        file: &str,
        record: &T,
    ) -> Result<Option<Vec<u8>>> {
        let Some(text) = self.text(file)? else {
            return pretty(record).map(Some);
        };
        let before: T = read::record(self.cell.folder(), file, &text)?;
        let edits = edits_between(&value(&before)?, &value(record)?);
        if edits.is_empty() {
            return Ok(None);
        }
        let path = self.cell.folder().path_of(file);
        let document = Document::parse(&text)
            .map_err(|fault| Error::malformed(format!("{}: {fault}", path.display())))?;
        let spliced = splice(&document, &edits)
            .map_err(|error| Error::malformed(format!("{}: {error}", path.display())))?;
        Ok(Some(spliced.into_bytes()).filter(|spliced| *spliced != text))
    }

    /// Stages a whole text.
    pub fn put_text(&mut self, file: &str, text: Vec<u8>) -> Result<bool> {
        if self.text(file)?.as_deref() == Some(text.as_slice()) {
            return Ok(false);
        }
        self.stage(file, text);
        Ok(true)
    }

    /// Stages the removal of a file, to this place in the root's trash.
    pub fn remove(&mut self, file: &str, trash: &str) -> Result<()> {
        let before = self.cell.folder().read(file)?;
        self.staged.retain(|staged| staged.file != file);
        self.staged.push(Staged {
            file: file.to_owned(),
            before,
            after: After::Trash(trash.to_owned()),
            is_beside: false,
        });
        Ok(())
    }

    /// Stages that one of mcell's own records goes for good, without the trash. One that is not there changes nothing.
    pub fn take_away(&mut self, file: &str) -> Result<()> {
        if !layout::may_go(file) {
            return Err(Error::bug(format!("{file} goes to the trash only")));
        }
        self.staged.retain(|staged| staged.file != file);
        if let Some(before) = self.cell.folder().read(file)? {
            self.staged.push(Staged {
                file: file.to_owned(),
                before: Some(before),
                after: After::Gone,
                is_beside: false,
            });
        }
        Ok(())
    }

    /// Stages what was made beforehand: a file that takes the place of what is there, or a folder where nothing is yet.
    pub fn put_made(&mut self, file: &str, made: Incoming) -> Result<()> {
        let (parent, _) = layout::split(file);
        make_place(self.cell.folder(), parent)?;
        if !made.is_folder() {
            made.give(self.rights_for(file, parent)?)?;
        }
        self.staged.retain(|staged| staged.file != file);
        self.staged.push(Staged {
            file: file.to_owned(),
            before: None,
            after: After::Made {
                temp: made.path().to_owned(),
                sha256: made.copied().sha256.clone(),
            },
            is_beside: false,
        });
        self.made.push(made);
        Ok(())
    }

    /// Stages a whole text that is changed only if something else is.
    pub fn put_beside(&mut self, file: &str, text: Vec<u8>) -> Result<()> {
        if self.text(file)?.as_deref() != Some(text.as_slice()) {
            let is_new = !self.staged.iter().any(|staged| staged.file == file);
            self.stage(file, text);
            if let Some(staged) = self.staged.last_mut().filter(|_| is_new) {
                staged.is_beside = true;
            }
        }
        Ok(())
    }

    fn stage(&mut self, file: &str, text: Vec<u8>) {
        match self.staged.iter_mut().find(|staged| staged.file == file) {
            Some(staged) => {
                staged.after = After::Text(text);
                staged.is_beside = false;
            }
            None => self.staged.push(Staged {
                file: file.to_owned(),
                before: None,
                after: After::Text(text),
                is_beside: false,
            }),
        }
    }

    /// Tells whether anything is staged.
    pub fn changes_anything(&self) -> bool {
        self.staged.iter().any(|staged| !staged.is_beside)
    }
}

fn value<T: Serialize>(record: &T) -> Result<serde_json::Value> {
    serde_json::to_value(record)
        .map_err(|error| Error::bug(format!("a record cannot be written: {error}")))
}
