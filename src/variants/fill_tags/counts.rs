//! Counting genotypes by group of samples.

use super::FillTags;
use crate::formats::vcf::record::Record;
use crate::variants::genotype;
use crate::variants::genotype_scan::{Genotype, MISSING, scan};
use crate::variants::pipeline::RecordProblem;
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
    pub fn frequencies(&self) -> Vec<f32> {
        let total = self.total() as f32;
        self.alleles.iter().map(|allele| allele.total() as f32 / total).collect()
    }

    /// Counts `n` genotypes with these alleles.
    fn add(&mut self, genotype: &Counted, n: u64) {
        if genotype.has_missing {
            self.missing += n;
        }
        if genotype.alleles.is_empty() {
            return;
        }
        self.samples += n;
        for &allele in &genotype.alleles {
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
    alleles: Vec<usize>,
    has_missing: bool,
    kind: Kind,
}

/// Numbers of a pair's codes.
const CODES: usize = MISSING as usize + 1;

impl FillTags {
    /// The counts of each group, that of all samples last; `None` where the record has no GT.
    pub(super) fn count(&self, record: &Record) -> Result<Option<Vec<GroupCounts>>, RecordProblem> {
        let alleles = record.allele_count();
        let mut groups: Vec<GroupCounts> = self
            .suffixes
            .iter()
            .map(|_| GroupCounts {
                alleles: vec![AlleleCounts::default(); alleles],
                ..GroupCounts::default()
            })
            .collect();
        let copies =
            self.options.ploidy.as_ref().and_then(|ploidy| ploidy.at(record.chrom(), record.position()));
        let all = groups.len() - 1;
        let has_groups = all > 0;
        // Pairs are counted by their codes first, for each group and, where it matters, each sex.
        let mut pairs = vec![[0u64; CODES * CODES]; groups.len() * 3];
        let mut problem = None;
        let has_genotypes = scan(record, |sample, found| {
            let copies = copies.map_or(Copies::Two, |copies| copies.of(sample));
            match found {
                Genotype::Pair(a, b) => {
                    let code = usize::from(a) * CODES + usize::from(b);
                    pairs[all * 3 + copies as usize][code] += 1;
                    if has_groups {
                        for &group in self.groups_of.get(sample).into_iter().flatten() {
                            pairs[group * 3 + copies as usize][code] += 1;
                        }
                    }
                }
                Genotype::Other(cell) => {
                    let counted = self.counted(genotype::alleles(cell), copies);
                    if let Some(&allele) = counted.alleles.iter().find(|allele| **allele >= alleles) {
                        problem = Some(allele);
                        return;
                    }
                    let of_sample = self.groups_of.get(sample).into_iter().flatten().copied();
                    for group in of_sample.chain([all]) {
                        groups[group].members += 1;
                        groups[group].add(&counted, 1);
                    }
                }
            }
        });
        for (number, pairs) in pairs.iter().enumerate() {
            for (code, &n) in pairs.iter().enumerate().filter(|(_, n)| **n > 0) {
                let allele = |code: usize| (code < usize::from(MISSING)).then_some(code);
                let pair = [allele(code / CODES), allele(code % CODES)];
                let counted = self.counted(pair.into_iter(), Copies::ALL[number % 3]);
                if let Some(&allele) = counted.alleles.iter().find(|allele| **allele >= alleles) {
                    problem = Some(allele);
                    continue;
                }
                groups[number / 3].members += n;
                groups[number / 3].add(&counted, n);
            }
        }
        if let Some(allele) = problem {
            let what = format!("a genotype has allele {allele}, which the record does not have");
            return Err(RecordProblem::at(record, what));
        }
        Ok(has_genotypes.then_some(groups))
    }

    /// What a genotype counts for in somebody with so many copies. With one copy two equal alleles are one, and two
    /// different ones no genotype; with none nothing counts.
    fn counted(&self, genotype: impl Iterator<Item = Option<usize>>, copies: Copies) -> Counted {
        let (mut found, mut ploidy) = (Vec::with_capacity(2), 0);
        let mut called = 0;
        for allele in genotype {
            ploidy += 1;
            if let Some(allele) = allele {
                called += 1;
                if !found.contains(&allele) {
                    found.push(allele);
                }
            }
        }
        let has_missing = called < ploidy;
        let mut kind = match (has_missing, self.options.drop_missing) {
            (true, true) => Kind::Half,
            _ if found.len() != 1 => Kind::Heterozygous,
            (true, false) => Kind::Hemizygous,
            _ if called == 1 => Kind::Hemizygous,
            _ => Kind::Homozygous,
        };
        match copies {
            Copies::Two => {}
            Copies::One if found.len() > 1 => {
                return Counted { alleles: Vec::new(), has_missing: true, kind };
            }
            Copies::One => {
                if kind == Kind::Homozygous {
                    kind = Kind::Hemizygous;
                }
            }
            Copies::None => return Counted { alleles: Vec::new(), has_missing: false, kind },
        }
        Counted { alleles: found, has_missing, kind }
    }
}
