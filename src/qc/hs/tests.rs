use proptest::prelude::*;

use super::coverage::DEEP;
use super::*;
use crate::qc::{Options, cut_walk};

const LENGTH: u32 = 400;

/// A read on the only contig. Operations are BAM codes with lengths: 0 M, 1 I, 2 D, 3 N, 4 S.
#[derive(Clone, Debug)]
struct Made {
    start: u32,
    mate: u32,
    ops: Vec<(u32, u32)>,
    flags: u16,
    mapq: u8,
    seed: u8,
}

impl Made {
    fn bytes(&self) -> Vec<u8> {
        let count: u32 = self.ops.iter().filter(|op| !(2..4).contains(&op.0)).map(|op| op.1).sum();
        let mut bytes = Vec::new();
        bytes.extend(0i32.to_le_bytes());
        bytes.extend(self.start.to_le_bytes());
        bytes.extend([2, self.mapq, 0, 0]);
        bytes.extend((self.ops.len() as u16).to_le_bytes());
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(0i32.to_le_bytes());
        bytes.extend(self.mate.to_le_bytes());
        bytes.extend(0i32.to_le_bytes());
        bytes.extend(*b"r\0");
        self.ops.iter().for_each(|(op, length)| bytes.extend((length << 4 | op).to_le_bytes()));
        bytes.extend(std::iter::repeat_n(0x12, count.div_ceil(2) as usize));
        let quality =
            |i: u32| [37, 20, 19, 2, 3, 255, 128, 60][(i as usize / 2 + usize::from(self.seed)) % 8];
        bytes.extend((0..count).map(quality));
        bytes
    }
}

fn context(targets: &[(u32, u32)]) -> Context {
    use std::io::Write;
    let mut bed = tempfile::NamedTempFile::new().unwrap();
    targets.iter().for_each(|(start, end)| writeln!(bed, "chr1\t{start}\t{end}").unwrap());
    let mut context = cut_walk::context(LENGTH, Options::default());
    let design = Design::read(bed.path(), None, &context.header.to_contigs()).unwrap();
    context.options.design = Some(Arc::new(design));
    context
}

/// All that figures are made of.
fn walk(context: &Context, reads: &[Made], cuts: &[u32]) -> (String, String, [Vec<u64>; 4]) {
    let records: Vec<Vec<u8>> = reads.iter().map(Made::bytes).collect();
    let total: Hs = cut_walk::walk(context, &records, cuts);
    let (coverage, all) = (&total.coverage, u64::from(LENGTH));
    let deep = DEEP.iter().map(|least| coverage.reaching(*least)).collect();
    let by_depth = [coverage.depths(all), coverage.unfiltered(all), coverage.qualities().to_vec(), deep];
    (format!("{:?}", total.counts), total.per_target_text(context, 1.0), by_depth)
}

fn made() -> impl Strategy<Value = Made> {
    let op = (prop_oneof![6 => Just(0u32), 1 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(4)], 1u32..40);
    let flags = prop_oneof![
        4 => Just(99u16), 2 => Just(147), 1 => Just(0), 1 => Just(73),
        1 => Just(2147), 1 => Just(355), 1 => Just(1123), 1 => Just(611)
    ];
    let ops = proptest::collection::vec(op, 1..5);
    (0..LENGTH, 0..LENGTH, ops, flags, prop_oneof![4 => Just(60u8), 1 => Just(19), 1 => Just(0)], any::<u8>())
        .prop_map(|(start, mate, ops, flags, mapq, seed)| Made { start, mate, ops, flags, mapq, seed })
}

proptest! {
    /// That the figures are right, Picard says (tests/capture.rs); that they do not depend on the cuts, this.
    #[test]
    fn the_file_can_be_cut_anywhere(
        mut reads in proptest::collection::vec(made(), 1..40),
        targets in proptest::collection::vec((0..LENGTH - 60, 0u32..60), 1..5),
        cuts in proptest::collection::btree_set(1..LENGTH, 0..4),
        deep in prop_oneof![8 => Just(1usize), 1 => Just(30)],
    ) {
        let targets: Vec<_> = targets.iter().map(|(start, length)| (*start, start + length)).collect();
        let context = context(&targets);
        reads = reads.iter().flat_map(|read| std::iter::repeat_n(read.clone(), deep)).collect();
        reads.sort_by_key(|read| read.start);
        let cuts: Vec<u32> = cuts.into_iter().collect();
        prop_assert_eq!(walk(&context, &reads, &cuts), walk(&context, &reads, &[]));
    }
}
