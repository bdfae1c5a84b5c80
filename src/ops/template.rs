//! What new cells, agents and tasks start from: built in, or files of the operator's, each checked before it is used.

use crate::base::document::Document;
use crate::base::error::{Error, Result};
use crate::mission::sheet::Record;
use crate::ops::config;
use crate::ops::session::Session;
use crate::store::read::excerpt;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

const CELL: &str = include_str!("../../fixtures/templates/cell.json");
const AGENT: &str = include_str!("../../fixtures/templates/agent.json");
const TASK: &str = include_str!("../../fixtures/templates/task.json");

/// A template's text and the name of its file.
#[derive(Clone, Debug)]
pub struct Template {
    /// Where it comes from, for errors.
    pub name: String,
    /// Its text.
    pub text: Vec<u8>,
}

/// The template of a noun ("cell", "agent", "task"): `--template`, else the config's folder, else the built-in one.
pub fn find(session: &Session, noun: &str, given: Option<&Path>) -> Result<Template> {
    let given = given.map(|path| session.env.resolve(path));
    let folder = match given {
        Some(path) => Some(path),
        None => config::places(&session.env)?.templates,
    };
    if let Some(path) = folder {
        let file = if path.is_dir() {
            path.join(format!("{noun}.json"))
        } else {
            path
        };
        if let Some(template) = read(&file)? {
            return Ok(template);
        }
        // A folder need not have all three.
        if !file.parent().is_some_and(Path::is_dir) {
            return Err(Error::not_found(format!(
                "there is no template {}",
                file.display()
            )));
        }
    }
    let text = match noun {
        "cell" => CELL,
        "agent" => AGENT,
        _ => TASK,
    };
    Ok(Template {
        name: format!("the built-in template of {noun}"),
        text: text.as_bytes().to_vec(),
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "the operator's own file, not a mission's"
)]
fn read(file: &PathBuf) -> Result<Option<Template>> {
    match std::fs::read(file) {
        Ok(text) => Ok(Some(Template {
            name: file.display().to_string(),
            text,
        })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::storage(
            format_args!("read the template {}", file.display()),
            error,
        )),
    }
}

/// Takes a template's text with these members set, checks it, and gives the record and the text.
pub fn fill<T: Record + DeserializeOwned>(
    template: &Template,
    members: Vec<(&str, serde_json::Value)>,
) -> Result<(T, Vec<u8>)> {
    use crate::base::document::{Edit, splice};
    let Template { name, text } = template;
    let document = Document::parse(text).map_err(|fault| {
        Error::malformed(format!("{name} is not JSON: {fault}")).at(excerpt(
            name,
            text,
            fault.offset..fault.offset + 1,
        ))
    })?;
    let edits: Vec<Edit> = members
        .into_iter()
        .map(|(member, value)| Edit::Set {
            pointer: format!("/{member}"),
            value,
        })
        .collect();
    let filled =
        splice(&document, &edits).map_err(|error| Error::malformed(format!("{name}: {error}")))?;
    let mut filled = filled.into_bytes();
    if !filled.ends_with(b"\n") {
        filled.push(b'\n');
    }
    let record = crate::store::read::sound(name, "", &filled)?;
    Ok((record, filled))
}
