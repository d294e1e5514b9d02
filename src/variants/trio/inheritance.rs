//! Whether a child can have its genotype from its parents.

use super::rules::Parents;
use crate::formats::vcf::record::Record;
use crate::records::genotype;
use crate::records::pipeline::RecordProblem;
use crate::variants::genotype_scan::{self, Genotype};

/// The most alleles of a site that is judged: one bit each.
pub const MOST_ALLELES: usize = 64;

/// A genotype of at most two alleles; numbers beyond 16 bits are the greatest that fits, which no site has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The first allele, `None` where it is missing.
    pub first: Option<u16>,
    /// The second, `None` where there is none, `Some(None)` where it is missing.
    pub second: Option<Option<u16>>,
}

/// The genotypes of a record.
#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<Call>,
    /// The highest number of alleles that one of them has.
    ploidy: usize,
}

impl Calls {
    /// Reads the genotypes of all samples; `None` where the record has no GT.
    ///
    /// # Errors
    /// There are not so many samples.
    pub fn read(record: &Record, samples: usize) -> Result<Option<Self>, RecordProblem> {
        let mut found = Self { calls: Vec::with_capacity(samples), ploidy: 0 };
        let has_genotypes = genotype_scan::scan(record, |_, genotype| {
            let number = |code: u8| (code != genotype_scan::MISSING).then_some(u16::from(code));
            let (call, ploidy) = match genotype {
                Genotype::Pair(a, b) => (Call { first: number(a), second: Some(number(b)) }, 2),
                Genotype::Other(cell) => {
                    let fitted = |allele: usize| u16::try_from(allele).unwrap_or(u16::MAX);
                    let mut alleles = genotype::alleles(cell).map(|allele| allele.map(fitted));
                    let call = Call { first: alleles.next().flatten(), second: alleles.next() };
                    (call, 1 + usize::from(call.second.is_some()) + alleles.count())
                }
            };
            found.ploidy = found.ploidy.max(ploidy);
            found.calls.push(call);
        });
        if has_genotypes && found.calls.len() != samples {
            return Err(wrong_samples(record, found.calls.len(), samples));
        }
        Ok(has_genotypes.then_some(found))
    }

    /// Genotypes in the order of the samples; of those with more alleles than two the first two.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The highest number of alleles of a genotype.
    pub fn ploidy(&self) -> usize {
        self.ploidy
    }
}

/// A record whose samples are not those of the header.
pub(super) fn wrong_samples(record: &Record, found: usize, expected: usize) -> RecordProblem {
    RecordProblem::at(record, format!("{found} samples, and {expected} in the header"))
}

/// What is wrong with a child's genotype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// It has an allele that neither parent has.
    Novel,
    /// Its alleles are the mother's; the father has none of them.
    NotFather,
    /// Its alleles are the father's; the mother has none of them.
    NotMother,
}

/// What is said of a trio at a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The child has no alleles here.
    NoRule,
    /// A genotype is missing, and what is there agrees.
    Missing,
    /// The child's genotype is possible.
    Consistent {
        /// One of the three has another allele than REF.
        has_alternate: bool,
    },
    /// It is not.
    Error {
        /// In what way.
        kind: ErrorKind,
        /// One parent's genotype is missing.
        is_partial: bool,
    },
}

/// Alleles as bits. `count` is 0 where one of them is missing, though the other's bit is kept.
#[derive(Clone, Copy)]
struct Bits {
    count: u8,
    first: u64,
    second: u64,
}

impl Bits {
    fn of(call: Call) -> Self {
        let bit = |allele: u16| 1u64.checked_shl(u32::from(allele)).unwrap_or(0);
        match (call.first.map(bit), call.second.map(|allele| allele.map(bit))) {
            (None, _) => Self { count: 0, first: 0, second: 0 },
            (Some(first), None) => Self { count: 1, first, second: 0 },
            (Some(first), Some(None)) => Self { count: 0, first, second: 0 },
            (Some(first), Some(Some(second))) => Self { count: 2, first, second },
        }
    }

    fn any(self) -> u64 {
        self.first | self.second
    }
}

/// Judges a child's genotype by bcftools' (1.23) rules: a child with two alleles has one of each parent, whatever the
/// parents' ploidy; a child with one, where one is due, has it of the parent that it is due from. Half a parent's genotype
/// (`0/.`) can agree but not contradict.
pub fn judge(parents: Parents, child: Call, father: Call, mother: Call) -> Verdict {
    if !parents.mother && !parents.father {
        return Verdict::NoRule;
    }
    let [child, father, mother] = [child, father, mother].map(Bits::of);
    if child.count < parents.ploidy || child.count == 0 {
        return Verdict::Missing;
    }
    if child.count == 1 {
        let parent = if parents.mother { mother } else { father };
        let has_alternate = parent.any() != 1 || child.first != 1;
        return match (parent.count, parent.any() & child.first) {
            (0, _) => Verdict::Missing,
            (_, 0) => Verdict::Error { kind: kind_of(child, father, mother), is_partial: false },
            _ => Verdict::Consistent { has_alternate },
        };
    }
    let meets = |allele: u64, parent: Bits| allele & parent.any() != 0;
    if meets(child.first, father) && meets(child.second, mother)
        || meets(child.first, mother) && meets(child.second, father)
    {
        let has_alternate = father.any() != 1 || mother.any() != 1 || child.any() != 1;
        return Verdict::Consistent { has_alternate };
    }
    let is_partial = father.count == 0 || mother.count == 0;
    let agrees = match (father.count, mother.count) {
        (0, 0) => true,
        (0, _) => meets(child.any(), mother),
        (_, 0) => meets(child.any(), father),
        _ => false,
    };
    if agrees {
        return Verdict::Missing;
    }
    Verdict::Error { kind: kind_of(child, father, mother), is_partial }
}

/// The kind of an error. Without a novel allele all of a child's alleles are of one parent, or it would be no error. A
/// parent that is missing is not accused.
fn kind_of(child: Bits, father: Bits, mother: Bits) -> ErrorKind {
    match (father.count, mother.count) {
        (0, _) if mother.count > 0 => return ErrorKind::NotMother,
        (_, 0) if father.count > 0 => return ErrorKind::NotFather,
        _ => {}
    }
    if child.any() & !(father.any() | mother.any()) != 0 {
        ErrorKind::Novel
    } else if child.any() & father.any() == 0 {
        ErrorKind::NotFather
    } else {
        ErrorKind::NotMother
    }
}

/// The call of a child that has one allele here, where it is written twice (`1/1` on a son's X).
pub fn as_haploid(parents: Parents, child: Call) -> Call {
    match child {
        Call { first: Some(first), second: Some(Some(second)) } if first == second && parents.ploidy == 1 => {
            Call { second: None, ..child }
        }
        _ => child,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MOTHER: Parents = Parents { mother: true, father: false, ploidy: 1 };
    const FATHER: Parents = Parents { mother: false, father: true, ploidy: 1 };

    fn calls(genotypes: [&str; 3]) -> [Call; 3] {
        let line = format!("1\t1\t.\tA\tC\t.\t.\t.\tGT\t{}", genotypes.join("\t"));
        let calls = Calls::read(&Record::parse(line.as_bytes()).unwrap(), 3).unwrap().unwrap();
        [calls.calls()[0], calls.calls()[1], calls.calls()[2]]
    }

    #[test]
    fn children_have_their_alleles_of_their_parents() {
        use ErrorKind::*;
        use Verdict::*;
        let good = |has_alternate| Consistent { has_alternate };
        let error = |kind| Error { kind, is_partial: false };
        let partial = |kind| Error { kind, is_partial: true };
        // By hand: child, father, mother.
        for (parents, genotypes, expected) in [
            (Parents::BOTH, ["0/0", "0/0", "0/0"], good(false)),
            (Parents::BOTH, ["0/0", "0/1", "0/0"], good(true)),
            (Parents::BOTH, ["0/1", "0/0", "1|1"], good(true)),
            (Parents::BOTH, ["1|2", "0/2", "1/3"], good(true)),
            (Parents::BOTH, ["0/1", "0/0", "0/0"], error(Novel)),
            (Parents::BOTH, ["2/2", "0/1", "0/1"], error(Novel)),
            (Parents::BOTH, ["1/1", "0/0", "0/1"], error(NotFather)),
            (Parents::BOTH, ["1/1", "0/1", "0/0"], error(NotMother)),
            (Parents::BOTH, ["0/1", "0/1", "2/2"], error(NotMother)),
            (Parents::BOTH, ["./.", "0/0", "0/0"], Missing),
            (Parents::BOTH, ["0", "0/0", "0/0"], Missing),
            (Parents::BOTH, ["0/1", "./.", "./."], Missing),
            (Parents::BOTH, ["0/1", "./.", "0/0"], Missing),
            (Parents::BOTH, ["1/1", "./.", "0/0"], partial(NotMother)),
            (Parents::BOTH, ["1/1", "0", "."], partial(NotFather)),
            (Parents::BOTH, ["0/1", "1/.", "0/0"], good(true)),
            (Parents::BOTH, ["1/1", "0/.", "0/1"], Missing),
            (MOTHER, ["1", "0", "0/1"], good(true)),
            (MOTHER, ["0", ".", "0"], good(false)),
            (MOTHER, ["1", "1", "0/0"], error(NotMother)),
            (MOTHER, ["1", "0", "0/0"], error(Novel)),
            (MOTHER, ["1", "1", "./."], Missing),
            (MOTHER, [".", "1", "0/0"], Missing),
            (MOTHER, ["1/1", "0", "0/1"], error(NotFather)),
            (FATHER, ["1", "1", "."], good(true)),
            (FATHER, ["1", "0", "."], error(NotFather)),
            (Parents::NONE, ["1", "0", "0"], NoRule),
        ] {
            let [child, father, mother] = calls(genotypes);
            assert_eq!(judge(parents, child, father, mother), expected, "{parents:?} {genotypes:?}");
        }
        let [child, father, mother] = calls(["1/1", "0", "0/1"]);
        assert_eq!(judge(MOTHER, as_haploid(MOTHER, child), father, mother), good(true));
        let [child, ..] = calls(["0/1", "0", "0"]);
        assert_eq!([as_haploid(MOTHER, child), as_haploid(Parents::BOTH, child)], [child; 2]);
    }

    #[test]
    fn genotypes_of_other_ploidies_are_known() {
        let read = |format: &str, samples: &str| {
            let line = format!("1\t1\t.\tA\tC\t.\t.\t.\t{format}\t{samples}");
            Calls::read(&Record::parse(line.as_bytes()).unwrap(), 2)
        };
        for (samples, ploidy) in
            [("0\t.", 1), ("0/1\t.", 2), ("0/1/1\t0", 3), ("63/64\t0|999999999999999999999", 2)]
        {
            assert_eq!(read("GT", samples).unwrap().unwrap().ploidy(), ploidy, "{samples}");
        }
        assert!(read("DP", "1\t2").unwrap().is_none());
        assert!(read("GT", "0/1").is_err());
    }
}
