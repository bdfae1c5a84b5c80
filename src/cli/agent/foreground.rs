//! `mcell agent start --foreground`.

use super::start::RunningAgent;
use crate::base::error::Error;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::cli::several::InCell;
use crate::ops::run;
use crate::ui::printer::Form;
use std::io::{Read, Write};

/// How much of what an agent says is taken at once.
const CHUNK: usize = 16 << 10;

/// Runs one agent in this terminal, and ends as it does.
pub(super) fn run(context: &Context, targets: &[InCell]) -> Outcome {
    let [InCell { cell, id }] = targets else {
        return Err(
            Error::usage("one agent at a time runs in the foreground").hint(
                "name one, or start several without `--foreground` and follow `mcell agent log AGENT`",
            ),
        );
    };
    if context.printer.form() == Form::Json {
        return Err(Error::usage(
            "`--foreground` prints what the agent says, which is not one JSON object",
        )
        .hint("leave `--json` out, or `--foreground`"));
    }
    let session = &context.session;
    let here = run::start_here(session, cell, id)?;
    for line in RunningAgent::of(cell.id().as_str(), id.as_str(), &here.started).lines() {
        (session.tell)(&line);
    }
    let (output, errors) = (here.output, here.errors);
    let output = std::thread::spawn(move || relay(output, std::io::stdout()));
    let errors = std::thread::spawn(move || relay(errors, std::io::stderr()));
    let passed = here.life.wait(session, cell, id)?;
    // The runner is over, so there is an end to what it shows.
    _ = output.join();
    _ = errors.join();
    if let Some(end) = &passed.end {
        (session.tell)(&format!("{id} has ended: {end}"));
    }
    Ok(passed.code)
}

/// Passes on what an agent says, a part of a line too, until it says no more or nobody looks. Then it is in the log only.
fn relay(mut from: impl Read, mut to: impl Write) {
    let mut bytes = vec![0; CHUNK];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return,
            Ok(read) => {
                let said = bytes.get(..read).unwrap_or_default();
                if to.write_all(said).and_then(|()| to.flush()).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
