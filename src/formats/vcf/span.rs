//! How far a record reaches on its contig, by REF, END, SVLEN and FORMAT/LEN (VCF 4.5, sections 1.6.1 and 3).

use super::header::{Header, Type};
use super::record::Record;
use super::value;

/// The last position, 1-based, as htslib tells it: the furthest of those that REF, INFO/END, INFO/SVLEN of deletions,
/// duplications, inversions and copy numbers, and FORMAT/LEN of reference blocks give.
pub fn end(record: &Record, header: &Header) -> i64 {
    let position = record.position();
    let is_integer = |tag: &[u8]| header.info(tag).is_some_and(|tag| tag.kind == Type::Integer);
    let single = |text: &[u8]| if text.contains(&b',') { None } else { value::integer(text) };
    let end = if is_integer(b"END") { record.info(b"END").and_then(single) } else { None };
    let end = i64::from(end.unwrap_or(0));
    let length = if is_integer(b"SVLEN") { variant_length(record) } else { 0 };
    let length = if length == 0 && end > position { end - position - 1 } else { length };
    let block = block_length(record);
    let block = if block == 0 && end > position { end - position } else { block };
    let reach = end.max(position + length + 1).max(position + block) - position;
    position + reach.max(record.reference().len() as i64)
}

fn variant_length(record: &Record) -> i64 {
    if !record.alternates().any(takes_length) {
        return 0;
    }
    let Some(lengths) = record.info(b"SVLEN") else { return 0 };
    let pairs = value::list(lengths).zip(record.alternates());
    let lengths =
        pairs.filter(|(_, allele)| takes_length(allele)).filter_map(|(text, _)| value::integer(text));
    lengths.map(|length| i64::from(length).abs()).max().unwrap_or(0)
}

/// A symbolic allele whose SVLEN is a length on the reference.
fn takes_length(allele: &[u8]) -> bool {
    allele.len() >= 5
        && [&b"<CNV"[..], b"<DEL", b"<DUP", b"<INV"].iter().any(|kind| allele.starts_with(kind))
        && matches!(allele[4], b'>' | b':')
        && allele.ends_with(b">")
}

fn block_length(record: &Record) -> i64 {
    if !record.alternates().any(|allele| matches!(allele, b"<*>" | b"<NON_REF>")) {
        return 0;
    }
    let Some(field) = record.format_index(b"LEN") else { return 0 };
    record.cells(field).filter_map(value::integer).map(i64::from).max().unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_those_of_htslib() {
        // Expected: bcftools query -f '%END' of 1.24.
        let header = "##fileformat=VCFv4.2\n##INFO=<ID=END,Number=1,Type=Integer,Description=\"\">\n\
            ##INFO=<ID=SVLEN,Number=A,Type=Integer,Description=\"\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
        let header = Header::parse(header.as_bytes()).unwrap();
        for (line, expected) in [
            ("1\t10\t.\tACG\tA\t.\t.\t.", 12),
            ("1\t10\t.\tA\t<DEL>\t.\t.\tEND=50", 50),
            ("1\t10\t.\tA\t<DEL>\t.\t.\tSVLEN=-40", 50),
            ("1\t10\t.\tA\t<INS>\t.\t.\tSVLEN=40", 10),
            ("1\t10\t.\tA\t<DUP:TANDEM>\t.\t.\tSVLEN=5;END=12", 15),
            ("1\t10\t.\tA\tC\t.\t.\tEND=3", 10),
        ] {
            assert_eq!(end(&Record::parse(line.as_bytes()).unwrap(), &header), expected, "{line}");
        }
    }
}
