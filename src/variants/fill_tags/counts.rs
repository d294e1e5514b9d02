//! Counting genotypes by group of samples.

use super::FillTags;
use crate::formats::vcf::record::Record;
use crate::records::genotype;
use crate::records::pipeline::RecordProblem;
use crate::variants::genotype_scan::{Genotype, MISSING, scan};
use crate::variants::sex::Copies;

/// How often an allele was met, by the kind of genotype.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlleleCounts {
    /// Two for each homozygote.
    pub homozygous: u64,
    /// One for each genotype with other alleles.
    pub heterozygous: u64,
    /// One for each genotype of one allele.
    pub hemizygous: u64,
    /// One for each half of a genotype that is not taken as hemizygous.
    pub half: u64,
}

impl AlleleCounts {
    /// All.
    pub fn total(&self) -> u64 {
        self.homozygous + self.heterozygous + self.hemizygous + self.half
    }
}

/// The counts of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupCounts {
    /// Samples in the group.
    pub members: u64,
    /// Those with an allele.
    pub samples: u64,
    /// Those with a missing allele.
    pub missing: u64,
    /// By allele, the reference first.
    pub alleles: Vec<AlleleCounts>,
}

impl GroupCounts {
    /// All alleles.
    pub fn total(&self) -> u64 {
        self.alleles.iter().map(AlleleCounts::total).sum()
    }

    /// Share of each allele in 32 bits, as bcftools has it; not a number where there are none.
    pub fn frequencies(&self) -> impl Iterator<Item = f32> {
        let total = self.total() as f32;
        self.alleles.iter().map(move |allele| allele.total() as f32 / total)
    }

    /// The second greatest of them.
    pub fn second_frequency(&self) -> f32 {
        let (mut first, mut second) = (f32::NAN, f32::NAN);
        for frequency in self.frequencies() {
            if first.is_nan() || frequency > first {
                (first, second) = (frequency, first);
            } else if second.is_nan() || frequency > second {
                second = frequency;
            }
        }
        second
    }

    fn clear(&mut self, alleles: usize) {
        (self.members, self.samples, self.missing) = (0, 0, 0);
        self.alleles.clear();
        self.alleles.resize(alleles, AlleleCounts::default());
    }

    /// Counts `n` genotypes with these alleles.
    fn add(&mut self, genotype: &Counted, n: u64) {
        if genotype.has_missing {
            self.missing += n;
        }
        let alleles = genotype.alleles.as_slice();
        if alleles.is_empty() {
            return;
        }
        self.samples += n;
        for &allele in alleles {
            let counts = &mut self.alleles[allele];
            match genotype.kind {
                Kind::Half => counts.half += n,
                Kind::Heterozygous => counts.heterozygous += n,
                Kind::Homozygous => counts.homozygous += 2 * n,
                Kind::Hemizygous => counts.hemizygous += n,
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Half,
    Heterozygous,
    Homozygous,
    Hemizygous,
}

/// What a genotype counts for.
#[derive(Clone, Debug)]
struct Counted {
    /// The different alleles that are there.
    alleles: Alleles,
    has_missing: bool,
    kind: Kind,
}

/// A few different alleles; most genotypes have at most two.
#[derive(Clone, Debug)]
enum Alleles {
    Few([usize; 2], usize),
    Many(Vec<usize>),
}

impl Alleles {
    const NONE: Self = Self::Few([0; 2], 0);

    fn as_slice(&self) -> &[usize] {
        match self {
            Self::Few(alleles, count) => &alleles[..*count],
            Self::Many(alleles) => alleles,
        }
    }

    fn insert(&mut self, allele: usize) {
        if self.as_slice().contains(&allele) {
            return;
        }
        match self {
            Self::Few(alleles, count @ 0..2) => {
                alleles[*count] = allele;
                *count += 1;
            }
            Self::Few(alleles, _) => *self = Self::Many([&alleles[..], &[allele]].concat()),
            Self::Many(alleles) => alleles.push(allele),
        }
    }
}

/// Buffers of counting.
#[derive(Debug, Default)]
pub struct Counting {
    /// The counts of each group, that of all samples last.
    pub groups: Vec<GroupCounts>,
    /// Pairs by their codes, for each group and each number of copies.
    pairs: Vec<[u32; CODES * CODES]>,
}

/// With so few samples a table of pairs costs more than it saves.
const FEW_SAMPLES: usize = 60;

/// Numbers of a pair's codes.
const CODES: usize = MISSING as usize + 1;

impl FillTags {
    /// Counts a record's genotypes by group; false where it has no GT.
    pub(super) fn count(&self, record: &Record, counting: &mut Counting) -> Result<bool, RecordProblem> {
        let alleles = record.allele_count();
        let Counting { groups, pairs } = counting;
        groups.resize_with(self.group_count(), GroupCounts::default);
        groups.iter_mut().for_each(|group| group.clear(alleles));
        let copies =
            self.options.ploidy.as_ref().and_then(|ploidy| ploidy.at(record.chrom(), record.position()));
        let all = groups.len() - 1;
        let uses_table = self.samples >= FEW_SAMPLES;
        if uses_table {
            pairs.clear();
            pairs.resize(groups.len() * 3, [0; CODES * CODES]);
        }
        let mut problem = None;
        let mut add = |groups: &mut [GroupCounts], of: &[usize], counted: &Counted, n: u64| {
            if let Some(&allele) = counted.alleles.as_slice().iter().find(|allele| **allele >= alleles) {
                problem = Some(allele);
                return;
            }
            for &group in of {
                groups[group].members += n;
                groups[group].add(counted, n);
            }
        };
        let has_genotypes = scan(record, |sample, found| {
            let copies = copies.map_or(Copies::Two, |copies| copies.of(sample));
            let of_sample = self.groups_of.get(sample).map_or(&[][..], Vec::as_slice);
            let counted = match found {
                Genotype::Pair(a, b) if uses_table => {
                    let code = usize::from(a) * CODES + usize::from(b);
                    pairs[all * 3 + copies as usize][code] += 1;
                    for &group in of_sample {
                        pairs[group * 3 + copies as usize][code] += 1;
                    }
                    return;
                }
                Genotype::Pair(a, b) => self.counted([allele(a), allele(b)].into_iter(), copies),
                Genotype::Other(cell) => self.counted(genotype::alleles(cell), copies),
            };
            add(groups, of_sample, &counted, 1);
            add(groups, &[all], &counted, 1);
        });
        if uses_table {
            for (number, pairs) in pairs.iter().enumerate() {
                for (code, &n) in pairs.iter().enumerate().filter(|(_, n)| **n > 0) {
                    let pair = [allele((code / CODES) as u8), allele((code % CODES) as u8)];
                    let counted = self.counted(pair.into_iter(), Copies::ALL[number % 3]);
                    add(groups, &[number / 3], &counted, u64::from(n));
                }
            }
        }
        match problem {
            Some(allele) => {
                let what = format!("a genotype has allele {allele}, which the record does not have");
                Err(RecordProblem::at(record, what))
            }
            None => Ok(has_genotypes),
        }
    }

    /// What a genotype counts for in somebody with so many copies. With one copy two equal alleles are one, and two
    /// different ones no genotype; with none nothing counts.
    fn counted(&self, genotype: impl Iterator<Item = Option<usize>>, copies: Copies) -> Counted {
        let (mut found, mut ploidy) = (Alleles::NONE, 0);
        let mut called = 0;
        for allele in genotype {
            ploidy += 1;
            if let Some(allele) = allele {
                called += 1;
                found.insert(allele);
            }
        }
        let has_missing = called < ploidy;
        let different = found.as_slice().len();
        let mut kind = match (has_missing, self.options.drop_missing) {
            (true, true) => Kind::Half,
            _ if different != 1 => Kind::Heterozygous,
            (true, false) => Kind::Hemizygous,
            _ if called == 1 => Kind::Hemizygous,
            _ => Kind::Homozygous,
        };
        match copies {
            Copies::Two => {}
            Copies::One if different > 1 => {
                return Counted { alleles: Alleles::NONE, has_missing: true, kind };
            }
            Copies::One => {
                if kind == Kind::Homozygous {
                    kind = Kind::Hemizygous;
                }
            }
            Copies::None => return Counted { alleles: Alleles::NONE, has_missing: false, kind },
        }
        Counted { alleles: found, has_missing, kind }
    }
}

/// The allele of a code.
fn allele(code: u8) -> Option<usize> {
    (code < MISSING).then_some(usize::from(code))
}
