//! 1 GiB of artifacts backed up and restored, against `tar --zstd` at the same level. Both sides end durable: mcell
//! fsyncs what it made, and `sync` follows tar.

use crate::field::Field;
use crate::measure::{self, Runner, in_turn};
use crate::report::{Bound, Pair, Report, Result, Trouble};
use crate::tools;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files, and the bytes of each.
const FILES: u64 = 64;
const BYTES: usize = 16 << 20;
/// A run takes seconds.
const RUNS: u32 = 5;

pub fn race(field: &Field, report: &mut Report) {
    let what = "1 GiB of artifacts, against `tar --zstd -cf` and `sync` of the file";
    let made = Prepared::make(field);
    let prepared = match &made {
        Ok(prepared) => prepared,
        Err(trouble) => {
            let trouble = Trouble::Failed(trouble.to_string());
            report.pair("backup", what, Bound::AtMost(1.3), Err(trouble));
            return;
        }
    };
    report.pair("backup", what, Bound::AtMost(1.3), prepared.back_up(field));
    let what = "the same restored and verified, against `tar --zstd -xf` and `sync -f`";
    report.pair("backup", what, Bound::AtMost(1.3), prepared.restore(field));
}

struct Prepared {
    place: PathBuf,
    id: String,
}

impl Prepared {
    fn make(field: &Field) -> Result<Self> {
        field.needs_a_disk(field.scratch())?;
        tools::other("tar")?;
        tools::other("zstd")?;
        let place = field.scratch().join("backup");
        let _ = std::fs::remove_dir_all(&place);
        std::fs::create_dir_all(place.join("root"))?;
        let mut init = tools::mcell(field, &place.join("root"));
        let said = measure::output(init.args(["init", "Many artifacts", "-q"]), &[0])?;
        let id = String::from_utf8_lossy(&said).trim().to_owned();
        let code = place.join("root").join(&id).join("artifacts/code");
        for number in 0..FILES {
            let file = std::fs::File::create(code.join(format!("part_{number:03}")))?;
            let mut out = std::io::BufWriter::new(file);
            out.write_all(&text(number))?;
            out.flush()?;
        }
        measure::timed(Command::new("sync").arg("-f").arg(&place), &[0])?;
        Ok(Prepared { place, id })
    }

    fn root(&self) -> PathBuf {
        self.place.join("root")
    }

    fn ours(&self) -> PathBuf {
        self.place.join("ours.mcell.tar.zst")
    }

    fn theirs(&self) -> PathBuf {
        self.place.join("theirs.tar.zst")
    }

    fn back_up(&self, field: &Field) -> Result<Pair> {
        let ours = Runner::new(|| {
            let _ = std::fs::remove_file(self.ours());
            let mut backup = tools::mcell(field, &self.root());
            backup.args(["cell", "backup", &self.id, "-q", "--output"]);
            backup.arg(self.ours());
            Ok(backup)
        });
        let theirs = Runner::new(|| {
            let _ = std::fs::remove_file(self.theirs());
            let mut tar = shell("tar --zstd -cf \"$1\" -C \"$2\" \"$3\" && sync \"$1\"");
            tar.arg(self.theirs()).arg(self.root()).arg(&self.id);
            Ok(tar)
        });
        in_turn(field.rounds.min(RUNS), ours, theirs)
    }

    fn restore(&self, field: &Field) -> Result<Pair> {
        let (ours_in, theirs_in) = (self.place.join("restored"), self.place.join("extracted"));
        let ours = Runner::new(|| {
            empty(&ours_in)?;
            let mut restore = tools::mcell(field, &ours_in);
            restore.args(["cell", "restore", "-q"]).arg(self.ours());
            Ok(restore)
        });
        let theirs = Runner::new(|| {
            empty(&theirs_in)?;
            let mut tar = shell("tar --zstd -xf \"$1\" -C \"$2\" && sync -f \"$2\"");
            tar.arg(self.theirs()).arg(&theirs_in);
            Ok(tar)
        });
        let pair = in_turn(field.rounds.min(RUNS), ours, theirs)?;
        let artifacts = Path::new(&self.id).join("artifacts");
        let mut diff = Command::new("diff");
        diff.arg("-r")
            .arg(self.root().join(&artifacts))
            .arg(ours_in.join(&artifacts));
        measure::timed(&mut diff, &[0])?;
        Ok(pair)
    }
}

/// An empty folder; what was there is gone before the clock runs.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir(folder)?;
    measure::timed(Command::new("sync").arg("-f").arg(folder), &[0])?;
    Ok(())
}

fn shell(line: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", line, "sh"])
        .env("ZSTD_CLEVEL", "3")
        .env_remove("ZSTD_NBTHREADS");
    shell
}

/// Bytes that a compressor has work with: words out of a dictionary, with a number between them now and then.
fn text(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words: Vec<String> = (0..4096_u64)
        .map(|word| {
            format!(
                "{:x}",
                word.wrapping_mul(0x2545_f491_4f6c_dd1d) >> (word % 40)
            )
        })
        .collect();
    let mut text = Vec::with_capacity(BYTES + 64);
    while text.len() < BYTES {
        let draw = next();
        text.extend_from_slice(words[(draw % 4096) as usize].as_bytes());
        text.push(b' ');
        if draw >> 60 == 0 {
            text.extend_from_slice(next().to_string().as_bytes());
        }
    }
    text.truncate(BYTES);
    text
}
