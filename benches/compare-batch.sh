#!/usr/bin/env bash
# A night by `norn batch run` beside the same night by Snakemake with samtools (stats, flagstat, idxstats, coverage), mosdepth and bcftools
# (norm, csq): CPU seconds of all processes, wall seconds, and the share of Snakemake's CPU. norn does all its figures (also what Picard's
# collectors tell) and annotates as VEP does; a further row keeps it to the figures of the others. The peers' commands in a loop of the
# shell stand for what Snakemake itself takes.
# usage: benches/compare-batch.sh [REFERENCE.fa GENES.gff3.gz SHEET.tsv]     the sheet has sample, bam, cram, vcf; paths from here or absolute
# environment: ROUNDS (3), NORN (target/release/norn), SNAKEMAKE (target/snakemake-venv/bin/snakemake), NORN_SHARED_DATA (../shared/data)
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 - "$@" <<'P'
import csv, json, os, shlex, subprocess, sys, tempfile
sys.path.insert(0, "benches")
import rounds
data = os.path.abspath(os.environ.get("NORN_SHARED_DATA", "../shared/data"))
norn = os.path.abspath(os.environ.get("NORN", "target/release/norn"))
snakemake = os.path.abspath(os.environ.get("SNAKEMAKE", "target/snakemake-venv/bin/snakemake"))
root, there = os.getcwd(), tempfile.mkdtemp()
if len(sys.argv) > 1:
    reference, gff, sheet = map(os.path.abspath, sys.argv[1:4])
    with open(sheet) as file:
        samples = [{key: os.path.abspath(value) if value and key in ("bam", "cram", "vcf") else value for key, value in row.items()}
                   for row in csv.DictReader(file, delimiter="\t")]
else:
    reference, gff = f"{data}/genome/GRCh38.chr21.slices.fa.gz", f"{data}/genome/GRCh38.chr21.ensembl84.gff3.gz"
    samples = []
    for name, kind in (("NO_child", "bam"), ("NO_father", "cram"), ("NO_mother", "cram")):
        vcf = f"{there}/{name}.vcf.gz"
        subprocess.run(["bcftools", "view", "-s", name, "-c", "1", "-Oz", "-o", vcf, f"{data}/variants/NO.bcftools.vcf.gz"], check=True)
        samples.append({"sample": name, "bam": "", "cram": "", kind: f"{data}/alignments/{name}.{kind}", "vcf": vcf})
with open(f"{there}/samples.tsv", "w") as file:
    file.write("sample\tbam\tcram\tvcf\n")
    file.writelines(f"{row['sample']}\t{row.get('bam') or ''}\t{row.get('cram') or ''}\t{row['vcf']}\n" for row in samples)
with open(f"{there}/chain.toml", "w") as file:
    file.write('[[step]]\ndo = "split"\n\n[[step]]\ndo = "left-align"\n')
for name, more in (("all", []), ("same", ["--collectors", "flagstat,idxstats,stats,coverage,depth"])):
    with open(f"{there}/{name}.toml", "w") as file:
        file.write(f'reference = {json.dumps(reference)}\nsteps = ["qc", "variants", "annotate"]\n'
                   f'[qc]\noptions = {json.dumps(["--by", "500", *more])}\nresources = {{ threads = 1, memory = "512M" }}\n'
                   f'[variants]\nchain = "chain.toml"\nresources = {{ threads = 1, memory = "512M" }}\n'
                   f'[annotate]\ngff = {json.dumps(gff)}\nresources = {{ threads = 1, memory = "512M" }}\n')
peers = {
    "stats": "samtools stats --reference {ref} {reads} > {out}/{sample}.stats.txt",
    "flagstat": "samtools flagstat {reads} > {out}/{sample}.flagstat.txt",
    "idxstats": "samtools idxstats {reads} > {out}/{sample}.idxstats.txt",
    "coverage": "samtools coverage --reference {ref} {reads} > {out}/{sample}.coverage.txt",
    "mosdepth": "mosdepth -n --by 500 -f {ref} {out}/{sample} {reads}",
    "norm": "bcftools norm -m- -f {ref} -Oz -o {out}/{sample}.norm.vcf.gz {calls} && bcftools index {out}/{sample}.norm.vcf.gz",
    # -p a: these genotypes are not phased.
    "csq": "bcftools csq -p a -f {ref} -g {gff} -Oz -o {out}/{sample}.csq.vcf.gz {out}/{sample}.norm.vcf.gz"
           " && bcftools index {out}/{sample}.csq.vcf.gz",
}
made = {"stats": "stats.txt", "flagstat": "flagstat.txt", "idxstats": "idxstats.txt", "coverage": "coverage.txt",
        "mosdepth": "mosdepth.summary.txt", "norm": "norm.vcf.gz", "csq": "csq.vcf.gz"}
reads = {row["sample"]: row.get("cram") or row["bam"] for row in samples}
calls = {row["sample"]: row["vcf"] for row in samples}
with open(f"{there}/Snakefile", "w") as file:
    file.write(f"READS = {reads!r}\nCALLS = {calls!r}\nREF, GFF = {reference!r}, {gff!r}\n")
    file.write(f"rule all:\n    input: expand('out/{{sample}}.{{kind}}', sample=READS, kind={list(made.values())!r})\n")
    for rule, command in peers.items():
        source = {"norm": "lambda w: CALLS[w.sample]", "csq": "'out/{sample}.norm.vcf.gz'"}.get(rule, "lambda w: READS[w.sample]")
        command = command.format(ref="{REF}", gff="{GFF}", reads="{input}", calls="{input}", out="out", sample="{wildcards.sample}")
        file.write(f"rule {rule}:\n    input: {source}\n    output: 'out/{{sample}}.{made[rule]}'\n    shell: {command!r}\n")
loop = " && ".join(command.format(ref=reference, gff=gff, reads=reads[name], calls=calls[name], out="loop", sample=name)
                   for name in reads for command in peers.values())
go = f"cd {shlex.quote(there)} && "
night = lambda name: (go + f"rm -rf {name} && {shlex.quote(norn)} batch run -q -t 2 -c {name}.toml -s samples.tsv -o {name}")
rows = [("Snakemake with the peers", go + f"rm -rf out .snakemake && {shlex.quote(snakemake)} --cores 2 --quiet all"),
        ("the peers in a loop", go + f"rm -rf loop && mkdir loop && {loop}"),
        ("norn batch, all figures", night("all")), ("norn batch, the same figures", night("same"))]
os.environ["XDG_CACHE_HOME"] = there
best = rounds.best(rows, int(os.environ.get("ROUNDS", "3")))
print(f"{len(samples)} samples\n{'':32}{'CPU s':>8}{'wall s':>8}{'share':>8}")
for name, _ in rows:
    cpu, wall, _, status = best[name]
    print(f"{name:32}{cpu:8.2f}{wall:8.2f}{cpu / best[rows[0][0]][0]:8.2f}{'  FAILED' if status else ''}")
subprocess.run(["rm", "-rf", there])
sys.exit(any(best[name][3] for name, _ in rows))
P
