//! Errors and findings in words: what stands in the way, where with the source line and a caret, and the way out.

use crate::base::error::{Error, Excerpt};
use crate::base::text::shown;
use crate::ui::page::{Page, Tone};

/// An error in words.
pub fn words(error: &Error, page: &mut Page) {
    let mark = page.tone(Tone::Bad, "error:");
    page.line(format_args!("{mark} {}", shown(error.message())));
    if let Some(place) = error.place() {
        excerpt(place, Tone::Bad, page);
    }
    hints(error.hints(), page);
}

/// An error as JSON, in one line: `{"error": {"code", "message", "hints", "place"}}`.
pub fn json(error: &Error) -> String {
    let place = error.place().map(|place| {
        serde_json::json!({ "file": place.file, "line": place.line, "column": place.column })
    });
    let error = serde_json::json!({
        "code": error.kind().code(),
        "message": error.message(),
        "hints": error.hints(),
        "place": place,
    });
    serde_json::json!({ "error": error }).to_string()
}

/// A place in a file with its source line and a caret.
pub fn excerpt(place: &Excerpt, tone: Tone, page: &mut Page) {
    if place.line == 0 {
        page.line(format_args!("  --> {}", shown(&place.file)));
        return;
    }
    page.line(format_args!(
        "  --> {}:{}:{}",
        shown(&place.file),
        place.line,
        place.column
    ));
    let number = place.line.to_string();
    let margin = " ".repeat(number.len().max(3));
    let (source, before, width) = window(place);
    let caret = page.tone(tone, "^".repeat(width));
    page.line(format_args!("{margin} |"));
    page.line(format_args!("{number:>3} | {source}"));
    page.line(format_args!("{margin} | {}{caret}", " ".repeat(before)));
}

/// Hints, one line each.
pub fn hints(hints: &[String], page: &mut Page) {
    for hint in hints {
        let mark = page.tone(Tone::Good, "hint:");
        page.line(format_args!("  {mark} {}", shown(hint)));
    }
}

/// How much of a source line is shown around the caret.
const WINDOW: usize = 100;

/// The part of the source line that is shown, how many columns the caret stands in, and how many it has. Each character
/// takes as many columns as its visible form has.
fn window(place: &Excerpt) -> (String, usize, usize) {
    let column = place.column.saturating_sub(place.skipped).max(1);
    let from = (column - 1).saturating_sub(WINDOW / 2);
    let mut source = String::new();
    let (mut before, mut width) = (0, 0);
    if from + place.skipped > 0 {
        source.push('…');
        before = 1;
    }
    for (at, letter) in place.source.chars().enumerate().skip(from).take(WINDOW) {
        let visible = if letter == '\t' {
            String::from(" ")
        } else {
            shown(&letter.to_string()).into_owned()
        };
        let columns = visible.chars().count();
        if at + 1 < column {
            before += columns;
        } else if at + 1 < column + place.width {
            width += columns;
        }
        source.push_str(&visible);
    }
    (source.trim_end().to_owned(), before, width.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_and_the_way_out() {
        let place = Excerpt {
            file: String::from("tasks/task_001.json"),
            line: 5,
            column: 18,
            source: String::from("  \"assigned_to\": \"agent_009\","),
            skipped: 0,
            width: 11,
        };
        let error = Error::malformed("there is no `agent_009`")
            .at(place)
            .hint("add it");
        let mut page = Page::new(false, None);
        words(&error, &mut page);
        let wanted = "error: there is no `agent_009`\n  --> tasks/task_001.json:5:18\n    |\n  5 |   \"assigned_to\": \"agent_009\",\n    |                  ^^^^^^^^^^^\n  hint: add it\n";
        assert_eq!(page.into_text(), wanted);
    }

    #[test]
    fn a_line_of_a_megabyte_is_shown_around_the_caret() {
        let source = "x".repeat(1 << 20);
        let place = Excerpt {
            file: String::from("f"),
            line: 1,
            column: 500_000,
            source,
            skipped: 0,
            width: 7,
        };
        let (shown, before, width) = window(&place);
        assert!(shown.chars().count() <= WINDOW + 1 && width == 7 && before == WINDOW / 2 + 1);
    }
}
