"""What numpy, FRAPOSA and scikit-learn say of a panel: a table of FID, IID and numbers on stdout, with all digits.

    ancestry_oracle.py svd LOADINGS PANEL RELATED SCALE            the panel's people, by numpy's SVD
    ancestry_oracle.py oadp LOADINGS PANEL RELATED TARGET          those of a target, by fraposa_pgsc's functions, from U, S and V
    ancestry_oracle.py forest REF_PCS TARGET_PCS PSAM RELATED      a target's shares of votes in a forest of seed 32, then their mean over
                                                                   seeds 100 to 119; classes by name

PANEL and TARGET are prefixes of .bed, .bim and .fam. Of LOADINGS the names of variants and, for oadp, all numbers are taken.
"""
import gzip
import sys

import numpy as np


def read_bed(prefix):
    """Copies of the first allele, variants by people, NaN where missing; alleles by name; people."""
    people = [line.split()[:2] for line in open(prefix + ".fam")]
    variants = [line.split() for line in open(prefix + ".bim")]
    raw = np.fromfile(prefix + ".bed", dtype=np.uint8)[3:].reshape(len(variants), -1)
    codes = np.stack([raw >> shift & 3 for shift in (0, 2, 4, 6)], axis=2).reshape(len(variants), -1)[:, :len(people)]
    return np.array([2, np.nan, 1, 0])[codes], {v[1]: (i, v[4], v[5]) for i, v in enumerate(variants)}, people


def read_loadings(path):
    values, rows = None, []
    for line in gzip.open(path, "rt"):
        if line.startswith("##singular_values="):
            values = np.array(line.split("=")[1].split(","), dtype=float)
        elif not line.startswith("#"):
            rows.append(line.rstrip("\n").split("\t"))
    return values, rows


def copies_of_alternate(rows, bed):
    """A row for each of the loadings' variants; nothing but NaN where the bed does not have it."""
    genotypes, variants, people = bed
    found = np.full((len(rows), len(people)), np.nan)
    for at, (_, _, name, reference, alternate, *_) in enumerate(rows):
        if name in variants:
            number, first, second = variants[name]
            if {first, second} == {reference, alternate}:
                found[at] = genotypes[number] if first == alternate else 2 - genotypes[number]
    return found


def standardised(copies, means, deviations):
    values = (copies - means[:, None]) / deviations[:, None]
    values[np.isnan(values)] = 0
    return values


def panel_of(path, rows, related):
    genotypes, variants, people = read_bed(path)
    left_out = {line.split()[-1] for line in open(related)}
    kept = [i for i, (_, name) in enumerate(people) if name not in left_out]
    return copies_of_alternate(rows, (genotypes[:, kept], variants, [people[i] for i in kept])), [people[i] for i in kept]


def tell(people, coordinates):
    for (family, name), row in zip(people, coordinates):
        print(name if family == "0" else family, name, *map(repr, map(float, row)), sep="\t")


def read_pcs(path):
    rows = [line.split() for line in open(path)][1:]
    return [row[:2] for row in rows], np.array([row[2:7] for row in rows], dtype=float)


def forest(ref_pcs, target_pcs, psam, related):
    from sklearn.ensemble import RandomForestClassifier
    people, points = read_pcs(ref_pcs)
    lines = [line.lstrip("#").split() for line in open(psam)]
    label = lines[0].index("SuperPop")
    labels = {line[0]: line[label] for line in lines[1:]}
    left_out = {line.split()[-1] for line in open(related)}
    kept = [i for i, (_, name) in enumerate(people) if name not in left_out and name in labels]
    classes = [labels[people[i][1]] for i in kept]
    targets, of_targets = read_pcs(target_pcs)

    def votes(seed):
        return RandomForestClassifier(random_state=seed).fit(points[kept], classes).predict_proba(of_targets)
    tell(targets, np.hstack([votes(32), np.mean([votes(seed) for seed in range(100, 120)], axis=0)]))


def main():
    if sys.argv[1] == "forest":
        forest(*sys.argv[2:])
        return
    what, loadings, panel, related, last = sys.argv[1:]
    values, rows = read_loadings(loadings)
    copies, people = panel_of(panel, rows, related)
    if what == "svd":
        means = np.nanmean(copies, axis=1)
        deviations = np.nanstd(copies, axis=1) if last == "observed" else np.sqrt(means * (1 - means / 2))
        _, s, vt = np.linalg.svd(standardised(copies, means, deviations), full_matrices=False)
        tell(people, (vt.T * s)[:, :10])
        return
    from fraposa_pgsc.fraposa import ref_aug_procrustes, svd_online
    numbers = np.array([row[5:] for row in rows], dtype=float)
    means, deviations, u = numbers[:, 0], numbers[:, 1], numbers[:, 2:]
    x = standardised(copies, means, deviations)
    v = x.T @ u / values
    pcs = (v * values)[:, :10]
    target = read_bed(last)
    of_target = copies_of_alternate(rows, target)
    there = ~np.isnan(of_target).all(axis=1)
    if not there.all():
        # The matrix that loadings tell of, at the variants that are there.
        u, values, turn = np.linalg.svd(u[there] * values, full_matrices=False)
        v = v @ turn.T
    b = standardised(of_target[there], means[there], deviations[there])
    places = []
    for person in b.T:
        s_aug, v_aug = svd_online(u, values, v, person)
        places.append(ref_aug_procrustes(pcs, v_aug[:, :20] * s_aug[:20])[:10])
    tell(target[2], places)


if __name__ == "__main__":
    main()
