//! `norn variants merge`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::several::{self, SeveralArguments, plain};
use super::streams::OutputArguments;
use crate::cli::qc::UsageError;
use crate::formats::vcf::header::Header;
use crate::report::run_file::Run;
use crate::variants::together::merge::{Collapse, Merge, MergeOptions, TrimUnseen};

/// Files of different samples side by side, their records joined by position and alleles (bcftools merge).
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  \
    norn variants merge -o all.vcf.gz -W A.vcf.gz B.vcf.gz C.vcf.gz    SNVs with SNVs, indels with indels\n  \
    norn variants merge -m none -0 -l list.txt -Ob -o all.bcf          exact alleles; not called is 0/0\n  \
    norn variants merge -g GRCh38.fa -o all.vcf.gz A.g.vcf.gz B.g.vcf.gz   blocks cut where they must be")]
pub struct MergeArguments {
    #[command(flatten)]
    several: SeveralArguments,

    #[command(flatten)]
    output: OutputArguments,

    /// Run without indices (which no run but one with -r needs)
    #[arg(long, alias = "force-no-index", conflicts_with_all = ["regions", "regions_file"])]
    no_index: bool,

    /// A sample that several files have gets the file's number in front
    #[arg(long)]
    force_samples: bool,

    /// Run with a single file, too
    #[arg(long)]
    force_single: bool,

    /// Print the merged header and stop
    #[arg(long)]
    print_header: bool,

    /// Use this header instead of the merged one
    #[arg(long, value_name = "FILE")]
    use_header: Option<PathBuf>,

    /// Samples without a record are 0/0
    #[arg(short = '0', long)]
    missing_to_ref: bool,

    /// Require one of these filters, for example PASS,.
    #[arg(short = 'f', long, value_name = "LIST", value_delimiter = ',')]
    apply_filters: Option<Vec<String>>,

    /// PASS if one record has passed (x), or all filters (+)
    #[arg(short = 'F', long, value_name = "x|+", default_value = "+", value_parser = ["x", "+"])]
    filter_logic: String,

    /// Cut the blocks of gVCFs where records and other blocks are, with REF from a FASTA, or N (-)
    #[arg(short, long, value_name = "FASTA|-", allow_hyphen_values = true)]
    gvcf: Option<PathBuf>,

    /// What becomes of INFO values: sum, avg, min, max or join; `-` takes the first of each [default: DP:sum,DP4:sum]
    #[arg(short, long, value_name = "TAG:METHOD,...", allow_hyphen_values = true)]
    info_rules: Option<String>,

    /// A list of files, one a line
    #[arg(short = 'l', long, value_name = "FILE")]
    file_list: Option<PathBuf>,

    /// Of sites with more than N alternate alleles each sample keeps N at most: LAA says which, LPL and LAD are of these [default: all]
    #[arg(short = 'L', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    local_alleles: Option<u16>,

    /// What may become multiallelic: none, snps, indels, both, snp-ins-del, all, id; `,*` behind takes <*> away at
    /// variants, `,**` everywhere
    #[arg(short, long, value_name = "KIND[,*|**]", default_value = "both", value_parser = collapse)]
    merge: (Collapse, TrimUnseen),

    /// What lists of FORMAT get for alleles that a record does not have: ., a number, or max
    #[arg(short = 'M', long, value_name = "TAG:METHOD,...", allow_hyphen_values = true)]
    missing_rules: Option<String>,
}

fn collapse(text: &str) -> Result<(Collapse, TrimUnseen), String> {
    let word = text.trim_end_matches('*');
    let trim = match text.len() - word.len() {
        0 => TrimUnseen::Never,
        1 => TrimUnseen::AtVariants,
        2 => TrimUnseen::Always,
        _ => return Err("at most two stars".into()),
    };
    let none = Collapse::default();
    let collapse = match word.trim_end_matches(',') {
        "none" => none,
        "snps" => Collapse { snps: true, ..none },
        "indels" => Collapse { indels: true, ..none },
        "both" | "" => Collapse { snps: true, indels: true, ..none },
        "snp-ins-del" => Collapse { snps: true, snp_ins_del: true, ..none },
        "all" | "any" => Collapse { any: true, ..none },
        "id" => Collapse { by_id: true, ..none },
        _ => return Err("expected none, snps, indels, both, snp-ins-del, all or id".into()),
    };
    Ok((collapse, trim))
}

impl MergeArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let begun = Run::begin();
        let paths = self.several.paths(self.file_list.as_deref())?;
        if paths.len() == 1 && !self.force_single {
            return Err(UsageError::new("one file alone: --force-single merges it, too".into()).into());
        }
        let kind = self.output.kind()?;
        let inputs = several::open(&paths, kind.is_bcf)?;
        let merge = Merge::new(self.options(), &inputs, self.given_header()?).map_err(plain)?;
        let mut header = merge.header().clone();
        if self.use_header.is_none() {
            self.output.declare_version("merge", &mut header);
        }
        let (form, mut writer) = self.output.open_as_it_is(header)?;
        if !self.print_header {
            let mut sieve = self.several.sieve()?;
            let bytes = |list: &Vec<String>| list.iter().map(|filter| filter.as_bytes().to_vec()).collect();
            sieve.filters = self.apply_filters.as_ref().map(bytes);
            let pool = self.output.pool()?;
            merge.run(inputs, sieve, &form, &mut writer, &pool).map_err(plain)?;
        }
        writer.finish()?;
        self.output.write_run_file("merge", &begun, &paths, 1)?;
        Ok(ExitCode::SUCCESS)
    }

    fn given_header(&self) -> anyhow::Result<Option<Header>> {
        let Some(path) = &self.use_header else { return Ok(None) };
        let bytes =
            std::fs::read(path).map_err(|error| UsageError::new(format!("{}: {error}", path.display())))?;
        let header =
            Header::parse(&bytes).map_err(|error| UsageError::new(format!("{}: {error}", path.display())))?;
        Ok(Some(header))
    }

    fn options(&self) -> MergeOptions {
        let reference = |path: &PathBuf| (path.as_os_str() != "-").then(|| path.clone());
        MergeOptions {
            collapse: self.merge.0,
            trim_unseen: self.merge.1,
            missing_is_reference: self.missing_to_ref,
            pass_wins: self.filter_logic == "x",
            gvcf: self.gvcf.as_ref().map(reference),
            info_rules: self.info_rules.clone(),
            missing_rules: self.missing_rules.clone(),
            force_samples: self.force_samples,
            local_alleles: self.local_alleles.map(usize::from),
        }
    }
}
