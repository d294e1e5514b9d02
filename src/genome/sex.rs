//! Sex chromosomes: pseudo-autosomal regions, where X and Y are the same sequence and everybody has two copies.

use super::{
    contigs::{Build, ContigRole},
    intervals::Interval,
};

/// The two pseudo-autosomal regions (PAR1, PAR2) of X or Y, 0-based and half-open; `None` for other contigs.
///
/// Source: Genome Reference Consortium, "Human Genome Assembly" GRCh37 and GRCh38, table of pseudo-autosomal regions
/// (in 1-based inclusive coordinates, e.g. GRCh38 X PAR1 10,001-2,781,479).
///
/// ```
/// use norn::genome::{contigs::{Build, ContigRole}, sex::pseudoautosomal_regions};
/// let [par1, _] = pseudoautosomal_regions(Build::Grch38, ContigRole::X).ok_or("X has two")?;
/// assert_eq!((par1.start, par1.end), (10_000, 2_781_479));
/// # Ok::<(), &str>(())
/// ```
pub fn pseudoautosomal_regions(build: Build, role: ContigRole) -> Option<[Interval; 2]> {
    let [(start1, end1), (start2, end2)] = match (build, role) {
        (Build::Grch37, ContigRole::X) => [(60_000, 2_699_520), (154_931_043, 155_260_560)],
        (Build::Grch37, ContigRole::Y) => [(10_000, 2_649_520), (59_034_049, 59_363_566)],
        (Build::Grch38, ContigRole::X) => [(10_000, 2_781_479), (155_701_382, 156_030_895)],
        (Build::Grch38, ContigRole::Y) => [(10_000, 2_781_479), (56_887_902, 57_217_415)],
        _ => return None,
    };
    Some([Interval { start: start1, end: end1 }, Interval { start: start2, end: end2 }])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_x_and_y_have_equal_lengths_and_lie_inside() {
        for build in [Build::Grch37, Build::Grch38] {
            let x = pseudoautosomal_regions(build, ContigRole::X).unwrap();
            let y = pseudoautosomal_regions(build, ContigRole::Y).unwrap();
            for (x, y) in x.iter().zip(&y) {
                assert_eq!(x.len(), y.len(), "{build:?}");
            }
            for (role, [_, par2]) in [(ContigRole::X, x), (ContigRole::Y, y)] {
                // PAR2 ends 10 kb of telomere before the end.
                assert_eq!(par2.end + 10_000, build.length_of(role).unwrap(), "{build:?} {role:?}");
            }
        }
        assert_eq!(pseudoautosomal_regions(Build::Grch38, ContigRole::Autosome(1)), None);
    }
}
