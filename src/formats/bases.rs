//! The reference as aligning and naming need it: single bases and short slices, near one another, many times a record.
//!
//! A few blocks are kept in memory, in upper case, with a base for each ambiguity code and `N` for any other letter. Each thread
//! has its own, so nothing is locked.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::fasta::{FastaError, Reference};
use crate::genome::contigs::ContigRole;

/// Bases in a block.
const BLOCK: u64 = 1 << 16;
/// Blocks that a thread keeps: 1 MiB.
const SLOTS: usize = 16;

/// A reference that steps share.
#[derive(Clone, Debug)]
pub struct Genome {
    reference: Arc<Reference>,
    /// The chromosomes by what they are, and their numbers.
    roles: Arc<Vec<(ContigRole, usize)>>,
    /// Tells the blocks of one reference from those of another on the same thread.
    number: u64,
}

/// What a thread has read.
#[derive(Default)]
struct Cache {
    number: u64,
    slots: Vec<Block>,
    joined: Vec<u8>,
}

#[derive(Clone, Default)]
struct Block {
    /// Contig and number of the block in it.
    key: Option<(usize, u64)>,
    bases: Vec<u8>,
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

impl Genome {
    /// Shares a reference.
    pub fn new(reference: Arc<Reference>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let roles =
            reference.contigs().iter().enumerate().map(|(number, (name, _))| (ContigRole::of(name), number));
        let roles = Arc::new(roles.filter(|(role, _)| *role != ContigRole::Other).collect());
        Self { reference, roles, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The number of a contig.
    pub fn contig(&self, name: &[u8]) -> Option<usize> {
        self.reference.contig_index(std::str::from_utf8(name).ok()?)
    }

    /// The number of a contig of this name, or of the same chromosome under another (`chr1`, `1`, `NC_000001.11`).
    pub fn contig_like(&self, name: &[u8]) -> Option<usize> {
        self.contig(name).or_else(|| {
            let role = ContigRole::of(std::str::from_utf8(name).ok()?);
            self.roles.iter().find(|(known, _)| *known == role).map(|(_, number)| *number)
        })
    }

    /// The name of a contig.
    pub fn contig_name(&self, contig: usize) -> &str {
        self.reference.contigs().get(contig).map_or("", |(name, _)| name)
    }

    /// The file's name, for messages.
    pub fn name(&self) -> String {
        self.reference.path().display().to_string()
    }

    /// Bases of a contig.
    pub fn length(&self, contig: usize) -> u64 {
        self.reference.contigs().get(contig).map_or(0, |(_, length)| *length)
    }

    /// Looks at bases. `look` must not ask for bases of a genome in turn.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn with<R>(&self, contig: usize, look: impl FnOnce(&mut Bases<'_>) -> R) -> Result<R, FastaError> {
        CACHE.with_borrow_mut(|cache| {
            if cache.number != self.number {
                (cache.number, cache.slots) = (self.number, vec![Block::default(); SLOTS]);
            }
            let length = self.length(contig);
            let mut bases = Bases { genome: self, cache, contig, length, failed: None };
            let result = look(&mut bases);
            match bases.failed {
                Some(error) => Err(error),
                None => Ok(result),
            }
        })
    }
}

/// The bases of one contig.
pub struct Bases<'c> {
    genome: &'c Genome,
    cache: &'c mut Cache,
    contig: usize,
    length: u64,
    /// Told at the end of [`Genome::with`]; until then there are no bases.
    failed: Option<FastaError>,
}

impl Bases<'_> {
    /// Bases of the contig.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The base at a position (0-based); none outside the contig.
    #[inline]
    pub fn at(&mut self, position: i64) -> Option<u8> {
        let position = u64::try_from(position).ok()?;
        self.block(position / BLOCK).get((position % BLOCK) as usize).copied()
    }

    /// Bases `from..to` (0-based, half-open), clipped to the contig.
    pub fn slice(&mut self, from: i64, to: i64) -> &[u8] {
        let (from, to) = (from.max(0) as u64, (to.max(0) as u64).min(self.length));
        if from >= to {
            return &[];
        }
        let (first, last) = (from / BLOCK, (to - 1) / BLOCK);
        if first == last {
            let (a, b) = ((from % BLOCK) as usize, (from % BLOCK + to - from) as usize);
            return self.block(first).get(a..b).unwrap_or_default();
        }
        let mut joined = std::mem::take(&mut self.cache.joined);
        joined.clear();
        for number in first..=last {
            let start = number * BLOCK;
            let (a, b) = (from.max(start) - start, to.min(start + BLOCK) - start);
            joined.extend_from_slice(self.block(number).get(a as usize..b as usize).unwrap_or_default());
        }
        self.cache.joined = joined;
        &self.cache.joined
    }

    #[inline]
    fn block(&mut self, number: u64) -> &[u8] {
        let slot = number as usize % SLOTS;
        if self.cache.slots[slot].key != Some((self.contig, number)) {
            self.read(slot, number);
        }
        &self.cache.slots[slot].bases
    }

    #[cold]
    fn read(&mut self, slot: usize, number: u64) {
        let block = &mut self.cache.slots[slot];
        let (from, contig) = (number.saturating_mul(BLOCK), self.contig);
        let read = self.genome.reference.fetch(contig, from, from.saturating_add(BLOCK), &mut block.bases);
        block.key = Some((contig, number));
        if let Err(error) = read {
            (block.key, self.failed) = (None, Some(error));
            block.bases.clear();
        }
        for base in &mut block.bases {
            *base = concrete(*base);
        }
    }
}

/// A base for a letter: of an ambiguity code the first of its bases by the alphabet (VCF 4.3, section 1.6.1, REF), `N` for
/// anything else.
pub fn concrete(letter: u8) -> u8 {
    match letter.to_ascii_uppercase() {
        b'A' | b'M' | b'R' | b'W' | b'V' | b'H' | b'D' => b'A',
        b'C' | b'S' | b'Y' | b'B' => b'C',
        b'G' | b'K' => b'G',
        b'T' => b'T',
        _ => b'N',
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    /// A genome of these contigs, named `c0`, `c1`, ...; the folder must be kept.
    pub fn genome(contigs: &[&[u8]]) -> (tempfile::TempDir, Genome) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("g.fa");
        let mut text = Vec::new();
        for (number, bases) in contigs.iter().enumerate() {
            text.extend_from_slice(format!(">c{number}\n").as_bytes());
            for line in bases.chunks(60) {
                text.extend_from_slice(line);
                text.push(b'\n');
            }
        }
        std::fs::write(&path, text).unwrap();
        (directory, Genome::new(Arc::new(Reference::open(&path).unwrap())))
    }

    #[test]
    fn bases_are_those_of_the_file_across_blocks_and_contigs() {
        let long: Vec<u8> = (0..200_000usize).map(|i| b"ACGTr"[i * i % 5]).collect();
        let clean: Vec<u8> = long.iter().map(|&b| if b == b'r' { b'A' } else { b }).collect();
        let (_directory, genome) = genome(&[&long, b"acgt"]);
        for (from, to) in [(0, 10), (65_530, 65_540), (65_536, 131_072), (10, 199_999), (199_990, 300_000)] {
            let expected = &clean[from as usize..(to as usize).min(clean.len())];
            assert_eq!(genome.with(0, |bases| bases.slice(from, to).to_vec()).unwrap(), expected);
        }
        assert_eq!(genome.with(1, |bases| bases.slice(-3, 3).to_vec()).unwrap(), b"ACG");
        let single = |at| genome.with(0, |bases| bases.at(at)).unwrap();
        assert_eq!((single(-1), single(200_000), single(131_072)), (None, None, Some(clean[131_072])));
        assert_eq!((genome.contig(b"c1"), genome.contig(b"x"), genome.length(0)), (Some(1), None, 200_000));
    }
}
