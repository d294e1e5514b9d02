//! The search beside trying everything.

use proptest::prelude::*;

use super::super::call::Zygosity;
use super::*;

fn call(edits: Vec<Edit>, haplotypes: [Option<u8>; 2]) -> Call {
    Call {
        record: 0,
        start: edits.iter().map(|edit| edit.start).min().unwrap(),
        end: edits.iter().map(|edit| edit.end).max().unwrap(),
        slack: vec![(0, 0); edits.len()],
        edits,
        haplotypes,
        zygosity: Zygosity::Het,
        is_phased: false,
        is_long: false,
    }
}

/// What edits make of the reference from its beginning up to a position; `None` if one is in the way of another, or
/// spans the position.
fn spelt(reference: &[u8], edits: &[&Edit], to: i64) -> Option<Vec<u8>> {
    let mut edits: Vec<&&Edit> = edits.iter().filter(|edit| edit.start < to).collect();
    edits.sort_by_key(|edit| (edit.start, edit.end));
    let (mut out, mut at) = (Vec::new(), 0);
    for edit in edits {
        if edit.start < at || edit.end > to {
            return None;
        }
        out.extend_from_slice(&reference[at as usize..edit.start as usize]);
        out.extend_from_slice(&edit.bases);
        at = edit.end;
    }
    out.extend_from_slice(&reference[at as usize..to as usize]);
    Some(out)
}

/// The most calls that match, by trying all subsets and orientations.
fn most(members: &[Member<'_>], reference: &[u8], haplotypes: usize) -> usize {
    let mut choice = vec![0usize; members.len()];
    let options: Vec<Vec<[Option<u8>; 2]>> = members
        .iter()
        .map(|member| {
            let [a, b] = member.call.haplotypes;
            match haplotypes {
                1 => (0..member.call.edits.len()).map(|edit| [Some(edit as u8), None]).collect(),
                _ if a == b => vec![[a, b]],
                _ => vec![[a, b], [b, a]],
            }
        })
        .collect();
    let mut best = 0;
    loop {
        let taken = choice.iter().filter(|choice| **choice > 0).count();
        if taken > best && is_valid(members, reference, haplotypes, &choice, &options) {
            best = taken;
        }
        let Some(place) = (0..choice.len()).find(|&place| choice[place] < options[place].len()) else {
            return best;
        };
        choice[..place].fill(0);
        choice[place] += 1;
    }
}

/// Members in short.
fn shown(members: &[Member<'_>]) -> String {
    let edit = |edit: &Edit| format!("{}-{}{}", edit.start, edit.end, String::from_utf8_lossy(&edit.bases));
    let member = |member: &Member<'_>| {
        let edits: Vec<String> = member.call.edits.iter().map(edit).collect();
        format!("{} {:?} {}", member.side, member.call.haplotypes, edits.join(","))
    };
    members.iter().map(member).collect::<Vec<_>>().join("; ")
}

/// Whether a choice spells the same on both sides, and has calls of both or none between any two syncs.
fn is_valid(
    members: &[Member<'_>],
    reference: &[u8],
    haplotypes: usize,
    choice: &[usize],
    options: &[Vec<[Option<u8>; 2]>],
) -> bool {
    let edits = |side: usize, haplotype: usize| -> Vec<&Edit> {
        let taken = members.iter().zip(choice).zip(options);
        taken
            .filter(|((member, choice), _)| member.side == side && **choice > 0)
            .filter_map(|((member, choice), options)| {
                let edit = options[*choice - 1][haplotype]?;
                Some(&member.call.edits[usize::from(edit)])
            })
            .collect()
    };
    let sides: Vec<Vec<Vec<&Edit>>> =
        (0..2).map(|side| (0..haplotypes).map(|haplotype| edits(side, haplotype)).collect()).collect();
    let agrees = |to: i64| {
        (0..haplotypes).all(|haplotype| {
            let [a, b] = [0, 1].map(|side| spelt(reference, &sides[side][haplotype], to));
            a.is_some() && a == b
        })
    };
    let end = reference.len() as i64;
    if !agrees(end) {
        return false;
    }
    let mut syncs: Vec<i64> = members.iter().map(|member| member.call.start).collect();
    syncs.sort_unstable();
    // A call that has begun and not ended is no place to stop.
    let is_begun = |to: i64| {
        let taken = members.iter().zip(choice).zip(options).filter(|((_, choice), _)| **choice > 0);
        taken.filter(|((member, _), _)| member.call.start < to).any(|((member, choice), options)| {
            let edits = options[*choice - 1].into_iter().take(haplotypes).flatten();
            edits.map(|edit| &member.call.edits[usize::from(edit)]).any(|edit| edit.start >= to)
        })
    };
    syncs.retain(|to| agrees(*to) && !is_begun(*to));
    syncs.push(end);
    let has = |side: usize, from: i64, to: i64| {
        members.iter().zip(choice).any(|(member, choice)| {
            member.side == side && *choice > 0 && (from..to).contains(&member.call.start)
        })
    };
    syncs.windows(2).all(|pair| has(0, pair[0], pair[1]) == has(1, pair[0], pair[1]))
}

/// Whether some changes of one side undo one another. They say nothing, and whether they count where both sides have such
/// depends on the order in which they are looked at.
fn undoes(calls: &[Call], reference: &[u8]) -> bool {
    let edits: Vec<&Edit> = calls.iter().flat_map(|call| &call.edits).collect();
    (1u32..1 << edits.len()).any(|set| {
        let chosen: Vec<&Edit> =
            (0..edits.len()).filter(|at| set & 1 << at != 0).map(|at| edits[at]).collect();
        spelt(reference, &chosen, reference.len() as i64).is_some_and(|spelt| spelt == reference)
    })
}

/// Changes of a short reference of few bases, so that many of them spell the same.
fn edit() -> impl Strategy<Value = Edit> {
    let bases = prop::sample::select(vec!["", "A", "C", "AA", "CA", "ACA"]);
    (1i64..13, 0i64..4, bases).prop_filter_map("no change", |(start, length, bases)| {
        (length > 0 || !bases.is_empty()).then(|| Edit { start, end: start + length, bases: bases.into() })
    })
}

/// A call whose changes are changes of this reference, as those of records are.
fn trimmed(mut some: Call, reference: &[u8]) -> Option<Call> {
    for edit in &mut some.edits {
        let replaced = &reference[edit.start as usize..edit.end as usize];
        *edit = Edit::trimmed(edit.start, replaced, &edit.bases)?;
    }
    some.edits.dedup();
    let last = some.edits.len() as u8 - 1;
    Some(call(some.edits, some.haplotypes.map(|edit| edit.map(|edit| edit.min(last)))))
}

fn some_call() -> impl Strategy<Value = Call> {
    let haplotypes =
        prop::sample::select(vec![[Some(0), None], [None, Some(0)], [Some(0), Some(0)], [Some(0), Some(1)]]);
    (edit(), edit(), haplotypes).prop_filter_map("the same change twice", |(first, second, haplotypes)| {
        let count = if haplotypes[1] == Some(1) { 2 } else { 1 };
        (count == 1 || first != second).then(|| call([first, second][..count].to_vec(), haplotypes))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_most_calls_are_matched(
        reference in "[AC]{16}", truth in prop::collection::vec(some_call(), 0..4),
        query in prop::collection::vec(some_call(), 0..4),
    ) {
        let reference = reference.as_bytes();
        let sides = [truth, query].map(|calls| {
            calls.into_iter().filter_map(|call| trimmed(call, reference)).collect::<Vec<Call>>()
        });
        prop_assume!(!sides.iter().any(|calls| undoes(calls, reference)));
        let mut members: Vec<Member<'_>> = (0..2)
            .flat_map(|side| sides[side].iter().map(move |call| Member { side, call }))
            .collect();
        members.sort_by(|a, b| a.call.order(b.call).then(a.side.cmp(&b.side)));
        let slice = Slice { start: 0, bases: reference };
        let count = |solution: &Solution| solution.is_matched.iter().filter(|is| **is).count();
        let two = search::<2>(&members, slice, Phase::Any);
        prop_assert_eq!(count(&two), most(&members, reference, 2), "two haplotypes: {}", shown(&members));
        let one = search::<1>(&members, slice, Phase::Any);
        prop_assert_eq!(count(&one), most(&members, reference, 1), "one haplotype: {}", shown(&members));
        prop_assert_eq!(two.given_up + one.given_up, 0);
    }
}

#[test]
fn too_many_paths_are_given_up_and_the_rest_is_searched() {
    // Insertions of As into As, all heterozygous: the paths are as many as there are sums of lengths, twice.
    let reference = [b"A".repeat(3000), b"CGTTGACCAT".to_vec()].concat();
    let insertion = |at: i64, length: usize| {
        call(vec![Edit { start: at, end: at, bases: b"A".repeat(length) }], [Some(0), None])
    };
    let truth: Vec<Call> = (0..200).map(|i| insertion(10 + 10 * i, 1 + (i as usize * 37) % 97)).collect();
    let query: Vec<Call> = (0..200).map(|i| insertion(15 + 10 * i, 1 + (i as usize * 53) % 89)).collect();
    let snp = call(vec![Edit { start: 3004, end: 3005, bases: b"A".to_vec() }], [Some(0), None]);
    let mut members: Vec<Member<'_>> = truth.iter().map(|call| Member { side: 0, call }).collect();
    members.extend(query.iter().map(|call| Member { side: 1, call }));
    members.extend([0, 1].map(|side| Member { side, call: &snp }));
    members.sort_by(|a, b| a.call.order(b.call).then(a.side.cmp(&b.side)));
    let solution = search::<2>(&members, Slice { start: 0, bases: &reference }, Phase::Any);
    assert!(solution.given_up > 0);
    assert!(
        solution
            .is_given_up
            .iter()
            .zip(&solution.is_matched)
            .all(|(given_up, matched)| !given_up || !matched)
    );
    assert_eq!(solution.is_matched[members.len() - 2..], [true, true]);
}
