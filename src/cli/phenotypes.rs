//! Options of panels and phenotypes, as `norn annotate` has them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::qc::UsageError;
use crate::annotate::panel::{Confidence, Panel};
use crate::annotate::phenotype::ranking::GeneRanking;
use crate::annotate::phenotype::tags::Knowledge;
use crate::annotate::phenotype::{Files, HpoTerm, Phenotypes};

/// Which genes are looked at, and what is known of the patient.
#[derive(Debug, Args)]
#[command(next_help_heading = "Panels and phenotypes")]
pub struct PhenotypeArguments {
    /// Only entries of these genes: a symbol, Ensembl or HGNC identifier a line, or PanelApp's TSV; repeated, of any of them
    #[arg(long, alias = "gene-list", value_name = "FILE")]
    panel: Vec<PathBuf>,

    /// How sure PanelApp must be of a gene
    #[arg(long, value_name = "COLOUR", default_value = "green", requires = "panel")]
    panel_confidence: Colour,

    /// Only records that have an entry of the panel's genes
    #[arg(long, requires = "panel")]
    panel_only: bool,

    /// The patient's phenotype: genes are ranked by how like it is to that of their disorders (INFO/HPO_GENES, HPO_RANK, HPO_SCORE)
    #[arg(long, value_name = "HP:0001250,...", value_delimiter = ',', value_parser = as_term, requires = "hp_obo")]
    hpo: Vec<HpoTerm>,

    /// The Human Phenotype Ontology
    #[arg(long, value_name = "hp.obo")]
    hp_obo: Option<PathBuf>,

    /// HPO's phenotypes of genes
    #[arg(long, value_name = "genes_to_phenotype.txt", requires = "hpo")]
    genes_to_phenotype: Option<PathBuf>,

    /// HPO's phenotypes of disorders; information is then counted over OMIM's disorders, not over genes
    #[arg(long, value_name = "phenotype.hpoa", requires = "hpo")]
    phenotype_hpoa: Option<PathBuf>,

    /// Orphanet's phenotypes of disorders
    #[arg(long, value_name = "product4.xml", requires = "hpo")]
    orpha_disorders: Option<PathBuf>,

    /// Orphanet's genes of disorders; also without --hpo, for INFO/ORPHA
    #[arg(long, value_name = "product6.xml")]
    orpha_genes: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Colour {
    Green,
    Amber,
    Red,
}

fn as_term(text: &str) -> Result<HpoTerm, String> {
    HpoTerm::parse(text.trim()).ok_or_else(|| "an HPO term is HP: and seven digits".to_owned())
}

impl PhenotypeArguments {
    /// The genes of all panels; `None` where there is no panel.
    pub(super) fn panel(&self) -> anyhow::Result<Option<Panel>> {
        let least = match self.panel_confidence {
            Colour::Green => Confidence::Green,
            Colour::Amber => Confidence::Amber,
            Colour::Red => Confidence::Red,
        };
        let mut all: Option<Panel> = None;
        for path in &self.panel {
            all.get_or_insert_default().extend(Panel::read(path, least)?);
        }
        Ok(all)
    }

    /// Whether records without an entry are dropped.
    pub(super) fn panel_only(&self) -> bool {
        self.panel_only
    }

    /// What files say of genes and the patient's phenotype; `None` where nothing is asked.
    pub(super) fn knowledge(&self, tells: bool) -> anyhow::Result<Option<Knowledge>> {
        if self.hpo.is_empty() && self.orpha_genes.is_none() {
            return Ok(None);
        }
        let files = Files {
            ontology: self.hp_obo.clone(),
            genes_to_phenotype: self.genes_to_phenotype.clone(),
            phenotype_hpoa: self.phenotype_hpoa.clone(),
            orpha_disorders: self.orpha_disorders.clone(),
            orpha_genes: self.orpha_genes.clone(),
        };
        let phenotypes = Phenotypes::read(&files)?;
        let ranking = match self.hpo.as_slice() {
            [] => None,
            terms => {
                let ranking = phenotypes.rank(terms);
                Some(ranking.map_err(|error| UsageError::new(format!("--hpo: {error}")))?)
            }
        };
        if tells {
            tell(&phenotypes, ranking.as_ref());
        }
        Ok(Some(Knowledge::new(&files, phenotypes, ranking)?))
    }
}

/// Tells what of the terms was replaced or not used.
fn tell(phenotypes: &Phenotypes, ranking: Option<&GeneRanking>) {
    if let Some(ranking) = ranking {
        for (old, new) in &ranking.replaced {
            eprintln!("norn: --hpo: {old} is no more; {new} is taken for it");
        }
        for term in &ranking.left_out {
            eprintln!("norn: --hpo: {term} is no phenotypic abnormality; it is not compared");
        }
    }
    let unknown = phenotypes.unknown_terms();
    if let Some(first) = unknown.keys().next() {
        let (terms, rows) = (unknown.len(), unknown.values().sum::<u64>());
        eprintln!(
            "norn: {terms} terms in {rows} rows (the first: {first}) are not in hp.obo and are passed over: another release?"
        );
    }
}
