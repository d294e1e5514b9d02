//! `samtools coverage`: reads, covered positions, mean depth and qualities by contig.

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs, Stretch};
use super::read::Read;
use super::window::{Run, Window};
use crate::formats::fasta::FastaError;
use crate::genome::contigs::Contig;
use crate::formats::c_format::general;

/// Flags of reads that do not count: unmapped, secondary, QC-failed, duplicate.
const EXCLUDED_FLAGS: u16 = 0x704;

/// Coverage by contig, in the header's order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Coverage {
    /// One a contig.
    pub contigs: Vec<ContigCoverage>,
    min_mapq: u8,
    min_baseq: u8,
    #[serde(skip)]
    window: Window<u8>,
}

/// Coverage of one contig.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContigCoverage {
    /// Reads that count.
    pub reads: u64,
    /// Positions with a base of at least one of them.
    pub covered: u64,
    /// Bases on positions.
    pub bases: u64,
    /// Sum of their qualities.
    pub base_quality: u64,
    /// Sum of the reads' mapping qualities.
    pub mapping_quality: u64,
}

impl Collector for Coverage {
    fn unavailable(context: &Context) -> Option<&'static str> {
        (!context.sorted).then_some("the file is not sorted by coordinate")
    }

    fn needs(_: &Context) -> Needs {
        Needs { quals: true, ..Needs::default() }
    }

    fn new(context: &Context) -> Self {
        Self {
            contigs: vec![ContigCoverage::default(); context.header.contigs.len()],
            min_mapq: context.options.min_mapq.unwrap_or(0),
            min_baseq: context.options.min_baseq.unwrap_or(0),
            window: Window::new(),
        }
    }

    fn enter(&mut self, stretch: Stretch, _: &Context) {
        self.window.enter(stretch);
    }

    fn lead_in(&mut self, read: &Read<'_>) {
        if self.counts(read) {
            self.cover(read);
        }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        let Some(contig) = read.contig.filter(|_| self.counts(read)) else { return };
        self.cover(read);
        let c = &mut self.contigs[contig];
        c.reads += 1;
        c.mapping_quality += u64::from(read.mapq);
        for (index, _, length) in read.blocks() {
            let Some(quals) = read.quals.get(index..index + length as usize) else { continue };
            if self.min_baseq == 0 {
                c.bases += quals.len() as u64;
                c.base_quality += sum(quals);
            } else {
                let kept = quals.iter().filter(|quality| **quality >= self.min_baseq);
                let (n, total) =
                    kept.fold((0, 0), |(n, total), &quality| (n + 1, total + u64::from(quality)));
                c.bases += n;
                c.base_quality += total;
            }
        }
    }

    fn leave(&mut self, _: &Context) -> Result<(), FastaError> {
        let Self { window, contigs, .. } = self;
        let covered = &mut contigs[window.stretch().contig].covered;
        window.leave(|_, run| count_covered(run, covered));
        Ok(())
    }

    fn merge(&mut self, next: Self) {
        for (a, b) in self.contigs.iter_mut().zip(next.contigs) {
            a.reads += b.reads;
            a.covered += b.covered;
            a.bases += b.bases;
            a.base_quality += b.base_quality;
            a.mapping_quality += b.mapping_quality;
        }
    }
}

impl Coverage {
    #[inline]
    fn counts(&self, read: &Read<'_>) -> bool {
        read.flags.0 & EXCLUDED_FLAGS == 0 && read.mapq >= self.min_mapq
    }

    #[inline]
    fn cover(&mut self, read: &Read<'_>) {
        let Self { window, contigs, .. } = self;
        let covered = &mut contigs[window.stretch().contig].covered;
        window.advance(read.start, |_, run| count_covered(run, covered));
        for (index, position, length) in read.blocks() {
            let Some((start, end)) = window.clip(position, position.saturating_add(length)) else { continue };
            let values = window.values(start, end);
            if self.min_baseq == 0 {
                values.fill(1);
            } else if let Some(quals) = read.quals.get(index + (start - position) as usize..) {
                values
                    .iter_mut()
                    .zip(quals)
                    .for_each(|(value, quality)| *value |= u8::from(*quality >= self.min_baseq));
            }
        }
    }

    /// The table that `samtools coverage` 1.16 prints: contigs with coverage first, then those without.
    pub fn to_text(&self, contigs: &[Contig]) -> String {
        let mut text = String::from(
            "#rname\tstartpos\tendpos\tnumreads\tcovbases\tcoverage\tmeandepth\tmeanbaseq\tmeanmapq\n",
        );
        let rows = || contigs.iter().zip(&self.contigs);
        let rows = rows().filter(|(_, c)| c.bases > 0).chain(rows().filter(|(_, c)| c.bases == 0));
        for (contig, c) in rows {
            let length = f64::from(contig.length);
            let mean = |sum: u64, n: u64| if n == 0 { 0.0 } else { sum as f64 / n as f64 };
            text.push_str(&format!(
                "{}\t1\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                contig.name,
                contig.length,
                c.reads,
                c.covered,
                general(100.0 * c.covered as f64 / length, 6),
                general(c.bases as f64 / length, 6),
                general(mean(c.base_quality, c.bases), 3),
                general(mean(c.mapping_quality, c.reads), 3),
            ));
        }
        text
    }
}

fn count_covered(run: Run<'_, u8>, covered: &mut u64) {
    if let Run::Values(values) = run {
        *covered += values.chunks(255).map(|part| u64::from(part.iter().sum::<u8>())).sum::<u64>();
    }
}

/// Sum of qualities, in 16 bits as long as those hold it, so that the compiler can use wide vectors.
fn sum(quals: &[u8]) -> u64 {
    quals.chunks(256).map(|part| u64::from(part.iter().map(|&quality| u16::from(quality)).sum::<u16>())).sum()
}
