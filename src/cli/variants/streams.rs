//! What all of `norn variants` share: where records come from, which of them, and where they go.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::cli::qc::{UsageError, default_threads};
use crate::compute::communicator::Communicator;
use crate::compute::progress::Progress;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::index::VariantIndex;
use crate::formats::vcf::reader::{Form, VariantReader};
use crate::formats::vcf::record::Record;
use crate::formats::vcf::writer::{Block, IndexFormat, OutputKind, VariantWriter};
use crate::records::condition::{Choice, Condition};
use crate::records::expression::Expression;
use crate::records::pipeline::{self, Part, RecordProblem, Revise};
use crate::report::run_file::{Run, RunFile};
use crate::variants::output::OutputForm;
use crate::variants::ranks::{self, Pass};
use crate::variants::regions::{Overlap, Regions, Source};
use crate::variants::together::input::Sieve;

/// Where records come from, and which are looked at.
#[derive(Clone, Debug, Args)]
pub struct InputArguments {
    /// VCF or BCF, plain, gzipped or BGZF; `-` is standard input
    #[arg(default_value = "-", value_name = "IN.vcf.gz|IN.bcf|-")]
    pub input: PathBuf,

    /// Only these regions, through the index: chr, chr:pos, chr:from-to, chr:from-
    #[arg(short, long, value_name = "REGION,...")]
    regions: Option<String>,

    /// Only the regions of a file: BED, or contig, start and end as in VCF
    #[arg(short = 'R', long, value_name = "FILE", conflicts_with = "regions")]
    regions_file: Option<PathBuf>,

    /// A record is in a region if its POS is (0, pos), any of its bases (1, record), or a changed one (2, variant)
    #[arg(long, value_name = "0|1|2", default_value = "1")]
    regions_overlap: Overlap,

    /// The same as regions, but all is read and no index needed; `^` takes what lies outside
    #[arg(short, long, value_name = "[^]REGION,...")]
    targets: Option<String>,

    /// The targets of a file; `^` takes what lies outside
    #[arg(short = 'T', long, value_name = "[^]FILE", conflicts_with = "targets")]
    targets_file: Option<String>,

    /// As --regions-overlap
    #[arg(long, value_name = "0|1|2", default_value = "0")]
    targets_overlap: Overlap,
}

/// Which sites, by an expression.
#[derive(Debug, Args)]
pub struct ConditionArguments {
    /// Keep sites for which the expression is true, for example 'QUAL>30 && INFO/DP>10'
    #[arg(short, long, value_name = "EXPR", conflicts_with = "exclude")]
    include: Option<String>,

    /// Leave out sites for which the expression is true
    #[arg(short, long, value_name = "EXPR")]
    exclude: Option<String>,

    /// Print the expression as it is understood, and stop
    #[arg(long)]
    explain_filter: bool,
}

impl ConditionArguments {
    /// The expression's text.
    pub fn text(&self) -> Option<&str> {
        self.include.as_deref().or(self.exclude.as_deref())
    }

    /// The condition, if one is given.
    pub fn compile(&self, header: &Header) -> anyhow::Result<Option<Condition>> {
        self.text().map(|text| self.compile_text(text, header)).transpose()
    }

    /// The same of what stands for the expression.
    pub fn compile_text(&self, text: &str, header: &Header) -> anyhow::Result<Condition> {
        let choice = if self.include.is_some() { Choice::Include } else { Choice::Exclude };
        let expression =
            Expression::compile(text, header).map_err(|error| UsageError::new(error.to_string()))?;
        Ok(Condition::new(expression, choice))
    }

    /// Whether the expression was to be explained, and has been.
    pub fn explained(&self, header: &Header) -> anyhow::Result<bool> {
        if !self.explain_filter {
            return Ok(false);
        }
        let condition = self.compile(header)?;
        let condition = condition
            .ok_or_else(|| UsageError::new("--explain-filter explains -i or -e: give one".into()))?;
        print!("{}", condition.expression().explain());
        Ok(true)
    }
}

/// Where records go.
#[derive(Debug, Args)]
pub struct OutputArguments {
    /// Where the output goes [default: standard output]
    #[arg(short, long, alias = "output-file", value_name = "FILE", default_value = "-")]
    pub output: PathBuf,

    /// v: VCF, z: VCF as BGZF, b: BCF, u: BCF not compressed; a level behind z or b (0 to 12) [default: by the output's
    /// name, else v]
    #[arg(short = 'O', long, value_name = "u|b|v|z[N]")]
    output_type: Option<String>,

    /// Write an index beside the output: csi (default) or tbi
    #[arg(short = 'W', long, value_name = "csi|tbi", num_args = 0..=1, require_equals = true, default_missing_value = "csi")]
    write_index: Option<String>,

    /// Leave our line out of the header
    #[arg(long)]
    no_version: bool,

    #[command(flatten)]
    workers: WorkerArguments,
}

/// How the work is done.
#[derive(Clone, Debug, Args)]
pub struct WorkerArguments {
    /// Worker threads [default: SLURM_CPUS_PER_TASK, else the cores that may be used]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    threads: Option<u16>,

    /// No progress on stderr
    #[arg(long)]
    quiet: bool,
}

impl WorkerArguments {
    /// How many threads; 0 is one, as in bcftools.
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(default_threads, |threads| usize::from(threads.max(1)))
    }

    /// Whether nothing is told of how the work goes.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The threads, of which the calling one is one: it is to ask for them once.
    pub fn pool(&self) -> anyhow::Result<rayon::ThreadPool> {
        Ok(rayon::ThreadPoolBuilder::new().num_threads(self.threads()).use_current_thread().build()?)
    }

    /// The progress of reading a file.
    pub fn progress(&self, input: &Path, name: &str) -> Progress {
        self.progress_of(&[input.to_owned()], name)
    }

    /// The same on rank 0, for its share.
    pub fn progress_on(&self, ranks: &Communicator, input: &Path, name: &str) -> Progress {
        let size = std::fs::metadata(input).ok().filter(|m| m.is_file()).map(|m| m.len());
        Progress::new(size.map(|size| size / ranks.size() as u64), name, self.quiet || !ranks.is_root())
    }

    /// The progress of reading several files.
    pub fn progress_of(&self, inputs: &[PathBuf], name: &str) -> Progress {
        let size = |path: &PathBuf| std::fs::metadata(path).ok().filter(|m| m.is_file()).map(|m| m.len());
        Progress::new(inputs.iter().map(size).sum(), name, self.quiet)
    }
}

impl InputArguments {
    /// All of a file.
    pub fn whole(input: &Path) -> Self {
        Self {
            input: input.to_owned(),
            regions: None,
            regions_file: None,
            regions_overlap: Overlap::Record,
            targets: None,
            targets_file: None,
            targets_overlap: Overlap::Position,
        }
    }

    /// The same of another file.
    pub fn of(&self, input: &Path) -> Self {
        Self { input: input.to_owned(), ..self.clone() }
    }

    /// The same within these regions, where some are given.
    pub fn within(&self, regions: &[String]) -> Self {
        let list = (!regions.is_empty()).then(|| regions.join(","));
        Self { regions: list.or_else(|| self.regions.clone()), ..self.clone() }
    }

    /// Whether regions are asked for, through the index.
    pub fn has_regions(&self) -> bool {
        self.regions.is_some() || self.regions_file.is_some()
    }

    /// Opens the input at its first record, or at the regions; with the steps that leave out what is not asked for.
    pub fn open(&self) -> anyhow::Result<(VariantReader, Vec<Part>)> {
        let mut reader = VariantReader::open(&self.input)?;
        let mut steps: Vec<Part> = Vec::new();
        let regions = match (&self.regions, &self.regions_file) {
            (Some(list), _) => Some(Regions::read(Source::List(list))?),
            (_, Some(path)) => Some(Regions::read(Source::File(path))?),
            _ => None,
        };
        if let Some(regions) = regions {
            let by_contig = regions.by_contig().map(|(name, list)| {
                (name, list.iter().map(|interval| (interval.start, interval.end)).collect())
            });
            reader.restrict(by_contig)?;
            let overlap = self.regions_overlap;
            steps.push(Part::Each(Box::new(Within { regions, overlap, outside: false })));
        }
        if let Some((regions, outside)) = self.targets()? {
            let overlap = self.targets_overlap;
            steps.push(Part::Each(Box::new(Within { regions, overlap, outside })));
        }
        Ok((reader, steps))
    }

    /// The same regions of several files, of records that have one of these filters.
    pub fn sieve(&self, filters: Option<&str>) -> anyhow::Result<Sieve> {
        let source = match (&self.regions, &self.regions_file) {
            (Some(list), _) => Some(Source::List(list)),
            (_, Some(path)) => Some(Source::File(path)),
            _ => None,
        };
        let regions = source.map(Regions::read).transpose()?;
        Ok(Sieve {
            regions: regions.map(|regions| (regions, self.regions_overlap)),
            targets: self.targets()?.map(|(regions, outside)| (regions, self.targets_overlap, outside)),
            filters: filters.map(|list| list.split(',').map(|name| name.as_bytes().to_vec()).collect()),
        })
    }

    fn targets(&self) -> anyhow::Result<Option<(Regions, bool)>> {
        targets(self.targets.as_deref(), self.targets_file.as_deref())
    }
}

/// The targets of a list or a file, and whether they are what is left out.
pub fn targets(list: Option<&str>, file: Option<&str>) -> anyhow::Result<Option<(Regions, bool)>> {
    let Some(text) = list.or(file) else { return Ok(None) };
    let (outside, text) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
    let source = if list.is_some() { Source::List(text) } else { Source::File(Path::new(text)) };
    Ok(Some((Regions::read(source)?, outside)))
}

/// Leaves out what does not lie in regions, or what does.
struct Within {
    regions: Regions,
    overlap: Overlap,
    outside: bool,
}

impl Revise for Within {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        Ok(self.regions.contain(record, self.overlap) != self.outside)
    }
}

/// What a command does: the header of what comes out and the steps to it.
pub struct Plan {
    /// The header of the output, without our line.
    pub header: Header,
    /// The steps.
    pub chain: Vec<Part>,
    /// Whether the header is written.
    pub with_header: bool,
    /// Whether records are.
    pub with_records: bool,
    /// Whether our line is added to the header, if it is wanted.
    pub adds_version: bool,
    /// Whether ranks may share the input: not where a step counts what only one of them would know.
    pub can_be_shared: bool,
    /// Lines of text that are written instead of records.
    pub text: Option<Text>,
    /// About how many bytes of records are worked on at once: less where a step adds much to each.
    batch: Option<usize>,
    /// All is done, and no output is to be made.
    is_done: bool,
}

impl Plan {
    /// Header and records.
    pub fn new(header: Header, chain: Vec<Part>) -> Self {
        Self {
            header,
            chain,
            with_header: true,
            with_records: true,
            adds_version: true,
            can_be_shared: true,
            text: None,
            batch: None,
            is_done: false,
        }
    }

    /// The same in batches of about so many bytes.
    pub fn in_batches_of(self, bytes: usize) -> Self {
        Self { batch: Some(bytes), ..self }
    }

    /// Nothing is left to do.
    pub fn done() -> Self {
        Self { is_done: true, ..Self::new(Header::default(), Vec::new()) }
    }
}

/// Adds the lines of a record.
pub type WriteLines = dyn Fn(&Record, &mut Vec<u8>) + Send + Sync;

/// Text that is made of records.
pub struct Text {
    /// What stands above it.
    pub header: Vec<u8>,
    /// What makes it.
    pub write: Box<WriteLines>,
}

impl Text {
    fn block(&self, records: &[Record]) -> Block {
        let mut block = Block::default();
        records.iter().for_each(|record| (self.write)(record, &mut block.bytes));
        block
    }
}

/// Runs a command from one input to one output on all ranks. `name` is the subcommand.
pub fn run(
    name: &str,
    input: &InputArguments,
    output: &OutputArguments,
    ranks: &Communicator,
    plan: impl FnOnce(&Header) -> anyhow::Result<Plan>,
) -> anyhow::Result<ExitCode> {
    let begun = Run::begin();
    let (mut reader, mut chain) = input.open()?;
    let kind = output.kind()?;
    let index = output.index(kind)?;
    let mut header = reader.header().clone();
    declare_contigs(&input.input, &mut header);
    if kind.is_bcf {
        declare_tags(&input.input, &mut reader, &mut header)?;
    } else if ranks.is_root() {
        warn_of_undeclared(&input.input, &mut reader, &header)?;
    }
    let mut plan = plan(&header)?;
    if plan.is_done {
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(bytes) = plan.batch {
        reader.set_batch(bytes);
    }
    if plan.adds_version {
        output.declare_version(name, &mut plan.header);
    }
    if kind.is_bcf && !plan.with_header {
        return Err(UsageError::new("BCF has its header: -H goes with VCF only".into()).into());
    }
    if plan.text.is_some() && (kind.is_bcf || index.is_some()) {
        return Err(UsageError::new("text has no BCF and no index".into()).into());
    }
    let form = OutputForm::new(plan.header, kind, index.is_some());
    let create = |part: Option<&Path>| {
        let path = part.unwrap_or(&output.output);
        let mut writer = VariantWriter::create(path, kind, index, form.header())?;
        if plan.with_header && part.is_none() {
            let text = plan.text.as_ref().map(|text| text.header.clone());
            writer.write_header(&text.unwrap_or_else(|| form.header_bytes()))?;
        }
        Ok(writer)
    };
    if !plan.with_records {
        if ranks.is_root() {
            create(None)?.finish()?;
        }
    } else {
        chain.extend(plan.chain);
        let pool = output.workers.pool()?;
        let progress = output.workers.progress_on(ranks, &input.input, &format!("norn variants {name}"));
        let pass = Pass {
            path: &input.input,
            reader: &mut reader,
            chain,
            format: &|records: &[Record]| match &plan.text {
                Some(text) => Ok(text.block(records)),
                None => form.block(records),
            },
            can_be_shared: plan.can_be_shared && !input.has_regions(),
            pool: &pool,
            tick: &|bytes, records| progress.add(bytes, records),
        };
        if let Some(writer) = ranks::run(pass, ranks, &create)? {
            writer.finish()?;
        }
    }
    if ranks.is_root() {
        output.write_run_file(name, &begun, std::slice::from_ref(&input.input), ranks.size())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What each rank has, on rank 0, in the order of ranks; `None` on the others. All ranks must call it.
pub fn gathered<T: Serialize + DeserializeOwned>(
    ranks: &Communicator,
    mine: &T,
) -> anyhow::Result<Option<Vec<T>>> {
    let all = ranks.gather_bytes(&postcard::to_stdvec(mine)?)?;
    all.map(|all| all.iter().map(|bytes| Ok(postcard::from_bytes(bytes)?)).collect()).transpose()
}

impl OutputArguments {
    /// An output of this type (`-O`), without an index and without our line in the header.
    pub fn of(output: &Path, kind: &str, workers: &WorkerArguments) -> Self {
        Self {
            output: output.to_owned(),
            output_type: Some(kind.to_owned()),
            write_index: None,
            no_version: true,
            workers: workers.clone(),
        }
    }

    /// Opens the output under a header, to which our line is added, and writes that.
    pub fn open(&self, name: &str, mut header: Header) -> anyhow::Result<(OutputForm, VariantWriter)> {
        self.declare_version(name, &mut header);
        self.open_as_it_is(header)
    }

    /// Opens the output under a header and writes that.
    pub fn open_as_it_is(&self, header: Header) -> anyhow::Result<(OutputForm, VariantWriter)> {
        let kind = self.kind()?;
        let index = self.index(kind)?;
        let form = OutputForm::new(header, kind, index.is_some());
        let mut writer = VariantWriter::create(&self.output, kind, index, form.header())?;
        writer.write_header(&form.header_bytes())?;
        Ok((form, writer))
    }

    /// Adds our line to a header, if it is wanted.
    pub fn declare_version(&self, name: &str, header: &mut Header) {
        if !self.no_version {
            header.add(&format!("##norn_variants_{name}Version={}", env!("CARGO_PKG_VERSION")));
        }
    }

    /// Whether `-O` says what the form is.
    pub fn has_kind(&self) -> bool {
        self.output_type.is_some()
    }

    /// Whether an index is asked for.
    pub fn wants_index(&self) -> bool {
        self.write_index.is_some()
    }

    /// The kind of index that is asked for.
    pub fn index_name(&self) -> Option<&str> {
        self.write_index.as_deref()
    }

    /// How many threads.
    pub fn threads(&self) -> usize {
        self.workers.threads()
    }

    /// The threads.
    pub fn pool(&self) -> anyhow::Result<rayon::ThreadPool> {
        self.workers.pool()
    }

    /// The progress of reading several files.
    pub fn progress(&self, inputs: &[PathBuf], name: &str) -> Progress {
        self.workers.progress_of(inputs, name)
    }

    /// The form of the output.
    pub fn kind(&self) -> Result<OutputKind, UsageError> {
        match &self.output_type {
            Some(text) => OutputKind::parse(text)
                .ok_or_else(|| UsageError::new(format!("--output-type: no output of type {text:?}"))),
            None => Ok(OutputKind::of_name(&self.output)),
        }
    }

    /// The index that goes with it.
    pub fn index(&self, kind: OutputKind) -> Result<Option<IndexFormat>, UsageError> {
        let Some(format) = &self.write_index else { return Ok(None) };
        if self.output == Path::new("-") || kind.level.is_none() {
            let what = "--write-index needs a compressed file (-o FILE, -O z or b)".into();
            return Err(UsageError::new(what));
        }
        match format.as_str() {
            "csi" => Ok(Some(IndexFormat::Csi)),
            "tbi" => Ok(Some(IndexFormat::Tbi)),
            other => Err(UsageError::new(format!("--write-index: expected csi or tbi, not {other:?}"))),
        }
    }

    /// Writes the run file beside an output that is a file.
    pub fn write_run_file(
        &self,
        name: &str,
        run: &Run,
        inputs: &[PathBuf],
        ranks: usize,
    ) -> anyhow::Result<()> {
        if self.output == Path::new("-") || !self.output.is_file() {
            return Ok(());
        }
        let mut path = self.output.clone().into_os_string();
        path.push(".run.json");
        let file = RunFile {
            command: &format!("variants {name}"),
            inputs,
            checksum: false,
            parameters: json!({ "arguments": arguments() }),
            outputs: std::slice::from_ref(&self.output),
            threads: self.workers.threads(),
            ranks,
        };
        Ok(run.write(Path::new(&path), &file)?)
    }
}

/// The words of the command line behind `norn variants`.
fn arguments() -> Vec<String> {
    std::env::args_os().skip(2).map(|word| word.to_string_lossy().into_owned()).collect()
}

/// Declares the contigs that only the index names, as htslib does.
fn declare_contigs(input: &Path, header: &mut Header) {
    let Ok(Some(index)) = VariantIndex::beside(input) else { return };
    for name in index.names() {
        header.add_missing(&format!("##contig=<ID={}>", String::from_utf8_lossy(name)));
    }
}

/// Declares what the first records have and the header has not, because BCF needs it; a later one is an error.
pub fn declare_tags(input: &Path, reader: &mut VariantReader, header: &mut Header) -> anyhow::Result<()> {
    for line in undeclared(input, reader, header)? {
        eprintln!("norn: {}: the header does not have it, so it gets {line}", input.display());
        header.add_missing(&line);
    }
    Ok(())
}

/// Says what the first records have and the header has not; in text it is passed on.
fn warn_of_undeclared(input: &Path, reader: &mut VariantReader, header: &Header) -> anyhow::Result<()> {
    let lines = undeclared(input, reader, header)?;
    let names: Vec<&str> = lines.iter().filter_map(|line| line.split([',', '>']).next()).collect();
    let Some((first, rest)) = names.split_first() else { return Ok(()) };
    let first = first.trim_start_matches("##").replace("=<ID=", " ");
    let others = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    eprintln!(
        "norn: {}: the header does not declare {first}{others}; it is passed on as text",
        input.display()
    );
    Ok(())
}

/// Lines that would declare what the first records have and the header has not.
fn undeclared(input: &Path, reader: &mut VariantReader, header: &Header) -> anyhow::Result<Vec<String>> {
    if reader.form() == Form::Bcf {
        return Ok(Vec::new());
    }
    let Some(batch) = reader.peek()? else { return Ok(Vec::new()) };
    let (mut known, mut missing) = (header.clone(), Vec::new());
    for record in pipeline::records_of(input, batch.clone(), None)? {
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let before = missing.len();
        if known.contig_number(record.chrom()).is_none() {
            missing.push(format!("##contig=<ID={}>", text(record.chrom())));
        }
        for filter in record.filters().filter(|filter| !known.has_filter(filter)) {
            missing.push(format!("##FILTER=<ID={},Description=\"Dummy\">", text(filter)));
        }
        for (key, _) in record.info_fields().filter(|(key, _)| known.info(key).is_none()) {
            missing.push(format!("##INFO=<ID={},Number=1,Type=String,Description=\"Dummy\">", text(key)));
        }
        for key in record.format_keys().filter(|key| known.format(key).is_none()) {
            missing.push(format!("##FORMAT=<ID={},Number=1,Type=String,Description=\"Dummy\">", text(key)));
        }
        missing[before..].iter().for_each(|line| known.add_missing(line));
    }
    Ok(missing)
}
