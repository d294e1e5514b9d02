//! The inner loops, each on the test data's BAM (testdata/child.bam, 55,393 records) in memory and with one thread:
//! `cargo bench --bench kernels`. For norn beside its peers see compare.sh.

use std::io::{Cursor, Write};
use std::path::Path;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

use norn::compute::exact::ExactSum;
use norn::formats::bam::Record;
use norn::formats::bam_reader::BamReader;
use norn::formats::bgzf::BlockReader;
use norn::formats::bgzf_writer::{BgzfWriter, Level};
use norn::formats::header::{Header, SortOrder};
use norn::qc::Options;
use norn::qc::collector::{Collector, Context, Stretch};
use norn::qc::cycles::Cycles;
use norn::qc::decode::Decoder;
use norn::qc::depth::Depth;

fn main() {
    divan::main();
}

/// The compressed bytes of the test data.
fn bam() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/child.bam");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The header, and the records of the first contig with all of its reads.
fn records() -> (Context, Vec<Vec<u8>>) {
    let (mut reader, header) = BamReader::of_stream(Cursor::new(bam())).expect("testdata");
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().expect("testdata") {
        if record.ref_id() == 0 {
            records.push(record.as_bytes().to_vec());
        }
    }
    (context(header), records)
}

/// A run without a reference that asks for the depth of every position.
fn context(header: Header) -> Context {
    Context {
        paths: Vec::new(),
        read_groups: Vec::new(),
        reference: None,
        reference_contigs: vec![None; header.contigs.len()],
        sorted: header.sort_order == SortOrder::Coordinate,
        header,
        options: Options { per_base: true, ..Options::default() },
    }
}

/// Walks the records as one stretch.
fn walk<C: Collector>(context: &Context, records: &[Vec<u8>]) -> C {
    let mut decoder = Decoder::new(context, C::needs(context));
    let mut state = C::new(context);
    state.enter(Stretch { contig: 0, start: 0, end: context.header.contigs[0].length }, context);
    for bytes in records {
        let record = Record::new(bytes).expect("testdata");
        state.observe(&decoder.decode(record, 0, context).expect("testdata"));
    }
    state.leave(context).expect("no reference");
    state
}

/// Blocks inflated and checked.
#[divan::bench]
fn bgzf_inflate(bencher: Bencher) {
    let bam = bam();
    bencher.counter(BytesCount::of_slice(&bam)).bench(|| {
        let mut reader = BlockReader::new(&bam[..], 0);
        let mut block = Vec::new();
        while reader.append_block(&mut block).expect("testdata") {
            block.clear();
        }
        reader.offset()
    });
}

/// The same, and records walked.
#[divan::bench]
fn bgzf_inflate_and_bam_records(bencher: Bencher) {
    let bam = bam();
    bencher.counter(BytesCount::of_slice(&bam)).with_inputs(|| bam.clone()).bench_values(|bam| {
        let (mut reader, _) = BamReader::of_stream(Cursor::new(bam)).expect("testdata");
        let mut bases = 0;
        while let Some(record) = reader.next_record().expect("testdata") {
            bases += record.base_count();
        }
        bases
    });
}

/// Records decoded as far as counting by cycle needs it, and not counted.
#[divan::bench]
fn decode(bencher: Bencher) {
    let (context, records) = records();
    bencher.counter(ItemsCount::new(records.len())).bench(|| {
        let mut decoder = Decoder::new(&context, Cycles::needs(&context));
        for bytes in &records {
            let record = Record::new(bytes).expect("testdata");
            black_box(decoder.decode(record, 0, &context).expect("testdata").gc_count);
        }
    });
}

/// The same, and counted by cycle.
#[divan::bench]
fn decode_and_cycles(bencher: Bencher) {
    let (context, records) = records();
    bencher.counter(ItemsCount::new(records.len())).bench(|| walk::<Cycles>(&context, &records));
}

/// Records decoded, and runs of equal depth made of them.
#[divan::bench]
fn decode_and_depth_runs(bencher: Bencher) {
    let (context, records) = records();
    bencher.counter(ItemsCount::new(records.len())).bench(|| walk::<Depth>(&context, &records));
}

/// Blocks deflated as the files of intervals are.
#[divan::bench]
fn bgzf_deflate(bencher: Bencher) {
    let bam = bam();
    let mut reader = BlockReader::new(&bam[..], 0);
    let mut content = Vec::new();
    while reader.append_block(&mut content).expect("testdata") {}
    // Deflate is the slowest of all here: a part of the content says as much.
    content.truncate(2 << 20);
    bencher.counter(BytesCount::of_slice(&content)).bench(|| {
        let mut writer = BgzfWriter::new(Vec::new(), Level::default());
        writer.write_all(&content).and_then(|()| writer.finish()).expect("in memory");
        writer.into_inner()
    });
}

/// Reals of all sizes added up exactly.
#[divan::bench]
fn exact_sum(bencher: Bencher) {
    let values: Vec<f64> = (1..=10_000u32).map(|i| f64::from(i).powi(i as i32 % 40 - 20)).collect();
    bencher
        .counter(ItemsCount::new(values.len()))
        .bench(|| values.iter().copied().collect::<ExactSum>().value());
}
