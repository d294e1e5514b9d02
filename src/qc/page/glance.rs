//! The figures that are looked at first, in panels.

use super::super::figures::Figure;
use super::Page;
use super::units::{bare, shown};
use crate::report::html::{Markup, sign};

/// A panel: its name and lines.
type Panel = (&'static str, &'static [Line]);

/// A line of a panel.
struct Line {
    label: &'static str,
    /// The figure; where it was not measured, the next.
    keys: &'static [&'static str],
    /// What stands below it, with figures in braces; left out where one of them was not measured.
    detail: &'static str,
}

const fn line(label: &'static str, keys: &'static [&'static str], detail: &'static str) -> Line {
    Line { label, keys, detail }
}

const PANELS: [Panel; 4] = [
    (
        "Reads",
        &[
            line("Reads", &["stats.raw_total_sequences", "yield.total_reads"], "{yield.total_bases}"),
            line(
                "Mapped",
                &["stats.percent_mapped", "flagstat.percent_primary_mapped"],
                "{stats.percent_mq0} with mapping quality 0",
            ),
            line(
                "Properly paired",
                &["stats.percent_properly_paired", "flagstat.percent_properly_paired"],
                "{alignment.pair.pct_chimeras} of pairs chimeric",
            ),
            line(
                "Duplicates",
                &["duplication.percent_duplication"],
                "library of about {duplication.estimated_library_size}",
            ),
        ],
    ),
    (
        "Coverage",
        &[
            line(
                "Mean coverage",
                &["wgs.mean_coverage", "depth.mean_total"],
                "median {wgs.median_coverage}, SD {wgs.sd_coverage}",
            ),
            line(
                "Positions at ≥ 15x",
                &["wgs.pct_15x", "depth.autosomes_15x"],
                "autosomes {wgs.autosomes_pct_15x}",
            ),
            line(
                "Positions at ≥ 20x",
                &["wgs.pct_20x", "depth.autosomes_20x"],
                "autosomes {wgs.autosomes_pct_20x}",
            ),
            line(
                "Positions at ≥ 30x",
                &["wgs.pct_30x", "depth.autosomes_30x"],
                "autosomes {wgs.autosomes_pct_30x}",
            ),
        ],
    ),
    (
        "Bases and fragments",
        &[
            line("Bases at ≥ Q30", &["yield.pct_pf_q30_bases"], "mean quality {stats.average_quality}"),
            line(
                "Mismatches",
                &["stats.error_rate", "alignment.pair.pf_mismatch_rate"],
                "indels {alignment.pair.pf_indel_rate}",
            ),
            line(
                "Median insert size",
                &["insert_size.median_insert_size"],
                "MAD {insert_size.median_absolute_deviation}, {insert_size.pair_orientation}",
            ),
            line(
                "Soft-clipped bases",
                &["alignment.pair.pct_softclip", "alignment.unpaired.pct_softclip"],
                "adapters in {alignment.pair.pct_adapter} of reads",
            ),
        ],
    ),
    (
        "Sample and bias",
        &[
            line(
                "Contamination",
                &["contamination.share"],
                "standard error {contamination.standard_error}, {contamination.sites}",
            ),
            line("Sex by depth", &["sex.karyotype"], "depth ratio X {sex.x_ratio}, Y {sex.y_ratio}"),
            line("AT dropout", &["gc_bias.at_dropout"], "coverage at 20–39 % GC: {gc_bias.gc_nc_20_39}"),
            line("GC dropout", &["gc_bias.gc_dropout"], "coverage at 60–79 % GC: {gc_bias.gc_nc_60_79}"),
        ],
    ),
];

/// Where targets were given.
const TARGETS: Panel = (
    "Targets",
    &[
        line(
            "Mean target coverage",
            &["hs.mean_target_coverage"],
            "median {hs.median_target_coverage}, fold-80 penalty {hs.fold_80_base_penalty}",
        ),
        line("Targets at ≥ 20x", &["hs.pct_target_bases_20x"], "at ≥ 30x {hs.pct_target_bases_30x}"),
        line(
            "Bases on or near baits",
            &["hs.pct_selected_bases"],
            "on targets {hs.pct_usable_bases_on_target}, enrichment {hs.fold_enrichment}",
        ),
        line(
            "Targets without a base",
            &["hs.zero_cvg_targets_pct"],
            "AT dropout {hs.at_dropout}, GC {hs.gc_dropout}",
        ),
    ],
);

/// The panels.
pub fn panels(page: &Page<'_>) -> Markup {
    let mut markup = Markup::new();
    let has_targets = TARGETS.1.iter().any(|line| line.figure(page).is_some());
    let class = if has_targets { "panels five" } else { "panels" };
    markup.element("div", &[("class", class)], |m| {
        for (name, lines) in PANELS.into_iter().chain(has_targets.then_some(TARGETS)) {
            m.element("section", &[("class", "panel")], |m| {
                m.leaf("h3", &[], name);
                m.element("dl", &[], |m| lines.iter().for_each(|line| line.write(m, page)));
            });
            m.newline();
        }
    });
    markup
}

impl Line {
    fn figure<'p>(&self, page: &'p Page<'_>) -> Option<&'p Figure> {
        self.keys.iter().find_map(|key| page.figure(key))
    }

    fn write(&self, m: &mut Markup, page: &Page<'_>) {
        let Some(figure) = self.figure(page) else {
            m.element("div", &[], |m| {
                m.leaf("dt", &[("title", &page.meaning(self.keys[0]))], self.label);
                m.leaf("dd", &[("class", "value none")], "not measured");
            });
            return;
        };
        let meaning = page.meaning(&figure.key);
        m.element("div", &[("title", &meaning)], |m| {
            m.element("dt", &[], |m| {
                m.leaf("a", &[("href", &format!("#f-{}", figure.key))], self.label);
                if let Some(check) = page.checks.iter().find(|check| check.key == figure.key) {
                    sign(m, super::tone(Some(check.status)), check.status.name());
                }
            });
            m.leaf("dd", &[("class", "value")], &bare(&figure.value, figure.unit));
            // What is not the first choice says what it is.
            let detail = match figure.key == self.keys[0] {
                true => filled(self.detail, page),
                false => page.catalogue.get(&figure.key).map(|figure| figure.source.clone().into_owned()),
            };
            if let Some(detail) = detail {
                m.leaf("dd", &[("class", "detail")], &detail);
            }
        });
    }
}

/// The text with its figures; `None` where one was not measured.
fn filled(template: &str, page: &Page<'_>) -> Option<String> {
    let mut text = String::new();
    for (key, rest) in parts(template) {
        if !key.is_empty() {
            let figure = page.figure(key)?;
            text += &shown(&figure.value, figure.unit);
        }
        text += rest;
    }
    Some(text)
}

/// The keys in braces, each with the text behind it; the first is empty.
fn parts(template: &str) -> impl Iterator<Item = (&str, &str)> {
    template.split('{').map(|part| part.split_once('}').unwrap_or(("", part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qc::figures;

    #[test]
    fn every_figure_named_here_is_one() {
        let all = figures::catalogue();
        for line in PANELS.into_iter().chain([TARGETS]).flat_map(|panel| panel.1) {
            let keys = line.keys.iter().copied().chain(parts(line.detail).map(|part| part.0));
            for key in keys.filter(|key| !key.is_empty()) {
                assert!(all.iter().any(|figure| figure.key == key), "{}: {key}", line.label);
            }
        }
    }
}
