//! The declarations. A new figure is one line here.

use super::super::flagstat::Counts;
use super::super::results::{Results, mean_depth, share_at_least};
use super::super::sex::Sex;
use super::{Catalogue, Value};
use crate::genome::contigs::ContigRole;

/// Declares all figures, in order.
pub(super) fn declare(list: &mut Catalogue) {
    flagstat(list);
    stats(list);
    depth(list);
    wgs(list);
    sex(list);
    contamination(list);
    list.picard("alignment.pair", "CollectAlignmentSummaryMetrics PAIR", |r| r.alignment_of("PAIR").cloned());
    list.picard("alignment.unpaired", "CollectAlignmentSummaryMetrics UNPAIRED", |r| {
        r.alignment_of("UNPAIRED").cloned()
    });
    list.picard("insert_size", "CollectInsertSizeMetrics (most frequent orientation)", |r| {
        r.main_insert_size().cloned()
    });
    list.add(
        "insert_size.pair_orientation",
        "word",
        "Most frequent orientation of the pairs: FR inward, RF outward, TANDEM on the same strand.",
        "Picard CollectInsertSizeMetrics PAIR_ORIENTATION",
        |r| r.main_insert_size().map(|row| Value::Text(row.PAIR_ORIENTATION.clone())),
    );
    list.picard("hs", "CollectHsMetrics", |r| r.hs.clone());
    list.picard("gc_bias", "CollectGcBiasMetrics", |r| {
        r.gc_bias.as_ref().map(|(_, summary)| summary.clone())
    });
    list.picard("duplication", "CollectDuplicateMetrics (all libraries)", |r| r.all_duplication());
    list.picard("yield", "CollectQualityYieldMetrics", |r| r.quality_yield.clone());
    list.add(
        "yield.pct_pf_q30_bases",
        "fraction",
        "Share of the PF bases of quality 30 or more.",
        "Picard CollectQualityYieldMetrics PF_Q30_BASES / PF_BASES",
        |r| {
            r.quality_yield
                .as_ref()
                .and_then(|row| Value::real(row.PF_Q30_BASES as f64 / row.PF_BASES as f64))
        },
    );
}

/// The lines of flagstat, in its order: key and meaning.
const FLAGSTAT: [(&str, &str); 16] = [
    ("total", "Records."),
    ("primary", "Primary records: neither secondary nor supplementary."),
    ("secondary", "Secondary alignments."),
    ("supplementary", "Supplementary alignments."),
    ("duplicates", "Records marked as duplicates."),
    ("primary_duplicates", "Primary records marked as duplicates."),
    ("mapped", "Mapped records."),
    ("primary_mapped", "Mapped primary records."),
    ("paired", "Primary reads of pairs."),
    ("read1", "First reads of pairs."),
    ("read2", "Second reads of pairs."),
    ("properly_paired", "Primary reads that are properly paired."),
    ("both_mapped", "Primary reads that are mapped as is their mate."),
    ("singletons", "Mapped primary reads whose mate is not mapped."),
    ("mate_elsewhere", "Primary reads whose mate is mapped to another contig."),
    (
        "mate_elsewhere_mapq5",
        "Primary reads of mapping quality 5 or more whose mate is mapped to another contig.",
    ),
];

fn flagstat(list: &mut Catalogue) {
    for (failed, state, reads) in [(0, "passed", "QC-passed"), (1, "failed", "QC-failed")] {
        for (line, (name, meaning)) in FLAGSTAT.into_iter().enumerate() {
            list.add(
                format!("flagstat.{state}.{name}"),
                "reads",
                format!("{meaning} {reads} only."),
                format!("samtools flagstat, line {}", line + 1),
                move |r| r.state.flagstat.as_ref().map(|f| Value::Count(f.counts[failed].lines()[line])),
            );
        }
    }
    type Share = fn(&Counts) -> (u64, u64);
    let shares: [(&str, &'static str, Share); 4] = [
        ("mapped", "Mapped records as a share of all, QC-passed only.", |c| (c.mapped, c.total)),
        ("primary_mapped", "Mapped primary records as a share of the primary ones, QC-passed only.", |c| {
            (c.primary_mapped, c.primary)
        }),
        ("properly_paired", "Properly paired reads as a share of the paired ones, QC-passed only.", |c| {
            (c.properly_paired, c.paired)
        }),
        (
            "singletons",
            "Mapped reads without a mapped mate as a share of the paired ones, QC-passed only.",
            |c| (c.singletons, c.paired),
        ),
    ];
    for (name, meaning, share) in shares {
        list.add(format!("flagstat.percent_{name}"), "%", meaning, "samtools flagstat", move |r| {
            let (part, whole) = share(&r.state.flagstat.as_ref()?.counts[0]);
            Value::real(100.0 * part as f64 / whole as f64)
        });
    }
}

/// samtools' summary numbers: name, unit, meaning.
const SUMMARY_NUMBERS: [(&str, &str, &str); 39] = [
    ("raw total sequences", "reads", "Primary reads."),
    ("filtered sequences", "reads", "Reads left out by a filter; always 0 here."),
    ("sequences", "reads", "Primary reads that were counted."),
    ("is sorted", "flag", "1 where the records come in coordinate order."),
    ("1st fragments", "reads", "First reads of pairs, and unpaired reads."),
    ("last fragments", "reads", "Last reads of pairs."),
    ("reads mapped", "reads", "Mapped primary reads."),
    ("reads mapped and paired", "reads", "Mapped primary reads of pairs whose mate is mapped too."),
    ("reads unmapped", "reads", "Unmapped primary reads."),
    ("reads properly paired", "reads", "Primary reads with the proper-pair flag."),
    ("reads paired", "reads", "Primary reads of pairs."),
    ("reads duplicated", "reads", "Reads marked as duplicates, secondary alignments left out."),
    ("reads MQ0", "reads", "Mapped primary reads of mapping quality 0."),
    ("reads QC failed", "reads", "Primary reads that fail the vendor's check."),
    ("non-primary alignments", "reads", "Secondary alignments."),
    ("supplementary alignments", "reads", "Supplementary alignments."),
    ("total length", "bases", "Bases of the primary reads."),
    ("total first fragment length", "bases", "Bases of first reads."),
    ("total last fragment length", "bases", "Bases of last reads."),
    ("bases mapped", "bases", "Bases of mapped primary reads, clipped ones included."),
    ("bases mapped (cigar)", "bases", "Aligned and inserted bases of mapped reads."),
    ("bases trimmed", "bases", "Bases trimmed by quality; always 0 here."),
    ("bases duplicated", "bases", "Bases of reads marked as duplicates."),
    ("mismatches", "bases", "Sum of the NM fields: mismatches, inserted and deleted bases."),
    ("error rate", "fraction", "Mismatches by bases mapped (cigar)."),
    ("average length", "bp", "Mean read length, rounded down."),
    ("average first fragment length", "bp", "Mean length of first reads, rounded."),
    ("average last fragment length", "bp", "Mean length of last reads, rounded."),
    ("maximum length", "bp", "Greatest read length, hard-clipped bases included."),
    ("maximum first fragment length", "bp", "Greatest length of first reads."),
    ("maximum last fragment length", "bp", "Greatest length of last reads."),
    ("average quality", "Phred", "Mean base quality."),
    ("insert size average", "bp", "Mean insert size of the 99 % of pairs with the smallest."),
    (
        "insert size standard deviation",
        "bp",
        "Standard deviation of the insert size of the 99 % of pairs with the smallest.",
    ),
    ("inward oriented pairs", "pairs", "Pairs whose reads point to each other."),
    ("outward oriented pairs", "pairs", "Pairs whose reads point away from each other."),
    ("pairs with other orientation", "pairs", "Pairs whose reads lie on the same strand."),
    ("pairs on different chromosomes", "pairs", "Pairs with reads on two contigs."),
    (
        "percentage of properly paired reads (%)",
        "%",
        "Properly paired reads as a share of the primary reads, one decimal.",
    ),
];

fn stats(list: &mut Catalogue) {
    for (i, (name, unit, meaning)) in SUMMARY_NUMBERS.into_iter().enumerate() {
        list.add(key_of(name), unit, meaning, format!("samtools stats SN {name}"), move |r| {
            let number = r.summary_numbers.get(i).filter(|number| number.name == name)?;
            number.value.parse().map(Value::Count).ok().or_else(|| Value::real(number.value.parse().ok()?))
        });
    }
    type Share = fn(&Results<'_>) -> Option<f64>;
    let shares: [(&str, &'static str, Share); 3] = [
        ("percent_mapped", "Mapped reads as a share of the primary reads.", |r| {
            Some(r.state.stats.as_ref()?.percent_mapped())
        }),
        ("percent_properly_paired", "Properly paired reads as a share of the primary reads.", |r| {
            Some(r.state.stats.as_ref()?.percent_properly_paired())
        }),
        ("percent_mq0", "Mapped reads of mapping quality 0 as a share of the primary reads.", |r| {
            let number = |name| r.summary_numbers.iter().find(|n| n.name == name)?.value.parse::<f64>().ok();
            Some(100.0 * number("reads MQ0")? / number("sequences")?)
        }),
    ];
    for (name, meaning, share) in shares {
        list.add(format!("stats.{name}"), "%", meaning, "samtools stats SN", move |r| Value::real(share(r)?));
    }
}

/// `stats.` and samtools' name in small letters, all else an underscore.
fn key_of(name: &str) -> String {
    let mut key = String::from("stats.");
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => key.push(c.to_ascii_lowercase()),
            _ if !key.ends_with('_') => key.push('_'),
            _ => {}
        }
    }
    key.trim_end_matches('_').to_owned()
}

/// Depths for which the share of positions is given.
const LEAST_DEPTHS: [usize; 6] = [1, 5, 10, 15, 20, 30];

fn depth(list: &mut Catalogue) {
    type Wanted = fn(ContigRole) -> bool;
    let parts: [(&str, &'static str, Wanted); 5] = [
        ("total", "all contigs", |_| true),
        ("autosomes", "the autosomes", ContigRole::is_autosome),
        ("x", "the X chromosome", |role| role == ContigRole::X),
        ("y", "the Y chromosome", |role| role == ContigRole::Y),
        ("mitochondrion", "the mitochondrion", |role| role == ContigRole::Mitochondrion),
    ];
    for (name, what, wanted) in parts {
        let meaning = format!("Mean depth of {what}, overlaps of mates counted once, N positions included.");
        list.add(format!("depth.mean_{name}"), "x", meaning, "mosdepth summary", move |r| {
            Value::real(mean_depth(&r.depths_of(wanted)?))
        });
    }
    for least in LEAST_DEPTHS {
        let meaning = format!("Share of the autosomes' positions with a depth of at least {least}.");
        list.add(
            format!("depth.autosomes_{least}x"),
            "fraction",
            meaning,
            "mosdepth distribution",
            move |r| Value::real(share_at_least(&r.depths_of(ContigRole::is_autosome)?, least)),
        );
    }
}

fn wgs(list: &mut Catalogue) {
    list.picard("wgs", "CollectWgsMetrics", |r| r.wgs.clone());
    let source = |field: &str| format!("Picard CollectWgsMetrics {field} on autosomes without N");
    list.add(
        "wgs.autosomes_mean_coverage",
        "x",
        "Mean depth of the autosomes, bases and reads of quality 20 or more.",
        source("MEAN_COVERAGE"),
        |r| Value::real(r.autosome_depths()?.mean()),
    );
    list.add(
        "wgs.autosomes_mad_coverage",
        "x",
        "Median of the distances from the autosomes' median depth.",
        source("MAD_COVERAGE"),
        |r| Value::real(r.autosome_depths()?.median_absolute_deviation()),
    );
    for least in LEAST_DEPTHS {
        let meaning = format!(
            "Share of the autosomes' positions with a depth of at least {least}, bases and reads of quality 20 or more."
        );
        list.add(
            format!("wgs.autosomes_pct_{least}x"),
            "fraction",
            meaning,
            source(&format!("PCT_{least}X")),
            move |r| {
                let depths = r.autosome_depths()?;
                let above: u64 =
                    depths.iter().filter(|(depth, _)| *depth >= least as u64).map(|(_, n)| n).sum();
                Value::real(above as f64 / depths.count() as f64)
            },
        );
    }
}

fn sex(list: &mut Catalogue) {
    type Get = fn(&Sex) -> Option<f64>;
    let figures: [(&str, &'static str, &'static str, Get); 5] = [
        ("autosome_depth", "x", "Mean depth of the autosomes.", |sex| sex.autosome_depth),
        ("x_depth", "x", "Mean depth of X, of the positions that have a base.", |sex| sex.x_depth),
        ("y_depth", "x", "Mean depth of Y, of the positions that have a base.", |sex| sex.y_depth),
        ("x_ratio", "ratio", "Depth of X by that of the autosomes: 0.5 for one X, 1 for two.", |sex| {
            sex.x_ratio
        }),
        ("y_ratio", "ratio", "Depth of Y by that of the autosomes: 0.5 for one Y.", |sex| sex.y_ratio),
    ];
    for (name, unit, meaning, get) in figures {
        list.add(format!("sex.{name}"), unit, meaning, "norn, from mosdepth's depth", move |r| {
            Value::real(get(r.sex.as_ref()?)?)
        });
    }
    let meaning = "Sex chromosomes by depth: XX, XY, X0, XXX, XXY, XYY or unknown.";
    list.add("sex.karyotype", "word", meaning, "norn, from mosdepth's depth", |r| {
        Some(Value::Text(r.sex.as_ref()?.karyotype.to_owned()))
    });
}

fn contamination(list: &mut Catalogue) {
    let source = "verifyBamID's model without ancestry, at --sites";
    list.add(
        "contamination.share",
        "fraction",
        "Share of the reads that are another person's.",
        source,
        |r| Value::real(r.contamination.as_ref()?.share?),
    );
    list.add(
        "contamination.standard_error",
        "fraction",
        "Standard error of the share of the reads that are another person's.",
        source,
        |r| Value::real(r.contamination.as_ref()?.standard_error?),
    );
    list.add("contamination.sites", "sites", "Sites that the estimate rests on.", source, |r| {
        Some(Value::Count(r.contamination.as_ref()?.sites as u64))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_samtools_names_in_small_letters() {
        for (name, key) in [
            ("1st fragments", "stats.1st_fragments"),
            ("bases mapped (cigar)", "stats.bases_mapped_cigar"),
            ("percentage of properly paired reads (%)", "stats.percentage_of_properly_paired_reads"),
        ] {
            assert_eq!(key_of(name), key);
        }
    }
}
