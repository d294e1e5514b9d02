//! VCF and BCF as genotypes: read once, and of the records only those kept that are asked for, as PLINK would store them.
//!
//! Hard calls are GT, a haploid one as if both copies were alike; half of a call is missing. With a dosage field, `DS` is the
//! dosage of an alternate allele, `GP` gives probabilities of 0, 1 and 2 copies, `HDS` the dosages of both chromosomes; they become units of
//! 1/16,384, as in PLINK 2.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::calls;
use super::samples::{Sample, SampleTable};
use super::sites::SiteTable;
use super::{Cursor, DosageOf, GenotypeError, GenotypeProblem, GenotypeSource, Genotypes, MISSING_DOSAGE};
use crate::formats::vcf::reader::{Batch, VariantError, VariantReader};
use crate::formats::vcf::record::{Column, Record};

/// Genotypes of a VCF or BCF, in memory.
#[derive(Debug)]
pub struct VcfGenotypes {
    path: PathBuf,
    samples: SampleTable,
    sites: SiteTable,
    kept: Vec<Genotypes>,
    /// Records that the file has.
    seen: u64,
    /// Bytes of what is kept, about.
    bytes: u64,
}

/// What of a file is kept.
pub struct Wanted<'w> {
    /// Whether a record at a contig and a position (1-based), with this identifier, is.
    pub is_wanted: &'w (dyn Fn(&str, i64, &str) -> bool + Sync),
    /// The FORMAT field that tells dosages: `DS`, `GP` or `HDS`.
    pub dosage_field: Option<DosageField>,
    /// Bytes that genotypes may take.
    pub memory: u64,
}

/// A FORMAT field that tells dosages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DosageField {
    /// Dosages of the alternate alleles.
    Ds,
    /// Probabilities of genotypes.
    Gp,
    /// Dosages of each chromosome.
    Hds,
}

impl DosageField {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Ds => b"DS",
            Self::Gp => b"GP",
            Self::Hds => b"HDS",
        }
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum VcfGenotypeError {
    /// The file is damaged.
    #[error(transparent)]
    Read(#[from] VariantError),
    /// A record is.
    #[error("{path}: {what}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        what: String,
    },
    /// There are more genotypes than fit.
    #[error(
        "{path}: genotypes of {kept} records take more than {memory} MiB: give more --memory, or PLINK 2 or BGEN files, which are read in \
         pieces",
        path = path.display()
    )]
    Memory {
        /// The file.
        path: PathBuf,
        /// Records so far.
        kept: usize,
        /// What is allowed.
        memory: u64,
    },
}

/// What PLINK 2 counts a copy.
const ONE: u64 = 16_384;

/// A record that is kept.
struct Kept {
    contig: String,
    position: i32,
    id: String,
    reference: String,
    alternates: String,
    genotypes: Genotypes,
}

impl VcfGenotypes {
    /// Reads a file.
    ///
    /// # Errors
    /// It is damaged, or what is wanted does not fit.
    pub fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Self, VcfGenotypeError> {
        let failed = |what: String| VcfGenotypeError::Record { path: path.to_owned(), what };
        let mut reader = VariantReader::open(path)?;
        let dictionary = reader.dictionary();
        let mut samples = SampleTable::default();
        for name in reader.header().samples() {
            let sample = Sample { individual: name.clone(), ..Sample::default() };
            samples.push(sample).map_err(|what| failed(format!("{what}: {name}")))?;
        }
        let mut file = Self {
            path: path.to_owned(),
            samples,
            sites: SiteTable::default(),
            kept: Vec::new(),
            seen: 0,
            bytes: 0,
        };
        let count = file.samples.len();
        let at_once = 2 * rayon::current_num_threads();
        loop {
            let mut batches: Vec<Batch> = Vec::with_capacity(at_once);
            while batches.len() < at_once {
                match reader.next_batch()? {
                    Some(batch) => batches.push(batch),
                    None => break,
                }
            }
            if batches.is_empty() {
                file.check_dosages(wanted.dosage_field)?;
                return Ok(file);
            }
            let parts: Vec<_> = batches
                .into_par_iter()
                .map(|batch| {
                    let records =
                        batch.records(dictionary.as_deref()).map_err(|problem| problem.to_string())?;
                    let kept = records.iter().filter_map(|record| kept(record, count, wanted).transpose());
                    Ok((records.len() as u64, kept.collect::<Result<Vec<_>, String>>()?))
                })
                .collect::<Result<_, String>>()
                .map_err(failed)?;
            for (seen, kept) in parts {
                file.seen += seen;
                for Kept { contig, position, id, reference, alternates, genotypes } in kept {
                    let pushed = file.sites.push(&contig, position, &id, &reference, &alternates);
                    pushed.map_err(|what| failed(format!("{contig}:{position}: {what}")))?;
                    file.bytes += count.div_ceil(4) as u64 + 8 * genotypes.dosages.values.len() as u64 + 256;
                    if file.bytes > wanted.memory {
                        let (path, kept) = (path.to_owned(), file.kept.len());
                        return Err(VcfGenotypeError::Memory { path, kept, memory: wanted.memory >> 20 });
                    }
                    file.kept.push(genotypes);
                }
            }
        }
    }

    /// A field that is asked for must be there: hard calls in its place would go unseen.
    fn check_dosages(&self, field: Option<DosageField>) -> Result<(), VcfGenotypeError> {
        let Some(field) = field else { return Ok(()) };
        let mut of_two_alleles = self.kept.iter().filter(|kept| kept.alleles == 2).peekable();
        let is_asked = of_two_alleles.peek().is_some();
        if is_asked && !of_two_alleles.any(|kept| kept.dosages.of == DosageOf::All) {
            let name = String::from_utf8_lossy(field.name());
            let what =
                format!("no record that scores ask for has a dosage in FORMAT/{name} (--dosage-field)");
            return Err(VcfGenotypeError::Record { path: self.path.clone(), what });
        }
        Ok(())
    }

    /// Records of the file, kept or not.
    pub fn seen(&self) -> u64 {
        self.seen
    }
}

impl GenotypeSource for VcfGenotypes {
    fn samples(&self) -> &SampleTable {
        &self.samples
    }

    fn sites(&self) -> &SiteTable {
        &self.sites
    }

    fn settle_samples(&mut self, like: Option<&SampleTable>) {
        self.samples.settle(like);
    }

    fn held_bytes(&self) -> u64 {
        self.bytes
    }

    fn cursor(&self) -> Box<dyn Cursor + '_> {
        Box::new(VcfCursor(self))
    }
}

struct VcfCursor<'v>(&'v VcfGenotypes);

impl Cursor for VcfCursor<'_> {
    fn read(&mut self, variant: usize, into: &mut Genotypes) -> Result<(), GenotypeError> {
        let kept = self.0.kept.get(variant).ok_or_else(|| {
            let what = GenotypeProblem::File(format!("there is no variant {}", variant + 1));
            what.of(&self.0.path)
        })?;
        into.clone_from(kept);
        Ok(())
    }
}

fn kept(record: &Record, samples: usize, wanted: &Wanted<'_>) -> Result<Option<Kept>, String> {
    let contig = String::from_utf8_lossy(record.chrom());
    let position = record.position() + 1;
    let id = String::from_utf8_lossy(record.column(Column::Id));
    if !(wanted.is_wanted)(&contig, position, &id) {
        return Ok(None);
    }
    let failed = |what: &str| format!("{contig}:{position}: {what}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let alternates: Vec<String> = record.alternates().map(text).collect();
    let mut genotypes = Genotypes::default();
    genotypes.clear(samples, alternates.len().max(1) + 1);
    read_calls(record, samples, &mut genotypes).map_err(failed)?;
    if let Some(field) = wanted.dosage_field {
        read_dosages(record, field, &mut genotypes).map_err(failed)?;
    }
    Ok(Some(Kept {
        position: i32::try_from(position).map_err(|_| failed("the position is too large"))?,
        id: id.into_owned(),
        reference: text(record.reference()),
        alternates: if alternates.is_empty() { ".".to_owned() } else { alternates.join(",") },
        contig: contig.into_owned(),
        genotypes,
    }))
}

/// The hard calls.
fn read_calls(record: &Record, samples: usize, into: &mut Genotypes) -> Result<(), &'static str> {
    let mut packed = vec![0; samples.div_ceil(4)];
    let Some(field) = record.format_index(b"GT") else {
        (0..samples as u32).for_each(|sample| calls::set(&mut packed, sample, calls::MISSING));
        into.calls.set_packed(&packed);
        return Ok(());
    };
    let mut count = 0u32;
    for (sample, cell) in (0u32..).zip(record.cells(field)) {
        count = sample + 1;
        let alleles = alleles(cell);
        let code = match alleles {
            None => calls::MISSING,
            Some((first, second)) => u8::from(first > 0) + u8::from(second > 0),
        };
        if count as usize <= samples && code != 0 {
            calls::set(&mut packed, sample, code);
        }
        match alleles {
            Some((0, other)) if other > 1 => into.others.with_reference.push((sample, other)),
            Some((first, second)) if first > 0 && second > 1 => {
                into.others.without_reference.push((sample, first, second));
            }
            _ => {}
        }
        if alleles.is_some_and(|(_, second)| second as usize >= into.alleles) {
            return Err("a genotype names an allele that the record does not have");
        }
    }
    if count as usize != samples {
        return Err("it has not as many samples as the header");
    }
    into.calls.set_packed(&packed);
    Ok(())
}

/// Both alleles of a genotype, the lower first; one that stands alone counts as two. `None` where one is missing, or there are more.
fn alleles(cell: &[u8]) -> Option<(u32, u32)> {
    if let [a @ b'0'..=b'9', b'|' | b'/', b @ b'0'..=b'9'] = cell {
        let (a, b) = (u32::from(a - b'0'), u32::from(b - b'0'));
        return Some((a.min(b), a.max(b)));
    }
    let mut parts = cell.split(|letter| matches!(letter, b'|' | b'/')).filter(|part| !part.is_empty());
    let mut number = || parts.next().map(|part| std::str::from_utf8(part).ok()?.parse::<u32>().ok());
    let first = number()??;
    let second = match number() {
        Some(second) => second?,
        None => first,
    };
    number().is_none().then_some((first.min(second), first.max(second)))
}

/// Dosages of the alternate alleles together.
fn read_dosages(record: &Record, field: DosageField, into: &mut Genotypes) -> Result<(), &'static str> {
    let Some(number) = record.format_index(field.name()) else { return Ok(()) };
    if into.alleles > 2 {
        // What several alternate alleles have together tells nothing of one of them; calls stand.
        return Ok(());
    }
    let (mut values, mut any) = (Vec::with_capacity(into.samples), false);
    let mut calls = record.format_index(b"GT").map(|call| record.cells(call));
    for cell in record.cells(number) {
        // A call of one allele, also a missing one, says that DS counts copies of one: as in PLINK 2, it stands for two.
        let call = calls.as_mut().and_then(Iterator::next);
        let is_haploid = call.is_some_and(|call| !call.iter().any(|letter| matches!(letter, b'|' | b'/')));
        let dosage = dosage(cell, field, is_haploid)?;
        any |= dosage.is_some();
        values.push(dosage.unwrap_or(MISSING_DOSAGE));
    }
    if values.len() != into.samples {
        return Err("it has not as many samples as the header");
    }
    if any {
        // A call stands in for a dosage that is missing.
        for (sample, value) in values.iter_mut().enumerate().filter(|(_, value)| **value == MISSING_DOSAGE) {
            match into.calls.get(sample) {
                calls::MISSING => {}
                copies => *value = u64::from(copies) * ONE,
            }
        }
        (into.dosages.one, into.dosages.of, into.dosages.values) = (ONE, DosageOf::All, values);
    }
    Ok(())
}

fn dosage(cell: &[u8], field: DosageField, is_haploid: bool) -> Result<Option<u64>, &'static str> {
    let mut numbers = cell
        .split(|letter| *letter == b',')
        .map(|text| std::str::from_utf8(text).ok()?.parse::<f64>().ok().filter(|number| number.is_finite()));
    let mut next = || numbers.next().flatten();
    let copies = match field {
        DosageField::Ds => next().map(|copies| if is_haploid { 2.0 * copies } else { copies }),
        DosageField::Hds => next().map(|first| next().map_or(2.0 * first, |second| first + second)),
        DosageField::Gp => match (next(), next(), next()) {
            (Some(zero), Some(one), Some(two)) => {
                let all = zero + one + two;
                if all > 0.0 { Some((one + 2.0 * two) / all) } else { None }
            }
            (Some(_), Some(one), None) => Some(2.0 * one),
            _ => None,
        },
    };
    match copies {
        None => Ok(None),
        Some(copies) if (-1e-6..=2.0 + 1e-6).contains(&copies) => {
            Ok(Some((copies.clamp(0.0, 2.0) * ONE as f64).round() as u64))
        }
        Some(_) => Err("a dosage is not between 0 and 2"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genotypes_are_two_alleles() {
        for (cell, expected) in [
            ("0|1", Some((0, 1))),
            ("1/0", Some((0, 1))),
            ("1", Some((1, 1))),
            ("12|3", Some((3, 12))),
            ("./.", None),
            ("0/.", None),
            (".", None),
            ("", None),
            ("0/1/1", None),
            ("x", None),
        ] {
            assert_eq!(alleles(cell.as_bytes()), expected, "{cell}");
        }
    }

    #[test]
    fn dosages_are_units_of_plink() {
        for (cell, field, expected) in [
            ("0.5", DosageField::Ds, Ok(Some(8192))),
            ("2", DosageField::Ds, Ok(Some(32_768))),
            (".", DosageField::Ds, Ok(None)),
            ("2.1", DosageField::Ds, Err(())),
            ("nan", DosageField::Ds, Ok(None)),
            ("0.9 of one", DosageField::Ds, Ok(Some(29_491))),
            ("1.5 of one", DosageField::Ds, Err(())),
            ("0.25,0.5", DosageField::Hds, Ok(Some(12_288))),
            ("0,0.5,0.5", DosageField::Gp, Ok(Some(24_576))),
            ("0.5,0.5", DosageField::Gp, Ok(Some(16_384))),
            (".,.,.", DosageField::Gp, Ok(None)),
        ] {
            let number = cell.trim_end_matches(" of one");
            let found = dosage(number.as_bytes(), field, number != cell);
            assert_eq!(found.map_err(|_| ()), expected, "{cell}");
        }
    }
}
