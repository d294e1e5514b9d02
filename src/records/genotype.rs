//! Genotypes: the text of a GT cell as alleles and phase (VCF specification, section 1.6.2).

use crate::formats::vcf::number::write_integer;

/// The alleles of a cell, `None` for `.`. A phase in front (VCF 4.4) is passed over; what is no number is missing.
#[inline]
pub fn alleles(cell: &[u8]) -> impl Iterator<Item = Option<usize>> + Clone {
    without_prefix(cell).split(|&b| b == b'/' || b == b'|').map(allele)
}

/// The alleles with whether a `|` stands before them; before the first it does only where it is written.
pub fn phased_alleles(cell: &[u8]) -> impl Iterator<Item = (bool, Option<usize>)> {
    let inner = without_prefix(cell);
    let mut before = cell.first().copied().filter(|_| inner.len() < cell.len());
    let mut rest = Some(inner);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.iter().position(|b| matches!(b, b'/' | b'|'));
        let phased = before == Some(b'|');
        before = end.map(|end| text[end]);
        rest = end.map(|end| &text[end + 1..]);
        Some((phased, allele(&text[..end.unwrap_or(text.len())])))
    })
}

/// Writes a genotype with other allele numbers, `.` where there is none; phase and whatever else stands in it stay.
pub fn renumber(genotype: &[u8], out: &mut Vec<u8>, number: impl Fn(usize) -> Option<usize>) {
    let mut rest = genotype;
    while let Some(&first) = rest.first() {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            out.push(first);
            rest = &rest[1..];
            continue;
        }
        let allele = rest[..digits]
            .iter()
            .fold(0usize, |value, digit| value.saturating_mul(10).saturating_add(usize::from(digit - b'0')));
        match number(allele) {
            Some(number) => write_integer(number as i64, out),
            None => out.push(b'.'),
        }
        rest = &rest[digits..];
    }
}

fn without_prefix(cell: &[u8]) -> &[u8] {
    match cell {
        [b'/' | b'|', rest @ ..] => rest,
        cell => cell,
    }
}

#[inline]
fn allele(text: &[u8]) -> Option<usize> {
    match text {
        [digit @ b'0'..=b'9'] => Some(usize::from(digit - b'0')),
        [b'0'..=b'9', ..] => text
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .try_fold(0usize, |n, b| n.checked_mul(10)?.checked_add(usize::from(b - b'0'))),
        _ => None,
    }
}

/// Genotypes with the same number of kinds of alleles (htslib's `bcf_gt_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zygosity {
    /// An allele is missing, or there is none.
    Missing,
    /// Haploid.
    Haploid,
    /// All alleles are the same.
    Homozygous,
    /// There are two different ones.
    Heterozygous,
}

impl Zygosity {
    /// Of a GT cell.
    pub fn of(cell: &[u8]) -> Self {
        let (mut first, mut count, mut differs) = (None, 0, false);
        for allele in alleles(cell) {
            let Some(allele) = allele else { return Self::Missing };
            differs |= first.is_some_and(|first| first != allele);
            first = first.or(Some(allele));
            count += 1;
        }
        match (count, differs) {
            (0, _) => Self::Missing,
            (1, _) => Self::Haploid,
            (_, true) => Self::Heterozygous,
            (_, false) => Self::Homozygous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_taken_apart() {
        use Zygosity::*;
        for (cell, expected, zygosity) in [
            ("0/1", vec![(false, Some(0)), (false, Some(1))], Heterozygous),
            ("10|2", vec![(false, Some(10)), (true, Some(2))], Heterozygous),
            ("|0/1", vec![(true, Some(0)), (false, Some(1))], Heterozygous),
            ("./.", vec![(false, None), (false, None)], Missing),
            ("1", vec![(false, Some(1))], Haploid),
            (".", vec![(false, None)], Missing),
            ("", vec![(false, None)], Missing),
            ("1|1|1", vec![(false, Some(1)), (true, Some(1)), (true, Some(1))], Homozygous),
            ("x/99999999999999999999999", vec![(false, None), (false, None)], Missing),
        ] {
            assert_eq!(phased_alleles(cell.as_bytes()).collect::<Vec<_>>(), expected, "{cell}");
            let plain: Vec<_> = expected.iter().map(|&(_, allele)| allele).collect();
            assert_eq!(alleles(cell.as_bytes()).collect::<Vec<_>>(), plain, "{cell}");
            assert_eq!(Zygosity::of(cell.as_bytes()), zygosity, "{cell}");
        }
    }

    #[test]
    fn genotypes_are_renumbered() {
        for (from, to) in
            [("0/1", "0/."), ("2|0", "1|0"), ("./.", "./."), ("12", "."), ("/0/2", "/0/1"), ("", "")]
        {
            let mut out = Vec::new();
            renumber(from.as_bytes(), &mut out, |a| match a {
                0 => Some(0),
                2 => Some(1),
                _ => None,
            });
            assert_eq!(String::from_utf8_lossy(&out), to);
        }
    }
}
