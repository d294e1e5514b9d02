#!/usr/bin/env python3
"""Variants at the edges and inside of testdata's genes: sequences of all kinds, symbolic alleles and breakends.

Writes input.vcf, several.vcf and breakends.vcf beside this file. Ensembl VEP 115.2 (API 114) made of them what stands here, with

    vep --offline --gff genes.gff3.gz --fasta genome.fa -i input.vcf --no_stats --symbol --biotype --numbers --allele_number \
        --hgvs --hgvsg --protein --canonical   and   --vcf --fields ... (csq.tsv; unmoved.tsv with
        --shift_hgvs 0), --tab (table.tsv), --json (lines.json)
    vep ... -i several.vcf --no_stats --symbol --biotype --numbers --allele_number --vcf --fields ...   without (several.tsv)
        and with --minimal (minimal.tsv)
    vep ... -i breakends.vcf, as input.vcf, with --vcf (breakends.tsv) and --json (breakends.json: every fourth line)

where genes.gff3.gz is testdata/genes.gff3, sorted and compressed, and chrM is called MT, which is the only name by which VEP knows
the mitochondrion. Of VCF the files hold CHROM, POS, REF, ALT and CSQ; there are no comments.
"""
import random
from pathlib import Path

here = Path(__file__).parent
testdata = here.parent.parent / "testdata"
random.seed(114)

genome, name = {}, None
for line in (testdata / "genome.fa").read_text().split("\n"):
    if line.startswith(">"):
        name = line[1:].split()[0]
        genome[name] = []
    elif name:
        genome[name].append(line.upper())
genome = {name: "".join(parts) for name, parts in genome.items()}

edges = {}
for line in (testdata / "genes.gff3").read_text().split("\n"):
    fields = line.split("\t")
    if len(fields) > 8 and fields[2] in ("exon", "CDS"):
        edges.setdefault(fields[0], set()).update((int(fields[3]), int(fields[4])))
edges = {contig: sorted(places) for contig, places in edges.items()}
contigs = list(genome)


def other(base):
    return random.choice([letter for letter in "ACGT" if letter != base])


def near(contig):
    return min(max(2, random.choice(edges[contig]) + random.randint(-25, 25)), len(genome[contig]) - 60)


def bases(length):
    return "".join(random.choice("ACGT") for _ in range(length))


records = set()
while len(records) < 330:
    contig = random.choice(contigs)
    bases_of = genome[contig]
    at = near(contig)
    first = bases_of[at - 1]
    kind = random.random()
    if kind < 0.25:
        records.add((contig, at, first, other(first), "."))
    elif kind < 0.37:
        records.add((contig, at, first, first + bases(random.choice((1, 2, 3, 3, 6, 9))), "."))
    elif kind < 0.5:
        length = random.choice((1, 2, 3, 3, 6, 12, 30))
        records.add((contig, at, bases_of[at - 1 : at + length], first, "."))
    elif kind < 0.56:
        length = random.choice((2, 3, 4))
        reference = bases_of[at - 1 : at - 1 + length]
        records.add((contig, at, reference, "".join(map(other, reference)), "."))
    elif kind < 0.6:
        reference = bases_of[at - 1 : at + 3]
        records.add((contig, at, reference, other(first) + bases(random.choice((1, 2, 5))), "."))
    else:
        allele = random.choice(
            "DEL DEL DEL DUP DUP INV CNV INS DUP:TANDEM INS:ME:ALU DEL:ME:L1 CN0 CN2 CN4".split()
        )
        end = near(contig) if random.random() < 0.6 else at + int(10 ** random.uniform(0.7, 4))
        at, end = sorted((at, min(end, len(bases_of))))
        if allele.startswith("INS"):
            end = at
        elif end < at + 3:
            continue
        records.add((contig, at, bases_of[at - 1], f"<{allele}>", f"END={end}"))

several = set()
while len(several) < 60:
    contig = random.choice(contigs)
    at = near(contig)
    reference = genome[contig][at - 1 : at + random.choice((0, 1, 2, 3, 6))]
    choices = {
        reference[:1],
        reference[0] + bases(2) + reference[1:],
        reference + bases(3),
        other(reference[0]) + reference[1:],
        reference[:-1] + other(reference[-1]),
        "*",
    }
    alternates = random.sample(sorted(choices - {reference}), random.choice((2, 3)))
    several.add((contig, at, reference, ",".join(alternates), "."))

def around(contig):
    at = near(contig) + random.choice((0, 0, 0, random.randint(-7000, 7000)))
    return min(max(2, at), len(genome[contig]) - 60)


def joined(contig, at, mate, place):
    """A breakend at the base before `at` with its mate at `place`, in one of the four ways."""
    first = genome[contig][at - 2]
    added = first + bases(random.choice((0, 0, 0, 1, 4)))
    mate = f"{mate}:{place}"
    allele = random.choice((f"{added}[{mate}[", f"{added}]{mate}]", f"]{mate}]{added}", f"[{mate}[{added}"))
    return contig, at - 1, first, allele, random.choice(("SVTYPE=BND", "."))


# Each pair twice, from both sides: VEP looks at the base behind POS, and at that of the mate.
breakends = set()
while len(breakends) < 240:
    one, other = random.choice(contigs), random.choice(contigs)
    at, place = around(one), around(other)
    breakends.update((joined(one, at, other, place), joined(other, place, one, at)))
while len(breakends) < 270:
    contig = random.choice(contigs)
    at = around(contig)
    first = genome[contig][at - 1]
    breakends.add((contig, at, first, random.choice((f"{first}.", f".{first}")), "SVTYPE=BND"))


def write(name, records):
    with open(here / name, "w") as out:
        print("##fileformat=VCFv4.3", file=out)
        print('##INFO=<ID=END,Number=1,Type=Integer,Description="End">', file=out)
        if name == "breakends.vcf":
            print('##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">', file=out)
        for contig in contigs:
            print(f"##contig=<ID={contig},length={len(genome[contig])}>", file=out)
        print("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", file=out)
        for contig, at, reference, allele, info in sorted(records, key=lambda r: (contigs.index(r[0]), *r[1:])):
            print(contig, at, ".", reference, allele, ".", ".", info, sep="\t", file=out)


write("input.vcf", records)
write("several.vcf", several)
write("breakends.vcf", breakends)
