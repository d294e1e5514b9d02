//! The step that has the reference before it: REF is checked or set, and variants are moved to where they belong.

use std::sync::Arc;

use super::counts::{Counted, Counts};
use super::fix::{self, has_other_letters};
use super::origin::{self, OriginTag};
use super::reach;
use super::symbolic;
use super::transcripts::Transcripts;
use super::warnings::Warnings;
use super::{CheckRef, NormOptions};
use crate::formats::bases::Genome;
use crate::formats::fasta::FastaError;
use crate::formats::vcf::record::{Column, Record};
use crate::records::align::{Placement, Sequence, Site};
use crate::records::kinds::Kinds;
use crate::records::pipeline::RecordProblem;

/// Checks, sets and aligns.
pub struct Place {
    genome: Genome,
    check: CheckRef,
    /// Not with `-N`.
    is_aligned: bool,
    is_checked: bool,
    transcripts: Option<Arc<Transcripts>>,
    origin: Option<OriginTag>,
    furthest: i64,
    counts: Arc<Counts>,
    warnings: Arc<Warnings>,
}

/// A deletion beside alleles that are written out is written out too, up to so many bases.
const LONGEST_WRITTEN: u64 = 1 << 20;

/// What was found out about a record.
enum Verdict {
    /// It stays as it is.
    Stays,
    /// It moves, or becomes shorter; REF spans so many bases of the reference now.
    Moves { placement: Placement, ref_length: i64, is_symbolic: bool, is_duplication: bool },
    /// REF alone, of more than a base.
    OneBase,
    /// An alternate allele is REF.
    Repeats,
    /// REF or ALT is not as it must be; with bcftools' name of it.
    Wrong(&'static str, String),
}

impl Place {
    /// Places as the options have it.
    pub fn new(
        options: &NormOptions,
        genome: Genome,
        transcripts: Option<Arc<Transcripts>>,
        counts: Arc<Counts>,
        warnings: Arc<Warnings>,
    ) -> Self {
        Self {
            genome,
            check: options.check_ref,
            is_aligned: !options.do_not_normalize,
            is_checked: !options.do_not_normalize || options.check_only,
            transcripts,
            origin: options.old_rec_tag.as_deref().map(OriginTag::new),
            furthest: reach::WINDOW.max(options.site_win),
            counts,
            warnings,
        }
    }

    fn fix(&self, record: &mut Record, contig: usize) -> Result<(), FastaError> {
        let longest = record.alternates().map(<[u8]>::len).max().unwrap_or(0).max(record.reference().len());
        let from = record.position();
        let before = self.origin.as_ref().map(|_| origin::describe(record));
        let is_changed = self.genome.with(contig, |bases| {
            let bases = if from < 0 { &[] } else { bases.slice(from, from.saturating_add(longest as i64)) };
            fix::fix(record, bases, &self.counts)
        })?;
        if let (true, Some(tag), Some(before)) = (is_changed, &self.origin, before) {
            tag.set(record, &before);
        }
        Ok(())
    }

    fn is_right_aligned(&self, record: &Record) -> bool {
        let Some(transcripts) = &self.transcripts else { return false };
        // The base behind the record counts, as in bcftools.
        let end = record.position().saturating_add(symbolic::span(record)).saturating_add(1);
        transcripts.are_forward(record.chrom(), record.position(), end)
    }
}

impl Place {
    /// Checks and moves a record; false where it goes.
    ///
    /// # Errors
    /// Its contig is not in the reference, or it does not fit and `-c e` is asked for.
    pub fn apply(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let Some(contig) = self.genome.contig(record.chrom()) else {
            return Err(RecordProblem::at(record, format!("the contig is not in {}", self.genome.name())));
        };
        let failed = |record: &Record, error: FastaError| RecordProblem::at(record, error.to_string());
        if self.check.set {
            self.fix(record, contig).map_err(|error| failed(record, error))?;
        }
        if !self.is_checked {
            return Ok(true);
        }
        let is_right = self.is_right_aligned(record);
        SCRATCH.with_borrow_mut(|scratch| {
            let verdict =
                self.genome.with(contig, |bases| judge(record, !is_right, self.furthest, bases, scratch));
            let verdict = match verdict.map_err(|error| failed(record, error))? {
                Verdict::Moves { .. } | Verdict::OneBase if !self.is_aligned => Verdict::Stays,
                verdict => verdict,
            };
            self.settle(record, verdict, contig, scratch)
        })
    }
}

impl Place {
    /// Does what was found; false where the record goes.
    fn settle(
        &self,
        record: &mut Record,
        verdict: Verdict,
        contig: usize,
        scratch: &Scratch,
    ) -> Result<bool, RecordProblem> {
        match verdict {
            Verdict::Stays => {}
            Verdict::OneBase => {
                let first = record.reference()[..1].to_vec();
                record.set_column(Column::Ref, &first);
            }
            Verdict::Moves { placement, ref_length, is_symbolic, is_duplication } => {
                if placement.is_too_far {
                    self.counts.add(Counted::Unmoved);
                }
                self.put(record, placement, ref_length, is_symbolic, is_duplication, scratch);
            }
            Verdict::Repeats if self.check.set => fix::drop_references(record),
            Verdict::Repeats => {
                if self.check.is_strict() {
                    return Err(RecordProblem::at(
                        record,
                        "an alternate allele is REF (-c w goes on, -c s drops it)",
                    ));
                }
                if self.check.warn {
                    self.warnings.add(contig, record.position(), warning("ALT_DUP", record, ""));
                }
            }
            Verdict::Wrong(name, what) => {
                if self.check.is_strict() {
                    return Err(RecordProblem::at(
                        record,
                        format!("{name}: {}", what.replace('\t', " where the reference has ")),
                    ));
                }
                if self.check.warn {
                    self.warnings.add(contig, record.position(), warning(name, record, &what));
                }
                if self.check.exclude {
                    self.counts.add(Counted::Mismatched);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn put(
        &self,
        record: &mut Record,
        placement: Placement,
        ref_length: i64,
        is_symbolic: bool,
        is_duplication: bool,
        scratch: &Scratch,
    ) {
        let (from, old_length) = (record.position(), symbolic_length(record, is_symbolic));
        let to = from + placement.offset;
        let mut ends = scratch.ends.iter().copied();
        let mut start = ends.next().unwrap_or(0);
        let reference = &scratch.placed[..start];
        let reference = if is_symbolic { &reference[..reference.len().min(1)] } else { reference };
        if placement.offset == 0 && record.reference().eq_ignore_ascii_case(reference) {
            return;
        }
        if let Some(tag) = &self.origin
            && !tag.is_set(record)
        {
            let text = origin::describe(record);
            tag.set(record, &text);
        }
        let old_end = symbolic::end(record);
        record.set_column(Column::Ref, reference);
        let old: Vec<Vec<u8>> = record.alternates().map(<[u8]>::to_vec).collect();
        let alternates = old.iter().map(|old| {
            let end = ends.next().unwrap_or(start);
            let placed = &scratch.placed[start..end];
            start = end;
            if old.starts_with(b"<") { old.as_slice() } else { placed }
        });
        record.set_alternates(alternates);
        record.set_position(to);
        self.counts.add(Counted::Realigned);
        if placement.offset != 0 || old_length != ref_length {
            let end = match old_end {
                Some(end) if is_duplication => end.saturating_add(placement.offset),
                _ => to.saturating_add(ref_length),
            };
            symbolic::move_end(record, end);
        }
    }
}

/// Bases of the reference that REF stood for.
fn symbolic_length(record: &Record, is_symbolic: bool) -> i64 {
    if is_symbolic { symbolic::span(record) } else { record.reference().len() as i64 }
}

fn warning(name: &str, record: &Record, what: &str) -> String {
    let contig = String::from_utf8_lossy(record.chrom());
    let tab = if what.is_empty() { "" } else { "\t" };
    format!("{name}\t{contig}\t{}{tab}{what}", record.position() + 1)
}

/// Alleles in upper case, and as they are placed, one behind another.
#[derive(Default)]
struct Scratch {
    upper: Vec<u8>,
    placed: Vec<u8>,
    ends: Vec<usize>,
}

thread_local! {
    static SCRATCH: std::cell::RefCell<Scratch> = std::cell::RefCell::default();
}

/// Looks at a record and the reference. The placed alleles are in `scratch`.
fn judge(
    record: &Record,
    is_left: bool,
    furthest: i64,
    bases: &mut crate::formats::bases::Bases<'_>,
    scratch: &mut Scratch,
) -> Verdict {
    let (position, reference) = (record.position(), record.reference());
    let here = bases.slice(position, position.saturating_add(reference.len() as i64));
    if here != reference {
        let text = |bases: &[u8]| String::from_utf8_lossy(bases).into_owned();
        if has_other_letters(reference) {
            return Verdict::Wrong("NON_ACGTN_REF", text(reference));
        }
        if !here.eq_ignore_ascii_case(reference) || reference.is_empty() {
            return Verdict::Wrong("REF_MISMATCH", format!("{}\t{}", text(reference), text(here)));
        }
    }
    let alt = record.column(Column::Alt);
    if let ([a], [b]) = (reference, alt)
        && !a.eq_ignore_ascii_case(b)
        && !has_other_letters(alt)
    {
        return Verdict::Stays;
    }
    if record.allele_count() == 1 {
        return if reference.len() > 1 { Verdict::OneBase } else { Verdict::Stays };
    }
    if Kinds::of(record) == Kinds::BREAKEND {
        return Verdict::Stays;
    }
    judge_alleles(record, is_left, furthest, bases, scratch)
}

fn judge_alleles(
    record: &Record,
    is_left: bool,
    furthest: i64,
    bases: &mut crate::formats::bases::Bases<'_>,
    scratch: &mut Scratch,
) -> Verdict {
    let reference = record.reference();
    let (mut is_symbolic, mut is_duplication, mut is_deletion) = (true, false, false);
    scratch.upper.clear();
    scratch.upper.extend(reference.iter().map(u8::to_ascii_uppercase));
    let mut sequences = Vec::with_capacity(record.allele_count());
    for (number, alt) in record.alternates().enumerate() {
        if alt.starts_with(b"<") {
            let Some(sequence) = symbolic::written_out(record, number, alt) else { return Verdict::Stays };
            is_deletion |= alt.starts_with(b"<DEL");
            is_duplication |= alt.starts_with(b"<DUP");
            sequences.push(Err(sequence));
            continue;
        }
        is_symbolic = false;
        if alt.starts_with(b"*") {
            return Verdict::Stays;
        }
        if has_other_letters(alt) {
            return Verdict::Wrong("NON_ACGTN_ALT", String::from_utf8_lossy(alt).into_owned());
        }
        if alt.eq_ignore_ascii_case(reference) {
            return Verdict::Repeats;
        }
        let from = scratch.upper.len();
        scratch.upper.extend(alt.iter().map(u8::to_ascii_uppercase));
        sequences.push(Ok((from, scratch.upper.len())));
    }
    let span = symbolic::span(record).max(1) as u64;
    let limit = if is_symbolic { bases.length() } else { LONGEST_WRITTEN };
    let end = span.saturating_add(record.position().max(0) as u64);
    if is_deletion && (end > bases.length() || span > limit) {
        return Verdict::Stays;
    }
    let first = if is_deletion {
        Sequence::Reference(span)
    } else {
        Sequence::Bases(&scratch.upper[..reference.len()])
    };
    let alleles: Vec<Sequence<'_>> = std::iter::once(first)
        .chain(sequences.iter().map(|sequence| match sequence {
            Ok((from, to)) => Sequence::Bases(&scratch.upper[*from..*to]),
            Err(sequence) => *sequence,
        }))
        .collect();
    let site = Site { position: record.position(), alleles: &alleles };
    let placement = if is_left { site.left(reach::LONGEST, furthest, bases) } else { site.right(bases) };
    if placement == Placement::default() && !(is_symbolic && reference.len() > 1) {
        return Verdict::Stays;
    }
    let ref_length = alleles[0].length() - placement.shrink;
    scratch.placed.clear();
    scratch.ends.clear();
    for (allele, sequence) in alleles.iter().enumerate() {
        // Symbolic alleles keep their names; of REF the first base is enough then.
        match sequence {
            Sequence::Reference(_) if allele > 0 => {}
            Sequence::Reference(_) if is_symbolic => {
                scratch.placed.extend(bases.at(record.position() + placement.offset));
            }
            _ => site.write(allele, placement, bases, &mut scratch.placed),
        }
        scratch.ends.push(scratch.placed.len());
    }
    Verdict::Moves { placement, ref_length, is_symbolic, is_duplication }
}
