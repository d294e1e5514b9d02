//! HGVS names on transcripts (c. and n.), as Ensembl VEP 114 gives them: moved as far to the 3' end as the bases allow,
//! across the edges of exons, too.

use std::fmt::Write;

use super::effect::Effect;
use super::genes::Transcript;
use super::variant::Variant;
use crate::formats::bases::Bases;
use crate::genome::contigs::ContigRole;
use crate::genome::strand::{complement, reverse_complement};

/// How far an insertion or deletion can be moved, for each strand: the bases are the genome's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// To the right.
    pub forward: usize,
    /// To the left.
    pub reverse: usize,
}

/// As far as VEP looks.
const REACH: usize = 1000;

impl Shift {
    /// Finds how far an allele can be moved; 0 of what is no pure insertion or deletion.
    pub fn of(variant: &Variant<'_>, bases: &mut Bases<'_>) -> Self {
        let moved = match (variant.is_insertion(), variant.is_deletion()) {
            _ if variant.class.is_some() => return Self::default(),
            (true, false) => variant.alternate,
            (false, true) => variant.reference,
            _ => return Self::default(),
        };
        let length = moved.len();
        // Positions are 1-based, those of `bases` 0-based.
        let limit = if length > REACH { REACH } else { REACH - length + 1 };
        let mut forward = 0;
        while forward < limit && bases.at(variant.end + forward as i64) == Some(moved[forward % length]) {
            forward += 1;
        }
        let mut reverse = 0;
        while reverse < limit
            && bases.at(variant.start - 2 - reverse as i64) == Some(moved[length - 1 - reverse % length])
        {
            reverse += 1;
        }
        Self { forward, reverse }
    }

    /// On a transcript's strand.
    pub fn on(self, transcript: &Transcript) -> usize {
        if transcript.is_reverse { self.reverse } else { self.forward }
    }
}

/// An inserted sequence that moves by so many bases to its 3' end, on either strand in the genome's letters.
pub fn rotated(allele: &[u8], shift: usize, is_reverse: bool) -> Vec<u8> {
    let mut allele = allele.to_vec();
    if let Some(places) = shift.checked_rem(allele.len()) {
        if is_reverse {
            allele.rotate_right(places);
        } else {
            allele.rotate_left(places);
        }
    }
    allele
}

/// A change in the letters of its transcript.
struct Change {
    kind: Kind,
    /// First and last base within the transcript, introns included, from 1.
    start: i64,
    end: i64,
    reference: Vec<u8>,
    alternate: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Substitution,
    Deletion,
    Insertion,
    Duplication,
    Inversion,
    DeletionInsertion,
}

/// Writes the name of an allele on its transcript; false where there is none.
pub fn write_transcript(effect: &Effect<'_>, shift: Shift, bases: &mut Bases<'_>, out: &mut String) -> bool {
    let Some(name) = Name::of(effect, shift, bases) else { return false };
    let transcript = effect.transcript;
    let numbering = if transcript.coding.is_some() { 'c' } else { 'n' };
    let _ = write!(out, "{}:{numbering}.{}", transcript.name, name.start);
    if name.end != name.start && name.change.kind != Kind::Substitution {
        let _ = write!(out, "_{}", name.end);
    }
    name.change.write(out);
    true
}

/// Writes the name of an allele on its contig (g., of the mitochondrion m.), moved to the right as far as it goes.
pub fn write_genomic(
    variant: &Variant<'_>,
    contig: &str,
    shift: Shift,
    bases: &mut Bases<'_>,
    out: &mut String,
) {
    let moved = shift.forward as i64;
    let alternate = if variant.is_insertion() {
        rotated(variant.alternate, shift.forward, false)
    } else {
        variant.alternate.to_vec()
    };
    let mut slice = |start: i64, end: i64| bases.slice(start - 1, end).to_vec();
    let Some(change) = Change::new(&mut slice, variant.start + moved, variant.end + moved, alternate) else {
        return;
    };
    let (start, end) = (change.start.min(change.end), change.start.max(change.end));
    let kind = if ContigRole::of(contig) == ContigRole::Mitochondrion { 'm' } else { 'g' };
    let _ = write!(out, "{contig}:{kind}.{start}");
    if end != start && change.kind != Kind::Substitution {
        let _ = write!(out, "_{end}");
    }
    change.write(out);
}

struct Name {
    change: Change,
    start: Position,
    end: Position,
}

/// A place on a transcript: a base of an exon, and how far from it in an intron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    /// From the start codon, negative before it; behind the stop codon from there.
    base: i64,
    is_behind_stop: bool,
    /// `None` in an exon; then the sign is told also of 0.
    offset: Option<i64>,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.is_behind_stop, self.base, self.offset) {
            // Behind the last coding base, in an intron: VEP counts from the stop codon.
            (true, 0, Some(offset)) => return write!(f, "*{offset}"),
            (true, base, _) => write!(f, "*{base}")?,
            (false, base, _) => write!(f, "{base}")?,
        }
        self.offset.map_or(Ok(()), |offset| write!(f, "{offset:+}"))
    }
}

impl Name {
    fn of(effect: &Effect<'_>, shift: Shift, bases: &mut Bases<'_>) -> Option<Self> {
        let (variant, transcript) = (&effect.variant, effect.transcript);
        if !variant.is_unambiguous() {
            return None;
        }
        let shift = shift.on(transcript);
        let length = transcript.end - transcript.start + 1;
        let within = |position: i64| {
            if transcript.is_reverse {
                transcript.end - position + 1
            } else {
                position - transcript.start + 1
            }
        };
        let (start, end) = if transcript.is_reverse {
            (within(variant.end), within(variant.start))
        } else {
            (within(variant.start), within(variant.end))
        };
        if start < 1 || end < 1 || start > length || end > length || end + shift as i64 > length {
            return None;
        }
        let (start, end) = (start + shift as i64, end + shift as i64);
        let alternate = if variant.is_insertion() {
            rotated(variant.alternate, shift, transcript.is_reverse)
        } else {
            variant.alternate.to_vec()
        };
        let mut sequence = Oriented { transcript, bases };
        let mut alternate = alternate;
        if transcript.is_reverse {
            reverse_complement(&mut alternate);
        }
        let change = Change::new(&mut |start, end| sequence.slice(start, end), start, end, alternate)?;
        let is_one = change.start == change.end;
        let is_snp = variant.reference.len() == 1 && variant.alternate.len() == 1;
        let (start, end) = match effect.cds_range() {
            (Some(start), Some(_)) if is_snp && effect.place.exon => {
                let position = Position { base: start, is_behind_stop: false, offset: None };
                (position, position)
            }
            _ => {
                let start = Position::of(transcript, change.start)?;
                (start, if is_one { start } else { Position::of(transcript, change.end)? })
            }
        };
        let key =
            |position: &Position| (position.is_behind_stop, position.base, position.offset.unwrap_or(0));
        let is_swapped = key(&start) > key(&end);
        let (start, end) = if is_swapped { (end, start) } else { (start, end) };
        Some(Self { change, start, end })
    }
}

impl Change {
    /// What is at a range (an insertion's ends before it starts) and what comes there, from the bases of ranges.
    fn new(
        slice: &mut dyn FnMut(i64, i64) -> Vec<u8>,
        start: i64,
        end: i64,
        alternate: Vec<u8>,
    ) -> Option<Self> {
        let reference = slice(start, end);
        if reference == alternate {
            return None;
        }
        let change = |kind, start, end, reference, alternate| {
            Some(Self { kind, start, end, reference, alternate }.clipped())
        };
        let length = alternate.len() as i64;
        if alternate.is_empty() {
            return change(Kind::Deletion, start, end, reference, alternate);
        }
        if reference.is_empty() {
            let mut duplicated = None;
            if slice(end + 1, end + length) == alternate {
                duplicated = Some((start, start + length - 1));
            } else if end >= length && slice(end - length + 1, end) == alternate {
                duplicated = Some((end - length + 1, end));
            }
            return match duplicated {
                Some((start, end)) => {
                    Some(Self { kind: Kind::Duplication, start, end, reference, alternate })
                }
                None => change(Kind::Insertion, end, start, reference, alternate),
            };
        }
        if reference.len() == alternate.len() {
            let mut inverted = reference.clone();
            reverse_complement(&mut inverted);
            let kind = match reference.len() {
                1 => Kind::Substitution,
                _ if inverted == alternate => Kind::Inversion,
                _ => Kind::DeletionInsertion,
            };
            return change(kind, start, end, reference, alternate);
        }
        if alternate.len() == 2 * reference.len()
            && alternate.chunks(reference.len()).all(|copy| copy == reference)
        {
            return Some(Self { kind: Kind::Duplication, start, end, reference, alternate });
        }
        change(Kind::DeletionInsertion, start, end, reference, alternate)
    }

    /// Writes it behind its place.
    fn write(&self, out: &mut String) {
        let text = String::from_utf8_lossy;
        let (reference, alternate) = (text(&self.reference), text(&self.alternate));
        let _ = match self.kind {
            Kind::Substitution => write!(out, "{reference}>{alternate}"),
            Kind::Deletion => write!(out, "del"),
            Kind::Duplication => write!(out, "dup"),
            Kind::Inversion => write!(out, "inv"),
            Kind::Insertion => write!(out, "ins{alternate}"),
            Kind::DeletionInsertion => write!(out, "delins{alternate}"),
        };
    }

    /// Without the bases with which both begin and then end.
    fn clipped(mut self) -> Self {
        if self.reference.is_empty() {
            return self;
        }
        let prefix = self.reference.iter().zip(&self.alternate).take_while(|(a, b)| a == b).count();
        self.reference.drain(..prefix);
        self.alternate.drain(..prefix);
        self.start += prefix as i64;
        while !self.reference.is_empty() && self.reference.last() == self.alternate.last() {
            self.reference.pop();
            self.alternate.pop();
            self.end -= 1;
        }
        match (self.reference.len(), self.alternate.len()) {
            (1, 1) => self.kind = Kind::Substitution,
            (0, 1..) => self.kind = Kind::Insertion,
            (1.., 0) => self.kind = Kind::Deletion,
            _ => {}
        }
        self
    }
}

impl Position {
    /// The place of a base of a transcript, introns included, from 1.
    fn of(transcript: &Transcript, within: i64) -> Option<Self> {
        let is_reverse = transcript.is_reverse;
        let position = if is_reverse { transcript.end - within + 1 } else { transcript.start + within - 1 };
        let (mut base, mut offset) = (None, None);
        let mut before: Option<&super::genes::Exon> = None;
        for exon in transcript.exons.iter() {
            let is_past = if is_reverse { position < exon.start } else { position > exon.end };
            if is_past {
                before = Some(exon);
                continue;
            }
            if exon.start <= position && position <= exon.end {
                base = Some(
                    exon.cdna_start + if is_reverse { exon.end - position } else { position - exon.start },
                );
            } else {
                let before = before?;
                let (to_before, to_exon) = if is_reverse {
                    (before.start - position, position - exon.end)
                } else {
                    (position - before.end, exon.start - position)
                };
                // The middle base of an intron counts from the exon before it.
                let (at, distance) = if to_before <= to_exon {
                    (before.cdna_end(), to_before)
                } else {
                    (exon.cdna_start, -to_exon)
                };
                (base, offset) = (Some(at), Some(distance));
            }
            break;
        }
        if base.is_none()
            && is_reverse
            && let Some(last) = before
        {
            // An insertion that moves to the end of its transcript; VEP names it on the reverse strand only.
            (base, offset) = (Some(last.cdna_end()), Some(last.start - position));
        }
        let mut base = base?;
        let mut is_behind_stop = false;
        if let Some(coding) = &transcript.coding {
            let (first, last) = coding.cdna;
            if base > last {
                (base, is_behind_stop) = (base - last, true);
            } else if base == last && offset.is_some() {
                (base, is_behind_stop) = (0, true);
            } else {
                base = if base >= first { base - first + 1 } else { base - first };
            }
        }
        Some(Self { base, is_behind_stop, offset })
    }
}

/// A transcript's bases in its own direction, introns included.
struct Oriented<'t, 'b, 'c> {
    transcript: &'t Transcript,
    bases: &'b mut Bases<'c>,
}

impl Oriented<'_, '_, '_> {
    /// Bases of a range (from 1, inclusive), clipped to the transcript.
    fn slice(&mut self, start: i64, end: i64) -> Vec<u8> {
        let transcript = self.transcript;
        let length = transcript.end - transcript.start + 1;
        let (start, end) = (start.max(1), end.min(length));
        (start..=end)
            .filter_map(|within| {
                if transcript.is_reverse {
                    self.bases.at(transcript.end - within).map(complement)
                } else {
                    self.bases.at(transcript.start + within - 2)
                }
            })
            .collect()
    }
}
