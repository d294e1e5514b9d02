//! Lines of GFF3 or GTF of any bytes: they are refused, or their attributes can be asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use norn::formats::gff::Feature;

fuzz_target!(|bytes: &[u8]| {
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Ok(Some(feature)) = Feature::parse(line) {
            let _ = (feature.get("ID"), feature.whole("Name"), feature.all("tag").count());
        }
    }
});
