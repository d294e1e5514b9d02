//! What stands in `[ ]`: samples and the elements of their lists.

use std::path::PathBuf;

use super::error::Problem;
use crate::formats::vcf::header::Header;

/// A subscript may not be larger: more samples than any file has.
const LARGEST: usize = 1 << 24;

/// Which elements of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The n-th, from 0.
    One(usize),
    /// Several.
    Many(Chosen),
    /// Those of the alleles of the genotype.
    Genotype,
}

/// A set of numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// For each number whether it is one of them.
    pub flags: Vec<bool>,
    /// All larger ones are, too.
    pub is_open: bool,
}

impl Chosen {
    /// `[*]`.
    pub fn all() -> Self {
        Self { flags: vec![true], is_open: true }
    }

    /// Whether a number is one of them.
    #[inline]
    pub fn contains(&self, number: usize) -> bool {
        self.flags.get(number).copied().unwrap_or(self.is_open)
    }

    /// Whether all are.
    pub fn is_all(&self) -> bool {
        self.is_open && self.flags.len() == 1
    }

    /// How many, where that is known.
    pub fn count(&self) -> Option<usize> {
        (!self.is_open).then(|| self.flags.iter().filter(|&&flag| flag).count())
    }
}

impl Pick {
    /// All elements.
    pub fn all() -> Self {
        Self::Many(Chosen::all())
    }

    /// Whether it is all elements.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::Many(chosen) if chosen.is_all())
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "" | "*" => return Ok(Self::all()),
            "GT" => return Ok(Self::Genotype),
            _ => {}
        }
        if let Ok(number) = text.parse::<usize>() {
            return if number <= LARGEST { Ok(Self::One(number)) } else { Err("is too large") };
        }
        let mut chosen = Chosen::default();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').map_or((part, Some(part)), |(first, last)| {
                (first, if last.is_empty() { None } else { Some(last) })
            });
            let number = |text: &str| text.trim().parse::<usize>().map_err(|_| "is no list of numbers");
            let (first, last) = (number(first)?, last.map(number).transpose()?);
            if first.max(last.unwrap_or(0)) > LARGEST {
                return Err("is too large");
            }
            let length = last.unwrap_or(first) + 1;
            // An open range counts where it is the last of the list, as in bcftools.
            chosen.is_open = last.is_none() && length >= chosen.flags.len();
            if chosen.flags.len() < length {
                chosen.flags.resize(length, false);
            }
            for flag in chosen.flags.iter_mut().take(length).skip(first) {
                *flag = true;
            }
        }
        Ok(Self::Many(chosen))
    }
}

/// A subscript of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscript {
    /// The elements.
    pub pick: Pick,
    /// For each sample whether it takes part; `None` for INFO.
    pub samples: Option<Vec<bool>>,
}

impl Subscript {
    /// Reads what stands between the brackets behind an INFO tag or ALT.
    pub fn of_site(text: &str) -> Result<Self, Problem> {
        let failed = |what| Problem::Subscript(text.to_owned(), what);
        if text.starts_with('@') || text.contains(':') {
            return Err(failed("names samples, but this is no FORMAT tag"));
        }
        match Pick::parse(text).map_err(failed)? {
            Pick::Genotype => Err(failed("can be used only with FORMAT tags of Number=R")),
            pick => Ok(Self { pick, samples: None }),
        }
    }

    /// Reads what stands between the brackets behind a FORMAT tag, which has one value a sample or several.
    pub fn of_samples(text: &str, has_one_value: bool, header: &Header) -> Result<Self, Problem> {
        let failed = |what| Problem::Subscript(text.to_owned(), what);
        let count = header.samples().len();
        if let Some(name) = text.strip_prefix('@') {
            let (names, pick) = match read_lines(name) {
                Ok(names) => (names, Pick::all()),
                Err(problem) => {
                    let (name, pick) = name.rsplit_once(':').ok_or(problem)?;
                    (read_lines(name)?, Pick::parse(pick).map_err(failed)?)
                }
            };
            let mut samples = vec![false; count];
            for name in names {
                let at = header.samples().iter().position(|sample| *sample == name);
                samples[at.ok_or(Problem::Sample(name))?] = true;
            }
            return Ok(Self { pick, samples: Some(samples) });
        }
        let (samples, pick) = match text.rsplit_once(':') {
            Some((samples, pick)) => {
                (Pick::parse(samples).map_err(failed)?, Pick::parse(pick).map_err(failed)?)
            }
            None => match Pick::parse(text).map_err(failed)? {
                Pick::Genotype => (Pick::all(), Pick::Genotype),
                all if all.is_all() => (all, Pick::all()),
                samples if has_one_value => (samples, Pick::One(0)),
                _ => return Err(failed("is ambiguous, the tag has several values: write [sample:value]")),
            },
        };
        let chosen = match samples {
            Pick::One(number) => {
                Chosen { flags: (0..=number).map(|n| n == number).collect(), is_open: false }
            }
            Pick::Many(chosen) => chosen,
            Pick::Genotype => Chosen::all(),
        };
        if chosen.flags.len() - usize::from(chosen.is_open) > count {
            return Err(failed("is larger than the number of samples"));
        }
        Ok(Self { pick, samples: Some((0..count).map(|n| chosen.contains(n)).collect()) })
    }
}

/// The lines of a file that are not empty.
pub fn read_lines(name: &str) -> Result<Vec<String>, Problem> {
    let path = expanded(name);
    let failed = |error: std::io::Error| Problem::File(path.display().to_string(), error.to_string());
    let bytes = std::fs::read(&path).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// `~/` and `$NAME` at the beginning are the home directory and the environment's.
fn expanded(name: &str) -> PathBuf {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    if name == "~" {
        home().unwrap_or_else(|| name.into())
    } else if let Some(rest) = name.strip_prefix("~/") {
        home().map_or_else(|| name.into(), |home| home.join(rest))
    } else if let Some(variable) = name.strip_prefix('$') {
        std::env::var_os(variable).map_or_else(|| name.into(), PathBuf::from)
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges() {
        for (text, chosen, is_open) in [
            ("0,2", vec![0, 2], false),
            ("1-3", vec![1, 2, 3], false),
            ("1-", vec![1], true),
            ("0,2-4", vec![0, 2, 3, 4], false),
            ("0-1,3-", vec![0, 1, 3], true),
            ("5,2-", vec![2, 5], false),
        ] {
            let Ok(Pick::Many(found)) = Pick::parse(text) else { panic!("{text} is refused") };
            let numbers: Vec<_> = (0..found.flags.len()).filter(|&n| found.contains(n)).collect();
            assert_eq!((numbers, found.is_open), (chosen, is_open), "{text}");
        }
        for text in ["x", "1-x", "-1", "1,,2", "99999999999"] {
            assert!(Pick::parse(text).is_err(), "{text}");
        }
        assert_eq!(Pick::parse("7"), Ok(Pick::One(7)));
    }
}
