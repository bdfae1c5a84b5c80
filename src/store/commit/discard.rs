//! Whole folders of mcell's own that are not needed any more.

use super::Writing;
use crate::base::error::{Error, Result};
use crate::store::layout;

impl Writing<'_> {
    /// Deletes a folder beneath `GENERATIONS` for good. First it is moved, by one rename, to where the next writer
    /// sweeps: it is there whole, or it is gone.
    pub fn discard(&mut self, path: &str) -> Result<()> {
        let folder = self.cell.folder();
        if !path.starts_with(layout::GENERATIONS) {
            return Err(Error::bug(format!("{path} is not mcell's to delete")));
        }
        folder.make_folder(layout::INCOMING)?;
        let (parent, name) = layout::split(path);
        let temp = format!(".gone-{name}.{}{}", std::process::id(), layout::TEMP);
        let temp = layout::join(layout::INCOMING, &temp);
        if folder.stat(&temp)?.is_some() {
            folder.remove_tree(&temp)?;
        }
        self.held.half_done = true;
        if folder.stat(path)?.is_some() && !folder.rename_new(path, folder, &temp)? {
            return Err(Error::bug(format!("{temp} is there already")));
        }
        if let Some(parent) = folder.folder(parent)? {
            parent.sync()?;
        }
        folder.remove_tree(&temp)?;
        self.held.half_done = false;
        Ok(())
    }
}
