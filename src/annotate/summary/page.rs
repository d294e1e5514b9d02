//! A summary as a page that needs nothing but itself.

use super::Summary;
use super::text::by_severity;
use crate::annotate::terms::{Impact, Term};
use crate::report::axis::{Axis, UP};
use crate::report::html::{self, Markup, numbers, section, table, words};
use crate::report::numbers::{percent, thousands};
use crate::report::svg::{Mark, Plot, Series};

/// Names with their counts.
type Counts = Vec<(String, u64)>;

/// The page; `name` is what was annotated.
pub fn page(summary: &Summary, name: &str) -> String {
    let mut body = Markup::new();
    body.element("header", &[], |m| header(m, summary, name));
    body.newline();
    body.element("main", &[], |m| {
        section(m, "plots", "Plots", |m| {
            m.element("div", &[("class", "plots")], |m| {
                plot(m, "Impact of the entries", "impact", &impacts(summary));
                let tenths: Vec<_> = (0..).map(|n: u32| format!("{}", n * 10)).zip(summary.protein).collect();
                plot(m, "Place in the protein", "% of its length, from", &tenths);
            });
        });
        let counts: [(&str, &str, Counts); 6] = [
            (
                "most-severe",
                "Most severe consequence of each record",
                by_severity(&summary.most_severe).collect(),
            ),
            ("consequences", "Consequences of all entries", by_severity(&summary.consequences).collect()),
            ("classes", "Classes of variants", sorted(&summary.classes)),
            ("biotypes", "Biotypes of transcripts", sorted(&summary.biotypes)),
            (
                "contigs",
                "Contigs",
                summary.contigs.iter().map(|(name, places)| (name.clone(), places.values().sum())).collect(),
            ),
            ("sources", "Records with a value of a source", sorted(&summary.sources)),
        ];
        for (id, title, rows) in counts.iter().filter(|(.., rows)| !rows.is_empty()) {
            let all =
                if *id == "sources" { summary.records } else { rows.iter().map(|(_, count)| count).sum() };
            section(m, id, title, |m| counted(m, rows, all));
        }
    });
    body.element("footer", &[], |m| {
        m.text("Made by norn annotate; terms and impact as in Ensembl VEP 114. An entry with several consequences counts with each.");
    });
    html::page(&format!("{name}: annotation"), &body)
}

fn header(m: &mut Markup, summary: &Summary, name: &str) {
    m.leaf("p", &[("class", "kicker")], "Annotation");
    m.element("div", &[("class", "title")], |m| {
        m.element("h1", &[], |m| m.leaf("bdi", &[], name));
    });
    m.element("ul", &[("class", "facts")], |m| {
        for (what, count) in [
            ("Records", summary.records),
            ("Annotated", summary.annotated),
            ("Genes", summary.genes.len() as u64),
            ("Transcripts", summary.transcripts.len() as u64),
        ] {
            m.element("li", &[], |m| {
                m.text(what);
                m.text(" ");
                m.leaf("b", &[], &thousands(count));
            });
        }
    });
}

fn counted(m: &mut Markup, rows: &[(String, u64)], all: u64) {
    let caption = format!("Shares are of {}.", thousands(all));
    let columns = [words("name"), words("impact"), numbers("count"), numbers("share")];
    let cells = |(name, count): &(String, u64)| {
        let impact = Term::parse(name).map_or("", |term| term.impact().name());
        let share = if all > 0 { percent(100.0 * *count as f64 / all as f64) } else { String::new() };
        [name.clone(), impact.to_owned(), thousands(*count), share].map(|text| Markup::of(&text)).to_vec()
    };
    let has_impact = rows.iter().any(|(name, _)| Term::parse(name).is_some());
    let rows: Vec<Vec<Markup>> = rows.iter().map(cells).collect();
    if has_impact {
        return table(m, &caption, &columns, &rows);
    }
    let without = |mut cells: Vec<Markup>| {
        cells.remove(1);
        cells
    };
    let rows: Vec<_> = rows.into_iter().map(without).collect();
    table(m, &caption, &[words("name"), numbers("count"), numbers("share")], &rows);
}

fn impacts(summary: &Summary) -> Counts {
    let count = |impact: Impact| summary.impacts.get(impact.name()).copied().unwrap_or(0);
    [Impact::High, Impact::Moderate, Impact::Low, Impact::Modifier]
        .map(|impact| (impact.name().to_owned(), count(impact)))
        .to_vec()
}

fn sorted(counts: &std::collections::BTreeMap<String, u64>) -> Counts {
    let mut rows: Vec<_> = counts.iter().map(|(name, count)| (name.clone(), *count)).collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    rows
}

fn plot(m: &mut Markup, title: &str, label: &str, rows: &[(String, u64)]) {
    let points: Vec<(f64, f64)> =
        (0u32..).zip(rows).map(|(place, (_, count))| (f64::from(place), *count as f64)).collect();
    let highest = points.iter().fold(1.0, |highest: f64, (_, count)| highest.max(*count));
    let texts: Vec<String> =
        rows.iter().map(|(name, count)| format!("{name}: {}", thousands(*count))).collect();
    let plot = Plot {
        description: format!("{title}: {}", texts.join(", ")),
        x: Axis::named(label, rows.iter().map(|(name, _)| name.clone()).collect()),
        y: Axis::round("entries", 0.0, highest, UP),
        series: vec![Series { name: title.into(), style: 0, mark: Mark::Bars(0.7), points }],
        guides: Vec::new(),
    };
    m.element("figure", &[], |m| {
        m.element("figcaption", &[], |m| m.leaf("h3", &[], title));
        m.append(&plot.to_markup(|place| texts.get(place.round() as usize).cloned().unwrap_or_default()));
    });
    m.newline();
}
