//! Kinds of calls as hap.py counts them: SNP and INDEL, with their subtypes.

use super::call::{Call, Edit, Zygosity};

/// The type of a call (BVT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Insertions, deletions and whatever else alters the length.
    Indel,
    /// As many bases as before.
    Snp,
}

impl Kind {
    /// Both, in the order of tables.
    pub const ALL: [Self; 2] = [Self::Indel, Self::Snp];

    /// The value of BVT and of the column Type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Indel => "INDEL",
            Self::Snp => "SNP",
        }
    }
}

/// Subtypes by their bits: transition, transversion, then insertions, deletions and complex changes by length.
const NAMES: [&str; 11] =
    ["ti", "tv", "i1_5", "i6_15", "i16_plus", "d1_5", "d6_15", "d16_plus", "c1_5", "c6_15", "c16_plus"];

/// Subtypes that have rows of their own in tables, in their order there, with their bits; the first is any.
pub const ROWS: [(&str, Option<u16>); 10] = [
    ("*", None),
    ("C16_PLUS", Some(10)),
    ("C1_5", Some(8)),
    ("C6_15", Some(9)),
    ("D16_PLUS", Some(7)),
    ("D1_5", Some(5)),
    ("D6_15", Some(6)),
    ("I16_PLUS", Some(4)),
    ("I1_5", Some(2)),
    ("I6_15", Some(3)),
];

/// The class of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The type.
    pub kind: Kind,
    /// The subtypes, a bit each.
    subtypes: u16,
    /// Which alleles there are.
    pub zygosity: Zygosity,
}

impl Class {
    /// Of a call.
    pub fn of(call: &Call) -> Self {
        let is_indel = call.edits.iter().any(|edit| edit.growth() != 0);
        Self { kind: if is_indel { Kind::Indel } else { Kind::Snp }, subtypes: 0, zygosity: call.zygosity }
    }

    /// With the subtypes of a change; `reference` is what it replaces.
    pub fn with(mut self, edit: &Edit, reference: &[u8]) -> Self {
        let growth = edit.growth();
        if growth == 0 {
            let pairs = reference.iter().zip(&edit.bases).filter(|(a, b)| a != b);
            for (a, b) in pairs {
                self.subtypes |= if is_transition(*a, *b) { 1 } else { 2 };
            }
            return self;
        }
        let first = match (reference.is_empty(), edit.bases.is_empty()) {
            (true, _) => 2,
            (_, true) => 5,
            _ => 8,
        };
        let size = match growth.unsigned_abs() {
            0..=5 => 0,
            6..=15 => 1,
            _ => 2,
        };
        self.subtypes |= 1 << (first + size);
        self
    }

    /// Whether it has the subtype of a bit.
    pub fn has(&self, bit: u16) -> bool {
        self.subtypes >> bit & 1 == 1
    }

    /// Whether a base becomes one of the same shape.
    pub fn has_transition(&self) -> bool {
        self.has(0)
    }

    /// Whether a base becomes one of another shape.
    pub fn has_transversion(&self) -> bool {
        self.has(1)
    }

    /// The value of BI: subtypes with commas, by name.
    pub fn write_subtypes(&self, out: &mut Vec<u8>) {
        let mut names: Vec<&str> = NAMES
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.has(*bit as u16))
            .map(|(_, name)| *name)
            .collect();
        names.sort_unstable();
        if names.is_empty() {
            out.push(b'.');
        }
        out.extend_from_slice(names.join(",").as_bytes());
    }
}

fn is_transition(a: u8, b: u8) -> bool {
    matches!((a, b), (b'A', b'G') | (b'G', b'A') | (b'C', b'T') | (b'T', b'C'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_subtypes_are_those_of_happy() {
        let long = "A".repeat(16);
        // By hand, from the table of types in hap.py's manual.
        for (changes, kind, subtypes) in [
            (vec![("A", "G")], Kind::Snp, "ti"),
            (vec![("A", "C")], Kind::Snp, "tv"),
            (vec![("A", "C"), ("A", "G")], Kind::Snp, "ti,tv"),
            (vec![("ACA", "GCT")], Kind::Snp, "ti,tv"),
            (vec![("", "ACGTA")], Kind::Indel, "i1_5"),
            (vec![("", "ACGTAC")], Kind::Indel, "i6_15"),
            (vec![("", &long)], Kind::Indel, "i16_plus"),
            (vec![("A", "")], Kind::Indel, "d1_5"),
            (vec![("AAAAAA", ""), ("", "A")], Kind::Indel, "d6_15,i1_5"),
            (vec![(&long, "")], Kind::Indel, "d16_plus"),
            (vec![("AC", "G")], Kind::Indel, "c1_5"),
            (vec![("A", "C"), ("", "G")], Kind::Indel, "i1_5,tv"),
        ] {
            let edit = |(reference, bases): &(&str, &str)| Edit {
                start: 0,
                end: reference.len() as i64,
                bases: bases.as_bytes().to_vec(),
            };
            let call = Call {
                record: 0,
                edits: changes.iter().map(edit).collect(),
                haplotypes: [Some(0), None],
                slack: Vec::new(),
                start: 0,
                end: 20,
                zygosity: Zygosity::Het,
                is_phased: false,
                is_long: false,
            };
            let class = changes
                .iter()
                .fold(Class::of(&call), |class, change| class.with(&edit(change), change.0.as_bytes()));
            let mut text = Vec::new();
            class.write_subtypes(&mut text);
            assert_eq!(
                (class.kind, String::from_utf8_lossy(&text).as_ref()),
                (kind, subtypes),
                "{changes:?}"
            );
        }
    }
}
