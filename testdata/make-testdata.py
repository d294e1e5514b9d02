#!/usr/bin/env python3
"""Makes the sample genome of testdata/: a reference, a trio with known variants, and their reads as BAM and CRAM.

Usage: testdata/make-testdata.py [DIRECTORY]      (default: the directory of this script)
Needs samtools, bgzip and tabix (Debian 12: 1.16) on the PATH. The same seed gives the same records; no aligner is
involved: every read knows where it comes from, so its CIGAR, NM and MD are right by construction.
"""
import hashlib
import os
import random
import subprocess
import sys

SEED = 20261124
CONTIGS = [("chr1", 300_000), ("chr2", 200_000), ("chrX", 150_000), ("chrY", 60_000), ("chrM", 16_569)]
AUTOSOMES = ("chr1", "chr2")
READ = 100
DEPTH = {"chr1": 7, "chr2": 7, "chrX": 7, "chrY": 7, "chrM": 40}
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
BASES = "ACGT"


def reverse_complement(sequence):
    return sequence.translate(COMPLEMENT)[::-1]


# --- the reference ---------------------------------------------------------------------------------------------------

def make_reference(rng):
    """GC content that wanders between 30 and 65 %, interspersed repeats, N ends, an N block, a soft-masked stretch."""
    repeat = "".join(rng.choices(BASES, k=280))
    genome = {}
    for name, length in CONTIGS:
        parts, size = [], 0
        while size < length:
            gc = min(0.65, max(0.30, rng.gauss(0.43, 0.08)))
            piece = rng.choices(BASES, [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2], k=2000)
            if rng.random() < 0.4:
                copy = [rng.choice(BASES) if rng.random() < 0.1 else base for base in repeat]
                at = rng.randrange(2000 - len(copy))
                piece[at:at + len(copy)] = copy
            parts.append("".join(piece))
            size += 2000
        sequence = "".join(parts)[:length]
        if name != "chrM":
            sequence = "N" * 1000 + sequence[1000:-1000] + "N" * 1000
        genome[name] = sequence
    one = genome["chr1"]
    genome["chr1"] = one[:150_000] + "N" * 5000 + one[155_000:]
    return genome


def write_fasta(path, genome):
    with open(path, "w") as out:
        for name, sequence in genome.items():
            if name == "chr2":
                sequence = sequence[:50_000] + sequence[50_000:51_000].lower() + sequence[51_000:]
            out.write(f">{name}\n")
            for i in range(0, len(sequence), 60):
                out.write(sequence[i:i + 60] + "\n")
    subprocess.run(["samtools", "faidx", path], check=True)


# --- variants and people ---------------------------------------------------------------------------------------------

def make_variants(rng, genome):
    """(contig, 0-based position, ref, [alts], allele frequencies), SNVs about one in 200 bases (most are rare or not in
    the trio), indels one in 3,000, some with two alternative alleles."""
    variants = []
    for name, sequence in genome.items():
        position = 1500
        while True:
            position += 20 + int(rng.expovariate(1 / 180))
            if position > len(sequence) - 1500:
                break
            frequency = round(min(0.99, max(0.01, rng.betavariate(0.6, 1.2))), 4)
            if rng.random() < 0.07:
                size = rng.randint(1, 12)
                if rng.random() < 0.5:
                    ref, alt = sequence[position:position + size + 1], sequence[position]
                else:
                    ref, alt = sequence[position], sequence[position] + "".join(rng.choices(BASES, k=size))
            else:
                ref = sequence[position]
                alt = rng.choice([base for base in BASES if base != ref])
            if set(ref) - set(BASES):
                continue
            alts, frequencies = [alt], [frequency]
            if len(ref) == 1 and len(alt) == 1 and rng.random() < 0.01:
                alts.append(rng.choice([base for base in BASES if base not in (ref, alt)]))
                frequencies = [round(frequency / 2, 4)] * 2
            variants.append((name, position, ref, alts, frequencies))
            position += len(ref)
    return variants


def haplotype(rng, variants):
    """One allele a variant, drawn by frequency."""
    alleles = []
    for *_, frequencies in variants:
        draw, allele = rng.random(), 0
        for i, frequency in enumerate(frequencies):
            if draw < frequency:
                allele = i + 1
                break
            draw -= frequency
        alleles.append(allele)
    return alleles


def make_trio(rng, variants):
    """Haplotypes by person: pairs of allele lists. The child has one crossover in each parent and three de novo SNVs."""
    father, mother = [[haplotype(rng, variants) for _ in (0, 1)] for _ in (0, 1)]
    child = []
    for parent in (father, mother):
        switch = rng.randrange(len(variants))
        child.append(parent[0][:switch] + parent[1][switch:])
    snvs = [i for i, v in enumerate(variants) if v[0] in AUTOSOMES and len(v[2]) == len(v[3][0]) == 1]
    absent = [i for i in snvs if not any(h[i] for h in father + mother)]
    de_novo = rng.sample(absent, 3)
    for i in de_novo:
        child[0][i] = 1
    return {"father": father, "mother": mother, "child": child}, set(de_novo)


def copies(person, contig):
    """Which haplotypes of a contig a person has: the father is XY, mother and child are XX."""
    if contig == "chrM":
        return (1,)
    if contig == "chrX":
        return (1,) if person == "father" else (0, 1)
    if contig == "chrY":
        return (0,) if person == "father" else ()
    return (0, 1)


def genotype(people, person, contig, index):
    present = copies(person, contig)
    source = people["mother"] if contig == "chrM" else people[person]
    if not present:
        return "."
    return "|".join(str(source[h][index]) for h in present)


def write_vcfs(directory, genome, variants, people, de_novo):
    contigs = "".join(f"##contig=<ID={name},length={len(sequence)}>\n" for name, sequence in genome.items())
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    frequency = '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency in the simulated population">\n'
    with open(f"{directory}/trio.truth.vcf", "w") as out:
        out.write("##fileformat=VCFv4.2\n" + contigs + frequency)
        out.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        out.write(columns + "\tFORMAT\tfather\tmother\tchild\n")
        for i, (name, position, ref, alts, frequencies) in enumerate(variants):
            genotypes = [genotype(people, person, name, i) for person in ("father", "mother", "child")]
            if any(set(g) - set("0|.") for g in genotypes):
                identifier = "denovo" if i in de_novo else "."
                info = "AF=" + ",".join(map(str, frequencies))
                fields = [name, position + 1, identifier, ref, ",".join(alts), ".", "PASS", info, "GT", *genotypes]
                out.write("\t".join(map(str, fields)) + "\n")
    with open(f"{directory}/sites.vcf", "w") as out:
        out.write("##fileformat=VCFv4.2\n" + contigs + frequency + columns + "\n")
        for name, position, ref, alts, frequencies in variants:
            if len(ref) == 1 and len(alts) == 1 and len(alts[0]) == 1:
                fields = [name, position + 1, ".", ref, alts[0], ".", ".", f"AF={frequencies[0]}"]
                out.write("\t".join(map(str, fields)) + "\n")
    for stem in ("trio.truth", "sites"):
        subprocess.run(["bgzip", "-f", f"{directory}/{stem}.vcf"], check=True)
        subprocess.run(["tabix", "-f", "-p", "vcf", f"{directory}/{stem}.vcf.gz"], check=True)
    with open(f"{directory}/trio.ped", "w") as out:
        out.write("FAM\tfather\t0\t0\t1\t1\nFAM\tmother\t0\t0\t2\t1\nFAM\tchild\tfather\tmother\t2\t2\n")


class Haplotype:
    """A person's sequence of a contig, with the reference operation behind each of its bases."""

    def __init__(self, reference, changes):
        """`changes`: (position, ref, alt) in order. `origin[i]` is the reference position of base i, or None for an
        inserted one."""
        bases, origin, at = [], [], 0
        for position, ref, alt in changes:
            if position < at:
                continue
            bases.append(reference[at:position])
            origin.extend(range(at, position))
            common = min(len(ref), len(alt))
            bases.append(alt)
            origin.extend(range(position, position + common))
            origin.extend([None] * (len(alt) - common))
            at = position + len(ref)
        bases.append(reference[at:])
        origin.extend(range(at, len(reference)))
        self.bases, self.origin = "".join(bases), origin

    def align(self, start, length):
        """(reference position, operations as (length, letter)) of `length` bases from `start` on. An insertion at the
        edge of the read is a soft clip, as aligners have it."""
        origin = self.origin[start:start + length]
        first = next((i for i, o in enumerate(origin) if o is not None), None)
        if first is None:
            return None
        last = next(i for i in range(length - 1, -1, -1) if origin[i] is not None)
        ops = [(first, "S")] if first else []
        previous = None
        for o in origin[first:last + 1]:
            if o is None:
                push(ops, 1, "I")
                continue
            if previous is not None and o > previous + 1:
                push(ops, o - previous - 1, "D")
            push(ops, 1, "M")
            previous = o
        if last < length - 1:
            ops.append((length - 1 - last, "S"))
        return origin[first], ops


def push(ops, length, letter):
    if ops and ops[-1][1] == letter:
        ops[-1] = (ops[-1][0] + length, letter)
    else:
        ops.append((length, letter))


# --- reads -----------------------------------------------------------------------------------------------------------

def qualities(rng):
    """Binned qualities with a low-quality tail in some reads."""
    quals = [37] * READ
    for i in range(READ):
        draw = rng.random()
        if draw < 0.06:
            quals[i] = 25
        elif draw < 0.08:
            quals[i] = 11
    if rng.random() < 0.15:
        for i in range(READ - rng.randint(5, 40), READ):
            quals[i] = rng.choice((2, 11, 11, 25))
    return quals


def with_errors(rng, sequence, quals):
    out = []
    for base, quality in zip(sequence, quals):
        if quality <= 2 and rng.random() < 0.1:
            base = "N"
        elif base != "N" and rng.random() < 10 ** (-quality / 10):
            base = rng.choice([other for other in BASES if other != base])
        out.append(base)
    return "".join(out)


def nm_and_md(reference, position, ops, sequence):
    nm, md, run, at, i = 0, [], 0, position, 0
    for length, letter in ops:
        if letter in "M=X":
            for _ in range(length):
                if sequence[i] == reference[at] and sequence[i] != "N":
                    run += 1
                else:
                    md.append(f"{run}{reference[at]}")
                    run = 0
                    nm += 1
                i, at = i + 1, at + 1
        elif letter == "I":
            nm, i = nm + length, i + length
        elif letter == "D":
            md.append(f"{run}^{reference[at:at + length]}")
            run, at, nm = 0, at + length, nm + length
        elif letter == "N":
            at += length
        elif letter == "S":
            i += length
    return nm, "".join(md) + str(run)


def reference_length(ops):
    return sum(length for length, letter in ops if letter in "MDN=X")


def cigar(ops):
    return "".join(f"{length}{letter}" for length, letter in ops) or "*"


class Read:
    """One record in the making; positions are 0-based, None where it is not mapped."""

    def __init__(self, name, contig, position, ops, sequence, quals, reverse, group):
        self.name, self.contig, self.position, self.ops = name, contig, position, ops
        self.sequence, self.quals, self.reverse, self.group = sequence, quals, reverse, group
        self.flag, self.mapq, self.tags = 0, 60, []

    @property
    def mapped(self):
        return self.position is not None

    @property
    def end(self):
        return self.position + reference_length(self.ops)


def draw_read(rng, name, haplotype, contig, start, reverse, group):
    quals = qualities(rng)
    if reverse:
        quals.reverse()
    aligned = haplotype.align(start, READ)
    if aligned is None:
        return None
    position, ops = aligned
    sequence = with_errors(rng, haplotype.bases[start:start + READ], quals)
    if rng.random() < 0.02 and ops[0][1] == "M" and ops[0][0] > 40 and len(ops) == 1:
        clip = rng.randint(5, 30)
        tail = "".join(rng.choices(BASES, k=clip))
        if rng.random() < 0.5:
            sequence, position = tail + sequence[clip:], position + clip
            ops = [(clip, "S"), (READ - clip, "M")]
        else:
            sequence = sequence[:-clip] + tail
            ops = [(READ - clip, "M"), (clip, "S")]
    return Read(name, contig, position, ops, sequence, quals, reverse, group)


def pair_up(first, second):
    """Flags and mate columns of a pair."""
    for read, mate, end in ((first, second, 0x40), (second, first, 0x80)):
        read.flag |= 0x1 | end | (0x10 if read.reverse else 0) | (0x20 if mate.reverse else 0)
        read.flag |= (0 if read.mapped else 0x4) | (0 if mate.mapped else 0x8)
        read.mate = mate
    read, mate = first, second
    read.size = mate.size = 0
    if first.mapped and second.mapped and first.contig == second.contig:
        size = max(first.end, second.end) - min(first.position, second.position)
        left = first if (first.position, 0) <= (second.position, 1) else second
        first.size, second.size = (size, -size) if left is first else (-size, size)
        forward, backward = (first, second) if not first.reverse else (second, first)
        if first.reverse != second.reverse and forward.position <= backward.end and size < 700:
            first.flag |= 0x2
            second.flag |= 0x2


def fragments(rng, genome, person, haplotypes, groups):
    """Pairs of a person, duplicates and oddities among them."""
    serial = 0
    for contig, _ in CONTIGS:
        present = copies(person, contig)
        for h in present:
            haplotype = haplotypes[contig, h]
            length = len(haplotype.bases)
            per_copy = DEPTH[contig] / (1 if contig == "chrM" else 2)
            for _ in range(int(length * per_copy / (2 * READ))):
                serial += 1
                insert = max(READ // 2 + 20, int(rng.gauss(260, 60)))
                start = rng.randrange(-20, length - insert + 20)
                start = min(max(start, 0), length - max(insert, READ))
                if "N" in haplotype.bases[start:start + insert]:
                    continue
                group = rng.choices(groups, [g[3] for g in groups])[0]
                spot = (rng.randint(1, 2), 1101 + rng.randrange(78), rng.randrange(1000, 32000), rng.randrange(1000, 37000))
                yield from fragment(rng, genome, haplotype, contig, start, insert, group, spot)
    for _ in range(120):
        yield unmapped_pair(rng, groups)


def name_of(group, spot):
    lane, tile, x, y = spot
    return f"A00001:7:{group[1]}:{lane}:{tile}:{x}:{y}"


def fragment(rng, genome, haplotype, contig, start, insert, group, spot):
    name = name_of(group, spot)
    second_start = max(start, start + insert - READ)
    flip = rng.random() < 0.5
    kind = rng.random()
    left = draw_read(rng, name, haplotype, contig, start, False, group)
    right = draw_read(rng, name, haplotype, contig, min(second_start, len(haplotype.bases) - READ), True, group)
    if left is None or right is None:
        return
    if kind < 0.004:
        right.reverse = False                       # tandem
    elif kind < 0.008:
        left.reverse, right.reverse = True, False   # outward
    elif kind < 0.016:
        right = unmapped_mate(rng, right)
    elif kind < 0.022:
        other = rng.choice([c for c, _ in CONTIGS if c != contig])
        moved = draw_read(rng, name, Haplotype(genome[other], []), other, rng.randrange(2000, 14000), True, group)
        right = moved or right
    elif kind < 0.026 and left.ops == [(READ, "M")]:
        spliced(left, genome[contig], rng)
    elif kind < 0.030 and left.ops == [(READ, "M")]:
        explicit_matches(left, genome[contig])
    first, second = (right, left) if flip else (left, right)
    quality = rng.choices((60, 0, 7, 29), (0.93, 0.03, 0.02, 0.02))[0]
    first.mapq = second.mapq = quality
    if rng.random() < 0.01:
        first.flag |= 0x200
        second.flag |= 0x200
    pair_up(first, second)
    yield [first, second]
    if 0.030 <= kind < 0.036:
        yield [supplementary(rng, genome, first)]
    elif 0.036 <= kind < 0.042 and first.mapped:
        yield [secondary(rng, first)]
    draw = rng.random()
    if draw < 0.07 and first.mapped and second.mapped:
        lane, tile, x, y = spot
        optical = draw < 0.01
        again = (lane, tile, x + rng.randint(5, 90), y + rng.randint(5, 90)) if optical else (
            rng.randint(1, 2), 1101 + rng.randrange(78), rng.randrange(1000, 32000), rng.randrange(1000, 37000))
        yield duplicate(first, second, name_of(group, again))


def unmapped_mate(rng, read):
    mate = Read(read.name, read.contig, None, [], "".join(rng.choices(BASES, k=READ)), [2] * READ, False, read.group)
    mate.mapq = 0
    return mate


def unmapped_pair(rng, groups):
    group = rng.choice(groups)
    spot = (1, 1101 + rng.randrange(78), rng.randrange(1000, 32000), rng.randrange(1000, 37000))
    pair = [Read(name_of(group, spot), None, None, [], "".join(rng.choices(BASES, k=READ)), qualities(rng), False, group)
            for _ in (0, 1)]
    pair[0].mapq = pair[1].mapq = 0
    pair_up(*pair)
    return pair


def spliced(read, reference, rng):
    """An intron of 1 kb in the middle, where the contig has room."""
    if read.end + 1100 < len(reference) and "N" not in reference[read.position:read.end + 1100]:
        half = READ // 2
        read.ops = [(half, "M"), (1000, "N"), (half, "M")]
        read.sequence = read.sequence[:half] + reference[read.position + half + 1000:read.position + READ + 1000]


def explicit_matches(read, reference):
    ops = []
    for i, base in enumerate(read.sequence):
        push(ops, 1, "=" if base == reference[read.position + i] else "X")
    read.ops = ops


def supplementary(rng, genome, read):
    """Another alignment of a piece of the read, hard-clipped, and SA on both."""
    size = 40
    contig = rng.choice(AUTOSOMES)
    position = rng.randrange(5000, 140_000)
    piece = genome[contig][position:position + size]
    extra = Read(read.name, contig, position, [(READ - size, "H"), (size, "M")], piece, read.quals[READ - size:], read.reverse,
                 read.group)
    extra.flag = read.flag | 0x800
    extra.mapq, extra.mate, extra.size = 30, read.mate, 0
    if read.mapped:
        strand = "-" if read.reverse else "+"
        extra.tags.append(f"SA:Z:{read.contig},{read.position + 1},{strand},{cigar(read.ops)},{read.mapq},0;")
        read.tags.append(f"SA:Z:{contig},{position + 1},{strand},{cigar([(READ - size, 'S'), (size, 'M')])},30,0;")
    return extra


def secondary(rng, read):
    extra = Read(read.name, read.contig, max(0, read.position - rng.randint(1, 400)), [(READ, "M")], read.sequence, read.quals,
                 read.reverse, read.group)
    extra.flag = (read.flag | 0x100) & ~0x400
    extra.mapq, extra.mate, extra.size = 0, read.mate, read.size
    return extra


def duplicate(first, second, name):
    pair = []
    for read in (first, second):
        again = Read(name, read.contig, read.position, read.ops, read.sequence, read.quals, read.reverse, read.group)
        again.mapq, again.flag = read.mapq, (read.flag & 0x200) | 0x400
        pair.append(again)
    pair_up(*pair)
    return pair


def sam_line(read, genome):
    """A record as SAM. An unmapped read stands where its mate does."""
    mate = read.mate
    place = read if read.mapped else (mate if mate.mapped else None)
    mate_place = mate if mate.mapped else (read if read.mapped else None)
    contig, position = (place.contig, place.position + 1) if place else ("*", 0)
    if mate_place:
        mate_contig = "=" if mate_place.contig == contig else mate_place.contig
        mate_position = mate_place.position + 1
    else:
        mate_contig, mate_position = "*", 0
    tags = []
    if read.mapped:
        nm, md = nm_and_md(genome[read.contig], read.position, read.ops, read.sequence)
        score = sum(length for length, letter in read.ops if letter in "M=X") - 5 * nm
        tags += [f"NM:i:{nm}", f"MD:Z:{md}", f"AS:i:{max(score, 0)}"]
    if mate.mapped:
        tags += [f"MC:Z:{cigar(mate.ops)}", f"MQ:i:{mate.mapq}"]
    tags += [f"RG:Z:{read.group[0]}"] + read.tags
    fields = [read.name, read.flag, contig, position, read.mapq if read.mapped else 0, cigar(read.ops) if read.mapped else "*",
              mate_contig, mate_position, read.size, read.sequence, "".join(chr(33 + q) for q in read.quals), *tags]
    return "\t".join(map(str, fields)) + "\n"


def write_alignment(rng, directory, genome, person, variants, people):
    source = {name: [] for name, _ in CONTIGS}
    for i, variant in enumerate(variants):
        source[variant[0]].append(i)
    haplotypes = {}
    for contig, _ in CONTIGS:
        for h in copies(person, contig):
            alleles = (people["mother"] if contig == "chrM" else people[person])[h]
            changes = [(variants[i][1], variants[i][2], variants[i][3][alleles[i] - 1]) for i in source[contig] if alleles[i]]
            haplotypes[contig, h] = Haplotype(genome[contig], changes)
    groups = [(f"{person}.L1", "FLOWA", "lib1", 5), (f"{person}.L2", "FLOWA", "lib1", 5)]
    if person == "child":
        groups.append(("child.L3", "FLOWB", "lib2", 2))
    header = ["@HD\tVN:1.6\tSO:coordinate"]
    for name, sequence in genome.items():
        header.append(f"@SQ\tSN:{name}\tLN:{len(sequence)}\tM5:{hashlib.md5(sequence.encode()).hexdigest()}")
    for identifier, flow, library, _ in groups:
        header.append(f"@RG\tID:{identifier}\tSM:{person}\tLB:{library}\tPL:ILLUMINA\tPU:{flow}.{identifier[-1]}\tCN:norn")
    lines = []
    for reads in fragments(rng, genome, person, haplotypes, groups):
        lines += [sam_line(read, genome) for read in reads]
    sam = ("\n".join(header) + "\n" + "".join(lines)).encode()
    bam, cram, fasta = (f"{directory}/{person}.bam", f"{directory}/{person}.cram", f"{directory}/genome.fa")
    subprocess.run(["samtools", "sort", "--no-PG", "-l", "9", "-o", bam, "-"], input=sam, check=True)
    cram_command = ["samtools", "view", "--no-PG", "-C", "-T", fasta, "--output-fmt-option", "version=3.0", "-o", cram, bam]
    subprocess.run(cram_command, check=True)
    for path in (bam, cram):
        subprocess.run(["samtools", "index", path], check=True)


# --- genes and targets -----------------------------------------------------------------------------------------------

GENES = [
    # contig, strand, start (1-based), exon sizes, intron sizes, first and last coding exon (None: non-coding)
    ("chr1", "+", 20_001, [300, 150, 201, 400], [1200, 800, 2500], (0, 3)),
    ("chr1", "-", 60_001, [500, 120, 180], [3000, 1500], (0, 2)),
    ("chr1", "+", 200_001, [900], [], (0, 0)),
    ("chr2", "-", 30_001, [250, 99, 99, 600], [700, 700, 4000], (1, 3)),
    ("chr2", "+", 120_001, [400, 300], [2000], None),
    ("chrX", "+", 40_001, [300, 210, 330], [1000, 5000], (0, 2)),
    ("chrY", "-", 20_001, [600, 150], [900], (0, 1)),
    ("chrM", "+", 3_301, [957], [], (0, 0)),
]


def write_genes(path):
    with open(path, "w") as out:
        out.write("##gff-version 3\n")
        for name, length in CONTIGS:
            out.write(f"##sequence-region {name} 1 {length}\n")
        for number, (contig, strand, start, exons, introns, coding) in enumerate(GENES, 1):
            places, at = [], start
            for size, gap in zip(exons, introns + [0]):
                places.append((at, at + size - 1))
                at += size + gap
            biotype = "protein_coding" if coding else "lncRNA"
            kind = "mRNA" if coding else "lnc_RNA"

            def row(what, begin, end, phase, attributes):
                out.write("\t".join(map(str, [contig, "norn", what, begin, end, ".", strand, phase, attributes])) + "\n")

            row("gene", start, places[-1][1], ".", f"ID=gene:G{number};Name=GENE{number};biotype={biotype}")
            row(kind, start, places[-1][1], ".",
                f"ID=transcript:T{number};Parent=gene:G{number};biotype={biotype};tag=Ensembl_canonical")
            for i, (begin, end) in enumerate(places, 1):
                rank = i if strand == "+" else len(places) + 1 - i
                row("exon", begin, end, ".", f"Parent=transcript:T{number};rank={rank}")
            if coding:
                inside = places[coding[0]:coding[1] + 1]
                total = 0
                for begin, end in inside if strand == "+" else inside[::-1]:
                    row("CDS", begin, end, -total % 3, f"ID=CDS:P{number};Parent=transcript:T{number};protein_id=P{number}")
                    total += end - begin + 1


def write_targets(directory):
    targets = [
        ("chr1", 20_000, 20_300, "GENE1_e1"), ("chr1", 21_500, 21_650, "GENE1_e2"), ("chr1", 21_600, 21_900, "overlaps"),
        ("chr1", 21_900, 22_100, "adjacent"), ("chr1", 149_800, 150_300, "partly_N"), ("chr1", 151_000, 151_200, "all_N"),
        ("chr2", 30_000, 30_250, "GENE4_e1"), ("chr2", 120_000, 120_400, "GENE5_e1"), ("chrX", 40_000, 40_300, "GENE6_e1"),
        ("chrY", 20_000, 20_600, "GENE7_e1"), ("chrM", 3_300, 4_257, "GENE8"),
    ]
    for name, pad in (("targets", 0), ("baits", 60)):
        with open(f"{directory}/{name}.bed", "w") as out:
            for contig, start, end, label in targets:
                out.write(f"{contig}\t{start - pad}\t{end + pad}\t{label}\n")


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    rng = random.Random(SEED)
    genome = make_reference(rng)
    write_fasta(f"{directory}/genome.fa", genome)
    variants = make_variants(rng, genome)
    people, de_novo = make_trio(rng, variants)
    write_vcfs(directory, genome, variants, people, de_novo)
    write_genes(f"{directory}/genes.gff3")
    write_targets(directory)
    for person in ("father", "mother", "child"):
        write_alignment(rng, directory, genome, person, variants, people)


if __name__ == "__main__":
    main()
