//! `aggregated_scores.txt`: the PGS Catalog Calculator's table of a line for each person and score.

use std::io::{self, Write};

use rayon::prelude::*;

use super::summed::Summed;
use crate::formats::genotypes::samples::SampleTable;

/// Rows that a thread writes at a time, about: 2 MB.
const ROWS: usize = 1 << 14;

/// Writes the line of names.
///
/// # Errors
/// The writer fails.
pub fn write_header(output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "sampleset\tFID\tIID\tPGS\tSUM\tDENOM\tAVG")
}

/// Writes the lines of the sums' samples: of each all scores, with their own counts (group n those of score n). FID is that of the
/// file, else IID.
///
/// # Errors
/// The writer fails.
pub fn write_rows(
    output: &mut dyn Write,
    sampleset: &str,
    samples: &SampleTable,
    names: &[String],
    sums: &dyn Summed,
) -> io::Result<()> {
    let numbers: Vec<usize> = sums.people().collect();
    // Rows of a batch are in memory: less people where there are many scores.
    let of_thread = (ROWS / names.len().max(1)).clamp(1, 64);
    for batch in numbers.chunks(of_thread * rayon::current_num_threads()) {
        let texts: Vec<String> =
            batch.par_iter().map(|sample| rows(sampleset, samples, names, sums, *sample)).collect();
        texts.iter().try_for_each(|text| output.write_all(text.as_bytes()))?;
    }
    Ok(())
}

fn rows(
    sampleset: &str,
    samples: &SampleTable,
    names: &[String],
    sums: &dyn Summed,
    sample: usize,
) -> String {
    let mut text = String::new();
    let Some(person) = samples.as_slice().get(sample) else { return text };
    let family = person.family.as_deref().unwrap_or(&person.individual);
    for (number, (name, sum)) in names.iter().zip(sums.of_person(sample)).enumerate() {
        let denominator = sums.denominator_of(number, sample).unwrap_or_default();
        let individual = &person.individual;
        text += &format!("{sampleset}\t{family}\t{individual}\t{name}\t{sum}\t{denominator}\t");
        // Nobody has a mean of nothing.
        if denominator > 0 {
            text += &(sum / denominator as f64).to_string();
        }
        text.push('\n');
    }
    text
}
