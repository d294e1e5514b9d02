//! Joined values of local alleles (VCF 4.5): the samples' lists `LAA` are joined, and the values follow them.

use super::join::MAX_VALUES;
use crate::formats::vcf::record::parse_integer;
use crate::variants::allele_lists::{
    Per, count, genotype_count, genotype_place, items, next_genotype, ploidy_of, push_list,
};

/// Joins the values of one sample; `local` has its `LAA` in each record.
pub fn join(per: Per, values: &[Option<&[u8]>], local: &[&[u8]], maps: &[Vec<usize>], line: &mut Vec<u8>) {
    let lists: Vec<Vec<usize>> =
        local.iter().zip(maps).map(|(list, map)| joined_numbers(list, map)).collect();
    let mut whole: Vec<usize> = lists.concat();
    whole.sort_unstable();
    whole.dedup();
    if per == Per::LocalList {
        let texts: Vec<String> = whole.iter().map(ToString::to_string).collect();
        push_list(line, texts.iter().map(String::as_bytes));
        if whole.is_empty() {
            line.push(b'.');
        }
        return;
    }
    let ploidy = values.iter().zip(&lists).find_map(|(value, list)| {
        value
            .filter(|value| *value != b"." && !list.is_empty())
            .and_then(|value| ploidy_of(count(value), list.len() + 1))
    });
    let ploidy = ploidy.unwrap_or(2);
    let length = match per {
        Per::LocalAlternate => whole.len(),
        Per::LocalAllele => whole.len() + 1,
        _ => genotype_count(whole.len() + 1, ploidy),
    };
    if length > MAX_VALUES {
        return line.push(b'.');
    }
    let mut joined: Vec<&[u8]> = vec![b"."; length];
    for (value, list) in values.iter().zip(&lists) {
        let Some(value) = value.filter(|value| *value != b".") else { continue };
        // Local alleles of this record among those of the joined one, REF first.
        let places: Vec<usize> = std::iter::once(0)
            .chain(list.iter().filter_map(|n| whole.binary_search(n).ok()).map(|i| i + 1))
            .collect();
        let (mut genotype, mut is_over) = (vec![0; ploidy], false);
        for (i, item) in items(value).enumerate() {
            let place = match per {
                Per::LocalAlternate => places.get(i + 1).map(|place| place - 1),
                Per::LocalAllele => places.get(i).copied(),
                _ if is_over => None,
                _ => {
                    let mut there: Vec<usize> =
                        genotype.iter().filter_map(|&a| places.get(a).copied()).collect();
                    there.sort_unstable();
                    is_over = !next_genotype(&mut genotype, places.len());
                    Some(genotype_place(there.into_iter()))
                }
            };
            if let Some(slot) = place.and_then(|place| joined.get_mut(place)) {
                *slot = item;
            }
        }
    }
    push_list(line, joined);
    if length == 0 {
        line.push(b'.');
    }
}

/// The numbers that a record's local alternate alleles have in the joined one.
fn joined_numbers(list: &[u8], map: &[usize]) -> Vec<usize> {
    let numbers = items(list).filter_map(parse_integer).filter_map(|number| usize::try_from(number).ok());
    numbers.filter_map(|number| map.get(number).copied()).filter(|number| *number > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_the_joined_list() {
        // By hand: of two records with ALT 1 and ALT 2 of the joined one.
        let maps = [vec![0, 1], vec![0, 2]];
        for (per, values, local, expected) in [
            (Per::LocalList, ["1", "1"], ["1", "1"], "1,2"),
            (Per::LocalList, [".", "1"], [".", "1"], "2"),
            (Per::LocalList, [".", "."], [".", "."], "."),
            (Per::LocalAllele, ["9,4", "9,5"], ["1", "1"], "9,4,5"),
            (Per::LocalAllele, ["9", "9,5"], [".", "1"], "9,5"),
            (Per::LocalAlternate, ["4", "5"], ["1", "1"], "4,5"),
            (Per::LocalGenotype, ["0,1,2", "0,3,4"], ["1", "1"], "0,1,2,3,.,4"),
            (Per::LocalGenotype, ["0", "0,3,4"], [".", "1"], "0,3,4"),
        ] {
            let mut line = Vec::new();
            join(per, &values.map(|v| Some(v.as_bytes())), &local.map(str::as_bytes), &maps, &mut line);
            assert_eq!(String::from_utf8_lossy(&line), expected, "{per:?} {values:?}");
        }
    }
}
