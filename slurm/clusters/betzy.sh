# Betzy (Sigma2): whole nodes of 128 cores and 256 GB; four nodes at least in the partition normal.
NORN_SBATCH=(--partition=preproc --cpus-per-task=32 --mem-per-cpu=1900M)
module --quiet purge
