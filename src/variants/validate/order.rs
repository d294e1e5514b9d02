//! The order of records, and the same variant twice.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::rules::{Report, Rule};
use super::values::are_bases;

/// A variant without the bases that REF and ALT share: its position, and what is left of both.
type Variant = (i64, Vec<u8>, Vec<u8>);

/// What is known of the records before.
#[derive(Debug, Default)]
pub(super) struct Order {
    contig: Vec<u8>,
    position: i64,
    /// Contigs whose records have ended.
    ended: FxHashSet<Vec<u8>>,
    /// Variants at this position or behind it.
    variants: BTreeSet<Variant>,
}

impl Order {
    /// Holds a record against those before it.
    pub(super) fn check(
        &mut self,
        (contig, position): (&[u8], i64),
        reference: &[u8],
        alternates: &[&[u8]],
        report: &mut Report,
    ) {
        if contig != self.contig {
            if self.ended.contains(contig) {
                let what = || format!("{} was left before", String::from_utf8_lossy(contig));
                report.add(Rule::Contiguous, what);
            }
            let before = std::mem::replace(&mut self.contig, contig.to_vec());
            self.ended.insert(before);
            self.variants.clear();
        } else if position < self.position {
            let before = self.position;
            report.add(Rule::Sorted, || format!("POS {position} stands behind {before}"));
        }
        self.position = position;
        self.variants = self.variants.split_off(&(position, Vec::new(), Vec::new()));
        for alt in alternates.iter().filter(|alt| are_bases(alt)) {
            if !self.variants.insert(trimmed(position, reference, alt)) {
                let name = String::from_utf8_lossy(contig).into_owned();
                report.add(Rule::Duplicate, || format!("a variant at {name}:{position} was there before"));
            }
        }
    }
}

/// Without the bases that are the same at the end, then at the beginning.
fn trimmed(position: i64, reference: &[u8], alt: &[u8]) -> Variant {
    let same = |(a, b): &(&u8, &u8)| a.eq_ignore_ascii_case(b);
    let suffix = reference.iter().rev().zip(alt.iter().rev()).take_while(same).count();
    let (reference, alt) = (&reference[..reference.len() - suffix], &alt[..alt.len() - suffix]);
    let prefix = reference.iter().zip(alt).take_while(same).count();
    let upper = |bases: &[u8]| bases[prefix..].to_ascii_uppercase();
    (position + prefix as i64, upper(reference), upper(alt))
}
