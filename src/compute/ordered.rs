//! Work on many items at once, results taken in the items' order.

use std::collections::BTreeMap;
use std::sync::mpsc;

use rayon::ThreadPool;

/// Runs `work` on every item with the pool's threads and hands the results to `commit` in the items' order, on the
/// calling thread. At most `2 * threads` items are under way or waiting, which bounds the memory. The first error, in
/// the items' order, ends the run.
pub fn for_each_ordered<T, R, E>(
    pool: &ThreadPool,
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> Result<R, E> + Sync,
    mut commit: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    R: Send,
    E: Send,
{
    let limit = 2 * pool.current_num_threads();
    let (sender, receiver) = mpsc::channel();
    let mut items = items.into_iter().enumerate();
    let work = &work;
    pool.in_place_scope_fifo(|scope| {
        let (mut started, mut next, mut waiting) = (0, 0, BTreeMap::new());
        loop {
            while started - next < limit {
                let Some((number, item)) = items.next() else { break };
                let sender = sender.clone();
                scope.spawn_fifo(move |_| {
                    // The receiver is gone only when an earlier item failed; then nobody wants this result.
                    let _ = sender.send((number, work(item)));
                });
                started += 1;
            }
            if next == started {
                return Ok(());
            }
            if let Ok((number, result)) = receiver.recv() {
                waiting.insert(number, result);
            }
            while let Some(result) = waiting.remove(&next) {
                commit(result?)?;
                next += 1;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_at_any_number_of_threads() {
        for threads in [1, 2, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
            let mut seen = Vec::new();
            let work = |n: u64| {
                std::thread::sleep(std::time::Duration::from_micros((n * 7919) % 500));
                Ok::<_, ()>(n * n)
            };
            let commit = |n| {
                seen.push(n);
                Ok(())
            };
            for_each_ordered(&pool, 0..100, work, commit).expect("no error");
            assert_eq!(seen, (0..100).map(|n| n * n).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn the_first_error_in_order_is_the_one_returned() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("pool");
        let work = |n: u32| if n % 10 == 7 { Err(n) } else { Ok(n) };
        assert_eq!(for_each_ordered(&pool, 0..100, work, |_| Ok(())), Err(7));
    }
}
