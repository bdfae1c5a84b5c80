//! How a file is laid out, so that what is added looks like its neighbours.

use serde_json::Value;

use super::{Document, MAX_DEPTH, Node};

/// The habits of one file, as far as they can be seen.
pub(super) struct Layout<'a> {
    /// What ends a line: the file's first line end.
    newline: &'static str,
    /// One step of indentation.
    unit: &'a str,
    /// Between key and value, white space included.
    colon: &'a str,
}

/// Where a value is put: on one line, or over several from this indentation on.
#[derive(Clone, Copy)]
pub(super) enum Room<'a> {
    OneLine,
    Lines(&'a str),
}

impl<'a> Layout<'a> {
    /// Reads the habits off the whole file, those of `near` first.
    pub(super) fn of(document: &Document<'a>, near: Node<'_, 'a>) -> Self {
        let text = document.text();
        let newline = match text.find(LINE_END).and_then(|at| text.get(at..)) {
            Some(rest) if rest.starts_with("\r\n") => "\r\n",
            Some(rest) if rest.starts_with('\r') => "\r",
            _ => "\n",
        };
        let neighbours = near.children().chain(document.nodes());
        let colon = neighbours.filter_map(|node| colon(document, node)).next();
        let mut units = document.nodes().filter_map(|node| unit(document, node));
        let first = units.next();
        let unit = match first {
            Some("") => units.find(|unit| !unit.is_empty()).or(first),
            _ => first,
        };
        Self {
            newline,
            unit: unit.unwrap_or("  "),
            colon: colon.unwrap_or(": "),
        }
    }

    /// The text of one member (or item, without a key).
    pub(super) fn member(&self, key: Option<&str>, value: &Value, room: Room) -> String {
        let mut text = String::new();
        self.write_key(&mut text, key);
        text.push_str(&self.value(value, room));
        text
    }

    /// The text of a value.
    pub(super) fn value(&self, value: &Value, room: Room) -> String {
        let mut text = String::new();
        match room {
            Room::OneLine => self.write(&mut text, value, None, 0),
            Room::Lines(indent) => self.write(&mut text, value, Some(&mut indent.to_owned()), 0),
        }
        text
    }

    /// What stands before a member in this room, after a comma.
    pub(super) fn lead(&self, room: Room) -> String {
        match room {
            Room::OneLine => self.gap().to_owned(),
            Room::Lines(indent) => format!("{}{indent}", self.newline),
        }
    }

    /// The indentation one step further in.
    pub(super) fn deeper(&self, indent: &str) -> String {
        format!("{indent}{}", self.unit)
    }

    /// After a comma on one line: a space where there is one after colons.
    fn gap(&self) -> &'static str {
        if self.colon.ends_with(':') { "" } else { " " }
    }

    /// `lines` is the indentation, if there are to be lines. What is deeper than any document may be is
    /// left out: the text is refused when it is read back.
    fn write(
        &self,
        text: &mut String,
        value: &Value,
        mut lines: Option<&mut String>,
        depth: usize,
    ) {
        let (open, close, children): (_, _, Vec<_>) = match value {
            Value::Array(items) if !items.is_empty() => {
                ('[', ']', items.iter().map(|item| (None, item)).collect())
            }
            Value::Object(members) if !members.is_empty() => {
                let members = members.iter().map(|(key, child)| (Some(&**key), child));
                ('{', '}', members.collect())
            }
            scalar => return text.push_str(&scalar.to_string()),
        };
        if depth > MAX_DEPTH {
            return;
        }
        let outer = lines.as_ref().map_or(0, |indent| indent.len());
        if let Some(indent) = &mut lines {
            indent.push_str(self.unit);
        }
        text.push(open);
        for (at, (key, child)) in children.into_iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            match &lines {
                Some(indent) => text.extend([self.newline, indent]),
                None if at > 0 => text.push_str(self.gap()),
                None => {}
            }
            self.write_key(text, key);
            self.write(text, child, lines.as_deref_mut(), depth + 1);
        }
        if let Some(indent) = &mut lines {
            indent.truncate(outer);
            text.extend([self.newline, indent]);
        }
        text.push(close);
    }

    fn write_key(&self, text: &mut String, key: Option<&str>) {
        if let Some(key) = key {
            text.push_str(&Value::from(key).to_string());
            text.push_str(self.colon);
        }
    }
}

/// The room a member stands in by what is before it; the root always has lines.
pub(super) fn room_of<'a>(document: &Document<'a>, node: Node<'_, 'a>) -> Room<'a> {
    let lead = node.lead();
    if node.parent().is_none() || lead.contains(LINE_END) {
        Room::Lines(indent_at(document, node.member_range().start))
    } else {
        Room::OneLine
    }
}

/// Whether an array or object is written over several lines; one that is empty would be, where it
/// stands on a line of its own.
pub(super) fn opens<'a>(document: &Document<'a>, node: Node<'_, 'a>) -> bool {
    match node.children().next() {
        Some(first) => first.lead().contains(LINE_END),
        None if node.raw().contains(LINE_END) => true,
        None => matches!(room_of(document, node), Room::Lines(_)),
    }
}

/// The white space the line of this byte begins with.
pub(super) fn indent_at<'a>(document: &Document<'a>, offset: usize) -> &'a str {
    let before = document.slice(0..offset);
    let start = before.rfind(LINE_END).map_or(0, |at| at + 1);
    let line = document.slice(start..offset);
    let length = line.len() - line.trim_start_matches([' ', '\t']).len();
    document.slice(start..start + length)
}

const LINE_END: [char; 2] = ['\n', '\r'];

/// What stands between key and value, if that is on one line.
fn colon<'a>(document: &Document<'a>, node: Node<'_, 'a>) -> Option<&'a str> {
    let between = document.slice(node.key_range()?.end..node.range().start);
    (!between.contains(LINE_END)).then_some(between)
}

/// How far the first child of an array or object is further in than its parent's line.
fn unit<'a>(document: &Document<'a>, node: Node<'_, 'a>) -> Option<&'a str> {
    let first = node.children().next().filter(|_| opens(document, node))?;
    let inner = indent_at(document, first.member_range().start);
    inner.strip_prefix(indent_at(document, node.range().start))
}
