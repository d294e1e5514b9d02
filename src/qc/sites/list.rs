//! Known variable sites with population frequencies, from a VCF.
//!
//! Taken are biallelic SNVs that passed the source's filters and have a frequency; the rest is counted and passed over.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::formats::text;
use crate::genome::contigs::Contigs;

/// One biallelic SNV.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Position on its contig (0-based).
    pub position: u32,
    /// The reference's base: `A`, `C`, `G` or `T`.
    pub reference: u8,
    /// The other base: `A`, `C`, `G` or `T`.
    pub alternate: u8,
    /// Frequency of the alternate base in the population, 0 to 1.
    pub frequency: f64,
}

/// Sites by contig, ascending; a site's number counts through all contigs in the alignment header's order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteList {
    sites: Vec<Site>,
    /// Where each contig's sites begin, and the number of all at the end.
    starts: Vec<usize>,
    /// What was passed over, and why.
    skipped: Skipped,
}

/// Records that are no usable site, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Not one reference and one alternate base, or a second alternate base at the position.
    pub not_biallelic_snv: u64,
    /// FILTER is neither PASS nor missing.
    pub filtered: u64,
    /// Without the frequency.
    pub no_frequency: u64,
    /// On contigs that the alignments do not have.
    pub unknown_contig: u64,
}

/// Why a list of sites cannot be used. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum SiteListError {
    /// The file could not be opened or read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no VCF text.
    #[error("{path}: this is {what}; --sites takes VCF, plain or gzipped (make one with: bcftools view -O z)", path = path.display())]
    NotVcf {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A line is no VCF record.
    #[error("{path}, line {line}: {what}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// None of the file's contigs is in the alignment header.
    #[error("{path}, line {line}: no contig {contig} in the alignment's header, nor any other contig of this file; is it for another build?", path = path.display())]
    UnknownContig {
        /// The file.
        path: PathBuf,
        /// The first line with such a contig.
        line: u64,
        /// The contig's name.
        contig: String,
    },
    /// No record is usable.
    #[error("{path}: no biallelic SNV with the frequency INFO/{tag} (another tag: --sites-af TAG)", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The tag that was looked for.
        tag: String,
    },
}

/// A record's verdict: a usable site, or the reason why not.
enum Parsed {
    Site(Site),
    NotBiallelicSnv,
    Filtered,
    NoFrequency,
}

impl SiteList {
    /// Reads the sites of a VCF (plain, gzip or BGZF, in any order) whose contigs are those of an alignment; `tag` is
    /// the INFO field with the alternate base's frequency. Sites on contigs that the alignment lacks are left out.
    ///
    /// # Errors
    /// The file cannot be read, is no VCF, has a malformed record or a position past its contig's end, shares no contig
    /// with the alignment, or holds no usable site.
    pub fn read(path: &Path, tag: &str, contigs: &Contigs) -> Result<Self, SiteListError> {
        let io_error = |source| SiteListError::Io { path: path.to_owned(), source };
        let mut input = text::open(path).map_err(io_error)?;
        let (mut line, mut number) = (Vec::new(), 0u64);
        let mut by_contig = vec![Vec::new(); contigs.len()];
        let mut skipped = Skipped::default();
        let (mut known, mut first_unknown) = (false, None);
        while text::read_line(&mut *input, &mut line).map_err(io_error)? {
            number += 1;
            if number == 1 && !line.starts_with(b"##fileformat=VCF") {
                let what = if line.starts_with(b"BCF") { "BCF" } else { "no VCF (##fileformat is missing)" };
                return Err(SiteListError::NotVcf { path: path.to_owned(), what });
            }
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            let malformed =
                |what: String| SiteListError::Malformed { path: path.to_owned(), line: number, what };
            let record = std::str::from_utf8(&line).map_err(|_| malformed("the line is not UTF-8".into()))?;
            let (name, rest) = record.split_once('\t').ok_or_else(|| malformed("too few columns".into()))?;
            let Some(contig) = contigs.index_of(name) else {
                skipped.unknown_contig += 1;
                first_unknown.get_or_insert_with(|| (number, name.to_owned()));
                continue;
            };
            known = true;
            let length = contigs.get(contig).map_or(0, |contig| contig.length);
            match parse(rest, tag, u64::from(length)).map_err(malformed)? {
                Parsed::Site(site) => by_contig[contig].push(site),
                Parsed::NotBiallelicSnv => skipped.not_biallelic_snv += 1,
                Parsed::Filtered => skipped.filtered += 1,
                Parsed::NoFrequency => skipped.no_frequency += 1,
            }
        }
        if let (false, Some((line, contig))) = (known, first_unknown) {
            return Err(SiteListError::UnknownContig { path: path.to_owned(), line, contig });
        }
        let list = Self::new(by_contig, skipped);
        if list.is_empty() {
            return Err(SiteListError::Empty { path: path.to_owned(), tag: tag.to_owned() });
        }
        Ok(list)
    }

    /// A list of sites by contig, in any order. A position that comes with two alternate bases is no biallelic site and
    /// left out; one that comes twice with the same is kept once, with the first frequency.
    pub fn new(by_contig: Vec<Vec<Site>>, mut skipped: Skipped) -> Self {
        let (mut sites, mut starts) = (Vec::new(), vec![0]);
        for mut list in by_contig {
            list.sort_by_key(|site| site.position);
            for same in list.chunk_by(|a, b| a.position == b.position) {
                let site = same[0];
                let agree =
                    |other: &Site| (other.reference, other.alternate) == (site.reference, site.alternate);
                if same.iter().all(agree) {
                    sites.push(site);
                } else {
                    skipped.not_biallelic_snv += same.len() as u64;
                }
            }
            starts.push(sites.len());
        }
        Self { sites, starts, skipped }
    }

    /// Number of sites.
    pub fn len(&self) -> usize {
        self.sites.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// The site of this number.
    pub fn get(&self, number: usize) -> Option<&Site> {
        self.sites.get(number)
    }

    /// All sites with the index of their contig, by number.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Site)> {
        let ranges = self.starts.windows(2).enumerate();
        ranges.flat_map(|(contig, w)| self.sites[w[0]..w[1]].iter().map(move |site| (contig, site)))
    }

    /// The numbers of the sites in `start..end` (0-based, half-open) of a contig.
    pub fn numbers(&self, contig: usize, start: u32, end: u32) -> std::ops::Range<usize> {
        let (Some(&first), Some(&last)) = (self.starts.get(contig), self.starts.get(contig + 1)) else {
            return 0..0;
        };
        let sites = &self.sites[first..last];
        let below = |limit: u32| first + sites.partition_point(|site| site.position < limit);
        below(start)..below(end)
    }

    /// What was passed over.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// A line for the user about sites that the alignment cannot have, if there are.
    pub fn warning(&self) -> Option<String> {
        let n = self.skipped.unknown_contig;
        (n > 0)
            .then(|| format!("{n} sites are on contigs that the alignment does not have; they are left out"))
    }
}

/// Reads the columns behind the contig's name. `length` is the contig's, in bases.
fn parse(rest: &str, tag: &str, length: u64) -> Result<Parsed, String> {
    let columns: Vec<&str> = rest.splitn(8, '\t').collect();
    let [position, _, reference, alternate, _, filter, info, ..] = columns[..] else {
        return Err("too few columns".into());
    };
    let position = position.parse::<u64>().map_err(|_| format!("the position {position:?} is no number"))?;
    if position > length {
        return Err(format!(
            "the position {position} is past the contig's end at {length}; is it for another build?"
        ));
    }
    let (Some(reference), Some(alternate), 1..) = (base(reference), base(alternate), position) else {
        return Ok(Parsed::NotBiallelicSnv);
    };
    if reference == alternate {
        return Ok(Parsed::NotBiallelicSnv);
    }
    if !matches!(filter, "PASS" | ".") {
        return Ok(Parsed::Filtered);
    }
    let value = info.split(';').find_map(|field| field.strip_prefix(tag)?.strip_prefix('='));
    let frequency = match value {
        None | Some("." | "") => return Ok(Parsed::NoFrequency),
        Some(value) => value
            .parse::<f64>()
            .ok()
            .filter(|f| (0.0..=1.0).contains(f))
            .ok_or_else(|| format!("{tag}={value} is no frequency from 0 to 1"))?,
    };
    // Within the contig, so within 31 bits.
    Ok(Parsed::Site(Site { position: (position - 1) as u32, reference, alternate, frequency }))
}

/// A single base, in upper case.
fn base(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [base] => Some(base.to_ascii_uppercase()).filter(|base| b"ACGT".contains(base)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::genome::contigs::Contig;

    fn contigs() -> Contigs {
        let contig = |name: &str| Contig { name: name.into(), length: 1000, md5: None };
        Contigs::new(vec![contig("1"), contig("2")]).unwrap()
    }

    fn read(records: &str) -> Result<SiteList, SiteListError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
        std::fs::write(file.path(), format!("{head}{records}")).unwrap();
        SiteList::read(file.path(), "AF", &contigs())
    }

    #[test]
    fn only_biallelic_snvs_with_a_frequency_are_kept_in_order() {
        let list = read(
            "2\t7\t.\tA\tc\t.\t.\tDP=3;AF=0.25\textra\n\
             1\t900\t.\tG\tT\t.\tPASS\tAF=1e-3;XAF=0.5\n\
             1\t30\t.\tG\tT\t.\tPASS\tXAF=0.5\n\
             1\t31\t.\tG\tT\t.\tPASS\tAF=.\n\
             1\t32\t.\tG\tT,C\t.\tPASS\tAF=0.1,0.2\n\
             1\t33\t.\tGA\tG\t.\tPASS\tAF=0.1\n\
             1\t34\t.\tG\t*\t.\tPASS\tAF=0.1\n\
             1\t35\t.\tN\tA\t.\tPASS\tAF=0.1\n\
             1\t36\t.\tG\tA\t.\tAC0\tAF=0.1\n\
             1\t40\t.\tG\tA\t.\t.\tAF=0.1\n\
             1\t40\t.\tG\tC\t.\t.\tAF=0.2\n\
             1\t50\t.\tG\tC\t.\t.\tAF=0.3\n\
             1\t50\t.\tG\tC\t.\t.\tAF=0.4\n\
             X\t50\t.\tG\tC\t.\t.\tAF=0.4\n",
        )
        .unwrap();
        let site =
            |position, reference, alternate, frequency| Site { position, reference, alternate, frequency };
        let expected = [
            (0, site(49, b'G', b'C', 0.3)),
            (0, site(899, b'G', b'T', 0.001)),
            (1, site(6, b'A', b'C', 0.25)),
        ];
        assert_eq!(list.iter().map(|(contig, site)| (contig, *site)).collect::<Vec<_>>(), expected);
        let skipped = Skipped { not_biallelic_snv: 6, filtered: 1, no_frequency: 2, unknown_contig: 1 };
        assert_eq!(list.skipped(), skipped);
        assert!(list.warning().unwrap().starts_with("1 sites"));
        assert_eq!(list.numbers(0, 49, 50), 0..1);
        assert_eq!(list.numbers(0, 50, 1000), 1..2);
        assert_eq!(list.numbers(1, 0, 1000), 2..3);
        assert_eq!(list.numbers(9, 0, 1000), 0..0);
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_line() {
        for (records, told) in [
            ("X\t5\t.\tA\tC\t.\t.\tAF=0.1\n", "line 3: no contig X"),
            ("1\t5\t.\tA\tC\t.\t.\n", "line 3: too few columns"),
            ("1\tx\t.\tA\tC\t.\t.\tAF=0.1\n", "line 3: the position"),
            ("1\t1001\t.\tA\tC\t.\t.\tAF=0.1\n", "line 3: the position 1001 is past"),
            ("1\t5\t.\tA\tC\t.\t.\tAF=1.5\n", "line 3: AF=1.5"),
            ("1\t5\t.\tA\tC\t.\t.\tAF=nan\n", "line 3: AF=nan"),
            ("1\t5\t.\tA\tC\t.\t.\tEUR_AF=0.5\n", "INFO/AF"),
            ("", "INFO/AF"),
        ] {
            let error = read(records).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
