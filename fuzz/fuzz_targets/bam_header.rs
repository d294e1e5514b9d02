//! A BAM file of any bytes, wrapped in BGZF so that the fuzzer need not find checksums: header, then records to the end.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use norn::formats::bam_reader::BamReader;
use norn::formats::bgzf_writer::{BgzfWriter, Level};

fuzz_target!(|bytes: &[u8]| {
    let mut writer = BgzfWriter::new(Vec::new(), Level::new(0).unwrap_or_default());
    if writer.write_all(bytes).and_then(|()| writer.finish()).is_err() {
        return;
    }
    let Ok((mut reader, _)) = BamReader::of_stream(Cursor::new(writer.into_inner())) else { return };
    while let Ok(Some(_)) = reader.next_record() {}
});
