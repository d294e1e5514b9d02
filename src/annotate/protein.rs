//! HGVS names on proteins (p.), as Ensembl VEP 114 gives them: from the allele moved to its 3' end, without brackets.

use std::fmt::Write;

use super::coding_effect::{changed_bases, changed_codons, changed_protein, peptides};
use super::codons::three_letters;
use super::effect::Effect;
use super::genes::Coding;
use super::hgvs::{Shift, rotated};
use super::project::Pieces;
use crate::genome::strand::reverse_complement;

/// A change of a protein.
#[derive(Debug)]
struct Change {
    kind: Kind,
    /// First and last amino acid; of an insertion the last is the one before it.
    start: i64,
    end: i64,
    reference: Vec<u8>,
    alternate: Vec<u8>,
    /// The amino acids before those that both have were cut off.
    whole_reference: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Substitution,
    Deletion,
    Insertion,
    Duplication,
    DeletionInsertion,
    Frameshift,
    /// The start is lost.
    Unknown,
}

/// What the name rests on.
struct Protein<'e> {
    effect: &'e Effect<'e>,
    coding: &'e Coding,
    /// First amino acid that is touched.
    start: i64,
    /// The protein after the change and what would be read behind it.
    changed: Vec<u8>,
}

/// Writes the name of an allele on its protein; false where there is none.
pub fn write_protein(effect: &Effect<'_>, shift: Shift, out: &mut String) -> bool {
    let Some((protein, change)) = find(effect, shift) else { return false };
    let _ = write!(out, "{}:p.", protein.coding.protein);
    protein.format(change, out);
    true
}

fn find<'e>(effect: &'e Effect<'e>, shift: Shift) -> Option<(Protein<'e>, Change)> {
    let (variant, transcript) = (&effect.variant, effect.transcript);
    let coding = transcript.coding.as_ref()?;
    let coding_effect = effect.coding.as_ref()?;
    if !variant.is_unambiguous() {
        return None;
    }
    let shift = shift.on(transcript);
    let moved = shift as i64 * transcript.strand();
    let on_cdna = Pieces::on_cdna(transcript, variant.start + moved, variant.end + moved);
    let on_cds = Pieces::on_cds(transcript, &on_cdna);
    let on_protein = Pieces::on_protein(transcript, &on_cds);
    let (first, last) = (on_protein.start()?, on_protein.end()?);
    let range = (on_cds.start()? + coding.phase, on_cds.end()? + coding.phase);
    let mut allele = match variant.is_insertion() {
        true => rotated(variant.alternate, shift, transcript.is_reverse),
        false => variant.alternate.to_vec(),
    };
    if transcript.is_reverse {
        reverse_complement(&mut allele);
    }
    let codons = changed_codons(coding, (first, last), range, &allele)?;
    let [reference, alternate] = peptides(coding, first, &codons);
    let gained = allele.len() as i64 - (range.1 - range.0 + 1);
    let shifts_frame = !coding_effect.is_partial && !coding_effect.is_stop_retained && gained % 3 != 0;
    let changed = changed_bases(coding, range, &allele)?;
    let protein =
        Protein { effect, coding, start: first, changed: changed_protein(coding, &changed, first, gained) };
    let mut change = Change {
        kind: Kind::Frameshift,
        start: first,
        end: last,
        whole_reference: reference.clone(),
        reference,
        alternate,
    };
    if change.reference != change.alternate {
        change.clip();
    }
    if !shifts_frame {
        change.kind = match (change.reference.len(), change.alternate.len()) {
            (0, _) => Kind::Insertion,
            (_, 0) => Kind::Deletion,
            (1, 1) => Kind::Substitution,
            _ => Kind::DeletionInsertion,
        };
    }
    let change = protein.complete(change, coding_effect.is_start_lost)?;
    Some((protein, change))
}

impl Change {
    /// Cuts off what both begin with and then end with, but not a stop that both begin with.
    fn clip(&mut self) {
        let mut prefix = 0;
        for (one, other) in self.reference.iter().zip(&self.alternate) {
            if one != other {
                break;
            }
            if *one == b'*' {
                return;
            }
            prefix += 1;
        }
        self.reference.drain(..prefix);
        self.alternate.drain(..prefix);
        self.start += prefix as i64;
        while !self.reference.is_empty() && self.reference.last() == self.alternate.last() {
            self.reference.pop();
            self.alternate.pop();
            self.end -= 1;
        }
    }

    /// Moves what is inserted or deleted as far as the amino acids behind it allow.
    fn shift(&mut self, behind: &[u8]) {
        let moved = if self.kind == Kind::Insertion { &mut self.alternate } else { &mut self.reference };
        let Some(limit) = behind.len().checked_sub(moved.len()) else { return };
        for next in behind.iter().take(limit + 1) {
            if moved.first() != Some(next) || *next == b'*' {
                break;
            }
            moved.rotate_left(1);
            self.start += 1;
            self.end += 1;
        }
    }
}

impl Protein<'_> {
    /// Finds what else a name needs: the first amino acid that a frameshift changes, duplications, neighbours.
    fn complete(&self, mut change: Change, is_start_lost: bool) -> Option<Change> {
        match change.kind {
            Kind::Frameshift => {
                self.first_change(&mut change);
                // Nothing is left of the protein from there on, nor of the codons that are touched.
                if change.reference.is_empty() {
                    return None;
                }
            }
            Kind::Insertion => {
                if let Some(behind) = self.neighbours(change.end + 1, &change, None) {
                    change.shift(&behind);
                }
                if !change.alternate.contains(&b'*') {
                    self.find_duplication(&mut change);
                    if change.kind == Kind::Duplication {
                        return Some(change);
                    }
                }
                change.reference = self.neighbours(change.start.min(change.end), &change, Some(2))?;
            }
            Kind::Deletion => {
                if let Some(behind) = self.neighbours(change.end + 1, &change, None) {
                    change.shift(&behind);
                }
            }
            _ => {}
        }
        if is_start_lost {
            change.kind = Kind::Unknown;
        }
        Some(change)
    }

    /// Amino acids of the reference from a place on, with the stop where the change begins at it.
    fn neighbours(&self, from: i64, change: &Change, count: Option<usize>) -> Option<Vec<u8>> {
        let mut protein = self.coding.peptide.clone();
        if change.whole_reference.first() == Some(&b'*') {
            protein.extend_from_slice(&change.whole_reference);
        }
        if protein.len() as i64 <= from || from < 1 {
            return None;
        }
        let rest = protein.get(from as usize - 1..)?;
        Some(rest[..count.unwrap_or(rest.len()).min(rest.len())].to_vec())
    }

    fn first_change(&self, change: &mut Change) {
        let reference = [self.coding.peptide.as_slice(), b"*"].concat();
        change.start = self.start;
        if self.start > self.changed.len() as i64 {
            change.kind = Kind::Deletion;
            return;
        }
        let at = |sequence: &[u8], place: i64| {
            usize::try_from(place - 1).ok().and_then(|place| sequence.get(place).copied())
        };
        while let Some(alternate) = at(&self.changed, change.start) {
            let before = at(&reference, change.start);
            (change.reference, change.alternate) = (before.into_iter().collect(), vec![alternate]);
            if before != Some(alternate) {
                break;
            }
            if alternate == b'*' {
                // The stop is where it was.
                change.kind = Kind::Substitution;
                break;
            }
            change.start += 1;
        }
    }

    /// An insertion of what stands before it.
    fn find_duplication(&self, change: &mut Change) {
        let length = change.alternate.len() as i64;
        let from = change.start - length - 1;
        let reference = self.coding.amino_acids();
        let before = usize::try_from(from).ok().and_then(|from| reference.get(from..from + length as usize));
        if before == Some(change.alternate.as_slice()) {
            change.kind = Kind::Duplication;
            change.end = change.start - 1;
            change.start -= length;
        }
    }

    /// Amino acids up to the next stop: from a place on, or behind the reference's end.
    fn until_stop(&self, from: Option<i64>) -> Option<i64> {
        let stop = self.changed.iter().position(|amino_acid| *amino_acid == b'*')? as i64 + 1;
        let count = stop - from.unwrap_or(self.coding.peptide.len() as i64 + 1);
        (count > 0).then_some(count)
    }

    fn format(&self, change: Change, out: &mut String) {
        let names = |peptide: &[u8]| -> String {
            // What is not known is told as a stop, as by VEP.
            let name = |amino_acid: &u8| if *amino_acid == b'X' { "Ter" } else { three_letters(*amino_acid) };
            peptide.iter().map(name).collect()
        };
        let Change { kind, mut start, mut end, reference, alternate, .. } = change;
        let first_of = |peptide: &[u8]| names(peptide.get(..1).unwrap_or_default());
        let last_of = |peptide: &[u8]| names(peptide.last().map_or(&[][..], std::slice::from_ref));
        let number = |count: Option<i64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
        let (first, last) = (first_of(&reference), last_of(&reference));
        let is_stop_lost = self.effect.coding.as_ref().is_some_and(|coding| coding.is_stop_lost);
        let _ = match kind {
            Kind::Substitution | Kind::Deletion | Kind::DeletionInsertion if reference == alternate => {
                write!(out, "{}{start}=", names(&reference))
            }
            Kind::Substitution | Kind::Deletion if is_stop_lost => {
                let after = if kind == Kind::Deletion { "del".to_owned() } else { first_of(&alternate) };
                // The first amino acid has none before it to count from.
                let count = if start > 1 { self.until_stop(None) } else { None };
                let extension = format!("{after}extTer{}", number(count));
                if kind == Kind::Deletion && reference.len() > 1 {
                    write!(out, "{first}{start}_{last}{end}{extension}")
                } else {
                    write!(out, "{}{start}{extension}", names(&reference))
                }
            }
            Kind::Substitution => write!(out, "{}{start}{}", names(&reference), names(&alternate)),
            Kind::Duplication => {
                let (first, last) = (first_of(&alternate), last_of(&alternate));
                if start < end {
                    write!(out, "{first}{start}_{last}{end}dup")
                } else {
                    write!(out, "{first}{start}dup")
                }
            }
            Kind::Insertion | Kind::DeletionInsertion => {
                let after = names(&alternate);
                // Nothing is told of what follows a stop.
                let after = after.find("Ter").map_or(after.as_str(), |stop| &after[..stop + 3]);
                if start == end && kind == Kind::DeletionInsertion {
                    write!(out, "{first}{start}delins{after}")
                } else {
                    if start > end {
                        std::mem::swap(&mut start, &mut end);
                    }
                    let word = if kind == Kind::Insertion { "ins" } else { "delins" };
                    write!(out, "{first}{start}_{last}{end}{word}{after}")
                }
            }
            Kind::Frameshift if alternate == b"*" => write!(out, "{first}{start}Ter"),
            Kind::Frameshift => {
                let count = if start > 1 { self.until_stop(Some(start - 1)) } else { None };
                write!(out, "{first}{start}{}fsTer{}", names(&alternate), number(count))
            }
            Kind::Deletion if reference.len() > 1 => write!(out, "{first}{start}_{last}{end}del"),
            Kind::Deletion => write!(out, "{first}{start}del"),
            Kind::Unknown if start != end => write!(out, "{}{start}_?{end}", names(&reference)),
            Kind::Unknown => write!(out, "{}{start}?", names(&reference)),
        };
    }
}
