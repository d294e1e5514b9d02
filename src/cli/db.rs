//! `norn db`: databases for annotation, made from public files and checked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::annotate::{gene_database, gene_file};
use crate::formats::bases::Genome;
use crate::formats::fasta::Reference;
use crate::formats::ndb::{MadeFrom, Ndb};
use std::sync::Arc;

/// Make databases for `norn annotate`, tell what they hold, check them.
#[derive(Debug, Args)]
pub struct DbArguments {
    #[command(subcommand)]
    command: DbCommand,
}

#[derive(Debug, Subcommand)]
enum DbCommand {
    /// Make a database of genes from GFF3 or GTF
    Genes(GenesArguments),
    /// Tell what a database holds and what it is made from
    Info {
        /// The database
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Hold a database against its checksums, and files against those that it is made from
    Verify {
        /// The database
        file: PathBuf,
        /// Files that it should be made from
        #[arg(long, value_name = "FILE", num_args = 1..)]
        against: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct GenesArguments {
    /// GFF3 of Ensembl, GENCODE or RefSeq, or GTF
    #[arg(long, alias = "gtf", value_name = "FILE")]
    gff: PathBuf,

    /// The reference, plain or bgzipped
    #[arg(short, long, alias = "fasta", value_name = "FASTA")]
    reference: PathBuf,

    /// The database
    #[arg(short, long, value_name = "FILE.ndb")]
    output: PathBuf,
}

impl DbArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            DbCommand::Genes(arguments) => arguments.run()?,
            DbCommand::Info { file, json } => info(file, *json)?,
            DbCommand::Verify { file, against } => verify(file, against)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl GenesArguments {
    fn run(&self) -> anyhow::Result<()> {
        let reference = Arc::new(Reference::open(&self.reference)?);
        let genome = Genome::new(Arc::clone(&reference));
        let (genes, passed_over) = gene_file::read(&self.gff, &reference, &genome)?;
        super::annotate::tell_genes(&passed_over);
        gene_database::write(&genes, &self.gff, &reference, &self.output)?;
        eprintln!("norn: {} transcripts", genes.count());
        Ok(())
    }
}

fn info(path: &Path, json: bool) -> anyhow::Result<()> {
    let ndb = Ndb::open(path)?;
    let head = ndb.head();
    if json {
        println!("{:#}", serde_json::to_value(head)?);
        return Ok(());
    }
    println!("{}: {} ({}), made by norn {}", path.display(), head.name, head.kind, head.norn);
    for MadeFrom { file, size, blake3 } in &head.made_from {
        println!("from {file}: {size} bytes, BLAKE3 {blake3}");
    }
    if let Some(details) = head.details.as_object() {
        details.iter().for_each(|(name, value)| println!("{name}: {value}"));
    }
    println!("contigs: {}", head.contigs.len());
    for section in &head.sections {
        println!("section {}: {} bytes", section.name, section.length);
    }
    Ok(())
}

fn verify(path: &Path, against: &[PathBuf]) -> anyhow::Result<()> {
    let ndb = Ndb::open(path)?;
    ndb.verify()?;
    for file in against {
        let found = MadeFrom::file(file)?;
        if !ndb.head().made_from.iter().any(|known| known.blake3 == found.blake3) {
            return Err(ndb.damaged(format!("it is not made from {}", file.display())).into());
        }
    }
    println!("{}: sound", path.display());
    Ok(())
}
