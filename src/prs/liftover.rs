//! Positions of one genome build in another, by UCSC's chain files.
//!
//! A chain maps blocks of a reference chromosome onto a strand of another build. Alleles of variants that land on the other
//! strand are turned. Source: genome.ucsc.edu/goldenPath/help/chain.html.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use thiserror::Error;

use super::chromosome::Chromosome;
use super::score_variants::{AllelePair, TooMany, is_sequence};
use super::scoring_file::ScoringFile;
use crate::formats::text;
use crate::genome::contigs::{Build, Contig, Contigs};

/// The chains of a file.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    /// By the name of the contig that is left; chromosomes by their plain names.
    blocks: FxHashMap<String, Blocks>,
    /// Lengths of the contigs that are left and of those that are reached.
    lengths: [BTreeMap<String, u32>; 2],
}

#[derive(Clone, Debug, Default)]
struct Blocks {
    /// By start.
    list: Vec<Block>,
    /// For each block, the furthest end of it and those before.
    furthest: Vec<u64>,
}

/// A stretch without gaps; 0-based, half-open.
#[derive(Clone, Debug)]
struct Block {
    start: u64,
    end: u64,
    /// The place of the first base on the other strand or this.
    to: u64,
    chain: Arc<Chain>,
}

#[derive(Clone, Debug)]
struct Chain {
    /// The place in the file.
    number: u64,
    score: u64,
    contig: String,
    size: u64,
    is_reverse: bool,
}

/// Where a base lies in the other build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// The contig's name in the chain file.
    pub contig: Arc<str>,
    /// Position, 0-based, on the forward strand.
    pub position: u64,
    /// Whether the other build has the other strand there.
    pub is_reverse: bool,
}

/// Why a chain file is refused.
#[derive(Debug, Error)]
#[error("{path}: {source}", path = path.display())]
pub struct ChainError {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: ChainProblem,
}

/// What is wrong with a chain file.
#[derive(Debug, Error)]
pub enum ChainProblem {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// There is no chain.
    #[error("it has no chains")]
    Empty,
    /// Something in a line.
    #[error("line {line}: {what}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
}

impl Chains {
    /// Reads a file, compressed or not.
    ///
    /// # Errors
    /// It cannot be read, or is no chain file.
    pub fn read(path: &Path) -> Result<Self, ChainError> {
        let refused = |source: ChainProblem| ChainError { path: path.to_owned(), source };
        let mut reader = text::open(path).map_err(|error| refused(error.into()))?;
        Self::parse(&mut *reader).map_err(refused)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// It cannot be read, or is no chain file.
    pub fn parse(reader: &mut dyn BufRead) -> Result<Self, ChainProblem> {
        let (mut chains, mut line, mut number) = (Self::default(), Vec::new(), 0);
        let mut open: Option<Open> = None;
        while text::read_line(reader, &mut line)? {
            number += 1;
            let refused = |what| ChainProblem::Line { line: number, what };
            let line = std::str::from_utf8(&line).map_err(|_| refused("it is not UTF-8"))?;
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match (&mut open, &*words) {
                (_, [first, ..]) if first.starts_with('#') => {}
                (None, []) => {}
                (None, ["chain", rest @ ..]) => {
                    let chain = Open::of(rest, number).ok_or_else(|| refused("it is no head of a chain"))?;
                    chains.see_lengths(rest);
                    open = Some(chain);
                }
                (None, _) => return Err(refused("a block without the head of its chain")),
                (Some(chain), words) => {
                    let is_last = chain.add(words, &mut chains).map_err(refused)?;
                    open = open.filter(|_| !is_last);
                }
            }
        }
        if open.is_some() {
            return Err(ChainProblem::Line { line: number, what: "the file ends within a chain" });
        }
        if chains.blocks.is_empty() {
            return Err(ChainProblem::Empty);
        }
        chains.blocks.values_mut().for_each(Blocks::settle);
        Ok(chains)
    }

    /// The builds that chains lead from and to, where the lengths of their chromosomes tell.
    pub fn builds(&self) -> [Option<Build>; 2] {
        self.lengths.each_ref().map(|lengths| {
            let contig =
                |(name, length): (&String, &u32)| Contig { name: name.clone(), length: *length, md5: None };
            Contigs::new(lengths.iter().map(contig).collect()).ok()?.build()
        })
    }

    /// Where a base (0-based) of a contig lies in the other build: by the chain of the highest score, the first of the file
    /// where several have it. Contigs are known by all names of a chromosome.
    pub fn lift(&self, contig: &str, position: u64) -> Option<Lifted> {
        let blocks = self.blocks.get(plain(contig))?;
        let after = blocks.list.partition_point(|block| block.start <= position);
        let reaching = blocks.list[..after].iter().zip(&blocks.furthest).rev();
        let covering = reaching.take_while(|(_, furthest)| **furthest > position);
        let covering = covering.map(|(block, _)| block).filter(|block| block.end > position);
        let block =
            covering.max_by_key(|block| (block.chain.score, std::cmp::Reverse(block.chain.number)))?;
        let (chain, at) = (&block.chain, block.to + (position - block.start));
        let position = if chain.is_reverse { chain.size - 1 - at } else { at };
        Some(Lifted { contig: chain.contig.as_str().into(), position, is_reverse: chain.is_reverse })
    }
}

impl Chains {
    /// Keeps the lengths that a chain's head tells; of two for one contig, the first.
    fn see_lengths(&mut self, words: &[&str]) {
        for (lengths, at) in self.lengths.iter_mut().zip([1, 6]) {
            if let (Some(name), Some(Ok(length))) =
                (words.get(at), words.get(at + 1).map(|word| word.parse()))
            {
                lengths.entry((*name).to_owned()).or_insert(length);
            }
        }
    }
}

/// A chromosome's plain name; another contig's own.
fn plain(contig: &str) -> &str {
    match Chromosome::of(contig) {
        Some(chromosome) => chromosome.name(),
        None => contig,
    }
}

impl Blocks {
    fn settle(&mut self) {
        self.list.sort_by_key(|block| (block.start, block.end, block.chain.number));
        let furthest = self.list.iter().scan(0, |furthest: &mut u64, block| {
            *furthest = block.end.max(*furthest);
            Some(*furthest)
        });
        self.furthest = furthest.collect();
    }
}

/// A chain whose blocks are being read.
struct Open {
    chain: Arc<Chain>,
    contig: String,
    from: u64,
    from_end: u64,
    to: u64,
    to_end: u64,
}

impl Open {
    fn of(words: &[&str], line: u64) -> Option<Self> {
        let [score, contig, size, "+", start, end, to_contig, to_size, strand, to_start, to_end, ..] = words
        else {
            return None;
        };
        let number = |word: &str| word.parse::<u64>().ok().filter(|number| *number < MAX);
        let (from, from_end, to, to_end) = (number(start)?, number(end)?, number(to_start)?, number(to_end)?);
        let (size, to_size) = (number(size)?, number(to_size)?);
        if from > from_end || from_end > size || to > to_end || to_end > to_size {
            return None;
        }
        let is_reverse = match *strand {
            "+" => false,
            "-" => true,
            _ => return None,
        };
        let chain = Chain {
            number: line,
            score: number(score)?,
            contig: (*to_contig).to_owned(),
            size: to_size,
            is_reverse,
        };
        Some(Self { chain: Arc::new(chain), contig: plain(contig).to_owned(), from, from_end, to, to_end })
    }

    /// Adds a block; true if it is the last of its chain.
    fn add(&mut self, words: &[&str], chains: &mut Chains) -> Result<bool, &'static str> {
        let number = |word: &str| word.parse::<u64>().ok().filter(|number| *number < MAX);
        let (size, gaps) = match words {
            [size] => (number(size), None),
            [size, from, to] => {
                (number(size), number(from).zip(number(to)).map(Some).ok_or("a gap is no number")?)
            }
            _ => return Err("a block has one number or three"),
        };
        let size = size.ok_or("a size is no number")?;
        let (end, to_end) = (self.from + size, self.to + size);
        if end > self.from_end || to_end > self.to_end {
            return Err("a block reaches beyond its chain");
        }
        if size > 0 {
            let block = Block { start: self.from, end, to: self.to, chain: Arc::clone(&self.chain) };
            chains.blocks.entry(self.contig.clone()).or_default().list.push(block);
        }
        let (from_gap, to_gap) = gaps.unwrap_or_default();
        (self.from, self.to) = (end + from_gap, to_end + to_gap);
        Ok(gaps.is_none())
    }
}

/// No contig is as long; sums of positions stay far from the end of the numbers.
const MAX: u64 = 1 << 40;

/// How many variants were lifted, and why others were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiftCounts {
    /// Those that have a place in the other build.
    pub lifted: u64,
    /// Of these, those whose alleles were turned to the other strand.
    pub turned: u64,
    /// Those that had no position on a chromosome before.
    pub without_position: u64,
    /// Those that no chain covers.
    pub uncovered: u64,
    /// Those that land on a contig that is no chromosome.
    pub off_chromosomes: u64,
    /// Insertions and deletions on the other strand, where the base before them is another.
    pub indels_turned: u64,
}

impl LiftCounts {
    /// Those that lost their position.
    pub fn lost(&self) -> u64 {
        self.uncovered + self.off_chromosomes + self.indels_turned
    }
}

/// What became of the variants of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lift {
    /// How many.
    pub counts: LiftCounts,
    /// The rows whose alleles were turned to the other strand, ascending.
    pub turned: Vec<u32>,
}

/// Moves the variants of a file to another build. Those that have no place there lose their position and stay in the file, so
/// that they count as not matched. Variants that are found by identifier stay as they are.
///
/// # Errors
/// There are too many contigs.
pub fn lift(file: &mut ScoringFile, chains: &Chains, to: Build) -> Result<Lift, TooMany> {
    let mut lift = Lift::default();
    let counts = &mut lift.counts;
    for row in 0..file.variants.len() {
        let Some(variant) = file.variants.get(row) else { break };
        let (Some(chromosome), Some(position)) = (variant.chromosome, variant.position) else {
            counts.without_position += 1;
            continue;
        };
        let place = moved(chains, chromosome, position, variant.alleles);
        let (place, flips) = match place {
            Ok((place, flips)) => {
                counts.lifted += 1;
                if flips {
                    counts.turned += 1;
                    lift.turned.push(row as u32);
                }
                (Some(place), flips)
            }
            Err(lost) => {
                *lost.count(counts) += 1;
                (None, false)
            }
        };
        file.variants.move_to(row, place, flips)?;
    }
    file.build = Some(to);
    Ok(lift)
}

enum Lost {
    Uncovered,
    OffChromosomes,
    IndelTurned,
}

impl Lost {
    fn count(self, counts: &mut LiftCounts) -> &mut u64 {
        match self {
            Self::Uncovered => &mut counts.uncovered,
            Self::OffChromosomes => &mut counts.off_chromosomes,
            Self::IndelTurned => &mut counts.indels_turned,
        }
    }
}

/// The place of a variant (1-based) in the other build, and whether its alleles have to be turned.
fn moved(
    chains: &Chains,
    chromosome: Chromosome,
    position: u32,
    alleles: &AllelePair,
) -> Result<((Chromosome, u32), bool), Lost> {
    let first = u64::from(position) - 1;
    let mut lifted = chains.lift(chromosome.name(), first).ok_or(Lost::Uncovered)?;
    if lifted.is_reverse {
        // The last base is the first of the other strand.
        let length = turned_length(alleles).ok_or(Lost::IndelTurned)?;
        let last = chains.lift(chromosome.name(), first + length - 1).ok_or(Lost::Uncovered)?;
        if last.contig != lifted.contig || last.position + length - 1 != lifted.position {
            return Err(Lost::Uncovered);
        }
        lifted.position = last.position;
    }
    let chromosome = Chromosome::of(&lifted.contig).ok_or(Lost::OffChromosomes)?;
    let position = u32::try_from(lifted.position + 1).map_err(|_| Lost::OffChromosomes)?;
    Ok(((chromosome, position), lifted.is_reverse))
}

/// The length that all alleles have; alleles that are no sequences have none that matters.
fn turned_length(alleles: &AllelePair) -> Option<u64> {
    let length = alleles.effect.len();
    let others_length = alleles.other.as_ref().map(|other| other.len());
    if !is_sequence(&alleles.effect) {
        return Some(1);
    }
    let is_known = length == 1 && others_length.is_none();
    (is_known || others_length == Some(length)).then_some(length as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::scoring_file::{Reading, parse};
    use super::*;

    /// 10 bases forward, a gap, 10 bases; 10 bases of the other strand of chr2; a better chain over a part of the first.
    const CHAINS: &str = "# made by hand\n\
        chain 100 chr1 1000 + 100 125 chr1 2000 + 200 222 1\n10 5 2\n10\n\n\
        chain 90 chr1 1000 + 500 510 chr2 1000 - 300 310 2\n10\n\n\
        chain 200 chr1 1000 + 105 107 chrX 1000 + 0 2 3\n2\n\n\
        chain 90 chr1 1000 + 600 610 chr1_alt 1000 + 0 10 4\n10\n";

    #[test]
    fn bases_go_by_the_best_chain() {
        let chains = Chains::parse(&mut CHAINS.as_bytes()).unwrap();
        let lift = |position| {
            chains.lift("1", position).map(|to| (to.contig.to_string(), to.position, to.is_reverse))
        };
        let to = |contig: &str, position, is_reverse| Some((contig.to_owned(), position, is_reverse));
        for (position, expected) in [
            (99, None),
            (100, to("chr1", 200, false)),
            (104, to("chr1", 204, false)),
            (105, to("chrX", 0, false)),
            (107, to("chr1", 207, false)),
            (110, None),
            (115, to("chr1", 212, false)),
            (125, None),
            (500, to("chr2", 699, true)),
            (509, to("chr2", 690, true)),
        ] {
            assert_eq!(lift(position), expected, "{position}");
        }
        assert_eq!(chains.lift("chr9", 5), None);
    }

    #[test]
    fn alleles_turn_with_the_strand() {
        let table = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n\
            1\t101\tA\tG\t1\n1\t501\tA\tG\t1\n1\t501\tAC\tAG\t1\n1\t501\tAC\tA\t1\n1\t601\tA\tG\t1\n1\t1\tA\tG\t1\n\
            \t\tA\tG\t1\n1\t510\tAC\tAG\t1\n";
        let mut file = parse(&mut table.as_bytes(), Path::new("x"), &Reading::default()).unwrap();
        let chains = Chains::parse(&mut CHAINS.as_bytes()).unwrap();
        let lift = lift(&mut file, &chains, Build::Grch38).unwrap();
        let expected = LiftCounts {
            lifted: 3,
            turned: 2,
            without_position: 1,
            uncovered: 2,
            off_chromosomes: 1,
            indels_turned: 1,
        };
        assert_eq!((lift.counts, lift.turned), (expected, vec![1, 2]));
        assert_eq!(file.build, Some(Build::Grch38));
        let row = |row| {
            let variant = file.variants.get(row).unwrap();
            let alleles =
                (variant.alleles.effect.to_string(), variant.alleles.other.as_deref().unwrap().to_owned());
            (variant.contig.to_owned(), variant.position, alleles)
        };
        let expected = |contig: &str, position, a: &str, b: &str| {
            (contig.to_owned(), Some(position), (a.to_owned(), b.to_owned()))
        };
        assert_eq!(row(0), expected("1", 201, "A", "G"));
        assert_eq!(row(1), expected("2", 700, "T", "C"));
        assert_eq!(row(2), expected("2", 699, "GT", "CT"));
        assert_eq!(row(3).1, None);
    }

    #[test]
    fn lengths_of_chromosomes_tell_the_builds() {
        // Of chr1: hg19.chrom.sizes and hg38.chrom.sizes of UCSC.
        let chain = |from: u32, to: u32| format!("chain 1 chr1 {from} + 0 9 chr1 {to} + 0 9 1\n9\n");
        for (from, to, expected) in [
            (249_250_621, 248_956_422, [Some(Build::Grch37), Some(Build::Grch38)]),
            (248_956_422, 249_250_621, [Some(Build::Grch38), Some(Build::Grch37)]),
            (249_250_621, 1_000, [Some(Build::Grch37), None]),
        ] {
            assert_eq!(Chains::parse(&mut chain(from, to).as_bytes()).unwrap().builds(), expected);
        }
    }

    #[test]
    fn broken_chains_are_told() {
        for (text, told) in [
            ("", "it has no chains"),
            ("10\n", "line 1: a block without the head of its chain"),
            ("chain 1 a 9 + 0 9 b 9 + 0 9 1\n10\n", "line 2: a block reaches beyond its chain"),
            ("chain 1 a 9 - 0 9 b 9 + 0 9 1\n", "line 1: it is no head of a chain"),
            ("chain 1 a 9 + 0 99999999999999999999 b 9 + 0 9 1\n", "line 1: it is no head of a chain"),
            ("chain 1 a 9 + 0 9 b 9 + 0 9 1\n1 1 1\n", "line 2: the file ends within a chain"),
            ("chain 1 a 9 + 0 9 b 9 + 0 9 1\n\n", "line 2: a block has one number or three"),
        ] {
            assert_eq!(Chains::parse(&mut text.as_bytes()).unwrap_err().to_string(), told, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_chains_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            lines in "(chain [0-9]{1,20} a [0-9]{1,20} \\+ [0-9]{1,3} [0-9]{1,20} b [0-9]{1,20} [+-] [0-9]{1,3} [0-9]{1,20} 1\n([0-9]{1,3} [0-9]{1,20} [0-9]{1,20}\n){0,3}[0-9]{1,3}\n\n?){1,3}",
            position in any::<u64>(),
        ) {
            let _ = Chains::parse(&mut &bytes[..]);
            if let Ok(chains) = Chains::parse(&mut lines.as_bytes()) {
                let _ = chains.lift("a", position);
            }
        }
    }
}
