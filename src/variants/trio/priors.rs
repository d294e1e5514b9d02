//! What is expected of a trio's genotypes before the reads are seen: how frequent the parents' are, how the child's comes of
//! them, and how rarely it does so by mutation.
//!
//! The numbers are bcftools 1.23's: those of DeNovoGear (Ramu et al., Nature Methods 2013), which has the model of Conrad et
//! al., Nature Genetics 2011, supplement, and bcftools' own. Arithmetic follows the same order, because a score is the
//! logarithm of a difference in which every bit counts.

/// Genotypes of four alleles in the order of VCF: the greater allele, and the other.
pub(super) const GENOTYPES: [(usize, usize); 10] =
    [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2), (3, 3)];

/// How many genotypes there are.
const COUNT: usize = GENOTYPES.len();

/// The place of a genotype in [`GENOTYPES`].
pub(super) fn place(a: usize, b: usize) -> usize {
    let (greater, lesser) = (a.max(b), a.min(b));
    greater * (greater + 1) / 2 + lesser
}

/// How a place is inherited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// One allele of each parent.
    Autosome,
    /// X of a son.
    SonsX,
    /// X of a daughter.
    DaughtersX,
}

/// What the priors depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct PriorOptions {
    /// DeNovoGear's own, whatever the pattern.
    pub denovogear: bool,
    /// Only alleles that neither parent has, and never REF, are de novo.
    pub strictly_novel: bool,
    /// Mutations by site and generation.
    pub mutation_rate: f64,
}

/// A combination of three genotypes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Prior {
    /// Natural logarithm of its probability.
    pub log: f64,
    /// The new allele, where it is no inheritance.
    pub denovo: Option<usize>,
}

/// The priors of all combinations of genotypes of up to four alleles.
#[derive(Debug)]
pub(super) struct Priors(Vec<Prior>);

impl Priors {
    /// Those of a pattern.
    pub fn new(pattern: Pattern, options: PriorOptions) -> Self {
        let mut table = Vec::with_capacity(COUNT * COUNT * COUNT);
        for father in GENOTYPES {
            for mother in GENOTYPES {
                for child in GENOTYPES {
                    table.push(Combination { father, mother, child }.prior(pattern, options));
                }
            }
        }
        Self(table)
    }

    /// That of places in [`GENOTYPES`].
    #[inline]
    pub fn of(&self, father: usize, mother: usize, child: usize) -> Prior {
        self.0[(father * COUNT + mother) * COUNT + child]
    }
}

type Pair = (usize, usize);

#[derive(Clone, Copy)]
struct Combination {
    father: Pair,
    mother: Pair,
    child: Pair,
}

/// A child's genotype given its parents': inherited with a probability, or by mutations.
struct Transmission {
    /// 0 where it cannot be inherited.
    probability: f64,
    /// Of as many mutations as it takes, or of none.
    mutation: f64,
}

fn has((a, b): Pair, allele: usize) -> bool {
    a == allele || b == allele
}

fn is_homozygous((a, b): Pair) -> bool {
    a == b
}

/// How many alleles genotypes have together, from `first` on.
fn distinct(genotypes: &[Pair], first: usize) -> usize {
    (first..4).filter(|&allele| genotypes.iter().any(|&genotype| has(genotype, allele))).count()
}

/// How often REF is among them.
fn references(genotypes: &[Pair]) -> usize {
    genotypes.iter().map(|&(a, b)| usize::from(a == 0) + usize::from(b == 0)).sum()
}

impl Combination {
    fn prior(self, pattern: Pattern, options: PriorOptions) -> Prior {
        let parents = match (options.denovogear, pattern) {
            (true, _) => self.parents_of_denovogear(),
            (_, Pattern::Autosome) => self.parents(),
            (_, Pattern::SonsX) => self.mother_alone(),
            (_, Pattern::DaughtersX) => self.parents_with_one_x(),
        };
        let Transmission { probability, mutation } = match (options.denovogear, pattern) {
            (true, _) => self.transmission_of_denovogear(options.mutation_rate),
            (_, Pattern::Autosome) => self.transmission(options),
            (_, Pattern::SonsX) => self.transmission_to_son(options.mutation_rate),
            (_, Pattern::DaughtersX) => self.transmission_to_daughter(options),
        };
        let inherited = probability != 0.0;
        let allele = if pattern == Pattern::SonsX && !options.denovogear {
            self.new_allele(|allele| has(self.mother, allele))
        } else {
            self.new_allele(|allele| self.parents_have(allele))
        };
        Prior {
            log: (parents * mutation * if inherited { probability } else { 1.0 }).ln(),
            denovo: (!inherited).then_some(allele),
        }
    }

    fn parents_have(&self, allele: usize) -> bool {
        has(self.father, allele) || has(self.mother, allele)
    }

    /// The child's allele that is not known, the greater one if neither is, the lesser one if both are.
    fn new_allele(&self, is_known: impl Fn(usize) -> bool) -> usize {
        if is_known(self.child.0) { self.child.1 } else { self.child.0 }
    }

    /// One allele can be of the father and the other of the mother.
    fn is_mendelian(&self) -> bool {
        let (a, b) = self.child;
        has(self.father, a) && has(self.mother, b) || has(self.mother, a) && has(self.father, b)
    }

    /// Parents' genotypes as DeNovoGear weighs them, the child's among the criteria.
    fn parents_of_denovogear(&self) -> f64 {
        let parents = [self.father, self.mother];
        let (in_parents, in_all) =
            (distinct(&parents, 0), distinct(&[self.father, self.mother, self.child], 0));
        let both_homozygous = is_homozygous(self.father) && is_homozygous(self.mother);
        match references(&parents) {
            _ if in_all > 3 => 1e-26,
            _ if in_parents >= 3 => 0.002 * 0.002 / 414.0,
            _ if in_all == 3 => 1e-3 * 1e-3,
            4 => 0.995 * 0.998,
            3 => 0.995 * 0.002 * (3.0 / 5.0) * (4.0 / 5.0) * 0.5,
            2 if both_homozygous => 0.995 * 0.002 * (2.0 / 5.0) * (1.0 / 5.0) * 0.5,
            2 => 0.995 * 0.002 * (2.0 / 5.0) * (2.0 / 5.0),
            1 => 0.995 * 0.002 * (2.0 / 5.0) * (2.0 / 5.0) * 0.5,
            _ if in_parents == 1 => 0.995 * 0.002 * (3.0 / 5.0) * (1.0 / 5.0),
            _ => 0.002 * 0.002 / 414.0,
        }
    }

    /// Parents' genotypes where both have two alleles.
    fn parents(&self) -> f64 {
        let parents = [self.father, self.mother];
        let Frequencies { reference, two, one } = Frequencies::of(0.998);
        match (distinct(&parents, 1), references(&parents)) {
            (3.., _) => 1e-26,
            (2, _) => two / 57.0,
            (_, 4) => reference,
            (_, 2) if is_homozygous(self.mother) => one * (2.0 / 15.0) * (1.0 / 3.0),
            (_, 0) => one * (1.0 / 15.0) * (1.0 / 3.0),
            _ => one * (4.0 / 15.0) * (1.0 / 3.0),
        }
    }

    /// The mother's genotype: a son has nothing of his father's X.
    fn mother_alone(&self) -> f64 {
        let Frequencies { reference, two, one } = Frequencies::of(0.999);
        match (distinct(&[self.mother], 1), references(&[self.mother])) {
            (2.., _) => two / 3.0,
            (_, 2) => reference,
            (_, 1) => one * (2.0 / 3.0) * (1.0 / 3.0),
            _ => one * (1.0 / 3.0) * (1.0 / 3.0),
        }
    }

    /// Parents' genotypes where the father has one X.
    fn parents_with_one_x(&self) -> f64 {
        if !is_homozygous(self.father) {
            return 0.0;
        }
        let parents = [self.father, self.mother];
        let is_reference = self.father.0 == 0;
        // His allele is written twice and counts once; where it is no REF, it does not count among the alternate ones.
        let references = references(&parents) - usize::from(is_reference);
        let alternates = distinct(&parents, 1) - usize::from(!is_reference);
        let Frequencies { reference, two, one } = Frequencies::of(0.998);
        match (alternates, references) {
            (3.., _) => 1e-26,
            (2, _) => two * (1.0 / 9.0) * (1.0 / 3.0),
            (_, 3) => reference,
            (_, 1 | 2) => one * (3.0 / 7.0) * (1.0 / 3.0),
            _ => one * (1.0 / 7.0) * (1.0 / 3.0),
        }
    }

    fn transmission_of_denovogear(&self, rate: f64) -> Transmission {
        let (father, mother, (a, b)) = (self.father, self.mother, self.child);
        let inherited = |probability| Transmission { probability, mutation: 1.0 - rate };
        let mutated = |mutation| Transmission { probability: 0.0, mutation };
        let homozygous = (is_homozygous(father), is_homozygous(mother));
        match distinct(&[father, mother, self.child], 0) {
            1 => inherited(1.0),
            2 => match homozygous {
                (false, false) => inherited(0.25),
                (true, true) if father.0 == mother.0 && a == b => mutated(rate * rate),
                (true, true) if father.0 == mother.0 || a == b => mutated(rate),
                (true, true) => inherited(1.0),
                (true, false) if a == b && father.0 != a => mutated(rate),
                (false, true) if a == b && mother.0 != a => mutated(rate),
                _ => inherited(0.5),
            },
            3 if self.is_mendelian() => {
                inherited(if a != b && (homozygous.0 || homozygous.1) { 0.5 } else { 0.25 })
            }
            3 if !self.parents_have(a) && !self.parents_have(b) => mutated(rate * rate),
            3 => mutated(rate),
            _ => Transmission { probability: 0.0, mutation: 1.0 - rate },
        }
    }

    fn transmission(&self, options: PriorOptions) -> Transmission {
        let (a, b) = self.child;
        let is_novel = if options.strictly_novel {
            let has_new = !self.parents_have(a) || !self.parents_have(b);
            has_new && self.new_allele(|allele| self.parents_have(allele)) != 0
        } else {
            !self.is_mendelian()
        };
        let rate = options.mutation_rate;
        if !is_novel {
            let probability = match (is_homozygous(self.father), is_homozygous(self.mother)) {
                (true, true) => 1.0,
                (false, false) => 0.25,
                _ => 0.5,
            };
            return Transmission { probability, mutation: 1.0 - rate };
        }
        let one_is_known = self.parents_have(a) || self.parents_have(b);
        Transmission { probability: 0.0, mutation: if one_is_known { rate } else { rate * rate } }
    }

    fn transmission_to_son(&self, rate: f64) -> Transmission {
        let (a, b) = self.child;
        if a != b {
            // No son has two X; with an allele that is new, he can be a mosaic.
            let has_new = !self.parents_have(a) || !self.parents_have(b);
            return Transmission { probability: 0.0, mutation: if has_new { rate } else { 0.0 } };
        }
        match (has(self.mother, a), is_homozygous(self.mother)) {
            (true, true) => Transmission { probability: 1.0, mutation: 1.0 - rate },
            (true, false) => Transmission { probability: 0.5, mutation: 1.0 - rate },
            (false, _) => Transmission { probability: 0.0, mutation: rate },
        }
    }

    fn transmission_to_daughter(&self, options: PriorOptions) -> Transmission {
        if !is_homozygous(self.father) {
            // A father with two X is an error, and new is only what is new on an autosome.
            return self.transmission(options);
        }
        let (a, b) = self.child;
        let rate = options.mutation_rate;
        if self.is_mendelian() {
            let probability = if is_homozygous(self.mother) { 1.0 } else { 0.5 };
            return Transmission { probability, mutation: 1.0 - rate };
        }
        let one_is_known = self.parents_have(a) || self.parents_have(b);
        Transmission { probability: 0.0, mutation: if one_is_known { rate } else { rate * rate } }
    }
}

/// Chances of a site in the parents.
struct Frequencies {
    /// All are REF.
    reference: f64,
    /// There are two alternate alleles.
    two: f64,
    /// There is one.
    one: f64,
}

impl Frequencies {
    fn of(reference: f64) -> Self {
        let two = (1.0 - reference) * (1.0 - reference);
        Self { reference, two, one: 1.0 - reference - two }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priors(pattern: Pattern, denovogear: bool, strictly_novel: bool) -> Priors {
        Priors::new(pattern, PriorOptions { denovogear, strictly_novel, mutation_rate: 1e-8 })
    }

    #[test]
    fn new_alleles_are_known() {
        use Pattern::*;
        // By hand: father, mother, child; DeNovoGear's priors, strictly novel; the new allele.
        for (pattern, denovogear, strict, genotypes, expected) in [
            (Autosome, false, false, [(0, 0), (0, 0), (0, 0)], None),
            (Autosome, false, false, [(0, 0), (0, 0), (1, 0)], Some(1)),
            (Autosome, false, false, [(1, 1), (1, 1), (1, 0)], Some(0)),
            (Autosome, false, true, [(1, 1), (1, 1), (1, 0)], None),
            (Autosome, false, false, [(1, 1), (0, 0), (1, 1)], Some(1)),
            (Autosome, false, true, [(1, 1), (0, 0), (1, 1)], None),
            (Autosome, false, true, [(1, 0), (2, 0), (3, 1)], Some(3)),
            (Autosome, true, false, [(0, 0), (0, 0), (1, 1)], Some(1)),
            (Autosome, true, false, [(1, 0), (2, 2), (2, 1)], None),
            (SonsX, false, false, [(1, 1), (0, 0), (1, 1)], Some(1)),
            (SonsX, false, false, [(1, 1), (1, 0), (1, 1)], None),
            (SonsX, false, false, [(0, 0), (0, 0), (1, 0)], Some(1)),
            (DaughtersX, false, false, [(1, 1), (0, 0), (1, 0)], None),
            (DaughtersX, false, false, [(1, 1), (0, 0), (0, 0)], Some(0)),
            (DaughtersX, false, false, [(1, 0), (0, 0), (0, 0)], None),
        ] {
            let [father, mother, child] = genotypes.map(|(a, b)| place(a, b));
            let found = priors(pattern, denovogear, strict).of(father, mother, child).denovo;
            assert_eq!(found, expected, "{pattern:?} {denovogear} {strict} {genotypes:?}");
        }
    }

    #[test]
    fn what_is_inherited_adds_up() {
        // A property: over the child's genotypes, the chances of those that can be inherited of given parents are one where
        // a heterozygote can come about in one way only, and never more.
        let table = priors(Pattern::Autosome, false, false);
        for (father, &of_father) in GENOTYPES.iter().enumerate() {
            for (mother, &of_mother) in GENOTYPES.iter().enumerate() {
                let parents = Combination { father: of_father, mother: of_mother, child: (0, 0) }.parents();
                let sum: f64 = (0..COUNT)
                    .map(|child| table.of(father, mother, child))
                    .filter(|prior| prior.denovo.is_none())
                    .map(|prior| prior.log.exp() / parents / (1.0 - 1e-8))
                    .sum();
                let same_heterozygotes = father == mother && !is_homozygous(of_father);
                let expected = if same_heterozygotes { 0.75 } else { 1.0 };
                assert!((sum - expected).abs() < 1e-9, "{father} {mother}: {sum}");
            }
        }
    }

    #[test]
    fn genotypes_have_their_places() {
        for (number, &(a, b)) in GENOTYPES.iter().enumerate() {
            assert_eq!([place(a, b), place(b, a)], [number; 2]);
        }
    }
}
