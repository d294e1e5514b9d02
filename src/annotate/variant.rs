//! One alternate allele as VEP looks at it. If it is the only one and REF has another length, bases that both share are cut off
//! on both sides, the left one first; of several alleles only the first base is, if all have it.

use super::structural::Class;

/// An allele at its place. Positions are 1-based; an insertion ends one base before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant<'a> {
    /// First base.
    pub start: i64,
    /// Last base.
    pub end: i64,
    /// The reference's bases, none of an insertion.
    pub reference: &'a [u8],
    /// The allele's, none of a deletion.
    pub alternate: &'a [u8],
    /// What it is if it is symbolic; it has no bases then.
    pub class: Option<Class>,
    /// The end that it is of a breakend, as CSQ tells it.
    pub breakend: Option<&'a str>,
}

impl<'a> Variant<'a> {
    /// The alternate alleles of a record at a position (1-based), in their order; none for `*`, symbolic alleles, breakends
    /// and what is no base. `minimal` cuts shared bases off each of them by itself.
    pub fn all(
        position: i64,
        reference: &'a [u8],
        alternates: impl Iterator<Item = &'a [u8]> + Clone + 'a,
        minimal: bool,
    ) -> impl Iterator<Item = Option<Self>> + 'a {
        let is_indel = alternates.clone().any(|allele| allele.len() != reference.len());
        let mut others = alternates.clone().filter(|allele| !allele.contains(&b'*'));
        let is_shared = is_indel && others.all(|allele| allele.first() == reference.first());
        let cut = usize::from(is_shared);
        let is_trimmed = minimal || is_indel && alternates.clone().nth(1).is_none();
        alternates.map(move |allele| {
            let is_sequence = |bases: &[u8]| !bases.is_empty() && bases.iter().all(|base| is_base(*base));
            if !is_sequence(allele) || !is_sequence(reference) {
                return None;
            }
            let start = position + cut as i64;
            let variant = Self {
                start,
                end: position + reference.len() as i64 - 1,
                reference: &reference[cut..],
                alternate: &allele[cut..],
                class: None,
                breakend: None,
            };
            Some(if is_trimmed { variant.trimmed() } else { variant })
        })
    }

    /// Without what both alleles begin with, and then what both end with.
    fn trimmed(self) -> Self {
        let (reference, alternate) = (self.reference, self.alternate);
        let left = reference.iter().zip(alternate).take_while(|(one, other)| one == other).count();
        let (reference, alternate) = (&reference[left..], &alternate[left..]);
        let backwards = reference.iter().rev().zip(alternate.iter().rev());
        let right = backwards.take_while(|(one, other)| one == other).count();
        Self {
            start: self.start + left as i64,
            end: self.end - right as i64,
            reference: &reference[..reference.len() - right],
            alternate: &alternate[..alternate.len() - right],
            ..self
        }
    }

    /// An end of a breakend at its base.
    pub fn of_breakend(position: i64, text: &'a str) -> Self {
        let class = Some(Class::Breakpoint);
        Self { start: position, end: position, reference: &[], alternate: &[], class, breakend: Some(text) }
    }

    /// As CSQ tells it: its bases, `-` of a deletion, the class of a symbolic allele.
    pub fn text(&self) -> std::borrow::Cow<'a, str> {
        match (self.breakend, self.class, self.alternate) {
            (Some(text), ..) => text.into(),
            (None, Some(class), _) => class.name().into(),
            (None, None, []) => "-".into(),
            (None, None, bases) => String::from_utf8_lossy(bases),
        }
    }

    /// The least and the greatest base; of an insertion those on both sides.
    pub fn bounds(&self) -> (i64, i64) {
        (self.start.min(self.end), self.start.max(self.end))
    }

    /// Whether it overlaps a range. An insertion does where it lies between two bases of it.
    pub fn overlaps(&self, start: i64, end: i64) -> bool {
        self.end >= start && self.start <= end
    }

    /// Whether it is an insertion and nothing else.
    pub fn is_insertion(&self) -> bool {
        self.end < self.start
    }

    /// Whether it is a deletion and nothing else.
    pub fn is_deletion(&self) -> bool {
        self.alternate.is_empty() && self.class.is_none()
    }

    /// Whether its alleles are of A, C, G and T alone.
    pub fn is_unambiguous(&self) -> bool {
        self.reference.iter().chain(self.alternate).all(|base| matches!(base, b'A' | b'C' | b'G' | b'T'))
    }

    /// The ranges in which the alleles, laid beside one another from the left, differ.
    pub fn for_each_difference(&self, mut take: impl FnMut(i64, i64)) {
        let (reference, alternate) = (self.reference, self.alternate);
        if reference.len() < 2 || alternate.len() < 2 {
            return take(self.start, self.end);
        }
        let differs = |at: usize| reference.get(at) != alternate.get(at);
        let length = reference.len().max(alternate.len());
        let mut at = 0;
        while at < length {
            if !differs(at) {
                at += 1;
                continue;
            }
            let from = at;
            while at < length && differs(at) {
                at += 1;
            }
            take(self.start + from as i64, self.start + at as i64 - 1);
        }
    }
}

/// Letters of sequences (VCF 4.3, section 1.6.1: also ambiguity codes, in REF).
fn is_base(letter: u8) -> bool {
    letter.is_ascii_alphabetic()
}
