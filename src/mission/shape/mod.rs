//! The form of every mission file, said once: validate, `set`, the JSON Schemas and the docs are made from these tables.
//!
//! A test feeds the tables, the types and the schemas the same cases.

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod agreement;
pub mod lookup;
pub mod read;
pub mod schema;
pub mod tables;
mod texts;
pub mod typed;

pub use read::{Flaw, FlawKind, Reading, read};
pub use tables::{AGENT, CELL, ISOLATION, PERMISSIONS, POLICIES, TASK};

/// Who decided on a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The fleet's specification: must stay as it is.
    Fleet,
    /// mcell: tools that know only the fleet's part do not see it.
    Mcell,
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Text of so many characters at least and at most.
    Text(usize, usize),
    /// A UUID.
    Uuid,
    /// A time, RFC 3339.
    Time,
    /// The id of an agent or task of this cell: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
    Id,
    /// An id, or "*" for all.
    IdOrAll,
    /// One word without white space.
    Word,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number from and to.
    Whole(u64, u64),
    /// true or false.
    Flag,
    /// 64 lower-case hex digits.
    Sha256,
    /// An amount like "2 cores".
    Cores,
    /// An amount like "4GB".
    Bytes,
    /// A Linux capability, with or without `CAP_`.
    Capability,
    /// Any JSON.
    Any,
    /// A list of such values.
    List(&'static Form),
    /// An object with known fields.
    Object(&'static Shape),
    /// An object whose names are data, with such values.
    Map(&'static Form),
}

/// One field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub form: Form,
    /// Whether it must be there; what need not be there may be null, which means the same.
    pub required: bool,
    /// What counts where it is absent, as JSON (for a required field: what `validate --fix` writes); empty if nothing.
    pub default: &'static str,
    /// Who decided on it.
    pub mark: Mark,
    /// What it is, in a sentence without a full stop.
    pub about: &'static str,
}

/// An object with known fields.
#[derive(Debug)]
pub struct Shape {
    /// The file's noun: "cell", "agent", …; for parts the name of the part.
    pub name: &'static str,
    /// Where such a file lies, as people write it: `agents/<agent_id>.json`; empty for parts.
    pub file: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its fields, in the order in which they are written.
    pub fields: &'static [Field],
    /// What the values are of an object whose names are data (permissions.json); then `fields` is empty.
    pub others: Option<Form>,
}

impl Shape {
    /// The field of a name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }
}

/// Every kind of file.
pub static ALL: [&Shape; 6] = [&CELL, &AGENT, &TASK, &ISOLATION, &POLICIES, &PERMISSIONS];
