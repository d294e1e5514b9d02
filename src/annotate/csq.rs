//! The CSQ field: an entry for each alternate allele and transcript, its parts as Ensembl VEP 114 writes them.

use std::fmt::Write;

use super::coding_effect::CodingEffect;
use super::effect::Effect;
use super::genes::Transcript;
use super::hgvs::{self, Shift};
use super::protein;
use super::residues::Evidence;
use super::terms::{Impact, Term, Terms};
use super::variant::Variant;
use crate::formats::bases::Bases;
use crate::formats::vcf::header::Header;

/// The parts of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Field {
    Allele,
    Consequence,
    Impact,
    Symbol,
    Gene,
    FeatureType,
    Feature,
    Biotype,
    Exon,
    Intron,
    HgvsC,
    HgvsP,
    CdnaPosition,
    CdsPosition,
    ProteinPosition,
    AminoAcids,
    Codons,
    Distance,
    Strand,
    Flags,
    HgvsOffset,
    AlleleNumber,
    Canonical,
    Mane,
    ManeSelect,
    ManePlusClinical,
    Tsl,
    Appris,
    Ccds,
    Protein,
    HgvsG,
    Pick,
    OverlapBp,
    OverlapPc,
    Ps1,
    Pm5,
    ResidueOther,
    SwissProt,
    Trembl,
    UniParc,
    UniProtIsoform,
}

impl Field {
    /// All parts with VEP's names; the first [`Self::DEFAULT`] are written where nothing else is asked for, in this order.
    pub const ALL: [(Self, &str); 41] = [
        (Self::Allele, "Allele"),
        (Self::Consequence, "Consequence"),
        (Self::Impact, "IMPACT"),
        (Self::Symbol, "SYMBOL"),
        (Self::Gene, "Gene"),
        (Self::FeatureType, "Feature_type"),
        (Self::Feature, "Feature"),
        (Self::Biotype, "BIOTYPE"),
        (Self::Exon, "EXON"),
        (Self::Intron, "INTRON"),
        (Self::HgvsC, "HGVSc"),
        (Self::HgvsP, "HGVSp"),
        (Self::CdnaPosition, "cDNA_position"),
        (Self::CdsPosition, "CDS_position"),
        (Self::ProteinPosition, "Protein_position"),
        (Self::AminoAcids, "Amino_acids"),
        (Self::Codons, "Codons"),
        (Self::Distance, "DISTANCE"),
        (Self::Strand, "STRAND"),
        (Self::Flags, "FLAGS"),
        (Self::HgvsOffset, "HGVS_OFFSET"),
        (Self::AlleleNumber, "ALLELE_NUM"),
        (Self::Canonical, "CANONICAL"),
        (Self::Mane, "MANE"),
        (Self::ManeSelect, "MANE_SELECT"),
        (Self::ManePlusClinical, "MANE_PLUS_CLINICAL"),
        (Self::Tsl, "TSL"),
        (Self::Appris, "APPRIS"),
        (Self::Ccds, "CCDS"),
        (Self::Protein, "ENSP"),
        (Self::HgvsG, "HGVSg"),
        (Self::Pick, "PICK"),
        (Self::OverlapBp, "OverlapBP"),
        (Self::OverlapPc, "OverlapPC"),
        (Self::Ps1, "PS1"),
        (Self::Pm5, "PM5"),
        (Self::ResidueOther, "RESIDUE_OTHER"),
        (Self::SwissProt, "SWISSPROT"),
        (Self::Trembl, "TREMBL"),
        (Self::UniParc, "UNIPARC"),
        (Self::UniProtIsoform, "UNIPROT_ISOFORM"),
    ];
    /// How many of them are written where nothing else is asked for.
    pub const DEFAULT: usize = 21;

    /// By VEP's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(field, _)| *field)
    }

    /// VEP's name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(field, _)| *field == self).map_or("", |(_, name)| name)
    }
}

/// The names of the parts of entries that a header declares under a tag (`Format: Allele|Consequence|...`).
pub fn declared(header: &Header, tag: &str) -> Option<Vec<String>> {
    let line = header.lines().iter().find(|line| line.key() == "INFO" && line.get("ID") == Some(tag))?;
    let (_, format) = line.get("Description")?.split_once("Format: ")?;
    Some(format.split('|').map(|name| name.trim().to_owned()).collect())
}

/// What an entry is made of beside its transcript.
pub struct Entry<'e> {
    /// The parts.
    pub fields: &'e [Field],
    /// The allele.
    pub variant: Variant<'e>,
    /// Its number among the record's, from 1; 0 of a breakend's own end.
    pub allele: usize,
    /// Its contig.
    pub contig: &'e str,
    /// How far it can be moved.
    pub shift: Shift,
    /// Whether positions are followed by how many there are.
    pub with_totals: bool,
    /// Whether it is the one that is picked.
    pub is_picked: bool,
    /// What ClinVar has of the residue, if it was looked up.
    pub evidence: Option<&'e Evidence>,
}

impl Entry<'_> {
    /// Writes the entry for a transcript, or for none: between genes.
    pub fn write(&self, effect: Option<&Effect<'_>>, bases: &mut Bases<'_>, out: &mut String) {
        let wants = |wanted: &[Field]| self.fields.iter().any(|field| wanted.contains(field));
        let (mut on_transcript, mut on_protein) = (String::new(), String::new());
        if let Some(effect) = effect.filter(|effect| effect.place.within && effect.variant.class.is_none())
            && wants(&[Field::HgvsC, Field::HgvsP, Field::HgvsOffset])
        {
            hgvs::write_transcript(effect, self.shift, bases, &mut on_transcript);
            if effect.place.coding && wants(&[Field::HgvsP, Field::HgvsOffset]) {
                protein::write_protein(effect, self.shift, &mut on_protein);
            }
        }
        for (number, field) in self.fields.iter().enumerate() {
            if number > 0 {
                out.push('|');
            }
            let _ = match (field, effect) {
                (Field::Allele, _) => match self.variant.breakend {
                    // Names of contigs may have what separates here.
                    Some(text) => escaped(text, out),
                    None => out.write_str(&self.variant.text()),
                },
                (Field::AlleleNumber, _) => write!(out, "{}", self.allele),
                (Field::HgvsG, _) if self.variant.class.is_none() => {
                    hgvs::write_genomic(&self.variant, self.contig, self.shift, bases, out);
                    Ok(())
                }
                (Field::Pick, _) if self.is_picked => out.write_char('1'),
                (Field::Ps1, _) => self.write_evidence(|evidence| &evidence.same_change, out),
                (Field::Pm5, _) => self.write_evidence(|evidence| &evidence.same_residue, out),
                (Field::ResidueOther, _) => self.write_evidence(|evidence| &evidence.other, out),
                (Field::Consequence, None) => out.write_str(Term::Intergenic.name()),
                (Field::Impact, None) => out.write_str(Impact::Modifier.name()),
                (Field::HgvsC, _) => escaped(&on_transcript, out),
                (Field::HgvsP, _) => escaped(&on_protein, out),
                (Field::HgvsOffset, Some(effect)) => {
                    let places = self.shift.on(effect.transcript) as i64 * effect.transcript.strand();
                    let is_named = !(on_transcript.is_empty() && on_protein.is_empty());
                    if places != 0 && is_named { write!(out, "{places}") } else { Ok(()) }
                }
                (field, Some(effect)) => write_plain(*field, effect, self.with_totals, out),
                (_, None) => Ok(()),
            };
        }
    }
}

impl Entry<'_> {
    fn write_evidence(&self, list: fn(&Evidence) -> &[String], out: &mut String) -> std::fmt::Result {
        self.evidence.map_or(Ok(()), |evidence| out.write_str(&list(evidence).join("&")))
    }
}

fn write_plain(field: Field, effect: &Effect<'_>, with_totals: bool, out: &mut String) -> std::fmt::Result {
    let (transcript, place) = (effect.transcript, effect.place);
    let (coding, tags) = (effect.coding.as_ref(), &transcript.tags);
    match field {
        Field::Consequence if effect.terms.is_empty() => out.write_str("sequence_variant"),
        Field::Consequence => write!(out, "{}", effect.terms),
        Field::Impact => out.write_str(effect.terms.impact().name()),
        Field::Symbol => escaped(&transcript.symbol, out),
        Field::Gene => escaped(&transcript.gene, out),
        Field::FeatureType => out.write_str("Transcript"),
        Field::Feature => escaped(&transcript.id, out),
        Field::Biotype => escaped(&transcript.biotype, out),
        Field::Exon if place.exon => numbers(effect.exons(), transcript.exons.len(), out),
        Field::Intron if place.intron => numbers(effect.introns(), transcript.introns.len(), out),
        Field::CdnaPosition if place.exon => {
            range(effect.cdna.start(), effect.cdna.end(), with_totals.then_some(transcript.length), out)
        }
        Field::CdsPosition if place.coding => {
            let (start, end) = effect.cds_range();
            let all = transcript.coding.as_ref().map(|coding| coding.bases.len() as i64);
            range(start, end, all.filter(|_| with_totals), out)
        }
        Field::ProteinPosition if place.coding => {
            let all = transcript.coding.as_ref().map(|coding| coding.peptide.len() as i64);
            range(effect.protein.start(), effect.protein.end(), all.filter(|_| with_totals), out)
        }
        Field::AminoAcids => coding.map_or(Ok(()), |coding| amino_acids(coding, out)),
        Field::Codons => coding.map_or(Ok(()), |coding| codons(effect, coding, out)),
        Field::Distance if is_beside(effect.terms) => write!(out, "{}", effect.distance()),
        Field::Strand => write!(out, "{}", transcript.strand()),
        Field::Canonical => out.write_str(if tags.canonical { "YES" } else { "" }),
        Field::Mane => out.write_str(match (tags.mane_select, tags.mane_plus_clinical) {
            (true, _) => "MANE_Select",
            (_, true) => "MANE_Plus_Clinical",
            _ => "",
        }),
        Field::ManeSelect if tags.mane_select => escaped(partner(transcript), out),
        Field::ManePlusClinical if tags.mane_plus_clinical => escaped(partner(transcript), out),
        Field::Tsl => tags.tsl.map_or(Ok(()), |level| write!(out, "{level}")),
        Field::Appris => out.write_str(tags.appris.as_deref().unwrap_or_default()),
        Field::Ccds => escaped(tags.ccds.as_deref().unwrap_or_default(), out),
        Field::Protein => {
            let protein = transcript.coding.as_ref().map_or("", |coding| coding.protein.as_str());
            escaped(protein.split('.').next().unwrap_or_default(), out)
        }
        Field::SwissProt => out.write_str(&tags.uniprot.swissprot.join("&")),
        Field::Trembl => out.write_str(&tags.uniprot.trembl.join("&")),
        Field::UniParc => out.write_str(&tags.uniprot.uniparc.join("&")),
        Field::UniProtIsoform => out.write_str(&tags.uniprot.isoforms.join("&")),
        Field::OverlapBp | Field::OverlapPc => match effect.overlap() {
            Some(bases) if field == Field::OverlapBp => write!(out, "{bases}"),
            Some(bases) => {
                let length = transcript.end - transcript.start + 1;
                write!(out, "{:.2}", 100.0 * bases as f64 / length as f64)
            }
            None => Ok(()),
        },
        Field::Flags => {
            let flags = [
                (tags.cds_start_not_found, "cds_start_NF"),
                (tags.cds_end_not_found, "cds_end_NF"),
                (tags.ribosomal_slippage, "ribosomal_slippage"),
                (tags.genome_mismatch, "genome_mismatch"),
            ];
            let mut separator = "";
            for (_, flag) in flags.iter().filter(|(is_so, _)| *is_so) {
                write!(out, "{separator}{flag}")?;
                separator = "&";
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// MANE's partner; no gene file names it, and without MANE's summary the transcript's own name stands for it.
fn partner(transcript: &Transcript) -> &str {
    transcript.tags.mane_partner.as_deref().unwrap_or(&transcript.name)
}

fn is_beside(terms: Terms) -> bool {
    terms.contains(Term::UpstreamGene) || terms.contains(Term::DownstreamGene)
}

fn numbers(found: Option<(usize, usize)>, all: usize, out: &mut String) -> std::fmt::Result {
    match found {
        None => Ok(()),
        Some((first, last)) if first == last => write!(out, "{first}/{all}"),
        Some((first, last)) => write!(out, "{first}-{last}/{all}"),
    }
}

/// A range of positions, `?` for an end that lies outside; nothing if both do.
fn range(start: Option<i64>, end: Option<i64>, all: Option<i64>, out: &mut String) -> std::fmt::Result {
    match (start, end) {
        (Some(start), Some(end)) if start == end => write!(out, "{start}"),
        (Some(start), Some(end)) => write!(out, "{}-{}", start.min(end), start.max(end)),
        (Some(start), None) => write!(out, "{start}-?"),
        (None, Some(end)) => write!(out, "?-{end}"),
        (None, None) => return Ok(()),
    }?;
    all.map_or(Ok(()), |all| write!(out, "/{all}"))
}

fn amino_acids(coding: &CodingEffect, out: &mut String) -> std::fmt::Result {
    let Some([reference, alternate]) = &coding.peptides else { return Ok(()) };
    let text = |peptide: &Vec<u8>| match peptide.as_slice() {
        [] => "-".to_owned(),
        peptide => String::from_utf8_lossy(peptide).into_owned(),
    };
    match (text(reference), text(alternate)) {
        (reference, alternate) if reference == alternate => {
            if reference == "-" {
                Ok(())
            } else {
                out.write_str(&reference)
            }
        }
        (reference, alternate) => write!(out, "{reference}/{alternate}"),
    }
}

/// Both codons, small letters but for what changes.
fn codons(effect: &Effect<'_>, coding: &CodingEffect, out: &mut String) -> std::fmt::Result {
    let (Some([before, after]), Some(region)) = (&coding.codons, &effect.transcript.coding) else {
        return Ok(());
    };
    let place =
        effect.cdna.start().map(|start| (start - region.cdna.0 + region.phase).rem_euclid(3) as usize);
    for (codon, changed, separator) in
        [(before, effect.variant.reference.len(), ""), (after, coding.allele.len(), "/")]
    {
        out.write_str(separator)?;
        if codon.is_empty() {
            out.write_char('-')?;
        }
        let is_changed = |at: usize| place.is_some_and(|place| (place..place + changed).contains(&at));
        for (at, base) in codon.iter().enumerate() {
            let base = if is_changed(at) { base.to_ascii_uppercase() } else { base.to_ascii_lowercase() };
            out.write_char(char::from(base))?;
        }
    }
    Ok(())
}

/// Text without what has a meaning in CSQ or INFO.
fn escaped(text: &str, out: &mut String) -> std::fmt::Result {
    for letter in text.chars() {
        match letter {
            ',' | '|' => out.write_char('&')?,
            ';' => out.write_str("%3B")?,
            '=' => out.write_str("%3D")?,
            letter if letter.is_whitespace() => out.write_char('_')?,
            letter => out.write_char(letter)?,
        }
    }
    Ok(())
}
