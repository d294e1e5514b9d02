//! Genotypes that are made in memory, of every kind that files hold.

use norn::formats::genotypes::calls::{self, MISSING};
use norn::formats::genotypes::samples::{Sample, SampleSex, SampleTable};
use norn::formats::genotypes::sites::SiteTable;
use norn::formats::genotypes::{
    Cursor, DosageOf, GenotypeError, GenotypeProblem, GenotypeSource, Genotypes, MISSING_DOSAGE,
};

use super::made::Random;

/// Variants of people.
#[derive(Clone)]
pub struct Made {
    pub samples: SampleTable,
    pub sites: SiteTable,
    pub genotypes: Vec<Genotypes>,
}

impl GenotypeSource for Made {
    fn samples(&self) -> &SampleTable {
        &self.samples
    }

    fn sites(&self) -> &SiteTable {
        &self.sites
    }

    fn cursor(&self) -> Box<dyn Cursor + '_> {
        Box::new(MadeCursor(self))
    }
}

struct MadeCursor<'m>(&'m Made);

impl Cursor for MadeCursor<'_> {
    fn read(&mut self, variant: usize, into: &mut Genotypes) -> Result<(), GenotypeError> {
        let found = self.0.genotypes.get(variant);
        let missing = || GenotypeProblem::File("no such variant".into()).of("made".as_ref());
        into.clone_from(found.ok_or_else(missing)?);
        Ok(())
    }
}

impl Made {
    /// So many people, of which some are children and some of unknown sex, at so many variants of autosomes, of X, Y and
    /// the mitochondrion.
    pub fn new(seed: u64, people: usize, variants: usize) -> Self {
        let mut random = Random::new(seed);
        let mut samples = SampleTable::default();
        for person in 0..people {
            let is_child = person > 3 && random.below(9) == 0;
            let sex = [None, Some(SampleSex::Male), Some(SampleSex::Female)][random.below(5).min(2)];
            let father = is_child.then(|| "p0".to_owned());
            samples
                .push(Sample { individual: format!("p{person}"), father, sex, ..Sample::default() })
                .expect("new");
        }
        let (mut sites, mut genotypes) = (SiteTable::default(), Vec::new());
        for variant in 0..variants {
            let contig = ["1", "2", "7", "PAR1", "chrX", "X", "Y", "MT"][random.below(8)];
            let alternates = if random.below(6) == 0 { "C,G,T" } else { "C" };
            sites.push(contig, variant as i32 + 1, &format!("v{variant}"), "A", alternates).expect("site");
            genotypes.push(genotypes_of(&mut random, people, alternates.split(',').count() + 1));
        }
        Self { samples, sites, genotypes }
    }

    /// The variants of a range alone.
    pub fn part(&self, range: std::ops::Range<usize>) -> Self {
        let mut sites = SiteTable::default();
        for site in self.sites.iter().skip(range.start).take(range.len()) {
            let alternates: Vec<&str> = site.alternates().collect();
            sites
                .push(site.contig, site.position, site.id, site.reference, &alternates.join(","))
                .expect("site");
        }
        Self { samples: self.samples.clone(), sites, genotypes: self.genotypes[range].to_vec() }
    }

    /// Copies of an allele in a diploid genotype, as numerator and denominator; `None` where they are missing.
    pub fn copies(&self, variant: usize, allele: u32, sample: usize) -> Option<(u64, u64)> {
        let genotypes = &self.genotypes[variant];
        let dosages = &genotypes.dosages;
        let place = match dosages.of {
            DosageOf::Nobody => None,
            DosageOf::All => Some(sample),
            DosageOf::Some => dosages.samples.binary_search(&(sample as u32)).ok(),
        };
        if let Some(place) = place {
            let value = dosages.values[place];
            let ploidy = genotypes.ploidies.get(sample).copied().unwrap_or(2);
            if value == MISSING_DOSAGE || ploidy == 0 {
                return None;
            }
            let value = if ploidy == 1 { 2 * value } else { value };
            return Some((if allele == 0 { 2 * dosages.one - value } else { value }, dosages.one));
        }
        let mut packed = Vec::new();
        genotypes.copies_of(allele, &mut packed);
        let code = packed[sample / 4] >> (sample % 4 * 2) & 3;
        (code != MISSING).then_some((u64::from(code), 1))
    }
}

fn genotypes_of(random: &mut Random, people: usize, alleles: usize) -> Genotypes {
    let mut made = Genotypes::default();
    made.clear(people, alleles);
    let per_mille = [1, 20, 300, 970, 999][random.below(5)];
    let missing = [0, 5, 50, 400][random.below(4)];
    let codes: Vec<u8> = (0..people)
        .map(|_| {
            let mut allele = || u8::from(random.below(1000) < per_mille);
            let copies = allele() + allele();
            if random.below(1000) < missing { MISSING } else { copies }
        })
        .collect();
    let mut packed = vec![0; people.div_ceil(4)];
    for (sample, code) in (0u32..).zip(&codes) {
        calls::set(&mut packed, sample, *code);
    }
    let kind = if alleles > 2 { 0 } else { random.below(6) };
    let common = [0, 2][usize::from(per_mille > 500)];
    if kind == 1 || per_mille != 300 && random.below(2) == 0 {
        made.calls.set_common(common);
        let others = (0u32..).zip(&codes).filter(|(_, code)| **code != common);
        let (samples, others): (Vec<u32>, Vec<u8>) = others.map(|(sample, code)| (sample, *code)).unzip();
        made.calls.patch(&samples, &others);
    } else {
        made.calls.set_packed(&packed);
    }
    for (sample, code) in (0u32..).zip(&codes).filter(|_| alleles > 2) {
        match (code, random.below(2)) {
            (1, 0) => made.others.with_reference.push((sample, 2 + random.below(alleles - 2) as u32)),
            (2, 0) => {
                let second = 2 + random.below(alleles - 2) as u32;
                made.others.without_reference.push((
                    sample,
                    1 + random.below(second as usize) as u32,
                    second,
                ));
            }
            _ => {}
        }
    }
    match kind {
        2 | 3 => {
            made.dosages.one = 16_384;
            made.dosages.of = if kind == 2 { DosageOf::Some } else { DosageOf::All };
            for sample in (0..people).filter(|sample| kind == 3 || sample % 3 == 0) {
                let value = if kind == 3 && random.below(20) == 0 {
                    MISSING_DOSAGE
                } else {
                    random.below(32_769) as u64
                };
                made.dosages.samples.extend((kind == 2).then_some(sample as u32));
                made.dosages.values.push(value);
            }
        }
        // As BGEN has them: of 7, 8, 16 bits and more, dosages only, with ploidies or without; some are calls.
        4 | 5 => {
            let bits = [1, 7, 8, 15, 16, 24, 32][random.below(7)];
            made.calls.clear(people);
            made.dosages.one = (1 << bits) - 1;
            made.dosages.of = DosageOf::All;
            let has_ploidies = random.below(2) == 0;
            for _ in 0..people {
                let ploidy = if has_ploidies { 1 + random.below(2) as u64 } else { 2 };
                made.ploidies.extend(has_ploidies.then_some(ploidy as u8));
                let most = (ploidy * made.dosages.one) as usize;
                let value = if kind == 4 {
                    random.below(most + 1)
                } else {
                    random.below(ploidy as usize + 1) * made.dosages.one as usize
                };
                let is_missing = random.below(20) == 0;
                made.dosages.values.push(if is_missing { MISSING_DOSAGE } else { value as u64 });
            }
        }
        _ => {}
    }
    made
}
