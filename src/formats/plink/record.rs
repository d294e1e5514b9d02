//! A record of a `.bed` or `.pgen` file, track by track.

use super::layout::RecordType;
use super::main_track::{self, List};
use super::tracks;
use crate::formats::genotypes::Genotypes;
use crate::formats::genotypes::bytes::{Bytes, Problem};
use crate::formats::genotypes::calls::Calls;

/// Reads records; keeps memory from one to the next.
#[derive(Default)]
pub struct Decoder {
    /// Whether phase is read; it is passed over else.
    pub with_phase: bool,
    list: List,
}

impl Decoder {
    /// Reads a record into genotypes that were cleared for its samples and alleles; `base` are the calls that differences
    /// are told from, and not looked at where there are none.
    ///
    /// # Errors
    /// The record is damaged, or has dosages of several alternate alleles.
    pub fn decode(
        &mut self,
        kind: RecordType,
        bytes: &[u8],
        base: &Calls,
        into: &mut Genotypes,
    ) -> Result<(), Problem> {
        let mut bytes = Bytes(bytes);
        self.read_calls(kind, &mut bytes, base, &mut into.calls)?;
        let RecordType::Plink2(bits) = kind else { return Ok(()) };
        let (list, with_phase) = (&mut self.list, self.with_phase);
        if bits & 8 != 0 {
            tracks::read_other_alleles(&mut bytes, into.alleles, &into.calls, list, &mut into.others)?;
        }
        if bits & 0x10 != 0 {
            let phase = with_phase.then_some(&mut into.phase);
            tracks::read_phase(&mut bytes, &into.calls, &into.others, list, phase)?;
        }
        if bits & 0x60 != 0 {
            if into.alleles > 2 {
                return Err(
                    "dosages of several alternate alleles: the format does not say yet how they are stored",
                );
            }
            let phase = with_phase.then_some(&mut into.phase);
            tracks::read_dosages(bits, &mut bytes, into.samples, &mut into.dosages, phase)?;
        }
        if bytes.0.is_empty() || bits & 0x80 != 0 && !with_phase {
            return Ok(());
        }
        Err("it is longer than what it holds")
    }

    /// Reads the calls of a record alone.
    pub(super) fn read_calls(
        &mut self,
        kind: RecordType,
        bytes: &mut Bytes,
        base: &Calls,
        calls: &mut Calls,
    ) -> Result<(), Problem> {
        match kind {
            RecordType::Plink1 => main_track::read_plink1(bytes, calls),
            RecordType::Plink2(bits) => main_track::read(bits, bytes, base, &mut self.list, calls),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            kind in any::<u8>(), bytes in prop::collection::vec(any::<u8>(), 0..200),
            small in prop::collection::vec(0u8..4, 0..60), samples in 0usize..70, alleles in 2usize..20,
            with_phase in any::<bool>(),
        ) {
            let (mut base, mut into) = (Calls::default(), Genotypes::default());
            base.clear(samples);
            base.set_common(kind & 3);
            for bytes in [bytes, small] {
                into.clear(samples, alleles);
                let mut decoder = Decoder { with_phase, ..Decoder::default() };
                if decoder.decode(RecordType::Plink2(kind), &bytes, &base, &mut into).is_ok() {
                    let (mut copies, counts) = (Vec::new(), into.calls.counts());
                    prop_assert_eq!(counts.iter().sum::<usize>(), samples);
                    into.copies_of(1, &mut copies);
                    prop_assert_eq!(copies.len(), samples.div_ceil(4));
                    prop_assert!(into.dosages.samples.iter().all(|sample| (*sample as usize) < samples));
                }
                let _ = decoder.decode(RecordType::Plink1, &bytes, &base, &mut into);
            }
        }
    }
}
