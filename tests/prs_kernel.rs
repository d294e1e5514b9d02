//! Sums of scores beside a plain computation of what PLINK 2 sums, on genotypes of all kinds that files hold; and the same
//! bits however the work is cut.
#![allow(clippy::unwrap_used)]

mod common;

use common::genotypes::Made;
use common::made::Random;
use norn::formats::genotypes::GenotypeSource;
use norn::formats::genotypes::samples::SampleSex;
use norn::prs::kernel::{Imputation, Kernel, Load, Part, Plan, Settings, Sums, XModel};
use norn::prs::weights::{Effect, Weights, WeightsBuilder};

/// Rows of one weight: score, variant, allele, effect.
type Rows = Vec<(usize, usize, u32, Effect, f64)>;

const SCORES: usize = 40;

/// Scores 0 to 19 have weights of few digits, some for nearly all variants and some for few; the others have long ones.
fn rows(made: &Made, seed: u64) -> Rows {
    let mut random = Random::new(seed);
    let mut rows = Rows::new();
    for score in 0..SCORES {
        let per_cent = [100, 90, 5, 1][score % 4];
        for variant in 0..made.sites.len() {
            if random.below(100) >= per_cent {
                continue;
            }
            let site = made.sites.get(variant).unwrap();
            let is_diploid = !matches!(site.contig, "X" | "chrX" | "Y" | "MT");
            let has_dosages = made.genotypes[variant].dosages.one > 0;
            let alleles = if has_dosages { 2 } else { site.alternates().count() + 1 };
            let effects =
                [Effect::Dominant, Effect::Recessive, Effect::NoCopy, Effect::OneCopy, Effect::TwoCopies];
            let effect = if is_diploid && score % 5 == 0 && random.below(3) == 0 {
                effects[random.below(5)]
            } else {
                Effect::Additive
            };
            let weight = match score {
                0..20 => (random.below(20_001) as f64 - 10_000.0) / 1e4,
                20..30 => random.below(1 << 31) as f64 / 1e7 - 3.3,
                _ => (random.below(1 << 31) as f64 / 2e9).powi(score as i32 - 32) - 0.1,
            };
            rows.push((score, variant, random.below(alleles) as u32, effect, weight));
        }
    }
    rows
}

fn weights(rows: &Rows) -> Weights {
    let mut builder = WeightsBuilder::new(SCORES, 1).unwrap();
    for (score, variant, allele, effect, weight) in rows {
        builder.add(*score, *variant as u32, *allele, *effect, *weight).unwrap();
        if *score == 0 {
            builder.count(0, *variant as u32, *allele, *effect).unwrap();
        }
    }
    builder.finish()
}

fn add(kernel: &Kernel, made: &Made, threads: usize, sums: &mut Sums) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let part = Part { source: made, first: 0, frequencies: None };
    pool.install(|| kernel.add(&part, 0..made.sites.len() as u32, sums)).unwrap();
}

/// Share of the alternate allele among the founders' known copies.
fn frequency(made: &Made, variant: usize, allele: u32) -> f64 {
    let contig = made.sites.get(variant).unwrap().contig;
    let (mut copies, mut known) = (0.0, 0.0);
    for (number, sample) in made.samples.iter().enumerate().filter(|(_, sample)| sample.father.is_none()) {
        let is_male = sample.sex == Some(SampleSex::Male);
        if contig == "Y" && !is_male {
            continue;
        }
        let haploid = contig == "Y" || contig == "MT" || contig.ends_with('X') && is_male;
        let share = if haploid { 0.5 } else { 1.0 };
        if let Some((value, one)) = made.copies(variant, allele, number) {
            copies += share * value as f64 / one as f64;
            known += share * 2.0;
        }
    }
    if known == 0.0 { 1.0 / made.genotypes[variant].alleles as f64 } else { copies / known }
}

struct Expected {
    sums: Vec<f64>,
    /// Sizes of all that was summed.
    sizes: Vec<f64>,
    counts: [f64; 3],
}

/// What PLINK 2 sums, term by term.
fn expected(made: &Made, rows: &Rows, settings: &Settings) -> Vec<Expected> {
    let frequencies: Vec<f64> =
        rows.iter().map(|(_, variant, allele, ..)| frequency(made, *variant, *allele)).collect();
    let of_sample = |(number, sample): (usize, &norn::formats::genotypes::samples::Sample)| {
        let is_male = sample.sex == Some(SampleSex::Male);
        let (mut sums, mut sizes, mut counts) = (vec![0.0; SCORES], vec![0.0; SCORES], [0.0; 3]);
        for ((score, variant, allele, effect, weight), p) in rows.iter().zip(&frequencies) {
            let contig = made.sites.get(*variant).unwrap().contig;
            let ploidy = match contig {
                "Y" if is_male => 1.0,
                "Y" => continue,
                "MT" => 1.0,
                "X" | "chrX" => match settings.x_model {
                    XModel::Skip => continue,
                    XModel::Haploid if is_male => 1.0,
                    _ => 2.0,
                },
                _ => 2.0,
            };
            let line = |knots: [f64; 3], at: f64| {
                if at < 1.0 {
                    knots[0] + (knots[1] - knots[0]) * at
                } else {
                    knots[1] + (knots[2] - knots[1]) * (at - 1.0)
                }
            };
            let knots = match effect {
                Effect::Additive => [0.0, 1.0, 2.0],
                Effect::Dominant => [0.0, 1.0, 1.0],
                Effect::NoCopy => [1.0, 0.0, 0.0],
                Effect::OneCopy => [0.0, 1.0, 0.0],
                _ => [0.0, 0.0, 1.0],
            };
            let by_share =
                knots[0] * (1.0 - p) * (1.0 - p) + knots[1] * 2.0 * p * (1.0 - p) + knots[2] * p * p;
            let copies = made.copies(*variant, *allele, number);
            let value = match (copies, settings.imputation, effect) {
                (Some((value, one)), ..) => line(knots, value as f64 / one as f64) * ploidy / 2.0,
                (None, Imputation::None, _) => 0.0,
                (None, _, Effect::Additive) => p * ploidy,
                (None, Imputation::Plink2, Effect::Dominant | Effect::Recessive) => *p,
                (None, ..) => by_share,
            };
            sums[*score] += weight * value;
            sizes[*score] += weight.abs() * 2.0;
            if *score == 0 {
                let named = if matches!(effect, Effect::Dominant | Effect::Recessive) {
                    knots
                } else {
                    [0.0, 1.0, 2.0]
                };
                counts[0] += if copies.is_some() { ploidy } else { 0.0 };
                counts[1] +=
                    if copies.is_some() || settings.imputation != Imputation::None { ploidy } else { 0.0 };
                counts[2] +=
                    copies.map_or(0.0, |(value, one)| line(named, value as f64 / one as f64) * ploidy / 2.0);
            }
        }
        Expected { sums, sizes, counts }
    };
    made.samples.iter().enumerate().map(of_sample).collect()
}

#[test]
fn sums_are_those_of_a_plain_computation() {
    for (seed, people, variants) in [(1, 1, 40), (2, 7, 300), (3, 61, 500), (4, 300, 700), (5, 1030, 200)] {
        let made = Made::new(seed, people, variants);
        let rows = rows(&made, seed);
        let weights = weights(&rows);
        for (imputation, x_model) in [
            (Imputation::Plink2, XModel::Diploid),
            (Imputation::HardyWeinberg, XModel::Haploid),
            (Imputation::None, XModel::Haploid),
            (Imputation::None, XModel::Skip),
        ] {
            let settings = Settings { imputation, x_model, strip: Some(256), ..Settings::default() };
            let kernel = Kernel::new(&weights, settings);
            let mut sums = kernel.empty(&made.samples, 0..people);
            add(&kernel, &made, 2, &mut sums);
            for (sample, expected) in expected(&made, &rows, &settings).iter().enumerate() {
                for score in 0..SCORES {
                    let (found, wanted) = (sums.sum(score, sample).unwrap(), expected.sums[score]);
                    let allowed = 1e-13 * expected.sizes[score];
                    assert!(
                        (found - wanted).abs() <= allowed,
                        "{seed} {settings:?} {sample} {score}: {found} {wanted}"
                    );
                }
                let counts = sums.counts(0, sample).unwrap();
                let found = [counts.alleles as f64, counts.denominator as f64, counts.named_dosage];
                for (found, wanted) in found.iter().zip(expected.counts) {
                    assert!((found - wanted).abs() <= 1e-9, "{seed} {sample}: {found} {wanted}");
                }
                assert_eq!(
                    sums.sums_of(sample).collect::<Vec<_>>(),
                    (0..SCORES).map(|score| sums.sum(score, sample).unwrap()).collect::<Vec<_>>()
                );
            }
        }
    }
}

/// Calls and weights that are decimal numbers or binary fractions: the exact sum, rounded once.
#[test]
fn sums_of_calls_are_exact_to_the_last_bit() {
    let made = Made::new(9, 500, 600);
    let mut random = Random::new(9);
    let mut builder = WeightsBuilder::new(3, 0).unwrap();
    let mut rows = Vec::new();
    for variant in 0..made.sites.len() {
        let contig = made.sites.get(variant).unwrap().contig;
        if made.genotypes[variant].dosages.one > 0 || matches!(contig, "X" | "chrX" | "Y" | "MT") {
            continue;
        }
        let numbers =
            [random.below(2_000_001) as i64 - 1_000_000, random.below(1 << 31) as i64 - (1 << 30), 0];
        // Millionths, 2^-70, and numbers between which sums cancel.
        let weights =
            [numbers[0] as f64 / 1e6, numbers[1] as f64 * 2f64.powi(-70), [1e15, -1e15, 0.5][variant % 3]];
        for (score, weight) in weights.into_iter().enumerate() {
            builder.add(score, variant as u32, 1, Effect::Additive, weight).unwrap();
        }
        rows.push((
            variant,
            [numbers[0], numbers[1], [2_000_000_000_000_000, -2_000_000_000_000_000, 1][variant % 3]],
        ));
    }
    let weights = builder.finish();
    let kernel = Kernel::new(&weights, Settings { imputation: Imputation::None, ..Settings::default() });
    let mut sums = kernel.empty(&made.samples, 0..500);
    add(&kernel, &made, 2, &mut sums);
    for sample in 0..500 {
        let mut exact = [0i128; 3];
        for (variant, numbers) in &rows {
            if let Some((copies, 1)) = made.copies(*variant, 1, sample) {
                exact
                    .iter_mut()
                    .zip(numbers)
                    .for_each(|(sum, number)| *sum += i128::from(copies) * i128::from(*number));
            }
        }
        // Each is an f64 or rounded once, by its conversion or by one division.
        let wanted = [exact[0] as f64 / 1e6, exact[1] as f64 * 2f64.powi(-70), exact[2] as f64 / 2.0];
        for (score, wanted) in wanted.into_iter().enumerate() {
            assert_eq!(
                sums.sum(score, sample).unwrap().to_bits(),
                (wanted + 0.0).to_bits(),
                "{score} {sample}"
            );
        }
    }
}

fn bits(sums: &Sums) -> Vec<u64> {
    let of_sample = |sample| {
        let counts = sums.counts(0, sample).unwrap();
        let counts = [counts.alleles, counts.denominator, counts.named_dosage.to_bits()];
        sums.sums_of(sample).map(f64::to_bits).chain(counts).collect::<Vec<u64>>()
    };
    sums.samples().flat_map(of_sample).collect()
}

#[test]
fn the_same_bits_however_the_work_is_cut() {
    let (people, variants) = (777, 900);
    let made = Made::new(21, people, variants);
    let mut rows = rows(&made, 21);
    let weights_of_all = weights(&rows);
    let of = |strip, block_bytes| Settings {
        strip: Some(strip),
        block_bytes,
        x_model: XModel::Haploid,
        ..Settings::default()
    };
    let kernel = Kernel::new(&weights_of_all, of(4096, 6 << 20));
    let mut whole = kernel.empty(&made.samples, 0..people);
    add(&kernel, &made, 1, &mut whole);
    let expected = bits(&whole);
    for (threads, strip, block_bytes) in [(2, 4, 1), (3, 32, 1 << 15), (7, 100, 1 << 20), (2, 301, 1 << 24)] {
        let kernel = Kernel::new(&weights_of_all, of(strip, block_bytes));
        let mut sums = kernel.empty(&made.samples, 0..people);
        add(&kernel, &made, threads, &mut sums);
        assert!(bits(&sums) == expected, "{threads} {strip} {block_bytes}");
    }
    // Weights in another order.
    rows.reverse();
    let reversed = weights(&rows);
    let kernel = Kernel::new(&reversed, of(4096, 6 << 20));
    let mut sums = kernel.empty(&made.samples, 0..people);
    add(&kernel, &made, 2, &mut sums);
    assert!(bits(&sums) == expected);
    // Passes over some of the people, as little memory asks for.
    let load = Load { people, lanes: kernel.lanes(), threads: 1, held: 0 };
    let passes = Plan::new(&load, 1 << 16).passes;
    assert!(passes.len() > 1);
    let mut found = Vec::new();
    for range in passes {
        let mut sums = kernel.empty(&made.samples, range);
        add(&kernel, &made, 2, &mut sums);
        found.extend(bits(&sums));
    }
    assert!(found == expected);
    // Files of some of the variants each, as ranks have them; their sums travel as bytes and merge in any order.
    let cuts = [0, 1, 250, 251, 600, variants];
    let mut states: Vec<Vec<u8>> = cuts
        .windows(2)
        .map(|cut| {
            let part = made.part(cut[0]..cut[1]);
            let mut sums = kernel.empty(&made.samples, 0..people);
            let part = Part { source: &part, first: cut[0], frequencies: None };
            kernel.add(&part, cut[0] as u32..cut[1] as u32, &mut sums).unwrap();
            postcard::to_stdvec(&sums).unwrap()
        })
        .collect();
    for _ in 0..2 {
        states.reverse();
        let mut merged = kernel.empty(&made.samples, 0..people);
        for state in &states {
            merged.merge(&postcard::from_bytes(state).unwrap()).unwrap();
        }
        assert!(bits(&merged) == expected);
    }
    // What does not belong together is refused.
    let mut others = Kernel::new(&weights_of_all, of(64, 1)).empty(&made.samples, 0..people);
    assert!(others.merge(&whole).is_err());
    assert!(whole.merge(&kernel.empty(&made.samples, 0..8)).is_err());
}

/// A score that has weights for few variants is the score that has zeros for the others; rows of consecutive scores are
/// those of single weights.
#[test]
fn sparse_scores_are_dense_ones_with_zeros() {
    for one_of in [20, 100, 500] {
        sparse_is_dense(one_of, XModel::Diploid);
        sparse_is_dense(one_of, XModel::Haploid);
    }
}

/// With one weight of so many.
fn sparse_is_dense(one_of: usize, x_model: XModel) {
    let made = Made::new(33, 300, 400);
    let mut random = Random::new(33);
    let (mut sparse, mut dense) = (WeightsBuilder::new(50, 0).unwrap(), WeightsBuilder::new(50, 0).unwrap());
    for variant in 0..made.sites.len() {
        let row: Vec<f64> = (0..50)
            .map(|_| if random.below(one_of) == 0 { random.below(1000) as f64 / 1e3 } else { 0.0 })
            .collect();
        for (score, weight) in row.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
            sparse.add(score, variant as u32, 0, Effect::Additive, *weight).unwrap();
        }
        dense.add_row(0, variant as u32, 0, Effect::Additive, &row[..25]).unwrap();
        dense.add_row(25, variant as u32, 0, Effect::Additive, &row[25..]).unwrap();
    }
    let [sparse, dense] = [sparse.finish(), dense.finish()].map(|weights| {
        let kernel = Kernel::new(&weights, Settings { x_model, strip: Some(64), ..Settings::default() });
        let mut sums = kernel.empty(&made.samples, 0..300);
        add(&kernel, &made, 2, &mut sums);
        (0..300).flat_map(|sample| sums.sums_of(sample).collect::<Vec<_>>()).collect::<Vec<f64>>()
    });
    assert!(sparse == dense, "{one_of} {x_model:?}");
}

/// Frequencies that are given count for missing genotypes.
#[test]
fn given_frequencies_are_taken() {
    let made = Made::new(5, 50, 60);
    let mut builder = WeightsBuilder::new(1, 0).unwrap();
    for variant in 0..60 {
        builder.add(0, variant, 1, Effect::Additive, 1.0).unwrap();
    }
    let weights = builder.finish();
    let given: Vec<Vec<f64>> = made.genotypes.iter().map(|genotypes| vec![0.25; genotypes.alleles]).collect();
    let kernel = Kernel::new(&weights, Settings::default());
    let mut sums = kernel.empty(made.samples(), 0..50);
    let part = Part { source: &made, first: 0, frequencies: Some(&given) };
    let error = kernel.add(&part, 0..61, &mut sums);
    error.unwrap();
    let without = Kernel::new(&weights, Settings { imputation: Imputation::None, ..Settings::default() });
    let mut known = without.empty(made.samples(), 0..50);
    without.add(&part, 0..60, &mut known).unwrap();
    for sample in 0..50 {
        let is_male = made.samples.as_slice()[sample].sex == Some(SampleSex::Male);
        let imputed: f64 = (0..60)
            .filter(|variant| made.copies(*variant, 1, sample).is_none())
            .map(|variant| match made.sites.get(variant).unwrap().contig {
                "Y" if !is_male => 0.0,
                "Y" | "MT" => 0.25,
                _ => 0.5,
            })
            .sum();
        let found = sums.sum(0, sample).unwrap() - known.sum(0, sample).unwrap();
        assert!((found - imputed).abs() < 1e-9, "{sample}: {found} {imputed}");
    }
}

#[test]
fn what_cannot_be_asked_is_told_with_the_variant() {
    let mut made = Made::new(5, 20, 60);
    let told = |made: &Made, variant: u32, allele, effect| {
        let mut builder = WeightsBuilder::new(1, 0).unwrap();
        builder.add(0, variant, allele, effect, 1.0).unwrap();
        let weights = builder.finish();
        let kernel = Kernel::new(&weights, Settings::default());
        let mut sums = kernel.empty(&made.samples, 0..20);
        let part = Part { source: made, first: 0, frequencies: None };
        kernel.add(&part, 0..100, &mut sums).unwrap_err().to_string()
    };
    let mitochondrion = made.sites.iter().position(|site| site.contig == "MT").unwrap() as u32;
    let id = format!("MT:{0} (v{mitochondrion})", mitochondrion + 1);
    let text = told(&made, mitochondrion, 0, Effect::Dominant);
    assert_eq!(text, format!("{id}: a weight for who has one or two copies, where people have one"));
    assert!(told(&made, 3, 7, Effect::Additive).ends_with("an allele that it has not"));
    assert_eq!(told(&made, 99, 1, Effect::Additive), "there is no variant 99 in the genotypes");
    made.genotypes.truncate(4);
    assert!(told(&made, 5, 1, Effect::Additive).contains("no such variant"));
}
