//! Regions and targets, as bcftools takes them: `-r`, `-R`, `-t`, `-T`, and what it means for a record to lie in one.

use std::path::Path;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::formats::text;
use crate::formats::vcf::extent;
use crate::formats::vcf::record::{Record, parse_integer};
use crate::genome::intervals::{Interval, IntervalSet};
use crate::genome::region::Region;
use crate::records::kinds::Kinds;

/// Why regions could not be understood.
#[derive(Debug, Error)]
pub enum RegionsError {
    /// A region in a list.
    #[error(transparent)]
    List(#[from] crate::genome::region::RegionError),
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A line of a file.
    #[error("{path}, line {line}: expected CONTIG, START and, if there is one, END between tabs")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
    },
}

/// When a record counts as lying in a region (bcftools' `--regions-overlap` and `--targets-overlap`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// `0` or `pos`: its POS is in it.
    Position,
    /// `1` or `record`: any base from POS to its end is in it.
    Record,
    /// `2` or `variant`: a base that an allele changes is in it.
    Variant,
}

impl std::str::FromStr for Overlap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "0" | "pos" => Ok(Self::Position),
            "1" | "record" => Ok(Self::Record),
            "2" | "variant" => Ok(Self::Variant),
            _ => Err("expected pos (0), record (1) or variant (2)".into()),
        }
    }
}

/// Regions by contig name.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    /// Contigs in the order in which they were named.
    names: Vec<Vec<u8>>,
    numbers: FxHashMap<Vec<u8>, usize>,
    intervals: IntervalSet,
}

/// `-r` and `-t` take a list, `-R` and `-T` a file.
#[derive(Clone, Copy, Debug)]
pub enum Source<'s> {
    /// `chr1,chr2:5-70`.
    List(&'s str),
    /// BED (0-based, by the ending `.bed` or `.bed.gz`), or CONTIG, START, END as in VCF, 1-based.
    File(&'s Path),
}

impl Regions {
    /// Reads regions.
    ///
    /// # Errors
    /// They are malformed, or the file cannot be read.
    pub fn read(source: Source<'_>) -> Result<Self, RegionsError> {
        match source {
            Source::List(list) => Self::of_list(list),
            Source::File(path) => Self::of_file(path),
        }
    }

    fn of_list(list: &str) -> Result<Self, RegionsError> {
        let mut regions = Vec::new();
        for text in list.split(',') {
            let region = text.parse::<Region>()?;
            // A number alone is one position, unlike a number with a dash.
            let is_position = text.rsplit_once(':').is_some_and(|(_, range)| !range.contains('-'));
            let end = match region.end {
                Some(end) => end,
                None if is_position && !text.ends_with('}') => region.start + 1,
                None => u64::MAX,
            };
            regions.push((region.contig.into_bytes(), Interval { start: region.start, end }));
        }
        Ok(Self::new(regions))
    }

    fn of_file(path: &Path) -> Result<Self, RegionsError> {
        let name = path.display().to_string();
        let failed = |source| RegionsError::Io { path: name.clone(), source };
        let is_bed =
            [".bed", ".bed.gz", ".bed.bgz"].iter().any(|ending| name.to_lowercase().ends_with(ending));
        let is_vcf = [".vcf", ".vcf.gz"].iter().any(|ending| name.to_lowercase().ends_with(ending));
        let mut reader = text::open(path).map_err(failed)?;
        let (mut line, mut number, mut regions) = (Vec::new(), 0, Vec::new());
        while text::read_line(&mut *reader, &mut line).map_err(failed)? {
            number += 1;
            if line.is_empty()
                || line.starts_with(b"#")
                || line.starts_with(b"track ")
                || line.starts_with(b"browser ")
            {
                continue;
            }
            let region = if is_vcf {
                Record::parse(&line).ok().map(|record| (record.position(), extent::end(&record)))
            } else {
                let mut columns = line.split(|&b| b == b'\t').skip(1);
                let start = columns.next().and_then(parse_integer);
                let end =
                    columns.next().map_or(Some(None), |text| parse_integer(text).map(Some)).unwrap_or(None);
                match (start, end) {
                    (Some(start), Some(end)) => Some((start - i64::from(!is_bed), end)),
                    (Some(start), None) if !is_bed => Some((start - 1, start)),
                    _ => None,
                }
            };
            let region = region.and_then(|(start, end)| {
                Some(Interval { start: u64::try_from(start).ok()?, end: u64::try_from(end).ok()? })
            });
            let interval = region.ok_or_else(|| RegionsError::Line { path: name.clone(), line: number })?;
            let contig = line.split(|&b| b == b'\t').next().unwrap_or_default().to_vec();
            regions.push((contig, interval));
        }
        Ok(Self::new(regions))
    }

    /// From intervals by contig name; those that touch become one.
    pub fn new(regions: Vec<(Vec<u8>, Interval)>) -> Self {
        let mut set = Self::default();
        let mut numbered = Vec::new();
        for (contig, interval) in regions {
            let number = *set.numbers.entry(contig).or_insert_with_key(|contig| {
                set.names.push(contig.clone());
                set.names.len() - 1
            });
            numbered.push((number, interval));
        }
        set.intervals = IntervalSet::new(numbered);
        set
    }

    /// Contigs in the order in which they were named, with their regions, 0-based half-open.
    pub fn by_contig(&self) -> impl Iterator<Item = (&[u8], &[Interval])> {
        self.names.iter().enumerate().map(|(number, name)| (name.as_slice(), self.intervals.contig(number)))
    }

    /// The regions of a contig, 0-based half-open, sorted and disjoint.
    pub fn of_contig(&self, contig: &[u8]) -> &[Interval] {
        self.numbers.get(contig).map_or(&[], |number| self.intervals.contig(*number))
    }

    /// Bases in all regions.
    pub fn total_length(&self) -> u64 {
        self.intervals.total_length()
    }

    /// Bases that are in regions of another set, too.
    pub fn shared_length(&self, other: &Self) -> u64 {
        let renumbered = other.names.iter().enumerate().filter_map(|(number, name)| {
            let ours = *self.numbers.get(name)?;
            Some(other.intervals.contig(number).iter().map(move |interval| (ours, *interval)))
        });
        self.intervals.intersection(&IntervalSet::new(renumbered.flatten())).total_length()
    }

    /// Whether an interval of a contig meets a region.
    pub fn meets(&self, contig: &[u8], interval: Interval) -> bool {
        self.numbers.get(contig).is_some_and(|number| self.intervals.overlaps(*number, interval))
    }

    /// Whether a record lies in a region.
    pub fn contain(&self, record: &Record, overlap: Overlap) -> bool {
        let Some(&number) = self.numbers.get(record.chrom()) else { return false };
        let meets = |start: i64, end: i64| {
            let start = u64::try_from(start).unwrap_or(0);
            let end = u64::try_from(end).unwrap_or(0).max(start + 1);
            self.intervals.overlaps(number, Interval { start, end })
        };
        match overlap {
            Overlap::Position => meets(record.position(), record.position() + 1),
            Overlap::Record => meets(record.position(), extent::end(record)),
            Overlap::Variant => {
                let mut has_alternate = false;
                for alternate in record.alternates() {
                    has_alternate = true;
                    let (start, end) = changed(record, alternate);
                    if meets(start, end) {
                        return true;
                    }
                }
                !has_alternate && meets(record.position(), extent::end(record))
            }
        }
    }
}

/// The bases of the reference that an allele changes; of an insertion the base before it.
fn changed(record: &Record, alternate: &[u8]) -> (i64, i64) {
    let (reference, position) = (record.reference(), record.position());
    if Kinds::of_allele(reference, alternate) != Kinds::INDEL {
        return (position, extent::end(record));
    }
    let same = reference.iter().zip(alternate).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count() as i64;
    if reference.len() > alternate.len() {
        (position + same, position + reference.len() as i64)
    } else {
        (position + same - 1, position + same)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_bcftools_reads_it() {
        let regions = Regions::read(Source::List("chr2:5,chr1:10-20,chr1:15-30,chr3,chr2:100-")).unwrap();
        let found: Vec<_> = regions
            .by_contig()
            .map(|(name, list)| (name.to_vec(), list.iter().map(|i| (i.start, i.end)).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            found,
            [
                (b"chr2".to_vec(), vec![(4, 5), (99, u64::MAX)]),
                (b"chr1".to_vec(), vec![(9, 30)]),
                (b"chr3".to_vec(), vec![(0, u64::MAX)]),
            ]
        );
    }

    #[test]
    fn a_record_lies_in_a_region_by_position_record_or_variant() {
        for (line, region, position, record, variant) in [
            ("1\t10\t.\tA\tC\t.\t.\t.", "1:10", true, true, true),
            ("1\t10\t.\tACGT\tA\t.\t.\t.", "1:10", true, true, false),
            ("1\t10\t.\tACGT\tA\t.\t.\t.", "1:12-13", false, true, true),
            ("1\t10\t.\tA\tATT\t.\t.\t.", "1:11", false, false, false),
            ("1\t10\t.\tA\t<DEL>\t.\t.\tEND=50", "1:40-60", false, true, true),
            ("2\t10\t.\tA\tC\t.\t.\t.", "1", false, false, false),
            ("1\t10\t.\tAC\t.\t.\t.\t.", "1:11", false, true, true),
        ] {
            let regions = Regions::read(Source::List(region)).unwrap();
            let parsed = Record::parse(line.as_bytes()).unwrap();
            let found =
                [Overlap::Position, Overlap::Record, Overlap::Variant].map(|o| regions.contain(&parsed, o));
            assert_eq!(found, [position, record, variant], "{line} in {region}");
        }
    }

    #[test]
    fn files_are_zero_based_where_they_are_bed() {
        let directory = tempfile::tempdir().unwrap();
        for (name, text, expected) in [
            ("a.bed", "track x\nchr1\t4\t9\textra\n", (4, 9)),
            ("a.tsv", "#c\nchr1\t5\t9\n", (4, 9)),
            ("b.tsv", "chr1\t5\n", (4, 5)),
            ("c.vcf", "##x\n#CHROM\nchr1\t5\t.\tACG\tA\t.\t.\t.\n", (4, 7)),
        ] {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            let regions = Regions::read(Source::File(&path)).unwrap();
            let (_, list) = regions.by_contig().next().unwrap();
            assert_eq!((list[0].start, list[0].end), expected, "{name}");
        }
        let path = directory.path().join("bad.bed");
        std::fs::write(&path, "chr1\t4\nx").unwrap();
        assert!(
            Regions::read(Source::File(&path))
                .unwrap_err()
                .to_string()
                .ends_with("line 1: expected CONTIG, START and, if there is one, END between tabs")
        );
    }
}
