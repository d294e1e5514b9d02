//! The stretch of reference that a record stands for, as indexes and regions take it.

use super::record::{Record, parse_integer};

/// One past its last position, 0-based. The furthest of REF's end, INFO/END, and POS + SVLEN of the alleles that lie on
/// the reference (`<DEL>`, `<DUP>`, `<CNV>`, `<INV>`), or FORMAT/LEN beside `<*>` (VCF 4.5, section 1.6.1; htslib 1.22).
pub fn end(record: &Record) -> i64 {
    let position = record.position();
    let mut end = position.saturating_add(record.reference().len() as i64);
    if let Some(value) = record.info(b"END").and_then(first_integer) {
        end = end.max(value);
    }
    let symbolic = |allele: &&[u8]| allele.first() == Some(&b'<');
    if !record.alternates().any(|allele| symbolic(&allele)) {
        return end;
    }
    if let Some(lengths) = record.info(b"SVLEN") {
        let lengths = lengths.split(|&b| b == b',');
        for (allele, length) in record.alternates().zip(lengths) {
            if lies_on_reference(allele)
                && let Some(length) = parse_integer(length)
            {
                end = end.max(position.saturating_add(length.unsigned_abs() as i64).saturating_add(1));
            }
        }
    }
    let is_block = |allele: &[u8]| matches!(allele, b"<*>" | b"<NON_REF>");
    if record.alternates().any(is_block)
        && let Some(field) = record.format_index(b"LEN")
    {
        let length = record.cells(field).filter_map(first_integer).max().unwrap_or(0);
        end = end.max(position.saturating_add(length));
    }
    end
}

fn first_integer(text: &[u8]) -> Option<i64> {
    parse_integer(text.split(|&b| b == b',').next()?)
}

fn lies_on_reference(allele: &[u8]) -> bool {
    let kinds: [&[u8]; 4] = [b"<DEL", b"<DUP", b"<CNV", b"<INV"];
    kinds
        .iter()
        .any(|kind| allele.strip_prefix(*kind).is_some_and(|rest| matches!(rest.first(), Some(b'>' | b':'))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_end_counts() {
        for (reference, alternates, info, expected) in [
            ("ACG", "A", ".", 12),
            ("A", "<DEL>", "END=50", 50),
            ("A", "<DEL>", "SVLEN=-50", 60),
            ("A", "<DEL>,<INS>", "SVLEN=5,900", 15),
            ("A", "<INS>", "SVLEN=50", 10),
            ("A", "<DUP:TANDEM>", "SVLEN=7;END=12", 17),
            ("A", "<NON_REF>", "END=5", 10),
            ("A", "C", "SVLEN=70", 10),
            ("A", "<DUP:TANDEM>", "SVLEN=5;END=12", 15),
            ("A", "C", "END=3", 10),
        ] {
            let line = format!("1\t10\t.\t{reference}\t{alternates}\t.\t.\t{info}");
            assert_eq!(end(&Record::parse(line.as_bytes()).unwrap()), expected, "{line}");
        }
    }
}
