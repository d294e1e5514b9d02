//! INFO tags of a record's genes: how like their disorders are to the patient's phenotype, and Orphanet's numbers.
//!
//! Genes are those of the entries of CSQ, ours or Ensembl VEP's, by SYMBOL and Gene.

use std::fmt::Write;

use super::ranking::GeneRanking;
use super::{Catalogue, Counted, Disorder, Files, PhenotypeError, Phenotypes};
use crate::annotate::csq;
use crate::formats::checksum::name_and_blake3;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::{RecordProblem, Revise};

/// Each gene with its score and rank.
const GENES: &str = "HPO_GENES";
/// The best rank.
const RANK: &str = "HPO_RANK";
/// The best score.
const SCORE: &str = "HPO_SCORE";
/// Orphanet's numbers of each gene's disorders.
const ORPHA: &str = "ORPHA";

/// All of them, those of a ranking first.
const TAGS: [&str; 4] = [GENES, RANK, SCORE, ORPHA];

/// Why records cannot be told of phenotypes.
#[derive(Debug, thiserror::Error)]
pub enum TagError {
    /// No entries are declared.
    #[error(
        "the header declares no INFO/{0} with a Format: annotate with --genes or --gff, or give a file that has it"
    )]
    NoEntries(String),
    /// Entries do not tell genes.
    #[error(
        "entries of INFO/{0} have neither SYMBOL nor Gene, by which phenotypes are found (--fields, --most-severe)"
    )]
    NoGenes(String),
}

/// What is known, and the patient's ranking, with where they come from.
pub struct Knowledge {
    phenotypes: Phenotypes,
    ranking: Option<GeneRanking>,
    /// The line of the header that tells.
    provenance: String,
}

impl Knowledge {
    /// From files and what was read of them.
    ///
    /// # Errors
    /// A file cannot be read again for its checksum.
    pub fn new(
        files: &Files,
        phenotypes: Phenotypes,
        ranking: Option<GeneRanking>,
    ) -> Result<Self, PhenotypeError> {
        let paths = [
            &files.ontology,
            &files.genes_to_phenotype,
            &files.phenotype_hpoa,
            &files.orpha_disorders,
            &files.orpha_genes,
        ];
        let from =
            paths.into_iter().flatten().map(|path| name_and_blake3(path).map_err(PhenotypeError::io(path)));
        let from = from.collect::<Result<Vec<_>, _>>()?.join(", ");
        let mut fields = String::new();
        if let Some(ranking) = &ranking {
            let terms: Vec<String> = ranking.terms.iter().map(ToString::to_string).collect();
            let counted = match phenotypes.counted() {
                Counted::Genes(count) => format!("{count} genes"),
                Counted::Disorders(count) => format!("{count} OMIM disorders"),
            };
            let release = phenotypes.ontology().release().replace('"', "'");
            let _ = write!(
                fields,
                ",Terms=\"{}\",Release=\"{release}\",Counted=\"{counted}\",Genes={}",
                terms.join(","),
                ranking.genes.len()
            );
        }
        let provenance = format!("##norn_phenotypes=<ID=phenotypes{fields},From=\"{from}\">");
        Ok(Self { phenotypes, ranking, provenance })
    }

    /// The line of a header that tells which files and terms were used.
    pub fn provenance(&self) -> &str {
        &self.provenance
    }

    /// The tags that are written.
    pub fn tags(&self) -> &'static [&'static str] {
        if self.ranking.is_some() { &TAGS } else { &TAGS[TAGS.len() - 1..] }
    }
}

/// Adds tags to records.
pub struct PhenotypeTags {
    knowledge: Knowledge,
    /// The INFO field with the entries.
    entries: String,
    /// Which part of an entry is the gene's symbol, and which its identifier.
    symbol: Option<usize>,
    id: Option<usize>,
}

impl PhenotypeTags {
    /// For records with such a header, whose entries stand in the INFO field `entries`.
    ///
    /// # Errors
    /// Their entries do not tell genes.
    pub fn new(knowledge: Knowledge, header: &Header, entries: &str) -> Result<Self, TagError> {
        let Some(format) = csq::declared(header, entries) else {
            return Err(TagError::NoEntries(entries.to_owned()));
        };
        let place = |name: &str| format.iter().position(|part| part == name);
        let (symbol, id) = (place("SYMBOL"), place("Gene"));
        if symbol.is_none() && id.is_none() {
            return Err(TagError::NoGenes(entries.to_owned()));
        }
        Ok(Self { knowledge, entries: entries.to_owned(), symbol, id })
    }

    /// The header with the tags declared.
    pub fn header(&self, header: &Header) -> Header {
        let mut header = header.clone();
        header.retain(|line| !(line.key() == "INFO" && line.get("ID").is_some_and(|id| TAGS.contains(&id))));
        header.add(&self.knowledge.provenance);
        if self.knowledge.ranking.is_some() {
            header.add(&format!(
                "##INFO=<ID={GENES},Number=.,Type=String,Description=\"Genes by how like their disorders are to the patient's phenotype. \
                 Format: SYMBOL|SCORE|RANK|DISORDER|TERMS\">"
            ));
            header.add(&format!(
                "##INFO=<ID={RANK},Number=1,Type=Integer,Description=\"Best rank of a gene of the record by phenotype\">"
            ));
            header.add(&format!(
                "##INFO=<ID={SCORE},Number=1,Type=Float,Description=\"Best score of a gene of the record by phenotype, in nats\">"
            ));
        }
        header.add(&format!(
            "##INFO=<ID={ORPHA},Number=.,Type=String,Description=\"Orphanet's disorders of the genes. Format: SYMBOL|ORPHA\">"
        ));
        header
    }

    /// The genes that the entries name and that are known: how the entries call them, and their places.
    fn genes(&self, entries: &[u8]) -> Vec<(String, usize)> {
        let mut genes: Vec<(String, usize)> = Vec::new();
        let mut last: (&[u8], &[u8]) = (b"", b"");
        for entry in entries.split(|byte| *byte == b',') {
            let part = |place: Option<usize>| {
                place.and_then(|place| entry.split(|byte| *byte == b'|').nth(place)).unwrap_or_default()
            };
            let gene = (part(self.symbol), part(self.id));
            // Entries of a gene mostly follow one another.
            if gene == last {
                continue;
            }
            last = gene;
            let (symbol, id) = (String::from_utf8_lossy(gene.0), String::from_utf8_lossy(gene.1));
            if let Some(place) = self.knowledge.phenotypes.place(&symbol, &id) {
                let name = if symbol.is_empty() { id } else { symbol };
                if !genes.iter().any(|(known, _)| *known == name) {
                    genes.push((name.into_owned(), place));
                }
            }
        }
        genes
    }
}

impl Revise for PhenotypeTags {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        let mut genes = record.info(self.entries.as_bytes()).map_or_else(Vec::new, |text| self.genes(text));
        let Knowledge { phenotypes, ranking, .. } = &self.knowledge;
        let rank = |place: usize| ranking.as_ref().and_then(|ranking| ranking.gene(place));
        genes.sort_by_cached_key(|(name, place)| {
            (rank(*place).map_or(usize::MAX, |gene| gene.rank), name.clone())
        });
        let ranked: Vec<_> =
            genes.iter().filter_map(|(name, place)| rank(*place).map(|gene| (name, gene))).collect();
        let text = |(name, gene): &(&String, &super::ranking::RankedGene)| {
            let disorder = gene.disorder.map_or_else(String::new, |disorder| disorder.to_string());
            let terms: Vec<String> = gene.matches.iter().map(|found| found.term.to_string()).collect();
            format!("{name}|{}|{}|{disorder}|{}", gene.score, gene.rank, terms.join("&"))
        };
        let best = ranked.first().map(|(_, gene)| *gene);
        let orpha = genes.iter().filter_map(|(name, place)| {
            let gene = phenotypes.genes().get(*place)?;
            let codes: Vec<String> =
                gene.disorders(Catalogue::Orpha).map(|code: Disorder| code.to_string()).collect();
            (!codes.is_empty()).then(|| format!("{name}|{}", codes.join("&")))
        });
        let values = [
            ranked.iter().map(text).collect::<Vec<_>>().join(","),
            best.map_or_else(String::new, |gene| gene.rank.to_string()),
            best.map_or_else(String::new, |gene| gene.score.to_string()),
            orpha.collect::<Vec<_>>().join(","),
        ];
        for (tag, value) in TAGS.into_iter().zip(&values) {
            let tag = tag.as_bytes();
            if !value.is_empty() {
                record.set_info(tag, Some(value.as_bytes()));
            } else if record.info(tag).is_some() {
                record.retain_info(|known| known != tag);
            }
        }
        Ok(true)
    }
}
