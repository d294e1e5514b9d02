//! Parts of a coding region, with changes, as amino acids.

use super::super::codons::CodonTable;
use super::model::PAD;
use crate::genome::strand::reverse_complement;

/// Amino acids in the transcript's direction, and which of their codons are starts (`M`) and stops (`*`).
#[derive(Clone, Debug, Default)]
pub(super) struct Peptide {
    amino_acids: Vec<u8>,
    marks: Vec<u8>,
    /// How many count; behind the first stop nothing does.
    length: usize,
}

/// A part of a coding region on the forward strand, in place of a part of the reference's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'s> {
    /// Its bases.
    pub(super) bases: &'s [u8],
    /// Where they begin in their own coding region, 0-based.
    pub(super) begin: i64,
    /// Bases of that coding region.
    pub(super) length: i64,
    /// Where they begin in the reference's coding region, and one past their end there.
    pub(super) reference: (i64, i64),
}

/// How to read a transcript.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'s> {
    /// The reference's coding region with [`PAD`] bases on both sides, on the forward strand.
    pub(super) spliced: &'s [u8],
    pub(super) is_forward: bool,
    pub(super) table: CodonTable,
}

impl Reading<'_> {
    fn reference(&self, from: i64, to: i64) -> &[u8] {
        let place = |at: i64| (at + PAD).clamp(0, self.spliced.len() as i64) as usize;
        self.spliced.get(place(from)..place(to)).unwrap_or_default()
    }

    /// The codons that a part touches, and with `to_end` all behind them.
    pub(super) fn peptide(&self, part: Part<'_>, to_end: bool) -> Peptide {
        if part.bases.is_empty() {
            return Peptide { amino_acids: vec![b'?'], marks: vec![b'?'], length: 1 };
        }
        let (first, last) = part.reference;
        let whole = self.spliced.len() as i64 - 2 * PAD;
        let missing = |length: usize| (3 - length as i64 % 3) % 3;
        let mut bases;
        if self.is_forward {
            let before = part.begin.rem_euclid(3);
            bases = self.reference(first - before, first).to_vec();
            bases.extend_from_slice(part.bases);
            let next = last + missing(bases.len());
            bases.extend_from_slice(self.reference(last, next));
            if to_end {
                bases.extend_from_slice(self.reference(next, whole.max(next)));
            }
        } else {
            let behind = (part.length - (part.begin + part.bases.len() as i64)).rem_euclid(3);
            let before = missing(part.bases.len() + behind as usize);
            let from = if to_end { (first - before).min(0) } else { first - before };
            bases = self.reference(from, first).to_vec();
            bases.extend_from_slice(part.bases);
            bases.extend_from_slice(self.reference(last, last + behind));
            reverse_complement(&mut bases);
        }
        let (codons, _) = bases.as_chunks::<3>();
        let amino_acids: Vec<u8> = codons.iter().map(|codon| self.table.amino_acid(*codon)).collect();
        let mark = |(codon, amino_acid): (&[u8; 3], &u8)| match amino_acid {
            b'*' => b'*',
            _ if is_start(self.table, *codon) => b'M',
            _ => b'-',
        };
        let marks: Vec<u8> = codons.iter().zip(&amino_acids).map(mark).collect();
        Peptide { length: amino_acids.len(), amino_acids, marks }
    }
}

/// Only ATG in the standard code: there are too many of the others that are no starts.
pub(super) fn is_start(table: CodonTable, codon: [u8; 3]) -> bool {
    match table {
        CodonTable::Standard => codon == *b"ATG",
        CodonTable::VertebrateMitochondrial => table.is_start(codon),
    }
}

impl Peptide {
    /// Ends it with the first stop; false where there is none.
    pub(super) fn end_at_stop(&mut self) -> bool {
        let Some(stop) = self.marks.iter().position(|mark| *mark == b'*') else { return false };
        self.length = stop + 1;
        if let (Some(amino_acid), Some(mark)) =
            (self.amino_acids.get_mut(self.length), self.marks.get_mut(self.length))
        {
            (*amino_acid, *mark) = (0, 0);
        }
        true
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// The text of what counts.
    pub(super) fn text(&self) -> &[u8] {
        self.amino_acids.get(..self.length).unwrap_or_default()
    }

    /// The amino acid and the mark of a place; zeros where there is none.
    pub(super) fn at(&self, place: usize) -> (u8, u8) {
        let amino_acid = self.amino_acids.get(place).copied().unwrap_or_default();
        (amino_acid, self.marks.get(place).copied().unwrap_or_default())
    }

    /// The mark of the last that counts.
    pub(super) fn last_mark(&self) -> u8 {
        self.length.checked_sub(1).map_or(0, |last| self.at(last).1)
    }
}
