//! Findings as workflow commands of GitHub and Gitea actions.

use crate::base::finding::Severity;
use crate::base::text::shown;
use crate::ops::validate::Verdict;
use std::fmt::Write;

/// One command a finding.
pub(super) fn commands(verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    for verdict in verdicts {
        for placed in &verdict.findings {
            let (finding, excerpt) = (&placed.finding, &placed.excerpt);
            let level = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let file = property(format!("{}/{}", verdict.cell, finding.file).trim_end_matches('/'));
            let place = if excerpt.line > 0 {
                format!(",line={},col={}", excerpt.line, excerpt.column)
            } else {
                String::new()
            };
            let sentences = std::iter::once(&finding.message).chain(&finding.hints);
            let sentences: Vec<String> = sentences.map(|text| data(&shown(text))).collect();
            let message = sentences.join("%0A");
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "::{level} file={file}{place},title={}::{message}",
                finding.code
            );
        }
    }
    text
}

/// Line ends need no escape of their own: like all that could speak to the terminal, they are visible already.
fn data(text: &str) -> String {
    text.replace('%', "%25")
}

fn property(text: &str) -> String {
    data(&shown(text)).replace(':', "%3A").replace(',', "%2C")
}
