#!/usr/bin/env bash
# Makes a genome's number of genes (60,000, with 250,000 transcripts) on made chromosomes, a database of them, and runs `norn annotate`
# on one breakend: seconds of a run from start to end, and peak memory; the least of the rounds.
# usage: benches/startup-annotate.sh
# environment: ROUNDS (5), NORN (target/release/norn)
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
norn=${NORN:-target/release/norn}
python3 - "$out" <<'P'
import random, sys

random.seed(1)
length, out, number = 12_000_000, sys.argv[1], 0
with open(f"{out}/g.fa", "w") as fasta, open(f"{out}/g.fa.fai", "w") as index, open(f"{out}/g.gff3", "w") as gff:
    for name in [f"chr{chromosome}" for chromosome in (*range(1, 23), "X", "Y")]:
        fasta.write(f">{name}\n")
        index.write(f"{name}\t{length}\t{fasta.tell()}\t{length}\t{length + 1}\n")
        fasta.write("".join(random.choices("ACGT", k=100_000)) * (length // 100_000) + "\n")
        for gene in range(2500):
            start, end = 1000 + gene * 4700, 5000 + gene * 4700
            line = lambda kind, first, last, phase, text: gff.write(
                f"{name}\tx\t{kind}\t{first}\t{last}\t.\t+\t{phase}\t{text}\n")
            line("gene", start, end, ".", f"ID=gene:{name}G{gene};Name=N{gene};biotype=protein_coding;gene_id={name}G{gene}")
            for _ in range(5 if gene % 6 == 0 else 4):
                number += 1
                line("mRNA", start, end, ".", f"ID=transcript:T{number};Parent=gene:{name}G{gene};biotype=protein_coding;"
                     f"transcript_id=T{number};version=1")
                for first, last in ((0, 300), (1000, 1299), (2000, 2299), (3000, 4000)):
                    line("exon", start + first, start + last, ".", f"Parent=transcript:T{number}")
                    if last < 4000:
                        line("CDS", start + first, start + last, "0", f"Parent=transcript:T{number};protein_id=P{number}")
with open(f"{out}/in.vcf", "w") as vcf:
    print("##fileformat=VCFv4.2\n##contig=<ID=chr7>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", file=vcf)
    print("chr7\t1100\t.\tN\tN[chr8:5000[\t.\t.\t.", file=vcf)
P
"$norn" db genes --gff "$out/g.gff3" -r "$out/g.fa" -o "$out/g.ndb"
for _ in $(seq "${ROUNDS:-5}"); do
    /usr/bin/time -f '%e s %M kB' "$norn" annotate -r "$out/g.fa" --genes "$out/g.ndb" --quiet -o /dev/null "$out/in.vcf" 2>&1 | tail -n 1
done | sort -n | head -n 1
