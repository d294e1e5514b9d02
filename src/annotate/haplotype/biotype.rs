//! The biotypes that BCSQ knows: by the beginning of a transcript's biotype, with other names for some.

/// A biotype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Biotype {
    /// As entries name it.
    pub(super) name: &'static str,
    /// Whether its coding regions are looked at.
    pub(super) is_coding: bool,
}

impl Biotype {
    /// The biotype of this name; `None` where transcripts of it are passed over.
    pub(super) fn of(text: &str) -> Option<Self> {
        let begins = |prefix: &str| text.starts_with(prefix);
        let coding = CODING.iter().find(|(prefix, _)| begins(prefix));
        let other = OTHERS.iter().find(|(prefix, _)| begins(prefix));
        // Pseudogenes of immunoglobulins and T cell receptors begin as their genes do.
        match (other, coding) {
            (Some((_, name)), _) => Some(Self { name, is_coding: false }),
            (None, Some((_, name))) => Some(Self { name, is_coding: true }),
            (None, None) => None,
        }
    }

    /// Whether what is made of it is broken down at once.
    pub(super) fn is_decayed(self) -> bool {
        self.name == "NMD"
    }
}

const CODING: [(&str, &str); 18] = [
    ("protein_coding", "protein_coding"),
    ("mRNA", "protein_coding"),
    ("MRNA", "protein_coding"),
    ("polymorphic_pseudogene", "polymorphic_pseudogene"),
    ("IG_C", "IG_C"),
    ("IG_D", "IG_D"),
    ("IG_J", "IG_J"),
    ("IG_V", "IG_V"),
    ("IG_LV", "IG_LV"),
    ("TR_C", "TR_C"),
    ("TR_D", "TR_D"),
    ("TR_J", "TR_J"),
    ("TR_V", "TR_V"),
    ("nonsense_mediated_decay", "NMD"),
    ("NMD", "NMD"),
    ("non_stop_decay", "non_stop_decay"),
    ("mrna", "protein_coding"),
    ("Mrna", "protein_coding"),
];

const OTHERS: [(&str, &str); 50] = [
    ("pseudogene", "pseudogene"),
    ("processed_transcript", "processed_transcript"),
    ("processed_pseudogene", "processed_pseudogene"),
    ("artifact", "artifact"),
    ("antisense", "antisense"),
    ("ambiguous_orf", "ambiguous_orf"),
    ("IG_pseudogene", "IG_pseudogene"),
    ("IG_C_pseudogene", "IG_C_pseudogene"),
    ("IG_J_pseudogene", "IG_J_pseudogene"),
    ("IG_V_pseudogene", "IG_V_pseudogene"),
    ("TR_V_pseudogene", "TR_V_pseudogene"),
    ("TR_J_pseudogene", "TR_J_pseudogene"),
    ("Mt_tRNA_pseudogene", "MT_tRNA_pseudogene"),
    ("Mt_tRNA", "MT_tRNA"),
    ("MT_tRNA", "MT_tRNA"),
    ("Mt_rRNA", "MT_rRNA"),
    ("MT_rRNA", "MT_rRNA"),
    ("lincRNA", "lincRNA"),
    ("lncRNA", "lncRNA"),
    ("macro_lncRNA", "macro_lncRNA"),
    ("misc_RNA_pseudogene", "misc_RNA_pseudogene"),
    ("miRNA_pseudogene", "miRNA_pseudogene"),
    ("miRNA", "miRNA"),
    ("misc_RNA", "misc_RNA"),
    ("rRNA", "rRNA"),
    ("ribozyme", "ribozyme"),
    ("retained_intron", "retained_intron"),
    ("retrotransposed", "retrotransposed"),
    ("snRNA", "snRNA"),
    ("sRNA", "sRNA"),
    ("scRNA", "scRNA"),
    ("scaRNA", "scaRNA"),
    ("snoRNA", "snoRNA"),
    ("sense_intronic", "sense_intronic"),
    ("sense_overlapping", "sense_overlapping"),
    ("tRNA_pseudogene", "Trna_pseudogene"),
    ("transcribed_processed_pseudogene", "transcribed_processed_pseudogene"),
    ("transcribed_unprocessed_pseudogene", "transcribed_unprocessed_pseudogene"),
    ("transcribed_unitary_pseudogene", "transcribed_unitary_pseudogene"),
    ("translated_unprocessed_pseudogene", "translated_unprocessed_pseudogene"),
    ("translated_processed_pseudogene", "translated_processed_pseudogene"),
    ("known_ncrna", "known_ncRNA"),
    ("unitary_pseudogene", "unitary_pseudogene"),
    ("unprocessed_pseudogene", "unprocessed_pseudogene"),
    ("LRG_gene", "LRG_gene"),
    ("3prime_overlapping_ncRNA", "3_prime_overlapping_ncRNA"),
    ("3_prime_overlapping_ncRNA", "3_prime_overlapping_ncRNA"),
    ("disrupted_domain", "disrupted_domain"),
    ("vaultRNA", "vaultRNA"),
    ("bidirectional_promoter_lncRNA", "bidirectional_promoter_lncRNA"),
];
