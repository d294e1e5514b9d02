//! VCFs and references that tests make: random variants in a genome full of repeats, and odd records.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A VCF, the reference of its variants, and transcripts on it.
pub struct Made {
    pub vcf: PathBuf,
    pub fasta: PathBuf,
    pub gff: PathBuf,
}

/// Random numbers that are the same on every machine (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    pub fn base(&mut self) -> char {
        ['A', 'C', 'G', 'T'][self.below(4)]
    }

    pub fn sequence(&mut self, length: usize) -> String {
        (0..length).map(|_| self.base()).collect()
    }
}

/// A contig in which stretches of random bases and short repeats take turns.
pub fn repeats(random: &mut Random, length: usize) -> String {
    let mut contig = String::new();
    while contig.len() < length {
        let plain = 5 + random.below(20);
        contig += &random.sequence(plain);
        let unit = 1 + random.below(4);
        let unit = random.sequence(unit);
        contig += &unit.repeat(2 + random.below(25));
    }
    contig.truncate(length);
    contig
}

const HEAD: &str = "##fileformat=VCFv4.2\n\
    ##FILTER=<ID=q10,Description=\"\">\n##FILTER=<ID=s50,Description=\"\">\n\
    ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"\">\n\
    ##INFO=<ID=AC,Number=A,Type=Integer,Description=\"\">\n\
    ##INFO=<ID=AF,Number=A,Type=Float,Description=\"\">\n\
    ##INFO=<ID=AD,Number=R,Type=Integer,Description=\"\">\n\
    ##INFO=<ID=GL0,Number=G,Type=Float,Description=\"\">\n\
    ##INFO=<ID=NAME,Number=A,Type=String,Description=\"\">\n\
    ##INFO=<ID=NAMES,Number=R,Type=String,Description=\"\">\n\
    ##INFO=<ID=DB,Number=0,Type=Flag,Description=\"\">\n\
    ##INFO=<ID=END,Number=1,Type=Integer,Description=\"\">\n\
    ##INFO=<ID=SVLEN,Number=A,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=VAF,Number=A,Type=Float,Description=\"\">\n\
    ##FORMAT=<ID=TXT,Number=A,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=PS,Number=1,Type=Integer,Description=\"\">\n";

fn write(directory: &Path, name: &str, contigs: &[String], samples: usize, rows: &str) -> Made {
    let mut fasta = String::new();
    let mut text = HEAD.to_owned();
    for (number, contig) in contigs.iter().enumerate() {
        writeln!(fasta, ">{number}\n{contig}").expect("string");
        writeln!(text, "##contig=<ID={number},length={}>", contig.len()).expect("string");
    }
    text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
    if samples > 0 {
        text += "\tFORMAT";
    }
    (0..samples).for_each(|sample| text += &format!("\ts{sample}"));
    text += "\n";
    text += rows;
    let path = |end: &str| directory.join(format!("{name}.{end}"));
    let made = Made { vcf: path("vcf"), fasta: path("fa"), gff: path("gff3") };
    fs::write(&made.vcf, text).expect("temporary file");
    fs::write(&made.fasta, fasta).expect("temporary file");
    made
}

/// A list of values made one by one.
fn list(count: usize, mut value: impl FnMut() -> String) -> String {
    (0..count).map(|_| value()).collect::<Vec<_>>().join(",")
}

/// Alternate alleles of a REF that begins at `at`: changed bases, repeats added or taken away, other sequences.
fn alternates(random: &mut Random, reference: &str) -> Vec<String> {
    let count = [1, 1, 1, 2, 2, 3][random.below(6)];
    let mut alleles = vec![reference.to_owned()];
    while alleles.len() <= count {
        let keep = 1 + random.below(reference.len());
        let inserted = 1 + random.below(4);
        let allele = match random.below(6) {
            0 | 1 => {
                let mut bases: Vec<char> = reference.chars().collect();
                let at = random.below(bases.len());
                bases[at] = random.base();
                bases.into_iter().collect()
            }
            2 => reference[..keep].to_owned(),
            3 => format!("{reference}{}", &reference[reference.len() - keep..]),
            4 => format!("{}{}{}", &reference[..keep], random.sequence(inserted), &reference[keep..]),
            _ => random.sequence(reference.len()),
        };
        if !alleles.contains(&allele) {
            alleles.push(allele);
        } else if random.below(8) == 0 && !alleles.contains(&"*".to_owned()) {
            alleles.push("*".into());
        }
    }
    alleles.split_off(1)
}

/// A genotype: diploid ones are phased now and then, and calls may be missing.
fn genotype(random: &mut Random, alleles: usize, is_haploid: bool, can_vary: bool) -> String {
    let mut call = || match random.below(12) {
        0 => ".".to_owned(),
        n => (n % alleles).to_string(),
    };
    if is_haploid {
        return if can_vary { call() } else { "0".into() };
    }
    let (first, second) = (call(), call());
    format!("{first}{}{second}", ["/", "/", "|"][random.below(3)])
}

/// Random records of three samples, the last one haploid, some of them at one position, over two contigs. Those to be
/// joined have no haploid calls that could contradict.
pub fn random(seed: u64, records: usize, is_joined: bool, directory: &Path) -> Made {
    let mut random = Random::new(seed);
    let contigs: Vec<String> = (0..2).map(|_| repeats(&mut random, 4000)).collect();
    let mut rows = String::new();
    for (number, contig) in contigs.iter().enumerate() {
        let mut positions: Vec<usize> =
            (0..records / 2).map(|_| 1 + random.below(contig.len() - 20)).collect();
        positions.sort_unstable();
        for position in positions {
            let length = [1, 1, 1, 2, 3, 5, 8][random.below(7)];
            let mut reference = contig[position - 1..position - 1 + length].to_owned();
            if random.below(25) == 0 {
                reference = random.sequence(length);
            }
            let alternates = alternates(&mut random, &reference);
            let alleles = 1 + alternates.len();
            let id = if random.below(3) == 0 { format!("rs{}", random.below(50)) } else { ".".into() };
            let filter = ["PASS", ".", "q10", "q10;s50"][random.below(4)];
            let quality = if random.below(5) == 0 { ".".into() } else { random.below(1000).to_string() };
            let mut info = vec![format!("DP={}", random.below(100))];
            info.push(format!("AC={}", list(alleles - 1, || random.below(6).to_string())));
            info.push(format!("AF={}", list(alleles - 1, || format!("0.{}", 1 + random.below(9)))));
            info.push(format!("AD={}", list(alleles, || random.below(60).to_string())));
            info.push(format!("NAME={}", list(alleles - 1, || random.sequence(2))));
            info.push(format!("NAMES={}", list(alleles, || random.sequence(1))));
            if random.below(4) == 0 {
                info.push("DB".into());
            }
            let mut samples = String::new();
            for sample in 0..3 {
                let is_haploid = sample == 2;
                let genotypes = if is_haploid { alleles } else { alleles * (alleles + 1) / 2 };
                let genotype = genotype(&mut random, alleles, is_haploid, !is_joined);
                let depths = list(alleles, || random.below(60).to_string());
                let likelihoods = list(genotypes, || random.below(300).to_string());
                let shares = list(alleles - 1, || format!("0.{}", 1 + random.below(9)));
                let texts = list(alleles - 1, || random.sequence(2));
                write!(samples, "\t{genotype}:{depths}:{}:{likelihoods}:{shares}:{texts}", random.below(90))
                    .expect("string");
            }
            writeln!(
                rows,
                "{number}\t{position}\t{id}\t{reference}\t{}\t{quality}\t{filter}\t{}\tGT:AD:DP:PL:VAF:TXT{samples}",
                alternates.join(","),
                info.join(";"),
            )
            .expect("string");
        }
    }
    write(directory, &format!("random{seed}"), &contigs, 3, &rows)
}

/// Records that are hand-made to be odd, on a reference with N, IUPAC letters and repeats.
pub fn odd(directory: &Path) -> Made {
    //            1         11        21        31        41        51        61        71        81
    let contig =
        "ACGTACGTTTAAAAAAAAAACACACACACAGTNNNNNNGTRYACGGGGGGTTTACTACTACTACTTGCAGCAGCAGGTACCATGATTTTTTC";
    let rows = [
        "0\t1\t.\tA\tAC\t.\t.\t.\t.\t.\t.",
        "0\t1\t.\tACGT\tA\t.\t.\t.\tGT\t0/1\t.",
        "0\t2\t.\tC\t.\t.\t.\t.\tGT\t0/0\t0",
        "0\t2\t.\tCGT\t.\t.\t.\tDP=3\tGT\t0/0\t0",
        "0\t3\tx;y\tG\tG\t.\tq10\t.\tGT\t0/1\t1",
        "0\t4\t.\tT\tT,C\t50\t.\tAC=1,2\tGT:AD\t0/2:1,2,3\t1|2:4,5,6",
        "0\t5\t.\tA\tC,*\t50\tPASS\tAC=1,2\tGT:AD:DP\t1/2:1,2,3:9\t./.:4,5,6:.",
        "0\t5\t.\ta\tc\t50\tPASS\tAC=1\tGT\t0/1\t1/1",
        "0\t6\t.\tC\t<NON_REF>\t.\t.\tEND=9\tGT:DP\t0/0:5\t0/0:7",
        "0\t6\t.\tC\tG,<NON_REF>\t3\t.\tDP=4\tGT:AD:PL\t0/1:3,4,0:9,0,9,8,8,8\t0/0:3,0,0:0,9,9,8,8,8",
        "0\t6\t.\tC\tG,<*>\t3\t.\tDP=4\tGT:AD\t0/1:3,4,0\t0/0:3,0,0",
        "0\t7\t.\tGTT\tG,GT,GTTT,CTT\t9.5\ts50\tAC=1,2,3,4;AF=0.1,0.2,.,0.4\tGT:AD:PL\t3|4:1,2,3,4,5:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\t2:5,4,3,2,1:5,4,3,2,1",
        "0\t15\t.\tAA\tA\t1\t.\t.\tGT\t0/1\t0|1",
        "0\t17\t.\tA\tAA,AAA\t2\t.\tAD=4,5,6\tGT:AD\t1/2:4,5,6\t1|2:.",
        "0\t20\t.\tACACA\tA\t3\tPASS\t.\tGT\t0/1\t0/1",
        "0\t22\t.\tACAC\tACACAC,AC\t3\tPASS\tDB;DP=7\tGT:PS\t1|2:20\t0|2:20",
        "0\t26\t.\tACA\tTCT\t3\tPASS\tDB\tGT\t1|0\t1/1",
        "0\t26\t.\tACA\tTCT,GCA,A\t3\tPASS\tAC=1,2,3\tGT:AD\t1|2:4,5,6,7\t3/1:1,1,1,1",
        "0\t33\t.\tN\tNN\t.\t.\t.\tGT\t0/1\t0/0/1",
        "0\t36\t.\tNN\tN\t.\t.\t.\tGT\t0/1\t0/0",
        "0\t39\t.\tG\t<DEL>\t.\t.\tEND=45;SVLEN=-6\tGT\t0/1\t0/0",
        "0\t41\t.\tR\tA\t.\t.\t.\tGT\t0/1\t1/0",
        "0\t42\t.\tN\tA\t.\t.\t.\tGT\t0/1\t1/0",
        "0\t43\t.\tA\tACRY\t.\t.\t.\tGT\t0/1\t1/0",
        "0\t45\t.\tG\tG[0:60[\t.\t.\t.\tGT\t0/1\t0/0",
        "0\t45\t.\tG\t]0:60]G,T\t.\t.\t.\tGT\t0/2\t0/1",
        "0\t48\t.\tG\t<DEL>\t.\t.\tEND=50;SVLEN=-2\tGT\t0/1\t0/0",
        "0\t52\t.\tT\tC\t5\tPASS\tDP=1\tGT\t0|1\t0/0",
        "0\t52\t.\tT\tG\t7\tq10\tDP=2\tGT\t1|0\t0/1",
        "0\t52\t.\tT\tTA\t6\ts50\tDP=3\tGT\t./.\t0/1",
        "0\t52\trs1\tTT\tT\t.\tPASS\tDP=3\tGT\t./.\t0/1",
        "0\t52\trs2;rs1\tTT\tGG\t.\tPASS\tDP=3\tGT\t./.\t0/1",
        "0\t52\trs1\tT\tC\t.\tPASS\tDP=4\tGT\t0|1\t0/0",
        "0\t60\t.\tC\tT,TACT\t.\tPASS\tDP=4\tGT\t0|1\t0/2",
        "0\t64\t.\tTGCAGCA\tTGCA\t.\tPASS\tDP=4\tGT\t0|1\t0/0",
        "0\t70\t.\tAGCAGG\tAGG,AGCAGCAGG,CGCAGG\t.\tPASS\tAC=3,4,5\tGT\t3|1\t0/2",
        "0\t75\t.\tG\tGGCA\t.\tPASS\tEND=75\tGT\t0|1\t0/0",
        "0\t84\t.\tATTT\tATT,AT,A\t.\tPASS\tEND=87\tGT\t1|3\t0/2",
        "0\t89\t.\tT\tTT\t.\t.\t.\tGT\t0/1\t0/0",
        "0\t90\t.\tC\tCTTTTT,G\t.\t.\t.\tGT\t0/1\t2/2",
    ];
    let mut rows = rows.join("\n");
    rows.push('\n');
    let made = write(directory, "odd", &[contig.to_owned()], 2, &rows);
    let feature = |start: usize, end: usize, strand: char, id: char| {
        format!(
            "0\tx\tmRNA\t{start}\t{end}\t.\t{strand}\t.\tID=transcript:{id};Parent=gene:{id};biotype=protein_coding\n\
            0\tx\tgene\t{start}\t{end}\t.\t{strand}\t.\tID=gene:{id};biotype=protein_coding\n\
            0\tx\texon\t{start}\t{end}\t.\t{strand}\t.\tParent=transcript:{id}\n"
        )
    };
    let gff = [feature(8, 30, '+', 'A'), feature(60, 72, '+', 'B'), feature(66, 80, '-', 'C')].concat();
    fs::write(&made.gff, gff).expect("temporary file");
    made
}

/// The header of [`genotyped`], up to its columns.
const GENOTYPED: &str = "##fileformat=VCFv4.2\n##FILTER=<ID=PASS,Description=\"All filters passed\">\n\
    ##contig=<ID=1,length=249250621>\n##contig=<ID=X,length=155270560>\n##contig=<ID=Y,length=59373566>\n\
    ##contig=<ID=MT,length=16569>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n\
    ##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"x\">\n\
    ##FORMAT=<ID=QS,Number=R,Type=Integer,Description=\"x\">\n\
    ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"x\">\n\
    ##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"x\">\n";

/// Records of samples with GT, PL, QS, AD and GQ.
pub fn genotyped(samples: &str, rows: &str) -> String {
    format!("{GENOTYPED}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}\n{rows}")
}

/// Random diploid genotypes with likelihoods, sums of qualities and depths, some of them of doubtful reads.
pub fn cohort(seed: u64, samples: usize, records: usize) -> String {
    let mut random = Random::new(seed);
    let mut rows = String::new();
    for contig in ["1", "X"] {
        for number in 0..records / 2 {
            let alternates = ["C", "G,T", "AC", "C,AT,<*>", "*,G"][random.below(5)];
            let alleles = 2 + alternates.matches(',').count();
            let (position, quality) = (3_000_000 + 10 * number, random.below(100));
            write!(rows, "{contig}\t{position}\t.\tA\t{alternates}\t{quality}\tPASS\t.\tGT:PL:QS:AD:GQ")
                .expect("string");
            for _ in 0..samples {
                let mut allele = || [0, 0, 0, 1, random.below(alleles)][random.below(5)];
                let (a, b) = (allele(), allele());
                let is_clear = random.below(4) > 0;
                let mut likelihoods = Vec::new();
                for greater in 0..alleles {
                    for lesser in 0..=greater {
                        let is_called = (greater, lesser) == (a.max(b), a.min(b));
                        let doubt = if is_clear { 20 + random.below(300) } else { random.below(30) };
                        likelihoods.push(if is_called { 0 } else { doubt }.to_string());
                    }
                }
                let mut depths = vec![0; alleles];
                (0..10 + random.below(30)).for_each(|read| depths[[a, b][read % 2]] += 1);
                depths[random.below(alleles)] += random.below(3);
                let qualities: Vec<String> =
                    depths.iter().map(|depth| (depth * (20 + random.below(15))).to_string()).collect();
                let depths: Vec<String> = depths.iter().map(ToString::to_string).collect();
                write!(
                    rows,
                    "\t{a}/{b}:{}:{}:{}:{}",
                    likelihoods.join(","),
                    qualities.join(","),
                    depths.join(","),
                    random.below(99)
                )
                .expect("string");
            }
            rows.push('\n');
        }
    }
    let names: Vec<String> = (0..samples).map(|number| format!("s{number}")).collect();
    genotyped(&names.join("\t"), &rows)
}
