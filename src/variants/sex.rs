//! Who has how many copies of what: sexes of samples, the sex chromosomes, and the regions where they are the same.

use std::io;
use std::path::Path;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::formats::text;
use crate::formats::vcf::header::Header;
use crate::genome::contigs::{Build, ContigRole};
use crate::genome::sex::pseudoautosomal_regions;

/// Somebody's sex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// XY.
    Male,
    /// XX.
    Female,
}

/// Copies of a place in the genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Copies {
    /// Not there: Y of a woman.
    None = 0,
    /// Haploid: X and Y of a man.
    One = 1,
    /// Diploid, or not known.
    Two = 2,
}

impl Copies {
    /// By their numbers.
    pub const ALL: [Self; 3] = [Self::None, Self::One, Self::Two];
}

/// Why sexes could not be read.
#[derive(Debug, Error)]
pub enum SexError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A line of the file.
    #[error("{path}, line {line}: expected {what}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What should stand there.
        what: &'static str,
    },
    /// The contigs do not tell the build; with the option that does.
    #[error(
        "the header's contigs are those of neither GRCh37 nor GRCh38, so where X and Y pair is not known ({0})"
    )]
    Build(&'static str),
}

/// Copies by sample, contig and position.
#[derive(Clone, Debug)]
pub struct PloidyMap {
    /// For each sample, where its sex is known.
    sexes: Vec<Option<Sex>>,
    /// X and Y by their names, with their pseudo-autosomal regions.
    contigs: FxHashMap<Vec<u8>, SexContig>,
}

/// X or Y, and its pseudo-autosomal regions, 0-based half-open.
type SexContig = (ContigRole, [(i64, i64); 2]);

/// What samples have at one place.
#[derive(Clone, Copy, Debug)]
pub struct CopiesAt<'m> {
    map: &'m PloidyMap,
    role: ContigRole,
}

impl CopiesAt<'_> {
    /// Copies of a sample.
    #[inline]
    pub fn of(&self, sample: usize) -> Copies {
        match (self.map.sexes.get(sample).copied().flatten(), self.role) {
            (Some(Sex::Male), _) => Copies::One,
            (Some(Sex::Female), ContigRole::Y) => Copies::None,
            _ => Copies::Two,
        }
    }
}

impl PloidyMap {
    /// For the samples and contigs of a header; the build by the contigs' lengths where it is not given.
    ///
    /// # Errors
    /// The build is not known.
    pub fn new(
        header: &Header,
        sexes: &FxHashMap<String, Sex>,
        build: Option<Build>,
    ) -> Result<Self, SexError> {
        let build = build.or_else(|| build_of(header)).ok_or(SexError::Build("--build"))?;
        let named = ["X", "chrX", "Y", "chrY"].map(str::to_owned);
        let names = header.contigs().iter().map(|(name, _)| name.clone()).chain(named);
        let contigs = names.filter_map(|name| {
            let role = ContigRole::of(&name);
            let regions = pseudoautosomal_regions(build, role)?;
            Some((name.into_bytes(), (role, regions.map(|region| (region.start as i64, region.end as i64)))))
        });
        let sexes = header.samples().iter().map(|sample| sexes.get(sample).copied()).collect();
        Ok(Self { sexes, contigs: contigs.collect() })
    }

    /// Who has how many copies at a position; `None` where everybody has two.
    pub fn at(&self, contig: &[u8], position: i64) -> Option<CopiesAt<'_>> {
        let (role, regions) = self.contigs.get(contig)?;
        let is_pseudoautosomal = regions.iter().any(|&(start, end)| (start..end).contains(&position));
        (!is_pseudoautosomal).then_some(CopiesAt { map: self, role: *role })
    }
}

/// The build of which a contig has the length.
pub fn build_of(header: &Header) -> Option<Build> {
    header.contigs().iter().find_map(|(name, length)| {
        let role = ContigRole::of(name);
        [Build::Grch37, Build::Grch38].into_iter().find(|build| {
            length.is_some() && role != ContigRole::Mitochondrion && build.length_of(role) == *length
        })
    })
}

/// Reads sexes: a PED file (sample in the second column, sex in the fifth), or else sample and sex in two columns. Sex is
/// 1, M or male; 2, F or female; anything else is not known.
///
/// # Errors
/// The file cannot be read, or a line is too short.
pub fn read_sexes(path: &Path) -> Result<FxHashMap<String, Sex>, SexError> {
    let name = path.display().to_string();
    let failed = |source| SexError::Io { path: name.clone(), source };
    let mut reader = text::open(path).map_err(failed)?;
    let (mut line, mut number, mut sexes) = (Vec::new(), 0, FxHashMap::default());
    while text::read_line(&mut *reader, &mut line).map_err(failed)? {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        let columns: Vec<&str> = text.split_ascii_whitespace().collect();
        if columns.is_empty() || columns[0].starts_with('#') {
            continue;
        }
        let (sample, sex) = match columns[..] {
            [_, sample, _, _, sex, ..] => (sample, sex),
            [sample, sex] => (sample, sex),
            _ => {
                let what = "two columns (sample, sex) or the six of a PED file";
                return Err(SexError::Line { path: name, line: number, what });
            }
        };
        let sex = match sex.to_ascii_lowercase().as_str() {
            "1" | "m" | "male" => Sex::Male,
            "2" | "f" | "female" => Sex::Female,
            _ => continue,
        };
        sexes.insert(sample.to_owned(), sex);
    }
    Ok(sexes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn men_have_one_x_but_where_it_pairs_with_y() {
        let directory = tempfile::tempdir().unwrap();
        let header = Header::parse(
            b"##fileformat=VCFv4.2\n##contig=<ID=chrX,length=156040895>\n##contig=<ID=chrY>\n\
            #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tman\twoman\tnobody\n",
        )
        .unwrap();
        for text in ["f man 0 0 1 -9\nf woman 0 0 2 -9\n", "#x\nman M\n\nwoman\tfemale\nnobody ?\n"] {
            let path = directory.path().join("sexes");
            std::fs::write(&path, text).unwrap();
            let map = PloidyMap::new(&header, &read_sexes(&path).unwrap(), None).unwrap();
            let copies = |contig: &str, position: i64| {
                map.at(contig.as_bytes(), position - 1).map(|at| [0, 1, 2].map(|sample| at.of(sample)))
            };
            assert_eq!(copies("chrX", 3_000_000), Some([Copies::One, Copies::Two, Copies::Two]));
            assert_eq!(copies("chrX", 2_781_479), None);
            assert_eq!(copies("chrX", 2_781_480), Some([Copies::One, Copies::Two, Copies::Two]));
            assert_eq!(copies("chrY", 3_000_000), Some([Copies::One, Copies::None, Copies::Two]));
            assert_eq!(copies("chr1", 3_000_000), None);
        }
        let header = Header::parse(
            b"##fileformat=VCFv4.2\n##contig=<ID=1,length=5>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
        );
        assert!(matches!(
            PloidyMap::new(&header.unwrap(), &FxHashMap::default(), None),
            Err(SexError::Build(_))
        ));
    }
}
