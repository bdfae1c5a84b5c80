//! Questions, asked at a terminal only, and only where there is no default.

use crate::base::error::{Error, Kind, Result};
use dialoguer::theme::SimpleTheme;

/// Asks for yes or no; no is the default.
pub fn confirm(question: &str) -> Result<bool> {
    dialoguer::Confirm::with_theme(&SimpleTheme)
        .with_prompt(question)
        .default(false)
        .interact()
        .map_err(unanswered)
}

/// Asks to choose one of several; the index.
pub fn choose(question: &str, choices: &[String]) -> Result<usize> {
    dialoguer::Select::with_theme(&SimpleTheme)
        .with_prompt(question)
        .items(choices)
        .default(0)
        .interact()
        .map_err(unanswered)
}

/// Asks for a line of text.
pub fn line(question: &str) -> Result<String> {
    dialoguer::Input::with_theme(&SimpleTheme)
        .with_prompt(question)
        .interact_text()
        .map_err(unanswered)
}

fn unanswered(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    Error::new(
        Kind::Usage,
        format!(
            "the question was not answered: {}",
            crate::base::error::in_words(&error)
        ),
    )
    .hint("give the answer as an argument; `--help` names it")
}
