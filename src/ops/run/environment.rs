//! The environment of an agent: a short list of what passes, what its file says, and what mcell tells it.

use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use std::collections::BTreeMap;

/// What passes from whoever starts an agent. Everything else stays behind: keys of other services, a proxy, a terminal.
const PASSING: [&str; 5] = ["PATH", "HOME", "LANG", "TERM", "TZ"];
/// How the names of what mcell tells begin: nobody else sets these.
const OWN: &str = "MCELL_";

/// Variables, by name.
pub(super) type Variables = BTreeMap<String, String>;

/// What passes.
pub(super) fn passing(env: &Env) -> Variables {
    let here = |name: &&str| Some(((*name).to_owned(), env.word(name)?.to_owned()));
    PASSING.iter().filter_map(here).collect()
}

/// Adds what an agent's file says; what begins with `MCELL_` is refused (exit 5).
pub(super) fn add(variables: &mut Variables, name: &str, value: String) -> Result<()> {
    if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
        return Err(Error::refused(format!("{} is no variable", shown(name))));
    }
    if name.starts_with(OWN) {
        return Err(
            Error::refused(format!("{} is for mcell to set", shown(name)))
                .hint("leave it out of run.env and of its env_file"),
        );
    }
    variables.insert(name.to_owned(), value);
    Ok(())
}

/// Reads the text of an env_file: lines `KEY=VALUE`, as they stand; quotes around a value are taken off; empty lines and
/// lines that begin with `#` are passed over (exit 4 for any other). The error names the line, never what is in it.
pub(super) fn of_file(text: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let pair = line
            .split_once('=')
            .map(|(name, value)| (name.trim_end(), value.trim()));
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let Some((name, value)) = pair.filter(|(name, _)| is_name(name)) else {
            return Err(Error::malformed(format!(
                "line {} is not KEY=VALUE",
                number + 1
            )));
        };
        let bare = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        found.push((name.to_owned(), bare.unwrap_or(value).to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_file_is_read_as_it_stands() {
        let text = "# keys\n\nA=1\nexport B = two words \nC='a \"b\"'\nD=\nE=x=y#z\n";
        let read = of_file(text).unwrap();
        let pairs: Vec<_> = read
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(
            pairs,
            [
                ("A", "1"),
                ("B", "two words"),
                ("C", "a \"b\""),
                ("D", ""),
                ("E", "x=y#z")
            ]
        );
        for wrong in ["secret", "=secret", "1A=secret", "A B=secret"] {
            let error = of_file(wrong).unwrap_err();
            assert_eq!(error.message(), "line 1 is not KEY=VALUE");
        }
    }

    #[test]
    fn nobody_else_says_who_an_agent_is() {
        let mut variables = Variables::new();
        assert!(add(&mut variables, "MCELL_TOKEN", String::from("x")).is_err());
        assert!(add(&mut variables, "A=B", String::new()).is_err());
        add(&mut variables, "A", String::from("x")).unwrap();
        assert_eq!(variables.len(), 1);
    }
}
