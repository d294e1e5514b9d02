//! The options of `norn annotate --haplotype`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;

use super::variants::streams;
use crate::annotate::genes::Genes;
use crate::annotate::haplotype::{Haplotypes, Options, Phase};
use crate::compute::communicator::Communicator;
use crate::formats::bases::Genome;
use crate::formats::vcf::header::Header;

/// Variants of a haplotype taken together.
#[derive(Debug, Args)]
pub struct HaplotypeArguments {
    /// Also INFO/BCSQ and FORMAT/BCSQ: what the variants of a haplotype do together, as bcftools csq writes it
    #[arg(long, conflicts_with_all = ["tab", "json"])]
    haplotype: bool,

    /// Heterozygous genotypes that are not phased: take them as they are (a), put all alternate alleles into one
    /// haplotype (m), stop (r), put what is not the reference into both (R), pass over them (s)
    #[arg(short, long, value_name = "a|m|r|R|s", default_value = "r", value_parser = phase, requires = "haplotype")]
    phase: Phase,

    /// How many consequences of a haplotype FORMAT/BCSQ can tell of at a record
    #[arg(short, long, value_name = "INT", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=225), requires = "haplotype")]
    ncsq: u16,

    /// Each variant by itself, whatever the phase
    #[arg(short, long, requires = "haplotype", conflicts_with = "phase")]
    local_csq: bool,
}

fn phase(letter: &str) -> Result<Phase, String> {
    Phase::parse(letter).ok_or_else(|| "there are a, m, r, R and s".to_owned())
}

/// Records that have more consequences than they can tell of.
pub struct Crowded(Arc<AtomicU64>);

impl HaplotypeArguments {
    /// Whether haplotypes are looked at.
    pub fn is_wanted(&self) -> bool {
        self.haplotype
    }

    /// The step and its header, if it is wanted.
    pub fn step(
        &self,
        genes: &Arc<Genes>,
        genome: &Genome,
        header: &Header,
    ) -> Option<(Haplotypes, Header, Crowded)> {
        let options =
            Options { phase: self.phase, entries: usize::from(self.ncsq), is_local: self.local_csq };
        let step = || Haplotypes::new(Arc::clone(genes), genome.clone(), header, options);
        self.haplotype.then(step).map(|step| {
            let crowded = Crowded(step.crowded());
            (step, Haplotypes::header(header), crowded)
        })
    }
}

impl Crowded {
    /// Tells how many there are.
    ///
    /// # Errors
    /// The ranks cannot be asked.
    pub fn tell(&self, ranks: &Communicator) -> anyhow::Result<()> {
        let mine = self.0.load(Ordering::Relaxed);
        if let Some(all) = streams::gathered(ranks, &mine)? {
            match all.iter().sum::<u64>() {
                0 => {}
                count => eprintln!(
                    "{count} times a haplotype has more consequences than FORMAT/BCSQ tells of (--ncsq)"
                ),
            }
        }
        Ok(())
    }
}
