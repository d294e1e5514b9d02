#!/usr/bin/env bash
# Runs `norn prs score --weights` beside plink2 --score on a made panel in one go: user+sys CPU seconds, wall, peak memory. Rounds are
# interleaved; the least of each figure is shown. Then sparse scores, of 100 to 50,000 variants each (sizes even on a logarithmic scale), as
# scoring files of the PGS Catalog: nested sets of them, so that cost stands beside the number of weights.
# usage: benches/compare-prs.sh [PEOPLE VARIANTS]     (20000 50000)
# environment: ROUNDS (2), NORN (target/release/norn), SCORES ("1 10 100 1000"), PEER_MOST (100: no plink2 beyond so many scores),
# SPARSE ("5000 1000000": people and variants), SPARSE_SCORES ("10 125 250 500 1000"), SPARSE_PEER_MOST (10: plink2 takes zeros as weights)
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$@" <<'P'
import os, random, shutil, subprocess, sys, tempfile
sys.path.insert(0, "benches")
import rounds
people, variants = (list(map(int, sys.argv[1:3])) + [20000, 50000][len(sys.argv) - 1:])[:2]
norn, count = os.environ.get("NORN", "target/release/norn"), int(os.environ.get("ROUNDS", "2"))
sizes = list(map(int, os.environ.get("SCORES", "1 10 100 1000").split()))
most = int(os.environ.get("PEER_MOST", "100"))
out = tempfile.mkdtemp()
subprocess.run(f"plink2 --dummy {people} {variants} 0.005 acgt --seed 1 --make-pgen --out {out}/p", shell=True, check=True,
               stdout=subprocess.DEVNULL)
random.seed(2)
sites = [line.rstrip("\n").split("\t") for line in open(f"{out}/p.pvar") if not line.startswith("#")]
for size in sizes:
    with open(f"{out}/w{size}", "w") as table:
        print("ID", "A1", *(f"s{n}" for n in range(size)), sep="\t", file=table)
        for site in sites:
            allele = site[3 + random.randrange(2)]
            print(site[2], allele, *(f"{random.gauss(0, 0.01):.6g}" for _ in range(size)), sep="\t", file=table)
rows = [("floor: plink2 --freq", f"plink2 --threads 1 --pfile {out}/p --freq --out {out}/f")]
for size in sizes:
    columns = "" if size == 1 else f"--score-col-nums 3-{size + 2}"
    if size <= most:
        rows.append((f"plink2, {size} scores", f"plink2 --threads 1 --pfile {out}/p --score {out}/w{size} header-read {columns} --out {out}/s"))
    for threads in (1, 2):
        rows.append((f"norn, {size} scores, -t {threads}",
                     f"{norn} prs score --genotypes {out}/p.pgen --weights {out}/w{size} -t {threads} -o {out}/n{size}.sscore"))
if rows[1:]:
    print(f"{people} people, {variants} variants")
    rounds.table(rows, count)

people, variants = map(int, os.environ.get("SPARSE", "5000 1000000").split())
sizes = list(map(int, os.environ.get("SPARSE_SCORES", "10 125 250 500 1000").split()))
most = int(os.environ.get("SPARSE_PEER_MOST", "10"))
if sizes:
    subprocess.run(f"plink2 --dummy {people} {variants} 0.005 acgt --seed 1 --make-pgen --out {out}/p", shell=True, check=True,
                   stdout=subprocess.DEVNULL)
    # The order is mixed, so that each nested set has sizes of all kinds.
    lengths = [min(int(100 * 500 ** (number * 0.6180339887498949 % 1)), variants - 1) for number in range(max(sizes))]
    # In a process of its own: what forks from one of much memory seems to have as much.
    if os.fork() == 0:
        sites = [line.rstrip("\n").split("\t") for line in open(f"{out}/p.pvar") if not line.startswith("#")][1:]
        scores = [random.sample(range(len(sites)), length) for length in lengths]
        for size in sizes:
            os.mkdir(f"{out}/sparse{size}")
            table = {}
            for number, places in enumerate(scores[:size]):
                with open(f"{out}/sparse{size}/{number}.txt", "w") as file:
                    print(f"#pgs_id=SPARSE{number}\nchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight", file=file)
                    for place in places:
                        contig, position, name, reference, alternate = sites[place][:5]
                        weight = f"{random.gauss(0, 0.01):.6g}"
                        print(contig, position, alternate, reference, weight, sep="\t", file=file)
                        if size <= most:
                            table.setdefault((name, alternate), {})[number] = weight
            if size <= most:
                with open(f"{out}/zeros{size}", "w") as file:
                    print("ID", "A1", *(f"s{n}" for n in range(size)), sep="\t", file=file)
                    for (name, allele), own in table.items():
                        print(name, allele, *(own.get(n, 0) for n in range(size)), sep="\t", file=file)
        os._exit(0)
    if os.wait()[1]:
        sys.exit("no scores were made")
    rows = [("floor: plink2 --freq", f"plink2 --threads 1 --pfile {out}/p --freq --out {out}/f")]
    for size in sizes:
        told = f"{size} scores, {sum(lengths[:size])} weights"
        if size <= most:
            columns = "" if size == 1 else f"--score-col-nums 3-{size + 2}"
            rows.append((f"plink2, {told}",
                         f"plink2 --threads 1 --pfile {out}/p --score {out}/zeros{size} header-read {columns} --out {out}/s"))
        rows.append((f"matched, {told}", f"{norn} prs match --genotypes {out}/p.pgen --scores {out}/sparse{size} --keep-ambiguous -t 1 "
                     f"-o {out}/o"))
        for threads in (1, 2):
            rows.append((f"norn, {told}, -t {threads}",
                         f"{norn} prs score --genotypes {out}/p.pgen --scores {out}/sparse{size} --keep-ambiguous -t {threads} "
                         f"--matrix {out}/m.parquet --no-aggregated -o {out}/o"))
    print(f"{people} people, {variants} variants")
    rounds.table(rows, count)
shutil.rmtree(out)
P
