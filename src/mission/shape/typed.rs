//! What an operator types for a field (`timeout=2h`, `capabilities=a,b`), as the value that a file holds.
//!
//! Only what the words surely mean is decided here; whether the value is sound is left to `read`, as for every file.

use super::{Field, Form};
use crate::base::duration::Seconds;
use crate::mission::isolation::Level;
use serde_json::{Map, Value};

/// The value that a text means for a field, or what may be typed instead.
pub fn typed(text: &str, field: &Field) -> Result<Value, String> {
    value(text, &field.form, is_seconds(field)).ok_or_else(|| allowed(field))
}

/// What a field holds when its value is taken away: null or an empty list where the fleet's tools look for the field,
/// nothing where its absence says the same.
pub fn emptied(field: &Field) -> Option<Value> {
    match field.form {
        Form::List(_) => Some(Value::Array(Vec::new())),
        _ => (field.default == "null").then_some(Value::Null),
    }
}

/// What may be typed for a field, in words.
pub fn allowed(field: &Field) -> String {
    if is_seconds(field) {
        return String::from("a duration: 90 (seconds), 15m, 8h, 2d");
    }
    of_form(&field.form)
}

/// The tables name the unit of every duration, and seconds are the only one.
fn is_seconds(field: &Field) -> bool {
    matches!(field.form, Form::Whole(..)) && field.about.contains("seconds")
}

fn of_form(form: &Form) -> String {
    match form {
        Form::Text(least, most) => format!("text of {least} to {most} characters"),
        Form::Uuid => String::from("a UUID"),
        Form::Time => String::from("a time like 2026-01-02T03:04:05Z"),
        Form::Id => String::from(
            "an id: letters, digits, `.`, `_` and `-`, at most 128, the first a letter or digit",
        ),
        Form::IdOrAll => String::from("an id, or \"*\" for all"),
        Form::Word => String::from("one word without white space"),
        Form::OneOf(words) => match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::from("nothing"),
        },
        Form::Whole(least, u64::MAX) => format!("a whole number of {least} or more"),
        Form::Whole(least, most) => format!("a whole number from {least} to {most}"),
        Form::Flag => String::from("true or false"),
        Form::Sha256 => String::from("64 lower-case hex digits"),
        Form::Cores => String::from("processor time like \"2 cores\""),
        Form::Bytes => String::from("an amount like 4GB"),
        Form::Capability => String::from("a Linux capability like NET_BIND_SERVICE"),
        Form::Any => String::from("anything"),
        Form::List(item) => format!("{}; several with commas between", of_form(item)),
        Form::Object(shape) => format!(
            "a JSON object with {}",
            shape.names().collect::<Vec<_>>().join(", ")
        ),
        Form::Map(_) => String::from("a JSON object"),
    }
}

fn value(text: &str, form: &Form, is_seconds: bool) -> Option<Value> {
    match form {
        Form::Whole(..) if is_seconds => text
            .parse::<Seconds>()
            .ok()
            .map(|seconds| Value::from(seconds.0)),
        Form::Whole(..) => text.trim().parse::<u64>().ok().map(Value::from),
        Form::Flag => match text.trim() {
            "true" | "yes" | "on" => Some(Value::Bool(true)),
            "false" | "no" | "off" => Some(Value::Bool(false)),
            _ => None,
        },
        Form::OneOf(words) => one_of(text.trim(), words).map(Value::from),
        Form::List(_) if text.trim_start().starts_with('[') => {
            serde_json::from_str::<Vec<Value>>(text)
                .ok()
                .map(Value::Array)
        }
        Form::List(item) => text
            .split(',')
            .map(|part| value(part.trim(), item, false))
            .collect::<Option<Vec<_>>>()
            .map(Value::Array),
        Form::Object(_) | Form::Map(_) => serde_json::from_str::<Map<String, Value>>(text)
            .ok()
            .map(Value::Object),
        // What came of a task may be any JSON; what is none is plain text.
        Form::Any => Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))),
        _ => Some(Value::from(text)),
    }
}

/// The word that is meant: in any case, and in the spellings that commands take elsewhere.
fn one_of(text: &str, words: &'static [&'static str]) -> Option<&'static str> {
    let folded = text.to_lowercase();
    let same = |wanted: &str| words.iter().find(|word| **word == wanted).copied();
    same(&folded)
        .or_else(|| same(&folded.replace('-', "_")))
        .or_else(|| match folded.as_str() {
            "true" => same("yes"),
            "false" => same("no"),
            _ => None,
        })
        .or_else(|| {
            let level = Level::typed(&folded)?;
            words
                .contains(&Level::Podman.word())
                .then(|| same(level.word()))
                .flatten()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mission::shape::{AGENT, CELL, TASK};
    use serde_json::json;

    fn of(shape: &super::super::Shape, name: &str, text: &str) -> Result<Value, String> {
        typed(text, shape.field(name).unwrap())
    }

    #[test]
    fn what_is_typed_is_what_the_file_holds() {
        assert_eq!(of(&TASK, "timeout", "2h"), Ok(json!(7200)));
        assert_eq!(of(&CELL, "max_agents", "20"), Ok(json!(20)));
        assert_eq!(of(&AGENT, "role", "Write"), Ok(json!("write")));
        assert_eq!(of(&AGENT, "capabilities", "a, b"), Ok(json!(["a", "b"])));
        assert_eq!(of(&AGENT, "capabilities", "[\"a,b\"]"), Ok(json!(["a,b"])));
        assert_eq!(of(&CELL, "isolation_level", "podman"), Ok(json!("level_3")));
        assert_eq!(of(&TASK, "result", "7"), Ok(json!(7)));
        assert_eq!(of(&TASK, "result", "seven of"), Ok(json!("seven of")));
    }

    #[test]
    fn a_refusal_says_what_is_allowed() {
        assert_eq!(
            of(&AGENT, "role", "boss"),
            Err(String::from("lead, write, read or audit"))
        );
        assert_eq!(
            of(&TASK, "timeout", "soon"),
            Err(String::from("a duration: 90 (seconds), 15m, 8h, 2d"))
        );
        // A count is no duration.
        assert!(of(&CELL, "max_agents", "2h").is_err());
    }
}
