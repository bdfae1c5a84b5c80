//! Holds what came out of a backup against what the backup says of itself.

use super::{Contents, LABEL};
use crate::base::error::{Error, Result};
use crate::base::text::shown;
use std::collections::HashMap;

/// A file that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) times: u32,
}

/// Refuses what is missing, what is not as it should be, and what nobody listed (exit 4).
pub(super) fn verify(contents: &Contents, mut came: HashMap<String, Came>) -> Result<()> {
    for listed in &contents.files {
        let path = shown(&listed.path);
        let Some(file) = came.remove(&listed.path) else {
            return Err(broken(format!("{path} is missing, or listed twice")));
        };
        if file.times > listed.times {
            return Err(broken(format!("{path} is in it {} times", file.times)));
        }
        if file.bytes != listed.bytes || file.sha256 != listed.sha256 {
            return Err(broken(format!(
                "{path} is not what was backed up: its SHA-256 is {}, not {}",
                file.sha256,
                shown(&listed.sha256)
            )));
        }
    }
    if contents.files.first().map(|first| first.path.as_str()) != Some(LABEL) {
        return Err(broken(format!("its list does not begin with {LABEL}")));
    }
    match came.into_keys().min() {
        Some(path) => Err(broken(format!("{} is in no list of it", shown(&path)))),
        None => Ok(()),
    }
}

/// A backup that is not as it was written.
pub(super) fn broken(why: impl std::fmt::Display) -> Error {
    Error::malformed(format!("the backup is broken: {why}"))
        .hint("nothing was restored; take another copy of it, or an older backup")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::archive::Listed;

    fn listed(path: &str) -> Listed {
        Listed {
            path: path.into(),
            bytes: 1,
            sha256: "a".into(),
            times: 1,
            changed: false,
        }
    }

    fn came(paths: &[&str]) -> HashMap<String, Came> {
        let one = Came {
            bytes: 1,
            sha256: "a".into(),
            times: 1,
        };
        paths
            .iter()
            .map(|path| ((*path).into(), one.clone()))
            .collect()
    }

    fn says(contents: &[Listed], came: HashMap<String, Came>) -> String {
        let contents = Contents {
            files: contents.to_vec(),
            journal_head: String::new(),
        };
        match verify(&contents, came) {
            Ok(()) => String::from("sound"),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn missing_other_and_unlisted_files_are_named() {
        let both = [listed(LABEL), listed("cell.json")];
        assert_eq!(says(&both, came(&[LABEL, "cell.json"])), "sound");
        assert!(says(&both, came(&[LABEL])).contains("cell.json is missing"));
        assert!(says(&both, came(&[LABEL, "cell.json", "x"])).contains("x is in no list"));
        let mut other = came(&[LABEL, "cell.json"]);
        other.get_mut("cell.json").unwrap().sha256 = "b".into();
        assert!(says(&both, other).contains("cell.json is not what was backed up"));
        let mut twice = came(&[LABEL, "cell.json"]);
        twice.get_mut("cell.json").unwrap().times = 2;
        assert!(says(&both, twice).contains("cell.json is in it 2 times"));
        assert!(says(&both[1..], came(&["cell.json"])).contains("does not begin"));
    }
}
