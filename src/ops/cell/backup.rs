//! Backs a cell up: one file that holds all of it, whoever writes to it meanwhile.

use crate::base::clock::Time;
use crate::base::error::Result;
use crate::ops::session::Session;
use crate::store::archive::{self, FORMAT, Label, NewBackup, SUFFIX};
use crate::store::cell::OpenCell;
use schemars::JsonSchema;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The most characters of a mission's name in the name of a file.
const LONGEST: usize = 40;

/// What was backed up.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct BackedUp {
    /// The folder's name.
    pub cell_id: String,
    /// The mission's name; null if cell.json could not be read.
    pub mission_name: Option<String>,
    /// The backup; null if it went to standard output.
    pub file: Option<String>,
    /// Bytes of the backup; null if it went to standard output.
    pub bytes: Option<u64>,
    /// How many files are in it.
    pub files: usize,
    /// The bytes of these files.
    pub content_bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// What was left out, and what changed while it was read: a sentence each.
    pub notes: Vec<String>,
}

/// The name of a backup made now: the mission, the cell, the moment.
pub fn file_name(cell: &OpenCell, now: Time) -> String {
    let name = cell.cell().map(|cell| cell.mission_name);
    let stamp = now.to_string().replace([':', '-'], "");
    format!(
        "{}-{}-{stamp}{SUFFIX}",
        slug(&name.unwrap_or_default()),
        cell.id().short()
    )
}

/// A mission's name as a file's: letters and digits, the rest as hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= LONGEST {
            break;
        }
    }
    match slug.trim_end_matches('-') {
        "" => String::from("cell"),
        slug => slug.to_owned(),
    }
}

/// Backs a cell up into a file, which is whole and durable when this returns. `tell` hears how many bytes are read, of how
/// many.
pub fn to_file(
    session: &Session,
    cell: &OpenCell,
    file: &Path,
    replaces: bool,
    tell: &dyn Fn(u64, u64),
) -> Result<BackedUp> {
    let place: PathBuf = session.env.resolve(file);
    let begun = Instant::now();
    let (new, out) = NewBackup::begin(&place, replaces)?;
    let (out, mut done) = back_up(session, cell, out, tell)?;
    done.bytes = Some(new.finish(&out)?);
    done.file = Some(place.display().to_string());
    done.seconds = begun.elapsed().as_secs_f64();
    Ok(done)
}

/// Backs a cell up into anything that can be written to, and gives that back.
pub fn back_up<W: Write + Send>(
    session: &Session,
    cell: &OpenCell,
    out: W,
    tell: &dyn Fn(u64, u64),
) -> Result<(W, BackedUp)> {
    session.require_operator("back a cell up")?;
    if cell.folder().stat(crate::store::layout::CELL)?.is_none() {
        return Err(cell.no_cell());
    }
    let begun = Instant::now();
    let act = "cell backup";
    let gathered = archive::gather(cell, &session.act(act), session.wait(act)?)?;
    let label = Label {
        format: FORMAT,
        cell_id: cell.id().to_string(),
        mission_name: gathered.mission_name.clone(),
        mcell: String::from(env!("CARGO_PKG_VERSION")),
    };
    let packed = archive::pack(cell.folder(), &gathered, &label, out, tell);
    // Also after a failure: the end of what is told ends the bar.
    tell(gathered.bytes, gathered.bytes);
    let (out, packed) = packed?;
    let done = BackedUp {
        cell_id: label.cell_id,
        mission_name: label.mission_name,
        file: None,
        bytes: None,
        files: packed.files,
        content_bytes: packed.bytes,
        seconds: begun.elapsed().as_secs_f64(),
        notes: gathered.notes.iter().cloned().chain(packed.notes).collect(),
    };
    Ok((out, done))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the trees they read")]
mod tests {
    use super::*;
    use crate::ops::world::World;

    #[test]
    fn a_mission_s_name_becomes_a_file_s() {
        assert_eq!(slug("Example Mission"), "example-mission");
        assert_eq!(slug("../../etc/passwd"), "etc-passwd");
        assert_eq!(slug("…"), "cell");
        assert!(slug(&"long ".repeat(50)).len() <= LONGEST);
    }

    #[test]
    fn the_same_cell_gives_the_same_bytes() {
        let world = World::new();
        world.add_agent();
        world.add_task(None);
        world.write("artifacts/code/one.bin", &"many bytes ".repeat(300_000));
        let one = back_up(&world.session, &world.cell, Vec::new(), &|_, _| ()).unwrap();
        let journal = world.text("logs/journal.jsonl");
        let other = back_up(&world.session, &world.cell, Vec::new(), &|_, _| ()).unwrap();
        assert!(one.0 == other.0 && one.1.notes.is_empty());
        assert_eq!(journal, world.text("logs/journal.jsonl"));
    }

    /// Backs up while a large artifact grows at these moments of telling; gives its entries in the list, and the notes.
    fn grown(moments: std::ops::Range<usize>) -> (serde_json::Value, Vec<String>, u64) {
        use std::io::Read;
        let world = World::new();
        let path = world.cell.path().join("artifacts/docs/log");
        world.write("artifacts/docs/log", &"a line\n".repeat(500_000));
        let calls = std::cell::Cell::new(0);
        let tell = |_, _| {
            calls.set(calls.get() + 1);
            if moments.contains(&calls.get()) {
                grow(&path);
            }
        };
        let (packed, done) = back_up(&world.session, &world.cell, Vec::new(), &tell).unwrap();
        let plain = zstd::stream::decode_all(&packed[..]).unwrap();
        let mut text = String::new();
        for entry in tar::Archive::new(&plain[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            if *entry.path_bytes() == b"mcell-manifest.json"[..] {
                entry.read_to_string(&mut text).unwrap();
            }
        }
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        let files = list["files"].as_array().unwrap();
        let listed = files
            .iter()
            .find(|file| file["path"] == "artifacts/docs/log");
        let bytes = std::fs::metadata(&path).unwrap().len();
        let place = world.cell.path().join("backup");
        std::fs::write(&place, &packed).unwrap();
        let (root, none) = (world.root(), |_, _| ());
        let copy = super::super::restore(&world.session, &root, &place, true, &none).unwrap();
        let copied = Path::new(&copy.path).join("artifacts/docs/log");
        let listed = listed.unwrap();
        assert_eq!(std::fs::metadata(copied).unwrap().len(), listed["bytes"]);
        (listed.clone(), done.notes, bytes)
    }

    fn grow(path: &Path) {
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"one more\n").unwrap();
    }

    #[test]
    fn a_large_artifact_that_grew_while_it_was_read_is_read_again() {
        let (quiet, notes, _) = grown(0..0);
        assert!(quiet.get("times").is_none() && notes.is_empty());
        // The first two calls are before it is read.
        let (again, notes, bytes) = grown(3..5);
        assert_eq!(
            (&again["times"], &again["bytes"]),
            (&2.into(), &bytes.into())
        );
        assert!(
            again.get("changed").is_none() && notes.is_empty(),
            "{notes:?}"
        );
    }
}
