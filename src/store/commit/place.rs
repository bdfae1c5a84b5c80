//! The renames that follow a commit's line, and the fsyncs that make them last.

use super::{Writing, make_path};
use crate::base::error::{Error, Kind, Result};
use crate::store::journal::{Change, Line};
use crate::store::layout;
use std::collections::BTreeSet;

impl Writing<'_> {
    /// The renames of a line. Before the first one a failure takes the line back; after it nobody can.
    pub(super) fn put_in_place(&mut self, line: &Line) -> Result<()> {
        for (moved, change) in line.files.iter().enumerate() {
            if let Err(error) = self.move_one(change) {
                if moved > 0 {
                    return Err(error.of_kind(Kind::OutcomeUnknown).hint(FINISHES));
                }
                self.journal.take_back(self.cell.folder())?;
                self.held.half_done = self.sweep_temps().is_err();
                return Err(error);
            }
        }
        self.sync_folders(line)
            .map_err(|error| error.of_kind(Kind::OutcomeUnknown).hint(FINISHES))
    }

    pub(super) fn move_one(&self, change: &Change) -> Result<()> {
        let folder = self.cell.folder();
        let Some(temp) = &change.temp else {
            return Ok(());
        };
        let Some(trash) = &change.trash else {
            if change.after.is_some() {
                return self.rename_temp(temp, &change.file);
            }
            let (parent, name) = layout::split(&change.file);
            if let Some(place) = folder.folder(parent)? {
                place.remove_file(name)?;
            }
            let _ = folder.remove_file(temp);
            return Ok(());
        };
        let root = self.cell.root_folder()?;
        let (parent, _) = layout::split(trash);
        make_path(&root, parent)?;
        if !folder.rename_new(&change.file, &root, trash)? {
            return Err(Error::refused(format!(
                "{} is there already",
                root.path_of(trash).display()
            )));
        }
        // It is done; what is left of the temp is swept by the next.
        let _ = folder.remove_file(temp);
        Ok(())
    }

    /// A file takes the place of what was there; a folder never does.
    fn rename_temp(&self, temp: &str, file: &str) -> Result<()> {
        let folder = self.cell.folder();
        if file.starts_with(layout::ARTIFACTS) {
            // Agents write there too.
            return folder.rename_unlinked(temp, file);
        }
        if !file.starts_with(layout::GENERATIONS) {
            return folder.rename(temp, file);
        }
        if folder.rename_new(temp, folder, file)? {
            return Ok(());
        }
        Err(Error::refused(format!(
            "{} is there already",
            folder.path_of(file).display()
        )))
    }

    pub(super) fn sync_folders(&self, line: &Line) -> Result<()> {
        let parents: BTreeSet<&str> = line
            .files
            .iter()
            .map(|change| layout::split(&change.file).0)
            .collect();
        for parent in parents {
            // One that somebody removed since has no names to keep.
            if let Some(parent) = self.cell.folder().folder(parent)? {
                parent.sync()?;
            }
        }
        for trash in line
            .files
            .iter()
            .filter_map(|change| change.trash.as_deref())
        {
            let place = layout::split(trash).0;
            if let Some(place) = self.cell.root_folder()?.folder(place)? {
                place.sync()?;
            }
        }
        Ok(())
    }
}

const FINISHES: &str =
    "the change is written down; the next command that writes to this cell finishes it";
