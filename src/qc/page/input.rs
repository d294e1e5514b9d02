//! What the page says about the input: contigs, read groups, and what could not be measured and why.

use super::super::results::{Results, mean_depth, share_at_least};
use super::super::set::CollectorSet;
use crate::genome::contigs::ContigRole;
use crate::report::html::{Markup, numbers, table, words};
use crate::report::numbers::{percent, rounded, thousands};

/// More rows say no more.
const MOST_CONTIGS: usize = 60;
const MOST_READ_GROUPS: usize = 200;
/// Longer names are cut.
const LONGEST_NAME: usize = 120;

/// The build, where it is known, with the number of contigs and their length.
pub fn genome(results: &Results<'_>) -> String {
    let header = &results.context.header;
    let length: u64 = header.contigs.iter().map(|contig| u64::from(contig.length)).sum();
    let build = header.to_contigs().build().map_or_else(String::new, |build| format!("{}, ", build.name()));
    let number = header.contigs.len();
    let contigs = if number == 1 { "contig" } else { "contigs" };
    format!("{build}{} {contigs}, {} bp", thousands(number as u64), thousands(length))
}

/// The contigs that are shown, by index: the chromosomes of a human genome, or else the longest.
pub fn main_contigs(results: &Results<'_>) -> Vec<usize> {
    let contigs = &results.context.header.contigs;
    let is_chromosome = |i: &usize| ContigRole::of(&contigs[*i].name) != ContigRole::Other;
    let mut shown: Vec<usize> = (0..contigs.len()).filter(is_chromosome).collect();
    if shown.is_empty() {
        shown = (0..contigs.len()).collect();
        shown.sort_by_key(|&i| std::cmp::Reverse(contigs[i].length));
    }
    shown.truncate(MOST_CONTIGS);
    shown.sort_unstable();
    shown
}

/// A name that is not too long to show.
pub fn name(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// What stands about the input.
pub fn facts(results: &Results<'_>) -> Markup {
    let mut markup = Markup::new();
    missing(&mut markup, results);
    read_groups(&mut markup, results);
    contigs(&mut markup, results);
    markup
}

/// What could not be measured.
fn missing(m: &mut Markup, results: &Results<'_>) {
    let context = results.context;
    let mut missing: Vec<(&str, &str)> = CollectorSet::unavailable_of(context);
    if context.options.sites.is_none() && context.options.collectors.is_empty() {
        missing.push(("contamination and fingerprint", "no sites were given (--sites)"));
    }
    let order = if context.sorted { "sorted by coordinate" } else { "not sorted by coordinate" };
    m.element("p", &[], |m| {
        let reference =
            if context.reference.is_some() { "a reference was given" } else { "no reference was given" };
        m.text(&format!("The reads are {order}; {reference}."));
        for (i, (what, why)) in missing.iter().enumerate() {
            m.text(if i == 0 { " Not measured: " } else { "; " });
            m.text(&format!("{what}, as {why}"));
        }
        m.text(if missing.is_empty() { "" } else { "." });
    });
}

fn read_groups(m: &mut Markup, results: &Results<'_>) {
    let groups = &results.context.header.read_groups;
    if groups.is_empty() {
        m.leaf("p", &[], "The header names no read groups.");
        return;
    }
    let columns = ["Read group", "Sample", "Library", "Platform", "Platform unit"].map(words);
    let text = |text: &Option<String>| Markup::of(&name(text.as_deref().unwrap_or("")));
    let rows: Vec<Vec<Markup>> = groups
        .iter()
        .take(MOST_READ_GROUPS)
        .map(|group| {
            let id = Markup::of(&name(&group.id));
            vec![
                id,
                text(&group.sample),
                text(&group.library),
                text(&group.platform),
                text(&group.platform_unit),
            ]
        })
        .collect();
    let caption = match (groups.len(), rows.len()) {
        (1, _) => "One read group".to_owned(),
        (all, shown) if all > shown => {
            format!("{} read groups, of which the first {shown}", thousands(all as u64))
        }
        (all, _) => format!("{all} read groups"),
    };
    m.element("div", &[("class", "sheet")], |m| table(m, &caption, &columns, &rows));
}

fn contigs(m: &mut Markup, results: &Results<'_>) {
    let contigs = &results.context.header.contigs;
    let shown = main_contigs(results);
    if shown.is_empty() {
        return;
    }
    let depth = results.state.depth.as_ref().map(|depth| depth.contigs());
    let idxstats = results.state.idxstats.as_ref();
    let columns = [
        words("Contig"),
        numbers("Length (bp)"),
        numbers("Mapped records"),
        numbers("Mean depth"),
        numbers("Positions with a read"),
    ];
    let row = |&i: &usize| {
        let histogram = depth.and_then(|depth| depth.get(i)).map(|depth| &depth.histogram[..]);
        let histogram = histogram.filter(|histogram| histogram.iter().any(|n| *n > 0));
        let mapped = idxstats.and_then(|idxstats| idxstats.contigs.get(i)).map(|counts| thousands(counts.0));
        vec![
            Markup::of(&name(&contigs[i].name)),
            Markup::of(&thousands(u64::from(contigs[i].length))),
            Markup::of(&mapped.unwrap_or_default()),
            Markup::of(&histogram.map_or_else(String::new, |h| format!("{}x", rounded(mean_depth(h))))),
            Markup::of(&histogram.map_or_else(String::new, |h| percent(100.0 * share_at_least(h, 1)))),
        ]
    };
    let rows: Vec<Vec<Markup>> = shown.iter().map(row).collect();
    let others = contigs.len() - shown.len();
    let caption = match others {
        0 => "Depth as mosdepth counts it, N positions included".to_owned(),
        n => format!(
            "Depth as mosdepth counts it, N positions included; {} other contigs are not shown",
            thousands(n as u64)
        ),
    };
    m.element("details", &[], |m| {
        m.element("summary", &[], |m| {
            m.text(if rows.len() == 1 { "One contig" } else { "Contigs" });
            m.leaf("small", &[], "with length, records and depth");
        });
        table(m, &caption, &columns, &rows);
    });
}
