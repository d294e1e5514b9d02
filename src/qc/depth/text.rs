//! mosdepth's distribution and summary files.

use std::fmt::Write;

use super::Depth;
use super::regions::RegionDepth;
use crate::genome::contigs::Contig;

/// Greater depths are counted as this one less ten in the distributions.
const MAX_DEPTH: usize = 400_000;
/// Shares below this are left out of the distributions.
const LEAST_SHARE: f64 = 8e-5;

/// The texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DepthTexts {
    /// `.mosdepth.global.dist.txt`.
    pub global_distribution: String,
    /// `.mosdepth.region.dist.txt`; empty without regions.
    pub region_distribution: String,
    /// `.mosdepth.summary.txt`.
    pub summary: String,
}

/// Length, sum of depths, least and greatest depth.
#[derive(Clone, Copy, Debug, Default)]
struct Summary {
    length: u64,
    sum: u64,
    min: Option<u32>,
    max: u32,
}

impl Summary {
    fn of(histogram: &[u64]) -> Self {
        Self {
            length: histogram.iter().sum(),
            sum: histogram.iter().enumerate().map(|(depth, n)| depth as u64 * n).sum(),
            min: histogram.iter().position(|n| *n > 0).map(|depth| depth as u32),
            max: histogram.iter().rposition(|n| *n > 0).unwrap_or(0) as u32,
        }
    }

    fn add(&mut self, other: &Summary) {
        self.length += other.length;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    fn line(&self, name: &str) -> String {
        let mean = if self.length == 0 { 0.0 } else { self.sum as f64 / self.length as f64 };
        format!("{name}\t{}\t{}\t{mean:.2}\t{}\t{}\n", self.length, self.sum, self.min.unwrap_or(0), self.max)
    }
}

impl Depth {
    /// The texts as mosdepth 0.3.3 writes them.
    ///
    /// Its least depth of `total`, and of the first contig's regions, is always 0: they start from there. And with
    /// listed regions and no other file of intervals it leaves out contigs without regions.
    pub fn texts(&self, contigs: &[Contig]) -> DepthTexts {
        let mut texts =
            DepthTexts { summary: "chrom\tlength\tbases\tmean\tmin\tmax\n".into(), ..DepthTexts::default() };
        let (mut total, mut region_total) = (Summary::default(), Summary::default());
        let (mut all, mut all_regions) = (Vec::new(), Vec::new());
        let no_regions = RegionDepth::default();
        let only_listed = self
            .counts
            .regions
            .as_ref()
            .is_some_and(|regions| !regions.is_windows() && !regions.has_thresholds())
            && self.counts.per_base.is_none()
            && self.counts.quantized.is_none();
        let mut is_first = true;
        for (index, (contig, depth)) in contigs.iter().zip(&self.counts.contigs).enumerate() {
            let regions = self.counts.regions.as_ref().map(|regions| regions.contigs().get(&index));
            if !depth.found
                || only_listed && !self.counts.regions.as_ref().is_some_and(|regions| regions.lists(index))
            {
                continue;
            }
            let summary = Summary::of(&depth.histogram);
            texts.summary += &summary.line(&contig.name);
            total.add(&summary);
            let capped = capped(&depth.histogram);
            distribution(&mut texts.global_distribution, &contig.name, &capped);
            add(&mut all, &capped);
            if let Some(region) = regions {
                let region = region.unwrap_or(&no_regions);
                let min = if is_first { Some(0) } else { region.min };
                let summary = Summary { length: region.length, sum: region.sum, min, max: region.max };
                texts.summary += &summary.line(&format!("{}_region", contig.name));
                region_total.add(&summary);
                let capped = self::capped(&region.histogram);
                distribution(&mut texts.region_distribution, &contig.name, &capped);
                add(&mut all_regions, &capped);
            }
            is_first = false;
        }
        texts.summary += &Summary { min: Some(0), ..total }.line("total");
        distribution(&mut texts.global_distribution, "total", &all);
        if self.counts.regions.is_some() {
            texts.summary += &Summary { min: Some(0), ..region_total }.line("total_region");
            distribution(&mut texts.region_distribution, "total", &all_regions);
        }
        texts
    }
}

fn capped(histogram: &[u64]) -> Vec<u64> {
    let mut capped = histogram[..histogram.len().min(MAX_DEPTH + 1)].to_vec();
    let above: u64 = histogram.iter().skip(MAX_DEPTH + 1).sum();
    if above > 0 {
        capped[MAX_DEPTH - 10] += above;
    }
    capped
}

fn add(sums: &mut Vec<u64>, histogram: &[u64]) {
    if sums.len() < histogram.len() {
        sums.resize(histogram.len(), 0);
    }
    sums.iter_mut().zip(histogram).for_each(|(a, b)| *a += b);
}

/// For each depth the share of positions that have it or more.
fn distribution(text: &mut String, name: &str, histogram: &[u64]) {
    let all: u64 = histogram.iter().sum();
    if all == 0 {
        return;
    }
    let mut share = 0.0;
    for depth in (0..histogram.len().max(301)).rev() {
        let n = histogram.get(depth).copied().unwrap_or(0);
        if depth > 300 && n == 0 {
            continue;
        }
        share += n as f64 / all as f64;
        if share >= LEAST_SHARE {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{name}\t{depth}\t{share:.2}");
        }
    }
}
