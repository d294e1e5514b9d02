//! `norn variants query`: bcftools query's options to a compiled format and one pass.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::FilterArguments;
use crate::cli::qc::{UsageError, default_threads};
use crate::compute::progress::Progress;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::reader::{Form, VariantReader};
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, OutputKind, VariantWriter};
use crate::variants::expression::{Expression, Scratch};
use crate::variants::pipeline::{self, Part, RecordProblem};
use crate::variants::query::{Query, QueryOptions};
use crate::variants::select::SelectSamples;

/// Print fields of a VCF in a format of one's own.
#[derive(Debug, Args)]
pub(super) struct QueryArguments {
    /// VCF, plain, gzipped or BGZF; `-` is standard input
    #[arg(default_value = "-", value_name = "IN.vcf[.gz]|-")]
    input: PathBuf,

    /// What is printed, for example '%CHROM\t%POS\t%INFO/AF[\t%SAMPLE=%GT]\n'
    #[arg(short, long, value_name = "FORMAT", required_unless_present_any = ["list_samples", "explain_filter"])]
    format: Option<String>,

    #[command(flatten)]
    filter: FilterArguments,

    /// Print this in place of the fields of samples that do not pass -i or -e
    #[arg(short = 'F', long, value_name = "TEXT")]
    print_filtered: Option<String>,

    /// Print a line of names; twice: without the columns' numbers
    #[arg(short = 'H', long, action = clap::ArgAction::Count)]
    print_header: u8,

    /// Print the samples' names and stop
    #[arg(short, long)]
    list_samples: bool,

    /// Do not end lines where the format does not
    #[arg(short = 'N', long)]
    disable_automatic_newline: bool,

    /// Where it goes [default: standard output]
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// Samples, in this order; ^ before the list leaves them out
    #[arg(short, long, value_name = "[^]LIST", conflicts_with = "samples_file")]
    samples: Option<String>,

    /// Samples of a file, one a line
    #[arg(short = 'S', long, value_name = "[^]FILE")]
    samples_file: Option<String>,

    /// Pass over samples that are not in the header
    #[arg(long)]
    force_samples: bool,

    /// Print . for tags that the header does not declare
    #[arg(short = 'u', long)]
    allow_undef_tags: bool,

    /// Worker threads [default: SLURM_CPUS_PER_TASK, else the cores that may be used]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// No progress on stderr
    #[arg(short, long)]
    quiet: bool,
}

impl QueryArguments {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut reader = VariantReader::open(&self.input)?;
        if reader.form() == Form::Bcf {
            return Err(UsageError::new("BCF is not read yet: give VCF".into()).into());
        }
        let chosen = self.chosen(reader.header())?;
        let mut header = reader.header().clone();
        let mut chain = Vec::new();
        let mut order: Vec<usize> = (0..header.samples().len()).collect();
        if let Some(chosen) = &chosen {
            // Expressions see the samples in the file's order, the format prints them in that of the list.
            let mut kept = chosen.clone();
            kept.sort_unstable();
            order = chosen.iter().filter_map(|number| kept.binary_search(number).ok()).collect();
            header.set_samples(kept.iter().filter_map(|&n| header.samples().get(n).cloned()).collect());
            chain.push(Part::Each(Box::new(SelectSamples(kept))));
        }
        let kind = OutputKind { is_bcf: false, level: None };
        if self.list_samples {
            let names: String = header.samples().iter().map(|name| format!("{name}\n")).collect();
            let mut writer = VariantWriter::create(&self.output, kind, None)?;
            writer.write_header(names.as_bytes())?;
            writer.finish()?;
            return Ok(ExitCode::SUCCESS);
        }
        let filter = self.filter.expression(&header)?;
        if let Some((expression, _)) = filter.as_ref().filter(|_| self.filter.explain_filter) {
            print!("{}", expression.explain());
            return Ok(ExitCode::SUCCESS);
        }
        let options = QueryOptions {
            allows_undeclared: self.allow_undef_tags,
            leaves_line_open: self.disable_automatic_newline,
            filtered: self.print_filtered.clone(),
        };
        let format = self.format.as_deref().unwrap_or_default();
        let query = Query::compile(format, &header, order, &options)
            .map_err(|error| UsageError::new(error.to_string()))?;
        let mut writer = VariantWriter::create(&self.output, kind, None)?;
        if self.print_header > 0 {
            let selects = filter.as_ref().is_some_and(|(expression, _)| expression.reads_samples());
            writer.write_header(&query.header_line(self.print_header == 1, selects))?;
        }
        let threads = self.threads.map_or_else(default_threads, usize::from);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let size = std::fs::metadata(&self.input).ok().filter(|m| m.is_file()).map(|m| m.len());
        let progress = Progress::new(size, "norn variants query", self.quiet);
        let tick = |bytes, records| progress.add(bytes, records);
        let print = |records: &[Record]| print(&query, filter.as_ref(), records);
        pipeline::run(&self.input, &mut reader, chain, &print, &mut writer, &pool, &tick)?;
        writer.finish()?;
        Ok(ExitCode::SUCCESS)
    }

    /// The numbers of the samples that are asked for, in their order.
    fn chosen(&self, header: &Header) -> anyhow::Result<Option<Vec<usize>>> {
        let (text, is_file) = match (&self.samples, &self.samples_file) {
            (Some(text), _) => (text, false),
            (None, Some(text)) => (text, true),
            (None, None) => return Ok(None),
        };
        let (list, leaves_out) = match text.strip_prefix('^') {
            Some(list) => (list, true),
            None => (text.as_str(), false),
        };
        let names: Vec<String> = if is_file {
            let text = std::fs::read_to_string(list)
                .map_err(|error| UsageError::new(format!("--samples-file {list}: {error}")))?;
            let name = |line: &str| line.split_whitespace().next().map(str::to_owned);
            text.lines().filter_map(name).collect()
        } else {
            list.split(',').map(str::to_owned).collect()
        };
        if let Some(unknown) = names.iter().find(|name| !header.samples().contains(name))
            && !self.force_samples
        {
            let what = format!("no sample {unknown:?} in the header (--force-samples goes on without it)");
            return Err(UsageError::new(what).into());
        }
        let number = |name: &String| header.samples().iter().position(|sample| sample == name);
        let mut numbers: Vec<usize> = names.iter().filter_map(number).collect();
        let mut seen = HashSet::new();
        numbers.retain(|number| seen.insert(*number));
        if leaves_out {
            numbers = (0..header.samples().len()).filter(|number| !seen.contains(number)).collect();
        }
        Ok(Some(numbers))
    }
}

/// Prints the records that pass, and of their samples those that do.
fn print(
    query: &Query,
    filter: Option<&(Expression, bool)>,
    records: &[Record],
) -> Result<Block, RecordProblem> {
    let mut block = Block::default();
    let (mut of_filter, mut of_format) = (Scratch::default(), Scratch::default());
    let mut passing = Vec::new();
    for record in records {
        let mut samples = None;
        if let Some((expression, excludes)) = filter {
            let verdict = expression.test(record, &mut of_filter)?;
            let passes = match (excludes, verdict.samples) {
                (false, of_samples) => {
                    samples = of_samples;
                    verdict.site
                }
                (true, Some(of_samples)) if verdict.site => {
                    passing.clear();
                    passing.extend(of_samples.iter().map(|passes| !passes));
                    samples = Some(&passing[..]);
                    passing.contains(&true)
                }
                (true, _) => !verdict.site,
            };
            if !passes {
                continue;
            }
        }
        query.print(record, samples, &mut of_format, &mut block.bytes)?;
    }
    Ok(block)
}
