//! A scoring file with positions of another build, as the PGS Catalog writes harmonised ones.
//!
//! Lines stay as they are, but `hm_chr`, `hm_pos` and `hm_source`, and `HmPOS_build` among the header's keys. Where the other
//! build has the other strand, alleles are turned, so that the file says the same whoever reads it; the authors' position,
//! which is of the strand that was left, is taken away there. Source: pgscatalog.org/downloads (columns; `hm_source` is
//! `liftover`, `author-reported` or `Unknown`).

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use super::catalog_row::unquoted;
use super::liftover::Lift;
use super::score_variants::{flipped, upper_case};
use super::scoring_file::{Coordinates, ScoringFile, stem};
use crate::formats::output::file_name;
use crate::formats::text;
use crate::genome::contigs::Build;

/// The name that a score has in a build: `PGS000001_hmPOS_GRCh38.txt.gz`.
pub fn name_of(file: &ScoringFile, build: Build) -> String {
    let stem = stem(&file.path);
    let stem = stem.split("_hmPOS_").next().unwrap_or_default();
    let id = file.header.score_id().unwrap_or(stem);
    format!("{}_hmPOS_{}.txt.gz", file_name(id), build.name())
}

/// Writes a file whose variants are of the build: those that were lifted, or, without a lift, those that were of that build
/// before. The text comes from the file itself once more; a date (`2026-01-31`) is told where one is given.
///
/// # Errors
/// The file cannot be read, is not what it was, or writing fails.
pub fn write(
    output: &mut dyn Write,
    file: &ScoringFile,
    lift: Option<&Lift>,
    build: Build,
    date: Option<&str>,
) -> io::Result<()> {
    let mut reader = text::open(&file.path)?;
    let (mut line, mut row, mut places) = (Vec::new(), 0, None);
    let is_harmonised = lift.is_none() && file.coordinates == Coordinates::Harmonised;
    let mut header = HeaderLines { build, date, told: false };
    let mut turned = lift.map_or(&[][..], |lift| &lift.turned).iter().copied().peekable();
    while text::read_line(&mut *reader, &mut line)? {
        let text = std::str::from_utf8(&line).map_err(|_| changed(&file.path))?;
        match &places {
            _ if is_harmonised => writeln!(output, "{text}")?,
            None if text.starts_with('#') => header.copy(output, text)?,
            _ if text.starts_with('#') || text.trim().is_empty() => writeln!(output, "{text}")?,
            None => {
                header.finish(output)?;
                let found = Places::of(text);
                writeln!(output, "{text}{}", found.names_behind())?;
                places = Some(found);
            }
            Some(places) => {
                let is_turned = turned.next_if_eq(&row).is_some();
                let cells = places.row(text, file, row as usize, lift.is_some(), is_turned);
                writeln!(output, "{}", cells.ok_or_else(|| changed(&file.path))?)?;
                row += 1;
            }
        }
    }
    Ok(())
}

fn changed(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} changed while it was read", path.display()))
}

/// The header's lines, with the build in place of what was told of another.
struct HeaderLines<'d> {
    build: Build,
    date: Option<&'d str>,
    told: bool,
}

impl HeaderLines<'_> {
    fn copy(&mut self, output: &mut dyn Write, line: &str) -> io::Result<()> {
        let key = line.trim_start_matches('#').split('=').next().unwrap_or_default().trim();
        match key {
            "HmPOS_build" => {
                self.told = true;
                self.tell(output)
            }
            // When, and how well, positions of the other build were found.
            "HmPOS_date" | "HmPOS_match_chr" | "HmPOS_match_pos" => Ok(()),
            _ => writeln!(output, "{line}"),
        }
    }

    fn finish(&self, output: &mut dyn Write) -> io::Result<()> {
        if self.told {
            return Ok(());
        }
        writeln!(output, "##HARMONIZATION DETAILS")?;
        self.tell(output)
    }

    fn tell(&self, output: &mut dyn Write) -> io::Result<()> {
        writeln!(output, "#HmPOS_build={}", self.build.name())?;
        // pgscatalog-utils takes no file for harmonised that has no date.
        self.date.map_or(Ok(()), |date| writeln!(output, "#HmPOS_date={date}"))
    }
}

/// Where columns are that change.
struct Places {
    cells: usize,
    /// `hm_source`, `hm_chr`, `hm_pos`: behind the last where the file has none.
    source: usize,
    contig: usize,
    position: usize,
    effect: Option<usize>,
    /// Columns of the other allele.
    others: Vec<usize>,
    /// The authors' position.
    authors: Vec<usize>,
    added: Vec<&'static str>,
}

impl Places {
    fn of(line: &str) -> Self {
        let names: Vec<&str> = line.split('\t').map(unquoted).collect();
        let find = |name: &str| names.iter().position(|found| *found == name);
        let all = |wanted: &[&str]| wanted.iter().filter_map(|name| find(name)).collect();
        let mut added = Vec::new();
        let mut place = |name: &'static str| {
            find(name).unwrap_or_else(|| {
                added.push(name);
                names.len() + added.len() - 1
            })
        };
        Self {
            cells: names.len(),
            source: place("hm_source"),
            contig: place("hm_chr"),
            position: place("hm_pos"),
            effect: find("effect_allele"),
            others: all(&["other_allele", "hm_inferOtherAllele"]),
            authors: all(&["chr_name", "chr_position"]),
            added,
        }
    }

    fn names_behind(&self) -> String {
        self.added.iter().map(|name| format!("\t{name}")).collect()
    }

    /// A row with its variant's place; `None` where it is no row of the file.
    fn row(
        &self,
        line: &str,
        file: &ScoringFile,
        row: usize,
        is_lifted: bool,
        is_turned: bool,
    ) -> Option<String> {
        let variant = file.variants.get(row)?;
        let mut cells: Vec<Cow<'_, str>> = line.split('\t').map(Cow::Borrowed).collect();
        if cells.len() != self.cells {
            return None;
        }
        cells.resize(self.cells + self.added.len(), Cow::Borrowed(""));
        // What is no chromosome was not lifted.
        let place = variant.position.filter(|_| !is_lifted || variant.chromosome.is_some());
        cells[self.contig] = if place.is_some() { variant.contig.into() } else { "".into() };
        cells[self.position] = place.map_or_else(String::new, |position| position.to_string()).into();
        cells[self.source] = match place {
            None => "Unknown",
            Some(_) if is_lifted => "liftover",
            Some(_) => "author-reported",
        }
        .into();
        if is_turned {
            for place in self.effect.iter().chain(&self.others) {
                cells[*place] = other_strand(&cells[*place]).into();
            }
            self.authors.iter().for_each(|place| cells[*place] = "".into());
        }
        Some(cells.join("\t"))
    }
}

/// Alleles on the other strand, several divided by `/`.
fn other_strand(cell: &str) -> String {
    unquoted(cell).split('/').map(|allele| flipped(&upper_case(allele))).collect::<Vec<_>>().join("/")
}
