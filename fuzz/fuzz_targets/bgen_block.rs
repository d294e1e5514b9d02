//! Genotypes of a BGEN variant of any bytes: they are refused, or dosages come of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use norn::formats::bgen::{header::LayoutVersion, probabilities::Probabilities};
use norn::formats::genotypes::Dosages;

fuzz_target!(|bytes: &[u8]| {
    let [samples, alleles, bytes @ ..] = bytes else { return };
    for layout in [LayoutVersion::One, LayoutVersion::Two] {
        let read = Probabilities::new(bytes.to_vec(), layout, usize::from(*samples), usize::from(*alleles));
        if let Ok(read) = read {
            let mut dosages = Dosages::default();
            for allele in 0..3 {
                let _ = read.dosages(allele, &mut dosages);
            }
        }
    }
});
