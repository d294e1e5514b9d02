//! One record: its alleles go to the haplotypes of the coding regions that they meet, and what lies in untranslated
//! regions, at splice sites, in introns and in transcripts without a coding region is told at once.

use std::cmp::Reverse;
use std::sync::Arc;

use super::buffer::{Entry, Held, MaskSize};
use super::consequence::Consequences;
use super::edge::{Allele, Checks, Edge, Place};
use super::genotypes::Genotypes;
use super::model::{Bases, Model};
use super::tree::{Site, Step, Tree};
use super::{Haplotypes, MODELS, Phase, local};
use crate::formats::vcf::extent;
use crate::formats::vcf::record::Record;
use crate::records::pipeline::RecordProblem;

/// How far beside exons splice regions reach.
const BESIDE: i64 = 8;

/// Where what is told of a record goes.
struct Telling<'h> {
    held: &'h mut Held,
    genotypes: Option<&'h Genotypes>,
    size: MaskSize,
    /// Whether all haplotypes can tell of all of their entries.
    fits: bool,
}

impl Telling<'_> {
    fn tell(&mut self, model: &Arc<Model>, allele: usize, found: Consequences) {
        self.tell_entry(Entry { found, model: Arc::clone(model), allele, told_by: None, text: None });
    }

    fn tell_entry(&mut self, entry: Entry) {
        self.fits &= self.held.tell(entry, self.genotypes, self.size);
    }

    /// The place of an allele to a stretch, and what it is; what comes up on the way is told.
    fn meet(
        &mut self,
        model: &Arc<Model>,
        (number, allele): (usize, Allele<'_>),
        checks: Checks,
        found: Consequences,
        (first, last): (i64, i64),
    ) -> (Place, Consequences) {
        let mut edge = Edge::new(model, None, allele, checks, found);
        let place = edge.meet(first, last);
        let told = std::mem::take(&mut edge.told);
        told.into_iter().for_each(|found| self.tell(model, number, found));
        (place, edge.found)
    }
}

/// Parts of transcripts that overlap a range, in the order of their begins, the longest first, then the transcripts'.
fn hits<T: Copy>(
    models: &[Arc<Model>],
    range: (i64, i64),
    parts: impl Fn(&Model) -> Vec<((i64, i64), T)>,
) -> Vec<(&Arc<Model>, T)> {
    let mut found = Vec::new();
    for model in models {
        for ((first, last), part) in parts(model) {
            if first <= range.1 && last >= range.0 {
                found.push(((first, Reverse(last), model.order), (model, part)));
            }
        }
    }
    found.sort_by_key(|(key, _)| *key);
    found.into_iter().map(|(_, hit)| hit).collect()
}

impl Haplotypes {
    /// Looks at a record; false where a haplotype has more entries than can be told.
    pub(super) fn look(&mut self, held: &mut Held) -> Result<bool, RecordProblem> {
        let record = &held.record;
        let Some(contig) = self.contig.number.filter(|_| is_wanted(record)) else { return Ok(true) };
        let position = record.position();
        let extent = extent::end(record) - position;
        let models = self.near(record, contig, extent)?;
        if models.is_empty() {
            return Ok(true);
        }
        let texts: Vec<Vec<u8>> =
            std::iter::once(record.reference()).chain(record.alternates()).map(<[u8]>::to_vec).collect();
        let alleles: Vec<Vec<u8>> = texts.iter().map(|text| text.to_ascii_uppercase()).collect();
        let site = Site {
            number: self.first + self.held.len() as u64,
            position,
            texts: &texts,
            alleles: &alleles,
            extent,
        };
        let genotypes = if self.size.samples > 0 { Genotypes::of(record) } else { None };
        let genotypes = genotypes.filter(|genotypes| genotypes.count() == self.size.samples);
        if alleles.get(1).is_some_and(|allele| allele.starts_with(b"<")) {
            let mut telling = Telling { held, genotypes: genotypes.as_ref(), size: self.size, fits: true };
            symbolic(&mut telling, &site, &models);
            return Ok(telling.fits);
        }
        if !self.fits_reference(record, contig)? {
            return Ok(true);
        }
        let mut telling = Telling { held, genotypes: genotypes.as_ref(), size: self.size, fits: true };
        let mut is_met = self.coding(&mut telling, &site, &models, contig)?;
        is_met |= untranslated(&mut telling, &site, &models);
        is_met |= splicing(&mut telling, &site, &models);
        if !is_met {
            within(&mut telling, &site, &models);
        }
        Ok(telling.fits)
    }

    fn fits_reference(&self, record: &Record, contig: usize) -> Result<bool, RecordProblem> {
        let (reference, position) = (record.reference(), record.position());
        let fits = self.genome.with(contig, |bases| {
            let there = bases.slice(position, position + reference.len() as i64);
            reference.eq_ignore_ascii_case(there)
        });
        fits.map_err(|error| RecordProblem::at(record, error.to_string()))
    }

    /// The transcripts that a record can have to do with.
    fn near(
        &mut self,
        record: &Record,
        contig: usize,
        extent: i64,
    ) -> Result<Vec<Arc<Model>>, RecordProblem> {
        let position = record.position();
        if self.models.len() > MODELS {
            self.models
                .retain(|_, model| model.as_ref().is_some_and(|model| model.last + BESIDE >= position));
        }
        let name = self.genome.contig_name(contig).as_bytes();
        let mut found = Vec::new();
        let range = (position + 1 - BESIDE, position + 1 + extent + BESIDE);
        for transcript in self.genes.overlapping(name, range.0, range.1) {
            let transcript = transcript.map_err(|error| RecordProblem::at(record, error.to_string()))?;
            let model =
                self.models.entry(transcript.order).or_insert_with(|| Model::of(transcript).map(Arc::new));
            found.extend(model.iter().map(Arc::clone));
        }
        Ok(found)
    }

    /// Has haplotypes go on with the alleles; false where no coding region is met.
    fn coding(
        &mut self,
        telling: &mut Telling<'_>,
        site: &Site<'_>,
        models: &[Arc<Model>],
        contig: usize,
    ) -> Result<bool, RecordProblem> {
        let range = (site.position, site.position + site.extent);
        let segments = |model: &Model| {
            let segments = model.coding.iter().enumerate();
            let found = segments.map(|(number, segment)| (segment.bounds(), number));
            if model.biotype.is_coding { found.collect() } else { Vec::new() }
        };
        let mut is_met = false;
        for (model, segment) in hits(models, range, segments) {
            is_met = true;
            if !self.trees.contains_key(&model.order) {
                let bases = Bases::read(model, &self.genome, contig)
                    .map_err(|error| RecordProblem::at(&telling.held.record, error.to_string()))?;
                let haplotypes = (2 * self.size.samples).max(1);
                self.trees.insert(model.order, Tree::new(Arc::clone(model), bases, haplotypes));
                self.ends.insert(model.last, model.order as usize);
            }
            let Some(tree) = self.trees.get_mut(&model.order) else { continue };
            if self.options.is_local {
                local::entries(tree, segment, site).into_iter().for_each(|entry| telling.tell_entry(entry));
            } else {
                grow(telling, site, tree, segment, self.options.phase)?;
            }
        }
        Ok(is_met)
    }
}

/// Whether a record has an allele that changes something.
fn is_wanted(record: &Record) -> bool {
    let mut alternates = record.alternates();
    match (alternates.next(), alternates.next()) {
        (None, _) => false,
        (Some(only), None) => !(only.first() == Some(&b'*') || only.get(1) == Some(&b'*')),
        _ => true,
    }
}

/// Has the haplotypes of a transcript go on; without samples there is one, which takes the first allele.
fn grow(
    telling: &mut Telling<'_>,
    site: &Site<'_>,
    tree: &mut Tree,
    segment: usize,
    phase: Phase,
) -> Result<(), RecordProblem> {
    let model = Arc::clone(&tree.model);
    let mut told_of = Vec::new();
    let mut extend = |telling: &mut Telling<'_>, haplotype: usize, allele: usize| {
        let mut told = Vec::new();
        let step = tree.extend(haplotype, segment, site, allele, &mut told);
        let is_told = !told.is_empty() || matches!(step, Step::Beside(_));
        if matches!(step, Step::Taken) {
            telling.held.until = telling.held.until.max(model.last);
        }
        // What is told is the same for all haplotypes with the allele.
        if !told_of.contains(&allele) {
            told.into_iter().for_each(|found| telling.tell(&model, allele, found));
            if let Step::Beside(found) = step {
                telling.tell(&model, allele, found);
            }
            if is_told {
                told_of.push(allele);
            }
        }
        is_told
    };
    if telling.size.samples == 0 {
        extend(telling, 0, 1);
        return Ok(());
    }
    let Some(genotypes) = telling.genotypes else { return Ok(()) };
    for sample in 0..telling.size.samples {
        let Ok(haplotypes) = genotypes.haplotypes(sample, phase) else {
            let what = format!(
                "the genotype of sample {} is heterozygous and not phased (--phase says what to do with such)",
                sample + 1
            );
            return Err(RecordProblem::at(&telling.held.record, what));
        };
        let mut is_told = false;
        for (haplotype, allele) in haplotypes.into_iter().enumerate() {
            let Some(allele) = allele.filter(|allele| *allele > 0) else { continue };
            // bcftools forgets that it has put an allele on the second haplotype when it tells of it.
            if is_told && genotypes.allele(sample, haplotype) == Some(0) {
                continue;
            }
            is_told |= extend(telling, 2 * sample + haplotype, allele);
        }
    }
    Ok(())
}

/// Untranslated regions.
fn untranslated(telling: &mut Telling<'_>, site: &Site<'_>, models: &[Arc<Model>]) -> bool {
    let range = (site.position, site.position + site.extent);
    let parts = |model: &Model| {
        model.untranslated.iter().map(|part| ((part.first, part.last), *part)).collect::<Vec<_>>()
    };
    let mut is_met = false;
    for (model, part) in hits(models, range, parts) {
        for number in site.alternates() {
            let Some(allele) = site.sequence(number) else { continue };
            let stretch = (part.first, part.last);
            let none = Consequences::default();
            let (place, _) = telling.meet(model, (number, allele), Checks::default(), none, stretch);
            if matches!(place, Place::Inside | Place::Overlap) {
                telling.tell(model, number, kind_of(part.is_five_prime));
                is_met = true;
            }
        }
    }
    is_met
}

fn kind_of(is_five_prime: bool) -> Consequences {
    if is_five_prime { Consequences::FIVE_PRIME_UTR } else { Consequences::THREE_PRIME_UTR }
}

/// Exons with the splice regions beside them.
fn exons(model: &Model) -> Vec<((i64, i64), (i64, i64))> {
    let around = |exon: &(i64, i64)| ((exon.0 - BESIDE, exon.1 + BESIDE), *exon);
    if model.coding.is_empty() { Vec::new() } else { model.exons.iter().map(around).collect() }
}

fn checks_of(model: &Model, exon: (i64, i64)) -> Checks {
    Checks { sites: true, before: model.first != exon.0, behind: model.last != exon.1, ..Checks::default() }
}

/// Splice sites.
fn splicing(telling: &mut Telling<'_>, site: &Site<'_>, models: &[Arc<Model>]) -> bool {
    let range = (site.position, site.position + site.extent);
    let mut is_met = false;
    for (model, exon) in hits(models, range, exons) {
        for number in site.alternates() {
            let Some(allele) = site.sequence(number) else { continue };
            let none = Consequences::default();
            let (_, found) = telling.meet(model, (number, allele), checks_of(model, exon), none, exon);
            is_met |= !found.is_empty();
        }
    }
    is_met
}

/// Transcripts, where nothing else is met.
fn within(telling: &mut Telling<'_>, site: &Site<'_>, models: &[Arc<Model>]) {
    let range = (site.position, site.position + site.extent);
    for (model, stretch) in hits(models, range, whole) {
        for number in site.alternates() {
            let Some(allele) = site.sequence(number) else { continue };
            let none = Consequences::default();
            let (place, _) = telling.meet(model, (number, allele), Checks::default(), none, stretch);
            if matches!(place, Place::Inside | Place::Overlap) {
                telling.tell(model, number, whole_kind(model));
            }
        }
    }
}

fn whole(model: &Model) -> Vec<((i64, i64), (i64, i64))> {
    vec![((model.first, model.last), (model.first, model.last))]
}

fn whole_kind(model: &Model) -> Consequences {
    if model.biotype.is_coding { Consequences::INTRON } else { Consequences::NON_CODING }
}

/// `<INS>` and `<DEL>`, by the base behind their position.
fn symbolic(telling: &mut Telling<'_>, site: &Site<'_>, models: &[Arc<Model>]) {
    let (Some(reference), Some(alternate)) = (site.alleles.first(), site.alleles.get(1)) else { return };
    let kind = match alternate.get(..4) {
        Some(b"<INS") => Consequences::ELONGATION,
        Some(b"<DEL") => Consequences::TRUNCATION,
        _ => return,
    };
    let (range, number) = ((site.position + 1, site.position + 1), 1);
    let allele = Allele { position: site.position, reference, alternate, extent: site.extent };
    let mut is_met = false;
    let segments =
        |model: &Model| model.coding.iter().map(|segment| (segment.bounds(), ())).collect::<Vec<_>>();
    for (model, ()) in hits(models, range, segments) {
        let what =
            if model.biotype.is_coding { Consequences::CODING_SEQUENCE } else { Consequences::NON_CODING };
        telling.tell(model, number, what | kind);
        is_met = true;
    }
    let parts = |model: &Model| {
        model
            .untranslated
            .iter()
            .map(|part| ((part.first, part.last), part.is_five_prime))
            .collect::<Vec<_>>()
    };
    for (model, is_five_prime) in hits(models, range, parts) {
        telling.tell(model, number, kind_of(is_five_prime) | kind);
        is_met = true;
    }
    for (model, exon) in hits(models, range, exons) {
        telling.meet(model, (number, allele), checks_of(model, exon), kind, exon);
        is_met = true;
    }
    if is_met {
        return;
    }
    for (model, stretch) in hits(models, range, whole) {
        let (place, _) = telling.meet(model, (number, allele), Checks::default(), kind, stretch);
        if matches!(place, Place::Inside | Place::Overlap) {
            telling.tell(model, number, whole_kind(model) | kind);
        }
    }
}
