//! How an alternate allele comes apart into single changes: SNVs and one insertion or deletion.
//!
//! No alignment: equal ends are cut off, then bases are compared from the left, as `bcftools norm -a` has it.

/// A change of one alternate allele.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atom {
    /// The place of its first base in REF.
    pub begin: usize,
    /// The place of its last base in REF.
    pub end: usize,
    /// Bases of REF.
    pub reference: Vec<u8>,
    /// What stands there instead.
    pub alt: Vec<u8>,
    /// The alternate allele it is from (from 1).
    pub allele: usize,
    /// Bases at its beginning that are REF's, of an insertion or deletion beside an SNV.
    prefix: usize,
}

/// How two atoms stand to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meeting {
    /// The same change, or an SNV with an insertion or deletion behind it: both can be on one chromosome.
    Compatible,
    /// Only one of them can be.
    Conflicting,
}

impl Atom {
    fn new(begin: usize, reference: u8, alt: u8, allele: usize) -> Self {
        Self { begin, end: begin, reference: vec![reference], alt: vec![alt], allele, prefix: 0 }
    }

    /// The same place and bases.
    pub fn is_same(&self, other: &Self) -> bool {
        self.order(other).is_eq()
    }

    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let lower = |bases: &[u8]| bases.to_ascii_lowercase();
        (self.begin.cmp(&other.begin))
            .then_with(|| lower(&self.reference).cmp(&lower(&other.reference)))
            .then_with(|| lower(&self.alt).cmp(&lower(&other.alt)))
    }

    fn meet(&self, other: &Self) -> Meeting {
        let is_before = |a: &Self, length: usize| a.prefix > 0 && a.prefix >= length;
        if self.begin != other.begin {
            Meeting::Conflicting
        } else if is_before(self, other.reference.len()) || is_before(other, self.reference.len()) {
            Meeting::Compatible
        } else if !self.reference.eq_ignore_ascii_case(&other.reference) {
            Meeting::Conflicting
        } else if is_before(self, other.alt.len())
            || is_before(other, self.alt.len())
            || self.alt.eq_ignore_ascii_case(&other.alt)
        {
            Meeting::Compatible
        } else {
            Meeting::Conflicting
        }
    }
}

/// Takes an alternate allele (number `allele`, from 1) apart and puts the atoms behind those of `atoms`.
fn take_apart(reference: &[u8], alt: &[u8], allele: usize, atoms: &mut Vec<Atom>) {
    let most = reference.len().min(alt.len()).saturating_sub(1);
    let same = reference.iter().rev().zip(alt.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (reference, alt) = (&reference[..reference.len() - same], &alt[..alt.len() - same]);
    let shorter = reference.len().min(alt.len());
    for at in 0..shorter {
        let (r, a) = (reference[at], alt[at]);
        let is_last = at + 1 == shorter;
        let has_rest = is_last && reference.len() != alt.len();
        if r != a {
            atoms.push(Atom::new(at, r, a, allele));
        }
        let is_unchanged_end = is_last && r == a;
        if !has_rest && !is_unchanged_end {
            continue;
        }
        if r != a {
            atoms.push(Atom { prefix: 1, ..Atom::new(at, r, r, allele) });
        } else {
            atoms.push(Atom::new(at, r, a, allele));
        }
        if let Some(atom) = atoms.last_mut() {
            atom.reference.extend_from_slice(&reference[shorter..]);
            atom.alt.extend_from_slice(&alt[shorter..]);
            atom.end = reference.len() - 1;
        }
    }
}

/// What an original allele is in the record of an atom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// REF.
    Reference,
    /// The atom.
    Atom,
    /// Something else that overlaps.
    Overlap,
}

/// A record to be made: an atom, and what the original alleles are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The atom.
    pub atom: Atom,
    /// One for each original alternate allele.
    pub parts: Vec<Part>,
    /// Another allele has something here.
    pub is_overlapped: bool,
}

/// The rows of a record with these alleles.
pub fn rows(reference: &[u8], alternates: &[&[u8]]) -> Vec<Row> {
    let mut atoms = Vec::new();
    for (i, alt) in alternates.iter().enumerate() {
        take_apart(reference, alt, i + 1, &mut atoms);
    }
    atoms.sort_by(|a, b| a.order(b).then(a.allele.cmp(&b.allele)));
    let mut rows: Vec<Row> = Vec::new();
    // The number of the atom that made each row: others like it are from other alleles.
    let mut makers = Vec::new();
    for (number, atom) in atoms.iter().enumerate() {
        if number > 0 && atoms[number - 1].is_same(atom) {
            continue;
        }
        let mut parts = vec![Part::Reference; alternates.len()];
        parts[atom.allele - 1] = Part::Atom;
        rows.push(Row { atom: atom.clone(), parts, is_overlapped: false });
        makers.push(number);
    }
    for (number, atom) in atoms.iter().enumerate() {
        for (row, maker) in rows.iter_mut().zip(&makers) {
            if number == *maker || atom.begin > row.atom.end {
                continue;
            }
            if atom.end < row.atom.begin {
                break;
            }
            row.parts[atom.allele - 1] = match atom.meet(&row.atom) {
                Meeting::Compatible => Part::Atom,
                Meeting::Conflicting => Part::Overlap,
            };
            row.is_overlapped = true;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alleles_come_apart_into_single_changes() {
        // By hand.
        for (reference, alt, expected) in [
            ("CC", "TT", &[(0, "C", "T"), (1, "C", "T")][..]),
            ("GCGT", "GTGA", &[(1, "C", "T"), (3, "T", "A")]),
            ("C", "CAT", &[(0, "C", "CAT")]),
            ("CAT", "C", &[(0, "CAT", "C")]),
            ("C", "GGG", &[(0, "C", "G"), (0, "C", "CGG")]),
            ("ACG", "AT", &[(1, "C", "T"), (1, "CG", "C")]),
            ("AGG", "TGG", &[(0, "A", "T")]),
        ] {
            let found = rows(reference.as_bytes(), &[alt.as_bytes()]);
            let mut found: Vec<_> = found
                .iter()
                .map(|row| {
                    let text = |bases: &[u8]| String::from_utf8_lossy(bases).into_owned();
                    (row.atom.begin, text(&row.atom.reference), text(&row.atom.alt))
                })
                .collect();
            found.sort();
            let mut expected: Vec<_> =
                expected.iter().map(|&(at, r, a)| (at, r.to_owned(), a.to_owned())).collect();
            expected.sort();
            assert_eq!(found, expected, "{reference} {alt}");
        }
    }

    #[test]
    fn other_alleles_are_told_apart() {
        let found = rows(b"AC", &[b"TC", b"TG", b"A"]);
        let parts: Vec<_> =
            found.iter().map(|row| (row.atom.begin, row.atom.alt.as_slice(), row.parts.clone())).collect();
        use Part::*;
        assert_eq!(
            parts,
            [
                (0, &b"T"[..], vec![Atom, Atom, Overlap]),
                (0, b"A", vec![Overlap, Overlap, Atom]),
                (1, b"G", vec![Reference, Atom, Overlap]),
            ]
        );
    }
}
