//! Room between the calls of one file. A record may have bases of the reference around what it changes, and a neighbour
//! may change those; then where an insertion or deletion is put within its record decides whether both can stand on one
//! haplotype. vcfeval's `--ref-overlap` looks for such a place, too.

use super::call::{Call, Edit};

/// So many neighbours on each side are looked at.
const NEIGHBOURS: usize = 8;

/// Sorts the calls of a file, and moves insertions and deletions within their records out of the way of neighbours.
pub fn make(calls: &mut [Call]) {
    calls.sort_by(Call::order);
    let mut has_moved = false;
    for number in 0..calls.len() {
        let neighbours = number.saturating_sub(NEIGHBOURS)..(number + NEIGHBOURS + 1).min(calls.len());
        for edit in 0..calls[number].edits.len() {
            let is_free = |edit: &Edit| {
                let others = neighbours.clone().filter(|other| *other != number);
                others.flat_map(|other| &calls[other].edits).all(|other| !edit.meets(other))
            };
            let (here, (left, right)) = (&calls[number].edits[edit], calls[number].slack[edit]);
            if (left, right) == (0, 0) || is_free(here) {
                continue;
            }
            let ways =
                (1..=left.max(right)).flat_map(|by| [by, -by]).filter(|by| (-right..=left).contains(by));
            let moved = ways.map(|by| (by, here.moved(by))).find(|(_, moved)| is_free(moved));
            if let Some((by, moved)) = moved {
                calls[number].edits[edit] = moved;
                calls[number].slack[edit] = (left - by, right + by);
                calls[number].measure();
                has_moved = true;
            }
        }
    }
    if has_moved {
        calls.sort_by(Call::order);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::formats::bases::tests::genome;
    use crate::formats::vcf::record::Record;

    #[test]
    fn indels_go_out_of_the_way() {
        //                                      0123456789
        let (_directory, genome) = genome(&[b"CTAGAGTTTG"]);
        // By hand: of TAGAG at 2-6 the AG at 3-4 goes, or GA at 4-5, or AG at 5-6.
        for (lines, expected) in [
            (vec!["2 TAGAG TAG"], vec![(2, 4)]),
            (vec!["3 A C", "2 TAGAG TAG"], vec![(2, 3), (3, 5)]),
            (vec!["6 G C", "2 TAGAG TAG"], vec![(2, 4), (5, 6)]),
            (vec!["4 G C", "2 TAGAG TAG"], vec![(3, 4), (4, 6)]),
            (vec!["3 A C", "3 AGA A"], vec![(2, 3), (3, 5)]),
            (
                vec!["3 A C", "4 G C", "5 A C", "6 G C", "2 TAGAG TAG"],
                vec![(2, 3), (2, 4), (3, 4), (4, 5), (5, 6)],
            ),
        ] {
            let records = lines.iter().map(|line| {
                let columns: Vec<&str> = line.split(' ').collect();
                let [position, reference, alternate] = columns[..] else { panic!("three columns") };
                let line = format!("c0\t{position}\t.\t{reference}\t{alternate}\t.\t.\t.\tGT\t1/1");
                Record::parse(line.as_bytes()).unwrap()
            });
            let mut calls: Vec<Call> = records
                .enumerate()
                .map(|(number, record)| {
                    genome
                        .with(0, |bases| Call::of(number, &record, b"1/1", bases))
                        .unwrap()
                        .unwrap()
                        .unwrap()
                })
                .collect();
            make(&mut calls);
            let found: Vec<(i64, i64)> = calls.iter().map(|call| (call.start, call.end)).collect();
            assert_eq!(found, expected, "{lines:?}");
        }
    }
}
