//! What is noted of a request beside how it stands: how the agent fell, what was ended of its older life, and when the new
//! one ran.

use crate::base::boot::Moment;
use crate::mission::checkpoint::Flaw;
use crate::mission::revival::Revival;
use crate::mission::run::RunNote;
use crate::mission::timeline::{Did, Passed, Step};
use crate::ops::run::{Plan, Started, Stopped};

/// Begins the story of a request: the life that fell, and that it is asked for. `lives`: whether a process of that is left.
pub(super) fn begin(
    revival: &mut Revival,
    note: &RunNote,
    lives: bool,
    asked: Option<&str>,
    now: &Moment,
) {
    let mut fell = Step {
        what: Some(revival.reason.clone()),
        incarnation: (note.incarnation > 0).then_some(note.incarnation),
        pid: note.pid,
        ..Step::new(Did::Fell, now)
    };
    if let Some(end) = note.end.filter(|_| !lives) {
        (fell.at, fell.boot) = (end.at, note.boot.clone());
        // Without that moment it is known to the second only, which is no figure to reckon with.
        match end.up {
            Some(up) => fell.up = up,
            None => fell.boot = None,
        }
    }
    revival.add(fell);
    revival.add(Step {
        what: asked.map(str::to_owned),
        ..Step::new(Did::Asked, now)
    });
}

/// Notes that a life was begun: what was ended of the older one, and that the new one runs.
pub(super) fn started(revival: &mut Revival, started: &Started) {
    let incarnation = Some(started.incarnation);
    let Some(ground) = &started.ground else {
        return;
    };
    revival.add(Step {
        what: Some(ended(&ground.older)),
        incarnation,
        ..Step::new(Did::Stopped, &ground.stopped_at)
    });
    revival.add(Step {
        incarnation,
        pid: Some(started.pid),
        ..Step::new(Did::Started, &ground.started_at)
    });
}

fn ended(older: &Stopped) -> String {
    match (older.incarnation, &older.end) {
        (None, _) => String::from("nothing of the older life was left"),
        (Some(_), Some(end)) => format!("the older life was ended: {end}"),
        (Some(_), None) => {
            let left = older.left;
            format!("what the older life had left without a runner, {left}, was ended")
        }
    }
}

/// The checkpoints that a plan passes over.
pub(super) fn passed_over(plan: &Plan) -> Vec<Passed> {
    let suspects = plan.suspects.iter().map(|checkpoint| Passed {
        checkpoint: *checkpoint,
        why: String::from("it failed from it three times"),
    });
    let broken = plan.passed_over.iter().map(|(checkpoint, flaws)| Passed {
        checkpoint: *checkpoint,
        why: flaws.iter().map(Flaw::words).collect::<Vec<_>>().join("; "),
    });
    suspects.chain(broken).collect()
}
