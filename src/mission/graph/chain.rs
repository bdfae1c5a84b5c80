//! The chain of tasks that decides when a mission can be done at the earliest.

use super::TaskGraph;

impl TaskGraph {
    /// The heaviest chain of tasks each of which waits for the one before, among those for which
    /// `counts` holds (not completed, say), first to last; `weight` is in the caller's unit, such as
    /// seconds. Of equally heavy chains the one through lower indices. Empty if nothing counts or tasks
    /// wait in a circle.
    pub fn critical_chain(
        &self,
        weight: impl Fn(u32) -> u64,
        counts: impl Fn(u32) -> bool,
    ) -> Vec<u32> {
        let Some(order) = self.order() else {
            return Vec::new();
        };
        // For each task that counts: the heaviest chain ending there, and the task before it.
        let mut ending: Vec<Option<(u64, Option<u32>)>> = vec![None; order.len()];
        for task in order {
            if !counts(task) {
                continue;
            }
            let before = heaviest(self.dependencies(task).iter().copied(), &ending);
            let so_far = before.map_or(0, |(_, weight)| weight);
            let total = so_far.saturating_add(weight(task));
            ending[task as usize] = Some((total, before.map(|(task, _)| task)));
        }
        let mut chain = Vec::new();
        let mut next = heaviest(self.tasks(), &ending).map(|(task, _)| task);
        while let Some(task) = next {
            chain.push(task);
            next = ending[task as usize].and_then(|(_, before)| before);
        }
        chain.reverse();
        chain
    }
}

/// The first of the heaviest among `tasks`, with its weight.
fn heaviest(
    tasks: impl Iterator<Item = u32>,
    ending: &[Option<(u64, Option<u32>)>],
) -> Option<(u32, u64)> {
    tasks
        .filter_map(|task| ending[task as usize].map(|(weight, _)| (task, weight)))
        // `max_by_key` would take the last of equals.
        .reduce(|best, other| if other.1 > best.1 { other } else { best })
}
