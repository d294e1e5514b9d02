//! A line of a VCF of any bytes: it is refused, or what BCF makes of it is the same as BCF again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use norn::formats::vcf::bcf::{Encoder, Scratch, decode};
use norn::formats::vcf::{header::Header, record::Record};

const HEADER: &[u8] = b"##fileformat=VCFv4.3\n##contig=<ID=1,length=1000>\n##FILTER=<ID=q,Description=\"\">
##INFO=<ID=I,Number=A,Type=Integer,Description=\"\">\n##INFO=<ID=R,Number=.,Type=Float,Description=\"\">
##INFO=<ID=S,Number=1,Type=String,Description=\"\">\n##INFO=<ID=F,Number=0,Type=Flag,Description=\"\">
##INFO=<ID=END,Number=1,Type=Integer,Description=\"\">\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">
##FORMAT=<ID=I,Number=G,Type=Integer,Description=\"\">\n##FORMAT=<ID=R,Number=R,Type=Float,Description=\"\">
##FORMAT=<ID=S,Number=1,Type=String,Description=\"\">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";

fuzz_target!(|line: &[u8]| {
    let Ok(record) = Record::parse(line) else { return };
    for tag in [&b"I"[..], b"S", b"END"] {
        let _ = record.info(tag);
    }
    for field in 0..record.format_keys().count() {
        record.cells(field).for_each(drop);
    }
    let header = Header::parse(HEADER).expect("a header");
    let (encoder, mut scratch) = (Encoder::new(&header), Scratch::default());
    let (mut first, mut again, mut text) = (Vec::new(), Vec::new(), Vec::new());
    // A NUL ends texts in BCF.
    if !line.contains(&0) && encoder.encode(&record, &mut scratch, &mut first).is_ok() {
        decode(&first, encoder.dictionary(), &mut text).expect("our own BCF");
        let record = Record::parse(&text).expect("our own line");
        encoder.encode(&record, &mut scratch, &mut again).expect("what was BCF before");
        let mut text_again = Vec::new();
        decode(&again, encoder.dictionary(), &mut text_again).expect("our own BCF");
        assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&text_again));
    }
    // The same bytes as a record of a BCF: refused, or a line.
    text.clear();
    if decode(line, encoder.dictionary(), &mut text).is_ok() {
        let _ = Record::parse(&text);
    }
});
