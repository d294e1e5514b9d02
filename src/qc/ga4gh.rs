//! The figures of the GA4GH WGS Quality Control Standards, version 1, by their names, filters and rounding.
//!
//! Coverage is over the autosomes' positions that are not N, with Picard's filters (mapping quality 20, base quality 20, no
//! duplicates, mates once); insert sizes and shares of reads are samtools stats'; the yield is Picard's PF_Q30_BASES. The
//! standard takes contamination from VerifyBamID2; ours is norn's estimate at `--sites`. A figure that was not collected
//! is left out.

use serde_json::{Map, Value, json};

use super::results::Results;

/// SAMPLE.ga4gh.json.
pub fn document(results: &Results<'_>) -> Value {
    let mut metrics = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            metrics.insert(key.to_owned(), value);
        }
    };
    let state = results.state;
    put("yield_bp_q30", results.quality_yield.as_ref().map(|row| json!(row.PF_Q30_BASES)));
    let autosomes = state.wgs.as_ref().map(|wgs| wgs.depths(true)).filter(|depths| depths.count() > 0);
    put("mean_autosome_coverage", autosomes.as_ref().map(|depths| rounded(depths.mean(), 2)));
    let mad = autosomes.as_ref().map(|depths| depths.median_absolute_deviation());
    put("mad_autosome_coverage", mad.map(|mad| json!(mad.round() as u64)));
    let at_15x = autosomes.as_ref().map(|depths| {
        let enough: u64 = depths.iter().filter(|(depth, _)| *depth >= 15).map(|(_, n)| n).sum();
        100.0 * enough as f64 / depths.count() as f64
    });
    put("pct_autosomes_15x", at_15x.map(|share| rounded(share, 2)));
    let stats = state.stats.as_ref();
    let sizes = stats.map(|stats| stats.insert_sizes());
    put("mean_insert_size", sizes.map(|sizes| rounded(sizes.mean, 1)));
    put("insert_size_std_deviation", sizes.map(|sizes| rounded(sizes.standard_deviation, 1)));
    let share = |share: fn(&super::stats::Stats) -> f64| stats.map(share).map(|share| rounded(share, 2));
    put("pct_reads_mapped", share(|stats| stats.percent_mapped()));
    put("pct_reads_properly_paired", share(|stats| stats.percent_properly_paired()));
    let rate = results.contamination.as_ref().and_then(|contamination| contamination.share);
    put("cross_contamination_rate", rate.map(|rate| rounded(rate, 4)));
    json!({ "biosample": { "id": results.sample }, "wgs_qc_metrics": metrics })
}

/// Rounded to so many decimals; null where it is not a number.
fn rounded(value: f64, decimals: i32) -> Value {
    let scale = 10f64.powi(decimals);
    json!((value * scale).round() / scale)
}
