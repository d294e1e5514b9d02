//! What became of every row of a score, and how often: pgscatalog-match's `_log.csv` and `_summary.csv`.
//!
//! The log has that program's columns and one more, `reason`. `match_IDs` tells whether other genotypes have the variant too. Rows
//! are sorted by score and row; of one row the best match comes first.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::matching::{Candidate, Match, Matched, Other, find, is_ambiguous, is_barred};
use super::score_variants::ScoreVariant;
use super::scoring_file::Weight;
use super::target::TargetSite;

const LOG: &str = "row_nr,accession,chr_name,chr_position,effect_allele,other_allele,effect_weight,effect_type,ID,REF,ALT,\
    matched_effect_allele,match_type,is_multiallelic,ambiguous,match_flipped,best_match,exclude,duplicate_best_match,\
    duplicate_ID,match_IDs,match_status,dataset,reason";
const SUMMARY: &str = "dataset,accession,score_pass,match_status,ambiguous,is_multiallelic,duplicate_best_match,\
    duplicate_ID,match_flipped,match_IDs,count,percent";

/// Writes the log: the line of names, then the rows of all scores.
///
/// # Errors
/// Writing fails.
pub fn write_log(writer: &mut dyn Write, dataset: &str, scores: &[Matched<'_>]) -> io::Result<()> {
    write_names(writer, Table::Log)?;
    write_log_rows(writer, dataset, scores)
}

/// Writes the summary: the line of names, then the rows of all scores.
///
/// # Errors
/// Writing fails.
pub fn write_summary(writer: &mut dyn Write, dataset: &str, scores: &[Matched<'_>]) -> io::Result<()> {
    write_names(writer, Table::Summary)?;
    write_summary_rows(writer, dataset, scores)
}

/// A table of matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `_log.csv`.
    Log,
    /// `_summary.csv`.
    Summary,
}

/// Writes the line of names.
///
/// # Errors
/// Writing fails.
pub fn write_names(writer: &mut dyn Write, table: Table) -> io::Result<()> {
    writeln!(writer, "{}", if table == Table::Log { LOG } else { SUMMARY })
}

/// Writes the candidates of each row of each score, or that there is none. In files of several scores, weights are left out and
/// the file's name stands for them all.
///
/// # Errors
/// Writing fails.
pub fn write_log_rows(writer: &mut dyn Write, dataset: &str, scores: &[Matched<'_>]) -> io::Result<()> {
    let (dataset, mut row, mut candidates) = (csv(dataset), Vec::new(), Vec::new());
    for matched in by_name(scores) {
        let mut best = matched.best().iter().peekable();
        for variant in matched.file.variants.iter() {
            row.clear();
            write_row(&mut row, matched, &variant)?;
            let own = best.next_if(|best| best.row == variant.row);
            match (own, find(&variant, matched.target(), &mut candidates)) {
                (Some(own), Ok(_)) => {
                    for line in candidates.iter().filter_map(|candidate| Line::of(matched, own, candidate)) {
                        writer.write_all(&row)?;
                        line.write(writer, &dataset)?;
                    }
                }
                (_, Err(why)) => {
                    writer.write_all(&row)?;
                    writeln!(writer, ",,,,,,,,,,,,,,unmatched,{dataset},{}", why.reason())?;
                }
                (None, Ok(_)) => {}
            }
        }
    }
    Ok(())
}

/// Writes how many best matches, and rows without one, there are of each kind.
///
/// # Errors
/// Writing fails.
pub fn write_summary_rows(writer: &mut dyn Write, dataset: &str, scores: &[Matched<'_>]) -> io::Result<()> {
    for matched in by_name(scores) {
        let mut counts: BTreeMap<Kind, u64> = BTreeMap::new();
        for best in matched.best() {
            if let Some(line) = Line::of(matched, best, &best.candidate) {
                *counts.entry(line.kind).or_default() += 1;
            }
        }
        let rows = matched.tally().rows;
        let unmatched = rows - matched.best().len() as u64;
        let passes = matched.check().is_ok();
        let score = format!("{},{},{passes}", csv(dataset), csv(&matched.file.name));
        let percent = |count: u64| count as f64 / rows as f64 * 100.0;
        for (kind, count) in counts {
            let Kind { status, ambiguous, multiallelic, several, duplicate, flipped, shared } = kind;
            let flags = format!("{ambiguous},{multiallelic},{several},{duplicate},{flipped}");
            let shared = is_shared(shared);
            writeln!(writer, "{score},{},{flags},{shared},{count},{:?}", status.name(), percent(count))?;
        }
        if unmatched > 0 {
            writeln!(writer, "{score},unmatched,,,,,,,{unmatched},{:?}", percent(unmatched))?;
        }
    }
    Ok(())
}

fn by_name<'s, 'a>(scores: &'s [Matched<'a>]) -> Vec<&'s Matched<'a>> {
    let mut scores: Vec<_> = scores.iter().collect();
    scores.sort_by_key(|matched| (&matched.file.name, &matched.file.path));
    scores
}

/// Writes a row's part of a line, up to effect_type.
fn write_row(into: &mut Vec<u8>, matched: &Matched<'_>, variant: &ScoreVariant<'_>) -> io::Result<()> {
    write!(into, "{},{},{},", variant.row, csv(&matched.file.name), csv(variant.contig))?;
    if let Some(position) = variant.position {
        write!(into, "{position}")?;
    }
    let alleles = variant.alleles;
    write!(into, ",{},{},", csv(&alleles.effect), csv(alleles.other.as_deref().unwrap_or("")))?;
    match matched.file.weight(variant.row, 0) {
        Some(Weight::ByDosage([none, one, two])) => write!(into, "{none:?};{one:?};{two:?}")?,
        Some(Weight::Single(weight)) if matched.file.scores.len() == 1 => write!(into, "{weight:?}")?,
        _ => {}
    }
    write!(into, ",{}", variant.effect_type.name())
}

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Matched,
    Excluded,
    NotBest,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Excluded => "excluded",
            Self::NotBest => "not_best",
        }
    }
}

/// What the summary counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    status: Status,
    ambiguous: bool,
    multiallelic: bool,
    several: bool,
    duplicate: bool,
    flipped: bool,
    shared: Option<bool>,
}

/// Whether other genotypes have the variant, as match_IDs; `NA` where there are no others.
fn is_shared(shared: Option<bool>) -> &'static str {
    match shared {
        None => "NA",
        Some(true) => "true",
        Some(false) => "false",
    }
}

/// A candidate's part of a line.
struct Line<'m> {
    site: TargetSite<'m>,
    alternate: &'m str,
    effect: &'m str,
    candidate: Candidate,
    kind: Kind,
    is_excluded: bool,
    reason: String,
}

impl<'m> Line<'m> {
    fn of(matched: &'m Matched<'_>, own: &Match, candidate: &Candidate) -> Option<Self> {
        let site = matched.target().get(candidate.site)?;
        let is_best = *candidate == own.candidate;
        let several = own.is_one_of_several && candidate.kind == own.candidate.kind;
        let is_barred = || is_barred(matched.rules(), matched.file.variants.has_ids(), candidate, &site);
        let is_excluded = if is_best { own.is_excluded } else { is_barred() };
        let status = match (is_best, is_excluded) {
            (true, false) => Status::Matched,
            (true, true) => Status::Excluded,
            (false, _) => Status::NotBest,
        };
        let alternate =
            if candidate.alternate == 0 { site.alternates } else { site.allele(candidate.alternate)? };
        Some(Self {
            site,
            alternate,
            effect: site.allele(candidate.effect_allele())?,
            candidate: *candidate,
            kind: Kind {
                status,
                ambiguous: is_ambiguous(candidate, &site),
                multiallelic: site.is_multiallelic(),
                several,
                duplicate: is_best && own.is_duplicate,
                flipped: candidate.kind.is_flipped(),
                shared: own.other.map(|other| is_best && other != Other::NotShared),
            },
            is_excluded,
            reason: match status {
                Status::Matched => String::new(),
                Status::Excluded => excluded(matched, own, &site),
                Status::NotBest if several => "another is as good".to_owned(),
                Status::NotBest => "another is better".to_owned(),
            },
        })
    }

    fn write(&self, writer: &mut dyn Write, dataset: &str) -> io::Result<()> {
        let Kind { status, ambiguous, multiallelic, several, duplicate, flipped, shared } = self.kind;
        writeln!(
            writer,
            ",{},{},{},{},{},{multiallelic},{ambiguous},{flipped},{},{},{several},{duplicate},{},{},{dataset},{}",
            csv(self.site.id),
            csv(self.site.reference),
            csv(self.alternate),
            csv(self.effect),
            self.candidate.kind.name(),
            status != Status::NotBest,
            self.is_excluded,
            is_shared(shared),
            status.name(),
            self.reason,
        )
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
        (own.other == Some(Other::NotShared), "not shared"),
        (own.other == Some(Other::Excluded), "excluded in the other"),
    ];
    reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect::<Vec<_>>().join("; ")
}

/// A cell, in quotation marks where it needs them.
fn csv(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
