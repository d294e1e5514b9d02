//! The search for the most calls of both sides that spell the same haplotypes.
//!
//! Each call is left out or taken in one of its orientations. A path is such a choice for all calls up to a position; it
//! lives while the haplotypes of the two sides, as far as both are known, agree. Of paths with the same future (the same
//! positions, the same bases ahead, the same changes begun) only the best is followed, so that where both sides stand
//! on the reference again (a sync) one is left. The idea is vcfeval's (Cleary et al. 2015, doi:10.1101/023754).
//!
//! The result is the maximum unless too many paths live at once: then the calls since the last sync are given up, and
//! told. Paths with calls of one side alone between two syncs, which say nothing in many words, do not count.

use rustc_hash::FxHashMap;

use super::call::{Call, Edit};

/// So many paths may live at once.
pub const MAX_PATHS: usize = 10_000;
/// So many steps of paths may be taken between two syncs.
pub const MAX_STEPS: usize = 400_000;

/// A call and its side.
#[derive(Clone, Copy, Debug)]
pub struct Member<'c> {
    /// 0 or 1.
    pub side: usize,
    /// The call.
    pub call: &'c Call,
}

/// Bases of the reference around the calls.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'r> {
    /// Position of the first one.
    pub start: i64,
    /// Them.
    pub bases: &'r [u8],
}

impl Slice<'_> {
    /// Bases `from..to`, clipped.
    fn get(&self, from: i64, to: i64) -> &[u8] {
        let place = |position: i64| (position - self.start).clamp(0, self.bases.len() as i64) as usize;
        self.bases.get(place(from)..place(to)).unwrap_or_default()
    }
}

/// How calls may be laid on haplotypes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Either way round.
    Any,
    /// Phased genotypes as they are written.
    AsWritten,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solution {
    /// For each call whether it is matched.
    pub is_matched: Vec<bool>,
    /// For each call where the reference was in sync before it.
    pub syncs: Vec<i64>,
    /// Calls that were given up.
    pub is_given_up: Vec<bool>,
    /// How often calls were given up.
    pub given_up: u64,
}

/// Searches with two haplotypes a side (`P = 2`), or with one on which a call puts any of its alternate alleles
/// (`P = 1`). Members are sorted by [`Call::order`]; the slice holds the reference from the first start to the last end.
pub fn search<const P: usize>(members: &[Member<'_>], reference: Slice<'_>, phase: Phase) -> Solution {
    Search::<P> { members, reference, phase, nodes: Vec::new() }.run()
}

/// A haplotype of one side: everything before `at` is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Play {
    at: i64,
    /// Changes that are taken and not yet written: member and edit, in order.
    pending: Vec<(u32, u8)>,
}

/// The same haplotype of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Pair {
    plays: [Play; 2],
    /// What one side has written and the other has not.
    ahead: Vec<u8>,
    /// Which side that is.
    leader: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State<const P: usize> {
    pairs: [Pair; P],
    /// Whether a side has taken calls since the last sync.
    has_taken: [bool; 2],
}

#[derive(Clone, Debug)]
struct Path<const P: usize> {
    state: State<P>,
    /// Calls taken of each side.
    taken: [u32; 2],
    /// The last node.
    node: u32,
}

impl<const P: usize> Path<P> {
    /// More calls are better; of as many, those that are shared more evenly.
    fn worth(&self) -> (u32, u32) {
        (self.taken[0] + self.taken[1], self.taken[0].min(self.taken[1]))
    }
}

/// What a path did.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Root,
    /// Took a member.
    Took(u32),
    /// Was in sync before this member.
    Synced(u32),
}

struct Search<'s, const P: usize> {
    members: &'s [Member<'s>],
    reference: Slice<'s>,
    phase: Phase,
    nodes: Vec<(u32, Deed)>,
}

impl<const P: usize> Search<'_, P> {
    fn run(mut self) -> Solution {
        let count = self.members.len();
        let mut solution = Solution {
            is_matched: vec![false; count],
            syncs: vec![self.reference.start; count],
            is_given_up: vec![false; count],
            given_up: 0,
        };
        self.nodes.push((0, Deed::Root));
        let start = self.members.first().map_or(0, |member| member.call.start);
        let pair =
            || Pair { plays: [start, start].map(|at| Play { at, pending: Vec::new() }), ..Pair::default() };
        let state = State { pairs: std::array::from_fn(|_| pair()), has_taken: [false; 2] };
        let mut paths = vec![Path { state, taken: [0; 2], node: 0 }];
        // The last place where one path was left, in sync: itself and the first member behind.
        let (mut anchor, mut anchored, mut steps) = (paths[0].clone(), 0, 0);
        let mut first = 0;
        while first < count {
            let place = self.members[first].call.start;
            let end = first + self.members[first..].iter().take_while(|m| m.call.start == place).count();
            steps += paths.len();
            paths = self.advanced(paths, place, first);
            if let [path] = &paths[..]
                && path.state.has_taken == [false; 2]
                && is_in_sync(&path.state, place)
            {
                (anchor, anchored, steps) = (path.clone(), first, 0);
            }
            for member in first..end {
                if paths.len() <= MAX_PATHS {
                    paths = self.with(member, paths);
                }
            }
            if paths.len() > MAX_PATHS || steps > MAX_STEPS {
                solution.given_up += 1;
                solution.is_given_up[anchored..end].fill(true);
                (paths, anchored, steps) = (vec![anchor.clone()], end, 0);
            }
            first = end;
        }
        let end = self.members.iter().map(|member| member.call.end).max().unwrap_or(start);
        let paths = self.advanced(paths, end, count);
        let at_end = paths.into_iter().filter(|path| is_in_sync(&path.state, end));
        let best = at_end.reduce(|best, path| if path.worth() > best.worth() { path } else { best });
        let mut node = best.map_or(0, |path| path.node);
        let mut sync_before = vec![false; count + 1];
        loop {
            let (parent, deed) = self.nodes[node as usize];
            match deed {
                Deed::Root => break,
                Deed::Took(member) => solution.is_matched[member as usize] = true,
                Deed::Synced(member) => sync_before[member as usize] = true,
            }
            node = parent;
        }
        let mut sync = start;
        for (member, sync_here) in sync_before.iter().take(count).enumerate() {
            if *sync_here {
                sync = self.members[member].call.start;
            }
            solution.syncs[member] = sync;
        }
        solution
    }

    /// Writes all paths' haplotypes up to a position; drops those whose sides disagree, and the worse of two with the same
    /// future. `next` is the first member that begins there.
    fn advanced(&mut self, paths: Vec<Path<P>>, place: i64, next: usize) -> Vec<Path<P>> {
        let mut kept: Vec<Path<P>> = Vec::with_capacity(paths.len());
        let mut known: FxHashMap<State<P>, usize> = FxHashMap::default();
        let is_alone = paths.len() == 1;
        for mut path in paths {
            let pairs = &mut path.state.pairs;
            if !pairs.iter_mut().all(|pair| pair.advance(place, self.members, self.reference)) {
                continue;
            }
            if is_in_sync(&path.state, place) {
                if path.state.has_taken[0] != path.state.has_taken[1] {
                    continue;
                }
                path.state.has_taken = [false; 2];
                self.nodes.push((path.node, Deed::Synced(next as u32)));
                path.node = (self.nodes.len() - 1) as u32;
            }
            // Which haplotype is the first means nothing, unless genotypes are laid as they are written.
            if self.phase == Phase::Any {
                path.state.pairs.sort_unstable();
            }
            if is_alone {
                return vec![path];
            }
            match known.get(&path.state) {
                Some(&place) if kept[place].worth() >= path.worth() => {}
                Some(&place) => kept[place] = path,
                None => {
                    known.insert(path.state.clone(), kept.len());
                    kept.push(path);
                }
            }
        }
        kept
    }

    /// All paths with and without a member.
    fn with(&mut self, member: usize, paths: Vec<Path<P>>) -> Vec<Path<P>> {
        let Member { side, call } = self.members[member];
        let (orientations, count) = self.orientations(call);
        let mut all = Vec::with_capacity(paths.len() * (count + 1));
        for path in paths {
            for edits in &orientations[..count] {
                let mut taken = path.clone();
                let pairs = taken.state.pairs.iter_mut().zip(edits);
                let mut takes = pairs.map(|(pair, edit)| match edit {
                    Some(edit) => pair.plays[side].take(member as u32, *edit, self.members),
                    None => true,
                });
                if takes.all(|takes| takes) {
                    taken.state.has_taken[side] = true;
                    taken.taken[side] += 1;
                    self.nodes.push((taken.node, Deed::Took(member as u32)));
                    taken.node = (self.nodes.len() - 1) as u32;
                    all.push(taken);
                }
            }
            all.push(path);
        }
        all
    }

    /// The ways in which a call can be laid on the haplotypes, and how many there are.
    fn orientations(&self, call: &Call) -> ([[Option<u8>; P]; 2], usize) {
        if P == 1 {
            return ([[Some(0); P], [Some(1); P]], call.edits.len().min(2));
        }
        let [a, b] = call.haplotypes;
        let oriented =
            |first, second| std::array::from_fn(|haplotype| if haplotype == 0 { first } else { second });
        let is_fixed = a == b || (call.is_phased && self.phase == Phase::AsWritten);
        ([oriented(a, b), oriented(b, a)], if is_fixed { 1 } else { 2 })
    }
}

/// Whether both sides stand on the reference at a position, with nothing begun.
fn is_in_sync<const P: usize>(state: &State<P>, place: i64) -> bool {
    let stands = |play: &Play| play.at == place && play.pending.is_empty();
    state.pairs.iter().all(|pair| pair.ahead.is_empty() && pair.plays.iter().all(stands))
}

impl Pair {
    /// Writes both sides up to a position; whether they agree.
    fn advance(&mut self, place: i64, members: &[Member<'_>], reference: Slice<'_>) -> bool {
        let [first, second] = &mut self.plays;
        let is_plain = first.at == second.at && first.pending.is_empty() && second.pending.is_empty();
        if self.ahead.is_empty() && is_plain {
            (first.at, second.at) = (first.at.max(place), second.at.max(place));
            return true;
        }
        let mut written = [Vec::new(), Vec::new()];
        written[usize::from(self.leader)] = std::mem::take(&mut self.ahead);
        first.write(place, members, reference, &mut written[0]);
        second.write(place, members, reference, &mut written[1]);
        let common = written[0].len().min(written[1].len());
        if written[0][..common] != written[1][..common] {
            return false;
        }
        self.leader = u8::from(written[1].len() > common);
        self.ahead = std::mem::take(&mut written[usize::from(self.leader)]).split_off(common);
        true
    }
}

impl Play {
    /// Takes a change that begins at the present position or behind; whether no other is in its way.
    fn take(&mut self, member: u32, edit: u8, members: &[Member<'_>]) -> bool {
        let new = edit_of(members, (member, edit));
        if new.start < self.at {
            return false;
        }
        let others = self.pending.iter().map(|&other| edit_of(members, other));
        if others.clone().any(|other| new.end > other.start && other.end > new.start) {
            return false;
        }
        // Two insertions at one place stand in the order of their calls.
        let place = others.take_while(|other| (other.start, other.end) <= (new.start, new.end)).count();
        self.pending.insert(place, (member, edit));
        true
    }

    /// Writes up to a position, and further where a change that began before it ends behind it.
    fn write(&mut self, place: i64, members: &[Member<'_>], reference: Slice<'_>, out: &mut Vec<u8>) {
        let ready = self.pending.iter().take_while(|&&edit| edit_of(members, edit).start < place).count();
        for edit in self.pending.drain(..ready) {
            let edit = edit_of(members, edit);
            out.extend_from_slice(reference.get(self.at, edit.start));
            out.extend_from_slice(&edit.bases);
            self.at = edit.end;
        }
        if self.at < place {
            out.extend_from_slice(reference.get(self.at, place));
            self.at = place;
        }
    }
}

fn edit_of<'m>(members: &'m [Member<'_>], (member, edit): (u32, u8)) -> &'m Edit {
    &members[member as usize].call.edits[usize::from(edit)]
}
