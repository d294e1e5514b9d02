#!/usr/bin/env bash
# Runs `norn variants` beside bcftools on one genome and one cohort in one go: user+sys CPU seconds (all processes of a pipe
# together), wall, peak memory and the ratio. Rounds are interleaved; the least of each figure is shown.
# usage: benches/compare-variants.sh GENOME.vcf.gz REFERENCE.fa [COHORT.vcf.gz [FILE.vcf.gz ...]]
# (FILEs are those to merge, indexed)   environment: ROUNDS (3), NORN (target/release/norn)
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$@" <<'P'
import os, shutil, sys, tempfile
sys.path.insert(0, "benches")
import rounds
genome, fasta = sys.argv[1:3]
cohort = sys.argv[3] if len(sys.argv) > 3 else None
norn, count = os.environ.get("NORN", "target/release/norn"), int(os.environ.get("ROUNDS", "3"))
out = tempfile.mkdtemp()
chain = out + "/chain.toml"
with open(chain, "w") as file:
    file.write('[[step]]\ndo = "split"\n[[step]]\ndo = "left-align"\n[[step]]\ndo = "filter"\nname = "Low"\n'
               'exclude = "QD<2 || FS>60 || MQ<40 || SOR>3"\nmode = "+"\n[[step]]\ndo = "fill-tags"\n'
               'tags = "AN,AC,AF,NS,AC_Hom,AC_Het,AC_Hemi,MAF,HWE,ExcHet"\n')
tags = "AN,AC,AF,NS,AC_Hom,AC_Het,AC_Hemi,MAF,HWE,ExcHet"
expression = "QD<2 || FS>60 || MQ<40 || SOR>3"
v = f"{norn} variants"
def theirs(out):
    return (f"bcftools norm -m- -f {fasta} -Ou {genome} 2>/dev/null | bcftools filter -Ou -s Low -m + -e '{expression}' | "
            f"bcftools +fill-tags {out} -- -t {tags}")
def ours(out, threads=1):
    return f"{v} run --quiet --threads {threads} -f {fasta} {out} {chain} {genome}"
rows = [
    ("genome", "view -Ou (bcftools' parse)", f"bcftools view -Ou -o /dev/null {genome}", None),
    ("genome", "chain to vcf.gz and index", theirs(f"-Oz -o {out}/b.vcf.gz") + f" && bcftools index -f {out}/b.vcf.gz", ours(f"-Oz -W -o {out}/n.vcf.gz")),
    ("genome", "the same, -t 2", None, ours(f"-Oz -W -o {out}/n.vcf.gz", 2)),
    ("genome", "chain to text", theirs("-Ov -o /dev/null"), ours("-Ov -o /dev/null")),
    ("genome", "filter, text", f"bcftools filter -s Low -e '{expression}' -o /dev/null {genome}", f"{v} filter --quiet --threads 1 -s Low -e '{expression}' -o /dev/null {genome}"),
    ("genome", "norm -m- -f, text", f"bcftools norm -m- -f {fasta} -o /dev/null {genome}", f"{v} norm --quiet --threads 1 -m- -f {fasta} -o /dev/null {genome}"),
    ("genome", "view to vcf.gz", f"bcftools view -Oz -o {out}/b.vcf.gz {genome}", f"{v} view --quiet --threads 1 -Oz -o {out}/n.vcf.gz {genome}"),
    ("genome", "view to bcf", f"bcftools view -Ob -o {out}/b.bcf {genome}", f"{v} view --quiet --threads 1 -Ob -o {out}/n.bcf {genome}"),
]
if cohort:
    rows.append(("cohort", "fill-tags", f"bcftools +fill-tags -Ou -o /dev/null {cohort} -- -t {tags}", f"{v} fill-tags --quiet --threads 1 --tags {tags} -o /dev/null {cohort}"))
if len(sys.argv) > 4:
    files = " ".join(sys.argv[4:])
    merge = f"{v} merge --quiet -Oz -o {out}/n.vcf.gz"
    rows.append(("files", f"merge of {len(sys.argv) - 4}", f"bcftools merge -Oz -o {out}/b.vcf.gz {files}", f"{merge} --threads 1 {files}"))
    rows.append(("files", "the same, -t 2", None, f"{merge} --threads 2 {files}"))
commands = [((kind, name, who), command)
            for kind, name, *both in rows for who, command in zip(("bcftools", "norn"), both) if command]
best = rounds.best(commands, count)
shutil.rmtree(out)
print(f"{'':8}{'work':30}{'bcftools':>10}{'norn':>8}{'ratio':>7}{'wall s':>8}{'MB':>6}")
for kind, name, *_ in rows:
    b, n = best.get((kind, name, "bcftools")), best.get((kind, name, "norn"))
    cells = [f"{b[0]:10.2f}" if b else " " * 10, f"{n[0]:8.2f}" if n else " " * 8, f"{n[0] / b[0]:7.2f}" if b and n else " " * 7]
    cells += [f"{n[1]:8.2f}{n[2]:6.0f}" if n else ""]
    failed = "  FAILED" if (b and b[3]) or (n and n[3]) else ""
    print(f"{kind:8}{name:30}{''.join(cells)}{failed}")
P
