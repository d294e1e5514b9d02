//! Where a sample's files are cut, so that its parts can be walked at once.

use super::collector::Stretch;
use crate::formats::alignment::Format;
use crate::formats::merged::MergedFiles;

/// A part of the files that one worker walks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shard {
    /// Stretches, ascending.
    Stretches(Vec<Stretch>),
    /// The reads without a position.
    Unplaced,
}

/// Cuts indexed files into shards of about `bytes` compressed bytes; the last is the reads without a position. Depends on
/// the files and their indices alone. `None` without an index.
pub fn shards(files: &MergedFiles, bytes: u64) -> Option<Vec<Shard>> {
    if !files.are_indexed() {
        return None;
    }
    let contigs = &files.header().contigs;
    let lengths: Vec<u32> = contigs.iter().map(|contig| contig.length).collect();
    let largest = files.files().iter().max_by_key(|file| file.size())?;
    // The other files add to what lies between two cuts of the largest.
    let share = match (largest.size(), files.size()) {
        (Some(largest), Some(all)) if all > 0 => largest as f64 / all as f64,
        _ => 1.0,
    };
    let bytes = (bytes as f64 * share) as u64;
    let mut shards = Vec::new();
    let mut from = (0, 0);
    for cut in largest.index()?.cuts(&lengths, bytes) {
        if cut > from {
            shards.push(Shard::Stretches(between(&lengths, from, cut)));
            from = cut;
        }
    }
    shards.push(Shard::Stretches(between(&lengths, from, (lengths.len(), 0))));
    shards.push(Shard::Unplaced);
    Some(shards)
}

/// A shard's usual size: small enough that 16 threads share a small file, large enough that reading the reads around a cut
/// twice does not count. CRAM decodes a whole slice for that, so its shards are larger.
pub fn shard_bytes(files: &MergedFiles) -> u64 {
    let has_cram = files.files().iter().any(|file| file.format() == Format::Cram);
    let (least, most) = if has_cram { (12 << 20, 64 << 20) } else { (4 << 20, 64 << 20) };
    (files.size().unwrap_or(0) / 256).clamp(least, most)
}

/// The stretches from one (contig, position) up to another, which may be one past the last contig.
pub fn between(lengths: &[u32], from: (usize, u32), to: (usize, u32)) -> Vec<Stretch> {
    let contigs = lengths.iter().enumerate().skip(from.0).take_while(|(contig, _)| *contig <= to.0);
    let stretch = |(contig, &length): (usize, &u32)| Stretch {
        contig,
        start: if contig == from.0 { from.1 } else { 0 },
        end: if contig == to.0 { to.1 } else { length },
    };
    contigs.map(stretch).filter(|stretch| stretch.start < stretch.end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_what_lies_between_two_places() {
        let lengths = [100, 50, 30];
        for (from, to, expected) in [
            ((0, 0), (3, 0), vec![(0, 0, 100), (1, 0, 50), (2, 0, 30)]),
            ((0, 0), (0, 10), vec![(0, 0, 10)]),
            ((0, 90), (1, 0), vec![(0, 90, 100)]),
            ((0, 90), (2, 5), vec![(0, 90, 100), (1, 0, 50), (2, 0, 5)]),
            ((2, 29), (3, 0), vec![(2, 29, 30)]),
            ((1, 50), (1, 50), vec![]),
        ] {
            let found = between(&lengths, from, to);
            let found: Vec<_> = found.iter().map(|s| (s.contig, s.start, s.end)).collect();
            assert_eq!(found, expected, "{from:?} {to:?}");
        }
    }
}
