//! What became of every row of a score, and how often: pgscatalog-match's `_log.csv` and `_summary.csv`.
//!
//! The log has that program's columns and one more, `reason`. Rows are sorted by score and row; of one row the best match
//! comes first.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::matching::{Candidate, Match, Matched, Unmatched, find, is_ambiguous, is_barred};
use super::score_variants::ScoreVariant;
use super::scoring_file::Weight;
use super::target::TargetSite;

const LOG: &str = "row_nr,accession,chr_name,chr_position,effect_allele,other_allele,effect_weight,effect_type,ID,REF,ALT,\
    matched_effect_allele,match_type,is_multiallelic,ambiguous,match_flipped,best_match,exclude,duplicate_best_match,\
    duplicate_ID,match_IDs,match_status,dataset,reason";
const SUMMARY: &str = "dataset,accession,score_pass,match_status,ambiguous,is_multiallelic,duplicate_best_match,\
    duplicate_ID,match_flipped,match_IDs,count,percent";

/// Writes the line of names, then the candidates of each row of each score, or that there is none. In files of several
/// scores, weights are left out and the file's name stands for them all.
///
/// # Errors
/// Writing fails.
pub fn write_log(writer: &mut dyn Write, dataset: &str, scores: &[Matched<'_>]) -> io::Result<()> {
    writeln!(writer, "{LOG}")?;
    for matched in by_name(scores) {
        let (mut best, mut candidates) = (matched.best().iter().peekable(), Vec::new());
        for variant in matched.file.variants.iter() {
            let score = Line::score(matched, &variant);
            let own = best.next_if(|best| best.row == variant.row);
            match (own, find(&variant, matched.target(), &mut candidates)) {
                (Some(own), Ok(_)) => {
                    for candidate in &candidates {
                        if let Some(line) = Line::of(matched, own, candidate) {
                            writeln!(writer, "{score},{},{},{}", line.cells, csv(dataset), line.reason)?;
                        }
                    }
                }
                (_, Err(why)) => writeln!(writer, "{score},{}", unmatched(dataset, why))?,
                (None, Ok(_)) => {}
            }
        }
    }
    Ok(())
}

/// How many best matches, and rows without one, there are of each kind.
///
/// # Errors
/// Writing fails.
pub fn write_summary(writer: &mut dyn Write, dataset: &str, scores: &[Matched<'_>]) -> io::Result<()> {
    writeln!(writer, "{SUMMARY}")?;
    for matched in by_name(scores) {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for best in matched.best() {
            if let Some(line) = Line::of(matched, best, &best.candidate) {
                *counts.entry(line.kind).or_default() += 1;
            }
        }
        let rows = matched.tally().rows;
        let without = rows - matched.best().len() as u64;
        if without > 0 {
            counts.insert("unmatched,,,,,,".to_owned(), without);
        }
        let passes = matched.check().is_ok();
        for (kind, count) in counts {
            let percent = count as f64 / rows as f64 * 100.0;
            let (dataset, name) = (csv(dataset), csv(&matched.file.name));
            writeln!(writer, "{dataset},{name},{passes},{kind},{count},{percent:?}")?;
        }
    }
    Ok(())
}

fn by_name<'s, 'a>(scores: &'s [Matched<'a>]) -> Vec<&'s Matched<'a>> {
    let mut scores: Vec<_> = scores.iter().collect();
    scores.sort_by_key(|matched| (&matched.file.name, &matched.file.path));
    scores
}

/// A candidate's part of a line.
struct Line {
    /// From ID to match_status.
    cells: String,
    /// Columns of the summary from match_status to match_IDs.
    kind: String,
    reason: String,
}

impl Line {
    /// The row's part of a line, up to effect_type.
    fn score(matched: &Matched<'_>, variant: &ScoreVariant<'_>) -> String {
        let weight = match matched.file.weight(variant.row, 0) {
            Some(Weight::ByDosage([none, one, two])) => format!("{none:?};{one:?};{two:?}"),
            Some(Weight::Single(weight)) if matched.file.scores.len() == 1 => format!("{weight:?}"),
            _ => String::new(),
        };
        let alleles = variant.alleles;
        format!(
            "{},{},{},{},{},{},{weight},{}",
            variant.row,
            csv(&matched.file.name),
            csv(variant.contig),
            variant.position.map(|position| position.to_string()).unwrap_or_default(),
            csv(&alleles.effect),
            csv(alleles.other.as_deref().unwrap_or("")),
            variant.effect_type.name(),
        )
    }

    fn of(matched: &Matched<'_>, own: &Match, candidate: &Candidate) -> Option<Self> {
        let site = matched.target().get(candidate.site)?;
        let is_best = *candidate == own.candidate;
        let is_as_good = own.is_one_of_several && candidate.kind == own.candidate.kind;
        let is_duplicate = is_best && own.is_duplicate;
        let is_barred = is_barred(matched.rules(), matched.file.variants.has_ids(), candidate, &site);
        let is_excluded = if is_best { own.is_excluded } else { is_barred };
        let status = match (is_best, is_excluded) {
            (true, false) => "matched",
            (true, true) => "excluded",
            (false, _) => "not_best",
        };
        let (is_multiallelic, is_flipped) = (site.is_multiallelic(), candidate.kind.is_flipped());
        let is_ambiguous = is_ambiguous(candidate, &site);
        let alternate =
            if candidate.alternate == 0 { site.alternates } else { site.allele(candidate.alternate)? };
        Some(Self {
            cells: format!(
                "{},{},{},{},{},{is_multiallelic},{is_ambiguous},{is_flipped},{is_best},{is_excluded},{is_as_good},\
                 {is_duplicate},NA,{status}",
                csv(site.id),
                csv(site.reference),
                csv(alternate),
                csv(site.allele(candidate.effect_allele())?),
                candidate.kind.name(),
            ),
            kind: format!(
                "{status},{is_ambiguous},{is_multiallelic},{is_as_good},{is_duplicate},{is_flipped},NA"
            ),
            reason: match status {
                "matched" => String::new(),
                "excluded" => excluded(matched, own, &site),
                _ if is_as_good => "another is as good".to_owned(),
                _ => "another is better".to_owned(),
            },
        })
    }
}

/// What about a match is against the rules.
fn excluded(matched: &Matched<'_>, own: &Match, site: &TargetSite<'_>) -> String {
    let (rules, by_id) = (matched.rules(), matched.file.variants.has_ids());
    let reasons = [
        (own.is_duplicate, "two rows for one variant"),
        (!by_id && !rules.keep_ambiguous && is_ambiguous(&own.candidate, site), "ambiguous"),
        (!by_id && !rules.keep_multiallelic && site.is_multiallelic(), "multiallelic"),
        (!by_id && rules.ignore_strand_flips && own.candidate.kind.is_flipped(), "other strand"),
    ];
    reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect::<Vec<_>>().join("; ")
}

/// The part of a line behind the row's, where there is no candidate.
fn unmatched(dataset: &str, why: Unmatched) -> String {
    format!(",,,,,,,,,,,,,unmatched,{},{}", csv(dataset), why.reason())
}

/// A cell, in quotation marks where it needs them.
fn csv(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
