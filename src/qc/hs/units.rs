//! Figures of a capture for all reads, and for samples, libraries and read groups where those are asked for.
//!
//! Depth of several read groups together cannot be told from that of each, so every unit counts on its own. Picard counts
//! units on their own too, but adds the depths of all units before it to one histogram: its median, fold-80 penalty and
//! sensitivity below the level of all reads hang on the order of the units. Ours are of the unit alone.

use serde::{Deserialize, Serialize};

use super::{Hs, HsMetrics};
use crate::formats::fasta::FastaError;
use crate::qc::collector::{Collector, Context, Needs, Stretch};
use crate::qc::levels::{self, Unit};
use crate::qc::read::Read;
use crate::report::picard::MetricsFile;

/// A state for each unit.
#[derive(Debug, Serialize, Deserialize)]
pub struct HsByUnit {
    /// All reads.
    pub all: Hs,
    /// The other units, in their order.
    units: Vec<Hs>,
    /// For each read group, and last for reads without one, the numbers of its units.
    #[serde(skip)]
    of_group: Vec<Vec<usize>>,
}

impl Collector for HsByUnit {
    fn unavailable(context: &Context) -> Option<&'static str> {
        Hs::unavailable(context)
    }

    fn needs(context: &Context) -> Needs {
        let needs = Hs::needs(context);
        Needs { fields: needs.fields || levels::is_split(context), ..needs }
    }

    fn new(context: &Context) -> Self {
        let units = units(context);
        let groups = if units.is_empty() { 0 } else { context.header.read_groups.len() + 1 };
        let numbers = |group| (0..units.len()).filter(|&number| units[number].has(group)).collect();
        Self {
            all: Hs::new(context),
            of_group: (0..groups).map(numbers).collect(),
            units: units.iter().map(|_| Hs::new(context)).collect(),
        }
    }

    fn enter(&mut self, stretch: Stretch, context: &Context) {
        self.all.enter(stretch, context);
        self.units.iter_mut().for_each(|unit| unit.enter(stretch, context));
    }

    fn lead_in(&mut self, read: &Read<'_>) {
        self.all.lead_in(read);
        for &number in self.of_group.get(read.read_group).into_iter().flatten() {
            self.units[number].lead_in(read);
        }
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        self.all.observe(read);
        for &number in self.of_group.get(read.read_group).into_iter().flatten() {
            self.units[number].observe(read);
        }
    }

    fn leave(&mut self, context: &Context) -> Result<(), FastaError> {
        self.all.leave(context)?;
        self.units.iter_mut().try_for_each(|unit| unit.leave(context))
    }

    fn merge(&mut self, next: Self) {
        self.all.merge(next.all);
        self.units.iter_mut().zip(next.units).for_each(|(a, b)| a.merge(b));
    }
}

impl HsByUnit {
    /// `.hs_metrics`, with the row of all reads.
    pub fn to_text(&self, context: &Context, all: &HsMetrics) -> String {
        let mut rows = vec![all.clone()];
        let mut columns = self.all.histograms(all.TARGET_TERRITORY).to_vec();
        for (unit, hs) in units(context).iter().zip(&self.units) {
            let Some(mut row) = hs.metrics(context) else { continue };
            if unit.is_unknown && row.TOTAL_READS == 0 {
                continue;
            }
            (row.SAMPLE, row.LIBRARY, row.READ_GROUP) = unit.columns();
            columns.extend(hs.histograms(row.TARGET_TERRITORY));
            rows.push(row);
        }
        MetricsFile::new("CollectHsMetrics")
            .metrics(&rows)
            .histograms("Integer", "coverage_or_base_quality", &columns)
            .into_text()
    }
}

/// All units but that of all reads.
fn units(context: &Context) -> Vec<Unit> {
    levels::units(&context.header, &context.options.levels).split_off(1)
}
