//! The end of the chain, to keep elsewhere: whoever has it can tell later whether lines were cut off or written anew.

use crate::base::error::{Error, Result};
use crate::store::cell::OpenCell;
use crate::store::journal::{Lines, sha256};
use schemars::JsonSchema;
use serde::Serialize;
use std::str::FromStr;

/// The end of a journal. As text `HASH:LINES`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Head {
    /// SHA-256 of the last line without its line end, in lower-case hex.
    pub hash: String,
    /// How many lines there are up to it; none where nobody said.
    pub lines: Option<u64>,
}

impl std::fmt::Display for Head {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.lines {
            Some(lines) => write!(out, "{}:{lines}", self.hash),
            None => out.write_str(&self.hash),
        }
    }
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (hash, lines) = match text.split_once(':') {
            Some((hash, lines)) => (hash, Some(lines)),
            None => (text, None),
        };
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let lines = lines.map(str::parse).transpose().ok();
        match lines {
            Some(lines) if hash.len() == 64 && hash.bytes().all(is_hex) => Ok(Head {
                hash: hash.to_owned(),
                lines,
            }),
            _ => Err(String::from(
                "it reads HASH or HASH:LINES, as `mcell journal head` prints it",
            )),
        }
    }
}

/// The head of a cell's journal (exit 3 if it has no line yet).
pub fn head(cell: &OpenCell) -> Result<Head> {
    let mut lines = {
        let _view = cell.view()?;
        Lines::of(cell.folder())?
    };
    let mut last = Vec::new();
    let mut count = 0;
    while let Some(raw) = lines.next()? {
        if !raw.is_torn {
            last.clear();
            last.extend_from_slice(raw.text);
            count += 1;
        }
    }
    if count == 0 {
        return Err(Error::not_found(format!(
            "the journal of the cell at {} has no line yet",
            cell.path().display()
        ))
        .hint("the first command that changes the cell writes one"));
    }
    Ok(Head {
        hash: sha256(&last),
        lines: Some(count),
    })
}
