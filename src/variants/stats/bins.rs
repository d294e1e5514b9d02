//! The bins into which frequencies, qualities and depths fall, with the borders and roundings of bcftools.

/// Bins of allele frequencies. Bin 0 is for singletons and alleles of unknown frequency, the others follow in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FrequencyBins {
    /// So many bins of equal width; the last is 1 alone.
    Even(usize),
    /// Between these borders, ascending from 0 to 1.
    Borders(Vec<f32>),
}

impl FrequencyBins {
    /// The bins that a cohort of so many samples has by default: one for each allele count, but at least 100.
    pub(super) fn of_samples(samples: usize) -> Self {
        Self::Even(101.max(samples + 1))
    }

    /// Bins between borders, to which 0 and 1 are added where they are not there.
    pub(super) fn between(mut borders: Vec<f32>) -> Self {
        let width = if borders.len() > 1 { borders[1] - borders[0] } else { 0.0 };
        let tolerance = (f64::from(width) * 1e-6) as f32;
        if borders.first().is_none_or(|first| *first > tolerance) {
            borders.insert(0, 0.0);
        }
        if borders.last().is_none_or(|last| (f64::from(*last) - 1.0).abs() > f64::from(tolerance)) {
            borders.push(1.0);
        }
        Self::Borders(borders)
    }

    /// How many there are, the one of singletons included.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Even(count) => *count,
            Self::Borders(borders) => borders.len(),
        }
    }

    /// The bin of a frequency; what lies outside of 0 to 1 counts as the nearer of these, NaN as unknown.
    pub(super) fn bin(&self, frequency: f32) -> usize {
        if frequency.is_nan() {
            return 0;
        }
        let frequency = frequency.clamp(0.0, 1.0);
        match self {
            Self::Even(count) => (frequency * (count - 2) as f32) as usize + 1,
            Self::Borders(borders) => {
                let inner = &borders[..borders.len() - 1];
                inner.partition_point(|border| *border <= frequency).max(1)
            }
        }
    }

    /// The frequency that stands for a bin from 1 on.
    pub(super) fn value(&self, bin: usize) -> f64 {
        match self {
            Self::Even(count) => (bin - 1) as f64 / (count - 1) as f64,
            Self::Borders(borders) => f64::from(borders[bin] + borders[bin - 1]) * 0.5,
        }
    }
}

/// Values below this have a bin of their own.
const EXACT: u32 = 100_000;
/// Bins of each power of ten from there on.
const PER_LEVEL: u32 = 90_000;

/// Counts of qualities in tenths, exact to five digits. Bin 0 is for missing and negative ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QualityCounts(Vec<u64>);

impl QualityCounts {
    /// Counts a quality, Phred.
    pub(super) fn observe(&mut self, quality: Option<f32>) {
        let bin = quality_bin(quality);
        if self.0.len() <= bin {
            self.0.resize(bin + 1, 0);
        }
        self.0[bin] += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        super::add(&mut self.0, &other.0);
    }

    /// How many bins there are up to the last that has counts.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The count of a bin.
    pub(super) fn get(&self, bin: usize) -> u64 {
        self.0.get(bin).copied().unwrap_or(0)
    }

    /// The quality at which a bin begins; `None` for bin 0.
    pub(super) fn quality(bin: usize) -> Option<f32> {
        let bin = bin as u32;
        let tenths = if bin < EXACT {
            bin
        } else {
            let level = (bin - EXACT) / PER_LEVEL + 1;
            10u32.pow(level + 4) + 10u32.pow(level) * ((bin - EXACT) % PER_LEVEL)
        };
        tenths.checked_sub(1).map(|tenths| (0.1 * f64::from(tenths)) as f32)
    }
}

fn quality_bin(quality: Option<f32>) -> usize {
    let Some(quality) = quality.filter(|quality| *quality >= 0.0) else { return 0 };
    let tenths = quality * 10.0;
    // What does not fit into 32 bits becomes the least integer in C, and a large one without its sign.
    let tenths = if tenths < 2_147_483_648.0 { tenths as i32 } else { i32::MIN };
    let value = tenths.wrapping_add(1) as u32;
    if value <= EXACT {
        return value as usize;
    }
    let power = value.ilog10();
    let level = power - 4;
    (EXACT + PER_LEVEL * (level - 1) + (value - 10u32.pow(power)) / 10u32.pow(level)) as usize
}

/// Bins of depths (`-d MIN,MAX,STEP`): one below, those between, and one above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthBins {
    least: i32,
    most: i32,
    step: i32,
}

impl Default for DepthBins {
    fn default() -> Self {
        Self { least: 0, most: 500, step: 1 }
    }
}

/// So many bins of depths are enough for anyone.
const MOST_DEPTH_BINS: i64 = 10_000_000;

impl DepthBins {
    /// `MIN,MAX,STEP`; `None` where that makes no bins, or more than ten million.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<i32> = text.split(',').map(|n| n.trim().parse().ok()).collect::<Option<_>>()?;
        let &[least, most, step] = &numbers[..] else { return None };
        let width = i64::from(most) - i64::from(least);
        let is_sound = least >= 0 && width > 0 && step > 0 && i64::from(step) <= width + 1;
        (is_sound && width / i64::from(step) < MOST_DEPTH_BINS).then_some(Self { least, most, step })
    }

    /// How many there are.
    pub(super) fn count(self) -> usize {
        4 + ((self.most - self.least) / self.step) as usize
    }

    /// The bin of a depth.
    pub(super) fn bin(self, depth: i32) -> usize {
        if depth < self.least {
            0
        } else if depth > self.most {
            self.count() - 1
        } else {
            1 + ((depth - self.least) / self.step) as usize
        }
    }

    /// The name of a bin: `<MIN`, its number from MIN, `>MAX`. With a step other than 1 the number is not the depth.
    pub(super) fn name(self, bin: usize) -> String {
        match bin {
            0 => format!("<{}", self.least),
            bin if bin + 1 == self.count() => format!(">{}", self.most),
            bin => (bin as i64 - 1 + i64::from(self.least)).to_string(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_fall_where_bcftools_puts_them() {
        // By hand from the definition: af * 99 without its decimals, or the interval closed to the left.
        let even = FrequencyBins::of_samples(3);
        for (frequency, bin) in [(0.0, 1), (0.5, 50), (0.999, 99), (1.0, 100), (2.0, 100), (f32::NAN, 0)] {
            assert_eq!(even.bin(frequency), bin, "{frequency}");
        }
        let listed = FrequencyBins::between(vec![0.1, 0.5]);
        assert_eq!(listed, FrequencyBins::Borders(vec![0.0, 0.1, 0.5, 1.0]));
        for (frequency, bin) in [(0.0, 1), (0.09, 1), (0.1, 2), (0.5, 3), (1.0, 3)] {
            assert_eq!(listed.bin(frequency), bin, "{frequency}");
        }
        assert_eq!((listed.value(1), listed.value(3)), (f64::from(0.1f32) * 0.5, 0.75));
    }

    #[test]
    fn a_quality_lies_in_its_bin() {
        for quality in [0.0f32, 0.1, 30.0, 9_999.9, 10_000.1, 123_456.7, 98_765_430.0] {
            let bin = quality_bin(Some(quality));
            let (begin, end) =
                (QualityCounts::quality(bin).unwrap(), QualityCounts::quality(bin + 1).unwrap());
            assert!(begin <= quality && quality < end, "{quality} is not in {begin} to {end}");
        }
        assert_eq!((quality_bin(None), quality_bin(Some(-1.0))), (0, 0));
        assert!(quality_bin(Some(f32::INFINITY)) < 1_000_000);
    }

    #[test]
    fn depths_have_bins() {
        let bins = DepthBins::parse("2,10,3").unwrap();
        let names: Vec<_> = [1, 2, 4, 5, 10, 11].map(|depth| bins.name(bins.bin(depth))).into();
        assert_eq!(names, ["<2", "2", "2", "3", "4", ">10"]);
        for text in ["", "1,2", "5,5,1", "0,10,0", "0,10,12", "-1,5,1", "0,2147483647,1", "a,b,c"] {
            assert_eq!(DepthBins::parse(text), None, "{text}");
        }
    }
}
