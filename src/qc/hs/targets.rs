//! Figures of each target: GC content, mean and extreme depth, reads. Picard's PER_TARGET_COVERAGE.

use std::fmt::Write;

use super::Hs;
use super::design::Span;
use crate::formats::fasta::FastaError;
use crate::qc::collector::{Context, Stretch};
use crate::report::picard::real;

/// Bases of the reference that are fetched at once, unless a target is larger.
const PIECE: u32 = 1 << 20;
/// Targets with a smaller gap between them are fetched together: a block of a compressed reference holds as much.
const GAP: u32 = 1 << 16;

impl Hs {
    /// Counts the C and G of the targets' positions within the stretch.
    pub(super) fn count_gc(&mut self, stretch: Stretch, context: &Context) -> Result<(), FastaError> {
        let Some((reference, contig)) =
            context.reference.as_ref().zip(context.reference_contigs[stretch.contig])
        else {
            return Ok(());
        };
        let on_contig = self.walk.design.targets.on(stretch.contig);
        let spans = &self.walk.design.targets.all()[on_contig.clone()];
        let mut index = spans.partition_point(|span| span.end <= stretch.start);
        let mut text = Vec::new();
        while let Some((start, mut end)) = within(spans, index, stretch) {
            let mut count = 1;
            while let Some((from, to)) = within(spans, index + count, stretch)
                && from - end < GAP
                && to - start <= PIECE
            {
                end = to;
                count += 1;
            }
            reference.fetch(contig, u64::from(start), u64::from(end), &mut text)?;
            for i in index..index + count {
                let Some((from, to)) = within(spans, i, stretch) else { break };
                let bases = text.get((from - start) as usize..(to - start) as usize).unwrap_or_default();
                let gc = bases.iter().filter(|base| matches!(base, b'C' | b'G' | b'c' | b'g')).count();
                self.coverage.target_mut(on_contig.start + i).gc += gc as u32;
            }
            index += count;
        }
        Ok(())
    }

    /// `.per_target_coverage`: one line a target. Without a reference its GC content is unknown.
    pub fn per_target_text(&self, context: &Context, mean_coverage: f64) -> String {
        let mut text = String::from(HEADER);
        let Some(design) = &context.options.design else { return text };
        for (index, (contig, span)) in design.targets.with_contigs().enumerate() {
            let row = self.coverage.target(index);
            let length = f64::from(span.length());
            let least = if row.covered < span.length() { 0 } else { row.least };
            let gc = if context.reference.is_some() { f64::from(row.gc) / length } else { f64::NAN };
            let mean = row.total as f64 / length;
            let contig = &context.header.contigs[contig].name;
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "{contig}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{least}\t{}\t{}\t{}",
                span.start + 1,
                span.end,
                span.length(),
                design.names[index],
                real(gc),
                real(mean),
                real(mean / mean_coverage),
                real(f64::from(least) / mean_coverage),
                real(f64::from(row.greatest) / mean_coverage),
                row.greatest,
                real(f64::from(span.length() - row.covered) / length),
                row.reads,
            );
        }
        text
    }
}

/// Picard's column names.
const HEADER: &str = "chrom\tstart\tend\tlength\tname\t%gc\tmean_coverage\tnormalized_coverage\t\
                      min_normalized_coverage\tmax_normalized_coverage\tmin_coverage\tmax_coverage\tpct_0x\tread_count\n";

/// The part of a target that lies in the stretch.
fn within(spans: &[Span], index: usize, stretch: Stretch) -> Option<(u32, u32)> {
    spans.get(index)?.shared(stretch.start, stretch.end)
}
