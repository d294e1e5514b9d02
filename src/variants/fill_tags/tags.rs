//! The tags that can be filled: their names and declarations.

use thiserror::Error;

/// A tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// F_MISSING.
    MissingFraction,
    /// AN.
    AlleleNumber,
    /// AC.
    AlleleCount,
    /// NS.
    NumberOfSamples,
    /// AC_Hom.
    HomozygousCount,
    /// AC_Het.
    HeterozygousCount,
    /// AC_Hemi.
    HemizygousCount,
    /// AF.
    AlleleFrequency,
    /// MAF.
    MinorAlleleFrequency,
    /// HWE.
    HardyWeinberg,
    /// END.
    End,
    /// TYPE.
    VariantType,
    /// ExcHet.
    ExcessHeterozygosity,
    /// FORMAT/VAF.
    AlleleFraction,
    /// FORMAT/VAF1.
    AlternateFraction,
}

/// A word that is no tag.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the tag {0:?} is none that can be filled")]
pub struct TagError(String);

/// The words of a list: commas within brackets or quotes do not part them.
pub fn words(list: &str) -> Vec<&str> {
    let (mut words, mut depth, mut quote, mut begin) = (Vec::new(), 0, None, 0);
    for (at, letter) in list.char_indices() {
        match (quote, letter) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            (None, ',') if depth == 0 => {
                words.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    words.push(&list[begin..]);
    words
}

/// Reads names, with or without `INFO/` or `FORMAT/`, in any case; `all` is all but END and TYPE.
///
/// # Errors
/// A word is no tag.
pub fn parse_tags(words: &[&str]) -> Result<Vec<Tag>, TagError> {
    let mut tags = Vec::new();
    for &word in words {
        let lower = word.to_ascii_lowercase();
        if lower == "all" {
            let all =
                Tag::IN_HEADER_ORDER.into_iter().filter(|tag| !matches!(tag, Tag::End | Tag::VariantType));
            tags.extend(all);
            continue;
        }
        let name = lower.strip_prefix("info/").or_else(|| lower.strip_prefix("format/"));
        let name = name.or_else(|| lower.strip_prefix("fmt/")).unwrap_or(&lower);
        let tag = Tag::IN_HEADER_ORDER.into_iter().find(|tag| tag.name().eq_ignore_ascii_case(name));
        tags.push(tag.ok_or_else(|| TagError(word.to_owned()))?);
    }
    Ok(tags)
}

impl Tag {
    /// All, in the order in which bcftools declares them.
    pub const IN_HEADER_ORDER: [Self; 15] = [
        Self::MissingFraction,
        Self::AlleleNumber,
        Self::AlleleCount,
        Self::NumberOfSamples,
        Self::HomozygousCount,
        Self::HeterozygousCount,
        Self::HemizygousCount,
        Self::AlleleFrequency,
        Self::MinorAlleleFrequency,
        Self::HardyWeinberg,
        Self::End,
        Self::VariantType,
        Self::ExcessHeterozygosity,
        Self::AlleleFraction,
        Self::AlternateFraction,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingFraction => "F_MISSING",
            Self::AlleleNumber => "AN",
            Self::AlleleCount => "AC",
            Self::NumberOfSamples => "NS",
            Self::HomozygousCount => "AC_Hom",
            Self::HeterozygousCount => "AC_Het",
            Self::HemizygousCount => "AC_Hemi",
            Self::AlleleFrequency => "AF",
            Self::MinorAlleleFrequency => "MAF",
            Self::HardyWeinberg => "HWE",
            Self::End => "END",
            Self::VariantType => "TYPE",
            Self::ExcessHeterozygosity => "ExcHet",
            Self::AlleleFraction => "VAF",
            Self::AlternateFraction => "VAF1",
        }
    }

    /// Whether it is made from genotypes, for each group of samples.
    pub fn is_by_group(self) -> bool {
        !matches!(self, Self::End | Self::VariantType | Self::AlleleFraction | Self::AlternateFraction)
    }

    /// The header's line, for a group of samples or, where its name is empty, for all.
    pub fn declaration(self, group: &str) -> String {
        let (suffix, of) = if group.is_empty() {
            (String::new(), String::new())
        } else {
            (format!("_{group}"), format!(" in {group}"))
        };
        let (column, number, kind) = match self {
            Self::AlleleNumber | Self::NumberOfSamples | Self::End => ("INFO", "1", "Integer"),
            Self::AlleleCount | Self::HomozygousCount | Self::HeterozygousCount | Self::HemizygousCount => {
                ("INFO", "A", "Integer")
            }
            Self::AlleleFrequency | Self::HardyWeinberg | Self::ExcessHeterozygosity => {
                ("INFO", "A", "Float")
            }
            Self::MinorAlleleFrequency | Self::MissingFraction => ("INFO", "1", "Float"),
            Self::VariantType => ("INFO", ".", "String"),
            Self::AlleleFraction => ("FORMAT", "A", "Float"),
            Self::AlternateFraction => ("FORMAT", "1", "Float"),
        };
        let description = match self {
            Self::MissingFraction => format!("Added by +fill-tags expression F_MISSING:1=F_MISSING{of}"),
            Self::AlleleNumber => format!("Total number of alleles in called genotypes{of}"),
            Self::AlleleCount => format!("Allele count in genotypes{of}"),
            Self::NumberOfSamples => format!("Number of samples with data{of}"),
            Self::HomozygousCount => format!("Allele counts in homozygous genotypes{of}"),
            Self::HeterozygousCount => format!("Allele counts in heterozygous genotypes{of}"),
            Self::HemizygousCount => format!("Allele counts in hemizygous genotypes{of}"),
            Self::AlleleFrequency => format!("Allele frequency{of}"),
            Self::MinorAlleleFrequency => format!("Frequency of the second most common allele{of}"),
            Self::HardyWeinberg => format!("HWE test{of} (PMID:15789306); 1=good, 0=bad"),
            Self::End => "End position of the variant".to_owned(),
            Self::VariantType => "Variant type".to_owned(),
            Self::ExcessHeterozygosity => format!("Test excess heterozygosity{of}; 1=good, 0=bad"),
            Self::AlleleFraction => "The fraction of reads with alternate allele (nALT/nSumAll)".to_owned(),
            Self::AlternateFraction => {
                "The fraction of reads with alternate alleles (nSumALT/nSumAll)".to_owned()
            }
        };
        let name = self.name();
        format!("##{column}=<ID={name}{suffix},Number={number},Type={kind},Description=\"{description}\">")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        assert_eq!(words("AC,X=a(b,c)[0,1],Y=\"(,\""), ["AC", "X=a(b,c)[0,1]", "Y=\"(,\""]);
        assert_eq!(
            parse_tags(&["AC", "info/an", "FORMAT/VAF"]),
            Ok(vec![Tag::AlleleCount, Tag::AlleleNumber, Tag::AlleleFraction])
        );
        assert_eq!(parse_tags(&["all"]).map(|tags| tags.len()), Ok(13));
        assert_eq!(parse_tags(&["XX"]), Err(TagError("XX".to_owned())));
    }
}
