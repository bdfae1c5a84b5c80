//! Names of cells, agents and tasks. What is not a name is refused here, before a path is made of it.

use crate::base::error::{Error, Result};
use serde::{Serialize, Serializer};
use std::fmt;

/// The most bytes a name may have.
pub const LONGEST: usize = 128;

/// Tells whether a text may be the id of an agent or task: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
pub fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= LONGEST
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

macro_rules! id {
    ($(#[$about:meta])* $name:ident, $noun:literal) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes a text for an id, or says why it is none (exit 2).
            pub fn new(text: impl Into<String>) -> Result<Self> {
                let text = text.into();
                if is_id(&text) {
                    return Ok($name(text));
                }
                Err(Error::usage(format!("`{}` cannot be the id of {}", crate::base::text::shown(&text), $noun))
                    .hint(format!("letters, digits, `.`, `_` and `-`, at most {LONGEST}, the first a letter or digit")))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // A map of ids is asked by text: what is no id is not in it.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                $name::new(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(from)?;
                $name::new(text).map_err(serde::de::Error::custom)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(&self.0)
            }
        }
    };
}

id!(
    /// The id of a cell: the name of its folder, whatever `cell_id` says. New ones are UUIDs.
    CellId, "a cell");
id!(
    /// The id of an agent: the stem of its file.
    AgentId, "an agent");
id!(
    /// The id of a task: the stem of its file.
    TaskId, "a task");
id!(
    /// The id of a handoff: the stem of its file. New ones are "h" and five letters.
    HandoffId, "a handoff");

id!(
    /// The id of a request to bring an agent back: the stem of its file. New ones are "r" and five letters.
    RevivalId, "a revival");

impl HandoffId {
    /// A new random id.
    pub fn random() -> Self {
        HandoffId(short('h'))
    }
}

impl RevivalId {
    /// A new random id.
    pub fn random() -> Self {
        RevivalId(short('r'))
    }
}

/// A letter and five at random: short, for people type it.
#[allow(clippy::disallowed_methods, reason = "the one place that makes ids")]
fn short(kind: char) -> String {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    // Those that say version and variant are not random.
    let letters = bytes
        .iter()
        .take(5)
        .map(|byte| char::from(b'a' + byte % 26));
    std::iter::once(kind).chain(letters).collect()
}

impl CellId {
    /// A new random id.
    #[allow(clippy::disallowed_methods, reason = "the one place that makes ids")]
    pub fn random() -> Self {
        CellId(uuid::Uuid::new_v4().to_string())
    }

    /// The first eight characters: what tables show.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// A new name for a request, in the journal.
#[allow(clippy::disallowed_methods, reason = "the one place that makes ids")]
pub fn request() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(12);
    id
}

/// A new secret: 32 random bytes, in lower-case hex. Exit 7 if the system gives none.
pub fn secret() -> Result<String> {
    let mut bytes = [0_u8; 32];
    let mut rest = bytes.as_mut_slice();
    while !rest.is_empty() {
        // A signal may come in between.
        match rustix::rand::getrandom(&mut *rest, rustix::rand::GetRandomFlags::empty()) {
            Ok(given) => rest = rest.get_mut(given..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::storage("draw a token", std::io::Error::from(error))),
        }
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Tells whether a text can be such a secret.
pub fn is_secret(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Tells whether a text is a UUID in its usual form (36 characters, any case).
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// The number at the end of an id made by "next free" (`task_012` → 12), or none.
pub fn number_of(id: &str, prefix: &str) -> Option<u64> {
    let digits = id.strip_prefix(prefix)?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_the_folder_is_no_id() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            ".hidden",
            "-rf",
            "a b",
            "a\0",
            "é",
            &"x".repeat(129),
        ] {
            assert!(!is_id(bad), "{bad}");
        }
        for good in ["agent_001", "7", "a.b-c_d", &"x".repeat(128)] {
            assert!(is_id(good), "{good}");
        }
    }

    #[test]
    fn only_made_ids_have_a_number() {
        assert_eq!(number_of("task_012", "task_"), Some(12));
        assert_eq!(number_of("task_", "task_"), None);
        assert_eq!(number_of("task_1x", "task_"), None);
        assert_eq!(number_of("task_99999999999999999999999", "task_"), None);
    }
}
