//! A sample's genotypes at known sites, to tell later whether two files are of one person or of relatives.
//!
//! Every site of the list has a record, so that the fingerprints made with one list have the same rows. Likelihoods are
//! those of a diploid genotype with independent bases, without a prior; as in VCF, PL is scaled to 0 for the likeliest.

use std::fmt::Write;

use super::contamination::base_probability;
use super::list::{Site, SiteList};
use super::{Allele, Bin, SiteCounts};
use crate::genome::contigs::Contig;

/// The largest genotype quality.
const MAX_QUALITY: u32 = 99;
/// The largest PL, so that readers with 16 bits hold it.
const MAX_LIKELIHOOD: f64 = 32_000.0;

/// A genotype with what it was made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Genotype {
    /// Alternate alleles, 0 to 2; `None` without a base.
    pub alternates: Option<u8>,
    /// Bases of any allele.
    pub depth: u32,
    /// Bases of the reference and the alternate allele.
    pub allele_depths: [u32; 2],
    /// Difference of the likeliest genotype to the next (Phred), at most 99.
    pub quality: u32,
    /// Likelihoods (Phred) of 0, 1 and 2 alternate alleles, the likeliest 0.
    pub likelihoods: [u32; 3],
}

impl Genotype {
    /// The genotype that a site's bases show. Of equally likely ones the one with fewer alternate alleles.
    pub fn of(bins: &[Bin]) -> Self {
        let mut genotype = Self::default();
        let mut log = [0.0f64; 3];
        for bin in bins {
            genotype.depth = genotype.depth.saturating_add(bin.count);
            if bin.allele() == Allele::Other {
                continue;
            }
            let of_allele = &mut genotype.allele_depths[bin.allele() as usize];
            *of_allele = of_allele.saturating_add(bin.count);
            for (alternates, log) in log.iter_mut().enumerate() {
                *log +=
                    f64::from(bin.count) * base_probability(bin.allele(), alternates, bin.quality()).log10();
            }
        }
        if genotype.allele_depths == [0, 0] {
            return genotype;
        }
        let most = log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // From 0 to the limit, so within 32 bits.
        genotype.likelihoods = log.map(|log| (10.0 * (most - log)).round().min(MAX_LIKELIHOOD) as u32);
        let likeliest = (0..3).find(|&g| log[g] >= most).unwrap_or(0);
        genotype.alternates = Some(likeliest as u8);
        let others = (0..3).filter(|&g| g != likeliest).map(|g| genotype.likelihoods[g]);
        genotype.quality = others.min().unwrap_or(0).min(MAX_QUALITY);
        genotype
    }

    /// The columns GT:DP:AD:GQ:PL.
    fn column(&self, text: &mut String) {
        let gt = match self.alternates {
            None => {
                let _ = write!(text, "./.:{}:0,0:.:.", self.depth);
                return;
            }
            Some(0) => "0/0",
            Some(1) => "0/1",
            Some(_) => "1/1",
        };
        let Self { depth, allele_depths: [r, a], quality, likelihoods: [l0, l1, l2], .. } = self;
        // Writing to a String does not fail.
        let _ = write!(text, "{gt}:{depth}:{r},{a}:{quality}:{l0},{l1},{l2}");
    }
}

/// The header of SAMPLE.fingerprint.vcf.gz, VCF 4.2; the contigs are the alignment's.
pub fn header(sample: &str, contigs: &[Contig]) -> String {
    let mut text =
        String::from("##fileformat=VCFv4.2\n##FILTER=<ID=PASS,Description=\"All filters passed\">\n");
    for contig in contigs {
        let _ = writeln!(text, "##contig=<ID={},length={}>", contig.name, contig.length);
    }
    text.push_str(concat!(
        "##INFO=<ID=AF,Number=A,Type=Float,Description=\"Frequency of the alternate allele in the population, as the list of sites has it\">\n",
        "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Likeliest genotype\">\n",
        "##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"Bases that count, of any allele\">\n",
        "##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"Bases of the reference and the alternate allele\">\n",
        "##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"Likelihood of the genotype against the next (Phred), at most 99\">\n",
        "##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"Genotype likelihoods (Phred), without a prior\">\n",
    ));
    let _ = writeln!(text, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}");
    text
}

/// Gives every site's record to `each`: index of the contig, the site, and the line.
///
/// # Errors
/// What `each` returns.
pub fn records<E>(
    counts: &SiteCounts,
    list: &SiteList,
    contigs: &[Contig],
    mut each: impl FnMut(usize, &Site, &str) -> Result<(), E>,
) -> Result<(), E> {
    let mut counts = counts.iter().peekable();
    let mut line = String::new();
    for (number, (contig, site)) in list.iter().enumerate() {
        let bins = counts.next_if(|counted| counted.0 == number).map_or(&[][..], |counted| counted.1);
        let Some(Contig { name, .. }) = contigs.get(contig) else { continue };
        let (position, frequency) = (site.position + 1, site.frequency);
        let (reference, alternate) = (char::from(site.reference), char::from(site.alternate));
        line.clear();
        let _ = write!(
            line,
            "{name}\t{position}\t.\t{reference}\t{alternate}\t.\t.\tAF={frequency}\tGT:DP:AD:GQ:PL\t"
        );
        Genotype::of(bins).column(&mut line);
        each(contig, site, &line)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn genotypes_follow_the_bases() {
        let bin = |allele, quality, count| Bin::new(allele, quality, count);
        let (r, a, o) = (Allele::Reference, Allele::Alternate, Allele::Other);
        for (bins, column) in [
            (vec![], "./.:0:0,0:.:."),
            (vec![bin(o, 30, 2)], "./.:2:0,0:.:."),
            // By hand: 10 bases of quality 30: -100 log10(0.5 (0.999 + 0.001/3)) = 30, -100 log10(0.001/3 / 0.999) = 348.
            (vec![bin(r, 30, 10)], "0/0:10:10,0:30:0,30,348"),
            (vec![bin(a, 30, 10)], "1/1:10:0,10:30:348,30,0"),
            (vec![bin(r, 30, 5), bin(a, 30, 5)], "0/1:10:5,5:99:144,0,144"),
            (vec![bin(r, 30, 1)], "0/0:1:1,0:3:0,3,35"),
        ] {
            let mut text = String::new();
            Genotype::of(&bins).column(&mut text);
            assert_eq!(text, column);
        }
    }

    #[test]
    fn great_depths_stay_within_bounds() {
        let genotype =
            Genotype::of(&[Bin::new(Allele::Reference, 60, u32::MAX), Bin::new(Allele::Other, 60, 9)]);
        assert_eq!((genotype.depth, genotype.quality), (u32::MAX, 99));
        assert_eq!(genotype.likelihoods, [0, 32_000, 32_000]);
    }
}
