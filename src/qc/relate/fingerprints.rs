//! Fingerprints as genotypes by site, from the VCFs that `norn qc --sites` writes or any other.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::formats::text;
use crate::genome::contigs::ContigRole;

/// Genotypes of a lower quality (GQ) count as unknown.
pub const MIN_QUALITY: u32 = 20;
/// So do those of fewer bases, whatever their quality: that many let a homozygote reach the quality which a heterozygote
/// has with three, so that neither is counted more often than it is there.
pub const MIN_DEPTH: u32 = 7;
/// From this Phred on a less likely genotype is none: its share of the site would be below a millionth.
const SURE: u8 = 60;
/// Likelihoods by Phred.
static LINEAR: LazyLock<[f64; 256]> =
    LazyLock::new(|| std::array::from_fn(|phred| 10f64.powf(-(phred as f64) / 10.0)));
/// Alternate bases among those of a site, above the first or below the second, that no clean sample shows.
const MIDDLING: (f64, f64) = (0.1, 0.9);

/// The genotypes of some samples at the same sites.
#[derive(Clone, Debug, Default)]
pub struct Fingerprints {
    /// Place of each site, by contig, position, reference and alternate allele as in the VCF.
    places: FxHashMap<Box<str>, usize>,
    autosomal: Vec<u64>,
    x: Vec<u64>,
    y: Vec<u64>,
    frequencies: Vec<Option<f64>>,
    samples: Vec<Sample>,
}

/// One sample.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Bits by site, of genotypes that count as known: homozygous for the reference, heterozygous, homozygous for the
    /// alternate allele.
    pub genotypes: Vec<[u64; 3]>,
    /// The same of those that are beyond doubt.
    pub sure: Vec<[u64; 3]>,
    /// Likelihoods of the three genotypes by site (Phred, the likeliest 0); all 0 where nothing is known.
    likelihoods: Vec<[u8; 3]>,
    /// Figures for the table of samples.
    pub figures: Figures,
}

impl Sample {
    /// Likelihoods of 0, 1 and 2 alternate alleles at a site, the likeliest 1; `None` where nothing is known.
    #[inline]
    pub fn likelihoods_at(&self, place: usize) -> Option<[f64; 3]> {
        let phreds = self.likelihoods.get(place).filter(|phreds| **phreds != [0; 3])?;
        Some(phreds.map(|phred| LINEAR[usize::from(phred)]))
    }
}

/// Sums over the sites of one sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Depth of all sites that are not on X or Y.
    pub depth: Spread,
    /// Depth of those with a genotype.
    pub genotyped_depth: Spread,
    /// Share of alternate bases at sites with any base.
    pub balance: Spread,
    /// Sites by genotype: 0, 1, 2 alternate alleles, and unknown.
    pub genotypes: [u32; 4],
    /// Sites whose share of alternate bases is that of neither a homozygote nor a heterozygote (0.02 to 0.1, 0.9 to 0.98).
    pub middling: u32,
    /// Depth of the sites on X.
    pub x_depth: Spread,
    /// Genotypes on X, as above.
    pub x_genotypes: [u32; 4],
    /// Depth of the sites on Y.
    pub y_depth: Spread,
}

/// Mean and standard deviation of what is added (Welford's method).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many.
    pub n: u32,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f64) {
        self.n += 1;
        let from = value - self.mean;
        self.mean += from / f64::from(self.n);
        self.squares += from * (value - self.mean);
    }

    /// The mean; 0 of nothing.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation of a sample; 0 of fewer than two.
    pub fn deviation(&self) -> f64 {
        if self.n < 2 { 0.0 } else { (self.squares / f64::from(self.n - 1)).sqrt() }
    }
}

/// Why fingerprints cannot be used. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum FingerprintError {
    /// The file could not be opened or read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not as it should be.
    #[error("{path}, line {line}: {what}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// No sites in common with the files before it.
    #[error("{path}: no site in common with the other fingerprints; make all of them with the same --sites", path = path.display())]
    OtherSites {
        /// The file.
        path: PathBuf,
    },
}

impl Fingerprints {
    /// Reads VCFs, plain, gzip or BGZF; all samples of each. Biallelic records count, whatever their order.
    ///
    /// # Errors
    /// A file cannot be read, is no VCF with samples, or has no site in common with those before it.
    pub fn read(paths: &[PathBuf]) -> Result<Self, FingerprintError> {
        let mut all = Self::default();
        for path in paths {
            all.read_file(path)?;
        }
        let words = all.frequencies.len().div_ceil(64);
        for sample in &mut all.samples {
            sample.genotypes.resize(words, [0; 3]);
            sample.sure.resize(words, [0; 3]);
            sample.likelihoods.resize(words * 64, [0; 3]);
        }
        Ok(all)
    }

    /// The samples in the files' order.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Bits of the sites that are not on X, Y or the mitochondrion.
    pub fn autosomal(&self) -> &[u64] {
        &self.autosomal
    }

    /// Bits of the sites on X.
    pub fn x(&self) -> &[u64] {
        &self.x
    }

    /// Frequency of the alternate allele by site, where INFO/AF has it.
    pub fn frequencies(&self) -> &[Option<f64>] {
        &self.frequencies
    }

    fn read_file(&mut self, path: &Path) -> Result<(), FingerprintError> {
        let io_error = |source| FingerprintError::Io { path: path.to_owned(), source };
        let mut input = text::open(path).map_err(io_error)?;
        let (mut line, mut number) = (Vec::new(), 0u64);
        let mut samples: Vec<Sample> = Vec::new();
        let (known_sites, mut in_common) = (self.frequencies.len(), known_sites_are_none(self));
        while text::read_line(&mut *input, &mut line).map_err(io_error)? {
            number += 1;
            let malformed = |what| FingerprintError::Malformed { path: path.to_owned(), line: number, what };
            let line = std::str::from_utf8(&line).map_err(|_| malformed("this is no VCF text"))?;
            if number == 1 && !line.starts_with("##fileformat=VCF") {
                return Err(malformed("this is no VCF (##fileformat is missing)"));
            }
            if line.starts_with("#CHROM\t") {
                let names = line.split('\t').skip(9);
                samples = names.map(|name| Sample { name: name.to_owned(), ..Sample::default() }).collect();
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if samples.is_empty() {
                return Err(malformed("a fingerprint has a sample's column"));
            }
            let columns: Vec<&str> = line.split('\t').collect();
            if columns.len() != 9 + samples.len() {
                return Err(malformed("the line has not as many columns as the header"));
            }
            if columns[4].contains(',') {
                continue;
            }
            let place = self.place(&columns);
            in_common |= place < known_sites;
            for (sample, column) in samples.iter_mut().zip(&columns[9..]) {
                let call = Call::parse(columns[8], column).map_err(malformed)?;
                self.add(sample, place, &call);
            }
        }
        if samples.is_empty() {
            let what = "a fingerprint has a sample's column";
            return Err(FingerprintError::Malformed { path: path.to_owned(), line: number, what });
        }
        if !in_common {
            return Err(FingerprintError::OtherSites { path: path.to_owned() });
        }
        self.samples.extend(samples);
        Ok(())
    }

    /// The place of a record's site.
    fn place(&mut self, columns: &[&str]) -> usize {
        let key = format!("{}\t{}\t{}\t{}", columns[0], columns[1], columns[3], columns[4]);
        let next = self.frequencies.len();
        let place = *self.places.entry(key.into_boxed_str()).or_insert(next);
        if place == next {
            let af = columns[7].split(';').find_map(|field| field.strip_prefix("AF="));
            let af = af.and_then(|af| af.parse::<f64>().ok()).filter(|af| (0.0..=1.0).contains(af));
            self.frequencies.push(af);
            let bit = 1 << (place % 64);
            let role = ContigRole::of(columns[0]);
            for (mask, is_in) in [
                (
                    &mut self.autosomal,
                    !matches!(role, ContigRole::X | ContigRole::Y | ContigRole::Mitochondrion),
                ),
                (&mut self.x, role == ContigRole::X),
                (&mut self.y, role == ContigRole::Y),
            ] {
                mask.resize(place / 64 + 1, 0);
                mask[place / 64] |= if is_in { bit } else { 0 };
            }
        }
        place
    }

    fn add(&self, sample: &mut Sample, place: usize, call: &Call) {
        let (word, bit) = (place / 64, 1u64 << (place % 64));
        if sample.genotypes.len() <= word {
            sample.genotypes.resize(word + 1, [0; 3]);
            sample.sure.resize(word + 1, [0; 3]);
            sample.likelihoods.resize(64 * (word + 1), [0; 3]);
        }
        let of = &mut sample.genotypes[word];
        if (of[0] | of[1] | of[2]) & bit != 0 || sample.likelihoods[place] != [0; 3] {
            // The same record twice.
            return;
        }
        sample.likelihoods[place] = call.likelihoods;
        if let Some(genotype) = call.sure() {
            sample.sure[word][genotype] |= bit;
        }
        let figures = &mut sample.figures;
        let (depth, [r, a]) = (f64::from(call.depth), call.alleles.map(f64::from));
        if self.y[word] & bit != 0 {
            figures.y_depth.add(depth);
            return;
        }
        let is_x = self.x[word] & bit != 0;
        if let Some(genotype) = call.genotype {
            of[genotype] |= bit;
        }
        let counts = if is_x { &mut figures.x_genotypes } else { &mut figures.genotypes };
        counts[call.genotype.unwrap_or(3)] += 1;
        if is_x {
            figures.x_depth.add(depth);
        } else if self.autosomal[word] & bit != 0 {
            figures.depth.add(depth);
            if call.genotype.is_some() {
                figures.genotyped_depth.add(depth);
            }
            if r + a > 0.0 {
                let share = a / (r + a);
                figures.balance.add(share);
                let is_off = share < MIDDLING.0 || share > MIDDLING.1;
                figures.middling += u32::from(is_off && share > 0.02 && share < 0.98);
            }
        }
    }
}

/// Whether there is nothing yet that a file could have in common.
fn known_sites_are_none(fingerprints: &Fingerprints) -> bool {
    fingerprints.frequencies.is_empty()
}

/// One sample's column of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Call {
    /// Alternate alleles, where known, of quality and of depth.
    genotype: Option<usize>,
    depth: u32,
    alleles: [u32; 2],
    /// Phred, the likeliest 0; all 0 where nothing is known.
    likelihoods: [u8; 3],
}

impl Call {
    fn parse(format: &str, column: &str) -> Result<Self, &'static str> {
        let mut call = Self::default();
        let (mut depth, mut quality, mut alleles, mut likelihoods) = (None, None, None, None);
        for (key, value) in format.split(':').zip(column.split(':')) {
            match key {
                "GT" => {
                    call.genotype = match value.split(['/', '|']).collect::<Vec<_>>()[..] {
                        ["0", "0"] => Some(0),
                        ["0", "1"] | ["1", "0"] => Some(1),
                        ["1", "1"] => Some(2),
                        _ => None,
                    }
                }
                _ if value == "." => {}
                "DP" => depth = Some(value.parse().map_err(|_| "DP is no number")?),
                "GQ" => quality = Some(value.parse::<f64>().map_err(|_| "GQ is no number")?),
                "AD" => alleles = numbers(value).map_err(|_| "AD is no number")?,
                "PL" => likelihoods = numbers(value).map_err(|_| "PL is no number")?,
                _ => {}
            }
        }
        call.alleles = alleles.unwrap_or_default();
        let bases = call.alleles[0].saturating_add(call.alleles[1]);
        call.depth = depth.unwrap_or(bases);
        call.likelihoods = match (likelihoods, call.genotype) {
            (Some(phreds), _) => scaled(phreds),
            (None, Some(genotype)) => called(genotype, quality),
            (None, None) => [0; 3],
        };
        let is_shallow = alleles.map(|_| bases).or(depth).is_some_and(|depth| depth < MIN_DEPTH);
        if is_shallow || quality.is_some_and(|quality| quality < f64::from(MIN_QUALITY)) {
            call.genotype = None;
        }
        Ok(call)
    }

    /// The genotype, where it is beyond doubt.
    fn sure(&self) -> Option<usize> {
        (0..3).find(|&genotype| (0..3).all(|other| other == genotype || self.likelihoods[other] >= SURE))
    }
}

/// `N` numbers between commas, `.` for 0; `None` if there are more or fewer, as where a site is not biallelic or not
/// diploid.
fn numbers<const N: usize>(text: &str) -> Result<Option<[u32; N]>, std::num::ParseIntError> {
    let mut numbers = [0; N];
    let mut n = 0;
    for value in text.split(',') {
        let number = if value == "." { 0 } else { value.parse()? };
        if let Some(place) = numbers.get_mut(n) {
            *place = number;
        }
        n += 1;
    }
    Ok((n == N).then_some(numbers))
}

/// Likelihoods with the likeliest at 0, as far as eight bits go.
fn scaled(phreds: [u32; 3]) -> [u8; 3] {
    let least = phreds.into_iter().min().unwrap_or(0);
    phreds.map(|phred| u8::try_from(phred - least).unwrap_or(u8::MAX))
}

/// Likelihoods of a genotype that comes without: the others are as likely as its quality says, and do not count where
/// there is none.
fn called(genotype: usize, quality: Option<f64>) -> [u8; 3] {
    // From 0 to 255, so within eight bits; a cast of NaN is 0.
    let others = quality.map_or(SURE, |quality| quality.clamp(0.0, 255.0) as u8);
    std::array::from_fn(|g| if g == genotype { 0 } else { others })
}
