//! Scores against a reference panel: whom of it a person is most like, and where the score stands among those.
//!
//! Methods and tables are those of pgscatalog-utils 2.0.4 (`pgscatalog-ancestry-adjust`): principal components of panel
//! and people in, the most similar population, percentiles and Z values out. Panel members that are related to others
//! are
//! given values but teach nothing.

pub mod adjustment;
pub mod panel;
pub mod random_forest;
pub mod regression;
pub mod similarity;
pub mod tables;

/// The mean, and the standard deviation without Bessel's correction, of some values; `None` of none.
pub fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Some((mean, variance.sqrt()))
}
