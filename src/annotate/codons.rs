//! Genetic codes: codons to amino acids in one-letter form, and those to three letters.
//!
//! Source: NCBI's translation tables 1 and 2.

use serde::{Deserialize, Serialize};

/// A genetic code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodonTable {
    /// Table 1.
    Standard,
    /// Table 2.
    VertebrateMitochondrial,
}

/// Amino acids of the codons in the order TTT, TTC, TTA, TTG, TCT, ...
const STANDARD: &[u8; 64] = b"FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG";
const MITOCHONDRIAL: &[u8; 64] = b"FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSS**VVVVAAAADDEEGGGG";

impl CodonTable {
    /// The amino acid of a codon; `X` where its ambiguous bases leave several.
    pub fn amino_acid(self, codon: [u8; 3]) -> u8 {
        let table = match self {
            Self::Standard => STANDARD,
            Self::VertebrateMitochondrial => MITOCHONDRIAL,
        };
        let [first, second, third] = codon.map(index);
        if let (Some(first), Some(second), Some(third)) = (first, second, third) {
            return table[16 * first + 4 * second + third];
        }
        let choices = |base: Option<usize>| base.map_or(0..4, |base| base..base + 1);
        let mut found = None;
        for first in choices(first) {
            for second in choices(second) {
                for third in choices(third) {
                    let amino_acid = table[16 * first + 4 * second + third];
                    if found.is_some_and(|found| found != amino_acid) {
                        return b'X';
                    }
                    found = Some(amino_acid);
                }
            }
        }
        found.unwrap_or(b'X')
    }

    /// Whether a protein can begin with a codon.
    pub fn is_start(self, codon: [u8; 3]) -> bool {
        match self {
            Self::Standard => matches!(&codon, b"ATG" | b"CTG" | b"TTG"),
            Self::VertebrateMitochondrial => matches!(&codon, b"ATG" | b"ATA" | b"ATT" | b"ATC" | b"GTG"),
        }
    }

    /// The amino acids of whole codons; what is left at the end is not translated.
    pub fn translate(self, bases: &[u8]) -> Vec<u8> {
        let (codons, _) = bases.as_chunks::<3>();
        codons.iter().map(|codon| self.amino_acid(*codon)).collect()
    }
}

fn index(base: u8) -> Option<usize> {
    b"TCAG".iter().position(|letter| *letter == base)
}

/// The three letters of an amino acid, `Ter` of a stop, `Xaa` of what is not known.
pub fn three_letters(amino_acid: u8) -> &'static str {
    NAMES.iter().find(|(letter, _)| *letter == amino_acid).map_or("Xaa", |(_, name)| name)
}

/// The letter of an amino acid by its three letters; a stop is none.
pub fn one_letter(name: &str) -> Option<u8> {
    NAMES.iter().find(|(letter, known)| *known == name && *letter != b'*').map(|(letter, _)| *letter)
}

const NAMES: [(u8, &str); 23] = [
    (b'A', "Ala"),
    (b'C', "Cys"),
    (b'D', "Asp"),
    (b'E', "Glu"),
    (b'F', "Phe"),
    (b'G', "Gly"),
    (b'H', "His"),
    (b'I', "Ile"),
    (b'K', "Lys"),
    (b'L', "Leu"),
    (b'M', "Met"),
    (b'N', "Asn"),
    (b'O', "Pyl"),
    (b'P', "Pro"),
    (b'Q', "Gln"),
    (b'R', "Arg"),
    (b'S', "Ser"),
    (b'T', "Thr"),
    (b'U', "Sec"),
    (b'V', "Val"),
    (b'W', "Trp"),
    (b'Y', "Tyr"),
    (b'*', "Ter"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codons_are_those_of_the_tables() {
        for (codon, standard, mitochondrial) in [
            (b"ATG", b'M', b'M'),
            (b"ATA", b'I', b'M'),
            (b"TGA", b'*', b'W'),
            (b"AGA", b'R', b'*'),
            (b"TAA", b'*', b'*'),
            (b"GGG", b'G', b'G'),
            (b"TTT", b'F', b'F'),
            (b"CTN", b'L', b'L'),
            (b"NNA", b'X', b'X'),
        ] {
            assert_eq!(CodonTable::Standard.amino_acid(*codon), standard);
            assert_eq!(CodonTable::VertebrateMitochondrial.amino_acid(*codon), mitochondrial);
        }
        assert_eq!(CodonTable::Standard.translate(b"ATGTAAC"), b"M*");
        assert_eq!((three_letters(b'W'), three_letters(b'*'), three_letters(b'X')), ("Trp", "Ter", "Xaa"));
    }
}
