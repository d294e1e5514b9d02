//! Normalising: `bcftools norm` with its options.
//!
//! REF is checked against the reference, variants are moved as far left as they go and made as short as they can be,
//! records are split or joined by their alternate alleles, taken apart into single changes, sorted, and freed of duplicates.
//! What looks at one record runs on all threads ([`Normalise`]); what needs neighbours is the sorting buffer ([`order`]).
//!
//! The output is sorted where the input is, and normalising it again changes nothing, however far a variant moves.

mod alleles;
mod atomise;
mod atoms;
pub mod counts;
mod duplicates;
mod fix;
mod genotypes;
mod groups;
mod join;
mod local;
mod order;
mod origin;
pub mod reach;
mod reference;
mod split;
mod symbolic;
pub mod transcripts;
pub mod warnings;

use std::path::PathBuf;
use std::sync::Arc;

use self::atomise::Atomise;
use self::counts::{Counted, Counts};
use self::origin::OriginTag;
use self::reference::Place;
use self::split::Split;
use self::transcripts::{TranscriptError, Transcripts};
use self::warnings::Warnings;
use crate::formats::bases::Genome;
use crate::formats::fasta::{FastaError, Reference};
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::records::condition::Condition;
use crate::records::pipeline::{Each, Part, RecordProblem};

/// Records of which kind are split or joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collapse {
    /// SNPs.
    Snps,
    /// Indels.
    Indels,
    /// All; joined are SNPs with SNPs and indels with indels.
    Both,
    /// All; joined is everything at a position.
    Any,
}

/// What is done with several alternate alleles (`-m`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Multiallelics {
    /// They stay as they are.
    #[default]
    Keep,
    /// `-`: a record for each.
    Split(Collapse),
    /// `+`: one record for a position.
    Join(Collapse),
}

/// Which duplicates go (`-d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveDuplicates {
    /// SNPs and MNPs behind the first at a position.
    Snps,
    /// Indels behind the first.
    Indels,
    /// Both of these, each by itself.
    Both,
    /// All records behind the first at a position.
    All,
    /// Records with the same alleles.
    Exact,
}

/// The order of records at one position (`-S`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// That of the input.
    #[default]
    Position,
    /// That of REF and ALT.
    Lexical,
}

/// What happens where REF is not that of the reference, or an allele is no sequence (`-c`). Without any of these it is
/// passed over in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckRef {
    /// `e`: an error; the others do not count then.
    pub exit: bool,
    /// `w`: a warning.
    pub warn: bool,
    /// `x`: the record goes.
    pub exclude: bool,
    /// `s`: REF is set.
    pub set: bool,
}

impl CheckRef {
    /// Parses the letters of `-c`; `None` where one is unknown or there is none.
    pub fn parse(letters: &str) -> Option<Self> {
        let is_known = !letters.is_empty() && letters.chars().all(|letter| "ewxs".contains(letter));
        let has = |letter| letters.contains(letter);
        let exit = has('e');
        let or = |letter| !exit && has(letter);
        is_known.then(|| Self { exit, warn: or('w'), exclude: or('x'), set: or('s') })
    }

    fn is_strict(self) -> bool {
        self.exit
    }
}

/// What `norn variants norm` is to do; the names are those of the options.
#[derive(Clone, Debug)]
pub struct NormOptions {
    /// Which records are worked on (`-i`, `-e`); the others are sorted with them and no more.
    pub condition: Option<Arc<Condition>>,
    /// The reference, FASTA; without one nothing is checked or aligned.
    pub fasta_ref: Option<PathBuf>,
    /// What to do where REF does not fit.
    pub check_ref: CheckRef,
    /// GFF3: in its transcripts on the forward strand variants move to the right.
    pub gff_annot: Option<PathBuf>,
    /// No aligning and trimming.
    pub do_not_normalize: bool,
    /// REF is checked all the same; `-N` of bcftools leaves out both.
    pub check_only: bool,
    /// Split, join, or neither.
    pub multiallelics: Multiallelics,
    /// Of split records, the other alleles in genotypes are REF (`0`), not missing (`.`).
    pub others_are_reference: bool,
    /// Tags with a value per allele whose sum stays the same in split records.
    pub keep_sum: Vec<String>,
    /// Fields with a wrong number of values are dropped instead of an error.
    pub force: bool,
    /// Joined records: see [`join`].
    pub strict_filter: bool,
    /// Take complex alleles apart.
    pub atomize: bool,
    /// In records taken apart, overlapping alleles are `*`, not missing.
    pub overlaps_are_star: bool,
    /// Which duplicates go.
    pub remove_duplicates: Option<RemoveDuplicates>,
    /// The INFO tag that tells what a changed record was.
    pub old_rec_tag: Option<String>,
    /// Order at one position.
    pub sort: SortOrder,
    /// Bases: input that is out of order by less than this is put in order.
    pub site_win: i64,
}

impl Default for NormOptions {
    fn default() -> Self {
        Self {
            condition: None,
            fasta_ref: None,
            check_ref: CheckRef { exit: true, ..CheckRef::default() },
            gff_annot: None,
            do_not_normalize: false,
            check_only: false,
            multiallelics: Multiallelics::Keep,
            others_are_reference: true,
            keep_sum: Vec::new(),
            force: false,
            strict_filter: false,
            atomize: false,
            overlaps_are_star: true,
            remove_duplicates: None,
            old_rec_tag: None,
            sort: SortOrder::Position,
            site_win: 1000,
        }
    }
}

/// Why a chain cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NormError {
    /// No option says what to do.
    #[error("nothing to do: give -a, -f, -m, -D or -d")]
    Nothing,
    /// `-g` without `-f`.
    #[error("--gff-annot needs --fasta-ref")]
    NoReference,
    /// A tag of `--keep-sum` is not declared.
    #[error("--keep-sum: the header has no tag {0}")]
    NoTag(String),
    /// The reference cannot be opened.
    #[error(transparent)]
    Reference(#[from] FastaError),
    /// The GFF cannot be read.
    #[error(transparent)]
    Transcripts(#[from] TranscriptError),
}

/// Steps for a pipeline, and what they tell.
pub struct Chain {
    /// The steps.
    pub parts: Vec<Part>,
    /// The header of what comes out.
    pub header: Header,
    /// How many records the steps took, changed and dropped; whole when the pipeline has ended.
    pub counts: Arc<Counts>,
    /// Lines about records that do not fit the reference.
    pub warnings: Arc<Warnings>,
}

/// Makes the steps for records with this header.
///
/// # Errors
/// The options do not go together, or a file cannot be read.
pub fn chain(options: &NormOptions, header: &Header) -> Result<Chain, NormError> {
    let has_work = options.fasta_ref.is_some()
        || options.multiallelics != Multiallelics::Keep
        || options.remove_duplicates.is_some()
        || options.atomize;
    if !has_work {
        return Err(NormError::Nothing);
    }
    for tag in &options.keep_sum {
        if header.info(tag.as_bytes()).is_none() && header.format(tag.as_bytes()).is_none() {
            return Err(NormError::NoTag(tag.clone()));
        }
    }
    let transcripts = match &options.gff_annot {
        Some(_) if options.fasta_ref.is_none() => return Err(NormError::NoReference),
        Some(path) => Some(Arc::new(Transcripts::read(path)?)),
        None => None,
    };
    let genome = match &options.fasta_ref {
        Some(path) => Some(Genome::new(Arc::new(Reference::open(path)?))),
        None => None,
    };
    let mut made = header.clone();
    if let Some(tag) = &options.old_rec_tag {
        OriginTag::new(tag).declare(&mut made);
    }
    let (shared, counts, warnings) =
        (Arc::new(made.clone()), Arc::new(Counts::default()), Arc::new(Warnings::default()));
    let normalise = Normalise::new(options, &shared, genome.clone(), transcripts, &counts, &warnings);
    let aligned = genome.filter(|_| !options.do_not_normalize);
    let arrange = order::Arrange::new(options, aligned, shared, Arc::clone(&counts));
    let parts = vec![Part::Each(Box::new(normalise)), Part::Ordered(Box::new(arrange))];
    Ok(Chain { parts, header: made, counts, warnings })
}

/// All that is done to one record: split, check and align, take apart, and align what was taken apart.
pub struct Normalise {
    condition: Option<Arc<Condition>>,
    counts: Arc<Counts>,
    split: Option<Split>,
    place: Option<Place>,
    atomise: Option<Atomise>,
    /// Atoms may lie further left than the allele they were part of.
    place_atoms: Option<Place>,
}

impl Normalise {
    fn new(
        options: &NormOptions,
        header: &Arc<Header>,
        genome: Option<Genome>,
        transcripts: Option<Arc<Transcripts>>,
        counts: &Arc<Counts>,
        warnings: &Arc<Warnings>,
    ) -> Self {
        let split = match options.multiallelics {
            Multiallelics::Split(which) => {
                Some(Split::new(options, which, Arc::clone(header), Arc::clone(counts)))
            }
            _ => None,
        };
        let atomise = options.atomize.then(|| Atomise::new(options, Arc::clone(header), Arc::clone(counts)));
        // Atoms were checked and counted as what they were part of.
        let silent = NormOptions { check_ref: CheckRef::default(), ..options.clone() };
        let again = genome.clone().filter(|_| options.atomize && !options.do_not_normalize);
        let place_atoms = again.map(|genome| {
            let nothing = (Arc::new(Counts::default()), Arc::new(Warnings::default()));
            Place::new(&silent, genome, transcripts.clone(), nothing.0, nothing.1)
        });
        let place = genome
            .map(|genome| Place::new(options, genome, transcripts, Arc::clone(counts), Arc::clone(warnings)));
        let (condition, counts) = (options.condition.clone(), Arc::clone(counts));
        Self { condition, counts, split, place, atomise, place_atoms }
    }

    /// What becomes of a record that was not split, put behind those of `out`.
    fn place(&self, mut record: Record, out: &mut Vec<Record>) -> Result<(), RecordProblem> {
        if let Some(place) = &self.place
            && !place.apply(&mut record)?
        {
            return Ok(());
        }
        let Some(atomise) = &self.atomise else {
            out.push(record);
            return Ok(());
        };
        let begin = out.len();
        atomise.apply(record, out)?;
        if let Some(place) = &self.place_atoms {
            for mut atom in out.split_off(begin) {
                if place.apply(&mut atom)? {
                    out.push(atom);
                }
            }
        }
        Ok(())
    }
}

impl Each for Normalise {
    fn apply(&self, record: &mut Record, more: &mut Vec<Record>) -> Result<bool, RecordProblem> {
        if let Some(condition) = &self.condition
            && !condition.test(record)?.site
        {
            self.counts.add(Counted::PassedOver);
            record.pass_over();
            return Ok(true);
        }
        let split = self.split.as_ref().filter(|_| record.allele_count() > 2);
        if split.is_none() && self.atomise.is_none() {
            return self.place.as_ref().map_or(Ok(true), |place| place.apply(record));
        }
        let mut made = Vec::new();
        let whole = std::mem::take(record);
        match split {
            Some(split) => {
                let mut parts = Vec::new();
                split.apply(whole, &mut parts)?;
                parts.into_iter().try_for_each(|part| self.place(part, &mut made))?;
            }
            None => self.place(whole, &mut made)?,
        }
        let mut made = made.into_iter();
        let Some(first) = made.next() else { return Ok(false) };
        *record = first;
        more.extend(made);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
