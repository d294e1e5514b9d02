//! Who has agreed to what, by codes of GA4GH's Data Use Ontology (DUO).
//!
//! The file has the columns `sample`, `status` (`given` or `withdrawn`), `purposes` and `date`. Of several lines of a sample the
//! last by date counts; of one date, the withdrawal; a withdrawal without a date always. What the sample sheet says in its column
//! `consent` can withdraw, too.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::config::ConsentSettings;
use super::problems::Problems;
use super::sheet::Sample;
use super::table::Table;

const COLUMNS: [&str; 4] = ["sample", "status", "purposes", "date"];

/// Everybody's consent.
#[derive(Clone, Debug, Default)]
pub struct Consents(HashMap<String, Consent>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Consent {
    date: String,
    is_withdrawn: bool,
    purposes: Vec<String>,
}

impl Consent {
    /// What counts of two lines: the later one, of one date the withdrawal, and above all a withdrawal of which nobody knows when it was.
    fn rank(&self) -> (bool, &str, bool) {
        (self.is_withdrawn && self.date.is_empty(), &self.date, self.is_withdrawn)
    }
}

/// What a code allows beside itself: DUO's permissions from the widest to the narrowest.
const COVERS: [(&str, &[&str]); 3] = [
    // No restriction: everything, see `covers`.
    ("DUO:0000004", &[]),
    // General research use: health research, research of a disease, of origins or ancestry.
    ("DUO:0000042", &["DUO:0000006", "DUO:0000007", "DUO:0000011"]),
    // Health or medical or biomedical research: that of a disease.
    ("DUO:0000006", &["DUO:0000007"]),
];

impl Consents {
    /// Reads the file of the settings, where there is one.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(settings: &ConsentSettings) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let Some(path) = &settings.file else { return Ok(Self::default()) };
        match fs::read(path) {
            Ok(text) => {
                let consents = Self::parse(path, &text, &today(), &mut problems);
                problems.or(consents)
            }
            Err(error) => {
                problems.file(path, error);
                Err(problems)
            }
        }
    }

    fn parse(path: &Path, text: &[u8], today: &str, problems: &mut Problems) -> Self {
        let mut consents: HashMap<String, Consent> = HashMap::new();
        let Some(table) = Table::read(path, text, &COLUMNS, problems) else { return Self::default() };
        let column = |name: &str| table.column(name);
        let (Some(sample), Some(status)) = (column("sample"), column("status")) else {
            problems.file(path, "line 1: there are no columns sample and status");
            return Self::default();
        };
        for &(line, ref row) in &table.rows {
            let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default();
            let name = cell(Some(sample)).to_owned();
            if name.is_empty() || name.contains('"') {
                problems.cell(path, line, "sample", format_args!("{name:?} is no name"));
            }
            let Some(is_withdrawn) = is_withdrawn(cell(Some(status))) else {
                let what = format_args!("{:?} is neither given nor withdrawn", cell(Some(status)));
                problems.cell(path, line, "status", what);
                continue;
            };
            let purposes: Vec<String> = cell(column("purposes"))
                .split([',', ';', '|', ' '])
                .filter(|code| !code.is_empty())
                .map(str::to_owned)
                .collect();
            for code in &purposes {
                if !is_code(code) {
                    problems.cell(
                        path,
                        line,
                        "purposes",
                        format_args!("{code:?} is no code like DUO:0000042"),
                    );
                }
            }
            let date = cell(column("date")).to_owned();
            if !date.is_empty() && !is_date(&date) {
                problems.cell(path, line, "date", format_args!("{date:?} is no date like 2026-01-31"));
            } else if date.as_str() > today {
                problems.cell(path, line, "date", format_args!("{date} is yet to come"));
            }
            let new = Consent { date, is_withdrawn, purposes };
            match consents.get_mut(&name) {
                None => {
                    consents.insert(name, new);
                }
                Some(old) => {
                    if new.rank() > old.rank() {
                        *old = new;
                    }
                }
            }
        }
        Self(consents)
    }

    /// Whether a sample may be processed. A sheet can withdraw where no settings ask for consent, too.
    ///
    /// # Errors
    /// Why not.
    pub fn allows(&self, settings: Option<&ConsentSettings>, sample: &Sample) -> Result<(), String> {
        let listed = self.0.get(&sample.name);
        let in_sheet = sample.consent.as_deref().map(|text| is_withdrawn(text).ok_or(text));
        if let Some(Err(text)) = in_sheet {
            return Err(format!("the sheet's consent {text:?} is neither given nor withdrawn"));
        }
        if listed.is_some_and(|consent| consent.is_withdrawn) || in_sheet == Some(Ok(true)) {
            return Err("consent is withdrawn".to_owned());
        }
        let Some(settings) = settings else { return Ok(()) };
        let Some(consent) = listed else {
            return match (settings.required, in_sheet, settings.purposes.is_empty()) {
                (false, ..) | (true, Some(Ok(false)), true) => Ok(()),
                (true, Some(_), false) => Err("no purposes are listed for it".to_owned()),
                (true, ..) => Err("no consent is listed for it".to_owned()),
            };
        };
        match settings.purposes.iter().find(|purpose| !covers(&consent.purposes, purpose)) {
            Some(purpose) => Err(format!("consent does not cover {purpose}")),
            None => Ok(()),
        }
    }
}

/// Whether a word of consent withdraws it; `None` where it is none.
pub(super) fn is_withdrawn(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "given" | "granted" | "yes" => Some(false),
        "withdrawn" | "refused" | "no" => Some(true),
        _ => None,
    }
}

fn covers(given: &[String], purpose: &str) -> bool {
    given.iter().any(|code| {
        code == purpose
            || code == COVERS[0].0
            || COVERS.iter().any(|(wide, narrow)| wide == code && narrow.contains(&purpose))
    })
}

/// `DUO:` and seven digits.
pub(super) fn is_code(text: &str) -> bool {
    text.strip_prefix("DUO:")
        .is_some_and(|digits| digits.len() == 7 && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).is_ok()
}

/// The latest date that it is anywhere on earth, 14 hours before UTC: where we are, we are not told.
fn today() -> String {
    let latest = SystemTime::now() + Duration::from_secs(14 * 3600);
    let mut text = humantime::format_rfc3339(latest).to_string();
    text.truncate("2026-01-31".len());
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn consent_is_what_was_said_last() {
        let mut problems = Problems::new();
        let text = "sample\tstatus\tpurposes\tdate\n\
            A\tgiven\tDUO:0000042\t2025-01-01\n\
            B\tgiven\tDUO:0000006;DUO:0000043\t2025-01-01\n\
            B\twithdrawn\t\t2026-01-01\n\
            C\twithdrawn\t\t2025-01-01\nC\tgiven\tDUO:0000004\t2025-06-01\n\
            D\tgiven\t\t2025-01-01\nD\twithdrawn\t\t2025-01-01\n\
            F\twithdrawn\t\t\nF\tgiven\t\t2026-06-01\nG\tgiven\t\t\nG\tgiven\tDUO:0000042\t2026-01-01\n\
            H\tgiven\t\t2026-01-01\nH\twithdrawn\t\t\n";
        let consents = Consents::parse(Path::new("c.tsv"), text.as_bytes(), "2026-06-01", &mut problems);
        assert_eq!(problems, Problems::new());
        // Sample, the sheet's word, whether it must be listed, purpose, and whether it may be processed.
        for (sample, sheet, required, purpose, allowed) in [
            ("A", None, true, None, true),
            ("A", None, true, Some("DUO:0000007"), true),
            ("A", None, true, Some("DUO:0000043"), false),
            ("A", Some("withdrawn"), true, None, false),
            ("A", Some("perhaps"), true, None, false),
            ("B", None, false, None, false),
            ("C", None, true, Some("DUO:0000043"), true),
            ("D", None, true, None, false),
            ("F", None, false, None, false),
            ("G", None, true, Some("DUO:0000042"), true),
            ("H", None, false, None, false),
            ("E", None, true, None, false),
            ("E", None, false, None, true),
            ("E", Some("given"), true, None, true),
            ("E", Some("given"), true, Some("DUO:0000042"), false),
        ] {
            let settings = ConsentSettings {
                file: None,
                required,
                purposes: purpose.into_iter().map(str::to_owned).collect(),
            };
            let case = Sample { name: sample.into(), consent: sheet.map(str::to_owned), ..Sample::default() };
            let found = consents.allows(Some(&settings), &case);
            assert_eq!(found.is_ok(), allowed, "{sample} {sheet:?} {purpose:?}: {found:?}");
        }
    }

    #[test]
    fn the_sheet_withdraws_without_settings() {
        for (word, allowed) in
            [(None, true), (Some("given"), true), (Some("Withdrawn"), false), (Some("?"), false)]
        {
            let sample = Sample { consent: word.map(str::to_owned), ..Sample::default() };
            assert_eq!(Consents::default().allows(None, &sample).is_ok(), allowed, "{word:?}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        let mut problems = Problems::new();
        let text = "sample,status,purposes,date\nA,maybe,,\nB,given,DUO:42,\nC,given,,01.02.2026\n\
            D,given,,2026-02-02\nE,given,,2025-02-29\n,given,,2026-02-01\nF, \"withdrawn\",,\n";
        Consents::parse(Path::new("c.csv"), text.as_bytes(), "2026-02-01", &mut problems);
        assert_eq!(
            problems.lines(),
            [
                "c.csv: line 2, column status: \"maybe\" is neither given nor withdrawn",
                "c.csv: line 3, column purposes: \"DUO:42\" is no code like DUO:0000042",
                "c.csv: line 4, column date: \"01.02.2026\" is no date like 2026-01-31",
                "c.csv: line 5, column date: 2026-02-02 is yet to come",
                "c.csv: line 6, column date: \"2025-02-29\" is no date like 2026-01-31",
                "c.csv: line 7, column sample: \"\" is no name",
                "c.csv: line 8, column status: \"\\\"withdrawn\\\"\" is neither given nor withdrawn",
            ]
        );
    }
}
