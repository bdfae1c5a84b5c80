//! `mcell why TASK`: what stands in its way, who may take it, what waits for it.

use crate::base::duration::in_words;
use crate::base::text::shown;
use crate::ops::task::Reasons;
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use serde::Serialize;

/// What is known of a task, and when it is told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) reasons: Reasons,
    pub(super) now: crate::base::clock::Time,
}

impl Serialize for Told {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.reasons.serialize(out)
    }
}

impl Report for Told {
    fn words(&self, page: &mut Page) {
        let reasons = &self.reasons;
        let name = page.tone(Tone::Strong, &reasons.task_id);
        page.line(format_args!("{name}  {}", shown(&reasons.title)));
        let status = reasons.status.replace('_', " ");
        match (reasons.ready, reasons.because.as_slice()) {
            (true, _) => page.field("status", format_args!("{status}, ready")),
            (false, []) => page.field("status", status),
            (false, because) => {
                page.field("status", format_args!("{status}, not ready"));
                for why in because {
                    page.field("", format_args!("because {}", shown(why)));
                }
            }
        }
        if let Some(until) = reasons.lapses_at {
            let until = until.local(self.now);
            match reasons.lease_stands_still {
                true => page.field(
                    "lease",
                    "stands still while the cell or its holder is paused",
                ),
                false => page.field("lease", format_args!("lapses {until} if no sign comes")),
            }
        }
        if let Some(late) = reasons.overdue {
            page.field(
                "late",
                format_args!("{}; that takes it from nobody", in_words(late)),
            );
        }
        for (index, candidate) in reasons.agents.iter().enumerate() {
            let name = if index == 0 { "agents" } else { "" };
            let id = shown(&candidate.agent_id);
            match candidate.because.as_slice() {
                [] => page.field(name, format_args!("{id} may take it when it is ready")),
                because => page.field(name, shown(&because.join("; "))),
            }
        }
        if !reasons.awaited_by.is_empty() {
            page.field("before", shown(&reasons.awaited_by.join(", ")));
        }
        page.field("next", &reasons.next);
    }

    fn datum(&self) -> Option<String> {
        Some(self.reasons.next.clone())
    }
}
