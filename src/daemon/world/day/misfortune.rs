//! What befalls whom: at random, and less and less likely the worse it is.

use super::crew::{End, Ill, ailment};
use super::{CALM, Day, Event, HOUR, MINUTE, SECOND};

impl Day {
    /// Ten seconds of the day.
    pub(super) fn misfortune(&mut self) {
        self.after(10 * SECOND, Event::Misfortune);
        if self.now >= CALM {
            return;
        }
        if self.chance.once_in(60) {
            self.strike();
        }
        if self.chance.once_in(2_500) {
            let lasts = MINUTE + self.chance.below(HOUR);
            self.gateways[0] = self.now + lasts;
            self.say(format_args!("the gateway is down for {} s", lasts / SECOND));
        }
        if self.chance.once_in(2_500) {
            let lasts = self.chance.below(10 * MINUTE);
            self.disk.full_until = self.now + lasts;
            self.say(format_args!("the disk is full for {} s", lasts / SECOND));
        }
        if self.chance.once_in(400) {
            // It is killed in the midst of something that it does for an agent.
            self.doom = Some(1 + self.chance.below(12));
        }
        if self.chance.once_in(2_500) {
            self.kill();
        }
        if self.chance.once_in(4_000) {
            let slept = MINUTE + self.chance.below(8 * HOUR);
            self.clock.sleep(slept);
            self.say(format_args!("the machine slept {} s", slept / SECOND));
        }
        if self.chance.once_in(4_000) {
            let ahead = i64::try_from(self.chance.below(200_000_000)).unwrap() - 100_000_000;
            self.clock.set(ahead);
            self.say(format_args!("the clock set by {ahead} ms"));
        }
        if self.chance.once_in(12_000) {
            self.reboot();
        }
    }

    fn strike(&mut self) {
        let agent = self.chance.index(self.crew.len());
        if self.crew[agent].ails(self.now).is_some() {
            return;
        }
        let Some(life) = self.crew[agent].lives.last().map(|life| life.incarnation) else {
            return;
        };
        let (ill, lasts) = ailment(&mut self.chance, self.crew[agent].beats);
        let id = self.crew[agent].id.clone();
        self.say(format_args!(
            "{id} falls ill for {} s: {ill:?}",
            lasts / SECOND
        ));
        self.crew[agent].ill = Some((ill, self.now + lasts));
        match ill {
            Ill::Ends(how, _) => self.end(agent, life, how),
            Ill::CannotStart => self.end(agent, life, End::Code(127)),
            Ill::Mute => {
                // It thaws when that is over, unless somebody ended it before.
                let until = self.now + lasts.max(20 * MINUTE * (lasts % 2));
                if let Some(life) = self.crew[agent].life(life) {
                    life.frozen_until = until;
                }
            }
        }
    }

    /// Nothing of the machine outlives that but its disk.
    fn reboot(&mut self) {
        self.say(format_args!("reboot"));
        self.crew.iter_mut().for_each(|real| real.lives.clear());
        self.kill();
        self.crew.iter_mut().for_each(|real| real.lives.clear());
        self.clock.reboot(60 * SECOND);
        self.witness.rebooted();
    }
}
