//! A summary as text: VEP's statistics, and a table of all counts.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Summary;
use crate::annotate::terms::Term;

/// Consequences that VEP counts as coding: those that need coding bases.
const CODING: [Term; 13] = [
    Term::StopGained,
    Term::Frameshift,
    Term::StopLost,
    Term::StartLost,
    Term::InframeInsertion,
    Term::InframeDeletion,
    Term::Missense,
    Term::ProteinAltering,
    Term::IncompleteTerminalCodon,
    Term::StartRetained,
    Term::StopRetained,
    Term::Synonymous,
    Term::CodingSequence,
];

/// The statistics as VEP writes them with `--stats_text`. `input` and `output` are names of files, `contigs` lengths by name.
pub fn vep_text(summary: &Summary, input: &str, output: &str, contigs: &BTreeMap<String, u64>) -> String {
    let mut text = String::new();
    let version = env!("CARGO_PKG_VERSION");
    let _ = write!(
        text,
        "[VEP run statistics]\nVEP version (API)\t norn-{version} (114)\nInput file\t{input}\nOutput file\t{output}\n\n\
         [General statistics]\nLines of input read\t{}\nVariants processed\t{}\nVariants filtered out\t0\n\
         Novel / existing variants\t-\nOverlapped genes\t{}\nOverlapped transcripts\t{}\nOverlapped regulatory features\t-\n",
        summary.records,
        summary.annotated,
        summary.genes.len(),
        summary.transcripts.len(),
    );
    let mut section = |title: &str, rows: &mut dyn Iterator<Item = (String, u64)>| {
        let _ = write!(text, "\n[{title}]\n");
        rows.for_each(|(name, count)| {
            let _ = writeln!(text, "{name}\t{count}");
        });
    };
    section("Variant classes", &mut owned(&summary.classes));
    section("Consequences (most severe)", &mut by_severity(&summary.most_severe));
    section("Consequences (all)", &mut by_severity(&summary.consequences));
    let is_coding = |name: &str| Term::parse(name).is_some_and(|term| CODING.contains(&term));
    section(
        "Coding consequences",
        &mut by_severity(&summary.consequences).filter(|(name, _)| is_coding(name)),
    );
    let sums = summary.contigs.iter().map(|(name, places)| (name.clone(), places.values().sum()));
    section("Variants by chromosome", &mut { sums });
    for (contig, places) in &summary.contigs {
        let seen = places.keys().next_back().copied().unwrap_or(0);
        let length = contigs.get(contig).map(|length| length / 1_000_000);
        let mut rows = (0..=length.unwrap_or(seen).max(seen))
            .map(|million| (million.to_string(), places.get(&million).copied().unwrap_or(0)));
        section(&format!("Distribution of variants on chromosome {contig}"), &mut rows);
    }
    let tenths = summary.protein.iter().enumerate();
    let mut rows = tenths.map(|(tenth, count)| (format!("{tenth}0-{}0%", tenth + 1), *count));
    section("Position in protein", &mut rows);
    text
}

/// All counts: section, name, count.
pub fn table(summary: &Summary) -> String {
    let mut text = "section\tname\tcount\n".to_owned();
    let mut row = |section: &str, name: &str, count: u64| {
        let _ = writeln!(text, "{section}\t{name}\t{count}");
    };
    row("total", "records", summary.records);
    row("total", "annotated", summary.annotated);
    row("total", "genes", summary.genes.len() as u64);
    row("total", "transcripts", summary.transcripts.len() as u64);
    for (section, counts) in [
        ("class", &mut owned(&summary.classes) as &mut dyn Iterator<Item = (String, u64)>),
        ("most_severe", &mut by_severity(&summary.most_severe)),
        ("consequence", &mut by_severity(&summary.consequences)),
        ("impact", &mut owned(&summary.impacts)),
        ("biotype", &mut owned(&summary.biotypes)),
        ("source", &mut owned(&summary.sources)),
    ] {
        counts.for_each(|(name, count)| row(section, &name, count));
    }
    for (contig, places) in &summary.contigs {
        row("contig", contig, places.values().sum());
    }
    for (tenth, count) in summary.protein.iter().enumerate() {
        row("protein", &format!("{tenth}0-{}0%", tenth + 1), *count);
    }
    text
}

fn owned(counts: &BTreeMap<String, u64>) -> impl Iterator<Item = (String, u64)> {
    counts.iter().map(|(name, count)| (name.clone(), *count))
}

/// The most severe first.
pub(super) fn by_severity(counts: &BTreeMap<String, u64>) -> impl Iterator<Item = (String, u64)> {
    let mut rows: Vec<_> = owned(counts).collect();
    rows.sort_by_key(|(name, _)| Term::parse(name));
    rows.into_iter()
}
