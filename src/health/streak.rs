//! Good and bad signals in a row: hysteresis both ways, so that one lost answer kills nobody and one good one hides nothing.

use crate::health::Up;
use crate::health::settings::Settings;
use crate::health::state::State;
use serde::{Deserialize, Serialize};

/// One sort of signal: how it went lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Streak {
    /// Bad ones in a row.
    #[serde(skip_serializing_if = "is_zero")]
    pub bad: u64,
    /// Good ones in a row.
    #[serde(skip_serializing_if = "is_zero")]
    pub good: u64,
    /// Whether there were so many bad ones that it takes several good ones to get up again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_down: bool,
    /// When the last good one came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Up>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Streak {
    /// A good signal.
    pub fn good(&mut self, at: Up, settings: &Settings) {
        self.last = self.last.max(Some(at));
        self.bad = 0;
        self.good = self.good.saturating_add(1);
        if self.good >= settings.success_threshold {
            self.is_down = false;
        }
    }

    /// A bad signal.
    pub fn bad(&mut self, settings: &Settings) {
        self.good = 0;
        self.bad = self.bad.saturating_add(1);
        if self.bad >= settings.failure_threshold {
            self.is_down = true;
        }
    }

    /// Silence that lasted too long. Tells whether that is news.
    pub fn fall(&mut self) -> bool {
        let is_news = !self.is_down || self.good > 0;
        self.good = 0;
        self.is_down = true;
        is_news
    }

    /// What it means.
    pub fn state(&self) -> State {
        match (self.is_down, self.good, self.bad) {
            (true, 0, _) => State::Unhealthy,
            (true, ..) => State::Degraded,
            (false, _, 0) => State::Healthy,
            (false, ..) => State::Degraded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bad_ones_fall_and_two_good_ones_get_up() {
        let settings = Settings::default();
        let mut streak = Streak::default();
        let mut states = Vec::new();
        for is_good in [
            true, false, false, true, false, false, false, true, false, true, true,
        ] {
            if is_good {
                streak.good(1, &settings);
            } else {
                streak.bad(&settings);
            }
            states.push(streak.state().word());
        }
        assert_eq!(
            states,
            [
                "healthy",
                "degraded",
                "degraded",
                "healthy",
                "degraded",
                "degraded",
                "unhealthy",
                "degraded",
                "unhealthy",
                "degraded",
                "healthy"
            ]
        );
    }
}
