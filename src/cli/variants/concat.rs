//! `norn variants concat`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::several::{self, SeveralArguments, plain};
use super::streams::OutputArguments;
use crate::cli::qc::UsageError;
use crate::formats::vcf::reader::Form;
use crate::report::run_file::Run;
use crate::variants::together::ligate::{Imperfect, LigateOptions};
use crate::variants::together::pairing::Pairing;
use crate::variants::together::{concat, ligate, naive};

/// Files of the same samples one behind another, or all records in one order (bcftools concat).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    norn variants concat -o all.vcf.gz -W chr1.vcf.gz chr2.vcf.gz chr3.vcf.gz   contigs one behind another\n  \
    norn variants concat -a -D -o all.vcf.gz -W snvs.vcf.gz indels.vcf.gz       in one order, duplicates once\n  \
    norn variants concat -l -o all.bcf chunk1.bcf chunk2.bcf chunk3.bcf         phase carried over the overlaps\n  \
    norn variants concat -n -f list.txt -o all.bcf                             blocks as they are, at the disk's speed")]
pub struct ConcatArguments {
    #[command(flatten)]
    several: SeveralArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// The files overlap: put all records in one order
    #[arg(short, long)]
    allow_overlaps: bool,

    /// With -a, of records that several files have take the first file's: snps, indels, both, all, exact
    #[arg(short = 'd', long, value_name = "KIND", value_parser = pairing)]
    rm_dups: Option<Pairing>,

    /// The same as -d exact
    #[arg(short = 'D', long)]
    remove_duplicates: bool,

    /// A list of files, one a line
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with = "files")]
    file_list: Option<PathBuf>,

    /// Leave out the genotypes
    #[arg(short = 'G', long)]
    drop_genotypes: bool,

    /// Chunks of phased genotypes, each overlapping the next: match their phase (PQ, PS)
    #[arg(short, long)]
    ligate: bool,

    /// As -l, and keep sites of an overlap that one file does not have
    #[arg(long, conflicts_with = "ligate_warn")]
    ligate_force: bool,

    /// As -l, and leave such sites out
    #[arg(long)]
    ligate_warn: bool,

    /// With -l, write PS where it changes, not in each record
    #[arg(short, long = "compact-PS")]
    compact_ps: bool,

    /// With -l, end a phase set where PQ is below this
    #[arg(short = 'q', long = "min-PQ", value_name = "N", default_value_t = 30)]
    min_pq: i32,

    /// Copy compressed blocks as they are; the headers must declare the same in the same order
    #[arg(short, long)]
    naive: bool,

    /// The same without a look at the headers
    #[arg(long)]
    naive_force: bool,
}

fn pairing(text: &str) -> Result<Pairing, String> {
    Pairing::parse(text)
        .filter(|pairing| !matches!(pairing, Pairing::Some | Pairing::Id))
        .ok_or_else(|| "expected snps, indels, both, all or exact".into())
}

impl ConcatArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let begun = Run::begin();
        let paths = self.several.paths(self.file_list.as_deref())?;
        let remove = self.rm_dups.or(self.remove_duplicates.then_some(Pairing::Exact));
        self.check(remove.is_some())?;
        if self.naive || self.naive_force {
            if !self.naive_force {
                naive::check(&paths).map_err(plain)?;
            }
            naive::concat(&paths, &self.output.output, self.form()?).map_err(plain)?;
        } else if self.ligates() {
            self.ligate(&paths)?;
        } else {
            self.write(&paths, remove)?;
        }
        self.output.write_run_file("concat", &begun, &paths, 1)?;
        Ok(ExitCode::SUCCESS)
    }

    fn ligates(&self) -> bool {
        self.ligate || self.ligate_force || self.ligate_warn
    }

    fn ligate(&self, paths: &[PathBuf]) -> anyhow::Result<()> {
        let inputs = several::open(paths, self.output.kind()?.is_bcf)?;
        let files = inputs.iter().map(|input| (input.path(), input.header()));
        let mut header = concat::header(files, false).map_err(plain)?;
        ligate::declare(&mut header);
        let (form, mut writer) = self.output.open("concat", header)?;
        let options = LigateOptions {
            imperfect: match (self.ligate_force, self.ligate_warn) {
                (true, _) => Imperfect::Keep,
                (_, true) => Imperfect::Drop,
                _ => Imperfect::Refuse,
            },
            compact_sets: self.compact_ps,
            least_quality: self.min_pq,
        };
        let pool = self.output.pool()?;
        let dropped = ligate::ligate(inputs, options, &form, &mut writer, &pool).map_err(plain)?;
        if dropped > 0 {
            eprintln!("norn: {dropped} sites of overlaps are in one file alone and were left out");
        }
        Ok(writer.finish()?)
    }

    fn write(&self, paths: &[PathBuf], remove: Option<Pairing>) -> anyhow::Result<()> {
        let kind = self.output.kind()?;
        let inputs = several::open(paths, kind.is_bcf)?;
        let files = inputs.iter().map(|input| (input.path(), input.header()));
        let header = concat::header(files, self.drop_genotypes).map_err(plain)?;
        let (form, mut writer) = self.output.open("concat", header)?;
        let pool = self.output.pool()?;
        if self.allow_overlaps {
            let pairing = remove.unwrap_or(Pairing::Exact);
            let sieve = self.several.sieve()?;
            concat::together(
                inputs,
                sieve,
                pairing,
                remove.is_some(),
                self.drop_genotypes,
                &form,
                &mut writer,
                &pool,
            )
            .map_err(plain)?;
        } else {
            drop(inputs);
            let progress = self.output.progress(paths, "norn variants concat");
            let tick = |bytes, records| progress.add(bytes, records);
            concat::one_behind_another(paths, self.drop_genotypes, &form, &mut writer, &pool, &tick)
                .map_err(plain)?;
        }
        Ok(writer.finish()?)
    }

    fn check(&self, removes: bool) -> Result<(), UsageError> {
        let is_naive = self.naive || self.naive_force;
        let refuse = |what: &str| Err(UsageError::new(what.to_owned()));
        match () {
            () if self.ligates() && self.allow_overlaps => {
                refuse("-l does not go with -a: it takes overlaps anyway")
            }
            () if self.ligates() && is_naive => refuse("--naive does not go with -l"),
            () if self.ligates() && self.drop_genotypes => refuse("-l does not go with -G"),
            () if self.compact_ps && !self.ligates() => refuse("-c goes with -l"),
            () if removes && !self.allow_overlaps => refuse("-d and -D go with -a"),
            () if self.several.has_regions() && !self.allow_overlaps => refuse("-r and -R go with -a"),
            () if is_naive && self.allow_overlaps => refuse("--naive does not go with -a"),
            () if is_naive && self.drop_genotypes => refuse("--naive does not go with -G"),
            () if is_naive && self.output.wants_index() => refuse("--naive does not go with --write-index"),
            () => Ok(()),
        }
    }

    /// The form that -O asks for.
    fn form(&self) -> Result<Option<Form>, UsageError> {
        if !self.output.has_kind() {
            return Ok(None);
        }
        let kind = self.output.kind()?;
        if kind.level.is_none() {
            return Err(UsageError::new("--naive writes compressed files (-O z or b)".into()));
        }
        Ok(Some(if kind.is_bcf { Form::Bcf } else { Form::Text }))
    }
}
