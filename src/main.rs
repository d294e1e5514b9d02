//! `norn`.
use norn::qc::{
    Options,
    collector::{Collector, Context},
    pass,
    set::CollectorSet,
};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let file = norn::formats::alignment::AlignmentFile::open(args[1].as_ref(), None).expect("open");
    let n = file.header().contigs.len();
    let context = Context {
        header: file.header().clone(),
        reference: None,
        reference_contigs: vec![None; n],
        sorted: true,
        options: Options::default(),
    };
    let threads: usize = args[2].parse().expect("threads");
    let state: CollectorSet = if threads == 1 {
        pass::walk_whole(&file, &context, &|_, _| ()).expect("walk")
    } else {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        let shards = pass::shards(&file).expect("index");
        pass::walk_shards(&file, &context, &shards, &pool, &|_, _| ()).expect("walk")
    };
    let _ = CollectorSet::needs(&context);
    if let Some(st) = &state.stats {
        std::fs::write(
            "/tmp/o.stats",
            st.to_text(state.cycles.as_ref().expect("on"), &context).expect("text"),
        )
        .expect("w");
    }
    print!(
        "{}{}",
        state.flagstat.expect("on").to_text(),
        state.idxstats.expect("on").to_text(&context.header.contigs)
    );
}
