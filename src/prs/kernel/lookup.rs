//! The inner loop: each sample's codes pick rows of tables, and the rows add up.
//!
//! Where the processor has AVX2, it runs compiled for that, else as plain Rust; the results are the same integers.

/// So many streams of codes are added up in registers.
pub(super) const STREAMS: usize = 16;

/// Lanes of tables of 32 bits, which hold multiples of two to a power each.
pub(super) const NARROW: usize = 16;

/// Rows for each code of a byte; a row begins with a line of the processor's cache.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Table<T, const L: usize>(pub(super) [[T; L]; 256]);

/// Tables of as many streams.
pub(super) type Tables<T, const L: usize> = Box<[Table<T, L>; STREAMS]>;

/// Tables of nothing.
pub(super) fn empty_tables<T: Copy + Default + std::fmt::Debug, const L: usize>() -> Tables<T, L> {
    let tables = vec![Table([[T::default(); L]; 256]); STREAMS].into_boxed_slice();
    tables.try_into().unwrap_or_else(|_| unreachable!("as many as were made"))
}

/// The codes of a sample.
pub(super) type Codes = [u8; STREAMS];

/// Whether the processor has AVX2.
pub(super) fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Adds to each sample's sums `base` and the rows that its codes pick, of the first `streams` tables or some more.
pub(super) fn add_wide<const L: usize>(
    codes: &[Codes],
    streams: usize,
    tables: &[Table<i64, L>; STREAMS],
    base: &[i64; L],
    sums: &mut [[i64; L]],
) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the processor has AVX2.
        return unsafe { avx2::add_wide(codes, streams, tables, base, sums) };
    }
    wide_of_any(codes, streams, tables, base, sums);
}

/// As [`add_wide`] with tables of 32 bits, which count `2^shifts`. No sum of rows, one of each table, overflows.
pub(super) fn add_narrow(
    codes: &[Codes],
    streams: usize,
    tables: &[Table<i32, NARROW>; STREAMS],
    base: &[i64; NARROW],
    shifts: &[u32; NARROW],
    sums: &mut [[i64; NARROW]],
) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the processor has AVX2.
        return unsafe { avx2::add_narrow(codes, streams, tables, base, shifts, sums) };
    }
    narrow(codes, streams, tables, base, shifts, sums);
}

#[inline(always)]
fn add<const L: usize>(sums: &mut [i64; L], more: &[i64; L]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.wrapping_add(*more));
}

#[inline(always)]
fn wide_of_any<const L: usize>(
    codes: &[Codes],
    streams: usize,
    tables: &[Table<i64, L>; STREAMS],
    base: &[i64; L],
    sums: &mut [[i64; L]],
) {
    match streams {
        0..=2 => wide::<L, 2>(codes, tables, base, sums),
        3..=4 => wide::<L, 4>(codes, tables, base, sums),
        5..=8 => wide::<L, 8>(codes, tables, base, sums),
        _ => wide::<L, STREAMS>(codes, tables, base, sums),
    }
}

#[inline(always)]
fn wide<const L: usize, const S: usize>(
    codes: &[Codes],
    tables: &[Table<i64, L>; STREAMS],
    base: &[i64; L],
    sums: &mut [[i64; L]],
) {
    for (codes, sums) in codes.iter().zip(sums) {
        let mut total = *base;
        for (table, code) in tables.iter().zip(codes).take(S) {
            add(&mut total, &table.0[usize::from(*code)]);
        }
        add(sums, &total);
    }
}

fn narrow(
    codes: &[Codes],
    streams: usize,
    tables: &[Table<i32, NARROW>; STREAMS],
    base: &[i64; NARROW],
    shifts: &[u32; NARROW],
    sums: &mut [[i64; NARROW]],
) {
    for (codes, sums) in codes.iter().zip(sums) {
        let mut total = [0i32; NARROW];
        for (table, code) in tables.iter().zip(codes).take(streams) {
            let row = &table.0[usize::from(*code)];
            total.iter_mut().zip(row).for_each(|(total, more)| *total = total.wrapping_add(*more));
        }
        for lane in 0..NARROW {
            let units = i64::from(total[lane]) << shifts[lane];
            sums[lane] = sums[lane].wrapping_add(units).wrapping_add(base[lane]);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_add_epi64, _mm256_castsi256_si128, _mm256_cvtepi32_epi64,
        _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_setzero_si256, _mm256_sllv_epi64,
        _mm256_storeu_si256,
    };

    use super::{Codes, NARROW, STREAMS, Table};

    #[target_feature(enable = "avx2")]
    pub(super) fn add_wide<const L: usize>(
        codes: &[Codes],
        streams: usize,
        tables: &[Table<i64, L>; STREAMS],
        base: &[i64; L],
        sums: &mut [[i64; L]],
    ) {
        super::wide_of_any(codes, streams, tables, base, sums);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn add_narrow(
        codes: &[Codes],
        streams: usize,
        tables: &[Table<i32, NARROW>; STREAMS],
        base: &[i64; NARROW],
        shifts: &[u32; NARROW],
        sums: &mut [[i64; NARROW]],
    ) {
        match streams {
            0..=2 => narrow::<2>(codes, tables, base, shifts, sums),
            3..=4 => narrow::<4>(codes, tables, base, shifts, sums),
            5..=8 => narrow::<8>(codes, tables, base, shifts, sums),
            _ => narrow::<STREAMS>(codes, tables, base, shifts, sums),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn narrow<const S: usize>(
        codes: &[Codes],
        tables: &[Table<i32, NARROW>; STREAMS],
        base: &[i64; NARROW],
        shifts: &[u32; NARROW],
        sums: &mut [[i64; NARROW]],
    ) {
        let shifts = shifts.map(i64::from);
        for (codes, sums) in codes.iter().zip(sums) {
            let mut halves = [_mm256_setzero_si256(); 2];
            for (table, code) in tables.iter().zip(codes).take(S) {
                let row = table.0[usize::from(*code)].as_ptr().cast::<__m256i>();
                // SAFETY: a row has 16 lanes of 32 bits: two of 256.
                let [low, high] = unsafe { [_mm256_loadu_si256(row), _mm256_loadu_si256(row.add(1))] };
                halves = [_mm256_add_epi32(halves[0], low), _mm256_add_epi32(halves[1], high)];
            }
            for (eight, half) in halves.into_iter().enumerate() {
                let fours = [_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half)];
                for (four, lanes) in fours.into_iter().enumerate() {
                    let first = 8 * eight + 4 * four;
                    // SAFETY: `first` is 0, 4, 8 or 12 of 16 lanes, so four of them are there.
                    unsafe {
                        let of = |all: &[i64; NARROW]| _mm256_loadu_si256(all.as_ptr().add(first).cast());
                        let units = _mm256_sllv_epi64(_mm256_cvtepi32_epi64(lanes), of(&shifts));
                        let sum = _mm256_add_epi64(_mm256_add_epi64(of(sums), of(base)), units);
                        _mm256_storeu_si256(sums.as_mut_ptr().add(first).cast(), sum);
                    }
                }
            }
        }
    }
}

/// Puts the packed calls of up to four variants together: a byte a sample, the first variant in the lowest bits. The
/// first samples of all bytes come first, then the second, third and fourth ones.
#[inline(always)]
pub(super) fn join(calls: &[&[u8]], into: &mut [u8]) {
    let quarter = into.len() / 4;
    for (place, into) in into.chunks_exact_mut(quarter.max(1)).enumerate().take(4) {
        let shift = 2 * place;
        match calls {
            [a, b, c, d] => {
                let pairs =
                    a[..quarter].iter().zip(&b[..quarter]).zip(c[..quarter].iter().zip(&d[..quarter]));
                for (code, ((a, b), (c, d))) in into.iter_mut().zip(pairs) {
                    *code = a >> shift & 3
                        | (b >> shift & 3) << 2
                        | (c >> shift & 3) << 4
                        | (d >> shift & 3) << 6;
                }
            }
            _ => {
                into.fill(0);
                for (variant, calls) in calls.iter().enumerate() {
                    for (code, calls) in into.iter_mut().zip(*calls) {
                        *code |= (calls >> shift & 3) << (2 * variant);
                    }
                }
            }
        }
    }
}

/// Has streams of codes side by side, of each sample: up to 16 streams, those that are missing pick row 0.
#[inline(always)]
pub(super) fn interleave(streams: &[&[u8]], into: &mut [Codes]) {
    let zeros;
    let nothing: &[u8] = if streams.len() < STREAMS {
        zeros = vec![0; into.len()];
        &zeros
    } else {
        &[]
    };
    let streams: [&[u8]; STREAMS] =
        std::array::from_fn(|stream| &streams.get(stream).copied().unwrap_or(nothing)[..into.len()]);
    let (blocks, rest) = into.as_chunks_mut::<STREAMS>();
    for (block, into) in blocks.iter_mut().enumerate() {
        for (row, stream) in into.iter_mut().zip(&streams) {
            row.copy_from_slice(&stream[block * STREAMS..(block + 1) * STREAMS]);
        }
        // Four times, rows of the first half meet those of the second: that turns rows into columns.
        for _ in 0..4 {
            let (low, high) = into.split_at(STREAMS / 2);
            let mut rows = [[0; STREAMS]; STREAMS];
            for (pair, (low, high)) in rows.chunks_exact_mut(2).zip(low.iter().zip(high)) {
                pair.copy_from_slice(&alternate(low, high));
            }
            *into = rows;
        }
    }
    let done = blocks.len() * STREAMS;
    for (at, codes) in (done..).zip(rest) {
        *codes = std::array::from_fn(|stream| streams[stream][at]);
    }
}

/// The bytes of two rows in turns.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn alternate(a: &Codes, b: &Codes) -> [Codes; 2] {
    use std::arch::x86_64::{_mm_loadu_si128, _mm_storeu_si128, _mm_unpackhi_epi8, _mm_unpacklo_epi8};
    let mut both = [[0; STREAMS]; 2];
    // SAFETY: all x86-64 processors have SSE2; each row has 16 bytes.
    unsafe {
        let (a, b) = (_mm_loadu_si128(a.as_ptr().cast()), _mm_loadu_si128(b.as_ptr().cast()));
        _mm_storeu_si128(both[0].as_mut_ptr().cast(), _mm_unpacklo_epi8(a, b));
        _mm_storeu_si128(both[1].as_mut_ptr().cast(), _mm_unpackhi_epi8(a, b));
    }
    both
}

/// The bytes of two rows in turns.
#[cfg(not(target_arch = "x86_64"))]
fn alternate(a: &Codes, b: &Codes) -> [Codes; 2] {
    let byte = |at: usize| if at % 2 == 0 { a[at / 2] } else { b[at / 2] };
    [std::array::from_fn(byte), std::array::from_fn(|at| byte(STREAMS + at))]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn rows_add_up_with_and_without_avx2(streams in 0usize..=16, seed in any::<u64>()) {
            let mut state = seed;
            let mut random = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state >> 33
            };
            let mut codes = vec![[0; STREAMS]; 37];
            codes.iter_mut().for_each(|codes| codes[..streams].iter_mut().for_each(|code| *code = random() as u8));
            let (mut wide, mut narrow) = (empty_tables::<i64, 8>(), empty_tables::<i32, NARROW>());
            for table in 0..streams {
                for row in 0..256 {
                    wide[table].0[row].iter_mut().for_each(|cell| *cell = random() as i64 - (1 << 30));
                    narrow[table].0[row].iter_mut().for_each(|cell| *cell = (random() >> 5) as i32 - (1 << 25));
                }
            }
            let shifts = std::array::from_fn(|lane| lane as u32);
            let (mut of_wide, mut of_narrow) = (vec![[3; 8]; 37], vec![[4; NARROW]; 37]);
            let (mut plain_wide, mut plain_narrow) = (of_wide.clone(), of_narrow.clone());
            add_wide(&codes, streams, &wide, &[5; 8], &mut of_wide);
            wide_of_any(&codes, streams, &wide, &[5; 8], &mut plain_wide);
            add_narrow(&codes, streams, &narrow, &[6; NARROW], &shifts, &mut of_narrow);
            super::narrow(&codes, streams, &narrow, &[6; NARROW], &shifts, &mut plain_narrow);
            prop_assert_eq!(&of_wide, &plain_wide);
            prop_assert_eq!(&of_narrow, &plain_narrow);
            for (sample, codes) in codes.iter().enumerate() {
                let rows = || codes.iter().map(|code| usize::from(*code)).enumerate();
                for (lane, found) in of_wide[sample].iter().enumerate() {
                    let sum: i64 = rows().map(|(table, row)| wide[table].0[row][lane]).sum();
                    prop_assert_eq!(*found, 3 + 5 + sum);
                }
                for (lane, found) in of_narrow[sample].iter().enumerate() {
                    let sum: i64 = rows().map(|(table, row)| i64::from(narrow[table].0[row][lane])).sum();
                    prop_assert_eq!(*found, 4 + 6 + (sum << lane));
                }
            }
        }

        #[test]
        fn calls_are_put_together(bytes in prop::collection::vec(prop::collection::vec(any::<u8>(), 9), 0..5)) {
            let calls: Vec<&[u8]> = bytes.iter().map(|bytes| &bytes[..]).collect();
            let mut joined = vec![0xff; 36];
            join(&calls, &mut joined);
            for sample in 0..36 {
                let expected = calls.iter().enumerate().fold(0, |code, (variant, calls)| {
                    code | (calls[sample / 4] >> (sample % 4 * 2) & 3) << (2 * variant)
                });
                prop_assert_eq!(joined[sample % 4 * 9 + sample / 4], expected);
            }
        }

        #[test]
        fn streams_lie_side_by_side(streams in prop::collection::vec(prop::collection::vec(any::<u8>(), 37), 0..=16)) {
            let slices: Vec<&[u8]> = streams.iter().map(|stream| &stream[..]).collect();
            let mut codes = vec![[9; STREAMS]; 37];
            interleave(&slices, &mut codes);
            for (sample, codes) in codes.iter().enumerate() {
                for (stream, code) in codes.iter().enumerate() {
                    prop_assert_eq!(*code, streams.get(stream).map_or(0, |stream| stream[sample]));
                }
            }
        }
    }
}
