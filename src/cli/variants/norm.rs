//! `norn variants norm`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan};
use crate::cli::qc::UsageError;
use crate::compute::communicator::Communicator;
use crate::variants::norm::counts::{Counted, Counts};
use crate::variants::norm::warnings::Warnings;
use crate::variants::norm::{
    self, CheckRef, Collapse, Multiallelics, NormError, NormOptions, RemoveDuplicates, SortOrder,
};

/// Align and trim variants, check REF, split or join multiallelic sites, remove duplicates (bcftools norm).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    norn variants norm -f GRCh38.fa -m- -o normal.vcf.gz -W calls.vcf.gz   split, then left-align and trim\n  \
    norn variants norm -f GRCh38.fa -c w -d exact calls.vcf.gz             warn where REF differs, drop duplicates\n  \
    norn variants norm -m+any split.vcf.gz                                 join what stands at one position")]
pub struct NormArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    condition: ConditionArguments,

    /// Reference FASTA, plain or bgzipped: REF is checked, variants are left-aligned and trimmed
    #[arg(short, long, value_name = "FASTA")]
    fasta_ref: Option<PathBuf>,

    /// Where REF is not the reference's: end with an error (e), warn (w), leave the record out (x), set REF (s)
    #[arg(short, long, value_name = "e|w|x|s", default_value = "e", value_parser = check_ref)]
    check_ref: CheckRef,

    /// GFF3: in transcripts on the forward strand variants go to the right, as HGVS has it
    #[arg(short, long, value_name = "GFF3")]
    gff_annot: Option<PathBuf>,

    /// Neither align nor trim (with -m, or -c s)
    #[arg(short = 'N', long)]
    do_not_normalize: bool,

    /// Split multiallelic records (-), or join those at one position (+): snps, indels, both or any
    #[arg(short, long, value_name = "-|+[KIND]", allow_hyphen_values = true, value_parser = multiallelics)]
    multiallelics: Option<Multiallelics>,

    /// In genotypes of split records the other alleles are REF (0) or missing (.)
    #[arg(long, value_name = "0|.", default_value = "0", value_parser = ["0", "."])]
    multi_overlaps: String,

    /// In split records keep the sum of these tags' values, as of AD: REF takes those of the other alleles
    #[arg(long, value_name = "TAG,...", value_delimiter = ',')]
    keep_sum: Vec<String>,

    /// Drop fields that have a wrong number of values, instead of ending with an error
    #[arg(long)]
    force: bool,

    /// In joined records, PASS of a later record takes the place of the filters before it
    #[arg(short, long)]
    strict_filter: bool,

    /// Take complex alleles apart: an MNV becomes SNVs
    #[arg(short, long)]
    atomize: bool,

    /// In records taken apart, overlapping alleles are `*` or missing
    #[arg(long, value_name = "*|.", default_value = "*", value_parser = ["*", "."])]
    atom_overlaps: String,

    /// Leave out duplicates: snps, indels, both, all, or exact
    #[arg(short = 'd', long, value_name = "KIND", value_parser = duplicates)]
    rm_dup: Option<RemoveDuplicates>,

    /// The same as -d exact
    #[arg(short = 'D', long)]
    remove_duplicates: bool,

    /// Tell in INFO/TAG what a changed record was
    #[arg(long, value_name = "TAG")]
    old_rec_tag: Option<String>,

    /// Order at one position: that of the input (pos), or by alleles (lex)
    #[arg(short = 'S', long, value_name = "pos|lex", default_value = "pos", value_parser = sort)]
    sort: SortOrder,

    /// Put in order what is out of order in the input by up to N bases; not needed for what moves
    #[arg(short = 'w', long, value_name = "N", default_value_t = 1000)]
    site_win: i64,
}

/// Says which records do not fit the reference, and how many could not be moved.
pub(super) fn tell(counts: &Counts, warnings: &Warnings) {
    let (lines, more) = warnings.take();
    lines.iter().for_each(|line| eprintln!("{line}"));
    if more > 0 {
        eprintln!("norn: {more} more records do not fit the reference");
    }
    let tally = counts.tally();
    let unmoved = tally.get(Counted::Unmoved);
    if unmoved > 0 {
        eprintln!("norn: {unmoved} variants of over {} bases could move far and stay", norm::reach::LONGEST);
    }
}

/// Brings what all ranks have to tell to rank 0; false on the others.
pub(super) fn gather(ranks: &Communicator, counts: &Counts, warnings: &Warnings) -> anyhow::Result<bool> {
    if ranks.size() == 1 {
        return Ok(true);
    }
    let Some(all) = streams::gathered(ranks, &(counts.tally(), warnings.take_found()))? else {
        return Ok(false);
    };
    for (rank, (tally, found)) in all.into_iter().enumerate() {
        if rank > 0 {
            counts.merge(&tally);
        }
        warnings.merge(found);
    }
    Ok(true)
}

fn check_ref(text: &str) -> Result<CheckRef, String> {
    CheckRef::parse(text).ok_or_else(|| "expected some of the letters e, w, x and s".into())
}

fn multiallelics(text: &str) -> Result<Multiallelics, String> {
    let make = match text.as_bytes().first() {
        Some(b'-') => Multiallelics::Split,
        Some(b'+') => Multiallelics::Join,
        _ => return Err("expected + or - at the beginning".into()),
    };
    Ok(make(match &text[1..] {
        "snps" => Collapse::Snps,
        "indels" => Collapse::Indels,
        "" | "both" => Collapse::Both,
        "any" => Collapse::Any,
        _ => return Err("expected snps, indels, both or any behind the sign".into()),
    }))
}

fn duplicates(text: &str) -> Result<RemoveDuplicates, String> {
    Ok(match text {
        "snps" => RemoveDuplicates::Snps,
        "indels" => RemoveDuplicates::Indels,
        "both" => RemoveDuplicates::Both,
        "all" | "any" => RemoveDuplicates::All,
        "exact" | "none" => RemoveDuplicates::Exact,
        _ => return Err("expected snps, indels, both, all or exact".into()),
    })
}

fn sort(text: &str) -> Result<SortOrder, String> {
    match text {
        "pos" | "chr_pos" => Ok(SortOrder::Position),
        "lex" => Ok(SortOrder::Lexical),
        _ => Err("expected pos or lex".into()),
    }
}

impl NormArguments {
    /// Runs the command, and tells at the end what was done.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let options = self.options();
        let mut told = None;
        let code = streams::run("norm", &self.input, &self.output, ranks, |header| {
            if self.condition.explained(header)? {
                return Ok(Plan::done());
            }
            let options =
                NormOptions { condition: self.condition.compile(header)?.map(Arc::new), ..options.clone() };
            let chain = norm::chain(&options, header).map_err(|error| match error {
                NormError::Nothing | NormError::NoReference | NormError::NoTag(_) => {
                    anyhow::Error::from(UsageError::new(error.to_string()))
                }
                error => error.into(),
            })?;
            told = Some((chain.counts, chain.warnings));
            Ok(Plan::new(chain.header, chain.parts))
        });
        if let Some((counts, warnings)) = told {
            let is_whole = code.is_err() || gather(ranks, &counts, &warnings)?;
            if !is_whole {
                return code;
            }
            tell(&counts, &warnings);
            if code.is_ok() {
                eprint!("{}", counts.tally().summary(options.check_ref.set));
            }
        }
        code
    }

    fn options(&self) -> NormOptions {
        let exact = self.remove_duplicates.then_some(RemoveDuplicates::Exact);
        NormOptions {
            condition: None,
            fasta_ref: self.fasta_ref.clone(),
            check_ref: self.check_ref,
            gff_annot: self.gff_annot.clone(),
            do_not_normalize: self.do_not_normalize,
            check_only: false,
            multiallelics: self.multiallelics.unwrap_or_default(),
            others_are_reference: self.multi_overlaps == "0",
            keep_sum: self.keep_sum.clone(),
            force: self.force,
            strict_filter: self.strict_filter,
            atomize: self.atomize,
            overlaps_are_star: self.atom_overlaps == "*",
            remove_duplicates: self.rm_dup.or(exact),
            old_rec_tag: self.old_rec_tag.clone(),
            sort: self.sort,
            site_win: self.site_win,
        }
    }
}
