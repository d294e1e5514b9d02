//! `norn variants index`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;

use super::streams::WorkerArguments;
use crate::cli::qc::UsageError;
use crate::formats::binning::Scheme;
use crate::formats::vcf::index::VariantIndex;
use crate::formats::vcf::reader::VariantReader;
use crate::variants::index::{self, Kind};

/// Index a file that is there, or count its records by the index (bcftools index).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    norn variants index calls.vcf.gz       calls.vcf.gz.csi\n  \
    norn variants index -t calls.vcf.gz    calls.vcf.gz.tbi\n  \
    norn variants index -s calls.bcf       contigs, their lengths and records")]
pub struct IndexArguments {
    /// VCF or BCF as BGZF, `-` for standard input; with -n and -s also the index itself
    #[arg(default_value = "-", value_name = "IN.vcf.gz|IN.bcf|-")]
    input: PathBuf,

    /// Make a .csi (default)
    #[arg(short, long)]
    csi: bool,

    /// Make a .tbi
    #[arg(short, long, conflicts_with = "csi")]
    tbi: bool,

    /// Write over an index that is there, and index a file that may be truncated
    #[arg(short, long)]
    force: bool,

    /// The smallest windows of a .csi are of 2^N bases [default: 14]
    #[arg(short, long, value_name = "N", conflicts_with = "tbi", value_parser = clap::value_parser!(u32).range(0..=30))]
    min_shift: Option<u32>,

    /// Where the index goes [default: the input's name with .csi or .tbi]
    #[arg(short, long, alias = "output-file", value_name = "FILE")]
    output: Option<PathBuf>,

    /// With --stats, also contigs without records
    #[arg(short, long, requires = "stats")]
    all: bool,

    /// Print how many records there are, by the index
    #[arg(short, long, conflicts_with = "stats")]
    nrecords: bool,

    /// Print contigs, their lengths and how many records each has, by the index
    #[arg(short, long)]
    stats: bool,

    #[command(flatten)]
    workers: WorkerArguments,
}

impl IndexArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        if self.nrecords || self.stats {
            io::stdout().write_all(self.counts()?.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let kind = match self.min_shift {
            // As in bcftools.
            Some(0) => Kind::Tbi,
            _ if self.tbi => Kind::Tbi,
            shift => Kind::Csi { shift: shift.unwrap_or(Scheme::CSI_SHIFT) },
        };
        let output = match &self.output {
            Some(output) => output.clone(),
            None if self.input == Path::new("-") => {
                return Err(
                    UsageError::new("the index of standard input needs a name: -o FILE".into()).into()
                );
            }
            None => with_ending(&self.input, if kind == Kind::Tbi { ".tbi" } else { ".csi" }),
        };
        if !self.force && is_up_to_date(&output, &self.input) {
            let what = format!("{} is there already: -f writes over it", output.display());
            return Err(UsageError::new(what).into());
        }
        let pool = self.workers.pool()?;
        let progress = self.workers.progress(&self.input, "norn variants index");
        let tick = |bytes, records| progress.add(bytes, records);
        index::index(&self.input, &output, kind, self.force, &pool, &tick)?;
        Ok(ExitCode::SUCCESS)
    }

    fn counts(&self) -> anyhow::Result<String> {
        let is_index = self.input.extension().is_some_and(|ending| ending == "csi" || ending == "tbi");
        let file = if is_index { self.input.with_extension("") } else { self.input.clone() };
        let index = if is_index {
            VariantIndex::read(&self.input).with_context(|| self.input.display().to_string())?
        } else {
            let index = VariantIndex::beside(&file);
            let index =
                index.map_err(|(path, source)| anyhow!(source).context(path.display().to_string()))?;
            index.ok_or_else(|| {
                anyhow!("{}: it has no index (norn variants index makes one)", file.display())
            })?
        };
        let counts = index.counts();
        let total: u64 = counts.iter().flatten().sum();
        if counts.iter().any(Option::is_none) && total == 0 && file.is_file() {
            let has_records = VariantReader::open(&file)?.next_batch()?.is_some();
            if has_records {
                return Err(anyhow!("{}: its index has no counts (-f makes it anew)", file.display()));
            }
        }
        if self.nrecords {
            return Ok(format!("{total}\n"));
        }
        let reader = (!is_index || file.is_file()).then(|| VariantReader::open(&file)).transpose()?;
        let dictionary = reader.as_ref().and_then(VariantReader::dictionary);
        let mut out = String::new();
        for (number, count) in counts.into_iter().enumerate() {
            if count.unwrap_or(0) == 0 && !self.all {
                continue;
            }
            let count = count.map_or(".".to_owned(), |count| count.to_string());
            let named = index.names().get(number).map(Vec::as_slice);
            let name = named.or_else(|| dictionary.as_ref()?.contig(number));
            let name = name.map_or("n/a".into(), String::from_utf8_lossy);
            let contigs = reader.iter().flat_map(|reader| reader.header().contigs());
            let length = contigs.filter(|(contig, _)| *contig == name).find_map(|(_, length)| *length);
            let length = length.map_or(".".to_owned(), |length| length.to_string());
            out += &format!("{name}\t{length}\t{count}\n");
        }
        Ok(out)
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Whether an index is there and not older than its file.
fn is_up_to_date(index: &Path, file: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    changed(index).is_some_and(|index| changed(file).is_none_or(|file| file <= index))
}
