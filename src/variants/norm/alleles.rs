//! The alleles of records that are joined: REF is the longest, and the others are made as long.

use crate::formats::vcf::record::Record;

/// Alleles of the joined record, and of each record where its alleles are among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// REF and ALT.
    pub alleles: Vec<Vec<u8>>,
    /// By record: the number in `alleles` of each of its alleles.
    pub maps: Vec<Vec<usize>>,
}

/// Joins the alleles of records at one position; `None` where a REF is not the beginning of the longest.
pub fn join(records: &[Record]) -> Option<Joined> {
    let mut joined = Joined::default();
    for (number, record) in records.iter().enumerate() {
        let mut alleles: Vec<Vec<u8>> =
            std::iter::once(record.reference()).chain(record.alternates()).map(<[u8]>::to_vec).collect();
        if number == 0 {
            joined.maps.push((0..alleles.len()).collect());
            joined.alleles = alleles;
            continue;
        }
        let map = add(&mut joined.alleles, &mut alleles)?;
        joined.maps.push(map);
    }
    Some(joined)
}

/// Puts alleles that are new behind those of `whole`, both made as long as the longer REF.
fn add(whole: &mut Vec<Vec<u8>>, alleles: &mut [Vec<u8>]) -> Option<Vec<usize>> {
    let shared = whole[0].len().min(alleles[0].len());
    if whole[0][..shared] != alleles[0][..shared] {
        if !whole[0][..shared].eq_ignore_ascii_case(&alleles[0][..shared]) {
            return None;
        }
        whole.iter_mut().chain(alleles.iter_mut()).for_each(|allele| allele.make_ascii_uppercase());
    }
    let behind = alleles[0][shared..].to_vec();
    extend(&mut whole[..], &behind);
    let behind = whole[0][alleles[0].len().max(shared).min(whole[0].len())..].to_vec();
    extend(alleles, &behind);
    let mut map = vec![0];
    for allele in &alleles[1..] {
        let known = whole.iter().skip(1).position(|known| known.eq_ignore_ascii_case(allele));
        map.push(known.map_or(whole.len(), |known| known + 1));
        if known.is_none() {
            whole.push(allele.clone());
        }
    }
    Some(map)
}

/// Puts bases behind all alleles but symbolic ones and `*`.
fn extend(alleles: &mut [Vec<u8>], bases: &[u8]) {
    for allele in alleles.iter_mut().filter(|allele| !matches!(allele.first(), Some(b'<' | b'*'))) {
        allele.extend_from_slice(bases);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_ref_wins_and_the_others_follow() {
        // By hand.
        for (records, alleles, maps) in [
            (&["A C", "A G"][..], Some("A,C,G"), vec![vec![0, 1], vec![0, 2]]),
            (&["A C", "A C"], Some("A,C"), vec![vec![0, 1], vec![0, 1]]),
            (&["A AT", "AT A"], Some("AT,ATT,A"), vec![vec![0, 1], vec![0, 2]]),
            (
                &["ACG A", "AC A,*", "A <DEL>"],
                Some("ACG,A,AG,*,<DEL>"),
                vec![vec![0, 1], vec![0, 2, 3], vec![0, 4]],
            ),
            (&["AC G", "ac g"], Some("AC,G"), vec![vec![0, 1], vec![0, 1]]),
            (&["AC G", "G T"], None, Vec::new()),
        ] {
            let records: Vec<_> = records
                .iter()
                .map(|text| {
                    let (reference, alt) = text.split_once(' ').unwrap();
                    Record::parse(format!("1\t1\t.\t{reference}\t{alt}\t.\t.\t.").as_bytes()).unwrap()
                })
                .collect();
            let found = join(&records);
            let texts = found.as_ref().map(|joined| joined.alleles.join(&b','));
            assert_eq!(texts.as_deref(), alleles.map(str::as_bytes));
            assert_eq!(found.map(|joined| joined.maps).unwrap_or_default(), maps);
        }
    }
}
