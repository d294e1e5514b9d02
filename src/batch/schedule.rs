//! Which task comes next, and where.
//!
//! The task whose sample has the most left to do comes first, so that the longest chain does not stand alone at the end. A task
//! starts where its threads and its memory are free; one that asks for more than a node has gets all of a node to itself.

use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What a node has, or has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Threads.
    pub threads: usize,
    /// Bytes of memory.
    pub memory: u64,
}

/// A task as it is scheduled.
#[derive(Clone, Debug)]
pub struct Item {
    /// How long it takes, in any unit.
    pub cost: u64,
    /// What it asks for; 0 threads for all of a node.
    pub room: Room,
    /// Tasks that have to be done before.
    pub after: Vec<usize>,
}

/// Tasks that wait, run, or are over.
#[derive(Clone, Debug)]
pub struct Schedule {
    items: Vec<Item>,
    followers: Vec<Vec<usize>>,
    /// Tasks that an item waits for.
    waits: Vec<usize>,
    /// Cost of an item and of the dearest chain behind it.
    weights: Vec<u64>,
    ready: BTreeSet<(Reverse<u64>, usize)>,
    nodes: Vec<Node>,
    /// Room that each running item has on its node.
    running: Vec<Option<(usize, Room)>>,
}

#[derive(Clone, Debug)]
struct Node {
    whole: Room,
    free: Room,
    running: usize,
}

impl Schedule {
    /// Of tasks, each behind those that it waits for, on nodes.
    pub fn new(items: Vec<Item>, nodes: &[Room]) -> Self {
        let mut followers = vec![Vec::new(); items.len()];
        for (number, item) in items.iter().enumerate() {
            item.after.iter().for_each(|&before| followers[before].push(number));
        }
        let mut weights = vec![0; items.len()];
        for number in (0..items.len()).rev() {
            let behind = followers[number].iter().map(|&follower| weights[follower]).max().unwrap_or(0);
            weights[number] = items[number].cost.saturating_add(behind);
        }
        let waits: Vec<usize> = items.iter().map(|item| item.after.len()).collect();
        let ready = (0..items.len()).filter(|&n| waits[n] == 0).map(|n| (Reverse(weights[n]), n)).collect();
        let nodes = nodes.iter().map(|&whole| Node { whole, free: whole, running: 0 }).collect();
        let running = vec![None; items.len()];
        Self { items, followers, waits, weights, ready, nodes, running }
    }

    /// The next task that some node has room for, and the node; the task runs from now on.
    pub fn start(&mut self) -> Option<(usize, usize)> {
        if self.nodes.iter().all(|node| node.running > 0 && node.free.threads == 0) {
            return None;
        }
        let found =
            self.ready.iter().find_map(|&(_, task)| Some((task, self.node_for(self.items[task].room)?)));
        let (task, (node, room)) = found?;
        self.ready.remove(&(Reverse(self.weights[task]), task));
        let there = &mut self.nodes[node];
        there.free.threads -= room.threads;
        there.free.memory -= room.memory;
        there.running += 1;
        self.running[task] = Some((node, room));
        Some((task, node))
    }

    /// Threads that a running task has.
    pub fn threads(&self, task: usize) -> usize {
        self.running[task].map_or(1, |(_, room)| room.threads)
    }

    /// A task that has not been started is done: those that only waited for it are ready, unless they are not to go on.
    pub fn keep(&mut self, task: usize, goes_on: bool) {
        self.ready.remove(&(Reverse(self.weights[task]), task));
        if goes_on {
            self.release(task);
        }
    }

    /// Tasks that wait for nothing and have not been started.
    pub fn ready(&self) -> impl Iterator<Item = usize> + '_ {
        self.ready.iter().map(|&(_, task)| task)
    }

    /// A running task is done: those that only waited for it are ready.
    pub fn done(&mut self, task: usize) {
        self.free(task);
        self.release(task);
    }

    /// A running task failed: what waits for it will not run.
    pub fn failed(&mut self, task: usize) {
        self.free(task);
    }

    /// A running task is to be tried again, with so much memory.
    pub fn again(&mut self, task: usize, memory: u64) {
        self.free(task);
        self.items[task].room.memory = memory;
        self.ready.insert((Reverse(self.weights[task]), task));
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.nodes.iter().map(|node| node.running).sum()
    }

    fn release(&mut self, task: usize) {
        for follower in std::mem::take(&mut self.followers[task]) {
            self.waits[follower] -= 1;
            if self.waits[follower] == 0 {
                self.ready.insert((Reverse(self.weights[follower]), follower));
            }
        }
    }

    fn free(&mut self, task: usize) {
        if let Some((node, room)) = self.running[task].take() {
            let there = &mut self.nodes[node];
            there.free.threads += room.threads;
            there.free.memory += room.memory;
            there.running -= 1;
        }
    }

    /// The node with the most threads left that has room, and what the task gets of it.
    fn node_for(&self, asked: Room) -> Option<(usize, Room)> {
        let fits = |(number, node): (usize, &Node)| {
            let all = asked.threads == 0;
            let room = Room {
                threads: if all { node.whole.threads } else { asked.threads.min(node.whole.threads) },
                memory: asked.memory.min(node.whole.memory),
            };
            (room.threads <= node.free.threads && room.memory <= node.free.memory).then_some((number, room))
        };
        let nodes = self.nodes.iter().enumerate().filter_map(fits);
        nodes.max_by_key(|&(number, _)| (self.nodes[number].free.threads, Reverse(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(cost: u64, threads: usize, memory: u64, after: &[usize]) -> Item {
        Item { cost, room: Room { threads, memory }, after: after.to_vec() }
    }

    #[test]
    fn the_longest_chain_comes_first() {
        // 1 and 2 are one chain of 3 + 9; 0 alone is 10.
        let items = vec![item(10, 1, 1, &[]), item(3, 1, 1, &[]), item(9, 1, 1, &[1])];
        let mut schedule = Schedule::new(items, &[Room { threads: 1, memory: 4 }]);
        assert_eq!(schedule.start(), Some((1, 0)));
        assert_eq!(schedule.start(), None);
        schedule.done(1);
        assert_eq!(schedule.start(), Some((0, 0)));
    }

    #[test]
    fn memory_and_threads_bound_what_runs_together() {
        let items = vec![item(9, 1, 3, &[]), item(8, 1, 3, &[]), item(7, 1, 1, &[]), item(1, 0, 99, &[])];
        let mut schedule = Schedule::new(items, &[Room { threads: 3, memory: 4 }]);
        // The second does not fit beside the first, the third does; the last asks for more than there is and runs alone.
        assert_eq!(
            (schedule.start(), schedule.start(), schedule.start()),
            (Some((0, 0)), Some((2, 0)), None)
        );
        schedule.again(0, 4);
        assert_eq!(schedule.start(), Some((1, 0)));
        schedule.done(1);
        schedule.done(2);
        assert_eq!((schedule.start(), schedule.start()), (Some((0, 0)), None));
        schedule.failed(0);
        assert_eq!(schedule.start(), Some((3, 0)));
        assert_eq!(schedule.threads(3), 3);
    }

    proptest! {
        #[test]
        fn every_task_runs_once_and_within_its_node(
            costs in proptest::collection::vec((1u64..100, 0usize..5, 1u64..20, any::<u64>()), 1..40),
            nodes in proptest::collection::vec((1usize..5, 1u64..12), 1..4),
            picks in proptest::collection::vec(any::<u64>(), 80),
        ) {
            let nodes: Vec<Room> = nodes.iter().map(|&(threads, memory)| Room { threads, memory }).collect();
            let items: Vec<Item> = costs.iter().enumerate().map(|(number, &(cost, threads, memory, seed))| {
                let after: Vec<usize> = (0..number).filter(|&n| (seed >> (n % 64)) & 7 == 7).collect();
                item(cost, threads, memory, &after)
            }).collect();
            let mut schedule = Schedule::new(items.clone(), &nodes);
            let (mut running, mut done) = (Vec::new(), Vec::new());
            for pick in picks.iter().cycle().take(10_000) {
                while let Some((task, node)) = schedule.start() {
                    prop_assert!(items[task].after.iter().all(|before| done.contains(before)));
                    prop_assert!(!done.contains(&task) && !running.iter().any(|&(other, _)| other == task));
                    running.push((task, node));
                }
                for (number, whole) in nodes.iter().enumerate() {
                    let here: Vec<usize> = running.iter().filter(|r| r.1 == number).map(|r| r.0).collect();
                    let threads: usize = here.iter().map(|&task| schedule.threads(task)).sum();
                    let memory: u64 = here.iter().map(|&task| items[task].room.memory.min(whole.memory)).sum();
                    prop_assert!(threads <= whole.threads && memory <= whole.memory);
                }
                if running.is_empty() {
                    break;
                }
                let (task, _) = running.swap_remove((*pick % running.len() as u64) as usize);
                schedule.done(task);
                done.push(task);
            }
            prop_assert_eq!(done.len(), items.len());
        }
    }
}
