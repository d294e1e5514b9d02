//! The text of `samtools stats`.

use std::fmt::Write;

use super::super::collector::Context;
use super::super::cycles::{BaseCounts, Cycles, End};
use super::barcodes::Barcodes;
use super::gc_depth::BIN_SIZE;
use super::{GC_BINS, MAX_DEPTH, Stats};
use crate::formats::c_format::scientific;
use crate::formats::fasta::FastaError;

/// The share of pairs whose insert sizes make the average (samtools' default of -m).
const MAIN_BULK: f64 = 0.99f32 as f64;

/// samtools' insert size figures: over the smallest sizes that hold 99 % of the pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InsertSizes {
    /// Mean, in bases.
    pub mean: f64,
    /// Standard deviation, in bases.
    pub standard_deviation: f64,
    /// Inward, outward and other pairs.
    pub pairs: [u64; 3],
    /// One past the largest size that was taken.
    bulk: usize,
}

/// A summary number (an SN line).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryNumber {
    /// samtools' name for it.
    pub name: &'static str,
    /// The number as samtools prints it.
    pub value: String,
    /// samtools' comment, or nothing.
    pub note: &'static str,
}

impl Stats {
    /// Primary reads.
    pub fn sequences(&self) -> u64 {
        self.counts.first + self.counts.last + self.counts.other
    }

    /// Share of the primary reads that are mapped, in percent.
    pub fn percent_mapped(&self) -> f64 {
        100.0 * (self.counts.mapped_paired + self.counts.mapped_single) as f64 / self.sequences() as f64
    }

    /// Share of the primary reads that are properly paired, in percent.
    pub fn percent_properly_paired(&self) -> f64 {
        100.0 * self.counts.properly_paired as f64 / self.sequences() as f64
    }

    /// The insert size figures.
    pub fn insert_sizes(&self) -> InsertSizes {
        // Each pair was counted twice.
        let at = |size: usize| self.insert_sizes.iter().map(|sizes| sizes[size] / 2).sum::<u64>();
        let pairs = std::array::from_fn(|kind| self.insert_sizes[kind].iter().map(|n| n / 2).sum());
        let mut all: u64 = pairs.iter().sum();
        let (mut bulk, mut sum, mut mean) = (0, 0.0, 0.0);
        for size in 0..self.insert_sizes[0].len() {
            let n = at(size);
            if n > 0 {
                bulk = size + 1;
            }
            sum += n as f64;
            mean += (size as u64 * n) as f64;
            if sum / all as f64 > MAIN_BULK {
                bulk = size + 1;
                all = sum as u64;
                break;
            }
        }
        let all = if all == 0 { 1.0 } else { all as f64 };
        mean /= all;
        let variance = (1..bulk).fold(0.0, |variance, size| {
            let off = size as f64 - mean;
            variance + at(size) as f64 * off * off / all
        });
        InsertSizes { mean, standard_deviation: variance.sqrt(), pairs, bulk }
    }

    /// The text that `samtools stats` 1.16 prints, with a shorter head. `cycles` are of the same reads.
    pub fn to_text(&self, cycles: &Cycles, context: &Context) -> Result<String, FastaError> {
        let mut out = String::new();
        out.push_str(concat!(
            "# This file was produced by samtools stats (norn) and can be plotted using plot-bamstats\n",
            "# This file contains statistics for all reads.\n",
            "# CHK, Checksum\t[2]Read Names\t[3]Sequences\t[4]Qualities\n",
        ));
        let [names, bases, quals] = self.checksums;
        line(&mut out, format_args!("CHK\t{names:08x}\t{bases:08x}\t{quals:08x}"));
        let sizes = self.insert_sizes();
        let first = cycles.qualities(|end, _| end == End::First);
        let last = cycles.qualities(|end, _| end == End::Last);
        comment(&mut out, "Summary Numbers", "SN");
        for SummaryNumber { name, value, note } in self.summary(&sizes, &first, &last) {
            let note = if note.is_empty() { String::new() } else { format!("\t# {note}") };
            line(&mut out, format_args!("SN\t{name}:\t{value}{note}"));
        }

        let highest =
            |rows: &[[u64; 256]]| rows.iter().filter_map(|row| row.iter().rposition(|n| *n > 0)).max();
        let max_quality = highest(&first).max(highest(&last)).map_or(0, |highest| (highest + 1).min(255));
        qualities(&mut out, "FFQ", "First", self.max_lengths[1], max_quality, &first);
        qualities(&mut out, "LFQ", "Last", self.max_lengths[2], max_quality, &last);
        if self.has_reference {
            self.mismatches_by_cycle(&mut out, max_quality);
        }
        for (i, (name, what)) in [("GCF", "first"), ("GCL", "last")].into_iter().enumerate() {
            comment(&mut out, &format!("GC Content of {what} fragments"), name);
            gc_content(&mut out, name, &self.gc_steps[i]);
        }
        base_content(&mut out, cycles);
        barcodes(&mut out, &self.barcodes);
        self.insert_size_rows(&mut out, &sizes);
        self.lengths(&mut out);
        self.indels(&mut out);
        self.coverage(&mut out);
        self.gc_depth(&mut out, context)?;
        Ok(out)
    }

    /// The summary numbers as samtools prints them, in its order. `cycles` are of the same reads.
    pub fn summary_numbers(&self, cycles: &Cycles) -> Vec<SummaryNumber> {
        let first = cycles.qualities(|end, _| end == End::First);
        let last = cycles.qualities(|end, _| end == End::Last);
        self.summary(&self.insert_sizes(), &first, &last)
    }

    fn summary(&self, sizes: &InsertSizes, first: &[[u64; 256]], last: &[[u64; 256]]) -> Vec<SummaryNumber> {
        let c = &self.counts;
        let all = self.sequences();
        let quality_sum: u64 = first
            .iter()
            .chain(last)
            .flat_map(|row| row.iter().enumerate())
            .map(|(quality, n)| quality as u64 * n)
            .sum();
        let ratio = |a: u64, b: u64| if b == 0 { 0.0 } else { f64::from(a as f32 / b as f32) };
        let average = |sum: u64, n: u64| sum.checked_div(n).unwrap_or(0) as f32;
        let quality = if c.total_length == 0 { 0.0 } else { quality_sum as f64 / c.total_length as f64 };
        let mut numbers = Vec::new();
        let mut sn = |name, value, note| numbers.push(SummaryNumber { name, value, note });
        let clipping = "ignores clipping";
        sn("raw total sequences", all.to_string(), "excluding supplementary and secondary reads");
        sn("filtered sequences", "0".into(), "");
        sn("sequences", all.to_string(), "");
        sn("is sorted", u8::from(c.unsorted == 0).to_string(), "");
        sn("1st fragments", c.first.to_string(), "");
        sn("last fragments", c.last.to_string(), "");
        sn("reads mapped", (c.mapped_paired + c.mapped_single).to_string(), "");
        let both = "paired-end technology bit set + both mates mapped";
        sn("reads mapped and paired", c.mapped_paired.to_string(), both);
        sn("reads unmapped", c.unmapped.to_string(), "");
        sn("reads properly paired", c.properly_paired.to_string(), "proper-pair bit set");
        sn("reads paired", c.paired.to_string(), "paired-end technology bit set");
        sn("reads duplicated", c.duplicated.to_string(), "PCR or optical duplicate bit set");
        sn("reads MQ0", c.mapq_0.to_string(), "mapped and MQ=0");
        sn("reads QC failed", c.qc_failed.to_string(), "");
        sn("non-primary alignments", c.secondary.to_string(), "");
        sn("supplementary alignments", c.supplementary.to_string(), "");
        sn("total length", c.total_length.to_string(), clipping);
        sn("total first fragment length", c.total_length_first.to_string(), clipping);
        sn("total last fragment length", c.total_length_last.to_string(), clipping);
        sn("bases mapped", c.bases_mapped.to_string(), clipping);
        sn("bases mapped (cigar)", c.bases_mapped_cigar.to_string(), "more accurate");
        sn("bases trimmed", "0".into(), "");
        sn("bases duplicated", c.bases_duplicated.to_string(), "");
        sn("mismatches", c.mismatches.to_string(), "from NM fields");
        let error_rate = scientific(ratio(c.mismatches, c.bases_mapped_cigar));
        sn("error rate", error_rate, "mismatches / bases mapped (cigar)");
        sn("average length", format!("{:.0}", average(c.total_length, all)), "");
        sn("average first fragment length", format!("{:.0}", ratio(c.total_length_first, c.first)), "");
        sn("average last fragment length", format!("{:.0}", ratio(c.total_length_last, c.last)), "");
        sn("maximum length", self.max_lengths[0].to_string(), "");
        sn("maximum first fragment length", self.max_lengths[1].to_string(), "");
        sn("maximum last fragment length", self.max_lengths[2].to_string(), "");
        sn("average quality", format!("{quality:.1}"), "");
        sn("insert size average", format!("{:.1}", sizes.mean), "");
        sn("insert size standard deviation", format!("{:.1}", sizes.standard_deviation), "");
        sn("inward oriented pairs", sizes.pairs[0].to_string(), "");
        sn("outward oriented pairs", sizes.pairs[1].to_string(), "");
        sn("pairs with other orientation", sizes.pairs[2].to_string(), "");
        sn("pairs on different chromosomes", (c.mates_elsewhere / 2).to_string(), "");
        let proper = ratio(100 * c.properly_paired, all);
        sn("percentage of properly paired reads (%)", format!("{proper:.1}"), "");
        numbers
    }

    fn mismatches_by_cycle(&self, out: &mut String, max_quality: usize) {
        comment(out, "Mismatches per cycle and quality", "MPC");
        for cycle in 0..=self.max_lengths[0] {
            let _ = write!(out, "MPC\t{}", cycle + 1);
            for column in 0..=max_quality {
                let _ = write!(out, "\t{}", self.mismatches.get(cycle * 256 + column).unwrap_or(&0));
            }
            out.push('\n');
        }
    }

    fn insert_size_rows(&self, out: &mut String, sizes: &InsertSizes) {
        comment(out, "Insert sizes", "IS");
        for size in 0..sizes.bulk {
            let [inward, outward, other] = std::array::from_fn(|kind| self.insert_sizes[kind][size] / 2);
            let all = inward + outward + other;
            line(out, format_args!("IS\t{size}\t{all}\t{inward}\t{outward}\t{other}"));
        }
    }

    fn lengths(&self, out: &mut String) {
        for (i, name) in ["RL", "FRL", "LRL"].into_iter().enumerate() {
            comment(out, "Read lengths", name);
            for (length, n) in
                self.read_lengths[i].iter().enumerate().filter(|(length, n)| **n > 0 && *length > 0)
            {
                line(out, format_args!("{name}\t{length}\t{n}"));
            }
        }
    }

    fn indels(&self, out: &mut String) {
        let at = |counts: &[u64], i: usize| counts.get(i).copied().unwrap_or(0);
        comment(out, "Indel distribution", "ID");
        let [insertions, deletions] = &self.indels;
        for i in 0..insertions.len().max(deletions.len()) {
            let (ins, del) = (at(insertions, i), at(deletions, i));
            if ins + del > 0 {
                line(out, format_args!("ID\t{}\t{ins}\t{del}", i + 1));
            }
        }
        comment(out, "Indels per cycle", "IC");
        for i in 0..self.indel_cycles.iter().map(Vec::len).max().unwrap_or(0) {
            let [a, b, c, d] = std::array::from_fn(|kind| at(&self.indel_cycles[kind], i));
            if a + b + c + d > 0 {
                line(out, format_args!("IC\t{}\t{a}\t{b}\t{c}\t{d}", i + 1));
            }
        }
    }

    fn coverage(&self, out: &mut String) {
        comment(out, "Coverage distribution", "COV");
        for (depth, n) in self.depths.iter().enumerate().skip(1).filter(|(_, n)| **n > 0) {
            if depth <= MAX_DEPTH {
                line(out, format_args!("COV\t[{depth}-{depth}]\t{depth}\t{n}"));
            } else {
                line(out, format_args!("COV\t[{MAX_DEPTH}<]\t{MAX_DEPTH}\t{n}"));
            }
        }
    }

    fn gc_depth(&self, out: &mut String, context: &Context) -> Result<(), FastaError> {
        comment(out, "GC-depth", "GCD");
        let mut bins = self.gc_depth.values(context)?;
        // samtools has an empty bin in front and leaves the last one as it is: not rounded to percent, but sorted in.
        bins.insert(0, (0.0, 0));
        let count = bins.len() - 1;
        for (gc, depth) in &mut bins[..count] {
            if self.gc_depth.is_by_reference() {
                *gc = (100.0 * f64::from(*gc)).round_ties_even() as f32;
            } else if *depth > 0 {
                *gc = (100.0 * f64::from(*gc) / f64::from(*depth)).round_ties_even() as f32;
            }
        }
        bins.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let reads = self.sequences();
        let length = self.counts.total_length.checked_div(reads).unwrap_or(0) as f32;
        let mut from = 0;
        while from < count {
            let gc = bins[from].0;
            let to = (from..count).find(|&i| f64::from(bins[i].0 - gc).abs() >= 0.1).unwrap_or(count);
            let depths: Vec<u32> = bins[from..to].iter().map(|bin| bin.1).collect();
            let rank = (to + 1) as f64 * 100.0 / (count + 1) as f64;
            let _ = write!(out, "GCD\t{gc:.1}\t{rank:.3}");
            for percent in [10, 25, 50, 75, 90] {
                let _ = write!(out, "\t{:.3}", percentile(&depths, percent) * length / BIN_SIZE as f32);
            }
            out.push('\n');
            from = to;
        }
        Ok(())
    }
}

fn percentile(depths: &[u32], percent: u32) -> f32 {
    let count = depths.len();
    let n = percent as f32 * (count + 1) as f32 / 100.0;
    let k = n as usize;
    if k == 0 {
        return depths[0] as f32;
    }
    if k >= count {
        return depths[count - 1] as f32;
    }
    let rest = n - k as f32;
    depths[k - 1] as f32 + rest * depths[k].wrapping_sub(depths[k - 1]) as f32
}

fn qualities(
    out: &mut String,
    name: &str,
    which: &str,
    cycles: usize,
    max_quality: usize,
    rows: &[[u64; 256]],
) {
    comment(out, &format!("{which} Fragment Qualities"), name);
    for cycle in 0..cycles {
        let _ = write!(out, "{name}\t{}", cycle + 1);
        for quality in 0..=max_quality {
            let _ = write!(out, "\t{}", rows.get(cycle).map_or(0, |row| row[quality]));
        }
        out.push('\n');
    }
}

fn gc_content(out: &mut String, name: &str, steps: &[u64]) {
    let mut sum = 0u64;
    let counts: Vec<u64> = steps[..GC_BINS]
        .iter()
        .map(|step| {
            sum = sum.wrapping_add(*step);
            sum
        })
        .collect();
    let mut previous = 0;
    for bin in 0..GC_BINS {
        if counts[bin] != counts[previous] {
            let middle = (bin + previous) as f64 * 0.5 * 100.0 / (GC_BINS - 1) as f64;
            line(out, format_args!("{name}\t{middle:.2}\t{}", counts[previous]));
            previous = bin;
        }
    }
}

fn base_content(out: &mut String, cycles: &Cycles) {
    let percent = |n: u64, all: u64| format!("\t{:.2}", 100.0 * n as f64 / all as f64);
    let rows = |out: &mut String, name: &str, counts: &[BaseCounts], with_others: bool| {
        for (cycle, counts) in counts.iter().enumerate() {
            let all: u64 = counts.acgt.iter().sum();
            if all > 0 {
                let _ = write!(out, "{name}\t{}", cycle + 1);
                counts.acgt.iter().for_each(|&n| out.push_str(&percent(n, all)));
                if with_others {
                    out.push_str(&percent(counts.n, all));
                    out.push_str(&percent(counts.other, all));
                }
                out.push('\n');
            }
        }
    };
    let counted = |end: End| matches!(end, End::First | End::Last);
    comment(out, "ACGT content per cycle", "GCC");
    rows(out, "GCC", &cycles.bases(|end, _, _| counted(end)), true);

    comment(out, "ACGT content per cycle, read oriented", "GCT");
    let mut oriented = cycles.bases(|end, _, reverse| counted(end) && !reverse);
    let reverse = cycles.bases(|end, _, reverse| counted(end) && reverse);
    oriented.resize(oriented.len().max(reverse.len()), BaseCounts::default());
    for (sum, counts) in oriented.iter_mut().zip(&reverse) {
        sum.acgt.iter_mut().zip(counts.acgt.iter().rev()).for_each(|(a, b)| *a += b);
    }
    rows(out, "GCT", &oriented, false);

    for (name, total, end) in [("FBC", "FTC", End::First), ("LBC", "LTC", End::Last)] {
        let counts = cycles.bases(|e, _, _| e == end);
        comment(out, "ACGT content per cycle for one end", name);
        rows(out, name, &counts, true);
        comment(out, "ACGT raw counters for one end", total);
        let sums: [u64; 4] = std::array::from_fn(|i| counts.iter().map(|row| row.acgt[i]).sum());
        let n: u64 = counts.iter().map(|row| row.n).sum();
        line(out, format_args!("{total}\t{}\t{}\t{}\t{}\t{n}", sums[0], sums[1], sums[2], sums[3]));
    }
}

fn barcodes(out: &mut String, barcodes: &Barcodes) {
    for (tag, quality_tag, barcode) in barcodes.seen() {
        // Positions behind the separator count from it on, as the second half.
        let place = |at: usize| match barcode.separator {
            Some(separator) if at >= separator => (2, at - separator),
            _ => (1, at + 1),
        };
        let positions = || (0..barcode.bases.len()).filter(|at| Some(*at) != barcode.separator);
        comment(out, "ACGT content per cycle for barcodes", &format!("{tag}C"));
        for at in positions() {
            let counts = &barcode.bases[at];
            let all: u64 = counts[..4].iter().sum();
            if all > 0 {
                let (half, position) = place(at);
                let _ = write!(out, "{tag}C{half}\t{position}");
                for n in counts {
                    let _ = write!(out, "\t{:.2}", 100.0 * *n as f64 / all as f64);
                }
                out.push('\n');
            }
        }
        comment(out, "Barcode Qualities", &format!("{quality_tag}Q"));
        for at in positions() {
            let (half, position) = place(at);
            let _ = write!(out, "{quality_tag}Q{half}\t{position}");
            for quality in 0..barcode.max_quality.map_or(0, |highest| highest + 1) {
                let _ = write!(out, "\t{}", barcode.qualities[at].get(quality).unwrap_or(&0));
            }
            out.push('\n');
        }
    }
}

fn comment(out: &mut String, what: &str, name: &str) {
    line(out, format_args!("# {what}. Use `grep ^{name} | cut -f 2-` to extract this part."));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}
