//! How agents are, as a table.

use super::source_in_words;
use crate::base::clock::Time;
use crate::base::duration::{age, in_words};
use crate::base::text::count;
use crate::cli::context::Context;
use crate::health::roster::{AgentReport, Overview};
use crate::health::state::State;
use crate::ops::health::{Health, Source};
use crate::ops::scan::short;
use crate::ui::page::Page;
use crate::ui::printer::Report;
use crate::ui::table::Table;
use serde::{Serialize, Serializer};

/// How agents are, and when that was asked.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) overview: Overview,
    pub(super) source: Source,
    pub(super) troubles: Vec<String>,
    pub(super) untold: Vec<String>,
    pub(super) now: Time,
}

/// Whether an agent that is so makes the answer a no.
pub(super) fn is_bad(state: State, strict: bool) -> bool {
    match state {
        State::Unhealthy => true,
        State::Degraded | State::Unknown => strict,
        State::Healthy => false,
    }
}

impl Shown {
    /// This with what was asked about another part.
    pub(super) fn and(self, more: Health) -> Self {
        let mut shown = Shown {
            overview: self.overview.and(more.overview),
            ..self
        };
        shown.troubles.extend(more.troubles);
        shown.untold.extend(more.untold);
        shown
    }

    /// Says where it comes from, if not from the daemon itself.
    pub(super) fn say_source(&self, context: &Context) {
        if let Some(words) = source_in_words(self.source, self.now) {
            context.printer.say(&words);
        }
    }

    /// The agents that are shown, by cell; those of missions that are over are not.
    fn agents(&self) -> impl Iterator<Item = &AgentReport> {
        let mut agents: Vec<&AgentReport> = self.overview.agents.values().collect();
        agents.retain(|agent| !self.is_over(agent));
        agents.sort_by(|one, other| {
            (&one.cell_id, &one.agent_id).cmp(&(&other.cell_id, &other.agent_id))
        });
        agents.into_iter()
    }

    fn is_over(&self, agent: &AgentReport) -> bool {
        let cell = agent.cell_id.as_ref();
        let status = cell.and_then(|id| self.overview.cells.get(id)?.status.as_deref());
        matches!(status, Some("completed" | "failed"))
    }

    /// What a watch prints anew: who is how, and since when.
    pub(super) fn essence(&self) -> Vec<(Option<String>, String, State, bool)> {
        self.agents()
            .map(|agent| {
                (
                    agent.cell_id.clone(),
                    agent.agent_id.clone(),
                    agent.status,
                    agent.stalled.is_some(),
                )
            })
            .collect()
    }

    fn row(&self, agent: &AgentReport) -> [String; 6] {
        let cell = agent.cell_id.as_deref();
        [
            cell.map_or_else(|| String::from("-"), |cell| short(cell).to_owned()),
            agent.agent_id.clone(),
            agent.status.word().to_owned(),
            time(agent.since).map_or_else(
                || String::from("-"),
                |since| format!("{}, {}", since.local(self.now), self.age(since)),
            ),
            agent
                .last_heartbeat
                .and_then(time)
                .map_or_else(|| String::from("-"), |beat| self.age(beat)),
            match agent.stalled {
                None => agent.reason.clone(),
                Some(still) => {
                    format!(
                        "{}; stalled: no progress for {}",
                        agent.reason,
                        in_words(still)
                    )
                }
            },
        ]
    }

    fn age(&self, time: Time) -> String {
        age(u64::try_from(self.now.since(time)).unwrap_or(0))
    }

    fn sum(&self) -> String {
        let agents: Vec<&AgentReport> = self.agents().collect();
        let states = State::ALL.into_iter().filter_map(|state| {
            let number = agents.iter().filter(|agent| agent.status == state).count();
            (number > 0).then(|| format!("{number} {}", state.word()))
        });
        let states: Vec<String> = states.collect();
        format!("{}: {}", count(agents.len(), "agent"), states.join(", "))
    }
}

/// A time as the fleet writes it.
pub(in crate::cli) fn time(seconds: f64) -> Option<Time> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the largest whole number, which is no time"
    )]
    Time::from_unix(seconds as i64)
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.overview.serialize(out)
    }
}

impl Report for Shown {
    fn words(&self, page: &mut Page) {
        let mut table = Table::new(["CELL", "AGENT", "HEALTH", "SINCE", "LAST BEAT", "REASON"]);
        self.agents().for_each(|agent| table.row(self.row(agent)));
        if table.is_empty() {
            return;
        }
        page.table(table);
        page.line(self.sum());
    }

    fn datum(&self) -> Option<String> {
        // Who needs somebody: with their cells, since an id alone may be of several.
        let ill = self
            .agents()
            .filter(|agent| agent.status == State::Unhealthy);
        let named: Vec<String> = ill
            .map(|agent| match &agent.cell_id {
                Some(cell) => format!("{cell}/{}", agent.agent_id),
                None => agent.agent_id.clone(),
            })
            .collect();
        (!named.is_empty()).then(|| named.join("\n"))
    }
}
