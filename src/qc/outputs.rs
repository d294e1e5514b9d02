//! Figures to files: DIR/SAMPLE.*, all of them under temporary names until the last is complete.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::collector::{Context, IntervalSink, Track};
use super::results::Results;
use super::set::CollectorSet;
use super::sites::fingerprint;
use super::thresholds::{self, Status};
use super::{curves, document, figures, ga4gh, page, quality};
use crate::formats::bgzf_writer::Level;
use crate::formats::binning::TextLayout;
use crate::formats::fasta::FastaError;
use crate::formats::indexed::{IndexKind, IndexedError, IndexedWriter};
use crate::formats::output::{AtomicFile, OutputError};

/// Why results could not be written.
#[derive(Debug, Error)]
pub enum OutputsError {
    /// A file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A file with its index cannot be written.
    #[error(transparent)]
    Indexed(#[from] IndexedError),
    /// The directory cannot be made.
    #[error("{path}: {source}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The reference cannot be read.
    #[error(transparent)]
    Fasta(#[from] FastaError),
}

/// Writes the files of intervals while the pass goes on.
pub struct TrackWriter<'c> {
    context: &'c Context,
    writers: BTreeMap<Track, IndexedWriter>,
    line: String,
}

impl<'c> TrackWriter<'c> {
    /// Opens the files that the options ask for.
    pub fn new(directory: &Path, sample: &str, context: &'c Context) -> Result<Self, OutputsError> {
        std::fs::create_dir_all(directory)
            .map_err(|source| OutputsError::Directory { path: directory.to_owned(), source })?;
        let options = &context.options;
        let longest = context.header.contigs.iter().map(|contig| u64::from(contig.length)).max().unwrap_or(0);
        let mut writers = BTreeMap::new();
        if context.wants("depth") && context.sorted {
            for (track, name, wanted) in [
                (Track::PerBase, "per-base", options.per_base),
                (Track::Regions, "regions", options.regions.is_some()),
                (Track::Quantized, "quantized", !options.quantize.is_empty()),
                (
                    Track::Thresholds,
                    "thresholds",
                    options.regions.is_some() && !options.depth_thresholds.is_empty(),
                ),
            ] {
                if wanted {
                    let path = directory.join(format!("{sample}.{name}.bed.gz"));
                    let kind = IndexKind::Csi { longest_contig: longest };
                    let mut writer = IndexedWriter::create(&path, TextLayout::Bed, kind, Level::default())?;
                    if track == Track::Thresholds {
                        let mut head = String::from("#chrom\tstart\tend\tregion");
                        options.depth_thresholds.iter().for_each(|t| head.push_str(&format!("\t{t}X")));
                        head.push('\n');
                        writer.write_header(head.as_bytes())?;
                    }
                    writers.insert(track, writer);
                }
            }
        }
        Ok(Self { context, writers, line: String::new() })
    }

    fn finish(self) -> Result<(), OutputsError> {
        for writer in self.writers.into_values() {
            writer.finish()?;
        }
        Ok(())
    }
}

impl IntervalSink for TrackWriter<'_> {
    fn interval(&mut self, track: Track, contig: usize, range: (u32, u32), columns: &str) -> io::Result<()> {
        let Some(writer) = self.writers.get_mut(&track) else { return Ok(()) };
        let name = &self.context.header.contigs[contig].name;
        let (start, end) = range;
        self.line.clear();
        // Writing to a String does not fail.
        let _ = std::fmt::Write::write_fmt(&mut self.line, format_args!("{name}\t{start}\t{end}\t{columns}"));
        writer
            .write_record(name, u64::from(start), u64::from(end), self.line.as_bytes())
            .map_err(io::Error::other)
    }
}

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// The files, by what they hold.
    pub files: BTreeMap<String, PathBuf>,
    /// What the figures come to by the thresholds, where there are some.
    pub verdict: Option<Status>,
}

/// Writes everything that the state holds.
pub fn write(
    directory: &Path,
    sample: &str,
    context: &Context,
    state: CollectorSet,
    tracks: TrackWriter<'_>,
) -> Result<Written, OutputsError> {
    let results = Results::new(sample, context, &state);
    let contigs = &context.header.contigs;
    let mut texts: Vec<(&str, String)> = Vec::new();
    if let Some(flagstat) = &state.flagstat {
        texts.push(("flagstat.txt", flagstat.to_text()));
    }
    if let Some(idxstats) = &state.idxstats {
        texts.push(("idxstats.txt", idxstats.to_text(contigs)));
    }
    if let (Some(stats), Some(cycles)) = (&state.stats, &state.cycles) {
        texts.push(("stats.txt", stats.to_text(cycles, context)?));
    }
    if let Some(coverage) = &state.coverage {
        texts.push(("coverage.tsv", coverage.to_text(contigs)));
    }
    if let Some(depth) = &state.depth {
        let depth = depth.texts(contigs);
        texts.push(("mosdepth.global.dist.txt", depth.global_distribution));
        texts.push(("mosdepth.summary.txt", depth.summary));
        if context.options.regions.is_some() {
            texts.push(("mosdepth.region.dist.txt", depth.region_distribution));
        }
    }
    if let (Some(cycles), true) = (&state.cycles, context.wants("quality")) {
        texts.push(("quality_by_cycle_metrics", quality::by_cycle_text(cycles)));
        texts.push(("quality_distribution_metrics", quality::distribution_text(cycles)));
        texts.push(("quality_yield_metrics", quality::quality_yield_text(cycles)));
        texts.push(("base_distribution_by_cycle_metrics", quality::base_distribution_text(cycles)));
    }
    if let Some(alignment) = &state.alignment {
        texts.push(("alignment_summary_metrics", alignment.to_text(context)));
    }
    if let (Some(wgs), Some(row)) = (&state.wgs, &results.wgs) {
        texts.push(("wgs_metrics", wgs.to_text(row)));
    }
    if let (Some(hs), Some(row)) = (&state.hs, &results.hs) {
        texts.push(("hs_metrics", hs.to_text(context, row)));
        texts.push(("per_target_coverage", hs.all.per_target_text(context, row.MEAN_TARGET_COVERAGE)));
    }
    if let Some((details, summary)) = state.gc_bias.as_ref().and_then(|gc_bias| gc_bias.to_texts(context)) {
        texts.push(("gc_bias.detail_metrics", details));
        texts.push(("gc_bias.summary_metrics", summary));
    }
    if let Some(text) = state.insert_size.as_ref().and_then(|sizes| sizes.to_text(context)) {
        texts.push(("insert_size_metrics", text));
    }
    if let Some(duplication) = &state.duplication {
        texts.push(("duplication_metrics", duplication.to_text(context)));
    }
    if let Some(sex) = &results.sex {
        texts.push(("sex.tsv", sex.to_text(sample)));
    }
    if let Some(contamination) = &results.contamination {
        texts.push(("contamination.tsv", contamination.to_text(sample)));
    }
    if context.wants("ga4gh") {
        texts.push(("ga4gh.json", document::pretty(&ga4gh::document(&results))));
    }
    let verdict = reports(&results, &mut texts);
    let mut files = BTreeMap::new();
    let mut pending = Vec::new();
    for (name, text) in texts {
        let path = directory.join(format!("{sample}.{name}"));
        let mut file = AtomicFile::create(&path)?;
        file.write_all(text.as_bytes()).map_err(|source| OutputError { path: path.clone(), source })?;
        files.insert(name.to_owned(), path);
        pending.push(file);
    }
    let fingerprint = fingerprint(directory, sample, context, &state)?;
    tracks.finish()?;
    for file in pending {
        file.commit()?;
    }
    if let Some((path, writer)) = fingerprint {
        writer.finish()?;
        files.insert("fingerprint.vcf.gz".to_owned(), path);
    }
    Ok(Written { files, verdict })
}

/// What is made of all figures together; what they come to by the thresholds.
fn reports(results: &Results<'_>, texts: &mut Vec<(&str, String)>) -> Option<Status> {
    let figures = figures::of(results);
    let curves = curves::of(results);
    let thresholds = results.context.options.thresholds.as_deref();
    let checks = thresholds.map(|thresholds| thresholds.check(&figures)).unwrap_or_default();
    let judged = thresholds.map(|thresholds| (thresholds, &checks[..]));
    texts.push(("qc.json", document::to_text(results, &figures, &curves, judged)));
    texts.push(("qc.html", page::to_text(results, &figures, &curves, judged)));
    if let Some((thresholds, checks)) = judged {
        let table = thresholds::multiqc(results.sample, checks, thresholds);
        texts.push(("thresholds_mqc.json", document::pretty(&table)));
    }
    thresholds::verdict(&checks)
}

/// SAMPLE.fingerprint.vcf.gz, all but finished, where there are sites.
fn fingerprint(
    directory: &Path,
    sample: &str,
    context: &Context,
    state: &CollectorSet,
) -> Result<Option<(PathBuf, IndexedWriter)>, OutputsError> {
    let (Some(sites), Some(list)) = (&state.sites, &context.options.sites) else { return Ok(None) };
    let contigs = &context.header.contigs;
    let longest = contigs.iter().map(|contig| u64::from(contig.length)).max().unwrap_or(0);
    // A .tbi reaches 2^29.
    let kind = if longest < 1 << 29 { IndexKind::Tbi } else { IndexKind::Csi { longest_contig: longest } };
    let path = directory.join(format!("{sample}.fingerprint.vcf.gz"));
    let mut writer = IndexedWriter::create(&path, TextLayout::Vcf, kind, Level::default())?;
    writer.write_header(fingerprint::header(sample, contigs).as_bytes())?;
    fingerprint::records(sites.counts(), list, contigs, |contig, site, line| {
        let start = u64::from(site.position);
        writer.write_record(&contigs[contig].name, start, start + 1, line.as_bytes())
    })?;
    Ok(Some((path, writer)))
}
