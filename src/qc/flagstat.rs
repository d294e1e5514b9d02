//! `samtools flagstat`: reads by flag, those that pass the vendor's quality check and those that fail.

use serde::{Deserialize, Serialize};

use super::collector::{Collector, Context, Needs};
use super::read::Read;

/// Reads counted by flag; index 0: QC-passed, 1: QC-failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flagstat {
    /// Counts of one kind, (passed, failed).
    pub counts: [Counts; 2],
}

/// The lines of flagstat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All records.
    pub total: u64,
    /// Neither secondary nor supplementary.
    pub primary: u64,
    /// Secondary alignments.
    pub secondary: u64,
    /// Supplementary alignments.
    pub supplementary: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Primary duplicates.
    pub primary_duplicates: u64,
    /// Mapped records.
    pub mapped: u64,
    /// Mapped primary records.
    pub primary_mapped: u64,
    /// Paired primary reads.
    pub paired: u64,
    /// First of their pair.
    pub first: u64,
    /// Last of their pair.
    pub last: u64,
    /// Properly paired and mapped.
    pub properly_paired: u64,
    /// Mapped with a mapped mate.
    pub both_mapped: u64,
    /// Mapped with an unmapped mate.
    pub singletons: u64,
    /// Mate mapped to another contig.
    pub mate_elsewhere: u64,
    /// The same with a mapping quality of at least 5.
    pub mate_elsewhere_mapq5: u64,
}

impl Collector for Flagstat {
    fn needs(_: &Context) -> Needs {
        Needs::default()
    }

    fn new(_: &Context) -> Self {
        Self::default()
    }

    #[inline]
    fn observe(&mut self, read: &Read<'_>) {
        let flags = read.flags;
        let c = &mut self.counts[usize::from(flags.is_qc_fail())];
        let mapped = u64::from(!flags.is_unmapped());
        let duplicate = u64::from(flags.is_duplicate());
        c.total += 1;
        c.mapped += mapped;
        c.duplicates += duplicate;
        if flags.is_secondary() {
            c.secondary += 1;
        } else if flags.is_supplementary() {
            c.supplementary += 1;
        } else {
            c.primary += 1;
            c.primary_mapped += mapped;
            c.primary_duplicates += duplicate;
            if flags.is_paired() {
                c.paired += 1;
                c.first += u64::from(flags.is_first());
                c.last += u64::from(flags.is_last());
                c.properly_paired += u64::from(flags.is_proper_pair()) & mapped;
                c.singletons += u64::from(flags.is_mate_unmapped()) & mapped;
                if mapped == 1 && !flags.is_mate_unmapped() {
                    c.both_mapped += 1;
                    let elsewhere = u64::from(read.record.mate_ref_id() != read.record.ref_id());
                    c.mate_elsewhere += elsewhere;
                    c.mate_elsewhere_mapq5 += elsewhere & u64::from(read.mapq >= 5);
                }
            }
        }
    }

    fn join(mut self, other: Self) -> Option<Self> {
        self.merge(other);
        Some(self)
    }

    fn merge(&mut self, next: Self) {
        for (a, b) in self.counts.iter_mut().zip(next.counts) {
            for (a, b) in a.lines_mut().into_iter().zip(b.lines()) {
                *a += b;
            }
        }
    }
}

impl Counts {
    /// The counts in flagstat's order of lines.
    pub fn lines(&self) -> [u64; 16] {
        [
            self.total,
            self.primary,
            self.secondary,
            self.supplementary,
            self.duplicates,
            self.primary_duplicates,
            self.mapped,
            self.primary_mapped,
            self.paired,
            self.first,
            self.last,
            self.properly_paired,
            self.both_mapped,
            self.singletons,
            self.mate_elsewhere,
            self.mate_elsewhere_mapq5,
        ]
    }

    fn lines_mut(&mut self) -> [&mut u64; 16] {
        [
            &mut self.total,
            &mut self.primary,
            &mut self.secondary,
            &mut self.supplementary,
            &mut self.duplicates,
            &mut self.primary_duplicates,
            &mut self.mapped,
            &mut self.primary_mapped,
            &mut self.paired,
            &mut self.first,
            &mut self.last,
            &mut self.properly_paired,
            &mut self.both_mapped,
            &mut self.singletons,
            &mut self.mate_elsewhere,
            &mut self.mate_elsewhere_mapq5,
        ]
    }
}

impl Flagstat {
    /// The text that `samtools flagstat` 1.16 prints.
    pub fn to_text(&self) -> String {
        const NAMES: [&str; 16] = [
            "in total (QC-passed reads + QC-failed reads)",
            "primary",
            "secondary",
            "supplementary",
            "duplicates",
            "primary duplicates",
            "mapped",
            "primary mapped",
            "paired in sequencing",
            "read1",
            "read2",
            "properly paired",
            "with itself and mate mapped",
            "singletons",
            "with mate mapped to a different chr",
            "with mate mapped to a different chr (mapQ>=5)",
        ];
        let (passed, failed) = (&self.counts[0], &self.counts[1]);
        let mut text = String::new();
        for ((name, a), b) in NAMES.iter().zip(passed.lines()).zip(failed.lines()) {
            text.push_str(&format!("{a} + {b} {name}"));
            // Four lines also give a share of all, of primary or of paired reads.
            let of: Option<Share> = match *name {
                "mapped" => Some(|c| (c.mapped, c.total)),
                "primary mapped" => Some(|c| (c.primary_mapped, c.primary)),
                "properly paired" => Some(|c| (c.properly_paired, c.paired)),
                "singletons" => Some(|c| (c.singletons, c.paired)),
                _ => None,
            };
            if let Some(of) = of {
                text.push_str(&format!(" ({} : {})", percent(of(passed)), percent(of(failed))));
            }
            text.push('\n');
        }
        text
    }
}

/// Part and whole of a line that gives a share.
type Share = fn(&Counts) -> (u64, u64);

/// samtools divides as `float` and prints two decimals.
fn percent((part, whole): (u64, u64)) -> String {
    if whole == 0 { "N/A".into() } else { format!("{:.2}%", f64::from(part as f32 / whole as f32 * 100.0)) }
}
