//! The tables of pairs and samples in somalier's columns, so that what reads those (MultiQC) reads these.

use std::fmt::Write;

use super::Pair;
use super::fingerprints::{Fingerprints, Sample};
use super::pedigree::Pedigree;

/// PREFIX.pairs.tsv: somalier's columns, and behind them `ibs1`, the relation that the likelihoods show, the one that the
/// pedigree says (`.` if none), whether they agree (`match`, `MISMATCH` or `.`), and what the relation was told from:
/// relatedness, opposite homozygotes in percent, sites, and the odds for one person where those are too few (`.` where
/// not). The expected relatedness is -1 where no pedigree names both.
pub fn pairs(fingerprints: &Fingerprints, pairs: &[Pair]) -> String {
    let mut text = String::from(
        "#sample_a\tsample_b\trelatedness\tibs0\tibs2\thom_concordance\thets_a\thets_b\thets_ab\tshared_hets\t\
         hom_alts_a\thom_alts_b\tshared_hom_alts\tn\tx_ibs0\tx_ibs2\texpected_relatedness\tibs1\trelation\t\
         expected_relation\tverdict\tml_relatedness\tml_ibs0_percent\tml_n\tlog10_odds_identical\n",
    );
    let name = |place: usize| fingerprints.samples().get(place).map_or(".", |sample| &sample.name);
    for pair in pairs {
        let verdict = match pair.is_mismatch() {
            None => ".",
            Some(true) => "MISMATCH",
            Some(false) => "match",
        };
        let odds = pair.odds.map_or_else(|| ".".to_owned(), |odds| format!("{odds:.2}"));
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{:.3}\t{}\t{}\t{:.3}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{verdict}\t\
             {:.3}\t{:.3}\t{}\t{odds}",
            name(pair.a),
            name(pair.b),
            pair.relatedness,
            pair.ibs0,
            pair.ibs2,
            pair.hom_concordance,
            pair.hets_a,
            pair.hets_b,
            pair.hets_a + pair.hets_b,
            pair.shared_hets,
            pair.hom_alts_a,
            pair.hom_alts_b,
            pair.shared_hom_alts,
            pair.n,
            pair.x_ibs0,
            pair.x_ibs2,
            pair.expected.map_or_else(|| "-1.0".to_owned(), |expected| format!("{:?}", expected.relatedness)),
            pair.ibs1(),
            pair.relation.name(),
            pair.expected.map_or(".", |expected| expected.relation.name()),
            pair.joint.relatedness(),
            100.0 * pair.joint.ibs0(),
            pair.joint.sites,
        );
    }
    text
}

/// PREFIX.samples.tsv: a PED's six columns (-9 for what no pedigree says), and figures of each sample.
pub fn samples(fingerprints: &Fingerprints, pedigree: Option<&Pedigree>) -> String {
    let mut text = String::from(
        "#family_id\tsample_id\tpaternal_id\tmaternal_id\tsex\tphenotype\toriginal_pedigree_sex\tgt_depth_mean\t\
         gt_depth_sd\tdepth_mean\tdepth_sd\tab_mean\tab_std\tn_hom_ref\tn_het\tn_hom_alt\tn_unknown\tp_middling_ab\t\
         X_depth_mean\tX_n\tX_hom_ref\tX_het\tX_hom_alt\tY_depth_mean\tY_n\n",
    );
    for Sample { name, figures, .. } in fingerprints.samples() {
        let person = pedigree.and_then(|pedigree| pedigree.get(name));
        let (family, sex) =
            person.map_or((name.as_str(), "-9"), |person| (person.family.as_str(), person.sex.as_str()));
        let parent = |of: Option<&Option<String>>| of.cloned().flatten().unwrap_or_else(|| "-9".to_owned());
        let (father, mother) = (parent(person.map(|p| &p.father)), parent(person.map(|p| &p.mother)));
        let phenotype = person.map_or("-9", |person| &person.phenotype);
        let sex_name = match sex {
            "1" => "male",
            "2" => "female",
            _ => "unknown",
        };
        let [hom_ref, het, hom_alt, unknown] = figures.genotypes;
        let sites = hom_ref + het + hom_alt + unknown;
        let middling = f64::from(figures.middling) / f64::from(sites.max(1));
        let [x_ref, x_het, x_alt, _] = figures.x_genotypes;
        let (depth, genotyped, balance) = (&figures.depth, &figures.genotyped_depth, &figures.balance);
        let _ = writeln!(
            text,
            "{family}\t{name}\t{father}\t{mother}\t{sex}\t{phenotype}\t{sex_name}\t{:.1}\t{:.1}\t{:.1}\t{:.1}\t{:.2}\t{:.2}\t\
             {hom_ref}\t{het}\t{hom_alt}\t{unknown}\t{middling:.3}\t{:.2}\t{}\t{x_ref}\t{x_het}\t{x_alt}\t{:.2}\t{}",
            genotyped.mean(),
            genotyped.deviation(),
            depth.mean(),
            depth.deviation(),
            balance.mean(),
            balance.deviation(),
            figures.x_depth.mean(),
            figures.x_depth.n,
            figures.y_depth.mean(),
            figures.y_depth.n,
        );
    }
    text
}
