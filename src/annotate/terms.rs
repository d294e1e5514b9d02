//! Consequences: terms of the Sequence Ontology, ordered from the most severe, with their impact.
//!
//! Order and impact are Ensembl VEP's (release 114).

use std::fmt;

/// A consequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Term {
    TranscriptAblation,
    SpliceAcceptor,
    SpliceDonor,
    StopGained,
    Frameshift,
    StopLost,
    StartLost,
    TranscriptAmplification,
    FeatureElongation,
    FeatureTruncation,
    InframeInsertion,
    InframeDeletion,
    Missense,
    ProteinAltering,
    SpliceDonor5thBase,
    SpliceRegion,
    SpliceDonorRegion,
    SplicePolypyrimidineTract,
    IncompleteTerminalCodon,
    StartRetained,
    StopRetained,
    Synonymous,
    CodingSequence,
    MatureMirna,
    FivePrimeUtr,
    ThreePrimeUtr,
    NonCodingTranscriptExon,
    Intron,
    NmdTranscript,
    NonCodingTranscript,
    CodingTranscript,
    UpstreamGene,
    DownstreamGene,
    Intergenic,
    SequenceVariant,
}

/// How much a consequence matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Impact {
    High,
    Moderate,
    Low,
    Modifier,
}

/// All terms with their names, in the order of severity.
const NAMES: [(Term, &str, Impact); 35] = {
    use Impact::{High, Low, Moderate, Modifier};
    [
        (Term::TranscriptAblation, "transcript_ablation", High),
        (Term::SpliceAcceptor, "splice_acceptor_variant", High),
        (Term::SpliceDonor, "splice_donor_variant", High),
        (Term::StopGained, "stop_gained", High),
        (Term::Frameshift, "frameshift_variant", High),
        (Term::StopLost, "stop_lost", High),
        (Term::StartLost, "start_lost", High),
        (Term::TranscriptAmplification, "transcript_amplification", High),
        (Term::FeatureElongation, "feature_elongation", High),
        (Term::FeatureTruncation, "feature_truncation", High),
        (Term::InframeInsertion, "inframe_insertion", Moderate),
        (Term::InframeDeletion, "inframe_deletion", Moderate),
        (Term::Missense, "missense_variant", Moderate),
        (Term::ProteinAltering, "protein_altering_variant", Moderate),
        (Term::SpliceDonor5thBase, "splice_donor_5th_base_variant", Low),
        (Term::SpliceRegion, "splice_region_variant", Low),
        (Term::SpliceDonorRegion, "splice_donor_region_variant", Low),
        (Term::SplicePolypyrimidineTract, "splice_polypyrimidine_tract_variant", Low),
        (Term::IncompleteTerminalCodon, "incomplete_terminal_codon_variant", Low),
        (Term::StartRetained, "start_retained_variant", Low),
        (Term::StopRetained, "stop_retained_variant", Low),
        (Term::Synonymous, "synonymous_variant", Low),
        (Term::CodingSequence, "coding_sequence_variant", Modifier),
        (Term::MatureMirna, "mature_miRNA_variant", Modifier),
        (Term::FivePrimeUtr, "5_prime_UTR_variant", Modifier),
        (Term::ThreePrimeUtr, "3_prime_UTR_variant", Modifier),
        (Term::NonCodingTranscriptExon, "non_coding_transcript_exon_variant", Modifier),
        (Term::Intron, "intron_variant", Modifier),
        (Term::NmdTranscript, "NMD_transcript_variant", Modifier),
        (Term::NonCodingTranscript, "non_coding_transcript_variant", Modifier),
        (Term::CodingTranscript, "coding_transcript_variant", Modifier),
        (Term::UpstreamGene, "upstream_gene_variant", Modifier),
        (Term::DownstreamGene, "downstream_gene_variant", Modifier),
        (Term::Intergenic, "intergenic_variant", Modifier),
        (Term::SequenceVariant, "sequence_variant", Modifier),
    ]
};

impl Term {
    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known, _)| *known == name).map(|(term, ..)| *term)
    }

    /// How much it matters.
    pub fn impact(self) -> Impact {
        NAMES.get(self as usize).map_or(Impact::Modifier, |(.., impact)| *impact)
    }

    /// Its name in the Sequence Ontology.
    pub fn name(self) -> &'static str {
        NAMES.get(self as usize).map_or("", |(_, name, _)| name)
    }
}

impl Impact {
    /// Its name in CSQ.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Moderate => "MODERATE",
            Self::Low => "LOW",
            Self::Modifier => "MODIFIER",
        }
    }
}

/// A set of consequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms(u64);

impl Terms {
    /// Adds a term.
    pub fn insert(&mut self, term: Term) {
        self.0 |= 1 << term as u8;
    }

    /// Whether a term is in it.
    pub fn contains(self, term: Term) -> bool {
        self.0 & (1 << term as u8) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All, the most severe first.
    pub fn iter(self) -> impl Iterator<Item = Term> {
        NAMES.iter().map(|(term, ..)| *term).filter(move |term| self.contains(*term))
    }

    /// The most severe.
    pub fn most_severe(self) -> Option<Term> {
        NAMES.get(self.0.trailing_zeros() as usize).map(|(term, ..)| *term)
    }

    /// All of both.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The impact of the most severe.
    pub fn impact(self) -> Impact {
        NAMES.get(self.0.trailing_zeros() as usize).map_or(Impact::Modifier, |(_, _, impact)| *impact)
    }
}

impl fmt::Display for Terms {
    /// The names, the most severe first, with `&` between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (_, name, _) in NAMES.iter().filter(|(term, ..)| self.contains(*term)) {
            write!(f, "{separator}{name}")?;
            separator = "&";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_stand_at_their_numbers() {
        for (number, (term, ..)) in NAMES.iter().enumerate() {
            assert_eq!(*term as usize, number);
        }
    }

    #[test]
    fn sets_are_told_by_severity() {
        let mut terms = Terms::default();
        assert!(terms.is_empty());
        terms.insert(Term::Intron);
        terms.insert(Term::SpliceDonor);
        assert_eq!(terms.to_string(), "splice_donor_variant&intron_variant");
        assert_eq!((terms.impact(), terms.contains(Term::Missense)), (Impact::High, false));
    }
}
