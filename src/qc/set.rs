//! All collectors, each on or off, as one collector: adding one is its own file and a line here.

use std::io;

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, IntervalSink, Needs, Stretch};
use super::read::Read;
use crate::formats::fasta::FastaError;

macro_rules! collectors {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// The collectors that are on.
        #[derive(Serialize, Deserialize)]
        pub struct CollectorSet {
            $($(#[$doc])* pub $name: Option<$type>,)*
        }

        /// The names by which collectors are asked for.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl CollectorSet {
            /// The collectors that are on.
            pub fn names(&self) -> Vec<&'static str> {
                [$((stringify!($name), self.$name.is_some())),*]
                    .into_iter()
                    .filter_map(|(name, is_on)| is_on.then_some(name))
                    .collect()
            }

            /// This and the state of other files of the sample, without the collectors that cannot be joined.
            pub fn and(self, other: Self) -> Self {
                Self { $($name: self.$name.zip(other.$name).and_then(|(a, b)| a.join(b)),)* }
            }

            /// Collectors that are asked for by name and cannot be had from this input, with the reason.
            pub fn unavailable_of(context: &Context) -> Vec<(&'static str, &'static str)> {
                let mut reasons = Vec::new();
                $(if let (true, Some(why)) = (context.wants(stringify!($name)), <$type>::unavailable(context)) {
                    reasons.push((stringify!($name), why));
                })*
                reasons
            }
        }

        impl Collector for CollectorSet {
            fn needs(context: &Context) -> Needs {
                let mut needs = Needs::default();
                $(if is_on::<$type>(context, stringify!($name)) {
                    needs = needs.union(<$type>::needs(context));
                })*
                needs
            }

            fn new(context: &Context) -> Self {
                Self {
                    $($name: is_on::<$type>(context, stringify!($name)).then(|| <$type>::new(context)),)*
                }
            }

            fn enter(&mut self, stretch: Stretch, context: &Context) {
                $(if let Some(c) = &mut self.$name { c.enter(stretch, context); })*
            }

            fn lead_in(&mut self, read: &Read<'_>) {
                $(if let Some(c) = &mut self.$name { c.lead_in(read); })*
            }

            #[inline]
            fn observe(&mut self, read: &Read<'_>) {
                $(if let Some(c) = &mut self.$name { c.observe(read); })*
            }

            fn leave(&mut self, context: &Context) -> Result<(), FastaError> {
                $(if let Some(c) = &mut self.$name { c.leave(context)?; })*
                Ok(())
            }

            fn merge(&mut self, next: Self) {
                $(if let (Some(c), Some(next)) = (&mut self.$name, next.$name) { c.merge(next); })*
            }

            fn regroup(&mut self, numbers: &[usize], count: usize) {
                $(if let Some(c) = &mut self.$name { c.regroup(numbers, count); })*
            }

            fn join(self, other: Self) -> Option<Self> {
                Some(self.and(other))
            }

            fn drain(&mut self, sink: &mut dyn IntervalSink, finished: bool) -> io::Result<()> {
                $(if let Some(c) = &mut self.$name { c.drain(sink, finished)?; })*
                Ok(())
            }
        }
    };
}

collectors! {
    /// samtools flagstat.
    flagstat: super::flagstat::Flagstat,
    /// samtools idxstats.
    idxstats: super::idxstats::Idxstats,
    /// mosdepth's depth figures.
    depth: super::depth::Depth,
    /// samtools coverage.
    coverage: super::coverage::Coverage,
    /// Qualities and bases by cycle.
    cycles: super::cycles::Cycles,
    /// Picard's alignment summary.
    alignment: super::alignment::Alignment,
    /// Picard's WGS metrics.
    wgs: super::wgs::Wgs,
    /// Picard's figures of a capture.
    hs: super::hs::units::HsByUnit,
    /// Picard's GC bias.
    gc_bias: super::gc_bias::GcBias,
    /// Insert sizes.
    insert_size: super::insert_size::InsertSize,
    /// Duplicates.
    duplication: super::duplication::Duplication,
    /// samtools stats.
    stats: super::stats::Stats,
    /// Bases at known sites.
    sites: super::sites::Sites,
}

fn is_on<C: Collector>(context: &Context, name: &str) -> bool {
    context.wants(name) && C::unavailable(context).is_none()
}
