//! The SAM header: contigs, read groups, sort order (SAMv1 section 1.3).
//!
//! Tolerant where real files are dirty: unknown record types and tags are passed over; only what would make results
//! wrong is refused.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::genome::contigs::{self, Contigs};

/// A reference sequence (`@SQ`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contig {
    /// `SN`.
    pub name: String,
    /// `LN`, in bases.
    pub length: u32,
    /// `M5`: MD5 of the upper-case sequence, in hexadecimal.
    pub md5: Option<String>,
}

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
        let contig = |c: &Contig| contigs::Contig {
            name: c.name.clone(),
            length: u64::from(c.length),
            m5: c.md5.clone(),
        };
        Contigs::new(self.contigs.iter().map(contig).collect()).unwrap_or_default()
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
