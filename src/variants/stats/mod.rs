//! Counts of variants, as `bcftools stats` makes them: by kind, frequency, quality, length, depth and sample.
//!
//! Everything counted is an integer, but for fractions of reads, whose sums are exact; so counts of parts of a file add
//! up to those of the whole in any order, and the report is the same at any number of threads. [`Stats`] is what is
//! asked for; threads count into tallies of their own, which it keeps and adds up at the end.

mod alleles;
mod bins;
mod concordance;
mod exons;
mod genotypes;
mod repeats;
mod report;
mod report_of_two;
mod samples;
mod sites;
mod user_tag;

use std::collections::HashSet;

use thiserror::Error;

pub use self::bins::DepthBins;
pub use self::exons::Exons;
pub use self::user_tag::UserTag;

use self::alleles::{Alleles, FrequencySource};
use self::bins::FrequencyBins;
use self::concordance::Concordance;
use self::exons::Frame;
use self::samples::{Fields, Samples};
use self::sites::Sites;
use self::user_tag::UserCounts;
use crate::compute::tallies::Tallies;
use crate::formats::fasta::Reference;
use crate::formats::vcf::header::{Header, Type};
use crate::formats::vcf::record::{Column, Record};
use crate::formats::vcf::value;
use crate::records::kinds::Kinds;
use crate::records::pipeline::{RecordProblem, Revise};

/// Why counts cannot be made.
#[derive(Debug, Error)]
pub enum StatsError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A line of the exons.
    #[error("{path}, line {line}: expected CONTIG, START and END between tabs")]
    Exon {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
    },
    /// A tag is not declared.
    #[error("the header declares no INFO/{0}")]
    NoTag(String),
    /// A tag holds no numbers.
    #[error("INFO/{0} is neither Integer nor Float")]
    TagKind(String),
    /// None of the samples asked for is there.
    #[error("none of the samples is in the header")]
    NoSamples,
}

/// What is asked for; the default is what `bcftools stats` gives without options.
#[derive(Debug, Default)]
pub struct StatsOptions {
    /// `-1`: of sites with several alternate alleles the first alone is counted.
    pub first_allele_only: bool,
    /// `--af-bins`: borders of the bins of frequencies, ascending.
    pub frequency_borders: Option<Vec<f32>>,
    /// `--af-tag`: the INFO tag with frequencies.
    pub frequency_tag: Option<String>,
    /// `-d`.
    pub depths: DepthBins,
    /// `-E`.
    pub exons: Option<Exons>,
    /// `-F`.
    pub reference: Option<Reference>,
    /// `-I`: sites with an ID and those without one apart.
    pub by_id: bool,
    /// `-u`.
    pub user_tags: Vec<UserTag>,
    /// `-s`: the samples, by name, of which genotypes are counted.
    pub samples: Vec<String>,
}

/// What a file's header says of the fields that are read.
#[derive(Debug)]
struct Source {
    frequency: FrequencySource,
    has_depth: bool,
    samples: Option<Fields>,
    /// How many samples there are.
    sample_count: usize,
    /// For each user tag whether it holds reals.
    are_real: Vec<bool>,
}

/// Counts that are being made.
#[derive(Debug)]
pub struct Stats {
    options: StatsOptions,
    /// Of one file, or of two that are compared.
    sources: Vec<Source>,
    frequencies: FrequencyBins,
    tallies: Tallies<Tally>,
}

/// Counts of some of the records: for each set those of its sites, samples and user tags.
#[derive(Debug)]
struct Tally {
    sets: Vec<Set>,
    /// Of two files whose genotypes are compared.
    concordance: Option<Concordance>,
    alleles: Alleles,
    frames: Vec<Frame>,
}

/// Counts of a set of records.
#[derive(Clone, Debug)]
struct Set {
    sites: Sites,
    samples: Option<Samples>,
    by_tag: Vec<UserCounts>,
}

/// The records of a site in two files; one is there at least.
pub type Pair = [Option<Record>; 2];

impl Stats {
    /// Counts of records under a header.
    ///
    /// # Errors
    /// A tag is not declared, or no sample is there.
    pub fn new(options: StatsOptions, header: &Header) -> Result<Self, StatsError> {
        Self::of(options, &[header])
    }

    /// Counts of the sites that the first of two files has alone, the second has alone, and both have. Of sites that both
    /// have the first file's record is counted. `by_id` is not looked at.
    ///
    /// # Errors
    /// A tag is not declared, or no sample is in both.
    pub fn of_two(options: StatsOptions, headers: [&Header; 2]) -> Result<Self, StatsError> {
        Self::of(StatsOptions { by_id: false, ..options }, &headers)
    }

    fn of(mut options: StatsOptions, headers: &[&Header]) -> Result<Self, StatsError> {
        let has_samples = !options.samples.is_empty();
        for header in headers {
            let known: HashSet<&String> = header.samples().iter().collect();
            options.samples.retain(|name| known.contains(name));
        }
        if has_samples && options.samples.is_empty() {
            return Err(StatsError::NoSamples);
        }
        let tag = options.frequency_tag.as_deref();
        if let Some(tag) = tag
            && headers.first().is_none_or(|header| header.info(tag.as_bytes()).is_none())
        {
            return Err(StatsError::NoTag(tag.to_owned()));
        }
        let source = |header: &&Header| {
            Ok(Source {
                frequency: FrequencySource::new(tag, has_samples, header),
                has_depth: header.info(b"DP").is_some_and(|declared| declared.kind == Type::Integer),
                samples: has_samples.then(|| Fields::new(&options.samples, header)),
                sample_count: header.samples().len(),
                are_real: options
                    .user_tags
                    .iter()
                    .map(|tag| tag.is_real(header))
                    .collect::<Result<_, StatsError>>()?,
            })
        };
        let sources = headers.iter().map(source).collect::<Result<Vec<_>, StatsError>>()?;
        let frequencies = match &options.frequency_borders {
            Some(borders) => FrequencyBins::between(borders.clone()),
            None => FrequencyBins::of_samples(sources.iter().map(|of| of.sample_count).max().unwrap_or(0)),
        };
        Ok(Self { options, sources, frequencies, tallies: Tallies::default() })
    }

    /// Counts records of the one file. Threads may call this at once and in any order.
    ///
    /// # Errors
    /// A record contradicts itself or the reference.
    pub fn observe(&self, records: &[Record]) -> Result<(), RecordProblem> {
        self.tallies.add(
            || self.tally(),
            |tally| {
                records.iter().try_for_each(|record| {
                    let is_novel = self.options.by_id && record.column(Column::Id) == b".";
                    self.observe_one(record, tally, 0, usize::from(is_novel))
                })
            },
        )
    }

    /// Counts sites of two files. What each of the sites that both have comes to is written to `sites`, if that is there.
    ///
    /// # Errors
    /// A record contradicts itself or the reference; the number of its file.
    pub fn observe_pairs(
        &self,
        pairs: &[Pair],
        mut sites: Option<&mut Vec<u8>>,
    ) -> Result<(), (usize, RecordProblem)> {
        self.tallies.add(
            || self.tally(),
            |tally| {
                pairs.iter().try_for_each(|pair| {
                    let (record, file, set) = match pair {
                        [Some(first), None] => (first, 0, 0),
                        [Some(first), Some(_)] => (first, 0, 2),
                        [None, Some(second)] => (second, 1, 1),
                        [None, None] => return Ok(()),
                    };
                    self.observe_one(record, tally, file, set).map_err(|problem| (file, problem))?;
                    if let ([Some(first), Some(second)], Some(concordance), [one, other]) =
                        (pair, &mut tally.concordance, &self.sources[..])
                        && let (Some(one), Some(other)) = (&one.samples, &other.samples)
                        && let (Some(one), Some(other)) = (one.genotypes(first), other.genotypes(second))
                    {
                        concordance.observe(&tally.alleles, &one, &other);
                        if let Some(sites) = sites.as_deref_mut() {
                            concordance::write_site(
                                first,
                                &tally.alleles,
                                &self.options.samples,
                                &one,
                                &other,
                                sites,
                            );
                        }
                    }
                    Ok(())
                })
            },
        )
    }

    /// The report on a file of this name, or on two, in bcftools' form.
    pub fn report(&self, files: &[String]) -> String {
        let mut out = self.heading(files, false);
        out.push_str(&self.body());
        out
    }

    /// The beginning of the report; `with_sites` says that sites of two files follow.
    pub fn heading(&self, files: &[String], with_sites: bool) -> String {
        report::heading(self, files, with_sites)
    }

    /// The report behind its heading.
    pub fn body(&self) -> String {
        report::body(self, &self.tallies.total(self.tally(), Tally::merge))
    }

    /// Nothing counted.
    fn tally(&self) -> Tally {
        let (frequencies, depths) = (self.frequencies.count(), self.options.depths.count());
        let fields = self.sources.first().and_then(|source| source.samples.as_ref());
        let set = Set {
            sites: Sites::new(frequencies, depths),
            samples: fields.map(|fields| Samples::new(fields, depths)),
            by_tag: vec![UserCounts::default(); self.options.user_tags.len()],
        };
        let is_pair = self.sources.len() == 2;
        let sets = vec![set; if is_pair { 3 } else { 1 + usize::from(self.options.by_id) }];
        let samples = self.options.samples.len();
        let concordance = (is_pair && samples > 0).then(|| Concordance::new(frequencies, samples));
        Tally { sets, concordance, alleles: Alleles::default(), frames: Vec::new() }
    }

    /// Counts a record of a file in a set.
    fn observe_one(
        &self,
        record: &Record,
        tally: &mut Tally,
        file: usize,
        set: usize,
    ) -> Result<(), RecordProblem> {
        let Tally { sets, alleles, frames, .. } = tally;
        let (source, set) = (&self.sources[file], &mut sets[set]);
        alleles.read(record, &source.frequency, &self.frequencies)?;
        set.sites.observe(alleles);
        let quality = value::real(record.column(Column::Qual)).filter(|quality| !quality.is_nan());
        if alleles.all.meets(Kinds::SNP) {
            self.observe_snps(record, source, alleles, quality, set);
        }
        frames.clear();
        frames.resize(alleles.len(), Frame::NotApplicable);
        if alleles.all.meets(Kinds::INDEL) {
            set.sites.qualities[2].observe(quality);
            self.observe_indels(record, alleles, frames, &mut set.sites)?;
        }
        if let (Some(fields), Some(samples)) = (&source.samples, &mut set.samples) {
            samples.observe(record, fields, alleles, frames, self.options.depths)?;
        }
        if let Some(text) = record.info(b"DP").filter(|text| source.has_depth && !text.is_empty())
            && value::list_length(text) == 1
        {
            // A missing one is the least integer.
            let depth = value::integer(text).unwrap_or(i32::MIN);
            set.sites.depths[self.options.depths.bin(depth)] += 1;
        }
        Ok(())
    }

    /// How many alternate alleles are counted.
    fn counted(&self, alleles: &Alleles) -> usize {
        let alternates = alleles.len() - 1;
        if self.options.first_allele_only { alternates.min(1) } else { alternates }
    }

    fn observe_snps(
        &self,
        record: &Record,
        source: &Source,
        alleles: &Alleles,
        quality: Option<f32>,
        set: &mut Set,
    ) {
        let Some(reference) = alleles.bases[0] else { return };
        for allele in 1..=self.counted(alleles) {
            let Some(base) = alleles.bases[allele].filter(|base| *base != reference) else { continue };
            if !alleles.kinds[allele].0.meets(Kinds::SNP) {
                continue;
            }
            // A and G, C and T are two apart.
            let is_transition = base.abs_diff(reference) == 2;
            let bin = alleles.bins[allele];
            set.sites.observe_snp(allele, (reference, base), is_transition, bin, quality);
            if allele == 1 {
                let tags = self.options.user_tags.iter().zip(&source.are_real);
                for ((tag, &is_real), counts) in tags.zip(&mut set.by_tag) {
                    counts.observe(tag, is_real, record, is_transition);
                }
            }
        }
    }

    fn observe_indels(
        &self,
        record: &Record,
        alleles: &Alleles,
        frames: &mut [Frame],
        sites: &mut Sites,
    ) -> Result<(), RecordProblem> {
        let alternates = record.alternates().enumerate().map(|(i, alt)| (i + 1, alt));
        for (allele, alt) in alternates.take(self.counted(alleles)) {
            let (kind, length) = alleles.kinds[allele];
            if !kind.meets(Kinds::INDEL) {
                continue;
            }
            let reference = self.options.reference.as_ref();
            let repeat = reference.map(|reference| repeats::at(reference, record, alt)).transpose()?;
            if let Some(exons) = &self.options.exons {
                frames[allele] = exons.frame(record.chrom(), record.position(), length);
            }
            sites.observe_indel(allele, length, frames[allele], repeat, alleles.bins[allele]);
        }
        Ok(())
    }
}

/// As a step of a chain: records are counted as they pass.
impl Revise for Stats {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        record.settle();
        self.observe(std::slice::from_ref(record))?;
        Ok(true)
    }
}

impl Tally {
    fn merge(&mut self, other: &Self) {
        if let (Some(concordance), Some(more)) = (&mut self.concordance, &other.concordance) {
            concordance.merge(more);
        }
        for (set, more) in self.sets.iter_mut().zip(&other.sets) {
            set.sites.merge(&more.sites);
            if let (Some(samples), Some(more)) = (&mut set.samples, &more.samples) {
                samples.merge(more);
            }
            for (counts, more) in set.by_tag.iter_mut().zip(&more.by_tag) {
                counts.merge(more);
            }
        }
    }
}

/// The samples that `-s` or `-S` ask for: `-` is all of them, `^` all but those of the list; names that are not in the
/// header are passed over and given back.
pub fn samples_of(header: &Header, names: &[String], excludes: bool) -> (Vec<String>, Vec<String>) {
    let all = header.samples();
    if !excludes && matches!(names, [all] if all == "-") {
        return (all.to_vec(), Vec::new());
    }
    if excludes {
        let names: HashSet<&String> = names.iter().collect();
        return (all.iter().filter(|name| !names.contains(name)).cloned().collect(), Vec::new());
    }
    let known: HashSet<&String> = all.iter().collect();
    names.iter().cloned().partition(|name| known.contains(name))
}

/// Adds counts to counts.
fn add(counts: &mut [u64], more: &[u64]) {
    for (count, more) in counts.iter_mut().zip(more) {
        *count += more;
    }
}
