//! A BED file or interval_list of any bytes: a line is refused, or is an interval that does not end before it starts.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use norn::formats::bed::BedReader;

fuzz_target!(|bytes: &[u8]| {
    let reader = BedReader::new(Path::new("fuzz.bed"), Box::new(Cursor::new(bytes.to_vec())));
    for record in reader.map_while(Result::ok) {
        assert!(record.start <= record.end);
    }
});
