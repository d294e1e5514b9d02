//! `norn variants stats`: bcftools stats' options to what is counted in one pass, of one file or of two.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::several::{self, plain};
use super::streams::{ConditionArguments, InputArguments, WorkerArguments};
use crate::cli::qc::UsageError;
use crate::formats::fasta::Reference;
use crate::formats::text;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, OutputKind, VariantWriter};
use crate::records::condition::Keep;
use crate::records::pipeline::{self, Part};
use crate::variants::stats::{DepthBins, Exons, Stats, StatsOptions, UserTag, samples_of};
use crate::variants::together::compare::{self, Comparison};
use crate::variants::together::input::Input;
use crate::variants::together::pairing::Pairing;
use crate::variants::view::{View, ViewOptions};

/// Count variants by kind, frequency, quality, length, depth and sample (bcftools stats).
#[derive(Debug, Args)]
pub struct StatsArguments {
    #[command(flatten)]
    input: InputArguments,

    /// A second file: sites of either alone and of both are counted apart, with -s also how far genotypes agree
    #[arg(value_name = "B.vcf.gz", conflicts_with = "split_by_id")]
    other: Option<PathBuf>,

    /// Of two files, what counts as one site: none (the same alleles), some (one of them), snps, indels, both, all
    #[arg(short, long, value_name = "KIND", default_value = "none", value_parser = pairing)]
    collapse: Pairing,

    #[command(flatten)]
    condition: ConditionArguments,

    /// Where it goes [default: standard output]
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// Borders of the bins of allele frequencies: a list with commas, or a file with one a line
    #[arg(short = 'a', long, value_name = "LIST|FILE")]
    af_bins: Option<String>,

    /// Take allele frequencies from this INFO tag [default: AC and AN, else the genotypes]
    #[arg(short = 'A', long, value_name = "TAG")]
    af_tag: Option<String>,

    /// Of sites with several alternate alleles count the first alone
    #[arg(short = '1', long = "1st-allele-only")]
    first_allele_only: bool,

    /// Bins of depths
    #[arg(short, long, value_name = "MIN,MAX,STEP", default_value = "0,500,1")]
    depth: String,

    /// Exons, for indels that shift the frame: contig, start and end, 1-based inclusive (in .bed 0-based)
    #[arg(short = 'E', long, value_name = "FILE")]
    exons: Option<PathBuf>,

    /// Only records that have one of these in FILTER, for example PASS,.
    #[arg(short = 'f', long, value_name = "LIST")]
    apply_filters: Option<String>,

    /// Reference, for the repeats in which indels lie
    #[arg(short = 'F', long, value_name = "FASTA")]
    fasta_ref: Option<PathBuf>,

    /// Count sites with an ID and those without one apart
    #[arg(short = 'I', long = "split-by-ID")]
    split_by_id: bool,

    /// Count the genotypes of these samples; - for all, ^ before the list leaves them out
    #[arg(
        short,
        long,
        value_name = "[^]LIST|-",
        allow_hyphen_values = true,
        conflicts_with = "samples_file"
    )]
    samples: Option<String>,

    /// Count the genotypes of the samples of a file, one a line
    #[arg(short = 'S', long, value_name = "[^]FILE")]
    samples_file: Option<String>,

    /// Count transitions and transversions by the values of an INFO tag; may be given several times
    #[arg(short, long, value_name = "TAG[[N]][:MIN:MAX:BINS]")]
    user_tstv: Vec<String>,

    /// Of two files with -s, also print how genotypes agree at each site
    #[arg(short, long)]
    verbose: bool,

    #[command(flatten)]
    workers: WorkerArguments,
}

fn pairing(text: &str) -> Result<Pairing, String> {
    Pairing::parse(text)
        .filter(|pairing| *pairing != Pairing::Id)
        .ok_or_else(|| "expected none, some, snps, indels, both or all".into())
}

impl StatsArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.other {
            Some(other) => self.run_two(other),
            None => self.run_one(),
        }
    }

    fn run_two(&self, other: &Path) -> anyhow::Result<ExitCode> {
        let paths = [self.input.input.clone(), other.to_owned()];
        let inputs: [Input; 2] = several::open(&paths, false)?
            .try_into()
            .map_err(|_| UsageError::new("two files are compared".into()))?;
        let headers = inputs.each_ref().map(Input::header);
        if self.condition.explained(headers[0])? {
            return Ok(ExitCode::SUCCESS);
        }
        let comparison = Comparison {
            pairing: self.collapse,
            conditions: [self.condition.compile(headers[0])?, self.condition.compile(headers[1])?],
            with_sites: self.verbose,
        };
        let mut options = self.options(headers[0])?;
        let chosen = options.samples.len();
        options.samples = samples_of(headers[1], &options.samples, false).0;
        if options.samples.len() < chosen {
            if options.samples.is_empty() {
                return Err(UsageError::new("--samples: the files have none of them in common".into()).into());
            }
            let name = other.display();
            eprintln!(
                "norn: {name}: {} of the samples are not in the header",
                chosen - options.samples.len()
            );
        }
        let stats = Stats::of_two(options, headers)?;
        let sieve = self.input.sieve(self.apply_filters.as_deref())?;
        let mut writer = self.writer()?;
        let names = paths.map(|path| path.display().to_string());
        writer.write_header(stats.heading(&names, self.verbose).as_bytes())?;
        let pool = self.workers.pool()?;
        let commit = |bytes| Ok(writer.write(&Block { bytes, ..Block::default() })?);
        compare::compare(inputs.into(), sieve, &comparison, &stats, &pool, commit).map_err(plain)?;
        writer.write_header(stats.body().as_bytes())?;
        writer.finish()?;
        Ok(ExitCode::SUCCESS)
    }

    /// Where the report goes.
    fn writer(&self) -> anyhow::Result<VariantWriter> {
        let kind = OutputKind { is_bcf: false, level: None };
        Ok(VariantWriter::create(&self.output, kind, None, &Header::default())?)
    }

    fn run_one(&self) -> anyhow::Result<ExitCode> {
        let (mut reader, mut chain) = self.input.open()?;
        let header = reader.header().clone();
        if self.condition.explained(&header)? {
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(filters) = &self.apply_filters {
            let filters = filters.split(',').map(str::to_owned).collect();
            let options = ViewOptions { filters, ..ViewOptions::default() };
            chain.push(Part::Each(Box::new(View::new(options, &header))));
        }
        if let Some(condition) = self.condition.compile(&header)? {
            chain.push(Part::Each(Box::new(Keep(condition))));
        }
        let stats = Stats::new(self.options(&header)?, &header)?;
        let mut writer = self.writer()?;
        let pool = self.workers.pool()?;
        let progress = self.workers.progress(&self.input.input, "norn variants stats");
        let tick = |bytes, records| progress.add(bytes, records);
        let count = |records: &[Record]| stats.observe(records).map(|()| Block::default());
        pipeline::run(&self.input.input, &mut reader, chain, &count, &mut writer, &pool, &tick)?;
        writer.write_header(stats.report(&[self.input.input.display().to_string()]).as_bytes())?;
        writer.finish()?;
        Ok(ExitCode::SUCCESS)
    }

    fn options(&self, header: &Header) -> anyhow::Result<StatsOptions> {
        let wrong =
            |option: &str, text: &str| UsageError::new(format!("{option}: {text:?} is not understood"));
        let frequency_borders = self.af_bins.as_deref().map(borders).transpose()?;
        let depths = DepthBins::parse(&self.depth).ok_or_else(|| wrong("--depth", &self.depth))?;
        let user_tags = self
            .user_tstv
            .iter()
            .map(|text| UserTag::parse(text).ok_or_else(|| wrong("--user-tstv", text)))
            .collect::<Result<_, _>>()?;
        Ok(StatsOptions {
            first_allele_only: self.first_allele_only,
            frequency_borders,
            frequency_tag: self.af_tag.clone(),
            depths,
            exons: self.exons.as_deref().map(Exons::read).transpose()?,
            reference: self.fasta_ref.as_deref().map(Reference::open).transpose()?,
            by_id: self.split_by_id,
            user_tags,
            samples: self.chosen(header)?,
        })
    }

    /// The samples that are asked for, by name.
    fn chosen(&self, header: &Header) -> anyhow::Result<Vec<String>> {
        let Some(list) = self.samples.as_ref().or(self.samples_file.as_ref()) else { return Ok(Vec::new()) };
        let (excludes, list) = list.strip_prefix('^').map_or((false, list.as_str()), |rest| (true, rest));
        let names = match self.samples_file {
            Some(_) => lines_of(Path::new(list))?,
            None => list.split(',').map(str::to_owned).collect(),
        };
        let (chosen, unknown) = samples_of(header, &names, excludes);
        if chosen.is_empty() {
            return Err(UsageError::new("--samples: none of them is in the header".into()).into());
        }
        if !unknown.is_empty() {
            eprintln!("norn: {} of the samples asked for are not in the header", unknown.len());
        }
        Ok(chosen)
    }
}

/// The borders of `--af-bins`: ascending, from 0 to 1.
fn borders(text: &str) -> anyhow::Result<Vec<f32>> {
    let words: Vec<String> = if text.contains(',') {
        text.split(',').map(str::to_owned).collect()
    } else {
        lines_of(Path::new(text))?
    };
    let borders: Option<Vec<f32>> = words.iter().map(|word| word.trim().parse().ok()).collect();
    let is_sound = |borders: &Vec<f32>| {
        borders.len() > 1
            && borders.iter().all(|border| (0.0..=1.0).contains(border))
            && borders.windows(2).all(|pair| pair[0] < pair[1])
    };
    let wrong = || UsageError::new("--af-bins: expected two or more numbers from 0 to 1, ascending".into());
    Ok(borders.filter(is_sound).ok_or_else(wrong)?)
}

/// The lines of a file that are not empty.
fn lines_of(path: &Path) -> anyhow::Result<Vec<String>> {
    let mut reader = text::open(path).with_context(|| path.display().to_string())?;
    let (mut line, mut lines) = (Vec::new(), Vec::new());
    while text::read_line(&mut *reader, &mut line).with_context(|| path.display().to_string())? {
        let word = String::from_utf8_lossy(&line);
        if let Some(word) = word.split_ascii_whitespace().next() {
            lines.push(word.to_owned());
        }
    }
    Ok(lines)
}
