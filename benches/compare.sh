#!/usr/bin/env bash
# Runs norn beside its peers on one BAM (and CRAM) in one go and prints user+sys CPU seconds, wall, peak memory, and the ratio
# to the floor: reading the same bytes and doing nothing. Rounds are interleaved; the least of each figure is shown.
# usage: benches/compare.sh [FILE.bam [REFERENCE.fa [FILE.cram]]]     environment: ROUNDS (3), NORN (target/release/norn)
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$@" <<'P'
import os, shlex, shutil, sys, tempfile
sys.path.insert(0, "benches")
import rounds
bam = sys.argv[1] if len(sys.argv) > 1 else "testdata/child.bam"
fasta = sys.argv[2] if len(sys.argv) > 2 else "testdata/genome.fa"
cram = sys.argv[3] if len(sys.argv) > 3 else (bam[:-3] + "cram" if os.path.exists(bam[:-3] + "cram") else None)
norn, count = os.environ.get("NORN", "target/release/norn"), int(os.environ.get("ROUNDS", "3"))
out = tempfile.mkdtemp()
qc = [norn, "qc", "-q", "-o", out, "-r", fasta]
rows = [("bam", "bgzip -dc (floor)", ["bgzip", "-dc", bam]), ("bam", "samtools view -c", ["samtools", "view", "-c", bam]),
        ("bam", "norn qc -t 1", qc + ["-t", "1", bam]), ("bam", "norn qc -t 2", qc + ["-t", "2", bam]),
        ("bam", "norn qc --collectors depth", qc + ["-t", "1", "--collectors", "depth", bam]),
        ("bam", "samtools stats", ["samtools", "stats", bam]), ("bam", "samtools stats -r", ["samtools", "stats", "-r", fasta, bam]),
        ("bam", "samtools flagstat", ["samtools", "flagstat", bam]), ("bam", "samtools coverage", ["samtools", "coverage", bam]),
        ("bam", "mosdepth -n --by 500", ["mosdepth", "-n", "--by", "500", out + "/m", bam])]
if cram:
    rows += [("cram", "samtools view -u (floor)", ["samtools", "view", "-u", "-T", fasta, "-o", "/dev/null", cram]),
             ("cram", "norn qc -t 1", qc + ["-t", "1", cram]), ("cram", "norn qc -t 2", qc + ["-t", "2", cram]),
             ("cram", "norn qc --collectors depth", qc + ["-t", "1", "--collectors", "depth", cram]),
             ("cram", "samtools stats", ["samtools", "stats", "--reference", fasta, cram])]
rows = [row for row in rows if shutil.which(row[2][0]) or os.path.exists(row[2][0])]
best = rounds.best([((kind, name), shlex.join(command)) for kind, name, command in rows], count)
shutil.rmtree(out)
print(f"{'':6}{'command':30}{'CPU s':>8}{'wall s':>8}{'MB':>7}{'x floor':>9}")
for kind, name, _ in rows:
    cpu, wall, memory, status = best[kind, name]
    floor = next(best[k, n][0] for k, n, _ in rows if k == kind)
    failed = "  FAILED" if status else ""
    print(f"{kind:6}{name:30}{cpu:8.2f}{wall:8.2f}{memory:7.0f}{cpu / floor:9.2f}{failed}")
P
