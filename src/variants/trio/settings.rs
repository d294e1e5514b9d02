//! What is set of the search for de novo variants, in the words of bcftools' options.

use thiserror::Error;

use crate::variants::regions::{Regions, RegionsError, Source};

/// Why an option cannot be understood.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// Its text.
    #[error("{0}")]
    Text(String),
    /// A list of regions.
    #[error(transparent)]
    Regions(#[from] RegionsError),
}

fn wrong(text: impl Into<String>) -> SettingsError {
    SettingsError::Text(text.into())
}

/// How combinations of genotypes are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// bcftools' allele-centric model: the child by PL, the parents by what supports each allele.
    Alleles(ParentsBy),
    /// DeNovoGear's: all by PL.
    DeNovoGear,
    /// The genotypes as they were called.
    Genotypes,
}

/// What tells the parents' alleles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParentsBy {
    /// FORMAT/QS, sums of base qualities.
    Qualities,
    /// FORMAT/AD, each read with a quality of 30. (As in bcftools, QS where a record has it.)
    Depths,
    /// FORMAT/PL.
    Likelihoods,
}

/// What the score is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Natural logarithm of the probability, to 0; Float.
    Log,
    /// Phred of the counter-probability, 0 to 255; Integer.
    Phred,
    /// Probability, 0 to 1; Float.
    Probability,
    /// 1 where genotypes do not fit; Integer.
    Flag,
}

/// `TAG[:log|phred|prob|flag]`
///
/// # Errors
/// The tag is empty or the scale unknown.
pub fn parse_tag(text: &str) -> Result<(String, Scale), SettingsError> {
    let (tag, scale) = text.split_once(':').unwrap_or((text, "log"));
    let scale = match scale.to_ascii_lowercase().as_str() {
        "log" => Scale::Log,
        "phred" => Scale::Phred,
        "prob" => Scale::Probability,
        "flag" => Scale::Flag,
        _ => return Err(wrong(format!("expected log, phred, prob or flag, not {scale:?}"))),
    };
    let is_tag = |tag: &str| {
        !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    };
    if !is_tag(tag) {
        return Err(wrong(format!("{tag:?} is no tag")));
    }
    Ok((tag.to_owned(), scale))
}

/// Reads that a parent may have of an allele without having it: a share of its qualities, or a number of reads, whichever is
/// more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// Of alleles that both parents have reads of, 0 to 1.
    pub share: f64,
    /// The same as a number of reads.
    pub reads: f64,
    /// Of alleles that one parent has reads of, 0 to 1.
    pub single_share: f64,
    /// The same as a number of reads.
    pub single_reads: f64,
}

impl Noise {
    /// Whether it depends on which parent has reads of an allele, or on how many there are.
    pub(super) fn needs_depths(&self) -> bool {
        self.reads != 0.0 || self.single_reads != 0.0 || self.single_share != 0.0
    }
}

/// Noise by kind of site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseLevels {
    /// Where no allele is an indel.
    pub snv: Noise,
    /// Where one is.
    pub indel: Noise,
}

impl Default for NoiseLevels {
    fn default() -> Self {
        let snv = Noise { share: 0.005, single_share: 0.045, ..Noise::default() };
        Self { snv, indel: Noise::default() }
    }
}

impl NoiseLevels {
    /// Sets `FRAC[,NUM][:snv|indel|both]`, for alleles of a single parent (`--pns`) or of both (`--pn`). Without a NUM that
    /// stays as it was.
    ///
    /// # Errors
    /// It is not understood, or out of range.
    pub fn set(&mut self, text: &str, is_single: bool) -> Result<(), SettingsError> {
        let understood = || wrong(format!("{text:?} is not FRACTION[,READS][:snv|indel|both]"));
        let (numbers, kind) = text.split_once(':').unwrap_or((text, "both"));
        let (share, reads) = match numbers.split_once(',') {
            Some((share, reads)) => (share, Some(reads)),
            None => (numbers, None),
        };
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let share = number(share).ok_or_else(understood)?;
        let reads = reads.map(|reads| number(reads).ok_or_else(understood)).transpose()?;
        if !(0.0..=1.0).contains(&share) {
            return Err(wrong(format!("the fraction of {text:?} is not between 0 and 1")));
        }
        if reads.is_some_and(|reads| reads < 0.0) {
            return Err(wrong(format!("the number of reads of {text:?} is below 0")));
        }
        let kinds = match kind.to_ascii_lowercase().as_str() {
            "snv" => vec![&mut self.snv],
            "indel" => vec![&mut self.indel],
            "both" => vec![&mut self.snv, &mut self.indel],
            _ => return Err(understood()),
        };
        for noise in kinds {
            let (to_share, to_reads) = if is_single {
                (&mut noise.single_share, &mut noise.single_reads)
            } else {
                (&mut noise.share, &mut noise.reads)
            };
            *to_share = share;
            *to_reads = reads.unwrap_or(*to_reads);
        }
        Ok(())
    }
}

/// Where sons have one X: `GRCh37`, `GRCh38` (in bcftools' borders) or a list of regions.
///
/// # Errors
/// The list is malformed.
pub fn regions_of_x(text: &str) -> Result<Regions, SettingsError> {
    let ranges: [&str; 2] = match text.to_ascii_lowercase().as_str() {
        "grch37" => ["1-60000", "2699521-154931043"],
        "grch38" => ["1-9999", "2781480-155701381"],
        _ => return Ok(Regions::read(Source::List(text))?),
    };
    let list: Vec<String> =
        ranges.iter().flat_map(|range| [format!("X:{range}"), format!("chrX:{range}")]).collect();
    Ok(Regions::read(Source::List(&list.join(",")))?)
}

/// All that is set.
#[derive(Debug)]
pub struct Settings {
    /// How combinations are weighed.
    pub model: Model,
    /// DeNovoGear's priors.
    pub denovogear_priors: bool,
    /// Only alleles that neither parent has are new (`-n`).
    pub strictly_novel: bool,
    /// Mutations by site and generation.
    pub mutation_rate: f64,
    /// What parents may have without having it.
    pub noise: NoiseLevels,
    /// Scores below, in phred, are not written.
    pub least_score: f64,
    /// Shares of alleles are taken from AD though it has not one number for each allele.
    pub force_depths: bool,
    /// The tag of the score.
    pub score_tag: String,
    /// What the score is written as.
    pub scale: Scale,
    /// The tag of the new allele.
    pub allele_tag: String,
    /// The tag of the allele's share among reads.
    pub share_tag: String,
    /// Where sons have one X.
    pub x: Regions,
    /// As bcftools: a record without what the model needs is an error, haploid likelihoods among it, and the new allele of a
    /// child without one is 255. Else such records and trios are passed over.
    pub strict: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::genome::intervals::Interval;

    #[test]
    fn tags_have_a_scale() {
        for (text, tag, scale) in [
            ("DNM", "DNM", Scale::Log),
            ("DNM:log", "DNM", Scale::Log),
            ("X.1:Phred", "X.1", Scale::Phred),
            ("P:prob", "P", Scale::Probability),
            ("F:flag", "F", Scale::Flag),
        ] {
            assert_eq!(parse_tag(text).unwrap(), (tag.to_owned(), scale));
        }
        for text in ["", ":log", "DNM:", "DNM:x", "D M", "D\t:log"] {
            assert!(parse_tag(text).is_err(), "{text}");
        }
    }

    #[test]
    fn noise_is_set_by_kind() {
        let of = |texts: &[(&str, bool)]| {
            let mut levels = NoiseLevels::default();
            texts.iter().try_for_each(|(text, is_single)| levels.set(text, *is_single)).map(|()| levels)
        };
        let levels =
            of(&[("0.1,3", false), ("0.2:snv", false), ("0.3,4:indel", true), ("0:both", true)]).unwrap();
        assert_eq!(levels.snv, Noise { share: 0.2, reads: 3.0, single_share: 0.0, single_reads: 0.0 });
        assert_eq!(levels.indel, Noise { share: 0.1, reads: 3.0, single_share: 0.0, single_reads: 4.0 });
        for text in ["", "x", "2", "-0.1", "0.1,-1", "0.1,x", "0.1:mnv", "nan", "0.1,inf", "0.1,2,3"] {
            assert!(of(&[(text, false)]).is_err(), "{text}");
        }
    }

    #[test]
    fn regions_of_x_are_named_or_listed() {
        let meets = |text: &str, contig: &str, start: u64| {
            let interval = Interval { start, end: start + 1 };
            regions_of_x(text).unwrap().meets(contig.as_bytes(), interval)
        };
        assert!(meets("grch38", "chrX", 2_781_479) && !meets("GRCh38", "X", 2_781_478));
        assert!(meets("GRCh37", "X", 154_931_042) && !meets("GRCh37", "chrX", 154_931_043));
        assert!(meets("23:5-7,24", "23", 6) && meets("23:5-7,24", "24", 1_000) && !meets("23:5-7", "23", 7));
        assert!(regions_of_x("X:7-5").is_err());
    }
}
