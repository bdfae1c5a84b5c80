//! What is kept of an agent beside its record, `.mcell/agents/<agent>.json`: what is wanted of it, which life of it was
//! begun last, its open request, and what is remembered of its falls. What a newer mcell wrote beside that is kept.

use crate::base::boot::Moment;
use crate::base::error::{Error, Result};
use crate::base::ids::{AgentId, RevivalId};
use crate::mission::drill::Drill;
use crate::mission::run::{AgentState, Wanted};
use crate::revival::Record;
use crate::store::cell::OpenCell;
use crate::store::commit::{Writing, pretty};
use crate::store::layout;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is remembered of an agent's falls, and by which boot's clock.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Falls {
    boot: Option<String>,
    record: Record,
}

/// What is kept of an agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State(Map<String, Value>);

impl State {
    /// As it is on disk, for who changes it (exit 4 if it cannot be read).
    pub(crate) fn read(writing: &Writing<'_>, agent: &AgentId) -> Result<Self> {
        let file = layout::agent_state(agent);
        let Some(text) = writing.text(&file)? else {
            return Ok(State::default());
        };
        serde_json::from_slice(&text).map(State).map_err(|error| {
            let path = writing.cell().folder().path_of(&file);
            Error::malformed(format!("{} cannot be read: {error}", path.display()))
                .hint("move it away: the next start makes it again")
        })
    }

    /// The same for a look without the lock; what cannot be read says nothing here.
    pub(crate) fn seen(cell: &OpenCell, agent: &AgentId) -> Result<Self> {
        let text = cell.folder().read(&layout::agent_state(agent))?;
        let state = text.and_then(|text| serde_json::from_slice(&text).ok());
        Ok(State(state.unwrap_or_default()))
    }

    /// What of it others read.
    pub(crate) fn known(&self) -> AgentState {
        serde_json::from_value(Value::Object(self.0.clone())).unwrap_or_default()
    }

    /// What is wanted of it; nothing is said of one that was never started.
    pub(crate) fn wanted(&self) -> Option<Wanted> {
        self.known().wanted
    }

    /// Whether nobody asks for it again by itself.
    pub(crate) fn is_suppressed(&self) -> bool {
        self.known().is_suppressed
    }

    /// Its open request, if there is one.
    pub(crate) fn revival(&self) -> Option<RevivalId> {
        RevivalId::new(self.known().revival?).ok()
    }

    /// What is remembered of its falls. What an older boot's clock said is over.
    pub(crate) fn record(&self, now: &Moment) -> Record {
        let falls = self.0.get("falls").cloned();
        let falls: Falls = falls
            .and_then(|falls| serde_json::from_value(falls).ok())
            .unwrap_or_default();
        if falls.boot == now.boot {
            return falls.record;
        }
        Record {
            not_before: 0,
            well_since: None,
            asked: Vec::new(),
            ..falls.record
        }
    }

    /// Its drill: the one that goes on, or the last.
    pub(crate) fn drill(&self) -> Option<Drill> {
        self.known().drill
    }

    /// A drill of it began, or ended.
    pub(crate) fn exercise(&mut self, drill: &Drill) -> Result<()> {
        let drill = serde_json::to_value(drill)
            .map_err(|error| Error::bug(format!("a drill cannot be written: {error}")))?;
        self.0.insert(String::from("drill"), drill);
        Ok(())
    }

    /// It is wanted, or not.
    pub(crate) fn want(&mut self, wanted: Wanted) {
        self.0.insert(String::from("wanted"), wanted.word().into());
    }

    /// Another life of it was begun.
    pub(crate) fn begin(&mut self, incarnation: u64) {
        self.0
            .insert(String::from("incarnation"), incarnation.into());
    }

    /// What its present life went on from; none: it began anew.
    pub(super) fn go_on_from(&mut self, checkpoint: Option<u64>) {
        match checkpoint {
            Some(number) => self.0.insert(String::from("checkpoint"), number.into()),
            None => self.0.remove("checkpoint"),
        };
    }

    /// What its present life went on from.
    pub(crate) fn checkpoint(&self) -> Option<u64> {
        self.0.get("checkpoint").and_then(Value::as_u64)
    }

    /// Its open request; none: there is none any more.
    pub(crate) fn ask(&mut self, revival: Option<&str>) {
        match revival {
            Some(id) => self.0.insert(String::from("revival"), id.into()),
            None => self.0.remove("revival"),
        };
    }

    /// A request of it changed: whoever watches the cell sees that by this file, also where nothing else in it does.
    pub(crate) fn count_step(&mut self) {
        let steps = self.0.get("steps").and_then(Value::as_u64).unwrap_or(0);
        self.0
            .insert(String::from("steps"), steps.saturating_add(1).into());
    }

    /// Nobody asks for it again by itself, or somebody may.
    pub(crate) fn suppress(&mut self, is_suppressed: bool) {
        if is_suppressed {
            self.0.insert(String::from("is_suppressed"), true.into());
        } else {
            self.0.remove("is_suppressed");
        }
    }

    /// Remembers its falls.
    pub(crate) fn remember(&mut self, record: Record, now: &Moment) -> Result<()> {
        if record == Record::default() {
            self.0.remove("falls");
            return Ok(());
        }
        let falls = Falls {
            boot: now.boot.clone(),
            record,
        };
        let falls = serde_json::to_value(falls)
            .map_err(|error| Error::bug(format!("falls cannot be written: {error}")))?;
        self.0.insert(String::from("falls"), falls);
        Ok(())
    }

    /// Stages it.
    pub(crate) fn put(&self, writing: &mut Writing<'_>, agent: &AgentId) -> Result<()> {
        let text = pretty(&self.0)?;
        writing
            .put_text(&layout::agent_state(agent), text)
            .map(drop)
    }
}
