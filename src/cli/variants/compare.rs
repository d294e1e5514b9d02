//! `norn variants compare`: hap.py's arguments and files to one pass over truth and query.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::several::{self, plain};
use super::streams::WorkerArguments;
use crate::cli::qc::UsageError;
use crate::formats::bgzf_writer::{BgzfWriter, Level};
use crate::formats::fasta::Reference;
use crate::formats::output::{AtomicFile, OutputError};
use crate::formats::vcf::header::{Header, MetaLine};
use crate::formats::vcf::writer::{IndexFormat, OutputKind, VariantWriter};
use crate::report::run_file::{Run, RunFile};
use crate::variants::compare::counts::Filter;
use crate::variants::compare::strata::Strata;
use crate::variants::compare::tables::{self, Row, Tables};
use crate::variants::compare::{self, HEADER, Kind, LeftOut, Phase, Plan, Rules, Score, Totals};
use crate::variants::output::OutputForm;
use crate::variants::regions::{Overlap, Regions, Source};
use crate::variants::together::TogetherError;
use crate::variants::together::input::Sieve;

/// A `.tbi` holds no positions behind this.
const LAST_OF_TBI: u64 = 1 << 29;

/// Compare calls with a truth by haplotypes: precision, recall, strata, curves (hap.py with vcfeval).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    norn variants compare truth.vcf.gz calls.vcf.gz -r GRCh38.fa -f confident.bed -o out/HG002\n  \
    norn variants compare truth.vcf.gz calls.vcf.gz -r GRCh38.fa --strata strata.tsv --roc GQ -o out/HG002\n\n\
    Makes PREFIX.summary.csv, .extended.csv, .roc.*.csv.gz, .vcf.gz with its index, .json and .run.json.")]
pub struct CompareArguments {
    /// The truth: VCF or BCF, plain, gzipped or BGZF
    truth: PathBuf,

    /// The calls
    query: PathBuf,

    /// Reference
    #[arg(short, long, value_name = "FASTA")]
    reference: PathBuf,

    /// Beginning of the outputs' names
    #[arg(short, long, alias = "report-prefix", value_name = "PREFIX")]
    output: PathBuf,

    /// Confident regions: calls outside are not assessed (UNK), the truth outside does not count
    #[arg(short = 'f', long, alias = "false-positives", value_name = "BED")]
    confident: Option<PathBuf>,

    /// Strata that are counted apart: a name and a BED a line, between them a tab
    #[arg(long, alias = "stratification", value_name = "TSV")]
    strata: Option<PathBuf>,

    /// The score of the curves: QUAL, INFO/TAG, FMT/TAG
    #[arg(long, value_name = "FIELD", default_value = "QUAL")]
    roc: String,

    /// A curve has a row for each multiple of this that a score reaches
    #[arg(long, value_name = "STEP", default_value_t = 0.5)]
    roc_delta: f64,

    /// No curves
    #[arg(long)]
    no_roc: bool,

    /// No annotated VCF
    #[arg(long)]
    no_vcf: bool,

    /// Look at calls that pass their filters only
    #[arg(long)]
    pass_only: bool,

    /// Take the truth's records that failed a filter, too
    #[arg(long)]
    usefiltered_truth: bool,

    /// The truth's sample [default: its only one]
    #[arg(long, value_name = "NAME")]
    truth_sample: Option<String>,

    /// The calls' sample [default: its only one]
    #[arg(long, value_name = "NAME")]
    query_sample: Option<String>,

    /// Compare alleles, whatever the genotypes
    #[arg(long)]
    squash_ploidy: bool,

    /// Lay phased genotypes on the haplotypes as they are written [default: either way round]
    #[arg(long)]
    obey_phase: bool,

    /// Calls with fewer bases than this between them are near (lm, FP.al)
    #[arg(long, alias = "scmp-distance", value_name = "BASES", default_value_t = 30)]
    loose_match_distance: u32,

    /// Only these regions, through the indices: chr, chr:pos, chr:from-to, chr:from-
    #[arg(short, long, value_name = "REGION,...", conflicts_with = "restrict_regions")]
    location: Option<String>,

    /// Only the regions of a file, through the indices
    #[arg(short = 'R', long, alias = "regions-file", value_name = "FILE")]
    restrict_regions: Option<PathBuf>,

    /// Only records whose POS is in the regions of a file
    #[arg(short = 'T', long, alias = "targets-file", value_name = "FILE")]
    target_regions: Option<PathBuf>,

    #[command(flatten)]
    workers: WorkerArguments,
}

impl CompareArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let begun = Run::begin();
        let inputs = [self.truth.clone(), self.query.clone()];
        let files = several::open(&inputs, false)?;
        let samples = [
            sample(files[0].header(), &self.truth, self.truth_sample.as_deref(), "--truth-sample")?,
            sample(files[1].header(), &self.query, self.query_sample.as_deref(), "--query-sample")?,
        ];
        let plan = self.plan(samples)?;
        let reference = Arc::new(Reference::open(&self.reference)?);
        let mut outputs = Vec::new();
        let mut path = |ending: &str| {
            let mut name = self.output.clone().into_os_string();
            name.push(ending);
            outputs.push(PathBuf::from(&name));
            PathBuf::from(name)
        };
        let header = header(&reference, files[1].header());
        let pool = self.workers.pool()?;
        let kind = OutputKind { is_bcf: false, level: Some(Level::default()) };
        let form = OutputForm::new(header, kind, plan.with_rows);
        let mut writer = match plan.with_rows {
            true => Some(writer(&path(".vcf.gz"), kind, &form, &reference)?),
            false => None,
        };
        let found = compare::compare(
            files,
            self.sieve()?,
            Arc::clone(&reference),
            &plan,
            &form,
            &pool,
            |block| -> Result<(), TogetherError> {
                Ok(writer.iter_mut().try_for_each(|writer| pool.install(|| writer.write(&block)))?)
            },
        );
        let totals = found.map_err(plain)?;
        let known_bases = pool.install(|| reference.known_bases())?;
        let subsets = plan.strata.subsets();
        let tables =
            Tables { totals: &totals, subsets, known_bases, score: self.roc.clone(), step: self.roc_delta };
        if let Some(writer) = writer {
            writer.finish()?;
        }
        let (summary, extended) = (tables.summary(), tables.extended());
        write(&path(".summary.csv"), &tables::csv(&summary))?;
        write(&path(".extended.csv"), &tables::csv(&extended))?;
        if plan.with_curves {
            let mut all = extended.clone();
            for kind in Kind::ALL {
                for (filter, ending) in Filter::BOTH.into_iter().zip(["", ".PASS"]) {
                    let curve = tables.curve(kind, filter);
                    let name = format!(".roc.Locations.{}{ending}.csv.gz", kind.name());
                    write_compressed(&path(&name), &curve, &extended)?;
                    all.extend(curve);
                }
            }
            write_compressed(&path(".roc.all.csv.gz"), &all, &extended)?;
        }
        let report = report(&totals, &summary, &extended);
        write(&path(".json"), &format!("{report:#}\n"))?;
        if !self.workers.is_quiet() {
            print!("{}", tables::aligned(&summary));
        }
        tell(&totals);
        let mut name = self.output.clone().into_os_string();
        name.push(".run.json");
        let run = RunFile {
            command: "variants compare",
            inputs: &inputs,
            checksum: false,
            parameters: self.parameters(),
            outputs: &outputs,
            threads: self.workers.threads(),
            ranks: 1,
        };
        begun.write(Path::new(&name), &run)?;
        Ok(ExitCode::SUCCESS)
    }

    fn plan(&self, samples: [usize; 2]) -> anyhow::Result<Plan> {
        let score: Score = self.roc.parse().map_err(|error| UsageError::new(format!("--roc: {error}")))?;
        if !(self.roc_delta.is_finite() && self.roc_delta > 0.0) {
            return Err(UsageError::new("--roc-delta: expected a number above 0".into()).into());
        }
        Ok(Plan {
            samples,
            only_passing: [!self.usefiltered_truth, self.pass_only],
            rules: Rules {
                by_genotype: !self.squash_ploidy,
                phase: if self.obey_phase { Phase::AsWritten } else { Phase::Any },
                distance: i64::from(self.loose_match_distance),
            },
            strata: Strata::read(self.confident.as_deref(), self.strata.as_deref())?,
            score,
            step: self.roc_delta,
            with_curves: !self.no_roc,
            with_rows: !self.no_vcf,
        })
    }

    fn sieve(&self) -> anyhow::Result<Sieve> {
        let source = match (&self.location, &self.restrict_regions) {
            (Some(list), _) => Some(Source::List(list)),
            (_, Some(path)) => Some(Source::File(path)),
            _ => None,
        };
        let regions = source.map(Regions::read).transpose()?;
        let targets =
            self.target_regions.as_deref().map(|path| Regions::read(Source::File(path))).transpose()?;
        Ok(Sieve {
            regions: regions.map(|regions| (regions, Overlap::Record)),
            targets: targets.map(|targets| (targets, Overlap::Position, false)),
            filters: None,
        })
    }

    fn parameters(&self) -> serde_json::Value {
        json!({
            "reference": self.reference,
            "confident": self.confident,
            "strata": self.strata,
            "roc": self.roc,
            "roc_delta": self.roc_delta,
            "pass_only": self.pass_only,
            "usefiltered_truth": self.usefiltered_truth,
            "squash_ploidy": self.squash_ploidy,
            "obey_phase": self.obey_phase,
            "loose_match_distance": self.loose_match_distance,
            "location": self.location,
            "restrict_regions": self.restrict_regions,
            "target_regions": self.target_regions,
        })
    }
}

/// The number of a sample: the named one, or the only one.
fn sample(header: &Header, path: &Path, name: Option<&str>, option: &str) -> Result<usize, UsageError> {
    let samples = header.samples();
    match name {
        Some(name) => samples
            .iter()
            .position(|sample| sample == name)
            .ok_or_else(|| UsageError::new(format!("{}: there is no sample {name}", path.display()))),
        None if samples.len() == 1 => Ok(0),
        None => Err(UsageError::new(format!(
            "{}: it has {} samples; one is compared ({option})",
            path.display(),
            samples.len()
        ))),
    }
}

/// The header of the annotated VCF: the reference's contigs, the query's filters, our fields.
fn header(reference: &Reference, query: &Header) -> Header {
    let mut lines = vec!["##fileformat=VCFv4.2".to_owned()];
    let filters = query.lines().iter().filter(|line| line.key() == "FILTER");
    lines.extend(filters.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()));
    lines.extend(HEADER.map(str::to_owned));
    let contigs = reference.contigs().iter();
    lines.extend(contigs.map(|(name, length)| format!("##contig=<ID={name},length={length}>")));
    lines.push(format!("##norn_variants_compareVersion={}", env!("CARGO_PKG_VERSION")));
    let mut header = Header::default();
    header.set_lines(lines.iter().map(|line| MetaLine::parse(line.as_bytes())).collect());
    header.set_samples(vec!["TRUTH".into(), "QUERY".into()]);
    header
}

fn writer(
    path: &Path,
    kind: OutputKind,
    form: &OutputForm,
    reference: &Reference,
) -> anyhow::Result<VariantWriter> {
    let is_short = reference.contigs().iter().all(|(_, length)| *length < LAST_OF_TBI);
    let index = if is_short { IndexFormat::Tbi } else { IndexFormat::Csi };
    let mut writer = VariantWriter::create(path, kind, Some(index), form.header())?;
    writer.write_header(&form.header_bytes())?;
    Ok(writer)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(|source| OutputError { path: path.to_owned(), source })?;
    Ok(file.commit()?)
}

/// Writes a table as gzip; without rows it has the header of another.
fn write_compressed(path: &Path, rows: &[Row], other: &[Row]) -> anyhow::Result<()> {
    let text = match rows {
        [] => tables::csv(other).lines().take(1).map(|line| format!("{line}\n")).collect(),
        rows => tables::csv(rows),
    };
    let mut writer = BgzfWriter::new(AtomicFile::create(path)?, Level::default());
    let written = writer.write_all(text.as_bytes()).and_then(|()| writer.finish());
    written.map_err(|source| OutputError { path: path.to_owned(), source })?;
    Ok(writer.into_inner().commit()?)
}

fn report(totals: &Totals, summary: &[Row], extended: &[Row]) -> serde_json::Value {
    let side = |side: usize| {
        let reasons = LeftOut::NAMES.iter().zip(totals.left_out.0[side]);
        let left_out: serde_json::Map<_, _> =
            reasons.map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
        json!({"compared": totals.compared[side], "left_out": left_out})
    };
    let effort = totals.effort;
    json!({
        "truth": side(0),
        "query": side(1),
        "clusters": {
            "all": effort.clusters,
            "searched": effort.searched,
            "too_complex": effort.too_complex,
            "calls_given_up": effort.given_up,
            "calls_too_long": effort.long,
        },
        "summary": tables::json(summary),
        "extended": tables::json(extended),
    })
}

/// Tells what could not be compared as it should.
fn tell(totals: &Totals) {
    for (side, name) in ["truth", "query"].iter().enumerate() {
        for (reason, count) in LeftOut::NAMES.iter().zip(totals.left_out.0[side]) {
            if count > 0 && !matches!(*reason, "no_variant" | "filtered") {
                eprintln!("norn: {count} records of the {name} are left out: {reason}");
            }
        }
    }
    let effort = totals.effort;
    if effort.too_complex > 0 {
        eprintln!(
            "norn: {} calls of {} stretches that are too complex were compared as they are written",
            effort.given_up, effort.too_complex
        );
    }
}
