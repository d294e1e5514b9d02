//! Selenocysteine: a stop codon within a coding region that is none, by the lines of RefSeq, GENCODE and Ensembl. What is held to
//! is worked out by hand from the bases: Ensembl VEP knows such codons from its caches only, not from gene files.

mod common;

use std::fs;

use common::genes::annotated;
use common::variant_files::utf8;

/// Met Ala Sec Lys Asp and the stop.
const CODED: &str = "ATGGCTTGAAAAGATTAA";
/// Read on behind the stop: Val Ala and a stop; a base further on a stop at once.
const BEHIND: &str = "GTAGCCTGATTTTTTTTTTT";
const BEFORE: &str = "CCCCCCCCCCCCCCCCCCCC";
const INTRON: &str = "GTAAGTCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCTTTTTTTTCCCCAG";

/// First coding base, reference, alternate; consequence, amino acids, protein.
const CASES: [(usize, &str, &str, &str, &str, &str); 15] = [
    (9, "A", "G", "missense_variant", "U/W", "p.Sec3Trp"),
    (9, "A", "C", "missense_variant", "U/C", "p.Sec3Cys"),
    (8, "G", "A", "stop_gained", "U/*", "p.Sec3Ter"),
    (7, "T", "C", "missense_variant", "U/R", "p.Sec3Arg"),
    (6, "T", "C", "synonymous_variant", "A", "p.Ala2="),
    (5, "C", "A", "missense_variant", "A/D", "p.Ala2Asp"),
    (1, "A", "G", "start_lost", "M/V", "p.Met1?"),
    (6, "T", "TAAC", "inframe_insertion", "-/N", "p.Ala2_Sec3insAsn"),
    (6, "T", "TTAA", "stop_gained&inframe_insertion", "-/*", "p.Ala2_Sec3insTer"),
    // The name is of the place furthest to the 3' end.
    (6, "T", "TTGA", "stop_gained&inframe_insertion", "-/*", "p.Sec3_Lys4insTer"),
    // What is lost is found again further on: HGVS names the last of them.
    (9, "AAAA", "A", "inframe_deletion", "K/-", "p.Lys4del"),
    (9, "AA", "A", "frameshift_variant", "K/X", "p.Asp5IlefsTer3"),
    (4, "GC", "G", "frameshift_variant", "A/X", "p.Ala2ValfsTer6"),
    (17, "A", "C", "stop_lost", "*/S", "p.Ter6SerextTer3"),
    (16, "T", "C", "stop_lost", "*/Q", "p.Ter6GlnextTer3"),
];
/// Over the whole codon, which stays as it is; only without the intron.
const WHOLE: (usize, &str, &str, &str, &str, &str) =
    (6, "TTGAA", "CTGAC", "missense_variant", "AUK/AUQ", "p.Lys4Gln");

fn complement(bases: &str) -> String {
    let one = |base| match base {
        'A' => 'T',
        'C' => 'G',
        'G' => 'C',
        'T' => 'A',
        other => other,
    };
    bases.chars().rev().map(one).collect()
}

struct Gene {
    contig: String,
    /// 1-based place of each coding base, before the strand is chosen.
    places: Vec<usize>,
    is_reverse: bool,
}

impl Gene {
    fn new(with_intron: bool, is_reverse: bool) -> Self {
        // The intron parts the codon.
        let intron = if with_intron { INTRON } else { "" };
        let (first, second) = CODED.split_at(8);
        let contig = [BEFORE, first, intron, second, BEHIND].concat();
        let place = |at: usize| BEFORE.len() + at + 1 + if at < 8 { 0 } else { intron.len() };
        let contig = if is_reverse { complement(&contig) } else { contig };
        Self { contig, places: (0..CODED.len()).map(place).collect(), is_reverse }
    }

    /// A range of coding bases (from 1) on the contig.
    fn range(&self, from: usize, to: usize) -> (usize, usize) {
        let (start, end) = (self.places[from - 1], self.places[to - 1]);
        match self.is_reverse {
            true => (self.contig.len() + 1 - end, self.contig.len() + 1 - start),
            false => (start, end),
        }
    }

    fn exons(&self) -> Vec<(usize, usize)> {
        let length = self.contig.len();
        let is_parted = self.places[8] - self.places[7] > 1;
        let exons =
            if is_parted { vec![(1, self.places[7]), (self.places[8], length)] } else { vec![(1, length)] };
        let turned = |(start, end): (usize, usize)| (length + 1 - end, length + 1 - start);
        if self.is_reverse { exons.into_iter().map(turned).collect() } else { exons }
    }

    /// The coding parts, each with its phase.
    fn parts(&self) -> Vec<((usize, usize), u8)> {
        match self.exons().len() {
            1 => vec![(self.range(1, 18), 0)],
            _ => vec![(self.range(1, 8), 0), (self.range(9, 18), 1)],
        }
    }

    fn codon(&self) -> Vec<(usize, usize)> {
        match self.exons().len() {
            1 => vec![self.range(7, 9)],
            _ => vec![self.range(7, 8), self.range(9, 9)],
        }
    }

    fn strand(&self) -> &'static str {
        if self.is_reverse { "-" } else { "+" }
    }

    fn line(&self, kind: &str, (start, end): (usize, usize), phase: Option<u8>, attributes: &str) -> String {
        let phase = phase.map_or_else(|| ".".to_owned(), |phase| phase.to_string());
        format!("1\tx\t{kind}\t{start}\t{end}\t.\t{}\t{phase}\t{attributes}\n", self.strand())
    }

    fn refseq(&self) -> String {
        let whole = (1, self.contig.len());
        let mut text = self.line("mRNA", whole, None, "ID=rna-T;gbkey=mRNA;gene=G;transcript_id=T");
        for exon in self.exons() {
            text.push_str(&self.line("exon", exon, None, "ID=e;Parent=rna-T"));
        }
        let ranges: Vec<String> = self.codon().iter().map(|(start, end)| format!("{start}..{end}")).collect();
        let mut place = ranges.join("%2C");
        if ranges.len() > 1 {
            place = format!("join({place})");
        }
        if self.is_reverse {
            place = format!("complement({place})");
        }
        let attributes = format!("ID=c;Parent=rna-T;protein_id=P.1;transl_except=(pos:{place}%2Caa:Sec)");
        for (part, phase) in self.parts() {
            text.push_str(&self.line("CDS", part, Some(phase), &attributes));
        }
        text
    }

    fn gencode(&self) -> String {
        let whole = (1, self.contig.len());
        let mut text =
            self.line("transcript", whole, None, "ID=T;transcript_id=T;transcript_type=protein_coding");
        for exon in self.exons() {
            text.push_str(&self.line("exon", exon, None, "ID=e;Parent=T"));
        }
        for (part, phase) in self.parts() {
            text.push_str(&self.line("CDS", part, Some(phase), "ID=c;Parent=T;protein_id=P.1"));
        }
        for part in self.codon() {
            text.push_str(&self.line("stop_codon_redefined_as_selenocysteine", part, None, "ID=s;Parent=T"));
        }
        text
    }

    fn gtf(&self) -> String {
        let attributes =
            "gene_id \"G\"; transcript_id \"T\"; transcript_biotype \"protein_coding\"; protein_id \"P.1\";";
        let mut text = self.line("transcript", (1, self.contig.len()), None, attributes);
        for exon in self.exons() {
            text.push_str(&self.line("exon", exon, None, attributes));
        }
        for (part, phase) in self.parts() {
            text.push_str(&self.line("CDS", part, Some(phase), attributes));
        }
        for part in self.codon() {
            text.push_str(&self.line("Selenocysteine", part, None, attributes));
        }
        text
    }
}

#[test]
fn a_selenocysteine_is_an_amino_acid_in_every_form() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| utf8(&directory.path().join(name));
    for (with_intron, is_reverse) in [(false, false), (false, true), (true, false), (true, true)] {
        let gene = Gene::new(with_intron, is_reverse);
        fs::write(path("r.fa"), format!(">1\n{}\n", gene.contig)).expect("a reference");
        let _ = fs::remove_file(path("r.fa.fai"));
        let mut cases: Vec<_> = CASES.to_vec();
        if !with_intron {
            cases.push(WHOLE);
        }
        for (name, text) in [("a.gff3", gene.refseq()), ("b.gff3", gene.gencode()), ("c.gtf", gene.gtf())] {
            fs::write(path(name), text).expect("genes");
            for (at, reference, alternate, consequence, amino_acids, protein) in &cases {
                let to = at + reference.len() - 1;
                if with_intron && *at <= 8 && to > 8 {
                    continue;
                }
                let record = record(&gene, *at, reference, alternate);
                let vcf = format!(
                    "##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{record}\t.\t.\t.\n"
                );
                fs::write(path("in.vcf"), vcf).expect("VCF");
                let fields = "--fields=Consequence,Amino_acids,HGVSp";
                let ours = annotated(&path("r.fa"), &path(name), &path("in.vcf"), &[fields]);
                let entry = ours.trim_end().rsplit("CSQ=").next().unwrap_or_default();
                // Beside the splice site there are other terms, too.
                let entry = entry.replace("splice_region_variant&", "").replace("&splice_region_variant", "");
                let expected =
                    format!("{consequence}|{amino_acids}|P.1:{protein}").replace("p.Ala2=", "p.Ala2%3D");
                if !(with_intron && (7..=10).contains(at)) {
                    assert_eq!(entry, expected, "{name} {is_reverse} {at}{reference}>{alternate}");
                } else {
                    let tail = |text: &str| text.split_once('|').map(|(_, rest)| rest.to_owned());
                    assert_eq!(
                        tail(&entry),
                        tail(&expected),
                        "{name} {is_reverse} {at}{reference}>{alternate}"
                    );
                }
            }
        }
    }
}

/// CHROM to ALT of a change of coding bases.
fn record(gene: &Gene, at: usize, reference: &str, alternate: &str) -> String {
    let (start, _) = gene.range(at, at + reference.len() - 1);
    if !gene.is_reverse {
        return format!("1\t{start}\t.\t{reference}\t{alternate}");
    }
    let (turned, changed) = (complement(reference), complement(alternate));
    if reference.len() == alternate.len() {
        return format!("1\t{start}\t.\t{turned}\t{changed}");
    }
    // An indel has its base before it: the last one of ours goes, one more comes in front.
    let before = &gene.contig[start - 2..start - 1];
    let without = |bases: &str| bases[..bases.len() - 1].to_owned();
    format!("1\t{}\t.\t{before}{}\t{before}{}", start - 1, without(&turned), without(&changed))
}
