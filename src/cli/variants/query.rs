//! `norn variants query`: bcftools query's options to a compiled format and one pass.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::several;
use super::streams::{ConditionArguments, InputArguments, WorkerArguments};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, OutputKind, VariantWriter};
use crate::records::condition::{Choice, Condition};
use crate::records::expression::Scratch;
use crate::records::pipeline::{Part, RecordProblem};
use crate::variants::query::{Query, QueryOptions};
use crate::variants::ranks::{self, Pass};
use crate::variants::samples::{self, SelectSamples};

/// Print fields of a VCF in a format of one's own.
#[derive(Debug, Args)]
pub(super) struct QueryArguments {
    #[command(flatten)]
    input: InputArguments,

    /// What is printed, for example '%CHROM\t%POS\t%INFO/AF[\t%SAMPLE=%GT]\n'
    #[arg(short, long, value_name = "FORMAT", required_unless_present_any = ["list_samples", "explain_filter"])]
    format: Option<String>,

    #[command(flatten)]
    condition: ConditionArguments,

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

    /// The files of a list, one a line, one behind the other as if they were one; their samples are the same
    #[arg(short = 'v', long, value_name = "FILE")]
    vcf_list: Option<PathBuf>,

    /// Print . for tags that the header does not declare
    #[arg(short = 'u', long)]
    allow_undef_tags: bool,

    #[command(flatten)]
    workers: WorkerArguments,
}

impl QueryArguments {
    /// Runs the command.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let inputs = match &self.vcf_list {
            Some(list) => several::listed(list)?,
            None => vec![self.input.input.clone()],
        };
        let Some(first) = inputs.first() else {
            return Err(UsageError::new("--vcf-list: the list is empty".into()).into());
        };
        let kind = OutputKind { is_bcf: false, level: None };
        let create = |path: &Path| VariantWriter::create(path, kind, None, &Header::default());
        if self.list_samples {
            let mut header = self.input.of(first).open()?.0.header().clone();
            if let Some(places) = self.chosen(&header)? {
                header.set_samples(places.iter().filter_map(|&n| header.samples().get(n).cloned()).collect());
            }
            let names: String = header.samples().iter().map(|name| format!("{name}\n")).collect();
            if ranks.is_root() {
                let mut writer = create(&self.output)?;
                writer.write_header(names.as_bytes())?;
                writer.finish()?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let pool = self.workers.pool()?;
        let progress = self.workers.progress_of(&inputs, "norn variants query");
        let (writer, mut of_first) = (Cell::new(None), None);
        for input in &inputs {
            let is_first = of_first.is_none();
            let (mut reader, mut chain) = self.input.of(input).open()?;
            let mut header = reader.header().clone();
            let samples = of_first.get_or_insert_with(|| header.samples().to_vec());
            if samples != header.samples() {
                anyhow::bail!("{} has other samples than {}", input.display(), first.display());
            }
            let mut order: Vec<usize> = (0..header.samples().len()).collect();
            if let Some(chosen) = self.chosen(&header)? {
                // Expressions see the samples in the file's order, the format prints them in that of the list.
                let mut kept = chosen.clone();
                kept.sort_unstable();
                order = chosen.iter().filter_map(|number| kept.binary_search(number).ok()).collect();
                header.set_samples(kept.iter().filter_map(|&n| header.samples().get(n).cloned()).collect());
                chain.push(Part::Each(Box::new(SelectSamples(kept))));
            }
            if self.condition.explained(&header)? {
                return Ok(ExitCode::SUCCESS);
            }
            let condition = self.condition.compile(&header)?;
            let options = QueryOptions {
                allows_undeclared: self.allow_undef_tags,
                leaves_line_open: self.disable_automatic_newline,
                filtered: self.print_filtered.clone(),
            };
            let format = self.format.as_deref().unwrap_or_default();
            let query = Query::compile(format, &header, order, &options)
                .map_err(|error| UsageError::new(error.to_string()))?;
            let header_line = (self.print_header > 0 && is_first).then(|| {
                let selects = condition.as_ref().is_some_and(|c| c.expression().reads_samples());
                query.header_line(self.print_header == 1, selects)
            });
            // Of several files the later ones are printed behind the first, into what is open.
            let open = Cell::new(writer.take());
            let create = |part: Option<&Path>| {
                if let (None, Some(writer)) = (part, open.take()) {
                    return Ok(writer);
                }
                let mut writer = create(part.unwrap_or(&self.output))?;
                if let (Some(line), None) = (&header_line, part) {
                    writer.write_header(line)?;
                }
                Ok(writer)
            };
            let pass = Pass {
                path: input,
                reader: &mut reader,
                chain,
                format: &|records: &[Record]| print(&query, condition.as_ref(), records),
                can_be_shared: !self.input.has_regions(),
                pool: &pool,
                tick: &|bytes, records| progress.add(bytes, records),
            };
            writer.set(ranks::run(pass, ranks, &create)?);
        }
        if let Some(writer) = writer.into_inner() {
            writer.finish()?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The places of the samples that are asked for, in their order.
    fn chosen(&self, header: &Header) -> anyhow::Result<Option<Vec<usize>>> {
        let Some(list) = self.samples.as_ref().or(self.samples_file.as_ref()) else { return Ok(None) };
        let (places, _) = samples::choose(header, list, self.samples_file.is_some(), self.force_samples)?;
        Ok(Some(places))
    }
}

/// Prints the records that pass, and of their samples those that do.
fn print(query: &Query, condition: Option<&Condition>, records: &[Record]) -> Result<Block, RecordProblem> {
    let mut block = Block::default();
    let (mut of_filter, mut of_format) = (Scratch::default(), Scratch::default());
    let mut passing = Vec::new();
    for record in records {
        let mut samples = None;
        if let Some(condition) = condition {
            let verdict = condition.expression().test(record, &mut of_filter)?;
            let excludes = condition.choice() == Choice::Exclude;
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
