//! Text from files: read without copying where it can be, and made safe before it is shown.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// Text that points into the file it was read from, or owns what had escapes in it.
///
/// serde's own `Cow` borrows only as a direct field; this one borrows inside lists and options too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<'a>(Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text(Cow::Owned(text))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Text(Cow::Borrowed(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Cow<'de, str>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("text")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text))
            }
        }
        from.deserialize_str(Reader).map(Text)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

/// Text as it may be shown: control characters and marks that turn the direction of writing made visible.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_unsafe(letter) {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Control characters, and those that take no room but change how the text around them reads: marks of direction,
/// spaces without width, line separators, tags.
fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Text cut to at most `most` characters, with "…" where something was left out.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.chars().count() <= most {
        return Cow::Borrowed(text);
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    Cow::Owned(short)
}

/// The candidate most like `word`, if one is like enough to be what was meant.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = folded(word);
    let letters = word.chars().count();
    let limit = (letters / 3).clamp(1, 4);
    candidates
        .into_iter()
        // What differs that much in length need not be compared: a word from a file may be as long as the file.
        .filter(|candidate| candidate.chars().count().abs_diff(letters) <= limit)
        .map(|candidate| (distance(&word, &folded(candidate)), candidate))
        .filter(|(far, _)| *far <= limit)
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// Tells whether one is the other but for case, dashes, spaces, and one slip of the finger.
pub fn is_slip(written: &str, meant: &str) -> bool {
    written.len().abs_diff(meant.len()) <= 8 && distance(&folded(written), &folded(meant)) <= 1
}

/// Tells whether one is the other but for case, dashes and space.
pub fn is_same_word(written: &str, meant: &str) -> bool {
    folded(written.trim()) == folded(meant)
}

fn folded(text: &str) -> String {
    text.to_lowercase().replace(['-', ' '], "_")
}

/// How many letters must be changed, put in, taken out or swapped with the next.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    // Three rows take turns: a hostile file has a thousand words that are each compared with every known one.
    let mut before = vec![0; other.len() + 1];
    let mut row: Vec<usize> = (0..=other.len()).collect();
    let mut next = vec![0; other.len() + 1];
    let mut last = None;
    for (line, letter) in one.chars().enumerate() {
        next[0] = line + 1;
        for (column, against) in other.iter().enumerate() {
            let mut least = (row[column] + usize::from(letter != *against))
                .min(row[column + 1] + 1)
                .min(next[column] + 1);
            if column > 0 && last == Some(*against) && other[column - 1] == letter {
                least = least.min(before[column - 1] + 1);
            }
            next[column + 1] = least;
        }
        std::mem::swap(&mut before, &mut row);
        std::mem::swap(&mut row, &mut next);
        last = Some(letter);
    }
    row.last().copied().unwrap_or(0)
}

/// A text as a shell takes it for one word.
pub fn quoted(text: &str) -> String {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&byte));
    if is_plain && !text.is_empty() {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// "3, 7, 12".
pub fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    words.join(", ")
}

/// "1 task", "3 tasks".
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_speak_to_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}c\n"), "a\\u{1b}[2Jb\\u{202e}c\\n");
        assert!(matches!(shown("Prüfung ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_nearest_word_is_the_one_that_was_meant() {
        assert_eq!(
            nearest("asigned_to", ["assigned_to", "artifacts"]),
            Some("assigned_to")
        );
        assert_eq!(
            nearest("dependecies", ["description", "dependencies"]),
            Some("dependencies")
        );
        assert_eq!(nearest("Status", ["status"]), Some("status"));
        assert_eq!(nearest("x", ["status"]), None);
        assert_eq!(nearest("haevy", ["heavy"]), Some("heavy"));
    }

    #[test]
    fn text_is_borrowed_inside_lists() {
        let list: Vec<Text<'_>> = serde_json::from_str(r#"["plain", "esc\u0061ped"]"#).unwrap();
        assert!(matches!(list[0].0, Cow::Borrowed("plain")));
        assert_eq!(&*list[1], "escaped");
    }
}
