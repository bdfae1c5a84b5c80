//! What can be asked for on the command line, after `cargo bench --`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Races mcell against its floor and against other programs, and prints one table.
#[derive(Parser)]
#[command(name = "cargo bench --", args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    pub mode: Option<Mode>,
    #[command(flatten)]
    pub size: Size,
    /// Only these races, separated by commas; all of them unless given
    #[arg(long, value_delimiter = ',')]
    only: Vec<Race>,
    /// Where the missions root is, or is to be generated; it is kept
    #[arg(long)]
    pub root: Option<PathBuf>,
    /// Keep the generated root and the scratch folder
    #[arg(long)]
    pub keep: bool,
    /// How often each of two programs runs; slow ones run fewer times
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// How many seconds a daemon at rest is watched
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub rest: u64,
    /// Write the table between the two markers of this page
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// What cargo adds when it runs a bench
    #[arg(long, global = true, hide = true)]
    pub bench: bool,
}

/// How big a root is and from which number all its content is drawn.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Size {
    #[arg(long, default_value_t = 3000)]
    pub cells: usize,
    /// Agents of each cell, at least one
    #[arg(long, default_value_t = 10)]
    pub agents: usize,
    /// Tasks of each cell
    #[arg(long, default_value_t = 50)]
    pub tasks: usize,
    /// The same seed gives the same bytes, whatever the number of threads
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Subcommand)]
pub enum Mode {
    /// Make a missions root to try things on
    Generate(Generate),
    /// Open, read and close every JSON file of a root, and parse nothing
    Floor { root: PathBuf, threads: usize },
}

#[derive(Args)]
pub struct Generate {
    /// A folder that is empty or does not exist yet
    pub out: PathBuf,
    #[command(flatten)]
    pub size: Size,
    /// The share of cells that get one fault each, 0 to 1
    #[arg(long, default_value_t = 0.0)]
    pub bad: f64,
    /// Every cell is active and no agent rests
    #[arg(long)]
    pub active: bool,
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Race {
    Scan,
    Validate,
    Start,
    Add,
    Claim,
    Backup,
    Journal,
    Sweep,
    Beats,
    Fleet,
    Rest,
    Revive,
    Cold,
}

impl Options {
    /// The races to run, each once, in the order of the table. `cold` is last: it empties the
    /// page cache that the others want warm.
    pub fn races(&self) -> Vec<Race> {
        let wanted = |race: &Race| self.only.is_empty() || self.only.contains(race);
        Race::value_variants()
            .iter()
            .copied()
            .filter(wanted)
            .collect()
    }

    /// Tells whether one of the races needs the big root.
    pub fn needs_root(&self) -> bool {
        self.races()
            .iter()
            .any(|race| matches!(race, Race::Scan | Race::Validate | Race::Sweep | Race::Cold))
    }
}
