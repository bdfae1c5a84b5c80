//! The hands of the daemon: each takes one step after the other, and between two of them the daemon may be killed.

use super::super::{AGAIN, Work};
use super::disk::Kept;
use super::{Day, Event};
use crate::base::error::Kind;
use crate::revival::Draft;

/// One hand at work.
pub(super) struct Hand {
    pub(super) agent: usize,
    next: Next,
}

/// What it does next.
pub(super) enum Next {
    Begin(Work),
    /// Another life is begun; the request may not be filed yet.
    Fence(Option<Box<Draft>>),
    /// The older one is asked to end.
    Stop(u64),
    /// It has ended, or was ended.
    Stopped(u64),
    /// The new one is started.
    Start(u64),
    /// That it runs is written down.
    Tell(u64),
}

/// What follows: so many milliseconds later, something; or nothing more.
pub(super) type Then = Option<(u64, Next)>;

impl Hand {
    /// The life that is just being started.
    pub(super) fn starts(&self) -> Option<u64> {
        match self.next {
            Next::Start(life) => Some(life),
            _ => None,
        }
    }

    /// Whether a slot is needed for what it does: an agent is down, or about to be.
    pub(super) fn is_starting(&self) -> bool {
        matches!(self.next, Next::Stop(_) | Next::Stopped(_) | Next::Start(_))
    }
}

impl Day {
    /// Gives what waits to hands that are free.
    pub(super) fn take_up_jobs(&mut self) {
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        let mut begun = Vec::new();
        for (at, hand) in daemon.hands.iter_mut().enumerate() {
            if hand.is_none()
                && let Some((agent, work)) = daemon.jobs.pop_front()
            {
                *hand = Some(Hand {
                    agent,
                    next: Next::Begin(work),
                });
                begun.push(Event::Step(daemon.number, at));
            }
        }
        for event in begun {
            let pause = self.chance.below(30);
            self.after(pause, event);
        }
    }

    /// One step of a hand.
    pub(super) fn step(&mut self, number: u64, at: usize) {
        if let Some(doom) = &mut self.doom {
            *doom = doom.saturating_sub(1);
            if *doom == 0 {
                self.kill();
            }
        }
        let Some(daemon) = self
            .daemon
            .as_mut()
            .filter(|daemon| daemon.number == number)
        else {
            return;
        };
        let Some(Hand { agent, next }) = daemon.hands[at].take() else {
            return;
        };
        let done = self.do_next(agent, next);
        self.touch(agent);
        let (now, whom) = (self.now, self.whom(agent));
        let Some(daemon) = &mut self.daemon else {
            return;
        };
        match done {
            Ok(Some((time, next))) => {
                daemon.hands[at] = Some(Hand { agent, next });
                self.after(time, Event::Step(number, at));
            }
            done => {
                let again = done
                    .err()
                    .map(|_| now + u64::try_from(AGAIN.as_millis()).unwrap());
                daemon.at_hand.leave(&whom, again);
                self.take_up_jobs();
            }
        }
        self.see_hands();
    }

    fn do_next(&mut self, agent: usize, next: Next) -> Result<Then, Kind> {
        match next {
            Next::Begin(Work::Fallen(news)) => self.fallen(agent, &news),
            Next::Begin(Work::Carry) => self.carry_out(agent),
            Next::Begin(Work::Recovered) => self.recovered(agent),
            Next::Begin(Work::Revived(life)) => self.conclude(agent, life, None),
            Next::Begin(Work::InVain(life, why)) => self.conclude(agent, life, Some(&why)),
            Next::Fence(draft) => {
                let fenced = self.fence(agent, draft.as_deref());
                fenced.or_else(|kind| self.failed(agent, draft.as_deref(), kind))
            }
            Next::Stop(life) => Ok(self.stop(agent, life)),
            Next::Stopped(life) => {
                self.stopped(agent);
                Ok(Some((self.chance.below(50), Next::Start(life))))
            }
            Next::Start(life) => {
                let started = self.start(agent, life);
                started.or_else(|kind| self.failed(agent, None, kind))
            }
            Next::Tell(life) => {
                let now = self.clock.moment();
                self.commit(agent, |kept| {
                    let open = kept.request().cloned();
                    if let Some(mut open) = open.filter(|open| open.incarnation == Some(life)) {
                        open.started_at = Some(now.wall);
                        kept.put(&open);
                    }
                })?;
                Ok(None)
            }
        }
    }

    /// One commit, which the witness sees.
    pub(super) fn commit(
        &mut self,
        agent: usize,
        change: impl FnOnce(&mut Kept),
    ) -> Result<(), Kind> {
        let before = self.disk.folders[agent].kept.clone();
        let done = self.disk.commit(&mut self.chance, self.now, agent, change);
        if done == Err(Kind::OutcomeUnknown) {
            self.say(format_args!("outcome unknown"));
        }
        self.see_commit(agent, &before);
        done
    }
}
