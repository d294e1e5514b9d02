//! The sorting buffer: records come nearly sorted, and go out sorted, without duplicates, or joined.
//!
//! A record goes out when nothing that is still to come can be placed before it or beside it ([`super::reach`]); so memory
//! holds the records of that stretch, 20 kb of the genome where it does not repeat itself. What goes out does not depend
//! on where batches end: the order is that of positions, ties in the order of the input (or by alleles, with `-S lex`).

use std::cmp::Ordering;
use std::sync::Arc;

use super::counts::{Counted, Counts};
use super::duplicates::Duplicates;
use super::groups::Groups;
use super::reach;
use super::{Multiallelics, NormOptions, SortOrder};
use crate::formats::bases::Genome;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::{Ordered, RecordProblem};

/// Sorts, and does what needs neighbours.
pub struct Arrange {
    held: Vec<Record>,
    contig: Vec<u8>,
    /// The rightmost position in the input, of this contig.
    seen: i64,
    /// Where variants are aligned, so that records may land far to the left.
    genome: Option<Genome>,
    /// Bases that are held back at the least; input that is out of order by less is put in order.
    window: i64,
    order: SortOrder,
    last: Last,
    counts: Arc<Counts>,
}

/// What is done with sorted records.
enum Last {
    Nothing,
    Duplicates(Duplicates),
    Groups(Box<Groups>),
}

impl Arrange {
    /// A buffer as the options have it; `genome` where variants are aligned.
    pub fn new(
        options: &NormOptions,
        genome: Option<Genome>,
        header: Arc<Header>,
        counts: Arc<Counts>,
    ) -> Self {
        let last = match (options.multiallelics, options.remove_duplicates) {
            (Multiallelics::Join(which), _) => {
                Last::Groups(Box::new(Groups::new(which, options, header, Arc::clone(&counts))))
            }
            (_, Some(which)) => Last::Duplicates(Duplicates::new(which)),
            _ => Last::Nothing,
        };
        Self {
            held: Vec::new(),
            contig: Vec::new(),
            seen: i64::MIN,
            genome,
            window: options.site_win.max(0),
            order: options.sort,
            last,
            counts,
        }
    }

    fn compare(order: SortOrder, a: &Record, b: &Record) -> Ordering {
        let by_place = a.position().cmp(&b.position());
        match order {
            SortOrder::Position => by_place,
            SortOrder::Lexical => by_place.then_with(|| compare_alleles(a, b)),
        }
    }

    /// Lets go of records before a position.
    fn release(&mut self, before: i64, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        let order = self.order;
        let compare = |a: &Record, b: &Record| Self::compare(order, a, b);
        if !self.held.is_sorted_by(|a, b| compare(a, b).is_le()) {
            self.held.sort_by(compare);
        }
        let count = self.held.partition_point(|record| record.position() < before);
        let from = out.len();
        if matches!(self.last, Last::Nothing) && out.is_empty() {
            // Most records go on as they came; they are not moved one by one.
            let rest = self.held.split_off(count);
            *out = std::mem::replace(&mut self.held, rest);
            self.counts.add_many(Counted::Written, count as u64);
            return Ok(());
        }
        for mut record in self.held.drain(..count) {
            // bcftools 1.24 writes such a record before those of its position that wait to be joined.
            if record.take_passed_over() {
                out.push(record);
                continue;
            }
            match &mut self.last {
                Last::Nothing => out.push(record),
                Last::Duplicates(duplicates) => {
                    if duplicates.is_duplicate(&record) {
                        self.counts.add(Counted::Duplicates);
                    } else {
                        out.push(record);
                    }
                }
                Last::Groups(groups) => groups.push(record, out)?,
            }
        }
        self.counts.add_many(Counted::Written, (out.len() - from) as u64);
        Ok(())
    }

    /// Takes records of the contig.
    fn hold(&mut self, mut records: Vec<Record>) {
        self.seen = records.iter().map(Record::origin).fold(self.seen, i64::max);
        if self.held.is_empty() {
            self.held = records;
        } else {
            self.held.append(&mut records);
        }
    }

    /// The leftmost place at which a record may still come.
    fn bound(&self) -> Result<i64, RecordProblem> {
        let by_window = self.seen.saturating_sub(self.window);
        let Some(genome) = &self.genome else { return Ok(by_window) };
        let Some(contig) = genome.contig(&self.contig) else { return Ok(by_window) };
        let leftmost = genome.with(contig, |bases| reach::leftmost(self.seen, bases)).map_err(|error| {
            RecordProblem {
                place: String::from_utf8_lossy(&self.contig).into_owned(),
                what: error.to_string(),
            }
        })?;
        Ok(leftmost.min(self.seen.saturating_sub(self.window.max(reach::WINDOW)).saturating_sub(1)))
    }
}

impl Ordered for Arrange {
    fn is_by_contig(&self) -> bool {
        true
    }

    fn push(&mut self, records: Vec<Record>, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        self.counts.add_many(Counted::Arrived, records.len() as u64);
        let is_of_contig = |record: &Record, contig: &[u8]| record.chrom() == contig;
        if records.iter().all(|record| is_of_contig(record, &self.contig)) {
            self.hold(records);
        } else {
            let mut rest = records;
            while let Some(first) = rest.first() {
                if !is_of_contig(first, &self.contig) {
                    let mut done = Vec::new();
                    self.release(i64::MAX, &mut done)?;
                    out.append(&mut done);
                    self.contig = first.chrom().to_vec();
                    self.seen = i64::MIN;
                }
                let count = rest.iter().take_while(|record| is_of_contig(record, &self.contig)).count();
                let behind = rest.split_off(count);
                self.hold(std::mem::replace(&mut rest, behind));
            }
        }
        let bound = self.bound()?;
        self.release(bound, out)
    }

    fn finish(&mut self, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        self.release(i64::MAX, out)?;
        let from = out.len();
        if let Last::Groups(groups) = &mut self.last {
            groups.finish(out)?;
        }
        self.counts.add_many(Counted::Written, (out.len() - from) as u64);
        Ok(())
    }
}

/// REF, then ALT by ALT, without regard to case.
fn compare_alleles(a: &Record, b: &Record) -> Ordering {
    let alleles = |record: &Record| {
        std::iter::once(record.reference())
            .chain(record.alternates())
            .map(<[u8]>::to_ascii_lowercase)
            .collect::<Vec<_>>()
    };
    alleles(a).cmp(&alleles(b))
}
