//! Contigs of a header or reference: names, lengths, roles, and the genome build they belong to.
//!
//! Knows human assemblies by name and length. Not for reading headers: `formats` fills the list.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// One contig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contig {
    /// Name as in the file (`SN`).
    pub name: String,
    /// Length in bases (`LN`), at most 2^31-1.
    pub length: u32,
    /// MD5 of the upper-case sequence (`M5`), in hexadecimal, if known.
    pub md5: Option<String>,
}

/// Why a list of contigs cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("contig {0} is listed twice")]
pub struct DuplicateContig(pub String);

/// Contigs in file order, with lookup by name. A contig's number is its place in the list, from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contigs {
    list: Vec<Contig>,
    by_name: HashMap<String, usize>,
}

impl Contigs {
    /// Takes contigs in file order.
    ///
    /// # Errors
    /// Two contigs have the same name.
    pub fn new(list: Vec<Contig>) -> Result<Self, DuplicateContig> {
        let mut by_name = HashMap::with_capacity(list.len());
        for (number, contig) in list.iter().enumerate() {
            if by_name.insert(contig.name.clone(), number).is_some() {
                return Err(DuplicateContig(contig.name.clone()));
            }
        }
        Ok(Self { list, by_name })
    }

    /// Number of contigs.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The contig of this number.
    pub fn get(&self, number: usize) -> Option<&Contig> {
        self.list.get(number)
    }

    /// All contigs in file order.
    pub fn iter(&self) -> std::slice::Iter<'_, Contig> {
        self.list.iter()
    }

    /// Number of the contig of exactly this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Sum of all lengths in bases.
    pub fn total_length(&self) -> u64 {
        self.list.iter().fold(0, |sum, contig| sum + u64::from(contig.length))
    }

    /// The build whose chromosome lengths these are, if at least one of chr1..chr22, X and Y is here with its length,
    /// and none with another length.
    ///
    /// A contig that bears an assembly's RefSeq accession or plain name but another length speaks against that build,
    /// so a slice with its own coordinates, or another species, gives `None`.
    pub fn build(&self) -> Option<Build> {
        [Build::Grch37, Build::Grch38].into_iter().find(|&build| {
            let mut found = false;
            let consistent = self.list.iter().all(|contig| match build.expected_length(&contig.name) {
                Some(length) => {
                    found = true;
                    length == u64::from(contig.length)
                }
                None => true,
            });
            found && consistent
        })
    }
}

/// What a contig is in a human genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContigRole {
    /// Chromosome 1 to 22.
    Autosome(u8),
    /// Chromosome X.
    X,
    /// Chromosome Y.
    Y,
    /// The mitochondrion.
    Mitochondrion,
    /// Unplaced, unlocalised, alternate, decoy, HLA, viral, or of no human assembly.
    Other,
}

impl ContigRole {
    /// The role of a contig of this name: `1`..`22`, `X`, `Y`, `M`, `MT`, each with or without `chr`, or a RefSeq
    /// accession of GRCh37 or GRCh38 with its version (`NC_000001.10`, `NC_012920.1`; hg19's chrM is `NC_001807.4`).
    ///
    /// ```
    /// use norn::genome::contigs::ContigRole;
    /// assert_eq!(ContigRole::of("chr7"), ContigRole::Autosome(7));
    /// assert_eq!(ContigRole::of("NC_000023.11"), ContigRole::X);
    /// assert_eq!(ContigRole::of("chr6_GL000256v2_alt"), ContigRole::Other);
    /// ```
    pub fn of(name: &str) -> Self {
        if let Some(accession) = name.strip_prefix("NC_") {
            return Self::of_accession(accession);
        }
        match name.strip_prefix("chr").unwrap_or(name) {
            "X" => Self::X,
            "Y" => Self::Y,
            "M" | "MT" => Self::Mitochondrion,
            number => match number.parse() {
                // Not "01" or "+1".
                Ok(n @ 1..=22) if number.len() == if n < 10 { 1 } else { 2 } => Self::Autosome(n),
                _ => Self::Other,
            },
        }
    }

    /// Whether this is chromosome 1 to 22.
    pub fn is_autosome(self) -> bool {
        matches!(self, Self::Autosome(_))
    }

    /// Source: assembly reports of GCF_000001405.25 (GRCh37.p13) and GCF_000001405.40 (GRCh38.p14).
    fn of_accession(accession: &str) -> Self {
        let Some((number, version)) = accession.split_once('.') else { return Self::Other };
        if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_digit()) || number.len() != 6 {
            return Self::Other;
        }
        match number.parse::<u32>() {
            Ok(n @ 1..=22) => Self::Autosome(n as u8),
            Ok(23) => Self::X,
            Ok(24) => Self::Y,
            Ok(12_920 | 1_807) => Self::Mitochondrion,
            _ => Self::Other,
        }
    }
}

/// A human genome build, patches aside (they change no primary coordinates).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Build {
    /// GRCh37, also b37 and hg19 (which differ in the mitochondrion).
    Grch37,
    /// GRCh38, also hg38.
    Grch38,
}

impl Build {
    /// The build's name: `GRCh37` or `GRCh38`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grch37 => "GRCh37",
            Self::Grch38 => "GRCh38",
        }
    }

    /// Length in bases of a nuclear chromosome; `None` for other roles (the mitochondrion of hg19 is not b37's).
    pub fn length_of(self, role: ContigRole) -> Option<u64> {
        let lengths = match self {
            Self::Grch37 => &GRCH37_LENGTHS,
            Self::Grch38 => &GRCH38_LENGTHS,
        };
        let place = match role {
            ContigRole::Autosome(number @ 1..=22) => usize::from(number) - 1,
            ContigRole::X => 22,
            ContigRole::Y => 23,
            _ => return None,
        };
        Some(lengths[place])
    }

    fn expected_length(self, name: &str) -> Option<u64> {
        self.length_of(ContigRole::of(name))
    }
}

/// Bases of chr1..22, X, Y in GRCh37. Source: Genome Reference Consortium, GCA_000001405.1 (and every patch).
const GRCH37_LENGTHS: [u64; 24] = [
    249_250_621,
    243_199_373,
    198_022_430,
    191_154_276,
    180_915_260,
    171_115_067,
    159_138_663,
    146_364_022,
    141_213_431,
    135_534_747,
    135_006_516,
    133_851_895,
    115_169_878,
    107_349_540,
    102_531_392,
    90_354_753,
    81_195_210,
    78_077_248,
    59_128_983,
    63_025_520,
    48_129_895,
    51_304_566,
    155_270_560,
    59_373_566,
];

/// Bases of chr1..22, X, Y in GRCh38. Source: Genome Reference Consortium, GCA_000001405.15 (and every patch).
const GRCH38_LENGTHS: [u64; 24] = [
    248_956_422,
    242_193_529,
    198_295_559,
    190_214_555,
    181_538_259,
    170_805_979,
    159_345_973,
    145_138_636,
    138_394_717,
    133_797_422,
    135_086_622,
    133_275_309,
    114_364_328,
    107_043_718,
    101_991_189,
    90_338_345,
    83_257_441,
    80_373_285,
    58_617_616,
    64_444_167,
    46_709_983,
    50_818_468,
    156_040_895,
    57_227_415,
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn contigs(list: &[(&str, u32)]) -> Contigs {
        let contig = |&(name, length): &(&str, u32)| Contig { name: name.to_owned(), length, md5: None };
        Contigs::new(list.iter().map(contig).collect()).unwrap()
    }

    #[test]
    fn roles_follow_from_names() {
        use ContigRole::*;
        for (name, role) in [
            ("1", Autosome(1)),
            ("chr22", Autosome(22)),
            ("chrX", X),
            ("Y", Y),
            ("chrM", Mitochondrion),
            ("MT", Mitochondrion),
            ("chrMT", Mitochondrion),
            ("NC_000001.10", Autosome(1)),
            ("NC_000022.11", Autosome(22)),
            ("NC_000024.9", Y),
            ("NC_012920.1", Mitochondrion),
            ("NC_001807.4", Mitochondrion),
            ("NC_000067.7", Other), // mouse chr1
            ("NC_000001", Other),
            ("NC_1.1", Other),
            ("0", Other),
            ("01", Other),
            ("+1", Other),
            ("23", Other),
            ("256", Other),
            ("chr", Other),
            ("", Other),
            ("chrUn_KI270302v1", Other),
            ("HLA-A*01:01:01:01", Other),
            ("hs37d5", Other),
            ("chrEBV", Other),
        ] {
            assert_eq!(ContigRole::of(name), role, "{name}");
        }
    }

    #[test]
    fn the_build_follows_from_lengths() {
        for (list, build) in [
            (&[("chr21", 46_709_983), ("chrEBV", 171_823)][..], Some(Build::Grch38)),
            (&[("8", 146_364_022), ("11", 135_006_516)], Some(Build::Grch37)),
            (&[("NC_000023.11", 156_040_895)], Some(Build::Grch38)),
            (&[("chr21", 46_709_983), ("chr22", 51_304_566)], None),
            (&[("chr20", 1_000_000)], None),
            (&[("chrM", 16_569)], None),
            (&[], None),
        ] {
            assert_eq!(contigs(list).build(), build, "{list:?}");
        }
    }

    #[test]
    fn names_are_found_and_may_not_come_twice() {
        let list = contigs(&[("a", 5), ("b", 7)]);
        assert_eq!((list.index_of("b"), list.index_of("c"), list.total_length()), (Some(1), None, 12));
        let twice = list.iter().chain(list.iter()).cloned().collect();
        assert_eq!(Contigs::new(twice), Err(DuplicateContig("a".to_owned())));
    }
}
