//! The rules in words: `mcell explain MC001`, and docs/rules.md, both from the one table.

use super::{Check, Rule, all};
use crate::base::finding::Severity;

/// How wide prose is set.
const WIDTH: usize = 80;

/// One rule in plain text.
pub fn explain(rule: &Rule) -> String {
    let mut page = format!("{} {} ({})\n", rule.code, rule.name, weight(rule));
    for paragraph in [rule.summary, rule.why] {
        page.push('\n');
        wrap(&mut page, paragraph);
    }
    page.push_str("\nFor instance:\n\n");
    for line in rule.example.lines() {
        page.push_str(&format!("    {line}\n"));
    }
    page.push_str("\nThe way out: ");
    let lead = "The way out: ".len();
    wrap_after(&mut page, rule.mend, lead);
    page
}

/// The whole of docs/rules.md.
pub fn markdown() -> String {
    let mut rules: Vec<&Rule> = all().collect();
    rules.sort_by_key(|rule| rule.code);
    let mut page = String::from(
        "# The rules of validate\n\n\
         <!-- Made from the table in src/mission/rules: change it there, then run\n     \
         `MCELL_BLESS=1 cargo test --lib docs_rules`. -->\n\n",
    );
    wrap(&mut page, INTRODUCTION);
    page.push_str("\n| code | name | weight | asks |\n|---|---|---|---|\n");
    for rule in &rules {
        let (code, name) = (rule.code, rule.name);
        let anchor = format!("{}-{name}", code.to_lowercase());
        let (weight, summary) = (weight(rule), rule.summary.replace('|', r"\|"));
        page.push_str(&format!(
            "| [{code}](#{anchor}) | {name} | {weight} | {summary} |\n"
        ));
    }
    for rule in rules {
        page.push_str(&format!("\n## {} {}\n\n", rule.code, rule.name));
        wrap(&mut page, &format!("{} *({})*", rule.summary, weight(rule)));
        page.push('\n');
        wrap(&mut page, rule.why);
        page.push_str(&format!("\n```text\n{}\n```\n\n", rule.example));
        wrap(&mut page, rule.mend);
    }
    page
}

const INTRODUCTION: &str = "`mcell validate` holds a cell against these rules and prints everything it finds at once. An \
    *error* breaks the specification or keeps the cell from working, and makes validate exit 1; a *warning* is probably \
    not what was meant; a *note* is worth knowing. `mcell explain MC001` prints one rule. Codes never change their \
    meaning and are never used again.";

/// How much a finding of a rule weighs, and when it is looked for.
fn weight(rule: &Rule) -> &'static str {
    match (rule.check, rule.severity) {
        (Check::Always(_), severity) => severity.word(),
        (Check::Resilience(_), Severity::Error) => "error, under --resilience",
        (Check::Resilience(_), Severity::Warning) => "warning, under --resilience",
        (Check::Resilience(_), Severity::Note) => "note, under --resilience",
    }
}

fn wrap(page: &mut String, text: &str) {
    wrap_after(page, text, 0);
}

/// Sets a paragraph, whose first line has so many characters already, without breaking what is between backquotes.
fn wrap_after(page: &mut String, text: &str, already: usize) {
    let mut column = already;
    let mut is_first = true;
    for word in unbroken(text) {
        let length = word.chars().count();
        if is_first {
            is_first = false;
        } else if column + 1 + length > WIDTH {
            page.push('\n');
            column = 0;
        } else {
            page.push(' ');
            column += 1;
        }
        page.push_str(&word);
        column += length;
    }
    page.push('\n');
}

/// The words of a text; what is between backquotes is one word, since a command must not be broken.
fn unbroken(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if is_open => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        is_open ^= word.matches('`').count() % 2 == 1;
    }
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::super::find;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn docs_rules_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md");
        if std::env::var_os("MCELL_BLESS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            there == markdown(),
            "docs/rules.md is not what the table says: run `MCELL_BLESS=1 cargo test --lib docs_rules`"
        );
    }

    #[test]
    fn a_rule_explains_itself_on_one_screen() {
        let page = explain(find("mc004").unwrap());
        assert!(
            page.starts_with(
                "MC004 duplicate-key (error)\n\nNo key stands twice in one object.\n\n"
            )
        );
        assert!(page.contains("\n    { \"status\": \"pending\", \"status\": \"completed\" }\n"));
        for rule in all() {
            let page = explain(rule);
            assert!(page.lines().count() <= 24, "{page}");
            let widest = page.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(100), "{page}");
        }
    }

    #[test]
    fn commands_are_not_broken_over_lines() {
        let mut page = String::new();
        wrap_after(&mut page, "a `b c`, d", WIDTH - 5);
        assert_eq!(page, "a\n`b c`, d\n");
    }

    #[test]
    fn codes_and_names_are_unique_and_well_formed() {
        let (mut codes, mut names) = (BTreeSet::new(), BTreeSet::new());
        for rule in all() {
            let digits = rule.code.strip_prefix("MC").unwrap();
            assert!(
                digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()),
                "{}",
                rule.code
            );
            assert!(codes.insert(rule.code), "{} stands twice", rule.code);
            assert!(names.insert(rule.name), "{} stands twice", rule.name);
            let is_part = |part: &str| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            assert!(rule.name.split('-').all(is_part), "{}", rule.name);
            for typed in [rule.code, rule.name, digits, &rule.code.to_lowercase()] {
                assert_eq!(
                    find(typed).map(|found| found.code),
                    Some(rule.code),
                    "{typed}"
                );
            }
        }
    }

    #[test]
    fn every_rule_says_what_it_asks_why_and_the_way_out() {
        for rule in all() {
            for text in [rule.summary, rule.why, rule.mend] {
                assert!(
                    text.ends_with(['.', '?'])
                        && (text.starts_with(|c: char| !c.is_lowercase())
                            || text.starts_with("mcell")),
                    "{}: {text}",
                    rule.code
                );
                assert!(!text.contains("  "), "{}: {text}", rule.code);
            }
            let sentences = rule.why.matches(". ").count() + 1;
            assert!(
                (1..=6).contains(&sentences) && !rule.example.is_empty(),
                "{}",
                rule.code
            );
            assert!(
                !rule.summary.contains('\n') && rule.summary.len() <= 100,
                "{}: {}",
                rule.code,
                rule.summary
            );
        }
    }
}
