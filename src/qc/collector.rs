//! What a collector of figures is: a state that observes reads and merges with the states of other parts of the file.
//!
//! The genome is cut into *stretches*. A read belongs to the stretch in which it starts; a reference position belongs to
//! the stretch that holds it. A collector that counts reads looks at [`Collector::observe`] alone. One that counts
//! positions also gets the reads that start before the stretch and reach into it ([`Collector::lead_in`]) and counts
//! only positions within the stretch, so that cutting the file elsewhere never changes a figure.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Options;
use super::read::Read;
use crate::formats::fasta::{FastaError, Reference};
use crate::formats::header::Header;
use crate::formats::merged::ReadGroupNumbers;

/// The parts of a read that cost something to decode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// [`Read::bases`].
    pub bases: bool,
    /// [`Read::quals`] (only CRAM can leave them out).
    pub quals: bool,
    /// [`Read::read_group`], [`Read::nm`] and other auxiliary fields.
    pub fields: bool,
    /// The read's name.
    pub name: bool,
    /// [`Read::reference`].
    pub reference: bool,
    /// [`Read::is_good`].
    pub goodness: bool,
}

impl Needs {
    /// What either of them needs.
    pub fn union(self, other: Needs) -> Needs {
        Needs {
            bases: self.bases || other.bases,
            quals: self.quals || other.quals,
            fields: self.fields || other.fields,
            name: self.name || other.name,
            reference: self.reference || other.reference,
            goodness: self.goodness || other.goodness,
        }
    }
}

/// A run of reference positions that one collector state owns: 0-based, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Index of the contig.
    pub contig: usize,
    /// First position.
    pub start: u32,
    /// One past the last position.
    pub end: u32,
}

/// What is the same for all reads of a run.
#[derive(Clone)]
pub struct Context {
    /// The sample's files.
    pub paths: Vec<PathBuf>,
    /// Their header.
    pub header: Header,
    /// For each file, the header's numbers of its read groups by their id.
    pub read_groups: Vec<ReadGroupNumbers>,
    /// The reference sequence, where one was given.
    pub reference: Option<Arc<Reference>>,
    /// For each of the header's contigs its index in the reference, where it has it.
    pub reference_contigs: Vec<Option<usize>>,
    /// Whether the records come in coordinate order; without it no stretch is entered and positions are not counted.
    pub sorted: bool,
    /// What the user asked for.
    pub options: Options,
}

/// A mergeable state of figures.
///
/// For one stretch the calls come as `enter`, `lead_in`*, `observe`*, `leave`; reads in coordinate order. Reads without
/// a position come after the last `leave`. A state sees stretches in ascending order; `merge` is called with the state
/// of the parts that follow in the file.
pub trait Collector: Sized + Send + Serialize + DeserializeOwned {
    /// Why it cannot be collected from this input, if so.
    fn unavailable(_context: &Context) -> Option<&'static str> {
        None
    }

    /// What the collector looks at.
    fn needs(context: &Context) -> Needs;

    /// The empty state.
    fn new(context: &Context) -> Self;

    /// A stretch begins.
    fn enter(&mut self, _stretch: Stretch, _context: &Context) {}

    /// A read that starts before the stretch and reaches into it.
    fn lead_in(&mut self, _read: &Read<'_>) {}

    /// A read that starts within the stretch, or has no position.
    fn observe(&mut self, read: &Read<'_>);

    /// The stretch ends: no read will come that touches it.
    fn leave(&mut self, _context: &Context) -> Result<(), FastaError> {
        Ok(())
    }

    /// Takes in the state of the part of the file that follows.
    fn merge(&mut self, next: Self);

    /// The read groups get other numbers: those of the header had `numbers` (the last is for reads without one), of
    /// `count` in all.
    fn regroup(&mut self, _numbers: &[usize], _count: usize) {}

    /// This and the state of other files of the same sample, over the same genome; `None` where the figures of both
    /// together cannot be told from the two, as those by position.
    fn join(self, _other: Self) -> Option<Self> {
        None
    }

    /// Hands over the intervals that no later read changes, in order, so that they need not be kept. Only called for the
    /// state of the file from its beginning on; `finished` after its last read.
    fn drain(&mut self, _sink: &mut dyn IntervalSink, _finished: bool) -> io::Result<()> {
        Ok(())
    }
}

/// A file of intervals in the order of the genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Track {
    /// Depth of every position, equal neighbours together.
    PerBase,
    /// Mean depth of each region.
    Regions,
    /// Depth classes, equal neighbours together.
    Quantized,
    /// Positions of each region that reach each threshold.
    Thresholds,
}

/// Takes intervals as they are finished.
pub trait IntervalSink {
    /// One line: contig, 0-based half-open range, and the columns behind them (without a leading tab).
    fn interval(&mut self, track: Track, contig: usize, range: (u32, u32), columns: &str) -> io::Result<()>;
}
