//! Holds a document against its shape: every flaw at once, and a value in which only what is sound is left.

use super::texts::{expected, fault_in};
use super::{Field, Form, Shape};
use crate::base::clock::Time;
use crate::base::document::{Document, Kind, Node, push_token};
use crate::base::ids;
use crate::base::text::{cut, is_slip, nearest};
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
    /// A field that no table knows; the nearest known one, and whether it is surely that: free, a slip of the finger
    /// away, and sound with this value.
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
/// The most fields that no table knows, and the most other flaws, named in one file, for the same reason. They are
/// counted apart: an error must never go unseen behind what is only a warning.
const MOST_FLAWS: usize = 1000;

/// Reads a document against a shape. `stem` is the file's, and stands in for an id that is missing.
pub fn read(document: &Document<'_>, shape: &'static Shape, stem: &str) -> Reading {
    let mut reader = Reader {
        stem,
        pointer: String::new(),
        flaws: Vec::new(),
        unknown: 0,
    };
    let root = document.root();
    let value = match root.kind() {
        Kind::Object => reader.object(root, shape),
        found => {
            reader.flaw(FlawKind::WrongType(
                String::from("an object"),
                found.words(),
                None,
            ));
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
    /// Where it reads. A node finds its own pointer too, but looks at all its siblings for that.
    pointer: String,
    flaws: Vec<Flaw>,
    /// How many of them are fields that no table knows.
    unknown: usize,
}

impl Reader<'_> {
    fn flaw(&mut self, kind: FlawKind) {
        let is_unknown = matches!(kind, FlawKind::Unknown(..));
        let there = match is_unknown {
            true => self.unknown,
            false => self.flaws.len() - self.unknown,
        };
        if there < MOST_FLAWS {
            self.unknown += usize::from(is_unknown);
            self.flaws.push(Flaw {
                pointer: self.pointer.clone(),
                kind,
            });
        }
    }

    /// Does something one step further down.
    fn below<T>(&mut self, token: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        push_token(&mut self.pointer, token);
        let done = act(self);
        self.pointer.truncate(length);
        done
    }

    fn object(&mut self, node: Node<'_, '_>, shape: &'static Shape) -> Value {
        let mut sound = Map::new();
        let mut present: Vec<&str> = Vec::new();
        for (name, _) in node.entries() {
            if let Some(field) = shape.field(&name)
                && !present.contains(&field.name)
            {
                present.push(field.name);
            }
        }
        for (name, member) in node.entries() {
            let value = self.below(&name, |reader| {
                reader.member(shape, &name, member, &present)
            });
            if let Some(value) = value {
                sound.insert(name.into_owned(), value);
            }
        }
        for field in shape.fields.iter().filter(|field| field.required) {
            if !present.contains(&field.name) {
                self.flaw(FlawKind::Missing(field.name, filling(field, self.stem)));
            }
            if !sound.contains_key(field.name) {
                sound.insert(field.name.to_owned(), neutral(field, self.stem));
            }
        }
        Value::Object(sound)
    }

    /// The value of one member if it is sound.
    fn member(
        &mut self,
        shape: &'static Shape,
        name: &str,
        member: Node<'_, '_>,
        present: &[&str],
    ) -> Option<Value> {
        if let Some(field) = shape.field(name) {
            if member.kind() == Kind::Null && !field.required {
                return None;
            }
            return self.value(member, &field.form);
        }
        if let Some(form) = &shape.others {
            if ids::is_id(name) {
                return self.value(member, form);
            }
            self.flaw(FlawKind::NotAnId(name.to_owned()));
        } else if self.unknown < MOST_FLAWS {
            let meant = nearest(name, shape.names());
            let surely = meant.is_some_and(|meant| {
                is_slip(name, meant)
                    && !present.contains(&meant)
                    && shape
                        .field(meant)
                        .is_some_and(|field| self.would_do(member, field))
            });
            self.flaw(FlawKind::Unknown(meant, surely));
        }
        None
    }

    /// Whether a value would be sound in another field: `asigned_to` with an id in it is `assigned_to`, while
    /// `complete_at` with the text "10 %" is nobody's slip.
    fn would_do(&self, value: Node<'_, '_>, field: &'static Field) -> bool {
        let mut trial = Reader {
            stem: self.stem,
            pointer: String::new(),
            flaws: Vec::new(),
            unknown: 0,
        };
        let is_null = value.kind() == Kind::Null && !field.required;
        is_null || trial.value(value, &field.form).is_some() && trial.flaws.is_empty()
    }

    /// The value if it is sound; a list keeps its sound items.
    fn value(&mut self, node: Node<'_, '_>, form: &'static Form) -> Option<Value> {
        match form {
            Form::Any => node.value(),
            Form::List(item) => {
                if node.kind() != Kind::Array {
                    return self.wrong_type(node, form);
                }
                let items = node.items().enumerate().filter_map(|(index, node)| {
                    self.below(&index.to_string(), |reader| reader.value(node, item))
                });
                Some(Value::Array(items.collect()))
            }
            Form::Object(shape) => match node.kind() {
                Kind::Object => Some(self.object(node, shape)),
                _ => self.wrong_type(node, form),
            },
            Form::Map(item) => {
                if node.kind() != Kind::Object {
                    return self.wrong_type(node, form);
                }
                let sound = node.entries().filter_map(|(name, node)| {
                    let value = self.below(&name, |reader| reader.value(node, item))?;
                    Some((name.into_owned(), value))
                });
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
                        self.flaw(kind);
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
                    format!("a whole number of {least} or more")
                } else {
                    format!("a whole number from {least} to {most}")
                };
                self.flaw(FlawKind::OutOfRange(format!(
                    "{} is not {range}",
                    cut(node.raw(), 40)
                )));
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
            // YAML's habit: yes and no are booleans there.
            Form::OneOf(words) => {
                let word = if node.as_bool()? { "yes" } else { "no" };
                words.contains(&word).then(|| Value::from(word))
            }
            // One thing where a list is wanted.
            Form::List(item)
                if node.kind() == Kind::String && fault_in(&node.as_str()?, item).is_none() =>
            {
                Some(Value::Array(vec![node.value()?]))
            }
            _ => None,
        });
        self.flaw(FlawKind::WrongType(
            expected(form),
            node.kind().words(),
            clear,
        ));
        None
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
