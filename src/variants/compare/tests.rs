//! Properties of whole comparisons: haplotypes written in two ways match, and neither sides nor cuts matter.

use proptest::prelude::*;

use super::counts::{Decision, Filter};
use super::*;
use crate::formats::bases::tests::genome;
use crate::formats::vcf::record::Record;

/// A change with the haplotypes that have it.
type Change = (i64, i64, Vec<u8>, [bool; 2]);

/// Random numbers for the many small choices of a case (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn bases(&mut self, count: u64) -> Vec<u8> {
        (0..count).map(|_| b"ACGT"[self.below(4) as usize]).collect()
    }
}

/// A reference in which random bases and repeats take turns, and changes of it: a few SNPs and at most one indel
/// between two stretches of random bases, so that no two indels undo one another.
fn made(dice: &mut Dice) -> (Vec<u8>, Vec<Change>) {
    let (mut reference, mut changes) = (dice.bases(30), Vec::new());
    for _ in 0..6 {
        let begin = reference.len() as i64;
        let unit = 1 + dice.below(3);
        let (unit, times) = (dice.bases(unit), 2 + dice.below(7));
        reference.extend(unit.repeat(times as usize));
        let end = reference.len() as i64;
        reference.extend(dice.bases(30));
        let haplotypes = [[true, false], [false, true], [true, true]];
        let any = |dice: &mut Dice| haplotypes[dice.below(3) as usize];
        let mut places: Vec<i64> =
            (0..4).map(|_| begin - 3 + dice.below((end - begin + 6) as u64) as i64).collect();
        places.sort_unstable();
        places.dedup();
        let indel = places[dice.below(places.len() as u64) as usize];
        for (number, &place) in places.iter().enumerate() {
            let room = places.get(number + 1).map_or(4, |next| next - place);
            if place != indel {
                let old = reference[place as usize];
                let new = b"ACGT".iter().find(|base| **base != old).copied().unwrap_or(b'A');
                changes.push((place, place + 1, vec![new], any(dice)));
            } else if dice.below(2) == 0 {
                let length = (unit.len() as i64).min(room);
                changes.push((place, place + length, Vec::new(), any(dice)));
            } else {
                let inserted = if dice.below(2) == 0 { unit.clone() } else { dice.bases(3) };
                changes.push((place, place, inserted, any(dice)));
            }
        }
    }
    (reference, changes)
}

/// Moves an indel some bases along the reference, where that spells the same, between its neighbours.
fn shifted(change: &Change, reference: &[u8], from: i64, to: i64, dice: &mut Dice) -> Change {
    let (mut start, mut end, mut bases, haplotypes) = change.clone();
    let is_right = dice.below(2) == 0;
    for _ in 0..dice.below(20) {
        let moved = match (is_right, start == end, bases.is_empty()) {
            (true, true, false) if end < to && reference[end as usize] == bases[0] => {
                bases.rotate_left(1);
                1
            }
            (true, false, true) if end < to && reference[end as usize] == reference[start as usize] => 1,
            (false, true, false)
                if start > from && reference[start as usize - 1] == bases[bases.len() - 1] =>
            {
                bases.rotate_right(1);
                -1
            }
            (false, false, true)
                if start > from && reference[start as usize - 1] == reference[end as usize - 1] =>
            {
                -1
            }
            _ => break,
        };
        (start, end) = (start + moved, end + moved);
    }
    (start, end, bases, haplotypes)
}

/// Records of the changes, in some way: shifted, joined with a neighbour, with more of the reference around, or a
/// homozygous one as two.
fn written(changes: &[Change], reference: &[u8], dice: &mut Dice) -> Vec<Record> {
    let mut moved: Vec<Change> = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        let from = moved.last().map_or(1, |last| last.1 + 1);
        let to = changes.get(number + 1).map_or(reference.len() as i64 - 9, |next| next.0 - 1);
        moved.push(shifted(change, reference, from, to, dice));
    }
    let mut lines: Vec<(i64, String)> = Vec::new();
    let (mut number, mut last) = (0, 0);
    while number < moved.len() {
        let (start, mut end, mut bases, haplotypes) = moved[number].clone();
        while let Some(next) = moved.get(number + 1)
            && next.3 == haplotypes
            && next.0 - end < 6
            && dice.below(3) == 0
        {
            bases.extend_from_slice(&reference[end as usize..next.0 as usize]);
            bases.extend_from_slice(&next.2);
            (end, number) = (next.1, number + 1);
        }
        number += 1;
        // Bases that a neighbour changes are taken as an anchor only.
        let before = (1 + dice.below(3) as i64).min((start - last).max(1));
        let room = moved.get(number).map_or(3, |next| next.0 - end);
        let after = (dice.below(3) as i64).min(room);
        last = end;
        let (from, to) = (start - before, end + after);
        let text = |bases: &[u8]| String::from_utf8(bases.to_vec()).unwrap();
        let left = text(&reference[from as usize..start as usize]);
        let right = text(&reference[end as usize..to as usize]);
        let old = text(&reference[from as usize..to as usize]);
        let new = format!("{left}{}{right}", text(&bases));
        if old == new {
            continue;
        }
        let genotypes: &[&str] = match (haplotypes, dice.below(4)) {
            ([true, true], 0) => &["0/1", "1/0"],
            ([true, true], _) => &["1/1"],
            ([true, false], _) => &["1|0"],
            _ => &["0/1"],
        };
        for genotype in genotypes {
            lines.push((from, format!("c0\t{}\t.\t{old}\t{new}\t9\tPASS\t.\tGT\t{genotype}", from + 1)));
        }
    }
    lines.sort_by_key(|(position, _)| *position);
    lines.iter().map(|(_, line)| Record::parse(line.as_bytes()).unwrap()).collect()
}

/// Records in short.
fn shown(records: &[Record]) -> String {
    let text = |record: &Record| {
        let mut line = Vec::new();
        record.write(&mut line);
        String::from_utf8_lossy(&line).replace('\t', " ")
    };
    records.iter().map(text).collect::<Vec<_>>().join("\n")
}

fn plan(distance: i64) -> Plan {
    Plan {
        samples: [0, 0],
        only_passing: [false, false],
        rules: Rules { by_genotype: true, phase: Phase::Any, distance },
        strata: Strata::default(),
        score: Score::Quality,
        step: 0.5,
        with_curves: false,
        with_rows: false,
    }
}

/// How many calls of truth and query are found, and not.
fn compared(reference: &[u8], truth: &[Record], query: &[Record], distance: i64) -> [u64; 4] {
    let (_directory, genome) = genome(&[reference]);
    let stretch = Stretch { contig: 0, name: b"c0".into(), records: [truth.to_vec(), query.to_vec()] };
    let plan = plan(distance);
    let (totals, _) = genome.with(0, |bases| compare_stretch(&stretch, &plan, bases)).unwrap().unwrap();
    let decisions =
        [Decision::TruthPositive, Decision::FalseNegative, Decision::QueryPositive, Decision::FalsePositive];
    let counts = decisions.map(|decision| {
        Kind::ALL.iter().map(|kind| totals.counts.tally(0, Filter::All, *kind, 0).share(decision).total).sum()
    });
    assert_eq!([counts[0] + counts[1], counts[2] + counts[3]], totals.compared);
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn haplotypes_written_in_two_ways_match(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let (reference, changes) = made(&mut dice);
        let truth = written(&changes, &reference, &mut dice);
        let query = written(&changes, &reference, &mut dice);
        let [truth_found, missed, query_found, wrong] = compared(&reference, &truth, &query, 30);
        let shown = || [&truth, &query].map(|records| shown(records)).join("\nagainst\n");
        let reference = String::from_utf8_lossy(&reference);
        prop_assert_eq!((missed, wrong), (0, 0), "{}\n{}", reference, shown());
        prop_assert_eq!((truth_found, query_found), (truth.len() as u64, query.len() as u64));
    }

    #[test]
    fn neither_cuts_nor_sides_change_how_many_match(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let (reference, mut changes) = made(&mut dice);
        let truth = written(&changes, &reference, &mut dice);
        changes.retain(|_| dice.below(8) > 0);
        for change in &mut changes {
            if dice.below(8) == 0 {
                change.3 = [[true, true], [true, false]][dice.below(2) as usize];
            }
        }
        let query = written(&changes, &reference, &mut dice);
        let matched = |[truth, _, query, _]: [u64; 4]| truth + query;
        let cut = matched(compared(&reference, &truth, &query, 0));
        let shown = || [&truth, &query].map(|records| shown(records)).join("\nagainst\n");
        let whole = matched(compared(&reference, &truth, &query, 1 << 40));
        let reversed = matched(compared(&reference, &query, &truth, 0));
        let reference = String::from_utf8_lossy(&reference);
        prop_assert_eq!((cut, cut), (whole, reversed), "{}\n{}", reference, shown());
    }
}
