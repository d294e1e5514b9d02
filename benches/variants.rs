//! The inner loops of `norn variants`, each on made records in memory and with one thread: `cargo bench --bench variants`.
//! For norn beside bcftools see compare-variants.sh.

use std::fmt::Write as _;
use std::sync::Arc;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

use norn::formats::vcf::bcf::{Encoder, Scratch as Encoding};
use norn::formats::vcf::header::Header;
use norn::formats::vcf::record::Record;
use norn::records::expression::{Expression, Scratch};
use norn::records::pipeline::Revise;
use norn::variants::fill_tags::{FillOptions, FillTags, parse_tags};

fn main() {
    divan::main();
}

const RECORDS: usize = 1000;

/// A header and the lines of records of so many samples.
fn made(samples: usize) -> (Header, Vec<u8>) {
    let mut text = String::from("##fileformat=VCFv4.2\n##contig=<ID=chr1,length=1000000>\n");
    for (column, tag, number, kind) in [
        ("INFO", "AC", "A", "Integer"),
        ("INFO", "DP", "1", "Integer"),
        ("INFO", "FS", "1", "Float"),
        ("INFO", "MQ", "1", "Float"),
        ("INFO", "QD", "1", "Float"),
        ("FORMAT", "GT", "1", "String"),
        ("FORMAT", "AD", "R", "Integer"),
        ("FORMAT", "GQ", "1", "Integer"),
    ] {
        let _ = writeln!(text, "##{column}=<ID={tag},Number={number},Type={kind},Description=\"\">");
    }
    text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
    for sample in 0..samples {
        let _ = write!(text, "\tS{sample}");
    }
    text += "\n";
    let header = Header::parse(text.as_bytes()).expect("header");
    let mut lines = String::new();
    for i in 0..RECORDS {
        let _ = write!(
            lines,
            "chr1\t{}\trs{i}\tC\tT\t{}.5\tPASS\tAC={};DP={};FS=4.85{};MQ=59.96;QD=1{}.2\tGT:AD:GQ",
            100 * i + 1,
            i % 500,
            i % 7,
            20 + i % 30,
            i % 10,
            i % 10
        );
        for sample in 0..samples {
            let genotype = ["0/0", "0/1", "1/1", "./."][(i * 7 + sample * 13) % 11 % 4];
            let _ = write!(lines, "\t{genotype}:{},{}:{}", sample % 40, i % 40, (i + sample) % 100);
        }
        lines += "\n";
    }
    (header, lines.into_bytes())
}

fn records(lines: &[u8]) -> Vec<Record> {
    let batch = Arc::new(lines.to_vec());
    let mut from = 0;
    let ends = lines.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at);
    ends.map(|end| Record::of_batch(&batch, std::mem::replace(&mut from, end + 1)..end).expect("record"))
        .collect()
}

/// Lines to records: columns found, nothing copied.
#[divan::bench(args = [1, 100])]
fn parse(bencher: Bencher<'_, '_>, samples: usize) {
    let (_, lines) = made(samples);
    bencher.counter(BytesCount::new(lines.len())).bench(|| records(black_box(&lines)));
}

/// Four INFO tags looked up and compared.
#[divan::bench]
fn filter_on_info(bencher: Bencher<'_, '_>) {
    let (header, lines) = made(1);
    let records = records(&lines);
    let expression = Expression::compile("QD<2 || FS>60 || MQ<40 || DP<5", &header).expect("expression");
    let mut scratch = Scratch::default();
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        records.iter().filter(|record| expression.passes(record, &mut scratch).expect("values")).count()
    });
}

/// A FORMAT tag of each sample compared.
#[divan::bench]
fn filter_on_samples(bencher: Bencher<'_, '_>) {
    let (header, lines) = made(100);
    let records = records(&lines);
    let expression = Expression::compile("GT=\"het\" && FMT/GQ>20", &header).expect("expression");
    let mut scratch = Scratch::default();
    bencher.counter(ItemsCount::new(100 * RECORDS)).bench_local(|| {
        records.iter().filter(|record| expression.test(record, &mut scratch).expect("values").site).count()
    });
}

/// Genotypes counted and tags written.
#[divan::bench(args = [1, 100])]
fn fill_tags(bencher: Bencher<'_, '_>, samples: usize) {
    let (_, lines) = made(samples);
    let records = records(&lines);
    let tags = parse_tags(&["AN", "AC", "AF", "NS", "HWE", "ExcHet"]).expect("tags");
    let options =
        FillOptions { tags, custom: Vec::new(), groups: Vec::new(), drop_missing: false, ploidy: None };
    let step = FillTags::new(options, samples);
    bencher.counter(ItemsCount::new(samples * RECORDS)).with_inputs(|| records.clone()).bench_local_values(
        |mut records| {
            records.retain_mut(|record| step.revise(record).expect("genotypes"));
            records
        },
    );
}

/// Records to BCF.
#[divan::bench(args = [1, 100])]
fn encode_bcf(bencher: Bencher<'_, '_>, samples: usize) {
    let (header, lines) = made(samples);
    let records = records(&lines);
    let encoder = Encoder::new(&header);
    let (mut scratch, mut out) = (Encoding::default(), Vec::new());
    bencher.counter(BytesCount::new(lines.len())).bench_local(|| {
        out.clear();
        for record in &records {
            encoder.encode(record, &mut scratch, &mut out).expect("BCF");
        }
        out.len()
    });
}
