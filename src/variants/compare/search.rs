//! The search for the most calls of both sides that spell the same haplotypes.
//!
//! Each call is left out or taken in one of its orientations. A path is such a choice for the first calls of both sides; it
//! lives while the haplotypes of the two sides, as far as both are known, agree. What it decides next is the first call on
//! the reference; where paths are many, the call that one side must know to go on spelling, so that a path that cannot
//! match dies soon, also under a long deletion. All paths have decided as many calls. Of those with the same future (the same calls to come, the same bases ahead, the same
//! changes begun) only the best is followed, so that where both sides stand on the reference again (a sync) one is left.
//! The idea is vcfeval's (Cleary et al. 2015, doi:10.1101/023754).
//!
//! The result is the maximum unless too many paths live at once: then the calls since the last sync are given up, and
//! told. Paths with calls of one side alone between two syncs, which say nothing in many words, do not count.

use std::collections::hash_map::Entry;
use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::call::{Call, Edit};

/// So many paths may live at once.
pub const MAX_PATHS: usize = 50_000;
/// So many steps of paths may be taken between two syncs.
pub const MAX_STEPS: usize = 1_000_000;

/// From so many paths on their number counts more than the order in which calls are decided.
const MANY: usize = 256;

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
/// (`P = 1`). Members are sorted by [`Call::order`]; the slice holds the reference from the first start to one base
/// behind the last end.
pub fn search<const P: usize>(members: &[Member<'_>], reference: Slice<'_>, phase: Phase) -> Solution {
    let of_side = |side: usize| (0..members.len()).filter(|place| members[*place].side == side).collect();
    let end = members.iter().map(|member| member.call.end).max().unwrap_or(reference.start) + 1;
    let field = Field { members, sides: [of_side(0), of_side(1)], reference, end, phase };
    Search::<P> { field: &field, nodes: vec![(0, Deed::Root)] }.run()
}

/// What is searched.
struct Field<'f> {
    members: &'f [Member<'f>],
    /// The members of each side, by their places.
    sides: [Vec<usize>; 2],
    reference: Slice<'f>,
    /// One base behind all changes, so that an insertion at their end is written.
    end: i64,
    phase: Phase,
}

impl Field<'_> {
    /// A member of a side, by its number there.
    fn member(&self, side: usize, number: usize) -> Option<usize> {
        self.sides[side].get(number).copied()
    }

    /// Where the next undecided member of a side begins: up to there its haplotypes are known.
    fn limit(&self, side: usize, decided: [u32; 2]) -> i64 {
        let next = self.member(side, decided[side] as usize);
        next.map_or(self.end, |place| self.members[place].call.start)
    }

    fn edit(&self, (member, edit): (u32, u8)) -> &Edit {
        &self.members[member as usize].call.edits[usize::from(edit)]
    }
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
    /// How many calls of each side are decided.
    decided: [u32; 2],
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
    is_in_sync: bool,
}

impl<const P: usize> Path<P> {
    /// In sync, before the first undecided calls.
    fn in_sync(decided: [u32; 2], field: &Field<'_>, taken: [u32; 2], node: u32) -> Self {
        let at = field.limit(0, decided).min(field.limit(1, decided));
        let play = || Play { at, pending: Vec::new() };
        let pairs = std::array::from_fn(|_| Pair { plays: [play(), play()], ..Pair::default() });
        Self { state: State { pairs, decided, has_taken: [false; 2] }, taken, node, is_in_sync: true }
    }

    /// More calls are better; of as many, those that are shared more evenly.
    fn worth(&self) -> (u32, u32) {
        (self.taken[0] + self.taken[1], self.taken[0].min(self.taken[1]))
    }
}

/// Places of states in a list of paths.
#[derive(Default)]
struct Known(FxHashMap<u64, usize>);

impl Known {
    /// Where a state stands in the list; where it does not, its place is noted as the next.
    fn place<const P: usize>(&mut self, state: &State<P>, paths: &[Path<P>]) -> Option<usize> {
        let mut hash = FxBuildHasher.hash_one(state);
        loop {
            match self.0.entry(hash) {
                Entry::Vacant(entry) => {
                    entry.insert(paths.len());
                    return None;
                }
                Entry::Occupied(entry) if paths[*entry.get()].state == *state => return Some(*entry.get()),
                // Another state with the same hash.
                Entry::Occupied(_) => hash = hash.wrapping_add(1),
            }
        }
    }
}

/// What a path did.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Root,
    /// Took a member.
    Took(u32),
    /// Was in sync at this position.
    Synced(i64),
}

struct Search<'s, const P: usize> {
    field: &'s Field<'s>,
    nodes: Vec<(u32, Deed)>,
}

impl<const P: usize> Search<'_, P> {
    fn run(mut self) -> Solution {
        let field = self.field;
        let count = field.members.len();
        let mut solution = Solution {
            is_matched: vec![false; count],
            is_given_up: vec![false; count],
            ..Solution::default()
        };
        let mut syncs = vec![field.reference.start];
        let mut paths = vec![Path::in_sync([0; 2], field, [0; 2], 0)];
        // The last place where one path was left, in sync, and the steps since.
        let (mut anchor, mut steps) = (paths[0].clone(), 0);
        let total = |path: &Path<P>| path.state.decided.iter().sum::<u32>() as usize;
        while paths.first().is_some_and(|path| total(path) < count) {
            if let [path] = &mut paths[..]
                && path.is_in_sync
            {
                path.node = self.settled(path.node, &mut solution, &mut syncs);
                (anchor, steps) = (path.clone(), 0);
            }
            steps += paths.len();
            if paths.len() > MAX_PATHS || steps > MAX_STEPS {
                let behind = self.behind(&paths);
                solution.given_up += 1;
                for ((side, from), to) in field.sides.iter().zip(anchor.state.decided).zip(behind) {
                    let given_up = &side[from as usize..to as usize];
                    given_up.iter().for_each(|place| solution.is_given_up[*place] = true);
                }
                paths = vec![Path::in_sync(behind, field, anchor.taken, anchor.node)];
                continue;
            }
            paths = self.decided(paths);
        }
        let at_end = paths.into_iter().filter(|path| path.is_in_sync);
        let best = at_end.reduce(|best, path| if path.worth() > best.worth() { path } else { best });
        self.settled(best.map_or(0, |path| path.node), &mut solution, &mut syncs);
        syncs.sort_unstable();
        let before = |start: i64| syncs[..syncs.partition_point(|sync| *sync <= start)].last().copied();
        let starts = field.members.iter().map(|member| member.call.start);
        solution.syncs = starts.map(|start| before(start).unwrap_or(start)).collect();
        solution
    }

    /// Writes down what the path to a node has matched, and where it was in sync. No other path needs the nodes; what
    /// follows has the one that is given back.
    fn settled(&mut self, mut node: u32, solution: &mut Solution, syncs: &mut Vec<i64>) -> u32 {
        loop {
            let (parent, deed) = self.nodes[node as usize];
            match deed {
                Deed::Root => break,
                Deed::Took(member) => solution.is_matched[member as usize] = true,
                Deed::Synced(position) => syncs.push(position),
            }
            node = parent;
        }
        self.nodes.truncate(1);
        0
    }

    /// How many calls of each side begin where some path has decided one, or before.
    fn behind(&self, paths: &[Path<P>]) -> [u32; 2] {
        let field = self.field;
        let start = |side: usize, number: usize| {
            field.member(side, number).map(|place| field.members[place].call.start)
        };
        let last = |path: &Path<P>| {
            (0..2).filter_map(|side| start(side, (path.state.decided[side] as usize).checked_sub(1)?)).max()
        };
        let last = paths.iter().filter_map(last).max().unwrap_or(i64::MIN);
        [0, 1].map(|side| {
            field.sides[side].partition_point(|place| field.members[*place].call.start <= last) as u32
        })
    }

    /// All paths with one more call decided; of those with the same future the best.
    fn decided(&mut self, paths: Vec<Path<P>>) -> Vec<Path<P>> {
        let mut kept: Vec<Path<P>> = Vec::with_capacity(paths.len());
        let (mut known, are_many) = (Known::default(), paths.len() > MANY);
        for path in paths {
            let side = self.next_side(&path.state, are_many);
            let Some(member) = self.field.member(side, path.state.decided[side] as usize) else { continue };
            let (orientations, count) = self.orientations(self.field.members[member].call);
            let taken = orientations[..count].iter().filter_map(|edits| self.taken(&path, member, edits));
            for mut path in taken.collect::<Vec<_>>().into_iter().chain([path]) {
                path.state.decided[side] += 1;
                if !self.settle(&mut path) {
                    continue;
                }
                match known.place(&path.state, &kept) {
                    Some(place) if kept[place].worth() >= path.worth() => {}
                    Some(place) => kept[place] = path,
                    None => kept.push(path),
                }
            }
        }
        kept
    }

    /// The side whose next call is decided: the one that comes first on the reference; among many paths the one for which
    /// the other has waited longest, so that what is known of that is compared.
    fn next_side(&self, state: &State<P>, are_many: bool) -> usize {
        let field = self.field;
        let has_more = |side: usize| (state.decided[side] as usize) < field.sides[side].len();
        let limits = [0, 1].map(|side| field.limit(side, state.decided));
        match [has_more(0), has_more(1)] {
            [true, true] if are_many => {
                let leads = state.pairs.iter().map(|pair| {
                    let [first, second] = pair.known(limits, field);
                    first - second
                });
                let lead = leads.max_by_key(|lead| lead.abs()).unwrap_or(0);
                usize::from(lead > 0 || (lead == 0 && limits[1] < limits[0]))
            }
            [true, true] => usize::from(limits[1] < limits[0]),
            [has_more, _] => usize::from(!has_more),
        }
    }

    /// The path with a member laid on its haplotypes, if nothing is in the way.
    fn taken(&mut self, path: &Path<P>, member: usize, edits: &[Option<u8>; P]) -> Option<Path<P>> {
        let side = self.field.members[member].side;
        let mut path = path.clone();
        for (pair, edit) in path.state.pairs.iter_mut().zip(edits) {
            if let Some(edit) = edit
                && !pair.plays[side].take((member as u32, *edit), self.field)
            {
                return None;
            }
        }
        path.state.has_taken[side] = true;
        path.taken[side] += 1;
        path.node = self.note(path.node, Deed::Took(member as u32));
        Some(path)
    }

    fn note(&mut self, parent: u32, deed: Deed) -> u32 {
        self.nodes.push((parent, deed));
        (self.nodes.len() - 1) as u32
    }

    /// Writes what is known of a path's haplotypes; whether it lives.
    fn settle(&mut self, path: &mut Path<P>) -> bool {
        let (field, state) = (self.field, &mut path.state);
        let limits = [0, 1].map(|side| field.limit(side, state.decided));
        if !path.is_in_sync || state.has_taken != [false; 2] {
            if !state.pairs.iter_mut().all(|pair| pair.advance(limits, field)) {
                return false;
            }
            let here = limits[0].min(limits[1]);
            path.is_in_sync = state.pairs.iter().all(|pair| pair.is_in_sync(here, limits, field));
            if path.is_in_sync && state.has_taken[0] != state.has_taken[1] {
                return false;
            }
        }
        if path.is_in_sync {
            let here = limits[0].min(limits[1]);
            let node = self.note(path.node, Deed::Synced(here));
            *path = Path::in_sync(path.state.decided, field, path.taken, node);
        } else if field.phase == Phase::Any {
            // Which haplotype is the first means nothing, unless genotypes are laid as they are written.
            path.state.pairs.sort_unstable();
        }
        true
    }

    /// The ways in which a call can be laid on the haplotypes, and how many there are.
    fn orientations(&self, call: &Call) -> ([[Option<u8>; P]; 2], usize) {
        if P == 1 {
            return ([[Some(0); P], [Some(1); P]], call.edits.len().min(2));
        }
        let [a, b] = call.haplotypes;
        let oriented =
            |first, second| std::array::from_fn(|haplotype| if haplotype == 0 { first } else { second });
        let is_fixed = a == b || (call.is_phased && self.field.phase == Phase::AsWritten);
        ([oriented(a, b), oriented(b, a)], if is_fixed { 1 } else { 2 })
    }
}

impl Pair {
    /// Bases that are known of each side, from the first that is not compared.
    fn known(&self, limits: [i64; 2], field: &Field<'_>) -> [i64; 2] {
        [0, 1].map(|side| {
            let ahead = if usize::from(self.leader) == side { self.ahead.len() as i64 } else { 0 };
            ahead + self.plays[side].within(limits[side], field)
        })
    }

    /// Writes both sides as far as both are known; whether they agree.
    fn advance(&mut self, limits: [i64; 2], field: &Field<'_>) -> bool {
        let [first, second] = self.known(limits, field);
        let wanted = first.min(second);
        let mut written = [Vec::new(), Vec::new()];
        written[usize::from(self.leader)] = std::mem::take(&mut self.ahead);
        for side in 0..2 {
            self.plays[side].write(limits[side], wanted, field, &mut written[side]);
        }
        let common = written[0].len().min(written[1].len());
        if written[0][..common] != written[1][..common] {
            return false;
        }
        self.leader = u8::from(written[1].len() > common);
        self.ahead = std::mem::take(&mut written[usize::from(self.leader)]).split_off(common);
        true
    }

    /// Whether both sides stand on the reference at a position, or beyond it with nothing but the reference between.
    fn is_in_sync(&self, here: i64, limits: [i64; 2], field: &Field<'_>) -> bool {
        let [first, second] = &self.plays;
        let stands = |side: usize| {
            let play = &self.plays[side];
            play.pending.is_empty() && play.at <= limits[side]
        };
        let (least, most) = (first.at.min(second.at), first.at.max(second.at));
        let is_leader = self.plays[usize::from(self.leader)].at == most;
        stands(0)
            && stands(1)
            && least <= here
            && is_leader
            && self.ahead.len() as i64 == most - least
            && self.ahead == field.reference.get(least, most)
    }
}

impl Play {
    /// Takes a change that begins at the present position or behind; whether no other is in its way.
    fn take(&mut self, edit: (u32, u8), field: &Field<'_>) -> bool {
        let new = field.edit(edit);
        if new.start < self.at {
            return false;
        }
        let others = self.pending.iter().map(|&other| field.edit(other));
        if others.clone().any(|other| new.meets(other)) {
            return false;
        }
        // Two insertions at one place stand in the order of their calls.
        let place = others.take_while(|other| (other.start, other.end) <= (new.start, new.end)).count();
        self.pending.insert(place, edit);
        true
    }

    /// Bases that can be written up to a limit.
    fn within(&self, limit: i64, field: &Field<'_>) -> i64 {
        let edits = self.pending.iter().map(|&edit| field.edit(edit)).take_while(|edit| edit.start < limit);
        let (growth, end) = edits.fold((0, self.at), |(growth, _), edit| (growth + edit.growth(), edit.end));
        growth + end.max(limit) - self.at
    }

    /// Writes until there are so many bases, or the limit is reached; a change is written whole.
    fn write(&mut self, limit: i64, wanted: i64, field: &Field<'_>, out: &mut Vec<u8>) {
        let mut ready = 0;
        while (out.len() as i64) < wanted
            || self.pending.get(ready).is_some_and(|&edit| field.edit(edit).start == self.at)
        {
            let edit =
                self.pending.get(ready).map(|&edit| field.edit(edit)).filter(|edit| edit.start < limit);
            let missing = (wanted - out.len() as i64).max(0);
            match edit {
                Some(edit) if edit.start - self.at <= missing => {
                    out.extend_from_slice(field.reference.get(self.at, edit.start));
                    out.extend_from_slice(&edit.bases);
                    self.at = edit.end;
                    ready += 1;
                }
                _ => {
                    let to = limit.min(self.at + missing);
                    if to <= self.at {
                        break;
                    }
                    out.extend_from_slice(field.reference.get(self.at, to));
                    self.at = to;
                }
            }
        }
        self.pending.drain(..ready);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
