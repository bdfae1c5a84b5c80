//! What a hand of the daemon does for an agent, as `ops::revival` does it: what is read, what `revival` decides of it, and what
//! is written.

use super::crew::{End, Ill};
use super::hand::{Next, Then};
use super::{Day, RETRIES};
use crate::base::backoff;
use crate::base::error::Kind;
use crate::mission::agent::AgentStatus;
use crate::mission::cell::CellStatus;
use crate::mission::revival::{Revival, Status};
use crate::mission::run::{Meaning, Wanted};
use crate::revival::{self, Burden, Cause, Draft, News, Rule, is_due};

impl Day {
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

    pub(super) fn fallen(&mut self, agent: usize, news: &News) -> Result<Then, Kind> {
        let now = self.clock.moment();
        let lives = self.crew[agent].is_alive();
        let folder = &self.disk.folders[agent];
        if !self.is_startable(agent) || !folder.kept.is_wanted() || (lives && !news.is_silent) {
            return Ok(None);
        }
        let cause = Cause::of(
            news,
            &folder.ends,
            &folder.note,
            folder.begun(),
            lives,
            &now,
        );
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

    pub(super) fn carry_out(&mut self, agent: usize) -> Result<Then, Kind> {
        let now = self.clock.moment();
        let lives = self.crew[agent].is_alive();
        let folder = &self.disk.folders[agent];
        let Some(mut open) = folder.kept.request().cloned() else {
            return Ok(None);
        };
        let mut has_changed = revival::take_up(&mut open, &folder.note, &now);
        let meaning = revival::meaning(&folder.ends, &folder.note, folder.begun(), lives);
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
    pub(super) fn fence(&mut self, agent: usize, draft: Option<&Draft>) -> Result<Then, Kind> {
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
    pub(super) fn stop(&mut self, agent: usize, life: u64) -> Then {
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

    pub(super) fn start(&mut self, agent: usize, life: u64) -> Result<Then, Kind> {
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
    pub(super) fn failed(
        &mut self,
        agent: usize,
        draft: Option<&Draft>,
        kind: Kind,
    ) -> Result<Then, Kind> {
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
        let meaning = revival::meaning(
            &folder.ends,
            &folder.note,
            folder.begun(),
            self.crew[agent].is_alive(),
        );
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

    pub(super) fn recovered(&mut self, agent: usize) -> Result<Then, Kind> {
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

    pub(super) fn conclude(
        &mut self,
        agent: usize,
        life: u64,
        in_vain: Option<&str>,
    ) -> Result<Then, Kind> {
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
