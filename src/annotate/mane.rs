//! MANE's transcripts from NCBI's summary (MANE.GRCh38.vX.summary.txt), for gene files without the tags and for the accession of
//! the partner, which none names.
//!
//! Ensembl VEP's caches have MANE_SELECT and MANE_PLUS_CLINICAL from the same table: RefSeq's accession of an Ensembl transcript.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::genes::{Genes, Transcript, versioned};
use crate::formats::text::{self, TextError};

/// The rows by the accessions of both sides, without versions.
#[derive(Debug, Default)]
pub struct ManeSummary {
    rows: Vec<Row>,
    by_accession: FxHashMap<String, (usize, Side)>,
}

/// A pair of transcripts of the same sequence.
#[derive(Debug)]
struct Row {
    is_select: bool,
    refseq: String,
    ensembl: String,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    RefSeq,
    Ensembl,
}

/// What became of the rows. One of which both sides are among the genes counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// MANE Select, with a transcript among the genes.
    pub select: u64,
    /// MANE Plus Clinical, the same.
    pub plus_clinical: u64,
    /// The genes have the transcript in another version only: it is not marked.
    pub other_version: u64,
    /// The genes lack it.
    pub absent: u64,
    /// Transcripts that the gene file calls MANE and the summary does not, in this version; they lose the mark.
    pub unknown: u64,
}

/// The columns that are read.
const COLUMNS: [&str; 3] = ["RefSeq_nuc", "Ensembl_nuc", "MANE_status"];

impl ManeSummary {
    /// Reads a summary, plain or compressed.
    ///
    /// # Errors
    /// It cannot be read, lacks a column, or has a status that MANE does not.
    pub fn read(path: &Path) -> Result<Self, TextError> {
        let (mut found, mut columns) = (Self::default(), None);
        text::for_each_line(path, |_, row| {
            let cells: Vec<&str> = row.split('\t').collect();
            match columns {
                None => columns = Some(columns_of(&cells)?),
                Some(_) if row.is_empty() => {}
                Some(columns) => found.add(&cells, columns)?,
            }
            Ok(())
        })?;
        let is_empty = || TextError::Line { path: path.to_owned(), line: 1, what: "it is empty".to_owned() };
        columns.map(|_| found).ok_or_else(is_empty)
    }

    fn add(&mut self, cells: &[&str], columns: [usize; 3]) -> Result<(), String> {
        let [refseq, ensembl, status] = columns.map(|at| cells.get(at).copied().unwrap_or_default());
        let is_select = match status {
            "MANE Select" => true,
            "MANE Plus Clinical" => false,
            status => {
                return Err(format!("MANE_status is {status:?}, not MANE Select or MANE Plus Clinical"));
            }
        };
        let number = self.rows.len();
        for (accession, side) in [(refseq, Side::RefSeq), (ensembl, Side::Ensembl)] {
            let Some((id, _)) = versioned(accession) else {
                return Err(format!("{accession:?} is no accession with a version"));
            };
            self.by_accession.insert(id.to_owned(), (number, side));
        }
        self.rows.push(Row { is_select, refseq: refseq.to_owned(), ensembl: ensembl.to_owned() });
        Ok(())
    }

    /// Marks the transcripts of genes, and names their partners; marks that the gene file has and the summary has not go.
    pub fn mark(&self, genes: &mut Genes) -> Marked {
        let mut marked = Marked::default();
        // Of each row: whether a transcript has its version, or another.
        let mut seen = vec![(false, false); self.rows.len()];
        genes.for_each_mut(|_, transcript| {
            let was_marked = transcript.tags.mane_select || transcript.tags.mane_plus_clinical;
            (transcript.tags.mane_select, transcript.tags.mane_plus_clinical) = (false, false);
            transcript.tags.mane_partner = None;
            let place = self.by_accession.get(without_version(&transcript.id));
            if let Some(&(number, side)) = place
                && let (Some(row), Some(seen)) = (self.rows.get(number), seen.get_mut(number))
            {
                let is_same = row.mark(side, transcript);
                *seen = (seen.0 || is_same, seen.1 || !is_same);
            }
            let is_marked = transcript.tags.mane_select || transcript.tags.mane_plus_clinical;
            marked.unknown += u64::from(was_marked && !is_marked);
        });
        for (row, seen) in self.rows.iter().zip(seen) {
            match seen {
                (true, _) if row.is_select => marked.select += 1,
                (true, _) => marked.plus_clinical += 1,
                (false, true) => marked.other_version += 1,
                (false, false) => marked.absent += 1,
            }
        }
        marked
    }
}

impl Row {
    /// Marks a transcript where it has the version that is paired; one without a version is taken for it.
    fn mark(&self, side: Side, transcript: &mut Transcript) -> bool {
        let (own, partner) = match side {
            Side::RefSeq => (&self.refseq, &self.ensembl),
            Side::Ensembl => (&self.ensembl, &self.refseq),
        };
        if versioned(&transcript.name).is_some() && transcript.name != *own {
            return false;
        }
        transcript.tags.mane_select = self.is_select;
        transcript.tags.mane_plus_clinical = !self.is_select;
        transcript.tags.mane_partner = Some(partner.clone());
        true
    }
}

fn columns_of(names: &[&str]) -> Result<[usize; 3], String> {
    let mut columns = [0; 3];
    for (column, wanted) in columns.iter_mut().zip(COLUMNS) {
        let found = names.iter().position(|name| name.trim_start_matches('#') == wanted);
        *column = found.ok_or_else(|| format!("there is no column {wanted}: is it MANE's summary?"))?;
    }
    Ok(columns)
}

fn without_version(accession: &str) -> &str {
    versioned(accession).map_or(accession, |(id, _)| id)
}
