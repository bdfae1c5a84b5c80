use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Progress::{Completed, Failed, InProgress, Pending};
use super::{Progress, TaskGraph};

fn graph(count: usize, edges: &[(u32, u32)]) -> TaskGraph {
    TaskGraph::new(count, edges.iter().copied())
}

#[test]
fn rows_are_sorted_and_say_each_pair_once() {
    let graph = graph(4, &[(3, 1), (2, 0), (3, 0), (3, 1), (2, 0)]);
    assert_eq!(graph.dependencies(3), [0, 1]);
    assert_eq!(graph.dependencies(2), [0]);
    assert_eq!(graph.dependencies(0), [0u32; 0]);
    assert_eq!(graph.dependants(0), [2, 3]);
    assert_eq!(graph.dependants(1), [3]);
    assert_eq!(graph.dependencies(99), [0u32; 0]);
    assert_eq!(graph.dependants(99), [0u32; 0]);
}

#[test]
fn a_graph_without_tasks_answers_everything() {
    let graph = graph(0, &[(0, 1), (1, 0)]);
    assert_eq!(graph.order(), Some(vec![]));
    assert!(graph.is_acyclic() && graph.cycles().is_empty() && graph.depth().is_empty());
    assert!(graph.lost_without(0).is_empty() && graph.critical_chain(|_| 1, |_| true).is_empty());
}

#[test]
fn a_task_whose_dependency_does_not_exist_is_never_ready() {
    let graph = graph(3, &[(1, 7), (1, 0), (2, 1)]);
    assert!(graph.lacks_dependency(1) && !graph.lacks_dependency(2));
    let state = |task| if task == 0 { Completed } else { Pending };
    assert_eq!(graph.ready(state), [0u32; 0]);
    assert_eq!(graph.blocked_forever(state), [1, 2]);
    assert!(graph.is_acyclic());
}

#[test]
fn each_knot_is_named_by_a_shortest_circle_and_each_self_dependency_alone() {
    // 1 → 4 → 2 → 1 with a longer way through 3; 5 ⇄ 6; 7 waits for itself and for a knot.
    let graph = graph(
        8,
        &[
            (1, 4),
            (4, 2),
            (2, 1),
            (4, 3),
            (3, 2),
            (5, 6),
            (6, 5),
            (7, 7),
            (7, 5),
            (5, 5),
        ],
    );
    assert_eq!(
        graph.cycles(),
        [vec![1, 4, 2], vec![5], vec![5, 6], vec![7]]
    );
    assert_eq!(graph.order(), None);
    assert!(graph.critical_chain(|_| 1, |_| true).is_empty());
}

#[test]
fn a_completed_task_of_a_circle_opens_it() {
    let graph = graph(4, &[(0, 1), (1, 2), (2, 0), (3, 2)]);
    assert_eq!(graph.blocked_forever(|_| Pending), [0, 1, 2, 3]);
    let one_done = |task| if task == 1 { Completed } else { Pending };
    assert_eq!(graph.blocked_forever(one_done), [0u32; 0]);
    assert_eq!(graph.ready(one_done), [0]);
}

#[test]
fn a_failed_dependency_blocks_but_not_for_ever() {
    let graph = graph(2, &[(1, 0)]);
    let state = |task| if task == 0 { Failed } else { Pending };
    assert_eq!(graph.ready(state), [0u32; 0]);
    assert_eq!(graph.blocked_forever(state), [0u32; 0]);
}

#[test]
fn the_order_takes_the_lowest_index_that_is_free() {
    let graph = graph(4, &[(0, 3), (1, 0)]);
    assert_eq!(graph.order(), Some(vec![2, 3, 0, 1]));
    assert_eq!(graph.depth(), [1, 2, 0, 0]);
    assert_eq!(graph.lost_without(3), [0, 1]);
}

#[test]
fn the_critical_chain_leaves_out_what_does_not_count() {
    let graph = graph(5, &[(1, 0), (2, 1), (3, 0), (4, 3)]);
    let weight = |task| [1, 9, 1, 4, 4][task as usize];
    assert_eq!(graph.critical_chain(weight, |_| true), [0, 1, 2]);
    assert_eq!(graph.critical_chain(weight, |task| task > 1), [3, 4]);
    assert_eq!(graph.critical_chain(weight, |_| false), [0u32; 0]);
    assert_eq!(graph.critical_chain(|_| u64::MAX, |_| true).len(), 1);
}

#[test]
fn a_hundred_thousand_tasks_in_a_chain_or_a_ring_are_no_trouble() {
    const MANY: u32 = 100_000;
    let backwards = TaskGraph::new(MANY as usize, (1..MANY).map(|task| (task - 1, task)));
    assert_eq!(backwards.order(), Some((0..MANY).rev().collect()));
    assert!(backwards.cycles().is_empty());
    assert_eq!(backwards.lost_without(MANY - 1).len(), MANY as usize - 1);
    let ring = TaskGraph::new(
        MANY as usize,
        (0..MANY).map(|task| (task, (task + 1) % MANY)),
    );
    assert_eq!(ring.cycles(), [(0..MANY).collect::<Vec<_>>()]);
}

/// Graphs small enough to try everything, some with circles and missing tasks.
fn any_graph() -> impl Strategy<Value = (u32, Vec<(u32, u32)>)> {
    (1_u32..9).prop_flat_map(|count| {
        let edges = prop::collection::vec((0..count + 1, 0..count + 1), 0..14);
        (Just(count), edges)
    })
}

/// Without circles, but with indices in any order.
fn small_dag() -> impl Strategy<Value = (u32, Vec<(u32, u32)>)> {
    (1_u32..8).prop_flat_map(|count| {
        let edges = prop::collection::vec((0..count, 0..count), 0..14);
        let names = Just((0..count).collect::<Vec<u32>>()).prop_shuffle();
        (Just(count), edges, names).prop_map(|(count, edges, names)| {
            let edges = edges.into_iter().filter(|(a, b)| a > b);
            let renamed = edges.map(|(a, b)| (names[a as usize], names[b as usize]));
            (count, renamed.collect())
        })
    })
}

fn states(count: u32) -> impl Strategy<Value = Vec<Progress>> {
    let one = prop::sample::select(vec![Pending, InProgress, Completed, Failed]);
    prop::collection::vec(one, count as usize)
}

/// `reach[a]` is all that `a` waits for, through others too.
fn reach(count: u32, edges: &[(u32, u32)]) -> Vec<BTreeSet<u32>> {
    let mut reach = vec![BTreeSet::new(); count as usize];
    for _ in 0..=count {
        for &(task, other) in edges.iter().filter(|(a, b)| *a < count && *b < count) {
            let further = reach[other as usize].clone();
            reach[task as usize].extend(further);
            reach[task as usize].insert(other);
        }
    }
    reach
}

/// The heaviest chain there is, by trying all of them.
fn heaviest_from(graph: &TaskGraph, task: u32, weights: &[u64], counts: &[bool]) -> u64 {
    if !counts[task as usize] {
        return 0;
    }
    let further = graph.dependencies(task).iter();
    let rest = further.map(|&other| heaviest_from(graph, other, weights, counts));
    weights[task as usize] + rest.max().unwrap_or(0)
}

proptest! {
    #[test]
    fn the_order_respects_every_edge_and_is_the_lowest_such((count, edges) in small_dag()) {
        let graph = graph(count as usize, &edges);
        let order = graph.order();
        prop_assert!(order.is_some());
        let mut done = BTreeSet::new();
        for task in order.unwrap_or_default() {
            let free = |t: u32| !done.contains(&t) && graph.dependencies(t).iter().all(|d| done.contains(d));
            prop_assert_eq!((0..count).find(|&t| free(t)), Some(task));
            done.insert(task);
        }
        prop_assert_eq!(done.len(), count as usize);
        let depth = graph.depth();
        for task in 0..count {
            let deepest = graph.dependencies(task).iter().map(|&d| depth[d as usize] + 1).max();
            prop_assert_eq!(depth[task as usize], deepest.unwrap_or(0));
        }
    }

    #[test]
    fn circles_are_found_exactly_where_there_is_no_order((count, edges) in any_graph()) {
        let graph = graph(count as usize, &edges);
        let reach = reach(count, &edges);
        let circular = (0..count).any(|task| reach[task as usize].contains(&task));
        prop_assert_eq!(graph.order().is_none(), circular);
        prop_assert_eq!(graph.is_acyclic(), !circular);
        prop_assert_eq!(!graph.cycles().is_empty(), circular);
    }

    #[test]
    fn every_named_circle_is_one_and_every_knot_has_one((count, edges) in any_graph()) {
        let graph = graph(count as usize, &edges);
        let reach = reach(count, &edges);
        let mut knots_named = BTreeSet::new();
        for cycle in graph.cycles() {
            prop_assert_eq!(cycle.iter().min(), cycle.first());
            prop_assert_eq!(cycle.iter().collect::<BTreeSet<_>>().len(), cycle.len());
            for (at, task) in cycle.iter().enumerate() {
                let next = cycle[(at + 1) % cycle.len()];
                prop_assert!(graph.dependencies(*task).contains(&next));
            }
            if cycle.len() > 1 {
                let knot: BTreeSet<u32> = (0..count)
                    .filter(|&t| reach[t as usize].contains(&cycle[0]) && reach[cycle[0] as usize].contains(&t))
                    .collect();
                prop_assert_eq!(Some(cycle.len() as u32), shortest_circle(&graph, &knot));
                prop_assert!(knots_named.insert(knot), "a knot named twice");
            }
        }
        let named: BTreeSet<u32> = knots_named.into_iter().flatten().collect();
        for (a, b) in (0..count).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let entangled = reach[a as usize].contains(&b) && reach[b as usize].contains(&a);
            prop_assert!(!entangled || named.contains(&a));
        }
    }

    #[test]
    fn ready_and_blocked_are_what_their_definitions_say(
        ((count, edges), states) in any_graph().prop_flat_map(|g| { let n = g.0; (Just(g), states(n)) })
    ) {
        let graph = graph(count as usize, &edges);
        let state = |task: u32| states[task as usize];
        let needs = |task: u32| edges.iter().filter(move |e| e.0 == task).map(|e| e.1);
        let ready: Vec<u32> = (0..count)
            .filter(|&t| state(t) == Pending && needs(t).all(|d| d < count && state(d) == Completed))
            .collect();
        prop_assert_eq!(graph.ready(state), ready);

        // Play the mission to its end: retry what failed, complete whatever can be.
        let mut done: Vec<bool> = states.iter().map(|s| matches!(s, Completed | InProgress)).collect();
        for _ in 0..count {
            for task in 0..count {
                let free = needs(task).all(|d| d < count && done[d as usize]);
                done[task as usize] |= free;
            }
        }
        let never: Vec<u32> = (0..count).filter(|&t| !done[t as usize]).collect();
        prop_assert_eq!(graph.blocked_forever(state), never);
    }

    #[test]
    fn the_critical_chain_is_as_heavy_as_the_heaviest_of_all(
        (count, edges) in small_dag(), weights: [u8; 8], counts: [bool; 8]
    ) {
        let graph = graph(count as usize, &edges);
        let weights = weights.map(u64::from);
        let chain = graph.critical_chain(|t| weights[t as usize], |t| counts[t as usize]);
        prop_assert!(chain.iter().all(|&t| counts[t as usize]));
        prop_assert!(chain.windows(2).all(|pair| graph.dependencies(pair[1]).contains(&pair[0])));
        let total: u64 = chain.iter().map(|&t| weights[t as usize]).sum();
        let heaviest = (0..count).map(|t| heaviest_from(&graph, t, &weights, &counts)).max();
        prop_assert_eq!(Some(total), heaviest);
    }

    #[test]
    fn lost_are_all_that_wait((count, edges) in any_graph()) {
        let graph = graph(count as usize, &edges);
        let reach = reach(count, &edges);
        for task in 0..count {
            let waiting = (0..count).filter(|&t| t != task && reach[t as usize].contains(&task));
            prop_assert_eq!(graph.lost_without(task), waiting.collect::<Vec<_>>());
        }
    }
}

/// The length of the shortest circle of two or more tasks within `knot`, by growing walks from each.
fn shortest_circle(graph: &TaskGraph, knot: &BTreeSet<u32>) -> Option<u32> {
    let step = |from: &BTreeSet<u32>| -> BTreeSet<u32> {
        let next = from
            .iter()
            .flat_map(|&t| graph.dependencies(t).iter().map(move |&d| (t, d)));
        next.filter(|(t, d)| t != d && knot.contains(d))
            .map(|(_, d)| d)
            .collect()
    };
    knot.iter()
        .filter_map(|&start| {
            let mut at = BTreeSet::from([start]);
            (1..=knot.len() as u32).find(|_| {
                at = step(&at);
                at.contains(&start)
            })
        })
        .min()
}

#[test]
fn the_circle_through_a_task_is_its_own() {
    let graph = TaskGraph::new(
        6,
        [(0, 1), (1, 2), (2, 0), (2, 1), (3, 0), (4, 4)].into_iter(),
    );
    assert_eq!(graph.circle_through(0), Some(vec![0, 1, 2]));
    assert_eq!(graph.circle_through(2), Some(vec![2, 1]));
    assert_eq!(graph.circle_through(4), Some(vec![4]));
    assert_eq!(graph.circle_through(3), None);
    assert_eq!(graph.circle_through(9), None);
}
