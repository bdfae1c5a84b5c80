//! A page of words being made, with colour where it may have some. Colour never carries a meaning alone.

use crate::ui::table::Table;
use std::fmt::Write;

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// A heading, a name.
    Strong,
    /// Less important.
    Dim,
    /// All is well.
    Good,
    /// Look at it.
    Caution,
    /// Wrong.
    Bad,
    /// A command to type.
    Command,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Strong => "1",
            Tone::Dim => "2",
            Tone::Good => "32",
            Tone::Caution => "33",
            Tone::Bad => "31",
            Tone::Command => "36",
        }
    }
}

/// A page of words being made.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    is_coloured: bool,
    width: Option<u16>,
}

impl Page {
    /// An empty page; `width` is that of the terminal, none if there is none.
    pub fn new(is_coloured: bool, width: Option<u16>) -> Self {
        Page {
            text: String::new(),
            is_coloured,
            width,
        }
    }

    /// Text in a tone.
    pub fn tone(&self, tone: Tone, text: impl std::fmt::Display) -> String {
        match tone.code() {
            code if self.is_coloured && !code.is_empty() => {
                format!("\u{1b}[{code}m{text}\u{1b}[0m")
            }
            _ => text.to_string(),
        }
    }

    /// Adds a line.
    pub fn line(&mut self, text: impl std::fmt::Display) {
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "{text}");
    }

    /// Adds an empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Adds text as it is.
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a line that names a value: "status  active".
    pub fn field(&mut self, name: &str, value: impl std::fmt::Display) {
        let name = self.tone(Tone::Dim, format_args!("{name:<14}"));
        self.line(format_args!("{name}  {value}"));
    }

    /// Adds a command to type next.
    pub fn command(&mut self, command: &str) {
        let command = self.tone(Tone::Command, command);
        self.line(format_args!("  {command}"));
    }

    /// Adds a table, as wide as the terminal.
    pub fn table(&mut self, table: Table) {
        let text = table.render(self.width);
        self.text.push_str(&text);
    }

    /// What was written.
    pub fn into_text(self) -> String {
        self.text
    }
}
