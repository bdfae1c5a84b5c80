//! What may stand in braces in the command of an agent, and what comes to stand in its place (docs/agent.md). No shell sees
//! any of it.

use crate::base::error::{Error, Result};
use crate::base::text::shown;
use serde_json::{Map, Value};

/// The placeholders; with the last comes a key of the checkpoint's state.json.
pub const PLACEHOLDERS: [&str; 3] = ["cell", "agent", "checkpoint"];
/// How the placeholder of a key of state.json begins.
pub const STATE: &str = "state.";
/// The most bytes that may come from state.json for one placeholder.
const LONGEST: usize = 1 << 10;

/// The words in braces that look like placeholders. JSON in an argument (`{"a":1}`, `{}`) and variables of a shell
/// (`${home}`) are none.
pub fn names_in_braces(text: &str) -> impl Iterator<Item = &str> {
    spans(text).map(|(_, name)| name)
}

/// The same, each with where its brace opens.
fn spans(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices('{').filter_map(|(at, _)| {
        let (before, rest) = (text.get(..at)?, text.get(at + 1..)?);
        let (name, _) = rest.split_once('}')?;
        let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        (is_name && !before.ends_with('$')).then_some((at, name))
    })
}

/// Whether a text can only be filled in with a checkpoint.
pub fn wants_checkpoint(text: &str) -> bool {
    names_in_braces(text).any(|name| name == "checkpoint" || name.starts_with(STATE))
}

/// What comes to stand in the place of placeholders.
#[derive(Clone, Copy, Debug)]
pub struct Values<'v> {
    /// `{cell}`
    pub cell: &'v str,
    /// `{agent}`
    pub agent: &'v str,
    /// `{checkpoint}`: the folder of the checkpoint that is restored.
    pub checkpoint: Option<&'v str>,
    /// `{state.KEY}`: what its state.json says.
    pub state: Option<&'v Map<String, Value>>,
}

impl Values<'_> {
    /// Fills in one argument of a command, or one variable. What is missing stops the start, and is named (exit 5).
    pub fn fill(&self, text: &str) -> Result<String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = 0;
        for (at, name) in spans(text) {
            let end = at + name.len() + 2;
            let is_whole = at == 0 && end == text.len();
            filled.push_str(text.get(rest..at).unwrap_or_default());
            filled.push_str(&self.value(name, is_whole)?);
            rest = end;
        }
        filled.push_str(text.get(rest..).unwrap_or_default());
        Ok(filled)
    }

    fn value(&self, name: &str, is_whole: bool) -> Result<String> {
        let no_checkpoint = || {
            Error::refused(format!(
                "{{{name}}} stands in its command, and it has no checkpoint"
            ))
            .hint("say in run.fresh_command how it begins without one")
        };
        match name {
            "cell" => Ok(self.cell.to_owned()),
            "agent" => Ok(self.agent.to_owned()),
            "checkpoint" => self.checkpoint.map(str::to_owned).ok_or_else(no_checkpoint),
            _ => {
                let key = name.strip_prefix(STATE).ok_or_else(|| {
                    Error::refused(format!("the placeholder {{{name}}} is not known"))
                        .hint("known are {cell}, {agent}, {checkpoint} and {state.KEY}")
                })?;
                let state = self.state.ok_or_else(no_checkpoint)?;
                said(state, key, is_whole)
            }
        }
    }
}

/// What state.json says under a key: one word in one line, since an agent wrote it, and it comes to stand in a command.
fn said(state: &Map<String, Value>, key: &str, is_whole: bool) -> Result<String> {
    let wrong = |why: &str| {
        Err(Error::refused(format!(
            "{{{STATE}{}}} cannot be filled in: {why}",
            shown(key)
        ))
        .hint("`mcell checkpoint show AGENT` shows the state.json that it comes from"))
    };
    let text = match state.get(key) {
        None | Some(Value::Null) => return wrong("the state.json of its checkpoint lacks it"),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(is)) => is.to_string(),
        Some(Value::Array(_) | Value::Object(_)) => return wrong("it is no word there"),
    };
    if text.is_empty()
        || text
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control())
    {
        wrong("it is not one word there")
    } else if text.len() > LONGEST {
        wrong("it is longer than 1 KiB there")
    } else if is_whole && text.starts_with('-') {
        wrong("it begins with `-` there, and would be taken for an option")
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fill(text: &str) -> Result<String> {
        let state = json!({
            "session_id": "s-1", "count": 7, "on": true, "none": null, "list": [], "two": "a b",
            "lines": "a\nb", "option": "--evil", "empty": "", "long": "x".repeat(1025),
        });
        let values = Values {
            cell: "the-cell",
            agent: "agent_001",
            checkpoint: Some("/c/1"),
            state: state.as_object(),
        };
        values.fill(text)
    }

    #[test]
    fn each_placeholder_is_filled_in_and_nothing_else() {
        for (text, filled) in [
            ("{cell}/{agent}", "the-cell/agent_001"),
            ("--resume={state.session_id}", "--resume=s-1"),
            ("{state.count}{state.on}", "7true"),
            ("{checkpoint}", "/c/1"),
            ("--x={state.option}", "--x=--evil"),
            ("{\"a\": {}} ${agent} {A}", "{\"a\": {}} ${agent} {A}"),
            ("", ""),
        ] {
            assert_eq!(fill(text).unwrap(), filled, "{text}");
        }
    }

    #[test]
    fn what_an_agent_saved_is_one_word_or_stops_the_start() {
        for name in [
            "none", "gone", "list", "two", "lines", "option", "empty", "long",
        ] {
            let error = fill(&format!("{{state.{name}}}")).unwrap_err();
            assert!(error.message().contains(name), "{error}");
        }
        assert!(fill("{cel}").is_err());
    }

    #[test]
    fn without_a_checkpoint_nothing_of_one_is_known() {
        let bare = Values {
            cell: "c",
            agent: "a",
            checkpoint: None,
            state: None,
        };
        assert_eq!(bare.fill("{cell}-{agent}").unwrap(), "c-a");
        for text in ["{checkpoint}", "{state.a}"] {
            assert!(wants_checkpoint(text) && bare.fill(text).is_err());
        }
        assert!(!wants_checkpoint("{cell}{agent}"));
    }

    #[test]
    fn what_looks_like_a_placeholder_is_one() {
        assert_eq!(
            names_in_braces("{a}{B}{c.d}").collect::<Vec<_>>(),
            ["a", "c.d"]
        );
    }
}
