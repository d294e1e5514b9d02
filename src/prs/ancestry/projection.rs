//! Sums of loadings over people, and their coordinates.

use rayon::prelude::*;

use super::dense::{Dense, add_scaled};
use super::loadings::Loadings;
use super::oadp::{Frame, Method, PersonSums, TooFew};
use super::overlap::Pair;
use super::shrinkage;
use crate::formats::genotypes::calls::MISSING;
use crate::formats::genotypes::{GenotypeError, Genotypes};
use crate::prs::genotype_set::GenotypeSet;
use crate::prs::kernel::Part;

/// Why people cannot be projected.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// Genotypes cannot be read.
    #[error(transparent)]
    Genotypes(#[from] GenotypeError),
    /// There are too few variants.
    #[error(transparent)]
    TooFew(#[from] TooFew),
}

/// Coordinates of all people of the genotypes, a row each. A missing genotype counts as the mean of the panel; a dosage
/// counts where
/// there is one.
///
/// # Errors
/// Genotypes cannot be read, or variants are too few.
pub fn project(
    loadings: &Loadings,
    genotypes: &GenotypeSet,
    pairs: &[Pair],
    method: Method,
) -> Result<Dense, ProjectionError> {
    let people = genotypes.samples().len();
    let (reported, count) = (loadings.reported, loadings.singular_values.len());
    let overlap = (pairs.len() < loadings.sites.len()).then(|| products(loadings, pairs));
    let shrinkage = match method {
        Method::Ap => {
            shrinkage::of(&loadings.singular_values, reported, loadings.people, loadings.sites.len())
        }
        _ => vec![1.0; reported],
    };
    let frame = Frame::new(method, reported, &loadings.singular_values, overlap.as_ref(), shrinkage)?;
    // Products by component, and behind them the sum of squares.
    let mut sums = Dense::zeros(people, count + 1);
    let parts: Vec<Part<'_>> = genotypes.parts().collect();
    let at_once = (BLOCK_BYTES / 8 / people.max(1)).clamp(1, 1024);
    for block in pairs.chunks(at_once) {
        let chunk = block.len().div_ceil(rayon::current_num_threads());
        let values = block.par_chunks(chunk).map(|pairs| read(loadings, &parts, pairs, people));
        let values: Vec<Vec<f64>> = values.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        sums.values_mut().par_chunks_mut(count + 1).enumerate().for_each(|(person, sums)| {
            for (pair, values) in block.iter().zip(&values) {
                let value = values[person];
                add_scaled(&mut sums[..count], value, loadings.values.row(pair.row));
                sums[count] += value * value;
            }
        });
    }
    let places: Vec<Vec<f64>> = (0..people)
        .into_par_iter()
        .map(|person| {
            let sums = sums.row(person);
            frame.place(PersonSums { products: &sums[..count], squares: sums[count] })
        })
        .collect();
    Ok(Dense::from_rows(reported, places.concat()))
}

/// Standardised genotypes that are held at a time, about.
const BLOCK_BYTES: usize = 64 << 20;

/// Loadings times loadings, summed over the variants that the target has.
fn products(loadings: &Loadings, pairs: &[Pair]) -> Dense {
    let count = loadings.singular_values.len();
    let mut products = Dense::zeros(count, count);
    for pair in pairs {
        let row = loadings.values.row(pair.row);
        row.iter().enumerate().for_each(|(place, value)| add_scaled(products.row_mut(place), *value, row));
    }
    products
}

/// Standardised genotypes of people at some variants.
fn read(
    loadings: &Loadings,
    parts: &[Part<'_>],
    pairs: &[Pair],
    people: usize,
) -> Result<Vec<Vec<f64>>, GenotypeError> {
    let mut cursors: Vec<_> = parts.iter().map(|_| None).collect();
    let (mut genotypes, mut packed) = (Genotypes::default(), Vec::new());
    let mut all = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let cursor = cursors[pair.part].get_or_insert_with(|| parts[pair.part].source.cursor());
        cursor.read(pair.variant, &mut genotypes)?;
        genotypes.calls.packed(&mut packed);
        let standard = loadings.standards[pair.row];
        let [none, one, two, missing] = standard.values();
        let of_code = if pair.is_swapped { [two, one, none, missing] } else { [none, one, two, missing] };
        let code = |person: usize| packed[person / 4] >> (person % 4 * 2) & MISSING;
        let mut values: Vec<f64> = (0..people).map(|person| of_code[usize::from(code(person))]).collect();
        let unit = genotypes.dosages.one.max(1) as f64;
        for (person, dosage) in genotypes.dosages.iter() {
            let copies = dosage as f64 / unit;
            let copies = if pair.is_swapped { 2.0 - copies } else { copies };
            if let Some(value) = values.get_mut(person as usize) {
                *value = (copies - standard.mean) / standard.deviation;
            }
        }
        all.push(values);
    }
    Ok(all)
}
