//! Reads the whole config, and says everything that is wrong with it.

use super::file::Text;
use super::keys::{self, KEYS, Key, SECTIONS};
use super::take::{Taker, Wrong};
use super::{Config, Places, is_open};
use crate::base::document::{Document, Kind, Node};
use crate::base::env::Env;
use crate::base::error::{Error, Result};
use crate::base::finding::Severity;
use crate::base::text::{nearest, shown};
use std::path::{Path, PathBuf};

/// Something that is wrong with a config, with its place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// An error is not run by; a warning is.
    pub severity: Severity,
    /// What, where, and the way out.
    pub trouble: Error,
}

/// A config that can be run by.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What counts.
    pub config: Config,
    /// The file it was read from; none: the defaults count.
    pub file: Option<PathBuf>,
    /// What is probably not meant.
    pub warnings: Vec<Finding>,
    /// The keys that the file states.
    pub(super) stated: Vec<&'static str>,
}

impl Default for Config {
    /// What counts where no config says otherwise.
    fn default() -> Self {
        let env = Env::default();
        let mut taker = Taker::new(&env);
        let mut config = keys::blank();
        for key in &KEYS {
            // The table's own words; that they are sound is tested.
            if let Ok(document) = Document::parse(key.default.as_bytes()) {
                taker.take(key.name, key.sort, document.root(), &mut config);
            }
        }
        config
    }
}

impl Reading {
    /// What every command needs of it.
    pub fn places(&self) -> Places {
        let is_stated = |key| self.stated.contains(&key);
        let root = &self.config.missions_path;
        Places {
            file: self.file.clone(),
            missions_path: is_stated("missions_path").then(|| root.clone()),
            templates: self.config.templates.clone(),
            host: self.config.host.clone(),
        }
    }
}

/// Reads the config that counts: the one that is named by `--config`, else by `MCELL_CONFIG`, else the first that is there;
/// without any the defaults count. The first error that is found, with its place (exit 4).
pub fn read(env: &Env, option: Option<&Path>) -> Result<Reading> {
    let Some(text) = Text::find(env, option)? else {
        return Ok(Reading {
            config: Config::default(),
            file: None,
            warnings: Vec::new(),
            stated: Vec::new(),
        });
    };
    let document = text.document()?;
    let mut look = Look::at(env, &text);
    look.at_all(&document);
    let (config, stated, findings) = look.done();
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    let errors = findings.iter().filter(|finding| is_error(finding)).count();
    let Some(first) = findings.iter().find(|finding| is_error(finding)) else {
        return Ok(Reading {
            config,
            file: Some(text.path.clone()),
            warnings: findings,
            stated,
        });
    };
    let first = first.trouble.clone();
    Err(match errors {
        1 => first,
        _ => first.hint(format!(
            "it has {errors} errors: `mcell daemon config --check` shows them all"
        )),
    })
}

/// Everything that is wrong with the config that counts, and which file that is; none if there is no file.
pub fn check(env: &Env, option: Option<&Path>) -> Result<Option<(PathBuf, Vec<Finding>)>> {
    let Some(text) = Text::find(env, option)? else {
        return Ok(None);
    };
    let findings = match text.document() {
        Ok(document) => {
            let mut look = Look::at(env, &text);
            look.at_all(&document);
            look.done().2
        }
        Err(trouble) => vec![Finding {
            severity: Severity::Error,
            trouble,
        }],
    };
    Ok(Some((text.path, findings)))
}

/// A look at one config.
struct Look<'t> {
    text: &'t Text,
    taker: Taker<'t>,
    config: Config,
    stated: Vec<&'static str>,
}

impl<'t> Look<'t> {
    fn at(env: &'t Env, text: &'t Text) -> Self {
        Look {
            text,
            taker: Taker::new(env),
            config: Config::default(),
            stated: Vec::new(),
        }
    }

    fn at_all(&mut self, document: &Document<'_>) {
        for twice in document.duplicates() {
            let key = twice.pointer.trim_start_matches('/').replace('/', ".");
            let message = format!(
                "`{}` stands twice, and one of them would not count",
                shown(&key)
            );
            self.say(twice.again, message, Some("take one of them away"));
        }
        let root = document.root();
        for (name, node) in root.entries() {
            if !SECTIONS.contains(&&*name) {
                self.at_member(root, None, &name, node);
            } else if node.kind() == Kind::Object {
                for (inner, value) in node.entries() {
                    self.at_member(node, Some(&name), &inner, value);
                }
            } else {
                let message = format!(
                    "`{name}` must be an object, not {}",
                    super::take::said(node)
                );
                self.say(node.range(), message, None);
            }
        }
        self.at_beats(root);
        self.at_listen(root);
        if self.text.mode & 0o002 != 0 {
            let message =
                "everybody may write the config, and it names programs that the daemon starts";
            let hint = format!("chmod o-w {}", crate::base::text::quoted(&self.text.name()));
            self.say(0..0, message.to_owned(), Some(&hint)).is_warning = true;
        }
    }

    fn say(
        &mut self,
        at: std::ops::Range<usize>,
        message: String,
        hint: Option<&str>,
    ) -> &mut Wrong {
        self.taker.wrongs.push_mut(Wrong {
            at,
            message,
            hint: hint.map(str::to_owned),
            is_warning: false,
        })
    }

    fn at_member(
        &mut self,
        holder: Node<'_, '_>,
        section: Option<&str>,
        name: &str,
        node: Node<'_, '_>,
    ) {
        let is_this = |key: &&Key| key.parts() == (section_of(section), name);
        if let Some(key) = KEYS.iter().find(is_this) {
            // Of a key that stands twice the last counts, as it does for others who read the file.
            let is_last = holder
                .get(name)
                .is_none_or(|last| last.range() == node.range());
            if is_last {
                self.stated.push(key.name);
                self.taker.take(key.name, key.sort, node, &mut self.config);
            }
            return;
        }
        let whole = match section {
            Some(section) => format!("{section}.{name}"),
            None => name.to_owned(),
        };
        let message = format!("`{}` means nothing to mcell", shown(&whole));
        let hint = hint_for(section, name);
        let at = node.key_range().unwrap_or_default();
        self.say(at, message, hint.as_deref()).is_warning = true;
    }

    /// An agent that is dead before its next beat is due would be brought back for ever.
    fn at_beats(&mut self, root: Node<'_, '_>) {
        let silence = self.config.silence();
        let interval = self.config.health.interval;
        if silence >= interval {
            return;
        }
        let health = root.get("health");
        let inner = |key| health.and_then(|health| health.get(key));
        let culprit = inner("timeout")
            .or(root.get("timeout"))
            .or(inner("interval"));
        let message = format!(
            "agents would be dead after {silence} s of silence, before a beat is due after {interval} s"
        );
        let at = culprit.map_or(0..0, Node::range);
        self.say(
            at,
            message,
            Some("make the timeout several times `health.interval`"),
        );
    }

    fn at_listen(&mut self, root: Node<'_, '_>) {
        if is_open(&self.config.listen) && self.config.read_token_file.is_none() {
            let at = root.get("listen").map_or(0..0, Node::range);
            let message = "others than this machine could read all there, without a token";
            let hint = "name a `read_token_file`, or listen on 127.0.0.1 and come in by `ssh -L`";
            self.say(at, message.to_owned(), Some(hint));
        }
    }

    /// The config, the keys that are stated, and the findings in the order of the text.
    fn done(mut self) -> (Config, Vec<&'static str>, Vec<Finding>) {
        self.taker.wrongs.sort_by_key(|wrong| wrong.at.start);
        let text = self.text;
        let findings = self.taker.wrongs.into_iter().map(|wrong| {
            let trouble = text.wrong(wrong.message, wrong.at);
            Finding {
                severity: match wrong.is_warning {
                    true => Severity::Warning,
                    false => Severity::Error,
                },
                trouble: match wrong.hint {
                    Some(hint) => trouble.hint(hint),
                    None => trouble,
                },
            }
        });
        (self.config, self.stated, findings.collect())
    }
}

fn section_of(name: Option<&str>) -> Option<&'static str> {
    SECTIONS.into_iter().find(|section| Some(*section) == name)
}

/// What is probably meant by a key that means nothing.
fn hint_for(section: Option<&str>, name: &str) -> Option<String> {
    // The name is right, and the place is not.
    let elsewhere = KEYS.iter().find(|key| key.parts().1 == name);
    if let Some(key) = elsewhere {
        return Some(match key.parts().0 {
            Some(section) => format!("it belongs into `{section}`"),
            None => format!("it belongs outside of `{}`", section.unwrap_or_default()),
        });
    }
    let here = KEYS.iter().map(Key::parts);
    let here = here.filter(|(of, _)| *of == section_of(section));
    let sections = SECTIONS.into_iter().filter(|_| section.is_none());
    let names = here.map(|(_, name)| name).chain(sections);
    nearest(name, names).map(|meant| format!("is `{meant}` meant?"))
}
