//! Which records at one position are joined: those of one kind, in the order of the kinds.

use std::sync::Arc;

use super::counts::Counts;
use super::join::join;
use super::{Collapse, NormOptions};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::kinds::Kinds;
use crate::records::pipeline::RecordProblem;

/// The records of a position that are to be joined.
pub struct Groups {
    which: Collapse,
    is_strict: bool,
    is_forced: bool,
    header: Arc<Header>,
    counts: Arc<Counts>,
    group: Vec<Record>,
}

impl Groups {
    /// Groups as the options have them.
    pub fn new(which: Collapse, options: &NormOptions, header: Arc<Header>, counts: Arc<Counts>) -> Self {
        let (is_strict, is_forced) = (options.strict_filter, options.force);
        Self { which, is_strict, is_forced, header, counts, group: Vec::new() }
    }

    /// Takes the next record in order.
    ///
    /// # Errors
    /// Records cannot be joined.
    pub fn push(&mut self, record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        let is_here =
            |first: &Record| first.position() == record.position() && first.chrom() == record.chrom();
        if !self.group.first().is_some_and(is_here) {
            self.finish(out)?;
        }
        self.group.push(record);
        Ok(())
    }

    /// Joins what is there.
    ///
    /// # Errors
    /// Records cannot be joined.
    pub fn finish(&mut self, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        if self.group.len() < 2 {
            out.append(&mut self.group);
            return Ok(());
        }
        if self.which == Collapse::Any {
            let group = std::mem::take(&mut self.group);
            out.push(self.join(group)?);
            return Ok(());
        }
        self.group.sort_by_key(Kinds::of);
        while !self.group.is_empty() {
            let count = self.next_count();
            let rest = self.group.split_off(count);
            let mut group = std::mem::replace(&mut self.group, rest);
            if group.len() == 1 {
                out.append(&mut group);
            } else {
                out.push(self.join(group)?);
            }
        }
        Ok(())
    }

    /// How many of the records at the front belong together: those of one kind, and sites without a variant.
    fn next_count(&self) -> usize {
        let kinds: &[Kinds] = match self.which {
            Collapse::Snps => &[Kinds::SNP],
            Collapse::Indels => &[Kinds::INDEL],
            _ => &[Kinds::SNP, Kinds::MNP, Kinds::INDEL, Kinds::OTHER],
        };
        let belongs = |kind: Kinds| move |record: &&Record| matches!(Kinds::of(record), k if k == kind || k == Kinds::REFERENCE);
        let counts = kinds.iter().map(|&kind| self.group.iter().take_while(belongs(kind)).count());
        counts.into_iter().find(|count| *count > 0).unwrap_or(1)
    }

    fn join(&self, group: Vec<Record>) -> Result<Record, RecordProblem> {
        join(group, &self.header, self.is_strict, self.is_forced, &self.counts)
    }
}
