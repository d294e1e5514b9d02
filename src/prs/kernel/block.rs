//! Some hundred variants whose genotypes are at hand, with who asks what of them.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::column::{AlleleReader, Column, Form};
use super::lookup::{Codes, STREAMS};
use super::places::Places;
use super::ploidy::{People, Ploidy};
use super::strip::put_together;
use super::values::Asked;
use super::{Imputation, Kernel, KernelError, Part};
use crate::formats::genotypes::{Cursor, Genotypes};
use crate::prs::weights::{Effect, Row};

/// Weights that a column has in a tile, on average, if tables of all lanes are worth their making.
const FEW_LANES: usize = 3;

/// A row of weights that asks for a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) asked: Asked,
}

/// The weights of a term that are of one tile.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) term: usize,
    /// Of the row's weights.
    pub(super) weights: Range<usize>,
}

/// Columns and their terms.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) columns: Vec<Column>,
    pub(super) terms: Vec<Term>,
    /// For each tile the weights that it has here, in the order of columns.
    pub(super) uses: Vec<Vec<Use>>,
    /// For each column how many packed ones are before it.
    pub(super) ordinals: Vec<usize>,
    packed: usize,
    /// So many packed columns' calls are put together in a byte.
    pub(super) joined_columns: usize,
    /// For each strip, codes of all packed columns: chunk by chunk, for each place.
    joined: Vec<Vec<Codes>>,
    /// Alleles that each group counts, of others and of males.
    pub(super) denominators: Vec<[u64; 2]>,
}

/// What a thread reads variants with.
pub(super) struct Reader<'s> {
    cursor: Box<dyn Cursor + 's>,
    genotypes: Genotypes,
    allele: AlleleReader,
}

/// Readers that no thread is at.
pub(super) struct Readers<'s> {
    part: &'s Part<'s>,
    idle: Mutex<Vec<Reader<'s>>>,
}

impl<'s> Readers<'s> {
    pub(super) fn new(part: &'s Part<'s>) -> Self {
        Self { part, idle: Mutex::default() }
    }

    fn with<R>(&self, work: impl FnOnce(&mut Reader<'s>) -> R) -> R {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = idle.unwrap_or_else(|| Reader {
            cursor: self.part.source.cursor(),
            genotypes: Genotypes::default(),
            allele: AlleleReader::default(),
        });
        let result = work(&mut reader);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        result
    }
}

/// Samples of a pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass<'p> {
    pub(super) people: &'p People,
    pub(super) range: &'p Range<usize>,
    pub(super) places: Places,
}

impl Block {
    /// Reads the variants that have these rows.
    pub(super) fn read(
        kernel: &Kernel,
        readers: &Readers,
        pass: &Pass,
        rows: Range<usize>,
    ) -> Result<Self, KernelError> {
        let numbers: Vec<usize> = rows.collect();
        let variants: Vec<&[usize]> =
            numbers.chunk_by(|a, b| kernel.weights.variant_of(*a) == kernel.weights.variant_of(*b)).collect();
        // Few seams: behind one, a stretch of the file is read anew.
        let tasks = variants.par_chunks(variants.len().div_ceil(8).max(8));
        let parts: Result<Vec<Self>, KernelError> = tasks
            .map(|variants| {
                readers.with(|reader| {
                    let mut part =
                        Self { denominators: vec![[0; 2]; kernel.weights.groups()], ..Self::default() };
                    for rows in variants {
                        part.add_variant(kernel, readers.part, reader, pass, rows)?;
                    }
                    Ok(part)
                })
            })
            .collect();
        let mut block = Self { denominators: vec![[0; 2]; kernel.weights.groups()], ..Self::default() };
        for part in parts? {
            let before = block.columns.len();
            block.columns.extend(part.columns);
            let terms = part.terms.into_iter();
            block.terms.extend(terms.map(|term| Term { column: term.column + before, ..term }));
            for (sum, more) in block.denominators.iter_mut().zip(part.denominators) {
                *sum = [sum[0] + more[0], sum[1] + more[1]];
            }
        }
        block.find_uses(kernel);
        block.join(kernel, pass);
        Ok(block)
    }

    /// Bytes of it, but for small change.
    pub(super) fn bytes(&self) -> usize {
        let of_columns: usize = self.columns.iter().map(Column::bytes).sum();
        let uses: usize = self.uses.iter().map(Vec::len).sum();
        let joined: usize = self.joined.iter().map(Vec::len).sum();
        of_columns
            + self.terms.len() * size_of::<Term>()
            + uses * size_of::<Use>()
            + joined * size_of::<Codes>()
    }

    /// Variants that it has columns of.
    pub(super) fn variants(&self, kernel: &Kernel) -> usize {
        let of_term = |term: &Term| kernel.weights.variant_of(term.row);
        self.terms.chunk_by(|a, b| of_term(a) == of_term(b)).count()
    }

    fn add_variant(
        &mut self,
        kernel: &Kernel,
        part: &Part,
        reader: &mut Reader,
        pass: &Pass,
        rows: &[usize],
    ) -> Result<(), KernelError> {
        let rows: Vec<(usize, Row)> =
            rows.iter().filter_map(|row| Some((*row, kernel.weights.row(*row)?))).collect();
        let Some((_, Row { variant, .. })) = rows.first() else { return Ok(()) };
        let variant = *variant;
        let local = (variant as usize).checked_sub(part.first);
        let site = local.and_then(|local| Some((local, part.source.sites().get(local)?)));
        let Some((local, site)) = site else { return Err(KernelError::NoSuchVariant(variant)) };
        let ploidy = Ploidy::of(site.contig);
        let classes = ploidy.classes(kernel.settings.x_model);
        if classes.is_empty() {
            return Ok(());
        }
        let refused = |what: &str| KernelError::Variant {
            variant,
            id: site.id.to_owned(),
            contig: site.contig.to_owned(),
            position: site.position,
            what: what.to_owned(),
        };
        reader.cursor.read(local, &mut reader.genotypes)?;
        if reader.genotypes.samples != pass.people.samples {
            return Err(refused("it has other samples than the file says"));
        }
        let alleles = reader.genotypes.alleles.max(2);
        if rows.iter().any(|(_, row)| row.allele as usize >= alleles) {
            return Err(refused("a weight is of an allele that it has not"));
        }
        if classes.iter().any(|(_, halves)| *halves)
            && rows.iter().any(|(_, row)| !row.effect.takes_haploids())
        {
            return Err(refused("a weight for who has one or two copies, where people have one"));
        }
        // One stands for all alternate alleles together, which there is one of mostly, and for the reference.
        let stream = |row: &Row| if alleles > 2 { row.allele } else { 0 };
        for of_stream in rows.chunk_by(|a, b| stream(&a.1) == stream(&b.1)) {
            let allele = of_stream.first().map_or(0, |(_, row)| stream(row));
            reader.allele.read(&reader.genotypes, allele).map_err(refused)?;
            let frequency = match part.frequencies.and_then(|all| all.get(local)) {
                Some(given) => match given.get(if alleles > 2 { allele as usize } else { 1 }) {
                    // Of all alternate alleles together: what the reference leaves.
                    Some(reference) if alleles > 2 && allele == 0 => Some(1.0 - reference),
                    given => given.copied(),
                },
                None => None,
            };
            let frequency = frequency.unwrap_or_else(|| {
                let count =
                    reader.allele.count(&reader.genotypes, ploidy.classes_of_frequency(), pass.people);
                let even = if allele == 0 && alleles > 2 {
                    1.0 - 1.0 / alleles as f64
                } else {
                    1.0 / alleles as f64
                };
                if count.known == 0 { even } else { count.frequency(alleles) }
            });
            let is_straight = of_stream.iter().all(|(_, row)| row.effect.takes_haploids());
            for class in classes {
                let column = reader.allele.column(
                    &reader.genotypes,
                    *class,
                    pass.people,
                    pass.range,
                    &pass.places,
                    is_straight,
                );
                for (number, row) in of_stream {
                    let is_reference = allele == 0 && (row.allele == 0);
                    let asked = kernel.asked(row.effect, frequency, is_reference, class.1);
                    self.terms.push(Term { row: *number, column: self.columns.len(), asked });
                    self.count(kernel, row, *class);
                }
                self.columns.push(column);
            }
        }
        Ok(())
    }

    /// Counts the alleles that groups ask for.
    fn count(&mut self, kernel: &Kernel, row: &Row, (who, halves): super::ploidy::Class) {
        if row.effect != Effect::Observed {
            return;
        }
        use super::ploidy::Who;
        for (number, _) in row.iter() {
            let group = number.saturating_sub(kernel.weights.scores()) / 2;
            if let Some([others, males]) = self.denominators.get_mut(group) {
                let copies = if halves { 1 } else { 2 };
                *others += if who == Who::Males { 0 } else { copies };
                *males += if who == Who::Others { 0 } else { copies };
            }
        }
    }

    /// Gives each tile its weights.
    fn find_uses(&mut self, kernel: &Kernel) {
        self.uses = vec![Vec::new(); kernel.tiles.len()];
        for (number, term) in self.terms.iter().enumerate() {
            let Some(row) = kernel.weights.row(term.row) else { continue };
            let mut from = 0;
            let mut scores = row.iter().map(|(score, _)| score).enumerate();
            while let Some((_, score)) = scores.next() {
                let Some(&tile) = kernel.tile_of.get(score) else { break };
                let end = kernel.tiles[tile].scores.end;
                let of_tile = row.part(0..end).values.len();
                self.uses[tile].push(Use { term: number, weights: from..of_tile });
                if of_tile > from + 1 {
                    scores.nth(of_tile - from - 2);
                }
                from = of_tile;
            }
        }
    }

    /// Puts calls together, if many tiles can use that.
    fn join(&mut self, kernel: &Kernel, pass: &Pass) {
        let is_packed = |column: &Column| matches!(column.form, Form::Packed { .. });
        self.ordinals = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            self.ordinals.push(self.packed);
            self.packed += usize::from(is_packed(column));
        }
        self.joined_columns = kernel.columns_a_byte(pass.places.strip(0).len());
        if !self.uses.iter().any(|uses| self.is_shared(uses)) {
            return;
        }
        let packed: Vec<&Column> = self.columns.iter().filter(|column| is_packed(column)).collect();
        let chunks: Vec<&[&Column]> = packed.chunks(STREAMS * self.joined_columns).collect();
        let strips = (0..pass.places.strips()).into_par_iter();
        self.joined = strips
            .map(|strip| {
                let places = pass.places.strip(strip).len().next_multiple_of(4);
                let mut codes = vec![[0; STREAMS]; chunks.len() * places];
                let mut joined = Vec::new();
                for (columns, codes) in chunks.iter().zip(codes.chunks_exact_mut(places)) {
                    put_together(columns, self.joined_columns, &pass.places, strip, &mut joined, codes);
                }
                codes
            })
            .collect();
    }

    /// Whether a tile uses so many of the packed columns that codes of all are worth reading.
    pub(super) fn is_shared(&self, uses: &[Use]) -> bool {
        self.columns_of(uses) * 2 > self.packed && !self.has_few_lanes(uses)
    }

    /// Whether lanes of a tile's tables would be zeros mostly: what it has is added score by score then.
    pub(super) fn has_few_lanes(&self, uses: &[Use]) -> bool {
        let weights: usize = uses.iter().map(|of| of.weights.len()).sum();
        weights < FEW_LANES * self.columns_of(uses)
    }

    fn columns_of(&self, uses: &[Use]) -> usize {
        uses.chunk_by(|a, b| self.column_of(a) == self.column_of(b)).count()
    }

    pub(super) fn column_of(&self, of: &Use) -> usize {
        self.terms.get(of.term).map_or(0, |term| term.column)
    }

    /// Codes of a chunk of packed columns that were put together, of a strip of so many places.
    pub(super) fn codes(&self, strip: usize, chunk: usize, places: usize) -> &[Codes] {
        let joined =
            self.joined.get(strip).and_then(|joined| joined.get(chunk * places..(chunk + 1) * places));
        joined.unwrap_or_default()
    }
}

impl Kernel<'_> {
    /// What an effect asks of a column of an allele that is so frequent; of what is not that allele if `is_reference`.
    fn asked(&self, effect: Effect, frequency: f64, is_reference: bool, halves: bool) -> Asked {
        let mut knots = effect.knots();
        let mut counted = frequency;
        if is_reference {
            knots.reverse();
            counted = 1.0 - frequency;
        }
        let other = 1.0 - counted;
        let hardy_weinberg = [other * other, 2.0 * counted * other, counted * counted];
        let expected = match (self.settings.imputation, effect) {
            (Imputation::None, _) | (_, Effect::Observed) => 0.0,
            (_, Effect::Additive) if halves => counted,
            (_, Effect::Additive) => 2.0 * counted,
            (Imputation::Plink2, Effect::Dominant | Effect::Recessive) => counted,
            (_, effect) => {
                let pairs = effect.knots().into_iter().zip(hardy_weinberg);
                pairs.map(|(knot, share)| knot as f64 * share).sum()
            }
        };
        Asked { knots, expected, halves }
    }

    /// Of how many columns calls are put together in a byte: for few samples, tables are more work than looking up.
    fn columns_a_byte(&self, samples: usize) -> usize {
        match samples {
            0..8 => 1,
            8..224 => 2,
            _ => 4,
        }
    }
}
