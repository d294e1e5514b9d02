//! The report in bcftools' form, which plot-vcfstats and MultiQC read.
//!
//! Lines and their order are those of bcftools 1.24; reals that it computes in 32 bits are computed so here too.

use super::bins::QualityCounts;
use super::samples::{FRACTION_BINS, HET_BINS, OfSample};
use super::sites::{ByFrequency, LONGEST_INDEL};
use super::user_tag::UserCounts;
use super::{Set, Stats, Tally, report_of_two};

/// Names of the bases by their numbers.
const BASES: [char; 4] = ['A', 'C', 'G', 'T'];

/// All behind the heading.
pub(super) fn body(stats: &Stats, tally: &Tally) -> String {
    let sets = &tally.sets[..];
    let mut out = String::new();
    summary(stats, sets, &mut out);
    transitions(sets, &mut out);
    if stats.options.exons.is_some() {
        frameshifts(sets, &mut out);
    }
    if stats.options.reference.is_some() {
        repeats(sets, &mut out);
    }
    singletons(sets, &mut out);
    frequencies(stats, sets, &mut out);
    qualities(sets, &mut out);
    for (number, tag) in stats.options.user_tags.iter().enumerate() {
        out += &UserCounts::heading(tag);
        for (id, set) in sets.iter().enumerate() {
            // What the second file has alone is typed as that declares it.
            let source = &stats.sources[usize::from(id == 1 && sets.len() == 3)];
            set.by_tag[number].lines(tag, source.are_real[number], id, &mut out);
        }
    }
    lengths(sets, &mut out);
    substitutions(sets, &mut out);
    if let Some(concordance) = &tally.concordance {
        report_of_two::genotypes(stats, concordance, &mut out);
    }
    depths(stats, sets, &mut out);
    if let Some(fields) = stats.sources.first().and_then(|source| source.samples.as_ref()) {
        of_samples(stats, sets, &mut out);
        heterozygosity(stats, sets, &mut out);
        if fields.has_allele_depths {
            fractions(stats, sets, &mut out);
        }
    }
    out
}

pub(super) fn heading(stats: &Stats, files: &[String], with_sites: bool) -> String {
    let mut out = String::from(
        "# This file was produced by bcftools stats (norn) and can be plotted using plot-vcfstats.\n\
        # The command line was:\tnorn variants stats\n#\n\
        # Definition of sets:\n# ID\t[2]id\t[3]tab-separated file names\n",
    );
    let name = |file: &String| if file == "-" { "<STDIN>".to_owned() } else { file.clone() };
    match &files.iter().map(name).collect::<Vec<_>>()[..] {
        [first, second] => report_of_two::heading(first, second, with_sites, &mut out),
        names if stats.options.by_id => {
            let file = names.concat();
            out += &format!("ID\t0\t{file}:known (sites with ID different from \".\")\n");
            out += &format!("ID\t1\t{file}:novel (sites where ID column is \".\")\n");
        }
        names => out += &format!("ID\t0\t{}\n", names.concat()),
    }
    out
}

fn summary(stats: &Stats, sets: &[Set], out: &mut String) {
    *out += "# SN, Summary numbers:\n\
        #   number of records   .. number of data rows in the VCF\n\
        #   number of no-ALTs   .. reference-only sites, ALT is either \".\" or identical to REF\n\
        #   number of SNPs      .. number of rows with a SNP\n\
        #   number of MNPs      .. number of rows with a MNP, such as CC>TT\n\
        #   number of indels    .. number of rows with an indel\n\
        #   number of others    .. number of rows with other type, for example a symbolic allele or\n\
        #                          a complex substitution, such as ACT>TCGA\n\
        #   number of multiallelic sites     .. number of rows with multiple alternate alleles\n\
        #   number of multiallelic SNP sites .. number of rows with multiple alternate alleles, all SNPs\n\
        # \n\
        #   Note that rows containing multiple types will be counted multiple times, in each\n\
        #   counter. For example, a row with a SNP and an indel increments both the SNP and\n\
        #   the indel counter.\n\
        # \n\
        # SN\t[2]id\t[3]key\t[4]value\n";
    for (id, source) in stats.sources.iter().enumerate() {
        *out += &format!("SN\t{id}\tnumber of samples:\t{}\n", source.sample_count);
    }
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        for (name, count) in [
            ("records", sites.records),
            ("no-ALTs", sites.without_alternates),
            ("SNPs", sites.snps),
            ("MNPs", sites.mnps),
            ("indels", sites.indels),
            ("others", sites.others),
            ("multiallelic sites", sites.multiallelic),
            ("multiallelic SNP sites", sites.multiallelic_snps),
        ] {
            *out += &format!("SN\t{id}\tnumber of {name}:\t{count}\n");
        }
    }
}

/// A quotient in 32 bits, 0 where nothing is divided.
fn ratio(of: u64, by: u64) -> f32 {
    if by == 0 { 0.0 } else { of as f32 / by as f32 }
}

fn transitions(sets: &[Set], out: &mut String) {
    *out += "# TSTV, transitions/transversions\n\
        #   - transitions, see https://en.wikipedia.org/wiki/Transition_(genetics)\n\
        #   - transversions, see https://en.wikipedia.org/wiki/Transversion\n\
        # TSTV\t[2]id\t[3]ts\t[4]tv\t[5]ts/tv\t[6]ts (1st ALT)\t[7]tv (1st ALT)\t[8]ts/tv (1st ALT)\n";
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        let sum = |of: fn(&ByFrequency) -> u64| sites.by_frequency.iter().map(of).sum::<u64>();
        let (ts, tv) = (sum(|bin| bin.transitions), sum(|bin| bin.transversions));
        let [first_ts, first_tv] = sites.first;
        let (all, first) = (ratio(ts, tv), ratio(first_ts, first_tv));
        *out += &format!("TSTV\t{id}\t{ts}\t{tv}\t{all:.2}\t{first_ts}\t{first_tv}\t{first:.2}\n");
    }
}

fn frameshifts(sets: &[Set], out: &mut String) {
    *out += "# FS, Indel frameshifts:\n# FS\t[2]id\t[3]in-frame\t[4]out-frame\t[5]not applicable\t[6]out/(in+out) ratio\t[7]in-frame (1st ALT)\t[8]out-frame (1st ALT)\t[9]not applicable (1st ALT)\t[10]out/(in+out) ratio (1st ALT)\n";
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        *out += &format!("FS\t{id}");
        for [not_applicable, inside, outside] in [sites.frames, sites.first_frames] {
            let share = ratio(outside, inside + outside);
            *out += &format!("\t{inside}\t{outside}\t{not_applicable}\t{share:.2}");
        }
        out.push('\n');
    }
}

fn repeats(sets: &[Set], out: &mut String) {
    const NOTE: &str =
        "#   - repeat-consistent, inconsistent and n/a: experimental and useless stats [DEPRECATED]\n";
    *out += "# ICS, Indel context:\n";
    *out += NOTE;
    *out +=
        "# ICS\t[2]id\t[3]repeat-consistent\t[4]repeat-inconsistent\t[5]not applicable\t[6]c/(c+i) ratio\n";
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        let consistent: u64 = sites.repeats.iter().map(|counts| counts[0] + counts[2]).sum();
        let inconsistent: u64 = sites.repeats.iter().map(|counts| counts[1] + counts[3]).sum();
        let share = ratio(consistent, consistent + inconsistent);
        let without = sites.without_repeat;
        *out += &format!("ICS\t{id}\t{consistent}\t{inconsistent}\t{without}\t{share:.4}\n");
    }
    *out += "# ICL, Indel context by length:\n";
    *out += NOTE;
    *out += "# ICL\t[2]id\t[3]length of repeat element\t[4]repeat-consistent deletions)\t[5]repeat-inconsistent deletions\t[6]consistent insertions\t[7]inconsistent insertions\t[8]c/(c+i) ratio\n";
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        for (length, [a, b, c, d]) in sites.repeats.iter().enumerate().skip(1) {
            let share = ratio(a + c, a + b + c + d);
            *out += &format!("ICL\t{id}\t{}\t{a}\t{b}\t{c}\t{d}\t{share:.4}\n", length + 1);
        }
    }
}

/// The columns that SiS and AF share.
fn of_frequency(bin: &ByFrequency) -> String {
    let ByFrequency { transitions, transversions, indels: [a, b, c] } = bin;
    let (snps, indels) = (transitions + transversions, a + b + c);
    format!("{snps}\t{transitions}\t{transversions}\t{indels}\t{a}\t{b}\t{c}\n")
}

fn singletons(sets: &[Set], out: &mut String) {
    *out += "# SiS, Singleton stats:\n\
        #   - allele count, i.e. the number of singleton genotypes (AC=1)\n\
        #   - number of transitions, see above\n\
        #   - number of transversions, see above\n\
        #   - repeat-consistent, inconsistent and n/a: experimental and useless stats [DEPRECATED]\n\
        # SiS\t[2]id\t[3]allele count\t[4]number of SNPs\t[5]number of transitions\t[6]number of transversions\t[7]number of indels\t[8]repeat-consistent\t[9]repeat-inconsistent\t[10]not applicable\n";
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        *out += &format!("SiS\t{id}\t1\t{}", of_frequency(&sites.by_frequency[0]));
    }
}

fn frequencies(stats: &Stats, sets: &[Set], out: &mut String) {
    *out += "# AF, Stats by non-reference allele frequency:\n# AF\t[2]id\t[3]allele frequency\t[4]number of SNPs\t[5]number of transitions\t[6]number of transversions\t[7]number of indels\t[8]repeat-consistent\t[9]repeat-inconsistent\t[10]not applicable\n";
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        for (number, bin) in sites.by_frequency.iter().enumerate().skip(1) {
            let mut bin = *bin;
            if number == 1 {
                // The first has the singletons too.
                let singletons = &sites.by_frequency[0];
                bin.transitions += singletons.transitions;
                bin.transversions += singletons.transversions;
                super::add(&mut bin.indels, &singletons.indels);
            }
            if bin.transitions + bin.transversions + bin.indels.iter().sum::<u64>() > 0 {
                let frequency = stats.frequencies.value(number);
                *out += &format!("AF\t{id}\t{frequency:.6}\t{}", of_frequency(&bin));
            }
        }
    }
}

fn qualities(sets: &[Set], out: &mut String) {
    *out += "# QUAL, Stats by quality\n# QUAL\t[2]id\t[3]Quality\t[4]number of SNPs\t[5]number of transitions (1st ALT)\t[6]number of transversions (1st ALT)\t[7]number of indels\n";
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        let bins = sites.qualities.iter().map(QualityCounts::len).max().unwrap_or(0);
        for bin in 0..bins {
            let [ts, tv, indels] = [0, 1, 2].map(|which: usize| sites.qualities[which].get(bin));
            if ts + tv + indels > 0 {
                let quality = QualityCounts::quality(bin).map_or(".".to_owned(), |q| format!("{q:.1}"));
                *out += &format!("QUAL\t{id}\t{quality}\t{}\t{ts}\t{tv}\t{indels}\n", ts + tv);
            }
        }
    }
}

fn lengths(sets: &[Set], out: &mut String) {
    *out += "# IDD, InDel distribution:\n# IDD\t[2]id\t[3]length (deletions negative)\t[4]number of sites\t[5]number of genotypes\t[6]mean VAF\n";
    for (id, set) in sets.iter().enumerate() {
        let most = LONGEST_INDEL as i64;
        for length in (-most..=most).filter(|length| *length != 0) {
            let place = length.unsigned_abs() as usize - 1;
            let sites = if length < 0 { set.sites.deletions[place] } else { set.sites.insertions[place] };
            if sites == 0 {
                continue;
            }
            let of_genotypes = set.samples.as_ref().and_then(|samples| samples.of_length(length));
            let of_genotypes =
                of_genotypes.map_or("0\t.".to_owned(), |(count, mean)| format!("{count}\t{mean:.2}"));
            *out += &format!("IDD\t{id}\t{length}\t{sites}\t{of_genotypes}\n");
        }
    }
}

fn substitutions(sets: &[Set], out: &mut String) {
    *out += "# ST, Substitution types:\n# ST\t[2]id\t[3]type\t[4]count\n";
    for (id, Set { sites, .. }) in sets.iter().enumerate() {
        for (number, count) in sites.substitutions.iter().enumerate() {
            let (reference, alt) = (BASES[number >> 2], BASES[number & 3]);
            if reference != alt {
                *out += &format!("ST\t{id}\t{reference}>{alt}\t{count}\n");
            }
        }
    }
}

fn depths(stats: &Stats, sets: &[Set], out: &mut String) {
    *out += "# DP, depth:\n\
        #   - set id, see above\n\
        #   - the depth bin, corresponds to the depth (unless --depth was given)\n\
        #   - number of genotypes with this depth (zero unless -s/-S was given)\n\
        #   - fraction of genotypes with this depth (zero unless -s/-S was given)\n\
        #   - number of sites with this depth\n\
        #   - fraction of sites with this depth\n\
        # DP, Depth distribution\n# DP\t[2]id\t[3]bin\t[4]number of genotypes\t[5]fraction of genotypes (%)\t[6]number of sites\t[7]fraction of sites (%)\n";
    let percent = |of: u64, all: u64| if all == 0 { 0.0 } else { of as f64 * 100.0 / all as f64 };
    for (id, set) in sets.iter().enumerate() {
        let of_genotypes = set.samples.as_ref().map_or(&[][..], |samples| &samples.depths);
        let (all_genotypes, all_sites) =
            (of_genotypes.iter().sum::<u64>(), set.sites.depths.iter().sum::<u64>());
        for (bin, &sites) in set.sites.depths.iter().enumerate() {
            let genotypes = of_genotypes.get(bin).copied().unwrap_or(0);
            if genotypes + sites > 0 {
                let name = stats.options.depths.name(bin);
                let shares = (percent(genotypes, all_genotypes), percent(sites, all_sites));
                *out +=
                    &format!("DP\t{id}\t{name}\t{genotypes}\t{:.6}\t{sites}\t{:.6}\n", shares.0, shares.1);
            }
        }
    }
}

/// Names and counts of the samples of a set.
fn named<'s>(stats: &'s Stats, set: &'s Set) -> impl Iterator<Item = (&'s String, &'s OfSample)> {
    stats.options.samples.iter().zip(set.samples.iter().flat_map(|samples| &samples.each))
}

fn of_samples(stats: &Stats, sets: &[Set], out: &mut String) {
    *out += "# PSC, Per-sample counts. Note that the ref/het/hom counts include only SNPs, for indels see PSI. The rest include both SNPs and indels.\n\
        # PSC\t[2]id\t[3]sample\t[4]nRefHom\t[5]nNonRefHom\t[6]nHets\t[7]nTransitions\t[8]nTransversions\t[9]nIndels\t[10]average depth\t[11]nSingletons\t[12]nHapRef\t[13]nHapAlt\t[14]nMissing\n";
    for (id, set) in sets.iter().enumerate() {
        for (name, counts) in named(stats, set) {
            let depth = ratio(counts.depth, counts.with_depth);
            let before = [
                counts.reference_homozygous,
                counts.alternate_homozygous,
                counts.heterozygous,
                counts.transitions,
                counts.transversions,
                counts.indels,
            ];
            let after =
                [counts.singletons, counts.reference_haploid, counts.alternate_haploid, counts.missing];
            *out += &format!("PSC\t{id}\t{name}{}\t{depth:.1}{}\n", columns(&before), columns(&after));
        }
    }
    *out += "# PSI, Per-Sample Indels. Note that alt-het genotypes with both ins and del allele are counted twice, in both nInsHets and nDelHets.\n\
        # PSI\t[2]id\t[3]sample\t[4]in-frame\t[5]out-frame\t[6]not applicable\t[7]out/(in+out) ratio\t[8]nInsHets\t[9]nDelHets\t[10]nInsAltHoms\t[11]nDelAltHoms\n";
    for (id, set) in sets.iter().enumerate() {
        for (name, counts) in named(stats, set) {
            let has_exons = stats.options.exons.is_some();
            let [not_applicable, inside, outside] = if has_exons { counts.frames } else { [0; 3] };
            let framed = inside + outside;
            let share = if framed == 0 { 0.0 } else { outside as f64 / framed as f64 };
            let zygosities = [
                counts.inserted.heterozygous,
                counts.deleted.heterozygous,
                counts.inserted.homozygous,
                counts.deleted.homozygous,
            ];
            let frames = columns(&[inside, outside, not_applicable]);
            *out += &format!("PSI\t{id}\t{name}{frames}\t{share:.2}{}\n", columns(&zygosities));
        }
    }
}

fn columns(counts: &[u64]) -> String {
    counts.iter().map(|count| format!("\t{count}")).collect()
}

fn heterozygosity(stats: &Stats, sets: &[Set], out: &mut String) {
    *out += "# HWE\n# HWE\t[2]id\t[3]1st ALT allele frequency\t[4]Number of observations\t[5]25th percentile\t[6]median\t[7]75th percentile\n";
    for (id, set) in sets.iter().enumerate() {
        let Some(samples) = &set.samples else { continue };
        let mut by_frequency = std::collections::BTreeMap::new();
        for (&(frequency, share), &count) in &samples.heterozygosity {
            // Singletons count with the first bin.
            let counts = by_frequency.entry(frequency.max(1)).or_insert([0u64; HET_BINS]);
            counts[share] += count;
        }
        for (bin, counts) in by_frequency {
            let total: u64 = counts.iter().sum();
            let frequency = stats.frequencies.value(bin);
            *out += &format!("HWE\t{id}\t{frequency:.6}\t{total}");
            for quantile in [0.25, 0.5, 0.75] {
                let mut below = 0;
                let place = counts.iter().position(|count| {
                    below += count;
                    f64::from(below as f32 / total as f32) >= quantile
                });
                let share = place.unwrap_or(HET_BINS - 1) as f32 / HET_BINS as f32;
                *out += &format!("\t{share:.6}");
            }
            out.push('\n');
        }
    }
}

fn fractions(stats: &Stats, sets: &[Set], out: &mut String) {
    *out += "# VAF, Variant Allele Frequency determined as fraction of alternate reads in FORMAT/AD\n\
        # VAF\t[2]id\t[3]sample\t[4]SNV VAF distribution\t[5]indel VAF distribution\n";
    let list = |counts: &[u64; FRACTION_BINS]| counts.map(|count| count.to_string()).join(",");
    for (id, set) in sets.iter().enumerate() {
        let fractions = set.samples.iter().flat_map(|samples| &samples.fractions);
        for (name, fractions) in stats.options.samples.iter().zip(fractions) {
            let (snps, others) = (list(&fractions.snps), list(&fractions.others));
            *out += &format!("VAF\t{id}\t{name}\t{snps}\t{others}\n");
        }
    }
}
