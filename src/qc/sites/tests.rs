use std::collections::BTreeMap;

use proptest::prelude::*;

use super::list::Skipped;
use super::*;
use crate::qc::{Options, cut_walk};

const LENGTH: u32 = 200;

/// A read on contig 0. Operations are BAM codes with lengths: 0 M, 1 I, 2 D, 4 S.
#[derive(Clone, Debug)]
struct Made {
    start: u32,
    ops: Vec<(u32, u32)>,
    name: u8,
    flags: u16,
    mapq: u8,
    seed: u64,
}

impl Made {
    fn covers(&self) -> u32 {
        self.ops.iter().filter(|op| op.0 % 2 == 0 && op.0 < 4).map(|op| op.1).sum()
    }

    /// Code and quality of a base.
    fn base(&self, at: u32) -> (u8, u8) {
        let random = self.seed.wrapping_mul(u64::from(at) + 7).wrapping_mul(6_364_136_223_846_793_005) >> 40;
        (
            [BASE_A, BASE_C, BASE_G, BASE_T, 15][random as usize % 5],
            [12, 13, 30, 64, 70][(random / 8) as usize % 5],
        )
    }

    /// The base on a position, straight from the CIGAR.
    fn base_on(&self, position: u32) -> Option<(u8, u8)> {
        let (mut at, mut on) = (0, self.start);
        for &(op, length) in &self.ops {
            for _ in 0..length {
                if op == 0 && on == position {
                    return Some(self.base(at));
                }
                at += u32::from(op != 2);
                on += u32::from(op == 0 || op == 2);
            }
        }
        None
    }

    fn bytes(&self) -> Vec<u8> {
        let count: u32 = self.ops.iter().filter(|op| op.0 != 2).map(|op| op.1).sum();
        let mut bytes = Vec::new();
        bytes.extend(0i32.to_le_bytes());
        bytes.extend(self.start.to_le_bytes());
        bytes.extend([2, self.mapq, 0, 0]);
        bytes.extend((self.ops.len() as u16).to_le_bytes());
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(0i32.to_le_bytes());
        bytes.extend(self.start.to_le_bytes());
        bytes.extend(0i32.to_le_bytes());
        bytes.extend([self.name, 0]);
        self.ops.iter().for_each(|(op, length)| bytes.extend((length << 4 | op).to_le_bytes()));
        for pair in (0..count).step_by(2) {
            let low = if pair + 1 < count { self.base(pair + 1).0 } else { 0 };
            bytes.push(self.base(pair).0 << 4 | low);
        }
        bytes.extend((0..count).map(|at| self.base(at).1));
        bytes
    }
}

fn context(positions: &[u32]) -> Context {
    let sites =
        positions.iter().map(|&position| Site { position, reference: b'A', alternate: b'C', frequency: 0.2 });
    let list = SiteList::new(vec![sites.collect()], Skipped::default());
    cut_walk::context(LENGTH, Options { sites: Some(Arc::new(list)), ..Options::default() })
}

fn walk(context: &Context, reads: &[Made], cuts: &[u32]) -> SiteCounts {
    let records: Vec<Vec<u8>> = reads.iter().map(Made::bytes).collect();
    cut_walk::walk::<Sites>(context, &records, cuts).counts
}

/// The rules, site by site.
fn model(reads: &[Made], positions: &[u32]) -> Vec<(usize, Vec<Bin>)> {
    let mut sites = Vec::new();
    for (number, &position) in positions.iter().enumerate() {
        let mut best: BTreeMap<(u8, usize), (Allele, u8)> = BTreeMap::new();
        for (index, read) in reads.iter().enumerate() {
            let Some((code, quality)) = read.base_on(position) else { continue };
            if read.flags & 0xf04 != 0 || read.mapq < 20 || quality < 13 || code == 15 {
                continue;
            }
            let allele = match code {
                BASE_A => Allele::Reference,
                BASE_C => Allele::Alternate,
                _ => Allele::Other,
            };
            let quality = quality.min(63);
            let paired = read.flags & 9 == 1;
            let key = if paired { (read.name, usize::MAX) } else { (0, index) };
            let kept = best.entry(key).or_insert((allele, quality));
            if quality > kept.1 {
                *kept = (allele, quality);
            }
        }
        let mut bins: BTreeMap<(Allele, u8), u32> = BTreeMap::new();
        best.values().for_each(|&base| *bins.entry(base).or_default() += 1);
        if !bins.is_empty() {
            sites.push((number, bins.iter().map(|(&(allele, q), &n)| Bin::new(allele, q, n)).collect()));
        }
    }
    sites
}

fn read() -> impl Strategy<Value = Made> {
    let ops = prop_oneof![
        3 => (1u32..40).prop_map(|n| vec![(0, n)]),
        1 => (1u32..9, 1u32..20, 1u32..5, 1u32..20).prop_map(|(s, m, d, n)| vec![(4, s), (0, m), (2, d), (0, n)]),
        1 => (1u32..20, 1u32..5, 1u32..20, 1u32..5).prop_map(|(m, i, n, s)| vec![(0, m), (1, i), (0, n), (4, s)]),
    ];
    let flags = prop_oneof![
        5 => Just(3u16),
        2 => Just(0),
        1 => Just(9),
        1 => prop::sample::select(vec![0x100u16, 0x200, 0x400, 0x800, 0x4])
    ];
    (0..LENGTH - 60, ops, 1u8..8, flags, prop::sample::select(vec![19u8, 20, 60]), any::<u64>())
        .prop_map(|(start, ops, name, flags, mapq, seed)| Made { start, ops, name, flags, mapq, seed })
}

proptest! {
    #[test]
    fn bases_count_by_the_rules_wherever_the_file_is_cut(
        mut reads in prop::collection::vec(read(), 0..40),
        positions in prop::collection::btree_set(0..LENGTH, 1..30),
        cuts in prop::collection::btree_set(1..LENGTH, 0..6),
    ) {
        reads.sort_by_key(|read| read.start);
        prop_assume!(reads.iter().all(|read| read.start + read.covers() <= LENGTH));
        let positions: Vec<u32> = positions.into_iter().collect();
        let context = context(&positions);
        let whole = walk(&context, &reads, &[]);
        let found: Vec<_> = whole.iter().map(|(number, bins)| (number, bins.to_vec())).collect();
        prop_assert_eq!(found, model(&reads, &positions));
        prop_assert_eq!(walk(&context, &reads, &cuts.into_iter().collect::<Vec<_>>()), whole);
    }

    #[test]
    fn counts_of_two_files_add(sites in prop::collection::vec((0u32..20, 0u8..3, 0u8..63, 1u32..9), 0..40)) {
        let counts = |list: &[(u32, u8, u8, u32)]| {
            let mut by_site: BTreeMap<u32, BTreeMap<(Allele, u8), u32>> = BTreeMap::new();
            for &(site, allele, quality, n) in list {
                let allele = [Allele::Reference, Allele::Alternate, Allele::Other][usize::from(allele)];
                *by_site.entry(site).or_default().entry((allele, quality)).or_default() += n;
            }
            let mut counts = SiteCounts::default();
            for (site, bins) in by_site {
                counts.push(site, bins.into_iter().map(|((allele, q), n)| Bin::new(allele, q, n)));
            }
            counts
        };
        let (a, b) = sites.split_at(sites.len() / 2);
        let mut sum = counts(a);
        sum.merge(counts(b));
        prop_assert_eq!(sum, counts(&sites));
    }
}
