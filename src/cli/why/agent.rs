//! `mcell why AGENT`: every sign that counts, the settings, the holds, and what happens next.

use crate::base::clock::Time;
use crate::base::duration::{age, in_words};
use crate::base::text::shown;
use crate::health::roster::Order;
use crate::ops::health::{AgentReasons, SignalSeen};
use crate::ops::scan::short;
use crate::ui::page::{Page, Tone};
use crate::ui::printer::Report;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// What is known of an agent, and when it is told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) reasons: AgentReasons,
    pub(super) now: Time,
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.reasons.serialize(out)
    }
}

impl Report for Told {
    fn words(&self, page: &mut Page) {
        let reasons = &self.reasons;
        let name = page.tone(Tone::Strong, &reasons.agent_id);
        page.line(format_args!(
            "{name}  {}, of {} ({})",
            shown(&reasons.name),
            shown(&reasons.mission_name),
            short(&reasons.cell_id),
        ));
        let since = reasons.since.map_or_else(String::new, |since| {
            format!(" since {}, {}", since.local(self.now), self.ago(since))
        });
        page.field("health", format_args!("{}{since}", reasons.status.word()));
        page.field("", format_args!("because {}", shown(&reasons.reason)));
        if let Some(says) = &reasons.says {
            page.field("says", shown(says));
        }
        if let Some(still) = reasons.stalled {
            page.field(
                "stalled",
                format_args!("no progress for {}", in_words(still)),
            );
        }
        page.field("seen", self.seen());
        if reasons.incarnation > 0 {
            page.field("incarnation", reasons.incarnation);
        }
        for signal in &reasons.signals {
            page.field(signal.signal.word(), self.signal(signal));
        }
        if let Some(until) = reasons.grace_until {
            let until = self.then(until);
            page.field(
                "grace",
                format_args!("until {until}: what is missing does not count"),
            );
        }
        if let Some(until) = reasons.quiet_until {
            page.field(
                "quiet",
                format_args!("announced, until {}", self.then(until)),
            );
        }
        for (at, setting) in reasons.settings.iter().enumerate() {
            let head = if at == 0 { "settings" } else { "" };
            let value = match &setting.value {
                Value::Null => String::from("not set"),
                Value::Array(list) if list.is_empty() => String::from("nothing"),
                Value::Array(list) => list
                    .iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(", "),
                number if setting.name.ends_with("threshold") => number.to_string(),
                seconds => format!("{seconds} s"),
            };
            let (name, source) = (setting.name, shown(&setting.source));
            page.field(head, format_args!("{name:<18} {value:<10} {source}"));
        }
        for (at, hold) in reasons.holds.iter().enumerate() {
            let head = if at == 0 { "held" } else { "" };
            page.field(head, shown(hold));
        }
        for order in &reasons.orders {
            let words = match order {
                Order::Drain => "finish what it is at, and begin nothing",
                Order::CheckpointNow => "save a checkpoint now",
                Order::Stop => "stop: its mission is over",
            };
            page.field("order", format_args!("{}: {words}", order.word()));
        }
        let next = match reasons.next_at {
            Some(then) => format!("{}: {}", self.then(then), reasons.next),
            None => reasons.next.clone(),
        };
        page.field("next", next);
    }

    fn datum(&self) -> Option<String> {
        Some(self.reasons.reason.clone())
    }
}

impl Told {
    fn ago(&self, time: Time) -> String {
        age(u64::try_from(self.now.since(time)).unwrap_or(0))
    }

    /// A moment to come: "14:03:10, in 86 s".
    fn then(&self, time: Time) -> String {
        let left = u64::try_from(time.since(self.now)).unwrap_or(0);
        format!(
            "{}, in {}",
            time.local_to_the_second(self.now),
            in_words(left)
        )
    }

    fn seen(&self) -> String {
        match (self.reasons.watched, self.reasons.recorded_at) {
            (true, _) => String::from("by the daemon, which watches it"),
            (false, None) => String::from("by this look; no daemon watches"),
            (false, Some(at)) => format!(
                "by this look, which goes on from what the last daemon wrote down {}",
                self.ago(at)
            ),
        }
    }

    fn signal(&self, signal: &SignalSeen) -> String {
        let because = shown(&signal.because);
        if !signal.due {
            return format!("not due: {because}");
        }
        let mut words = Vec::new();
        if let (Some(status), Some(reason)) = (signal.status, &signal.reason) {
            words.push(format!("{}: {}", status.word(), shown(reason)));
        }
        if let Some(last) = signal.last {
            words.push(format!(
                "last {}, {}",
                last.local_to_the_second(self.now),
                self.ago(last)
            ));
        }
        match (signal.degraded_after, signal.unhealthy_after) {
            (Some(late), Some(dead)) if late < dead => words.push(format!(
                "degraded after {}, dead after {}",
                in_words(late),
                in_words(dead)
            )),
            (_, Some(dead)) => words.push(format!("dead after {}", in_words(dead))),
            _ => {}
        }
        words.push(format!("due, since {because}"));
        words.join("; ")
    }
}
