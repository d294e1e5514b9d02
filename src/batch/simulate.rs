//! How long a night would take on other machines: the same scheduler, with tasks that take as long as rates say.
//!
//! Time goes from event to event. A task reads its bytes at the rate of its step, which grows with threads up to the share that
//! Amdahl's law leaves; it begins a fixed while after it was handed out. Nodes fail after exponentially distributed times; what ran there is
//! begun again when the node is back, as a requeued job does it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::config::Step;
use super::plan::Plan;
use super::schedule::{Item, Room, Schedule};
use crate::compute::drand48::Drand48;

/// How fast a step works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Bytes a second of one thread.
    pub bytes_per_second: f64,
    /// The share of the work that threads do not share.
    pub serial: f64,
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Tasks: cost in bytes, what they ask for, what they wait for; and their steps.
    pub items: Vec<Item>,
    /// The step of each.
    pub steps: Vec<Step>,
    /// By step.
    pub rates: Vec<(Step, Rate)>,
    /// Seconds that a task takes beside its work.
    pub overhead: f64,
    /// What a node has.
    pub room: Room,
    /// Failures of a node in an hour.
    pub failures_per_hour: f64,
    /// Seconds until a failed node works again.
    pub repair: f64,
    /// Of the random numbers.
    pub seed: i64,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Makespan {
    /// Seconds from the first task's beginning to the last one's end.
    pub seconds: f64,
    /// Seconds of threads that worked for tasks that were finished, over seconds of all threads.
    pub efficiency: f64,
    /// Tasks that were lost with a node.
    pub lost: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// A task ends, if it is still this try.
    Ends { task: usize, attempt: u32 },
    /// A node fails.
    Fails { node: usize },
}

/// Times that a task is lost, on average, before a night is given up.
const MOST_LOST: usize = 1000;

/// Nanoseconds, which have an order.
fn at(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

impl Simulation {
    /// Of a plan.
    pub fn of(plan: &Plan, rates: Vec<(Step, Rate)>, room: Room) -> Self {
        let items = plan.tasks.iter().map(|task| Item {
            cost: task.cost,
            room: Room { threads: task.threads, memory: task.memory },
            after: task.after.clone(),
        });
        Self {
            items: items.collect(),
            steps: plan.tasks.iter().map(|task| task.name.step).collect(),
            rates,
            overhead: 0.01,
            room,
            failures_per_hour: 0.0,
            repair: 300.0,
            seed: 1,
        }
    }

    /// On so many nodes.
    pub fn run(&self, nodes: usize) -> Makespan {
        let mut schedule = Schedule::new(self.items.clone(), &vec![self.room; nodes]);
        let mut random = Drand48::new(self.seed);
        let mut events: BinaryHeap<Reverse<(u64, Happening)>> = BinaryHeap::new();
        let mut fail = |events: &mut BinaryHeap<_>, now: f64, node: usize| {
            if self.failures_per_hour > 0.0 {
                let wait = -(1.0 - random.next()).ln() * 3600.0 / self.failures_per_hour;
                events.push(Reverse((at(now + wait), Happening::Fails { node })));
            }
        };
        (0..nodes).for_each(|node| fail(&mut events, 0.0, node));
        // Of each task: where it runs since when, and which try it is.
        let mut running: Vec<Option<(usize, f64)>> = vec![None; self.items.len()];
        let mut attempts = vec![0; self.items.len()];
        let mut back_at = vec![0.0f64; nodes];
        let (mut now, mut useful, mut lost, mut left) = (0.0, 0.0, 0, self.items.len());
        while left > 0 {
            // Tasks that take longer than nodes hold out never end.
            if lost > MOST_LOST * self.items.len() {
                return Makespan { seconds: f64::INFINITY, efficiency: 0.0, lost };
            }
            while let Some((task, node)) = schedule.start() {
                let begins = f64::max(now, back_at[node]);
                running[task] = Some((node, begins));
                let ends = begins + self.seconds(task, schedule.threads(task));
                events.push(Reverse((at(ends), Happening::Ends { task, attempt: attempts[task] })));
            }
            let Some(Reverse((time, happening))) = events.pop() else { break };
            now = time as f64 / 1e9;
            match happening {
                Happening::Ends { task, attempt } if attempt == attempts[task] => {
                    if let Some((_, begun)) = running[task].take() {
                        useful += (now - begun) * schedule.threads(task) as f64;
                        left -= 1;
                    }
                    schedule.done(task);
                }
                Happening::Ends { .. } => {}
                Happening::Fails { node } => {
                    back_at[node] = now + self.repair;
                    for task in 0..running.len() {
                        if running[task].is_some_and(|(there, _)| there == node) {
                            running[task] = None;
                            attempts[task] += 1;
                            lost += 1;
                            schedule.again(task, self.items[task].room.memory);
                        }
                    }
                    fail(&mut events, now + self.repair, node);
                }
            }
        }
        let all = now * (nodes * self.room.threads) as f64;
        Makespan { seconds: now, efficiency: if all > 0.0 { useful / all } else { 1.0 }, lost }
    }

    fn seconds(&self, task: usize, threads: usize) -> f64 {
        let rate = self.rates.iter().find(|(step, _)| *step == self.steps[task]).map(|(_, rate)| *rate);
        let Some(rate) = rate else { return self.overhead };
        let alone = self.items[task].cost as f64 / rate.bytes_per_second;
        self.overhead + alone * (rate.serial + (1.0 - rate.serial) / threads.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn simulation(costs: &[u64], threads: usize) -> Simulation {
        let item = |&cost: &u64| Item { cost, room: Room { threads: 1, memory: 1 }, after: Vec::new() };
        Simulation {
            items: costs.iter().map(item).collect(),
            steps: vec![Step::Qc; costs.len()],
            rates: vec![(Step::Qc, Rate { bytes_per_second: 1.0, serial: 0.0 })],
            overhead: 0.0,
            room: Room { threads, memory: 99 },
            failures_per_hour: 0.0,
            repair: 60.0,
            seed: 3,
        }
    }

    #[test]
    fn a_night_without_failures_is_what_one_reckons_by_hand() {
        // The biggest first on two threads: 5 | 4 then 3 | 3 then 3 are 8 and 10 in all.
        for (costs, nodes, threads, seconds, efficiency) in [
            (&[5, 4, 3, 3, 3][..], 1, 2, 10.0, 0.9),
            (&[5, 4, 3, 3, 3], 2, 1, 10.0, 0.9),
            (&[6, 6], 4, 1, 6.0, 0.5),
            (&[1, 2, 3], 1, 1, 6.0, 1.0),
        ] {
            let found = simulation(costs, threads).run(nodes);
            assert_eq!((found.seconds, found.lost), (seconds, 0), "{costs:?}");
            assert!((found.efficiency - efficiency).abs() < 1e-12);
        }
        let mut wide = simulation(&[100], 4);
        wide.items[0].room.threads = 0;
        wide.rates[0].1.serial = 0.2;
        // Amdahl: 100 x (0.2 + 0.8 / 4).
        assert!((wide.run(1).seconds - 40.0).abs() < 1e-9);
    }

    #[test]
    fn failures_cost_what_ran_and_nothing_else() {
        let mut failing = simulation(&[600; 24], 4);
        failing.failures_per_hour = 6.0;
        let (alone, with) = (simulation(&[600; 24], 4).run(2), failing.run(2));
        assert_eq!(with, failing.run(2));
        assert!(
            with.lost > 0 && with.seconds > alone.seconds && with.efficiency < alone.efficiency,
            "{with:?}"
        );
        assert_eq!(simulation(&[600; 24], 4).run(64).seconds, 600.0);
        failing.failures_per_hour = 1e6;
        assert_eq!((failing.run(2).seconds, failing.run(2).efficiency), (f64::INFINITY, 0.0));
    }

    #[test]
    fn rates_overhead_and_what_waits_for_what_are_counted() {
        // QC of 100 bytes at 10 a second; calls of 6 bytes at 2 a second, then at 3 behind that; each task a second later.
        let mut night = simulation(&[100, 6, 6], 2);
        night.overhead = 1.0;
        night.steps = vec![Step::Qc, Step::Variants, Step::Annotate];
        night.items[2].after = vec![1];
        let rate = |bytes_per_second| Rate { bytes_per_second, serial: 0.0 };
        night.rates = vec![(Step::Qc, rate(10.0)), (Step::Variants, rate(2.0)), (Step::Annotate, rate(3.0))];
        // 11 seconds on one thread; 4 and then 3 on the other.
        let found = night.run(1);
        assert!((found.seconds - 11.0).abs() < 1e-6, "{found:?}");
        assert!((found.efficiency - 18.0 / 22.0).abs() < 1e-6, "{found:?}");
        // One after the other on one thread.
        night.room.threads = 1;
        assert!((night.run(1).seconds - 18.0).abs() < 1e-6);
    }

    proptest! {
        /// What no schedule can do, this one does not; what every greedy one does, it does; and no work comes or goes.
        #[test]
        fn a_schedule_keeps_its_bounds(
            costs in prop::collection::vec(1u64..1000, 1..40),
            chained in prop::collection::vec(any::<bool>(), 40),
            threads in 1usize..6,
            nodes in 1usize..6,
        ) {
            let mut night = simulation(&costs, threads);
            let mut chains = Vec::new();
            for (task, &cost) in costs.iter().enumerate() {
                let is_behind = task > 0 && chained[task];
                if is_behind {
                    night.items[task].after = vec![task - 1];
                }
                chains.push(cost + if is_behind { chains[task - 1] } else { 0 });
            }
            let (work, longest) = (costs.iter().sum::<u64>() as f64, chains.iter().copied().max().unwrap_or(0) as f64);
            let all = (threads * nodes) as f64;
            let found = night.run(nodes);
            prop_assert!(found.seconds >= longest.max(work / all) - 1e-6, "{:?}", found);
            // Graham's bound of list scheduling, with the longest chain.
            prop_assert!(found.seconds <= work / all + longest * (1.0 - 1.0 / all) + 1e-6, "{:?}", found);
            prop_assert!((found.efficiency * found.seconds * all - work).abs() < 1e-6 * work, "{:?}", found);
            // Failures take time and make none of the work disappear.
            let mut failing = night.clone();
            failing.failures_per_hour = 2.0;
            let with = failing.run(nodes);
            prop_assert!(with.seconds >= longest.max(work / all) - 1e-6);
            prop_assert!((with.efficiency * with.seconds * all - work).abs() < 1e-6 * work, "{:?}", with);
        }
    }
}
