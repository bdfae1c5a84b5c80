//! Lines of a log on stdout: the last ones, and those that come, for as long as somebody reads them.

use crate::base::exit;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::store::tail::Follow;
use std::os::fd::AsFd;

/// Prints lines, and goes on with what is added, if that is followed. `show`: how a line is shown.
pub(super) fn print(
    context: &Context,
    lines: &[String],
    follow: Option<Follow>,
    show: impl Fn(&str) -> String,
) -> Outcome {
    let mut out = context.printer.stream();
    let mut put = |lines: &[String]| {
        for line in lines {
            if !out.put(format!("{}\n", show(line)).as_bytes())? {
                return Ok(false);
            }
        }
        out.flush()
    };
    if !put(lines)? {
        return Ok(exit::DONE);
    }
    let Some(mut follow) = follow else {
        return Ok(exit::DONE);
    };
    let stdout = std::io::stdout();
    loop {
        let lines = follow.wait(stdout.as_fd())?;
        if !put(&lines)? || follow.is_unheard() {
            return Ok(exit::DONE);
        }
    }
}
