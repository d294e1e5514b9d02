//! SAMPLE.qc.html: one page that shows a run to people, from the figures, curves and checks that the JSON document has.
//!
//! It needs no network and no other file, and nothing in it varies between runs on the same input.

mod glance;
mod input;
mod plots;
mod series;
mod units;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::curves::Curve;
use super::figures::{self, Definition, Figure, Value};
use super::results::Results;
use super::thresholds::{Check, Status, Thresholds, verdict};
use crate::report::gauge::{Bounds, gauge};
use crate::report::html::{self, Column, Markup, Tone, badge, numbers, table_head, table_row, words};

/// The page's text.
pub fn to_text(
    results: &Results<'_>,
    figures: &[Figure],
    curves: &[Curve],
    judged: Option<(&Thresholds, &[Check])>,
) -> String {
    let catalogue = figures::catalogue().into_iter().map(|figure| (figure.key.clone(), figure)).collect();
    let thresholds = judged.map(|(thresholds, _)| thresholds);
    let checks = judged.map_or(&[][..], |(_, checks)| checks);
    let page = Page { results, figures, curves, thresholds, checks, catalogue };
    let title = format!("{}: alignment QC", results.sample);
    html::page(&title, &page.body())
}

/// What stands on the page.
struct Page<'a> {
    results: &'a Results<'a>,
    figures: &'a [Figure],
    curves: &'a [Curve],
    thresholds: Option<&'a Thresholds>,
    checks: &'a [Check],
    catalogue: BTreeMap<Cow<'static, str>, Definition>,
}

/// A part of the page: its name in links, its head, and what it writes.
type Section<'a> = (&'static str, &'static str, &'a dyn Fn(&mut Markup));

/// A status's tone; plain without one.
fn tone(status: Option<Status>) -> Tone {
    match status {
        Some(Status::Pass) => Tone::Good,
        Some(Status::Warn) => Tone::Caution,
        Some(Status::Fail) => Tone::Bad,
        None => Tone::Plain,
    }
}

impl Page<'_> {
    fn figure(&self, key: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.key == key)
    }

    /// What a figure says, its source and key, for those who point at it.
    fn meaning(&self, key: &str) -> String {
        let figure = self.catalogue.get(key);
        figure.map_or_else(String::new, |f| format!("{}\n{}\n{}", f.meaning, f.source, f.key))
    }

    fn body(&self) -> Markup {
        let mut markup = Markup::new();
        markup.element("header", &[], |m| self.header(m));
        markup.newline();
        let sections: [Section<'_>; 5] = [
            ("thresholds", "Thresholds", &|m| self.thresholds(m)),
            ("key-figures", "Key figures", &|m| m.append(&glance::panels(self))),
            ("plots", "Plots", &|m| m.append(&plots::plots(self.results, self.curves))),
            ("all-figures", "All figures", &|m| self.all_figures(m)),
            ("input", "Input", &|m| m.append(&input::facts(self.results))),
        ];
        let sections =
            sections.into_iter().filter(|(id, ..)| *id != "thresholds" || self.thresholds.is_some());
        markup.element("nav", &[("aria-label", "Parts of the page")], |m| {
            m.element("ul", &[], |m| {
                for (id, name, _) in sections.clone() {
                    let href = format!("#{id}");
                    m.element("li", &[], |m| m.leaf("a", &[("href", &href)], name));
                }
            });
        });
        markup.newline();
        markup.element("main", &[], |m| {
            for (id, name, write) in sections {
                html::section(m, id, name, write);
            }
        });
        markup.element("footer", &[], |m| {
            m.text("Made by norn qc from the alignment file alone: the same input and parameters give the same page. ");
            m.text("All figures for programs: ");
            m.leaf("code", &[], &format!("{}.qc.json", self.results.sample));
            m.text("; what made them, when and where: ");
            m.leaf("code", &[], &format!("{}.run.json", self.results.sample));
            m.text(".");
        });
        markup.newline();
        markup
    }

    fn header(&self, m: &mut Markup) {
        m.leaf("p", &[("class", "kicker")], "Alignment QC");
        m.element("div", &[("class", "title")], |m| {
            m.element("h1", &[], |m| m.leaf("bdi", &[], self.results.sample));
            let verdict = self.thresholds.and_then(|_| verdict(self.checks));
            badge(m, tone(verdict), verdict.map_or("no thresholds given", Status::name));
        });
        let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "unnamed".into());
        let mut facts: Vec<(&str, String)> = Vec::new();
        if let Some(thresholds) = self.thresholds {
            facts.push(("Assay", named(&thresholds.assay)));
            facts.push(("Thresholds", format!("version {}", named(&thresholds.version))));
            let count = |status| self.checks.iter().filter(|check| check.status == status).count();
            let counts =
                [Status::Fail, Status::Warn, Status::Pass].map(|s| format!("{} {}", count(s), s.name()));
            facts.push(("Checks", counts.join(", ")));
        }
        facts.push(("Reference", input::genome(self.results)));
        m.element("ul", &[("class", "facts")], |m| {
            for (name, value) in &facts {
                m.element("li", &[], |m| {
                    m.text(name);
                    m.text(" ");
                    m.leaf("b", &[], value);
                });
            }
        });
    }

    fn thresholds(&self, m: &mut Markup) {
        let columns = ["Status", "Figure", "Value", "Margin", "Warn", "Fail"]
            .map(|name| if name == "Value" { numbers(name) } else { words(name) });
        let mut checks: Vec<&Check> = self.checks.iter().collect();
        checks.sort_by_key(|check| std::cmp::Reverse(check.status));
        m.element("div", &[("class", "sheet checks")], |m| {
            m.element("div", &[("class", "scroll")], |m| {
                m.element("table", &[("aria-label", "Figures against thresholds, worst first")], |m| {
                    table_head(m, &columns);
                    m.element("tbody", &[], |m| {
                        checks.iter().for_each(|check| self.check(m, &columns, check));
                    });
                });
            });
        });
    }

    fn check(&self, m: &mut Markup, columns: &[Column], check: &Check) {
        let mut status = Markup::new();
        badge(&mut status, tone(Some(check.status)), check.status.name());
        let mut figure = Markup::new();
        let meaning = self.catalogue.get(check.key.as_str()).map_or("", |figure| &figure.meaning);
        figure.text(meaning.trim_end_matches('.'));
        figure.element("small", &[], |m| {
            let key = |m: &mut Markup| m.leaf("code", &[], &check.key);
            match self.figure(&check.key) {
                Some(_) => m.element("a", &[("href", &format!("#f-{}", check.key))], key),
                None => key(m),
            }
        });
        let value = units::beside_bounds(check).unwrap_or_else(|| "not measured".into());
        let mut shown = Markup::new();
        shown.leaf("span", &[("class", "value")], &value);
        let crossed = crossed(check);
        let bounds = |status: Status, sides: [(&str, Option<f64>); 2]| {
            let mut cell = Markup::new();
            for (side, bound) in sides {
                let Some(bound) = bound else { continue };
                if !cell.is_empty() {
                    cell.text(", ");
                }
                let is_crossed = check.status == status && crossed == Some((side, bound));
                let class = if is_crossed { "crossed" } else { "bound" };
                let text = format!("{side} {}", units::bound(bound, check.unit));
                cell.leaf("span", &[("class", class)], &text);
            }
            cell
        };
        let warn = bounds(Status::Warn, [("below", check.warn_below), ("above", check.warn_above)]);
        let fail = bounds(Status::Fail, [("below", check.fail_below), ("above", check.fail_above)]);
        let reason = match (crossed, &check.value) {
            (Some((side, bound)), _) => {
                Some(format!("{value} is {side} {}", units::bound(bound, check.unit)))
            }
            (None, None) => Some(check.reason.clone()),
            (None, Some(_)) => None,
        };
        for remark in reason.iter().chain(&check.note) {
            figure.leaf("small", &[("class", "remark")], remark);
        }
        let row = [("class", tone(Some(check.status)).class())];
        table_row(m, &row, columns, 1, &[status, figure, shown, margin(check), warn, fail]);
    }

    fn all_figures(&self, m: &mut Markup) {
        let columns = [words("Figure"), numbers("Value"), words("Unit"), words("Meaning and source")];
        let group_of = |figure: &Figure| figure.key.split('.').next().unwrap_or_default().to_owned();
        m.element("details", &[], |m| {
            m.element("summary", &[], |m| {
                m.text(&format!("All {} figures", self.figures.len()));
                m.leaf("small", &[], "with unit, meaning and source");
            });
            m.element("div", &[("class", "search")], |m| {
                m.leaf("label", &[("for", "search")], "Search");
                m.empty("input", &[("id", "search"), ("type", "search"), ("autocomplete", "off")]);
                m.leaf("span", &[("id", "found"), ("class", "muted"), ("role", "status")], "");
            });
            m.element("div", &[("class", "scroll")], |m| {
                m.element("table", &[("id", "figures"), ("aria-label", "All figures")], |m| {
                    table_head(m, &columns);
                    for group in self.figures.chunk_by(|a, b| group_of(a) == group_of(b)) {
                        m.element("tbody", &[], |m| {
                            m.element("tr", &[("class", "group")], |m| {
                                let attributes = [("scope", "rowgroup"), ("colspan", "4")];
                                m.leaf("th", &attributes, &group_of(&group[0]));
                            });
                            m.newline();
                            group.iter().for_each(|figure| self.figure_row(m, &columns, figure));
                        });
                    }
                });
            });
        });
    }

    fn figure_row(&self, m: &mut Markup, columns: &[Column], figure: &Figure) {
        let mut key = Markup::new();
        key.leaf("code", &[], &figure.key);
        let source = self.catalogue.get(&figure.key).map_or("", |definition| &definition.source);
        let cells = [&units::exact(&figure.value), figure.unit, &figure.meaning].map(Markup::of);
        let [value, unit, mut meaning] = cells;
        meaning.leaf("small", &[], source);
        let id = format!("f-{}", figure.key);
        table_row(m, &[("id", &id)], columns, 0, &[key, value, unit, meaning]);
    }
}

/// Where the value lies among its bounds, as a picture.
fn margin(check: &Check) -> Markup {
    let bounds = Bounds {
        bad_below: check.fail_below,
        caution_below: check.warn_below,
        caution_above: check.warn_above,
        bad_above: check.fail_above,
    };
    let most = match check.unit {
        "%" => 100.0,
        "fraction" => 1.0,
        _ => f64::INFINITY,
    };
    let number = check.value.as_ref().and_then(Value::number);
    number.map_or_else(Markup::new, |number| gauge(number, bounds, most))
}

/// The bound that made the status: its side, and where it is.
fn crossed(check: &Check) -> Option<(&'static str, f64)> {
    let number = check.value.as_ref()?.number()?;
    let (below, above) = match check.status {
        Status::Pass => return None,
        Status::Warn => (check.warn_below, check.warn_above),
        Status::Fail => (check.fail_below, check.fail_above),
    };
    let below = below.filter(|bound| number < *bound).map(|bound| ("below", bound));
    below.or_else(|| above.filter(|bound| number > *bound).map(|bound| ("above", bound)))
}
