//! From whom a child has its alleles, by place and sex: rules in bcftools' form, and those of two builds.
//!
//! A rule is `SEX CONTIG:FROM-TO PARENTS`, 1-based inclusive, where PARENTS is `M`, `F`, `MF` or `.`. What no rule names comes
//! from both parents.

use std::io;
use std::path::Path;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::formats::text;
use crate::genome::contigs::Build;

/// The parents of whom alleles come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parents {
    /// The mother is one of them.
    pub mother: bool,
    /// The father is.
    pub father: bool,
    /// How many alleles there are, 0 to 2.
    pub ploidy: u8,
}

impl Parents {
    /// One allele of each.
    pub const BOTH: Self = Self { mother: true, father: true, ploidy: 2 };
    /// No allele, so nothing to judge.
    pub const NONE: Self = Self { mother: false, father: false, ploidy: 0 };

    fn parse(text: &str) -> Option<Self> {
        let mut parents = Self::NONE;
        for letter in text.chars() {
            match letter {
                'M' => parents = Self { mother: true, ploidy: parents.ploidy + 1, ..parents },
                'F' => parents = Self { father: true, ploidy: parents.ploidy + 1, ..parents },
                '.' => parents = Self::NONE,
                _ => return None,
            }
            if parents.ploidy > 2 {
                return None;
            }
        }
        Some(parents)
    }
}

/// Rules by contig.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The words for sexes, in the order of their first rules.
    sexes: Vec<String>,
    contigs: FxHashMap<Vec<u8>, Vec<Rule>>,
}

/// A rule: positions are 0-based half-open, the sex is its place among the words.
#[derive(Clone, Copy, Debug)]
struct Rule {
    start: i64,
    end: i64,
    sex: usize,
    parents: Parents,
}

/// Why rules cannot be read.
#[derive(Debug, Error)]
pub enum RulesError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A line.
    #[error("{path}, line {line}: expected SEX, CONTIG:FROM-TO and M, F, MF or .")]
    Line {
        /// The file, or what else has the rules.
        path: String,
        /// The line, from 1.
        line: u64,
    },
    /// No rule speaks of a child's sex.
    #[error("the rules say nothing of {0}")]
    Sex(&'static str),
}

/// X, Y and the mitochondrion of GRCh37 as bcftools 1.23 has them: its X borders are one base inside the
/// pseudo-autosomal regions' ends.
const GRCH37: [&str; 6] = [
    "1X X:1-60000 M",
    "1X X:2699521-154931043 M",
    "1X Y:1-59373566 F",
    "2X Y:1-59373566 .",
    "1X MT:1-16569 M",
    "2X MT:1-16569 M",
];

/// Those of GRCh38.
const GRCH38: [&str; 6] = [
    "1X X:1-9999 M",
    "1X X:2781480-155701381 M",
    "1X Y:1-57227415 F",
    "2X Y:1-57227415 .",
    "1X MT:1-16569 M",
    "2X MT:1-16569 M",
];

/// The rules of a build in their text, both with and without `chr`.
pub fn text_of(build: Build) -> String {
    let (rules, mitochondrion) = match build {
        Build::Grch37 => (GRCH37, "chrM:"),
        // bcftools 1.23 has chrMT here and chrM in GRCh37.
        Build::Grch38 => (GRCH38, "chrMT:"),
    };
    let named = |rule: &str| rule.replacen(" MT:", &format!(" {mitochondrion}"), 1);
    let prefixed = |rule: &str| match rule.contains(" MT:") {
        true => named(rule),
        false => rule.replacen(' ', " chr", 1),
    };
    let plain = rules.iter().map(|rule| format!("{rule}\n"));
    plain.chain(rules.iter().map(|rule| prefixed(rule) + "\n")).collect()
}

impl Rules {
    /// The rules of a build as bcftools has them.
    pub fn of_build(build: Build) -> Self {
        // The tables above are tested.
        Self::parse(&text_of(build), build.name()).unwrap_or_default()
    }

    /// The rules of a build, for the mitochondrion under all its names.
    pub fn complete(build: Build) -> Self {
        let mut rules = Self::of_build(build);
        if let Some(mitochondrion) = rules.contigs.get(&b"MT"[..]).cloned() {
            for name in [&b"chrM"[..], b"chrMT", b"M"] {
                rules.contigs.insert(name.to_vec(), mitochondrion.clone());
            }
        }
        rules
    }

    /// Reads a file of rules; lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// The file cannot be read, or a line is no rule.
    pub fn read(path: &Path) -> Result<Self, RulesError> {
        let name = path.display().to_string();
        let failed = |source| RulesError::Io { path: name.clone(), source };
        let (mut reader, mut line, mut text) = (text::open(path).map_err(failed)?, Vec::new(), String::new());
        while text::read_line(&mut *reader, &mut line).map_err(failed)? {
            text += &String::from_utf8_lossy(&line);
            text.push('\n');
        }
        Self::parse(&text, &name)
    }

    fn parse(text: &str, path: &str) -> Result<Self, RulesError> {
        let mut rules = Self::default();
        for (line, number) in text.lines().zip(1..) {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            rules.add(line).ok_or_else(|| RulesError::Line { path: path.to_owned(), line: number })?;
        }
        for list in rules.contigs.values_mut() {
            // Of rules that overlap the one that begins last counts, of those the shortest.
            list.sort_by_key(|rule| (rule.start, -rule.end));
        }
        Ok(rules)
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_ascii_whitespace();
        let (sex, region) = (words.next()?, words.next()?);
        let (contig, range) = region.rsplit_once(':')?;
        let (from, to) = range.split_once('-')?;
        let (from, to): (i64, i64) = (from.parse().ok()?, to.parse().ok()?);
        let parents = Parents::parse(words.next().unwrap_or("."))?;
        if contig.is_empty() || from < 1 || to < 1 {
            return None;
        }
        let sex = self.sexes.iter().position(|known| known == sex).unwrap_or_else(|| {
            self.sexes.push(sex.to_owned());
            self.sexes.len() - 1
        });
        let rule = Rule { start: from.min(to) - 1, end: from.max(to), sex, parents };
        self.contigs.entry(contig.as_bytes().to_vec()).or_default().push(rule);
        Some(())
    }

    /// The place of a sex among the words: `1X` of a child with one X, else `2X`.
    ///
    /// # Errors
    /// No rule names it.
    pub fn sex(&self, has_one_x: bool) -> Result<usize, RulesError> {
        let word = if has_one_x { "1X" } else { "2X" };
        self.sexes.iter().position(|known| known == word).ok_or(RulesError::Sex(word))
    }

    /// What a child of this sex has from whom between two positions, 0-based half-open.
    pub fn parents(&self, contig: &[u8], (start, end): (i64, i64), sex: usize) -> Parents {
        let rules = self.contigs.get(contig).map_or(&[][..], Vec::as_slice);
        let meets = |rule: &&Rule| rule.sex == sex && rule.start < end && start < rule.end;
        rules.iter().rev().find(meets).map_or(Parents::BOTH, |rule| rule.parents)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::genome::contigs::ContigRole;
    use crate::genome::sex::pseudoautosomal_regions;

    const MOTHER: Parents = Parents { mother: true, father: false, ploidy: 1 };
    const FATHER: Parents = Parents { mother: false, father: true, ploidy: 1 };

    #[test]
    fn sons_have_one_x_between_the_pseudoautosomal_regions() {
        for build in [Build::Grch37, Build::Grch38] {
            let rules = Rules::complete(build);
            let (son, daughter) = (rules.sex(true).unwrap(), rules.sex(false).unwrap());
            let at = |contig: &str, position: i64, sex| {
                rules.parents(contig.as_bytes(), (position - 1, position), sex)
            };
            // Borders within a base of the Genome Reference Consortium's.
            let [par1, par2] = pseudoautosomal_regions(build, ContigRole::X).unwrap();
            for contig in ["X", "chrX"] {
                assert_eq!(at(contig, par1.end as i64, son), Parents::BOTH);
                assert_eq!(at(contig, par1.end as i64 + 1, son), MOTHER);
                assert_eq!(at(contig, par2.start as i64 - 1, son), MOTHER);
                assert_eq!(at(contig, par2.start as i64 + 1, son), Parents::BOTH);
                assert_eq!(at(contig, 5_000_000, daughter), Parents::BOTH);
            }
            for contig in ["Y", "chrY"] {
                assert_eq!(at(contig, 5_000_000, son), FATHER);
                assert_eq!(at(contig, 5_000_000, daughter), Parents::NONE);
            }
            for contig in ["MT", "chrM", "chrMT"] {
                assert_eq!([at(contig, 1, son), at(contig, 16_569, daughter)], [MOTHER; 2]);
            }
            assert_eq!(at("chr1", 1, son), Parents::BOTH);
        }
    }

    #[test]
    fn rules_are_read_line_by_line() {
        let rules =
            Rules::parse("# a comment\n\n 2X  HLA:1:5-9 .\n1X HLA:1:1-100 F\n1X HLA:1:9-5 MF more\n", "x");
        let rules = rules.unwrap();
        assert_eq!((rules.sex(false).unwrap(), rules.sex(true).unwrap()), (0, 1));
        let at = |range, sex| rules.parents(b"HLA:1", range, sex);
        assert_eq!([at((8, 9), 0), at((9, 10), 0)], [Parents::NONE, Parents::BOTH]);
        assert_eq!([at((3, 4), 1), at((3, 5), 1), at((9, 10), 1)], [FATHER, Parents::BOTH, FATHER]);
        assert_eq!(at((99, 120), 2), Parents::BOTH);
        for wrong in
            ["1X", "1X X", "1X X:1 M", "1X X:1-b M", "1X X:1-5 MFM", "1X X:1-5 Q", "1X :1-5 M", "1X X:0-5 M"]
        {
            let error = Rules::parse(&format!("1X X:1-2 M\n{wrong}\n"), "f").unwrap_err();
            assert!(error.to_string().starts_with("f, line 2"), "{wrong}: {error}");
        }
        assert!(matches!(Rules::parse("1X X:1-5 M", "x").unwrap().sex(false), Err(RulesError::Sex("2X"))));
    }
}
