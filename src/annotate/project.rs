//! Where a variant lies on a transcript: on its bases (cDNA), its coding bases (CDS), its protein.
//!
//! A range comes out as pieces in the transcript's direction: ranges, and gaps where there is nothing. Insertions are ranges
//! that end one base before their start; beside the edge of an exon they belong to the exon. This is Ensembl's
//! TranscriptMapper.

use super::genes::Transcript;

/// A part of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// It lies outside.
    Gap,
    /// First and last position; an insertion lies behind the last.
    At(i64, i64),
}

/// A range in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces(Vec<Piece>);

impl Pieces {
    /// The first position; `None` where the range begins in a gap.
    pub fn start(&self) -> Option<i64> {
        match self.0.first() {
            Some(Piece::At(start, _)) => Some(*start),
            _ => None,
        }
    }

    /// The last position; `None` where the range ends in a gap.
    pub fn end(&self) -> Option<i64> {
        match self.0.last() {
            Some(Piece::At(_, end)) => Some(*end),
            _ => None,
        }
    }

    /// Whether all of it lies on one stretch.
    pub fn is_one(&self) -> bool {
        matches!(self.0.as_slice(), [Piece::At(..)])
    }

    /// Whether a piece lies within 1 to `length`.
    pub fn meets(&self, length: i64) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::At(start, end) if *end > 0 && *start <= length))
    }

    /// On the bases of a transcript.
    pub fn on_cdna(transcript: &Transcript, start: i64, end: i64) -> Self {
        if start == end + 1 {
            return Self::of_insertion(Self::on_cdna(transcript, end, start).0);
        }
        // In most cases all lies in one exon, or in none.
        let mut pieces = Vec::with_capacity(1);
        let mut next = start;
        let mut add = |exon: &super::genes::Exon| {
            if exon.end < next || exon.start > end {
                return;
            }
            if exon.start > next {
                pieces.push(Piece::Gap);
            }
            let (from, to) = (exon.start.max(next), exon.end.min(end));
            pieces.push(if transcript.is_reverse {
                Piece::At(exon.cdna_start + exon.end - to, exon.cdna_start + exon.end - from)
            } else {
                Piece::At(exon.cdna_start + from - exon.start, exon.cdna_start + to - exon.start)
            });
            next = to + 1;
        };
        if transcript.is_reverse {
            transcript.exons.iter().rev().for_each(&mut add);
        } else {
            transcript.exons.iter().for_each(&mut add);
        }
        if next <= end {
            pieces.push(Piece::Gap);
        }
        if transcript.is_reverse {
            pieces.reverse();
        }
        Self(pieces)
    }

    /// An insertion from the pieces of the two bases beside it.
    fn of_insertion(pieces: Vec<Piece>) -> Self {
        Self(match pieces.as_slice() {
            [Piece::At(start, end)] => vec![Piece::At(*end, *start)],
            [first, second] => {
                let mut found = Vec::with_capacity(2);
                if let Piece::At(start, end) = first {
                    found.push(Piece::At(start + 1, *end));
                }
                if let Piece::At(start, end) = second {
                    found.push(Piece::At(*start, end - 1));
                }
                found
            }
            _ => vec![Piece::Gap],
        })
    }

    /// On the coding bases, from what [`Self::on_cdna`] gives. Missing bases before them do not count.
    pub fn on_cds(transcript: &Transcript, cdna: &Self) -> Self {
        let Some(coding) = &transcript.coding else { return Self(vec![Piece::Gap]) };
        let (first, last) = coding.cdna;
        let mut pieces = Vec::with_capacity(cdna.0.len());
        for piece in &cdna.0 {
            match piece {
                Piece::At(start, end) if *end >= first && *start <= last => {
                    if *start < first {
                        pieces.push(Piece::Gap);
                    }
                    pieces
                        .push(Piece::At((start - first + 1).max(1), (end - first + 1).min(last - first + 1)));
                    if *end > last {
                        pieces.push(Piece::Gap);
                    }
                }
                _ => pieces.push(Piece::Gap),
            }
        }
        Self(pieces)
    }

    /// On the protein, from what [`Self::on_cds`] gives.
    pub fn on_protein(transcript: &Transcript, cds: &Self) -> Self {
        let phase = transcript.coding.as_ref().map_or(0, |coding| coding.phase);
        let amino_acid = |base: i64| (base + phase + 2) / 3;
        let piece = |piece: &Piece| match piece {
            Piece::At(start, end) => Piece::At(amino_acid(*start), amino_acid(*end)),
            Piece::Gap => Piece::Gap,
        };
        Self(cds.0.iter().map(piece).collect())
    }
}
