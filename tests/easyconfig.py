"""Reads an easyconfig as EasyBuild does, and finds what it depends on among EasyBuild's own.
usage: easyconfig.py FILE.eb      prints numbers of crates, checksums and dependencies
"""
import os
import sys

from easybuild.framework.easyconfig import easyconfig
from easybuild.tools.modules import NoModulesTool
from easybuild.tools.options import set_up_configuration

# No module is loaded, so none of the programs that load modules is needed.
easyconfig.modules_tool = NoModulesTool
theirs = os.path.join(sys.prefix, "easybuild/easyconfigs")
set_up_configuration(args=["--allow-use-as-root-and-accept-consequences", f"--robot-paths={theirs}"], silent=True)
config = easyconfig.EasyConfig(sys.argv[1])
for dependency in config.dependencies():
    name, version = dependency["name"], dependency["full_mod_name"].split("/")[1]
    if easyconfig.robot_find_easyconfig(name, version) is None:
        sys.exit(f"EasyBuild has no {name} {version}")
print(len(config["crates"]), len(config["checksums"]), len(config.dependencies()))
