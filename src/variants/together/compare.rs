//! Sites of two files counted apart: those of either alone, and those of both (bcftools stats with two files).

use rayon::ThreadPool;

use super::input::{self, Input, Sieve};
use super::pairing::{self, Pairing};
use super::walk::{Position, Walk};
use super::{TogetherError, drive, in_file};
use crate::records::condition::Condition;
use crate::variants::stats::{Pair, Stats};

/// What is compared, and how.
pub struct Comparison {
    /// What goes together.
    pub pairing: Pairing,
    /// Which records of each file count. Where one does not, neither does its partner.
    pub conditions: [Option<Condition>; 2],
    /// Whether each site of both is told, too.
    pub with_sites: bool,
}

/// Goes through both files and counts into `stats`; what is told of sites comes to `commit` in order.
///
/// # Errors
/// A file is damaged or not sorted, a record contradicts itself, or `commit` fails.
pub fn compare(
    mut inputs: Vec<Input>,
    sieve: Sieve,
    comparison: &Comparison,
    stats: &Stats,
    pool: &ThreadPool,
    mut commit: impl FnMut(Vec<u8>) -> Result<(), TogetherError>,
) -> Result<(), TogetherError> {
    input::align(&mut inputs, &std::sync::Arc::new(sieve))?;
    let paths: Vec<_> = inputs.iter().map(|input| input.path().to_owned()).collect();
    let mut walk = Walk::new(inputs, pool);
    let work = |positions: Vec<Position>| {
        let mut pairs = Vec::new();
        for position in positions {
            let rows = pairing::rows(&position.lines, comparison.pairing);
            let mut lines: Vec<_> = position.lines.into_iter().map(Some).collect();
            for row in rows {
                let (mut pair, mut passes) = (Pair::default(), true);
                for line in row.into_iter().filter_map(|line| lines[line].take()) {
                    let (Some(place), Some(condition)) =
                        (pair.get_mut(line.file), comparison.conditions.get(line.file))
                    else {
                        continue;
                    };
                    if let Some(condition) = condition.as_ref().filter(|_| passes) {
                        passes = condition
                            .passes(&line.record)
                            .map_err(|source| in_file(&paths[line.file], source))?;
                    }
                    *place = Some(line.record);
                }
                if passes {
                    pairs.push(pair);
                }
            }
        }
        let mut sites = Vec::new();
        stats
            .observe_pairs(&pairs, comparison.with_sites.then_some(&mut sites))
            .map_err(|(file, source)| in_file(&paths[file], source))?;
        Ok(sites)
    };
    drive(pool, || walk.advance(), work, |sites| if sites.is_empty() { Ok(()) } else { commit(sites) })
}
