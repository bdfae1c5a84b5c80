//! Writes what mcell makes of itself (manual pages, schemas) into a folder of the operator's.

use crate::base::error::{Error, Result};
use crate::store::own;
use std::path::{Path, PathBuf};

/// A file to write: its name and its text.
pub type Page = (String, String);

/// Writes every page into a folder, which is made if it is not there, and gives their paths.
#[allow(
    clippy::disallowed_methods,
    reason = "the operator's own folder, made with their umask"
)]
pub fn write_all(folder: &Path, pages: &[Page]) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::storage(format_args!("make {}", folder.display()), error))?;
    let mut written = Vec::new();
    for (name, text) in pages {
        let file = folder.join(name);
        own::replace(&file, text.as_bytes())?;
        written.push(file);
    }
    Ok(written)
}
