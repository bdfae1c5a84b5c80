//! `mcell health --watch`: the table again and again. At a terminal it is drawn over itself; else it is printed when
//! something changed.

use super::table::Shown;
use super::{Question, source_in_words};
use crate::base::error::Kind;
use crate::base::exit;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::ops::health::Source;
use crate::ui::page::{Page, Tone};
use crate::ui::printer::{Form, Report};
use crate::ui::screen::{Screen, Woken, wait_for_reader};
use std::time::{Duration, Instant};

/// How often the daemon is asked, or its record read.
const OFTEN: Duration = Duration::from_secs(2);
/// How often gateways are asked, where whoever watches does that itself.
const SELDOM: Duration = Duration::from_secs(10);

pub(super) fn run(context: &Context, question: &Question) -> Outcome {
    if context.printer.form() == Form::Words && context.printer.has_terminal() {
        return draw(context, question);
    }
    print(context, question)
}

/// When the next look is due, after one of this source.
fn pause(source: Source) -> Duration {
    match source {
        Source::Look(_) => SELDOM,
        Source::Daemon | Source::Recorded(_) => OFTEN,
    }
}

/// Prints a table when something changed, until nobody reads any more.
fn print(context: &Context, question: &Question) -> Outcome {
    let mut last = None;
    loop {
        let shown = question.ask(context)?;
        let essence = shown.essence();
        if last.as_ref() != Some(&essence) {
            context.printer.show(&shown)?;
            last = Some(essence);
        }
        if !wait_for_reader(pause(shown.source))? {
            return Ok(exit::DONE);
        }
    }
}

/// Draws the table over itself until a signal ends it.
fn draw(context: &Context, question: &Question) -> Outcome {
    let mut screen = Screen::open()?;
    let mut last: Option<Shown> = None;
    loop {
        let asked = question.ask(context);
        let began = Instant::now();
        let trouble = match asked {
            Ok(shown) => {
                last = Some(shown);
                None
            }
            // A daemon that is restarted is back in a moment.
            Err(error) if error.kind() == Kind::CouldNotTell && last.is_some() => {
                Some(error.to_string())
            }
            Err(error) => return Err(error),
        };
        let pause = last.as_ref().map_or(OFTEN, |shown| pause(shown.source));
        loop {
            let page = page(context, last.as_mut(), trouble.as_deref());
            screen.draw(&page)?;
            match screen.wait(pause.saturating_sub(began.elapsed()))? {
                Woken::InTime => break,
                Woken::Resized => {}
                Woken::Ended(signal) => return Ok(exit::SIGNAL.saturating_add(signal)),
            }
        }
    }
}

fn page(context: &Context, shown: Option<&mut Shown>, trouble: Option<&str>) -> String {
    let mut page: Page = context.printer.fresh_page();
    if let Some(shown) = shown {
        shown.now = context.session.env.clock.now();
        shown.words(&mut page);
        if let Some(words) = source_in_words(shown.source, shown.now) {
            let words = page.tone(Tone::Dim, words);
            page.line(words);
        }
    }
    if let Some(trouble) = trouble {
        let trouble = page.tone(Tone::Bad, crate::base::text::shown(trouble));
        page.line(trouble);
    }
    page.into_text()
}
