#!/usr/bin/env bash
# Counts the instructions of norn's commands on testdata/, of two builds, and tells by how much they differ: a figure that a shared or
# noisy machine does not move. Prints a table in Markdown; exit code 1 where a command needs over LIMIT per cent more.
# usage: benches/instructions.sh BASE_NORN HEAD_NORN     environment: LIMIT (3)     needs valgrind
set -euo pipefail
if [ $# -ne 2 ]; then
  sed -n '2,4p' "$0" >&2
  exit 2
fi
export BASE HEAD
BASE=$(realpath "$1") HEAD=$(realpath "$2")
cd "$(dirname "$0")/.."
exec python3 - <<'P'
import os, re, subprocess, sys, tempfile
limit = float(os.environ.get("LIMIT", "3"))
reads = "qc -q -t 1 -r testdata/genome.fa --sites testdata/sites.vcf.gz -o OUT/qc testdata/child"
calls = "--quiet --threads 1 -Oz -o OUT/out.vcf.gz"
commands = {
    "qc, BAM": f"{reads}.bam",
    "qc, CRAM": f"{reads}.cram",
    "variants norm": f"variants norm {calls} -m- -f testdata/genome.fa testdata/trio.truth.vcf.gz",
    "variants run": f"variants run {calls} -f testdata/genome.fa examples/demo/chain.toml testdata/trio.truth.vcf.gz",
    "variants stats": "variants stats --quiet --threads 1 -s - -o OUT/stats.txt testdata/trio.truth.vcf.gz",
    "annotate": f"annotate {calls} -r testdata/genome.fa --gff testdata/genes.gff3 testdata/trio.truth.vcf.gz",
    "prs score": "prs score -t 1 --genotypes testdata/panel/cohort.vcf.gz --scores testdata/panel --build GRCh38 -o OUT/prs",
}


def instructions(norn, words):
    """None where the command fails, as one does that the build does not know yet."""
    with tempfile.TemporaryDirectory() as out:
        words = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", norn,
                 *words.replace("OUT", out).split()]
        done = subprocess.run(words, capture_output=True, text=True)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    return int(found[1].replace(",", "")) if found and done.returncode == 0 else None


print(f"| command | base, million instructions | head | change |\n|---|---|---|---|")
worse = broken = 0
for name, words in commands.items():
    base, head = (instructions(os.environ[side], words) for side in ("BASE", "HEAD"))
    told = ["fails" if count is None else f"{count / 1e6:,.1f}" for count in (base, head)]
    change = "" if base is None or head is None else f"{100 * (head - base) / base:+.1f} %"
    if head is None:
        broken += 1
    elif base is not None and head > base * (1 + limit / 100):
        worse, change = worse + 1, f"**{change}**"
    print(f"| `{name}` | {told[0]} | {told[1]} | {change} |", flush=True)
if worse or broken:
    print(f"\n{worse} of {len(commands)} commands need over {limit:g} % more instructions, {broken} fail.")
sys.exit(1 if worse or broken else 0)
P
