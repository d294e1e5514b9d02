#!/usr/bin/env bash
# Holds norn batch simulate to real runs: a night of twelve samples of 14 to 235 MB (the test data's reads, repeated) on 1 rank x 1 thread, 1 rank x
# 2 threads and 2 ranks x 1 thread; rates are those of the first run's ledger. Needs samtools, and MPI for two ranks (--features mpi).
# usage: benches/compare-simulate.sh [DIR]     environment: ROUNDS (3: the least time counts), NORN (target/release/norn)
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$@" <<'P'
import datetime, json, os, shutil, subprocess, sys, tempfile
norn, rounds = os.path.abspath(os.environ.get("NORN", "target/release/norn")), int(os.environ.get("ROUNDS", "3"))
out = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else tempfile.mkdtemp()
os.makedirs(out, exist_ok=True)
run = lambda words, **more: subprocess.run(words, check=True, **more)
sheet = ["sample\tbam"]
for number, times in enumerate([16, 12, 10, 8, 7, 6, 5, 4, 3, 2, 1, 1]):
    source = f"testdata/{['child', 'father', 'mother'][number % 3]}.bam"
    target = f"{out}/S{number}.bam"
    if not os.path.exists(target + ".bai"):  # without compression, in which reads that are there twice would cost nothing
        run(["samtools", "merge", "-f", "-u", "-c", "-p", "-o", target] + [source] * times)
        run(["samtools", "index", target])
    sheet.append(f"S{number}\t{target}")
open(f"{out}/samples.tsv", "w").write("\n".join(sheet) + "\n")
reference = os.path.abspath("testdata/genome.fa")
open(f"{out}/batch.toml", "w").write(f'reference = "{reference}"\nsteps = ["qc"]\n[qc]\nsplit = "64M"\n'
                                     'resources = { threads = 1, memory = "128M" }\n')
night = ["-c", f"{out}/batch.toml", "-s", f"{out}/samples.tsv"]
environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")

def real(ranks, threads):
    """Seconds from the first task's start to the last one's end, and CPU seconds of tasks."""
    run_dir = f"{out}/run-{ranks}x{threads}"
    shutil.rmtree(run_dir, ignore_errors=True)
    launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    run(launch + [norn, "batch", "run", "-q", *night, "-o", run_dir, "-t", str(threads), "--memory", "2G"], env=environment,
        stderr=subprocess.DEVNULL)
    lines = [json.loads(line) for line in open(f"{run_dir}/ledger.jsonl")]
    at = lambda line: datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()
    done = [line for line in lines if line["event"] == "done"]
    return (max(map(at, done)) - min(at(line) for line in lines if line["event"] == "start"), sum(l["cpu_seconds"] for l in done))

setups = [(1, 1), (1, 2)] + ([(2, 1)] if shutil.which("mpirun") else [])
found = {}
for _ in range(rounds):
    for setup in setups:
        try:
            now = real(*setup)
            if setup not in found or now < found[setup]:
                found[setup] = now
                if setup == (1, 1):  # rates are those of the round that counts
                    os.makedirs(f"{out}/rates", exist_ok=True)
                    shutil.copy(f"{out}/run-1x1/ledger.jsonl", f"{out}/rates")
        except subprocess.CalledProcessError:
            print(f"{setup[0]} ranks: they do not run (a build without MPI?)", file=sys.stderr)
print("ranks x threads  real s  predicted s  predicted/real  real efficiency  predicted  real speed-up  predicted")
first = None
for (ranks, threads), (seconds, cpu) in found.items():
    told = run([norn, "batch", "simulate", *night, "--rates-from", f"{out}/rates", "--nodes", str(ranks), "-t", str(threads),
                "--memory", "2G"], capture_output=True, text=True).stdout.splitlines()
    row = dict(zip(told[0].split("\t"), told[1].split("\t")))
    predicted = float(row["seconds"])
    first = first or (seconds, predicted)
    print(f"{ranks} x {threads:<13}{seconds:6.2f}{predicted:13.2f}{predicted / seconds:16.2f}{cpu / (seconds * ranks * threads):17.2f}"
          f"{float(row['efficiency']):11.2f}{first[0] / seconds:15.2f}{first[1] / predicted:11.2f}")
if len(sys.argv) < 2:
    shutil.rmtree(out)
P
