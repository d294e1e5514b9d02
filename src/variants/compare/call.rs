//! A call: what the genotype of one record makes of the reference.

use super::search::Phase;
use crate::formats::bases::{Bases, concrete};
use crate::formats::vcf::record::Record;
use crate::records::genotype;
use crate::records::pipeline::RecordProblem;

/// Alleles with more bases than this, in REF or ALT, take part as they are written only: no path is searched through
/// them (vcfeval leaves them out altogether).
pub const LONGEST: usize = 1000;
/// A long allele is moved to the left by at most so many bases.
const FURTHEST: i64 = 20_000;

/// A change of the reference: its bases `start..end` (0-based half-open) become `bases`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// First base that changes; of an insertion the base behind it.
    pub start: i64,
    /// End, exclusive.
    pub end: i64,
    /// What stands there instead, in upper case.
    pub bases: Vec<u8>,
}

impl Edit {
    /// `reference` at `position` becomes `alternate`, without the bases that both have at the beginning, then at the end;
    /// `None` where nothing is left. Both are in upper case.
    pub fn trimmed(position: i64, reference: &[u8], alternate: &[u8]) -> Option<Self> {
        let prefix = common(reference.iter(), alternate.iter());
        let (reference, alternate) = (&reference[prefix..], &alternate[prefix..]);
        let suffix = common(reference.iter().rev(), alternate.iter().rev());
        let (reference, alternate) =
            (&reference[..reference.len() - suffix], &alternate[..alternate.len() - suffix]);
        let start = position + prefix as i64;
        let edit = Self { start, end: start + reference.len() as i64, bases: alternate.to_vec() };
        (!reference.is_empty() || !alternate.is_empty()).then_some(edit)
    }

    /// Bases that go.
    pub fn removed(&self) -> i64 {
        self.end - self.start
    }

    /// By how many bases the haplotype becomes longer.
    pub fn growth(&self) -> i64 {
        self.bases.len() as i64 - self.removed()
    }

    fn is_long(&self) -> bool {
        self.removed().max(self.bases.len() as i64) > LONGEST as i64
    }

    /// By how many bases it can be moved to the left within REF and ALT of its record: only where the bases of an
    /// insertion or deletion may be taken from its front or its end.
    fn slack(&self, reference: &[u8], alternate: &[u8]) -> i64 {
        if self.removed() > 0 && !self.bases.is_empty() {
            return 0;
        }
        let shortest = reference.len().min(alternate.len());
        let suffix = common(reference.iter().rev(), alternate.iter().rev());
        let prefix = common(reference.iter(), alternate.iter());
        (suffix + prefix).saturating_sub(shortest) as i64
    }

    /// The same insertion or deletion some bases to the left, or to the right (negative), within its slack.
    pub fn moved(&self, by: i64) -> Self {
        let mut bases = self.bases.clone();
        if !bases.is_empty() {
            let turn = by.rem_euclid(bases.len() as i64) as usize;
            bases.rotate_right(turn);
        }
        Self { start: self.start - by, end: self.end - by, bases }
    }

    /// Whether both cannot be made of one haplotype.
    pub fn meets(&self, other: &Self) -> bool {
        self.end > other.start && other.end > self.start
    }

    /// Moves a pure insertion or deletion as far to the left as the reference lets it go.
    fn move_left(&mut self, bases: &mut Bases<'_>) {
        let length = self.bases.len() as i64;
        let mut moved = 0;
        while moved < FURTHEST {
            let last = match (self.removed(), length) {
                (0, 0) => break,
                (0, _) => Some(self.bases[(length - 1 - moved % length) as usize]),
                (_, 0) => bases.at(self.end - 1 - moved),
                _ => break,
            };
            if last.is_none() || bases.at(self.start - 1 - moved) != last {
                break;
            }
            moved += 1;
        }
        self.start -= moved;
        self.end -= moved;
        if length > 0 {
            self.bases.rotate_right((moved % length) as usize);
        }
    }
}

/// How many items two sequences have in common before they differ.
fn common<'b>(a: impl Iterator<Item = &'b u8>, b: impl Iterator<Item = &'b u8>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// Which alleles a genotype has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zygosity {
    /// One reference allele and another.
    Het,
    /// The same alternate allele twice.
    HomAlt,
    /// Two different alternate alleles.
    HetAlt,
    /// Haploid.
    Hemi,
    /// One allele is missing.
    Half,
}

impl Zygosity {
    /// The word for it in the field BLT.
    pub fn name(self) -> &'static str {
        match self {
            Self::Het => "het",
            Self::HomAlt => "homalt",
            Self::HetAlt => "hetalt",
            Self::Hemi => "hemi",
            Self::Half => "halfcall",
        }
    }
}

/// Why a record is not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum LeftOut {
    /// The genotype has no alternate allele, or is missing.
    NoVariant = 0,
    /// An allele of the genotype is symbolic or a breakend.
    Symbolic = 1,
    /// More than two alleles.
    Ploidy = 2,
    /// REF is not what the reference has there.
    ReferenceMismatch = 3,
    /// A filter has failed, where only records that pass are looked at.
    Filtered = 4,
}

impl LeftOut {
    /// All, by their numbers, with their names in the report.
    pub const NAMES: [&'static str; 5] =
        ["no_variant", "symbolic", "ploidy", "reference_mismatch", "filtered"];
}

/// A genotype's changes of the reference.
#[derive(Clone, Debug)]
pub struct Call {
    /// The record's number among those of its side.
    pub record: usize,
    /// The different changes, one or two.
    pub edits: Vec<Edit>,
    /// What each haplotype has, by number in `edits`. A haploid genotype stands on both, `.` and `*` change nothing.
    pub haplotypes: [Option<u8>; 2],
    /// By how many bases each change can be moved to the left, and to the right, within the bases of the record.
    pub slack: Vec<(i64, i64)>,
    /// Where the first change begins, 0-based.
    pub start: i64,
    /// Where the last one ends, exclusive.
    pub end: i64,
    /// Which alleles it has.
    pub zygosity: Zygosity,
    /// Whether the order of the haplotypes means something.
    pub is_phased: bool,
    /// Whether it is compared as it is written only, see [`LONGEST`].
    pub is_long: bool,
}

/// Whether a genotype has an alternate allele.
pub fn has_alternate(cell: &[u8]) -> bool {
    genotype::alleles(cell).any(|allele| allele.is_some_and(|number| number > 0))
}

impl Call {
    /// Of a record and the sample's GT cell. `record` is its number.
    ///
    /// # Errors
    /// The genotype names an allele that the record does not have.
    pub fn of(
        number: usize,
        record: &Record,
        cell: &[u8],
        bases: &mut Bases<'_>,
    ) -> Result<Result<Self, LeftOut>, RecordProblem> {
        let (mut numbers, mut ploidy) = ([None; 2], 0);
        for allele in genotype::alleles(cell) {
            if ploidy == 2 {
                return Ok(Err(LeftOut::Ploidy));
            }
            numbers[ploidy] = allele;
            ploidy += 1;
        }
        if ploidy == 1 {
            numbers[1] = numbers[0];
        }
        if !numbers.iter().flatten().any(|number| *number > 0) {
            return Ok(Err(LeftOut::NoVariant));
        }
        let reference: Vec<u8> = record.reference().iter().copied().map(concrete).collect();
        let position = record.position();
        if bases.slice(position, position.saturating_add(reference.len() as i64)) != reference {
            return Ok(Err(LeftOut::ReferenceMismatch));
        }
        let (mut edits, mut slacks, mut haplotypes): (Vec<Edit>, _, _) = (Vec::new(), Vec::new(), [None; 2]);
        for (haplotype, number) in numbers.iter().enumerate() {
            let Some(number) = number.filter(|number| *number > 0) else { continue };
            let alternate = record.alternates().nth(number - 1).ok_or_else(|| {
                RecordProblem::at(record, format!("the genotype has the allele {number}, the record has not"))
            })?;
            if alternate == b"*" {
                continue;
            }
            if !alternate.iter().all(u8::is_ascii_alphabetic) {
                return Ok(Err(LeftOut::Symbolic));
            }
            let alternate: Vec<u8> = alternate.iter().copied().map(concrete).collect();
            let Some(mut edit) = Edit::trimmed(position, &reference, &alternate) else { continue };
            // Behind the first base of the record, which is there to hold it (VCF 4.3, section 1.6.1, REF), if it can be.
            let slack = edit.slack(&reference, &alternate);
            let by = (edit.start - position - 1).clamp(0, slack);
            let mut room = (slack - by, by);
            edit = edit.moved(by);
            if edit.is_long() {
                edit.move_left(bases);
                room = (0, 0);
            }
            let known = edits.iter().position(|known| *known == edit);
            haplotypes[haplotype] = Some(known.unwrap_or(edits.len()) as u8);
            if known.is_none() {
                edits.push(edit);
                slacks.push(room);
            }
        }
        if edits.is_empty() {
            return Ok(Err(LeftOut::NoVariant));
        }
        let zygosity = match (ploidy, numbers) {
            (1, _) => Zygosity::Hemi,
            (_, [Some(0), Some(_)] | [Some(_), Some(0)]) => Zygosity::Het,
            (_, [Some(a), Some(b)]) if a == b => Zygosity::HomAlt,
            (_, [Some(_), Some(_)]) => Zygosity::HetAlt,
            _ => Zygosity::Half,
        };
        let is_long = edits.iter().any(Edit::is_long);
        let is_phased = cell.contains(&b'|');
        let mut call = Self {
            record: number,
            edits,
            haplotypes,
            slack: slacks,
            start: position,
            end: position,
            zygosity,
            is_phased,
            is_long,
        };
        call.measure();
        Ok(Ok(call))
    }

    /// Notes where the changes begin and end.
    pub fn measure(&mut self) {
        self.start = self.edits.iter().map(|edit| edit.start).min().unwrap_or(self.start);
        self.end = self.edits.iter().map(|edit| edit.end).max().unwrap_or(self.end);
    }

    /// The change of a haplotype.
    pub fn edit(&self, haplotype: usize) -> Option<&Edit> {
        self.edits.get(usize::from(self.haplotypes[haplotype]?))
    }

    /// The changes without their order; equal for genotypes that are written alike.
    pub fn unordered(&self) -> [Option<&Edit>; 2] {
        let mut both = [self.edit(0), self.edit(1)];
        both.sort_unstable();
        both
    }

    /// The changes as genotypes are compared that are written alike: in their order where phases count.
    pub fn form(&self, phase: Phase) -> [Option<&Edit>; 2] {
        match phase {
            Phase::AsWritten if self.is_phased => [self.edit(0), self.edit(1)],
            _ => self.unordered(),
        }
    }

    /// The order in which calls are looked at; insertions at one place stand in that of their records.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        (self.start, self.end, self.record).cmp(&(other.start, other.end, other.record))
    }

    /// By how many bases a haplotype becomes longer, and shorter, at the most.
    pub fn shifts(&self) -> (i64, i64) {
        let shifts = || self.edits.iter().map(Edit::growth);
        (shifts().max().unwrap_or(0).max(0), -shifts().min().unwrap_or(0).min(0))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::formats::bases::tests::genome;

    #[test]
    fn a_genotype_is_what_it_changes() {
        //                                      0123456789
        let (_directory, genome) = genome(&[b"ACGTTTTGCA"]);
        let edit = |start: i64, end: i64, bases: &str| Edit { start, end, bases: bases.into() };
        // By hand: an indel is put behind the first base.
        for (position, reference, alternate, cell, edits, haplotypes, zygosity) in [
            (3, "G", "T", "0/1", vec![edit(2, 3, "T")], [None, Some(0)], Zygosity::Het),
            (3, "g", "t", "1|1", vec![edit(2, 3, "T")], [Some(0), Some(0)], Zygosity::HomAlt),
            (3, "GT", "G", "0/1", vec![edit(3, 4, "")], [None, Some(0)], Zygosity::Het),
            (
                3,
                "GTT",
                "GT,G",
                "1/2",
                vec![edit(3, 4, ""), edit(3, 5, "")],
                [Some(0), Some(1)],
                Zygosity::HetAlt,
            ),
            (3, "GT", "GTT,*", "1/2", vec![edit(3, 3, "T")], [Some(0), None], Zygosity::HetAlt),
            (3, "GT", "CA", "1", vec![edit(2, 4, "CA")], [Some(0), Some(0)], Zygosity::Hemi),
            (3, "GT", "GA", "./1", vec![edit(3, 4, "A")], [None, Some(0)], Zygosity::Half),
            (3, "GTT", "CTA", "0/1", vec![edit(2, 5, "CTA")], [None, Some(0)], Zygosity::Het),
        ] {
            let line = format!("c0\t{position}\t.\t{reference}\t{alternate}\t.\t.\t.\tGT\t{cell}");
            let record = Record::parse(line.as_bytes()).unwrap();
            let call = genome
                .with(0, |bases| Call::of(0, &record, cell.as_bytes(), bases))
                .unwrap()
                .unwrap()
                .unwrap();
            assert_eq!(
                (&call.edits, call.haplotypes, call.zygosity),
                (&edits, haplotypes, zygosity),
                "{line}"
            );
        }
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let (_directory, genome) = genome(&[b"ACGTTTTGCA"]);
        for (reference, alternate, cell, expected) in [
            ("G", "T", "0/0", LeftOut::NoVariant),
            ("G", "T", "./.", LeftOut::NoVariant),
            ("G", "*", "0/1", LeftOut::NoVariant),
            ("G", "G", "0/1", LeftOut::NoVariant),
            ("G", "<DEL>", "0/1", LeftOut::Symbolic),
            ("G", "G[c0:5[", "0/1", LeftOut::Symbolic),
            ("G", "T", "0/1/1", LeftOut::Ploidy),
            ("A", "T", "0/1", LeftOut::ReferenceMismatch),
            ("GTTTTGCAAA", "G", "0/1", LeftOut::ReferenceMismatch),
        ] {
            let line = format!("c0\t3\t.\t{reference}\t{alternate}\t.\t.\t.\tGT\t{cell}");
            let record = Record::parse(line.as_bytes()).unwrap();
            let call = genome.with(0, |bases| Call::of(0, &record, cell.as_bytes(), bases)).unwrap();
            assert_eq!(call.unwrap().unwrap_err(), expected, "{line}");
        }
        let record = Record::parse(b"c0\t3\t.\tG\tT\t.\t.\t.\tGT\t0/2").unwrap();
        assert!(genome.with(0, |bases| Call::of(0, &record, b"0/2", bases)).unwrap().is_err());
    }

    #[test]
    fn long_alleles_go_left() {
        let unit = b"CAG".repeat(700);
        let (_directory, genome) = genome(&[&[b"TTTTTTTTTT", &unit[..], b"GGT"].concat()]);
        let edit = |start: i64, end: i64, bases: &[u8]| Edit { start, end, bases: bases.to_vec() };
        let moved = |mut edit: Edit| {
            genome.with(0, |bases| edit.move_left(bases)).unwrap();
            edit
        };
        // A deletion of 500 units ends up at the first; so does an insertion of 400, whatever its phase.
        assert_eq!(moved(edit(310, 1810, b"")), edit(10, 1510, b""));
        let insertion = b"CAG".repeat(400);
        assert_eq!(moved(edit(610, 610, &insertion)), edit(10, 10, &insertion));
        let turned = b"AGC".repeat(400);
        assert_eq!(moved(edit(611, 611, &turned)), edit(10, 10, &insertion));
    }
}
