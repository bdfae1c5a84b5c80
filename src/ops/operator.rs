//! The operator's token of a root: whoever can read the file is an operator. Its rights decide, not a list of names.

use crate::base::error::{Error, Result};
use crate::base::ids;
use crate::store::folder::Rights;
use crate::store::layout;
use crate::store::root::Root;

/// The mode of the file: its owner, and the group of the root.
const MODE: u32 = 0o640;

/// The operator's token; none if no daemon ever ran here. Exit 7 for who may not read it.
pub fn token(root: &Root) -> Result<Option<String>> {
    let Some(text) = root.folder().read(layout::OPERATOR_TOKEN)? else {
        return Ok(None);
    };
    let token = String::from_utf8(text)
        .unwrap_or_default()
        .trim()
        .to_owned();
    if !ids::is_secret(&token) {
        let path = root.folder().path_of(layout::OPERATOR_TOKEN);
        return Err(
            Error::malformed(format!("{} holds no token", path.display()))
                .hint("`mcell daemon restart` makes a new one"),
        );
    }
    Ok(Some(token))
}

/// The same; made if there is none that can be used, or if others could read it. The daemon does so when it starts: a
/// token that stays is one that a collector of metrics may be given.
pub fn make_token(root: &Root) -> Result<String> {
    let is_secret = root
        .folder()
        .rights(layout::OPERATOR_TOKEN)?
        .is_some_and(|rights| rights.mode & 0o007 == 0);
    if is_secret && let Ok(Some(token)) = token(root) {
        return Ok(token);
    }
    let token = ids::secret()?;
    let rights = root
        .folder()
        .rights("")?
        .ok_or_else(|| Error::bug("an open folder has no rights"))?;
    let rights = Rights {
        mode: MODE,
        ..rights
    };
    root.write_own_with(
        layout::OPERATOR_TOKEN,
        format!("{token}\n").as_bytes(),
        rights,
    )?;
    Ok(token)
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests lay hands on files as other tools do"
)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn root() -> (tempfile::TempDir, Root) {
        let place = tempfile::tempdir().unwrap();
        let root = Root::open(place.path()).unwrap();
        root.make_runtime().unwrap();
        (place, root)
    }

    #[test]
    fn a_token_is_made_once_and_only_the_group_may_read_it() {
        let (place, root) = root();
        assert_eq!(token(&root).unwrap(), None);
        let made = make_token(&root).unwrap();
        assert_eq!(make_token(&root).unwrap(), made);
        assert_eq!(token(&root).unwrap().as_deref(), Some(&*made));
        let file = place.path().join(layout::OPERATOR_TOKEN);
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
    }

    #[test]
    fn a_token_that_others_could_read_is_one_no_more() {
        let (place, root) = root();
        let made = make_token(&root).unwrap();
        let file = place.path().join(layout::OPERATOR_TOKEN);
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        assert_ne!(make_token(&root).unwrap(), made);
        std::fs::write(&file, "x").unwrap();
        assert!(token(&root).is_err());
        assert!(ids::is_secret(&make_token(&root).unwrap()));
    }
}
