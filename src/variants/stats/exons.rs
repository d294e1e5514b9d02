//! Exons, and whether an indel shifts the frame in one (`-E`).

use std::path::Path;

use rustc_hash::FxHashMap;

use super::StatsError;
use crate::formats::text;
use crate::formats::vcf::record::parse_integer;

/// What an indel does to the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Frame {
    /// It changes no bases of an exon.
    #[default]
    NotApplicable = 0,
    /// It changes a multiple of three bases.
    In = 1,
    /// It changes another number of bases.
    Out = 2,
}

/// Exons by contig, 0-based with the last base included; those that share a base are one, those that abut are not.
#[derive(Clone, Debug, Default)]
pub struct Exons(FxHashMap<Vec<u8>, Vec<(i64, i64)>>);

impl Exons {
    /// Reads CONTIG, START and END between tabs: 1-based inclusive, in a file `.bed` or `.bed.gz` 0-based half-open.
    ///
    /// # Errors
    /// The file cannot be read, or a line is not such.
    pub fn read(path: &Path) -> Result<Self, StatsError> {
        let name = path.display().to_string();
        let lower = name.to_lowercase();
        let first = i64::from(!(lower.ends_with(".bed") || lower.ends_with(".bed.gz")));
        let failed = |source| StatsError::Io { path: name.clone(), source };
        let mut reader = text::open(path).map_err(failed)?;
        let (mut line, mut number, mut exons) = (Vec::new(), 0, Self::default());
        while text::read_line(&mut *reader, &mut line).map_err(failed)? {
            number += 1;
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let mut columns = line.split(|&b| b == b'\t');
            let contig = columns.next().unwrap_or_default().to_vec();
            let range = (columns.next().and_then(parse_integer), columns.next().and_then(parse_integer));
            let (Some(start), Some(end)) = range else {
                return Err(StatsError::Exon { path: name, line: number });
            };
            exons.0.entry(contig).or_default().push((start - first, end - 1));
        }
        exons.0.values_mut().for_each(merge);
        Ok(exons)
    }

    /// What an indel of this length (deletions negative) behind a position does.
    pub(super) fn frame(&self, contig: &[u8], position: i64, length: i64) -> Frame {
        let Some(exons) = self.0.get(contig) else { return Frame::NotApplicable };
        let next = exons.partition_point(|(_, end)| *end < position);
        let Some(&(_, end)) = exons.get(next).filter(|(start, _)| *start <= position) else {
            return Frame::NotApplicable;
        };
        let bases = if length > 0 {
            if end > position { length } else { 0 }
        } else {
            -length - (position - length - end).max(0)
        };
        match bases {
            0 => Frame::NotApplicable,
            bases if bases % 3 == 0 => Frame::In,
            _ => Frame::Out,
        }
    }
}

fn merge(exons: &mut Vec<(i64, i64)>) {
    exons.sort_unstable();
    exons.dedup_by(|next, last| {
        let touches = last.1 >= next.0;
        if touches {
            last.1 = last.1.max(next.1);
        }
        touches
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_bases_within_the_exon() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("exons.tsv");
        std::fs::write(&path, "1\t11\t20\n1\t15\t25\n").unwrap();
        let exons = Exons::read(&path).unwrap();
        // The exon has the 0-based bases 10 to 24; by hand.
        for (position, length, frame) in [
            (9, 1, Frame::NotApplicable),
            (10, 1, Frame::Out),
            (12, 3, Frame::In),
            (24, 1, Frame::NotApplicable),
            (12, -6, Frame::In),
            (20, -4, Frame::Out),
            (20, -7, Frame::Out),
            (21, -9, Frame::In),
            (24, -9, Frame::NotApplicable),
        ] {
            assert_eq!(exons.frame(b"1", position, length), frame, "{position} {length}");
        }
        assert_eq!(exons.frame(b"2", 12, 1), Frame::NotApplicable);
        std::fs::write(&path, "1\t11\n").unwrap();
        assert!(Exons::read(&path).unwrap_err().to_string().contains("line 1"));
    }
}
