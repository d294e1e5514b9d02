//! Rows of one sample: what a row of a further lane says beside its files.

use std::collections::BTreeSet;

use super::consent::is_withdrawn;
use super::sheet::Sample;

/// Takes what a further row says into the sample. A withdrawal in any row counts; an empty cell says nothing; what else two rows say has to be the
/// same. `tell` gets the column and what is wrong with the row.
pub(super) fn join(sample: &mut Sample, row: &Sample, tell: &mut impl FnMut(&str, String)) {
    let first = sample.line;
    let mut differs = |column: &str| tell(column, format!("it is not that of line {first}"));
    match (sample.consent.as_deref().and_then(is_withdrawn), row.consent.as_deref().and_then(is_withdrawn)) {
        (_, None) | (Some(true), _) | (Some(false), Some(false)) => {}
        (None, _) | (Some(false), Some(true)) => sample.consent.clone_from(&row.consent),
    }
    for (column, here, there) in
        [("panel", &mut sample.panel, &row.panel), ("ped", &mut sample.ped, &row.ped)]
    {
        match (here.as_ref(), there) {
            (Some(one), Some(other)) if one != other => differs(column),
            (None, Some(_)) => here.clone_from(there),
            _ => {}
        }
    }
    let terms = |of: &Sample| of.hpo.iter().cloned().collect::<BTreeSet<_>>();
    if sample.hpo.is_empty() {
        sample.hpo.clone_from(&row.hpo);
    } else if !row.hpo.is_empty() && terms(sample) != terms(row) {
        differs("hpo");
    }
}
