#!/usr/bin/env bash
# Runs `norn annotate` beside bcftools csq and bcftools annotate on one file in one go: user+sys CPU seconds, wall, peak memory. Rounds
# are interleaved; the least of each figure is shown.
# usage: benches/compare-annotate.sh REFERENCE.fa GENES.gff3.gz VARIANTS.vcf [SOURCE.vcf.gz FIELD,...]
# environment: ROUNDS (3), NORN (target/release/norn)
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$@" <<'P'
import os, shutil, sys, tempfile
sys.path.insert(0, "benches")
import rounds
reference, genes, variants = sys.argv[1:4]
norn, count = os.environ.get("NORN", "target/release/norn"), int(os.environ.get("ROUNDS", "3"))
out = tempfile.mkdtemp()
ours = f"{norn} annotate -r {reference} --quiet -o /dev/null"
os.system(f"{norn} db genes --gff {genes} -r {reference} -o {out}/genes.ndb 2>/dev/null")
rows = [
    ("floor: bcftools view", f"bcftools view -o /dev/null {variants}"),
    ("bcftools csq -p a", f"bcftools csq -p a -f {reference} -g {genes} -o /dev/null {variants}"),
    ("norn, no HGVS, one thread", f"{ours} --genes {out}/genes.ndb --threads 1 --fields Allele,Consequence,IMPACT,SYMBOL,Gene,Feature,BIOTYPE {variants}"),
    ("norn, all fields, one thread", f"{ours} --genes {out}/genes.ndb --threads 1 {variants}"),
    ("norn, all fields, two threads", f"{ours} --genes {out}/genes.ndb --threads 2 {variants}"),
]
if len(sys.argv) > 5:
    source, fields = sys.argv[4:6]
    os.system(f"{norn} db source S --vcf {source} --fields {fields} -r {reference} -o {out}/s.ndb 2>/dev/null")
    columns = ",".join(f"INFO/S_{field}:=INFO/{field}" for field in fields.split(","))
    os.system(f"bcftools view -Oz -o {out}/v.vcf.gz {variants} && bcftools index {out}/v.vcf.gz")
    rows += [("bcftools annotate", f"bcftools annotate -a {source} -c {columns} -o /dev/null {out}/v.vcf.gz"),
             ("norn, one source, one thread", f"{ours} --source {out}/s.ndb --threads 1 {out}/v.vcf.gz")]
rounds.table(rows, count)
shutil.rmtree(out)
P
