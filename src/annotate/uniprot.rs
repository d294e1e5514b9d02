//! UniProt's entries of proteins, from the table that Ensembl has of each species (`Homo_sapiens.GRCh38.114.uniprot.tsv.gz`),
//! since no gene file names them. GENCODE's transcripts have the same identifiers.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::genes::{Genes, UniProt};
use crate::formats::text::{self, TextError};

/// Entries by transcript, without versions.
#[derive(Debug, Default)]
pub struct UniProtTable(FxHashMap<String, UniProt>);

/// The columns that are read.
const COLUMNS: [&str; 3] = ["transcript_stable_id", "xref", "db_name"];

impl UniProtTable {
    /// Reads a table, plain or compressed. Rows of other databases are passed over.
    ///
    /// # Errors
    /// It cannot be read or lacks a column.
    pub fn read(path: &Path) -> Result<Self, TextError> {
        let (mut found, mut columns) = (Self::default(), None);
        text::for_each_line(path, |_, row| {
            let cells: Vec<&str> = row.split('\t').collect();
            match columns {
                None => columns = Some(columns_of(&cells)?),
                Some(columns) => found.add(&cells, columns),
            }
            Ok(())
        })?;
        let is_empty = || TextError::Line { path: path.to_owned(), line: 1, what: "it is empty".to_owned() };
        columns.map(|_| found).ok_or_else(is_empty)
    }

    fn add(&mut self, cells: &[&str], columns: [usize; 3]) {
        let [transcript, accession, database] = columns.map(|at| cells.get(at).copied().unwrap_or_default());
        let entries = self.0.entry(transcript.to_owned()).or_default();
        let list = match database {
            "Uniprot/SWISSPROT" => &mut entries.swissprot,
            "Uniprot/SPTREMBL" => &mut entries.trembl,
            "Uniprot_isoform" => &mut entries.isoforms,
            "UniParc" => &mut entries.uniparc,
            _ => return,
        };
        // Nothing of what separates entries and parts of CSQ is in an accession.
        let is_accession = |letter: u8| letter.is_ascii_alphanumeric() || b".-_".contains(&letter);
        if accession.bytes().all(is_accession) && !list.iter().any(|known| known == accession) {
            list.push(accession.to_owned());
        }
    }

    /// Names the entries of transcripts; how many have one.
    pub fn mark(&self, genes: &mut Genes) -> u64 {
        let mut marked = 0;
        genes.for_each_mut(|_, transcript| {
            let id = transcript.id.split('.').next().unwrap_or_default();
            if let Some(entries) = self.0.get(id).filter(|entries| **entries != UniProt::default()) {
                transcript.tags.uniprot = entries.clone();
                marked += 1;
            }
        });
        marked
    }
}

fn columns_of(names: &[&str]) -> Result<[usize; 3], String> {
    let mut columns = [0; 3];
    for (column, wanted) in columns.iter_mut().zip(COLUMNS) {
        let found = names.iter().position(|name| *name == wanted);
        *column =
            found.ok_or_else(|| format!("there is no column {wanted}: is it Ensembl's table of UniProt?"))?;
    }
    Ok(columns)
}
