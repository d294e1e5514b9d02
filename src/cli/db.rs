//! `norn db`: databases for annotation, made from public files and checked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::gene_files::{BesideGenes, tell_genes};
use super::qc::UsageError;
use crate::annotate::sources::build;
use crate::annotate::{gene_database, gene_file};
use crate::formats::bases::Genome;
use crate::formats::fasta::Reference;
use crate::formats::ndb::{MadeFrom, Ndb};

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
    /// Make a database of what a public file says of alleles or regions
    Source(SourceArguments),
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

    #[command(flatten)]
    beside: BesideGenes,

    /// The database
    #[arg(short, long, value_name = "FILE.ndb")]
    output: PathBuf,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("files").required(true))]
#[command(after_long_help = "Examples:\n  \
    norn db source gnomAD --vcf gnomad.genomes.v4.1.sites.chr*.vcf.bgz --fields AF,AF_nfe,nhomalt -r GRCh38.fa -o gnomad.ndb\n  \
    norn db source ClinVar --vcf clinvar.vcf.gz --fields CLNSIG,CLNREVSTAT,ALLELEID -r GRCh38.fa -o clinvar.ndb\n  \
    norn db source dbSNP --vcf dbsnp.vcf.gz --fields ID --as ID=ID -r GRCh38.fa -o dbsnp.ndb\n  \
    norn db source CADD --tsv whole_genome_SNVs.tsv.gz --fields PHRED -o cadd.ndb\n  \
    norn db source repeats --bed rmsk.bed.gz --fields 4 --as 4=repeat -o repeats.ndb")]
struct SourceArguments {
    /// The source's name; fields are NAME_FIELD unless --as says otherwise
    name: String,

    /// VCF or BCF, one or several (one a chromosome), each sorted
    #[arg(long, value_name = "FILE", num_args = 1.., group = "files")]
    vcf: Vec<PathBuf>,

    /// Tables with a line of names, sorted; of commas or tabs, plain or compressed
    #[arg(long, value_name = "FILE", num_args = 1.., group = "files")]
    tsv: Vec<PathBuf>,

    /// BED: what overlaps
    #[arg(long, value_name = "FILE", num_args = 1.., group = "files")]
    bed: Vec<PathBuf>,

    /// Fields: INFO tags, ID, FILTER; columns of a table by name, of a BED by number
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',', required = true)]
    fields: Vec<String>,

    /// Names in the output; ID is the ID column
    #[arg(long = "as", value_name = "FIELD=NAME,...", value_delimiter = ',')]
    names: Vec<String>,

    /// Names of a table's columns [default: the usual ones]
    #[arg(long, value_name = "CHROM,POS,REF,ALT")]
    columns: Option<String>,

    /// The reference: alleles are aligned to the left
    #[arg(short, long, alias = "fasta", value_name = "FASTA")]
    reference: Option<PathBuf>,

    /// The database
    #[arg(short, long, value_name = "FILE.ndb")]
    output: PathBuf,
}

impl SourceArguments {
    fn run(&self) -> anyhow::Result<()> {
        let reference = self.reference.as_deref().map(Reference::open).transpose()?.map(Arc::new);
        let genome = reference.clone().map(Genome::new);
        let pair = reference.as_deref().zip(genome.as_ref());
        let plan = self.plan()?;
        let details = build::build(&plan, pair, &self.output)?;
        eprintln!("norn: {} of {}", details.count, plan.name);
        for (count, what) in [
            (details.duplicates, "alleles came again; the first ones count"),
            (details.symbolic, "alleles are no sequences; they are left out"),
        ] {
            if count > 0 {
                eprintln!("norn: {count} {what}");
            }
        }
        Ok(())
    }

    fn plan(&self) -> anyhow::Result<build::Plan> {
        let mut names = std::collections::HashMap::new();
        for pair in &self.names {
            let (from, name) = pair
                .split_once('=')
                .filter(|(from, _)| self.fields.iter().any(|field| field == from))
                .ok_or_else(|| UsageError::new(format!("--as: {pair:?} is no FIELD=NAME of a field")))?;
            names.insert(from, name.to_owned());
        }
        let field = |from: &String| {
            let name = names.get(from.as_str()).cloned().unwrap_or_else(|| format!("{}_{from}", self.name));
            let is_tag = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_.".contains(&letter));
            match is_tag && !name.is_empty() {
                true => Ok((from.clone(), name)),
                false => Err(UsageError::new(format!("{name:?} is no name of a tag (--as gives another)"))),
            }
        };
        let columns = self.columns.as_deref().map(|list| {
            let names: Vec<String> = list.split(',').map(str::to_owned).collect();
            <[String; 4]>::try_from(names)
                .map_err(|_| UsageError::new("--columns: expected four names".into()))
        });
        Ok(build::Plan {
            name: self.name.clone(),
            files: if !self.vcf.is_empty() {
                build::Files::Vcf(self.vcf.clone())
            } else if !self.tsv.is_empty() {
                build::Files::Table(self.tsv.clone())
            } else {
                build::Files::Bed(self.bed.clone())
            },
            fields: self.fields.iter().map(field).collect::<Result<_, _>>()?,
            columns: columns.transpose()?,
        })
    }
}

impl DbArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            DbCommand::Genes(arguments) => arguments.run()?,
            DbCommand::Source(arguments) => arguments.run()?,
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
        let (mut genes, passed_over) = gene_file::read(&self.gff, &reference, &genome)?;
        tell_genes(&passed_over);
        self.beside.mark(&mut genes, &genome, true)?;
        let files: Vec<&Path> = std::iter::once(self.gff.as_path()).chain(self.beside.files()).collect();
        gene_database::write(&genes, &files, &reference, &self.output)?;
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
