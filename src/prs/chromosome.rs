//! Chromosomes as numbers, under the names of scoring files, VCF and PLINK alike.

use crate::genome::contigs::ContigRole;

/// Chromosome 1 to 22, X, Y or the mitochondrion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chromosome(u8);

impl Chromosome {
    /// The chromosome of a name: those that [`ContigRole::of`] knows, and PLINK's `23` (X), `24` (Y), `25`, `XY`, `PAR1` and
    /// `PAR2` (the pseudo-autosomal parts of X) and `26` (the mitochondrion). `None` for all other contigs.
    pub fn of(name: &str) -> Option<Self> {
        match ContigRole::of(name) {
            ContigRole::Autosome(number) => Some(Self(number)),
            ContigRole::X => Some(Self(X)),
            ContigRole::Y => Some(Self(X + 1)),
            ContigRole::Mitochondrion => Some(Self(X + 2)),
            ContigRole::Other => match name {
                "23" | "25" | "XY" | "PAR1" | "PAR2" => Some(Self(X)),
                "24" => Some(Self(X + 1)),
                "26" => Some(Self(X + 2)),
                name => match name.split_at_checked(3) {
                    Some((prefix @ ("Chr" | "CHR"), rest)) if !rest.starts_with(prefix) => Self::of(rest),
                    _ => None,
                },
            },
        }
    }

    /// 1 to 22, 23 for X, 24 for Y, 25 for the mitochondrion.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The chromosome of a [number](Self::number).
    pub fn from_number(number: u8) -> Option<Self> {
        (1..=X + 2).contains(&number).then_some(Self(number))
    }

    /// `1` to `22`, `X`, `Y` or `MT`.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0) - 1]
    }
}

const X: u8 = 23;
const NAMES: [&str; 25] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19",
    "20", "21", "22", "X", "Y", "MT",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_kinds_are_one_chromosome() {
        for (name, expected) in [
            ("1", Some("1")),
            ("chr22", Some("22")),
            ("Chr22", Some("22")),
            ("CHRX", Some("X")),
            ("ChrChr1", None),
            ("NC_000023.11", Some("X")),
            ("23", Some("X")),
            ("XY", Some("X")),
            ("PAR1", Some("X")),
            ("chrY", Some("Y")),
            ("26", Some("MT")),
            ("chrM", Some("MT")),
            ("01", None),
            ("6_GL000250v2_alt", None),
            ("", None),
        ] {
            assert_eq!(Chromosome::of(name).map(Chromosome::name), expected, "{name}");
        }
        for number in 0..=255 {
            if let Some(chromosome) = Chromosome::from_number(number) {
                assert_eq!(Chromosome::of(chromosome.name()), Some(chromosome));
            }
        }
    }
}
