//! Programs that the daemon starts.

use super::Taker;
use crate::base::document::Node;
use std::path::Path;

impl Taker<'_> {
    /// Program and arguments, as a list, or as a text that no shell would read in another way.
    pub(super) fn command(&mut self, node: Node<'_, '_>) -> Option<Vec<String>> {
        const WHAT: &str = "a program with its arguments, as a text or a list of texts";
        let mut words = match node.as_str() {
            Some(line) => {
                if let Some(sign) = line
                    .chars()
                    .find(|sign| "|&;<>()$`\\\"'*?[#{}!\n".contains(*sign))
                {
                    let message = format!(
                        "{} has `{}`, which only a shell understands, and there is none",
                        self.name,
                        sign.escape_default()
                    );
                    let hint = "write a list: each word is handed on as it stands";
                    self.wrong(node.range(), message).hint = Some(hint.to_owned());
                    return None;
                }
                line.split_whitespace().map(str::to_owned).collect()
            }
            None => self.list(node, WHAT, |taker, item| match item.as_str() {
                Some(word) if !word.contains('\0') => Some(word.into_owned()),
                _ => {
                    taker.must(item, "a text in quotes");
                    None
                }
            })?,
        };
        match words.first_mut() {
            Some(program) if !program.trim().is_empty() => {
                // A name alone is looked for in PATH when it is started.
                if program.contains('/') {
                    *program = self.env.resolve(Path::new(program)).display().to_string();
                }
                Some(words)
            }
            _ => {
                self.must(node, WHAT).hint = Some(String::from("null is no command"));
                None
            }
        }
    }
}
