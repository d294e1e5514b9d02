//! `norn variants isec`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Args, FromArgMatches};

use super::several::{self, SeveralArguments, plain};
use super::streams::{self, OutputArguments};
use crate::cli::qc::UsageError;
use crate::formats::output::{AtomicFile, OutputError};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::writer::{IndexFormat, OutputKind, VariantWriter};
use crate::records::condition::{Choice, Condition};
use crate::records::expression::Expression;
use crate::report::run_file::Run;
use crate::variants::output::OutputForm;
use crate::variants::regions::Overlap;
use crate::variants::together::TogetherError;
use crate::variants::together::input::{Input, Sieve};
use crate::variants::together::intersect::{self, Presence, Question};
use crate::variants::together::pairing::Pairing;

/// Which sites are in which files: intersections, unions, complements (bcftools isec).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    norn variants isec -p dir A.vcf.gz B.vcf.gz                   private to A, private to B, shared: four files\n  \
    norn variants isec -n =2 -w 1 A.vcf.gz B.vcf.gz               A's records of sites that both have\n  \
    norn variants isec -n ~101 -w 3 A.vcf.gz B.vcf.gz C.vcf.gz    C's of sites in A and C, not in B\n  \
    norn variants isec -C A.vcf.gz B.vcf.gz                       sites that only A has\n  \
    norn variants isec -p dir -e 'QUAL<20' -e - A.vcf.gz B.vcf.gz A's sites with a quality, all of B")]
pub struct IsecArguments {
    #[command(flatten)]
    several: SeveralArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// What counts as one site: none (the same alleles), some (one of them), snps, indels, both, all, id
    #[arg(short, long, value_name = "KIND", default_value = "none", value_parser = pairing)]
    collapse: Pairing,

    /// Sites of the first file that no other has
    #[arg(short = 'C', long, conflicts_with = "nfiles")]
    complement: bool,

    /// Require one of these filters, for example PASS,.
    #[arg(short = 'f', long, value_name = "LIST", value_delimiter = ',')]
    apply_filters: Option<Vec<String>>,

    #[command(flatten)]
    conditions: ConditionsArguments,

    /// A list of files, one a line
    #[arg(short = 'l', long, value_name = "FILE")]
    file_list: Option<PathBuf>,

    /// Sites in N files (=N), in N or more (+N), in N or fewer (-N), in these alone (~BITS)
    #[arg(short, long, value_name = "=N|+N|-N|~BITS", allow_hyphen_values = true, value_parser = presence)]
    nfiles: Option<Presence>,

    /// A directory for a file of records for each input, sites.txt and README.txt
    #[arg(short, long, value_name = "DIR")]
    prefix: Option<PathBuf>,

    /// The same as regions, but all is read and no index needed; `^` takes what lies outside
    #[arg(short, long, value_name = "[^]REGION,...")]
    targets: Option<String>,

    /// The targets of a file; `^` takes what lies outside
    #[arg(short = 'T', long, value_name = "[^]FILE", conflicts_with = "targets")]
    targets_file: Option<String>,

    /// As --regions-overlap
    #[arg(long, value_name = "0|1|2", default_value = "0")]
    targets_overlap: Overlap,

    /// The files whose records are written, by their numbers from 1; one alone goes to the output
    #[arg(short, long, value_name = "LIST", value_delimiter = ',')]
    write: Vec<usize>,
}

/// `-i` and `-e`, which may come once, or once a file; their order counts.
#[derive(Clone, Debug, Default)]
struct ConditionsArguments(Vec<(Choice, String)>);

impl Args for ConditionsArguments {
    fn augment_args(command: clap::Command) -> clap::Command {
        let argument = |name, short, help| {
            clap::Arg::new(name)
                .short(short)
                .long(name)
                .value_name("EXPR")
                .help(help)
                .action(clap::ArgAction::Append)
                .allow_hyphen_values(true)
        };
        command
            .arg(argument(
                "include",
                'i',
                "Sites that count; once for all files, or for each file, `-` for all sites",
            ))
            .arg(argument("exclude", 'e', "Sites that do not count; as -i, and both may be mixed"))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ConditionsArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut all = Vec::new();
        for (name, choice) in [("include", Choice::Include), ("exclude", Choice::Exclude)] {
            let texts = matches.get_many::<String>(name).into_iter().flatten();
            let places = matches.indices_of(name).into_iter().flatten();
            all.extend(places.zip(texts).map(|(place, text)| (place, (choice, text.clone()))));
        }
        all.sort_by_key(|(place, _)| *place);
        Ok(Self(all.into_iter().map(|(_, condition)| condition).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn pairing(text: &str) -> Result<Pairing, String> {
    Pairing::parse(text).ok_or_else(|| "expected none, some, snps, indels, both, all or id".into())
}

fn presence(text: &str) -> Result<Presence, String> {
    Presence::parse(text).ok_or_else(|| "expected =N, +N, -N or ~ and a digit for each file".into())
}

/// A file that is written.
struct Output {
    path: PathBuf,
    file: usize,
    /// Of two files, whether it takes what both have.
    is_shared: bool,
    /// What stands behind the path in README.txt.
    says: String,
}

impl IsecArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let begun = Run::begin();
        let paths = self.several.paths(self.file_list.as_deref())?;
        let presence = self.presence(&paths)?;
        let kind = self.output.kind()?;
        let inputs = several::open(&paths, kind.is_bcf)?;
        let conditions = self.conditions(&inputs)?;
        let sieve = self.sieve()?;
        match (&self.prefix, self.single(paths.len())) {
            (Some(directory), _) => {
                self.to_directory(directory, inputs, sieve, presence, conditions, kind)?;
            }
            (None, Some(file)) => self.to_output(file, inputs, sieve, presence, conditions)?,
            (None, None) => self.to_list(inputs, sieve, presence, conditions)?,
        }
        if self.prefix.is_none() {
            self.output.write_run_file("isec", &begun, &paths, 1)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn presence(&self, paths: &[PathBuf]) -> Result<Presence, UsageError> {
        let refuse = |what: String| Err(UsageError::new(what));
        if let Some(number) = self.write.iter().find(|number| **number == 0 || **number > paths.len()) {
            return refuse(format!("--write: there is no file {number}"));
        }
        if self.write.len() > 1 && self.prefix.is_none() {
            return refuse("--write with several files needs -p".into());
        }
        if self.complement && self.write.iter().any(|number| *number != 1) {
            return refuse("-C writes the first file's records: -w 1".into());
        }
        match &self.nfiles {
            Some(Presence::These(these)) if these.len() != paths.len() => {
                refuse(format!("--nfiles: {} digits for {} files", these.len(), paths.len()))
            }
            Some(presence) => Ok(presence.clone()),
            None if self.complement => Ok(Presence::FirstAlone),
            None if paths.len() == 2 && self.prefix.is_none() => {
                refuse("two files without -n or -C need -p".into())
            }
            None if paths.len() == 2 => Ok(Presence::Venn),
            None => Ok(Presence::AtLeast(1)),
        }
    }

    fn sieve(&self) -> anyhow::Result<Sieve> {
        let mut sieve = self.several.sieve()?;
        let targets = streams::targets(self.targets.as_deref(), self.targets_file.as_deref())?;
        sieve.targets = targets.map(|(regions, outside)| (regions, self.targets_overlap, outside));
        let bytes = |list: &Vec<String>| list.iter().map(|filter| filter.as_bytes().to_vec()).collect();
        sieve.filters = self.apply_filters.as_ref().map(bytes);
        Ok(sieve)
    }

    fn conditions(&self, inputs: &[Input]) -> Result<Vec<Option<Condition>>, UsageError> {
        let texts = &self.conditions.0;
        if texts.len() > 1 && texts.len() != inputs.len() {
            return Err(UsageError::new("give -i or -e once, or once for each file".into()));
        }
        let condition = |(file, input): (usize, &Input)| {
            let Some((choice, text)) = texts.get(if texts.len() == 1 { 0 } else { file }) else {
                return Ok(None);
            };
            if text == "-" {
                return Ok(None);
            }
            let expression = Expression::compile(text, input.header())
                .map_err(|error| UsageError::new(error.to_string()))?;
            Ok(Some(Condition::new(expression, *choice)))
        };
        inputs.iter().enumerate().map(condition).collect()
    }

    /// The file whose records alone go to the output.
    fn single(&self, files: usize) -> Option<usize> {
        let has_targets = self.targets.is_some() || self.targets_file.is_some();
        match self.write.as_slice() {
            [number] => Some(number - 1),
            _ if has_targets && files == 1 => Some(0),
            _ => None,
        }
    }

    fn to_output(
        &self,
        file: usize,
        inputs: Vec<Input>,
        sieve: Sieve,
        presence: Presence,
        conditions: Vec<Option<Condition>>,
    ) -> anyhow::Result<()> {
        let (form, mut writer) = self.output.open("isec", inputs[file].header().clone())?;
        let forms = [form];
        let route = |of: usize, _: bool| (of == file).then_some(0);
        let question =
            Question { pairing: self.collapse, presence, conditions, forms: &forms, route: &route };
        let pool = self.output.pool()?;
        let commit = |found: intersect::Found| -> Result<(), TogetherError> {
            Ok(found.blocks.iter().try_for_each(|block| pool.install(|| writer.write(block)))?)
        };
        intersect::intersect(inputs, sieve, &question, &pool, commit).map_err(plain)?;
        Ok(writer.finish()?)
    }

    fn to_list(
        &self,
        inputs: Vec<Input>,
        sieve: Sieve,
        presence: Presence,
        conditions: Vec<Option<Condition>>,
    ) -> anyhow::Result<()> {
        let path = &self.output.output;
        let is_stdout = path == Path::new("-");
        let mut file = if is_stdout { None } else { Some(AtomicFile::create(path)?) };
        let mut stdout = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout());
        let question =
            Question { pairing: self.collapse, presence, conditions, forms: &[], route: &|_, _| None };
        let pool = self.output.pool()?;
        let commit = |found: intersect::Found| -> Result<(), TogetherError> {
            let written = match &mut file {
                Some(file) => file.write_all(&found.sites),
                None => stdout.write_all(&found.sites),
            };
            Ok(written.map_err(|source| OutputError { path: path.clone(), source })?)
        };
        intersect::intersect(inputs, sieve, &question, &pool, commit).map_err(plain)?;
        stdout.flush().map_err(|source| OutputError { path: path.clone(), source })?;
        Ok(file.map_or(Ok(()), AtomicFile::commit)?)
    }

    fn to_directory(
        &self,
        directory: &Path,
        inputs: Vec<Input>,
        sieve: Sieve,
        presence: Presence,
        conditions: Vec<Option<Condition>>,
        kind: OutputKind,
    ) -> anyhow::Result<()> {
        std::fs::create_dir_all(directory)
            .map_err(|source| OutputError { path: directory.to_owned(), source })?;
        let outputs = self.outputs(directory, &inputs, &presence, kind);
        let index = match (kind.level, kind.is_bcf, self.output.index_name()) {
            (None, ..) => None,
            (Some(_), false, None | Some("tbi")) => Some(IndexFormat::Tbi),
            (Some(_), ..) => Some(IndexFormat::Csi),
        };
        let header = |output: &Output| -> Header {
            let mut header = inputs[output.file].header().clone();
            self.output.declare_version("isec", &mut header);
            header
        };
        let forms: Vec<OutputForm> =
            outputs.iter().map(|o| OutputForm::new(header(o), kind, index.is_some())).collect();
        let mut writers = Vec::new();
        for (output, form) in outputs.iter().zip(&forms) {
            let mut writer = VariantWriter::create(&output.path, kind, index, form.header())?;
            writer.write_header(&form.header_bytes())?;
            writers.push(writer);
        }
        let is_venn = presence == Presence::Venn;
        let route = |file: usize, is_shared: bool| {
            outputs
                .iter()
                .position(|output| output.file == file && (!is_venn || output.is_shared == is_shared))
        };
        let sites_path = directory.join("sites.txt");
        let mut sites = AtomicFile::create(&sites_path)?;
        let pool = self.output.pool()?;
        let question =
            Question { pairing: self.collapse, presence, conditions, forms: &forms, route: &route };
        let commit = |found: intersect::Found| -> Result<(), TogetherError> {
            let failed = |source| OutputError { path: sites_path.clone(), source };
            sites.write_all(&found.sites).map_err(failed)?;
            for (writer, block) in writers.iter_mut().zip(&found.blocks) {
                pool.install(|| writer.write(block))?;
            }
            Ok(())
        };
        intersect::intersect(inputs, sieve, &question, &pool, commit).map_err(plain)?;
        for writer in writers {
            writer.finish()?;
        }
        sites.commit()?;
        write_readme(&directory.join("README.txt"), &outputs)?;
        Ok(())
    }

    fn outputs(
        &self,
        directory: &Path,
        inputs: &[Input],
        presence: &Presence,
        kind: OutputKind,
    ) -> Vec<Output> {
        let ending = match (kind.is_bcf, kind.level) {
            (true, _) => "bcf",
            (false, Some(_)) => "vcf.gz",
            (false, None) => "vcf",
        };
        // By text: DIR/0000.vcf also where DIR ends with a slash, as bcftools has it.
        let path = |number: usize| PathBuf::from(format!("{}/{number:04}.{ending}", directory.display()));
        let name = |file: usize| inputs[file].path().display().to_string();
        let is_written = |file: &usize| self.write.is_empty() || self.write.contains(&(file + 1));
        if *presence != Presence::Venn {
            let files = if *presence == Presence::FirstAlone { 1 } else { inputs.len() };
            let output = |file| Output {
                path: path(file),
                file,
                is_shared: false,
                says: format!("for stripped\t{}", name(file)),
            };
            return (0..files).filter(is_written).map(output).collect();
        }
        let private = |file| Output {
            path: path(file),
            file,
            is_shared: false,
            says: format!("for records private to\t{}", name(file)),
        };
        let shared = |file| Output {
            path: path(file + 2),
            file,
            is_shared: true,
            says: format!("for records from {} shared by both\t{} {}", name(file), name(0), name(1)),
        };
        let files = || (0..2).filter(is_written);
        files().map(private).chain(files().map(shared)).collect()
    }
}

fn write_readme(path: &Path, outputs: &[Output]) -> anyhow::Result<()> {
    let mut text = String::from("This file was produced by norn variants isec.\nThe command line was:\t");
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let words = words.iter().skip(1).map(String::as_str);
    text.push_str(&std::iter::once("norn").chain(words).collect::<Vec<_>>().join(" "));
    text.push_str("\n\nUsing the following file names:\n");
    for output in outputs {
        text.push_str(&format!("{}\t{}\n", output.path.display(), output.says));
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(text.as_bytes()).map_err(|source| OutputError { path: path.to_owned(), source })?;
    Ok(file.commit()?)
}
