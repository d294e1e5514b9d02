//! SNPs near indels and clusters of indels (`--SnpGap`, `--IndelGap`), by the rules of bcftools.

use std::collections::VecDeque;

use super::add_filter;
use crate::formats::vcf::extent;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::kinds::Kinds;
use crate::records::pipeline::{Ordered, RecordProblem};
use crate::variants::allele_counts;

/// How near is too near.
#[derive(Clone, Debug, Default)]
pub struct GapOptions {
    /// `-g`: SNPs within so many bases of one of these kinds; the kinds' names as they were given.
    pub snp: Option<(i64, Vec<Kinds>, String)>,
    /// `-G`: of indels within so many bases only one passes.
    pub indel: Option<i64>,
    /// Failed records stay, with `SnpGap` or `IndelGap` in FILTER.
    pub is_soft: bool,
}

impl GapOptions {
    /// Whether there is something to do.
    pub fn is_needed(&self) -> bool {
        self.snp.is_some() || self.indel.is_some()
    }

    /// The header with the filters declared.
    pub fn header(&self, header: &Header) -> Header {
        let mut header = header.clone();
        if let Some((gap, _, names)) = &self.snp {
            header
                .add_missing(&format!("##FILTER=<ID=SnpGap,Description=\"SNP within {gap} bp of {names}\">"));
        }
        if let Some(gap) = self.indel {
            header.add_missing(&format!(
                "##FILTER=<ID=IndelGap,Description=\"Indel within {gap} bp of an indel\">"
            ));
        }
        header
    }
}

/// Looks at neighbours.
pub struct Gaps {
    options: GapOptions,
    buffer: VecDeque<Waiting>,
}

/// A record whose neighbours may still come.
struct Waiting {
    record: Record,
    kinds: Kinds,
    /// One past its last base.
    end: i64,
    in_cluster: bool,
    is_near: bool,
    fails: bool,
}

impl Waiting {
    fn fail(&mut self, name: &[u8]) {
        self.fails = true;
        add_filter(&mut self.record, name);
    }

    fn is_any_of(&self, kinds: &[Kinds]) -> bool {
        kinds.iter().any(|&kind| self.kinds.meets(kind))
    }
}

impl Gaps {
    /// A step.
    pub fn new(options: GapOptions) -> Self {
        Self { options, buffer: VecDeque::new() }
    }

    fn flush(&mut self, count: usize, out: &mut Vec<Record>) {
        let done = self.buffer.drain(..count.min(self.buffer.len()));
        out.extend(
            done.filter(|waiting| self.options.is_soft || !waiting.fails).map(|waiting| waiting.record),
        );
    }

    /// How many records at the front are not in a cluster that may grow; of a cluster that cannot, all but one fail.
    fn close_clusters(&mut self, gap: i64, is_last: bool) -> Result<usize, RecordProblem> {
        let (mut closed, mut reach, mut is_open) = (0, None, true);
        for waiting in &mut self.buffer {
            let position = waiting.record.position();
            if reach.is_some_and(|reach| reach < position) {
                is_open = false;
                break;
            }
            closed += 1;
            if waiting.kinds.meets(Kinds::INDEL) {
                waiting.in_cluster = true;
                reach = Some(gap + waiting.end - 1);
            }
        }
        if is_open && reach.is_some() && !is_last {
            return Ok(0);
        }
        // That with the highest quality passes, or where none has one, with the highest count of its first allele.
        let (mut most, mut most_at) = (-1i64, None);
        let (mut best, mut best_at) = (-1i64, None);
        let mut counts = Vec::new();
        for (at, waiting) in
            self.buffer.iter().take(closed).enumerate().filter(|(_, waiting)| waiting.in_cluster)
        {
            let has_counts = allele_counts::of_info_or_genotypes(&waiting.record, &mut counts)?;
            let count = counts.get(1).copied().unwrap_or(0) as i64;
            if most_at.is_none() || (has_counts && most < count) {
                (most, most_at) = (count, Some(at));
            }
            let quality = waiting.record.quality().unwrap_or(f64::NAN);
            if best_at.is_none() || (best as f64) < quality {
                // bcftools keeps whole numbers.
                (best, best_at) = (quality as i64, Some(at));
            }
        }
        let winner = if best > 0 { best_at } else { most_at };
        for (at, waiting) in self.buffer.iter_mut().take(closed).enumerate() {
            if waiting.in_cluster && Some(at) != winner {
                waiting.fail(b"IndelGap");
            }
        }
        Ok(closed)
    }

    /// How many records at the front are too far left for what comes; those near the last record, or it, fail.
    fn mark_near(&mut self, gap: i64, kinds: &[Kinds]) -> usize {
        let Some(last) = self.buffer.back() else { return 0 };
        let (position, is_snp, is_other) =
            (last.record.position(), last.kinds.meets(Kinds::SNP), last.is_any_of(kinds));
        let mut closed = 0;
        let mut last_fails = false;
        for waiting in &mut self.buffer {
            if waiting.end - 1 + gap < position {
                closed += 1;
            } else if is_other && waiting.kinds.meets(Kinds::SNP) && !waiting.is_near {
                waiting.is_near = true;
                waiting.fail(b"SnpGap");
            } else if is_snp && waiting.is_any_of(kinds) {
                last_fails = true;
                break;
            }
        }
        if last_fails && let Some(last) = self.buffer.back_mut() {
            last.is_near = true;
            last.fail(b"SnpGap");
        }
        closed
    }
}

impl Ordered for Gaps {
    fn push(&mut self, records: Vec<Record>, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        for record in records {
            if self.buffer.back().is_some_and(|last| last.record.chrom() != record.chrom()) {
                self.flush(self.buffer.len(), out);
            }
            let (kinds, end) = (Kinds::of(&record), extent::end(&record));
            self.buffer.push_back(Waiting {
                record,
                kinds,
                end,
                in_cluster: false,
                is_near: false,
                fails: false,
            });
            let mut done = 1;
            if let Some(gap) = self.options.indel {
                done = self.close_clusters(gap, false)?;
            }
            let mut far = 1;
            if let Some((gap, kinds, _)) = self.options.snp.clone() {
                far = self.mark_near(gap, &kinds);
            }
            self.flush(done.min(far), out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        if let Some(gap) = self.options.indel {
            self.close_clusters(gap, true)?;
        }
        self.flush(self.buffer.len(), out);
        Ok(())
    }
}
