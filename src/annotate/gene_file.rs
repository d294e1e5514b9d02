//! Genes from GFF3 (Ensembl, GENCODE, RefSeq) or GTF, with their sequences from the reference.
//!
//! What is a transcript, which gene and biotype it has and how CDS lines become a coding region follows Ensembl VEP 114
//! (`--gff`): exons of one parent in order, the coding region from the first to the last CDS, a start phase from the first.

use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::codons::CodonTable;
use super::genes::{Coding, Exon, Genes, Intron, Tags, Transcript, versioned};
use super::panel::hgnc_number;
use super::recoding::{self, Exception};
use crate::formats::bases::Genome;
use crate::formats::fasta::{FastaError, Reference};
use crate::formats::gff::{self, Feature};
use crate::formats::text::TextError;
use crate::genome::contigs::ContigRole;
use crate::genome::strand::reverse_complement;

/// Why genes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GeneError {
    /// The file cannot be read, or a line is broken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The reference cannot be read.
    #[error(transparent)]
    Reference(#[from] FastaError),
    /// A transcript ends behind its contig: another build.
    #[error("{path}: transcript {id} ends at {contig}:{end}, behind the contig's end in {reference}: another build?", path = path.display())]
    OtherBuild {
        /// The file.
        path: PathBuf,
        /// The transcript.
        id: String,
        /// Its contig.
        contig: String,
        /// Its last base.
        end: i64,
        /// The reference.
        reference: String,
    },
    /// There are no transcripts.
    #[error("{path}: no transcripts with exons found (GFF3 or GTF is expected)", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// What a file has that was passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// Exons and CDS whose parent is not in the file.
    pub orphans: u64,
    /// Transcripts whose exons overlap one another, or whose coding region lies outside of them.
    pub inconsistent: u64,
    /// Transcripts without a biotype.
    pub without_biotype: u64,
    /// Transcripts on contigs that the reference lacks, by contig.
    pub unknown_contigs: FxHashMap<String, u64>,
    /// The same identifier again.
    pub duplicates: u64,
}

/// Reads genes.
///
/// # Errors
/// The file or the reference cannot be read, or they do not belong together.
pub fn read(path: &Path, reference: &Reference, genome: &Genome) -> Result<(Genes, PassedOver), GeneError> {
    let mut drafts = Drafts::default();
    gff::for_each_feature(path, |feature| {
        drafts.take(feature);
        Ok(())
    })?;
    let (genes, passed_over) = drafts.finish(path, reference, genome)?;
    match genes.count() {
        0 => Err(GeneError::Empty { path: path.to_owned() }),
        _ => Ok((genes, passed_over)),
    }
}

/// What the lines of a file come to.
#[derive(Default)]
struct Drafts {
    /// Features that may be transcripts or genes, by identifier.
    nodes: FxHashMap<String, Node>,
    /// Exons and coding parts by parent, in the file's order.
    parts: FxHashMap<String, Parts>,
    duplicates: u64,
}

struct Node {
    order: usize,
    contig: String,
    start: i64,
    end: i64,
    is_reverse: Option<bool>,
    parent: Option<String>,
    /// Attributes: identifier, gene, symbol, biotype, version.
    id: Option<String>,
    gene: Option<String>,
    symbol: Option<String>,
    name: Option<String>,
    biotype: Option<String>,
    version: Option<String>,
    tags: Tags,
    exceptions: Exceptions,
}

/// Where a line says that the genome's bases are not those of the transcript or its protein (RefSeq).
#[derive(Clone, Copy, Default)]
struct Exceptions {
    slippage: bool,
    mismatch: bool,
}

impl Exceptions {
    fn of(feature: &Feature<'_>) -> Self {
        let mut found = Self::default();
        for exception in feature.all("exception") {
            match exception.as_ref() {
                "ribosomal slippage" => found.slippage = true,
                "annotated by transcript or proteomic data"
                | "unclassified transcription discrepancy"
                | "unclassified translation discrepancy" => found.mismatch = true,
                other => found.mismatch |= other.contains("mismatch"),
            }
        }
        // Notes of RefSeq: `The RefSeq transcript has 1 substitution compared to this genomic sequence`.
        let mut notes = feature.all("Note").chain(feature.all("note"));
        found.mismatch |= notes.any(|note| note.contains(" to this genomic sequence"));
        found
    }

    fn add(&mut self, other: Self) {
        self.slippage |= other.slippage;
        self.mismatch |= other.mismatch;
    }
}

#[derive(Default)]
struct Parts {
    exons: Vec<(i64, i64)>,
    coding: Vec<Cds>,
    exceptions: Exceptions,
    /// Amino acids that the code does not tell.
    recoded: Vec<Exception>,
    /// Mature miRNAs that are cut from it (RefSeq).
    mature: Vec<(i64, i64)>,
    /// What is needed where GTF has no line for the transcript.
    stand_in: Option<Node>,
}

#[derive(Clone)]
struct Cds {
    start: i64,
    end: i64,
    phase: u8,
    protein: Option<String>,
    protein_version: Option<String>,
    is_stop: bool,
}

impl Drafts {
    fn take(&mut self, feature: &Feature<'_>) {
        let gtf_transcript = feature.get("transcript_id").filter(|_| feature.get("ID").is_none());
        let is_gtf =
            gtf_transcript.is_some() || feature.get("gene_id").is_some() && feature.get("ID").is_none();
        match feature.kind {
            kind if recoding::is_selenocysteine(kind) => {
                for parent in parents(feature, gtf_transcript.as_deref()) {
                    self.parts.entry(parent).or_default().recoded.extend(recoding::exceptions(feature));
                }
            }
            "exon" | "CDS" | "stop_codon" => {
                let exceptions = Exceptions::of(feature);
                let recoded = recoding::exceptions(feature);
                for parent in parents(feature, gtf_transcript.as_deref()) {
                    let parts = self.parts.entry(parent).or_default();
                    parts.exceptions.add(exceptions);
                    parts.recoded.extend_from_slice(&recoded);
                    if feature.kind == "exon" {
                        parts.exons.push((feature.start, feature.end));
                    } else {
                        parts.coding.push(Cds {
                            start: feature.start,
                            end: feature.end,
                            phase: feature.phase.unwrap_or(0),
                            protein: feature.get("protein_id").map(|id| id.into_owned()),
                            protein_version: feature
                                .get("protein_version")
                                .map(|version| version.into_owned()),
                            is_stop: feature.kind == "stop_codon",
                        });
                    }
                    if is_gtf && parts.stand_in.is_none() {
                        parts.stand_in = Some(Node::new(feature, true, 0));
                    }
                }
            }
            "five_prime_UTR" | "three_prime_UTR" | "UTR" | "start_codon" | "biological_region" | "intron"
            | "region" | "chromosome" => {}
            _ => {
                if feature.kind == "miRNA" && !is_gtf {
                    for parent in parents(feature, None) {
                        let parts = self.parts.entry(parent).or_default();
                        parts.mature.push((feature.start, feature.end));
                    }
                }
                let node = Node::new(feature, is_gtf, self.nodes.len());
                let id = match is_gtf {
                    true if feature.kind == "gene" => node.gene.clone(),
                    true => gtf_transcript.map(|id| id.into_owned()),
                    false => feature.get("ID").or_else(|| feature.get("Name")).map(|id| id.into_owned()),
                };
                let Some(id) = id else { return };
                match self.nodes.entry(id) {
                    Entry::Occupied(_) => self.duplicates += 1,
                    Entry::Vacant(place) => {
                        place.insert(node);
                    }
                }
            }
        }
    }

    fn finish(
        mut self,
        path: &Path,
        reference: &Reference,
        genome: &Genome,
    ) -> Result<(Genes, PassedOver), GeneError> {
        let mut passed_over = PassedOver { duplicates: self.duplicates, ..PassedOver::default() };
        let mut found = Vec::new();
        for (id, mut parts) in std::mem::take(&mut self.parts) {
            if parts.exons.is_empty() && parts.coding.is_empty() {
                // Of Ensembl's miRNAs, which are transcripts, the parent is the gene.
                continue;
            }
            if parts.exons.is_empty() {
                // Coding genes of bacteria and RefSeq's mitochondrion have no exons: what is coded is the transcript.
                parts.exons = parts.coding.iter().map(|cds| (cds.start, cds.end)).collect();
            }
            if !self.nodes.contains_key(&id) {
                match parts.stand_in.take() {
                    Some(mut node) => {
                        node.start = parts.exons.iter().map(|(start, _)| *start).min().unwrap_or(node.start);
                        node.end = parts.exons.iter().map(|(_, end)| *end).max().unwrap_or(node.end);
                        self.nodes.insert(id.clone(), node);
                    }
                    None => {
                        passed_over.orphans += (parts.exons.len() + parts.coding.len()) as u64;
                        continue;
                    }
                }
            }
            found.push((id, parts));
        }
        let order =
            |id: &String| self.nodes.get(id).map(|node| (node.contig.clone(), node.start, node.order));
        found.sort_by_cached_key(|(id, _)| (order(id), id.clone()));
        let mut in_file: Vec<&String> = found.iter().map(|(id, _)| id).collect();
        in_file.sort_by_cached_key(|id| (self.nodes.get(*id).map(|node| node.order), *id));
        let places: FxHashMap<String, u32> = in_file.into_iter().cloned().zip(0..).collect();
        let mut transcripts = Vec::new();
        for (id, parts) in found {
            let Some(node) = self.nodes.get(&id) else { continue };
            let gene =
                node.parent.as_ref().and_then(|parent| self.nodes.get(parent).map(|gene| (parent, gene)));
            let Some(contig) = genome.contig_like(node.contig.as_bytes()) else {
                *passed_over.unknown_contigs.entry(node.contig.clone()).or_default() += 1;
                continue;
            };
            if node.end as u64 > reference.contigs().get(contig).map_or(0, |(_, length)| *length) {
                return Err(GeneError::OtherBuild {
                    path: path.to_owned(),
                    id,
                    contig: node.contig.clone(),
                    end: node.end,
                    reference: reference.path().display().to_string(),
                });
            }
            let Some(biotype) = node.biotype_of(gene.map(|(_, gene)| gene)) else {
                passed_over.without_biotype += 1;
                continue;
            };
            let Some(transcript) = transcript(&id, node, gene, biotype, parts, genome, contig)? else {
                passed_over.inconsistent += 1;
                continue;
            };
            let order = places.get(&id).copied().unwrap_or_default();
            transcripts.push((genome.contig_name(contig).to_owned(), Transcript { order, ..transcript }));
        }
        Ok((Genes::new(transcripts), passed_over))
    }
}

/// The transcripts of a part.
fn parents(feature: &Feature<'_>, gtf_transcript: Option<&str>) -> Vec<String> {
    let parents: Vec<String> = feature.all("Parent").map(|parent| parent.into_owned()).collect();
    match gtf_transcript {
        Some(id) if parents.is_empty() => vec![id.to_owned()],
        _ => parents,
    }
}

impl Node {
    fn new(feature: &Feature<'_>, is_gtf: bool, order: usize) -> Self {
        let text = |name: &str| feature.get(name).map(|value| value.into_owned());
        let dbxref = || {
            let mut all = feature.all("Dbxref").chain(feature.all("db_xref"));
            all.find_map(|pair| pair.strip_prefix("GeneID:").map(str::to_owned))
        };
        Self {
            order,
            contig: feature.contig.to_owned(),
            start: feature.start,
            end: feature.end,
            is_reverse: feature.is_reverse,
            parent: if is_gtf { text("gene_id") } else { text("Parent") },
            id: text("transcript_id"),
            gene: text("gene_id").or_else(dbxref),
            symbol: text("gene_name").or_else(|| text("gene")),
            name: if is_gtf { text("gene_name") } else { text("Name").or_else(|| text("name")) },
            biotype: ["biotype", "transcript_type", "transcript_biotype"]
                .iter()
                .find_map(|name| text(name))
                .or_else(|| match feature.kind {
                    "mRNA" => Some("protein_coding".to_owned()),
                    "ncRNA" => text("ncrna_class"),
                    kind => match kind.strip_suffix("_gene_segment") {
                        Some(segment) => Some(format!("IG_{segment}_gene")),
                        None => text("gbkey"),
                    },
                }),
            version: if is_gtf { text("transcript_version") } else { text("version") },
            tags: tags(feature),
            exceptions: Exceptions::of(feature),
        }
    }

    fn biotype_of(&self, gene: Option<&Node>) -> Option<String> {
        self.biotype.clone().or_else(|| gene.and_then(|gene| gene.biotype.clone()))
    }
}

/// What a line says of a transcript beside its place: Ensembl's and GENCODE's tags and attributes.
fn tags(feature: &Feature<'_>) -> Tags {
    let mut tags = Tags::default();
    for tag in feature.all("tag") {
        match tag.as_ref() {
            "cds_start_NF" => tags.cds_start_not_found = true,
            "cds_end_NF" => tags.cds_end_not_found = true,
            "Ensembl_canonical" => tags.canonical = true,
            // RefSeq's files have spaces.
            "MANE_Select" | "MANE Select" => tags.mane_select = true,
            "MANE_Plus_Clinical" | "MANE Plus Clinical" => tags.mane_plus_clinical = true,
            "basic" | "gencode_basic" => tags.basic = true,
            tag => {
                if let Some(number) = tag.strip_prefix("appris_principal_") {
                    tags.appris = Some(format!("P{number}"));
                } else if let Some(number) = tag.strip_prefix("appris_alternative_") {
                    tags.appris = Some(format!("A{number}"));
                }
            }
        }
    }
    let level = feature.get("transcript_support_level");
    // Ensembl adds words: `1 (assigned to previous version 5)`.
    tags.tsl = level.and_then(|level| level.split(' ').next().and_then(|digit| digit.parse().ok()));
    tags.ccds = feature.get("ccdsid").or_else(|| feature.get("ccds_id")).map(|id| id.into_owned());
    tags.hgnc = hgnc(feature);
    tags
}

/// The gene's number in HGNC: GENCODE has an attribute, RefSeq a reference, Ensembl ends the gene's description with it.
fn hgnc(feature: &Feature<'_>) -> Option<u32> {
    let reference = |pair: &str| {
        hgnc_number(pair.strip_prefix("HGNC:").filter(|id| id.starts_with("HGNC:")).unwrap_or(pair))
    };
    let described = |text: &str| hgnc_number(text.split_once("Acc:")?.1.strip_suffix(']')?);
    let attribute = feature.get("hgnc_id").and_then(|id| hgnc_number(&id));
    attribute
        .or_else(|| feature.all("Dbxref").chain(feature.all("db_xref")).find_map(|pair| reference(&pair)))
        .or_else(|| feature.all("description").find_map(|text| described(&text)))
}

/// Makes a transcript of a feature and its parts; `None` where they contradict one another.
fn transcript(
    id: &str,
    node: &Node,
    gene: Option<(&String, &Node)>,
    biotype: String,
    parts: Parts,
    genome: &Genome,
    contig: usize,
) -> Result<Option<Transcript>, FastaError> {
    let id = node.id.clone().unwrap_or_else(|| without_prefix(id).to_owned());
    let Some(is_reverse) = node.is_reverse else { return Ok(None) };
    let mut exceptions = node.exceptions;
    exceptions.add(parts.exceptions);
    let mut ranges = parts.exons;
    ranges.sort_unstable();
    ranges.dedup();
    let is_apart = ranges.windows(2).all(|pair| pair[0].1 < pair[1].0);
    let is_within = ranges.iter().all(|(start, end)| *start >= node.start && *end <= node.end);
    if !(is_apart && is_within) || ranges.is_empty() {
        return Ok(None);
    }
    if is_reverse {
        ranges.reverse();
    }
    let (mut exons, mut length) = (Vec::with_capacity(ranges.len()), 0);
    let mut cdna = Vec::new();
    for (start, end) in ranges {
        exons.push(Exon { start, end, cdna_start: length + 1 });
        length += end - start + 1;
        let mut bases = genome.with(contig, |bases| bases.slice(start - 1, end).to_vec())?;
        if is_reverse {
            reverse_complement(&mut bases);
        }
        cdna.extend_from_slice(&bases);
    }
    let introns: Vec<Intron> = exons
        .windows(2)
        .map(|pair| {
            let (start, end) = if is_reverse {
                (pair[1].end + 1, pair[0].start - 1)
            } else {
                (pair[0].end + 1, pair[1].start - 1)
            };
            Intron { start, end, is_frameshift: end - start <= LONGEST_FRAMESHIFT }
        })
        .filter(|intron| intron.start <= intron.end)
        .collect();
    let coding = match coding(&exons, &cdna, parts.coding, &parts.recoded, is_reverse, &node.contig) {
        Ok(coding) => coding,
        Err(Outside) => return Ok(None),
    };
    let mut mature = parts.mature;
    mature.retain(|(first, last)| exons.iter().any(|exon| exon.start <= *first && *last <= exon.end));
    mature.sort_unstable();
    mature.dedup();
    let symbol = node.symbol.clone().or_else(|| gene.and_then(|(_, gene)| gene.name.clone()));
    let gene_id = node.gene.clone().or_else(|| {
        gene.map(|(id, gene)| gene.gene.clone().unwrap_or_else(|| without_prefix(id).to_owned()))
    });
    let name = match &node.version {
        Some(version) if versioned(&id).is_none() => format!("{id}.{version}"),
        _ => id.clone(),
    };
    Ok(Some(Transcript {
        id,
        name,
        gene: gene_id.unwrap_or_default(),
        symbol: symbol.unwrap_or_default(),
        biotype,
        start: node.start,
        end: node.end,
        is_reverse,
        has_frameshift_intron: introns.iter().any(|intron| intron.is_frameshift),
        exons,
        introns,
        length,
        coding,
        mature,
        tags: Tags {
            ribosomal_slippage: exceptions.slippage,
            genome_mismatch: exceptions.mismatch,
            hgnc: node.tags.hgnc.or(gene.and_then(|(_, gene)| gene.tags.hgnc)),
            ..node.tags.clone()
        },
        order: 0,
    }))
}

/// The coding parts lie outside of the exons.
struct Outside;

/// The coding region of CDS lines; `None` where there are none.
fn coding(
    exons: &[Exon],
    cdna: &[u8],
    mut lines: Vec<Cds>,
    exceptions: &[Exception],
    is_reverse: bool,
    contig: &str,
) -> Result<Option<Coding>, Outside> {
    if lines.is_empty() {
        return Ok(None);
    }
    lines.sort_by_key(|cds| (if is_reverse { -cds.end } else { cds.start }, cds.is_stop));
    let place = |position: i64| {
        let exon = exons.iter().find(|exon| exon.start <= position && position <= exon.end)?;
        Some(exon.cdna_start + if is_reverse { exon.end - position } else { position - exon.start })
    };
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    let edges = if is_reverse { (first.end, last.start) } else { (first.start, last.end) };
    let (Some(start), Some(end)) = (place(edges.0), place(edges.1)) else { return Err(Outside) };
    if start > end {
        return Err(Outside);
    }
    // The phase of a GFF line counts bases up to the next codon, ours those of the codon that are missing before it.
    let begins_at_first_exon =
        place(edges.0).is_some_and(|at| exons.first().is_some_and(|exon| at <= exon.cdna_end()));
    let phase = match first.phase {
        1 if begins_at_first_exon => 2,
        2 if begins_at_first_exon => 1,
        _ => 0,
    };
    let [five_prime, coded, three_prime] = [
        cdna.get(..start as usize - 1),
        cdna.get(start as usize - 1..end as usize),
        cdna.get(end as usize..),
    ];
    let (Some(five_prime), Some(coded), Some(three_prime)) = (five_prime, coded, three_prime) else {
        return Err(Outside);
    };
    let mut bases = vec![b'N'; phase as usize];
    bases.extend_from_slice(coded);
    let table = match ContigRole::of(contig) {
        ContigRole::Mitochondrion => CodonTable::VertebrateMitochondrial,
        _ => CodonTable::Standard,
    };
    let protein = lines.iter().find_map(|cds| cds.protein.as_ref().map(|id| (id, &cds.protein_version)));
    let protein = protein.map_or_else(String::new, |(id, version)| match version {
        _ if versioned(id).is_some() => id.clone(),
        Some(version) => format!("{id}.{version}"),
        None => format!("{id}.1"),
    });
    let codon_of =
        |base| place(base).filter(|at| (start..=end).contains(at)).map(|at| (at - start + phase) / 3 + 1);
    let recoded = recoding::recoded(exceptions, codon_of);
    let mut coding = Coding {
        protein,
        region: (edges.0.min(edges.1), edges.0.max(edges.1)),
        cdna: (start, end),
        phase,
        five_prime: five_prime.to_vec(),
        bases,
        three_prime: three_prime.to_vec(),
        peptide: Vec::new(),
        recoded,
        table,
    };
    let mut peptide = coding.amino_acids();
    if peptide.last() == Some(&b'*') {
        peptide.pop();
    }
    if let (Some(first), Some(codon)) = (peptide.first_mut(), coding.bases.first_chunk::<3>())
        && table.is_start(*codon)
    {
        *first = b'M';
    }
    coding.peptide = peptide;
    Ok(Some(coding))
}

/// The greatest distance of the first to the last base of an intron that stands for a frameshift (Ensembl).
const LONGEST_FRAMESHIFT: i64 = 12;

fn without_prefix(id: &str) -> &str {
    ["gene:", "transcript:"].iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id)
}
