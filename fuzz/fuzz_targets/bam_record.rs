//! A BAM record of any bytes: it is refused, or every part of it can be looked at.
#![no_main]

use libfuzzer_sys::fuzz_target;
use norn::formats::bam::Record;

fuzz_target!(|bytes: &[u8]| {
    let Ok(record) = Record::new(bytes) else { return };
    let mut ops = Vec::new();
    let _ = record.cigar_into(&mut ops);
    let _ = (record.name(), record.packed_bases(), record.qualities(), record.fields().count());
});
