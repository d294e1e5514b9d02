//! A strip of samples times a tile of scores: all that a block adds to its sums.

use super::Kernel;
use super::block::{Block, Use};
use super::column::{Column, Form};
use super::lookup::{self, Codes, NARROW, STREAMS, Tables, add_narrow, add_wide};
use super::places::Places;
use super::values::{Lanes, Values, are_narrow, join_narrow, join_wide, of_dosages};

/// Samples with missing genotypes are visited alone, unless there is one among so many.
const MANY_MISSING: usize = 16;

/// What is added to what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'j> {
    pub(super) kernel: &'j Kernel<'j>,
    pub(super) block: &'j Block,
    pub(super) places: Places,
    pub(super) tile: usize,
    pub(super) strip: usize,
}

/// Tables and codes, kept from job to job.
#[derive(Debug)]
pub(super) struct Scratch<const L: usize> {
    wide: Tables<i64, L>,
    narrow: Tables<i32, NARROW>,
    dosages: Tables<i64, L>,
    values: Vec<Values<L>>,
    joined: Vec<u8>,
    codes: Vec<Codes>,
    /// One lane's units by code, of joined columns, and what they add up to in each place.
    lane_table: Vec<i64>,
    lane_sums: Vec<i64>,
}

impl<const L: usize> Default for Scratch<L> {
    fn default() -> Self {
        Self {
            wide: lookup::empty_tables(),
            narrow: lookup::empty_tables(),
            dosages: lookup::empty_tables(),
            values: vec![Values::NONE; 4 * STREAMS],
            joined: Vec::new(),
            codes: Vec::new(),
            lane_table: vec![0; 256],
            lane_sums: Vec::new(),
        }
    }
}

/// Adds a job's units to its sums, a row of lanes a place.
pub(super) fn run<const L: usize>(job: &Job, scratch: &mut Scratch<L>, sums: &mut [[i64; L]]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2<const L: usize>(job: &Job, scratch: &mut Scratch<L>, sums: &mut [[i64; L]]) {
            Strip::new(job, scratch, sums).run();
        }
        if lookup::has_avx2() {
            // SAFETY: the processor has AVX2.
            return unsafe { with_avx2(job, scratch, sums) };
        }
    }
    Strip::new(job, scratch, sums).run();
}

struct Strip<'j, 's, const L: usize> {
    job: &'j Job<'j>,
    lanes: Lanes<L>,
    first_score: usize,
    scratch: &'s mut Scratch<L>,
    sums: &'s mut [[i64; L]],
    /// What all samples get that is not added yet.
    base: [i64; L],
    /// Columns of the packed calls that come next, in their slots.
    chunk: Vec<(usize, &'j Column)>,
    /// Which of the codes that are there already the slots are of; `None` where they are put together here.
    chunk_number: Option<usize>,
    /// Whether tables must have missing genotypes too.
    is_wide: bool,
    dosages: Vec<&'j [u8]>,
    /// For each lane the packed columns that it has units of, where lanes are added alone.
    alone: Vec<Vec<(&'j Column, [i64; 4])>>,
}

impl<'j, 's, const L: usize> Strip<'j, 's, L> {
    #[inline(always)]
    fn new(job: &'j Job<'j>, scratch: &'s mut Scratch<L>, sums: &'s mut [[i64; L]]) -> Self {
        let scores = job.kernel.tiles[job.tile].scores.clone();
        let imputed = job.kernel.weights.scores().saturating_sub(scores.start);
        Self {
            job,
            lanes: Lanes::new(&job.kernel.scales[scores.clone()], imputed),
            first_score: scores.start,
            scratch,
            sums,
            base: [0; L],
            chunk: Vec::with_capacity(4 * STREAMS),
            chunk_number: None,
            is_wide: false,
            dosages: Vec::with_capacity(STREAMS),
            alone: Vec::new(),
        }
    }

    #[inline(always)]
    fn run(&mut self) {
        let block = self.job.block;
        let uses = &block.uses[self.job.tile];
        let is_shared = block.is_shared(uses);
        if block.has_few_lanes(uses) {
            self.alone = vec![Vec::new(); L];
        }
        for of_column in uses.chunk_by(|a, b| block.column_of(a) == block.column_of(b)) {
            let number = of_column.first().map_or(0, |first| block.column_of(first));
            let values = self.values(of_column);
            let column = &block.columns[number];
            match &column.form {
                Form::Packed { .. } if !self.alone.is_empty() => self.add_alone(column, values),
                Form::Packed { .. } => {
                    let slots = STREAMS * block.joined_columns;
                    let (chunk_number, slot) = if is_shared {
                        let ordinal = block.ordinals[number];
                        (Some(ordinal / slots), ordinal % slots)
                    } else {
                        (None, self.chunk.len() % slots)
                    };
                    if chunk_number != self.chunk_number || self.chunk.len() == slots {
                        self.add_chunk();
                        self.chunk_number = chunk_number;
                    }
                    self.add_packed(slot, column, values);
                }
                Form::Sparse { common, samples, codes } => self.add_sparse(*common, samples, codes, &values),
                Form::Dosages(streams) => {
                    self.patch(&column.missing, |_| values.0[3]);
                    for stream in streams {
                        self.add_dosages(&values, stream);
                    }
                }
            }
        }
        self.add_chunk();
        self.flush_alone();
        self.flush_dosages();
        if self.base != [0; L] {
            for sums in &mut *self.sums {
                sums.iter_mut().zip(self.base).for_each(|(sum, more)| *sum = sum.wrapping_add(more));
            }
        }
    }

    #[inline(always)]
    fn values(&self, uses: &[Use]) -> Values<L> {
        let (kernel, block) = (self.job.kernel, self.job.block);
        let mut values = Values::NONE;
        for of in uses {
            let term = &block.terms[of.term];
            if let Some(row) = kernel.weights.row(term.row) {
                values.add(&row.cut(of.weights.clone()), self.first_score, &self.lanes, &term.asked);
            }
        }
        values
    }

    #[inline(always)]
    fn add_packed(&mut self, slot: usize, column: &'j Column, mut values: Values<L>) {
        let is_whole = matches!(column.form, Form::Packed { is_whole: true, .. });
        let are_many = column.missing.len() * MANY_MISSING > self.job.places.samples();
        if values.0[3] != [0; L] {
            if is_whole && (L != NARROW || are_many) {
                self.is_wide = true;
            } else {
                let imputed = values.0[3];
                self.patch(&column.missing, |_| imputed);
                values.0[3] = [0; L];
            }
        }
        self.scratch.values[slot] = values;
        self.chunk.push((slot, column));
    }

    /// Has lanes that a column counts something in add it alone.
    #[inline(always)]
    fn add_alone(&mut self, column: &'j Column, mut values: Values<L>) {
        // Where others than the class are missing too, those of the class are told by the list.
        if !matches!(column.form, Form::Packed { is_whole: true, .. }) && values.0[3] != [0; L] {
            let imputed = std::mem::replace(&mut values.0[3], [0; L]);
            self.patch(&column.missing, |_| imputed);
        }
        for (lane, alone) in self.alone.iter_mut().enumerate() {
            let units = values.0.map(|row| row[lane]);
            if units != [0; 4] {
                alone.push((column, units));
            }
        }
    }

    /// Adds the lanes that are added alone: as tables of one lane, with nothing that is zero for all.
    #[inline(always)]
    fn flush_alone(&mut self) {
        let (count, places) = (self.job.block.joined_columns, self.sums.len());
        let samples = self.job.places.strip(self.job.strip);
        let bytes = samples.start / 4..samples.end.div_ceil(4);
        for (lane, columns) in std::mem::take(&mut self.alone).iter().enumerate() {
            if columns.is_empty() {
                continue;
            }
            let Scratch { joined, lane_table: table, lane_sums: totals, .. } = &mut *self.scratch;
            joined.resize(places, 0);
            totals.clear();
            totals.resize(places, 0);
            for columns in columns.chunks(count) {
                let calls = columns.iter().map(|(column, _)| match &column.form {
                    Form::Packed { codes, .. } => codes.get(bytes.clone()).unwrap_or_default(),
                    _ => &[],
                });
                lookup::join(&calls.collect::<Vec<&[u8]>>(), joined);
                let mut filled = 1;
                table[0] = 0;
                for (_, units) in columns {
                    // Codes of this column are the higher bits: those of the columns before with each of the four.
                    for code in (0..4).rev() {
                        for before in 0..filled {
                            table[code * filled + before] = table[before].wrapping_add(units[code]);
                        }
                    }
                    filled *= 4;
                }
                for (total, code) in totals.iter_mut().zip(&*joined) {
                    *total = total.wrapping_add(table[usize::from(*code)]);
                }
            }
            for (sums, total) in self.sums.iter_mut().zip(&*totals) {
                sums[lane] = sums[lane].wrapping_add(*total);
            }
        }
    }

    /// Adds what all have that are not named, and to those the difference.
    #[inline(always)]
    fn add_sparse(&mut self, common: u8, samples: &[u32], codes: &[u8], values: &Values<L>) {
        let of_common = values.0[usize::from(common & 3)];
        self.base.iter_mut().zip(of_common).for_each(|(base, more)| *base = base.wrapping_add(more));
        let differences = values
            .0
            .map(|row| -> [i64; L] { std::array::from_fn(|lane| row[lane].wrapping_sub(of_common[lane])) });
        let first = self.first_of(samples);
        self.patch(samples, |at| differences[usize::from(codes[first + at] & 3)]);
    }

    /// How many of a list's samples are before the strip.
    #[inline(always)]
    fn first_of(&self, samples: &[u32]) -> usize {
        let start = self.job.places.strip(self.job.strip).start;
        samples.partition_point(|sample| (*sample as usize) < start)
    }

    /// Adds to those samples of a list that are in the strip, by their number among these.
    #[inline(always)]
    fn patch(&mut self, samples: &[u32], of: impl Fn(usize) -> [i64; L]) {
        let strip = self.job.places.strip(self.job.strip);
        let quarter = strip.len().div_ceil(4);
        let within = samples[self.first_of(samples)..].iter().map(|sample| *sample as usize);
        for (at, sample) in within.take_while(|sample| *sample < strip.end).enumerate() {
            let local = sample - strip.start;
            if let Some(sums) = self.sums.get_mut(local % 4 * quarter + local / 4) {
                let more = of(at);
                sums.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.wrapping_add(more));
            }
        }
    }

    #[inline(always)]
    fn add_dosages(&mut self, values: &Values<L>, stream: &'j super::column::DosageBytes) {
        of_dosages(values, stream, &mut self.scratch.dosages[self.dosages.len()].0);
        let start = self.job.places.strip(self.job.strip).start;
        self.dosages.push(&stream.bytes[start..start + self.sums.len()]);
        if self.dosages.len() == STREAMS {
            self.flush_dosages();
        }
    }

    #[inline(always)]
    fn flush_dosages(&mut self) {
        if self.dosages.is_empty() {
            return;
        }
        let Scratch { dosages: tables, codes, .. } = &mut *self.scratch;
        // Streams that are not there pick row 0.
        tables[self.dosages.len()..].iter_mut().for_each(|table| table.0[0] = [0; L]);
        codes.resize(self.sums.len(), [0; STREAMS]);
        lookup::interleave(&self.dosages, codes);
        add_wide(codes, self.dosages.len(), tables, &[0; L], self.sums);
        self.dosages.clear();
    }

    /// Adds the packed columns that came.
    #[inline(always)]
    fn add_chunk(&mut self) {
        if self.chunk.is_empty() {
            return;
        }
        let (block, count) = (self.job.block, self.job.block.joined_columns);
        let places = self.sums.len();
        let Scratch { wide, narrow, values, joined, codes, .. } = &mut *self.scratch;
        let streams = self.chunk.last().map_or(0, |(slot, _)| slot / count + 1);
        let codes: &[Codes] = if let Some(number) = self.chunk_number {
            block.codes(self.job.strip, number, places)
        } else {
            let columns: Vec<&Column> = self.chunk.iter().map(|(_, column)| *column).collect();
            codes.resize(places, [0; STREAMS]);
            put_together(&columns, count, &self.job.places, self.job.strip, joined, codes);
            codes
        };
        let of_stream = |stream: usize| &values[stream * count..(stream + 1) * count];
        if L == NARROW && !self.is_wide && are_narrow(&values[..streams * count], &self.lanes.spare_bits) {
            for (stream, table) in narrow.iter_mut().take(streams).enumerate() {
                join_narrow(of_stream(stream), &self.lanes.spare_bits, &mut table.0);
            }
            for table in narrow.iter_mut().skip(streams) {
                table.0.fill([0; NARROW]);
            }
            // Both are arrays of as many lanes here.
            let (sums, _) = self.sums.as_flattened_mut().as_chunks_mut::<NARROW>();
            let base = std::array::from_fn(|lane| self.base.get(lane).copied().unwrap_or(0));
            let bits = std::array::from_fn(|lane| self.lanes.spare_bits.get(lane).copied().unwrap_or(0));
            add_narrow(codes, streams, narrow, &base, &bits, sums);
        } else {
            for (stream, table) in wide.iter_mut().take(streams).enumerate() {
                join_wide(of_stream(stream), &mut table.0);
            }
            for table in wide.iter_mut().skip(streams) {
                table.0.fill([0; L]);
            }
            add_wide(codes, streams, wide, &self.base, self.sums);
        }
        values.fill(Values::NONE);
        self.base = [0; L];
        self.chunk.clear();
        self.is_wide = false;
    }
}

/// Puts calls of a strip together: a byte of each `count` columns, and those of 16 side by side.
#[inline(always)]
pub(super) fn put_together(
    columns: &[&Column],
    count: usize,
    places: &Places,
    strip: usize,
    joined: &mut Vec<u8>,
    into: &mut [Codes],
) {
    let samples = places.strip(strip);
    let bytes = samples.start / 4..samples.end.div_ceil(4);
    joined.resize(STREAMS * into.len(), 0);
    let streams = columns.chunks(count).zip(joined.chunks_exact_mut(into.len()));
    let joined: Vec<&[u8]> = streams
        .map(|(columns, joined)| {
            let calls = columns.iter().map(|column| match &column.form {
                Form::Packed { codes, .. } => codes.get(bytes.clone()).unwrap_or_default(),
                _ => &[],
            });
            lookup::join(&calls.collect::<Vec<&[u8]>>(), joined);
            &*joined
        })
        .collect();
    lookup::interleave(&joined, into);
}
