//! Verbs on one thing take several: which are meant, and one report for all.

use crate::base::error::Result;
use crate::base::ids::AgentId;
use crate::cli::Outcome;
use crate::cli::context::Context;
use crate::store::cell::OpenCell;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::rc::Rc;

/// Reports of several things: in JSON one is itself, more are a list under the noun's name.
#[derive(Debug)]
pub struct Several<T> {
    name: &'static str,
    all: Vec<T>,
}

impl<T> Several<T> {
    /// Reports under a name: "cells".
    pub fn new(name: &'static str, all: Vec<T>) -> Self {
        Several { name, all }
    }
}

impl<T: Serialize> Serialize for Several<T> {
    fn serialize<S: Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
        if let [only] = self.all.as_slice() {
            return only.serialize(out);
        }
        let mut map = out.serialize_map(Some(1))?;
        map.serialize_entry(self.name, &self.all)?;
        map.end()
    }
}

impl<T: Report> Report for Several<T> {
    fn words(&self, page: &mut Page) {
        for one in &self.all {
            one.words(page);
        }
    }

    fn datum(&self) -> Option<String> {
        let data: Vec<String> = self.all.iter().filter_map(Report::datum).collect();
        (!data.is_empty()).then(|| data.join("\n"))
    }
}

/// What an error about one of several calls it.
pub trait Named {
    /// Its name.
    fn name(&self) -> String;
}

impl Named for OpenCell {
    fn name(&self) -> String {
        self.id().short().to_owned()
    }
}

impl Named for InCell {
    fn name(&self) -> String {
        self.id.to_string()
    }
}

/// Does one thing to each, in order, and reports. The first that fails ends it, and is named if there are several; what
/// was done before is reported all the same, since it is done.
pub fn each<T: Named, R: Report>(
    context: &Context,
    name: &'static str,
    targets: &[T],
    mut act: impl FnMut(&T) -> Result<R>,
) -> Outcome {
    let mut done = Vec::with_capacity(targets.len());
    let mut failed = None;
    for target in targets {
        match act(target) {
            Ok(report) => done.push(report),
            Err(error) => {
                let name = target.name();
                let is_named = targets.len() == 1 || error.message().contains(&name);
                failed = Some(if is_named { error } else { error.context(name) });
                break;
            }
        }
    }
    if !done.is_empty() {
        context.printer.show(&Several::new(name, done))?;
    }
    failed.map_or(Ok(crate::base::exit::DONE), Err)
}

/// The cells that are named, else the one that is meant.
pub fn cells(context: &Context, named: &[String]) -> Result<Vec<OpenCell>> {
    if named.is_empty() {
        return Ok(vec![context.session.open_cell()?]);
    }
    let mut cells: Vec<OpenCell> = Vec::with_capacity(named.len());
    for name in named {
        let cell = context.session.open_named(name)?;
        if !cells.iter().any(|known| known.path() == cell.path()) {
            cells.push(cell);
        }
    }
    Ok(cells)
}

/// An agent in its cell.
#[derive(Clone, Debug)]
pub struct InCell {
    /// The cell, shared with its neighbours.
    pub cell: Rc<OpenCell>,
    /// The agent.
    pub id: AgentId,
}

/// The agents that `AGENT` and `CELL/AGENT` name, each once. The cell that is meant is asked for once.
pub fn agents(context: &Context, named: &[String]) -> Result<Vec<InCell>> {
    let mut agents: Vec<InCell> = Vec::with_capacity(named.len());
    let mut meant: Option<Rc<OpenCell>> = None;
    for name in named {
        let (cell, id) = match (&meant, name.contains('/')) {
            (Some(cell), false) => (Rc::clone(cell), name.as_str()),
            (None, false) => {
                let cell = Rc::new(context.session.open_cell()?);
                meant = Some(Rc::clone(&cell));
                (cell, name.as_str())
            }
            (_, true) => {
                let (cell, id) = context.session.split(name)?;
                (Rc::new(cell), id)
            }
        };
        let id = AgentId::new(id)?;
        let is_known = |known: &InCell| known.id == id && known.cell.path() == cell.path();
        if !agents.iter().any(is_known) {
            agents.push(InCell { cell, id });
        }
    }
    Ok(agents)
}
