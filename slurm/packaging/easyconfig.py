#!/usr/bin/env python3
"""Prints the easyconfig beside this file with the crates of Cargo.lock and their checksums."""
import os
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "../../Cargo.lock"), "rb") as file:
    packages = [package for package in tomllib.load(file)["package"] if "source" in package]
others = [package["name"] for package in packages if not package["source"].startswith("registry+")]
if others:
    raise SystemExit(f"easyconfig.py: not of a registry: {' '.join(others)}")
crates = "".join(f"    ({package['name']!r}, {package['version']!r}),\n" for package in packages)
# The archive of a commit has no checksum of its own that lasts.
checksums = "    None,\n" + "".join(
    f"    {{'{package['name']}-{package['version']}.tar.gz': '{package['checksum']}'}},\n" for package in packages)
with open(os.path.join(HERE, "norn-0.1.0-foss-2025b.eb")) as file:
    text = file.read()
print(text.replace("crates = []", f"crates = [\n{crates}]").replace("checksums = []", f"checksums = [\n{checksums}]"), end="")
