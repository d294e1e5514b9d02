#!/usr/bin/env bash
# One genome tonight: scored, placed among the panel, calibrated, and reported on a page of its own.
# usage: one-genome.sh PANEL_DIR PERSON OUT_DIR
set -euo pipefail
panel=${1:?usage: one-genome.sh PANEL_DIR PERSON OUT_DIR} person=${2:?} out=${3:?}
here=$(cd "$(dirname "$0")" && pwd)
norn=${NORN:-norn}
data=${DATA:-$here/../../testdata/panel}
mkdir -p "$out"

# A clinic's VCF has this person alone. Here it is taken out of a file of several.
echo "$person" >"$out/person.txt"

# Frequencies of one person are none, so missing genotypes count nothing. Better are those of a panel: --read-freq panel.afreq.
"$norn" prs score --genotypes "$data/cohort.vcf.gz" --keep "$out/person.txt" --dataset genome --no-mean-imputation \
  --intersect "$data/panel.bim" --scores "$data"/PGS*.txt.gz --build GRCh38 -o "$out/scores"

# The panel's people have the same scores. Sums can only be compared over the same variants, so each side is told the other's sites.
# A genome's file must have the sites where the person is like the reference, too: genotypes of a fixed list of sites, as callers give them for a
# list of alleles. Blocks of a gVCF are no such sites: bcftools convert --gvcf2vcf, or the caller's own genotyping of a list, makes them.
"$norn" prs score --genotypes "$data/panel.bed" --dataset reference --intersect "$data/cohort.vcf.gz" \
  --scores "$data"/PGS*.txt.gz --build GRCh38 -o "$out/reference"

# Where the person is does not depend on who else is in the file.
"$norn" prs project --loadings "$panel/panel.loadings.gz" --genotypes "$data/cohort.vcf.gz" -o "$out/all"
awk -v person="$person" 'NR == 1 || $2 == person' "$out/all.pcs" >"$out/person.pcs"

"$norn" prs calibrate -d genome --ref-pcs "$panel/panel.pcs" --target-pcs "$out/person.pcs" --psam "$data/panel.psam" \
  -x "$data/panel.related.id" -s "$out/reference/aggregated_scores.txt.gz" "$out/scores/aggregated_scores.txt.gz" -o "$out/calibrated"

# Sex and age, for the absolute risk; the table of incidence is made up.
printf 'IID\tSEX\tAGE\n%s\t2\t45\n' "$person" >"$out/people.tsv"
"$norn" prs report "$out/scores" "$out/calibrated" -d genome --scores "$data"/PGS*.txt.gz --person "$person" \
  --people "$out/people.tsv" --risk "$here/risk.toml" -o "$out/report"
