//! What an allele does to codons and amino acids, and the consequences that follow.
//!
//! The rules are those of Ensembl VEP 114 (Variation::Utils::VariationEffect); where one of them rests on another, that is
//! decided first.

use super::effect::Effect;
use super::genes::Coding;
use super::terms::{Term, Terms};
use crate::genome::strand::reverse_complement;

/// Codons, amino acids, and what they say.
#[derive(Debug, Default)]
pub struct CodingEffect {
    /// The codons that are changed, before and after, where both are known.
    pub codons: Option<[Vec<u8>; 2]>,
    /// Their amino acids; `X` stands for what is not known, or an incomplete codon.
    pub peptides: Option<[Vec<u8>; 2]>,
    /// The frame is lost.
    pub is_frameshift: bool,
    /// The start codon is.
    pub is_start_lost: bool,
    /// The stop codon is.
    pub is_stop_lost: bool,
    /// It is not.
    pub is_stop_retained: bool,
    /// The last codon is not whole.
    pub is_partial: bool,
    /// The allele in the transcript's direction.
    pub allele: Vec<u8>,
    flags: Flags,
}

/// Consequences that are decided once all else is.
#[derive(Debug, Default)]
struct Flags {
    start_retained: bool,
    stop_gained: bool,
    inframe_insertion: bool,
    inframe_deletion: bool,
    missense: bool,
    synonymous: bool,
    protein_altering: bool,
    changes_length: bool,
}

impl CodingEffect {
    /// Looks at an allele in a coding region.
    pub fn new(effect: &Effect<'_>, coding: &Coding) -> Self {
        let variant = &effect.variant;
        let mut allele = variant.alternate.to_vec();
        if effect.transcript.is_reverse {
            reverse_complement(&mut allele);
        }
        let change = Change { effect, coding, allele: &allele };
        let codons = change.codons();
        let peptides = codons
            .as_ref()
            .filter(|_| variant.is_unambiguous())
            .map(|codons| peptides(coding, effect.protein.start().unwrap_or_default(), codons));
        let mut found = Self { codons, peptides, ..Self::default() };
        found.is_partial = change.is_partial();
        found.is_stop_lost = match &found.peptides {
            Some([reference, alternate]) => has_stop(reference) && !has_stop(alternate),
            None => change.alters_stop(),
        };
        found.is_stop_retained = !found.is_partial
            && !found.is_stop_lost
            && match &found.peptides {
                Some([reference, alternate]) if !alternate.is_empty() => {
                    change.keeps_protein(reference, alternate)
                }
                _ => change.changes_length() && change.overlaps_stop() && !change.alters_stop(),
            };
        found.is_frameshift = !found.is_partial && !found.is_stop_retained && change.shifts_frame();
        found.decide(&change);
        found.allele = allele;
        found
    }

    fn decide(&mut self, change: &Change<'_>) {
        let is_longer = change.allele.len() > change.effect.variant.reference.len();
        let is_shorter = change.allele.len() < change.effect.variant.reference.len();
        let codons = self.codons.as_ref().filter(|_| !self.is_frameshift);
        let start_retained = change.overlaps_start()
            && if is_longer || is_shorter {
                !change.alters_start_by_length()
            } else {
                !change.alters_start_by_bases()
            };
        let inframe_insertion = match (codons, &self.peptides) {
            (Some([before, after]), Some([reference, alternate])) if after.len() > before.len() => {
                let cut = up_to_stop(alternate);
                !(start_retained && alternate.ends_with(reference))
                    && (cut.starts_with(reference) || cut.ends_with(reference))
            }
            _ => false,
        };
        let inframe_deletion = !self.is_partial
            && codons.is_some_and(|[before, after]| {
                after.len() < before.len()
                    && (before.starts_with(after) || before.ends_with(after) || {
                        let (before, after) = trimmed(before, after);
                        after.is_empty() && before.len() % 3 == 0
                    })
            });
        self.is_start_lost = change.overlaps_start()
            && (change.alters_start_by_length() && !(inframe_insertion || inframe_deletion)
                || change.replaces_start()
                || self.peptides.as_ref().is_some_and(|[reference, alternate]| {
                    !reference.is_empty()
                        && !alternate.is_empty()
                        && alternate != b"X"
                        && change.effect.protein.start() == Some(1)
                        && !alternate.ends_with(reference)
                        && !alternate.starts_with(reference)
                }));
        let inframe_insertion = inframe_insertion && !self.is_start_lost;
        let known = self.peptides.as_ref();
        let stop_gained = !self.is_stop_retained
            && known.is_some_and(|[reference, alternate]| has_stop(alternate) && !has_stop(reference));
        let is_other = |[reference, alternate]: &[Vec<u8>; 2]| {
            reference != alternate && reference.len() == alternate.len()
        };
        let is_decided = self.is_start_lost
            || self.is_stop_lost
            || stop_gained
            || self.is_partial
            || self.is_stop_retained;
        let is_same = |[reference, alternate]: &[Vec<u8>; 2]| {
            !reference.is_empty() && reference == alternate && !reference.contains(&b'X')
        };
        let is_altered = |[reference, alternate]: &[Vec<u8>; 2]| {
            reference.len() != alternate.len()
                && reference.first() != Some(&b'*')
                && alternate.first() != Some(&b'*')
                && !alternate.starts_with(reference)
                && !alternate.ends_with(reference)
        };
        self.flags = Flags {
            start_retained,
            stop_gained,
            inframe_insertion: inframe_insertion && is_longer,
            inframe_deletion,
            missense: !(is_longer || is_shorter || is_decided) && known.is_some_and(is_other),
            synonymous: !self.is_stop_retained && !start_retained && known.is_some_and(is_same),
            changes_length: is_longer || is_shorter,
            protein_altering: known.is_some_and(is_altered)
                && !(inframe_deletion || self.is_start_lost || self.is_frameshift),
        };
    }

    /// Adds the consequences; `in_cds` says that coding bases are met.
    pub fn add_terms(&self, in_cds: bool, terms: &mut Terms) {
        let flags = &self.flags;
        let has_unknown =
            self.peptides.as_ref().is_none_or(|both| both.iter().any(|one| one.contains(&b'X')));
        let is_decided = self.is_frameshift
            || flags.inframe_deletion
            || flags.protein_altering
            || flags.start_retained
            || self.is_start_lost
            || self.is_stop_retained
            || self.is_stop_lost;
        for (is_so, term) in [
            (flags.stop_gained, Term::StopGained),
            (self.is_frameshift && flags.changes_length, Term::Frameshift),
            (self.is_stop_lost, Term::StopLost),
            (self.is_start_lost, Term::StartLost),
            (flags.inframe_insertion, Term::InframeInsertion),
            (flags.inframe_deletion, Term::InframeDeletion),
            (flags.missense, Term::Missense),
            (flags.protein_altering, Term::ProteinAltering),
            (self.is_partial, Term::IncompleteTerminalCodon),
            (flags.start_retained, Term::StartRetained),
            (self.is_stop_retained, Term::StopRetained),
            (flags.synonymous, Term::Synonymous),
            (in_cds && has_unknown && !is_decided, Term::CodingSequence),
        ] {
            if is_so {
                terms.insert(term);
            }
        }
    }
}

/// A change of the coding bases.
struct Change<'a> {
    effect: &'a Effect<'a>,
    coding: &'a Coding,
    /// The allele in the transcript's direction.
    allele: &'a [u8],
}

impl Change<'_> {
    /// The codons before and after; empty where there is nothing.
    fn codons(&self) -> Option<[Vec<u8>; 2]> {
        let range = self.effect.cds_range();
        changed_codons(
            self.coding,
            (self.effect.protein.start()?, self.effect.protein.end()?),
            (range.0?, range.1?),
            self.allele,
        )
    }

    fn changes_length(&self) -> bool {
        self.allele.len() != self.effect.variant.reference.len()
    }

    /// The last codon, in which the change begins, is not whole.
    fn is_partial(&self) -> bool {
        self.effect.protein.start().is_some_and(|start| {
            let left = self.coding.bases.len() as i64 - (start * 3 - 3);
            left > 0 && left < 3
        })
    }

    fn shifts_frame(&self) -> bool {
        let (Some(start), Some(end)) = self.effect.cds_range() else { return false };
        (self.allele.len() as i64 - (end - start + 1)) % 3 != 0
    }

    fn cdna_range(&self) -> Option<(i64, i64)> {
        Some((self.effect.cdna.start()?, self.effect.cdna.end()?))
    }

    fn overlaps_start(&self) -> bool {
        let first = self.coding.cdna.0;
        !self.effect.transcript.tags.cds_start_not_found
            && self.cdna_range().is_some_and(|(start, end)| end >= first && start <= first + 2)
    }

    fn overlaps_stop(&self) -> bool {
        let last = self.coding.cdna.1;
        !self.effect.transcript.tags.cds_end_not_found
            && self.cdna_range().is_some_and(|(start, end)| end >= last - 2 && start <= last)
    }

    /// The untranslated bases before and the coding ones, changed.
    fn changed_from_start(&self) -> Option<Vec<u8>> {
        if !self.effect.variant.is_unambiguous() {
            return None;
        }
        let bases = [self.coding.five_prime.as_slice(), &self.coding.bases].concat();
        let (start, end) = self.cdna_range()?;
        replaced(bases, start, end, self.allele)
    }

    /// A change of length that leaves other coding bases, or another start.
    fn alters_start_by_length(&self) -> bool {
        if !(self.overlaps_start() && self.changes_length()) {
            return false;
        }
        let Some(changed) = self.changed_from_start() else { return false };
        let (five_prime, bases) = (&self.coding.five_prime, &self.coding.bases);
        if !five_prime.is_empty()
            && changed.strip_prefix(five_prime.as_slice()).is_some_and(|rest| rest.starts_with(b"ATG"))
        {
            return false;
        }
        !changed.ends_with(bases)
    }

    /// A change of bases after which the start is none.
    fn alters_start_by_bases(&self) -> bool {
        let Some(changed) = self.changed_from_start() else { return false };
        let from = changed.len().checked_sub(self.coding.bases.len());
        from.and_then(|from| changed.get(from..from + 3)) != Some(b"ATG")
    }

    /// Where the start codon was, another stands.
    fn replaces_start(&self) -> bool {
        if self.coding.five_prime.is_empty() {
            return false;
        }
        let length = (self.coding.five_prime.len() + self.coding.bases.len()) as i64;
        if self.effect.cdna.end().is_none_or(|end| end > length) {
            return false;
        }
        let Some(changed) = self.changed_from_start() else { return false };
        changed.get(self.coding.five_prime.len()..self.coding.five_prime.len() + 3) != Some(b"ATG")
    }

    /// A change of length after which there is no stop where it was.
    fn alters_stop(&self) -> bool {
        if !(self.effect.variant.is_unambiguous() && self.overlaps_stop() && self.changes_length()) {
            return false;
        }
        let (Some((start, end)), Some(from)) = (self.cdna_range(), self.effect.cds_range().0) else {
            return false;
        };
        let bases = [self.coding.bases.as_slice(), &self.coding.three_prime].concat();
        let Some(changed) = replaced(bases, from, from + end - start, self.allele) else { return false };
        let length = self.coding.bases.len();
        if changed.len() < length {
            return true;
        }
        let stop = length.checked_sub(3).and_then(|from| changed.get(from..length));
        stop.is_none_or(|stop| self.coding.table.translate(stop) != b"*")
    }

    /// The protein stays as it is up to its stop.
    fn keeps_protein(&self, reference: &[u8], alternate: &[u8]) -> bool {
        let protein = &self.coding.peptide;
        let (Some(start), Some(end)) = (self.effect.protein.start(), self.effect.protein.end()) else {
            return false;
        };
        if reference == b"X" && alternate == b"X" {
            return false;
        }
        if start > protein.len() as i64 && alternate.first() == Some(&b'*') {
            return true;
        }
        let is_followed_by_stop = has_stop(alternate) && reference == &alternate[..1];
        let stop_of = |peptide: &[u8]| peptide.iter().position(|amino_acid| *amino_acid == b'*');
        let is_same_stop = stop_of(reference).is_some() && stop_of(reference) == stop_of(alternate);
        let grows_behind = replaced(protein.clone(), start, end, alternate).is_some_and(|changed| {
            changed.strip_prefix(protein.as_slice()).is_some_and(|rest| !rest.is_empty() && rest.len() < 3)
        });
        is_followed_by_stop || is_same_stop || grows_behind
    }
}

/// Codons that a change of coding bases (a range, with those that are missing before them) touches, before and after.
pub fn changed_codons(
    coding: &Coding,
    (first, last): (i64, i64),
    (start, end): (i64, i64),
    allele: &[u8],
) -> Option<[Vec<u8>; 2]> {
    let from = usize::try_from(first * 3 - 3).ok()?;
    let length = last * 3 - (first * 3 - 3);
    let before = slice(&coding.bases, from, length).to_vec();
    let parts = changed_parts(coding, (start, end), allele)?;
    let (mut skipped, mut left) =
        (from, usize::try_from(length + allele.len() as i64 - (end - start + 1)).unwrap_or(0));
    let mut after = Vec::with_capacity(left.min(before.len() + allele.len()));
    for part in parts {
        let here = skipped.min(part.len());
        skipped -= here;
        let part = &part[here..part.len().min(here + left)];
        after.extend_from_slice(part);
        left -= part.len();
    }
    Some([before, after])
}

/// The coding bases after a change, and the untranslated ones behind them.
pub fn changed_bases(coding: &Coding, range: (i64, i64), allele: &[u8]) -> Option<Vec<u8>> {
    Some(changed_parts(coding, range, allele)?.concat())
}

/// The same as the parts that stand behind one another.
fn changed_parts<'p>(
    coding: &'p Coding,
    (start, end): (i64, i64),
    allele: &'p [u8],
) -> Option<[&'p [u8]; 4]> {
    let before = coding.bases.get(..usize::try_from(start - 1).ok()?)?;
    let behind = coding.bases.get(usize::try_from(end).ok()?..)?;
    let is_any = !(before.is_empty() && allele.is_empty() && behind.is_empty());
    is_any.then_some([before, allele, behind, &coding.three_prime])
}

/// The amino acids of codons from a number on, before and after a change; an incomplete codon gives `X`.
///
/// What is recoded stays so where its codon does, counted from the first codon or, if the frame is kept, from the last.
pub fn peptides(coding: &Coding, first: i64, [before, after]: &[Vec<u8>; 2]) -> [Vec<u8>; 2] {
    let (mut reference, mut alternate) = (peptide(coding, before), peptide(coding, after));
    let gained = after.len() as i64 - before.len() as i64;
    for recoded in &coding.recoded {
        let place = recoded.number - first;
        let Some(codon) = codon_at(before, place) else { continue };
        set_at(&mut reference, place, recoded.amino_acid);
        let from_last = Some(place + gained / 3).filter(|_| gained % 3 == 0);
        let is_same = |place: &i64| codon_at(after, *place) == Some(codon);
        if let Some(place) = Some(place).into_iter().chain(from_last).find(is_same) {
            set_at(&mut alternate, place, recoded.amino_acid);
        }
    }
    [reference, alternate]
}

/// The amino acids of the whole changed coding region and what is read behind it, as [`changed_bases`] gives them.
///
/// `first` is the first amino acid that the change touches, `gained` how many bases it adds.
pub fn changed_protein(coding: &Coding, changed: &[u8], first: i64, gained: i64) -> Vec<u8> {
    let mut protein = coding.table.translate(changed);
    for recoded in &coding.recoded {
        let place = match recoded.number > first {
            false => recoded.number - 1,
            true if gained % 3 == 0 => recoded.number - 1 + gained / 3,
            true => continue,
        };
        if coding.codon(recoded.number).is_some_and(|codon| codon_at(changed, place) == Some(codon)) {
            set_at(&mut protein, place, recoded.amino_acid);
        }
    }
    protein
}

fn codon_at(bases: &[u8], place: i64) -> Option<&[u8]> {
    let from = usize::try_from(place).ok()?.checked_mul(3)?;
    bases.get(from..from.checked_add(3)?)
}

fn set_at(peptide: &mut [u8], place: i64, amino_acid: u8) {
    if let Some(one) = usize::try_from(place).ok().and_then(|place| peptide.get_mut(place)) {
        *one = amino_acid;
    }
}

/// The amino acids of codons by the code.
fn peptide(coding: &Coding, codons: &[u8]) -> Vec<u8> {
    let mut peptide = coding.table.translate(codons);
    if !codons.len().is_multiple_of(3) && peptide != b"*" {
        peptide.push(b'X');
    }
    peptide
}

fn has_stop(peptide: &[u8]) -> bool {
    peptide.contains(&b'*')
}

/// A peptide to its first stop, if something follows that.
fn up_to_stop(peptide: &[u8]) -> &[u8] {
    let stop = peptide.iter().position(|amino_acid| *amino_acid == b'*');
    stop.and_then(|stop| peptide.get(..=stop)).unwrap_or(peptide)
}

/// At most so many letters from a place on.
fn slice(bases: &[u8], from: usize, length: i64) -> &[u8] {
    let length = usize::try_from(length).unwrap_or(0);
    bases.get(from..from.saturating_add(length).min(bases.len())).unwrap_or_default()
}

/// A sequence in which a range (1-based, inclusive) is replaced; `None` where it begins outside.
fn replaced(mut bases: Vec<u8>, start: i64, end: i64, with: &[u8]) -> Option<Vec<u8>> {
    let from = usize::try_from(start - 1).ok()?;
    let to = usize::try_from(end).ok()?.clamp(from, bases.len().max(from));
    if from > bases.len() {
        return None;
    }
    bases.splice(from..to.min(bases.len()), with.iter().copied());
    Some(bases)
}

/// Two sequences without what they begin with and then end with alike.
fn trimmed<'s>(one: &'s [u8], other: &'s [u8]) -> (&'s [u8], &'s [u8]) {
    let prefix = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[prefix..], &other[prefix..]);
    let suffix = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    (&one[..one.len() - suffix], &other[..other.len() - suffix])
}
