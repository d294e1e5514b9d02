#!/usr/bin/env bash
# A biobank: everybody in one pass, sums as a matrix, and one report of the cohort.
# usage: biobank.sh PANEL_DIR OUT_DIR
set -euo pipefail
panel=${1:?usage: biobank.sh PANEL_DIR OUT_DIR} out=${2:?}
here=$(cd "$(dirname "$0")" && pwd)
norn=${NORN:-norn}
data=${DATA:-$here/../../testdata/panel}
mkdir -p "$out"

# Who withdrew consent is not read. Of real data the genotypes are a file a chromosome: chr{1..22}.pgen.
echo C02 >"$out/withdrawn.txt"

# What would be matched, first: it takes no sums. Code 4 says that a score has too few variants.
"$norn" prs match --genotypes "$data/cohort.vcf.gz" --remove "$out/withdrawn.txt" --dataset cohort \
  --intersect "$data/panel.bim" --scores "$data"/PGS*.txt.gz --build GRCh38 -o "$out/match"

# All people and scores in one pass: a table for calibration, a matrix for R and Python.
"$norn" prs score --genotypes "$data/cohort.vcf.gz" --remove "$out/withdrawn.txt" --dataset cohort \
  --intersect "$data/panel.bim" --scores "$data"/PGS*.txt.gz --build GRCh38 --matrix "$out/scores.parquet" -o "$out/scores"

# The panel's people have the same scores. Sums can only be compared over the same variants, so each side is told the other's sites.
"$norn" prs score --genotypes "$data/panel.bed" --dataset reference --intersect "$data/cohort.vcf.gz" \
  --scores "$data"/PGS*.txt.gz --build GRCh38 -o "$out/reference"

"$norn" prs project --loadings "$panel/panel.loadings.gz" --genotypes "$data/cohort.vcf.gz" -o "$out/all"
awk '$2 != "C02"' "$out/all.pcs" >"$out/cohort.pcs"

"$norn" prs calibrate -d cohort --ref-pcs "$panel/panel.pcs" --target-pcs "$out/cohort.pcs" --psam "$data/panel.psam" \
  -x "$data/panel.related.id" -s "$out/reference/aggregated_scores.txt.gz" "$out/scores/aggregated_scores.txt.gz" -o "$out/calibrated"

"$norn" prs report "$out/scores" "$out/calibrated" -d cohort --scores "$data"/PGS*.txt.gz -o "$out/report"
