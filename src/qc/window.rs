//! Values per reference position in a window that moves along a stretch: what every depth counter stands on.

use super::collector::Stretch;

/// Positions are handed over in runs of about this many, which keeps them in the second-level cache.
const FLUSH_LENGTH: usize = 1 << 15;

/// A run of finished positions.
#[derive(Debug, PartialEq, Eq)]
pub enum Run<'a, T> {
    /// So many positions that nothing touched.
    Untouched(u32),
    /// One value a position.
    Values(&'a mut [T]),
}

/// A value of type `T` for each position from the first unfinished one on.
///
/// Reads come in coordinate order, so every position left of the newest read's start is finished. Positions outside the
/// stretch are never touched: [`Window::clip`] cuts ranges to it.
#[derive(Clone, Debug)]
pub struct Window<T> {
    stretch: Stretch,
    /// Reference position of `values[0]`.
    start: u32,
    /// One past the last position that was touched.
    touched: u32,
    values: Vec<T>,
}

impl<T: Copy + Default> Window<T> {
    /// A window over nothing.
    pub fn new() -> Self {
        let stretch = Stretch { contig: 0, start: 0, end: 0 };
        Self { stretch, start: 0, touched: 0, values: Vec::new() }
    }

    /// Begins a stretch; what stood in the window must have been finished.
    pub fn enter(&mut self, stretch: Stretch) {
        debug_assert!(self.touched <= self.start);
        self.stretch = stretch;
        self.start = stretch.start;
        self.touched = stretch.start;
    }

    /// The stretch entered last.
    pub fn stretch(&self) -> Stretch {
        self.stretch
    }

    /// The part of the range that lies in the stretch and is not finished, as (start, end), and by how much the start
    /// was moved; `None` where nothing is left.
    #[inline]
    pub fn clip(&self, start: u32, end: u32) -> Option<(u32, u32)> {
        let start = start.max(self.start);
        let end = end.min(self.stretch.end);
        (start < end).then_some((start, end))
    }

    /// The values of `start..end`, which must come from [`Window::clip`]; `end` may be one larger, so that a step down
    /// can stand behind the range.
    #[inline]
    pub fn values(&mut self, start: u32, end: u32) -> &mut [T] {
        let from = (start - self.start) as usize;
        let to = (end - self.start) as usize;
        if to > self.values.len() {
            self.values.resize((to + 2 * FLUSH_LENGTH).next_multiple_of(FLUSH_LENGTH), T::default());
        }
        self.touched = self.touched.max(end);
        &mut self.values[from..to]
    }

    /// Whether [`Window::advance`] to this position would hand over anything.
    #[inline]
    pub fn is_due(&self, position: u32) -> bool {
        position.saturating_sub(self.start) as usize >= FLUSH_LENGTH
    }

    /// A read starts at `position`: hands over what lies left of it once that is worth it.
    #[inline]
    pub fn advance(&mut self, position: u32, finish: impl FnMut(u32, Run<'_, T>)) {
        if self.is_due(position) {
            self.finish_to(position.min(self.stretch.end), finish);
        }
    }

    /// The stretch ends: hands over all the rest.
    pub fn leave(&mut self, finish: impl FnMut(u32, Run<'_, T>)) {
        self.finish_to(self.stretch.end, finish);
        let beyond = self.touched.saturating_sub(self.start) as usize;
        self.values[..beyond].fill(T::default());
        self.touched = self.start;
    }

    /// Hands over the positions up to `to`: each call of `finish` gets the first position of a run and the run.
    fn finish_to(&mut self, to: u32, mut finish: impl FnMut(u32, Run<'_, T>)) {
        let touched_to = self.touched.min(to).max(self.start);
        let count = (touched_to - self.start) as usize;
        let mut at = 0;
        while at < count {
            let next = (at + FLUSH_LENGTH).min(count);
            finish(self.start + at as u32, Run::Values(&mut self.values[at..next]));
            at = next;
        }
        if to > touched_to {
            finish(touched_to, Run::Untouched(to - touched_to));
        }
        // What was touched beyond moves to the front; the rest becomes empty again.
        let kept = self.touched.saturating_sub(touched_to.max(to)) as usize;
        let used = self.touched.saturating_sub(self.start) as usize;
        self.values.copy_within(used - kept..used, 0);
        self.values[kept..used.max(kept)].fill(T::default());
        self.start = to.max(self.start);
        self.touched = self.touched.max(self.start);
    }
}

impl<T: Copy + Default> Default for Window<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Depth of every position of the stretch as the window gives it.
    fn depths(stretch: Stretch, ranges: &[(u32, u32)]) -> Vec<u32> {
        let mut window = Window::<u32>::new();
        window.enter(stretch);
        let mut out = Vec::new();
        let mut take = |start: u32, run: Run<'_, u32>| {
            assert_eq!(start as usize, stretch.start as usize + out.len());
            match run {
                Run::Untouched(n) => out.extend(std::iter::repeat_n(0, n as usize)),
                Run::Values(values) => out.extend_from_slice(values),
            }
        };
        for &(start, end) in ranges {
            window.advance(start, &mut take);
            if let Some((start, end)) = window.clip(start, end) {
                window.values(start, end).iter_mut().for_each(|d| *d += 1);
            }
        }
        window.leave(&mut take);
        out
    }

    proptest! {
        #[test]
        fn it_counts_as_one_long_array_does(
            mut ranges in proptest::collection::vec((0u32..400_000, 0u32..70_000), 0..60),
            start in 0u32..200_000, length in 1u32..300_000,
        ) {
            ranges.sort_unstable();
            let ranges: Vec<_> = ranges.into_iter().map(|(s, l)| (s, s + l)).collect();
            let stretch = Stretch { contig: 0, start, end: start + length };
            let mut plain = vec![0u32; length as usize];
            for &(s, e) in &ranges {
                for p in s.max(start)..e.min(start + length) {
                    plain[(p - start) as usize] += 1;
                }
            }
            prop_assert_eq!(depths(stretch, &ranges), plain);
        }
    }
}
