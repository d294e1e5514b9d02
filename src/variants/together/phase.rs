//! Phase carried over the overlaps of neighbouring files (bcftools concat --ligate).
//!
//! Two files that were phased apart agree in an overlap up to which haplotype is the first. For each sample the
//! heterozygous genotypes of the overlap vote whether the second file's are swapped from then on. PQ says how unanimous
//! they were, PS where the phase that a genotype belongs to begins.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::formats::vcf::number::write_integer;
use crate::formats::vcf::record::Record;
use crate::records::genotype;

/// A phasing quality where all votes are for the same, Phred-like.
const UNANIMOUS: i32 = 99;

/// A record and what is to be done to it.
pub struct Ligated {
    record: Record,
    /// Samples whose haplotypes change places.
    swaps: Option<Arc<Vec<bool>>>,
    /// PQ.
    qualities: Option<Arc<Vec<i32>>>,
    /// PS.
    sets: Option<Arc<Vec<Option<i64>>>>,
}

impl Ligated {
    /// The record as it is written.
    pub fn finished(self) -> Record {
        let mut record = self.record;
        if let Some(swaps) = &self.swaps {
            swap(&mut record, swaps);
        }
        if let Some(qualities) = &self.qualities {
            set(&mut record, b"PQ", qualities.iter().map(|&quality| Some(i64::from(quality))));
        }
        if let Some(sets) = &self.sets {
            set(&mut record, b"PS", sets.iter().copied());
        }
        record
    }

    /// Its position.
    pub fn position(&self) -> i64 {
        self.record.position()
    }

    /// Its contig.
    pub fn contig(&self) -> &[u8] {
        self.record.chrom()
    }
}

/// The phase of all samples up to where the files have been read.
pub struct Phase {
    /// PS is written where it changes, not in each record.
    compact_sets: bool,
    /// Below this quality a phase set ends.
    least_quality: i32,
    swaps: Arc<Vec<bool>>,
    has_swaps: bool,
    sets: Arc<Vec<Option<i64>>>,
    sets_changed: bool,
    /// Sites of the overlap that is being read: the records of the file before and of the one behind.
    overlap: Vec<[Option<Record>; 2]>,
    ready: VecDeque<Ligated>,
}

impl Phase {
    /// No phase is known yet of so many samples.
    pub fn new(samples: usize, compact_sets: bool, least_quality: i32) -> Self {
        Self {
            compact_sets,
            least_quality,
            swaps: Arc::new(vec![false; samples]),
            has_swaps: false,
            sets: Arc::new(vec![None; samples]),
            sets_changed: false,
            overlap: Vec::new(),
            ready: VecDeque::new(),
        }
    }

    /// The next record that is done.
    pub fn pop(&mut self) -> Option<Ligated> {
        self.ready.pop_front()
    }

    /// A contig begins with a record at this position: all phase sets begin there.
    pub fn begin_contig(&mut self, position: i64) {
        self.end_overlap();
        self.sets = Arc::new(vec![Some(position + 1); self.sets.len()]);
        self.sets_changed = true;
    }

    /// Takes a record of one file alone.
    pub fn take(&mut self, record: Record) {
        self.emit(record, self.swapped(), None);
    }

    /// Takes a site where two files overlap.
    pub fn take_overlap(&mut self, pair: [Option<Record>; 2]) {
        self.overlap.push(pair);
    }

    /// The second file ends before the first, which goes on in its own phase.
    pub fn end_inner(&mut self) {
        let (swaps, has_swaps) = (Arc::clone(&self.swaps), self.has_swaps);
        self.end_overlap();
        (self.swaps, self.has_swaps) = (swaps, has_swaps);
    }

    /// The overlap, if there is one, is read to its end: the first half of its sites is the first file's, the other the
    /// second file's in the phase of the first. Sites that one file lacks are the other's, in its phase.
    pub fn end_overlap(&mut self) {
        if self.overlap.is_empty() {
            return;
        }
        let mut sites = std::mem::take(&mut self.overlap);
        let votes = votes(&sites, &self.swaps);
        let second_half = sites.split_off(sites.len().div_ceil(2));
        let of_first = self.swapped();
        self.swaps = Arc::new(votes.iter().map(|(keep, swap)| keep < swap).collect());
        self.has_swaps = self.swaps.contains(&true);
        let of_second = self.swapped();
        for [first, second] in sites {
            let swaps = if first.is_some() { &of_first } else { &of_second };
            if let Some(record) = first.or(second) {
                self.emit(record, swaps.clone(), None);
            }
        }
        let qualities: Vec<i32> = votes.into_iter().map(|(keep, swap)| quality(keep, swap)).collect();
        let mut qualities = Some(Arc::new(qualities));
        for [first, second] in second_half {
            let is_both = first.is_some() && second.is_some();
            let swaps = if second.is_some() { &of_second } else { &of_first };
            let Some(record) = second.or(first) else { continue };
            let of_this = if is_both { qualities.take() } else { None };
            if let Some(qualities) = &of_this {
                self.begin_sets(record.position(), qualities);
            }
            self.emit(record, swaps.clone(), of_this);
        }
    }

    /// Phase sets of samples with a low quality begin anew; with `compact_sets` the others' are not written again.
    fn begin_sets(&mut self, position: i64, qualities: &[i32]) {
        let sets = Arc::make_mut(&mut self.sets);
        for (set, &quality) in sets.iter_mut().zip(qualities) {
            if quality < self.least_quality {
                *set = Some(position + 1);
                self.sets_changed = true;
            } else if self.compact_sets {
                *set = None;
            }
        }
    }

    /// The samples whose haplotypes change places, if there are such.
    fn swapped(&self) -> Option<Arc<Vec<bool>>> {
        self.has_swaps.then(|| Arc::clone(&self.swaps))
    }

    fn emit(&mut self, record: Record, swaps: Option<Arc<Vec<bool>>>, qualities: Option<Arc<Vec<i32>>>) {
        let with_sets = !self.compact_sets || std::mem::take(&mut self.sets_changed);
        self.ready.push_back(Ligated {
            record,
            swaps,
            qualities,
            sets: with_sets.then(|| Arc::clone(&self.sets)),
        });
    }
}

/// For each sample the sites that speak against swapping the second file's haplotypes, and for it.
fn votes(sites: &[[Option<Record>; 2]], swaps: &[bool]) -> Vec<(u32, u32)> {
    let mut votes = vec![(0, 0); swaps.len()];
    for site in sites {
        let [Some(first), Some(second)] = site else { continue };
        let (Some(first), Some(second)) = (phased(first), phased(second)) else { continue };
        for (((vote, &swapped), first), second) in votes.iter_mut().zip(swaps).zip(first).zip(second) {
            let (Some((a, b)), Some(second)) = (first, second) else { continue };
            let first = if swapped { (b, a) } else { (a, b) };
            vote.0 += u32::from(first == second);
            vote.1 += u32::from((first.1, first.0) == second);
        }
    }
    votes
}

/// The phased heterozygous genotypes of a record's samples; `None` where it has no GT, or none of two alleles, or one of
/// more.
fn phased(record: &Record) -> Option<Vec<Option<(usize, usize)>>> {
    let mut most = 0;
    let of = |cell: &[u8]| {
        let mut alleles = genotype::phased_alleles(cell);
        let pair = (alleles.next(), alleles.next(), alleles.count());
        most = most.max(usize::from(pair.0.is_some()) + usize::from(pair.1.is_some()) + pair.2);
        match pair {
            (Some((_, Some(first))), Some((true, Some(second))), 0) if first != second => {
                Some((first, second))
            }
            _ => None,
        }
    };
    let genotypes = record.cells(record.format_index(b"GT")?).map(of).collect();
    (most == 2).then_some(genotypes)
}

/// bcftools' measure, which falls with the entropy of the votes from 99 to 0.
fn quality(keep: u32, swap: u32) -> i32 {
    if keep == 0 || swap == 0 {
        return UNANIMOUS;
    }
    let share = f64::from(keep) / f64::from(keep + swap);
    (99.0 * (0.7 + share * share.ln() + (1.0 - share) * (1.0 - share).ln()) / 0.7) as i32
}

/// Has the haplotypes of phased genotypes change places, where the first is not missing.
fn swap(record: &mut Record, swaps: &[bool]) {
    let Some(field) = record.format_index(b"GT") else { return };
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for (number, cell) in record.cells(field).enumerate() {
        let mut parts = cell.split(|&b| b == b'|');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(first), Some(second), None)
                if swaps.get(number) == Some(&true)
                    && first != b"."
                    && !first.is_empty()
                    && !cell.contains(&b'/') =>
            {
                text.extend_from_slice(second);
                text.push(b'|');
                text.extend_from_slice(first);
            }
            _ => text.extend_from_slice(cell),
        }
        ends.push(text.len());
    }
    record.set_format(b"GT", &text, &ends);
}

/// Sets a FORMAT field of one integer.
fn set(record: &mut Record, tag: &[u8], values: impl Iterator<Item = Option<i64>>) {
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Some(value) => write_integer(value, &mut text),
            None => text.push(b'.'),
        }
        ends.push(text.len());
    }
    record.set_format(tag, &text, &ends);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn record(position: usize, genotype: &str) -> Record {
        Record::parse(format!("1\t{position}\t.\tA\tC\t.\t.\t.\tGT\t{genotype}").as_bytes()).unwrap()
    }

    #[test]
    fn qualities_are_those_of_the_formula() {
        // By hand: 99 where all agree; 99 (0.7 - ln 2) / 0.7 = 0.97; 99 (0.7 - 0.5623) / 0.7 = 19.5 for one of four.
        for (keep, swap, expected) in [(0, 0, 99), (5, 0, 99), (0, 5, 99), (4, 4, 0), (3, 1, 19), (1, 3, 19)]
        {
            assert_eq!(quality(keep, swap), expected, "{keep} {swap}");
        }
    }

    #[test]
    fn the_second_half_of_an_overlap_is_in_the_phase_of_the_first_file() {
        // By hand: both sites say that the second file has its haplotypes the other way round.
        let mut phase = Phase::new(1, false, 30);
        phase.begin_contig(0);
        phase.take(record(1, "0|1"));
        phase.take_overlap([Some(record(2, "0|1")), Some(record(2, "1|0"))]);
        phase.take_overlap([Some(record(3, "1|0")), Some(record(3, "0|1"))]);
        phase.end_overlap();
        phase.take(record(4, ".|1"));
        phase.take(record(5, "1|0"));
        let mut found = Vec::new();
        while let Some(ligated) = phase.pop() {
            let mut line = Vec::new();
            ligated.finished().write(&mut line);
            let line = String::from_utf8(line).unwrap();
            found.push(line.split('\t').skip(8).collect::<Vec<_>>().join(" "));
        }
        assert_eq!(found, ["GT:PS 0|1:1", "GT:PS 0|1:1", "GT:PQ:PS 1|0:99:1", "GT:PS .|1:1", "GT:PS 0|1:1"]);
    }
}
