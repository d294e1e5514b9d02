//! How many copies of a contig people have, and who counts at all: PLINK's rules of the sex chromosomes.

use crate::formats::genotypes::samples::{SampleSex, SampleTable};
use crate::genome::contigs::ContigRole;

/// How chromosome X is counted (PLINK's `--xchr-model`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum XModel {
    /// It is left out.
    Skip,
    /// Males have one copy.
    Haploid,
    /// Males count as if they had two.
    #[default]
    Diploid,
}

/// Whether it matters at a contig who is male: on X and Y.
pub fn needs_sex(contig: &str) -> bool {
    matches!(Ploidy::of(contig), Ploidy::X | Ploidy::Y)
}

/// Which people share a way to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    All,
    Males,
    /// Females, and who is of unknown sex.
    Others,
}

/// Who counts at a variant, and whether half of what a diploid genotype says.
pub(super) type Class = (Who, bool);

/// What PLINK takes a contig for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ploidy {
    Diploid,
    X,
    Y,
    /// One copy for all.
    Haploid,
}

impl Ploidy {
    /// By the name, also PLINK's numbers: 23 is X, 24 is Y, 25 both's pseudo-autosomal regions, 26 the mitochondrion.
    pub(super) fn of(contig: &str) -> Self {
        match (ContigRole::of(contig), contig.strip_prefix("chr").unwrap_or(contig)) {
            (ContigRole::X, _) | (_, "23") => Self::X,
            (ContigRole::Y, _) | (_, "24") => Self::Y,
            (ContigRole::Mitochondrion, _) | (_, "26") => Self::Haploid,
            _ => Self::Diploid,
        }
    }

    /// The ways to count of all that count.
    pub(super) fn classes(self, model: XModel) -> &'static [Class] {
        match (self, model) {
            (Self::Diploid, _) | (Self::X, XModel::Diploid) => &[(Who::All, false)],
            (Self::X, XModel::Skip) => &[],
            (Self::X, XModel::Haploid) => &[(Who::Others, false), (Who::Males, true)],
            (Self::Y, _) => &[(Who::Males, true)],
            (Self::Haploid, _) => &[(Who::All, true)],
        }
    }

    /// Whose alleles make the frequency, and how many copies each has.
    pub(super) fn classes_of_frequency(self) -> &'static [Class] {
        if self == Self::X { self.classes(XModel::Haploid) } else { self.classes(XModel::Diploid) }
    }
}

/// Who is male and who a founder, two equal bits a sample.
#[derive(Clone, Debug)]
pub(super) struct People {
    males: Vec<u8>,
    founders: Vec<u8>,
    pub(super) all_are_founders: bool,
    pub(super) samples: usize,
}

impl People {
    pub(super) fn new(table: &SampleTable) -> Self {
        let bits = |is: &dyn Fn(usize) -> bool| {
            let mut bits = vec![0; table.len().div_ceil(4)];
            let found = (0..table.len()).filter(|sample| is(*sample));
            found.for_each(|sample| bits[sample / 4] |= 3 << (sample % 4 * 2));
            bits
        };
        let people = table.as_slice();
        let is_founder = |sample: usize| people[sample].father.is_none() && people[sample].mother.is_none();
        Self {
            males: bits(&|sample| people[sample].sex == Some(SampleSex::Male)),
            founders: bits(&is_founder),
            all_are_founders: (0..table.len()).all(is_founder),
            samples: table.len(),
        }
    }

    /// Two bits a sample: set for who belongs to a class. The bits behind the last sample are set for nobody's.
    pub(super) fn members(&self, who: Who, byte: usize) -> u8 {
        match who {
            Who::All => 0xff,
            Who::Males => self.males[byte],
            Who::Others => !self.males[byte],
        }
    }

    pub(super) fn is_member(&self, who: Who, sample: usize) -> bool {
        self.members(who, sample / 4) >> (sample % 4 * 2) & 1 == 1
    }

    pub(super) fn founders(&self, byte: usize) -> u8 {
        self.founders[byte]
    }

    pub(super) fn is_founder(&self, sample: usize) -> bool {
        self.founders[sample / 4] >> (sample % 4 * 2) & 1 == 1
    }
}
