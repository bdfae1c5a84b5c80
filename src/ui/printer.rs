//! Where words go: data to stdout, talk to stderr. A reader that went away is a quiet success.

use crate::base::error::{Error, Result};
use crate::ui::page::{Page, Tone};
use serde::Serialize;
use std::io::{BufWriter, IsTerminal, Write};

/// What a command has to say, as words and as JSON.
pub trait Report: Serialize {
    /// The words, for people.
    fn words(&self, page: &mut Page);
    /// The one thing that `--quiet` prints, if there is one.
    fn datum(&self) -> Option<String> {
        None
    }
}

/// In which form data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Words,
    /// One JSON object.
    Json,
    /// Only the datum.
    Quiet,
}

/// When colour is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Colour {
    /// At a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Prints for one command.
#[derive(Debug)]
pub struct Printer {
    form: Form,
    is_coloured: bool,
    talk_is_coloured: bool,
    width: Option<u16>,
    prints_to_terminal: bool,
    talks_to_terminal: bool,
    is_interactive: bool,
}

impl Printer {
    /// A printer for this process. `no_color` tells whether NO_COLOR is set.
    pub fn new(form: Form, colour: Colour, no_color: bool) -> Self {
        let (out, err) = (
            std::io::stdout().is_terminal(),
            std::io::stderr().is_terminal(),
        );
        let coloured = |terminal: bool| match colour {
            Colour::Auto => terminal && !no_color,
            Colour::Always => true,
            Colour::Never => false,
        };
        Printer {
            form,
            is_coloured: coloured(out),
            talk_is_coloured: coloured(err),
            width: width().filter(|_| out),
            prints_to_terminal: out,
            talks_to_terminal: err,
            is_interactive: std::io::stdin().is_terminal() && err,
        }
    }

    /// Whether questions may be asked: stdin and stderr are a terminal, and the form is for people.
    pub fn may_ask(&self) -> bool {
        self.is_interactive && self.form == Form::Words
    }

    /// Whether talk may be drawn over: stderr is a terminal, and the form is for people.
    pub fn may_draw(&self) -> bool {
        self.talks_to_terminal && self.form == Form::Words
    }

    /// The form of data.
    pub fn form(&self) -> Form {
        self.form
    }

    /// An empty page for data.
    pub fn page(&self) -> Page {
        Page::new(self.is_coloured, self.width)
    }

    /// The same, as wide as the terminal is now: people pull at it while they watch.
    pub fn fresh_page(&self) -> Page {
        let width = width().filter(|_| self.prints_to_terminal);
        Page::new(self.is_coloured, width)
    }

    /// Whether data goes to a terminal.
    pub fn has_terminal(&self) -> bool {
        self.prints_to_terminal
    }

    /// Prints a report.
    pub fn show<R: Report>(&self, report: &R) -> Result<()> {
        match self.form {
            Form::Words => {
                let mut page = self.page();
                report.words(&mut page);
                put(&page.into_text())
            }
            Form::Json => {
                let mut text = serde_json::to_string_pretty(report)
                    .map_err(|error| Error::bug(format!("a report cannot be written: {error}")))?;
                text.push('\n');
                put(&text)
            }
            Form::Quiet => match report.datum() {
                Some(datum) => put(&format!("{datum}\n")),
                None => Ok(()),
            },
        }
    }

    /// Prints text that has one form only (a schema, a completion script).
    pub fn text(&self, text: &str) -> Result<()> {
        put(text)
    }

    /// Data that is printed piece by piece, as it comes.
    pub fn stream(&self) -> Stream {
        Stream {
            out: BufWriter::with_capacity(64 << 10, std::io::stdout()),
        }
    }

    /// Talks: what happens, on stderr; not under `--quiet`.
    pub fn say(&self, text: &str) {
        if self.form != Form::Quiet {
            self.talk(text);
        }
    }

    /// Warns on stderr.
    pub fn warn(&self, text: &str) {
        let mark = Page::new(self.talk_is_coloured, None).tone(Tone::Caution, "warning:");
        self.talk(&format!("{mark} {text}"));
    }

    /// Prints an error on stderr, as words or JSON.
    pub fn trouble(&self, error: &Error) {
        match self.form {
            Form::Json => self.talk(&crate::ui::trouble::json(error)),
            _ => {
                let mut page = Page::new(self.talk_is_coloured, None);
                crate::ui::trouble::words(error, &mut page);
                self.talk(page.into_text().trim_end_matches('\n'));
            }
        }
    }

    fn talk(&self, text: &str) {
        // When stderr is gone there is nobody to tell.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// Data that is printed piece by piece.
#[derive(Debug)]
pub struct Stream {
    out: BufWriter<std::io::Stdout>,
}

impl Stream {
    /// Prints a piece. False when the reader went away: then nothing more is wanted.
    pub fn put(&mut self, piece: &[u8]) -> Result<bool> {
        heard(self.out.write_all(piece))
    }

    /// Prints what still waits. False when the reader went away.
    pub fn flush(&mut self) -> Result<bool> {
        heard(self.out.flush())
    }
}

/// The width of the terminal that data goes to.
fn width() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(size.ws_col).filter(|columns| *columns > 0)
}

fn put(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    heard(out.write_all(text.as_bytes()).and_then(|()| out.flush())).map(|_| ())
}

/// Whether somebody still reads: a reader that went away is no error.
fn heard(written: std::io::Result<()>) -> Result<bool> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::storage("write to standard output", error)
            .hint("only the words are lost: what the command did is done")),
        Ok(()) => Ok(true),
    }
}
