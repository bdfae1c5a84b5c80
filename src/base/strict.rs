//! Reading without serde's leniency: its derived structs also take a list (`["yes", true, 300]`), its enums an object
//! (`{"pending": null}`). Mission files allow neither, and what one reader lets pass the next one stumbles over.
//!
//! For `#[serde(deserialize_with = "…")]`.

use serde::de::value::{BorrowedStrDeserializer, MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// Reads an object or null.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    from.deserialize_option(Maybe(Object(PhantomData)))
}

/// Reads an enum from its word.
pub fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_str(Word(PhantomData))
}

/// Reads an enum from its word, or null.
pub fn word_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    from.deserialize_option(Maybe(Word(PhantomData)))
}

/// Gives whatever is asked of it as an object: for a struct that is derived as `remote = "Self"` and is read from an object
/// alone, wherever it stands.
#[derive(Debug)]
pub struct ObjectOnly<D>(pub D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ObjectOnly<D> {
    type Error = D::Error;
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A visitor that knows which kind it wants.
trait Wants<'de>: Visitor<'de> {
    fn read<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error>;
}

struct Maybe<V>(V);

impl<'de, V: Wants<'de>> Visitor<'de> for Maybe<V> {
    type Value = Option<V::Value>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(out)?;
        out.write_str(" or null")
    }
    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        self.0.read(from).map(Some)
    }
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = T;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }
    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Deserialize<'de>> Wants<'de> for Object<T> {
    fn read<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_map(self)
    }
}

struct Word<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Word<T> {
    type Value = T;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a word in quotes")
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<T, E> {
        T::deserialize(BorrowedStrDeserializer::new(text))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::deserialize(StrDeserializer::new(text))
    }
}

impl<'de, T: Deserialize<'de>> Wants<'de> for Word<T> {
    fn read<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mood {
        Good,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        n: u8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        #[serde(deserialize_with = "word")]
        mood: Mood,
        #[serde(default, deserialize_with = "word_or_null")]
        maybe: Option<Mood>,
        #[serde(default, deserialize_with = "object")]
        inner: Option<Inner>,
    }

    #[test]
    fn only_objects_are_objects_and_only_words_are_words() {
        let read = |text: &str| serde_json::from_str::<Outer>(text);
        let sound = read(r#"{"mood": "g\u006fod", "maybe": null, "inner": {"n": 1}}"#).unwrap();
        assert_eq!(sound.inner, Some(Inner { n: 1 }));
        assert!(
            read(r#"{"mood": "good", "maybe": "good"}"#)
                .unwrap()
                .inner
                .is_none()
        );
        for loose in [
            r#"{"mood": {"good": null}}"#,
            r#"{"mood": "good", "maybe": {"good": null}}"#,
            r#"{"mood": "good", "inner": [1]}"#,
        ] {
            assert!(read(loose).is_err(), "{loose}");
        }
    }
}
