//! A template: a script of bash whose second line says what it is for, and whose `#SBATCH` lines say what it asks for.
//!
//! A line `#NORN array=lines:1 arguments=3` tells that there is a task of a job array for each line of the file that is the first argument
//! (`samples:2`: for each sample of the sheet that is the second), and how many arguments it takes at least.

use super::cluster::is_form;
use super::options::{SbatchOptions, in_script};
use super::{SlurmError, text_of};

/// Ours.
pub const TEMPLATES: [(&str, &str); 7] = [
    ("annotate-mpi", include_str!("../../slurm/annotate-mpi.sbatch")),
    ("batch-array", include_str!("../../slurm/batch-array.sbatch")),
    ("batch-mpi", include_str!("../../slurm/batch-mpi.sbatch")),
    ("prs-mpi", include_str!("../../slurm/prs-mpi.sbatch")),
    ("qc", include_str!("../../slurm/qc.sbatch")),
    ("qc-mpi", include_str!("../../slurm/qc-mpi.sbatch")),
    ("variants", include_str!("../../slurm/variants.sbatch")),
];

/// What there is a task of a job array for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrayOver {
    /// Each line of the file that is this argument, from 1.
    Lines(usize),
    /// Each sample of the sheet that is this argument, from 1.
    Samples(usize),
}

/// A script to be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name, or its path.
    pub name: String,
    /// What its tasks are for, if it is an array.
    pub array: Option<ArrayOver>,
    /// How many arguments it takes at least.
    pub arguments: usize,
    text: String,
}

/// What a template is filled with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filling {
    /// Options of sbatch: they replace the template's, and an empty one takes the template's away.
    pub options: SbatchOptions,
    /// The binary that the job runs.
    pub norn: Option<String>,
    /// Modules that it loads.
    pub modules: Vec<String>,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Template {
    /// Reads one of ours by name, or a file.
    ///
    /// # Errors
    /// It is not there, or no template.
    pub fn read(name: &str) -> Result<Self, SlurmError> {
        Self::parse(name, text_of("template", &TEMPLATES, name)?)
    }

    fn parse(name: &str, text: String) -> Result<Self, SlurmError> {
        let wrong = |what: String| SlurmError::Content { name: name.to_owned(), what };
        if !text.starts_with("#!") {
            return Err(wrong(
                "it is no script: its first line is not one like #!/usr/bin/env bash".to_owned(),
            ));
        }
        let mut template = Self { name: name.to_owned(), array: None, arguments: 0, text };
        let head: Vec<&str> = template.head().filter_map(|line| line.strip_prefix("#NORN")).collect();
        let (mut array, mut arguments) = (None, 0);
        for word in head.iter().flat_map(|line| line.split_whitespace()) {
            let known = match word.split_once('=') {
                Some(("arguments", number)) => number.parse().ok().map(|number| arguments = number),
                Some(("array", over)) => parse_array(over).map(|over| array = Some(over)),
                _ => None,
            };
            known.ok_or_else(|| {
                wrong(format!("#NORN: {word:?} is none of array=lines:N, array=samples:N, arguments=N"))
            })?;
        }
        (template.array, template.arguments) = (array, arguments);
        Ok(template)
    }

    /// What it is for: its first line of comment.
    pub fn about(&self) -> &str {
        self.comment(1)
    }

    /// An example of its use: its second line of comment.
    pub fn usage(&self) -> &str {
        self.comment(2)
    }

    /// The script.
    ///
    /// # Errors
    /// Too few arguments, or one that cannot be in a script.
    pub fn fill(&self, filling: &Filling) -> Result<String, SlurmError> {
        if filling.arguments.len() < self.arguments {
            let (template, usage) = (self.name.clone(), self.usage().to_owned());
            return Err(SlurmError::Arguments {
                template,
                least: self.arguments,
                given: filling.arguments.len(),
                usage,
            });
        }
        let mut words = vec!["set".to_owned(), "--".to_owned()];
        for (at, argument) in filling.arguments.iter().enumerate() {
            if argument.contains(['\n', '\r', '\0']) {
                return Err(SlurmError::Argument { number: at + 1 });
            }
            words.push(quoted(argument));
        }
        let last =
            self.head().enumerate().filter(|(_, line)| is_ours(line)).map(|(at, _)| at).last().unwrap_or(0);
        let mut script = String::new();
        let mut used = Vec::new();
        for (at, line) in self.text.lines().enumerate() {
            match line.strip_prefix("#SBATCH ").map(str::trim).filter(|_| at <= last) {
                Some(option) => {
                    let (name, value) = split(option);
                    let filled = filling.options.get(name);
                    used.push(name);
                    match filled {
                        Some("") => {}
                        Some(value) => script += &format!("#SBATCH {}\n", in_script(name, value)),
                        // The form of an account is none.
                        None if name == "account" && is_form(value) => {}
                        None => script += &format!("{line}\n"),
                    }
                }
                None if at <= last && line.starts_with("#NORN") => {}
                None => script += &format!("{line}\n"),
            }
            if at == last {
                let more =
                    filling.options.iter().filter(|(name, value)| !used.contains(name) && !value.is_empty());
                more.for_each(|(name, value)| script += &format!("#SBATCH {}\n", in_script(name, value)));
                script += "# Filled in by norn slurm submit.\n";
                if let Some(norn) = &filling.norn {
                    script += &format!("export NORN={}\n", quoted(norn));
                }
                if !filling.modules.is_empty() {
                    script += &format!("export NORN_MODULES={}\n", quoted(&filling.modules.join(" ")));
                }
                if words.len() > 2 {
                    script += &format!("{}\n", words.join(" "));
                }
            }
        }
        Ok(script)
    }

    /// The comment that the script begins with.
    fn head(&self) -> impl Iterator<Item = &str> {
        self.text.lines().take_while(|line| line.starts_with('#') || line.trim().is_empty())
    }

    fn comment(&self, line: usize) -> &str {
        let line = self.head().nth(line).filter(|line| !is_ours(line)).unwrap_or_default();
        line.trim_start_matches('#').trim()
    }
}

fn is_ours(line: &str) -> bool {
    line.starts_with("#SBATCH") || line.starts_with("#NORN")
}

fn parse_array(text: &str) -> Option<ArrayOver> {
    let (what, argument) = text.split_once(':')?;
    let argument = argument.parse().ok().filter(|argument| *argument > 0)?;
    match what {
        "lines" => Some(ArrayOver::Lines(argument)),
        "samples" => Some(ArrayOver::Samples(argument)),
        _ => None,
    }
}

/// Name and value of an option in a template's line.
fn split(option: &str) -> (&str, &str) {
    option.trim_start_matches("--").split_once('=').unwrap_or((option.trim_start_matches("--"), ""))
}

/// A word of the shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCRIPT: &str = "#!/bin/bash\n# What it is.\n#   how it is used\n#SBATCH --job-name=a\n#SBATCH --account=nnXXXXk\n\
                          #SBATCH --mem-per-cpu=1G\n#SBATCH --requeue\n#NORN array=lines:1 arguments=1\nset -e\n\
                          #SBATCH --time=1\necho \"$@\"\n";

    #[test]
    fn a_template_is_filled() {
        let template = Template::parse("x", SCRIPT.to_owned()).unwrap();
        assert_eq!((template.about(), template.usage()), ("What it is.", "how it is used"));
        assert_eq!((template.array, template.arguments), (Some(ArrayOver::Lines(1)), 1));
        let mut filling =
            Filling { arguments: vec!["a b".into(), "it's".into(), String::new()], ..Filling::default() };
        filling.norn = Some("/opt/norn".to_owned());
        filling.modules = vec!["A/1".to_owned(), "B".to_owned()];
        for (name, value) in
            [("job-name", "b"), ("mem", "4G"), ("array", "1-3"), ("comment", "my night"), ("qos", "")]
        {
            filling.options.set(name, value).unwrap();
        }
        assert_eq!(
            template.fill(&filling).unwrap(),
            "#!/bin/bash\n# What it is.\n#   how it is used\n#SBATCH --job-name=b\n#SBATCH --requeue\n#SBATCH --mem=4G\n\
             #SBATCH --array=1-3\n#SBATCH --comment=\"my night\"\n# Filled in by norn slurm submit.\nexport NORN=/opt/norn\n\
             export NORN_MODULES='A/1 B'\nset -- 'a b' 'it'\\''s' ''\nset -e\n#SBATCH --time=1\necho \"$@\"\n"
        );
        let error = template.fill(&Filling::default()).unwrap_err().to_string();
        assert_eq!(error, "x takes at least 1 arguments behind --, there are 0; as in: how it is used");
        filling.arguments = vec!["a\nb".to_owned()];
        assert!(template.fill(&filling).is_err());
    }

    #[test]
    fn ours_say_what_they_are() {
        for (name, text) in TEMPLATES {
            let template = Template::read(name).unwrap();
            assert!(template.about().starts_with("norn "), "{name}: {}", template.about());
            assert!(
                template.usage().starts_with(&format!("norn slurm submit {name} ")),
                "{name}: {}",
                template.usage()
            );
            assert!(template.arguments > 0, "{name}");
            // The script says the same when it is submitted by itself.
            assert!(text.contains(&format!("if [ $# -lt {} ]", template.arguments)), "{name}");
            for line in
                ["set -o errexit -o nounset -o pipefail", "module --quiet purge", "#SBATCH --account=nnXXXXk"]
            {
                assert!(text.lines().any(|other| other.trim().starts_with(line)), "{name} lacks {line}");
            }
        }
    }

    #[test]
    fn what_is_no_template_is_told() {
        for (name, text, told) in [
            ("x", "echo", "x: it is no script"),
            ("x", "#!/bin/sh\n#NORN array=lines:0\n", "x: #NORN: \"array=lines:0\" is none of"),
            ("x", "#!/bin/sh\n#NORN speed=9\n", "x: #NORN: \"speed=9\" is none of"),
        ] {
            let error = Template::parse(name, text.to_owned()).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        let error = Template::read("nigth").unwrap_err().to_string();
        assert!(error.starts_with("no template \"nigth\": there are annotate-mpi, batch-array,"), "{error}");
        assert!(matches!(Template::read("./none.sbatch"), Err(SlurmError::File { .. })));
    }

    proptest! {
        /// bash reads back what was quoted.
        #[test]
        fn words_come_back(words in proptest::collection::vec("[^\\x00\\r\\n]{0,12}", 1..4)) {
            let line: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            let script = format!("printf '%s\\n' {}", line.join(" "));
            let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout).into_owned(), words.join("\n") + "\n");
        }
    }
}
