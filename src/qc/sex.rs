//! Karyotypic sex from the depth of X and Y against that of the autosomes.
//!
//! For whole genomes. Depth is the mean over all positions of a contig, pseudo-autosomal regions included (they are 2 %
//! of X; their reads lie on X or Y as the aligner chose), except that X and Y of a known build count only the positions
//! that the reference has bases for: half of Y is unknown. Not for panels and exomes, whose targets are spread unevenly:
//! where most of the autosomes has no reads nothing is said.

use std::fmt::Write;

use super::depth::ContigDepth;
use crate::formats::header::Header;
use crate::genome::contigs::{Build, ContigRole};

/// Autosomes below this mean depth say nothing.
const LEAST_DEPTH: f64 = 1.0;
/// Where a smaller share of the autosomes has reads, it is no whole genome.
const LEAST_BREADTH: f64 = 0.5;
/// Copies of X (twice the ratio to the autosomes): below the first none that is told, then 1, 2, 3, and beyond unknown.
const X_BORDERS: [f64; 4] = [0.6, 1.4, 2.4, 3.4];
/// Copies of Y: below the first none (stray reads and those of the pseudo-autosomal regions), then 1, 2, and beyond
/// unknown.
const Y_BORDERS: [f64; 3] = [0.3, 1.4, 2.5];

/// Depth of the sex chromosomes, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Sex {
    /// Mean depth of chromosomes 1 to 22; `None` without them.
    pub autosome_depth: Option<f64>,
    /// Mean depth of X; `None` without it.
    pub x_depth: Option<f64>,
    /// Mean depth of Y; `None` without it.
    pub y_depth: Option<f64>,
    /// Depth of X by that of the autosomes: about 0.5 for one X, 1 for two.
    pub x_ratio: Option<f64>,
    /// Depth of Y by that of the autosomes: about 0.5 for one Y.
    pub y_ratio: Option<f64>,
    /// `XX`, `XY`, `X0`, `XXX`, `XXY`, `XYY` or `unknown`.
    pub karyotype: &'static str,
}

/// Positions and bases of some contigs.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    positions: u64,
    covered: u64,
    bases: f64,
}

impl Sum {
    fn add(&mut self, depth: &ContigDepth, known: u64) {
        let histogram = &depth.histogram;
        self.positions += known;
        self.covered += histogram.iter().skip(1).sum::<u64>();
        // Integers below 2^53 as long as depth times positions is: exact.
        self.bases += histogram.iter().enumerate().map(|(depth, n)| depth as f64 * *n as f64).sum::<f64>();
    }

    fn mean(&self) -> Option<f64> {
        (self.positions > 0).then(|| self.bases / self.positions as f64)
    }
}

impl Sex {
    /// Infers from the depths of the header's contigs.
    pub fn infer(header: &Header, depths: &[ContigDepth]) -> Self {
        let build = header.to_contigs().build();
        let (mut autosomes, mut x, mut y) = (Sum::default(), Sum::default(), Sum::default());
        for (contig, depth) in header.contigs.iter().zip(depths) {
            let role = ContigRole::of(&contig.name);
            let length = u64::from(contig.length);
            let known = build.map_or(0, |build| unknown_bases(build, role));
            let known = length.saturating_sub(known).max(1);
            match role {
                ContigRole::Autosome(_) => autosomes.add(depth, length),
                ContigRole::X => x.add(depth, known),
                ContigRole::Y => y.add(depth, known),
                _ => {}
            }
        }
        let autosome_depth = autosomes.mean();
        let ratio = |of: Option<f64>| Some(of? / autosome_depth.filter(|depth| *depth > 0.0)?);
        let (x_depth, y_depth) = (x.mean(), y.mean());
        let (x_ratio, y_ratio) = (ratio(x_depth), ratio(y_depth));
        let is_whole_genome = autosome_depth.is_some_and(|depth| depth >= LEAST_DEPTH)
            && autosomes.covered as f64 >= LEAST_BREADTH * autosomes.positions as f64;
        let karyotype = match (x_ratio, y_ratio) {
            (Some(x), Some(y)) if is_whole_genome => karyotype(2.0 * x, 2.0 * y),
            _ => "unknown",
        };
        Self { autosome_depth, x_depth, y_depth, x_ratio, y_ratio, karyotype }
    }

    /// The table SAMPLE.sex.tsv: a head and one row, `NA` for what there is not.
    pub fn to_text(&self, sample: &str) -> String {
        let mut text =
            String::from("sample\tautosome_depth\tx_depth\ty_depth\tx_ratio\ty_ratio\tkaryotype\n");
        text.push_str(sample);
        for value in [self.autosome_depth, self.x_depth, self.y_depth, self.x_ratio, self.y_ratio] {
            // Writing to a String does not fail.
            let _ = match value {
                Some(value) => write!(text, "\t{value:.4}"),
                None => write!(text, "\tNA"),
            };
        }
        let _ = writeln!(text, "\t{}", self.karyotype);
        text
    }
}

fn karyotype(x: f64, y: f64) -> &'static str {
    let copies = |value: f64, borders: &[f64]| borders.iter().filter(|border| value >= **border).count();
    match (copies(x, &X_BORDERS), copies(y, &Y_BORDERS)) {
        (1, 0) => "X0",
        (2, 0) => "XX",
        (3, 0) => "XXX",
        (1, 1) => "XY",
        (2, 1) => "XXY",
        (1, 2) => "XYY",
        _ => "unknown",
    }
}

/// Positions of X and Y that the reference has no base for. Source: NCBI assembly statistics (total less ungapped length)
/// of GCF_000001405.25 (GRCh37) and GCF_000001405.40 (GRCh38), to 10 kb: the borders above are far wider.
fn unknown_bases(build: Build, role: ContigRole) -> u64 {
    match (build, role) {
        (Build::Grch37, ContigRole::X) => 4_170_000,
        (Build::Grch37, ContigRole::Y) => 33_720_000,
        (Build::Grch38, ContigRole::X) => 1_150_000,
        (Build::Grch38, ContigRole::Y) => 30_810_000,
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn infer(contigs: &[(&str, u64, usize)]) -> Sex {
        let text: String =
            contigs.iter().map(|(name, length, _)| format!("@SQ\tSN:{name}\tLN:{length}\n")).collect();
        let depth = |(_, length, depth): &(&str, u64, usize)| {
            let mut histogram = vec![0; depth + 1];
            histogram[*depth] = *length;
            ContigDepth { found: true, histogram }
        };
        let depths: Vec<_> = contigs.iter().map(depth).collect();
        Sex::infer(&Header::parse(text.as_bytes()).unwrap(), &depths)
    }

    #[test]
    fn karyotypes_follow_the_copies() {
        for (x, y, karyotype) in [
            (30, 0, "XX"),
            (30, 2, "XX"),
            (15, 15, "XY"),
            (13, 12, "XY"),
            (15, 0, "X0"),
            (30, 15, "XXY"),
            (15, 30, "XYY"),
            (45, 0, "XXX"),
            (60, 0, "unknown"),
            (30, 30, "unknown"),
            (0, 0, "unknown"),
            (2, 15, "unknown"),
        ] {
            let found = infer(&[("chr1", 1000, 30), ("chr2", 500, 30), ("chrX", 300, x), ("chrY", 100, y)]);
            assert_eq!(found.karyotype, karyotype, "{x} {y}: {found:?}");
        }
    }

    #[test]
    fn the_unknown_half_of_y_does_not_count() {
        // 13.2 Mb of Y's 26.4 known ones at depth 30 are a mean of 15.
        let y = ContigDepth { found: true, histogram: vec![0; 31] };
        let mut depths = vec![ContigDepth { found: true, histogram: vec![0; 31] }; 2];
        depths.push(y);
        (depths[0].histogram[30], depths[1].histogram[15]) = (248_956_422, 156_040_895);
        (depths[2].histogram[0], depths[2].histogram[30]) = (57_227_415 - 13_200_000, 13_200_000);
        let text = "@SQ\tSN:1\tLN:248956422\n@SQ\tSN:X\tLN:156040895\n@SQ\tSN:Y\tLN:57227415\n";
        let found = Sex::infer(&Header::parse(text.as_bytes()).unwrap(), &depths);
        assert_eq!(found.karyotype, "XY", "{found:?}");
        assert!((found.y_depth.unwrap() - 15.0).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn without_what_is_needed_nothing_is_said() {
        let text =
            |contigs: &[(&str, u64, usize)]| infer(contigs).to_text("s").lines().last().unwrap().to_owned();
        assert_eq!(text(&[("chr1", 1000, 30)]), "s\t30.0000\tNA\tNA\tNA\tNA\tunknown");
        assert_eq!(
            text(&[("chr1", 1000, 0), ("X", 9, 1), ("Y", 9, 0)]),
            "s\t0.0000\t1.0000\t0.0000\tNA\tNA\tunknown"
        );
        // An exome: deep, but nearly nowhere.
        let exome = [("chr1", 900, 0), ("chr2", 100, 100), ("X", 100, 5), ("Y", 100, 5)];
        assert_eq!(text(&exome), "s\t10.0000\t5.0000\t5.0000\t0.5000\t0.5000\tunknown");
        assert_eq!(text(&[]), "s\tNA\tNA\tNA\tNA\tNA\tunknown");
    }
}
