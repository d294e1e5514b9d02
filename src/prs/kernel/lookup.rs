//! The inner loop: each sample's codes pick rows of tables, and the rows add up.
//!
//! Written once in plain Rust; where the processor has AVX2, a copy that is compiled for it runs.

/// Rows of a table: one for each code of a byte.
pub(super) type Table<T, const L: usize> = [[T; L]; 256];

/// So many streams of codes are added up in registers.
pub(super) const STREAMS: usize = 16;

/// Lanes of tables of 32 bits, which hold multiples of two to a power each.
pub(super) const NARROW: usize = 16;

/// Whether copies for AVX2 run on this processor.
pub(super) fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Adds to each sample's sums `base` and the rows that its codes pick. Codes are as many as samples, in each stream.
#[inline(always)]
pub(super) fn add_wide<const L: usize>(
    codes: &[&[u8]],
    tables: &[Table<i64, L>],
    base: &[i64; L],
    sums: &mut [[i64; L]],
) {
    let mut base = *base;
    let mut at = 0;
    while at < codes.len() {
        let (codes, tables) = (&codes[at..], &tables[at..]);
        at += match codes.len() {
            16.. => wide::<L, 16>(codes, tables, &base, sums),
            8.. => wide::<L, 8>(codes, tables, &base, sums),
            4.. => wide::<L, 4>(codes, tables, &base, sums),
            2.. => wide::<L, 2>(codes, tables, &base, sums),
            _ => wide::<L, 1>(codes, tables, &base, sums),
        };
        base = [0; L];
    }
    if codes.is_empty() && base != [0; L] {
        sums.iter_mut().for_each(|sums| add(sums, &base));
    }
}

/// As [`add_wide`] with tables of 32 bits, which count `2^shifts`. No sum of rows, one of each table, overflows.
#[inline(always)]
pub(super) fn add_narrow(
    codes: &[&[u8]],
    tables: &[Table<i32, NARROW>],
    base: &[i64; NARROW],
    shifts: &[u32; NARROW],
    sums: &mut [[i64; NARROW]],
) {
    let mut base = *base;
    let mut at = 0;
    while at < codes.len() {
        let (codes, tables) = (&codes[at..], &tables[at..]);
        at += match codes.len() {
            16.. => narrow::<16>(codes, tables, &base, shifts, sums),
            8.. => narrow::<8>(codes, tables, &base, shifts, sums),
            4.. => narrow::<4>(codes, tables, &base, shifts, sums),
            2.. => narrow::<2>(codes, tables, &base, shifts, sums),
            _ => narrow::<1>(codes, tables, &base, shifts, sums),
        };
        base = [0; NARROW];
    }
    if codes.is_empty() && base != [0; NARROW] {
        sums.iter_mut().for_each(|sums| add(sums, &base));
    }
}

#[inline(always)]
fn add<const L: usize>(sums: &mut [i64; L], more: &[i64; L]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.wrapping_add(*more));
}

#[inline(always)]
fn wide<const L: usize, const S: usize>(
    codes: &[&[u8]],
    tables: &[Table<i64, L>],
    base: &[i64; L],
    sums: &mut [[i64; L]],
) -> usize {
    let count = sums.len();
    let codes: [&[u8]; S] = std::array::from_fn(|stream| &codes[stream][..count]);
    let tables: [&Table<i64, L>; S] = std::array::from_fn(|stream| &tables[stream]);
    for (at, sums) in sums.iter_mut().enumerate() {
        let mut total = *base;
        for stream in 0..S {
            // SAFETY: `at` is below `count`, and each stream was cut to `count` codes.
            let code = unsafe { *codes[stream].get_unchecked(at) };
            add(&mut total, &tables[stream][usize::from(code)]);
        }
        add(sums, &total);
    }
    S
}

#[inline(always)]
fn narrow<const S: usize>(
    codes: &[&[u8]],
    tables: &[Table<i32, NARROW>],
    base: &[i64; NARROW],
    shifts: &[u32; NARROW],
    sums: &mut [[i64; NARROW]],
) -> usize {
    let count = sums.len();
    let codes: [&[u8]; S] = std::array::from_fn(|stream| &codes[stream][..count]);
    let tables: [&Table<i32, NARROW>; S] = std::array::from_fn(|stream| &tables[stream]);
    for (at, sums) in sums.iter_mut().enumerate() {
        let mut total = [0i32; NARROW];
        for stream in 0..S {
            // SAFETY: `at` is below `count`, and each stream was cut to `count` codes.
            let code = unsafe { *codes[stream].get_unchecked(at) };
            let row = &tables[stream][usize::from(code)];
            total.iter_mut().zip(row).for_each(|(total, more)| *total = total.wrapping_add(*more));
        }
        for lane in 0..NARROW {
            let units = i64::from(total[lane]) << shifts[lane];
            sums[lane] = sums[lane].wrapping_add(units).wrapping_add(base[lane]);
        }
    }
    S
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn with_avx2(
        codes: &[&[u8]],
        wide: &[Table<i64, 8>],
        narrow: &[Table<i32, 16>],
        shifts: &[u32; 16],
    ) -> (Vec<[i64; 8]>, Vec<[i64; 16]>) {
        sums(codes, wide, narrow, shifts)
    }

    #[inline(always)]
    fn sums(
        codes: &[&[u8]],
        wide: &[Table<i64, 8>],
        narrow: &[Table<i32, 16>],
        shifts: &[u32; 16],
    ) -> (Vec<[i64; 8]>, Vec<[i64; 16]>) {
        let (mut of_wide, mut of_narrow) = (vec![[3; 8]; 37], vec![[4; 16]; 37]);
        add_wide(codes, wide, &[5; 8], &mut of_wide);
        add_narrow(codes, narrow, &[6; 16], shifts, &mut of_narrow);
        (of_wide, of_narrow)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn rows_add_up_with_and_without_avx2(streams in 0usize..36, seed in any::<u64>()) {
            let mut state = seed;
            let mut random = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state >> 33
            };
            let codes: Vec<Vec<u8>> = (0..streams).map(|_| (0..37).map(|_| random() as u8).collect()).collect();
            let codes: Vec<&[u8]> = codes.iter().map(|codes| &codes[..]).collect();
            let mut wide = vec![[[0; 8]; 256]; streams];
            wide.as_flattened_mut().as_flattened_mut().iter_mut().for_each(|cell| *cell = random() as i64 - (1 << 30));
            let mut narrow = vec![[[0; 16]; 256]; streams];
            narrow.as_flattened_mut().as_flattened_mut().iter_mut()
                .for_each(|cell| *cell = (random() >> 5) as i32 - (1 << 25));
            let shifts = std::array::from_fn(|lane| lane as u32);
            let plain = sums(&codes, &wide, &narrow, &shifts);
            for sample in 0..37 {
                let rows = || codes.iter().map(|codes| usize::from(codes[sample])).enumerate();
                for lane in 0..8 {
                    let expected: i64 = 3 + 5 + rows().map(|(table, row)| wide[table][row][lane]).sum::<i64>();
                    prop_assert_eq!(plain.0[sample][lane], expected);
                }
                for lane in 0..16 {
                    let sum: i64 = rows().map(|(table, row)| i64::from(narrow[table][row][lane])).sum();
                    prop_assert_eq!(plain.1[sample][lane], 4 + 6 + (sum << lane));
                }
            }
            #[cfg(target_arch = "x86_64")]
            if has_avx2() {
                // SAFETY: the processor has AVX2.
                prop_assert_eq!(unsafe { with_avx2(&codes, &wide, &narrow, &shifts) }, plain);
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
    }
}
