//! Both files cut into stretches of records that can be compared on their own.

use std::sync::Arc;

use super::border::Before;
use super::call::{LeftOut, has_alternate};
use super::rows::{failed, genotype_of};
use super::{LeftOuts, Plan};
use crate::formats::bases::Genome;
use crate::formats::vcf::record::Record;
use crate::variants::together::TogetherError;
use crate::variants::together::input::Contigs;
use crate::variants::together::walk::{Position, Walk};

/// A stretch has so many records at the least, unless its contig ends.
const RECORDS: usize = 512;

/// Records of both sides that do not touch those of any other stretch.
#[derive(Debug, Default)]
pub struct Stretch {
    /// The contig's number in the reference.
    pub contig: usize,
    /// The contig's name.
    pub name: Vec<u8>,
    /// The records of both sides whose genotypes have alternate alleles.
    pub records: [Vec<Record>; 2],
}

/// Cuts the files.
pub struct Stretches<'s> {
    walk: Walk<'s>,
    contigs: Arc<Contigs>,
    genome: &'s Genome,
    plan: &'s Plan,
    /// The records of the next position.
    ahead: Option<Position>,
    /// Records that are not compared.
    pub left_out: LeftOuts,
}

impl<'s> Stretches<'s> {
    /// Begins at the first position of a walk through truth and query.
    pub fn new(walk: Walk<'s>, contigs: Arc<Contigs>, genome: &'s Genome, plan: &'s Plan) -> Self {
        Self { walk, contigs, genome, plan, ahead: None, left_out: LeftOuts::default() }
    }

    /// The next stretch; `None` behind the last.
    ///
    /// # Errors
    /// A file is damaged or not sorted, or the reference does not have a contig.
    pub fn advance(&mut self) -> Result<Option<Stretch>, TogetherError> {
        let Some(first) = self.position()? else { return Ok(None) };
        let name = self.contigs.name(first.contig).to_vec();
        let number = self.genome.contig(&name).ok_or_else(|| TogetherError::Unlike {
            path: self.genome.name().into(),
            what: format!("it has no contig {}, on which there are calls", String::from_utf8_lossy(&name)),
        })?;
        let mut stretch = Stretch { contig: number, name, records: Default::default() };
        let (contig, mut before, mut count) = (first.contig, Before::default(), 0);
        let mut position = Some(first);
        while let Some(next) = position.take() {
            if next.contig != contig {
                self.ahead = Some(next);
                break;
            }
            let distance = self.plan.rules.distance;
            let is_border =
                self.genome.with(number, |bases| before.is_border(next.position, distance, bases))?;
            if is_border {
                if count >= RECORDS {
                    self.ahead = Some(next);
                    break;
                }
                before = Before::default();
            }
            for line in next.lines {
                let (end, shifts) = reach(&line.record);
                before.add(line.file, end, shifts);
                stretch.records[line.file].push(line.record);
                count += 1;
            }
            position = self.position()?;
        }
        Ok(Some(stretch))
    }

    /// The next position with records to be compared, and these alone.
    fn position(&mut self) -> Result<Option<Position>, TogetherError> {
        if let Some(position) = self.ahead.take() {
            return Ok(Some(position));
        }
        while let Some(mut position) = self.walk.advance()? {
            let (plan, left_out) = (self.plan, &mut self.left_out);
            position.lines.retain(|line| {
                let sample = plan.samples[line.file];
                let reason = if !genotype_of(&line.record, sample).is_some_and(has_alternate) {
                    Some(LeftOut::NoVariant)
                } else if plan.only_passing[line.file] && failed(&line.record).next().is_some() {
                    Some(LeftOut::Filtered)
                } else {
                    None
                };
                if let Some(reason) = reason {
                    left_out.0[line.file][reason as usize] += 1;
                }
                reason.is_none()
            });
            if !position.lines.is_empty() {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }
}

/// Where a record ends, and by how many bases its alleles can make a haplotype longer and shorter: bounds for whatever
/// its genotype is.
fn reach(record: &Record) -> (i64, (i64, i64)) {
    let length = record.reference().len() as i64;
    let mut shifts = (0, 0);
    for alternate in record.alternates().filter(|allele| allele.iter().all(u8::is_ascii_alphabetic)) {
        let growth = alternate.len() as i64 - length;
        shifts = (shifts.0.max(growth), shifts.1.max(-growth));
    }
    (record.position().saturating_add(length), shifts)
}
