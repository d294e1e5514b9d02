//! Reads records of a `.bed` or `.pgen` file: in the order of the file with few large reads, or any of them.

use super::Fileset;
use super::layout::RecordType;
use super::record::Decoder;
use crate::formats::genotypes::bytes::Bytes;
use crate::formats::genotypes::calls::Calls;
use crate::formats::genotypes::window::Window;
use crate::formats::genotypes::{Cursor, GenotypeError, GenotypeProblem, Genotypes};

/// So much is read at once where records follow one another.
const AHEAD: u64 = 1 << 18;

/// A place in a fileset, for one thread.
pub struct PlinkCursor<'f> {
    files: &'f Fileset,
    window: Window<'f>,
    /// The calls that differences are told from, and their variant.
    base: Calls,
    base_of: Option<usize>,
    decoder: Decoder,
}

impl<'f> PlinkCursor<'f> {
    pub(super) fn new(files: &'f Fileset) -> Self {
        Self {
            files,
            window: Window::new(&files.file, files.size, AHEAD),
            base: Calls::default(),
            base_of: None,
            decoder: Decoder::default(),
        }
    }

    /// Has phase read too, which is passed over else.
    #[must_use]
    pub fn with_phase(mut self) -> Self {
        self.decoder.with_phase = true;
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
        self.decoder.decode(place.kind, bytes, &self.base, into).map_err(told)?;
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
        let read = self.decoder.read_calls(place.kind, &mut bytes, &Calls::default(), &mut self.base);
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
