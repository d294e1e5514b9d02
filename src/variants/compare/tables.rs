//! Tables with hap.py's columns: the summary, the extended table and the curves.

use serde_json::{Map, Value as Json, json};

use super::Totals;
use super::classes::{Kind, ROWS};
use super::counts::{Decision, Filter, Share, Tally};
use super::strata::{ALL, BOUNDARY, Subset};

/// A value of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A word.
    Text(String),
    /// A count.
    Count(u64),
    /// A share, or a ratio; `None` where there is nothing to divide by.
    Real(Option<f64>),
}

impl Cell {
    /// As text: reals with so many digits as they have up to six decimals, nothing where there is none.
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Real(None) => String::new(),
            Self::Real(Some(value)) => {
                let text = format!("{value:.6}");
                let short = text.trim_end_matches('0');
                if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
            }
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Text(text) => json!(text),
            Self::Count(count) => json!(count),
            // As in the tables.
            Self::Real(value) => json!(value.map(|value| (value * 1e6).round() / 1e6)),
        }
    }
}

/// Names of columns with their values, in order.
pub type Row = Vec<(String, Cell)>;

/// The columns of the summary.
const SUMMARY: [&str; 18] = [
    "Type",
    "Filter",
    "TRUTH.TOTAL",
    "TRUTH.TP",
    "TRUTH.FN",
    "QUERY.TOTAL",
    "QUERY.FP",
    "QUERY.UNK",
    "FP.gt",
    "FP.al",
    "METRIC.Recall",
    "METRIC.Precision",
    "METRIC.Frac_NA",
    "METRIC.F1_Score",
    "TRUTH.TOTAL.TiTv_ratio",
    "QUERY.TOTAL.TiTv_ratio",
    "TRUTH.TOTAL.het_hom_ratio",
    "QUERY.TOTAL.het_hom_ratio",
];

/// How tables are made.
pub struct Tables<'t> {
    /// The counts.
    pub totals: &'t Totals,
    /// The subsets, in the order of rows.
    pub subsets: Vec<Subset>,
    /// Bases of the reference that are known.
    pub known_bases: u64,
    /// The name of the score.
    pub score: String,
    /// A step of it.
    pub step: f64,
}

impl Tables<'_> {
    /// The rows of the extended table.
    pub fn extended(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for kind in Kind::ALL {
            let subtypes = if kind == Kind::Snp { 1 } else { ROWS.len() };
            for (number, (subtype, _)) in ROWS.iter().enumerate().take(subtypes) {
                for subset in &self.subsets {
                    for filter in Filter::BOTH {
                        let tally = self.totals.counts.tally(subset.number, filter, kind, number);
                        rows.push(self.row(kind, subtype, subset, filter, None, tally));
                    }
                }
            }
        }
        rows
    }

    /// The rows of the summary.
    pub fn summary(&self) -> Vec<Row> {
        let is_all = |row: &Row| ["Subtype", "Subset"].iter().all(|name| value(row, name).text() == "*");
        let of_row = |row: Row| {
            SUMMARY.iter().map(|name| ((*name).to_owned(), value(&row, name).clone())).collect::<Row>()
        };
        self.extended().into_iter().filter(is_all).map(of_row).collect()
    }

    /// The curve of a type: a row for each step of the score.
    pub fn curve(&self, kind: Kind, filter: Filter) -> Vec<Row> {
        let all = self.subsets.iter().find(|subset| subset.number == ALL);
        let levels = self.totals.counts.levels(kind, filter);
        let rows = levels.iter().flat_map(|(step, tally)| {
            all.map(|all| self.row(kind, "*", all, filter, Some(*step as f64 * self.step), tally))
        });
        rows.collect()
    }

    fn row(
        &self,
        kind: Kind,
        subtype: &str,
        subset: &Subset,
        filter: Filter,
        level: Option<f64>,
        tally: &Tally,
    ) -> Row {
        let text = |text: &str| Cell::Text(text.to_owned());
        let level = level.map_or(text("*"), |level| Cell::Text(Cell::Real(Some(level)).text()));
        let (truth, query) = (tally.truth(), tally.query());
        let found = tally.share(Decision::TruthPositive).total;
        let right = tally.share(Decision::QueryPositive).total;
        let assessed = right + tally.share(Decision::FalsePositive).total;
        let recall = metric(found, truth.total);
        // Where there are calls, but none in the regions, hap.py divides by nothing.
        let precision = if query.total == 0 { Some(0.0) } else { ratio(right, assessed) };
        let f1 = recall.zip(precision).filter(|(r, p)| r + p > 0.0).map(|(r, p)| 2.0 * r * p / (r + p));
        let size = match subset.number {
            ALL | BOUNDARY => Some(self.known_bases),
            _ => subset.size,
        };
        let count = |count: Option<u64>| count.map_or(Cell::Real(None), Cell::Count);
        let mut row: Row = [
            ("Type", text(kind.name())),
            ("Subtype", text(subtype)),
            ("Subset", text(&subset.name)),
            ("Filter", text(filter.name())),
            ("Genotype", text("*")),
            ("QQ.Field", text(&self.score)),
            ("QQ", level),
            ("METRIC.Recall", Cell::Real(recall)),
            ("METRIC.Precision", Cell::Real(precision)),
            ("METRIC.Frac_NA", Cell::Real(metric(tally.share(Decision::Unknown).total, query.total))),
            ("METRIC.F1_Score", Cell::Real(f1)),
            ("FP.gt", Cell::Count(tally.wrong_genotype)),
            ("FP.al", Cell::Count(tally.wrong_allele)),
            ("Subset.Size", count(size)),
            ("Subset.IS_CONF.Size", count(subset.confident)),
            ("Subset.Level", Cell::Count(0)),
        ]
        .map(|(name, cell)| (name.to_owned(), cell))
        .into();
        for (name, share) in [
            ("TRUTH.TOTAL", truth),
            ("TRUTH.TP", *tally.share(Decision::TruthPositive)),
            ("TRUTH.FN", *tally.share(Decision::FalseNegative)),
            ("QUERY.TOTAL", query),
            ("QUERY.TP", *tally.share(Decision::QueryPositive)),
            ("QUERY.FP", *tally.share(Decision::FalsePositive)),
            ("QUERY.UNK", *tally.share(Decision::Unknown)),
        ] {
            push_share(&mut row, name, &share, kind);
        }
        row
    }
}

fn push_share(row: &mut Row, name: &str, share: &Share, kind: Kind) {
    let is_snp = kind == Kind::Snp;
    let of_snps = |count: u64| if is_snp { Cell::Count(count) } else { Cell::Text(".".into()) };
    row.push((name.to_owned(), Cell::Count(share.total)));
    for (part, cell) in [
        ("ti", of_snps(share.ti)),
        ("tv", of_snps(share.tv)),
        ("het", Cell::Count(share.het)),
        ("homalt", Cell::Count(share.homalt)),
        ("TiTv_ratio", Cell::Real(if is_snp { ratio(share.ti, share.tv) } else { None })),
        ("het_hom_ratio", Cell::Real(ratio(share.het, share.homalt))),
    ] {
        row.push((format!("{name}.{part}"), cell));
    }
}

fn ratio(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

/// A share of nothing is 0 in hap.py's tables.
fn metric(part: u64, of: u64) -> Option<f64> {
    Some(ratio(part, of).unwrap_or(0.0))
}

fn value<'r>(row: &'r Row, name: &str) -> &'r Cell {
    row.iter().find(|(column, _)| column == name).map_or(&Cell::Real(None), |(_, cell)| cell)
}

/// Rows as CSV with a header.
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::new();
    if let Some(first) = rows.first() {
        let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
        text += &(names.join(",") + "\n");
    }
    for row in rows {
        let cells: Vec<String> = row.iter().map(|(_, cell)| quoted(cell.text())).collect();
        text += &(cells.join(",") + "\n");
    }
    text
}

/// A cell as CSV has it (RFC 4180).
fn quoted(text: String) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Rows as objects.
pub fn json(rows: &[Row]) -> Json {
    let object = |row: &Row| {
        Json::Object(row.iter().map(|(name, cell)| (name.clone(), cell.json())).collect::<Map<_, _>>())
    };
    rows.iter().map(object).collect()
}

/// The columns of a table that people look at first, with blanks between.
pub fn aligned(rows: &[Row]) -> String {
    let header = rows.first().map(|row| row.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    let lines: Vec<Vec<String>> = header
        .into_iter()
        .chain(rows.iter().map(|row| row.iter().map(|(_, cell)| cell.text()).collect()))
        .collect();
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let pad = |line: &Vec<String>| {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
        cells.join("  ") + "\n"
    };
    lines.iter().map(pad).collect()
}
