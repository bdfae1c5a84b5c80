//! `mcell man`: the manual pages, made of the same table as `--help`.

use crate::base::error::{Error, Result};
use crate::base::text::nearest;
use crate::base::{exit, variables};
use crate::cli::context::Context;
use crate::cli::{Outcome, command};
use crate::ops::export;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use clap::Args;
use clap_mangen::Man as Maker;
use clap_mangen::roff::{Roff, bold, italic, roman};
use serde::Serialize;
use std::path::PathBuf;

/// Print a manual page
///
/// Without a command, the page of mcell itself, which has the exit codes and the variables of the environment.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcell man | man -l -
  mcell man task graph | man -l -
  mcell man --all ~/.local/share/man/man1")]
pub struct Man {
    /// The command: `add-task`, `task graph`
    #[arg(value_name = "COMMAND")]
    words: Vec<String>,
    /// Write every page into this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with = "words")]
    all: Option<PathBuf>,
}

/// The pages that were written.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Written {
    /// The folder.
    pub folder: String,
    /// The files in it.
    pub files: Vec<String>,
}

impl Report for Written {
    fn words(&self, page: &mut Page) {
        let number = crate::base::text::count(self.files.len(), "file");
        page.line(format_args!("Wrote {number} to {}", self.folder));
    }

    fn datum(&self) -> Option<String> {
        Some(self.folder.clone())
    }
}

impl Written {
    /// Writes pages into a folder as typed, and says so.
    pub fn write(context: &Context, folder: &std::path::Path, pages: &[export::Page]) -> Outcome {
        let folder = context.session.env.resolve(folder);
        export::write_all(&folder, pages)?;
        context.printer.show(&Written {
            folder: folder.display().to_string(),
            files: pages.iter().map(|(name, _)| name.clone()).collect(),
        })?;
        Ok(exit::DONE)
    }
}

impl Man {
    /// Prints one page, or writes all.
    pub fn run(self, context: &Context) -> Outcome {
        if let Some(folder) = &self.all {
            return Written::write(context, folder, &pages()?);
        }
        let mut whole = whole();
        let mut at = &mut whole;
        for word in &self.words {
            let known: Vec<String> = shown(at).map(|sub| sub.get_name().to_owned()).collect();
            let name = at.get_name().to_owned();
            at = match at.find_subcommand_mut(word) {
                Some(sub) => sub,
                None => {
                    let error = Error::not_found(format!("`{name}` has no command `{word}`"));
                    return Err(match nearest(word, known.iter().map(String::as_str)) {
                        Some(meant) => error.hint(format!("is `{meant}` meant?")),
                        None => error.hint("`mcell --help` shows them"),
                    });
                }
            };
        }
        let page = render(at, self.words.is_empty())?;
        context.printer.text(&page)?;
        Ok(exit::DONE)
    }
}

/// Every page, by the name of its file.
pub fn pages() -> Result<Vec<export::Page>> {
    let whole = whole();
    let mut pages = vec![(String::from("mcell.1"), render(&whole, true)?)];
    add_below(&whole, &mut pages)?;
    Ok(pages)
}

fn add_below(above: &clap::Command, pages: &mut Vec<export::Page>) -> Result<()> {
    for sub in shown(above) {
        let name = sub.get_display_name().unwrap_or(sub.get_name());
        pages.push((format!("{name}.1"), render(sub, false)?));
        add_below(sub, pages)?;
    }
    Ok(())
}

fn whole() -> clap::Command {
    let mut whole = command().disable_help_subcommand(true);
    whole.build();
    whole
}

fn shown(above: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    above.get_subcommands().filter(|sub| !sub.is_hide_set())
}

/// One page. The options of every command stand on the top page only.
fn render(of: &clap::Command, is_top: bool) -> Result<String> {
    let globals: Vec<String> = of
        .get_arguments()
        .filter(|argument| argument.is_global_set() || argument.get_id() == "help")
        .map(|argument| argument.get_id().to_string())
        .collect();
    let hides = |argument: &clap::Arg| {
        !is_top
            && globals
                .iter()
                .any(|global| argument.get_id() == global.as_str())
    };
    let command = of.clone().mut_args(|argument| {
        let hide = argument.is_hide_set() || hides(&argument);
        argument.hide(hide)
    });
    let has_options = command
        .get_arguments()
        .any(|argument| !argument.is_hide_set());
    let has_commands = shown(&command).next().is_some();
    let maker = Maker::new(command.clone())
        // The same page for the same version, whenever it is made; roff needs something there.
        .date(" ")
        .source(format!("mcell {}", env!("CARGO_PKG_VERSION")))
        .manual("Mission cells");
    let mut page = Vec::new();
    let mut write = || -> std::io::Result<()> {
        maker.render_title(&mut page)?;
        maker.render_name_section(&mut page)?;
        maker.render_synopsis_section(&mut page)?;
        maker.render_description_section(&mut page)?;
        if has_options {
            maker.render_options_section(&mut page)?;
        }
        if has_commands {
            maker.render_subcommands_section(&mut page)?;
        }
        rest(&command, is_top).to_writer(&mut page)
    };
    write().map_err(|error| Error::storage("write a manual page", error))?;
    let page = String::from_utf8(page).map_err(|_| Error::bug("a manual page is not UTF-8"))?;
    // Each section brings the same two lines for roff; once is enough.
    let (preamble, below) = page.split_at(page.find(".TH").unwrap_or(0));
    let below = below.replace(preamble, "");
    Ok(preamble
        .lines()
        .chain(below.lines())
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect())
}

/// What clap does not know: examples as they are typed, and on the top page codes, variables and files.
fn rest(command: &clap::Command, is_top: bool) -> Roff {
    let mut page = Roff::new();
    if is_top {
        page.control("SH", ["EXIT STATUS"]);
        for (code, about) in exit::ALL {
            item(&mut page, code, about);
        }
        page.control("SH", ["ENVIRONMENT"]);
        for variable in variables::ALL {
            item(&mut page, variable.name, variable.about);
        }
        page.control("SH", ["FILES"]);
        item(
            &mut page,
            "/var/missions",
            "The root, where nobody says otherwise",
        );
        item(
            &mut page,
            "~/.lazarus/config.json, /etc/lazarus/config.json",
            "The config: missions_path is the root, templates a folder of templates",
        );
    }
    let help = command.get_after_long_help().or(command.get_after_help());
    let help = help.map(ToString::to_string);
    let examples = help.as_deref().or(is_top.then_some(crate::cli::HELP));
    let examples = examples.and_then(|text| text.split_once("Examples").map(|(_, rest)| rest));
    if let Some(examples) = examples {
        page.control("SH", ["EXAMPLES"]);
        page.control("nf", []);
        for line in examples.trim_start_matches(':').lines() {
            if !line.trim().is_empty() {
                page.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
            }
        }
        page.control("fi", []);
    }
    page.control("SH", ["SEE ALSO"]);
    if is_top {
        page.text([roman(
            "`mcell COMMAND --help` and `mcell man COMMAND` say more of each command.",
        )]);
    } else {
        page.text([
            bold("mcell"),
            roman("(1) has the options of every command, the exit codes and the variables."),
        ]);
    }
    page
}

fn item(page: &mut Roff, name: &str, about: &str) {
    page.control("TP", []);
    page.text([italic(name)]);
    page.text([roman(about)]);
}
