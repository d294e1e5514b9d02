//! What a step has made of a record, in buffers that are used again for the next one.

/// A value that is missing: a NaN that no arithmetic gives.
pub const MISSING: f64 = f64::from_bits(0x7ff8_0000_0000_0d07);
/// What stands behind the last value of a sample that has fewer than others.
pub const END: f64 = f64::from_bits(0x7ff8_0000_0000_0e4d);

/// Missing, or past the end.
#[inline]
pub fn is_absent(value: f64) -> bool {
    value.is_nan() && matches!(value.to_bits(), 0x7ff8_0000_0000_0d07 | 0x7ff8_0000_0000_0e4d)
}

/// Past the end.
#[inline]
pub fn is_end(value: f64) -> bool {
    value.to_bits() == END.to_bits()
}

/// What a step has made of a record.
#[derive(Debug, Default)]
pub struct Slot {
    /// Numbers: of a site, or `width` of each sample; none where the tag is not there.
    pub values: Vec<f64>,
    /// So many of each sample.
    pub width: usize,
    /// Texts of samples behind one another, or one of the site where it is not the record's own bytes.
    pub text: Vec<u8>,
    /// Where the text of each sample ends; none where the tag is not there.
    pub ends: Vec<usize>,
    /// For each sample whether it passes.
    pub pass: Vec<bool>,
    /// Whether the site passes.
    pub site: bool,
}

impl Slot {
    /// Forgets the last record.
    pub fn clear(&mut self) {
        self.values.clear();
        self.text.clear();
        self.ends.clear();
        self.pass.clear();
        (self.width, self.site) = (0, false);
    }

    /// One number for the site.
    #[inline]
    pub fn set(&mut self, value: f64) {
        self.values.clear();
        self.values.push(value);
    }

    /// The numbers of a sample.
    #[inline]
    pub fn of_sample(&self, sample: usize) -> &[f64] {
        self.values.get(sample * self.width..(sample + 1) * self.width).unwrap_or_default()
    }

    /// The text of a sample.
    pub fn text_of(&self, sample: usize) -> &[u8] {
        let from = if sample == 0 { 0 } else { self.ends.get(sample - 1).copied().unwrap_or(0) };
        let to = self.ends.get(sample).copied().unwrap_or(from);
        self.text.get(from..to).unwrap_or_default()
    }

    /// Ends the text of a sample.
    pub fn end_sample(&mut self) {
        self.ends.push(self.text.len());
    }
}
