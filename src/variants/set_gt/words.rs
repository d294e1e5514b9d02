//! The words of `+setGT`: which genotypes (`-t`) are set to what (`-n`).

use thiserror::Error;

/// Which genotypes are set (`-t`).
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// `./.`: all alleles are missing.
    Missing,
    /// `./x`: some are.
    Partial,
    /// `.`: some or all are.
    AnyMissing,
    /// `a`: all.
    All,
    /// `b:TAG<0.01`: heterozygotes whose reads do not look like one.
    Binomial {
        /// A FORMAT tag with a count for each allele.
        tag: String,
        /// Whether the chance is such that the genotype is set.
        compare: Comparison,
        /// The chance.
        chance: f64,
    },
}

/// How a chance is compared with the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
}

/// What they are set to (`-n`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewGenotype {
    /// `.`
    Missing,
    /// `0`, with `p` phased.
    Reference {
        /// `p`
        phased: bool,
    },
    /// `M` or `m`: the most frequent or the second most frequent allele, with `p` phased.
    Frequent {
        /// `M`, not `m`.
        major: bool,
        /// `p`
        phased: bool,
    },
    /// `X`: the allele with most reads (FORMAT/AD).
    MostReads,
    /// `p`
    Phased,
    /// `u`: not phased, the alleles in order.
    Unphased,
    /// `i`: the two alleles change places.
    Inverted,
    /// `c:GT`
    Custom(Vec<(bool, CustomAllele)>),
}

/// An allele of a custom genotype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomAllele {
    /// A number; missing where the site does not have it.
    Number(usize),
    /// `.`
    Missing,
    /// `M`
    Major,
    /// `m`
    Minor,
    /// `X`
    MostReads,
}

/// A word that cannot be understood.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is none of bcftools' {1}")]
pub struct SetGtError(String, &'static str);

impl Target {
    /// Reads `-t`, all but `q` and `r:`.
    ///
    /// # Errors
    /// It is none of them.
    pub fn parse(text: &str) -> Result<Self, SetGtError> {
        Ok(match text {
            "." => Self::AnyMissing,
            "./x" => Self::Partial,
            "./." => Self::Missing,
            "a" => Self::All,
            _ => return Self::binomial(text).ok_or_else(|| SetGtError(text.to_owned(), "target genotypes")),
        })
    }

    /// The FORMAT tag that is looked at.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Binomial { tag, .. } => Some(tag),
            _ => None,
        }
    }

    fn binomial(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("b:")?;
        let at = rest.find(['<', '>', '='])?;
        let (tag, rest) = rest.split_at(at);
        let comparisons = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("==", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("=", Comparison::Equal),
        ];
        let (sign, compare) = comparisons.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
        let tag = tag.strip_prefix("FMT/").or_else(|| tag.strip_prefix("FORMAT/")).unwrap_or(tag);
        let chance = rest[sign.len()..].trim().parse().ok()?;
        Some(Self::Binomial { tag: tag.trim().to_owned(), compare, chance })
    }
}

impl NewGenotype {
    /// Reads `-n`.
    ///
    /// # Errors
    /// It is none of them.
    pub fn parse(text: &str) -> Result<Self, SetGtError> {
        let unknown = || SetGtError(text.to_owned(), "new genotypes");
        if let Some(custom) = text.strip_prefix("c:") {
            return Self::custom(custom).ok_or_else(unknown);
        }
        let has = |letter| text.contains(letter);
        let phased = has('p');
        if text.is_empty() || !text.chars().all(|c| ".0mMXpui".contains(c)) {
            return Err(unknown());
        }
        Ok(if has('u') {
            Self::Unphased
        } else if text == "p" {
            Self::Phased
        } else if has('X') {
            Self::MostReads
        } else if has('i') {
            Self::Inverted
        } else if has('m') {
            Self::Frequent { major: false, phased }
        } else if has('M') {
            Self::Frequent { major: true, phased }
        } else if has('0') {
            Self::Reference { phased }
        } else {
            Self::Missing
        })
    }

    fn custom(text: &str) -> Option<Self> {
        let mut alleles = Vec::new();
        let mut rest = text;
        let mut phased = false;
        while !rest.is_empty() {
            let end = rest.find(['/', '|']).unwrap_or(rest.len());
            let allele = match &rest[..end] {
                "." => CustomAllele::Missing,
                "m" => CustomAllele::Minor,
                "M" => CustomAllele::Major,
                "X" => CustomAllele::MostReads,
                number => CustomAllele::Number(number.parse().ok()?),
            };
            alleles.push((phased, allele));
            phased = rest[end..].starts_with('|');
            rest = rest.get(end + 1..).unwrap_or("");
        }
        (!alleles.is_empty()).then_some(Self::Custom(alleles))
    }

    pub(super) fn needs(&self, major: bool) -> bool {
        let wanted = if major { CustomAllele::Major } else { CustomAllele::Minor };
        match self {
            Self::Frequent { major: is, .. } => *is == major,
            Self::Custom(alleles) => alleles.iter().any(|(_, allele)| *allele == wanted),
            _ => false,
        }
    }

    pub(super) fn needs_reads(&self) -> bool {
        match self {
            Self::MostReads => true,
            Self::Custom(alleles) => alleles.iter().any(|(_, allele)| *allele == CustomAllele::MostReads),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read() {
        assert_eq!(Target::parse("./x"), Ok(Target::Partial));
        assert_eq!(
            Target::parse("b:AD<=1e-3"),
            Ok(Target::Binomial { tag: "AD".into(), compare: Comparison::LessOrEqual, chance: 1e-3 })
        );
        assert!(Target::parse("z").is_err());
        assert_eq!(NewGenotype::parse("0p"), Ok(NewGenotype::Reference { phased: true }));
        assert_eq!(
            NewGenotype::parse("c:m|1"),
            Ok(NewGenotype::Custom(vec![(false, CustomAllele::Minor), (true, CustomAllele::Number(1))]))
        );
        assert!(NewGenotype::parse("c:m/x").is_err());
        assert!(NewGenotype::parse("q").is_err());
    }
}
