#!/usr/bin/env bash
# A reference panel, prepared once: its principal components, and its people's scores. Both other scripts need it.
# usage: panel.sh DIR
set -euo pipefail
out=${1:?usage: panel.sh DIR}
here=$(cd "$(dirname "$0")" && pwd)
norn=${NORN:-norn}
data=${DATA:-$here/../../testdata/panel}
mkdir -p "$out"

# Components of those who are not related, without stretches that are inherited as one.
"$norn" prs pca --genotypes "$data/panel.bed" --remove "$data/panel.related.id" --exclude-regions "$data/high-ld.bed" -o "$out/panel"

# The same scores that people will have. Sums can only be compared over the same variants: the log says which are matched.
"$norn" prs score --genotypes "$data/panel.bed" --dataset reference --scores "$data"/PGS*.txt.gz --build GRCh38 -o "$out/reference"
