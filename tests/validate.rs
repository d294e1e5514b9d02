//! `norn variants validate`: for each rule records and lines that break it and others that come near. What is right follows
//! from the text of the specification; where that is silent, the case says so.

mod common;

use std::fs;

use common::*;

const HEADER: &str = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n";
const INFO: &str = "##INFO=<ID=X,Number=1,Type=Integer,Description=\"\">\n\
    ##INFO=<ID=XA,Number=A,Type=Float,Description=\"\">\n\
    ##INFO=<ID=XR,Number=R,Type=Character,Description=\"\">\n\
    ##FORMAT=<ID=Y,Number=2,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description=\"\">\n";

/// The rules that a text breaks, each once, in the order in which it prints them.
fn broken(text: &[u8], options: &[&str]) -> (i32, Vec<String>) {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("in.vcf");
    fs::write(&path, text).expect("input");
    let file = path.to_str().expect("UTF-8");
    let output = norn(&[&["variants", "validate", "--show", "0"], options, &[file]].concat());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let rules = said.lines().filter_map(|line| Some(line.split_once('\t')?.1.split('\t').next()?.to_owned()));
    (output.status.code().expect("code"), rules.collect())
}

fn with_meta(version: &str, meta: &str) -> String {
    format!("##fileformat=VCFv{version}\n{meta}{HEADER}")
}

fn assert_breaks(text: &str, rule: &str) {
    let (code, rules) = broken(text.as_bytes(), &[]);
    let expected: Vec<&str> = if rule.is_empty() { Vec::new() } else { vec![rule] };
    assert_eq!(
        (code, rules),
        (if rule.is_empty() { 0 } else { 3 }, expected.iter().map(|r| r.to_string()).collect()),
        "{text}"
    );
}

#[test]
fn meta_lines() {
    for (version, line, rule) in [
        ("4.3", "##a=b", ""),
        ("4.3", "##a", "meta-form"),
        ("4.3", "##a=", "meta-form"),
        ("4.3", "a=b", "meta-form"),
        ("4.3", "##fileformat=VCFv4.3", "fileformat"),
        ("4.3", "##x=<ID=1,Description=\"a, \\\"b\\\"\">", ""),
        ("4.3", "##x=<ID=1,Description=\"a", "meta-structure"),
        ("4.3", "##INFO=<ID=A,Number=1,Type=Float,Description=\"\"", "meta-structure"),
        ("4.3", "##INFO=<ID=A,Number=1,Type=Float,Description=\"a\"b\">", "meta-structure"),
        ("4.3", "##INFO=<ID=A,Number=1,Type=Float,Description=a>", "meta-description"),
        ("4.3", "##INFO=<Number=1,ID=A,Type=Float,Description=\"\">", "meta-fields"),
        ("4.3", "##INFO=<ID=1A,Number=1,Type=Float,Description=\"\">", "meta-id"),
        ("4.2", "##INFO=<ID=1A,Number=1,Type=Float,Description=\"\">", ""),
        ("4.3", "##INFO=<ID=A,Number=B,Type=Float,Description=\"\">", "meta-number"),
        ("4.1", "##INFO=<ID=A,Number=R,Type=Float,Description=\"\">", "meta-number"),
        ("4.2", "##INFO=<ID=A,Number=R,Type=Float,Description=\"\">", ""),
        ("4.4", "##FORMAT=<ID=A,Number=LA,Type=Float,Description=\"\">", "meta-number"),
        ("4.5", "##FORMAT=<ID=A,Number=LA,Type=Float,Description=\"\">", ""),
        ("4.3", "##INFO=<ID=A,Number=1,Type=Text,Description=\"\">", "meta-type"),
        ("4.3", "##FORMAT=<ID=A,Number=0,Type=Flag,Description=\"\">", "meta-type"),
        ("4.3", "##INFO=<ID=AC,Number=1,Type=Integer,Description=\"\">", "meta-reserved"),
        ("4.3", "##FORMAT=<ID=GQ,Number=1,Type=Float,Description=\"\">", "meta-reserved"),
        ("4.3", "##FORMAT=<ID=AD,Number=.,Type=Integer,Description=\"\">", "meta-reserved"),
        ("4.2", "##FORMAT=<ID=AD,Number=.,Type=Integer,Description=\"\">", ""),
        ("4.3", "##FILTER=<ID=q,Description=\"\">\n##FILTER=<ID=q,Description=\"\">", "meta-duplicate"),
        ("4.3", "##FILTER=<ID=a;b,Description=\"\">", "meta-id"),
        ("4.3", "##contig=<length=5>", "meta-fields"),
        ("4.3", "##contig=<ID=a b>", "meta-id"),
        ("4.3", "##contig=<ID=HLA-A*01:01>", ""),
        ("4.2", "##contig=<ID=HLA-A*01:01>", "meta-id"),
        ("4.2", "##ALT=<ID=MINE,Description=\"\">", "meta-id"),
        ("4.3", "##ALT=<ID=MINE,Description=\"\">", ""),
        ("4.3", "##ALT=<ID=MINE:SUB,Description=\"\">", "meta-id"),
        ("4.3", "##ALT=<ID=DEL:ME,Description=\"\">", ""),
        ("4.3", "##META=<ID=Assay,Number=.,Type=String,Values=[A, B]>", ""),
        ("4.3", "##META=<ID=Assay,Number=.,Type=String,Values=A>", "meta-fields"),
        ("4.3", "##SAMPLE=<Assay=A>", "meta-fields"),
        ("4.3", "##PEDIGREE=<ID=a,Father=b c>", "meta-id"),
        ("4.3", "##assembly=ftp://a.org/b.fa", ""),
        ("4.3", "##assembly=ftp://8080:8080/b.fa", "meta-url"),
        ("4.3", "##pedigreeDB=<>", "meta-url"),
    ] {
        assert_breaks(&with_meta(version, &format!("{line}\n")), rule);
    }
}

#[test]
fn the_file_as_a_whole() {
    for (text, rule) in [
        ("##fileformat=VCFv4.6\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "fileformat"),
        ("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", "fileformat"),
        ("##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\n", "header-line"),
        ("##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\n", "header-line"),
        ("##fileformat=VCFv4.3\n", "header-line"),
        ("", "header-line"),
        (
            "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\ta\n",
            "sample-name",
        ),
        ("##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", "last-line"),
        ("##fileformat=VCFv4.3\r\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\r\n", ""),
    ] {
        assert_breaks(text, rule);
    }
}

#[test]
fn records() {
    let genotypes = "GT\t0/1\t0/0";
    for (version, record, rule) in [
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\t.\t{genotypes}"), ""),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1".to_owned(), "columns"),
        ("4.3", format!("chr,1\t5\t.\tA\tC\t.\t.\t.\t{genotypes}"), "chrom"),
        ("4.2", format!("a:1\t5\t.\tA\tC\t.\t.\t.\t{genotypes}"), "chrom"),
        ("4.3", format!("<1>\t0\t.\tA\tC\t.\t.\t.\t{genotypes}"), ""),
        ("4.3", format!("1\t-5\t.\tA\tC\t.\t.\t.\t{genotypes}"), "pos"),
        ("4.3", format!("1\t.\t.\tA\tC\t.\t.\t.\t{genotypes}"), "pos"),
        ("4.3", format!("1\t5\ta;a\tA\tC\t.\t.\t.\t{genotypes}"), "id"),
        ("4.3", format!("1\t5\t;a\tA\tC\t.\t.\t.\t{genotypes}"), "id"),
        ("4.3", format!("1\t5\t.\tA,C\tG\t.\t.\t.\t{genotypes}"), "ref"),
        ("4.3", format!("1\t5\t.\tacgtn\tC\t.\t.\t.\t{genotypes}"), ""),
        ("4.3", format!("1\t5\t.\tA\tU\t.\t.\t.\t{genotypes}"), "alt"),
        ("4.3", format!("1\t5\t.\tA\tC,\t.\t.\t.\t{genotypes}"), "alt"),
        ("4.3", format!("1\t5\t.\tA\t<A>B>\t.\t.\t.\t{genotypes}"), "alt"),
        ("4.3", format!("1\t5\t.\tA\t[1:5[\t.\t.\t.\t{genotypes}"), "alt"),
        ("4.3", format!("1\t5\t.\tA\tA[1:5]\t.\t.\t.\t{genotypes}"), "alt"),
        ("4.3", format!("1\t5\t.\tA\tA[HLA-A*01:01:5[\t.\t.\t.\t{genotypes}"), ""),
        ("4.3", format!("1\t5\t.\tA\tA.\t.\t.\t.\t{genotypes}"), ""),
        ("4.3", format!("1\t5\t.\tA\tC\t-1\t.\t.\t{genotypes}"), "qual"),
        ("4.3", format!("1\t5\t.\tA\tC\tx\t.\t.\t{genotypes}"), "qual"),
        ("4.3", format!("1\t5\t.\tA\tC\t+Inf\t.\t.\t{genotypes}"), ""),
        ("4.3", format!("1\t5\t.\tA\tC\t.\tq;.\t.\t{genotypes}"), "filter"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t0\t.\t{genotypes}"), "filter"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\tq;q\t.\t{genotypes}"), "filter"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tX=1;X=2\t{genotypes}"), "info-key"),
        ("4.2", format!("1\t5\t.\tA\tC\t.\t.\tZ=a b\t{genotypes}"), "info-key"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tZ=a b\t{genotypes}"), ""),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tX=1.5\t{genotypes}"), "info-type"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tX=2147483648\t{genotypes}"), "info-type"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tX=.\t{genotypes}"), ""),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tX=\t{genotypes}"), "info-type"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tDB=2\t{genotypes}"), "info-type"),
        ("4.3", format!("1\t5\t.\tA\tC,G\t.\t.\tXA=1\t{genotypes}"), "info-number"),
        ("4.3", format!("1\t5\t.\tA\tC,G\t.\t.\tXR=a,b,c\t{genotypes}"), ""),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tAC=1,2\t{genotypes}"), "info-number"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tDP=-1\t{genotypes}"), "info-range"),
        ("4.3", format!("1\t5\t.\tA\tC\t.\t.\tCIGAR=M1\t{genotypes}"), "info-range"),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tDP:GT\t1:0/1\t1:0/0".to_owned(), "format-key"),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tDP:DP\t1:1\t1:1".to_owned(), "format-key"),
        ("4.2", "1\t5\t.\tA\tC\t.\t.\t.\tMIN_DP\t1\t1".to_owned(), ""),
        ("4.2", "1\t5\t.\tA\tC\t.\t.\t.\tMAX_DP\t1\t1".to_owned(), "format-key"),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1:5\t0/0".to_owned(), "sample-fields"),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/2\t0/0".to_owned(), "genotype"),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/|1\t0/0".to_owned(), "genotype"),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tGT\t|0/1\t0/0".to_owned(), "genotype"),
        ("4.4", "1\t5\t.\tA\tC\t.\t.\t.\tGT\t|0/1\t0/0".to_owned(), ""),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tGT:DP\t0/1:x\t0/0".to_owned(), "sample-type"),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tY\t1,2\t1".to_owned(), "sample-number"),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tGT:PL\t1:1,2\t0/0/1:1,2,3,4".to_owned(), ""),
        ("4.3", "1\t5\t.\tA\tC\t.\t.\t.\tGT:PL\t1:1,2,3\t0/0:1,2,3".to_owned(), "sample-number"),
        ("4.5", "1\t5\t.\tA\tC,G\t.\t.\t.\tLAA:LAD\t2:1,2\t:3".to_owned(), ""),
        ("4.5", "1\t5\t.\tA\tC,G\t.\t.\t.\tLAA:LAD\t2:1,2,3\t:3".to_owned(), "sample-number"),
    ] {
        assert_breaks(&format!("{}{record}\n", with_meta(version, INFO)), rule);
    }
}

#[test]
fn order_and_duplicates() {
    let record = |(contig, position, reference, alt): &(&str, u64, &str, &str)| {
        format!("{contig}\t{position}\t.\t{reference}\t{alt}\t.\t.\t.\tGT\t0/1\t0/0\n")
    };
    for (records, rule) in [
        (&[("1", 5, "A", "C"), ("1", 5, "A", "G"), ("2", 1, "A", "C")][..], ""),
        (&[("1", 5, "A", "C"), ("1", 4, "A", "G")], "sorted"),
        (&[("1", 5, "A", "C"), ("2", 5, "A", "C"), ("1", 6, "A", "C")], "contiguous"),
        (&[("1", 5, "A", "C"), ("1", 5, "A", "C")], "duplicate"),
        (&[("1", 5, "A", "C"), ("1", 5, "A", "G,C")], "duplicate"),
        (&[("1", 5, "TAT", "TGT"), ("1", 6, "A", "G")], "duplicate"),
        (&[("1", 5, "A", "<DEL>"), ("1", 5, "A", "<DEL>")], ""),
    ] {
        let records: String = records.iter().map(record).collect();
        assert_breaks(&format!("{}{records}", with_meta("4.3", "")), rule);
    }
}

#[test]
fn all_is_counted_the_first_is_shown_and_rules_can_be_left_out() {
    let mut text = with_meta("4.3", "");
    for position in (1..=30).rev() {
        text += &format!("1\t{position}\t.\tA\tC\tx\t.\t.\tGT\t0/1\t0/0\n");
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("in.vcf");
    fs::write(&path, &text).expect("input");
    let file = path.to_str().expect("UTF-8");
    let output = norn(&["variants", "validate", "--show", "2", file]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines[0].contains("line 3: qual") && lines[1].contains("line 4: qual"), "{said}");
    assert!(lines[2].starts_with("30\tqual\t") && lines[3].starts_with("29\tsorted\t"), "{said}");
    assert_eq!(broken(text.as_bytes(), &["--allow", "qual,sorted"]), (0, Vec::new()));
    assert_eq!(norn(&["variants", "validate", "--allow", "nothing", file]).status.code(), Some(2));
    assert_eq!(norn(&["variants", "validate", "nowhere.vcf"]).status.code(), Some(3));
    // Compressed as it comes, and our own files.
    for name in ["sites.vcf.gz", "trio.truth.vcf.gz"] {
        let file = root().join("testdata").join(name);
        norn_ok(&["variants", "validate", file.to_str().expect("UTF-8")]);
    }
}

/// The text as BCF, not compressed.
fn binary(text: &str) -> Vec<u8> {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("in.vcf");
    fs::write(&path, text).expect("input");
    norn_ok(&["variants", "view", "--quiet", "--no-version", "-Ou", path.to_str().expect("UTF-8")]).stdout
}

/// Where the records of a BCF begin (VCF specification, section 6.2: magic, length of the header, header).
fn body(bytes: &[u8]) -> usize {
    9 + u32::from_le_bytes(bytes[5..9].try_into().expect("four bytes")) as usize
}

#[test]
fn a_bcf_is_held_against_the_rules_of_text() {
    let meta = format!(
        "{INFO}##contig=<ID=1>\n##contig=<ID=2>\n##FILTER=<ID=q,Description=\"\">\n\
        ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
        ##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"\">\n"
    );
    for (records, rule) in [
        (&["1\t5\ta;b\tA\tC,<DEL>\t30\tq\tX=1;XA=0.5,1\tGT:DP\t0/1:5\t.:."][..], ""),
        (&["1\t5\t.\tA\tC\t-1\t.\t.\tGT\t0/1\t0/0"], "qual"),
        (&["1\t5\t.\tA\tC,G\t.\t.\tXA=1\tGT\t0/1\t0/0"], "info-number"),
        (&["1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/2\t0/0"], "genotype"),
        (&["1\t5\t.\tA\tC\t.\t.\t.\tDP:GT\t1:0/1\t2:0/0"], "format-key"),
        (&["1\t5\t.\tA\tC\t.\t.\t.\tY\t1,2\t1"], "sample-number"),
        (&["1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0", "1\t4\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0"], "sorted"),
        (&["1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0", "1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/0"], "duplicate"),
    ] {
        let records: String = records.iter().map(|record| format!("{record}\n")).collect();
        let text = format!("{}{records}", with_meta("4.3", &meta));
        let expected: Vec<String> = (!rule.is_empty()).then(|| rule.to_owned()).into_iter().collect();
        let code = if rule.is_empty() { 0 } else { 3 };
        assert_eq!(broken(&binary(&text), &[]), (code, expected), "{records}");
        // The same as text; and a line of it is the BCF's.
        assert_breaks(&text, rule);
    }
}

#[test]
fn a_bcf_has_rules_of_its_own() {
    let meta = "##contig=<ID=1>\n##FILTER=<ID=q,Description=\"\">\n\
        ##INFO=<ID=X,Number=1,Type=Integer,Description=\"\">\n\
        ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n";
    let text = format!("{}1\t5\t.\tA\tC\t.\t.\tX=7\tGT\t0/1\t0/0\n", with_meta("4.3", meta));
    let sound = binary(&text);
    let body = body(&sound);
    let find = |bytes: &[u8]| {
        let at = sound[body..].windows(bytes.len()).position(|window| window == bytes);
        body + at.expect("the bytes are there")
    };
    // By section 6.3: a typed key (one int8), then the value X=7 as one int8.
    let value = find(&[0x11, 7]);
    let patched = |at: usize, byte: u8| {
        let mut bytes = sound.clone();
        bytes[at] = byte;
        bytes
    };
    let text_of = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at =
            sound.windows(from.len()).position(|window| window == from.as_bytes()).expect("in the header");
        [&sound[..at], to.as_bytes(), &sound[at + to.len()..]].concat()
    };
    for (bytes, rule, what) in [
        (sound.clone(), "", "sound"),
        (patched(4, 9), "bcf-record", "another version"),
        (sound[..sound.len() - 1].to_vec(), "bcf-record", "cut within a record"),
        (sound[..body + 5].to_vec(), "bcf-record", "cut within the lengths"),
        (sound[..body - 3].to_vec(), "bcf-record", "cut within the header"),
        (patched(body + 8, 9), "bcf-dictionary", "contig 9"),
        (patched(value - 1, 99), "bcf-dictionary", "INFO 99"),
        (patched(value, 0x14), "bcf-record", "type 4"),
        (patched(value, 0x17), "bcf-type", "text for an integer"),
        // Samples are the three lower bytes behind the counts of alleles and INFO.
        (patched(body + 28, 3), "bcf-samples", "three samples"),
        (text_of("ID=X,", "ID=Z,"), "", "another name for the number"),
        (text_of("IDX=2", "IDX=1"), "bcf-dictionary", "two names for a number"),
    ] {
        let (code, rules) = broken(&bytes, &[]);
        let expected = usize::from(!rule.is_empty());
        assert!(
            rules.iter().any(|found| found == rule) || expected == 0 && rules.is_empty(),
            "{what}: {rules:?}"
        );
        assert_eq!(code, if expected == 0 { 0 } else { 3 }, "{what}");
    }
    // Compressed as it comes.
    for name in ["sites.vcf.gz", "trio.truth.vcf.gz"] {
        let directory = tempfile::tempdir().expect("temporary directory");
        let packed = directory.path().join("packed.bcf");
        let (from, to) = (root().join("testdata").join(name), packed.to_str().expect("UTF-8"));
        norn_ok(&["variants", "view", "--quiet", "-Ob", "-o", to, from.to_str().expect("UTF-8")]);
        norn_ok(&["variants", "validate", to]);
    }
}
