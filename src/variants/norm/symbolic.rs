//! `<DEL>` and `<DUP>`: how long they are, and what their END is after they moved.
//!
//! A deletion is written out as REF over its whole length, a duplication as an ALT that holds the copied bases again; so
//! they are aligned as other variants are.

use crate::formats::vcf::record::{Record, parse_integer};
use crate::records::align::Sequence;
use crate::variants::allele_lists::nth;

/// Bases of the reference that a record spans: the most of REF, END and the SVLEN of alleles that span the reference, as
/// htslib has it.
pub fn span(record: &Record) -> i64 {
    let by_length = record.alternates().enumerate().filter(|(_, alt)| spans_reference(alt));
    let by_length = by_length.filter_map(|(i, _)| length_of(record, i)).max().map_or(0, |length| length + 1);
    let by_end = end(record).map_or(0, |end| end - record.position());
    (record.reference().len() as i64).max(by_length).max(by_end)
}

/// INFO/END, which is 1-based and inclusive: the 0-based position behind the last base.
pub fn end(record: &Record) -> Option<i64> {
    parse_integer(record.info(b"END")?)
}

/// Moves END where there is one: by `offset`, or to `position + length` of a record that is not symbolic.
pub fn move_end(record: &mut Record, end: i64) {
    if self::end(record).is_some() {
        record.set_info(b"END", Some(end.to_string().as_bytes()));
    }
}

/// An alternate allele written out; `None` where it is symbolic in a way that does not say which bases it is.
pub fn written_out(record: &Record, number: usize, alt: &[u8]) -> Option<Sequence<'static>> {
    if alt.starts_with(b"<DEL") {
        return Some(Sequence::Reference(1));
    }
    if !alt.starts_with(b"<DUP") {
        return None;
    }
    let by_end = || Some(end(record)? - record.position() - 1);
    let length = length_of(record, number).or_else(by_end).filter(|length| *length > 0)?;
    Some(Sequence::Reference(length as u64 + 1))
}

/// The absolute value of SVLEN of an alternate allele (from 0); older files have negative ones for deletions.
fn length_of(record: &Record, number: usize) -> Option<i64> {
    let length = parse_integer(nth(record.info(b"SVLEN")?, number)?)?.abs();
    (length > 0).then_some(length)
}

/// Whether an allele of SVLEN bases takes as many of the reference (VCF 4.5, section 1.6.1).
fn spans_reference(alt: &[u8]) -> bool {
    let name = alt.strip_prefix(b"<").unwrap_or_default();
    [&b"DEL"[..], b"DUP", b"CNV", b"INV"]
        .iter()
        .any(|kind| name.strip_prefix(*kind).is_some_and(|rest| matches!(rest.first(), Some(b'>' | b':'))))
}
