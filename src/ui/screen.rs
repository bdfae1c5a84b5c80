//! A part of the terminal that is drawn again and again in its place: beneath the command that was typed, and left standing
//! when it ends.

use crate::base::error::{Error, Result};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::time::Timespec;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::low_level::pipe;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Hides the cursor, which would jump about.
const HIDE: &str = "\u{1b}[?25l";
/// Shows it, and lets long lines go on in the next one, as before.
const SHOW: &str = "\u{1b}[?25h\u{1b}[?7h";
/// Long lines end at the edge: each takes one row, so that the rows can be counted.
const NO_WRAP: &str = "\u{1b}[?7l";
/// Goes on in the next line again.
const WRAP: &str = "\u{1b}[?7h";
/// Clears to the end of the line.
const LINE: &str = "\u{1b}[K";
/// Clears all beneath.
const BENEATH: &str = "\u{1b}[J";
/// Clears everything, from the top.
const ALL: &str = "\u{1b}[H\u{1b}[2J";

/// Signals that are waited for; the first ones end the screen.
const SIGNALS: [i32; 5] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH];

/// Why a wait was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The time was over.
    InTime,
    /// The terminal has another size.
    Resized,
    /// This signal came, which means the end.
    Ended(u8),
}

/// A part of the terminal.
#[derive(Debug)]
pub struct Screen {
    /// One pipe for each signal, in their order.
    signals: Vec<UnixStream>,
    /// How many rows were drawn.
    rows: usize,
}

impl Screen {
    /// Begins one where the cursor stands. The cursor is hidden until this is dropped.
    pub fn open() -> Result<Self> {
        let failed = |error: std::io::Error| Error::storage("wait for signals", error);
        let mut signals = Vec::with_capacity(SIGNALS.len());
        for signal in SIGNALS {
            let (read, write) = UnixStream::pair().map_err(failed)?;
            read.set_nonblocking(true).map_err(failed)?;
            pipe::register(signal, write).map_err(failed)?;
            signals.push(read);
        }
        put(HIDE)?;
        Ok(Screen { signals, rows: 0 })
    }

    /// Draws a text over the last one. What does not fit is left out, and said.
    pub fn draw(&mut self, text: &str) -> Result<()> {
        let height = rustix::termios::tcgetwinsize(std::io::stdout())
            .map(|size| usize::from(size.ws_row))
            .ok()
            .filter(|rows| *rows > 2)
            .unwrap_or(usize::MAX);
        let (frame, rows) = frame(text, self.rows, height);
        put(&frame)?;
        self.rows = rows;
        Ok(())
    }

    /// Waits so long, or until a signal comes.
    pub fn wait(&mut self, patience: Duration) -> Result<Woken> {
        let patience = timespec(patience)?;
        let mut watched: Vec<PollFd<'_>> = self
            .signals
            .iter()
            .map(|pipe| PollFd::new(pipe, PollFlags::IN))
            .collect();
        retry_on_intr(|| poll(&mut watched, Some(&patience)))
            .map_err(|error| Error::storage("wait", error))?;
        drop(watched);
        for (signal, pipe) in SIGNALS.into_iter().zip(&mut self.signals) {
            let mut bytes = [0; 64];
            if !pipe.read(&mut bytes).is_ok_and(|got| got > 0) {
                continue;
            }
            if signal == SIGWINCH {
                // The terminal broke the lines anew: their rows are not those that were drawn.
                put(ALL)?;
                self.rows = 0;
                return Ok(Woken::Resized);
            }
            return Ok(Woken::Ended(u8::try_from(signal).unwrap_or(u8::MAX)));
        }
        Ok(Woken::InTime)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // When the terminal is gone there is nothing to restore.
        let _ = put(SHOW);
    }
}

/// The bytes that draw a text where so many rows stand, and how many rows it has then.
fn frame(text: &str, before: usize, height: usize) -> (String, usize) {
    let mut lines: Vec<&str> = text.lines().collect();
    // The last row is where the cursor waits.
    let room = height.saturating_sub(1);
    let more;
    if lines.len() > room {
        let shown = room.saturating_sub(1);
        more = format!("… and {} more lines", lines.len() - shown);
        lines.truncate(shown);
        lines.push(&more);
    }
    let mut out = String::from(NO_WRAP);
    out.push('\r');
    if before > 0 {
        out.push_str(&format!("\u{1b}[{before}A"));
    }
    for line in &lines {
        out.push_str(line);
        out.push_str(LINE);
        out.push_str("\r\n");
    }
    out.push_str(BENEATH);
    out.push_str(WRAP);
    (out, lines.len())
}

/// Waits so long; false as soon as nobody reads what is printed any more.
pub fn wait_for_reader(patience: Duration) -> Result<bool> {
    let patience = timespec(patience)?;
    let out = std::io::stdout();
    let mut watched = [PollFd::from_borrowed_fd(out.as_fd(), PollFlags::empty())];
    let woken = retry_on_intr(|| poll(&mut watched, Some(&patience)))
        .map_err(|error| Error::storage("wait", error))?;
    Ok(woken == 0)
}

fn timespec(patience: Duration) -> Result<Timespec> {
    Timespec::try_from(patience).map_err(|_| Error::bug("a wait is too long"))
}

fn put(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Error::storage("draw on the terminal", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_drawn_where_the_last_one_stood_and_what_is_left_of_that_is_cleared() {
        let (first, rows) = frame("a\nb\n", 0, 24);
        assert_eq!(rows, 2);
        assert!(!first.contains("\u{1b}[0A") && first.contains("a\u{1b}[K\r\nb\u{1b}[K\r\n"));
        let (second, rows) = frame("c\n", rows, 24);
        assert_eq!(rows, 1);
        assert!(second.contains("\u{1b}[2A") && second.contains("c\u{1b}[K\r\n\u{1b}[J"));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let text: String = (0..50).map(|line| format!("{line}\n")).collect();
        let (drawn, rows) = frame(&text, 0, 10);
        assert_eq!(rows, 9);
        assert!(drawn.contains("7\u{1b}[K") && !drawn.contains("8\u{1b}[K\r\n9"));
        assert!(drawn.contains("… and 42 more lines"), "{drawn}");
    }
}
