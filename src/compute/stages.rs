//! Stages of a pipeline whose work runs on a pool and whose results come out in the order in which work went in.
//!
//! The calling thread moves things between stages: it reads, feeds the first, carries what comes out of one into the
//! next, and writes. [`super::ordered`] is the same for one stage with nothing between.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::Duration;

use rayon::{ScopeFifo, Yield};

/// How long a thread of the pool waits for others before it looks for work again.
const IDLE: Duration = Duration::from_micros(200);

/// Work on items of type `T` that gives results of type `R`.
pub struct Stage<'s, 'scope, T, R> {
    scope: &'s ScopeFifo<'scope>,
    work: &'scope (dyn Fn(T) -> R + Sync),
    sender: Sender<(usize, R)>,
    receiver: Receiver<(usize, R)>,
    /// Results that came before their turn.
    waiting: BTreeMap<usize, R>,
    started: usize,
    next: usize,
    limit: usize,
}

impl<'s, 'scope, T: Send + 'scope, R: Send + 'scope> Stage<'s, 'scope, T, R> {
    /// A stage that has room for `limit` items under way or waiting.
    pub fn new(scope: &'s ScopeFifo<'scope>, limit: usize, work: &'scope (dyn Fn(T) -> R + Sync)) -> Self {
        let (sender, receiver) = channel();
        let waiting = BTreeMap::new();
        Self { scope, work, sender, receiver, waiting, started: 0, next: 0, limit: limit.max(1) }
    }

    /// Whether there is room for another item.
    pub fn has_room(&self) -> bool {
        self.started - self.next < self.limit
    }

    /// Whether nothing is under way or waiting.
    pub fn is_empty(&self) -> bool {
        self.started == self.next
    }

    /// Begins work on an item.
    pub fn push(&mut self, item: T) {
        let (number, work, sender) = (self.started, self.work, self.sender.clone());
        self.started += 1;
        self.scope.spawn_fifo(move |_| {
            // The receiver is gone only when the run was given up; then nobody wants the result.
            let _ = sender.send((number, work(item)));
        });
    }

    /// The next result in order, if it is there.
    pub fn try_pop(&mut self) -> Option<R> {
        while let Ok((number, result)) = self.receiver.try_recv() {
            self.waiting.insert(number, result);
        }
        self.take()
    }

    /// The next result in order, which is waited for; `None` where nothing is under way. A thread of the pool works on
    /// what is pending meanwhile.
    pub fn pop(&mut self) -> Option<R> {
        loop {
            if let Some(result) = self.try_pop() {
                return Some(result);
            }
            if self.is_empty() {
                return None;
            }
            let (number, result) = receive(&self.receiver)?;
            self.waiting.insert(number, result);
        }
    }

    fn take(&mut self) -> Option<R> {
        let result = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(result)
    }
}

/// What the work of other threads gives, which is waited for; `None` where it was given up. A thread of the pool works
/// on what is pending meanwhile.
pub fn receive<T>(receiver: &Receiver<T>) -> Option<T> {
    loop {
        match receiver.try_recv() {
            Ok(result) => return Some(result),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        match rayon::yield_now() {
            Some(Yield::Executed) => {}
            // Others are at work on all that there is; they may need help again before the result is there.
            Some(Yield::Idle) => match receiver.recv_timeout(IDLE) {
                Ok(result) => return Some(result),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            },
            None => return receiver.recv().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_stages_keep_the_order() {
        for (threads, takes_part) in [(1, false), (2, false), (5, false), (1, true), (3, true)] {
            std::thread::spawn(move || two_stages(threads, takes_part)).join().expect("order");
        }
    }

    fn two_stages(threads: usize, takes_part: bool) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = if takes_part { pool.use_current_thread() } else { pool }.build().expect("pool");
        let double = |n: u64| {
            std::thread::sleep(std::time::Duration::from_micros(n * 7919 % 300));
            2 * n
        };
        let text = |n: u64| n.to_string();
        let mut found = Vec::new();
        pool.in_place_scope_fifo(|scope| {
            let mut first = Stage::new(scope, 2 * threads, &double);
            let mut second = Stage::new(scope, 2 * threads, &text);
            let mut items = 0..200u64;
            loop {
                while first.has_room() {
                    let Some(item) = items.next() else { break };
                    first.push(item);
                }
                match first.pop() {
                    Some(n) => second.push(n),
                    None => break,
                }
                while !second.has_room() {
                    found.extend(second.pop());
                }
                while let Some(text) = second.try_pop() {
                    found.push(text);
                }
            }
            while let Some(text) = second.pop() {
                found.push(text);
            }
        });
        assert_eq!(found, (0..200).map(|n| (2 * n).to_string()).collect::<Vec<_>>());
    }
}
