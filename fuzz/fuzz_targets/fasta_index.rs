//! A FASTA index of any bytes for a text of any length, and the index of any text: what is taken lies within the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use norn::formats::fai;

fuzz_target!(|input: (u32, &[u8])| {
    let (length, bytes) = (u64::from(input.0), input.1);
    for record in fai::parse(bytes, length).unwrap_or_default() {
        assert!(record.end_offset() <= length);
    }
    let mut text = bytes;
    if let Ok(Ok(records)) = fai::build(&mut text) {
        assert!(records.iter().all(|record| record.end_offset() <= bytes.len() as u64));
    }
});
