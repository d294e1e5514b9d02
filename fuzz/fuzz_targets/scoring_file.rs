//! A scoring file of any bytes: it is refused, or has as many finite weights as rows.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use norn::genome::contigs::Build;
use norn::prs::score_table::{FirstLine, TableColumns};
use norn::prs::scoring_file::{Layout, Reading, parse};

fuzz_target!(|bytes: &[u8]| {
    let table = TableColumns { weights: vec![3, 5], first_line: FirstLine::Names, ..TableColumns::default() };
    for layout in [Layout::default(), Layout::Numbered(table)] {
        let reading = Reading { build: Some(Build::Grch38), layout };
        let Ok(file) = parse(&mut &bytes[..], Path::new("fuzz.txt"), &reading) else { continue };
        for score in &file.scores {
            assert_eq!(score.weights.len(), file.variants.len());
            assert!(score.weights.iter().all(|weight| weight.is_finite()));
        }
    }
});
