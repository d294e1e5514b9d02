//! Lists of values per allele or per genotype, as text: what their values belong to, and the order of genotypes.
//!
//! Genotypes are in the order of the VCF specification (section 1.6.2): for ploidy `P` and alleles `k1 <= ... <= kP` the place
//! is the sum of `C(k_m + m - 1, m)`.

use crate::formats::vcf::header::{Header, Number, Type};

/// What the values of a tag belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// One for each alternate allele.
    Alternate,
    /// One for each allele.
    Allele,
    /// One for each genotype.
    Genotype,
    /// One for each alternate allele of the sample's `LAA`.
    LocalAlternate,
    /// One for REF and each allele of the sample's `LAA`.
    LocalAllele,
    /// One for each genotype of REF and the sample's `LAA`.
    LocalGenotype,
    /// `LAA` itself: the numbers of the sample's alternate alleles.
    LocalList,
    /// Anything else; tags that the header does not declare among it.
    Other,
}

/// A tag as splitting and joining see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What its values belong to.
    pub per: Per,
    /// Integers or reals, not text.
    pub is_number: bool,
}

impl Tag {
    /// An INFO tag.
    pub fn of_info(header: &Header, tag: &[u8]) -> Self {
        Self::of(header.info(tag).map(|d| (d.number, d.kind)))
    }

    /// A FORMAT tag.
    pub fn of_format(header: &Header, tag: &[u8]) -> Self {
        let found = Self::of(header.format(tag).map(|d| (d.number, d.kind)));
        if tag == b"LAA" { Self { per: Per::LocalList, ..found } } else { found }
    }

    fn of(definition: Option<(Number, Type)>) -> Self {
        let Some((number, kind)) = definition else { return Self { per: Per::Other, is_number: false } };
        let per = match number {
            Number::Alternates => Per::Alternate,
            Number::Alleles => Per::Allele,
            Number::Genotypes => Per::Genotype,
            Number::LocalAlternates => Per::LocalAlternate,
            Number::LocalAlleles => Per::LocalAllele,
            Number::LocalGenotypes => Per::LocalGenotype,
            _ => Per::Other,
        };
        Self { per, is_number: matches!(kind, Type::Integer | Type::Float) }
    }
}

/// The values of a list.
pub fn items(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&b| b == b',')
}

/// How many values a list has; a missing one (`.`) has one.
pub fn count(list: &[u8]) -> usize {
    1 + memchr::memchr_iter(b',', list).count()
}

/// A value of a list.
pub fn nth(list: &[u8], number: usize) -> Option<&[u8]> {
    items(list).nth(number)
}

/// `n` over `k`; as many as fit where there are more.
fn choose(n: u64, k: u64) -> u64 {
    (1..=k).fold(1u64, |product, i| product.saturating_mul(n - k + i) / i)
}

/// Genotypes of so many alleles at a ploidy.
pub fn genotype_count(alleles: usize, ploidy: usize) -> usize {
    let (alleles, ploidy) = (alleles as u64, ploidy as u64);
    usize::try_from(choose(alleles + ploidy - 1, ploidy)).unwrap_or(usize::MAX)
}

/// The highest ploidy that is looked for.
const MAX_PLOIDY: usize = 16;

/// The ploidy at which so many alleles have so many genotypes.
pub fn ploidy_of(count: usize, alleles: usize) -> Option<usize> {
    (1..=MAX_PLOIDY).find(|&ploidy| genotype_count(alleles, ploidy) == count)
}

/// The place of a genotype; its alleles are in ascending order.
pub fn genotype_place(alleles: impl Iterator<Item = usize>) -> usize {
    let place = |(m, allele): (u64, usize)| choose(allele as u64 + m - 1, m);
    (1..).zip(alleles).map(place).fold(0u64, u64::saturating_add).try_into().unwrap_or(usize::MAX)
}

/// The places of the genotypes of REF and one other allele among those of more, in order.
pub fn places_with(allele: usize, ploidy: usize) -> impl Iterator<Item = usize> {
    (0..=ploidy).map(move |copies| {
        let alleles = (0..ploidy).map(move |i| if i + copies < ploidy { 0 } else { allele });
        genotype_place(alleles)
    })
}

/// Steps to the next genotype in order; false after the last of `alleles` alleles.
pub fn next_genotype(genotype: &mut [usize], alleles: usize) -> bool {
    for i in 0..genotype.len() {
        let limit = genotype.get(i + 1).copied().unwrap_or(alleles - 1);
        if genotype[i] < limit {
            genotype[i] += 1;
            genotype[..i].fill(0);
            return true;
        }
    }
    false
}

/// Writes values behind one another, with commas between them.
pub fn push_list<'v>(out: &mut Vec<u8>, values: impl IntoIterator<Item = &'v [u8]>) {
    for (i, value) in values.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genotypes_have_the_order_of_the_specification() {
        // VCF 4.5, section 1.6.2: the triploid genotypes of two alternate alleles.
        let order = ["000", "001", "011", "111", "002", "012", "112", "022", "122", "222"];
        let mut genotype = [0; 3];
        for (place, text) in order.iter().enumerate() {
            let found: String = genotype.iter().map(ToString::to_string).collect();
            assert_eq!((found.as_str(), genotype_place(genotype.into_iter())), (*text, place));
            assert_eq!(next_genotype(&mut genotype, 3), place < 9);
        }
        assert_eq!(places_with(2, 2).collect::<Vec<_>>(), [0, 3, 5]);
        assert_eq!(places_with(2, 3).collect::<Vec<_>>(), [0, 4, 7, 9]);
        for (count, alleles, ploidy) in [(3, 3, Some(1)), (6, 3, Some(2)), (10, 3, Some(3)), (5, 3, None)] {
            assert_eq!(ploidy_of(count, alleles), ploidy);
        }
    }
}
