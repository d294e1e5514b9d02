//! Variant annotation: what an allele does to transcripts and proteins, and how it is named.
//!
//! [`gene_file`] reads genes, [`effect`] decides consequences, [`hgvs`] and [`protein`] give names, [`csq`] writes them. The
//! peer is Ensembl VEP 114: same terms, same fields, same names.

pub mod breakend;
pub mod coding_effect;
pub mod codons;
pub mod csq;
pub mod effect;
pub mod filter;
pub mod gene_database;
pub mod gene_file;
pub mod genes;
pub mod haplotype;
pub mod hgvs;
pub mod listing;
pub mod mane;
pub mod mature;
mod packed;
pub mod panel;
pub mod phenotype;
pub mod pick;
pub mod project;
pub mod protein;
pub mod recoding;
pub mod residues;
pub mod sources;
pub mod splice;
pub mod structural;
pub mod summary;
pub mod terms;
pub mod transcript_filter;
pub mod uniprot;
pub mod variant;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::formats::bases::Genome;
use crate::formats::fasta::FastaError;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::{RecordProblem, Revise};
use breakend::{Breakend, End};
use csq::{Entry, Field};
use effect::Effect;
use genes::{Genes, Transcript};
use hgvs::Shift;
use panel::Panel;
use pick::{Criterion, Pick};
use residues::{Evidence, Residues};
use structural::Unknown;
use summary::Summaries;
use terms::{Term, Terms};
use transcript_filter::TranscriptFilter;
use variant::Variant;

/// How to annotate.
#[derive(Clone, Debug)]
pub struct Options {
    /// The INFO field.
    pub tag: String,
    /// The parts of its entries.
    pub fields: Vec<Field>,
    /// How far up- and downstream of a transcript variants are told, in bases.
    pub distance: i64,
    /// Whether a REF that is not the reference's is an error.
    pub is_strict: bool,
    /// Which entries are told; all where there is none.
    pub pick: Option<Pick>,
    /// Whether all are told and those that are picked are marked.
    pub flags_pick: bool,
    /// What decides.
    pub pick_order: Vec<Criterion>,
    /// Whether alleles between genes have an entry.
    pub with_intergenic: bool,
    /// Whether only entries are told in which coding bases are met.
    pub coding_only: bool,
    /// Whether only transcripts of GENCODE's basic set are looked at.
    pub basic_only: bool,
    /// Whether the most severe consequence of a record is all that is told.
    pub most_severe: bool,
    /// Whether names are moved to the 3' end.
    pub shifts_hgvs: bool,
    /// Whether shared bases are cut off each allele by itself.
    pub minimal: bool,
    /// Symbolic alleles of more bases are not annotated.
    pub max_sv_size: i64,
    /// Whether positions are followed by how many there are.
    pub with_totals: bool,
    /// The genes whose entries are told; all where there is none.
    pub panel: Option<Panel>,
    /// Which transcripts are looked at; all have to hold.
    pub transcript_filters: Vec<TranscriptFilter>,
    /// Whether records without an entry are dropped.
    pub panel_only: bool,
}

impl Options {
    /// Whether a transcript is looked at: by its set, its gene and what filters say.
    fn looks_at(&self, transcript: &Transcript) -> bool {
        let tags = &transcript.tags;
        let is_on = |panel: &Panel| panel.contains(&transcript.symbol, &transcript.gene, tags.hgnc);
        (!self.basic_only || tags.basic)
            && self.panel.as_ref().is_none_or(is_on)
            && self.transcript_filters.iter().all(|filter| filter.passes(transcript))
    }
}

/// Adds consequences to records.
pub struct Annotator {
    genes: Arc<Genes>,
    genome: Genome,
    options: Options,
    /// What was not annotated.
    left_out: Arc<Mutex<LeftOut>>,
    /// Counts of what was, if they are wanted.
    summaries: Option<Arc<Summaries>>,
    /// ClinVar, for what it has of the same residues.
    residues: Option<Residues>,
}

/// Records that were not annotated, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// REF is not the reference's.
    pub mismatches: u64,
    /// Symbolic alleles of which neither END nor SVLEN tells the end.
    pub without_end: u64,
    /// Symbolic alleles that are too long.
    pub too_long: u64,
    /// Breakends with a mate at a place that the reference lacks.
    pub unknown_mates: u64,
    /// The reference lacks the contig.
    pub unknown_contigs: BTreeMap<String, u64>,
    /// Records annotated on contigs that the genes lack.
    pub contigs_without_genes: BTreeMap<String, u64>,
}

impl LeftOut {
    /// Adds those of another part of the file.
    pub fn merge(&mut self, other: &Self) {
        self.mismatches += other.mismatches;
        self.without_end += other.without_end;
        self.too_long += other.too_long;
        self.unknown_mates += other.unknown_mates;
        for (mine, theirs) in [
            (&mut self.unknown_contigs, &other.unknown_contigs),
            (&mut self.contigs_without_genes, &other.contigs_without_genes),
        ] {
            theirs.iter().for_each(|(name, count)| *mine.entry(name.clone()).or_default() += count);
        }
    }
}

impl Annotator {
    /// From genes and their reference.
    pub fn new(genes: Arc<Genes>, genome: Genome, options: Options) -> Self {
        Self { genes, genome, options, left_out: Arc::default(), summaries: None, residues: None }
    }

    /// The same that counts what it annotates.
    pub fn counting(self, summaries: Arc<Summaries>) -> Self {
        Self { summaries: Some(summaries), ..self }
    }

    /// The same that tells what ClinVar has of the same residues.
    pub fn with_residues(self, residues: Option<Residues>) -> Self {
        Self { residues, ..self }
    }

    /// What is not annotated; to be read when all records are through.
    pub fn left_out(&self) -> Arc<Mutex<LeftOut>> {
        Arc::clone(&self.left_out)
    }

    /// The header with the field declared.
    pub fn header(&self, header: &Header) -> Header {
        let mut header = header.clone();
        let names: Vec<&str> = self.options.fields.iter().map(|field| field.name()).collect();
        let tag = &self.options.tag;
        header.retain(|line| !(line.key() == "INFO" && line.get("ID") == Some(tag)));
        header.add(&format!(
            "##INFO=<ID={tag},Number=.,Type=String,Description=\"Consequence annotations from norn annotate. Format: {}\">",
            names.join("|")
        ));
        if let Some(panel) = &self.options.panel {
            header.add(&panel.header_line());
        }
        if let Some(residues) = &self.residues {
            header.add(&residues.header_line());
        }
        header
    }

    fn note(&self, add: impl FnOnce(&mut LeftOut)) {
        add(&mut self.left_out.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn annotate(&self, record: &Record, contig: usize, out: &mut String) -> Result<(), RecordProblem> {
        let failed = |what: String| RecordProblem::at(record, what);
        if !self.fits(record, contig).map_err(|error| failed(error.to_string()))? {
            if self.options.is_strict {
                return Err(failed(format!("REF is not what {} has there", self.genome.name())));
            }
            self.note(|left_out| left_out.mismatches += 1);
            return Ok(());
        }
        let options = &self.options;
        let upper: Vec<Vec<u8>> = std::iter::once(record.reference())
            .chain(record.alternates())
            .map(<[u8]>::to_ascii_uppercase)
            .collect();
        let ends = Breakend::all(record);
        let sites = self.sites(record, contig, &upper, &ends);
        let mut found = Vec::new();
        let tells_intergenic = options.with_intergenic && options.panel.is_none();
        for (number, site) in sites.iter().enumerate() {
            let (first, last) = site.variant.bounds();
            let before = found.len();
            let name = self.genome.contig_name(site.contig).as_bytes();
            for transcript in self.genes.overlapping(name, first - options.distance, last + options.distance)
            {
                let transcript = transcript.map_err(|error| failed(error.to_string()))?;
                if options.looks_at(transcript) {
                    found.push((number, Some(Effect::new(site.variant, transcript, options.distance))));
                }
            }
            if found.len() == before && tells_intergenic && site.variant.breakend.is_none() {
                found.push((number, None));
            }
        }
        // A breakend is between genes where all of its ends are.
        if found.is_empty() && tells_intergenic && !sites.is_empty() {
            found.push((0, None));
        }
        if options.coding_only {
            found.retain(|(_, effect)| effect.as_ref().is_some_and(Effect::is_coding));
        }
        if found.is_empty() && options.panel.is_some() {
            return Ok(());
        }
        if let Some(summaries) = &self.summaries {
            let variants: Vec<Variant<'_>> = sites.iter().map(|site| site.variant).collect();
            let contig = self.genome.contig_name(contig);
            summaries.observe(|summary| summary.observe_record(record, contig, &variants, all_terms(&found)));
        }
        if options.most_severe {
            out.push_str(all_terms(&found).most_severe().unwrap_or(Term::Intergenic).name());
            return Ok(());
        }
        let evidence = |(number, effect): &(usize, Option<Effect<'_>>)| match (&self.residues, effect) {
            (Some(residues), Some(effect)) => {
                let contig = sites.get(*number).map_or(contig, |site| site.contig);
                residues.evidence(self.genome.contig_name(contig).as_bytes(), effect)
            }
            _ => Ok(Evidence::default()),
        };
        let looked_up = found.iter().filter(|_| self.residues.is_some());
        let evidence = looked_up.map(evidence).collect::<Result<Vec<_>, _>>();
        let evidence = evidence.map_err(|error| failed(error.to_string()))?;
        let written = self.write(record, contig, &sites, &found, &evidence, out);
        written.map_err(|error| failed(error.to_string()))
    }

    /// Whether REF is what the reference has there.
    fn fits(&self, record: &Record, contig: usize) -> Result<bool, FastaError> {
        let reference = record.reference();
        // Callers of structural variants often leave the base out.
        let is_structural = |allele: &[u8]| allele.starts_with(b"<") || breakend::is_breakend(allele);
        if reference == b"N" && record.alternates().all(is_structural) {
            return Ok(true);
        }
        self.genome.with(contig, |bases| {
            let there = bases.slice(record.position(), record.position() + reference.len() as i64);
            reference.len() == there.len()
                && reference.iter().zip(there).all(|(one, other)| one.eq_ignore_ascii_case(other))
        })
    }

    /// What is looked at of a record: each allele at its place, breakends at those of their ends. `alleles` are in capitals, REF
    /// is the first.
    fn sites<'s>(
        &self,
        record: &Record,
        contig: usize,
        alleles: &'s [Vec<u8>],
        ends: &'s [Breakend],
    ) -> Vec<Site<'s>> {
        let Some((reference, alternates)) = alleles.split_first() else { return Vec::new() };
        let position = record.position() + 1;
        let sequences =
            Variant::all(position, reference, alternates.iter().map(Vec::as_slice), self.options.minimal);
        let mut sites = Vec::with_capacity(alternates.len());
        let own = ends.first().filter(|end| end.number == 0);
        sites.extend(own.and_then(|end| self.site_of(position, contig, end)));
        for ((number, variant), allele) in (1..).zip(sequences).zip(alternates) {
            sites.extend(match ends.iter().find(|end| end.number == number) {
                Some(end) => self.site_of(position, contig, end),
                None => variant.or_else(|| self.structural(record, number - 1, allele)).map(|variant| Site {
                    variant,
                    contig,
                    number,
                }),
            });
        }
        sites
    }

    /// An end at its place; `None` where the reference lacks it.
    fn site_of<'s>(&self, position: i64, contig: usize, end: &'s Breakend) -> Option<Site<'s>> {
        let (contig, position) = match &end.end {
            End::Here => (contig, position + 1),
            End::Mate { contig, position } => {
                let there = self.genome.contig_like(contig).filter(|contig| {
                    // A telomere is told by the base behind the contig.
                    u64::try_from(*position).is_ok_and(|at| at <= self.genome.length(*contig) + 1)
                });
                let Some(contig) = there else {
                    self.note(|left_out| left_out.unknown_mates += 1);
                    return None;
                };
                (contig, *position)
            }
        };
        let variant = Variant::of_breakend(position, &end.text);
        Some(Site { variant, contig, number: end.number })
    }

    /// A symbolic allele that can be annotated.
    fn structural<'r>(&self, record: &Record, number: usize, allele: &[u8]) -> Option<Variant<'r>> {
        match Variant::structural(record, number, allele) {
            Ok(variant) if variant.end - variant.start <= self.options.max_sv_size => Some(variant),
            Ok(_) => {
                self.note(|left_out| left_out.too_long += 1);
                None
            }
            Err(Unknown::End) => {
                self.note(|left_out| left_out.without_end += 1);
                None
            }
            Err(Unknown::Class) => None,
        }
    }

    fn write(
        &self,
        record: &Record,
        contig: usize,
        sites: &[Site<'_>],
        found: &[(usize, Option<Effect<'_>>)],
        evidence: &[Evidence],
        out: &mut String,
    ) -> Result<(), FastaError> {
        let options = &self.options;
        let picked = match options.pick {
            Some(pick) => pick::picked(found, pick, &options.pick_order),
            None => vec![false; found.len()],
        };
        let contig_name = String::from_utf8_lossy(record.chrom());
        self.genome.with(contig, |bases| {
            let shift = |site: &Site<'_>, bases: &mut _| match options.shifts_hgvs {
                true => Shift::of(&site.variant, bases),
                false => Shift::default(),
            };
            let shifts: Vec<Shift> = sites.iter().map(|site| shift(site, bases)).collect();
            for (at, ((number, effect), is_picked)) in found.iter().zip(picked).enumerate() {
                let (Some(site), Some(shift)) = (sites.get(*number), shifts.get(*number)) else { continue };
                if options.pick.is_some() && !options.flags_pick && !is_picked {
                    continue;
                }
                if let Some(summaries) = &self.summaries {
                    summaries.observe(|summary| summary.observe_entry(effect.as_ref()));
                }
                if !out.is_empty() {
                    out.push(',');
                }
                let entry = Entry {
                    fields: &options.fields,
                    variant: site.variant,
                    allele: site.number,
                    contig: &contig_name,
                    shift: *shift,
                    with_totals: options.with_totals,
                    is_picked,
                    evidence: evidence.get(at),
                };
                entry.write(effect.as_ref(), bases, out);
            }
        })
    }
}

/// An allele, or an end of one, where it is looked at.
struct Site<'s> {
    variant: Variant<'s>,
    contig: usize,
    /// Number of the alternate allele from 1; 0 of a breakend's own end.
    number: usize,
}

/// The consequences of all entries.
fn all_terms(entries: &[(usize, Option<Effect<'_>>)]) -> Terms {
    let effects = entries.iter().filter_map(|(_, effect)| effect.as_ref());
    effects.fold(Terms::default(), |all, effect| all.union(effect.terms))
}

impl Revise for Annotator {
    fn revise(&self, record: &mut Record) -> Result<bool, RecordProblem> {
        if let Some(summaries) = &self.summaries {
            summaries.observe(|summary| summary.records += 1);
        }
        let name = || String::from_utf8_lossy(record.chrom()).into_owned();
        let Some(contig) = self.genome.contig_like(record.chrom()) else {
            self.note(|left_out| *left_out.unknown_contigs.entry(name()).or_default() += 1);
            return Ok(!self.options.panel_only);
        };
        if !self.genes.has_contig(self.genome.contig_name(contig).as_bytes()) {
            self.note(|left_out| *left_out.contigs_without_genes.entry(name()).or_default() += 1);
        }
        let mut text = String::with_capacity(1 << 10);
        self.annotate(record, contig, &mut text)?;
        let tag = self.options.tag.as_bytes();
        if !text.is_empty() {
            record.set_info(tag, Some(text.as_bytes()));
        } else if record.info(tag).is_some() {
            record.retain_info(|known| known != tag);
        }
        Ok(!text.is_empty() || !self.options.panel_only)
    }
}
