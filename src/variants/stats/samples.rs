//! What is counted of samples: genotypes, depths and allele fractions.

use rustc_hash::FxHashMap;

use super::add;
use super::alleles::Alleles;
use super::bins::DepthBins;
use super::exons::Frame;
use super::genotypes::{Class, Genotype};
use super::sites::LONGEST_INDEL;
use crate::compute::exact::ExactSum;
use crate::formats::vcf::header::{Header, Type};
use crate::formats::vcf::record::{Record, cell};
use crate::formats::vcf::value;
use crate::records::kinds::Kinds;
use crate::records::pipeline::RecordProblem;

/// Bins of the share of heterozygous genotypes.
pub(super) const HET_BINS: usize = 100;
/// Bins of allele fractions, 0.05 apart.
pub(super) const FRACTION_BINS: usize = 21;
/// Lengths from a deletion of [`LONGEST_INDEL`] to an insertion of as many bases.
const LENGTHS: usize = 2 * LONGEST_INDEL + 1;

/// Which FORMAT fields are read, and of which samples.
#[derive(Debug)]
pub(super) struct Fields {
    /// The samples by their places in the file.
    places: Vec<usize>,
    has_depth: bool,
    pub(super) has_allele_depths: bool,
}

impl Fields {
    /// Those of samples, by name, under a header that has them.
    pub(super) fn new(names: &[String], header: &Header) -> Self {
        let all: FxHashMap<&String, usize> =
            header.samples().iter().enumerate().map(|(place, name)| (name, place)).collect();
        let places = names.iter().filter_map(|name| all.get(name).copied()).collect();
        let is_integer = |tag: &[u8]| header.format(tag).is_some_and(|d| d.kind == Type::Integer);
        Self { places, has_depth: is_integer(b"DP"), has_allele_depths: is_integer(b"AD") }
    }

    /// The genotypes of the samples in a record; `None` where it has no GT.
    pub(super) fn genotypes(&self, record: &Record) -> Option<Vec<Genotype>> {
        let field = record.format_index(b"GT")?;
        let texts: Vec<&[u8]> = record.sample_texts().collect();
        let of = |&place: &usize| Genotype::of(cell(texts.get(place).copied().unwrap_or(b"."), field));
        Some(self.places.iter().map(of).collect())
    }
}

/// Counts of a sample.
#[derive(Clone, Debug, Default)]
pub(super) struct OfSample {
    pub(super) missing: u64,
    pub(super) heterozygous: u64,
    pub(super) reference_homozygous: u64,
    pub(super) alternate_homozygous: u64,
    pub(super) transitions: u64,
    pub(super) transversions: u64,
    pub(super) indels: u64,
    /// Genotypes with a depth, and its sum.
    pub(super) with_depth: u64,
    pub(super) depth: u64,
    pub(super) singletons: u64,
    pub(super) reference_haploid: u64,
    pub(super) alternate_haploid: u64,
    pub(super) inserted: Zygosities,
    pub(super) deleted: Zygosities,
    /// Alleles of genotypes with an indel, by [`Frame`].
    pub(super) frames: [u64; 3],
}

/// Genotypes with an insertion or a deletion.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Zygosities {
    pub(super) heterozygous: u64,
    pub(super) homozygous: u64,
}

impl OfSample {
    fn merge(&mut self, other: &Self) {
        for (count, more) in [
            (&mut self.missing, other.missing),
            (&mut self.heterozygous, other.heterozygous),
            (&mut self.reference_homozygous, other.reference_homozygous),
            (&mut self.alternate_homozygous, other.alternate_homozygous),
            (&mut self.transitions, other.transitions),
            (&mut self.transversions, other.transversions),
            (&mut self.indels, other.indels),
            (&mut self.with_depth, other.with_depth),
            (&mut self.depth, other.depth),
            (&mut self.singletons, other.singletons),
            (&mut self.reference_haploid, other.reference_haploid),
            (&mut self.alternate_haploid, other.alternate_haploid),
            (&mut self.inserted.heterozygous, other.inserted.heterozygous),
            (&mut self.inserted.homozygous, other.inserted.homozygous),
            (&mut self.deleted.heterozygous, other.deleted.heterozygous),
            (&mut self.deleted.homozygous, other.deleted.homozygous),
        ] {
            *count += more;
        }
        add(&mut self.frames, &other.frames);
    }
}

/// Allele fractions of a sample by bin.
#[derive(Clone, Debug, Default)]
pub(super) struct Fractions {
    pub(super) snps: [u64; FRACTION_BINS],
    pub(super) others: [u64; FRACTION_BINS],
}

/// Counts of all samples.
#[derive(Clone, Debug)]
pub(super) struct Samples {
    pub(super) each: Vec<OfSample>,
    /// Empty where AD is not declared.
    pub(super) fractions: Vec<Fractions>,
    /// Genotypes by depth.
    pub(super) depths: Vec<u64>,
    /// Sites by the bin of the first alternate allele's frequency and that of the share of heterozygous genotypes.
    pub(super) heterozygosity: FxHashMap<(usize, usize), u64>,
    /// Genotypes by the length of their allele, with the sum of its fractions.
    by_length: Vec<(u64, ExactSum)>,
}

/// What the genotypes of a site come to.
#[derive(Clone, Copy, Debug, Default)]
struct Site {
    /// Genotypes that are homozygous for the reference, heterozygous, without the reference.
    genotypes: [u64; 3],
    /// Those that are not homozygous for the reference, and the last sample of these.
    variants: usize,
    last: usize,
}

impl Samples {
    /// Nothing counted.
    pub(super) fn new(fields: &Fields, depths: usize) -> Self {
        let count = fields.places.len();
        Self {
            each: vec![OfSample::default(); count],
            fractions: if fields.has_allele_depths { vec![Fractions::default(); count] } else { Vec::new() },
            depths: vec![0; depths],
            heterozygosity: FxHashMap::default(),
            by_length: vec![(0, ExactSum::new()); LENGTHS],
        }
    }

    /// Adds what was counted of other records.
    pub(super) fn merge(&mut self, other: &Self) {
        for (sample, more) in self.each.iter_mut().zip(&other.each) {
            sample.merge(more);
        }
        for (sample, more) in self.fractions.iter_mut().zip(&other.fractions) {
            add(&mut sample.snps, &more.snps);
            add(&mut sample.others, &more.others);
        }
        add(&mut self.depths, &other.depths);
        for (bin, more) in &other.heterozygosity {
            *self.heterozygosity.entry(*bin).or_default() += more;
        }
        for ((count, sum), (more, sums)) in self.by_length.iter_mut().zip(&other.by_length) {
            *count += more;
            sum.merge(sums);
        }
    }

    /// Genotypes with an indel of this length (deletions negative), and the mean fraction of its reads, if there are any.
    pub(super) fn of_length(&self, length: i64) -> Option<(u64, f64)> {
        let (count, sum) = self.by_length.get(place_of(length)).filter(|(count, _)| *count > 0)?;
        Some((*count, sum.value() / *count as f64))
    }

    /// Counts a record's samples. `frames` are those of its alleles.
    ///
    /// # Errors
    /// A genotype has an allele that the record does not have.
    pub(super) fn observe(
        &mut self,
        record: &Record,
        fields: &Fields,
        alleles: &Alleles,
        frames: &[Frame],
        depths: DepthBins,
    ) -> Result<(), RecordProblem> {
        let field = |tag: &[u8], is_read: bool| record.format_index(tag).filter(|_| is_read);
        let genotype_field = field(b"GT", true);
        let depth_field = field(b"DP", fields.has_depth);
        let allele_field = field(b"AD", fields.has_allele_depths);
        let texts: Vec<&[u8]> = record.sample_texts().collect();
        let mut site = Site::default();
        for (sample, &place) in fields.places.iter().enumerate() {
            let text = texts.get(place).copied().unwrap_or(b".");
            let allele_depths = allele_field.map(|field| cell(text, field));
            let depth = match (depth_field, allele_depths) {
                (Some(field), _) => value::list(cell(text, field)).next().and_then(value::integer),
                (None, Some(counts)) => sum_of(counts),
                (None, None) => None,
            };
            let depth = depth.filter(|depth| *depth > 0);
            if let Some(depth) = depth {
                self.depths[depths.bin(depth)] += 1;
                self.each[sample].with_depth += 1;
                self.each[sample].depth += u64::from(depth.unsigned_abs());
            }
            let genotype = genotype_field.map(|field| Genotype::of(cell(text, field)));
            if let Some(genotype) = genotype {
                let (first, second) = genotype.alleles;
                if first.max(second) >= alleles.len() {
                    let allele = first.max(second);
                    let what = format!("a genotype has allele {allele}, which the record does not have");
                    return Err(RecordProblem::at(record, what));
                }
                site.note(genotype.class, sample);
                self.each[sample].observe(genotype, alleles, frames);
            }
            if let (Some(depth), Some(counts)) = (depth, allele_depths) {
                let genotype = genotype.unwrap_or(Genotype::MISSING);
                self.observe_fractions(sample, genotype, counts, depth, alleles);
            }
        }
        if site.variants == 1 {
            self.each[site.last].singletons += 1;
        }
        let total: u64 = site.genotypes.iter().sum();
        if genotype_field.is_some() && alleles.len() > 1 && total > 0 {
            let share = site.genotypes[1] as f32 / total as f32;
            let bin = (share * (HET_BINS - 1) as f32) as usize;
            *self.heterozygosity.entry((alleles.bins[1], bin)).or_default() += 1;
        }
        Ok(())
    }

    /// The fraction of reads that have the alleles of the genotype, or where that is missing the alternate allele with
    /// most reads.
    fn observe_fractions(
        &mut self,
        sample: usize,
        genotype: Genotype,
        counts: &[u8],
        depth: i32,
        alleles: &Alleles,
    ) {
        let of = |allele: usize| match allele {
            0 => 0,
            allele => value::list(counts).nth(allele).and_then(value::integer).unwrap_or(0),
        };
        let (first, second) = match genotype.class {
            Class::Missing => (with_most_reads(counts, alleles.len()), 0),
            _ => genotype.alleles,
        };
        let (of_first, of_second) = (of(first), of(second));
        if of_first != 0 {
            self.observe_fraction(sample, of_first as f32 / depth as f32, alleles.kinds[first]);
        }
        if of_second != 0 && of_second as f32 != of_first as f32 {
            self.observe_fraction(sample, of_second as f32 / depth as f32, alleles.kinds[second]);
        }
    }

    fn observe_fraction(&mut self, sample: usize, fraction: f32, (kind, length): (Kinds, i64)) {
        let (count, sum) = &mut self.by_length[place_of(length)];
        *count += 1;
        sum.observe(f64::from(fraction));
        if (0.0..=1.0).contains(&fraction)
            && let Some(fractions) = self.fractions.get_mut(sample)
        {
            let bin = ((f64::from(fraction) / 0.05) as f32).round_ties_even() as usize;
            let by_kind = if kind == Kinds::SNP { &mut fractions.snps } else { &mut fractions.others };
            by_kind[bin.min(FRACTION_BINS - 1)] += 1;
        }
    }
}

impl Site {
    fn note(&mut self, class: Class, sample: usize) {
        match class {
            Class::Missing | Class::ReferenceHaploid | Class::AlternateHaploid => return,
            Class::ReferenceHomozygous => self.genotypes[0] += 1,
            Class::Heterozygous => self.genotypes[1] += 1,
            Class::AlternateHomozygous | Class::AlternateHeterozygous => self.genotypes[2] += 1,
        }
        if class != Class::ReferenceHomozygous {
            (self.variants, self.last) = (self.variants + 1, sample);
        }
    }
}

impl OfSample {
    fn observe(&mut self, genotype: Genotype, alleles: &Alleles, frames: &[Frame]) {
        let Genotype { class, alleles: (first, second) } = genotype;
        let kinds = alleles.kinds[first].0.with(alleles.kinds[second].0);
        let has_indel = kinds.meets(Kinds::INDEL);
        let frame_of = |allele: usize| frames.get(allele).copied().unwrap_or_default() as usize;
        match class {
            Class::Missing => self.missing += 1,
            Class::ReferenceHaploid => self.reference_haploid += 1,
            Class::AlternateHaploid => self.alternate_haploid += 1,
            _ => {
                if (kinds.meets(Kinds::SNP) || kinds == Kinds::REFERENCE)
                    && !self.observe_snp(genotype, alleles)
                {
                    return;
                }
                if has_indel {
                    self.observe_indel(genotype, alleles);
                    self.frames[frame_of(first)] += 1;
                    self.frames[frame_of(second)] += 1;
                }
                return;
            }
        }
        if has_indel {
            self.frames[frame_of(first)] += 1;
        }
    }

    /// Counts a genotype with a SNP or of the reference; false where a SNP has another base than A, C, G and T, after
    /// which bcftools looks no further.
    fn observe_snp(&mut self, genotype: Genotype, alleles: &Alleles) -> bool {
        match genotype.class {
            Class::ReferenceHomozygous => self.reference_homozygous += 1,
            Class::AlternateHomozygous => self.alternate_homozygous += 1,
            _ => self.heterozygous += 1,
        }
        let (first, second) = genotype.alleles;
        let number = |base: Option<u8>| base.map_or(-1, i32::from);
        for allele in [first, second].into_iter().filter(|allele| *allele > 0) {
            if !alleles.kinds[allele].0.meets(Kinds::SNP) {
                continue;
            }
            let Some(base) = alleles.bases[allele] else { return false };
            match (number(alleles.bases[0]) - i32::from(base)).abs() {
                2 => self.transitions += 1,
                _ => self.transversions += 1,
            }
        }
        true
    }

    fn observe_indel(&mut self, genotype: Genotype, alleles: &Alleles) {
        self.indels += 1;
        let (first, second) = genotype.alleles;
        let is_indel = |allele: usize, deletes: bool| {
            let (kind, length) = alleles.kinds[allele];
            kind.meets(Kinds::INDEL) && (length < 0) == deletes
        };
        for (counts, deletes) in [(&mut self.inserted, false), (&mut self.deleted, true)] {
            if is_indel(first, deletes) || is_indel(second, deletes) {
                match genotype.class {
                    Class::AlternateHomozygous => counts.homozygous += 1,
                    _ => counts.heterozygous += 1,
                }
            }
        }
    }
}

/// The place of a length among [`LENGTHS`].
fn place_of(length: i64) -> usize {
    let most = LONGEST_INDEL as i64;
    (length.clamp(-most, most) + most) as usize
}

/// The sum of the values that are there.
fn sum_of(counts: &[u8]) -> Option<i32> {
    let mut values = value::list(counts).filter_map(value::integer).map(i64::from);
    let first = values.next()?;
    let sum = first + values.sum::<i64>();
    Some(sum.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
}

/// The alternate allele with most reads, the first of several; 0 where none has any.
fn with_most_reads(counts: &[u8], alleles: usize) -> usize {
    let (mut best, mut most) = (0, 0);
    for (allele, text) in value::list(counts).enumerate().take(alleles).skip(1) {
        if let Some(count) = value::integer(text).filter(|count| *count > most) {
            (best, most) = (allele, count);
        }
    }
    best
}
