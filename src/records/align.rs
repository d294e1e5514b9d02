//! Where a variant belongs: as far to the left (or right) as the reference lets it move, and without bases that say nothing.
//!
//! Alleles of a record are seen as one string each: the reference before POS, the allele, the reference behind REF.
//! A placement is a cut through all of them at once, so no string is built while a variant moves, and nothing limits how
//! far it may. The result is the normal form of Tan et al. 2015 (doi:10.1093/bioinformatics/btv112), which is unique.

use crate::formats::bases::Bases;

/// An allele.
#[derive(Clone, Copy, Debug)]
pub enum Sequence<'a> {
    /// Its bases, in upper case.
    Bases(&'a [u8]),
    /// So many bases of the reference from POS on: a symbolic allele written out.
    Reference(u64),
}

impl Sequence<'_> {
    /// Bases.
    pub fn length(&self) -> i64 {
        match self {
            Self::Bases(bases) => bases.len() as i64,
            Self::Reference(length) => i64::try_from(*length).unwrap_or(i64::MAX / 4),
        }
    }
}

/// The alleles of a record, REF first, at a position (0-based).
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// POS - 1.
    pub position: i64,
    /// REF and ALT.
    pub alleles: &'a [Sequence<'a>],
}

/// How alleles are cut: each becomes the part of its string that begins `offset` bases behind POS and is `shrink` bases
/// shorter than the allele.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// What POS moves by.
    pub offset: i64,
    /// Bases that each allele loses.
    pub shrink: i64,
    /// It could move further than the limit, so it did not move at all.
    pub is_too_far: bool,
}

impl Site<'_> {
    /// A base of an allele's string, from POS on; bases before POS have negative places.
    #[inline]
    fn base(&self, allele: usize, at: i64, bases: &mut Bases<'_>) -> Option<u8> {
        if at < 0 {
            return bases.at(self.position + at);
        }
        let sequence = self.alleles[allele];
        let behind = at - sequence.length();
        if behind >= 0 {
            return bases.at(self.position + self.alleles[0].length() + behind);
        }
        match sequence {
            Sequence::Bases(text) => text.get(at as usize).copied(),
            Sequence::Reference(_) => bases.at(self.position + at),
        }
    }

    fn shortest(&self) -> i64 {
        self.alleles.iter().map(Sequence::length).min().unwrap_or(0)
    }

    /// Whether alleles differ in length, and none is empty.
    fn can_roll(&self) -> bool {
        let shortest = self.shortest();
        shortest > 0 && self.alleles.iter().any(|allele| allele.length() != shortest)
    }

    /// Bases that all alleles end with, up to the length of the shortest.
    fn suffix(&self, bases: &mut Bases<'_>) -> i64 {
        let ends = |back: i64, bases: &mut Bases<'_>| {
            let mut ends =
                (0..self.alleles.len()).map(|j| self.base(j, self.alleles[j].length() - back, bases));
            let first = ends.next().flatten();
            first.is_some() && ends.all(|base| base == first)
        };
        let shortest = self.shortest();
        (0..shortest).take_while(|&n| ends(n + 1, bases)).count() as i64
    }

    /// Bases from POS on that the strings of all alleles share, up to a limit.
    fn prefix(&self, limit: i64, bases: &mut Bases<'_>) -> i64 {
        let same = |at: i64, bases: &mut Bases<'_>| {
            let first = self.base(0, at, bases);
            first.is_some() && (1..self.alleles.len()).all(|j| self.base(j, at, bases) == first)
        };
        (0..limit).take_while(|&at| same(at, bases)).count() as i64
    }

    /// As far left as it goes.
    ///
    /// A variant whose smallest difference in length is over `longest` bases stays where it is if it could move by
    /// `furthest` bases or more (see [`super::reach`]).
    pub fn left(&self, longest: i64, furthest: i64, bases: &mut Bases<'_>) -> Placement {
        let (shortest, mut suffix) = (self.shortest(), self.suffix(bases));
        let mut is_too_far = false;
        if shortest > 0 && suffix == shortest {
            if self.can_roll() && self.position >= 0 {
                match self.roll_left(longest, furthest, bases) {
                    Some(offset) => return Placement { offset, shrink: shortest - 1, is_too_far },
                    None => is_too_far = true,
                }
            }
            suffix -= 1;
        }
        let prefix = self.prefix(shortest - suffix - 1, bases);
        Placement { offset: prefix, shrink: prefix + suffix, is_too_far }
    }

    /// The offset at which the base before the variant differs from its last one, or the contig begins.
    fn roll_left(&self, longest: i64, furthest: i64, bases: &mut Bases<'_>) -> Option<i64> {
        let shortest = self.shortest();
        let differences = || self.alleles.iter().map(|allele| allele.length() - shortest).filter(|&d| d > 0);
        let is_long = differences().min().is_some_and(|least| least > longest);
        let mut moved = 0;
        loop {
            if moved == self.position {
                return Some(-moved);
            }
            let before = bases.at(self.position - 1 - moved);
            let same = |j: usize, bases: &mut Bases<'_>| {
                let difference = self.alleles[j].length() - shortest;
                difference == 0 || self.base(j, difference - 1 - moved, bases) == before
            };
            if before.is_none() || !(0..self.alleles.len()).all(|j| same(j, bases)) {
                return Some(-moved - 1);
            }
            moved += 1;
            if is_long && moved >= furthest {
                return None;
            }
        }
    }

    /// As far right as it goes (HGVS' rule of the 3' end, for transcripts on the forward strand), an indel with the base
    /// before it.
    pub fn right(&self, bases: &mut Bases<'_>) -> Placement {
        let shortest = self.shortest();
        if shortest == 0 {
            return Placement::default();
        }
        let is_indel = self.can_roll();
        let mut prefix = self.prefix(shortest, bases);
        if is_indel && prefix == shortest {
            let limit = i64::try_from(bases.length()).unwrap_or(i64::MAX);
            prefix = self.prefix(limit, bases);
            return Placement { offset: prefix - 1, shrink: shortest - 1, is_too_far: false };
        }
        let prefix = (prefix - i64::from(is_indel)).clamp(0, shortest - 1);
        let suffix = self.suffix(bases).min(shortest - prefix - 1);
        Placement { offset: prefix, shrink: prefix + suffix, is_too_far: false }
    }

    /// Writes an allele as it is placed.
    pub fn write(&self, allele: usize, placement: Placement, bases: &mut Bases<'_>, out: &mut Vec<u8>) {
        let length = self.alleles[allele].length() - placement.shrink;
        out.extend(
            (placement.offset..placement.offset + length).filter_map(|at| self.base(allele, at, bases)),
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::formats::bases::tests::genome;

    const GENOME: &[u8] = b"GGGCACACACACTTAAAAAAAAAACGATCGATCGTTTNNNACG";

    fn place(position: i64, alleles: &[&str], is_left: bool) -> (i64, Vec<String>) {
        let (_directory, genome) = genome(&[GENOME]);
        let sequences: Vec<_> = alleles.iter().map(|a| Sequence::Bases(a.as_bytes())).collect();
        let site = Site { position, alleles: &sequences };
        genome
            .with(0, |bases| {
                let placement = if is_left { site.left(1000, 2000, bases) } else { site.right(bases) };
                let texts = (0..alleles.len()).map(|j| {
                    let mut out = Vec::new();
                    site.write(j, placement, bases, &mut out);
                    String::from_utf8(out).unwrap()
                });
                (position + placement.offset, texts.collect())
            })
            .unwrap()
    }

    #[test]
    fn the_normal_form_is_left_and_short() {
        // By hand on the genome above.
        for (position, alleles, expected) in [
            (7, &["CAC", "C"][..], (2, &["GCA", "G"][..])),
            (2, &["GCA", "G"], (2, &["GCA", "G"])),
            (2, &["GCACA", "GCA"], (2, &["GCA", "G"])),
            (3, &["CA", ""], (3, &["CA", ""])),
            (22, &["AA", "A"], (13, &["TA", "T"])),
            (22, &["A", "AA", "AAA"], (13, &["T", "TA", "TAA"])),
            (22, &["A", "AA", "AAG"], (22, &["A", "AA", "AAG"])),
            (1, &["GG", "G"], (0, &["GG", "G"])),
            (0, &["GGG", "G"], (0, &["GGG", "G"])),
            (3, &["CACA", "CTCA"], (4, &["A", "T"])),
            (3, &["CAC", "TAC"], (3, &["C", "T"])),
            (3, &["CAC", "CGG"], (4, &["AC", "GG"])),
            (3, &["C", "T"], (3, &["C", "T"])),
        ] {
            let expected = (expected.0, expected.1.iter().map(ToString::to_string).collect());
            assert_eq!(place(position, alleles, true), expected, "{position} {alleles:?}");
        }
    }

    #[test]
    fn to_the_right_an_indel_keeps_the_base_before_it() {
        for (position, alleles, expected) in [
            (2, &["GCA", "G"][..], (9, &["CAC", "C"][..])),
            (13, &["TA", "T"], (22, &["AA", "A"])),
            (13, &["T", "TA"], (23, &["A", "AA"])),
            (3, &["CAC", "CTC"], (4, &["A", "T"])),
            (3, &["CACA", "CTT"], (3, &["CACA", "CTT"])),
        ] {
            let expected = (expected.0, expected.1.iter().map(ToString::to_string).collect());
            assert_eq!(place(position, alleles, false), expected, "{position} {alleles:?}");
        }
    }

    #[test]
    fn a_long_variant_that_would_leave_the_buffer_stays() {
        let run = vec![b'A'; 500];
        let (_directory, genome) = genome(&[&[b"CC", &run[..], b"G"].concat()]);
        let alleles = [Sequence::Reference(51), Sequence::Reference(1)];
        let site = Site { position: 400, alleles: &alleles };
        let left = |longest, furthest| genome.with(0, |bases| site.left(longest, furthest, bases)).unwrap();
        assert_eq!(left(50, 100), Placement { offset: -399, shrink: 0, is_too_far: false });
        assert_eq!(left(49, 400), Placement { offset: -399, shrink: 0, is_too_far: false });
        assert_eq!(left(49, 100), Placement { offset: 0, shrink: 0, is_too_far: true });
    }
}
