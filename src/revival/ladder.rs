//! The ladder: what the next try does otherwise than the one before.

/// One rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// The newest checkpoint that is what was saved, and no suspect.
    Newest,
    /// The next older one.
    Older,
    /// No checkpoint at all.
    Anew,
    /// Another agent takes the task.
    Substitute,
}

/// The rung of a try: its number (from 0) among those of one incident that never verified. What there is not is skipped.
pub fn rung(tries: u32, has_older: bool, may_begin_anew: bool, has_substitute: bool) -> Rung {
    let mut rungs = vec![Rung::Newest];
    rungs.extend(has_older.then_some(Rung::Older));
    rungs.extend(may_begin_anew.then_some(Rung::Anew));
    rungs.extend(has_substitute.then_some(Rung::Substitute));
    // The first try again is the same: it may have been the gateway, the disk, the moment.
    let at = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = rungs.len() - 1;
    rungs.get(at.min(last)).copied().unwrap_or(Rung::Newest)
}

#[cfg(test)]
mod tests {
    use super::Rung::{Anew, Newest, Older, Substitute};
    use super::*;

    #[test]
    fn each_try_after_the_second_stands_a_rung_higher() {
        let ladder = |older, anew, substitute| {
            (0..6)
                .map(|tries| rung(tries, older, anew, substitute))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ladder(true, true, true),
            [Newest, Newest, Older, Anew, Substitute, Substitute]
        );
        assert_eq!(
            ladder(false, true, false)[..4],
            [Newest, Newest, Anew, Anew]
        );
        assert_eq!(ladder(false, false, false)[3], Newest);
        assert_eq!(ladder(true, false, false)[5], Older);
    }
}
