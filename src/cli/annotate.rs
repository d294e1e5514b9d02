//! `norn annotate`: VEP's options to one pass over variants.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, PoisonError};

use clap::Args;

use super::gene_files::{BesideGenes, tell_genes};
use super::haplotypes::HaplotypeArguments;
use super::phenotypes::PhenotypeArguments;
use super::qc::UsageError;
use super::residues::ResidueArguments;
use super::variants::streams::{self, ConditionArguments, InputArguments, OutputArguments, Plan, Text};
use crate::annotate::csq::{self, Field};
use crate::annotate::filter::{self, EntryFilter};
use crate::annotate::gene_database;
use crate::annotate::gene_file;
use crate::annotate::genes::Genes;
use crate::annotate::listing::{Form, Listing, SourceTag};
use crate::annotate::panel::Panel;
use crate::annotate::phenotype::tags::{Knowledge, PhenotypeTags};
use crate::annotate::pick::{Criterion, Pick};
use crate::annotate::sources::{Source, Sources};
use crate::annotate::summary::{self, Summaries, Summary};
use crate::annotate::transcript_filter::TranscriptFilter;
use crate::annotate::{Annotator, LeftOut, Options};
use crate::compute::communicator::Communicator;
use crate::formats::bases::Genome;
use crate::formats::fasta::Reference;
use crate::formats::output::AtomicFile;
use crate::formats::vcf::header::Header;
use crate::records::condition::Keep;
use crate::records::pipeline::Part;

/// Tell what variants do to genes, and their HGVS names, as Ensembl VEP does (INFO/CSQ).
#[derive(Debug, Args)]
#[command(mut_arg("regions", |regions| regions.short(None)))]
#[command(after_long_help = "Examples:\n  \
    norn annotate -r GRCh38.fa --gff Homo_sapiens.GRCh38.114.gff3.gz -o annotated.vcf.gz -W calls.vcf.gz\n  \
    norn annotate -r GRCh38.fa --gff genes.gff3.gz --fields Consequence,SYMBOL,Feature,HGVSc,HGVSp calls.bcf\n\n\
    Fields: Allele Consequence IMPACT SYMBOL Gene Feature_type Feature BIOTYPE EXON INTRON HGVSc HGVSp cDNA_position\n  \
    CDS_position Protein_position Amino_acids Codons DISTANCE STRAND FLAGS HGVS_OFFSET; on request ALLELE_NUM CANONICAL MANE\n  \
    MANE_SELECT MANE_PLUS_CLINICAL TSL APPRIS CCDS ENSP SWISSPROT TREMBL UNIPARC UNIPROT_ISOFORM HGVSg PICK PS1 PM5 RESIDUE_OTHER")]
pub struct AnnotateArguments {
    #[command(flatten)]
    input: InputArguments,

    #[command(flatten)]
    output: OutputArguments,

    #[command(flatten)]
    condition: ConditionArguments,

    /// With -i or -e: leave out the entries that do not pass, not only records of which none does
    #[arg(long)]
    only_matched: bool,

    /// Reference, plain or bgzipped
    #[arg(short, long, alias = "fasta", value_name = "FASTA")]
    reference: PathBuf,

    /// Genes: a database of `norn db genes`
    #[arg(long, value_name = "FILE.ndb", required_unless_present_any = ["gff", "source", "hpo", "orpha_genes", "include", "exclude"], conflicts_with = "gff")]
    genes: Option<PathBuf>,

    /// Genes: GFF3 of Ensembl, GENCODE or RefSeq, or GTF
    #[arg(long, alias = "gtf", value_name = "FILE")]
    gff: Option<PathBuf>,

    #[command(flatten)]
    beside_genes: BesideGenes,

    /// Databases of `norn db source`: their fields are added to INFO, a value for each alternate allele
    #[arg(long, value_name = "FILE.ndb")]
    source: Vec<PathBuf>,

    /// Parts of the entries, in this order [default: all]
    #[arg(long, value_name = "FIELD,...")]
    fields: Option<String>,

    /// Name of the INFO field
    #[arg(long, value_name = "TAG", default_value = "CSQ")]
    vcf_info_field: String,

    /// A table with a line for each entry instead of VCF
    #[arg(long, conflicts_with = "json")]
    tab: bool,

    /// JSON with a line for each record instead of VCF
    #[arg(long)]
    json: bool,

    /// How far from a transcript variants are told as up- or downstream
    #[arg(long, value_name = "BASES", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    distance: u32,

    /// Cut bases that an allele shares with REF off each of several alleles by itself
    #[arg(long)]
    minimal: bool,

    /// Move HGVS names to the 3' end (1) or leave them where the record has them (0)
    #[arg(long, value_name = "0|1", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1))]
    shift_hgvs: u8,

    /// Symbolic alleles (<DEL>, <DUP>, <INV>, <CNV>) of more bases are not annotated
    #[arg(long, value_name = "BASES", default_value_t = 10_000_000)]
    max_sv_size: u32,

    /// A REF that is not the reference's is an error
    #[arg(long)]
    strict: bool,

    /// One entry a record, by --pick-order
    #[arg(long, group = "picking")]
    pick: bool,

    /// One entry for each allele
    #[arg(long, group = "picking")]
    pick_allele: bool,

    /// One entry for each gene
    #[arg(long, group = "picking")]
    per_gene: bool,

    /// One entry for each allele and gene
    #[arg(long, group = "picking")]
    pick_allele_gene: bool,

    /// All entries; the one that --pick would take has PICK=1
    #[arg(long, group = "picking")]
    flag_pick: bool,

    /// All entries; those that --pick-allele would take have PICK=1
    #[arg(long, group = "picking")]
    flag_pick_allele: bool,

    /// All entries; those that --pick-allele-gene would take have PICK=1
    #[arg(long, group = "picking")]
    flag_pick_allele_gene: bool,

    /// What decides which entry is taken, the first before the others [default: mane_select,mane_plus_clinical,canonical,
    /// appris,tsl,biotype,ccds,rank,length]
    #[arg(long, value_name = "NAME,...")]
    pick_order: Option<String>,

    /// Only the most severe consequence of each record
    #[arg(long, conflicts_with = "picking")]
    most_severe: bool,

    /// No entries of alleles between genes
    #[arg(long)]
    no_intergenic: bool,

    /// Only entries in which coding bases are met
    #[arg(long)]
    coding_only: bool,

    /// Only transcripts of GENCODE's basic set
    #[arg(long)]
    gencode_basic: bool,

    /// Only transcripts for which this holds: 'stable_id match N[MR]_', 'biotype is protein_coding and not ccds'
    #[arg(long, value_name = "CONDITION")]
    transcript_filter: Vec<String>,

    /// Positions with how many there are: 12/345
    #[arg(long)]
    total_length: bool,

    /// No summary beside the output
    #[arg(long)]
    no_stats: bool,

    /// Beginning of the summary's files: PREFIX_summary.txt, .tsv, .json and .html [default: the output's name]
    #[arg(long, value_name = "PREFIX", conflicts_with = "no_stats")]
    stats_file: Option<PathBuf>,

    /// Also ALLELE_NUM
    #[arg(long)]
    allele_number: bool,

    /// Also HGVSg
    #[arg(long)]
    hgvsg: bool,

    /// Also CANONICAL
    #[arg(long)]
    canonical: bool,

    /// Also MANE, MANE_SELECT and MANE_PLUS_CLINICAL
    #[arg(long)]
    mane: bool,

    /// Also ENSP
    #[arg(long)]
    protein: bool,

    /// Also SWISSPROT, TREMBL, UNIPARC and UNIPROT_ISOFORM, by the table of --uniprot-table
    #[arg(long)]
    uniprot: bool,

    /// Also TSL
    #[arg(long)]
    tsl: bool,

    /// Also APPRIS
    #[arg(long)]
    appris: bool,

    /// Also CCDS
    #[arg(long)]
    ccds: bool,

    /// Also OverlapBP and OverlapPC of symbolic alleles; JSON has them without it
    #[arg(long)]
    overlaps: bool,

    /// HGVSc, HGVSp: they are there
    #[arg(long, hide = true)]
    hgvs: bool,

    /// SYMBOL is there
    #[arg(long, hide = true)]
    symbol: bool,

    /// BIOTYPE is there
    #[arg(long, hide = true)]
    biotype: bool,

    /// EXON and INTRON are there
    #[arg(long, hide = true)]
    numbers: bool,

    #[command(flatten)]
    phenotypes: PhenotypeArguments,

    #[command(flatten)]
    haplotypes: HaplotypeArguments,

    #[command(flatten)]
    residues: ResidueArguments,
}

/// Records grow some twenty times.
const BATCH: usize = 1 << 17;

impl AnnotateArguments {
    /// Runs the command, and tells at the end what could not be annotated.
    pub fn run(&self, ranks: &Communicator) -> anyhow::Result<ExitCode> {
        let reference = Arc::new(Reference::open(&self.reference)?);
        let genome = Genome::new(Arc::clone(&reference));
        let genes = self.genes(&reference, &genome, ranks)?;
        let sources: Vec<Source> =
            self.source.iter().map(|path| Source::open(path, &reference)).collect::<Result<_, _>>()?;
        let knowledge = self.phenotypes.knowledge(ranks.is_root())?;
        let tags = added_tags(&sources, knowledge.as_ref());
        let (options, shown) = self.options(&tags)?;
        let has_genes = self.genes.is_some() || self.gff.is_some();
        for (is_wanted, what) in [
            (options.panel.is_some(), "--panel chooses entries"),
            (self.haplotypes.is_wanted(), "--haplotype tells what genes come to"),
            (self.residues.is_wanted(), "--residues tells of proteins"),
        ] {
            if is_wanted && !has_genes {
                return Err(UsageError::new(format!("{what}: it needs --genes or --gff")).into());
            }
        }
        let of_residues = [Field::Ps1, Field::Pm5, Field::ResidueOther];
        if !self.residues.is_wanted() && shown.iter().any(|field| of_residues.contains(field)) {
            let what = "--fields: PS1, PM5 and RESIDUE_OTHER need --residues";
            return Err(UsageError::new(what.to_owned()).into());
        }
        let mut names = vec![self.vcf_info_field.as_str()];
        for name in tags.iter().map(|tag| tag.name.as_str()) {
            if names.contains(&name) {
                let what = format!(
                    "--source: {name} would be written twice (norn db source --as gives another name)"
                );
                return Err(UsageError::new(what).into());
            }
            names.push(name);
        }
        let listing = self.listing(&options, &shown, &sources, knowledge.as_ref(), tags.clone())?;
        let sources = (!sources.is_empty()).then(|| Sources::new(sources, genome.clone()));
        let summaries =
            self.summary_path().map(|path| (path, Arc::new(Summaries::of_threads(self.output.threads()))));
        let genes = Arc::new(genes);
        let mut annotator = Annotator::new(Arc::clone(&genes), genome.clone(), options)
            .with_residues(self.residues.open(&reference)?);
        let mut sources = sources;
        if let Some((_, summaries)) = &summaries {
            annotator = annotator.counting(Arc::clone(summaries));
            sources = sources.map(|sources| sources.counting(Arc::clone(summaries)));
        }
        let left_out = annotator.left_out();
        let mut crowded = None;
        let code = streams::run("annotate", &self.input, &self.output, ranks, |header| {
            let (mut header, mut steps) = (header.clone(), Vec::new());
            if has_genes {
                header = annotator.header(&header);
                steps.push(Part::Each(Box::new(annotator)));
            }
            if let Some(sources) = sources {
                header = sources.header(&header);
                steps.push(Part::Each(Box::new(sources)));
            }
            if let Some(knowledge) = knowledge {
                let tags = PhenotypeTags::new(knowledge, &header, &self.vcf_info_field)?;
                header = tags.header(&header);
                steps.push(Part::Each(Box::new(tags)));
            }
            if let Some((step, with_haplotypes, count)) = self.haplotypes.step(&genes, &genome, &header) {
                (header, crowded) = (with_haplotypes, Some(count));
                steps.push(Part::Ordered(Box::new(step)));
            }
            if let Some(text) = self.condition.text() {
                steps.push(self.filter(text, &header, &tags)?);
            }
            let mut plan = Plan::new(header, steps).in_batches_of(BATCH);
            plan.text = listing;
            Ok(plan)
        })?;
        let mine = left_out.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(all) = streams::gathered(ranks, &mine)? {
            let mut whole = LeftOut::default();
            all.iter().for_each(|one| whole.merge(one));
            tell(&whole);
        }
        if let Some(crowded) = crowded {
            crowded.tell(ranks)?;
        }
        if let Some((path, summaries)) = &summaries
            && let Some(all) = streams::gathered(ranks, &summaries.merged())?
        {
            let mut whole = Summary::default();
            all.iter().for_each(|one| whole.merge(one));
            self.write_summary(path, &whole, &reference)?;
        }
        Ok(code)
    }

    /// What the names of the summary's files begin with, if it is wanted.
    fn summary_path(&self) -> Option<PathBuf> {
        // Nothing stands beside standard output, a pipe or a device.
        let is_file = |output: &PathBuf| output != Path::new("-") && (!output.exists() || output.is_file());
        let beside = || Some(self.output.output.clone()).filter(is_file);
        if self.no_stats { None } else { self.stats_file.clone().or_else(beside) }
    }

    fn write_summary(&self, prefix: &Path, summary: &Summary, reference: &Reference) -> anyhow::Result<()> {
        let name =
            |path: &Path| path.file_name().map_or("-".into(), |name| name.to_string_lossy().into_owned());
        let (input, output) = (name(&self.input.input), name(&self.output.output));
        let contigs = reference.contigs().iter().map(|(name, length)| (name.clone(), *length));
        let json = serde_json::to_string_pretty(&summary.to_json())? + "\n";
        for (ending, text) in [
            ("txt", summary::vep_text(summary, &input, &output, &contigs.collect())),
            ("tsv", summary::table(summary)),
            ("json", json),
            ("html", summary::page(summary, &input)),
        ] {
            let mut path = prefix.as_os_str().to_owned();
            path.push(format!("_summary.{ending}"));
            let mut file = AtomicFile::create(Path::new(&path))?;
            file.write_all(text.as_bytes())?;
            file.commit()?;
        }
        Ok(())
    }

    fn genes(&self, reference: &Reference, genome: &Genome, ranks: &Communicator) -> anyhow::Result<Genes> {
        if self.gff.is_none() && self.beside_genes.files().next().is_some() {
            return Err(UsageError::new(
                "files beside the genes go with --gff, or into the database (norn db genes)".to_owned(),
            )
            .into());
        }
        if let Some(path) = &self.genes {
            return Ok(gene_database::open(path, reference)?);
        }
        let Some(path) = &self.gff else { return Ok(Genes::default()) };
        let (mut genes, passed_over) = gene_file::read(path, reference, genome)?;
        if ranks.is_root() {
            tell_genes(&passed_over);
        }
        self.beside_genes.mark(&mut genes, genome, ranks.is_root())?;
        Ok(genes)
    }

    /// What is written instead of VCF, if anything.
    fn listing(
        &self,
        options: &Options,
        shown: &[Field],
        sources: &[Source],
        knowledge: Option<&Knowledge>,
        tags: Vec<SourceTag>,
    ) -> anyhow::Result<Option<Text>> {
        let form = match (self.tab, self.json) {
            (true, _) => Form::Tab,
            (_, true) => Form::Json,
            _ => return Ok(None),
        };
        let mut notes = vec![format!("norn annotate {}", env!("CARGO_PKG_VERSION"))];
        let lines = sources.iter().flat_map(Source::header_lines);
        let lines = lines.chain(options.panel.as_ref().map(Panel::header_line));
        let lines = lines.chain(knowledge.map(|knowledge| knowledge.provenance().to_owned()));
        notes.extend(lines.map(|line| line.trim_start_matches('#').to_owned()));
        let mut listing = Listing::new(form, &options.tag, &options.fields, shown, tags);
        if let Some(list) = self.fields.as_ref().filter(|_| self.tab) {
            listing = listing
                .with_columns(list.split(','))
                .map_err(|name| UsageError::new(format!("--fields: there is no {name:?}")))?;
        }
        let header = listing.header(&notes);
        Ok(Some(Text { header, write: Box::new(move |record, out| listing.write(record, out)) }))
    }

    /// The step that leaves out what does not pass.
    fn filter(&self, text: &str, header: &Header, sources: &[SourceTag]) -> anyhow::Result<Part> {
        let tag = &self.vcf_info_field;
        let fields = csq::declared(header, tag).unwrap_or_default();
        let (text, header) = filter::prepared(text, tag, &fields, header);
        let condition = self.condition.compile_text(&text, &header)?;
        let filter = EntryFilter::new(condition, tag, &fields, sources, self.minimal, self.only_matched);
        Ok(match filter {
            Ok(filter) => Part::Each(Box::new(filter)),
            Err(condition) => Part::Each(Box::new(Keep(condition))),
        })
    }

    /// How to annotate, and which of the fields are asked for.
    fn options(&self, tags: &[SourceTag]) -> anyhow::Result<(Options, Vec<Field>)> {
        let is_listed = self.tab || self.json;
        let mut fields = match &self.fields {
            None => self.fields_of_options(),
            Some(list) => {
                let field = |name| {
                    Field::parse(name)
                        .ok_or_else(|| UsageError::new(format!("--fields: there is no {name:?}")))
                };
                let is_added = |name: &str| tags.iter().any(|tag| tag.name == name);
                let is_beside = |name: &str| self.tab && (Listing::is_special(name) || is_added(name));
                list.split(',').filter(|name| !is_beside(name)).map(field).collect::<Result<_, _>>()?
            }
        };
        let shown = fields.clone();
        // Listings tell values of sources by the number of the allele.
        if is_listed && !fields.contains(&Field::AlleleNumber) {
            fields.push(Field::AlleleNumber);
        }
        let criterion = |name| {
            Criterion::parse(name)
                .ok_or_else(|| UsageError::new(format!("--pick-order: there is no {name:?}")))
        };
        let pick_order = match &self.pick_order {
            None => Criterion::ALL.iter().map(|(criterion, _)| *criterion).collect(),
            Some(list) => list.split(',').map(criterion).collect::<Result<_, _>>()?,
        };
        let transcript_filters = self
            .transcript_filter
            .iter()
            .map(|text| TranscriptFilter::parse(text))
            .collect::<Result<_, _>>()
            .map_err(|error| UsageError::new(format!("--transcript-filter: {error}")))?;
        let (pick, flags_pick) = self.pick();
        let tag = self.vcf_info_field.clone();
        let is_tag = !tag.is_empty()
            && tag.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_.".contains(&letter));
        if !is_tag {
            return Err(UsageError::new(format!("--vcf-info-field: {tag:?} is no name of a tag")).into());
        }
        let options = Options {
            tag,
            fields,
            distance: i64::from(self.distance),
            is_strict: self.strict,
            pick,
            flags_pick,
            pick_order,
            with_intergenic: !self.no_intergenic,
            coding_only: self.coding_only,
            basic_only: self.gencode_basic,
            transcript_filters,
            most_severe: self.most_severe,
            shifts_hgvs: self.shift_hgvs == 1,
            minimal: self.minimal,
            max_sv_size: i64::from(self.max_sv_size),
            with_totals: self.total_length,
            panel: self.phenotypes.panel()?,
            panel_only: self.phenotypes.panel_only(),
        };
        Ok((options, shown))
    }

    /// What is picked, and whether it is marked only.
    fn pick(&self) -> (Option<Pick>, bool) {
        let choices = [
            (self.pick, Pick::One, false),
            (self.pick_allele, Pick::PerAllele, false),
            (self.per_gene, Pick::PerGene, false),
            (self.pick_allele_gene, Pick::PerAlleleAndGene, false),
            (self.flag_pick, Pick::One, true),
            (self.flag_pick_allele, Pick::PerAllele, true),
            (self.flag_pick_allele_gene, Pick::PerAlleleAndGene, true),
        ];
        let chosen = choices.into_iter().find(|(is_so, ..)| *is_so);
        chosen.map_or((None, false), |(_, pick, flags)| (Some(pick), flags))
    }

    /// The default fields, and those that options add.
    fn fields_of_options(&self) -> Vec<Field> {
        if self.most_severe {
            return vec![Field::Consequence];
        }
        let mut fields: Vec<Field> =
            Field::ALL.iter().take(Field::DEFAULT).map(|(field, _)| *field).collect();
        for (is_so, more) in [
            (self.allele_number, &[Field::AlleleNumber][..]),
            (self.pick().1, &[Field::Pick]),
            (self.canonical, &[Field::Canonical]),
            (self.mane, &[Field::Mane, Field::ManeSelect, Field::ManePlusClinical]),
            (self.tsl, &[Field::Tsl]),
            (self.appris, &[Field::Appris]),
            (self.ccds, &[Field::Ccds]),
            (self.protein, &[Field::Protein]),
            (self.uniprot, &[Field::SwissProt, Field::Trembl, Field::UniParc, Field::UniProtIsoform]),
            (self.hgvsg, &[Field::HgvsG]),
            (self.overlaps || self.json, &[Field::OverlapBp, Field::OverlapPc]),
            (self.residues.is_wanted(), &[Field::Ps1, Field::Pm5, Field::ResidueOther]),
        ] {
            if is_so {
                fields.extend_from_slice(more);
            }
        }
        fields
    }
}

/// The tags that are written beside entries.
fn added_tags(sources: &[Source], knowledge: Option<&Knowledge>) -> Vec<SourceTag> {
    let of_sources = sources.iter().flat_map(|source| {
        let is_by_allele = source.is_by_allele();
        source.names().map(move |name| SourceTag { name: name.to_owned(), is_by_allele })
    });
    let of_genes = knowledge.into_iter().flat_map(Knowledge::tags);
    let of_genes = of_genes.map(|name| SourceTag { name: (*name).to_owned(), is_by_allele: false });
    of_sources.filter(|tag| tag.name != "ID").chain(of_genes).collect()
}

fn tell(left_out: &LeftOut) {
    if left_out.mismatches > 0 {
        eprintln!(
            "norn: {} records have another REF than the reference; they are not annotated",
            left_out.mismatches
        );
    }
    for (count, what) in
        [(left_out.without_end, "without END and SVLEN"), (left_out.too_long, "longer than --max-sv-size")]
    {
        if count > 0 {
            eprintln!("norn: {count} symbolic alleles are {what}; they are not annotated");
        }
    }
    if left_out.unknown_mates > 0 {
        let count = left_out.unknown_mates;
        eprintln!("norn: {count} breakends have a mate that the reference lacks; it is not annotated");
    }
    for (contig, count) in &left_out.unknown_contigs {
        eprintln!("norn: {count} records are on {contig}, which the reference lacks; they are not annotated");
    }
    for (contig, count) in &left_out.contigs_without_genes {
        eprintln!("norn: {count} records are on {contig}, of which there are no genes");
    }
}
