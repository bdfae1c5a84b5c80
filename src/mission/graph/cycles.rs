//! Tasks that wait in a circle, named so that a person can cut the circle.

use super::TaskGraph;

/// How many edges the search for the shortest circles may look at, about a twentieth of a second. A hostile
/// graph would otherwise cost the square of its size; past this the shortest circle found so far is named.
const MOST_LOOKS: usize = 10_000_000;

const NOBODY: u32 = u32::MAX;

impl TaskGraph {
    /// A circle for every knot: for each set of tasks that all wait for each other, one of its shortest
    /// circles, and for each task that depends on itself, that task alone. Ascending; empty if
    /// [acyclic](Self::is_acyclic).
    ///
    /// A circle `[a, b, c]` reads "a depends on b, b on c, c on a" and begins with its lowest index. In
    /// graphs of some ten thousand entangled tasks it may be short rather than the shortest.
    pub fn cycles(&self) -> Vec<Vec<u32>> {
        if self.is_acyclic() {
            return Vec::new();
        }
        let mut cycles: Vec<Vec<u32>> = self
            .tasks()
            .filter(|task| self.dependencies(*task).binary_search(task).is_ok())
            .map(|task| vec![task])
            .collect();
        let knots = self.knots();
        let mut search = Search::new(self, &knots);
        cycles.extend(knots.iter().map(|knot| search.shortest_in(knot)));
        cycles.sort_unstable();
        cycles
    }

    /// A shortest circle that begins at `task`, each waiting for the next and the last for `task`; none if it waits in
    /// no circle.
    pub fn circle_through(&self, task: u32) -> Option<Vec<u32>> {
        let mut reached_from = vec![NOBODY; self.count() as usize];
        let mut frontier = vec![task];
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for &at in &frontier {
                for &other in self.dependencies(at) {
                    if other == task {
                        let mut way = vec![at];
                        let mut back = at;
                        while back != task {
                            back = reached_from[back as usize];
                            way.push(back);
                        }
                        way.reverse();
                        return Some(way);
                    }
                    if reached_from[other as usize] == NOBODY {
                        reached_from[other as usize] = at;
                        next.push(other);
                    }
                }
            }
            frontier = next;
        }
        None
    }

    /// Every set of two or more tasks that all wait for each other, its members ascending: Tarjan's
    /// strongly connected components, with his recursion as a stack.
    fn knots(&self) -> Vec<Vec<u32>> {
        let count = self.count() as usize;
        let mut met_as: Vec<u32> = vec![NOBODY; count];
        let mut earliest: Vec<u32> = vec![0; count];
        let mut is_open = vec![false; count];
        let mut open = Vec::new();
        let mut path: Vec<(u32, usize)> = Vec::new();
        let mut met = 0;
        let mut knots = Vec::new();
        for root in self.tasks() {
            if met_as[root as usize] != NOBODY {
                continue;
            }
            path.push((root, 0));
            while let Some((task, looked_at)) = path.last_mut() {
                let (task, at) = (*task, *task as usize);
                if *looked_at == 0 {
                    met_as[at] = met;
                    earliest[at] = met;
                    met += 1;
                    is_open[at] = true;
                    open.push(task);
                }
                if let Some(&next) = self.dependencies(task).get(*looked_at) {
                    *looked_at += 1;
                    if met_as[next as usize] == NOBODY {
                        path.push((next, 0));
                    } else if is_open[next as usize] {
                        earliest[at] = earliest[at].min(met_as[next as usize]);
                    }
                    continue;
                }
                path.pop();
                if let Some(&(waiting, _)) = path.last() {
                    let waiting = waiting as usize;
                    earliest[waiting] = earliest[waiting].min(earliest[at]);
                }
                if earliest[at] == met_as[at] {
                    let start = open.iter().rposition(|&other| other == task).unwrap_or(0);
                    let mut knot = open.split_off(start);
                    for &member in &knot {
                        is_open[member as usize] = false;
                    }
                    if knot.len() > 1 {
                        knot.sort_unstable();
                        knots.push(knot);
                    }
                }
            }
        }
        knots
    }
}

/// Breadth-first searches for shortest circles, with one set of notes for all of them.
struct Search<'g> {
    graph: &'g TaskGraph,
    /// Which knot each task is in.
    knot_of: Vec<u32>,
    /// From which start each task was last reached, and from which task.
    reached_for: Vec<u32>,
    reached_from: Vec<u32>,
    looks: usize,
}

impl<'g> Search<'g> {
    fn new(graph: &'g TaskGraph, knots: &[Vec<u32>]) -> Self {
        let count = graph.count() as usize;
        let mut knot_of = vec![NOBODY; count];
        for (number, knot) in (0..).zip(knots) {
            for &member in knot {
                knot_of[member as usize] = number;
            }
        }
        Self {
            graph,
            knot_of,
            reached_for: vec![NOBODY; count],
            reached_from: vec![NOBODY; count],
            looks: 0,
        }
    }

    fn shortest_in(&mut self, knot: &[u32]) -> Vec<u32> {
        let mut best: Vec<u32> = Vec::new();
        for &start in knot {
            // No circle of two or more is shorter than two.
            if best.len() == 2 || (!best.is_empty() && self.looks > MOST_LOOKS) {
                break;
            }
            let limit = if best.is_empty() {
                usize::MAX
            } else {
                best.len()
            };
            if let Some(shorter) = self.through(start, limit) {
                best = shorter;
            }
        }
        best
    }

    /// A shortest circle that begins at `start`, has no lower index, and is shorter than `limit`. Leaving
    /// out lower indices loses nothing: a circle through one was looked for from there.
    fn through(&mut self, start: u32, limit: usize) -> Option<Vec<u32>> {
        let mut frontier = vec![start];
        let mut length = 1;
        while !frontier.is_empty() && length < limit {
            let mut next = Vec::new();
            for &task in &frontier {
                for &other in self.graph.dependencies(task) {
                    self.looks += 1;
                    if other == start && task != start {
                        return Some(self.way_to(task, start));
                    }
                    let same_knot = self.knot_of[other as usize] == self.knot_of[start as usize];
                    if same_knot && other > start && self.reached_for[other as usize] != start {
                        self.reached_for[other as usize] = start;
                        self.reached_from[other as usize] = task;
                        next.push(other);
                    }
                }
            }
            frontier = next;
            length += 1;
        }
        None
    }

    fn way_to(&self, end: u32, start: u32) -> Vec<u32> {
        let mut way = vec![end];
        let mut task = end;
        while task != start {
            task = self.reached_from[task as usize];
            way.push(task);
        }
        way.reverse();
        way
    }
}
