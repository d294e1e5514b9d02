//! The consequences of an allele for a transcript, as Ensembl VEP 114 decides them.
//!
//! [`Effect`] holds where the allele lies; [`super::coding_effect`] what it does to the protein.

use super::coding_effect::CodingEffect;
use super::genes::{Coding, Transcript};
use super::project::Pieces;
use super::splice::Splice;
use super::structural::{self, Class};
use super::terms::{Term, Terms};
use super::variant::Variant;

/// An allele and a transcript.
#[derive(Debug)]
pub struct Effect<'a> {
    /// The allele.
    pub variant: Variant<'a>,
    /// The transcript.
    pub transcript: &'a Transcript,
    /// Where it lies.
    pub place: Place,
    /// On the transcript's bases.
    pub cdna: Pieces,
    /// On its coding bases.
    pub cds: Pieces,
    /// On its protein.
    pub protein: Pieces,
    /// What it does to the protein, where it lies in the coding region.
    pub coding: Option<CodingEffect>,
    /// The consequences.
    pub terms: Terms,
}

/// Where an allele lies in a transcript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Within it.
    pub within: bool,
    /// It, or a base beside it, is of an exon.
    pub exon: bool,
    /// The same of an intron, or of the bases beside one.
    pub intron: bool,
    /// Outside of the coding region, all or in part.
    pub utr: bool,
    /// In coding bases, all or in part.
    pub coding: bool,
    /// It covers all of the transcript.
    pub covers: bool,
}

impl<'a> Effect<'a> {
    /// What an allele does. `distance` is how far up- and downstream reach.
    pub fn new(variant: Variant<'a>, transcript: &'a Transcript, distance: i64) -> Self {
        let mut effect = Self {
            variant,
            transcript,
            place: Place::default(),
            cdna: Pieces::default(),
            cds: Pieces::default(),
            protein: Pieces::default(),
            coding: None,
            terms: Terms::default(),
        };
        if !variant.overlaps(transcript.start, transcript.end) {
            effect.find_beside(distance);
            return effect;
        }
        let (start, end) = (variant.start, variant.end);
        effect.cdna = Pieces::on_cdna(transcript, start, end);
        effect.cds = Pieces::on_cds(transcript, &effect.cdna);
        effect.protein = Pieces::on_protein(transcript, &effect.cds);
        effect.place = Place::of(&variant, transcript);
        if variant.class.is_none()
            && effect.place.coding
            && let Some(coding) = &transcript.coding
        {
            effect.coding = Some(CodingEffect::new(&effect, coding));
        }
        effect.find_within();
        effect
    }

    /// Upstream or downstream.
    fn find_beside(&mut self, distance: i64) {
        let (variant, transcript) = (&self.variant, self.transcript);
        let is_before = variant.end >= transcript.start - distance && variant.end < transcript.start;
        let is_behind = variant.start <= transcript.end + distance && variant.start > transcript.end;
        let (upstream, downstream) =
            if transcript.is_reverse { (is_behind, is_before) } else { (is_before, is_behind) };
        if upstream {
            self.terms.insert(Term::UpstreamGene);
        }
        if downstream {
            self.terms.insert(Term::DownstreamGene);
        }
    }

    fn find_within(&mut self) {
        let (variant, transcript, place) = (self.variant, self.transcript, self.place);
        let mut terms = Terms::default();
        if let Some(term) = variant.of_whole().filter(|_| place.covers) {
            // VEP tells nothing else of what is gone, or there twice.
            self.terms.insert(term);
            return;
        }
        let splice = Splice::of(&variant, transcript);
        let in_cdna = self.cdna.meets(transcript.length) || splice.frameshift_intron;
        let in_cds = || {
            self.cds.meets(coding_length(transcript))
                || splice.frameshift_intron && place_in_region(&variant, transcript)
        };
        self.add_splice_terms(splice, &mut terms);
        if let Some(coding) = &self.coding {
            coding.add_terms(in_cds() && !place.covers, &mut terms);
        }
        if let Some(class) = variant.class {
            structural::add_terms(self, class, in_cdna, in_cds(), &mut terms);
        }
        if place.exon
            && place.utr
            && in_cdna
            && let Some(coding) = &transcript.coding
        {
            let (before, behind) = beside_coding(&variant, transcript, coding);
            let (five, three) = if transcript.is_reverse { (behind, before) } else { (before, behind) };
            if five {
                terms.insert(Term::FivePrimeUtr);
            }
            if three {
                terms.insert(Term::ThreePrimeUtr);
            }
        }
        let in_exon = transcript.exons.iter().any(|exon| variant.overlaps(exon.start, exon.end));
        if transcript.coding.is_none() && transcript.biotype != "protein_coding" {
            let is_mature = |(start, end): &(i64, i64)| variant.overlaps(*start, *end);
            if transcript.mature.iter().any(is_mature) {
                terms.insert(Term::MatureMirna);
            } else if !place.covers && place.exon && in_exon {
                terms.insert(Term::NonCodingTranscriptExon);
            } else {
                terms.insert(Term::NonCodingTranscript);
            }
        }
        if place.intron && splice.intron {
            terms.insert(Term::Intron);
        }
        if transcript.biotype == "nonsense_mediated_decay" {
            terms.insert(Term::NmdTranscript);
        }
        if place.covers && transcript.coding.is_some() && transcript.biotype == "protein_coding" {
            terms.insert(Term::CodingTranscript);
        }
        self.terms = terms;
    }

    fn add_splice_terms(&self, splice: Splice, terms: &mut Terms) {
        let mut add = |is_so: bool, term: Term| {
            if is_so {
                terms.insert(term);
            }
        };
        add(splice.polypyrimidine && self.place.intron && !self.place.exon, Term::SplicePolypyrimidineTract);
        if self.variant.class.is_some() {
            return;
        }
        add(splice.acceptor, Term::SpliceAcceptor);
        add(splice.donor, Term::SpliceDonor);
        add(splice.fifth_base, Term::SpliceDonor5thBase);
        let in_donor_region = splice.donor_region && !splice.fifth_base;
        add(in_donor_region, Term::SpliceDonorRegion);
        let in_region =
            splice.region && !(splice.donor || splice.acceptor || splice.fifth_base || in_donor_region);
        add(in_region, Term::SpliceRegion);
    }

    /// Whether coding bases are met.
    pub fn is_coding(&self) -> bool {
        (self.coding.is_some() || self.variant.class.is_some())
            && self.cds.meets(coding_length(self.transcript))
    }

    /// How many bases of the transcript, introns included, a symbolic allele covers. Breakends cover none.
    pub fn overlap(&self) -> Option<i64> {
        self.variant.class.filter(|class| *class != Class::Breakpoint)?;
        let (variant, transcript) = (&self.variant, self.transcript);
        let bases = variant.end.min(transcript.end) - variant.start.max(transcript.start) + 1;
        (bases > 0).then_some(bases)
    }

    /// The least distance to an end of the transcript.
    pub fn distance(&self) -> i64 {
        let ends = [self.transcript.start, self.transcript.end];
        let distances = ends.iter().flat_map(|end| [self.variant.start - end, self.variant.end - end]);
        distances.map(i64::abs).min().unwrap_or(0)
    }

    /// First and last of the coding bases, with those that are missing before them.
    pub fn cds_range(&self) -> (Option<i64>, Option<i64>) {
        let phase = self.transcript.coding.as_ref().map_or(0, |coding| coding.phase);
        (self.cds.start().map(|at| at + phase), self.cds.end().map(|at| at + phase))
    }

    /// Numbers of the exons that it overlaps, from 1.
    pub fn exons(&self) -> Option<(usize, usize)> {
        self.numbers(self.transcript.exons.iter().map(|exon| (exon.start, exon.end)))
    }

    /// Numbers of the introns that it overlaps, from 1.
    pub fn introns(&self) -> Option<(usize, usize)> {
        self.numbers(self.transcript.introns.iter().map(|intron| (intron.start, intron.end)))
    }

    fn numbers(&self, ranges: impl Iterator<Item = (i64, i64)>) -> Option<(usize, usize)> {
        let overlaps = |(_, (start, end)): &(usize, (i64, i64))| self.variant.overlaps(*start, *end);
        let mut found = ranges.enumerate().filter(overlaps).map(|(number, _)| number + 1);
        let first = found.next()?;
        Some((first, found.last().unwrap_or(first)))
    }
}

impl Place {
    fn of(variant: &Variant<'_>, transcript: &Transcript) -> Self {
        let (least, greatest) = variant.bounds();
        let covers = variant.start <= transcript.start && variant.end >= transcript.end;
        if covers && variant.class.is_some() {
            return Self { within: true, covers, ..Self::default() };
        }
        let meets = |start: i64, end: i64, beside: i64| greatest >= start - beside && least <= end + beside;
        let beside = if transcript.has_frameshift_intron { BESIDE_FRAMESHIFT } else { 0 };
        let mut place = Self {
            within: true,
            exon: transcript.exons.iter().any(|exon| meets(exon.start, exon.end, beside)),
            intron: transcript.introns.iter().any(|intron| meets(intron.start, intron.end, 3)),
            covers,
            ..Self::default()
        };
        if let Some(coding) = &transcript.coding {
            let (first, last) = coding.region;
            place.utr = least < first || greatest > last;
            place.coding = meets(first, last, 0) && place.exon;
        }
        place
    }
}

/// Bases around exons that count as theirs where an intron stands for a frameshift.
const BESIDE_FRAMESHIFT: i64 = 12;

fn coding_length(transcript: &Transcript) -> i64 {
    transcript.coding.as_ref().map_or(0, |coding| coding.bases.len() as i64)
}

fn place_in_region(variant: &Variant<'_>, transcript: &Transcript) -> bool {
    transcript.coding.as_ref().is_some_and(|coding| variant.overlaps(coding.region.0, coding.region.1))
}

/// Whether it lies before the coding region and behind it, on the genome.
fn beside_coding(variant: &Variant<'_>, transcript: &Transcript, coding: &Coding) -> (bool, bool) {
    let (first, last) = coding.region;
    let before =
        variant.is_insertion() && variant.start == first || variant.overlaps(transcript.start, first - 1);
    let behind = variant.is_insertion() && variant.end == last || variant.overlaps(last + 1, transcript.end);
    (before, behind)
}
