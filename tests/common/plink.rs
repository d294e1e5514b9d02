//! Filesets that plink2 makes, and what it makes them of.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use super::made::Random;

/// Runs plink2 in a directory.
pub fn plink2(directory: &Path, words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    let mut command = Command::new("plink2");
    let output = command.args(&words).current_dir(directory).output().expect("plink2 starts");
    assert!(output.status.success(), "plink2 {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A VCF of so many people: rare, common and swapped alleles, variants like the one before or its inverse, many alleles,
/// phase of none, some or all.
pub fn made_vcf(seed: u64, people: usize, variants: usize) -> String {
    let mut random = Random::new(seed);
    let mut text =
        "##fileformat=VCFv4.2\n##contig=<ID=1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n\
                    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
            .to_owned();
    (0..people).for_each(|person| write!(text, "\tp{person}").expect("string"));
    let mut before: Vec<(usize, usize)> = Vec::new();
    for variant in 0..variants {
        let alternates = [1, 1, 1, 2, 3, 5, 17, 19][random.below(8)];
        let per_mille = [1, 5, 30, 300, 500, 970, 998][random.below(7)];
        let missing = [0, 0, 5, 990][random.below(4)];
        let phased = [0, 50, 100][random.below(3)];
        let kind = random.below(4);
        let calls: Vec<(usize, usize)> = (0..people)
            .map(|person| {
                let mut allele = |before: usize| match kind {
                    0 if before < 2 && random.below(100) > 0 => before,
                    1 if before < 2 && random.below(100) > 0 => 1 - before,
                    _ if random.below(1000) < per_mille => 1 + random.below(alternates),
                    _ => 0,
                };
                let (a, b) = before.get(person).copied().unwrap_or((9, 9));
                (allele(a), allele(b))
            })
            .collect();
        let names: Vec<String> = (0..alternates).map(|n| format!("A{}", "CG".repeat(n + 1))).collect();
        write!(text, "\n1\t{}\tv{variant}\tA\t{}\t.\t.\t.\tGT", variant + 1, names.join(","))
            .expect("string");
        for (a, b) in &calls {
            if random.below(1000) < missing {
                text += "\t./.";
            } else {
                let separator = if random.below(100) < phased { '|' } else { '/' };
                write!(text, "\t{a}{separator}{b}").expect("string");
            }
        }
        before = calls;
    }
    text + "\n"
}
