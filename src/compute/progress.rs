//! Progress of a long run, on standard error: a bar on a terminal, a line every 30 s in a log.
//!
//! Ticks are two relaxed atomic additions, so every thread may call them for every batch; a thread of its own does the
//! showing. Labels are the caller's: never the name of a sample.

use std::{
    fmt::Write as _,
    io::{IsTerminal, Write as _},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts bytes and records, and shows them until finished or dropped.
#[derive(Debug)]
pub struct Progress {
    state: Arc<State>,
    shower: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show. `total_bytes` is the length of the input if known, which gives a share and the time left;
    /// `quiet` counts only.
    pub fn new(total_bytes: Option<u64>, label: &str, quiet: bool) -> Self {
        let state = Arc::new(State {
            label: label.to_owned(),
            total: total_bytes,
            start: Instant::now(),
            bytes: AtomicU64::new(0),
            records: AtomicU64::new(0),
            finished: Mutex::new(false),
            wake: Condvar::new(),
        });
        let show = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => None,
            (false, true) => Some(show_bar as fn(&State)),
            (false, false) => Some(show_lines as fn(&State)),
        };
        let shower = show.and_then(|show| {
            let state = Arc::clone(&state);
            // A run without progress is better than none.
            std::thread::Builder::new().name("progress".to_owned()).spawn(move || show(&state)).ok()
        });
        Self { state, shower }
    }

    /// Counts bytes of input and records as done. Callable from any thread.
    pub fn add(&self, bytes: u64, records: u64) {
        self.state.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.state.records.fetch_add(records, Ordering::Relaxed);
    }

    /// Bytes counted so far.
    pub fn bytes(&self) -> u64 {
        self.state.bytes.load(Ordering::Relaxed)
    }

    /// Records counted so far.
    pub fn records(&self) -> u64 {
        self.state.records.load(Ordering::Relaxed)
    }

    /// Shows the last state and stops. Dropping does the same.
    pub fn finish(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        *self.state.lock() = true;
        self.state.wake.notify_all();
        if let Some(shower) = self.shower.take() {
            let _ = shower.join();
        }
    }
}

#[derive(Debug)]
struct State {
    label: String,
    total: Option<u64>,
    start: Instant,
    bytes: AtomicU64,
    records: AtomicU64,
    finished: Mutex<bool>,
    wake: Condvar,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end, at most for `time`; true if it has come.
    fn is_finished_within(&self, time: Duration) -> bool {
        let waited = self.wake.wait_timeout_while(self.lock(), time, |finished| !*finished);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn line(&self) -> String {
        let (bytes, records) = (self.bytes.load(Ordering::Relaxed), self.records.load(Ordering::Relaxed));
        describe(&self.label, bytes, self.total, records, self.start.elapsed())
    }
}

/// Between two lines of a log.
const LINE_EVERY: Duration = Duration::from_secs(30);
/// Between two states of the bar.
const BAR_EVERY: Duration = Duration::from_millis(100);

fn show_lines(state: &State) {
    while !state.is_finished_within(LINE_EVERY) {
        print(&state.line());
    }
    // A short run says nothing.
    if state.start.elapsed() >= LINE_EVERY {
        print(&state.line());
    }
}

/// In one write, because other processes may write to the same log. A log that is gone is no reason to stop.
fn print(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn show_bar(state: &State) {
    let bar = ProgressBar::with_draw_target(state.total, ProgressDrawTarget::stderr());
    let template = match state.total {
        Some(_) => "{prefix} [{wide_bar}] {bytes}/{total_bytes} {msg} {bytes_per_sec} {eta} left",
        None => "{prefix} {spinner} {bytes} {msg} {bytes_per_sec} {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(state.label.clone());
    let update = || {
        bar.set_message(format!("{} records", HumanCount(state.records.load(Ordering::Relaxed))));
        bar.set_position(state.bytes.load(Ordering::Relaxed));
    };
    while !state.is_finished_within(BAR_EVERY) {
        update();
    }
    update();
    bar.abandon();
}

/// One line of a log: label, bytes (and share), records, rate, time passed (and left).
fn describe(label: &str, bytes: u64, total: Option<u64>, records: u64, elapsed: Duration) -> String {
    let rate = bytes as f64 / elapsed.as_secs_f64().max(1e-3);
    let mut line = format!("{label}: {}", HumanBytes(bytes));
    if let Some(total) = total.filter(|&total| total > 0) {
        let share = 100.0 * bytes.min(total) as f64 / total as f64;
        let _ = write!(line, " of {} ({share:.1} %)", HumanBytes(total));
    }
    let _ = write!(
        line,
        ", {} records, {}/s, {} passed",
        HumanCount(records),
        HumanBytes(rate as u64),
        HumanDuration(elapsed)
    );
    if let Some(left) = total.and_then(|total| total.checked_sub(bytes)).filter(|_| rate >= 1.0)
        && let Ok(left) = Duration::try_from_secs_f64(left as f64 / rate)
    {
        let _ = write!(line, ", {} left", HumanDuration(left));
    }
    line
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_bytes_records_rate_and_time_left() {
        let minute = Duration::from_secs(60);
        for (total, bytes, line) in [
            (
                Some(8 << 30),
                2 << 30,
                "qc: 2.00 GiB of 8.00 GiB (25.0 %), 1,234,567 records, 34.13 MiB/s, 60 seconds passed, 3 minutes left",
            ),
            (None, 3 << 20, "qc: 3.00 MiB, 1,234,567 records, 51.20 KiB/s, 60 seconds passed"),
            (Some(0), 0, "qc: 0 B, 1,234,567 records, 0 B/s, 60 seconds passed"),
            (
                Some(1 << 20),
                2 << 20,
                "qc: 2.00 MiB of 1.00 MiB (100.0 %), 1,234,567 records, 34.13 KiB/s, 60 seconds passed",
            ),
        ] {
            assert_eq!(describe("qc", bytes, total, 1_234_567, minute), line);
        }
        describe("qc", u64::MAX, Some(u64::MAX), u64::MAX, Duration::ZERO);
        describe("qc", 1, Some(u64::MAX), 0, Duration::MAX);
    }

    #[test]
    fn ticks_from_many_threads_all_count() {
        let progress = Progress::new(Some(8000), "test", true);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1000).for_each(|_| progress.add(1, 2)));
            }
        });
        assert_eq!((progress.bytes(), progress.records()), (8000, 16_000));
        progress.finish();
    }

    #[test]
    fn the_end_comes_at_once() {
        let start = Instant::now();
        let progress = Progress::new(None, "test", false);
        progress.add(1, 1);
        progress.finish();
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
