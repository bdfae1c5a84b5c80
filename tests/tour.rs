//! README and the tutorial are run: every `$` line of their ```console blocks, in a home of their own, and what is printed
//! must be what they show.
//!
//! Ids, the home and the time are those of the page: a first UUID is shown as the first of `IDS`, and so on, the home as
//! /home/ada, and the time stands still. `...` in a line of its own stands for any lines, `[..]` for anything within a line.
//! `MCELL_BLESS=1` renews the blocks that are out of date.

use crate::world::{World, checked_in, compare};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// The ids that the pages show, in the order in which cells are made there.
const IDS: [&str; 4] = [
    "2f1c9a4e-5b0d-4c1e-9a57-0d9f6f3b7a10",
    "7be3c0d1-90a2-4f6b-8c44-1e5f2a9d6b37",
    "c4d8f2a6-13b7-4e90-a2c5-6f7081b9e3d4",
    "e09b7f35-4a6c-4d21-b8f3-92c1d0e5a768",
];
const HOME: &str = "/home/ada";
const NOW: &str = "2026-03-02T09:00:00Z";
/// What ends the output of a command in the shell's answer.
const MARK: char = '\u{1e}';

/// A piece of a page.
enum Piece {
    /// Text, as it is.
    Text(String),
    /// A command of a console block, with what it shall print.
    Typed { command: String, wanted: String },
}

/// A page in pieces; joined again they are the page.
fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut is_console = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
            pieces.push(Piece::Text(format!("{line}\n")));
        } else if !is_console {
            pieces.push(Piece::Text(format!("{line}\n")));
        } else if let Some(command) = line.strip_prefix("$ ") {
            pieces.push(Piece::Typed {
                command: format!("{command}\n"),
                wanted: String::new(),
            });
        } else if let Some(Piece::Typed { command, wanted }) = pieces.last_mut() {
            match line.strip_prefix("> ") {
                Some(more) if wanted.is_empty() => command.push_str(&format!("{more}\n")),
                _ => wanted.push_str(&format!("{line}\n")),
            }
        } else {
            panic!("a console block begins with `{line}`, which is no command");
        }
    }
    pieces
}

impl Piece {
    fn text(&self) -> String {
        match self {
            Piece::Text(text) => text.clone(),
            Piece::Typed { command, wanted } => {
                let typed = command.trim_end_matches('\n').replace('\n', "\n> ");
                format!("$ {typed}\n{wanted}")
            }
        }
    }
}

/// A shell that stays, so that `cd` and `export` do.
struct Shell {
    shell: Child,
    keys: ChildStdin,
    screen: BufReader<ChildStdout>,
    home: String,
    ids: Vec<String>,
}

impl Shell {
    fn of(world: &World) -> Self {
        let mut command = world.command("sh");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.spawn().expect("a shell");
        let mut keys = shell.stdin.take().expect("its keyboard");
        let screen = BufReader::new(shell.stdout.take().expect("its screen"));
        keys.write_all(b"exec 2>&1\n").expect("a line");
        Shell {
            shell,
            keys,
            screen,
            home: world.home().display().to_string(),
            ids: Vec::new(),
        }
    }

    /// Types a command of a page; gives its exit code and what it prints, as the page shows it.
    fn run(&mut self, command: &str) -> (i32, String) {
        let mut typed = command.to_owned();
        for (shown, real) in IDS.iter().zip(&self.ids) {
            typed = typed.replace(shown, real).replace(&shown[..8], &real[..8]);
        }
        let line = format!("{typed}printf '{MARK}%d\\n' $?\n");
        self.keys.write_all(line.as_bytes()).expect("a line");
        let mut printed = Vec::new();
        let got = self.screen.read_until(MARK as u8, &mut printed);
        assert!(
            got.is_ok() && printed.pop() == Some(MARK as u8),
            "the shell ended at: {command}"
        );
        let mut code = String::new();
        self.screen.read_line(&mut code).expect("an exit code");
        let printed = String::from_utf8(printed).expect("text");
        (code.trim().parse().expect("a number"), self.shown(&printed))
    }

    /// What was printed, with the ids and the home of the page.
    fn shown(&mut self, printed: &str) -> String {
        // A command makes one cell at most, so the new one in the root is the one that it made.
        let root = std::path::Path::new(&self.home).join("missions");
        for entry in std::fs::read_dir(root).into_iter().flatten() {
            let name = entry.expect("an entry").file_name();
            let name = name.to_string_lossy().into_owned();
            if !name.starts_with('.') && !self.ids.contains(&name) {
                self.ids.push(name);
            }
        }
        assert!(
            self.ids.len() <= IDS.len(),
            "the page makes more cells than IDS has ids"
        );
        let mut shown = printed.replace(&self.home, HOME);
        for (page, real) in IDS.iter().zip(&self.ids) {
            shown = shown.replace(real, page).replace(&real[..8], &page[..8]);
        }
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        shown
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.keys.write_all(b"exit\n");
        let _ = self.shell.wait();
    }
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

fn take_the_tour(file: &str) {
    let page = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut world = World::new();
    world.unset("MCELL_ROOT").at_time(NOW);
    let mut shell = Shell::of(&world);
    let mut number = 0;
    let mut renewed = String::new();
    let is_blessed = std::env::var_os("MCELL_BLESS").is_some_and(|word| word == "1");
    for mut piece in pieces(&page) {
        if let Piece::Typed { command, wanted } = &mut piece {
            number += 1;
            let (code, printed) = shell.run(command);
            let name = format!("{file}: $ {}", command.trim_end());
            // A page may show how a command fails; 126 and more is no command, a signal, or a bug.
            assert!(code < 70, "{name}\nended with {code}:\n{printed}");
            match compare(&name, &printed, wanted) {
                Ok(()) => {}
                // Several cells stand in the order of their ids, which are others each time.
                Err(_) if command.contains(" -A") && sorted(&printed) == sorted(wanted) => {}
                Err(_) if is_blessed => *wanted = printed,
                Err(difference) => panic!("{difference}"),
            }
        }
        renewed.push_str(&piece.text());
    }
    assert!(number > 5, "{file} has hardly a command in it");
    checked_in(file, &renewed);
}

#[test]
fn the_readme_is_true() {
    take_the_tour("README.md");
}

#[test]
fn the_tutorial_is_true() {
    take_the_tour("docs/tutorial.md");
}
