//! What comes before what, what may start now, and what never can.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Progress, TaskGraph};

impl TaskGraph {
    /// Tells whether no task waits for itself, directly or through others.
    pub fn is_acyclic(&self) -> bool {
        if self.is_in_order_already() {
            return true;
        }
        // Takes away what nobody waits for, again and again: that way round needs no turned rows.
        let mut awaited = vec![0_u32; self.count() as usize];
        for task in self.tasks() {
            for &dependency in self.dependencies(task) {
                awaited[dependency as usize] += 1;
            }
        }
        let mut free: Vec<u32> = self.tasks().filter(|&t| awaited[t as usize] == 0).collect();
        let mut taken = 0;
        while let Some(task) = free.pop() {
            taken += 1;
            for &dependency in self.dependencies(task) {
                if count_down(&mut awaited, dependency) {
                    free.push(dependency);
                }
            }
        }
        taken == self.count()
    }

    /// Every task after all it depends on, the lowest index first where there is a choice; `None` if
    /// some tasks wait in a circle.
    pub fn order(&self) -> Option<Vec<u32>> {
        if self.is_in_order_already() {
            return Some(self.tasks().collect());
        }
        let mut waits_for = self.numbers_of_dependencies();
        let mut free: BinaryHeap<Reverse<u32>> = self.roots().map(Reverse).collect();
        let mut order = Vec::with_capacity(waits_for.len());
        while let Some(Reverse(task)) = free.pop() {
            order.push(task);
            for &dependant in self.dependants(task) {
                if count_down(&mut waits_for, dependant) {
                    free.push(Reverse(dependant));
                }
            }
        }
        (order.len() == waits_for.len()).then_some(order)
    }

    /// The layer of each task when drawn from left to right: 0 for one that depends on nothing, else one
    /// more than the deepest it depends on. Tasks in a circle or behind one count only what is before
    /// the circle.
    pub fn depth(&self) -> Vec<u32> {
        let mut depth = vec![0; self.count() as usize];
        let mut waits_for = self.numbers_of_dependencies();
        let mut free: Vec<u32> = self.roots().collect();
        while let Some(task) = free.pop() {
            let next = depth[task as usize] + 1;
            for &dependant in self.dependants(task) {
                let deepest = &mut depth[dependant as usize];
                *deepest = next.max(*deepest);
                if count_down(&mut waits_for, dependant) {
                    free.push(dependant);
                }
            }
        }
        depth
    }

    /// The tasks that may start: pending, with every dependency there and completed; ascending. Whether
    /// the cell is active is for the caller to ask.
    pub fn ready(&self, state: impl Fn(u32) -> Progress) -> Vec<u32> {
        self.tasks()
            .filter(|&task| {
                state(task) == Progress::Pending
                    && !self.lacks_dependency(task)
                    && self
                        .dependencies(task)
                        .iter()
                        .all(|&other| state(other) == Progress::Completed)
            })
            .collect()
    }

    /// The tasks that can never become ready because they are in a circle, lack a dependency, or wait
    /// for one that is so; ascending.
    ///
    /// A failed task is not lost, as it can be retried, and one in progress can still complete, whatever
    /// it should have waited for.
    pub fn blocked_forever(&self, state: impl Fn(u32) -> Progress) -> Vec<u32> {
        if self.lacking.is_empty() && self.is_in_order_already() {
            return Vec::new();
        }
        let mut waits_for = self.numbers_of_dependencies();
        for &task in &self.lacking {
            // One that nothing counts down.
            waits_for[task as usize] += 1;
        }
        let mut can_be_done: Vec<bool> = self
            .tasks()
            .map(|task| {
                waits_for[task as usize] == 0
                    || matches!(state(task), Progress::Completed | Progress::InProgress)
            })
            .collect();
        let mut free: Vec<u32> = self
            .tasks()
            .filter(|&task| can_be_done[task as usize])
            .collect();
        while let Some(task) = free.pop() {
            for &dependant in self.dependants(task) {
                if count_down(&mut waits_for, dependant) && !can_be_done[dependant as usize] {
                    can_be_done[dependant as usize] = true;
                    free.push(dependant);
                }
            }
        }
        self.tasks()
            .filter(|&task| !can_be_done[task as usize])
            .collect()
    }

    fn roots(&self) -> impl Iterator<Item = u32> {
        self.tasks()
            .filter(|&task| self.dependencies(task).is_empty())
    }

    pub(in crate::mission) fn numbers_of_dependencies(&self) -> Vec<u32> {
        self.tasks()
            .map(|task| self.dependencies(task).len() as u32)
            .collect()
    }
}

/// One thing less to wait for; tells whether that was the last.
pub(in crate::mission) fn count_down(left: &mut [u32], task: u32) -> bool {
    left[task as usize] -= 1;
    left[task as usize] == 0
}
