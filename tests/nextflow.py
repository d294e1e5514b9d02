"""Checks workflows/nextflow without Nextflow, which is in no registry that the tests may ask.

Grammar: RefTrace's parser of Nextflow and groovy-parser's of Groovy. Names: what main.nf, meta.yml, nextflow.config and
`norn --help` say of one another. Scripts: those of the modules are filled in as Nextflow would, and run on testdata/, with what
they must leave behind. The forms of Groovy that modules may use are those that `value` knows; others are a problem, too.
usage: nextflow.py NORN      prints problems; exit code 1 where there are some
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile
import textwrap

import reftrace
import yaml
from groovy_parser.parser import parse_and_digest_groovy_content

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FLOW = os.path.join(ROOT, "workflows/nextflow")
DATA = os.path.join(ROOT, "testdata")
NORN = os.path.abspath(sys.argv[1])
problems = []


def problem(where, what):
    problems.append(f"{os.path.relpath(where, ROOT)}: {what}")


def read(path):
    with open(path) as file:
        return file.read()


def grammar(path):
    try:
        parse_and_digest_groovy_content(read(path))
    except Exception as error:  # the parser has no class of its own for what it does not understand
        return f"no Groovy: {str(error)[:200]}"
    return None


class Module:
    """A module's main.nf: one process of the layout that nf-core has."""

    def __init__(self, path):
        self.path, self.text = path, read(path)
        self.directory = os.path.dirname(path)
        parts = re.split(r"(?m)^    (input|output|when|script|stub):\n", self.text)
        self.name = re.search(r"(?m)^process (\w+) \{", parts[0])[1]
        self.label = re.search(r"label '(\w+)'", parts[0])[1]
        sections = dict(zip(parts[1::2], parts[2::2]))
        self.sections = list(sections)
        self.inputs = [re.findall(r"(val|path)[( ](\w+)", line) for line in sections["input"].splitlines() if line.strip()]
        self.outputs = {}
        for line in filter(str.strip, sections["output"].splitlines()):
            values = re.findall(r"(val|path|eval)\(((?:\"[^\"]*\"|'[^']*'|\w+))\)", line)
            self.outputs[re.search(r"emit: (\w+)", line)[1]] = {
                "values": [(kind, text[1:-1] if text[0] in "'\"" else text) for kind, text in values], "topic": "topic: versions" in line}
        self.script, self.stub = sections["script"], sections["stub"]


def words(value):
    return " ".join(value) if isinstance(value, list) else str(value)


def filled(text, names):
    """A string of Groovy with its `${...}`; escapes are Groovy's."""
    text = re.sub(r"(?<!\\)\$\{([\w.]+)\}", lambda found: words(names[found[1]]), text)
    return text.replace("\\\\", "\\").replace("\\$", "$")


def value(expression, names):
    if found := re.fullmatch(r"(task\.ext\.\w+) \?: (['\"])(.*)\2", expression):
        return names.get(found[1]) or (filled(found[3], names) if found[2] == '"' else found[3])
    if found := re.fullmatch(r"(\w+) \? \"(.*)\" : ''", expression):
        return filled(found[2], names) if names[found[1]] else ""
    if found := re.fullmatch(r"\[(\w+)\]\.flatten\(\)\.collect \{ (\w+) -> \"(.*)\" \}\.join\(' '\)", expression):
        items = names[found[1]] if isinstance(names[found[1]], list) else [names[found[1]]]
        return " ".join(filled(found[3], names | {found[2]: item}) for item in items)
    raise ValueError(f"a form of Groovy that is not checked here: {expression}")


def command(section, names):
    """The script of a section for these inputs."""
    before, text = re.fullmatch(r"(.*?)    \"\"\"\n(.*?)    \"\"\"\n\}?\s*", section, re.S).groups()
    names = dict(names)
    for line in filter(str.strip, before.splitlines()):
        name, expression = re.fullmatch(r"    def (\w+) = (.*)", line).groups()
        names[name] = value(expression, names)
    return filled(textwrap.dedent(text), names)


def described(entry):
    """Names that meta.yml gives to a channel."""
    items = entry if isinstance(entry, list) else [entry]
    return [next(iter(item)) for item in items]


def check_meta(module):
    path = os.path.join(module.directory, "meta.yml")
    meta = yaml.safe_load(read(path))
    tool = os.path.relpath(module.directory, os.path.join(FLOW, "modules")).replace("/", "_")
    if meta["name"] != tool or module.name != tool.upper():
        problem(path, f"name {meta['name']} of {module.name} in {tool}")
    inputs = [[name for _, name in channel] for channel in module.inputs]
    if [described(entry) for entry in meta["input"]] != inputs:
        problem(path, f"inputs {[described(entry) for entry in meta['input']]}, in main.nf {inputs}")
    outputs = {emit: [text for _, text in output["values"]] for emit, output in module.outputs.items()}
    told = {emit: described(entry[0]) for emit, entry in meta["output"].items()}
    if told != outputs:
        problem(path, f"outputs {told}, in main.nf {outputs}")
    if described(meta["topics"]["versions"][0]) != outputs["versions_norn"]:
        problem(path, "the topic of versions is not the output's")
    if [emit for emit, output in module.outputs.items() if output["topic"]] != ["versions_norn"]:
        problem(module.path, "the output of the version has no topic, or another has")
    environment = yaml.safe_load(read(os.path.join(module.directory, "environment.yml")))
    version = re.search(r'(?m)^version = "(.*)"', read(os.path.join(ROOT, "Cargo.toml")))[1]
    if environment["dependencies"] != [f"bioconda::norn={version}"] or f"container 'norn:{version}'" not in module.text:
        problem(module.directory, f"environment or container is not of norn {version}")
    if module.sections != ["input", "output", "when", "script", "stub"]:
        problem(module.path, f"sections {module.sections}")


def check_options(module):
    """Every option stands in the help of the command that it is given to."""
    text = re.sub(r"(?m)#.*$", "", module.script)
    found = re.search(r"norn((?: [a-z]+)+) \\", text)
    said = subprocess.run([NORN, *found[1].split(), "--help"], capture_output=True, text=True, check=True).stdout
    for option in set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text)):
        if not re.search(rf"(?m)^ +(-\w, )?{option}\b(?!-)", said):
            problem(module.path, f"norn{found[1]} has no {option}")


def check_pipeline(modules):
    path = os.path.join(FLOW, "main.nf")
    text = read(path)
    parsed = reftrace.Module.from_file(path)
    for include in parsed.includes:
        target = os.path.normpath(os.path.join(FLOW, include.from_module + ".nf"))
        if target not in modules or [item.name for item in include.items] != [modules[target].name]:
            problem(path, f"includes {[item.name for item in include.items]} of {include.from_module}")
    by_name = {module.name: module for module in modules.values()}
    calls = re.findall(r"(?m)^ +(NORN_\w+)\((.*)\)$", text)
    if sorted(name for name, _ in calls) != sorted(item.name for include in parsed.includes for item in include.items):
        problem(path, "not each module that is included is called once")
    for name, arguments in calls:
        # Commas within brackets part no arguments.
        plain = arguments
        while (less := re.sub(r"\([^()\[\]]*\)|\[[^()\[\]]*\]", "", plain)) != plain:
            plain = less
        if plain.count(",") + 1 != len(by_name[name].inputs):
            problem(path, f"{name} has {len(by_name[name].inputs)} inputs and is called as {name}({arguments})")
    for name, emit in re.findall(r"(NORN_\w+)\.out\.(\w+)", text):
        if emit not in by_name[name].outputs:
            problem(path, f"{name} has no output {emit}")
    config_path = os.path.join(FLOW, "nextflow.config")
    result = reftrace.ConfigFile.from_file(config_path)
    if result.error:
        problem(config_path, result.error.error)
    config = read(config_path)
    declared = set(re.findall(r"(?m)^    (\w+) += ", re.search(r"params \{\n(.*?)\n\}", config, re.S)[1]))
    used = set(re.findall(r"params\.(\w+)", text + config))
    if declared != used:
        problem(config_path, f"params that are declared or used alone: {sorted(declared ^ used)}")
    for label in {module.label for module in modules.values()} ^ set(re.findall(r"withLabel: (\w+)", config)):
        problem(config_path, f"label {label} is of a module or of the config alone")


def case(directory):
    """Inputs of each module, by their names in main.nf."""
    data = lambda name: os.path.join(DATA, name)
    calls, truth, genes = (os.path.join(directory, name) for name in ("child.vcf.gz", "truth.vcf.gz", "given.ndb"))
    qc = os.path.join(directory, "qc")
    run = lambda *words: subprocess.run([NORN, *words], check=True, capture_output=True)
    for output in (calls, truth):
        run("variants", "view", "-s", "child", "-Oz", "-o", output, data("trio.truth.vcf.gz"))
    run("db", "genes", "--gff", data("genes.gff3"), "-r", data("genome.fa"), "-o", genes)
    for sample in ("child", "father"):
        run("qc", "-r", data("genome.fa"), "--sites", data("sites.vcf.gz"), "-o", qc, data(f"{sample}.bam"))
    reference = {"meta2": "genome", "fasta": data("genome.fa"), "fai": [data("genome.fa.fai")]}
    variants = {"meta": "child", "vcf": calls, "index": []} | reference
    return {
        "NORN_QC": reference | {"meta": "child", "reads": data("child.bam"), "index": data("child.bam.bai"), "sites": data("sites.vcf.gz"),
                                "thresholds": os.path.join(ROOT, "examples/thresholds.demo.toml"), "targets": data("targets.bed")},
        "NORN_RELATE": {"meta": "night", "ped": data("trio.ped"),
                        "fingerprints": [f"{qc}/{sample}.fingerprint.vcf.gz" for sample in ("child", "father")]},
        "NORN_VARIANTSNORM": variants,
        "NORN_VARIANTSRUN": variants | {"chain": os.path.join(ROOT, "examples/demo/chain.toml")},
        "NORN_VARIANTSSTATS": variants,
        "NORN_VARIANTSCOMPARE": variants | {"meta3": "truth", "truth": truth, "confident": []},
        "NORN_DBGENES": reference | {"meta": "genes", "gff": data("genes.gff3")},
        "NORN_DBSOURCE": reference | {"meta": "sites", "vcf": data("sites.vcf.gz"), "fields": "AF"},
        "NORN_ANNOTATE": variants | {"genes": genes, "sources": []},
        "NORN_PRSSCORE": {"meta": "cohort", "genotypes": data("panel/panel.bed"),
                          "companions": [data("panel/panel.bim"), data("panel/panel.fam")], "scores": [data("panel/PGS900001.txt.gz")]},
    }


def check_run(module, inputs, section):
    """The script leaves behind what the outputs say."""
    with tempfile.TemporaryDirectory() as directory:
        names = {"task.cpus": 2}
        for kind, name in (item for channel in module.inputs for item in channel):
            given = inputs[name]
            if kind == "val":
                names |= {name: given, f"{name}.id": given}
                continue
            paths = given if isinstance(given, list) else [given]
            for path in paths:
                os.symlink(path, os.path.join(directory, os.path.basename(path)))
            base = [os.path.basename(path) for path in paths]
            names[name] = base if isinstance(given, list) else base[0]
        before = set(os.listdir(directory))
        try:
            script = command(getattr(module, section), names)
        except (ValueError, KeyError) as error:
            return problem(module.path, f"{section}: {error}")
        path = os.path.dirname(NORN) + os.pathsep + os.environ["PATH"]
        bash = ["bash", "-euo", "pipefail", "-c"]
        done = subprocess.run([*bash, script], cwd=directory, env=os.environ | {"PATH": path}, capture_output=True, text=True)
        if done.returncode:
            return problem(module.path, f"{section} ended with {done.returncode}: {done.stderr}\n{script}")
        for emit, output in module.outputs.items():
            for kind, text in output["values"]:
                if kind == "eval":
                    said = subprocess.run([*bash, text], env=os.environ | {"PATH": path}, capture_output=True, text=True).stdout
                    if not re.fullmatch(r"\d+\.\d+\.\d+\n", said):
                        problem(module.path, f"version {said!r}")
                if kind != "path":
                    continue
                # Braces are Nextflow's and bash's, not Python's.
                found = subprocess.run(["bash", "-c", f"shopt -s nullglob; printf '%s\\n' {text}"], cwd=directory, capture_output=True, text=True)
                made = [name for name in found.stdout.split() if name not in before and os.path.exists(os.path.join(directory, name))]
                if not made:
                    problem(module.path, f"{section} makes no {text}")


def main():
    paths = sorted(glob.glob(f"{FLOW}/modules/norn/*/main.nf"))
    for path in [*paths, f"{FLOW}/main.nf"]:
        parsed = reftrace.Module.from_file(path)
        if error := getattr(parsed, "error", None):
            problem(path, error)
    with concurrent.futures.ProcessPoolExecutor() as pool:
        grammars = pool.map(grammar, [f"{FLOW}/main.nf", *paths])
        modules = {path: Module(path) for path in paths}
        with tempfile.TemporaryDirectory() as directory:
            cases = case(directory)
            for path, module in modules.items():
                check_meta(module)
                check_options(module)
                check_run(module, cases[module.name], "script")
                check_run(module, cases[module.name], "stub")
        check_pipeline(modules)
        for path, error in zip([f"{FLOW}/main.nf", *paths], grammars):
            if error:
                problem(path, error)
    print(f"{len(modules)} modules, {len(problems)} problems")
    print("\n".join(problems))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
