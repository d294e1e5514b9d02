//! Genotypes as expressions see them, by the rules of bcftools.

use super::operand::GenotypeView;
use crate::records::genotype::alleles;

/// The word for a genotype in a view other than its text.
pub fn class(cell: &[u8], view: GenotypeView) -> &'static [u8] {
    // What nearly every genotype looks like.
    if let [a @ b'0'..=b'9', b'/' | b'|', b @ b'0'..=b'9'] = cell {
        return known(2, *a == b'0' || *b == b'0', a != b, view);
    }
    let (mut ploidy, mut has_reference, mut is_heterozygous, mut is_missing) = (0, false, false, false);
    let mut last = None;
    for allele in alleles(cell) {
        let Some(allele) = allele else {
            is_missing = true;
            break;
        };
        has_reference |= allele == 0;
        is_heterozygous |= last.is_some_and(|last| last != allele);
        last = Some(allele);
        ploidy += 1;
    }
    match view {
        _ if !is_missing && ploidy > 0 => known(ploidy, has_reference, is_heterozygous, view),
        GenotypeView::Reference => b"mis",
        _ => b".",
    }
}

/// The word for a genotype without missing alleles.
fn known(ploidy: usize, has_reference: bool, is_heterozygous: bool, view: GenotypeView) -> &'static [u8] {
    match view {
        GenotypeView::Reference if has_reference && !is_heterozygous => b"ref",
        GenotypeView::Reference => b"alt",
        GenotypeView::Zygosity if ploidy == 1 => b"hap",
        GenotypeView::Zygosity if is_heterozygous => b"het",
        GenotypeView::Zygosity => b"hom",
        _ => match (ploidy == 1, is_heterozygous, has_reference) {
            (true, _, true) => b"r",
            (true, _, false) => b"a",
            (false, false, true) => b"rr",
            (false, false, false) => b"aa",
            (false, true, true) => b"ra",
            (false, true, false) => b"aA",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_manual() {
        // bcftools' manual, section EXPRESSIONS.
        for (cell, text, zygosity, reference) in [
            ("0/0", "rr", "hom", "ref"),
            ("0|1", "ra", "het", "alt"),
            ("1/0", "ra", "het", "alt"),
            ("1/1", "aa", "hom", "alt"),
            ("1/2", "aA", "het", "alt"),
            ("0", "r", "hap", "ref"),
            ("2", "a", "hap", "alt"),
            ("./.", ".", ".", "mis"),
            ("0/.", ".", ".", "mis"),
            (".", ".", ".", "mis"),
            ("0/0/1", "ra", "het", "alt"),
            ("/0/1", "ra", "het", "alt"),
            ("10|10", "aa", "hom", "alt"),
        ] {
            let found = [GenotypeView::Alleles, GenotypeView::Zygosity, GenotypeView::Reference]
                .map(|view| String::from_utf8_lossy(class(cell.as_bytes(), view)).into_owned());
            assert_eq!(found, [text, zygosity, reference], "{cell}");
        }
    }
}
