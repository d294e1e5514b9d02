//! `norn slurm`: jobs from templates.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::batch::sheet;
use crate::cli::qc::UsageError;
use crate::slurm::SlurmError;
use crate::slurm::cluster::{CLUSTERS, Cluster};
use crate::slurm::options::SbatchOptions;
use crate::slurm::submit::submit;
use crate::slurm::template::{ArrayOver, Filling, TEMPLATES, Template};

/// Submit jobs to Slurm from templates.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct SlurmArguments {
    #[command(subcommand)]
    command: SlurmCommand,
}

#[derive(Debug, Subcommand)]
enum SlurmCommand {
    /// Print the templates and clusters that norn knows, and what they are for
    List,
    Submit(Box<SubmitArguments>),
}

/// Fill a template and submit it; prints the job's number. Options of sbatch go before the cluster's, those before the template's.
#[derive(Debug, Args)]
struct SubmitArguments {
    /// The template (norn slurm list), or the path of one
    #[arg(value_name = "TEMPLATE")]
    template: String,

    /// Settings of a cluster (norn slurm list), or the path of a file of them
    #[arg(long, value_name = "NAME|FILE")]
    cluster: Option<String>,

    /// The account that pays [default: the cluster file's, else SBATCH_ACCOUNT's, else Slurm's own choice]
    #[arg(short = 'A', long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// The job's name
    #[arg(short = 'J', long, value_name = "NAME")]
    job_name: Option<String>,

    /// Number of nodes
    #[arg(short = 'N', long, value_name = "N")]
    nodes: Option<String>,

    /// Cores of a task
    #[arg(short, long, value_name = "N")]
    cpus_per_task: Option<String>,

    /// Memory of a core
    #[arg(long, value_name = "SIZE", conflicts_with = "mem")]
    mem_per_cpu: Option<String>,

    /// Memory of a node
    #[arg(long, value_name = "SIZE")]
    mem: Option<String>,

    /// The longest that it may run, e.g. 08:00:00
    #[arg(short, long, value_name = "TIME")]
    time: Option<String>,

    /// Tasks of a job array, e.g. 1-96 or 1-96%8 [default: one for each line or sample of the template's list]
    #[arg(short, long, value_name = "NUMBERS")]
    array: Option<String>,

    /// Jobs that it waits for, e.g. afterok:1234
    #[arg(short, long, value_name = "JOBS")]
    dependency: Option<String>,

    /// The partition
    #[arg(short, long, value_name = "NAME")]
    partition: Option<String>,

    /// The quality of service
    #[arg(short, long, value_name = "NAME")]
    qos: Option<String>,

    /// The log [default: Slurm's, slurm-JOB.out]
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,

    /// Any other long option of sbatch, e.g. --sbatch=mail-type=FAIL; with nothing behind the last =, the template's is taken away
    #[arg(long, value_name = "OPTION")]
    sbatch: Vec<String>,

    /// A module that the job loads
    #[arg(long, value_name = "NAME")]
    module: Vec<String>,

    /// Print the script, and submit nothing
    #[arg(long)]
    dry_run: bool,

    /// Arguments of the template
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
}

/// Slurm's default MaxArraySize lets no number of a task be greater.
const MOST_TASKS: usize = 1000;

impl SlurmArguments {
    /// Runs the command.
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            SlurmCommand::List => list()?,
            SlurmCommand::Submit(arguments) => arguments.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list() -> anyhow::Result<()> {
    let mut text = String::from("what\tname\tabout\n");
    for (name, _) in TEMPLATES {
        text += &format!("template\t{name}\t{}\n", Template::read(name)?.about());
    }
    for (name, _) in CLUSTERS {
        text += &format!("cluster\t{name}\t{}\n", Cluster::read(name)?.about);
    }
    // A reader that has seen enough is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

impl SubmitArguments {
    fn run(&self) -> anyhow::Result<()> {
        let template = Template::read(&self.template)?;
        let cluster = self.cluster.as_deref().map(Cluster::read).transpose()?.unwrap_or_default();
        let typed = self.options()?;
        let mut options = cluster.options.clone();
        if let Some(account) = cluster.own_account() {
            options.set("account", account)?;
        }
        options.extend(&typed);
        let mut filling = Filling {
            options,
            norn: std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned)),
            modules: [&cluster.modules[..], &self.module].concat(),
            arguments: self.arguments.clone(),
        };
        // How many arguments there are is told before a list is looked for among them.
        template.fill(&filling)?;
        if let Some(over) = template.array
            && filling.options.get("array").is_none()
        {
            filling.options.set("array", &format!("1-{}", self.tasks(over)?))?;
        }
        let script = template.fill(&filling)?;
        if self.dry_run {
            let _ = std::io::stdout().write_all(script.as_bytes());
            return Ok(());
        }
        let submitted = submit(&script, &filling.options)?;
        submitted.warnings.iter().for_each(|warning| eprintln!("norn: sbatch: {warning}"));
        println!("{}", submitted.job);
        Ok(())
    }

    /// Options of sbatch, as they were typed.
    fn options(&self) -> Result<SbatchOptions, SlurmError> {
        let mut options = SbatchOptions::default();
        for text in &self.sbatch {
            options.set_written(text)?;
        }
        for (name, value) in [
            ("account", &self.account),
            ("job-name", &self.job_name),
            ("nodes", &self.nodes),
            ("cpus-per-task", &self.cpus_per_task),
            ("mem-per-cpu", &self.mem_per_cpu),
            ("mem", &self.mem),
            ("time", &self.time),
            ("array", &self.array),
            ("dependency", &self.dependency),
            ("partition", &self.partition),
            ("qos", &self.qos),
            ("output", &self.output),
        ] {
            if let Some(value) = value {
                options.set(name, value)?;
            }
        }
        Ok(options)
    }

    /// How many tasks the array has.
    fn tasks(&self, over: ArrayOver) -> anyhow::Result<usize> {
        let (ArrayOver::Lines(number) | ArrayOver::Samples(number)) = over;
        let missing =
            || UsageError::new(format!("{}: there is no argument {number} to count", self.template));
        let path = Path::new(self.arguments.get(number - 1).ok_or_else(missing)?);
        let count = match over {
            // A task takes every N-th sample, so that fewer tasks do as well.
            ArrayOver::Samples(_) => sheet::read(path)?.0.len().min(MOST_TASKS),
            ArrayOver::Lines(_) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| SlurmError::File { path: path.to_owned(), source })?;
                for (number, line) in (1..).zip(text.lines()) {
                    let what = match line.trim_end_matches('\r') {
                        line if line.trim().is_empty() => "it is empty, and each line is a task".to_owned(),
                        line if !Path::new(line).exists() => format!("there is no file {line}"),
                        _ => continue,
                    };
                    anyhow::bail!("{}: line {number}: {what}", path.display());
                }
                let count = text.lines().count();
                anyhow::ensure!(
                    count <= MOST_TASKS,
                    "{}: it has {count} lines, and an array {MOST_TASKS} tasks: cut it, or give --array",
                    path.display()
                );
                count
            }
        };
        anyhow::ensure!(count > 0, "{}: it is empty, and each line is a task", path.display());
        Ok(count)
    }
}
