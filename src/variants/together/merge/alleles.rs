//! Alleles of several records of a position under one REF.

/// Adds the alleles of a record (REF first) to those of others, which may get a longer REF by it; gives for each allele
/// of the record its number among them. `None` where neither REF begins with the other.
///
/// `ACG>AC,A` and `ACGT>A` become `ACGT>A,ACT,AT`: symbolic alleles and `*` stay as they are.
pub fn add(record: &[Vec<u8>], merged: &mut Vec<Vec<u8>>) -> Option<Vec<usize>> {
    let (Some(reference), Some(other)) = (record.first(), merged.first()) else { return None };
    let (own, theirs) = (reference.len(), other.len());
    let shared = own.min(theirs);
    if !reference[..shared].eq_ignore_ascii_case(&other[..shared]) {
        return None;
    }
    let mut record = record.to_vec();
    if reference[..shared] != other[..shared] {
        record.iter_mut().chain(merged.iter_mut()).for_each(|allele| allele.make_ascii_uppercase());
    }
    if own > theirs {
        let tail = record[0][theirs..].to_vec();
        merged.iter_mut().filter(|allele| is_sequence(allele)).for_each(|allele| allele.extend(&tail));
    } else if theirs > own {
        let tail = merged[0][own..].to_vec();
        record
            .iter_mut()
            .skip(1)
            .filter(|allele| is_sequence(allele))
            .for_each(|allele| allele.extend(&tail));
    }
    let mut map = vec![0];
    for allele in record.into_iter().skip(1) {
        let known = merged.iter().skip(1).position(|known| known.eq_ignore_ascii_case(&allele));
        map.push(known.map_or(merged.len(), |number| number + 1));
        if known.is_none() {
            merged.push(allele);
        }
    }
    Some(map)
}

fn is_sequence(allele: &[u8]) -> bool {
    !matches!(allele.first(), Some(b'<' | b'*'))
}

/// Takes away what all alleles (REF first) have at their ends, down to one base.
pub fn trim(alleles: &mut [Vec<u8>]) {
    let Some(reference) = alleles.first() else { return };
    let can_lose = |lost: usize| {
        alleles.iter().all(|allele| {
            allele.len() > lost + 1
                && allele[allele.len() - 1 - lost] == reference[reference.len() - 1 - lost]
        })
    };
    let mut lost = 0;
    while can_lose(lost) {
        lost += 1;
    }
    alleles.iter_mut().for_each(|allele| allele.truncate(allele.len() - lost));
}

/// Whether two alleles are the same, each beside its REF, one of which may be longer.
pub fn are_same(a: &[u8], a_reference: &[u8], b: &[u8], b_reference: &[u8]) -> bool {
    if a_reference.len() < b_reference.len() {
        return are_same(b, b_reference, a, a_reference);
    }
    let tail = &a_reference[b_reference.len()..];
    a.len() == b.len() + tail.len()
        && a[..b.len()].eq_ignore_ascii_case(b)
        && a[b.len()..].eq_ignore_ascii_case(tail)
}

/// Whether one REF begins with the other.
pub fn references_fit(a: &[u8], b: &[u8]) -> bool {
    let shared = a.len().min(b.len());
    a[..shared].eq_ignore_ascii_case(&b[..shared])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<Vec<u8>> {
        text.split(' ').map(|allele| allele.as_bytes().to_vec()).collect()
    }

    #[test]
    fn alleles_come_under_the_longest_reference() {
        // The first two are the examples of bcftools' manual and source.
        for (record, merged, expected, map) in [
            ("ACG AC A", "ACGT A", "ACGT A ACT AT", vec![0, 2, 3]),
            ("A C", "A C", "A C", vec![0, 1]),
            ("ACG A", "A C <DEL> *", "ACG CCG <DEL> * A", vec![0, 4]),
            ("a c", "A T", "A T C", vec![0, 2]),
            ("A <*>", "AT A <*>", "AT A <*>", vec![0, 2]),
        ] {
            let mut merged = list(merged);
            assert_eq!(add(&list(record), &mut merged), Some(map), "{record}");
            assert_eq!(merged, list(expected), "{record}");
        }
        assert_eq!(add(&list("A C"), &mut list("G C")), None);
    }

    #[test]
    fn shared_ends_go() {
        for (alleles, expected) in [
            ("GTTT GTT", "GT G"),
            ("GTTT", "G"),
            ("GT <DEL>", "GT <DEL>"),
            ("AC AG", "AC AG"),
            ("ACC TCC GCC", "A T G"),
        ] {
            let mut found = list(alleles);
            trim(&mut found);
            assert_eq!(found, list(expected), "{alleles}");
        }
    }

    #[test]
    fn alleles_are_compared_beside_their_references() {
        for (a, a_reference, b, b_reference, expected) in [
            ("AC", "ACG", "A", "AG", false),
            ("ATG", "AG", "AT", "A", true),
            ("at", "a", "AT", "A", true),
            ("<DEL>", "AC", "<DEL>", "A", false),
        ] {
            let found = are_same(a.as_bytes(), a_reference.as_bytes(), b.as_bytes(), b_reference.as_bytes());
            assert_eq!(found, expected, "{a_reference}>{a} {b_reference}>{b}");
        }
    }
}
