//! The consequences of BCSQ: a set of the terms that `bcftools csq` knows, in the order in which it writes them.

use std::ops::{BitOr, BitOrAssign};

/// A set of consequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Consequences(u32);

impl Consequences {
    pub(super) const SYNONYMOUS: Self = Self(1 << 1);
    pub(super) const MISSENSE: Self = Self(1 << 2);
    pub(super) const STOP_LOST: Self = Self(1 << 3);
    pub(super) const STOP_GAINED: Self = Self(1 << 4);
    pub(super) const INFRAME_DELETION: Self = Self(1 << 5);
    pub(super) const INFRAME_INSERTION: Self = Self(1 << 6);
    pub(super) const FRAMESHIFT: Self = Self(1 << 7);
    pub(super) const SPLICE_ACCEPTOR: Self = Self(1 << 8);
    pub(super) const SPLICE_DONOR: Self = Self(1 << 9);
    pub(super) const START_LOST: Self = Self(1 << 10);
    pub(super) const SPLICE_REGION: Self = Self(1 << 11);
    pub(super) const STOP_RETAINED: Self = Self(1 << 12);
    pub(super) const FIVE_PRIME_UTR: Self = Self(1 << 13);
    pub(super) const THREE_PRIME_UTR: Self = Self(1 << 14);
    pub(super) const NON_CODING: Self = Self(1 << 15);
    pub(super) const INTRON: Self = Self(1 << 16);
    /// Indels that together leave the length as it is.
    pub(super) const INFRAME_ALTERING: Self = Self(1 << 18);
    /// Behind a stop: a `*` before the entry.
    pub(super) const BEHIND_STOP: Self = Self(1 << 19);
    /// The coding region is known in part: start and stop mean nothing where there is something else to tell.
    pub(super) const INCOMPLETE: Self = Self(1 << 20);
    pub(super) const CODING_SEQUENCE: Self = Self(1 << 21);
    pub(super) const ELONGATION: Self = Self(1 << 22);
    pub(super) const TRUNCATION: Self = Self(1 << 23);
    pub(super) const START_RETAINED: Self = Self(1 << 24);

    /// What start and stop codons come to.
    pub(super) const START_STOP: Self = Self(
        Self::STOP_LOST.0
            | Self::STOP_GAINED.0
            | Self::STOP_RETAINED.0
            | Self::START_LOST.0
            | Self::START_RETAINED.0,
    );
    /// What is told of all variants of a haplotype together.
    pub(super) const COMPOUND: Self = Self(
        Self::START_STOP.0
            | Self::SYNONYMOUS.0
            | Self::MISSENSE.0
            | Self::INFRAME_DELETION.0
            | Self::INFRAME_INSERTION.0
            | Self::INFRAME_ALTERING.0
            | Self::FRAMESHIFT.0
            | Self::INCOMPLETE.0
            | Self::BEHIND_STOP.0
            | Self::ELONGATION.0
            | Self::TRUNCATION.0,
    );
    pub(super) const INFRAME: Self =
        Self(Self::INFRAME_DELETION.0 | Self::INFRAME_INSERTION.0 | Self::INFRAME_ALTERING.0);
    pub(super) const SPLICE_SITE: Self = Self(Self::SPLICE_ACCEPTOR.0 | Self::SPLICE_DONOR.0);
    /// With these an entry has a strand only beside a change of the protein.
    const WITHOUT_STRAND: Self =
        Self(Self::SPLICE_SITE.0 | Self::SPLICE_REGION.0 | Self::ELONGATION.0 | Self::TRUNCATION.0);
    /// These alone are told without a transcript.
    const WITHOUT_TRANSCRIPT: Self = Self(Self::INTRON.0 | Self::NON_CODING.0);

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it has any of `other`.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it has all of `other`.
    pub(super) fn covers(self, other: Self) -> bool {
        self | other == self
    }

    pub(super) fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether an entry names its transcript.
    pub(super) fn has_transcript(self) -> bool {
        !self.without(Self::WITHOUT_TRANSCRIPT).is_empty()
    }

    /// Whether an entry names the strand, whatever else it has.
    pub(super) fn has_strand(self) -> bool {
        self.meets(Self::COMPOUND) && !self.meets(Self::WITHOUT_STRAND)
    }

    /// What is told of it: no starts and stops of incomplete regions beside something else, no missense beside them.
    pub(super) fn told(self) -> Self {
        let vague = Self::START_STOP | Self::INCOMPLETE;
        let mut told = self;
        if told.meets(Self::INCOMPLETE) && !told.without(vague | Self::BEHIND_STOP).is_empty() {
            told = told.without(vague);
        }
        if told.meets(Self::START_STOP) {
            told = told.without(Self::MISSENSE);
        }
        told
    }

    /// The names, in order.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(Consequences, &str); 21] = [
            (Consequences::SYNONYMOUS, "synonymous"),
            (Consequences::MISSENSE, "missense"),
            (Consequences::STOP_LOST, "stop_lost"),
            (Consequences::STOP_GAINED, "stop_gained"),
            (Consequences::INFRAME_DELETION, "inframe_deletion"),
            (Consequences::INFRAME_INSERTION, "inframe_insertion"),
            (Consequences::FRAMESHIFT, "frameshift"),
            (Consequences::SPLICE_ACCEPTOR, "splice_acceptor"),
            (Consequences::SPLICE_DONOR, "splice_donor"),
            (Consequences::START_LOST, "start_lost"),
            (Consequences::SPLICE_REGION, "splice_region"),
            (Consequences::STOP_RETAINED, "stop_retained"),
            (Consequences::FIVE_PRIME_UTR, "5_prime_utr"),
            (Consequences::THREE_PRIME_UTR, "3_prime_utr"),
            (Consequences::NON_CODING, "non_coding"),
            (Consequences::INTRON, "intron"),
            (Consequences::INFRAME_ALTERING, "inframe_altering"),
            (Consequences::CODING_SEQUENCE, "coding_sequence"),
            (Consequences::ELONGATION, "feature_elongation"),
            (Consequences::TRUNCATION, "feature_truncation"),
            (Consequences::START_RETAINED, "start_retained"),
        ];
        NAMES.into_iter().filter(move |(consequence, _)| self.meets(*consequence)).map(|(_, name)| name)
    }
}

impl BitOr for Consequences {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Consequences {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
