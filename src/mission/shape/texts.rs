//! Texts against their forms.

use super::{FlawKind, Form};
use crate::base::clock::Time;
use crate::base::ids;
use crate::base::text::nearest;
use crate::mission::amount;
use crate::mission::isolation::CAPABILITIES;

/// What a form expects, in words.
pub(super) fn expected(form: &Form) -> String {
    String::from(match form {
        Form::Text(..)
        | Form::Word
        | Form::Uuid
        | Form::OneOf(_)
        | Form::Sha256
        | Form::Capability => "text",
        Form::Cores | Form::Bytes => "an amount in quotes",
        Form::Time => "a time in quotes",
        Form::Id | Form::IdOrAll => "an id in quotes",
        Form::Whole(..) => "a whole number",
        Form::Flag => "true or false",
        Form::Any => "anything",
        Form::List(_) => "a list",
        Form::Object(_) | Form::Map(_) => "an object",
    })
}

/// What is wrong with a text that should have a form, if anything is.
pub(super) fn fault_in(text: &str, form: &Form) -> Option<FlawKind> {
    match form {
        Form::Text(least, most) => {
            let length = text.chars().count();
            if length < *least {
                Some(FlawKind::OutOfRange(String::from("the text is empty")))
            } else if length > *most {
                Some(FlawKind::OutOfRange(format!(
                    "the text has {length} characters, at most {most} may be"
                )))
            } else {
                None
            }
        }
        Form::Word => {
            let sound = !text.is_empty()
                && text.chars().count() <= 200
                && !text
                    .chars()
                    .any(|letter| letter.is_whitespace() || letter.is_control());
            (!sound).then(|| FlawKind::NotAWord(text.to_owned()))
        }
        Form::Id => (!ids::is_id(text)).then(|| FlawKind::NotAnId(text.to_owned())),
        Form::IdOrAll => {
            (text != "*" && !ids::is_id(text)).then(|| FlawKind::NotAnId(text.to_owned()))
        }
        Form::Uuid => (!ids::is_uuid(text)).then(|| FlawKind::NotAUuid(text.to_owned())),
        Form::Time => Time::parse(text)
            .is_none()
            .then(|| FlawKind::NotATime(text.to_owned(), Time::guess(text))),
        Form::OneOf(words) => (!words.contains(&text)).then(|| {
            FlawKind::NotOneOf(words, text.to_owned(), nearest(text, words.iter().copied()))
        }),
        Form::Sha256 => {
            let sound = text.len() == 64
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            (!sound).then_some(FlawKind::NotAHash)
        }
        Form::Cores => text
            .parse::<amount::Cores>()
            .err()
            .map(|error| FlawKind::NotAnAmount(error.to_string())),
        Form::Bytes => text
            .parse::<amount::Bytes>()
            .err()
            .map(|error| FlawKind::NotAnAmount(error.to_string())),
        Form::Capability => {
            let upper = text.to_ascii_uppercase();
            let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
            (!CAPABILITIES.contains(&name)).then(|| {
                let meant = nearest(name, CAPABILITIES).or_else(|| begun(name));
                FlawKind::NotACapability(text.to_owned(), meant)
            })
        }
        _ => None,
    }
}

/// The capability that was written by its first words, as NET_BIND for NET_BIND_SERVICE.
fn begun(name: &str) -> Option<&'static str> {
    let rest_of = |known: &str| {
        known
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('_'))
    };
    CAPABILITIES
        .into_iter()
        .find(|known| !name.is_empty() && rest_of(known))
}
