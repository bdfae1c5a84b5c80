//! The ladder: what the next try does otherwise than the one before.

/// One rung: what a try goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// The newest checkpoint that is what was saved; where there is none, nothing.
    Newest,
    /// The next older one.
    Older,
    /// Nothing, as if it had no checkpoint.
    Anew,
}

/// After so many tries in vain every rung was tried, of whatever ladder: the first is tried twice.
pub const CLIMBED: u32 = 4;

/// The rung of a try, where so many of one incident never verified before it. What there is not is skipped.
pub fn rung(tries: u32, has_older: bool, may_begin_anew: bool) -> Rung {
    let mut rungs = vec![Rung::Newest];
    rungs.extend(has_older.then_some(Rung::Older));
    rungs.extend(may_begin_anew.then_some(Rung::Anew));
    // The first try again is the same: it may have been the gateway, the disk, the moment.
    let at = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let last = rungs.len() - 1;
    rungs.get(at.min(last)).copied().unwrap_or(Rung::Newest)
}

#[cfg(test)]
mod tests {
    use super::Rung::{Anew, Newest, Older};
    use super::*;

    #[test]
    fn each_try_after_the_second_stands_a_rung_higher() {
        // hermes-agent 49201: a resume replayed the very command that killed it, for ever.
        let ladder = |older, anew| {
            (0..5)
                .map(|tries| rung(tries, older, anew))
                .collect::<Vec<_>>()
        };
        assert_eq!(ladder(true, true), [Newest, Newest, Older, Anew, Anew]);
        assert_eq!(ladder(false, true), [Newest, Newest, Anew, Anew, Anew]);
        assert_eq!(ladder(true, false), [Newest, Newest, Older, Older, Older]);
        assert_eq!(ladder(false, false), [Newest; 5]);
    }
}
