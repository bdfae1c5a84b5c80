//! Which file is the config, and its text.

use crate::base::document::Document;
use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::store::read::excerpt;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The config of the whole machine.
const OF_MACHINE: &str = "/etc/lazarus/config.json";
/// The most bytes that a config may have: 1 MiB.
const LARGEST: u64 = 1 << 20;

/// The config that `mcell` keeps for one user.
pub fn own_file(env: &Env) -> Option<PathBuf> {
    env.home().map(|home| home.join(".lazarus/config.json"))
}

/// Where a config is looked for, in this order, if none is named.
pub fn searched(env: &Env) -> Vec<PathBuf> {
    own_file(env)
        .into_iter()
        .chain([PathBuf::from(OF_MACHINE)])
        .collect()
}

/// The environment variable that names the config.
pub const VARIABLE: &str = "MCELL_CONFIG";

/// The file that is named, by `--config` or by `MCELL_CONFIG`, and by which of them.
pub(super) fn named(env: &Env, option: Option<&Path>) -> Option<(PathBuf, &'static str)> {
    let by_option = option.map(|path| (env.resolve(path), "--config"));
    by_option.or_else(|| {
        let path = env.path(VARIABLE)?;
        Some((env.resolve(&path), VARIABLE))
    })
}

/// The text of a config.
pub(super) struct Text {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    /// Who may read and write it.
    pub(super) mode: u32,
}

impl Text {
    /// The config that counts; none if none is named and none is where it is looked for.
    pub(super) fn find(env: &Env, option: Option<&Path>) -> Result<Option<Self>> {
        if let Some((path, by)) = named(env, option) {
            let there = Text::read(&path)?;
            return there.map(Some).ok_or_else(|| {
                let shown = path.display();
                Error::not_found(format!("{by} names {shown}, which is not there")).hint(format!(
                    "`mcell daemon config --create --config {shown}` makes one with the defaults"
                ))
            });
        }
        for path in searched(env) {
            if let Some(text) = Text::read(&path)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Reads a file; none if it is not there.
    #[allow(
        clippy::disallowed_methods,
        reason = "the operator's own file, not a mission's"
    )]
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        let failed =
            |error: std::io::Error| Error::storage(format_args!("read {}", path.display()), error);
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        let mut bytes = Vec::new();
        file.take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > LARGEST {
            return Err(Error::malformed(format!(
                "{} is no config: it has more than {LARGEST} bytes",
                path.display()
            )));
        }
        Ok(Some(Text {
            path: path.to_path_buf(),
            bytes,
            mode,
        }))
    }

    /// The name of the file, for people.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Reads it as an object, which it must be (exit 4).
    pub(super) fn document(&self) -> Result<Document<'_>> {
        let document = Document::parse(&self.bytes).map_err(|fault| {
            let at = fault.offset..fault.offset + 1;
            self.wrong(format!("the config is not JSON: {fault}"), at)
        })?;
        let root = document.root();
        if root.kind() != crate::base::document::Kind::Object {
            let what = root.kind().words();
            return Err(self.wrong(
                format!("the config must be an object, not {what}"),
                root.range(),
            ));
        }
        Ok(document)
    }

    /// An error at a place in it (exit 4).
    pub(super) fn wrong(&self, message: String, at: std::ops::Range<usize>) -> Error {
        Error::malformed(message).at(excerpt(&self.name(), &self.bytes, at))
    }
}
