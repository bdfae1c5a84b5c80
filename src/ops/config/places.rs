//! What every command needs of the config, however short it runs: where missions lie, what new files are made from, and
//! which host this is. The rest is not looked at: a wrong word about webhooks is no reason not to claim a task.

use super::file::Text;
use crate::base::env::Env;
use crate::base::error::Result;
use std::path::{Path, PathBuf};

/// What every command needs of the config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The file it was read from.
    pub file: Option<PathBuf>,
    /// `missions_path`: the root.
    pub missions_path: Option<PathBuf>,
    /// `templates`: a folder of templates.
    pub templates: Option<PathBuf>,
    /// `host`: the name of this host.
    pub host: Option<String>,
}

/// Reads them out of the config that counts; none of the usual files being there is no error.
pub fn places(env: &Env) -> Result<Places> {
    let Some(text) = Text::find(env, None)? else {
        return Ok(Places::default());
    };
    let document = text.document()?;
    let said = |key: &str| -> Result<Option<String>> {
        let node = document.root().get(key);
        match node.map(|node| (node, node.as_str())) {
            None => Ok(None),
            Some((_, Some(said))) if !said.is_empty() => Ok(Some(said.into_owned())),
            // What may be absent may be null. The root is always somewhere.
            Some((node, None)) if node.raw() == "null" && key != "missions_path" => Ok(None),
            Some((node, _)) => {
                let message = format!(
                    "`{key}` must be a text in quotes, not {}",
                    super::take::said(node)
                );
                Err(text.wrong(message, node.range()))
            }
        }
    };
    let path = |key| Ok(said(key)?.map(|said| env.resolve(Path::new(&said))));
    Ok(Places {
        missions_path: path("missions_path")?,
        templates: path("templates")?,
        host: said("host")?,
        file: Some(text.path.clone()),
    })
}
