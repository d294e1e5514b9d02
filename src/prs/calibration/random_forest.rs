//! Which population a point is of, by the votes of many trees (L. Breiman, Machine Learning 45 (2001),
//! doi:10.1023/A:1010933404324).
//!
//! Trees grow as scikit-learn's `RandomForestClassifier` has them by default, which pgscatalog-utils 2.0.4 takes: 100
//! trees, each of a
//! sample with replacement; a node is cut at the best of the square root of all dimensions, drawn anew, by Gini
//! impurity, until all
//! in it are of one class; coordinates have 32 bits; a tree says the shares of its leaf, the forest their mean. The
//! seed is fixed, but
//! random numbers are not scikit-learn's: votes agree within what its own seeds make them differ.

use rayon::prelude::*;

use crate::compute::drand48::Drand48;

/// Trees that were grown.
#[derive(Clone, Debug)]
pub struct Forest {
    trees: Vec<Tree>,
    classes: usize,
}

const TREES: usize = 100;
const SEED: i64 = 32;

impl Forest {
    /// Learns from points and their classes (numbers below a count). Points have as many dimensions each.
    pub fn grow(points: &[&[f64]], classes_of: &[usize], classes: usize) -> Self {
        let points: Vec<Vec<f32>> = points.iter().map(|point| rounded(point)).collect();
        let mut random = Drand48::new(SEED);
        let seeds: Vec<i64> = (0..TREES).map(|_| (random.next() * f64::from(u32::MAX)) as i64).collect();
        let grow = |seed: i64| {
            let grower = Grower { points: &points, classes_of, classes, random: Drand48::new(seed) };
            grower.grow()
        };
        Self { trees: seeds.into_par_iter().map(grow).collect(), classes }
    }

    /// The probability of each class at a point.
    pub fn probabilities(&self, point: &[f64]) -> Vec<f64> {
        let point = rounded(point);
        let mut sums = vec![0.0; self.classes];
        for tree in &self.trees {
            sums.iter_mut().zip(tree.leaf(&point)).for_each(|(sum, share)| *sum += share);
        }
        sums.iter().map(|sum| sum / self.trees.len() as f64).collect()
    }
}

fn rounded(point: &[f64]) -> Vec<f32> {
    point.iter().map(|value| *value as f32).collect()
}

#[derive(Clone, Debug)]
struct Tree(Vec<Node>);

#[derive(Clone, Debug)]
enum Node {
    /// Points whose coordinate is no greater than the threshold go to one node, others to another; both are behind this
    /// one.
    Cut { dimension: usize, threshold: f64, low: usize, high: usize },
    /// Shares of classes.
    Leaf(Vec<f64>),
}

impl Tree {
    fn leaf(&self, point: &[f32]) -> &[f64] {
        let mut at = 0;
        loop {
            match &self.0[at] {
                Node::Leaf(shares) => return shares,
                Node::Cut { dimension, threshold, low, high } => {
                    at = if f64::from(point[*dimension]) <= *threshold { *low } else { *high };
                }
            }
        }
    }
}

struct Grower<'g> {
    points: &'g [Vec<f32>],
    classes_of: &'g [usize],
    classes: usize,
    random: Drand48,
}

/// A cut of a node, and how pure both sides are.
struct Cut {
    dimension: usize,
    threshold: f64,
    purity: f64,
}

impl Grower<'_> {
    fn grow(mut self) -> Tree {
        let count = self.points.len();
        let drawn: Vec<usize> = (0..count).map(|_| self.below(count)).collect();
        let mut nodes = vec![Node::Leaf(Vec::new())];
        let mut open = vec![(0, drawn)];
        while let Some((at, members)) = open.pop() {
            let counts = self.counts(&members);
            let is_pure = counts.iter().filter(|count| **count > 0.0).count() < 2;
            let cut = if is_pure { None } else { self.best_cut(&members, &counts) };
            let Some(Cut { dimension, threshold, .. }) = cut else {
                let all = (members.len() as f64).max(1.0);
                nodes[at] = Node::Leaf(counts.iter().map(|count| count / all).collect());
                continue;
            };
            let is_low = |member: &usize| f64::from(self.points[*member][dimension]) <= threshold;
            let (below, above): (Vec<usize>, Vec<usize>) = members.iter().partition(|member| is_low(member));
            let (low, high) = (nodes.len(), nodes.len() + 1);
            nodes[at] = Node::Cut { dimension, threshold, low, high };
            nodes.extend([Node::Leaf(Vec::new()), Node::Leaf(Vec::new())]);
            open.extend([(high, above), (low, below)]);
        }
        Tree(nodes)
    }

    fn below(&mut self, count: usize) -> usize {
        ((self.random.next() * count as f64) as usize).min(count.saturating_sub(1))
    }

    fn counts(&self, members: &[usize]) -> Vec<f64> {
        let mut counts = vec![0.0; self.classes];
        members.iter().for_each(|member| counts[self.classes_of[*member]] += 1.0);
        counts
    }

    /// The best cut among dimensions in random order: the square root of all, and more as long as none can be cut.
    fn best_cut(&mut self, members: &[usize], counts: &[f64]) -> Option<Cut> {
        let mut dimensions: Vec<usize> = (0..self.points[members[0]].len()).collect();
        let most = dimensions.len().isqrt().max(1);
        let (mut best, mut seen): (Option<Cut>, usize) = (None, 0);
        while !dimensions.is_empty() && (seen < most || best.is_none()) {
            let place = self.below(dimensions.len());
            let dimension = dimensions.swap_remove(place);
            seen += 1;
            let cut = self.cut_at(members, counts, dimension);
            if let Some(cut) = cut
                && best.as_ref().is_none_or(|best| cut.purity > best.purity)
            {
                best = Some(cut);
            }
        }
        best
    }

    /// The best cut in a dimension; none where all are at one place.
    fn cut_at(&self, members: &[usize], counts: &[f64], dimension: usize) -> Option<Cut> {
        let value = |member: usize| self.points[member][dimension];
        let mut sorted = members.to_vec();
        sorted.sort_by(|a, b| value(*a).total_cmp(&value(*b)).then(a.cmp(b)));
        let (mut low, mut high) = (vec![0.0; self.classes], counts.to_vec());
        let mut best: Option<Cut> = None;
        for (pair, below) in sorted.windows(2).zip(1..) {
            let class = self.classes_of[pair[0]];
            low[class] += 1.0;
            high[class] -= 1.0;
            let (here, next) = (f64::from(value(pair[0])), f64::from(value(pair[1])));
            // Nearer points are one place for scikit-learn.
            if next <= here + 1e-7 {
                continue;
            }
            let squares = |counts: &[f64]| counts.iter().map(|count| count * count).sum::<f64>();
            let (below, above) = (f64::from(below), (sorted.len() - below as usize) as f64);
            let purity = squares(&low) / below + squares(&high) / above;
            if best.as_ref().is_none_or(|best| purity > best.purity) {
                best = Some(Cut { dimension, threshold: here / 2.0 + next / 2.0, purity });
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_lie_apart_are_told_apart() {
        let places: Vec<[f64; 3]> = (0..90)
            .map(|n| [f64::from(n % 3) * 10.0 + f64::from(n % 7) / 7.0, f64::from(n % 5), 1.0])
            .collect();
        let points: Vec<&[f64]> = places.iter().map(|place| &place[..]).collect();
        let classes: Vec<usize> = (0..90).map(|n| n % 3).collect();
        let forest = Forest::grow(&points, &classes, 4);
        for (point, class) in points.iter().zip(&classes) {
            let found = forest.probabilities(point);
            assert!(found[*class] > 0.9 && found[3] == 0.0, "{found:?}");
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        // A third of the way two groups are as likely as trees find them.
        assert!(forest.probabilities(&[5.5, 0.0, 1.0])[2] < 0.1);
    }

    #[test]
    fn what_cannot_be_told_apart_has_the_shares_of_its_place() {
        let points: Vec<&[f64]> = vec![&[1.0, 2.0]; 8];
        let forest = Forest::grow(&points, &[0, 1, 1, 1, 0, 1, 1, 1], 2);
        let found = forest.probabilities(&[7.0, 7.0]);
        // 800 draws of 1 in 4: five deviations are 0.08.
        assert!((found[0] - 0.25).abs() < 0.08, "{found:?}");
    }
}
