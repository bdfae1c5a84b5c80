//! How we speak: data to stdout, talk to stderr, words or JSON. Knows no noun.

pub mod page;
pub mod printer;
pub mod progress;
pub mod prompt;
pub mod screen;
pub mod table;
pub mod trouble;

pub use page::{Page, Tone};
pub use printer::{Printer, Report};
pub use table::Table;
