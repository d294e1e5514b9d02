//! What the report on two files has beyond that on one: both names, and how far their genotypes agree.

use super::Stats;
use super::concordance::{Agreement, Concordance, Dosages};

const COUNTS: &str = "RR Hom matches\t[A]RA Het matches\t[B]AA Hom matches\t[C]RR Hom mismatches\t[D]RA Het mismatches\t[E]AA Hom mismatches\t[F]dosage r-squared";

/// The letter and the name of the two kinds of sites.
const KINDS: [(char, &str); 2] = [('s', "SNPs"), ('i', "indels")];

/// The lines of both names; where sites follow, what these are.
pub(super) fn heading(first: &str, second: &str, with_sites: bool, out: &mut String) {
    *out += &format!("ID\t0\t{first}\nID\t1\t{second}\nID\t2\t{first}\t{second}\n");
    if with_sites {
        *out += &format!(
            "# Verbose per-site discordance output.\n\
            # PSD\t[2]CHROM\t[3]POS\t[4]Number of matches\t[5]Number of mismatches\t[6]NRD\n\
            # Verbose per-site and per-sample output. Genotype codes: 0:HomRefRef, 1:HomAltAlt, 2:HetAltRef, 3:HetAltAlt, 4:haploidRef, 5:haploidAlt\n\
            # DBG\t[2]CHROM\t[3]POS\t[4]Sample\t[5]GT in {first}\t[6]GT in {second}\n"
        );
    }
}

/// The lines on genotypes at sites that both have.
pub(super) fn genotypes(stats: &Stats, concordance: &Concordance, out: &mut String) {
    *out += &format!("SN\t2\tnumber of samples:\t{}\n", stats.options.samples.len());
    for (kind, bins) in KINDS.iter().zip(&concordance.by_frequency) {
        by_frequency(stats, *kind, bins, out);
    }
    for (kind, samples) in KINDS.iter().zip(&concordance.by_sample) {
        by_sample(stats, *kind, samples, out);
    }
    for (kind, samples) in KINDS.iter().zip(&concordance.by_sample) {
        table(stats, *kind, samples, out);
    }
}

/// The names of the columns of matches and mismatches, numbered from here on.
fn numbered(first: usize) -> String {
    let mut text = format!("[{first}]{COUNTS}");
    for (number, letter) in ('A'..='F').enumerate() {
        text = text.replace(&format!("[{letter}]"), &format!("[{}]", first + 1 + number));
    }
    text
}

/// Genotypes that match and that do not, by the first file's class, with neither missing.
fn matches_and_mismatches(agreement: &Agreement, classes: usize) -> ([u64; 4], [u64; 4]) {
    let (mut matches, mut mismatches) = ([0; 4], [0; 4]);
    for (class, counts) in agreement.pairs.iter().enumerate().take(classes) {
        let all: u64 = counts[..classes].iter().sum();
        matches[class] = counts[class];
        mismatches[class] = all - counts[class];
    }
    (matches, mismatches)
}

fn percent(of: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { of as f64 * 100.0 / all as f64 }
}

fn by_frequency(stats: &Stats, (letter, name): (char, &str), bins: &[Agreement], out: &mut String) {
    *out += &format!(
        "# GC{letter}AF, Genotype concordance by non-reference allele frequency ({name})\n\
        # GC{letter}AF\t[2]id\t[3]allele frequency\t{}\t[11]number of genotypes\n",
        numbered(4)
    );
    let (mut all_matches, mut all_mismatches) = ([0u64; 4], [0u64; 4]);
    for (number, bin) in bins.iter().enumerate() {
        let (matches, mismatches) = matches_and_mismatches(bin, 4);
        super::add(&mut all_matches, &matches);
        super::add(&mut all_mismatches, &mismatches);
        // Singletons stand in the first bin with their dosages alone, as in bcftools.
        if number == 0 || matches.iter().chain(&mismatches).sum::<u64>() == 0 {
            continue;
        }
        let dosages = if number == 1 { bin.dosages.with_singletons(&bins[0].dosages) } else { bin.dosages };
        let frequency = stats.frequencies.value(number);
        let [rr, ra, aa, _] = matches;
        let [not_rr, not_ra, not_aa, _] = mismatches;
        *out += &format!(
            "GC{letter}AF\t2\t{frequency:.6}\t{rr}\t{ra}\t{aa}\t{not_rr}\t{not_ra}\t{not_aa}\t{}\t{}\n",
            correlation(&dosages),
            dosages.count
        );
    }
    if letter == 's' {
        *out += "# NRD and discordance is calculated as follows:\n\
            #   m .. number of matches\n\
            #   x .. number of mismatches\n\
            #   NRD = 100 * (xRR + xRA + xAA) / (xRR + xRA + xAA + mRA + mAA)\n\
            #   RR discordance = 100 * xRR / (xRR + mRR)\n\
            #   RA discordance = 100 * xRA / (xRA + mRA)\n\
            #   AA discordance = 100 * xAA / (xAA + mAA)\n";
    }
    let mismatches: u64 = all_mismatches.iter().sum();
    let discordance = percent(mismatches, mismatches + all_matches[1..].iter().sum::<u64>());
    let of_class = |class: usize| percent(all_mismatches[class], all_mismatches[class] + all_matches[class]);
    *out += &format!(
        "# Non-Reference Discordance (NRD), {name}\n\
        # NRD{letter}\t[2]id\t[3]NRD\t[4]Ref/Ref discordance\t[5]Ref/Alt discordance\t[6]Alt/Alt discordance\n\
        NRD{letter}\t2\t{discordance:.6}\t{:.6}\t{:.6}\t{:.6}\n",
        of_class(0),
        of_class(1),
        of_class(2)
    );
}

/// As bcftools prints it: 0 where there is none.
fn correlation(dosages: &Dosages) -> String {
    dosages.r_squared().map_or("0".to_owned(), |r| format!("{r:.6}"))
}

fn by_sample(stats: &Stats, (letter, name): (char, &str), samples: &[Agreement], out: &mut String) {
    *out += &format!(
        "# GC{letter}S, Genotype concordance by sample ({name})\n\
        # GC{letter}S\t[2]id\t[3]sample\t[4]non-reference discordance rate\t{}\n",
        numbered(5)
    );
    for (sample, agreement) in stats.options.samples.iter().zip(samples) {
        let ([rr, ra, aa, _], mismatches) = matches_and_mismatches(agreement, 3);
        let all: u64 = mismatches.iter().sum();
        let discordance = percent(all, all + ra + aa);
        let [not_rr, not_ra, not_aa, _] = mismatches;
        *out += &format!(
            "GC{letter}S\t2\t{sample}\t{discordance:.3}\t{rr}\t{ra}\t{aa}\t{not_rr}\t{not_ra}\t{not_aa}\t{}\n",
            correlation(&agreement.dosages)
        );
    }
}

fn table(stats: &Stats, (letter, name): (char, &str), samples: &[Agreement], out: &mut String) {
    const CLASSES: [&str; 5] = ["RR Hom", "RA Het", "AA Hom", "AA Het", "missing"];
    *out += &format!("# GCT{letter}, Genotype concordance table ({name})\n# GCT{letter}\t[2]sample");
    for (number, (first, second)) in
        CLASSES.iter().flat_map(|first| CLASSES.iter().map(move |second| (first, second))).enumerate()
    {
        *out += &format!("\t[{}]{first} -> {second}", number + 3);
    }
    out.push('\n');
    for (sample, agreement) in stats.options.samples.iter().zip(samples) {
        *out += &format!("GCT{letter}\t{sample}");
        agreement.pairs.iter().flatten().for_each(|count| *out += &format!("\t{count}"));
        out.push('\n');
    }
}
