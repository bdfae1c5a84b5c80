//! Makes a config: whole with the defaults, or with the root that the user chose.

use super::file::{Text, named, own_file};
use super::keys::KEYS;
use crate::base::document::{Edit, splice};
use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::store::own;
use std::path::{Path, PathBuf};

/// Writes a config with every key and its default, where `--config` or `MCELL_CONFIG` says, else for this user. Gives the
/// file. One that is there stays as it is (exit 5).
pub fn create(env: &Env, option: Option<&Path>) -> Result<PathBuf> {
    let file = match named(env, option) {
        Some((file, _)) => file,
        None => own(env)?,
    };
    make_folder(&file)?;
    if own::create(&file, usual().as_bytes())? {
        return Ok(file);
    }
    let shown = file.display();
    Err(
        Error::refused(format!("{shown} is there already, and stays as it is"))
            .hint(format!(
                "`mcell daemon config --check --config {shown}` says whether it is sound"
            ))
            .hint("name another file with `--config`"),
    )
}

/// The text of a config that says what counts anyway.
pub(super) fn usual() -> String {
    let mut text = String::from("{");
    let mut open: Option<&str> = None;
    for (at, key) in KEYS.iter().enumerate() {
        let (section, name) = key.parts();
        if open.is_some() && open != section {
            text.push_str("\n  }");
        }
        if at > 0 {
            text.push(',');
        }
        if let Some(section) = section
            && open != Some(section)
        {
            text.push_str(&format!("\n  \"{section}\": {{"));
            // The comma before its first member was that of the section.
        }
        let indent = if section.is_some() { "    " } else { "  " };
        text.push_str(&format!("\n{indent}\"{name}\": {}", key.default));
        open = section;
    }
    if open.is_some() {
        text.push_str("\n  }");
    }
    text.push_str("\n}\n");
    text
}

/// Remembers a root in the user's own config, leaving everything else in it as it is. Gives the file.
pub fn remember_root(env: &Env, root: &Path) -> Result<PathBuf> {
    let file = own(env)?;
    make_folder(&file)?;
    let before = match Text::read(&file)? {
        Some(text) => text,
        None => Text {
            path: file.clone(),
            bytes: b"{}\n".to_vec(),
            mode: 0,
        },
    };
    let edit = Edit::Set {
        pointer: String::from("/missions_path"),
        value: root.display().to_string().into(),
    };
    let after = splice(&before.document()?, &[edit])
        .map_err(|error| Error::malformed(format!("{}: {error}", file.display())))?;
    own::replace(&file, after.as_bytes())?;
    Ok(file)
}

fn own(env: &Env) -> Result<PathBuf> {
    own_file(env).ok_or_else(|| {
        Error::usage("HOME is not set, so there is no place for a config")
            .hint("set HOME, or name a file with `--config`")
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "the operator's own folder, made with their umask"
)]
fn make_folder(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::storage(format_args!("make {}", folder.display()), error))
}
