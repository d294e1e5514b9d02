#!/usr/bin/env bash
# Holds `norn batch simulate` to real nights: 12 samples of mixed sizes, cut from one BAM, through QC on one rank with one thread, on two ranks with
# one thread each, and on one rank with two threads. Rates are those of the first night's ledger, so the others are predicted.
# usage: benches/compare-simulate.sh BAM REFERENCE
# environment: ROUNDS (2), NORN (target/release/norn, built with --features mpi)
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$@" <<'P'
import csv, io, os, shutil, subprocess, sys, tempfile
sys.path.insert(0, "benches")
import rounds
bam, reference = map(os.path.abspath, sys.argv[1:3])
norn, count = os.path.abspath(os.environ.get("NORN", "target/release/norn")), int(os.environ.get("ROUNDS", "2"))
os.environ.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
out = tempfile.mkdtemp()
shares = [0.5, 0.3, 0.3, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]
with open(f"{out}/samples.tsv", "w") as sheet:
    print("sample", "bam", sep="\t", file=sheet)
    for number, share in enumerate(shares):
        name = f"S{number}"
        subprocess.run(f"samtools view -u -s {number}{str(share)[1:]} {bam} | samtools addreplacerg -w -m overwrite_all -r ID:{name} -r SM:{name} "
                       f"-o {out}/{name}.bam - && samtools index {out}/{name}.bam", shell=True, check=True)
        print(name, f"{out}/{name}.bam", sep="\t", file=sheet)
with open(f"{out}/batch.toml", "w") as settings:
    print(f'reference = "{reference}"\nsteps = ["qc"]', file=settings)
ways = [("1 rank, 1 thread", "", 1, 1), ("2 ranks, 1 thread each", "mpirun --oversubscribe --bind-to none -n 2", 2, 1),
        ("1 rank, 2 threads", "", 1, 2)]
night = lambda number: f"{out}/night{number}"
commands = [(way, f"rm -rf {night(number)}; {launch} {norn} batch run -q -t {threads} -c {out}/batch.toml -s {out}/samples.tsv -o {night(number)}")
            for number, (way, launch, _, threads) in enumerate(ways)]
found = rounds.best(commands, count)
print(f"{'':24}{'predicted s':>12}{'measured s':>12}{'of it':>7}{'speed-up':>10}{'efficiency':>11}")
for way, _, nodes, threads in ways:
    told = subprocess.run(f"{norn} batch simulate -c {out}/batch.toml -s {out}/samples.tsv --rates-from {night(0)} --nodes {nodes} -t {threads}",
                          shell=True, check=True, capture_output=True, text=True).stdout
    row = next(csv.DictReader(io.StringIO(told), delimiter="\t"))
    predicted, measured, alone = float(row["hours"]) * 3600, found[way][1], found[ways[0][0]][1]
    print(f"{way:24}{predicted:12.2f}{measured:12.2f}{predicted / measured:7.2f}{alone / measured:10.2f}{alone / measured / nodes / threads:11.2f}"
          f"{'  FAILED' if found[way][3] else ''}")
shutil.rmtree(out)
P
