#!/usr/bin/env bash
# A reference panel, prepared once: its principal components. Both other scripts need it.
# usage: panel.sh DIR
set -euo pipefail
out=${1:?usage: panel.sh DIR}
here=$(cd "$(dirname "$0")" && pwd)
norn=${NORN:-norn}
data=${DATA:-$here/../../testdata/panel}
mkdir -p "$out"

# Components of those who are not related, without stretches that are inherited as one.
"$norn" prs pca --genotypes "$data/panel.bed" --remove "$data/panel.related.id" --exclude-regions "$data/high-ld.bed" -o "$out/panel"
