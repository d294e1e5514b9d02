//! Reads records of a `.bed` or `.pgen` file: in the order of the file with few large reads, or any of them.

use super::layout::RecordType;
use super::main_track::{self, List};
use super::{Fileset, tracks};
use crate::formats::genotypes::bytes::{Bytes, Problem};
use crate::formats::genotypes::calls::Calls;
use crate::formats::genotypes::window::Window;
use crate::formats::genotypes::{Cursor, GenotypeError, GenotypeProblem, Genotypes};

/// So much is read at once where records follow one another.
const AHEAD: u64 = 1 << 18;

/// A place in a fileset, for one thread.
pub struct PlinkCursor<'f> {
    files: &'f Fileset,
    with_phase: bool,
    window: Window<'f>,
    /// The calls that differences are told from, and their variant.
    base: Calls,
    base_of: Option<usize>,
    list: List,
}

impl<'f> PlinkCursor<'f> {
    pub(super) fn new(files: &'f Fileset) -> Self {
        Self {
            files,
            with_phase: false,
            window: Window::new(&files.file, files.size, AHEAD),
            base: Calls::default(),
            base_of: None,
            list: List::default(),
        }
    }

    /// Has phase read too, which is passed over else.
    #[must_use]
    pub fn with_phase(mut self) -> Self {
        self.with_phase = true;
        self
    }

    fn read_inner(&mut self, variant: usize, into: &mut Genotypes) -> Result<(), GenotypeProblem> {
        let layout = &self.files.layout;
        let told =
            |what: &str| GenotypeProblem::Variant { variant: variant as u64 + 1, what: what.to_owned() };
        let place = layout.place(variant).ok_or_else(|| told("there is no such variant"))?;
        if place.kind.is_difference() {
            self.read_base(variant)?;
        }
        into.clear(layout.samples(), self.files.alleles(variant));
        let bytes = self.window.get(place.bytes)?;
        let with_phase = self.with_phase;
        decode(place.kind, Bytes(bytes), &self.base, &mut self.list, with_phase, into).map_err(told)?;
        let next_is_difference = layout.kind(variant + 1).is_some_and(RecordType::is_difference);
        if next_is_difference && !place.kind.is_difference() {
            self.base.clone_from(&into.calls);
            self.base_of = Some(variant);
        }
        Ok(())
    }

    /// Has the calls at hand that a variant's differences are told from.
    fn read_base(&mut self, variant: usize) -> Result<(), GenotypeProblem> {
        let base = self.files.layout.base(variant);
        if base.is_some() && base == self.base_of {
            return Ok(());
        }
        let place = base.and_then(|base| Some((base, self.files.layout.place(base)?)));
        let (base, place) = place.ok_or_else(|| GenotypeProblem::Variant {
            variant: variant as u64 + 1,
            what: "it is told as differences from no record".into(),
        })?;
        self.base_of = None;
        self.base.clear(self.files.layout.samples());
        let mut bytes = Bytes(self.window.get(place.bytes)?);
        let read = read_calls(place.kind, &mut bytes, &Calls::default(), &mut self.list, &mut self.base);
        read.map_err(|what| GenotypeProblem::Variant { variant: base as u64 + 1, what: what.to_owned() })?;
        self.base_of = Some(base);
        Ok(())
    }
}

impl Cursor for PlinkCursor<'_> {
    fn read(&mut self, variant: usize, into: &mut Genotypes) -> Result<(), GenotypeError> {
        self.read_inner(variant, into).map_err(|problem| problem.of(&self.files.path))
    }
}

/// Reads all that is asked for of a record into genotypes that were cleared.
pub(super) fn decode(
    kind: RecordType,
    mut bytes: Bytes,
    base: &Calls,
    list: &mut List,
    with_phase: bool,
    into: &mut Genotypes,
) -> Result<(), Problem> {
    read_calls(kind, &mut bytes, base, list, &mut into.calls)?;
    let RecordType::Plink2(bits) = kind else { return Ok(()) };
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

fn read_calls(
    kind: RecordType,
    bytes: &mut Bytes,
    base: &Calls,
    list: &mut List,
    calls: &mut Calls,
) -> Result<(), Problem> {
    match kind {
        RecordType::Plink1 => main_track::read_plink1(bytes, calls),
        RecordType::Plink2(bits) => main_track::read(bits, bytes, base, list, calls),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
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
                let read = decode(
                    RecordType::Plink2(kind), Bytes(&bytes), &base, &mut List::default(), with_phase, &mut into,
                );
                if read.is_ok() {
                    let (mut copies, counts) = (Vec::new(), into.calls.counts());
                    prop_assert_eq!(counts.iter().sum::<usize>(), samples);
                    into.copies_of(1, &mut copies);
                    prop_assert_eq!(copies.len(), samples.div_ceil(4));
                    prop_assert!(into.dosages.samples.iter().all(|sample| (*sample as usize) < samples));
                }
                let _ = decode(
                    RecordType::Plink1, Bytes(&bytes), &base, &mut List::default(), with_phase, &mut into,
                );
            }
        }
    }
}
