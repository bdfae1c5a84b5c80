//! Does the chain hold? Every line carries the hash of the one before; who changes one by hand breaks it.

use super::Head;
use crate::base::clock::Time;
use crate::base::error::{Kind, Result};
use crate::store::cell::OpenCell;
use crate::store::incoming::hash_of;
use crate::store::journal::{Line, Lines, Raw};
use crate::store::layout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many flaws are named; the others are counted.
const MOST: usize = 1000;

/// What is asked beside the chain.
#[derive(Clone, Debug, Default)]
pub struct Verify {
    /// Hold mission files against the newest line about them.
    pub files: bool,
    /// A head kept elsewhere, which must be in the chain.
    pub head: Option<Head>,
}

/// What was found.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Verified {
    /// The cell.
    pub cell_id: String,
    /// How many lines the journal has.
    pub lines: u64,
    /// How many bytes.
    pub bytes: u64,
    /// How many files.
    pub files: u64,
    /// The end of the chain as `journal head` gives it; null if there is no line.
    pub head: Option<String>,
    /// What is wrong: the journal is not what mcell wrote.
    pub bad: Vec<Flaw>,
    /// How many more of them are not named.
    pub more: u64,
    /// What is worth knowing and not wrong.
    pub notes: Vec<Flaw>,
}

/// One thing that was found.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Flaw {
    /// The file it is in, from the cell's folder.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// What is so.
    pub what: String,
}

/// What a chain needs of a line. The whole line is read for it, so what is no JSON is found.
#[derive(Deserialize)]
struct Link<'l> {
    #[serde(borrow)]
    prev: Cow<'l, str>,
}

impl Verified {
    fn bad(&mut self, raw: &Raw<'_>, what: &str) {
        self.worse(raw.file, raw.number, what);
    }

    fn worse(&mut self, file: &str, line: u64, what: &str) {
        if self.bad.len() < MOST {
            self.bad.push(flaw(file, line, what));
        } else {
            self.more += 1;
        }
    }

    /// Tells whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.bad.is_empty()
    }
}

fn flaw(file: &str, line: u64, what: &str) -> Flaw {
    Flaw {
        file: file.to_owned(),
        line,
        what: what.to_owned(),
    }
}

/// Holds a cell's journal against itself, and against what is asked beside.
pub fn verify(cell: &OpenCell, asked: &Verify) -> Result<Verified> {
    let view = cell.view()?;
    let mut lines = Lines::of(cell.folder())?;
    // Mission files must not change under the look at them; the lines that there are never do.
    let _view = asked.files.then_some(view);
    let mut found = Verified {
        cell_id: cell.id().to_string(),
        ..Verified::default()
    };
    for (_, size) in lines.files() {
        found.files += 1;
        found.bytes += size;
    }
    let mut chain = Chain::new(asked);
    while let Some(raw) = lines.next()? {
        chain.take(&raw, &mut found);
    }
    found.lines = chain.lines;
    found.head = chain.last.map(|hash| {
        let hash = crate::store::journal::hex(&hash);
        format!("{hash}:{}", chain.lines)
    });
    if found.files == 0 {
        let none = "is not there: no command has changed this cell yet";
        found.notes.push(flaw(layout::JOURNAL, 0, none));
    }
    if let Some(head) = &asked.head
        && !chain.has_head
    {
        let what = match head.lines {
            Some(lines) if lines > chain.lines => format!(
                "has {} lines, and had {lines} when the head {head} was kept: lines were cut off",
                chain.lines
            ),
            Some(lines) => {
                format!("line {lines} is not that of the head {head}: the journal was written anew")
            }
            None => format!("has no line of the head {head}: lines were cut off or written anew"),
        };
        found.worse(layout::JOURNAL, 0, &what);
    }
    for (file, newest) in chain.newest.into_iter().flatten() {
        if let Some(what) = newest.differs(cell, &file)? {
            found.notes.push(flaw(&file, 0, &what));
        }
    }
    Ok(found)
}

/// The chain so far.
struct Chain<'a> {
    lines: u64,
    /// The hash of the last whole line.
    last: Option<[u8; 32]>,
    /// The file it is in; empty at the beginning.
    file: String,
    wanted: Option<&'a Head>,
    has_head: bool,
    /// What the newest line says of each mission file, if that is asked.
    newest: Option<BTreeMap<String, Newest>>,
}

impl<'a> Chain<'a> {
    fn new(asked: &'a Verify) -> Self {
        Chain {
            lines: 0,
            last: None,
            file: String::new(),
            wanted: asked.head.as_ref(),
            has_head: false,
            newest: asked.files.then(BTreeMap::new),
        }
    }

    fn take(&mut self, raw: &Raw<'_>, found: &mut Verified) {
        if raw.is_torn && raw.file == layout::JOURNAL {
            let torn = "ends without its line end: a crash left it, and the next command that writes cuts it";
            found.notes.push(flaw(raw.file, raw.number, torn));
            return;
        }
        let is_first_of_file = self.file != raw.file;
        match (
            raw.is_too_long,
            serde_json::from_slice::<Link<'_>>(raw.text),
        ) {
            (true, _) => found.bad(raw, "is longer than 16 MiB: mcell did not write it"),
            (_, Err(_)) => found.bad(raw, "is no line of a journal: it was changed"),
            (_, Ok(link)) => match &self.last {
                None if link.prev.is_empty() => {}
                None => found.bad(
                    raw,
                    "does not begin a journal: what was before it is missing",
                ),
                Some(last) if is_hex_of(link.prev.as_bytes(), last) => {}
                Some(_) if is_first_of_file => {
                    let what = format!(
                        "does not carry the hash of the last line of {}: one of them was changed, or a file between them is missing",
                        self.file
                    );
                    found.bad(raw, &what);
                }
                Some(_) => {
                    let before = raw.number - 1;
                    let what = format!(
                        "does not carry the hash of line {before}: line {before} or this one was changed, or lines between them are missing"
                    );
                    found.bad(raw, &what);
                }
            },
        }
        if raw.is_torn {
            found.bad(raw, "has lost its end");
        }
        if is_first_of_file {
            raw.file.clone_into(&mut self.file);
        }
        self.lines += 1;
        let hash: [u8; 32] = Sha256::digest(raw.text).into();
        if let Some(head) = self.wanted
            && head.lines.is_none_or(|lines| lines == self.lines)
            && is_hex_of(head.hash.as_bytes(), &hash)
        {
            self.has_head = true;
        }
        self.last = Some(hash);
        if let Some(newest) = &mut self.newest
            && let Ok(line) = serde_json::from_slice::<Line>(raw.text)
        {
            for change in line.files {
                if change.file.starts_with(layout::RUNTIME) {
                    continue;
                }
                let (at, after) = (line.at, change.after);
                newest.insert(change.file, Newest { at, after });
            }
        }
    }
}

/// What the newest line says of a mission file.
struct Newest {
    at: Time,
    after: Option<String>,
}

impl Newest {
    /// In which way the file is another one now.
    fn differs(&self, cell: &OpenCell, file: &str) -> Result<Option<String>> {
        let at = self.at;
        let there = match hash_of(cell.folder(), file) {
            // A link, a special file: it is there, and no file of mcell.
            Err(error) if error.kind() == Kind::Malformed => {
                return Ok(Some(format!("is not what mcell wrote at {at}: {error}")));
            }
            there => there?,
        };
        Ok(match (&there, &self.after) {
            (there, after) if there == after => None,
            (None, _) => Some(format!("is gone: not by mcell, which wrote it at {at}")),
            (Some(_), None) => Some(format!("is there again: mcell removed it at {at}")),
            (Some(_), Some(_)) => Some(format!(
                "was changed by something else since mcell wrote it at {at}"
            )),
        })
    }
}

/// Tells whether a text is a hash in lower-case hex.
fn is_hex_of(text: &[u8], hash: &[u8; 32]) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| DIGITS.get(usize::from(half));
    text.len() == 64
        && text
            .chunks_exact(2)
            .zip(hash)
            .all(|(pair, byte)| pair.first() == digit(byte >> 4) && pair.last() == digit(byte & 15))
}
