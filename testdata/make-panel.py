#!/usr/bin/env python3
"""Makes testdata/panel/: a reference panel with structure, a cohort of the same populations, and scores over their variants.

Usage: testdata/make-panel.py [DIRECTORY]      (default: panel/ beside this script)
Needs bgzip and tabix (Debian 12: 1.16) on the PATH. The same seed gives the same files. Nobody in it is real: allele
frequencies are drawn by the model of Balding and Nichols (Genetica 1995, doi:10.1007/BF01441146), genotypes from those.
"""
import gzip
import os
import random
import subprocess
import sys

SEED = 20261126
# Lengths of GRCh38, so that scores can name places of that build.
CHROMOSOMES = [
    ("1", 248956422), ("2", 242193529), ("3", 198295559), ("4", 190214555), ("5", 181538259), ("6", 170805979),
    ("7", 159345973), ("8", 145138636), ("9", 138394717), ("10", 133797422), ("11", 135086622), ("12", 133275309),
    ("13", 114364328), ("14", 107043718), ("15", 101991189), ("16", 90338345), ("17", 83257441), ("18", 80373285),
    ("19", 58617616), ("20", 64444167), ("21", 46709983), ("22", 50818468), ("X", 156040895),
]
# How far each super-population has drifted from the ancestors of all (F_ST), and its parts from it.
DRIFT = {"AFR": 0.10, "AMR": 0.11, "EAS": 0.12, "EUR": 0.10, "SAS": 0.08}
DRIFT_WITHIN = 0.012
PARTS = [(name, f"{name}{number}") for name in DRIFT for number in (1, 2)]
PEOPLE_OF_PART = 50
LOCI = 3000
ON_X = 20
BASES = "ACGT"
COMPLEMENT = str.maketrans("ACGT", "TGCA")
# A stretch in which all goes together, as in the major histocompatibility complex.
LONG_LD = ("6", 27_000_000, 33_000_000, 24)


# --- variants --------------------------------------------------------------------------------------------------------

class Variant:
    """`lead` is the variant that it goes with, `tie` how often; `missing` the share of genotypes that are not known."""

    def __init__(self, rng, chromosome, position, lead=None, tie=0.0):
        self.chromosome, self.position, self.lead, self.tie = chromosome, position, lead, tie
        self.reference = rng.choice(BASES)
        self.alternate = rng.choices(
            [base for base in BASES if base != self.reference],
            [1 if base == self.reference.translate(COMPLEMENT) else 3 for base in BASES if base != self.reference])[0]
        self.missing = 0.005
        self.only_hets = 0.0
        self.frequencies = None

    @property
    def is_ambiguous(self):
        return self.reference.translate(COMPLEMENT) == self.alternate


def draw_frequencies(rng, ancestral):
    """The frequency of the alternate allele in each part of each super-population."""
    def drifted(frequency, drift):
        scale = (1 - drift) / drift
        return min(0.999, max(0.001, rng.betavariate(frequency * scale, (1 - frequency) * scale)))
    found = {}
    for name, drift in DRIFT.items():
        of_all = drifted(ancestral, drift)
        for super_population, part in PARTS:
            if super_population == name:
                found[part] = drifted(of_all, DRIFT_WITHIN)
    return found


def make_variants(rng):
    variants = []
    total = sum(length for name, length in CHROMOSOMES if name != "X")
    for name, length in CHROMOSOMES:
        count = ON_X if name == "X" else round(LOCI * length / total)
        places = sorted(rng.sample(range(3_000_000, length - 3_000_000), count))
        for position in places:
            lead = Variant(rng, name, position)
            variants.append(lead)
            if name != "X" and rng.random() < 0.04:
                at = position
                for _ in range(rng.randint(1, 4)):
                    at += rng.randint(200, 4000)
                    variants.append(Variant(rng, name, at, lead, rng.choice([0.98, 0.9, 0.7])))
    name, start, end, count = LONG_LD
    lead = None
    for position in sorted(rng.sample(range(start, end), count)):
        variants.append(Variant(rng, name, position, lead, 0.95))
        lead = lead or variants[-1]
    order = {name: number for number, (name, _) in enumerate(CHROMOSOMES)}
    variants.sort(key=lambda variant: (order[variant.chromosome], variant.position))
    for number, variant in enumerate(variants, 1):
        variant.id = f"n{number:05}"
        if variant.lead is None:
            rare = rng.random() < 0.06
            variant.frequencies = draw_frequencies(rng, rng.uniform(0.005, 0.04) if rare else rng.uniform(0.06, 0.94))
            # What genotyping can do: half of the calls lost, heterozygotes that are none.
            if rng.random() < 0.012:
                variant.missing = rng.uniform(0.08, 0.3)
            elif rng.random() < 0.008:
                variant.only_hets = rng.uniform(0.3, 0.8)
    for variant in variants:
        if variant.lead is not None:
            variant.frequencies = variant.lead.frequencies
    return variants


# --- people ----------------------------------------------------------------------------------------------------------

class Person:
    """Two haplotypes (lists of 0 and 1) of somebody of one population or several, with their shares."""

    def __init__(self, name, male, shares, haplotypes):
        self.name, self.male, self.shares, self.haplotypes = name, male, shares, haplotypes
        self.father = self.mother = "0"

    @property
    def part(self):
        return max(self.shares, key=self.shares.get)


def draw_haplotype(rng, variants, shares):
    parts, weights = list(shares), list(shares.values())
    origin, of = {}, {}
    for variant in variants:
        if variant.lead is not None and rng.random() < variant.tie:
            of[variant.id] = of[variant.lead.id]
            continue
        key = (variant.lead or variant).id
        if key not in origin:
            origin[key] = parts[0] if len(parts) == 1 else rng.choices(parts, weights)[0]
        of[variant.id] = int(rng.random() < variant.frequencies[origin[key]])
    return [of[variant.id] for variant in variants]


def draw_person(rng, variants, name, shares):
    return Person(name, rng.random() < 0.5, shares, [draw_haplotype(rng, variants, shares) for _ in range(2)])


def gamete(rng, variants, parent):
    """One crossing over a chromosome, about."""
    side, chromosome, last, out = 0, None, 0, []
    for number, variant in enumerate(variants):
        if variant.chromosome != chromosome:
            chromosome, last, side = variant.chromosome, variant.position, rng.randrange(2)
        if rng.random() < (variant.position - last) * 1e-8:
            side = 1 - side
        last = variant.position
        out.append(parent.haplotypes[side][number])
    return out


def make_panel(rng, variants):
    people, related = [], []
    for _, part in PARTS:
        first = len(people)
        for number in range(1, PEOPLE_OF_PART + 1):
            people.append(draw_person(rng, variants, f"{part}_{number:02}", {part: 1.0}))
        # The last one is a child of the first; of every second part the two before are brothers or sisters.
        parent, child = people[first], people[-1]
        child.haplotypes = [gamete(rng, variants, parent), child.haplotypes[1]]
        if parent.male:
            child.father = parent.name
        else:
            child.mother = parent.name
        related.append(child.name)
        if part.endswith("1"):
            parents = [draw_person(rng, variants, "", {part: 1.0}) for _ in range(2)]
            for sibling in people[-3:-1]:
                sibling.haplotypes = [gamete(rng, variants, parent) for parent in parents]
            related.append(people[-2].name)
    return people, related


def make_cohort(rng, variants):
    people = []
    for name in DRIFT:
        for number in range(10):
            people.append({f"{name}{1 + number % 2}": 1.0})
    mixtures = [("AFR1", "EUR1"), ("AMR1", "EUR2"), ("EAS1", "EUR1"), ("SAS2", "EUR2"), ("AFR2", "SAS1")]
    for first, second in mixtures * 2:
        share = round(rng.uniform(0.7, 0.85), 2)
        people.append({first: share, second: round(1 - share, 2)})
    rng.shuffle(people)
    return [draw_person(rng, variants, f"C{number:02}", shares) for number, shares in enumerate(people, 1)]


def genotypes(rng, variants, people):
    """For each variant the copies of the alternate allele of each person, None where they are not known."""
    rows = []
    for number, variant in enumerate(variants):
        row = []
        for person in people:
            first, second = (haplotype[number] for haplotype in person.haplotypes)
            if variant.chromosome == "X" and person.male:
                second = first
            copies = first + second
            if variant.only_hets and rng.random() < variant.only_hets:
                copies = 1
            row.append(None if rng.random() < variant.missing else copies)
        rows.append(row)
    return rows


# --- files -----------------------------------------------------------------------------------------------------------

def sex(person):
    return 1 if person.male else 2


def write_panel(rng, directory, variants, people, related, rows):
    # A .bed counts its first allele: the alternate one of most variants, the reference of some.
    with open(f"{directory}/panel.bed", "wb") as bed, open(f"{directory}/panel.bim", "w") as bim:
        bed.write(bytes([0x6c, 0x1b, 1]))
        for variant, row in zip(variants, rows):
            is_swapped = rng.random() < 0.05
            alleles = (variant.alternate, variant.reference)
            bim.write("\t".join(map(str, [variant.chromosome, variant.id, 0, variant.position,
                                          *(alleles[::-1] if is_swapped else alleles)])) + "\n")
            codes = [1 if copies is None else (3, 2, 0)[2 - copies if is_swapped else copies] for copies in row]
            codes += [0] * (-len(codes) % 4)
            bed.write(bytes(sum(code << 2 * i for i, code in enumerate(codes[at:at + 4]))
                            for at in range(0, len(codes), 4)))
    with open(f"{directory}/panel.fam", "w") as fam, open(f"{directory}/panel.psam", "w") as psam:
        psam.write("#IID\tPAT\tMAT\tSEX\tSuperPop\tPopulation\n")
        for person in people:
            fam.write(f"0\t{person.name}\t{person.father}\t{person.mother}\t{sex(person)}\t-9\n")
            psam.write(f"{person.name}\t{person.father}\t{person.mother}\t{sex(person)}\t{person.part[:-1]}\t{person.part}\n")
    with open(f"{directory}/panel.related.id", "w") as out:
        out.write("#IID\n" + "".join(f"{name}\n" for name in related))
    with open(f"{directory}/high-ld.bed", "w") as out:
        out.write(f"chr{LONG_LD[0]}\t25500000\t34000000\tlong-LD\n")


def write_cohort(rng, directory, variants, people, rows):
    """A VCF without some of the panel's variants, with alleles the other way round at some, and with variants of its own."""
    records = []
    for variant, row in zip(variants, rows):
        if rng.random() < 0.02:
            continue
        alleles, name = [variant.reference, variant.alternate], variant.id
        if rng.random() < 0.02:
            alleles.reverse()
            row = [None if copies is None else 2 - copies for copies in row]
        elif rng.random() < 0.01:
            # A site with another alternate allele, which few have.
            alleles.append(next(base for base in BASES if base not in alleles))
        records.append((variant.chromosome, variant.position, name, alleles, row))
    for number in range(40):
        chromosome, length = rng.choice(CHROMOSOMES[:-1])
        frequency = rng.uniform(0.05, 0.5)
        row = [sum(rng.random() < frequency for _ in range(2)) for _ in people]
        records.append((chromosome, rng.randrange(2_000_000, length), f"c{number:02}", rng.sample(BASES, 2), row))
    order = {name: number for number, (name, _) in enumerate(CHROMOSOMES)}
    records.sort(key=lambda record: (order[record[0]], record[1]))
    path = f"{directory}/cohort.vcf"
    with open(path, "w") as out:
        out.write("##fileformat=VCFv4.2\n")
        for name, length in CHROMOSOMES:
            out.write(f"##contig=<ID=chr{name},length={length},assembly=GRCh38>\n")
        out.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        out.write("\t".join("#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".split() + [p.name for p in people]) + "\n")
        for chromosome, position, name, alleles, row in records:
            cells = []
            for person, copies in zip(people, row):
                cell = {None: "./.", 0: "0/0", 1: "0/1", 2: "1/1"}[copies]
                if len(alleles) > 2 and cell == "0/0" and rng.random() < 0.05:
                    cell = "0/2"
                cells.append(cell)
            out.write("\t".join([f"chr{chromosome}", str(position), name, alleles[0], ",".join(alleles[1:]), ".", "PASS",
                                 ".", "GT", *cells]) + "\n")
    subprocess.run(["bgzip", "-f", path], check=True)
    subprocess.run(["tabix", "-f", "-p", "vcf", path + ".gz"], check=True)
    with open(f"{directory}/cohort.psam", "w") as out:
        out.write("#IID\tSEX\tSuperPop\tPopulation\tAncestry\n")
        for person in people:
            ancestry = ",".join(f"{part}:{share}" for part, share in person.shares.items())
            out.write(f"{person.name}\t{sex(person)}\t{person.part[:-1]}\t{person.part}\t{ancestry}\n")


def write_scores(rng, directory, variants):
    usable = [variant for variant in variants if variant.chromosome != "X" and variant.missing < 0.05]

    def header(number, trait, count, build, harmonised):
        lines = [
            "###PGS CATALOG SCORING FILE - made for tests: no score of the catalogue, of no trait of real people",
            "#format_version=2.0", "##POLYGENIC SCORE (PGS) INFORMATION", f"#pgs_id=PGS90000{number}",
            f"#pgs_name=made_{number}", f"#trait_reported={trait}", f"#trait_mapped={trait}", "#trait_efo=NR",
            f"#genome_build={build}", f"#variants_number={count}", "#weight_type=beta", "##SOURCE INFORMATION",
            "#pgp_id=PGP900001", "#citation=norn's testdata/make-panel.py",
        ]
        if harmonised:
            lines += ["##HARMONIZATION DETAILS", "#HmPOS_build=GRCh38", "#HmPOS_date=2026-11-26",
                      '#HmPOS_match_chr={"True": null, "False": null}', '#HmPOS_match_pos={"True": null, "False": null}']
        return lines

    def write(name, lines):
        with open(f"{directory}/{name}", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
            out.write(("\n".join(lines) + "\n").encode())

    def oriented(variant):
        alleles = [variant.alternate, variant.reference]
        return alleles if rng.random() < 0.6 else alleles[::-1]

    def chosen(count, ambiguous=0):
        plain = rng.sample([variant for variant in usable if not variant.is_ambiguous], count - ambiguous)
        both = plain + rng.sample([variant for variant in usable if variant.is_ambiguous], ambiguous)
        return sorted(both, key=lambda variant: variant.id)

    rows = []
    for variant in chosen(28, 2):
        effect, other = oriented(variant)
        rows.append(f"{variant.id}\t{variant.chromosome}\t{variant.position}\t{effect}\t{other}\t{rng.gauss(0, 0.1):.4f}")
    write("PGS900001.txt.gz", header(1, "made trait one", len(rows), "GRCh38", False)
          + ["rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"] + rows)
    rows = []
    for variant in chosen(400, 30):
        effect, other = oriented(variant)
        if rng.random() < 0.05:
            effect, other = effect.translate(COMPLEMENT), other.translate(COMPLEMENT)
        rows.append("\t".join(map(str, [variant.id, effect, other, f"{rng.gauss(0, 0.03):.17g}", "made", variant.id,
                                        variant.chromosome, variant.position, ""])))
    write("PGS900002_hmPOS_GRCh38.txt.gz", header(2, "made trait two", len(rows), "NR", True)
          + ["rsID\teffect_allele\tother_allele\teffect_weight\thm_source\thm_rsID\thm_chr\thm_pos\thm_inferOtherAllele"]
          + rows)
    rows = []
    for variant in chosen(80):
        effect, other = oriented(variant)
        kind = rng.choices(["additive", "dominant", "recessive"], [8, 1, 1])[0]
        rows.append("\t".join(map(str, [variant.chromosome, variant.position, effect, other,
                                        f"{rng.gauss(0.02, 0.05):.5f}", kind == "dominant", kind == "recessive"])))
    # Some that the genotypes do not have.
    for _ in range(6):
        chromosome, length = rng.choice(CHROMOSOMES[:-1])
        rows.append(f"{chromosome}\t{rng.randrange(2_000_000, length)}\tA\tG\t{rng.gauss(0, 0.05):.5f}\tFalse\tFalse")
    write("PGS900003.txt.gz", header(3, "made trait three", len(rows), "GRCh38", False)
          + ["chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tis_dominant\tis_recessive"] + rows)


def main():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "panel")
    directory = sys.argv[1] if len(sys.argv) > 1 else beside
    os.makedirs(directory, exist_ok=True)
    rng = random.Random(SEED)
    variants = make_variants(rng)
    people, related = make_panel(rng, variants)
    write_panel(rng, directory, variants, people, related, genotypes(rng, variants, people))
    cohort = make_cohort(rng, variants)
    write_cohort(rng, directory, variants, cohort, genotypes(rng, variants, cohort))
    write_scores(rng, directory, variants)


if __name__ == "__main__":
    main()
