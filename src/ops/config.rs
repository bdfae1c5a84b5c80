//! The operator's config, as far as commands need it: where missions lie, and which templates are used.
//!
//! `MCELL_CONFIG`, else `~/.lazarus/config.json`, else `/etc/lazarus/config.json`. A named file that is missing is an error.

use crate::base::document::Document;
use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::store::read::excerpt;
use std::path::{Path, PathBuf};

/// What commands need of the config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The file it was read from.
    pub file: Option<PathBuf>,
    /// `missions_path`: the root.
    pub missions_path: Option<PathBuf>,
    /// `templates`: a folder of templates.
    pub templates: Option<PathBuf>,
}

/// The config that `mcell` keeps for one user.
pub fn own_file(env: &Env) -> Option<PathBuf> {
    env.home().map(|home| home.join(".lazarus/config.json"))
}

/// Reads the config that counts; none of the usual files being there is no error.
pub fn read(env: &Env) -> Result<Config> {
    if let Some(named) = env.path("MCELL_CONFIG") {
        let file = env.resolve(&named);
        return match read_file(&file)? {
            Some(text) => parse(env, &file, &text),
            None => Err(Error::not_found(format!(
                "MCELL_CONFIG names {}, which is not there",
                file.display()
            ))),
        };
    }
    for file in own_file(env)
        .into_iter()
        .chain([PathBuf::from("/etc/lazarus/config.json")])
    {
        if let Some(text) = read_file(&file)? {
            return parse(env, &file, &text);
        }
    }
    Ok(Config::default())
}

#[allow(
    clippy::disallowed_methods,
    reason = "the operator's own file, not a mission's"
)]
fn read_file(file: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::storage(
            format_args!("read {}", file.display()),
            error,
        )),
    }
}

fn parse(env: &Env, file: &Path, text: &[u8]) -> Result<Config> {
    let name = file.display().to_string();
    let document = Document::parse(text).map_err(|fault| {
        Error::malformed(format!("the config is not JSON: {fault}")).at(excerpt(
            &name,
            text,
            fault.offset..fault.offset + 1,
        ))
    })?;
    let path = |key: &str| -> Result<Option<PathBuf>> {
        let Some(node) = document.root().get(key) else {
            return Ok(None);
        };
        match node.as_str() {
            Some(text) if !text.is_empty() => Ok(Some(env.resolve(Path::new(&*text)))),
            _ => Err(
                Error::malformed(format!("`{key}` in the config is not a path in quotes"))
                    .at(excerpt(&name, text, node.range())),
            ),
        }
    };
    Ok(Config {
        file: Some(file.to_path_buf()),
        missions_path: path("missions_path")?,
        templates: path("templates")?,
    })
}

/// Remembers a root in the user's own config, leaving everything else in it as it is. Gives the file.
#[allow(
    clippy::disallowed_methods,
    reason = "the operator's own file, not a mission's"
)]
pub fn remember_root(env: &Env, root: &Path) -> Result<PathBuf> {
    use crate::base::document::{Edit, splice};
    let file = own_file(env).ok_or_else(|| {
        Error::usage("HOME is not set, so there is no place for a config")
            .hint("set HOME, or use `--root`")
    })?;
    let folder = file.parent().unwrap_or(&file);
    let failed =
        |error: std::io::Error| Error::storage(format_args!("write {}", file.display()), error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let before = read_file(&file)?.unwrap_or_else(|| b"{}\n".to_vec());
    let document = Document::parse(&before)
        .map_err(|fault| Error::malformed(format!("{} is not JSON: {fault}", file.display())))?;
    let edit = Edit::Set {
        pointer: String::from("/missions_path"),
        value: root.display().to_string().into(),
    };
    let after = splice(&document, &[edit])
        .map_err(|error| Error::malformed(format!("{}: {error}", file.display())))?;
    crate::store::own::replace(&file, after.as_bytes())?;
    Ok(file)
}
