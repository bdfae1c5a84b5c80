//! The hands of the daemon: each does one thing after the other, as `ops::revival` does, and between two of them the daemon
//! may be killed. What is decided is decided by `revival`; here is when, and what is written of it.

use super::super::{AGAIN, Work};
use super::crew::{End, Ill};
use super::disk::Kept;
use super::{Day, Event};
use crate::base::backoff;
use crate::base::error::Kind;
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{Meaning, Wanted};
use crate::revival::{self, Burden, Cause, Draft, News, Rule, is_due};

const RETRIES: u64 = 3;

/// One hand at work.
pub(super) struct Hand {
    pub(super) agent: usize,
    next: Next,
}

/// What it does next.
enum Next {
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
type Then = Option<(u64, Next)>;

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

    fn rule(&self, agent: usize) -> Rule {
        let (cell, id) = self.whom(agent);
        Rule {
            policy: revival::policy(
                self.disk.cells[self.disk.folders[agent].cell].policy,
                self.ceiling,
            ),
            retries: RETRIES,
            seed: backoff::seed(&[cell.as_str(), id.as_str()]),
        }
    }

    fn is_startable(&self, agent: usize) -> bool {
        let folder = &self.disk.folders[agent];
        folder.kept.status != AgentStatus::Paused
            && self.disk.cells[folder.cell].status == CellStatus::Active
    }

    fn fallen(&mut self, agent: usize, news: &News) -> Result<Then, Kind> {
        let now = self.clock.moment();
        let lives = self.crew[agent].is_alive();
        let folder = &self.disk.folders[agent];
        if !self.is_startable(agent) || !folder.kept.is_wanted() || (lives && !news.is_silent) {
            return Ok(None);
        }
        let cause = Cause::of(news, &folder.ends, &folder.note, lives, &now);
        if cause.meaning == Meaning::Finished {
            self.tell(agent, format_args!("has finished"));
            self.commit(agent, |kept| {
                kept.state.want(Wanted::Stopped);
                if let Some(mut open) = kept.request().cloned() {
                    open.become_status(Status::Cancelled, None, now.wall);
                    kept.put(&open);
                }
            })?;
            return Ok(None);
        }
        if let Some(open) = folder.kept.request() {
            if !cause.ends(open, &folder.note) {
                return Ok(None);
            }
            let mut open = open.clone();
            self.commit(agent, |kept| {
                open.become_status(Status::Cancelled, None, now.wall);
                kept.put(&open);
            })?;
        }
        let (cell, id) = self.whom(agent);
        let request = Revival::new(
            &self.disk.new_id(),
            &cell,
            &id,
            cause.reason.clone(),
            now.wall,
        );
        let record = self.disk.folders[agent].kept.state.record(&now);
        let draft = Draft::make(request, record, &cause, news, self.rule(agent), &now);
        if is_due(&draft.revival, &now) {
            return Ok(Some((1, Next::Fence(Some(Box::new(draft))))));
        }
        self.file(agent, &draft)?;
        Ok(None)
    }

    fn file(&mut self, agent: usize, draft: &Draft) -> Result<(), Kind> {
        let now = self.clock.moment();
        let word = draft.revival.status.word().replace('_', " ");
        let quarantined = if draft.is_quarantined {
            ", quarantined"
        } else {
            ""
        };
        self.tell(
            agent,
            format_args!("{}: {word}{quarantined}", draft.revival.id),
        );
        self.commit(agent, |kept| {
            kept.state.suppress(draft.is_suppressed);
            kept.state.remember(draft.record.clone(), &now).unwrap();
            kept.put(&draft.revival);
        })
    }

    fn carry_out(&mut self, agent: usize) -> Result<Then, Kind> {
        let now = self.clock.moment();
        let lives = self.crew[agent].is_alive();
        let folder = &self.disk.folders[agent];
        let Some(mut open) = folder.kept.request().cloned() else {
            return Ok(None);
        };
        let mut has_changed = revival::take_up(&mut open, &folder.note, &now);
        let meaning = revival::meaning(&folder.ends, &folder.note, lives);
        let mut is_suppressed = folder.kept.state.known().is_suppressed;
        if is_due(&open, &now)
            && let Some(is_stopped) =
                revival::stop(&mut open, self.rule(agent).policy, meaning, &now)
        {
            is_suppressed = is_stopped;
            has_changed = true;
        }
        if has_changed {
            self.commit(agent, |kept| {
                kept.state.suppress(is_suppressed);
                kept.put(&open);
            })?;
        }
        Ok(is_due(&open, &now).then_some((1, Next::Fence(None))))
    }

    /// Another life begins: what the older one says counts no more.
    fn fence(&mut self, agent: usize, draft: Option<&Draft>) -> Result<Then, Kind> {
        let now = self.clock.moment();
        let kept = &self.disk.folders[agent].kept;
        let request = draft
            .map(|draft| draft.revival.clone())
            .or_else(|| kept.request().cloned());
        let Some(mut open) = request.filter(|_| self.is_startable(agent)) else {
            return Err(Kind::Refused);
        };
        self.see_fence(agent, &open);
        let mut life = 0;
        self.commit(agent, |kept| {
            if let Some(draft) = draft {
                kept.state.suppress(draft.is_suppressed);
                kept.state.remember(draft.record.clone(), &now).unwrap();
            }
            life = kept.fence.next_token();
            kept.state.want(Wanted::Running);
            kept.state.begin(life);
            revival::begin(&mut open, life, None, &now);
            kept.put(&open);
        })?;
        self.tell(
            agent,
            format_args!(
                "is fenced, and begins as {life} ({}: {})",
                open.id, open.reason
            ),
        );
        Ok(Some((1, Next::Stop(life))))
    }

    /// What runs of the older life is asked to end.
    fn stop(&mut self, agent: usize, life: u64) -> Then {
        let real = &self.crew[agent];
        let needed = real.is_alive() || !self.disk.folders[agent].note.is_over();
        if !needed {
            return Some((1, Next::Start(life)));
        }
        Some((real.ends_in, Next::Stopped(life)))
    }

    /// What runs of an agent ends now, or what its runner left is swept.
    pub(super) fn stopped(&mut self, agent: usize) {
        let lives: Vec<u64> = self.crew[agent]
            .lives
            .iter()
            .map(|life| life.incarnation)
            .collect();
        for life in lives {
            self.over(agent, life, End::Signal(15), true);
        }
    }

    fn start(&mut self, agent: usize, life: u64) -> Result<Then, Kind> {
        if self.crew[agent].ails(self.now) == Some(Ill::CannotStart) {
            return Err(Kind::Refused);
        }
        if self.chance.once_in(200) {
            return Err(Kind::Storage);
        }
        self.spawn(agent, life);
        Ok(Some((1 + self.chance.below(20), Next::Tell(life))))
    }

    /// A try came to nothing.
    fn failed(&mut self, agent: usize, draft: Option<&Draft>, kind: Kind) -> Result<Then, Kind> {
        if !revival::counts(kind) {
            return Err(kind);
        }
        if let Some(draft) = draft {
            self.file(agent, draft)?;
        }
        self.in_vain(agent, "it cannot be started")
    }

    fn in_vain(&mut self, agent: usize, why: &str) -> Result<Then, Kind> {
        let (now, rule) = (self.clock.moment(), self.rule(agent));
        let kept = &self.disk.folders[agent].kept;
        let mut record = kept.state.record(&now);
        let Some(mut open) = kept.request().cloned() else {
            return Err(Kind::Refused);
        };
        let folder = &self.disk.folders[agent];
        let is_its_end = open.incarnation == Some(folder.note.incarnation);
        let meaning = revival::meaning(&folder.ends, &folder.note, self.crew[agent].is_alive());
        if is_its_end && meaning == Meaning::Permanent {
            revival::impossible(&mut open, &now);
            self.tell(agent, format_args!("{} waits for an operator", open.id));
            self.commit(agent, |kept| kept.put(&open))?;
            return Ok(None);
        }
        let is_quarantined =
            revival::in_vain(&mut open, &mut record, why, &Burden::default(), rule, &now);
        let quarantined = if is_quarantined { ", quarantined" } else { "" };
        self.tell(agent, format_args!("in vain: {why}{quarantined}"));
        self.commit(agent, |kept| {
            kept.state.remember(record, &now).unwrap();
            kept.put(&open);
        })?;
        Ok(None)
    }

    fn recovered(&mut self, agent: usize) -> Result<Then, Kind> {
        let now = self.clock.moment();
        let kept = &self.disk.folders[agent].kept;
        let mut record = kept.state.record(&now);
        let Some(mut open) = kept.request().cloned() else {
            return Ok(None);
        };
        if self.crew[agent].is_alive() && revival::recovered(&mut open, &mut record, &now) {
            self.tell(agent, format_args!("is well by itself ({})", open.id));
            self.commit(agent, |kept| {
                kept.state.remember(record, &now).unwrap();
                kept.put(&open);
            })?;
        }
        Ok(None)
    }

    fn conclude(&mut self, agent: usize, life: u64, in_vain: Option<&str>) -> Result<Then, Kind> {
        let now = self.clock.moment();
        let kept = &self.disk.folders[agent].kept;
        let open = kept
            .request()
            .cloned()
            .filter(|open| revival::awaits(open, life));
        let Some(mut open) = open else {
            return Ok(None);
        };
        if let Some(why) = in_vain {
            return self.in_vain(agent, why);
        }
        let mut record = kept.state.record(&now);
        revival::verified(&mut open, &mut record, &now);
        self.tell(agent, format_args!("lives again ({})", open.id));
        self.commit(agent, |kept| {
            kept.state.remember(record, &now).unwrap();
            kept.put(&open);
        })?;
        Ok(None)
    }

    /// An operator's own start: begun, ended and started in one go.
    pub(super) fn order_start(&mut self, agent: usize) {
        let now = self.clock.moment();
        let mut life = 0;
        let begun = self.commit(agent, |kept| {
            if let Some(mut open) = kept.request().cloned() {
                open.become_status(Status::Cancelled, None, now.wall);
                kept.put(&open);
            }
            kept.state
                .remember(revival::Record::default(), &now)
                .unwrap();
            kept.state.suppress(false);
            life = kept.fence.next_token();
            kept.state.want(Wanted::Running);
            kept.state.begin(life);
        });
        self.witness.taken_in_hand(agent);
        if begun.is_ok() {
            self.stopped(agent);
            self.spawn(agent, life);
        }
    }
}
