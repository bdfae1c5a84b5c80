//! `FIELD=VALUE`: changes of single fields, held against the shape of their file.

use crate::base::document::{Document, Edit, splice};
use crate::base::error::{Error, Result};
use crate::base::text::{nearest, shown};
use crate::mission::shape::typed::{allowed, emptied, typed};
use crate::mission::shape::{self, Field, Flaw, FlawKind, Form, Shape};
use crate::mission::sheet::{Record, stem};
use crate::store::commit::Writing;
use crate::store::read::excerpt;
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// One field and what it shall be. Fields of objects are named by dots: `run.cwd=/srv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The field, as typed.
    pub name: String,
    /// What it shall be; none takes it away (`field=` and `field=null`).
    pub value: Option<String>,
}

impl FromStr for Assignment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| {
                Error::usage(format!("`{}` is not FIELD=VALUE", shown(text)))
                    .hint("like `name=Reviewer` or `timeout=2h`")
            })?;
        Ok(Assignment {
            name: name.trim().to_owned(),
            value: Some(value)
                .filter(|value| !matches!(*value, "" | "null"))
                .map(str::to_owned),
        })
    }
}

/// Fields that have a move of their own: the field (with everything in it), and what to do instead.
pub type Protected<'p> = [(&'p str, &'p str)];

/// Sets fields of one file and gives the record as it will stand, and whether anything changes. Staged, not committed.
/// A file that is not there begins as an empty object. Nothing that is not sound is staged.
pub fn apply<T: Record + DeserializeOwned>(
    writing: &mut Writing<'_>,
    file: &str,
    assignments: &[Assignment],
    protected: &Protected<'_>,
) -> Result<(T, bool)> {
    let before = writing.text(file)?.unwrap_or_else(|| b"{}\n".to_vec());
    let path = writing.cell().folder().path_of(file).display().to_string();
    let after = text_with(T::SHAPE, (file, &path), &before, assignments, protected)?;
    let changed = writing.put_text(file, after)?;
    let record = writing
        .read::<T>(file)?
        .ok_or_else(|| Error::bug(format!("{file} was written, and is not there")))?;
    Ok((record, changed))
}

/// The text of a file with fields set. `file` is its path in the cell, and the path that people know it by.
pub fn text_with(
    shape: &'static Shape,
    (file, path): (&str, &str),
    before: &[u8],
    assignments: &[Assignment],
    protected: &Protected<'_>,
) -> Result<Vec<u8>> {
    let mut edits = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        edits.push(edit_for(shape, assignment, protected)?);
    }
    let document = Document::parse(before).map_err(|fault| {
        Error::malformed(format!("{file} is not JSON: {fault}"))
            .at(excerpt(path, before, fault.offset..fault.offset + 1))
            .hint(LOOK)
    })?;
    let after = splice(&document, &edits)
        .map_err(|error| Error::malformed(format!("{file}: {error}")).hint(LOOK))?
        .into_bytes();
    refuse_unsound(shape, file, &after, &edits)?;
    Ok(after)
}

/// The fields that were set, for the journal: names only, since values may be secrets.
pub fn named(assignments: &[Assignment]) -> String {
    let names: Vec<&str> = assignments
        .iter()
        .map(|assignment| assignment.name.as_str())
        .collect();
    names.join(", ")
}

const LOOK: &str = "`mcell validate` shows everything that is wrong with the cell";

fn edit_for(
    shape: &'static Shape,
    assignment: &Assignment,
    protected: &Protected<'_>,
) -> Result<Edit> {
    let name = assignment.name.as_str();
    let held = protected.iter().find(|(field, _)| {
        name.strip_prefix(field)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    if let Some((field, instead)) = held {
        return Err(Error::refused(format!("`{field}` is not set by hand")).hint(*instead));
    }
    let (field, pointer) = find(shape, name, protected)?;
    let Some(text) = &assignment.value else {
        return take_away(&field, name, pointer);
    };
    let value = typed(text, &field).map_err(|allowed| unfit(name, text, &allowed))?;
    Ok(Edit::Set { pointer, value })
}

/// The field that a name with dots means, and its JSON pointer.
fn find(shape: &'static Shape, name: &str, protected: &Protected<'_>) -> Result<(Field, String)> {
    let mut at = shape;
    let mut pointer = String::new();
    let mut rest = name;
    loop {
        let (part, deeper) = match rest.split_once('.') {
            Some((part, deeper)) => (part, Some(deeper)),
            None => (rest, None),
        };
        let field = at
            .field(part)
            .or_else(|| at.field(&part.replace('-', "_")))
            .ok_or_else(|| unknown(at, name, part, protected))?;
        push(&mut pointer, field.name);
        match (deeper, &field.form) {
            (None, _) => return Ok((*field, pointer)),
            (Some(deeper), Form::Object(inner)) => {
                at = inner;
                rest = deeper;
            }
            // Names in such an object are data, dots and all.
            (Some(key), Form::Map(item)) if !key.is_empty() => {
                push(&mut pointer, key);
                let entry = Field {
                    form: **item,
                    required: false,
                    default: "",
                    ..*field
                };
                return Ok((entry, pointer));
            }
            (Some(_), _) => {
                return Err(Error::usage(format!(
                    "`{}` has no fields: it is {}",
                    field.name,
                    allowed(field)
                )));
            }
        }
    }
}

fn unknown(shape: &Shape, name: &str, part: &str, protected: &Protected<'_>) -> Error {
    let noun = shape.name;
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    let error = match name == part {
        true => Error::usage(format!("{article} {noun} has no field `{}`", shown(part))),
        false => Error::usage(format!(
            "{noun} has no field `{}`, so there is no `{}`",
            shown(part),
            shown(name)
        )),
    };
    let is_part = |known: &&str| known.split('_').any(|word| word == part);
    let meant = nearest(part, shape.names()).or_else(|| shape.names().find(is_part));
    // The path to the object that was looked in, as protected fields are named.
    let within = name
        .find(part)
        .and_then(|at| name.get(..at))
        .unwrap_or_default();
    let is_settable = |known: &&str| {
        let whole = format!("{within}{known}");
        !protected.iter().any(|(field, _)| *field == whole)
    };
    let settable: Vec<&str> = shape.names().filter(is_settable).collect();
    let error = match meant {
        Some(meant) => error.hint(format!("is `{meant}` meant?")),
        None => error,
    };
    error.hint(format!("its fields: {}", settable.join(", ")))
}

fn take_away(field: &Field, name: &str, pointer: String) -> Result<Edit> {
    // Text that may be empty is emptied, which is what was typed.
    if let Form::Text(0, _) = field.form {
        let value = "".into();
        return Ok(Edit::Set { pointer, value });
    }
    if field.required {
        return Err(
            Error::usage(format!("`{name}` must be there, and cannot be taken away"))
                .hint(format!("allowed: {}", allowed(field))),
        );
    }
    Ok(match emptied(field) {
        Some(value) => Edit::Set { pointer, value },
        None => Edit::Remove { pointer },
    })
}

fn unfit(name: &str, text: &str, allowed: &str) -> Error {
    Error::usage(format!("`{}` cannot be `{}`", shown(name), shown(text)))
        .hint(format!("allowed: {allowed}"))
}

/// Refuses values that the shape does not take. Only what was just set is the fault of the command line; what was wrong
/// before is told by the strict reader, with its place.
fn refuse_unsound(shape: &'static Shape, file: &str, after: &[u8], edits: &[Edit]) -> Result<()> {
    let document = Document::parse(after).map_err(|fault| {
        Error::bug(format!("{file} was spliced into what is not JSON: {fault}"))
    })?;
    let reading = shape::read(&document, shape, stem(file));
    let set = |flaw: &Flaw| {
        edits.iter().any(|edit| match edit {
            Edit::Set { pointer, .. } | Edit::Remove { pointer } => {
                flaw.pointer.starts_with(pointer.as_str())
                    || (matches!(flaw.kind, FlawKind::Missing(..))
                        && pointer.starts_with(&format!("{}/", flaw.pointer))
                        && !flaw.pointer.is_empty())
            }
            Edit::RenameKey { .. } => false,
        })
    };
    let Some(flaw) = reading.flaws.iter().find(|flaw| set(flaw)) else {
        return Ok(());
    };
    // An item of a list is called by its list: nobody typed its number.
    let name = flaw
        .pointer
        .trim_start_matches('/')
        .trim_end_matches(|letter: char| letter.is_ascii_digit())
        .trim_end_matches('/')
        .replace('/', ".");
    Err(match &flaw.kind {
        FlawKind::Missing(missing, _) => Error::usage(format!("`{name}` needs `{missing}`"))
            .hint(format!("set it too: `{name}.{missing}=…`")),
        FlawKind::Unknown(meant, _) => {
            let error = Error::usage(format!("there is no field `{}`", shown(&name)));
            match meant {
                Some(meant) => error.hint(format!("is `{meant}` meant?")),
                None => error,
            }
        }
        _ => {
            let text = document
                .at(&flaw.pointer)
                .map(|node| {
                    node.as_str()
                        .map_or_else(|| node.raw().to_owned(), Into::into)
                })
                .unwrap_or_default();
            match find_by_pointer(shape, &flaw.pointer) {
                Some(field) => unfit(&name, &text, &allowed(&field)),
                None => Error::usage(format!("`{name}` cannot be `{}`", shown(&text))),
            }
        }
    })
}

/// The field at a JSON pointer; an item of a list has the form that the list's items have.
fn find_by_pointer(shape: &'static Shape, pointer: &str) -> Option<Field> {
    let mut at = Some(shape);
    let mut found: Option<Field> = None;
    for token in pointer.split('/').skip(1) {
        found = match (at, found) {
            (Some(shape), _) => shape.field(token).copied(),
            (None, Some(field)) => match field.form {
                Form::List(item) | Form::Map(item) => Some(Field {
                    form: *item,
                    ..field
                }),
                _ => None,
            },
            (None, None) => None,
        };
        at = match found?.form {
            Form::Object(inner) => Some(inner),
            _ => None,
        };
    }
    found
}

fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Kind;
    use crate::mission::agent::Agent;
    use crate::ops::world::World;

    const PROTECTED: &Protected<'_> = crate::ops::agent::PROTECTED;

    fn set(world: &World, words: &[&str]) -> Result<bool> {
        let assignments: Vec<Assignment> = words.iter().map(|word| word.parse().unwrap()).collect();
        let mut writing = world.session.write(&world.cell, "agent set")?;
        let file = "agents/agent_001.json";
        let (_, changed) = apply::<Agent>(&mut writing, file, &assignments, PROTECTED)?;
        writing.commit("set")?;
        Ok(changed)
    }

    fn refusal(world: &World, word: &str) -> (Kind, String) {
        let error = set(world, &[word]).unwrap_err();
        (
            error.kind(),
            format!("{}; {}", error.message(), error.hints().join("; ")),
        )
    }

    #[test]
    fn fields_nested_fields_and_lists_are_set_and_all_else_stays() {
        let world = World::new();
        world.add_agent();
        world.write(
            "agents/agent_001.json",
            "{\"agent_id\": \"agent_001\",\n\t\"name\": \"W\", \"role\": \"write\", \"status\": \"idle\", \"gateway\": \"\\u0061:1\"}",
        );
        assert!(set(&world, &["name=New name", "capabilities=a,b"]).unwrap());
        assert!(
            set(
                &world,
                &["run={\"command\":[\"/bin/w\"]}", "run.env.A.B=c=d"]
            )
            .unwrap()
        );
        let text = world.text("agents/agent_001.json");
        assert!(
            text.contains("\n\t\"name\": \"New name\", \"role\"") && text.contains("\\u0061:1")
        );
        let agent = crate::ops::agent::show(&world.cell, &"agent_001".parse().unwrap()).unwrap();
        assert_eq!(agent.capabilities, ["a", "b"]);
        let env = agent.run.unwrap().env.0;
        assert_eq!(env, [(String::from("A.B"), String::from("c=d"))]);
        assert!(!set(&world, &["name=New name"]).unwrap());
    }

    #[test]
    fn an_empty_value_takes_a_field_away() {
        let world = World::new();
        world.add_agent();
        set(
            &world,
            &["gateway=here:1", "capabilities=a", "health.interval=1m"],
        )
        .unwrap();
        set(
            &world,
            &["gateway=", "capabilities=null", "health.interval="],
        )
        .unwrap();
        let text = world.text("agents/agent_001.json");
        assert!(text.contains("\"gateway\": null") && text.contains("\"capabilities\": []"));
        assert!(!text.contains("interval"));
        let (kind, words) = refusal(&world, "role=");
        assert!(
            kind == Kind::Usage && words.contains("must be there"),
            "{words}"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_does() {
        let world = World::new();
        world.add_agent();
        let before = world.text("agents/agent_001.json");
        for (word, kind, says) in [
            ("rol=read", Kind::Usage, "is `role` meant?"),
            ("role=boss", Kind::Usage, "lead, write, read or audit"),
            (
                "capabilities=a b",
                Kind::Usage,
                "one word without white space",
            ),
            ("run.cwd=/x", Kind::Usage, "`run` needs `command`"),
            ("run.cmd=/x", Kind::Usage, "its fields: command"),
            ("health.interval=soon", Kind::Usage, "a duration"),
            ("health.interval=9w", Kind::Usage, "a duration"),
            ("run={\"comand\":[]}", Kind::Usage, "is `command` meant?"),
            ("run.cheque=/x", Kind::Usage, "checkpoint"),
            ("name.x=1", Kind::Usage, "has no fields"),
            ("status=failed", Kind::Refused, "`mcell agent pause`"),
        ] {
            let (is, words) = refusal(&world, word);
            assert!(is == kind && words.contains(says), "{word}: {words}");
        }
        assert_eq!(world.text("agents/agent_001.json"), before);
    }
}
