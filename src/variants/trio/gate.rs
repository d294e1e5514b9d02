//! Which trios an expression lets pass: one sample can speak for or against all three.

use super::pedigree::Trio;
use crate::formats::vcf::record::Record;
use crate::records::condition::{Choice, Condition};
use crate::records::pipeline::RecordProblem;

/// An expression on sites and samples, asked of trios.
#[derive(Debug)]
pub struct Gate(Option<Condition>);

/// The trios that pass at a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    /// None: the site fails.
    None,
    /// All.
    All,
    /// At least one: for each trio whether it passes.
    Some(Vec<bool>),
}

impl Passing {
    /// Whether a trio passes.
    pub(super) fn has(&self, trio: usize) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Some(trios) => trios.get(trio).copied().unwrap_or(false),
        }
    }
}

impl Gate {
    /// With a condition, or open.
    pub fn new(condition: Option<Condition>) -> Self {
        Self(condition)
    }

    /// With `-i` a trio passes if the expression is true of all three, with `-e` if it is true of none. An expression that
    /// speaks of the site alone lets all or none pass.
    pub(super) fn passing(&self, record: &Record, trios: &[Trio]) -> Result<Passing, RecordProblem> {
        let Some(condition) = &self.0 else { return Ok(Passing::All) };
        let outcome = condition.test(record)?;
        let is_include = condition.choice() == Choice::Include;
        match (outcome.site, outcome.samples) {
            // With -e the expression is false of every sample; with -i of the whole site.
            (true, _) if !is_include => Ok(Passing::All),
            (false, _) if is_include => Ok(Passing::None),
            (site, None) => Ok(if site { Passing::All } else { Passing::None }),
            (_, Some(samples)) => {
                let fits = |sample: usize| samples.get(sample).copied().unwrap_or(false) == is_include;
                let passes: Vec<bool> =
                    trios.iter().map(|trio| trio.members().into_iter().all(fits)).collect();
                Ok(if passes.contains(&true) { Passing::Some(passes) } else { Passing::None })
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::formats::vcf::header::Header;
    use crate::records::expression::Expression;

    #[test]
    fn all_three_decide() {
        let header = "##fileformat=VCFv4.2\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"\">\n\
            ##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"\">\n\
            #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\td\te\tf\n";
        let header = Header::parse(header.as_bytes()).unwrap();
        let record = Record::parse(b"1\t5\t.\tA\tC\t9\t.\tDP=7\tGQ\t10\t20\t30\t40\t50\t60").unwrap();
        let trio = |at| Trio { child: at, father: at + 1, mother: at + 2, has_one_x: false };
        let trios = [trio(0), trio(3)];
        use Choice::{Exclude, Include};
        for (choice, text, expected) in [
            (Include, "DP>5", Passing::All),
            (Include, "DP>9", Passing::None),
            (Exclude, "DP>5", Passing::None),
            (Exclude, "DP>9", Passing::All),
            (Include, "GQ>15", Passing::Some(vec![false, true])),
            (Include, "GQ>5", Passing::Some(vec![true, true])),
            (Include, "GQ>45", Passing::None),
            (Include, "GQ>65", Passing::None),
            (Exclude, "GQ<15", Passing::Some(vec![false, true])),
            (Exclude, "GQ<45", Passing::None),
            (Exclude, "GQ<5", Passing::All),
        ] {
            let condition = Condition::new(Expression::compile(text, &header).unwrap(), choice);
            let found = Gate::new(Some(condition)).passing(&record, &trios).unwrap();
            assert_eq!(found, expected, "{choice:?} {text}");
        }
    }
}
