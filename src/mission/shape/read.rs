//! Holds a document against its shape: every flaw at once, and a value in which only what is sound is left.

use super::{Field, Form, Shape};
use crate::base::clock::Time;
use crate::base::document::{Document, Kind, Node};
use crate::base::ids;
use crate::base::text::nearest;
use crate::mission::amount;
use crate::mission::isolation::CAPABILITIES;
use serde_json::{Map, Value};

/// One thing in a document that its shape does not allow.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaw {
    /// The JSON pointer of the value (of the object, where a field is missing).
    pub pointer: String,
    /// What is wrong.
    pub kind: FlawKind,
}

/// What may be wrong with a value.
#[derive(Clone, Debug, PartialEq)]
pub enum FlawKind {
    /// The key was there before; the bytes of this one.
    Duplicate(usize, usize),
    /// A required field is not there.
    Missing(&'static str, Option<Value>),
    /// Another type than expected ("a time", "true or false"), what was found, and what it means if that is clear.
    WrongType(String, &'static str, Option<Value>),
    /// Not one of the words; the word meant if that is clear.
    NotOneOf(&'static [&'static str], String, Option<&'static str>),
    /// A number or a length outside its range, in words.
    OutOfRange(String),
    /// A field that no table knows; the nearest known one, and whether that one is free.
    Unknown(Option<&'static str>, bool),
    /// Not RFC 3339; the moment meant if that is clear.
    NotATime(String, Option<Time>),
    /// Not an id.
    NotAnId(String),
    /// Not a UUID.
    NotAUuid(String),
    /// Empty, or with white space or control characters in it.
    NotAWord(String),
    /// Not 64 hex digits.
    NotAHash,
    /// Not an amount; why.
    NotAnAmount(String),
    /// Not a Linux capability; the nearest.
    NotACapability(String, Option<&'static str>),
}

/// A document as its shape sees it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What is sound; neutral values where something required is not.
    pub value: Value,
    /// What is not, in the order of the text.
    pub flaws: Vec<Flaw>,
}

/// The most duplicate keys named in one file: a hostile one can hold millions.
const MOST_DUPLICATES: usize = 100;

/// Reads a document against a shape. `stem` is the file's, and stands in for an id that is missing.
pub fn read(document: &Document<'_>, shape: &'static Shape, stem: &str) -> Reading {
    let mut reader = Reader {
        stem,
        flaws: Vec::new(),
    };
    let root = document.root();
    let value = match root.kind() {
        Kind::Object => reader.object(root, shape),
        found => {
            reader.flaw(
                root,
                FlawKind::WrongType(String::from("an object"), found.words(), None),
            );
            neutral_object(shape, stem)
        }
    };
    for duplicate in document.duplicates().take(MOST_DUPLICATES) {
        let kind = FlawKind::Duplicate(duplicate.again.start, duplicate.again.len());
        reader.flaws.push(Flaw {
            pointer: duplicate.pointer,
            kind,
        });
    }
    Reading {
        value,
        flaws: reader.flaws,
    }
}

struct Reader<'s> {
    stem: &'s str,
    flaws: Vec<Flaw>,
}

impl Reader<'_> {
    fn flaw(&mut self, node: Node<'_, '_>, kind: FlawKind) {
        self.flaws.push(Flaw {
            pointer: node.pointer(),
            kind,
        });
    }

    fn object(&mut self, node: Node<'_, '_>, shape: &'static Shape) -> Value {
        let mut sound = Map::new();
        for (name, member) in node.entries() {
            if let Some(field) = shape.field(&name) {
                if member.kind() == Kind::Null && !field.required {
                    continue;
                }
                if let Some(value) = self.value(member, &field.form) {
                    sound.insert(name.into_owned(), value);
                }
            } else if let Some(form) = &shape.others {
                if !ids::is_id(&name) {
                    self.flaw(member, FlawKind::NotAnId(name.into_owned()));
                } else if let Some(value) = self.value(member, form) {
                    sound.insert(name.into_owned(), value);
                }
            } else {
                let meant = nearest(&name, shape.names());
                let free = meant.is_some_and(|meant| node.get(meant).is_none());
                self.flaw(member, FlawKind::Unknown(meant, free));
            }
        }
        for field in shape.fields.iter().filter(|field| field.required) {
            if node.get(field.name).is_none() {
                self.flaw(
                    node,
                    FlawKind::Missing(field.name, filling(field, self.stem)),
                );
            }
            if !sound.contains_key(field.name) {
                sound.insert(field.name.to_owned(), neutral(field, self.stem));
            }
        }
        Value::Object(sound)
    }

    /// The value if it is sound; a list keeps its sound items.
    fn value(&mut self, node: Node<'_, '_>, form: &'static Form) -> Option<Value> {
        match form {
            Form::Any => node.value(),
            Form::List(item) => {
                if node.kind() != Kind::Array {
                    return self.wrong_type(node, form);
                }
                Some(Value::Array(
                    node.items()
                        .filter_map(|node| self.value(node, item))
                        .collect(),
                ))
            }
            Form::Object(shape) => match node.kind() {
                Kind::Object => Some(self.object(node, shape)),
                _ => self.wrong_type(node, form),
            },
            Form::Map(item) => {
                if node.kind() != Kind::Object {
                    return self.wrong_type(node, form);
                }
                let sound = node
                    .entries()
                    .filter_map(|(name, node)| Some((name.into_owned(), self.value(node, item)?)));
                Some(Value::Object(sound.collect()))
            }
            Form::Flag => node
                .as_bool()
                .map(Value::from)
                .or_else(|| self.wrong_type(node, form)),
            Form::Whole(least, most) => self.whole(node, form, *least, *most),
            _ => {
                let Some(text) = node.as_str() else {
                    return self.wrong_type(node, form);
                };
                match fault_in(&text, form) {
                    None => Some(Value::from(text.into_owned())),
                    Some(kind) => {
                        self.flaw(node, kind);
                        None
                    }
                }
            }
        }
    }

    fn whole(
        &mut self,
        node: Node<'_, '_>,
        form: &'static Form,
        least: u64,
        most: u64,
    ) -> Option<Value> {
        if node.kind() != Kind::Number {
            return self.wrong_type(node, form);
        }
        match node.as_u64() {
            Some(number) if (least..=most).contains(&number) => Some(Value::from(number)),
            _ => {
                let range = if most == u64::MAX {
                    format!("{least} or more")
                } else {
                    format!("{least} to {most}")
                };
                self.flaw(
                    node,
                    FlawKind::OutOfRange(
                        format!("{} is not a whole number from {range}", node.raw())
                            .replace("from 0 or", "of 0 or"),
                    ),
                );
                None
            }
        }
    }

    fn wrong_type(&mut self, node: Node<'_, '_>, form: &Form) -> Option<Value> {
        let clear = node.as_str().and_then(|text| match form {
            Form::Whole(least, most) => text
                .trim()
                .parse::<u64>()
                .ok()
                .filter(|number| (least..=most).contains(&number))
                .map(Value::from),
            Form::Flag => match text.trim() {
                "true" | "yes" => Some(Value::Bool(true)),
                "false" | "no" => Some(Value::Bool(false)),
                _ => None,
            },
            _ => None,
        });
        let clear = clear.or_else(|| match form {
            // One thing where a list is wanted.
            Form::List(item)
                if node.kind() == Kind::String && fault_in(&node.as_str()?, item).is_none() =>
            {
                Some(Value::Array(vec![node.value()?]))
            }
            _ => None,
        });
        self.flaw(
            node,
            FlawKind::WrongType(expected(form), node.kind().words(), clear),
        );
        None
    }
}

/// What a form expects, in words.
pub fn expected(form: &Form) -> String {
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
fn fault_in(text: &str, form: &Form) -> Option<FlawKind> {
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
                && text.len() <= 200
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
            let upper = text.to_uppercase();
            let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
            (!CAPABILITIES.contains(&name))
                .then(|| FlawKind::NotACapability(text.to_owned(), nearest(name, CAPABILITIES)))
        }
        _ => None,
    }
}

/// What `--fix` may write for a missing field: its default, or the file's stem for its id.
fn filling(field: &Field, stem: &str) -> Option<Value> {
    match field.form {
        Form::Id if field.name.ends_with("_id") && ids::is_id(stem) => Some(Value::from(stem)),
        _ => serde_json::from_str(field.default).ok(),
    }
}

/// What stands for a required value that is not sound, so that the other rules can go on without following faults.
fn neutral(field: &Field, stem: &str) -> Value {
    match &field.form {
        Form::Id => Value::from(stem),
        Form::Time => Value::from("1970-01-01T00:00:00Z"),
        Form::OneOf(words) => serde_json::from_str(field.default)
            .unwrap_or_else(|_| Value::from(words.first().copied().unwrap_or(""))),
        Form::Whole(least, _) => Value::from(*least),
        Form::Flag => Value::Bool(false),
        Form::List(_) => Value::Array(Vec::new()),
        Form::Map(_) => Value::Object(Map::new()),
        Form::Object(shape) => neutral_object(shape, stem),
        _ => Value::from(""),
    }
}

fn neutral_object(shape: &'static Shape, stem: &str) -> Value {
    let required = shape.fields.iter().filter(|field| field.required);
    Value::Object(
        required
            .map(|field| (field.name.to_owned(), neutral(field, stem)))
            .collect(),
    )
}
