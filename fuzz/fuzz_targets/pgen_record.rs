//! A record of a .pgen file of any bytes: it is refused, or copies of each allele can be counted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use norn::formats::genotypes::{Genotypes, calls::Calls};
use norn::formats::plink::{layout::RecordType, record::Decoder};

fuzz_target!(|bytes: &[u8]| {
    let [kind, samples, alleles, bytes @ ..] = bytes else { return };
    let (mut base, mut genotypes, mut copies) = (Calls::default(), Genotypes::default(), Vec::new());
    base.clear(usize::from(*samples));
    base.set_common(kind & 3);
    genotypes.clear(usize::from(*samples), usize::from(*alleles % 20) + 2);
    let mut decoder = Decoder::default();
    decoder.with_phase = true;
    if decoder.decode(RecordType::Plink2(*kind), bytes, &base, &mut genotypes).is_ok() {
        (0..4).for_each(|allele| genotypes.copies_of(allele, &mut copies));
    }
});
