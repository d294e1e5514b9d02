//! Work on many items at once, results taken in the items' order.

use rayon::ThreadPool;

use super::stages::Stage;

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
    pool.in_place_scope_fifo(|scope| {
        let mut stage = Stage::new(scope, limit, &work);
        for item in items {
            while let Some(result) = if stage.has_room() { stage.try_pop() } else { stage.pop() } {
                commit(result?)?;
            }
            stage.push(item);
        }
        while let Some(result) = stage.pop() {
            commit(result?)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_at_any_number_of_threads() {
        for (threads, takes_part) in [(1, false), (2, false), (7, false), (1, true), (2, true)] {
            std::thread::spawn(move || squares(threads, takes_part)).join().expect("order");
        }
    }

    fn squares(threads: usize, takes_part: bool) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = if takes_part { pool.use_current_thread() } else { pool }.build().expect("pool");
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

    #[test]
    fn the_first_error_in_order_is_the_one_returned() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("pool");
        let work = |n: u32| if n % 10 == 7 { Err(n) } else { Ok(n) };
        assert_eq!(for_each_ordered(&pool, 0..100, work, |_| Ok(())), Err(7));
    }
}
