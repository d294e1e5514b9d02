//! Names of phenotypes and disorders.

use std::fmt;

/// A term of the Human Phenotype Ontology by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HpoTerm(pub u32);

impl HpoTerm {
    /// The root of the ontology, `All`.
    pub const ROOT: Self = Self(1);
    /// Phenotypic abnormality: what is compared is below it. Inheritance, onset, course and frequency are not.
    pub const ABNORMALITY: Self = Self(118);

    /// Of `HP:0001250`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("HP:")?;
        let is_number = digits.len() == 7 && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| digits.parse().ok().map(Self))?
    }
}

impl fmt::Display for HpoTerm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "HP:{:07}", self.0)
    }
}

/// Who gave a disorder its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Catalogue {
    /// Online Mendelian Inheritance in Man.
    Omim,
    /// Orphanet.
    Orpha,
    /// DECIPHER.
    Decipher,
    /// Mondo.
    Mondo,
}

impl Catalogue {
    /// All with the prefixes of their numbers; the first is the one that is written.
    const ALL: [(Self, &str); 5] = [
        (Self::Omim, "OMIM"),
        (Self::Orpha, "ORPHA"),
        (Self::Orpha, "ORPHANET"),
        (Self::Decipher, "DECIPHER"),
        (Self::Mondo, "MONDO"),
    ];
}

/// A disorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Disorder {
    /// Where it has its number.
    pub catalogue: Catalogue,
    /// The number.
    pub code: u32,
}

impl Disorder {
    /// Of `OMIM:607208`, `ORPHA:33069` and the like.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, code) = text.split_once(':')?;
        let (catalogue, _) = Catalogue::ALL.iter().find(|(_, known)| known.eq_ignore_ascii_case(prefix))?;
        let is_number = code.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| code.parse().ok().map(|code| Self { catalogue: *catalogue, code }))?
    }
}

impl fmt::Display for Disorder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = Catalogue::ALL.iter().find(|(known, _)| *known == self.catalogue);
        let prefix = prefix.map_or("", |(_, prefix)| prefix);
        match self.catalogue {
            Catalogue::Mondo => write!(out, "{prefix}:{:07}", self.code),
            _ => write!(out, "{prefix}:{}", self.code),
        }
    }
}
