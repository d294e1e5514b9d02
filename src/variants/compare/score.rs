//! The score by which calls are ranked in a curve (QQ).

use crate::formats::vcf::record::{Column, Record};
use crate::formats::vcf::value;

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Score {
    /// QUAL.
    Quality,
    /// A field of INFO, the first value.
    Info(Vec<u8>),
    /// A field of FORMAT of the sample, the first value.
    Format(Vec<u8>),
}

impl std::str::FromStr for Score {
    type Err = String;

    /// `QUAL`, `INFO/TAG`, `FMT/TAG` or `TAG`, which is FORMAT's (hap.py's and vcfeval's ways to write them).
    fn from_str(text: &str) -> Result<Self, String> {
        let (place, tag) = text.split_once(['/', '.']).unwrap_or(("FORMAT", text));
        let is_tag =
            !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b':' | b'='));
        match place {
            _ if text == "QUAL" => Ok(Self::Quality),
            "INFO" if is_tag => Ok(Self::Info(tag.into())),
            "FMT" | "FORMAT" if is_tag => Ok(Self::Format(tag.into())),
            _ => Err("expected QUAL, INFO/TAG or FMT/TAG".into()),
        }
    }
}

impl Score {
    /// The score of a sample's call, as it is written and as a number; `None` where there is none.
    pub fn of<'r>(&self, record: &'r Record, sample: usize) -> Option<(f64, &'r [u8])> {
        let text = match self {
            Self::Quality => record.column(Column::Qual),
            Self::Info(tag) => record.info(tag)?,
            Self::Format(tag) => record.cells(record.format_index(tag)?).nth(sample)?,
        };
        let text = value::list(text).next()?;
        let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        number.is_finite().then_some((number, text))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_found_where_they_stand() {
        let record =
            Record::parse(b"1\t5\t.\tA\tC\t30.5\tPASS\tVQSLOD=-1.25,3;DB\tGT:GQ\t0/1:7\t0/1:99").unwrap();
        for (text, expected) in [
            ("QUAL", Some((30.5, &b"30.5"[..]))),
            ("INFO/VQSLOD", Some((-1.25, b"-1.25"))),
            ("INFO.VQSLOD", Some((-1.25, b"-1.25"))),
            ("FMT/GQ", Some((99.0, b"99"))),
            ("GQ", Some((99.0, b"99"))),
            ("INFO/DB", None),
            ("GQX", None),
        ] {
            assert_eq!(text.parse::<Score>().unwrap().of(&record, 1), expected, "{text}");
        }
        for text in ["", "INFO/", "X/GQ", "FMT/a;b"] {
            assert!(text.parse::<Score>().is_err(), "{text}");
        }
    }
}
