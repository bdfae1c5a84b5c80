//! The table: one row a race, with its bound and whether it was kept.

use comfy_table::{Table, presets};
use std::fmt::{self, Display};
use std::path::Path;
use std::time::Duration;

/// Why there is no figure.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Something this machine lacks; the row says what.
    Skipped(String),
    /// A command that should have worked did not.
    Failed(String),
}

pub type Result<T> = std::result::Result<T, Trouble>;

impl From<String> for Trouble {
    fn from(story: String) -> Self {
        Self::Failed(story)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Skipped(why) => write!(out, "SKIPPED: {why}"),
            Self::Failed(why) => write!(out, "FAILED: {why}"),
        }
    }
}

/// Two medians of one run, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub ours: f64,
    pub theirs: f64,
}

/// What a pair must keep.
#[derive(Clone, Copy)]
pub enum Bound {
    /// Ours takes at most so many times theirs.
    AtMost(f64),
    /// Ours is at least so many times as fast.
    AsFast(f64),
    /// Ours is faster, by however little.
    Faster,
    /// Ours takes at most so many milliseconds more.
    ExtraMs(f64),
    /// No bound; the figure explains another row.
    Shown,
}

const COLUMNS: [&str; 7] = [
    "bench", "what", "ours", "theirs", "ratio", "bound", "verdict",
];
const BEGIN: &str = "<!-- table -->";
const END: &str = "<!-- /table -->";

/// All rows so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<[String; 7]>,
    missed: bool,
    failed: bool,
}

impl Report {
    /// Adds the row of a race between two programs.
    pub fn pair(&mut self, bench: &str, what: &str, bound: Bound, outcome: Result<Pair>) {
        self.row(bench, what, outcome.map(|pair| pair.judged(bound)));
    }

    /// Adds the row of a peak of memory, in KiB, that has a bound in MiB.
    pub fn memory(&mut self, bench: &str, what: &str, bound: f64, outcome: Result<u64>) {
        let judged = outcome.map(|peak| {
            let mebibytes = peak as f64 / 1024.0;
            let ours = format!("{mebibytes:.1} MiB");
            (
                ours,
                "-".into(),
                "-".into(),
                format!("≤ {bound} MiB"),
                Some(mebibytes <= bound),
            )
        });
        self.row(bench, what, judged);
    }

    /// Adds the row of a share of one core, from 0 to 1, that has a bound in per cent.
    pub fn share(&mut self, bench: &str, what: &str, bound: f64, outcome: Result<f64>) {
        let judged = outcome.map(|share| {
            let percent = share * 100.0;
            (
                format!("{} %", digits(percent)),
                "-".into(),
                "-".into(),
                format!("≤ {bound} %"),
                Some(percent <= bound),
            )
        });
        self.row(bench, what, judged);
    }

    /// Adds the row of a time that has no bound.
    pub fn time(&mut self, bench: &str, what: &str, outcome: Result<Duration>) {
        let judged = outcome.map(|time| {
            let none = || "-".to_owned();
            (seconds(time.as_secs_f64()), none(), none(), none(), None)
        });
        self.row(bench, what, judged);
    }

    fn row(&mut self, bench: &str, what: &str, judged: Result<Judged>) {
        let cells = match judged {
            Ok((ours, theirs, ratio, bound, kept)) => {
                self.missed |= kept == Some(false);
                let verdict = match kept {
                    Some(true) => "kept",
                    Some(false) => "MISSED",
                    None => "-",
                };
                [
                    bench.into(),
                    what.into(),
                    ours,
                    theirs,
                    ratio,
                    bound,
                    verdict.into(),
                ]
            }
            Err(trouble) => {
                eprintln!("{bench}, {what}: {trouble}");
                let verdict = match trouble {
                    Trouble::Skipped(_) => trouble.to_string(),
                    // The story names this machine's folders; it belongs above, not in a page.
                    Trouble::Failed(_) => "FAILED".into(),
                };
                self.failed |= matches!(trouble, Trouble::Failed(_));
                let none = || "-".to_owned();
                [
                    bench.into(),
                    what.into(),
                    none(),
                    none(),
                    none(),
                    none(),
                    verdict,
                ]
            }
        };
        self.rows.push(cells);
    }

    /// Tells whether every bound was kept and no command failed. Skipped rows do not count.
    pub fn passed(&self) -> bool {
        !self.missed && !self.failed
    }

    /// The table, for a terminal, a log and a page alike.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::ASCII_MARKDOWN)
            .set_header(COLUMNS);
        table.add_rows(&self.rows);
        table.to_string()
    }

    /// Replaces what stands between the two markers of a page. A missed bound is written as it
    /// is; where a command failed there is nothing to publish.
    pub fn write_into(&self, page: &Path, about: &str) -> Result<()> {
        if self.failed {
            return Err(format!("a command failed: {} stays as it was", page.display()).into());
        }
        let text = std::fs::read_to_string(page)?;
        let markers = text.find(BEGIN).zip(text.find(END));
        let Some((begin, end)) = markers.filter(|(begin, end)| begin < end) else {
            return Err(format!("{} lacks {BEGIN} … {END}", page.display()).into());
        };
        let (before, after) = (&text[..begin + BEGIN.len()], &text[end..]);
        std::fs::write(
            page,
            format!("{before}\n{about}\n\n{}\n{after}", self.table()),
        )?;
        Ok(())
    }
}

/// Ours, theirs, ratio, bound, and whether it was kept.
type Judged = (String, String, String, String, Option<bool>);

impl Pair {
    fn judged(self, bound: Bound) -> Judged {
        let Self { ours, theirs } = self;
        let (ratio, bound, kept) = match bound {
            Bound::AtMost(most) => {
                let ratio = ours / theirs;
                (
                    format!("{} times the time", digits(ratio)),
                    format!("≤ {most}"),
                    Some(ratio <= most),
                )
            }
            Bound::AsFast(least) => {
                let ratio = theirs / ours;
                (
                    format!("{ratio:.2} times as fast"),
                    format!("≥ {least}"),
                    Some(ratio >= least),
                )
            }
            Bound::Faster => {
                let ratio = theirs / ours;
                (
                    format!("{ratio:.2} times as fast"),
                    "> 1".into(),
                    Some(ratio > 1.0),
                )
            }
            Bound::ExtraMs(most) => {
                let extra = (ours - theirs) * 1e3;
                (
                    format!("{extra:+.2} ms"),
                    format!("≤ {most} ms more"),
                    Some(extra <= most),
                )
            }
            Bound::Shown => (
                format!("{:.2} times as fast", theirs / ours),
                "-".into(),
                None,
            ),
        };
        (seconds(ours), seconds(theirs), ratio, bound, kept)
    }
}

/// A number with two digits that say something, at least two behind the point.
fn digits(ratio: f64) -> String {
    let places = (2..9).find(|places| ratio * 10_f64.powi(*places) >= 10.0);
    format!("{ratio:.*}", places.unwrap_or(2) as usize)
}

/// A duration in words that fit it.
fn seconds(seconds: f64) -> String {
    if seconds < 1e-4 {
        format!("{:.1} µs", seconds * 1e6)
    } else if seconds < 1e-3 {
        format!("{:.0} µs", seconds * 1e6)
    } else if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}
