//! A transcript as BCSQ looks at it: positions are 0-based, parts stand in the genome's order, the coding region is whole
//! codons from its first known one to its last.

use super::super::codons::CodonTable;
use super::super::genes::{Coding, Transcript};
use super::biotype::Biotype;
use crate::formats::bases::Genome;
use crate::formats::fasta::FastaError;

/// Bases that are known beyond the ends of a transcript and its coding region.
pub(super) const PAD: i64 = 10;

/// A part of the coding region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// First base on the contig.
    pub(super) begin: i64,
    /// Bases; an incomplete codon can leave none.
    pub(super) length: i64,
    /// Where it begins in the coding region, in the genome's order.
    pub(super) place: i64,
}

impl Segment {
    /// Its last base.
    pub(super) fn last(&self) -> i64 {
        self.begin + self.length - 1
    }

    /// Where it is found; what has no bases is with the base before it.
    pub(super) fn bounds(&self) -> (i64, i64) {
        (self.begin.min(self.last()), self.begin.max(self.last()))
    }
}

/// Untranslated bases of an exon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Untranslated {
    pub(super) first: i64,
    pub(super) last: i64,
    /// Before the coding region.
    pub(super) is_five_prime: bool,
}

/// A transcript.
#[derive(Debug)]
pub(super) struct Model {
    /// Its place in the source.
    pub(super) order: u32,
    pub(super) id: String,
    /// The gene's identifier.
    pub(super) gene: String,
    /// The gene's symbol, or its identifier where it has none.
    pub(super) name: String,
    pub(super) biotype: Biotype,
    pub(super) is_forward: bool,
    pub(super) first: i64,
    pub(super) last: i64,
    /// First and last bases.
    pub(super) exons: Vec<(i64, i64)>,
    pub(super) coding: Vec<Segment>,
    pub(super) untranslated: Vec<Untranslated>,
    /// Whether the coding region begins with a codon that is cut.
    pub(super) is_cut_at_start: bool,
    /// Whether it ends with one.
    pub(super) is_cut_at_end: bool,
    pub(super) table: CodonTable,
}

impl Model {
    /// Of a transcript; `None` where its biotype is not known.
    pub(super) fn of(transcript: &Transcript) -> Option<Self> {
        let biotype = Biotype::of(&transcript.biotype)?;
        let mut exons: Vec<(i64, i64)> =
            transcript.exons.iter().map(|exon| (exon.start - 1, exon.end - 1)).collect();
        exons.sort_unstable();
        let is_forward = !transcript.is_reverse;
        let mut model = Self {
            order: transcript.order,
            id: transcript.id.clone(),
            gene: transcript.gene.clone(),
            name: match transcript.symbol.as_str() {
                "" => transcript.gene.clone(),
                symbol => symbol.to_owned(),
            },
            biotype,
            is_forward,
            first: transcript.start - 1,
            last: transcript.end - 1,
            coding: Vec::new(),
            untranslated: Vec::new(),
            is_cut_at_start: false,
            is_cut_at_end: false,
            table: transcript.coding.as_ref().map_or(CodonTable::Standard, |coding| coding.table),
            exons,
        };
        if let Some(coding) = &transcript.coding {
            model.take(coding);
        }
        Some(model)
    }

    fn take(&mut self, coding: &Coding) {
        let (first, last) = (coding.region.0 - 1, coding.region.1 - 1);
        for &(from, to) in &self.exons {
            if from < first {
                let is_five_prime = self.is_forward;
                self.untranslated.push(Untranslated { first: from, last: to.min(first - 1), is_five_prime });
            }
            if to >= first && from <= last {
                let begin = from.max(first);
                self.coding.push(Segment { begin, length: to.min(last) - begin + 1, place: 0 });
            }
            if to > last {
                let is_five_prime = !self.is_forward;
                self.untranslated.push(Untranslated { first: from.max(last + 1), last: to, is_five_prime });
            }
        }
        // What is left of a codon whose begin is not known.
        let left = (3 - coding.phase).rem_euclid(3);
        self.is_cut_at_start = left > 0;
        self.cut(left, self.is_forward);
        let length: i64 = self.coding.iter().map(|segment| segment.length).sum();
        self.is_cut_at_end = length % 3 != 0;
        self.cut(length % 3, !self.is_forward);
        let mut place = 0;
        for segment in &mut self.coding {
            segment.place = place;
            place += segment.length;
        }
    }

    /// Takes bases off the left or the right end.
    fn cut(&mut self, mut bases: i64, is_left: bool) {
        let count = self.coding.len();
        for number in 0..count {
            let Some(segment) = self.coding.get_mut(if is_left { number } else { count - 1 - number }) else {
                return;
            };
            let taken = bases.min(segment.length);
            segment.length -= taken;
            if is_left {
                segment.begin += taken;
            }
            bases -= taken;
        }
    }

    /// Whether both are the same transcript.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.order == other.order && self.id == other.id
    }
}

/// The bases of a transcript, and [`PAD`] more on both sides.
#[derive(Debug)]
pub(super) struct Bases {
    begin: i64,
    bases: Vec<u8>,
}

impl Bases {
    /// Reads them; outside of the contig there is `N`.
    ///
    /// # Errors
    /// The reference cannot be read.
    pub(super) fn read(model: &Model, genome: &Genome, contig: usize) -> Result<Self, FastaError> {
        let (begin, end) = (model.first - PAD, model.last + PAD + 1);
        let missing = (-begin).max(0) as usize;
        let mut bases = vec![b'N'; missing];
        genome.with(contig, |found| bases.extend_from_slice(found.slice(begin, end)))?;
        bases.resize((end - begin).max(0) as usize, b'N');
        Ok(Self { begin, bases })
    }

    /// The bases from a position up to another, as far as they are known.
    pub(super) fn slice(&self, from: i64, to: i64) -> &[u8] {
        let place = |at: i64| (at - self.begin).clamp(0, self.bases.len() as i64) as usize;
        self.bases.get(place(from)..place(to)).unwrap_or_default()
    }

    /// The coding region with [`PAD`] bases on both sides.
    pub(super) fn spliced(&self, model: &Model) -> Vec<u8> {
        let mut spliced = Vec::new();
        let (Some(first), Some(last)) = (model.coding.first(), model.coding.last()) else { return spliced };
        let end = last.last() + 1;
        spliced.extend_from_slice(self.slice(first.begin - PAD, first.begin));
        for segment in &model.coding {
            spliced.extend_from_slice(self.slice(segment.begin, segment.last() + 1));
        }
        spliced.extend_from_slice(self.slice(end, end + PAD));
        spliced
    }
}
