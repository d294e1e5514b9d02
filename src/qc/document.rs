//! SAMPLE.qc.json: all figures, tables and distributions of a run in one versioned document, and its JSON schema.
//!
//! Nothing in it varies between runs on the same input: no time, host or path. Reals have nine significant digits.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::curves::Curve;
use super::figures::{self, Figure, Value};
use super::results::Results;
use super::thresholds::{Check, Thresholds, verdict};

/// Changes with the document's form: the first number where readers must change, the second where something is added.
pub const SCHEMA_VERSION: &str = "1.0";

/// The document's text.
pub fn to_text(
    results: &Results<'_>,
    figures: &[Figure],
    curves: &[Curve],
    judged: Option<(&Thresholds, &[Check])>,
) -> String {
    let values: Map<String, Json> =
        figures.iter().map(|figure| (figure.key.clone().into_owned(), json!(figure.value))).collect();
    let histograms: Map<String, Json> =
        curves.iter().map(|curve| (curve.key.to_owned(), curve_json(curve))).collect();
    let checks = judged.map_or(&[][..], |(_, checks)| checks);
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "sample": results.sample,
        "input": input(results),
        "verdict": verdict(checks),
        "assay": judged.and_then(|(thresholds, _)| thresholds.assay.as_deref()),
        "thresholds_version": judged.and_then(|(thresholds, _)| thresholds.version.as_deref()),
        "thresholds": checks,
        "figures": values,
        "tables": tables(results),
        "histograms": histograms,
    });
    pretty(&document)
}

/// Indented text of JSON, with a newline at its end.
pub fn pretty(json: &Json) -> String {
    // `:#` of a JSON value is its indented text.
    format!("{json:#}\n")
}

/// What is said about the input: nothing that depends on where or when it was read.
fn input(results: &Results<'_>) -> Json {
    let header = &results.context.header;
    let groups: Vec<Json> = header
        .read_groups
        .iter()
        .map(|group| {
            json!({
                "id": group.id, "sample": group.sample, "library": group.library,
                "platform": group.platform, "platform_unit": group.platform_unit,
            })
        })
        .collect();
    json!({
        "sorted_by_coordinate": results.context.sorted,
        "reference_given": results.context.reference.is_some(),
        "contigs": header.contigs.len(),
        "genome_length": header.contigs.iter().map(|contig| u64::from(contig.length)).sum::<u64>(),
        "read_groups": groups,
    })
}

/// The rows of Picard's tables, by the names of their files.
fn tables(results: &Results<'_>) -> Map<String, Json> {
    let mut tables = Map::new();
    let mut add = |name: &str, rows: Vec<Json>| {
        if !rows.is_empty() {
            tables.insert(name.to_owned(), rows.into());
        }
    };
    add("alignment_summary_metrics", rows(&results.alignment));
    add("insert_size_metrics", rows(results.insert_size.iter().map(|(row, _)| row)));
    add("duplication_metrics", rows(&results.duplication));
    add("quality_yield_metrics", rows(&results.quality_yield));
    add("wgs_metrics", rows(&results.wgs));
    add("hs_metrics", rows(&results.hs));
    add("gc_bias.detail_metrics", rows(results.gc_bias.iter().flat_map(|(details, _)| details)));
    add("gc_bias.summary_metrics", rows(results.gc_bias.iter().map(|(_, summary)| summary)));
    tables
}

fn rows<'r, M: Serialize + 'r>(rows: impl IntoIterator<Item = &'r M>) -> Vec<Json> {
    let row = |row| {
        // A row of numbers and words always has a JSON form.
        let mut row = serde_json::to_value(row).unwrap_or_default();
        round(&mut row);
        row
    };
    rows.into_iter().map(row).collect()
}

/// Rounds all reals as [`Value::real`].
fn round(json: &mut Json) {
    match json {
        Json::Number(number) if number.is_f64() => {
            *json = json!(number.as_f64().and_then(Value::real));
        }
        Json::Array(list) => list.iter_mut().for_each(round),
        Json::Object(map) => map.values_mut().for_each(round),
        _ => {}
    }
}

fn curve_json(curve: &Curve) -> Json {
    let number = |value: f64| {
        let is_whole = value.fract() == 0.0 && (0.0..9e15).contains(&value);
        if is_whole { json!(value as u64) } else { json!(Value::real(value)) }
    };
    let series: Map<String, Json> = curve
        .series
        .iter()
        .map(|(name, points)| {
            (name.clone(), points.iter().map(|&(x, y)| json!([number(x), number(y)])).collect())
        })
        .collect();
    json!({"x": curve.x, "y": curve.y, "series": series})
}

/// The document's JSON schema (draft 2020-12), made from the catalogue of figures.
pub fn schema() -> String {
    let mut values = Map::new();
    for figures::Definition { key, unit, meaning, source, .. } in figures::catalogue() {
        let kind = if unit == "word" { "string" } else { "number" };
        let description = format!("{meaning} Unit: {unit}. Source: {source}.");
        values.insert(key.into_owned(), json!({"type": kind, "description": description}));
    }
    let status = json!({"enum": ["PASS", "WARN", "FAIL"]});
    let text_or_null = json!({"type": ["string", "null"]});
    let point = json!({"type": "array", "items": {"type": ["number", "null"]}, "minItems": 2, "maxItems": 2});
    let curve = json!({
        "type": "object",
        "required": ["x", "y", "series"],
        "properties": {
            "x": {"type": "string", "description": "What the first number of a point is."},
            "y": {"type": "string", "description": "What the second number of a point is."},
            "series": {"type": "object", "additionalProperties": {"type": "array", "items": point}},
        },
    });
    let check = json!({
        "type": "object",
        "required": ["key", "status", "value", "unit", "reason"],
        "properties": {
            "key": {"type": "string"},
            "status": status,
            "value": {"type": ["number", "null"], "description": "null where it was not measured."},
            "unit": {"type": "string"},
            "reason": {"type": "string"},
            "warn_below": {"type": "number"},
            "fail_below": {"type": "number"},
            "warn_above": {"type": "number"},
            "fail_above": {"type": "number"},
            "note": {"type": "string"},
        },
        "additionalProperties": false,
    });
    let input = json!({
        "type": "object",
        "required": ["sorted_by_coordinate", "reference_given", "contigs", "genome_length", "read_groups"],
        "properties": {
            "sorted_by_coordinate": {"type": "boolean"},
            "reference_given": {"type": "boolean"},
            "contigs": {"type": "integer"},
            "genome_length": {"type": "integer", "description": "Sum of the contigs' lengths, in bp."},
            "read_groups": {"type": "array", "items": {"type": "object"}},
        },
    });
    pretty(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:norn:qc:{SCHEMA_VERSION}"),
        "title": "Alignment QC of one sample by norn qc",
        "type": "object",
        "required": ["schema_version", "sample", "input", "verdict", "thresholds", "figures", "tables", "histograms"],
        "properties": {
            "schema_version": {"const": SCHEMA_VERSION},
            "sample": {"type": "string"},
            "input": input,
            "verdict": {"enum": ["PASS", "WARN", "FAIL", null], "description": "The worst status; null without thresholds."},
            "assay": text_or_null,
            "thresholds_version": text_or_null,
            "thresholds": {"type": "array", "items": check},
            "figures": {"type": "object", "description": "Figures by key; what was not measured is absent.", "properties": values, "additionalProperties": false},
            "tables": {"type": "object", "description": "Rows of Picard's tables, by the names of their files.", "additionalProperties": {"type": "array", "items": {"type": "object"}}},
            "histograms": {"type": "object", "additionalProperties": curve},
        },
        "additionalProperties": false,
    }))
}
