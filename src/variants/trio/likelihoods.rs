//! The reads' evidence as it stands in FORMAT: PL, QS and AD to logarithms of likelihoods.

use std::sync::LazyLock;

use super::inheritance::{MOST_ALLELES, wrong_samples};
use super::pedigree::Trio;
use super::posterior::{CHILD, Evidence, FATHER, MOTHER, log_of_phred};
use super::settings::Noise;
use crate::formats::vcf::record::{Record, cell};
use crate::formats::vcf::value;
use crate::records::pipeline::RecordProblem;

/// A missing integer, as BCF has it (BCF 2.2, section 6.3.3); a number like any other to the model.
pub(super) const MISSING: i32 = i32::MIN;
/// A value that a shorter list does not have.
const BEYOND: i32 = i32::MIN + 1;

/// The lists of integers of a FORMAT tag.
pub(super) struct Lists<'r> {
    cells: Vec<&'r [u8]>,
    /// Values of the longest list.
    width: usize,
    /// What each value is multiplied by.
    scale: i32,
}

impl<'r> Lists<'r> {
    /// The lists of a tag; `None` where the record does not have it.
    pub(super) fn read(
        record: &'r Record,
        tag: &[u8],
        samples: usize,
    ) -> Result<Option<Self>, RecordProblem> {
        let Some(field) = record.format_index(tag) else { return Ok(None) };
        let mut cells = Vec::with_capacity(samples);
        match record.unchanged_samples() {
            Some(text) => cells.extend(text.split(|&b| b == b'\t').map(|sample| cell(sample, field))),
            None => cells.extend(record.cells(field)),
        }
        if cells.len() != samples {
            return Err(wrong_samples(record, cells.len(), samples));
        }
        let width = cells.iter().map(|cell| length(cell)).max().unwrap_or(0);
        Ok(Some(Self { cells, width, scale: 1 }))
    }

    /// Values of the longest list.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The same, each value so many times.
    fn times(&self, scale: i32) -> Self {
        Self { cells: self.cells.clone(), width: self.width, scale }
    }

    /// How many values a sample has.
    fn length(&self, sample: usize) -> usize {
        length(self.cells[sample])
    }

    /// The values of a sample, as many as the longest list has.
    pub(super) fn read_into(&self, sample: usize, values: &mut Vec<i32>) {
        values.clear();
        let of = |text| value::integer(text).map_or(MISSING, |value| value.saturating_mul(self.scale));
        values.extend(items(self.cells[sample]).map(of));
        values.resize(self.width, BEYOND);
    }

    /// Whether a sample has every value.
    fn is_whole(&self, sample: usize) -> bool {
        items(self.cells[sample]).all(|text| value::integer(text).is_some())
    }
}

/// The values of a list; lists are short, and the search for each comma too.
fn items(cell: &[u8]) -> impl Iterator<Item = &[u8]> {
    cell.split(|&b| b == b',')
}

/// How many there are.
fn length(cell: &[u8]) -> usize {
    1 + cell.iter().filter(|&&b| b == b',').count()
}

/// Buffers of a thread, used again for every trio.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// What was read last.
    pub evidence: Evidence,
    values: Vec<i32>,
    depths: [Vec<i32>; 3],
}

/// The lists that a model takes from a record.
pub(super) struct Lines<'r> {
    /// Of genotypes.
    pub likelihoods: Lists<'r>,
    /// Of alleles: sums of base qualities, or what stands for them. Not all models need them.
    pub qualities: Option<Lists<'r>>,
    /// Of alleles: numbers of reads.
    pub depths: Option<Lists<'r>>,
}

/// A phred value as htslib's tools put it for a read whose quality is not known.
const USUAL_QUALITY: i32 = 30;

/// Numbers of reads as sums of qualities.
pub(super) fn qualities_of_depths<'r>(depths: &Lists<'r>) -> Lists<'r> {
    depths.times(USUAL_QUALITY)
}

impl Lines<'_> {
    /// Reads the evidence on a trio. `noise` is what is taken off the parents' qualities.
    pub(super) fn read(&self, trio: &Trio, noise: Option<&Noise>, scratch: &mut Scratch) {
        let members = members(trio);
        for who in [FATHER, MOTHER, CHILD] {
            self.likelihoods.read_into(members[who], &mut scratch.values);
            logs(&scratch.values, &mut scratch.evidence.likelihoods[who]);
        }
        self.read_qualities(members, noise, scratch);
    }

    /// The same of a trio whose likelihoods may be those of haploid genotypes; false where one of them is missing.
    pub(super) fn read_any_ploidy(
        &self,
        trio: &Trio,
        alleles: usize,
        noise: Option<&Noise>,
        scratch: &mut Scratch,
    ) -> bool {
        let members = members(trio);
        for who in [FATHER, MOTHER, CHILD] {
            let sample = members[who];
            if !self.likelihoods.is_whole(sample) {
                return false;
            }
            let length = self.likelihoods.length(sample);
            self.likelihoods.read_into(sample, &mut scratch.values);
            let likelihoods = &mut scratch.evidence.likelihoods[who];
            if length == alleles * (alleles + 1) / 2 {
                logs(&scratch.values[..length], likelihoods);
            } else if length == alleles && alleles <= MOST_ALLELES {
                diploid_logs(&scratch.values[..length], likelihoods);
            } else {
                return false;
            }
        }
        let is_whole = |lists: &Lists<'_>| members.into_iter().all(|sample| lists.is_whole(sample));
        if self.qualities.as_ref().is_some_and(|lists| !is_whole(lists)) {
            return false;
        }
        self.read_qualities(members, noise, scratch);
        true
    }

    fn read_qualities(&self, members: [usize; 3], noise: Option<&Noise>, scratch: &mut Scratch) {
        let Scratch { evidence, values, depths: buffers } = scratch;
        let Some(qualities) = &self.qualities else {
            evidence.qualities.iter_mut().for_each(Vec::clear);
            return;
        };
        let needs_depths = noise.is_some_and(Noise::needs_depths);
        let depths = self.depths.as_ref().filter(|_| needs_depths).map(|depths| {
            for (sample, buffer) in members.into_iter().zip(buffers.iter_mut()) {
                depths.read_into(sample, buffer);
            }
            &*buffers
        });
        for who in [FATHER, MOTHER, CHILD] {
            qualities.read_into(members[who], values);
            let noise = noise.filter(|_| who != CHILD);
            let (both, single) = noise
                .map_or((0.0, 0.0), |noise| levels(noise, values, depths.map(|depths| &depths[who][..])));
            let is_in_both = |allele: usize| match depths {
                None => true,
                Some(depths) => {
                    [FATHER, MOTHER].into_iter().all(|who| depths[who].get(allele).is_some_and(|&n| n != 0))
                }
            };
            let quality = |(allele, &value): (usize, &i32)| {
                let rest = f64::from(value) - if is_in_both(allele) { both } else { single };
                log_of_phred(if rest < 0.0 { 0.0 } else { rest })
            };
            evidence.qualities[who].clear();
            evidence.qualities[who].extend(values.iter().enumerate().map(quality));
        }
    }
}

/// Samples in the model's order.
fn members(trio: &Trio) -> [usize; 3] {
    let mut members = [0; 3];
    (members[FATHER], members[MOTHER], members[CHILD]) = (trio.father, trio.mother, trio.child);
    members
}

/// What is taken off a parent's qualities: of alleles that both parents have reads of, and of others.
fn levels(noise: &Noise, qualities: &[i32], depths: Option<&[i32]>) -> (f64, f64) {
    let sum = |values: &[i32]| values.iter().fold(0.0, |sum, &value| sum + f64::from(value));
    if noise.share == 0.0 && noise.single_share == 0.0 {
        return (0.0, 0.0);
    }
    let total = sum(qualities);
    let (mut both, mut single) = (total * noise.share, total * noise.single_share);
    if let Some(depths) = depths {
        // So many reads of the mean quality, where that is more. By 0 reads the quotient is infinite or no number, which
        // is never more.
        let reads = sum(depths);
        let (of_both, of_single) = (noise.reads * total / reads, noise.single_reads * total / reads);
        both = if both < of_both { of_both } else { both };
        single = if single < of_single { of_single } else { single };
    }
    (both, single)
}

/// The chances of the phreds that are usual.
static CHANCES: LazyLock<Vec<f64>> = LazyLock::new(|| (0..1024).map(chance_of).collect());

/// 10^(-phred / 10). The base is hidden from the compiler: this is to be the C library's pow, which bcftools calls, and not
/// its exp10.
fn chance_of(phred: i32) -> f64 {
    std::hint::black_box(10.0f64).powf(-0.1 * f64::from(phred))
}

/// Chances from phreds, logarithms of their shares.
fn logs(phreds: &[i32], values: &mut Vec<f64>) {
    let usual = &**CHANCES;
    values.clear();
    values.extend(phreds.iter().map(|&phred| match usize::try_from(phred) {
        Ok(number) if number < usual.len() => usual[number],
        _ => chance_of(phred),
    }));
    let sum = values.iter().fold(0.0, |sum, value| sum + value);
    for value in values {
        *value = (*value / sum).ln();
    }
}

/// The same of haploid genotypes in the places of homozygotes; heterozygotes are impossible.
fn diploid_logs(phreds: &[i32], values: &mut Vec<f64>) {
    let mut haploid = Vec::new();
    logs(phreds, &mut haploid);
    values.clear();
    for (allele, value) in haploid.into_iter().enumerate() {
        values.resize(values.len() + allele, f64::NEG_INFINITY);
        values.push(value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn logs_of(phreds: &[i32]) -> Vec<f64> {
        let mut values = Vec::new();
        logs(phreds, &mut values);
        values
    }

    #[test]
    fn phreds_become_logarithms_of_shares() {
        // By hand: 10^0, 10^-1, 10^-2 share 1.11.
        let expected = [1.0 / 1.11, 0.1 / 1.11, 0.01 / 1.11].map(f64::ln);
        for (found, expected) in logs_of(&[0, 10, 20]).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12);
        }
        // All of a missing value is infinite, and its share no number.
        assert!(logs_of(&[MISSING, BEYOND, BEYOND])[0].is_nan());
        let mut diploid = Vec::new();
        diploid_logs(&[0, 10, 20], &mut diploid);
        let infinite: Vec<bool> = diploid.iter().map(|value| value.is_infinite()).collect();
        assert_eq!(infinite, [false, true, false, true, true, false]);
        assert_eq!(diploid[2], logs_of(&[0, 10, 20])[1]);
    }

    #[test]
    fn noise_is_taken_off_the_parents() {
        let noise = Noise { share: 0.01, reads: 0.0, single_share: 0.05, single_reads: 2.0 };
        // By hand: of 1000, 10 and 50; two reads of 30 among 1000 / 20 reads are 100.
        assert_eq!(levels(&noise, &[900, 100], None), (10.0, 50.0));
        assert_eq!(levels(&noise, &[900, 100], Some(&[15, 5])), (10.0, 100.0));
        assert_eq!(levels(&noise, &[900, 100], Some(&[0, 0])).0, 10.0);
        let line =
            "1\t1\t.\tA\tC\t.\t.\t.\tPL:QS:AD\t0,9,9:900,100:30,4\t0,9,9:900,100:30,0\t9,0,9:900,100:9,9";
        let record = Record::parse(line.as_bytes()).unwrap();
        let lists = |tag: &[u8]| Lists::read(&record, tag, 3).unwrap();
        let lines = |depths| Lines { likelihoods: lists(b"PL").unwrap(), qualities: lists(b"QS"), depths };
        let trio = Trio { child: 2, father: 0, mother: 1, has_one_x: false };
        let noise = Noise { single_reads: 0.0, ..noise };
        // The alternate allele has reads in the father alone.
        for (depths, expected) in [(None, [890.0, 90.0]), (lists(b"AD"), [890.0, 50.0])] {
            let mut scratch = Scratch::default();
            lines(depths).read(&trio, Some(&noise), &mut scratch);
            let evidence = scratch.evidence;
            let phreds = |who: usize| evidence.qualities[who].iter().map(|log| -4.3429 * log);
            for (found, expected) in phreds(FATHER).zip(expected) {
                assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
            for (found, expected) in phreds(CHILD).zip([900.0, 100.0]) {
                assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
        }
    }

    fn values_of(lists: &Lists<'_>, sample: usize) -> Vec<i32> {
        let mut values = Vec::new();
        lists.read_into(sample, &mut values);
        values
    }

    #[test]
    fn lists_are_as_long_as_the_longest() {
        let record = Record::parse(b"1\t1\t.\tA\tC\t.\t.\t.\tPL\t0,9,9\t.\t4,x").unwrap();
        let lists = Lists::read(&record, b"PL", 3).unwrap().unwrap();
        assert_eq!(
            [0, 1, 2].map(|sample| values_of(&lists, sample)),
            [vec![0, 9, 9], vec![MISSING, BEYOND, BEYOND], vec![4, MISSING, BEYOND]]
        );
        assert_eq!(values_of(&lists.times(30), 0), [0, 270, 270]);
        assert!(Lists::read(&record, b"PL", 4).is_err());
        assert!(Lists::read(&record, b"AD", 3).unwrap().is_none());
    }
}
