//! The SAM header: contigs, read groups, sort order (SAMv1 section 1.3).
//!
//! Tolerant where real files are dirty: unknown record types and tags are passed over; only what would make results
//! wrong is refused.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::genome::contigs::{Contig, Contigs};

/// A read group (`@RG`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadGroup {
    /// `ID`.
    pub id: String,
    /// `SM`.
    pub sample: Option<String>,
    /// `LB`.
    pub library: Option<String>,
    /// `PU`.
    pub platform_unit: Option<String>,
    /// `PL`.
    pub platform: Option<String>,
}

/// What `@HD SO` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SortOrder {
    /// Not stated, or a value of no meaning here.
    #[default]
    Unknown,
    /// `unsorted`.
    Unsorted,
    /// `queryname`.
    QueryName,
    /// `coordinate`.
    Coordinate,
}

/// A header, decoded as far as it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Contigs in the order of their indices.
    pub contigs: Vec<Contig>,
    /// Read groups in the header's order.
    pub read_groups: Vec<ReadGroup>,
    /// Sort order.
    pub sort_order: SortOrder,
}

/// Why a header is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// `@SQ` without `SN`, or `LN` that is no number from 1 to 2^31-1.
    #[error("header line {0}: @SQ needs SN and an LN from 1 to 2147483647")]
    Contig(usize),
    /// The same contig twice.
    #[error("the header names the contig {0} twice")]
    Twice(String),
    /// `@RG` without `ID`.
    #[error("header line {0}: @RG needs ID")]
    ReadGroup(usize),
}

impl Header {
    /// Parses the text of a header. BAM's binary contig list is to be put over [`Self::contigs`] by the caller where
    /// the text has none.
    pub fn parse(text: &[u8]) -> Result<Self, HeaderError> {
        let mut header = Header::default();
        for (number, line) in text.split(|&b| b == b'\n').enumerate() {
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end_matches(['\r', '\0']);
            let get =
                |tag: &str| line.split('\t').skip(1).find_map(|f| f.strip_prefix(tag)).map(str::to_owned);
            match line.get(..3) {
                Some("@HD") => {
                    header.sort_order = match get("SO:").as_deref() {
                        Some("coordinate") => SortOrder::Coordinate,
                        Some("queryname") => SortOrder::QueryName,
                        Some("unsorted") => SortOrder::Unsorted,
                        _ => SortOrder::Unknown,
                    }
                }
                Some("@SQ") => {
                    let length = get("LN:").and_then(|n| n.parse().ok()).filter(|n| (1..1 << 31).contains(n));
                    let (Some(name), Some(length)) = (get("SN:"), length) else {
                        return Err(HeaderError::Contig(number + 1));
                    };
                    header.contigs.push(Contig { name, length, md5: get("M5:") });
                }
                Some("@RG") => header.read_groups.push(ReadGroup {
                    id: get("ID:").ok_or(HeaderError::ReadGroup(number + 1))?,
                    sample: get("SM:"),
                    library: get("LB:"),
                    platform_unit: get("PU:"),
                    platform: get("PL:"),
                }),
                _ => {}
            }
        }
        let mut names = rustc_hash::FxHashSet::default();
        match header.contigs.iter().find(|contig| !names.insert(contig.name.as_str())) {
            Some(contig) => Err(HeaderError::Twice(contig.name.clone())),
            None => Ok(header),
        }
    }

    /// The contigs for looking up names. Names are unique, as [`Self::parse`] has checked.
    pub fn to_contigs(&self) -> Contigs {
        Contigs::new(self.contigs.clone()).unwrap_or_default()
    }

    /// Takes the contigs of another file of the same sample in, whose MD5 may be stated where ours is not.
    ///
    /// # Errors
    /// They are others: what is wrong with theirs, to be followed by whose ours are.
    pub fn join_contigs(&mut self, theirs: &[Contig]) -> Result<(), String> {
        let is_same = |(a, b): (&Contig, &Contig)| a.name == b.name && a.length == b.length;
        if self.contigs.len() != theirs.len() || !self.contigs.iter().zip(theirs).all(is_same) {
            return Err("its contigs are not those".into());
        }
        for (known, contig) in self.contigs.iter_mut().zip(theirs) {
            match (&known.md5, &contig.md5) {
                (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b) => {
                    return Err(format!("its contig {} has another sequence (M5) than that", contig.name));
                }
                (None, Some(_)) => known.md5.clone_from(&contig.md5),
                _ => {}
            }
        }
        Ok(())
    }

    /// The samples that the read groups name, each once, in the header's order.
    pub fn samples(&self) -> Vec<&str> {
        let mut samples: Vec<&str> = Vec::new();
        for sample in self.read_groups.iter().filter_map(|group| group.sample.as_deref()) {
            if !samples.contains(&sample) {
                samples.push(sample);
            }
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_found() {
        let text = b"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:100\tM5:abc\n@RG\tID:a\tSM:s\tLB:l\r\n@CO\tx\n@RG\tID:b\tSM:s\n";
        let header = Header::parse(text).expect("valid");
        assert_eq!(header.sort_order, SortOrder::Coordinate);
        assert_eq!(header.contigs, [Contig { name: "chr1".into(), length: 100, md5: Some("abc".into()) }]);
        assert_eq!((header.read_groups.len(), header.samples()), (2, vec!["s"]));
        assert_eq!(header.read_groups[0].library.as_deref(), Some("l"));
    }

    #[test]
    fn contigs_of_several_files_are_compared() {
        let contig =
            |length, md5: Option<&str>| Contig { name: "a".into(), length, md5: md5.map(Into::into) };
        for (first, second, expected) in [
            (contig(9, Some("0a")), contig(9, Some("0A")), Ok(Some("0a"))),
            (contig(9, Some("0a")), contig(9, None), Ok(Some("0a"))),
            (contig(9, None), contig(9, Some("0a")), Ok(Some("0a"))),
            (contig(9, None), contig(9, None), Ok(None)),
            (contig(9, Some("0a")), contig(9, Some("0b")), Err("contig a has another sequence")),
            (contig(9, None), contig(8, None), Err("not those")),
        ] {
            let mut header = Header { contigs: vec![first], ..Header::default() };
            match (header.join_contigs(&[second]), expected) {
                (Ok(()), Ok(md5)) => assert_eq!(header.contigs[0].md5.as_deref(), md5),
                (Err(what), Err(expected)) => assert!(what.contains(expected), "{what}"),
                (found, expected) => panic!("{found:?} {expected:?}"),
            }
        }
    }

    #[test]
    fn what_would_make_results_wrong_is_refused() {
        for (text, error) in [
            ("@SQ\tSN:a\tLN:0", HeaderError::Contig(1)),
            ("@SQ\tSN:a\tLN:2147483648", HeaderError::Contig(1)),
            ("@SQ\tLN:5", HeaderError::Contig(1)),
            ("@CO\n@RG\tSM:x", HeaderError::ReadGroup(2)),
            ("@SQ\tSN:a\tLN:5\n@SQ\tSN:a\tLN:6", HeaderError::Twice("a".into())),
        ] {
            assert_eq!(Header::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}
