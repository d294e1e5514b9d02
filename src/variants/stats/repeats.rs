//! Whether an indel lies in a short repeat, and is as long as its unit (`-F`).

use crate::formats::fasta::{FastaError, Reference};
use crate::formats::vcf::record::Record;
use crate::records::pipeline::RecordProblem;

/// Bases behind the position that are looked at.
const WINDOW: usize = 50;
/// The longest unit, in bases.
pub(super) const LONGEST: usize = 10;

/// The repeat at which an indel lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// None, or one of a single base.
    None,
    /// A unit of so many bases; whether the indel is a multiple of it.
    Unit { length: usize, is_consistent: bool },
}

/// The repeat behind a record's position, for an allele.
///
/// # Errors
/// REF is not what the reference has, or the reference cannot be read.
pub(super) fn at(reference: &Reference, record: &Record, alt: &[u8]) -> Result<Repeat, RecordProblem> {
    let contig = String::from_utf8_lossy(record.chrom());
    let number = reference.contig_index(&contig);
    let number =
        number.ok_or_else(|| RecordProblem::at(record, "the reference does not have this contig"))?;
    let start = u64::try_from(record.position()).unwrap_or(0);
    let mut bases = Vec::new();
    let failed = |error: FastaError| RecordProblem::at(record, error.to_string());
    reference.fetch(number, start, start + WINDOW as u64 + 2, &mut bases).map_err(failed)?;
    bases.make_ascii_uppercase();
    let differs = |(theirs, ours): (&u8, &u8)| !is_consistent(*theirs, *ours);
    if bases.iter().zip(record.reference()).any(differs) {
        return Err(RecordProblem::at(record, "REF is not what the reference has"));
    }
    let (count, length) = unit(bases.get(1..).unwrap_or_default());
    if count <= 1 || length <= 1 {
        return Ok(Repeat::None);
    }
    let change = alt.len().abs_diff(record.reference().len());
    Ok(Repeat::Unit { length, is_consistent: change.is_multiple_of(length) })
}

/// The unit of up to ten bases that stands most often in a row at the beginning, the longest of those: how often, and
/// its length.
fn unit(bases: &[u8]) -> (usize, usize) {
    let bases = &bases[..bases.len().min(WINDOW)];
    let count = |length: usize| {
        let unit = &bases[..length.min(bases.len())];
        bases.chunks_exact(length).take_while(|copy| *copy == unit).count().max(1)
    };
    (1..=LONGEST).map(|length| (count(length), length)).max().unwrap_or((1, LONGEST))
}

/// Whether a base of a record agrees with one of the reference, which may be a code for several.
fn is_consistent(reference: u8, base: u8) -> bool {
    let bases: &[u8] = match reference {
        b'M' => b"AC",
        b'R' => b"AG",
        b'W' => b"AT",
        b'S' => b"CG",
        b'Y' => b"CT",
        b'K' => b"GT",
        b'V' => b"ACG",
        b'H' => b"ACT",
        b'D' => b"AGT",
        b'B' => b"CGT",
        b'N' => b"ACGT",
        _ => b"",
    };
    base.eq_ignore_ascii_case(&reference) || bases.contains(&base.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found() {
        // By hand: of units that stand equally often the longest counts.
        for (bases, expected) in [
            ("AAAAACGT", (5, 1)),
            ("ACACACGT", (3, 2)),
            ("ACGTTTTT", (1, 10)),
            ("AAAACAAAACAAAACAAAACAAAACG", (5, 5)),
            ("AACAACT", (2, 3)),
            ("", (1, 10)),
        ] {
            assert_eq!(unit(bases.as_bytes()), expected, "{bases}");
        }
    }
}
