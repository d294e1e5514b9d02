"""Runs bcftools commands of pysam in one process: a JSON list of words and the file for stdout, a line each."""
import json
import os
import sys

import pysam.bcftools
from pysam.utils import SamtoolsError

# What bcftools itself prints is none of the results.
results = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

for line in sys.stdin:
    words, out = json.loads(line)
    command = getattr(pysam.bcftools, words[0])
    try:
        text = command(*words[1:])
        with open(out, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        print(json.dumps(None), file=results)
    except SamtoolsError as error:
        print(json.dumps(str(error)), file=results)
    results.flush()
