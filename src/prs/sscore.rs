//! `.sscore` tables, as `plink2 --score cols=+denom,+scoresums` writes them.

use std::io::{self, Write};

use rayon::prelude::*;

use super::kernel::Sums;
use crate::formats::c_format;
use crate::formats::genotypes::samples::SampleTable;

/// Samples that are written at a time.
const BATCH: usize = 64;

/// Which columns a table has, beside identifiers and counts, and how numbers look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// A column `_AVG` for each score: the sum by its denominator.
    pub averages: bool,
    /// A column `_SUM` for each score.
    pub sums: bool,
    /// Significant digits; as few as tell the number from all others where there is no number of digits.
    pub digits: Option<usize>,
}

/// Writes the line of names.
///
/// # Errors
/// The writer fails.
pub fn write_header(
    output: &mut dyn Write,
    samples: &SampleTable,
    names: &[String],
    look: Look,
) -> io::Result<()> {
    let mut text = if samples.has_families { "#FID\tIID" } else { "#IID" }.to_owned();
    text += "\tALLELE_CT\tDENOM\tNAMED_ALLELE_DOSAGE_SUM";
    for (is_wanted, end) in [(look.averages, "_AVG"), (look.sums, "_SUM")] {
        for name in names.iter().filter(|_| is_wanted) {
            text.push('\t');
            text += name;
            text += end;
        }
    }
    text.push('\n');
    output.write_all(text.as_bytes())
}

/// Writes the samples of sums whose scores are all of the first group.
///
/// # Errors
/// The writer fails.
pub fn write_rows(output: &mut dyn Write, samples: &SampleTable, sums: &Sums, look: Look) -> io::Result<()> {
    let numbers: Vec<usize> = sums.samples().collect();
    for batch in numbers.chunks(BATCH * rayon::current_num_threads()) {
        let rows: Vec<Vec<u8>> = batch
            .par_iter()
            .map(|sample| {
                let mut row = Vec::new();
                // Writing into memory does not fail.
                let _ = write_row(&mut row, samples, sums, *sample, look);
                row
            })
            .collect();
        rows.iter().try_for_each(|row| output.write_all(row))?;
    }
    Ok(())
}

fn write_row(
    row: &mut Vec<u8>,
    samples: &SampleTable,
    sums: &Sums,
    sample: usize,
    look: Look,
) -> io::Result<()> {
    let (Some(of), Some(counts)) = (samples.as_slice().get(sample), sums.counts(0, sample)) else {
        return Ok(());
    };
    if samples.has_families {
        write!(row, "{}\t", of.family.as_deref().unwrap_or("0"))?;
    }
    write!(row, "{}\t{}\t{}", of.individual, counts.alleles, counts.denominator)?;
    let number = |row: &mut Vec<u8>, value: f64| match look.digits {
        Some(digits) => write!(row, "\t{}", c_format::general(value, digits)),
        None => {
            row.push(b'\t');
            let mut buffer = zmij::Buffer::new();
            let text = if value.is_nan() { "nan" } else { buffer.format(value) };
            row.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
            Ok(())
        }
    };
    number(row, counts.named_dosage)?;
    let values: Vec<f64> = sums.sums_of(sample).collect();
    if look.averages {
        values.iter().try_for_each(|sum| number(row, sum / counts.denominator as f64))?;
    }
    if look.sums {
        values.iter().try_for_each(|sum| number(row, *sum))?;
    }
    row.write_all(b"\n")
}
